//! Small values by name: yesterday's coverage, the last summary, switches that a person set in chat.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::row::Columns as _;
use super::{Store, Tx};

impl Store {
    /// A tenant's value by name; none if never set.
    pub async fn setting<T: DeserializeOwned>(&self, tenant: &str, name: &str) -> anyhow::Result<Option<T>> {
        let row = sqlx::query("SELECT value FROM settings WHERE tenant = $1 AND name = $2")
            .bind(tenant)
            .bind(name)
            .fetch_optional(self.reader())
            .await?;
        row.map(|row| row.json("value")).transpose()
    }

    /// Sets one value by itself.
    pub async fn set<T: Serialize + Sync>(&self, key: Key<'_>, value: &T) -> anyhow::Result<()> {
        let mut tx = self.begin().await?;
        tx.set(key, value).await?;
        tx.commit().await
    }
}

/// Which value, and when it changes.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// Whose.
    pub tenant: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Now.
    pub at: Timestamp,
}

impl Tx {
    /// Sets a value, replacing the old one.
    pub async fn set<T: Serialize + Sync>(&mut self, key: Key<'_>, value: &T) -> anyhow::Result<()> {
        sqlx::query(
            "INSERT INTO settings (tenant, name, value, changed) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant, name) DO UPDATE SET value = excluded.value, changed = excluded.changed",
        )
        .bind(key.tenant)
        .bind(key.name)
        .bind(serde_json::to_string(value)?)
        .bind(key.at.as_millisecond())
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
