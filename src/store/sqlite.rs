//! What is particular to SQLite: one writer, pragmas, and the lock that keeps a second process out.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, Connection as _, Executor as _};

use super::{Engine, Hints, Inner, private};

/// Takes the next job that is due and free: the most urgent, then the longest due.
pub(super) const LEASE: &str = "UPDATE jobs SET attempt = attempt + 1, leased_until = $2, changed = $1,
        failures = failures + CASE WHEN leased_until > 0 THEN 1 ELSE 0 END
    WHERE id = (SELECT id FROM jobs WHERE state = 'ready' AND due <= $1 AND leased_until <= $1
        ORDER BY priority, due, id LIMIT 1)
    RETURNING *";

/// Power may fail at any moment: a commit is on the disk before it is acknowledged.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
    PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA cache_size = -512;";
const READERS: u32 = 3;
/// Waiting longer than this for the writer means a transaction that was forgotten open.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn open(url: &str) -> anyhow::Result<Inner> {
    match path(url) {
        Some(file) => open_file(&file).await,
        None => open_memory().await,
    }
}

/// The file an address names; none for a database in memory.
pub(super) fn path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let file = rest.split_once('?').map_or(rest, |(file, _)| file);
    (file != ":memory:" && !file.is_empty()).then(|| PathBuf::from(file))
}

async fn open_file(file: &Path) -> anyhow::Result<Inner> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        private::folder(folder).with_context(|| format!("create folder {}", folder.display()))?;
    }
    let lock = lock(file)?;
    // SQLite gives the files beside it the same rights.
    private::opened(file).with_context(|| format!("open {}", file.display()))?;
    let url = format!("sqlite://{}?mode=rwc", file.display());
    check(&url, file).await?;
    let write = options(1).connect(&url).await.with_context(|| format!("open the store {}", file.display()))?;
    let read = options(READERS).connect(&url).await.context("open the store for reading")?;
    let blobs = Some(beside(file, ".snapshots"));
    Ok(Inner { engine: Engine::Sqlite, write, read, blobs, hints: Hints::default(), _lock: Some(lock) })
}

/// A damaged file is refused before anything reads half of it as the whole. A connection of its own, since a pool
/// would try again until its patience ends and then say only that.
async fn check(url: &str, file: &Path) -> anyhow::Result<()> {
    let mut connection = AnyConnection::connect(url).await.with_context(|| format!("open {}", file.display()))?;
    let checked = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await;
    let found: String = checked.unwrap_or_else(|error| error.to_string());
    ensure!(found == "ok", "the store {} is damaged: restore it from a backup ({found})", file.display());
    connection.close().await.context("close the store after checking it")
}

/// One connection that is never given up: the database is forgotten with it.
async fn open_memory() -> anyhow::Result<Inner> {
    let pool = options(1).connect("sqlite::memory:").await.context("open a store in memory")?;
    Ok(Inner {
        engine: Engine::Sqlite,
        write: pool.clone(),
        read: pool,
        blobs: None,
        hints: Hints::default(),
        _lock: None,
    })
}

fn options(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .min_connections(1)
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(|connection, _| Box::pin(async move { connection.execute(PRAGMAS).await.map(|_| ()) }))
}

/// SQLite means one process: two would both migrate a fresh file and both believe they own the jobs.
fn lock(file: &Path) -> anyhow::Result<File> {
    let name = beside(file, ".lock");
    let lock = private::opened(&name).with_context(|| format!("open {}", name.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => bail!(
            "another process is using the store {}: stop it, or use PostgreSQL to run several replicas",
            file.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("lock {}", name.display())),
    }
}

/// `file` with `suffix` appended to its name.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_file_or_memory() {
        assert_eq!(path("sqlite:///var/lib/p.db"), Some(PathBuf::from("/var/lib/p.db")));
        assert_eq!(path("sqlite://p.db?mode=rwc"), Some(PathBuf::from("p.db")));
        assert_eq!(path("sqlite::memory:"), None);
    }
}
