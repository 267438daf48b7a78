//! Sees to it that an edit of a policy which is offered does no harm: what the lint objects to is mended in the same change,
//! and an edit after which no administrator could sign in is not offered.

use serde_json::{Value, json};

use crate::engine::Truth;
use crate::suggestions::lint::{Level, lint, reaches_emergency_access};
use crate::tenant::policy::PolicyState;
use crate::tenant::{Policy, Snapshot, write_policy};

use super::dangling_references::without_gone;
use super::{Context, Cure, CureAction, Finding, HandOver, drafts, hand_over};

/// What has to be mended before, in the changes of a hand-over.
pub const BEFORE: &str = "Before";

/// The finding with the edits that may be offered, as they may be.
pub(super) fn harmless(mut finding: Finding, context: &Context<'_>) -> Finding {
    let mut kept = Vec::new();
    for cure in std::mem::take(&mut finding.cures) {
        match mend(cure, context) {
            Ok(cure) => kept.push(cure),
            Err(title) => finding.not_checked.push(format!(
                "\"{title}\" is not suggested, because no administrator beside emergency access could sign in any more"
            )),
        }
    }
    finding.cures = kept;
    finding
}

/// The cure with its edit mended; its title where it may not be offered.
fn mend(cure: Cure, context: &Context<'_>) -> Result<Cure, String> {
    let snapshot = &context.model.snapshot;
    let CureAction::HandOver(change) = &cure.action else { return Ok(cure) };
    let Some(before) = snapshot.policy(&change.target_id).filter(|_| enforces(change)) else { return Ok(cure) };
    let Some(after) = hand_over::edited_policy(change, before) else { return Ok(cure) };
    if after.state != PolicyState::Enabled {
        return Ok(cure);
    }
    let mended = mended(before, &after, snapshot);
    if context.model.would_lock_out_everyday_administrators(&mended) {
        return Err(cure.title);
    }
    let action =
        if mended == after { (**change).clone() } else { rewritten(change, (before, &after, &mended), snapshot) };
    Ok(Cure { action: CureAction::HandOver(Box::new(action)), ..cure })
}

/// Whether an edit changes more than a name.
#[must_use]
pub fn enforces(change: &HandOver) -> bool {
    let body = change.request.as_ref().map(|(_, _, body)| body);
    ["state", "conditions", "grantControls", "sessionControls"]
        .iter()
        .any(|part| body.is_some_and(|body| body.get(part).is_some()))
}

/// The policy as the edit has to leave it: emergency access left alone, nothing named that was deleted, and of what only a
/// person can do, once it is turned On, those accounts left out that the tenant sets apart.
pub(super) fn mended(before: &Policy, after: &Policy, snapshot: &Snapshot) -> Policy {
    let mut mended = without_gone(after, snapshot).unwrap_or_else(|| after.clone());
    let turned_on = before.state != PolicyState::Enabled;
    let exclude = &mut mended.conditions.users.exclude;
    if turned_on && drafts::asks_a_person(after) {
        exclude.groups.extend(drafts::set_apart(snapshot));
    }
    if reaches_emergency_access(&mended, snapshot) != Truth::No {
        let emergency = drafts::exclusions(snapshot);
        mended.conditions.users.exclude.groups.extend(emergency.groups);
        mended.conditions.users.exclude.users.extend(emergency.users);
    }
    mended
}

/// Whether Graph or plain sense would refuse the policy as an edit leaves it. That a tenant is full says nothing against one.
#[must_use]
pub fn is_refused(after: &Policy, snapshot: &Snapshot) -> bool {
    const FULL: u8 = 39;
    // That drafts are created in report-only says nothing about a policy which is On.
    let after = Policy { state: PolicyState::ReportOnly, ..after.clone() };
    lint(&after, snapshot).iter().any(|objection| objection.level == Level::Error && objection.rule != FULL)
}

/// The change that leaves the policy mended, and says what it mends.
fn rewritten(change: &HandOver, (before, after, mended): (&Policy, &Policy, &Policy), snapshot: &Snapshot) -> HandOver {
    let mut body = change.request.as_ref().map_or(Value::Null, |(_, _, body)| body.clone());
    if let Some(members) = body.as_object_mut() {
        members.insert("conditions".to_owned(), write_policy(mended).get("conditions").cloned().unwrap_or(json!({})));
    }
    let errors = |policy: &Policy| {
        let found = lint(policy, snapshot).into_iter().filter(|objection| objection.level == Level::Error);
        found.map(|objection| objection.message).collect::<Vec<_>>()
    };
    let (found, left) = (errors(after), errors(mended));
    let told = |(label, words, _): &&(String, String, String)| label != BEFORE || left.contains(words);
    let mut changes: Vec<_> = change.changes.iter().filter(told).cloned().collect();
    let cured = found.into_iter().filter(|message| !left.contains(message));
    changes.extend(cured.map(|message| (BEFORE.to_owned(), message, "mended in the same change".to_owned())));
    let (had, has) = (&after.conditions.users.exclude.groups, &mended.conditions.users.exclude.groups);
    let set_apart = drafts::set_apart(snapshot);
    let apart: Vec<&String> = has.difference(had).filter(|id| set_apart.contains(*id)).collect();
    let name =
        |id: &String| snapshot.directory.groups.get(id).map_or_else(|| id.clone(), |group| group.display_name.clone());
    if !apart.is_empty() {
        let names = hand_over::names(apart.into_iter().map(name));
        changes.push((
            BEFORE.to_owned(),
            format!("{names} can't do what it asks"),
            "excluded in the same change".to_owned(),
        ));
    }
    HandOver { portal: change.portal.clone(), ..hand_over::edit_policy(before, changes, &body) }
}
