//! What is particular to PostgreSQL: leasing past rows that another replica holds.

use std::time::Duration;

use anyhow::Context as _;
use sqlx::any::AnyPoolOptions;

use super::{Engine, Hints, Inner};

/// As SQLite's, but rows locked by another worker are skipped instead of waited for.
pub(super) const LEASE: &str = "UPDATE jobs SET attempt = attempt + 1, leased_until = $2, changed = $1,
        failures = failures + CASE WHEN leased_until > 0 THEN 1 ELSE 0 END
    WHERE id = (SELECT id FROM jobs WHERE state = 'ready' AND due <= $1 AND leased_until <= $1
        ORDER BY priority, due, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING *";

const CONNECTIONS: u32 = 10;
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn open(url: &str) -> anyhow::Result<Inner> {
    let pool = AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect(url)
        .await
        // The address may hold a password: it is not repeated.
        .context("open the PostgreSQL store; check its address and that the server answers")?;
    Ok(Inner {
        engine: Engine::Postgres,
        write: pool.clone(),
        read: pool,
        blobs: None,
        hints: Hints::default(),
        _lock: None,
    })
}
