//! Readings of the tenant, compressed and kept under the hash of their content.
//!
//! Beside a SQLite file they are files, `<hash>` in `<database>.snapshots/`; elsewhere they lie in the database in
//! parts. The row is written after the content, so a row always opens; a file without a row is harmless.

use std::collections::BTreeMap;
use std::io::{BufWriter, IntoInnerError, Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use aws_lc_rs::digest::{Context as Hasher, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::row::{Columns as _, all};
use super::{Store, Tx};
use crate::log::hex;
use crate::tenant::{Kind, Reading, Snapshot};

const PART: usize = 1 << 20;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A kept reading, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 of its content.
    pub hash: String,
    /// Whose tenant.
    pub tenant: String,
    /// When the reading ended.
    pub read_at: Timestamp,
    /// Compressed size in bytes.
    pub size: u64,
    /// How many objects of each kind that was read completely.
    pub counts: BTreeMap<Kind, u64>,
}

/// Which readings to keep when old ones are let go.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// So many newest ones.
    pub last: usize,
    /// Besides, the last of each UTC day for so many days.
    pub days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { last: 35, days: 90 }
    }
}

impl Store {
    /// Keeps a reading; the same content is kept once.
    pub async fn save_snapshot(&self, snapshot: Arc<Snapshot>) -> anyhow::Result<Kept> {
        let (counts, tenant, read_at) = (counts(&snapshot), snapshot.tenant_id.clone(), snapshot.read_at);
        let (hash, bytes) = spawn_blocking(move || pack(&snapshot)).await?.context("compress a reading")?;
        let kept = Kept { hash, tenant, read_at, size: bytes.len() as u64, counts };
        let mut tx = self.begin_with_content(&kept, bytes).await?;
        tx.insert_snapshot(&kept).await?;
        tx.commit().await?;
        Ok(kept)
    }

    async fn begin_with_content(&self, kept: &Kept, bytes: Vec<u8>) -> anyhow::Result<Tx> {
        if let Some(folder) = self.0.blobs.clone() {
            let hash = kept.hash.clone();
            spawn_blocking(move || write_file(&folder, &hash, &bytes)).await?.context("write a reading")?;
            return self.begin().await;
        }
        let mut tx = self.begin().await?;
        for (part, data) in (0_i64..).zip(bytes.chunks(PART)) {
            tx.insert_part(&kept.hash, part, data).await?;
        }
        Ok(tx)
    }

    /// The newest reading of a tenant.
    pub async fn newest_snapshot(&self, tenant: &str) -> anyhow::Result<Option<Kept>> {
        self.snapshot_before(tenant, Timestamp::MAX).await
    }

    /// The newest reading of a tenant that ended before `time`.
    pub async fn snapshot_before(&self, tenant: &str, time: Timestamp) -> anyhow::Result<Option<Kept>> {
        let row =
            sqlx::query("SELECT * FROM snapshots WHERE tenant = $1 AND read_at < $2 ORDER BY read_at DESC LIMIT 1")
                .bind(tenant)
                .bind(time.as_millisecond())
                .fetch_optional(self.reader())
                .await?;
        row.as_ref().map(read).transpose()
    }

    /// Every kept reading of a tenant, newest first.
    pub async fn snapshots(&self, tenant: &str) -> anyhow::Result<Vec<Kept>> {
        let rows = sqlx::query("SELECT * FROM snapshots WHERE tenant = $1 ORDER BY read_at DESC, hash")
            .bind(tenant)
            .fetch_all(self.reader())
            .await?;
        all(&rows, read)
    }

    /// The content of a reading. What doesn't match its hash is an error, never a smaller tenant.
    pub async fn load_snapshot(&self, hash: &str) -> anyhow::Result<Snapshot> {
        let bytes = match &self.0.blobs {
            Some(folder) => tokio::fs::read(folder.join(hash)).await.with_context(|| format!("open reading {hash}"))?,
            None => self.parts(hash).await?,
        };
        let hash = hash.to_owned();
        spawn_blocking(move || unpack(&hash, &bytes)).await?
    }

    async fn parts(&self, hash: &str) -> anyhow::Result<Vec<u8>> {
        let rows = sqlx::query("SELECT data FROM snapshot_parts WHERE hash = $1 ORDER BY part")
            .bind(hash)
            .fetch_all(self.reader())
            .await?;
        let mut bytes = Vec::new();
        for row in rows {
            BASE64.decode_vec(row.try_get::<&str, _>("data")?, &mut bytes)?;
        }
        Ok(bytes)
    }

    /// Lets old readings of a tenant go; returns how many.
    pub async fn prune_snapshots(&self, tenant: &str, retention: Retention) -> anyhow::Result<usize> {
        let gone = outdated(&self.snapshots(tenant).await?, retention);
        let mut tx = self.begin().await?;
        for hash in &gone {
            tx.delete_snapshot(hash).await?;
        }
        tx.commit().await?;
        if let Some(folder) = &self.0.blobs {
            for hash in &gone {
                tokio::fs::remove_file(folder.join(hash)).await.with_context(|| format!("remove reading {hash}"))?;
            }
        }
        Ok(gone.len())
    }
}

impl Tx {
    async fn insert_snapshot(&mut self, kept: &Kept) -> anyhow::Result<()> {
        sqlx::query(
            "INSERT INTO snapshots (hash, tenant, read_at, size, counts) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (hash) DO NOTHING",
        )
        .bind(&kept.hash)
        .bind(&kept.tenant)
        .bind(kept.read_at.as_millisecond())
        .bind(i64::try_from(kept.size)?)
        .bind(serde_json::to_string(&kept.counts)?)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn insert_part(&mut self, hash: &str, part: i64, data: &[u8]) -> anyhow::Result<()> {
        sqlx::query(
            "INSERT INTO snapshot_parts (hash, part, data) VALUES ($1, $2, $3) ON CONFLICT (hash, part) DO NOTHING",
        )
        .bind(hash)
        .bind(part)
        .bind(BASE64.encode(data))
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn delete_snapshot(&mut self, hash: &str) -> anyhow::Result<()> {
        sqlx::query("DELETE FROM snapshots WHERE hash = $1").bind(hash).execute(self.connection()).await?;
        sqlx::query("DELETE FROM snapshot_parts WHERE hash = $1").bind(hash).execute(self.connection()).await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> anyhow::Result<Kept> {
    Ok(Kept {
        hash: row.text("hash")?,
        tenant: row.text("tenant")?,
        read_at: row.time("read_at")?,
        size: u64::try_from(row.int("size")?)?,
        counts: row.json("counts")?,
    })
}

fn counts(snapshot: &Snapshot) -> BTreeMap<Kind, u64> {
    let complete = |(kind, reading): (&Kind, &Reading)| match reading {
        Reading::Complete { count } => Some((*kind, *count)),
        Reading::Absent { .. } => None,
    };
    snapshot.readings.iter().filter_map(complete).collect()
}

/// Hashes what passes through on its way to the compressor.
struct Hashing<W> {
    hasher: Hasher,
    inner: W,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

fn pack(snapshot: &Snapshot) -> anyhow::Result<(String, Vec<u8>)> {
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Buffered, since postcard writes many single bytes.
    let writer = BufWriter::with_capacity(PART, Hashing { hasher: Hasher::new(&SHA256), inner: encoder });
    let hashing = postcard::to_io(snapshot, writer)?.into_inner().map_err(IntoInnerError::into_error)?;
    Ok((hex(hashing.hasher.finish().as_ref()), hashing.inner.finish()?))
}

fn unpack(hash: &str, packed: &[u8]) -> anyhow::Result<Snapshot> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).with_context(|| format!("decompress reading {hash}"))?;
    let found = hex(aws_lc_rs::digest::digest(&SHA256, &bytes).as_ref());
    ensure!(found == hash, "reading {hash} is damaged: its content does not match its hash; scan again");
    postcard::from_bytes(&bytes).with_context(|| format!("reading {hash} was written by another version; scan again"))
}

/// Complete or absent: a crash half way leaves only a temporary file.
fn write_file(folder: &Path, hash: &str, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let temporary = folder.join(format!("{hash}.{}", Uuid::new_v4()));
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, folder.join(hash))?;
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// Which of these, newest first, to let go.
fn outdated(kept: &[Kept], retention: Retention) -> Vec<String> {
    let Some(newest) = kept.first() else { return Vec::new() };
    let horizon = newest.read_at - SignedDuration::from_hours(24 * i64::from(retention.days));
    let day = |kept: &Kept| kept.read_at.as_millisecond().div_euclid(DAY);
    let mut last_day = None;
    let mut gone = Vec::new();
    for (index, one) in kept.iter().enumerate() {
        let last_of_day = last_day.replace(day(one)) != Some(day(one));
        if index >= retention.last && !(last_of_day && one.read_at >= horizon) {
            gone.push(one.hash.clone());
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(hours: i64) -> Kept {
        let read_at = Timestamp::from_second(1_700_000_000 - hours * 3600).unwrap();
        Kept { hash: hours.to_string(), tenant: "t".into(), read_at, size: 1, counts: BTreeMap::new() }
    }

    #[test]
    fn the_newest_and_the_last_of_each_day_are_kept() {
        let all: Vec<Kept> = (0..100).map(|step| kept(step * 6)).collect();
        let gone = outdated(&all, Retention { last: 4, days: 10 });
        let left: Vec<&str> =
            all.iter().map(|one| one.hash.as_str()).filter(|hash| !gone.iter().any(|other| other == hash)).collect();
        // 1_700_000_000 is 22:13 UTC, so the last reading of an earlier day is a multiple of 24 hours back.
        assert_eq!(left, ["0", "6", "12", "18", "24", "48", "72", "96", "120", "144", "168", "192", "216", "240"]);
    }

    #[test]
    fn content_that_does_not_match_its_hash_is_refused() {
        let (hash, bytes) = pack(&Snapshot::default()).unwrap();
        assert_eq!(unpack(&hash, &bytes).unwrap(), Snapshot::default());
        let (other, _) = pack(&Snapshot { tenant_name: "x".into(), ..Snapshot::default() }).unwrap();
        let error = unpack(&other, &bytes).unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }
}
