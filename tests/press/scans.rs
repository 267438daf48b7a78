//! Two scans of a tenant never overlap.

use jiff::ToSpan;
use portcullis::bot::review;
use portcullis::demo::audits::Actor;
use portcullis::demo::people::People;
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
            kind: review::JOB.into(),
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

/// A large tenant changes some group every minute; a scan takes minutes.
#[tokio::test]
async fn only_a_group_that_something_goes_by_starts_a_scan() {
    let lab = Lab::start(|_| {}).await;
    lab.poll().await;
    let before = story(&lab).await.len();
    let snapshot = lab.app.analysis().unwrap();
    let groups = snapshot.snapshot().directory.groups.values();
    let other =
        groups.filter(|group| group.transitive.is_none()).map(|group| group.display_name.clone()).next().unwrap();
    for (group, scans) in [(other.as_str(), 0), ("CA-Excl-MFA-Rollout", 1)] {
        lab.pass(1.second());
        {
            let mut tenant = lab.service.state().tenant();
            let (at, user) = (tenant.groups.at(group), People::cast_index("Moreau"));
            tenant.join(at, user, (lab.app.clock.now(), &Actor::User(People::cast_index("Nowak"))));
        }
        lab.poll().await;
        assert_eq!(story(&lab).await.len(), before + scans * 2, "{group}: {:?}", story(&lab).await);
    }
}

#[tokio::test]
async fn changes_wait_for_one_scan_together() {
    let lab = Lab::start(|_| {}).await;
    let waiting = async || lab.app.store.job_counts().await.unwrap().ready;
    let before = waiting().await;
    for record in ["one", "two", "three"] {
        review::request_for_change(&lab.app, record).await.unwrap();
    }
    assert_eq!(waiting().await, before + 1);
    lab.settle().await;
    assert_eq!(waiting().await, before);
    review::request_for_change(&lab.app, "four").await.unwrap();
    assert_eq!(waiting().await, before + 1, "what changed since is seen by none");
}
