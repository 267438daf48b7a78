//! The store on a real SQLite file always, and on PostgreSQL when `TEST_POSTGRES_URL` is set: the same tests on both.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use portcullis::clock::Clock;
use portcullis::log::{Action, Actor, NewEntry};
use portcullis::store::Store;
use portcullis::store::approvals::{NewApproval, Stored};
use portcullis::store::entries::Wanted;
use portcullis::store::messages::{Direction, NewMessage, Update};
use portcullis::tenant::{Kind, Reading, Snapshot};
use serde_json::json;
use sqlx::Executor as _;
use tempfile::TempDir;
use tokio::task::JoinSet;

#[path = "store/jobs.rs"]
mod jobs;

/// A database of a test's own, which can be closed and opened again.
struct Place {
    url: String,
    _folder: Option<TempDir>,
    server: Option<String>,
}

impl Place {
    fn file() -> Self {
        let folder = TempDir::new().unwrap();
        Self { url: format!("sqlite://{}/p.db", folder.path().display()), _folder: Some(folder), server: None }
    }

    async fn postgres(server: &str) -> Self {
        let name = format!("portcullis_test_{}", uuid::Uuid::new_v4().simple());
        administer(server, &format!("CREATE DATABASE {name}")).await;
        let (base, _) = server.rsplit_once('/').unwrap();
        Self { url: format!("{base}/{name}"), _folder: None, server: Some(server.to_owned()) }
    }

    async fn open(&self) -> Store {
        let store = Store::open(&self.url).await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    async fn remove(self) {
        if let Some(server) = &self.server {
            let (_, name) = self.url.rsplit_once('/').unwrap();
            administer(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn administer(server: &str, statement: &str) {
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(server).await.unwrap();
    pool.execute(sqlx::AssertSqlSafe(statement.to_owned())).await.unwrap();
    pool.close().await;
}

/// Runs a test on every engine there is.
async fn everywhere(test: impl AsyncFn(&Place)) {
    let mut places = vec![Place::file()];
    if let Some(server) = std::env::var_os("TEST_POSTGRES_URL") {
        places.push(Place::postgres(server.to_str().unwrap()).await);
    }
    for place in places {
        test(&place).await;
        place.remove().await;
    }
}

fn now() -> Timestamp {
    Clock::system().now()
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn entry(n: usize) -> NewEntry {
    NewEntry {
        tenant: "t".into(),
        at: now(),
        actor: Actor::person("p-1", "M. Okafor ☂"),
        action: Action::ApprovalGranted,
        subject: format!("A-{n}"),
        body: json!({"share": 0.1 + 0.2, "quote": "\" ' \\ \n"}),
        evidence: vec!["e".into()],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chain_holds_under_concurrent_appends_and_after_reopening() {
    everywhere(async |place| {
        let store = place.open().await;
        let mut writers = JoinSet::new();
        for writer in 0..8 {
            let store = store.clone();
            writers.spawn(async move {
                for n in 0..25 {
                    let mut tx = store.begin().await.unwrap();
                    tx.append(entry(writer * 25 + n)).await.unwrap();
                    if n % 5 == 4 {
                        continue; // dropped: leaves neither an entry nor a gap
                    }
                    tx.commit().await.unwrap();
                }
            });
        }
        writers.join_all().await;
        store.close().await;
        drop(store);
        let store = place.open().await;
        let verified = store.verify_log("t").await.unwrap();
        assert_eq!((verified.entries, verified.first_break), (160, None));
        assert_eq!(store.log_head("t").await.unwrap(), verified.head);
        let about = Wanted { subject: Some("A-7".into()), limit: 9, ..Wanted::default() };
        assert_eq!(store.entries("t", &about).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn entries_changed_or_cut_off_behind_our_back_are_found() {
    everywhere(async |place| {
        let store = place.open().await;
        for n in 0..5 {
            store.append(entry(n)).await.unwrap();
        }
        store.close().await;
        drop(store);
        administer(&place.url, "UPDATE entries SET actor_name = 'Somebody Else' WHERE seq = 3").await;
        let store = place.open().await;
        let verified = store.verify_log("t").await.unwrap();
        assert_eq!(verified.entries, 2);
        assert_eq!(verified.first_break.unwrap().to_string(), "entry 3 was changed after it was written");
        store.close().await;
        drop(store);
        administer(&place.url, "DELETE FROM entries WHERE seq > 2").await;
        let cut = place.open().await.verify_log("t").await.unwrap();
        assert_eq!(cut.first_break.unwrap().to_string(), "the log ends at entry 2, but 5 were written");
    })
    .await;
}

fn state(name: &str) -> Stored {
    Stored { name: name.into(), body: json!({"state": name}), due: None, decided: 1 }
}

fn approval() -> NewApproval {
    NewApproval {
        id: "card".into(),
        tenant: "t".into(),
        suggestion: 34,
        conversation: "web:main".into(),
        terms: json!({}),
        draft: json!({"displayName": "CA211"}),
        state: Stored { due: Some(later(60)), ..state("open") },
        at: now(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_clicks_at_once_exactly_one_wins() {
    everywhere(async |place| {
        let store = place.open().await;
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.ask_approval(approval()).await.unwrap().number, 1);
        tx.commit().await.unwrap();
        for round in 1..=20 {
            let seen = store.approval("card").await.unwrap().unwrap();
            assert_eq!(seen.version, round);
            let mut clicks = JoinSet::new();
            for _ in 0..2 {
                let (store, seen) = (store.clone(), seen.clone());
                clicks.spawn(async move {
                    let mut tx = store.begin().await.unwrap();
                    let won = tx.move_approval(&seen, &state("creating"), now()).await.unwrap();
                    if won {
                        tx.append(entry(0)).await.unwrap();
                        tx.commit().await.unwrap();
                    }
                    won
                });
            }
            let won = clicks.join_all().await.into_iter().filter(|won| *won).count();
            assert_eq!(won, 1);
        }
        assert_eq!(store.verify_log("t").await.unwrap().entries, 20);
    })
    .await;
}

#[tokio::test]
async fn time_finds_the_approvals_it_has_to_change() {
    everywhere(async |place| {
        let store = place.open().await;
        let mut tx = store.begin().await.unwrap();
        let seen = tx.ask_approval(approval()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(store.due_approvals(now()).await.unwrap().is_empty());
        assert_eq!(store.due_approvals(later(61)).await.unwrap().len(), 1);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.move_approval(&seen, &state("expired"), now()).await.unwrap());
        tx.commit().await.unwrap();
        assert!(store.due_approvals(later(61)).await.unwrap().is_empty());
        assert_eq!(store.approvals_of("t", 34).await.unwrap()[0].state, state("expired"));
    })
    .await;
}

fn message(id: &str) -> NewMessage {
    NewMessage {
        id: id.into(),
        conversation: "web:main".into(),
        direction: Direction::Out,
        author_id: "bot".into(),
        author_name: "Portcullis".into(),
        body: json!({"text": id}),
        subject: Some("approval:card".into()),
        version: 1,
        at: now(),
    }
}

#[tokio::test]
async fn a_stream_sees_each_message_and_each_later_change() {
    everywhere(async |place| {
        let store = place.open().await;
        let first = store.say(&message("m1")).await.unwrap();
        let second = store.say(&message("m2")).await.unwrap();
        let repeated = store.say(&message("m1")).await.unwrap();
        assert_eq!(repeated.change, first.change, "a repeat keeps one message");
        assert_eq!(changes(&store, 0).await, ["m1", "m2"]);
        assert_eq!(changes(&store, first.change).await, ["m2"]);
        let body = json!({"text": "newer"});
        let update = Update { id: "m1", conversation: "web:main", body: &body, version: 2, at: now() };
        assert!(change(&store, &update).await);
        assert!(!change(&store, &update).await, "an older or equal version changes nothing");
        assert_eq!(changes(&store, second.change).await, ["m1"]);
        let newest = store.newest_messages("web:main", 10).await.unwrap();
        assert_eq!(newest.iter().map(|m| m.said.id.as_str()).collect::<Vec<_>>(), ["m1", "m2"], "it stays in place");
        store.message_sent("m1", "platform-7", 1).await.unwrap();
        let cards = store.messages_about("approval:card").await.unwrap();
        assert_eq!(cards[0].platform_id.as_deref(), Some("platform-7"));
        assert_eq!((cards[0].said.version, cards[0].shown), (2, 1), "kept, and not shown yet");
        assert!(store.message_shown("m1", 2).await.unwrap());
        assert!(!store.message_shown("m1", 1).await.unwrap(), "a newer one is shown already");
        assert_eq!(store.message("m1").await.unwrap().unwrap().shown, 2);
    })
    .await;
}

async fn changes(store: &Store, last: i64) -> Vec<String> {
    store.messages_after("web:main", last).await.unwrap().into_iter().map(|message| message.said.id).collect()
}

async fn change(store: &Store, update: &Update<'_>) -> bool {
    let mut tx = store.begin().await.unwrap();
    let changed = tx.update_message(update).await.unwrap();
    tx.commit().await.unwrap();
    changed
}

fn snapshot(minute: i64) -> Arc<Snapshot> {
    let read_at = Timestamp::from_second(1_700_000_000 + minute * 60).unwrap();
    let readings =
        [(Kind::Users, Reading::Complete { count: 7 }), (Kind::Devices, Reading::Absent { reason: "x".into() })];
    Arc::new(Snapshot { tenant_id: "t".into(), read_at, readings: readings.into(), ..Snapshot::default() })
}

#[tokio::test]
async fn readings_are_kept_once_and_come_back_whole() {
    everywhere(async |place| {
        let store = place.open().await;
        let kept = store.save_snapshot(snapshot(0)).await.unwrap();
        assert_eq!(store.save_snapshot(snapshot(0)).await.unwrap(), kept);
        let newer = store.save_snapshot(snapshot(1)).await.unwrap();
        assert_eq!(kept.counts, [(Kind::Users, 7)].into());
        assert_eq!(store.snapshots("t").await.unwrap(), [newer.clone(), kept.clone()]);
        assert_eq!(store.newest_snapshot("t").await.unwrap(), Some(newer.clone()));
        assert_eq!(store.snapshot_before("t", newer.read_at).await.unwrap(), Some(kept.clone()));
        assert_eq!(store.newest_snapshot("u").await.unwrap(), None);
        assert_eq!(store.load_snapshot(&kept.hash).await.unwrap(), *snapshot(0));
        let one = portcullis::store::snapshots::Retention { last: 1, days: 0 };
        assert_eq!(store.prune_snapshots("t", one).await.unwrap(), 1);
        assert!(store.load_snapshot(&kept.hash).await.is_err());
        assert_eq!(store.load_snapshot(&newer.hash).await.unwrap(), *snapshot(1));
    })
    .await;
}

#[tokio::test]
async fn a_second_process_is_kept_out_of_a_sqlite_file() {
    let place = Place::file();
    let _store = place.open().await;
    let error = Store::open(&place.url).await.unwrap_err().to_string();
    assert!(error.contains("another process is using the store"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_together_may_all_migrate() {
    let Some(server) = std::env::var_os("TEST_POSTGRES_URL") else { return };
    let place = Place::postgres(server.to_str().unwrap()).await;
    let mut replicas = JoinSet::new();
    for _ in 0..4 {
        let url = place.url.clone();
        replicas.spawn(async move { Store::open(&url).await.unwrap().migrate().await.unwrap() });
    }
    replicas.join_all().await;
    place.remove().await;
}

#[tokio::test]
async fn addresses_that_are_no_store_are_refused_without_repeating_them() {
    let error = Store::open("mysql://user:secret@host/db").await.unwrap_err();
    assert!(!format!("{error:?}").contains("secret"));
}
