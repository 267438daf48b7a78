//! The only module with SQL: one file per table family, the same statements for SQLite and PostgreSQL.
//!
//! Reads are methods of [`Store`]. Writes are methods of [`Tx`], so that a change of state, its log entry and the job
//! that follows from it become true together; the commonest single writes have a shorthand on [`Store`]. While a
//! [`Tx`] is open, read through it or not at all: an in-memory database has one connection. In a transaction that
//! also logs, append the entry last, so that every transaction takes its row locks in the same order.

pub mod approvals;
pub mod conversations;
pub mod entries;
pub mod evidence;
pub mod feedback;
pub mod instructions;
pub mod jobs;
pub mod messages;
mod postgres;
pub mod private;
mod row;
pub mod runs;
pub mod settings;
pub mod snapshots;
mod sqlite;
pub mod suggestions;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use sqlx::any::install_default_drivers;
use sqlx::{Any, AnyConnection, AnyPool, Transaction};
use tokio::sync::{Notify, watch};

/// The migrations, embedded; the same plain SQL for both engines.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// Everything the bot keeps. Cheap to clone; all clones share the connections.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    write: AnyPool,
    read: AnyPool,
    /// Where snapshots lie as files; none: in the database.
    blobs: Option<PathBuf>,
    hints: Hints,
    /// Held open for as long as the store lives: the lock that keeps a second process out of a SQLite file.
    _lock: Option<File>,
}

/// Wakes for this process alone: something was committed that others may wait for. Only hints, so that nobody has to
/// poll fast; another replica's commit gives none.
#[derive(Clone, Debug, Default)]
struct Hints {
    jobs: Arc<Notify>,
    messages: watch::Sender<()>,
}

/// Which database is behind the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file or memory, one process.
    Sqlite,
    /// A server, several replicas.
    Postgres,
}

impl Store {
    /// Opens `sqlite:///path/file.db` (created if absent, locked against a second process), `sqlite::memory:`
    /// (forgotten on drop), or `postgres://…`. Doesn't migrate.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        install_default_drivers();
        let inner = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => sqlite::open(url).await?,
            Some("postgres" | "postgresql") => postgres::open(url).await?,
            _ => bail!("the store's address must begin with sqlite: or postgres:"),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// An empty, migrated database in memory: for `ask PATH` and for tests.
    pub async fn in_memory() -> anyhow::Result<Self> {
        let store = Self::open("sqlite::memory:").await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Brings the tables up to this version. Replicas that start together may all call it.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        MIGRATIONS.run(&self.0.write).await.context("migrate the store")
    }

    /// How many migrations this version has that the database hasn't seen.
    pub async fn pending_migrations(&self) -> anyhow::Result<usize> {
        let applied: Result<i64, _> =
            sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations").fetch_one(self.reader()).await;
        // No such table: nothing was ever applied.
        let applied = usize::try_from(applied.unwrap_or(0)).unwrap_or(0);
        Ok(MIGRATIONS.iter().count().saturating_sub(applied))
    }

    /// Whether opening this address would create a file.
    #[must_use]
    pub fn is_new(url: &str) -> bool {
        sqlite::path(url).is_some_and(|file| !file.exists())
    }

    /// Whether the file of the database, where it is one, could be written.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn try_out(url: &str) -> anyhow::Result<()> {
        let Some(file) = sqlite::path(url) else { return Ok(()) };
        private::try_out(&file).with_context(|| format!("write {}", file.display()))
    }

    /// Which database this is.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// Begins a transaction. Dropped without [`Tx::commit`], it changes nothing.
    pub async fn begin(&self) -> anyhow::Result<Tx> {
        let inner = self.0.write.begin().await.context("begin a transaction in the store")?;
        Ok(Tx { inner, hints: self.0.hints.clone(), enqueued: false, said: false })
    }

    /// Whether the store can be written now: the readiness probe.
    pub async fn probe(&self) -> anyhow::Result<()> {
        let mut tx = self.begin().await?;
        tx.next("probe", "probe").await?;
        tx.commit().await
    }

    /// Closes all connections; what is committed stays.
    pub async fn close(&self) {
        self.0.read.close().await;
        self.0.write.close().await;
    }

    /// Woken when this process committed a job.
    #[must_use]
    pub fn job_hint(&self) -> Arc<Notify> {
        self.0.hints.jobs.clone()
    }

    /// Changes when this process committed a message.
    #[must_use]
    pub fn message_hint(&self) -> watch::Receiver<()> {
        self.0.hints.messages.subscribe()
    }

    fn reader(&self) -> &AnyPool {
        &self.0.read
    }
}

/// One transaction.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Any>,
    hints: Hints,
    enqueued: bool,
    said: bool,
}

impl Tx {
    /// Makes everything done in it true at once, or fails and nothing is.
    pub async fn commit(self) -> anyhow::Result<()> {
        self.inner.commit().await.context("commit to the store")?;
        if self.enqueued {
            self.hints.jobs.notify_one();
        }
        if self.said {
            self.hints.messages.send_replace(());
        }
        Ok(())
    }

    fn connection(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// The next number of a counter, from 1. Its row stays locked until the transaction ends, so numbers become
    /// visible in order and without gaps, and the transactions that count on one queue up instead of failing.
    async fn next(&mut self, scope: &str, name: &str) -> anyhow::Result<i64> {
        sqlx::query_scalar(
            "INSERT INTO counters (scope, name, value) VALUES ($1, $2, 1)
             ON CONFLICT (scope, name) DO UPDATE SET value = counters.value + 1 RETURNING value",
        )
        .bind(scope)
        .bind(name)
        .fetch_one(self.connection())
        .await
        .context("count in the store")
    }
}
