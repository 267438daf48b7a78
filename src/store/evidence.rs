//! What a citation opens: the fact and the very rows it rests on, kept once by the hash of their content.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde_json::Value;

use super::row::Columns as _;
use super::{Store, Tx};
use crate::log::hex;

/// Evidence to keep.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// Whose tenant it speaks of; nobody else may open it.
    pub tenant: &'a str,
    /// The fact and its rows.
    pub body: &'a Value,
    /// Now.
    pub at: Timestamp,
}

impl Evidence<'_> {
    /// Its id: the first 32 hexadecimal digits of SHA-256 over the body.
    #[must_use]
    pub fn id(&self) -> String {
        let hash = digest(&SHA256, self.body.to_string().as_bytes());
        hash.as_ref().get(..16).map(hex).unwrap_or_default()
    }
}

impl Store {
    /// Keeps one piece of evidence by itself; returns its id.
    pub async fn keep(&self, evidence: &Evidence<'_>) -> anyhow::Result<String> {
        let mut tx = self.begin().await?;
        let id = tx.keep(evidence).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// What a citation opens; none when this tenant has no such evidence.
    pub async fn evidence(&self, tenant: &str, id: &str) -> anyhow::Result<Option<Value>> {
        let row = sqlx::query("SELECT body FROM evidence WHERE tenant = $1 AND id = $2")
            .bind(tenant)
            .bind(id)
            .fetch_optional(self.reader())
            .await?;
        row.map(|row| row.value("body")).transpose()
    }
}

impl Tx {
    /// Keeps evidence and returns its id; the same evidence is one row.
    pub async fn keep(&mut self, evidence: &Evidence<'_>) -> anyhow::Result<String> {
        let id = evidence.id();
        sqlx::query(
            "INSERT INTO evidence (tenant, id, body, created) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant, id) DO NOTHING",
        )
        .bind(evidence.tenant)
        .bind(&id)
        .bind(evidence.body.to_string())
        .bind(evidence.at.as_millisecond())
        .execute(self.connection())
        .await?;
        Ok(id)
    }
}
