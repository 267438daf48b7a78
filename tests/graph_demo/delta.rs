//! Readings by what changed: the same as reading all of it, with far fewer requests.

use jiff::SignedDuration;
use portcullis::demo::audits::Actor;
use portcullis::demo::people::People;
use portcullis::demo::random::mix;
use portcullis::graph::{Fresh, GraphError, Previous, Quiet, read_change, read_tenant};
use portcullis::tenant::{Directory, Kind};

use super::*;

impl Demo {
    pub(super) async fn whole(&self) -> Fresh {
        read_tenant(&self.client, &Quiet, None).await.unwrap()
    }

    async fn after(&self, last: &Fresh) -> Fresh {
        let previous = Previous { snapshot: &last.snapshot, marks: Some(&last.marks) };
        read_tenant(&self.client, &Quiet, Some(previous)).await.unwrap()
    }

    /// Paths of the requests that a reading of `what` makes.
    async fn asked_by(&self, what: impl Future<Output = Fresh>) -> (Fresh, Vec<String>) {
        let before = self.service.state().requests().len();
        let fresh = what.await;
        let requests = self.service.state().requests();
        let paths = requests[before..].iter().map(|request| request["path"].as_str().unwrap().to_owned()).collect();
        (fresh, paths)
    }

    /// One of the things that happen in a directory, as a number decides.
    pub(super) fn something_happens(&self, number: u64) {
        let roll = |question| mix(&[number, question]);
        let mut tenant = self.service.state().tenant();
        let by = (self.clock.now(), &Actor::Named("Somebody".into()));
        let user = 50 + u32::try_from(roll(1) % u64::from(tenant.people.count() - 50)).unwrap();
        let groups = ["CA-BreakGlass", "CA-Excl-MFA-Rollout", "Projects-Harbour", "Sales-EMEA", "CA-Internals"];
        let group = tenant.groups.at(groups[usize::try_from(roll(2) % 5).unwrap()]);
        match roll(3) % 6 {
            0 => tenant.join(group, user, by),
            1 => tenant.part(group, user, by),
            2 => tenant.enable(user, roll(4).is_multiple_of(2), by),
            3 => _ = tenant.hire(by),
            4 => tenant.fire(user, by),
            _ => tenant.rename_app(usize::try_from(roll(5) % 30).unwrap(), "Renamed"),
        }
    }
}

/// What delta queries tell; the last sign-in is no part of it.
pub(super) fn tracked(snapshot: &Snapshot) -> Directory {
    let mut directory = Directory::clone(&snapshot.directory);
    directory.users.iter_mut().for_each(|user| user.last_sign_in = None);
    directory
}

/// Little of the logs, which take the most time and are not what is looked at.
async fn with_short_logs(users: u32) -> Demo {
    demo_with(users, |config| config.graph.log_days = 1).await
}

#[tokio::test]
async fn what_changed_makes_the_same_as_all_of_it() {
    let demo = with_short_logs(250).await;
    let mut last = demo.whole().await;
    for round in 0..8 {
        for happening in 0..(round * round) {
            demo.something_happens(round * 1_000 + happening);
        }
        demo.clock.set(demo.clock.now() + 7.minutes());
        last = demo.after(&last).await;
        let whole = demo.whole().await;
        assert!(last.snapshot.has(Kind::Groups), "round {round}: {:?}", last.snapshot.readings);
        let (by_changes, at_once) = (tracked(&last.snapshot), tracked(&whole.snapshot));
        assert_eq!(by_changes.users, at_once.users, "round {round}");
        assert_eq!(by_changes.groups, at_once.groups, "round {round}");
        assert!(by_changes == at_once, "round {round}");
        assert_eq!(last.snapshot.readings[&Kind::Users], whole.snapshot.readings[&Kind::Users]);
        assert_eq!(last.snapshot.policies, whole.snapshot.policies);
    }
}

#[tokio::test]
async fn what_did_not_change_is_not_asked_for() {
    let demo = with_short_logs(1_200).await;
    let (first, all) = Box::pin(demo.asked_by(demo.whole())).await;
    demo.service.state().tenant().enable(70, false, (demo.clock.now(), &Actor::Named("Somebody".into())));
    let (second, few) = Box::pin(demo.asked_by(demo.after(&first))).await;
    let user =
        |fresh: &Fresh| fresh.snapshot.directory.user(&demo.service.state().tenant().people.id(70)).unwrap().enabled;
    assert_eq!((user(&first), user(&second)), (true, false), "{:?}", second.snapshot.readings);
    let count = |paths: &[String], path: &str| paths.iter().filter(|asked| asked.ends_with(path)).count();
    assert_eq!((count(&all, "/users"), count(&all, "/users/delta")), (3, 1), "three pages, one mark");
    assert_eq!((count(&few, "/users"), count(&few, "/users/delta"), count(&few, "/$batch")), (0, 1, 1));
    assert!(count(&all, "/members") > 10 && count(&few, "/members") == 0, "members were read once");
    assert_eq!((count(&few, "/groups"), count(&few, "/servicePrincipals")), (0, 0));
}

/// Who registered what, and which devices there are, takes thousands of requests in a large tenant.
#[tokio::test]
async fn a_change_of_a_policy_asks_for_no_devices_within_a_day() {
    let demo = with_short_logs(50).await;
    let slow = ["/devices", "/userRegistrationDetails"];
    let mut last = demo.whole().await;
    for (hours, asked) in [(1, 0), (22, 0), (2, 1), (23, 0)] {
        demo.clock.set(demo.clock.now() + SignedDuration::from_hours(hours));
        let previous = Previous { snapshot: &last.snapshot, marks: Some(&last.marks) };
        let reading = async { read_change(&demo.client, &Quiet, Some(previous)).await.unwrap() };
        let (fresh, paths) = Box::pin(demo.asked_by(reading)).await;
        for path in slow {
            assert_eq!(paths.iter().filter(|asked| asked.ends_with(path)).count(), asked, "{path} after {hours} h");
        }
        assert!(paths.iter().any(|path| path.ends_with("/policies")), "{paths:?}");
        assert!(tracked(&fresh.snapshot) == tracked(&demo.whole().await.snapshot), "after {hours} h");
        last = fresh;
    }
    let (_, paths) = Box::pin(demo.asked_by(demo.after(&last))).await;
    assert!(slow.iter().all(|path| paths.iter().any(|asked| asked.ends_with(path))), "any other scan reads them");
}

/// A week without asking: Graph answers 410, and all is read.
#[tokio::test]
async fn a_forgotten_mark_starts_over() {
    let demo = with_short_logs(50).await;
    let first = demo.whole().await;
    demo.service.state().tenant().changes.forget();
    let (second, paths) = Box::pin(demo.asked_by(demo.after(&first))).await;
    assert!(tracked(&first.snapshot) == tracked(&second.snapshot));
    assert!(paths.iter().any(|path| path.ends_with("/v1.0/users")), "{paths:?}");
    let (_, third) = Box::pin(demo.asked_by(demo.after(&second))).await;
    assert!(!third.iter().any(|path| path.ends_with("/v1.0/users")), "the new mark holds");
}

#[tokio::test]
async fn after_a_week_all_is_read_again() {
    let demo = with_short_logs(50).await;
    let first = demo.whole().await;
    demo.clock.set(demo.clock.now() + SignedDuration::from_hours(24 * 7));
    let (_, paths) = Box::pin(demo.asked_by(demo.after(&first))).await;
    assert!(paths.iter().any(|path| path.ends_with("/v1.0/users")));
}

/// Delta queries don't tell who signed in; the log does.
#[tokio::test]
async fn a_sign_in_is_seen_without_a_change_of_the_user() {
    let demo = demo(50).await;
    let mut first = demo.whole().await;
    let row = first.snapshot.sign_ins.last().unwrap().clone();
    let at = first.snapshot.directory.user_index(&row.user_id).unwrap();
    first.snapshot.directory.users[usize::try_from(at).unwrap()].last_sign_in = None;
    let second = demo.after(&first).await;
    assert_eq!(second.snapshot.directory.user_at(at).unwrap().last_sign_in, Some(row.at));
}

#[tokio::test]
async fn a_cancelled_reading_by_changes_ends() {
    struct Never;
    impl portcullis::graph::Progress for Never {
        fn page(&self, _: Kind, _: u64) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let demo = with_short_logs(50).await;
    let first = demo.whole().await;
    let previous = Previous { snapshot: &first.snapshot, marks: Some(&first.marks) };
    assert_eq!(read_tenant(&demo.client, &Never, Some(previous)).await, Err(GraphError::Cancelled));
}

#[tokio::test]
async fn colleagues_change_the_directory_over_http_and_the_audit_log_tells() {
    let demo = demo(50).await;
    let since = demo.clock.now();
    let user = demo.service.state().tenant().people.id(People::cast_index("Fischer"));
    let http = reqwest::Client::builder().build().unwrap();
    let at = |path: &str| format!("{}/demo/colleague/{path}", demo.service.base_url());
    let by = json!({"by": "Piotr Nowak"});
    let members = json!({"by": "Piotr Nowak", "userIds": [user]});
    let group = format!("groups/{}/members", demo.service.emergency_group);
    let steps = [
        http.post(at(&group)).json(&members),
        http.delete(at(&group)).json(&members),
        http.post(at(&format!("users/{user}"))).json(&json!({"by": "Piotr Nowak", "accountEnabled": false})),
        http.post(at("users")).json(&by),
        http.delete(at(&format!("users/{user}"))).json(&by),
    ];
    for step in steps {
        step.send().await.unwrap().error_for_status().unwrap();
    }
    let records = demo.client.audits_since(since).await.unwrap();
    let told: Vec<&str> = records.iter().map(|record| &*record.activity).collect();
    let expected = ["Add member to group", "Remove member from group", "Update user", "Add user", "Delete user"];
    for activity in expected {
        assert!(told.contains(&activity), "{told:?}");
    }
    assert!(records.iter().all(|record| record.by == "Piotr Nowak"));
}
