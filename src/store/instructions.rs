//! Standing instructions: "never suggest this check, for this object, until then", confirmed by a person.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::row::{Columns as _, all};
use super::{Store, Tx};

/// An instruction to keep.
#[derive(Clone, Debug)]
pub struct NewInstruction {
    /// Whose tenant.
    pub tenant: String,
    /// The check it silences; none: any.
    pub check_id: Option<String>,
    /// The object it is limited to; none: any.
    pub object: Option<String>,
    /// When it ends; none: never.
    pub until: Option<Timestamp>,
    /// As the person confirmed it; untrusted text.
    pub wording: String,
    /// Entra object id of the person.
    pub by_id: String,
    /// The person's display name.
    pub by_name: String,
    /// When it was confirmed.
    pub created: Timestamp,
}

/// A standing instruction; people see it as `I-<number>`.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// Its number within the tenant, from 1.
    pub number: i64,
    /// What it says.
    pub said: NewInstruction,
    /// When a person took it back.
    pub removed: Option<Timestamp>,
}

impl Instruction {
    /// Whether it holds at `now`.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.removed.is_none() && self.said.until.is_none_or(|until| now < until)
    }
}

impl Store {
    /// Every instruction of a tenant, oldest first, also those that ended.
    pub async fn instructions(&self, tenant: &str) -> anyhow::Result<Vec<Instruction>> {
        let rows = sqlx::query("SELECT * FROM instructions WHERE tenant = $1 ORDER BY number")
            .bind(tenant)
            .fetch_all(self.reader())
            .await?;
        all(&rows, read)
    }
}

impl Tx {
    /// Keeps an instruction and gives it its number; false, and the one that says the same, when one is in force.
    pub async fn instruct(&mut self, new: NewInstruction) -> anyhow::Result<(Instruction, bool)> {
        // Counted for its lock alone: of two that say the same at once, the second one sees the first.
        self.next(&new.tenant, "instruct").await?;
        if let Some(same) = self.same_instruction(&new).await? {
            return Ok((same, false));
        }
        let number = self.next(&new.tenant, "instruction").await?;
        sqlx::query(
            "INSERT INTO instructions (tenant, number, check_id, object, until, wording, by_id, by_name, created)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&new.tenant)
        .bind(number)
        .bind(new.check_id.as_deref())
        .bind(new.object.as_deref())
        .bind(new.until.map(Timestamp::as_millisecond))
        .bind(&new.wording)
        .bind(&new.by_id)
        .bind(&new.by_name)
        .bind(new.created.as_millisecond())
        .execute(self.connection())
        .await?;
        Ok((Instruction { number, said: new, removed: None }, true))
    }

    async fn same_instruction(&mut self, new: &NewInstruction) -> anyhow::Result<Option<Instruction>> {
        let row = sqlx::query(
            "SELECT * FROM instructions WHERE tenant = $1 AND removed IS NULL AND (until IS NULL OR until > $2)
                AND COALESCE(check_id, '') = $3 AND COALESCE(object, '') = $4 AND COALESCE(until, 0) = $5
             ORDER BY number LIMIT 1",
        )
        .bind(&new.tenant)
        .bind(new.created.as_millisecond())
        .bind(new.check_id.as_deref().unwrap_or_default())
        .bind(new.object.as_deref().unwrap_or_default())
        .bind(new.until.map_or(0, Timestamp::as_millisecond))
        .fetch_optional(self.connection())
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// Takes an instruction back; false when there is none with this number in force.
    pub async fn remove_instruction(&mut self, tenant: &str, number: i64, at: Timestamp) -> anyhow::Result<bool> {
        let done =
            sqlx::query("UPDATE instructions SET removed = $1 WHERE tenant = $2 AND number = $3 AND removed IS NULL")
                .bind(at.as_millisecond())
                .bind(tenant)
                .bind(number)
                .execute(self.connection())
                .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn read(row: &AnyRow) -> anyhow::Result<Instruction> {
    let said = NewInstruction {
        tenant: row.text("tenant")?,
        check_id: row.text_or_none("check_id")?,
        object: row.text_or_none("object")?,
        until: row.time_or_none("until")?,
        wording: row.text("wording")?,
        by_id: row.text("by_id")?,
        by_name: row.text("by_name")?,
        created: row.time("created")?,
    };
    Ok(Instruction { number: row.int("number")?, said, removed: row.time_or_none("removed")? })
}
