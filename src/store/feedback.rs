//! What people thought of answers and suggestions: the last word of each person on each message.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::row::{Columns as _, all};
use super::{Store, Tx};

/// A like or a dislike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// Whose tenant.
    pub tenant: String,
    /// Id of the message.
    pub message: String,
    /// Entra object id of the person.
    pub by_id: String,
    /// The person's display name.
    pub by_name: String,
    /// Number of the suggestion that the message shows; none for an answer.
    pub suggestion: Option<i64>,
    /// The check behind that suggestion.
    pub check_id: Option<String>,
    /// Liked, or disliked.
    pub liked: bool,
    /// Why; untrusted text, may be empty.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// All feedback of a tenant, oldest first.
    pub async fn feedback(&self, tenant: &str) -> anyhow::Result<Vec<Feedback>> {
        let rows = sqlx::query("SELECT * FROM feedback WHERE tenant = $1 ORDER BY at, message, by_id")
            .bind(tenant)
            .fetch_all(self.reader())
            .await?;
        all(&rows, read)
    }
}

impl Tx {
    /// Keeps feedback; what the person said of the message before is replaced.
    pub async fn keep_feedback(&mut self, new: &Feedback) -> anyhow::Result<()> {
        sqlx::query(
            "INSERT INTO feedback (tenant, message, by_id, by_name, suggestion, check_id, liked, reason, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (tenant, message, by_id) DO UPDATE SET liked = excluded.liked, reason = excluded.reason,
                at = excluded.at",
        )
        .bind(&new.tenant)
        .bind(&new.message)
        .bind(&new.by_id)
        .bind(&new.by_name)
        .bind(new.suggestion)
        .bind(new.check_id.as_deref())
        .bind(i64::from(new.liked))
        .bind(&new.reason)
        .bind(new.at.as_millisecond())
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> anyhow::Result<Feedback> {
    Ok(Feedback {
        tenant: row.text("tenant")?,
        message: row.text("message")?,
        by_id: row.text("by_id")?,
        by_name: row.text("by_name")?,
        suggestion: row.int_or_none("suggestion")?,
        check_id: row.text_or_none("check_id")?,
        liked: row.flag("liked")?,
        reason: row.text("reason")?,
        at: row.time("at")?,
    })
}
