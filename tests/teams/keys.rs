//! When the signing keys are fetched: once, again for an unknown id but at most once per floor, and after a day.

use jiff::SignedDuration;
use serde_json::json;

use super::lab::{Draft, KEYS, Service, Sign, clock, jwk};

fn by_new_key() -> Draft {
    let mut draft = Draft::new();
    draft.header["kid"] = json!("new");
    draft.sign = Sign::Stranger;
    draft
}

#[tokio::test]
async fn a_new_key_is_found_and_strangers_cause_one_fetch_per_floor() {
    let (service, clock) = (Service::start().await, clock());
    let teams = service.teams(&clock);
    Draft::new().sent_to(&teams).await.unwrap();
    assert_eq!(service.with(|seen| seen.key_fetches), 1);

    service.with(|seen| seen.keys.push(jwk("new", &KEYS.stranger, None)));
    assert!(by_new_key().sent_to(&teams).await.is_err(), "the floor has not passed");
    assert_eq!(service.with(|seen| seen.key_fetches), 1);

    clock.set(clock.now() + SignedDuration::from_mins(6));
    by_new_key().sent_to(&teams).await.unwrap();
    assert_eq!(service.with(|seen| seen.key_fetches), 2);
}

#[tokio::test]
async fn many_at_once_fetch_once() {
    let service = Service::start().await;
    let teams = service.teams(&clock());
    let draft = Draft::new();
    let all = (0..20).map(|_| draft.sent_to(&teams));
    assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(service.with(|seen| seen.key_fetches), 1);
}

#[tokio::test]
async fn keys_are_fetched_again_after_a_day_and_kept_when_that_fails() {
    let (service, clock) = (Service::start().await, clock());
    let teams = service.teams(&clock);
    Draft::new().sent_to(&teams).await.unwrap();

    service.with(|seen| seen.keys_down = true);
    clock.set(clock.now() + SignedDuration::from_hours(25));
    let mut later = Draft::new();
    later.claims["exp"] = json!(clock.now().as_second() + 60);
    later.sent_to(&teams).await.unwrap();
    assert_eq!(service.with(|seen| seen.key_fetches), 2, "tried, failed, and the old keys stayed");

    service.with(|seen| {
        seen.keys_down = false;
        seen.keys.retain(|key| key["kid"] != "good");
    });
    clock.set(clock.now() + SignedDuration::from_mins(6));
    later.claims["exp"] = json!(clock.now().as_second() + 60);
    assert!(later.sent_to(&teams).await.is_err(), "a withdrawn key ends with the day");
}

#[tokio::test]
async fn keys_on_another_host_than_the_metadata_are_not_fetched() {
    let (service, elsewhere) = (Service::start().await, Service::start().await);
    let mut options = service.options(&clock());
    let tricky = axum::Router::new().fallback(axum::Json(json!({"jwks_uri": format!("{}/keys", elsewhere.base)})));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    options.openid_metadata = format!("http://{}/openid", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, tricky).await });

    let teams = portcullis::chat::teams::Teams::new(options).unwrap();
    assert!(Draft::new().sent_to(&teams).await.is_err());
    assert_eq!(elsewhere.with(|seen| seen.key_fetches), 0);
}
