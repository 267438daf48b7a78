//! The production intervals against the limits of Graph's services, on virtual time.

use std::time::Duration;

use portcullis::config::{Config, Env};
use portcullis::demo::limits::Limits;
use portcullis::graph::pacing::{Limit, Pacing};
use portcullis::graph::{Quiet, read_tenant};
use tokio::time::Instant;

use super::*;

fn production() -> portcullis::config::Graph {
    Config::parse(Config::example(), "example", &Env::of(&[("PORTCULLIS_CLIENT_SECRET", "x")])).unwrap().graph
}

/// Under which limit a request counts, and how many units the client books for it.
fn limit_of(path: &str) -> (Limit, u32) {
    let is = |parts: &[&str]| parts.iter().any(|part| path.contains(part));
    match path {
        _ if is(&["/identity/conditionalAccess", "/identityProtection"]) => (Limit::ConditionalAccess, 1),
        _ if is(&["/auditLogs", "/reports"]) => (Limit::Reports, 1),
        _ => (Limit::Directory, 2),
    }
}

/// Every request of a whole reading takes its turn as in production; no service finds it too early. What the waits
/// add up to is what `docs/performance.md` computes a reading's time from.
#[tokio::test]
async fn with_the_production_intervals_graph_never_asks_to_slow_down() {
    let demo = demo(200).await;
    read_tenant(&demo.client, &Quiet, None).await.unwrap();
    let requests = demo.service.state().requests();
    let (pacing, mut limits, start) = (Pacing::new(production().pacing), Limits::default(), Instant::now());
    let mut turns: Vec<(Instant, &str, &str)> = Vec::new();
    for request in &requests {
        let (path, query) = (request["path"].as_str().unwrap(), request["query"].as_str().unwrap());
        let (limit, units) = limit_of(path);
        turns.push((pacing.book(limit, units, start), path, query));
    }
    turns.sort_by_key(|(turn, ..)| *turn);
    for (turn, path, query) in &turns {
        assert_eq!(limits.admit((path, query), 40, *turn), Ok(()), "{path} after {:?}", *turn - start);
    }
    let reports = turns.iter().filter(|(_, path, _)| limit_of(path).0 == Limit::Reports).count();
    let longest = turns.last().unwrap().0 - start;
    assert_eq!(longest, Duration::from_secs(2) * u32::try_from(reports - 1).unwrap(), "reports take the longest");
}

/// The other way round: faster than the production intervals, the services do refuse.
#[test]
fn without_intervals_graph_asks_to_slow_down() {
    let (mut limits, now) = (Limits::default(), Instant::now());
    let mut refused =
        |path: &str, times: u32| (0..times).filter(|_| limits.admit((path, ""), 40, now).is_err()).count();
    assert_eq!(refused("/v1.0/identity/conditionalAccess/policies", 3), 2);
    assert_eq!(refused("/v1.0/auditLogs/signIns", 8), 3);
    assert_eq!(refused("/v1.0/users", 2_000), 2_000 - 3_500 / 2);
}

/// Pleas to wait, with and without a time, on the second page as on the first: pages are waited for, not given up.
#[tokio::test]
async fn what_graph_asks_for_is_waited_for() {
    let demo = demo_with(250, |config| config.graph.log_days = 1).await;
    let plan = json!([{"path": "/auditLogs", "times": 3, "kind": "throttledSeconds"},
        {"path": "/userRegistrationDetails", "times": 2, "kind": "throttledDate"},
        {"path": "/groups", "skip": 1, "times": 2, "kind": "throttled"}]);
    demo.misbehave(json!({"schedule": plan}));
    let read = read_tenant(&demo.client, &Quiet, None).await.unwrap().snapshot;
    assert!(read.readings.keys().all(|kind| read.has(*kind) || *kind == Kind::TermsOfUse), "{:?}", read.readings);
    let refused = demo.service.state().requests().iter().filter(|request| request["status"] == 429).count();
    assert_eq!(refused, 7);
}

/// Limits that hold, and no intervals of our own: refused requests pass on a later try.
#[tokio::test]
async fn a_service_that_keeps_its_limits_refuses_and_relents() {
    let demo = demo(50).await;
    demo.misbehave(json!({"limits": true}));
    let http = reqwest::Client::builder().build().unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", demo.service.client_id.as_str()),
        ("client_secret", demo.service.client_secret.as_str()),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let token = http.post(demo.service.token_url()).form(&form).send().await.unwrap();
    let token: serde_json::Value = token.json().await.unwrap();
    let path = format!("{}/v1.0/identity/conditionalAccess/policies", demo.service.graph_base());
    let ask = || http.get(&path).bearer_auth(token["access_token"].as_str().unwrap()).send();
    assert_eq!(ask().await.unwrap().status(), 200);
    let refused = ask().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (429, false));
    let told: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(told["error"]["code"], "TooManyRequests");
}
