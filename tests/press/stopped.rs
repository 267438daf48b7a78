//! A scan shows how far it is, on the page and in the chat, and ends in the middle of a wait when somebody stops it.

use std::time::Duration;

use jiff::ToSpan;
use portcullis::bot::review;
use portcullis::config::BackOff;
use portcullis::log::{Action, Actor};
use portcullis::store::entries::Wanted;
use portcullis::store::runs::RunState;
use serde_json::json;

use super::lab::{APPROVER, Lab, READER, labels, words};

/// The next event with these words on somebody's page.
async fn event(stream: &mut reqwest::Response, words: &str) -> String {
    let mut heard = String::new();
    let reading = async {
        loop {
            heard += &String::from_utf8_lossy(&stream.chunk().await.unwrap().expect("the stream goes on"));
            let mut whole = heard.split_inclusive("\n\n").filter(|one| one.ends_with("\n\n"));
            if let Some(found) = whole.find(|one| one.contains(words)) {
                return found.to_owned();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading).await.expect("no such event")
}

#[tokio::test]
async fn a_scan_shows_how_far_it_is_and_is_stopped_in_the_middle_of_a_wait() {
    let lab = Lab::unread(|config| {
        let wait = Duration::from_mins(1);
        config.graph.early_after = Duration::ZERO;
        config.graph.back_off = BackOff { first: wait, longest: wait, attempts: 3, patience: wait };
    })
    .await;
    lab.faults(json!({"schedule": [{"path": "/auditLogs/signIns", "times": 1_000_000, "kind": "unavailable"}]})).await;
    review::request(&lab.app, &Actor::bot()).await.unwrap();
    let stopping = async {
        let mut page = lab.stream(APPROVER).await;
        while lab.app.analysis().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let told = event(&mut page, " pages so far").await;
        assert!(told.contains("event: progress") && told.contains("Scanning"), "on the page: {told}");
        let read = lab.say(READER, "stop the run").await;
        assert!(!labels(&read).contains(&"Stop the scan"), "that is for who decides");
        let card = lab.say(APPROVER, "stop the run").await;
        let said = words(&card);
        assert!(
            said.contains("policies") && said.contains("sign-ins still being read") && said.contains(" objects on "),
            "{said}"
        );
        lab.press(APPROVER, &card, "Stop the scan").await;
        std::time::Instant::now()
    };
    let ((), pressed) = tokio::join!(lab.settle(), stopping);
    assert!(pressed.elapsed() < Duration::from_secs(5), "not even its wait is waited out: {:?}", pressed.elapsed());
    let run = lab.app.store.newest_run(lab.app.tenant()).await.unwrap().unwrap();
    assert_eq!(run.state, RunState::Cancelled);
    let wanted = Wanted { subject: Some(run.id), limit: 10, ..Wanted::default() };
    let entries = lab.app.store.entries(lab.app.tenant(), &wanted).await.unwrap();
    let stopped: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.action == Action::RunCancelled)
        .map(|entry| entry.actor.name.as_str())
        .collect();
    assert_eq!(stopped, [lab.person(APPROVER).name.as_str()], "the log says who stopped it, once");
    let asked = lab.service.state().requests().len();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(lab.service.state().requests().len(), asked, "nothing more is asked of Graph");
    lab.pass(10.minutes());
    lab.poll().await;
    assert_eq!(
        lab.app.store.newest_run(lab.app.tenant()).await.unwrap().unwrap().state,
        RunState::Cancelled,
        "it stays so"
    );
    let left = lab.say(READER, "why was Alice blocked yesterday?").await.to_string();
    assert!(left.contains("had not come to it yet") && !left.contains("still being read"), "{left}");
}

/// Judging a million accounts takes seconds. Whoever stops the scan then stops all of it.
#[tokio::test]
async fn a_scan_is_stopped_while_it_judges_what_it_read() {
    let lab = Lab::start(|_| {}).await;
    let (store, tenant) = (&lab.app.store, lab.app.tenant());
    let before = (store.newest_snapshot(tenant).await.unwrap(), lab.app.analysis().unwrap().hash.clone());
    lab.pass(1.hour());
    review::request(&lab.app, &Actor::bot()).await.unwrap();
    // Whoever judges waits for this.
    let judging = lab.app.judging().await;
    let stopping = async {
        let judges = async || {
            let run = store.newest_run(tenant).await.unwrap().unwrap();
            run.state == RunState::Running && run.progress["judging"] == true
        };
        while !judges().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let card = lab.say(APPROVER, "stop the run").await;
        let said = words(&card);
        assert!(said.contains("all is read and being judged") && !said.contains("still being read"), "{said}");
        lab.press(APPROVER, &card, "Stop the scan").await;
    };
    tokio::join!(lab.settle(), stopping);
    drop(judging);
    lab.settle().await;
    assert_eq!(store.newest_run(tenant).await.unwrap().unwrap().state, RunState::Cancelled);
    let after = (store.newest_snapshot(tenant).await.unwrap(), lab.app.analysis().unwrap().hash.clone());
    assert_eq!(before, after, "what was known before stays");
}

#[tokio::test]
async fn a_scan_that_writes_down_what_it_found_says_that_it_is_too_late() {
    let lab = Lab::start(|_| {}).await;
    let (store, tenant, now) = (&lab.app.store, lab.app.tenant(), lab.app.clock.now() + 1.hour());
    assert!(store.start_run("late", tenant, now).await.unwrap());
    let card = lab.say(APPROVER, "stop the run").await;
    assert!(store.conclude_run("late").await.unwrap());
    let said = lab.refused(APPROVER, &card, "Stop the scan").await;
    assert!(said.contains("came too late"), "{said}");
    assert!(!labels(&lab.say(APPROVER, "stop the run").await).contains(&"Stop the scan"), "nor is it offered any more");
    let wanted = Wanted { subject: Some("late".into()), limit: 10, ..Wanted::default() };
    assert!(store.entries(tenant, &wanted).await.unwrap().is_empty(), "nobody stopped it");
    // Begun again after a crash, it reads and judges anew.
    assert!(store.start_run("late", tenant, now).await.unwrap());
    assert_eq!(store.cancel_run(tenant).await.unwrap().as_deref(), Some("late"));
    assert!(!store.conclude_run("late").await.unwrap(), "who stopped it was faster");
}
