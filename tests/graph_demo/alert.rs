//! A colleague lets people out: the next scan says so at once, with who did it, before and after, and whom.

use std::sync::Arc;

use portcullis::app::App;
use portcullis::bot::{alert, review};
use portcullis::chat::Conversation;
use portcullis::chat::web::{Sessions, WebChat};
use portcullis::store::Store;
use portcullis::store::conversations::{ConversationKind, NewConversation, SummaryTime};
use portcullis::store::jobs::{End, Job};

use portcullis::demo::audits::Actor;
use portcullis::demo::people::People;

use super::*;

/// The bot on a demo tenant, with one conversation that gets the summary.
struct Watched {
    demo: Demo,
    app: Arc<App>,
    scans: std::sync::atomic::AtomicU32,
    /// Another conversation that gets the summary is on a platform that is gone.
    dead: bool,
}

impl Watched {
    async fn start() -> Self {
        let demo = demo_with(120, |config| config.graph.log_days = 1).await;
        let store = Store::in_memory().await.unwrap();
        let chat = WebChat::new(Sessions::new(&[7; 32], vec!["http://localhost".into()]), jiff::tz::TimeZone::UTC);
        let app = App::new(demo.config.clone(), demo.clock.clone(), store).unwrap().with_graph().unwrap();
        let app = Arc::new(app.with_platform(Arc::new(chat.unwrap())));
        let to = Conversation {
            platform: "web".into(),
            id: "ops".into(),
            tenant: app.tenant().into(),
            personal: true,
            reference: json!(null),
        };
        let new = NewConversation {
            platform: to.platform.clone(),
            tenant: to.tenant.clone(),
            reference: to.id.clone(),
            address: serde_json::to_value(&to).unwrap(),
            kind: ConversationKind::Personal,
            name: "Ops".into(),
            person: None,
        };
        let mut tx = app.store.begin().await.unwrap();
        tx.meet(&new, app.clock.now()).await.unwrap();
        tx.set_summary(&new.id(), Some(&SummaryTime { at: "08:00".into(), zone: "UTC".into() })).await.unwrap();
        tx.commit().await.unwrap();
        Self { demo, app, scans: std::sync::atomic::AtomicU32::default(), dead: false }
    }

    /// With a conversation before it that nothing can be posted to.
    async fn beside_a_dead_one() -> Self {
        let watched = Self::start().await;
        let ops = watched.app.store.conversation("web:ops").await.unwrap().unwrap();
        let address = json!({"platform": "gone", "id": "x", "tenant": "", "personal": true, "reference": null});
        let gone = NewConversation { platform: "gone".into(), reference: "x".into(), address, ..ops.about };
        let mut tx = watched.app.store.begin().await.unwrap();
        tx.meet(&gone, watched.app.clock.now()).await.unwrap();
        tx.set_summary(&gone.id(), ops.summary.as_ref()).await.unwrap();
        tx.commit().await.unwrap();
        Self { dead: true, ..watched }
    }

    /// Reads the tenant, and compares with the reading before; what was posted until then.
    async fn scan(&self) -> Vec<String> {
        self.demo.clock.set(self.demo.clock.now() + 1.minutes());
        let number = self.scans.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let run = Job {
            id: format!("run-{number}"),
            kind: review::JOB.into(),
            payload: json!({}),
            attempt: 1,
            failures: 0,
            leased_until: Timestamp::MAX,
        };
        review::scan(Arc::clone(&self.app), run).await.unwrap();
        let now = self.app.clock.now();
        while let Some(job) = self.app.store.lease(now, now + 1.minutes()).await.unwrap() {
            assert_eq!(job.kind, alert::JOB);
            let said = alert::say(Arc::clone(&self.app), job.clone()).await;
            assert_eq!(said.is_err(), self.dead, "tried again where somebody wasn't reached: {said:?}");
            self.app.store.end(&job, &End::Done, now).await.unwrap();
        }
        let messages = self.app.store.newest_messages("web:ops", 50).await.unwrap();
        messages.into_iter().map(|message| message.said.body.to_string()).collect()
    }

    /// Somebody changes the policy whose name begins like this.
    async fn edit(&self, name: &str, patch: serde_json::Value) {
        let id = {
            let tenant = self.demo.service.state().tenant();
            let named = tenant.policies.iter().find(|policy| policy["displayName"].as_str().unwrap().starts_with(name));
            named.unwrap()["id"].as_str().unwrap().to_owned()
        };
        let path = format!("{}/demo/colleague/policies/{id}", self.demo.service.base_url());
        let edit = json!({"by": "Piotr Nowak", "patch": patch});
        reqwest::Client::builder()
            .build()
            .unwrap()
            .post(path)
            .json(&edit)
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
    }
}

#[tokio::test]
async fn who_no_longer_has_to_do_what_is_said_at_once_and_by_whose_change() {
    let watched = Watched::start().await;
    assert!(watched.scan().await.is_empty(), "the first reading has nothing to compare with");
    watched.edit("CA200", json!({"displayName": "CA200 renamed"})).await;
    assert!(watched.scan().await.is_empty(), "a new name lets nobody out");
    watched.edit("CA200", json!({"state": "disabled"})).await;
    let said = watched.scan().await;
    assert_eq!(said.len(), 1, "{said:?}");
    for part in [
        " people, of ",
        "where that was not so before",
        "also those whom coverage counted as not covered already",
        "multifactor authentication",
        "Piotr Nowak",
        "Update conditional access policy",
        "CA200",
    ] {
        assert!(said[0].contains(part), "{part} is missing: {}", said[0]);
    }
    assert_eq!(watched.scan().await.len(), 1, "and is said once");
}

#[tokio::test]
async fn a_conversation_that_is_gone_keeps_no_other_from_being_told() {
    let watched = Watched::beside_a_dead_one().await;
    watched.scan().await;
    watched.edit("CA200", json!({"state": "disabled"})).await;
    assert_eq!(watched.scan().await.len(), 1);
}

/// Nobody edits a policy: the group that is left out of it grows.
#[tokio::test]
async fn a_group_that_lets_somebody_out_is_noticed() {
    let watched = Watched::start().await;
    watched.scan().await;
    let user = People::cast_index("Moreau");
    {
        let mut tenant = watched.demo.service.state().tenant();
        let group = tenant.groups.at("CA-Excl-MFA-Rollout");
        let by = Actor::User(People::cast_index("Nowak"));
        tenant.join(group, user, (watched.demo.clock.now() + 1.seconds(), &by));
    }
    let said = watched.scan().await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("Alice Moreau") && said[0].contains("Piotr Nowak"), "{}", said[0]);
    let card: serde_json::Value = serde_json::from_str(&said[0]).unwrap();
    let runs = card["blocks"][0]["runs"].as_array().unwrap();
    let told: String = runs.iter().map(|run| run["text"].as_str().unwrap()).collect();
    assert_eq!(told.matches("Alice Moreau").count(), 1, "once, with all that she needn't do: {told}");
    assert!(told.matches("without ").count() > 1, "{told}");
}

/// What can't be read is neither gone nor let out; what happened meanwhile is said once it can be read again.
#[tokio::test]
async fn a_reading_that_lacks_people_lets_nobody_out_and_closes_nothing() {
    let watched = Watched::start().await;
    watched.scan().await;
    let states = async || -> Vec<(i64, String)> {
        let rows = watched.app.store.suggestions(watched.app.tenant()).await.unwrap();
        rows.into_iter().map(|row| (row.number, row.state)).collect()
    };
    let before = states().await;
    let refused = |path: &str| json!({"path": path, "times": 1000, "kind": "forbidden"});
    for path in ["/groups", "/servicePrincipals", "/users"] {
        watched.demo.misbehave(json!({"schedule": [refused(path)]}));
        assert!(watched.scan().await.is_empty(), "{path}");
        let after = states().await;
        assert_eq!(after[..before.len()], before, "{path}");
    }
    watched.edit("CA200", json!({"state": "disabled"})).await;
    assert_eq!(watched.scan().await, [""; 0], "nobody is known");
    watched.demo.misbehave(json!({}));
    let said = watched.scan().await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("Piotr Nowak") && said[0].contains("CA200"), "{}", said[0]);
}
