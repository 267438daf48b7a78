//! Jobs: kept once by their key, leased to one worker at a time, fenced by the number of the attempt.

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::any::AnyRow;

use super::row::Columns as _;
use super::{Engine, Store, Tx, postgres, sqlite};

/// Who goes first when several jobs are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody clicked and a policy hangs on it.
    Approval,
    /// Somebody asked.
    Question,
    /// Nobody waits: scans, summaries, sweeps.
    Digest,
}

/// A job to keep.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What makes it the same job: the platform's own event id, `run:<tenant>:<due>`. A repeat does nothing.
    pub id: String,
    /// Which handler runs it.
    pub kind: String,
    /// What the handler needs.
    pub payload: Value,
    /// Who goes first.
    pub priority: Priority,
    /// Not before.
    pub due: Timestamp,
}

/// A job that this worker holds until `leased_until`.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its key.
    pub id: String,
    /// Which handler runs it.
    pub kind: String,
    /// What the handler needs.
    pub payload: Value,
    /// Number of the lease, from 1: the fencing token. Only the last one may finish the job.
    pub attempt: i64,
    /// How often it failed or its worker vanished.
    pub failures: i64,
    /// When the lease ends unless extended.
    pub leased_until: Timestamp,
}

impl Job {
    /// A job that whoever kept it works on without a lease, until it is due: it ends it as a worker would.
    #[must_use]
    pub fn held(new: NewJob) -> Self {
        let NewJob { id, kind, payload, due, .. } = new;
        Self { id, kind, payload, attempt: 0, failures: 0, leased_until: due }
    }
}

/// How a lease ends.
#[derive(Clone, Debug)]
pub enum End {
    /// Done; the key is remembered.
    Done,
    /// Not done, and no fault of its own: again at this time.
    Again(Timestamp),
    /// It failed: again at this time.
    Failed {
        /// When to try again.
        again: Timestamp,
        /// Why it failed.
        error: String,
    },
    /// It failed too often: kept for a person to look at.
    Dead {
        /// Why.
        error: String,
    },
}

/// How many jobs are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting or running.
    pub ready: i64,
    /// Given up.
    pub dead: i64,
    /// When the oldest waiting one was due.
    pub oldest_due: Option<Timestamp>,
}

impl Store {
    /// Keeps a job; false when one with this key is already known.
    pub async fn enqueue(&self, job: &NewJob) -> anyhow::Result<bool> {
        let mut tx = self.begin().await?;
        let new = tx.enqueue(job).await?;
        tx.commit().await?;
        Ok(new)
    }

    /// Takes the next due job until `until`; none when nothing is due.
    pub async fn lease(&self, now: Timestamp, until: Timestamp) -> anyhow::Result<Option<Job>> {
        let statement = match self.engine() {
            Engine::Sqlite => sqlite::LEASE,
            Engine::Postgres => postgres::LEASE,
        };
        let row = sqlx::query(statement)
            .bind(now.as_millisecond())
            .bind(until.as_millisecond())
            .fetch_optional(&self.0.write)
            .await
            .context("lease a job")?;
        row.as_ref().map(read).transpose()
    }

    /// Extends a lease; false when another worker has taken the job since.
    pub async fn extend(&self, job: &Job, until: Timestamp) -> anyhow::Result<bool> {
        let done = sqlx::query("UPDATE jobs SET leased_until = $1 WHERE id = $2 AND attempt = $3 AND state = 'ready'")
            .bind(until.as_millisecond())
            .bind(&job.id)
            .bind(job.attempt)
            .execute(&self.0.write)
            .await
            .context("extend a lease")?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends a lease; false, and nothing done, when another worker has taken the job since.
    pub async fn end(&self, job: &Job, end: &End, now: Timestamp) -> anyhow::Result<bool> {
        let mut tx = self.begin().await?;
        let ours = tx.end(job, end, now).await?;
        tx.commit().await?;
        Ok(ours)
    }

    /// How many jobs wait, and how many were given up.
    pub async fn job_counts(&self) -> anyhow::Result<Counts> {
        let row = sqlx::query(
            "SELECT CAST(COALESCE(SUM(CASE WHEN state = 'ready' THEN 1 ELSE 0 END), 0) AS BIGINT) AS ready,
                CAST(COALESCE(SUM(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), 0) AS BIGINT) AS dead,
                MIN(CASE WHEN state = 'ready' THEN due END) AS oldest_due FROM jobs",
        )
        .fetch_one(self.reader())
        .await?;
        Ok(Counts { ready: row.int("ready")?, dead: row.int("dead")?, oldest_due: row.time_or_none("oldest_due")? })
    }

    /// How many jobs of a kind wait or run whose keys begin like this.
    pub async fn waiting(&self, kind: &str, beginning: &str) -> anyhow::Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS waiting FROM jobs
             WHERE state = 'ready' AND kind = $1 AND substr(id, 1, length($2)) = $2",
        )
        .bind(kind)
        .bind(beginning)
        .fetch_one(self.reader())
        .await
        .context("count what waits")?;
        row.int("waiting")
    }

    /// How many jobs of a kind wait or run whose keys hold this.
    pub async fn waiting_about(&self, kind: &str, part: &str) -> anyhow::Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS waiting FROM jobs WHERE state = 'ready' AND kind = $1 AND replace(id, $2, '') <> id",
        )
        .bind(kind)
        .bind(part)
        .fetch_one(self.reader())
        .await
        .context("count what waits")?;
        row.int("waiting")
    }

    /// Forgets finished jobs that ended before `before`; their keys could then come again.
    pub async fn forget_jobs(&self, before: Timestamp) -> anyhow::Result<u64> {
        let done = sqlx::query("DELETE FROM jobs WHERE state = 'done' AND changed < $1")
            .bind(before.as_millisecond())
            .execute(&self.0.write)
            .await?;
        Ok(done.rows_affected())
    }
}

impl Tx {
    /// Keeps a job with the rest of the transaction; false when one with this key is already known.
    pub async fn enqueue(&mut self, job: &NewJob) -> anyhow::Result<bool> {
        let done = sqlx::query(
            "INSERT INTO jobs (id, kind, payload, priority, due, state, attempt, failures, leased_until, created, changed)
             VALUES ($1, $2, $3, $4, $5, 'ready', 0, 0, 0, $5, $5) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&job.id)
        .bind(&job.kind)
        .bind(job.payload.to_string())
        .bind(job.priority as i64)
        .bind(job.due.as_millisecond())
        .execute(self.connection())
        .await
        .context("keep a job")?;
        self.enqueued = true;
        Ok(done.rows_affected() == 1)
    }

    /// Ends a lease with the rest of the transaction; false when another worker has taken the job since: then drop
    /// the transaction, for what it holds is no longer this worker's to say.
    pub async fn end(&mut self, job: &Job, end: &End, now: Timestamp) -> anyhow::Result<bool> {
        let (state, due, failed, error) = match end {
            End::Done => ("done", now, 0_i64, None),
            End::Again(at) => ("ready", *at, 0, None),
            End::Failed { again, error } => ("ready", *again, 1, Some(error)),
            End::Dead { error } => ("dead", now, 1, Some(error)),
        };
        let done = sqlx::query(
            "UPDATE jobs SET state = $1, due = $2, failures = failures + $3, error = $4, leased_until = 0, changed = $5
             WHERE id = $6 AND attempt = $7 AND state = 'ready'",
        )
        .bind(state)
        .bind(due.as_millisecond())
        .bind(failed)
        .bind(error.cloned())
        .bind(now.as_millisecond())
        .bind(&job.id)
        .bind(job.attempt)
        .execute(self.connection())
        .await
        .context("end a lease")?;
        Ok(done.rows_affected() == 1)
    }
}

fn read(row: &AnyRow) -> anyhow::Result<Job> {
    Ok(Job {
        id: row.text("id")?,
        kind: row.text("kind")?,
        payload: row.value("payload")?,
        attempt: row.int("attempt")?,
        failures: row.int("failures")?,
        leased_until: row.time("leased_until")?,
    })
}
