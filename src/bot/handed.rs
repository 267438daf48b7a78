//! Watches for what was handed over: compares what the tenant's audit log shows with the card, and settles the suggestion.
//!
//! A card asks a person to make a change. The record of that change is what proves it: done as described, or not, and
//! then the card stays open with the differences.

pub mod compare;

use crate::app::App;
use crate::approval::{AuditRef, Event, State, Tried};
use crate::checks::{CureAction, HandOver};
use crate::graph::{Client, GraphError};
use crate::tenant::{AuditRecord, Policy, Snapshot};

use super::answers::policy_changes::policy_of;
use super::approve::{self, Case};
use compare::Verdict;

/// Compares records of the audit log, oldest first, with every card that waits.
///
/// # Errors
/// When the store fails or the tenant can't be asked how an object stands now.
pub async fn look(app: &App, snapshot: &Snapshot, records: &[AuditRecord]) -> anyhow::Result<()> {
    let Some(graph) = app.graph.as_ref().filter(|_| !records.is_empty()) else { return Ok(()) };
    for kept in app.store.approvals_in(app.tenant(), &["open", "snoozed"]).await? {
        let case = Case::load(app, kept).await?;
        let since = case.kept.created;
        if let Some(event) =
            newest(graph, (&case, snapshot), records.iter().filter(|record| record.at >= since)).await?
            && !is_known(&case.state, &event)
        {
            approve::happen(app, &case, &event).await?;
        }
    }
    Ok(())
}

/// What the newest record that is about the card means for it.
async fn newest(
    graph: &Client,
    (case, snapshot): (&Case, &Snapshot),
    records: impl Iterator<Item = &AuditRecord>,
) -> Result<Option<Event>, GraphError> {
    let mut found = None;
    for record in records {
        let policy_id = matches!(case.action, CureAction::Draft(_)).then(|| record.target_id.clone());
        match judged(graph, (case, snapshot), record).await? {
            Verdict::Unrelated => {}
            Verdict::AsDescribed => found = Some(Event::Done { record: audit_ref(record), policy_id }),
            Verdict::Differs(differs) => {
                let object = record.target_id.clone();
                found = Some(Event::DoneOtherwise(Tried { record: audit_ref(record), object, differs }));
            }
        }
    }
    Ok(found)
}

/// A scan sees again what a look saw before.
fn is_known(state: &State, event: &Event) -> bool {
    match (state, event) {
        (State::Open { tried: Some(known), .. }, Event::DoneOtherwise(tried)) => known == tried,
        // A card that was put off says nothing until it is taken up again.
        (State::Snoozed { .. }, Event::DoneOtherwise(_)) => true,
        _ => false,
    }
}

/// A record, as the card cites it.
#[must_use]
pub fn audit_ref(record: &AuditRecord) -> AuditRef {
    AuditRef {
        id: record.id.clone(),
        at: record.at,
        activity: record.activity.clone(),
        by: record.by.clone(),
        target: if record.target_name.is_empty() { record.target_id.clone() } else { record.target_name.clone() },
    }
}

async fn judged(
    graph: &Client,
    (case, snapshot): (&Case, &Snapshot),
    record: &AuditRecord,
) -> Result<Verdict, GraphError> {
    match &case.action {
        CureAction::Draft(draft) => judge_new(graph, (case, draft, snapshot), record).await,
        CureAction::HandOver(change) if !change.members.is_empty() => {
            if !leaves(record, change, snapshot) {
                return Ok(Verdict::Unrelated);
            }
            Ok(compare::left(&change.members, &graph.members_below(&change.target_id).await?, snapshot))
        }
        CureAction::HandOver(change) => judge_edit(graph, (change, snapshot), record).await,
    }
}

/// A new policy, or another change of one that somebody meant as the draft.
async fn judge_new(
    graph: &Client,
    (case, draft, snapshot): (&Case, &Policy, &Snapshot),
    record: &AuditRecord,
) -> Result<Verdict, GraphError> {
    let tried = match &case.state {
        State::Open { tried, .. } => tried.as_ref(),
        _ => None,
    };
    let again = tried.is_some_and(|tried| tried.object == record.target_id) && is(record, "update");
    if !again && !is(record, "add conditional access policy") {
        return Ok(Verdict::Unrelated);
    }
    let after = policy_after(graph, record).await?;
    Ok(after.map_or(Verdict::Unrelated, |after| compare::created(draft, &after, (snapshot, again))))
}

async fn judge_edit(
    graph: &Client,
    (change, snapshot): (&HandOver, &Snapshot),
    record: &AuditRecord,
) -> Result<Verdict, GraphError> {
    let Some((method, path, body)) = change.request.as_ref().filter(|_| record.target_id == change.target_id) else {
        return Ok(Verdict::Unrelated);
    };
    if is(record, "delete") {
        return Ok(if method == "DELETE" { Verdict::AsDescribed } else { Verdict::Unrelated });
    }
    if method != "PATCH" {
        return Ok(Verdict::Unrelated);
    }
    if change.target_kind != "Policy" {
        let now = graph.object(path).await;
        return gone(now.map(Some)).map(|now| now.map_or(Verdict::Unrelated, |now| compare::held(body, &now)));
    }
    let old = logged(record).0.or_else(|| snapshot.policy(&change.target_id).cloned());
    let (Some(old), Some(after)) = (old, policy_after(graph, record).await?) else { return Ok(Verdict::Unrelated) };
    Ok(compare::edited(change, (&old, &after), snapshot))
}

/// The policy after the change: as the log tells it, and where the log cuts it short, as it stands now.
async fn policy_after(graph: &Client, record: &AuditRecord) -> Result<Option<Policy>, GraphError> {
    match logged(record).1 {
        Some(policy) => Ok(Some(policy)),
        None => gone(graph.policy(&record.target_id).await.map(Some)),
    }
}

/// What is gone in the meantime can't be compared any more.
fn gone<T>(read: Result<Option<T>, GraphError>) -> Result<Option<T>, GraphError> {
    match read {
        Err(GraphError::NotFound { .. }) => Ok(None),
        read => read,
    }
}

/// The policy before and after, as the record has them.
fn logged(record: &AuditRecord) -> (Option<Policy>, Option<Policy>) {
    let policy = |value: &Option<String>| policy_of(value.as_deref()).filter(|policy| !policy.id.is_empty());
    let both = record.changes.iter().map(|(_, old, new)| (policy(old), policy(new)));
    both.into_iter().find(|(old, new)| old.is_some() || new.is_some()).unwrap_or_default()
}

/// Whether somebody left the group, or one nested in it; the log names the group on the side of what was before.
fn leaves(record: &AuditRecord, change: &HandOver, snapshot: &Snapshot) -> bool {
    let nested =
        || snapshot.directory.groups.get(&change.target_id).is_some_and(|group| !group.member_groups.is_empty());
    let named = record.changes.iter().any(|(_, old, _)| {
        old.as_deref().is_some_and(|old| old.trim_matches('"').eq_ignore_ascii_case(&change.target_id))
    });
    is(record, "remove member from group") && (named || nested())
}

fn is(record: &AuditRecord, activity: &str) -> bool {
    record.activity.to_lowercase().contains(activity)
}
