//! Readings of the tenant, compressed and kept under the hash of their content.
//!
//! Beside a SQLite file they are files, `<hash>` in `<database>.snapshots/`; elsewhere they lie in the database in
//! parts. The row is written after the content, so a row always opens; a file without a row is harmless.

mod format;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::row::{Columns as _, all};
use super::{Store, Tx, private};
use crate::tenant::{Kind, Reading, Snapshot};

const PART: usize = 1 << 20;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A kept reading, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 of its content as it is kept.
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

/// A reading whose content is written, and which isn't kept yet.
#[derive(Debug)]
pub struct Written {
    kept: Kept,
    /// The content, where it isn't in a file.
    bytes: Vec<u8>,
}

impl Written {
    /// SHA-256 of the content.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.kept.hash
    }
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

/// A reading that another version of this program wrote. It can't be opened; the next scan reads the tenant anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reading {hash} was kept by another version of this program; scan again")]
pub struct OtherVersion {
    /// Its hash.
    pub hash: String,
}

impl Store {
    /// Keeps a reading; the same content is kept once.
    pub async fn save_snapshot(&self, snapshot: Arc<Snapshot>) -> anyhow::Result<Kept> {
        self.keep_snapshot(self.write_snapshot(snapshot).await?).await
    }

    /// Writes the content of a reading and gives it its hash. Nobody finds it until it is kept.
    pub async fn write_snapshot(&self, snapshot: Arc<Snapshot>) -> anyhow::Result<Written> {
        let (counts, tenant, read_at) = (counts(&snapshot), snapshot.tenant_id.clone(), snapshot.read_at);
        let (hash, size, bytes) = if let Some(folder) = self.0.blobs.clone() {
            let written = spawn_blocking(move || write_file(&folder, &snapshot)).await?;
            let (hash, size) = written.context("write a reading")?;
            (hash, size, Vec::new())
        } else {
            let written = spawn_blocking(move || format::write(&snapshot, Vec::new())).await?;
            let (hash, bytes) = written.context("compress a reading")?;
            (hash, bytes.len() as u64, bytes)
        };
        Ok(Written { kept: Kept { hash, tenant, read_at, size, counts }, bytes })
    }

    /// Keeps what was written.
    pub async fn keep_snapshot(&self, Written { kept, bytes }: Written) -> anyhow::Result<Kept> {
        let mut tx = self.begin().await?;
        for (part, data) in (0_i64..).zip(bytes.chunks(PART)) {
            tx.insert_part(&kept.hash, part, data).await?;
        }
        tx.insert_snapshot(&kept).await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// Lets go what was written and isn't wanted any more, unless the same content is kept already.
    pub async fn drop_written(&self, Written { kept, .. }: Written) -> anyhow::Result<()> {
        let Some(folder) = &self.0.blobs else { return Ok(()) };
        let others: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM snapshots WHERE hash = $1")
            .bind(&kept.hash)
            .fetch_one(&self.0.write)
            .await?;
        if others == 0 {
            let file = folder.join(&kept.hash);
            tokio::fs::remove_file(file).await.with_context(|| format!("remove reading {}", kept.hash))?;
        }
        Ok(())
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

    /// The content of a reading. What doesn't match its hash is an error, never a smaller tenant; what an earlier version
    /// of this program wrote is an [`OtherVersion`].
    pub async fn load_snapshot(&self, hash: &str) -> anyhow::Result<Snapshot> {
        let name = hash.to_owned();
        if let Some(folder) = &self.0.blobs {
            let file = std::fs::File::open(folder.join(hash)).with_context(|| format!("open reading {hash}"))?;
            return spawn_blocking(move || format::read(&name, file)).await?;
        }
        let parts = Cursor::new(self.parts(hash).await?);
        spawn_blocking(move || format::read(&name, parts)).await?
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

/// Writes a reading to a file beside others, named by its hash once it is complete: a crash half way leaves only a
/// temporary file. Gives the hash and the size in bytes.
fn write_file(folder: &Path, snapshot: &Snapshot) -> anyhow::Result<(String, u64)> {
    private::folder(folder)?;
    let temporary = folder.join(format!("{}.new", Uuid::new_v4()));
    let (hash, file) = format::write(snapshot, private::created(&temporary)?)?;
    file.sync_all()?;
    std::fs::rename(&temporary, folder.join(&hash))?;
    std::fs::File::open(folder)?.sync_all()?;
    Ok((hash, file.metadata()?.len()))
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
    use roaring::RoaringBitmap;

    use super::*;
    use crate::tenant::sign_in::AppliedPolicy;
    use crate::tenant::{
        AuditRecord, Device, Directory, Group, PastSignIn, Policy, Registration, Role, RoleAssignment,
        ServicePrincipal, User,
    };

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

    fn written(snapshot: &Snapshot) -> (String, Vec<u8>) {
        format::write(snapshot, Vec::new()).unwrap()
    }

    #[test]
    fn content_that_does_not_match_its_hash_is_refused() {
        let (hash, bytes) = written(&Snapshot::default());
        assert_eq!(format::read(&hash, Cursor::new(&bytes)).unwrap(), Snapshot::default());
        let (other, _) = written(&Snapshot { tenant_name: "x".into(), ..Snapshot::default() });
        let error = format::read(&other, Cursor::new(&bytes)).unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }

    #[test]
    fn what_another_version_wrote_is_told_apart_from_damage() {
        let (hash, bytes) = written(&Snapshot::default());
        for old in [&[0x1f, 0x8b, 8, 0][..], &[], &bytes[1..]] {
            let error = format::read(&hash, Cursor::new(old)).unwrap_err();
            assert!(error.is::<OtherVersion>(), "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_written_is_found_once_it_is_kept_and_gone_once_it_is_dropped() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", place.path().join("p.db").display())).await.unwrap();
        store.migrate().await.unwrap();
        let read = Arc::new(Snapshot { tenant_id: "t".into(), ..Snapshot::default() });
        let written = async || store.write_snapshot(Arc::clone(&read)).await.unwrap();
        let file = place.path().join("p.db.snapshots").join(written().await.hash());
        assert!(file.exists() && store.newest_snapshot("t").await.unwrap().is_none());
        store.drop_written(written().await).await.unwrap();
        assert!(!file.exists());
        let kept = store.keep_snapshot(written().await).await.unwrap();
        store.drop_written(written().await).await.unwrap();
        assert_eq!(store.load_snapshot(&kept.hash).await.unwrap(), *read, "what is kept stays");
    }

    /// One of each row, so that a change of their fields changes what is written.
    fn one_of_each() -> Snapshot {
        let directory = Directory {
            users: vec![User::default()],
            groups: [(
                String::new(),
                Group { transitive: Some([7].into_iter().collect::<RoaringBitmap>().into()), ..Group::default() },
            )]
            .into(),
            role_assignments: vec![RoleAssignment::default()],
            roles: [(String::new(), Role::default())].into(),
            service_principals: vec![ServicePrincipal::default()],
            devices: vec![Device::default()],
            registrations: [("".into(), Registration::default())].into(),
            risky_users: BTreeMap::new(),
        };
        Snapshot {
            policies: vec![Policy::default()],
            directory: directory.into(),
            homes: BTreeMap::from([("guest".into(), "tenant".into())]).into(),
            sign_ins: vec![PastSignIn { applied: [AppliedPolicy::default()].into(), ..PastSignIn::default() }],
            audits: vec![AuditRecord::default()],
            ..Snapshot::default()
        }
    }

    /// When this fails, what a snapshot holds has changed: give the format a new name, since frames don't describe
    /// themselves, and write the new size here.
    #[test]
    fn the_format_of_this_name_stays_as_it_is() {
        let (hash, bytes) = written(&one_of_each());
        assert_eq!(format::read(&hash, Cursor::new(&bytes)).unwrap(), one_of_each());
        let frames = zstd::decode_all(&bytes[format::NAME.len()..]).unwrap();
        assert_eq!((std::str::from_utf8(format::NAME), frames.len()), (Ok("portcullis reading 7\n"), 342));
    }
}
