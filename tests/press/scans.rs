//! Two scans of a tenant never overlap.

use jiff::ToSpan;
use portcullis::store::entries::Wanted;
use portcullis::store::jobs::{NewJob, Priority};
use serde_json::json;

use super::lab::Lab;

/// Beginnings and ends of scans, oldest first, since the first one.
async fn story(lab: &Lab) -> Vec<String> {
    let wanted = Wanted { limit: 200, ..Wanted::default() };
    let mut entries = lab.app.store.entries(lab.app.tenant(), &wanted).await.unwrap();
    entries.reverse();
    let runs = entries.into_iter().filter(|entry| entry.action.as_str().starts_with("run."));
    runs.map(|entry| format!("{} {}", entry.action.as_str(), entry.subject)).skip(2).collect()
}

#[tokio::test]
async fn a_second_scan_waits_for_the_first() {
    let lab = Lab::start(|_| {}).await;
    lab.pass(1.minute());
    for id in ["first", "second"] {
        let job = NewJob {
            id: id.into(),
            kind: portcullis::bot::review::JOB.into(),
            payload: json!({}),
            priority: Priority::Question,
            due: lab.app.clock.now(),
        };
        lab.app.store.enqueue(&job).await.unwrap();
    }
    // Two workers take one each; whoever is second looks again two seconds later.
    tokio::join!(lab.settle(), lab.settle());
    assert_eq!(story(&lab).await.len(), 2, "{:?}", story(&lab).await);
    lab.pass(3.seconds());
    lab.settle().await;
    let story = story(&lab).await;
    let kinds: Vec<&str> = story.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["run.started", "run.finished", "run.started", "run.finished"], "{story:?}");
    assert_eq!(story[0].split(' ').next_back(), story[1].split(' ').next_back());
}
