//! Watches for what was handed over: compares what the tenant's audit log shows with the card, and settles the suggestion.
//!
//! A card asks a person to make a change. The record of that change says who made it, and the tenant how it stands since:
//! done as described, or not, and then the card stays open with the differences.

pub mod compare;

use crate::app::App;
use crate::approval::{AuditRef, Event, State, Tried};
use crate::checks::{CureAction, HandOver};
use crate::graph::{Client, GraphError};
use crate::tenant::{AuditRecord, Policy, Snapshot};

use super::answers::policy_changes::policy_of;
use super::approve::{self, Case};
use super::reconcile::Body;
use compare::Verdict;

/// Compares records of the audit log, oldest first, with every card that waits. One that can't be compared keeps the
/// others from nothing.
///
/// # Errors
/// When the store fails or the tenant can't be asked how an object stands now.
pub async fn look(app: &App, snapshot: &Snapshot, records: &[AuditRecord]) -> anyhow::Result<()> {
    let Some(graph) = app.graph.as_ref().filter(|_| !records.is_empty()) else { return Ok(()) };
    let mut failed = None;
    let suggested = suggested_edits(app).await?;
    for kept in app.store.approvals_in(app.tenant(), &["open", "snoozed"]).await? {
        let case = Case::load(app, kept).await?;
        let looking = Looking { graph, case: &case, snapshot, suggested: &suggested };
        let since = case.kept.created;
        match looking.event(records.iter().filter(|record| record.at >= since)).await {
            Ok(Some(event)) if !is_known(&case.state, &event) => _ = approve::happen(app, &case, &event).await?,
            Ok(_) => {}
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Every change that is or was suggested to a person.
async fn suggested_edits(app: &App) -> anyhow::Result<Vec<HandOver>> {
    let rows = app.store.suggestions(app.tenant()).await?;
    let bodies = rows.iter().filter_map(|row| Body::of(row).ok());
    let edits = bodies.filter_map(|body| match body.proposal.action {
        CureAction::HandOver(change) => Some(*change),
        CureAction::Draft(_) => None,
    });
    Ok(edits.collect())
}

/// A card, and the tenant in which a person may have done what it says.
#[derive(Clone, Copy)]
struct Looking<'a> {
    graph: &'a Client,
    case: &'a Case,
    snapshot: &'a Snapshot,
    suggested: &'a [HandOver],
}

impl<'a> Looking<'a> {
    /// What the records mean for the card. They say that somebody is at it; how it stands is read from the tenant, because
    /// what was done may be undone or spoilt by now.
    async fn event(self, records: impl Iterator<Item = &'a AuditRecord>) -> Result<Option<Event>, GraphError> {
        let mut otherwise = None;
        for about in self.about(records).await? {
            let Some(record) = about.last() else { continue };
            let policy_id = matches!(self.case.action, CureAction::Draft(_)).then(|| record.target_id.clone());
            match self.stands(&about).await? {
                Verdict::Unrelated => {}
                Verdict::AsDescribed => return Ok(Some(Event::Done { record: audit_ref(record), policy_id })),
                Verdict::Differs(differs) => {
                    let tried = Tried { record: audit_ref(record), object: record.target_id.clone(), differs };
                    otherwise = otherwise.filter(|other: &Tried| other.record.at > tried.record.at).or(Some(tried));
                }
            }
        }
        Ok(otherwise.map(Event::DoneOtherwise))
    }

    /// The records of each object that somebody changed as the card asks for it, or meant to, from that change on.
    async fn about(
        self,
        records: impl Iterator<Item = &'a AuditRecord>,
    ) -> Result<Vec<Vec<&'a AuditRecord>>, GraphError> {
        let mut about: Vec<Vec<&AuditRecord>> = Vec::new();
        let leave = matches!(&self.case.action, CureAction::HandOver(change) if !change.members.is_empty());
        for record in records {
            let same = |known: &&mut Vec<&AuditRecord>| known.iter().any(|one| one.target_id == record.target_id);
            if !leave && let Some(known) = about.iter_mut().find(same) {
                known.push(record);
            } else if self.is_meant(record).await? {
                match about.first_mut() {
                    // Whoever leaves, it is about the one group.
                    Some(known) if leave => known.push(record),
                    _ => about.push(vec![record]),
                }
            }
        }
        Ok(about)
    }

    /// Whether a change is what the card asks for, or meant as that.
    async fn is_meant(self, record: &AuditRecord) -> Result<bool, GraphError> {
        let verdict = match &self.case.action {
            CureAction::Draft(draft) => self.is_new(draft, record).await?,
            CureAction::HandOver(change) if !change.members.is_empty() => {
                return Ok(leaves(record, change, self.snapshot));
            }
            CureAction::HandOver(change) if record.target_id != change.target_id => return Ok(false),
            CureAction::HandOver(change) => match change.request.as_ref().map(|(method, ..)| method.as_str()) {
                Some("DELETE") => return Ok(is(record, "delete")),
                Some("PATCH") if change.target_kind != "Policy" => return Ok(!is(record, "delete")),
                Some("PATCH") if !is(record, "delete") => self.is_edit(change, record).await?,
                _ => return Ok(false),
            },
        };
        Ok(verdict != Verdict::Unrelated)
    }

    /// A new policy, or another change of one that somebody meant as the draft.
    async fn is_new(self, draft: &Policy, record: &AuditRecord) -> Result<Verdict, GraphError> {
        let tried = if let State::Open { tried, .. } = &self.case.state { tried.as_ref() } else { None };
        let again = tried.is_some_and(|tried| tried.object == record.target_id);
        if !again && !is(record, "add conditional access policy") {
            return Ok(Verdict::Unrelated);
        }
        let after = self.policy_after(record).await?;
        Ok(after.map_or(Verdict::Unrelated, |after| compare::created(draft, &after, (self.snapshot, again))))
    }

    async fn is_edit(self, change: &HandOver, record: &AuditRecord) -> Result<Verdict, GraphError> {
        let (old, after) = (self.policy_before(record), self.policy_after(record).await?);
        let (Some(old), Some(after)) = (old, after) else { return Ok(Verdict::Unrelated) };
        Ok(match compare::edited(change, (&old, &after), self.snapshot) {
            Verdict::Differs(_) if self.is_another(change, (&old, &after)) => Verdict::Unrelated,
            verdict => verdict,
        })
    }

    /// Whether an edit is exactly what another suggestion asks for of the same policy: no attempt at this one, whose card
    /// goes out of date by it like any other.
    fn is_another(self, change: &HandOver, (old, after): (&Policy, &Policy)) -> bool {
        let others = self.suggested.iter().filter(|other| other.target_id == change.target_id && *other != change);
        others.into_iter().any(|other| compare::edited(other, (old, after), self.snapshot) == Verdict::AsDescribed)
    }

    /// How the tenant stands now, in five readings that agree, beside what the card asks for.
    async fn stands(self, about: &[&AuditRecord]) -> Result<Verdict, GraphError> {
        let Some(first) = about.first() else { return Ok(Verdict::Unrelated) };
        let (graph, snapshot) = (self.graph, self.snapshot);
        let change = match &self.case.action {
            CureAction::Draft(draft) => {
                let now = graph.settled(|| graph.policy(&first.target_id)).await?;
                return Ok(now.map_or(Verdict::Unrelated, |now| compare::created(draft, &now, (snapshot, true))));
            }
            CureAction::HandOver(change) => change,
        };
        if !change.members.is_empty() {
            let now = graph.settled(|| graph.members_below(&change.target_id)).await?;
            return Ok(now.map_or(Verdict::Unrelated, |now| compare::left(&change.members, &now, snapshot)));
        }
        let Some((method, path, body)) = &change.request else { return Ok(Verdict::Unrelated) };
        if method == "PATCH" && change.target_kind == "Policy" {
            let now = graph.settled(|| graph.policy(&change.target_id)).await?;
            let (Some(old), Some(now)) = (self.policy_before(first), now) else { return Ok(Verdict::Unrelated) };
            return Ok(compare::edited(change, (&old, &now), snapshot));
        }
        let now = graph.settled(|| graph.object(path)).await?;
        Ok(match now {
            None if method == "DELETE" => Verdict::AsDescribed,
            Some(now) if method == "PATCH" => compare::held(body, &now),
            _ => Verdict::Unrelated,
        })
    }

    /// The policy before the change: as the log tells it, and where the log cuts it short, as it was read last.
    fn policy_before(self, record: &AuditRecord) -> Option<Policy> {
        logged(record).0.or_else(|| self.snapshot.policy(&record.target_id).cloned())
    }

    /// The policy after the change: as the log tells it, and where the log cuts it short, as it stands now.
    async fn policy_after(self, record: &AuditRecord) -> Result<Option<Policy>, GraphError> {
        match logged(record).1 {
            Some(policy) => Ok(Some(policy)),
            None => match self.graph.policy(&record.target_id).await {
                // What is gone in the meantime can't be compared any more.
                Err(GraphError::NotFound { .. }) => Ok(None),
                read => read.map(Some),
            },
        }
    }
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
