//! The leased-job loop and the cron table: work is kept before it is acknowledged, and done by whoever leases it.
//!
//! A handler may run twice (its process can vanish after the effect and before the note), so every effect outside is
//! idempotent. A lease is fenced by the number of its attempt: a worker that lost it can't finish the job.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use croner::Cron;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::clock::Clock;
use crate::store::Store;
use crate::store::jobs::{End, Job, NewJob, Priority};

/// What a handler says of a job that didn't fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Finished.
    Done,
    /// Not yet: look again at this time.
    Again(Timestamp),
}

type Handler = Box<dyn Fn(Job) -> BoxFuture<'static, anyhow::Result<Outcome>> + Send + Sync>;

/// The handlers by kind of job.
#[derive(Default)]
pub struct Handlers(BTreeMap<String, Handler>);

impl std::fmt::Debug for Handlers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Handlers {
    /// Adds the handler for a kind.
    #[must_use]
    pub fn on<F, R>(mut self, kind: &str, handler: F) -> Self
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future<Output = anyhow::Result<Outcome>> + Send + 'static,
    {
        self.0.insert(kind.into(), Box::new(move |job| handler(job).boxed()));
        self
    }
}

/// How fast and how patiently jobs are worked on.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often to look when no hint comes.
    pub poll: Duration,
    /// For how long a job is taken; extended at a third of it while the handler runs.
    pub lease: Duration,
    /// Wait after the first failure; doubles with each further one.
    pub retry: Duration,
    /// Never wait longer than this.
    pub retry_at_most: Duration,
    /// Failures, a vanished worker among them, after which a job is given up.
    pub failures: i64,
    /// How long a handler may go on once the process is asked to stop.
    pub grace: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(500),
            lease: Duration::from_secs(30),
            retry: Duration::from_secs(2),
            retry_at_most: Duration::from_mins(5),
            failures: 8,
            grace: Duration::from_secs(8),
        }
    }
}

impl Pace {
    /// How long to wait after `failures` earlier ones.
    fn wait(&self, failures: i64) -> Duration {
        let doublings = u32::try_from(failures).unwrap_or(0).min(20);
        self.retry.saturating_mul(1 << doublings).min(self.retry_at_most)
    }
}

/// Takes jobs and runs them, one at a time; start several for several at a time.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Where the jobs are.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Who does what.
    pub handlers: Arc<Handlers>,
    /// How fast.
    pub pace: Pace,
}

impl Worker {
    /// Works until `stop` turns true or its sender is gone.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let hint = self.store.job_hint();
        while !*stop.borrow() {
            match self.step(&mut stop).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::error!(error = format!("{error:#}"), "the job loop could not reach the store"),
            }
            tokio::select! {
                () = hint.notified() => {}
                () = sleep(self.pace.poll) => {}
                changed = stop.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Works until no job is due, and no longer.
    ///
    /// # Errors
    /// When the store can't be reached.
    pub async fn until_idle(&self) -> anyhow::Result<()> {
        let (_going_on, mut stop) = watch::channel(false);
        while self.step(&mut stop).await? {}
        Ok(())
    }

    /// Takes one job, if any is due, and runs it; false when none was.
    async fn step(&self, stop: &mut watch::Receiver<bool>) -> anyhow::Result<bool> {
        let now = self.clock.now();
        let Some(job) = self.store.lease(now, now + self.pace.lease).await? else { return Ok(false) };
        // Where one job was due there may be more: let a second worker look.
        self.store.job_hint().notify_one();
        let Some(end) = self.work(&job, stop).await? else {
            tracing::warn!(job = job.id, attempt = job.attempt, "lost the lease of a job; left to its new holder");
            return Ok(true);
        };
        if let End::Failed { error, .. } | End::Dead { error } = &end {
            tracing::warn!(job = job.id, kind = job.kind, failures = job.failures + 1, error, "a job failed");
        }
        self.store.end(&job, &end, self.clock.now()).await?;
        Ok(true)
    }

    /// Runs the handler while extending the lease; none when the lease was lost, and the handler with it.
    async fn work(&self, job: &Job, stop: &mut watch::Receiver<bool>) -> anyhow::Result<Option<End>> {
        if job.failures >= self.pace.failures {
            return Ok(Some(End::Dead { error: "its worker vanished too often".into() }));
        }
        let Some(handler) = self.handlers.0.get(&job.kind) else {
            return Ok(Some(End::Dead { error: format!("no handler for jobs of kind {:?}", job.kind) }));
        };
        let run = AssertUnwindSafe(handler(job.clone())).catch_unwind();
        // The heartbeat is polled beside the handler, never instead of it: a handler may be in the middle of a
        // transaction while the heartbeat waits for the same connection.
        tokio::select! {
            result = run => {
                let result = result.unwrap_or_else(|_| Err(anyhow!("its handler panicked")));
                Ok(Some(self.judge(job, result)))
            }
            lost = self.beat(job) => lost.map(|()| None),
            () = stopped(stop, self.pace.grace) => Ok(Some(End::Again(self.clock.now()))),
        }
    }

    /// Extends the lease again and again; returns when it is lost.
    async fn beat(&self, job: &Job) -> anyhow::Result<()> {
        let mut beat = interval(self.pace.lease / 3);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat.tick().await; // the first tick comes at once, and the lease is fresh
        loop {
            beat.tick().await;
            if !self.store.extend(job, self.clock.now() + self.pace.lease).await? {
                return Ok(());
            }
        }
    }

    fn judge(&self, job: &Job, result: anyhow::Result<Outcome>) -> End {
        let now = self.clock.now();
        match result {
            Ok(Outcome::Done) => End::Done,
            Ok(Outcome::Again(at)) => End::Again(at),
            Err(error) if job.failures + 1 >= self.pace.failures => End::Dead { error: format!("{error:#}") },
            Err(error) => End::Failed { again: now + self.pace.wait(job.failures), error: format!("{error:#}") },
        }
    }
}

/// Returns `grace` after the process was asked to stop.
async fn stopped(stop: &mut watch::Receiver<bool>, grace: Duration) {
    // An error means that the sender is gone: the process is ending too.
    let _ = stop.wait_for(|stop| *stop).await;
    sleep(grace).await;
}

/// When a schedule is due.
#[derive(Clone, Debug)]
pub enum Timing {
    /// At every whole multiple of this duration since the epoch.
    Every(SignedDuration),
    /// By a cron pattern in a time zone, daylight saving time included.
    Cron(Box<Cron>, TimeZone),
    /// As another, but not before this moment: nobody wanted it yet.
    Since(Timestamp, Box<Timing>),
}

impl Timing {
    /// By a cron pattern (`30 8 * * MON-FRI`) in an IANA time zone.
    pub fn cron(pattern: &str, zone: &str) -> anyhow::Result<Self> {
        let cron = pattern.parse().with_context(|| format!("{pattern:?} is not a cron pattern"))?;
        let zone = TimeZone::get(zone).with_context(|| format!("{zone:?} is not an IANA time zone"))?;
        Ok(Self::Cron(Box::new(cron), zone))
    }

    /// Every day at a local time, `08:30`.
    pub fn daily(at: &str, zone: &str) -> anyhow::Result<Self> {
        let time: jiff::civil::Time = at.parse().with_context(|| format!("{at:?} is not a time of day like 08:30"))?;
        Self::cron(&format!("{} {} * * *", time.minute(), time.hour()), zone)
    }

    /// The same, for somebody who wants it from this moment on.
    #[must_use]
    pub fn since(self, from: Timestamp) -> Self {
        Self::Since(from, Box::new(self))
    }

    /// The last time at or before `now` at which it was due.
    #[must_use]
    pub fn last_due(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(period) => {
                let period = i64::try_from(period.as_millis()).ok().filter(|period| *period > 0)?;
                Timestamp::from_millisecond(now.as_millisecond().div_euclid(period) * period).ok()
            }
            Self::Cron(cron, zone) => {
                let now = now.to_zoned(zone.clone());
                cron.find_previous_occurrence(&now, true).ok().map(|due| due.timestamp())
            }
            Self::Since(from, timing) => timing.last_due(now).filter(|due| due >= from),
        }
    }

    /// The first time after `now` at which it is due.
    #[must_use]
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(period) => self.last_due(now)?.checked_add(*period).ok(),
            Self::Cron(cron, zone) => {
                let now = now.to_zoned(zone.clone());
                cron.find_next_occurrence(&now, false).ok().map(|due| due.timestamp())
            }
            Self::Since(from, timing) => timing.next_due(now.max(*from)),
        }
    }
}

/// A named schedule; each time it is due it makes one job, however many replicas look.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Its name: the first part of the job's key.
    pub name: String,
    /// For which tenant or conversation: the second part.
    pub scope: String,
    /// When it is due.
    pub timing: Timing,
    /// Kind of the job.
    pub kind: String,
    /// What the handler needs besides.
    pub payload: Value,
}

/// What a scheduled job's handler gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scheduled {
    /// The schedule's scope.
    pub scope: String,
    /// For when it was due; the job may run later.
    pub due: Timestamp,
    /// The schedule's payload.
    pub payload: Value,
}

impl Schedule {
    /// The job for its last due time, unless that is before `since`.
    fn job(&self, since: Timestamp, now: Timestamp) -> anyhow::Result<Option<NewJob>> {
        let Some(due) = self.timing.last_due(now).filter(|due| *due >= since) else { return Ok(None) };
        let scheduled = Scheduled { scope: self.scope.clone(), due, payload: self.payload.clone() };
        Ok(Some(NewJob {
            id: format!("{}:{}:{}", self.name, self.scope, due.as_millisecond()),
            kind: self.kind.clone(),
            payload: serde_json::to_value(scheduled)?,
            priority: Priority::Digest,
            due,
        }))
    }
}

/// Enqueues what was due between `since` and `now`, the last time of each schedule only; returns how many were new.
pub async fn plan(store: &Store, schedules: &[Schedule], since: Timestamp, now: Timestamp) -> anyhow::Result<usize> {
    let mut new = 0;
    for schedule in schedules {
        if let Some(job) = schedule.job(since, now)? {
            new += usize::from(store.enqueue(&job).await?);
        }
    }
    Ok(new)
}

/// Looks at the schedules again and again, since people change them.
pub struct Planner<F> {
    /// Where jobs go.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The schedules as they are now.
    pub schedules: F,
    /// How often to look.
    pub poll: Duration,
    /// How long ago a missed time may lie and still be made up for. Finished jobs are remembered for longer.
    pub catch_up: Duration,
}

impl<F> std::fmt::Debug for Planner<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Planner").field("poll", &self.poll).finish_non_exhaustive()
    }
}

impl<F, R> Planner<F>
where
    F: Fn() -> R + Send + Sync,
    R: Future<Output = anyhow::Result<Vec<Schedule>>> + Send,
{
    /// Plans until `stop` turns true or its sender is gone; once a round it forgets long finished jobs.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            if let Err(error) = self.round().await {
                tracing::error!(error = format!("{error:#}"), "could not plan the scheduled jobs");
            }
            tokio::select! {
                () = sleep(self.poll) => {}
                changed = stop.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn round(&self) -> anyhow::Result<()> {
        let schedules = (self.schedules)().await?;
        let now = self.clock.now();
        plan(&self.store, &schedules, now - self.catch_up, now).await?;
        self.store.forget_jobs(now - MEMORY - self.catch_up).await?;
        Ok(())
    }
}

/// How long finished jobs are remembered at least: platforms repeat an event within hours.
const MEMORY: Duration = Duration::from_hours(48);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_daily_time_follows_the_zone_through_daylight_saving() {
        let timing = Timing::daily("08:30", "Europe/Berlin").unwrap();
        assert_eq!(timing.last_due(at("2026-03-28T12:00:00Z")), Some(at("2026-03-28T07:30:00Z")));
        assert_eq!(timing.last_due(at("2026-03-29T12:00:00Z")), Some(at("2026-03-29T06:30:00Z")));
        assert_eq!(timing.last_due(at("2026-03-29T06:29:59Z")), Some(at("2026-03-28T07:30:00Z")));
        assert_eq!(timing.last_due(at("2026-03-29T06:30:00Z")), Some(at("2026-03-29T06:30:00Z")));
    }

    #[test]
    fn a_time_that_comes_twice_is_due_once() {
        let timing = Timing::daily("02:30", "Europe/Berlin").unwrap();
        let first = timing.last_due(at("2026-10-25T00:45:00Z"));
        let second = timing.last_due(at("2026-10-25T03:00:00Z"));
        assert_eq!(first, second);
    }

    #[test]
    fn what_was_due_before_anybody_wanted_it_is_not_made_up_for() {
        let timing = || Timing::daily("08:30", "UTC").unwrap().since(at("2026-11-23T09:00:00Z"));
        assert_eq!(timing().last_due(at("2026-11-23T09:00:01Z")), None);
        assert_eq!(timing().next_due(at("2026-11-23T07:00:00Z")), Some(at("2026-11-24T08:30:00Z")));
        assert_eq!(timing().last_due(at("2026-11-24T10:00:00Z")), Some(at("2026-11-24T08:30:00Z")));
    }

    #[test]
    fn wrong_patterns_and_zones_are_named() {
        assert!(Timing::cron("every day", "UTC").unwrap_err().to_string().contains("every day"));
        assert!(Timing::daily("08:30", "Europe/Atlantis").unwrap_err().to_string().contains("Atlantis"));
        assert!(Timing::daily("8.30", "UTC").unwrap_err().to_string().contains("8.30"));
    }

    #[test]
    fn waits_double_up_to_the_limit() {
        let pace = Pace { retry: Duration::from_secs(1), retry_at_most: Duration::from_secs(5), ..Pace::default() };
        let waits: Vec<u64> = [0, 1, 2, 3, 40].iter().map(|n| pace.wait(*n).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5]);
    }

    #[tokio::test]
    async fn a_schedule_makes_one_job_however_often_it_is_looked_at() {
        let store = Store::in_memory().await.unwrap();
        let timing = Timing::daily("08:30", "UTC").unwrap();
        let schedule =
            Schedule { name: "run".into(), scope: "t".into(), timing, kind: "run".into(), payload: Value::Null };
        let schedules = [schedule];
        let (since, now) = (at("2026-11-23T00:00:00Z"), at("2026-11-23T09:00:00Z"));
        assert_eq!(plan(&store, &schedules, since, now).await.unwrap(), 1);
        assert_eq!(plan(&store, &schedules, since, now).await.unwrap(), 0);
        assert_eq!(plan(&store, &schedules, now, now).await.unwrap(), 0);
        let job = store.lease(now, now).await.unwrap().unwrap();
        assert_eq!(job.id, "run:t:1795422600000");
        let got: Scheduled = serde_json::from_value(job.payload).unwrap();
        assert_eq!(got.due, at("2026-11-23T08:30:00Z"));
    }

    #[tokio::test]
    async fn a_handler_that_holds_the_only_connection_is_not_waited_for_by_its_own_heartbeat() {
        let store = Store::in_memory().await.unwrap();
        let clock = Clock::fixed(at("2026-11-23T09:00:00Z"));
        let (priority, due) = (Priority::Question, clock.now());
        let job = NewJob { id: "a".into(), kind: "hold".into(), payload: Value::Null, priority, due };
        store.enqueue(&job).await.unwrap();
        let held = store.clone();
        let handlers = Handlers::default().on("hold", move |_| {
            let store = held.clone();
            async move {
                let tx = store.begin().await?;
                sleep(Duration::from_millis(50)).await;
                tx.commit().await.map(|()| Outcome::Done)
            }
        });
        let pace = Pace { lease: Duration::from_millis(30), ..Pace::default() };
        let worker = Worker { store: store.clone(), clock, handlers: Arc::new(handlers), pace };
        let (_stop, mut stopping) = watch::channel(false);
        assert!(worker.step(&mut stopping).await.unwrap());
        assert_eq!(store.job_counts().await.unwrap().ready, 0);
    }
}
