//! Scans: how far one is, whether somebody cancelled it, how it ended.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::any::AnyRow;

use super::Store;
use super::row::Columns as _;

/// What the column `cancel` says: a person asked to cancel the scan.
const WANTED: i64 = 1;
/// The scan's findings are being written down, so it can't be cancelled any more.
const TOO_LATE: i64 = 2;

/// Where a scan is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Reading or judging.
    Running,
    /// Ended with a reading.
    Finished,
    /// Cancelled by a person.
    Cancelled,
    /// Given up with an error.
    Failed,
}

impl RunState {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Self {
        let known = [Self::Running, Self::Finished, Self::Cancelled];
        known.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Failed)
    }
}

/// A scan.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id: the key of the job that runs it.
    pub id: String,
    /// Whose tenant.
    pub tenant: String,
    /// Where it is.
    pub state: RunState,
    /// How far it is, as its runner last said.
    pub progress: Value,
    /// Whether a person asked to cancel it.
    pub cancel: bool,
    /// Whether it is too late for that: its findings are being written down.
    pub concluding: bool,
    /// The reading it ended with.
    pub snapshot: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it first began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

/// How a scan ended.
#[derive(Clone, Debug)]
pub struct RunEnd<'a> {
    /// Finished, cancelled or failed.
    pub state: RunState,
    /// The reading it ended with.
    pub snapshot: Option<&'a str>,
    /// Why it failed.
    pub error: Option<&'a str>,
    /// Now.
    pub at: Timestamp,
}

impl Store {
    /// Notes that a scan began; taken up again after a crash it stays the same one, and can be cancelled again. False, and nothing noted, while
    /// another scan of the tenant is under way: two would overwrite each other's marks.
    pub async fn start_run(&self, id: &str, tenant: &str, at: Timestamp) -> anyhow::Result<bool> {
        let mut tx = self.begin().await?;
        // Locks a row until the end, so that of two that begin at once the second sees the first.
        tx.next(tenant, "run").await?;
        // A scan whose job was given up is over, whatever its row says.
        let other: Option<String> = sqlx::query_scalar(
            "SELECT runs.id FROM runs JOIN jobs ON jobs.id = runs.id
             WHERE runs.tenant = $1 AND runs.state = 'running' AND runs.id <> $2 AND jobs.state = 'ready' LIMIT 1",
        )
        .bind(tenant)
        .bind(id)
        .fetch_optional(tx.connection())
        .await?;
        if other.is_some() {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO runs (id, tenant, state, progress, cancel, started) VALUES ($1, $2, 'running', 'null', 0, $3)
             ON CONFLICT (id) DO UPDATE SET cancel = 0 WHERE runs.cancel = $4",
        )
        .bind(id)
        .bind(tenant)
        .bind(at.as_millisecond())
        .bind(TOO_LATE)
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Whether a scan of the tenant is to begin before `soon`: it will see whatever changed until now.
    pub async fn scan_waits(&self, tenant: &str, soon: Timestamp) -> anyhow::Result<bool> {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM jobs LEFT JOIN runs ON runs.id = jobs.id
             WHERE jobs.kind = 'scan' AND jobs.state = 'ready' AND jobs.due <= $1 AND jobs.id LIKE $2 AND runs.id IS NULL",
        )
        .bind(soon.as_millisecond())
        .bind(format!("run:{tenant}:%"))
        .fetch_one(&self.0.write)
        .await?;
        Ok(waiting > 0)
    }

    /// Notes how far a scan is; true when a person has asked to cancel it.
    pub async fn run_progress(&self, id: &str, progress: &Value) -> anyhow::Result<bool> {
        let cancel: Option<i64> = sqlx::query_scalar("UPDATE runs SET progress = $1 WHERE id = $2 RETURNING cancel")
            .bind(progress.to_string())
            .bind(id)
            .fetch_optional(&self.0.write)
            .await?;
        Ok(cancel == Some(WANTED))
    }

    /// Asks a tenant's running scan to stop, and gives its id; none when none is running, or when it is too late.
    pub async fn cancel_run(&self, tenant: &str) -> anyhow::Result<Option<String>> {
        let stop = "UPDATE runs SET cancel = $1 WHERE tenant = $2 AND state = 'running' AND cancel <> $3 RETURNING id";
        let stopped = sqlx::query_scalar(stop).bind(WANTED).bind(tenant).bind(TOO_LATE);
        Ok(stopped.fetch_optional(&self.0.write).await?)
    }

    /// From now on a scan can't be cancelled: what it found is written down. False when a person was faster.
    pub async fn conclude_run(&self, id: &str) -> anyhow::Result<bool> {
        let done = sqlx::query("UPDATE runs SET cancel = $1 WHERE id = $2 AND state = 'running' AND cancel <> $3")
            .bind(TOO_LATE)
            .bind(id)
            .bind(WANTED)
            .execute(&self.0.write)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes how a scan ended; false when it had ended before.
    pub async fn end_run(&self, id: &str, end: &RunEnd<'_>) -> anyhow::Result<bool> {
        let done = sqlx::query(
            "UPDATE runs SET state = $1, snapshot = $2, error = $3, finished = $4 WHERE id = $5 AND state = 'running'",
        )
        .bind(end.state.as_str())
        .bind(end.snapshot)
        .bind(end.error)
        .bind(end.at.as_millisecond())
        .bind(id)
        .execute(&self.0.write)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// A scan by its id.
    pub async fn run(&self, id: &str) -> anyhow::Result<Option<Run>> {
        let row = sqlx::query("SELECT * FROM runs WHERE id = $1").bind(id).fetch_optional(self.reader()).await?;
        row.as_ref().map(read).transpose()
    }

    /// A tenant's newest scan that ended with a reading.
    pub async fn last_finished_run(&self, tenant: &str) -> anyhow::Result<Option<Run>> {
        let row = sqlx::query(
            "SELECT * FROM runs WHERE tenant = $1 AND state = 'finished' ORDER BY started DESC, id DESC LIMIT 1",
        )
        .bind(tenant)
        .fetch_optional(self.reader())
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// A tenant's newest scan.
    pub async fn newest_run(&self, tenant: &str) -> anyhow::Result<Option<Run>> {
        let row = sqlx::query("SELECT * FROM runs WHERE tenant = $1 ORDER BY started DESC, id DESC LIMIT 1")
            .bind(tenant)
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(read).transpose()
    }
}

fn read(row: &AnyRow) -> anyhow::Result<Run> {
    Ok(Run {
        id: row.text("id")?,
        tenant: row.text("tenant")?,
        state: RunState::parse(&row.text("state")?),
        progress: row.value("progress")?,
        cancel: row.int("cancel")? == WANTED,
        concluding: row.int("cancel")? == TOO_LATE,
        snapshot: row.text_or_none("snapshot")?,
        error: row.text_or_none("error")?,
        started: row.time("started")?,
        finished: row.time_or_none("finished")?,
    })
}
