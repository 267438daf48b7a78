//! Watches between scans: the audit log for changes, and approvals whose time has come.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::app::App;
use crate::jobs::Outcome;
use crate::log::Actor;
use crate::store::jobs::{Job, NewJob, Priority};
use crate::store::settings::Key;
use crate::tenant::AuditRecord;

use super::{approve, review};

/// Kind of the job that looks.
pub const JOB: &str = "watch";
/// The setting that remembers up to when the audit log was looked at.
const SEEN: &str = "audits-seen";

/// Looks once: a change of a policy, a location or a group that policies name starts a scan.
///
/// # Errors
/// When the store or the tenant fails; the next look sees the same changes.
pub async fn look(app: Arc<App>, _: Job) -> anyhow::Result<Outcome> {
    settle_due(&app).await?;
    let Some(graph) = &app.graph else { return Ok(Outcome::Done) };
    let seen: Option<i64> = app.store.setting(app.tenant(), SEEN).await?;
    let now = app.clock.now();
    let since =
        seen.and_then(|seen| Timestamp::from_millisecond(seen).ok()).unwrap_or(now - SignedDuration::from_mins(5));
    let records = match graph.audits_since(since).await {
        Ok(records) => records,
        Err(error) => {
            // The next look sees the same changes, so this one is over.
            tracing::warn!(%error, "the audit log could not be read");
            return Ok(Outcome::Done);
        }
    };
    let newest = records.iter().map(|record| record.at).max();
    if records.iter().any(|record| record.at > since && matters(record)) {
        review::request(&app, &Actor::bot()).await?;
    }
    let upto = newest.unwrap_or(since).as_millisecond();
    app.store.set(Key { tenant: app.tenant(), name: SEEN, at: now }, &upto).await?;
    Ok(Outcome::Done)
}

/// Whether a change can change who is covered.
fn matters(record: &AuditRecord) -> bool {
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
