//! Watches between scans: the audit log for changes, and approvals whose time has come.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::graph::GraphError;
use crate::jobs::Outcome;
use crate::store::jobs::{Job, NewJob, Priority};
use crate::store::settings::Key;
use crate::tenant::AuditRecord;

use super::{approve, handed, review};

/// Kind of the job that looks.
pub const JOB: &str = "watch";
/// The setting that remembers what of the audit log was looked at.
const SEEN: &str = "audits-looked-at";
/// Records appear in the log late, most within minutes: so far back is looked again.
const LATE: SignedDuration = SignedDuration::from_mins(30);

/// What of the audit log was looked at.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    /// Before this moment nothing is new.
    from: Timestamp,
    /// Records of the last while, by id.
    records: BTreeMap<String, Timestamp>,
}

impl Seen {
    fn is_new(&self, record: &AuditRecord) -> bool {
        record.at > self.from && !self.records.contains_key(&record.id)
    }

    /// With what a look brought; old ones are forgotten, because they can't come again.
    fn followed_by(mut self, records: &[AuditRecord]) -> Self {
        self.records.extend(records.iter().map(|record| (record.id.clone(), record.at)));
        let newest = self.records.values().max().copied().unwrap_or(self.from);
        self.from = self.from.max(newest.checked_sub(LATE).unwrap_or(newest));
        let from = self.from;
        self.records.retain(|_, at| *at >= from);
        self
    }
}

/// Looks once: a change of a policy, a location or a group that policies name starts a scan.
///
/// # Errors
/// When the store or the tenant fails; the next look sees the same changes.
pub async fn look(app: Arc<App>, _: Job) -> anyhow::Result<Outcome> {
    settle_due(&app).await?;
    let Some(graph) = &app.graph else { return Ok(Outcome::Done) };
    let now = app.clock.now();
    let seen: Option<Seen> = app.store.setting(app.tenant(), SEEN).await?;
    let seen = seen.unwrap_or_else(|| Seen { from: now - SignedDuration::from_mins(5), records: BTreeMap::new() });
    let records = match graph.audits_since(seen.from).await {
        Ok(records) => records,
        Err(error) => {
            // The next look sees the same changes, so this one is over.
            tracing::warn!(%error, "the audit log could not be read");
            return Ok(Outcome::Done);
        }
    };
    let new: Vec<AuditRecord> = records.iter().filter(|record| seen.is_new(record)).cloned().collect();
    if !settled(&app, &new).await? {
        return Ok(Outcome::Done);
    }
    if let Some(changed) = new.iter().filter(|record| matters(record)).max_by_key(|record| (record.at, &record.id)) {
        review::request_for_change(&app, &changed.id).await?;
    }
    app.store.set(Key { tenant: app.tenant(), name: SEEN, at: now }, &seen.followed_by(&records)).await?;
    Ok(Outcome::Done)
}

/// Settles what was handed over and done; false when the tenant couldn't be asked, and the next look has to see it again.
async fn settled(app: &App, new: &[AuditRecord]) -> anyhow::Result<bool> {
    let Some(analysis) = app.newest_analysis().await?.filter(|_| !new.is_empty()) else { return Ok(true) };
    match handed::look(app, analysis.snapshot(), new).await {
        Err(error) if error.is::<GraphError>() => {
            tracing::warn!(error = %format!("{error:#}"), "what was handed over could not be compared");
            Ok(false)
        }
        looked => looked.map(|()| true),
    }
}

/// Whether a change can change who is covered.
pub(super) fn matters(record: &AuditRecord) -> bool {
    let activity = record.activity.to_lowercase();
    ["conditional access policy", "named location", "member to group", "member from group"]
        .iter()
        .any(|words| activity.contains(words))
}

/// Expires cards and ends snoozes whose time has come.
async fn settle_due(app: &App) -> anyhow::Result<()> {
    for approval in app.store.due_approvals(app.clock.now()).await? {
        app.store
            .enqueue(&NewJob {
                id: format!("approval-due:{}:{}", approval.id, approval.version),
                kind: approve::JOB.into(),
                payload: json!({"approval": approval.id, "due": true}),
                priority: Priority::Digest,
                due: app.clock.now(),
            })
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, minute: i64) -> AuditRecord {
        AuditRecord { id: id.into(), at: at(minute), ..AuditRecord::default() }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_763_900_000 + minute * 60).unwrap()
    }

    #[test]
    fn a_record_is_new_once_even_when_it_appears_late() {
        let seen = Seen { from: at(0), records: BTreeMap::new() };
        assert!(seen.is_new(&record("a", 10)) && !seen.is_new(&record("old", -1)));
        let seen = seen.followed_by(&[record("a", 10)]);
        assert!(!seen.is_new(&record("a", 10)) && seen.is_new(&record("late", 4)));
        assert!(seen.is_new(&record("same moment", 10)));
        let seen = seen.followed_by(&[record("late", 4), record("b", 90)]);
        assert!(!seen.is_new(&record("a", 10)) && seen.is_new(&record("c", 61)));
        assert_eq!(seen.records.len(), 1, "{:?}", seen.records);
    }
}
