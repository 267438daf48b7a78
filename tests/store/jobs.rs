//! Jobs: leased by one worker at a time, tried again, never lost.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portcullis::jobs::{Handlers, Outcome, Pace, Worker};
use portcullis::store::jobs::{End, NewJob, Priority};
use tokio::sync::watch;

use super::*;

fn job(id: &str) -> NewJob {
    NewJob { id: id.into(), kind: "k".into(), payload: json!({"n": 1}), priority: Priority::Question, due: later(-1) }
}

#[tokio::test]
async fn an_event_that_comes_twice_is_one_job() {
    everywhere(async |place| {
        let store = place.open().await;
        assert!(store.enqueue(&job("event-1")).await.unwrap());
        assert!(!store.enqueue(&job("event-1")).await.unwrap());
        let leased = store.lease(now(), later(60)).await.unwrap().unwrap();
        assert_eq!((leased.id.as_str(), &leased.payload, leased.attempt), ("event-1", &json!({"n": 1}), 1));
        assert!(store.end(&leased, &End::Done, now()).await.unwrap());
        assert!(!store.enqueue(&job("event-1")).await.unwrap(), "a finished job is remembered");
        assert!(store.lease(now(), later(60)).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn what_waits_is_counted_by_how_its_key_begins() {
    everywhere(async |place| {
        let store = place.open().await;
        for id in ["web:é%:1", "web:é%:2", "web:éx:3", "web:é:4", "WEB:É%:5"] {
            store.enqueue(&job(id)).await.unwrap();
        }
        assert_eq!(store.waiting("k", "web:é%:").await.unwrap(), 2);
        assert_eq!(store.waiting("other", "web:é%:").await.unwrap(), 0);
        while let Some(leased) = store.lease(now(), later(60)).await.unwrap() {
            store.end(&leased, &End::Done, now()).await.unwrap();
        }
        assert_eq!(store.waiting("k", "web:é%:").await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_job_goes_with_its_transaction() {
    everywhere(async |place| {
        let store = place.open().await;
        let mut tx = store.begin().await.unwrap();
        assert!(tx.enqueue(&job("event-1")).await.unwrap());
        drop(tx);
        assert!(store.lease(now(), later(60)).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_workers_lease_each_job_once() {
    everywhere(async |place| {
        let store = place.open().await;
        for n in 0..200 {
            store.enqueue(&job(&format!("j{n:03}"))).await.unwrap();
        }
        let mut workers = JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            workers.spawn(async move {
                let mut mine = Vec::new();
                while let Some(job) = store.lease(now(), later(60)).await.unwrap() {
                    mine.push(job.id.clone());
                    assert!(store.end(&job, &End::Done, now()).await.unwrap());
                }
                mine
            });
        }
        let leased: Vec<String> = workers.join_all().await.into_iter().flatten().collect();
        assert_eq!(leased.len(), 200);
        assert_eq!(leased.into_iter().collect::<BTreeSet<_>>().len(), 200);
    })
    .await;
}

#[tokio::test]
async fn approvals_go_before_questions_before_digests() {
    everywhere(async |place| {
        let store = place.open().await;
        for (id, priority) in [("d", Priority::Digest), ("a", Priority::Approval), ("q", Priority::Question)] {
            store.enqueue(&NewJob { priority, ..job(id) }).await.unwrap();
        }
        let mut order = Vec::new();
        while let Some(job) = store.lease(now(), later(60)).await.unwrap() {
            order.push(job.id);
        }
        assert_eq!(order, ["a", "q", "d"]);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_cannot_finish_the_job() {
    everywhere(async |place| {
        let store = place.open().await;
        store.enqueue(&job("j")).await.unwrap();
        let slow = store.lease(now(), later(-1)).await.unwrap().unwrap();
        let quick = store.lease(now(), later(60)).await.unwrap().unwrap();
        assert_eq!((quick.attempt, quick.failures), (2, 1), "a vanished worker counts as a failure");
        assert!(!store.extend(&slow, later(60)).await.unwrap());
        assert!(!store.end(&slow, &End::Done, now()).await.unwrap());
        assert!(store.extend(&quick, later(90)).await.unwrap());
        assert!(store.end(&quick, &End::Done, now()).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_failed_job_comes_again_and_a_dead_one_stays() {
    everywhere(async |place| {
        let store = place.open().await;
        store.enqueue(&job("j")).await.unwrap();
        let first = store.lease(now(), later(60)).await.unwrap().unwrap();
        store.end(&first, &End::Failed { again: later(30), error: "no".into() }, now()).await.unwrap();
        assert!(store.lease(now(), later(60)).await.unwrap().is_none());
        let second = store.lease(later(31), later(60)).await.unwrap().unwrap();
        assert_eq!((second.attempt, second.failures), (2, 1));
        store.end(&second, &End::Dead { error: "no".into() }, now()).await.unwrap();
        assert!(store.lease(later(99), later(120)).await.unwrap().is_none());
        let counts = store.job_counts().await.unwrap();
        assert_eq!((counts.ready, counts.dead, counts.oldest_due), (0, 1, None));
        assert_eq!(store.forget_jobs(later(999)).await.unwrap(), 0, "only finished jobs are forgotten");
    })
    .await;
}

fn pace() -> Pace {
    let ms = Duration::from_millis;
    Pace { poll: ms(5), lease: ms(2000), retry: ms(1), retry_at_most: ms(2), failures: 3, grace: ms(50) }
}

/// Starts `n` workers; send true to stop them.
fn start(store: &Store, handlers: Handlers, n: usize) -> (watch::Sender<bool>, JoinSet<()>) {
    let (stop, stopped) = watch::channel(false);
    let worker = Worker { store: store.clone(), clock: Clock::system(), handlers: Arc::new(handlers), pace: pace() };
    let mut workers = JoinSet::new();
    for _ in 0..n {
        let (worker, stopped) = (worker.clone(), stopped.clone());
        workers.spawn(async move { worker.run(stopped).await });
    }
    (stop, workers)
}

async fn until(store: &Store, ready: i64) {
    while store.job_counts().await.unwrap().ready != ready {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loop_retries_gives_up_and_survives_a_panic() {
    everywhere(async |place| {
        let store = place.open().await;
        let tries = Arc::new(AtomicUsize::new(0));
        let seen = tries.clone();
        let handlers = Handlers::default()
            .on("flaky", move |_| {
                let nth = seen.fetch_add(1, Ordering::SeqCst);
                async move { if nth < 2 { Err(anyhow::anyhow!("not yet")) } else { Ok(Outcome::Done) } }
            })
            .on("broken", |_| async { panic!("on purpose") });
        let (stop, workers) = start(&store, handlers, 2);
        for kind in ["flaky", "broken", "unknown"] {
            store.enqueue(&NewJob { kind: kind.into(), ..job(kind) }).await.unwrap();
        }
        until(&store, 0).await;
        stop.send(true).unwrap();
        workers.join_all().await;
        assert_eq!(tries.load(Ordering::SeqCst), 3);
        assert_eq!(store.job_counts().await.unwrap().dead, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_work_keeps_its_lease_and_a_stop_gives_it_back() {
    everywhere(async |place| {
        let store = place.open().await;
        store.enqueue(&NewJob { kind: "long".into(), ..job("long") }).await.unwrap();
        let begun = Arc::new(AtomicUsize::new(0));
        let seen = begun.clone();
        let handlers = Handlers::default().on("long", move |_| {
            seen.fetch_add(1, Ordering::SeqCst);
            std::future::pending()
        });
        let (stop, workers) = start(&store, handlers, 3);
        // Longer than a lease: without heartbeats another worker would have taken the job.
        tokio::time::sleep(pace().lease * 5 / 4).await;
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        stop.send(true).unwrap();
        workers.join_all().await;
        let again = store.lease(now(), later(60)).await.unwrap().unwrap();
        assert_eq!((again.id.as_str(), again.failures), ("long", 0));
    })
    .await;
}
