//! Suggestions over time: one row per fingerprint, numbered per tenant, changed only by whoever saw the last version.

use anyhow::Context as _;
use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::row::{Columns as _, all};
use super::{Store, Tx};

/// A suggestion; people see it as `S-<number>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Whose tenant.
    pub tenant: String,
    /// Its number within the tenant, from 1; 0 until kept.
    pub number: i64,
    /// What makes it the same suggestion in the next scan.
    pub fingerprint: String,
    /// The check that found it.
    pub check_id: String,
    /// Where it is in its life, as `suggestions` names it.
    pub state: String,
    /// One line; holds untrusted names.
    pub title: String,
    /// Everything else, as `suggestions` wrote it: JSON, in its text. As a tree of values it takes ten times the room.
    pub body: String,
    /// Why it was dismissed, or how it was resolved.
    pub reason: Option<String>,
    /// Until when it is snoozed or dismissed.
    pub until: Option<Timestamp>,
    /// How often it was changed: compare-and-set.
    pub version: i64,
    /// When it was first suggested.
    pub created: Timestamp,
    /// When it was last changed.
    pub changed: Timestamp,
}

impl Store {
    /// A suggestion by its number.
    pub async fn suggestion(&self, tenant: &str, number: i64) -> anyhow::Result<Option<Row>> {
        let row = sqlx::query("SELECT * FROM suggestions WHERE tenant = $1 AND number = $2")
            .bind(tenant)
            .bind(number)
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Every suggestion of a tenant by number, in any state.
    pub async fn suggestions(&self, tenant: &str) -> anyhow::Result<Vec<Row>> {
        let rows = sqlx::query("SELECT * FROM suggestions WHERE tenant = $1 ORDER BY number")
            .bind(tenant)
            .fetch_all(self.reader())
            .await?;
        all(&rows, read)
    }
}

impl Tx {
    /// Keeps a suggestion and gives it its number; the one with this fingerprint, if there is one, stays as it is.
    pub async fn suggest(&mut self, new: &Row) -> anyhow::Result<Row> {
        if let Some(known) = self.with_fingerprint(new).await? {
            return Ok(known);
        }
        let number = self.next(&new.tenant, "suggestion").await?;
        sqlx::query(
            "INSERT INTO suggestions (tenant, number, fingerprint, check_id, state, title, body, reason, until, version,
                created, changed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10)",
        )
        .bind(&new.tenant)
        .bind(number)
        .bind(&new.fingerprint)
        .bind(&new.check_id)
        .bind(&new.state)
        .bind(&new.title)
        .bind(new.body.clone())
        .bind(new.reason.as_deref())
        .bind(new.until.map(Timestamp::as_millisecond))
        .bind(new.created.as_millisecond())
        .execute(self.connection())
        .await
        .context("keep a suggestion")?;
        Ok(Row { number, version: 1, changed: new.created, ..new.clone() })
    }

    async fn with_fingerprint(&mut self, new: &Row) -> anyhow::Result<Option<Row>> {
        let row = sqlx::query("SELECT * FROM suggestions WHERE tenant = $1 AND fingerprint = $2")
            .bind(&new.tenant)
            .bind(&new.fingerprint)
            .fetch_optional(self.connection())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Writes a changed suggestion back; false when somebody changed it since it was read (its version tells).
    pub async fn change_suggestion(&mut self, row: &Row) -> anyhow::Result<bool> {
        let done = sqlx::query(
            "UPDATE suggestions SET state = $1, title = $2, body = $3, reason = $4, until = $5, changed = $6,
                version = version + 1
             WHERE tenant = $7 AND number = $8 AND version = $9",
        )
        .bind(&row.state)
        .bind(&row.title)
        .bind(row.body.clone())
        .bind(row.reason.as_deref())
        .bind(row.until.map(Timestamp::as_millisecond))
        .bind(row.changed.as_millisecond())
        .bind(&row.tenant)
        .bind(row.number)
        .bind(row.version)
        .execute(self.connection())
        .await
        .context("change a suggestion")?;
        Ok(done.rows_affected() == 1)
    }
}

fn read(row: &AnyRow) -> anyhow::Result<Row> {
    Ok(Row {
        tenant: row.text("tenant")?,
        number: row.int("number")?,
        fingerprint: row.text("fingerprint")?,
        check_id: row.text("check_id")?,
        state: row.text("state")?,
        title: row.text("title")?,
        body: row.text("body")?,
        reason: row.text_or_none("reason")?,
        until: row.time_or_none("until")?,
        version: row.int("version")?,
        created: row.time("created")?,
        changed: row.time("changed")?,
    })
}
