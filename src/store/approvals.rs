//! Approvals: the state of each as JSON, changed only by whoever saw the last version, so of two clicks one wins.
//!
//! What the states mean and which follows which is `approval.rs`; here they are text.

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::any::AnyRow;

use super::row::{Columns as _, all};
use super::{Store, Tx};

/// An approval to keep.
#[derive(Clone, Debug)]
pub struct NewApproval {
    /// What the card carries: random, 128 bits; says nothing by itself.
    pub id: String,
    /// Whose tenant.
    pub tenant: String,
    /// Number of the suggestion it decides.
    pub suggestion: i64,
    /// Where it was asked for; a click from elsewhere is refused.
    pub conversation: String,
    /// The terms, fixed when the card was made.
    pub terms: Value,
    /// The policy as it would be created.
    pub draft: Value,
    /// The state it begins in.
    pub state: Stored,
    /// Now.
    pub at: Timestamp,
}

/// A state as the store sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its name, to list by.
    pub name: String,
    /// All of it.
    pub body: Value,
    /// When time itself will change it; none: never.
    pub due: Option<Timestamp>,
    /// The version in which what is decided last changed: what a card's buttons carry.
    pub decided: i64,
}

/// An approval as kept; people see it as `A-<number>`.
#[derive(Clone, Debug)]
pub struct Approval {
    /// What the card carries.
    pub id: String,
    /// Whose tenant.
    pub tenant: String,
    /// Its number within the tenant, from 1.
    pub number: i64,
    /// Number of the suggestion it decides.
    pub suggestion: i64,
    /// Where it was asked for.
    pub conversation: String,
    /// The terms.
    pub terms: Value,
    /// The policy as it would be created.
    pub draft: Value,
    /// Where it is.
    pub state: Stored,
    /// How often it was changed, from 1.
    pub version: i64,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it was last changed.
    pub changed: Timestamp,
}

impl Store {
    /// An approval by what its card carries.
    pub async fn approval(&self, id: &str) -> anyhow::Result<Option<Approval>> {
        let row = sqlx::query("SELECT * FROM approvals WHERE id = $1").bind(id).fetch_optional(self.reader()).await?;
        row.as_ref().map(read).transpose()
    }

    /// Every approval of a tenant, oldest first.
    pub async fn approvals(&self, tenant: &str) -> anyhow::Result<Vec<Approval>> {
        let rows = sqlx::query("SELECT * FROM approvals WHERE tenant = $1 ORDER BY number")
            .bind(tenant)
            .fetch_all(self.reader())
            .await?;
        all(&rows, read)
    }

    /// The approvals of one suggestion, oldest first.
    pub async fn approvals_of(&self, tenant: &str, suggestion: i64) -> anyhow::Result<Vec<Approval>> {
        let rows = sqlx::query("SELECT * FROM approvals WHERE tenant = $1 AND suggestion = $2 ORDER BY number")
            .bind(tenant)
            .bind(suggestion)
            .fetch_all(self.reader())
            .await?;
        all(&rows, read)
    }

    /// The approvals of a tenant that are in one of these states, oldest first.
    pub async fn approvals_in(&self, tenant: &str, states: &[&str]) -> anyhow::Result<Vec<Approval>> {
        let mut found = Vec::new();
        for state in states {
            let rows = sqlx::query("SELECT * FROM approvals WHERE tenant = $1 AND state_name = $2")
                .bind(tenant)
                .bind(*state)
                .fetch_all(self.reader())
                .await?;
            found.extend(all(&rows, read)?);
        }
        found.sort_by_key(|approval| approval.number);
        Ok(found)
    }

    /// Approvals that time has to change now: expired, or a snooze that is over.
    pub async fn due_approvals(&self, now: Timestamp) -> anyhow::Result<Vec<Approval>> {
        let rows = sqlx::query("SELECT * FROM approvals WHERE due <= $1 ORDER BY due, id LIMIT 100")
            .bind(now.as_millisecond())
            .fetch_all(self.reader())
            .await?;
        all(&rows, read)
    }
}

impl Tx {
    /// Keeps an approval and gives it its number.
    pub async fn ask_approval(&mut self, new: NewApproval) -> anyhow::Result<Approval> {
        let number = self.next(&new.tenant, "approval").await?;
        sqlx::query(
            "INSERT INTO approvals (id, tenant, number, suggestion, conversation, terms, draft, state, state_name, due,
                decided, version, created, changed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12)",
        )
        .bind(&new.id)
        .bind(&new.tenant)
        .bind(number)
        .bind(new.suggestion)
        .bind(&new.conversation)
        .bind(new.terms.to_string())
        .bind(new.draft.to_string())
        .bind(new.state.body.to_string())
        .bind(&new.state.name)
        .bind(new.state.due.map(Timestamp::as_millisecond))
        .bind(new.state.decided)
        .bind(new.at.as_millisecond())
        .execute(self.connection())
        .await
        .context("keep an approval")?;
        let NewApproval { id, tenant, suggestion, conversation, terms, draft, state, at } = new;
        let (version, created, changed) = (1, at, at);
        Ok(Approval { id, tenant, number, suggestion, conversation, terms, draft, state, version, created, changed })
    }

    /// Puts an approval, as it was read, into its next state; false, and nothing done, when somebody was quicker:
    /// then read it again and let the state machine say what the click now means.
    pub async fn move_approval(&mut self, seen: &Approval, next: &Stored, at: Timestamp) -> anyhow::Result<bool> {
        let done = sqlx::query(
            "UPDATE approvals SET state = $1, state_name = $2, due = $3, decided = $4, changed = $5, version = version + 1
             WHERE id = $6 AND version = $7",
        )
        .bind(next.body.to_string())
        .bind(&next.name)
        .bind(next.due.map(Timestamp::as_millisecond))
        .bind(next.decided)
        .bind(at.as_millisecond())
        .bind(&seen.id)
        .bind(seen.version)
        .execute(self.connection())
        .await
        .context("move an approval")?;
        Ok(done.rows_affected() == 1)
    }

    /// Keeps other terms of an approval that was just moved in this transaction.
    pub async fn set_terms(&mut self, id: &str, terms: &Value) -> anyhow::Result<()> {
        let set = sqlx::query("UPDATE approvals SET terms = $1 WHERE id = $2").bind(terms.to_string()).bind(id);
        set.execute(self.connection()).await.context("keep the terms of an approval")?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> anyhow::Result<Approval> {
    let state = Stored {
        name: row.text("state_name")?,
        body: row.value("state")?,
        due: row.time_or_none("due")?,
        decided: row.int("decided")?,
    };
    Ok(Approval {
        id: row.text("id")?,
        tenant: row.text("tenant")?,
        number: row.int("number")?,
        suggestion: row.int("suggestion")?,
        conversation: row.text("conversation")?,
        terms: row.value("terms")?,
        draft: row.value("draft")?,
        state,
        version: row.int("version")?,
        created: row.time("created")?,
        changed: row.time("changed")?,
    })
}
