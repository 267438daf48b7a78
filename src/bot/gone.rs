//! Finds out that a policy which was created from a card is gone, and lets its card say so.

use crate::app::App;
use crate::approval::{AuditRef, Event, State};
use crate::graph::GraphError;
use crate::tenant::{Kind, Snapshot};

use super::approve::{self, Case};
use super::handed::audit_ref;

/// Looks for the policies that were created from cards. One that this reading doesn't have is asked for by itself: a list
/// may be late to show what is new.
///
/// # Errors
/// When the store fails. A tenant that can't be asked proves nothing gone; the next reading looks again.
pub async fn look(app: &App, snapshot: &Snapshot) -> anyhow::Result<()> {
    let Some(graph) = app.graph.as_ref().filter(|_| snapshot.has(Kind::Policies)) else { return Ok(()) };
    for kept in app.store.approvals_in(app.tenant(), &["created"]).await? {
        let case = Case::load(app, kept).await?;
        let State::Created(made) = &case.state else { continue };
        if snapshot.policy(&made.policy_id).is_some() || snapshot.read_at < made.at {
            continue;
        }
        match graph.settled(|| graph.policy(&made.policy_id)).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                let record = removed_by(snapshot, &made.policy_id);
                approve::happen(app, &case, &Event::PolicyGone { record }).await?;
            }
            Err(error) => unread(&case, &error),
        }
    }
    Ok(())
}

fn unread(case: &Case, error: &GraphError) {
    tracing::warn!(%error, approval = case.kept.number, "whether its policy is gone could not be read");
}

/// The removal of a policy, as the audit log tells it.
fn removed_by(snapshot: &Snapshot, policy_id: &str) -> Option<AuditRef> {
    let mut records = snapshot.audits.iter().rev();
    let removal = records.find(|record| record.target_id == policy_id && record.activity.starts_with("Delete"));
    removal.map(audit_ref)
}
