//! The audit log as a change feed: Graph has no notifications for policies and named locations.

use jiff::Timestamp;

use super::client::Client;
use super::error::GraphError;
use super::pages::Watch;
use super::read::{Quiet, ask, audits_since};
use crate::tenant::read::read_audit;
use crate::tenant::{AuditRecord, Kind};

impl Client {
    /// Audit records of what was done at or after `since`, oldest first. Records appear late: ask again from a while before the last one.
    pub async fn audits_since(&self, since: Timestamp) -> Result<Vec<AuditRecord>, GraphError> {
        let watch = Watch { kind: Kind::DirectoryAudits, progress: &Quiet };
        let records = self.collect(ask(&audits_since(since)), watch, read_audit).await?;
        let mut records: Vec<AuditRecord> = records.into_iter().flatten().collect();
        records.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok(records)
    }
}
