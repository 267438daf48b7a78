//! Posts and updates against a fake service: token, retries, lost messages, and hosts that must never see the token.

use axum::http::Method;
use portcullis::chat::teams::Teams;
use portcullis::chat::{Card, Conversation, Platform as _};
use serde_json::json;

use super::lab::{Service, TENANT, clock};

fn chat(service: &str, thread: Option<&str>) -> Conversation {
    Conversation {
        platform: "teams".to_owned(),
        id: "19:ops@thread.tacv2".to_owned(),
        tenant: TENANT.to_owned(),
        personal: false,
        reference: json!({"serviceUrl": service, "bot": "28:bot", "thread": thread}),
    }
}

fn card(words: &str) -> Card {
    Card { summary: words.to_owned(), ..Card::default() }
}

/// Method, path and token of each request that the service saw.
fn seen(service: &Service) -> Vec<(Method, String, String)> {
    let line = |(method, path, bearer, _): &(Method, String, Option<String>, _)| {
        (method.clone(), path.clone(), bearer.clone().unwrap_or_default())
    };
    service.with(|seen| seen.requests.iter().map(line).collect())
}

#[tokio::test]
async fn a_card_is_posted_and_then_replaced() {
    let service = Service::start().await;
    let teams = service.teams(&clock());
    let chat = chat(&format!("{}/emea/", service.base), None);
    let id = teams.send(&chat, &card("waits")).await.unwrap();
    teams.update(&chat, &id, &card("created")).await.unwrap();

    let path = "/emea/v3/conversations/19:ops@thread.tacv2/activities";
    let token = "Bearer token-1".to_owned();
    let expected = [(Method::POST, path.to_owned(), token.clone()), (Method::PUT, format!("{path}/{id}"), token)];
    assert_eq!(seen(&service), expected, "one token serves both");
    let summaries = service.with(|seen| seen.requests.iter().map(|r| r.3["summary"].clone()).collect::<Vec<_>>());
    assert_eq!(summaries, ["waits", "created"]);
}

#[tokio::test]
async fn an_answer_stays_in_its_thread() {
    let service = Service::start().await;
    let chat = chat(&service.base, Some("19:ops@thread.tacv2;messageid=17"));
    service.teams(&clock()).send(&chat, &card("here")).await.unwrap();
    assert_eq!(seen(&service)[0].1, "/v3/conversations/19:ops@thread.tacv2;messageid=17/activities");
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_after_a_refusal() {
    let service = Service::start().await;
    let teams = service.teams(&clock());
    let chat = chat(&service.base, None);
    service.with(|seen| seen.lifetime = 299);
    teams.send(&chat, &card("1")).await.unwrap();
    service.with(|seen| seen.lifetime = 3600);
    teams.send(&chat, &card("2")).await.unwrap();
    service.with(|seen| seen.answers.push_back((401, None, "Unauthorized")));
    teams.send(&chat, &card("3")).await.unwrap();
    let tokens: Vec<String> = seen(&service).into_iter().map(|(_, _, token)| token).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2", "Bearer token-2", "Bearer token-3"]);
}

#[tokio::test]
async fn passing_faults_are_tried_again_and_lasting_ones_are_not() {
    for (status, tries) in [(429, 2), (412, 2), (502, 2), (503, 2), (504, 2), (400, 1), (403, 1), (413, 1)] {
        let service = Service::start().await;
        service.with(|seen| seen.answers.push_back((status, Some(0), "Fault")));
        let sent = service.teams(&clock()).send(&chat(&service.base, None), &card("x")).await;
        assert_eq!((seen(&service).len(), sent.is_ok()), (tries, tries == 2), "{status}");
    }
}

#[tokio::test]
async fn retries_end() {
    let service = Service::start().await;
    service.with(|seen| seen.answers.extend(std::iter::repeat_n((503, None, "Busy"), 50)));
    let failed = service.teams(&clock()).send(&chat(&service.base, None), &card("x")).await.unwrap_err();
    assert_eq!(seen(&service).len(), 4, "once and three times more");
    insta::assert_snapshot!(format!("{failed:#}"), @"posting to Teams: teams answered 503 Service Unavailable Busy");
}

#[tokio::test]
async fn a_message_that_teams_lost_is_posted_anew() {
    let service = Service::start().await;
    service.with(|seen| seen.answers.extend(std::iter::repeat_n((404, None, "ActivityNotFoundInConversation"), 4)));
    service.teams(&clock()).update(&chat(&service.base, None), "m-0", &card("created")).await.unwrap();
    let methods: Vec<Method> = seen(&service).into_iter().map(|(method, ..)| method).collect();
    assert_eq!(methods, [Method::PUT, Method::PUT, Method::PUT, Method::PUT, Method::POST]);
}

#[tokio::test]
async fn foreign_hosts_get_neither_card_nor_token() {
    let service = Service::start().await;
    let port = service.base.rsplit(':').next().unwrap();
    for address in [
        format!("http://localhost:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://127.0.0.1@localhost:{port}/"),
        format!("http://127.1.1.1:{port}/"),
        "https://smba.trafficmanager.net.evil.example/".to_owned(),
        String::new(),
    ] {
        let failed = service.teams(&clock()).send(&chat(&address, None), &card("x")).await.unwrap_err();
        assert!(format!("{failed:#}").contains("teams.service_hosts"), "{address}: {failed:#}");
    }
    assert_eq!((seen(&service).len(), service.with(|seen| seen.tokens)), (0, 0));
}

#[tokio::test]
async fn the_playground_gets_no_token() {
    let service = Service::start().await;
    let mut options = service.options(&clock());
    options.allow_anonymous_loopback = true;
    let local = service.base.replace("127.0.0.1", "localhost");
    Teams::new(options).unwrap().send(&chat(&local, None), &card("x")).await.unwrap();
    assert_eq!((seen(&service)[0].2.as_str(), service.with(|seen| seen.tokens)), ("", 0));
}

#[tokio::test]
async fn secrets_are_in_no_error() {
    let service = Service::start().await;
    let mut options = service.options(&clock());
    options.tokens = service.tokens("/nowhere", &clock());
    service.with(|seen| seen.answers.extend([(500, None, "Fault"); 3]));
    let failed = Teams::new(options).unwrap().send(&chat(&service.base, None), &card("x")).await;
    let words = format!("{:#} {0:?}", failed.unwrap_err());
    assert!(words.contains("token for posting to Teams") && !words.contains("s3cret"), "{words}");
}

#[tokio::test]
async fn a_message_without_an_id_stands_once_and_is_updated_by_a_new_one() {
    let service = Service::start().await;
    service.with(|seen| seen.answers.push_back((202, None, "")));
    let teams = service.teams(&clock());
    let chat = chat(&service.base, None);
    let id = teams.send(&chat, &card("an answer")).await.unwrap();
    teams.update(&chat, &id, &card("a newer one")).await.unwrap();
    let methods: Vec<Method> = seen(&service).into_iter().map(|(method, ..)| method).collect();
    assert_eq!((id.as_str(), methods), ("", vec![Method::POST, Method::POST]));
}
