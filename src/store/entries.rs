//! The rows of the activity log; what they mean and how they are chained is in [`crate::log`].

use anyhow::Context as _;
use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::row::{Columns as _, all};
use super::{Store, Tx};
use crate::log::{Action, Actor, ActorKind, Entry, GENESIS, Head, NewEntry, Verified};

const PAGE: i64 = 1000;

/// Which entries to read, newest first.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those about this subject.
    pub subject: Option<String>,
    /// Only those of this kind.
    pub action: Option<Action>,
    /// Only those of this moment and later.
    pub since: Option<Timestamp>,
    /// Only those with a smaller number: the next page.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

impl Tx {
    /// Appends an entry to its tenant's chain. The chain stays locked until the transaction ends.
    pub async fn append(&mut self, new: NewEntry) -> anyhow::Result<Entry> {
        let seq = self.next(&new.tenant, "entry").await?;
        let prev: Option<String> = sqlx::query_scalar("SELECT hash FROM entries WHERE tenant = $1 AND seq = $2")
            .bind(&new.tenant)
            .bind(seq - 1)
            .fetch_optional(self.connection())
            .await?;
        let entry = Entry::seal(new, seq, prev.as_deref().unwrap_or(GENESIS));
        self.insert(&entry).await.context("append to the activity log")?;
        Ok(entry)
    }

    async fn insert(&mut self, entry: &Entry) -> anyhow::Result<()> {
        sqlx::query(
            "INSERT INTO entries
                (tenant, seq, at, actor_kind, actor_id, actor_name, action, subject, body, evidence, prev, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(&entry.tenant)
        .bind(entry.seq)
        .bind(entry.at.as_millisecond())
        .bind(entry.actor.kind.as_str())
        .bind(&entry.actor.id)
        .bind(&entry.actor.name)
        .bind(entry.action.as_str())
        .bind(&entry.subject)
        .bind(&entry.body)
        .bind(serde_json::to_string(&entry.evidence)?)
        .bind(&entry.prev)
        .bind(&entry.hash)
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl Store {
    /// Appends one entry by itself.
    pub async fn append(&self, new: NewEntry) -> anyhow::Result<Entry> {
        let mut tx = self.begin().await?;
        let entry = tx.append(new).await?;
        tx.commit().await?;
        Ok(entry)
    }

    /// Entries of a tenant's log, newest first.
    pub async fn entries(&self, tenant: &str, wanted: &Wanted) -> anyhow::Result<Vec<Entry>> {
        let rows = sqlx::query(
            "SELECT * FROM entries WHERE tenant = $1 AND seq < $2 AND ($3 = '' OR subject = $3)
                AND ($4 = '' OR action = $4) AND at >= $5
             ORDER BY seq DESC LIMIT $6",
        )
        .bind(tenant)
        .bind(wanted.before.unwrap_or(i64::MAX))
        .bind(wanted.subject.as_deref().unwrap_or(""))
        .bind(wanted.action.map_or("", Action::as_str))
        .bind(wanted.since.map_or(i64::MIN, Timestamp::as_millisecond))
        .bind(wanted.limit)
        .fetch_all(self.reader())
        .await?;
        all(&rows, read)
    }

    /// One entry by its number.
    pub async fn entry(&self, tenant: &str, seq: i64) -> anyhow::Result<Option<Entry>> {
        let row = sqlx::query("SELECT * FROM entries WHERE tenant = $1 AND seq = $2")
            .bind(tenant)
            .bind(seq)
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The newest entry's number and hash: what a summary posts.
    pub async fn log_head(&self, tenant: &str) -> anyhow::Result<Head> {
        let newest = self.entries(tenant, &Wanted { limit: 1, ..Wanted::default() }).await?;
        Ok(newest.into_iter().next().map_or_else(Head::default, |entry| Head { seq: entry.seq, hash: entry.hash }))
    }

    /// Checks a tenant's whole chain, page by page.
    pub async fn verify_log(&self, tenant: &str) -> anyhow::Result<Verified> {
        // Counted first: entries that are appended meanwhile are no cut.
        let counted: Option<i64> = sqlx::query_scalar("SELECT value FROM counters WHERE scope = $1 AND name = 'entry'")
            .bind(tenant)
            .fetch_optional(self.reader())
            .await?;
        let mut verified = Verified::default();
        let mut last = 0;
        loop {
            let page = self.page_after(tenant, last).await?;
            let Some(newest) = page.last() else { return Ok(verified.close(counted.unwrap_or(0))) };
            last = newest.seq;
            for entry in &page {
                verified.take(entry);
            }
        }
    }

    async fn page_after(&self, tenant: &str, seq: i64) -> anyhow::Result<Vec<Entry>> {
        let rows = sqlx::query("SELECT * FROM entries WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3")
            .bind(tenant)
            .bind(seq)
            .bind(PAGE)
            .fetch_all(self.reader())
            .await?;
        all(&rows, read)
    }

    /// The tenants that have a log.
    pub async fn logged_tenants(&self) -> anyhow::Result<Vec<String>> {
        Ok(sqlx::query_scalar("SELECT DISTINCT tenant FROM entries ORDER BY tenant").fetch_all(self.reader()).await?)
    }
}

fn read(row: &AnyRow) -> anyhow::Result<Entry> {
    let (kind, action) = (row.text("actor_kind")?, row.text("action")?);
    Ok(Entry {
        tenant: row.text("tenant")?,
        seq: row.int("seq")?,
        at: row.time("at")?,
        actor: Actor {
            kind: ActorKind::parse(&kind).with_context(|| format!("unknown kind of actor {kind:?} in the log"))?,
            id: row.text("actor_id")?,
            name: row.text("actor_name")?,
        },
        action: Action::parse(&action).with_context(|| format!("unknown action {action:?} in the log"))?,
        subject: row.text("subject")?,
        body: row.text("body")?,
        evidence: row.json("evidence")?,
        prev: row.text("prev")?,
        hash: row.text("hash")?,
    })
}
