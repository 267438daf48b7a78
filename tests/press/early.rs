//! While the first scan still reads the logs, questions are answered from policies and people, and that is said.

use std::time::Duration;

use jiff::ToSpan;
use portcullis::bot::review;
use portcullis::config::BackOff;
use portcullis::log::Actor;
use portcullis::store::runs::{RunEnd, RunState};
use portcullis::tenant::Kind;
use serde_json::json;

use super::lab::{APPROVER, Lab, READER, labels, words};

/// A tenant whose sign-in log can't be read until somebody says so, and is asked for again and again meanwhile.
async fn slow() -> Lab {
    let lab = Lab::unread(|config| {
        let wait = Duration::from_millis(100);
        config.graph.early_after = Duration::ZERO;
        config.graph.back_off = BackOff { first: wait, longest: wait, attempts: 100_000, patience: wait };
    })
    .await;
    lab.faults(json!({"schedule": [{"path": "/auditLogs/signIns", "times": 1_000_000, "kind": "unavailable"}]})).await;
    lab
}

async fn is_running(lab: &Lab) -> bool {
    let run = lab.app.store.newest_run(lab.app.tenant()).await.unwrap();
    run.is_some_and(|run| run.state == RunState::Running)
}

#[tokio::test]
async fn questions_are_answered_before_the_logs_are_there() {
    let lab = slow().await;
    review::request(&lab.app, &Actor::bot()).await.unwrap();
    let asking = async {
        while lab.app.analysis().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let early = lab.app.analysis().unwrap();
        assert!(early.snapshot().is_early() && early.snapshot().has(Kind::Users) && early.snapshot().has(Kind::Groups));
        let covered = words(&lab.say(READER, "who is not covered by MFA?").await);
        let blocked = words(&lab.say(READER, "why was Alice blocked yesterday?").await);
        assert!(is_running(&lab).await);
        lab.faults(json!({})).await;
        (covered, blocked)
    };
    let ((), (covered, blocked)) = tokio::join!(lab.settle(), asking);
    assert!(covered.contains("No policy makes"), "{covered}");
    for said in [covered, blocked] {
        assert!(said.contains("A scan has been running since") && said.contains("still being read"), "{said}");
        assert!(said.contains("sign-ins"), "{said}");
    }
    let suggested = lab.app.store.suggestions(lab.app.tenant()).await.unwrap();
    let (early, whole) = (suggested.len(), lab.app.analysis().unwrap());
    assert!(
        early > 0 && !whole.snapshot().is_early() && whole.snapshot().has(Kind::SignIns),
        "the whole takes its place"
    );
    let said = words(&lab.say(READER, "who is not covered by MFA?").await);
    assert!(!said.contains("still being read"), "{said}");
    lab.pass(1.minute());
    lab.say(APPROVER, "help").await;
    assert!(!lab.newest_of(APPROVER).await.to_string().contains("lets people out"), "nobody was let out by the logs");
}

#[tokio::test]
async fn logs_that_are_there_soon_are_waited_for() {
    let lab = Lab::unread(|config| {
        config.graph.early_after = Duration::from_mins(1);
        config.graph.pacing.reports = Duration::from_millis(500);
    })
    .await;
    review::request(&lab.app, &Actor::bot()).await.unwrap();
    let watching = async {
        let mut early = false;
        while !is_running(&lab).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        while is_running(&lab).await {
            early |= lab.app.analysis().is_some_and(|newest| newest.snapshot().is_early());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        early
    };
    let ((), early) = tokio::join!(lab.settle(), watching);
    assert!(!early);
}

/// Graph is away just when the bot is started: it doesn't take a day until there is an answer.
#[tokio::test]
async fn a_first_scan_that_fails_is_begun_again() {
    let lab = Lab::unread(|_| {}).await;
    lab.faults(json!({"schedule": [{"path": "/policies", "times": 1_000_000, "kind": "unavailable"}]})).await;
    lab.scan().await;
    let state = async || lab.app.store.newest_run(lab.app.tenant()).await.unwrap().unwrap().state;
    assert_eq!(state().await, RunState::Failed);
    let asked = words(&lab.say(READER, "who is not covered by MFA?").await);
    assert!(asked.contains("the first scan failed at") && !asked.contains("ask again in a moment"), "{asked}");
    assert!(asked.contains("Microsoft Graph cannot be reached") && asked.contains("`portcullis doctor`"), "{asked}");
    lab.faults(json!({})).await;
    lab.poll().await;
    assert!(lab.app.analysis().is_none(), "not at once: Graph may need a while");
    lab.pass(5.minutes());
    lab.poll().await;
    assert_eq!(state().await, RunState::Finished);
    assert!(lab.app.analysis().is_some());
    let runs = lab.app.store.newest_run(lab.app.tenant()).await.unwrap().unwrap().id;
    lab.pass(10.minutes());
    lab.poll().await;
    assert_eq!(lab.app.store.newest_run(lab.app.tenant()).await.unwrap().unwrap().id, runs, "and that was it");
}

/// Nothing else can be asked yet, so whoever decides gets the buttons that a question would bring later.
#[tokio::test]
async fn a_first_scan_is_stopped_and_started_before_anything_was_read() {
    let lab = Lab::unread(|_| {}).await;
    assert!(words(&lab.say(READER, "help").await).contains("no scan is under way"));
    let (store, tenant) = (&lab.app.store, lab.app.tenant());
    store.start_run("first", tenant, lab.app.clock.now()).await.unwrap();
    assert!(!labels(&lab.say(READER, "who is not covered by MFA?").await).contains(&"Stop the scan"));
    let card = lab.say(APPROVER, "who is not covered by MFA?").await;
    assert!(words(&card).contains("The first scan is under way"), "{}", words(&card));
    lab.press(APPROVER, &card, "Stop the scan").await;
    assert!(store.newest_run(tenant).await.unwrap().unwrap().cancel);
    let end = RunEnd { state: RunState::Cancelled, snapshot: None, error: None, at: lab.app.clock.now() };
    store.end_run("first", &end).await.unwrap();
    let card = lab.say(APPROVER, "who is not covered by MFA?").await;
    assert!(words(&card).contains("the first scan was stopped"), "{}", words(&card));
    lab.press(APPROVER, &card, "Start the scan").await;
    lab.settle().await;
    assert!(lab.app.analysis().is_some());
}
