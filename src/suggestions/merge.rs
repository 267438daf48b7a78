//! Several findings that lead to one cure are one suggestion, which names every check that found it.
//!
//! Without this, taking people out of one exclusion group would be suggested under each check that misses them.

use roaring::RoaringBitmap;

use crate::checks::{CureAction, HandOver, hand_over};
use crate::facts::Fact;
use crate::tenant::Snapshot;

use super::Proposal;

/// The same proposals, each action on each object once, in the order in which they first appear.
#[must_use]
pub fn merged(proposals: Vec<Proposal>, snapshot: &Snapshot) -> Vec<Proposal> {
    let mut kept: Vec<Proposal> = Vec::new();
    for proposal in proposals {
        match kept.iter_mut().find(|known| same_cure(&known.action, &proposal.action)) {
            Some(known) => {
                let (first, second) = if proposal.severity > known.severity {
                    (proposal, known.clone())
                } else {
                    (known.clone(), proposal)
                };
                *known = join(first, second, snapshot);
            }
            None => kept.push(proposal),
        }
    }
    kept
}

/// Whether one change settles both. People who leave the same group leave it once, however many checks miss them.
fn same_cure(one: &CureAction, other: &CureAction) -> bool {
    match (one, other) {
        (CureAction::Draft(one), CureAction::Draft(other)) => one.same_meaning(other),
        (CureAction::HandOver(one), CureAction::HandOver(other)) => {
            let same_target = one.target_id == other.target_id && one.target_kind == other.target_kind;
            let leave = !one.members.is_empty() && !other.members.is_empty();
            same_target && one.request == other.request && (leave || fields(one) == fields(other))
        }
        _ => false,
    }
}

/// What changes, without what has to be mended before.
fn fields(change: &HandOver) -> Vec<&(String, String, String)> {
    change.changes.iter().filter(|(label, ..)| label != "Before").collect()
}

/// The first with what the second found: its checks, its headline, what it didn't check, whom it takes out.
fn join(mut first: Proposal, second: Proposal, snapshot: &Snapshot) -> Proposal {
    if !(first.why.is_empty() && second.why.is_empty()) {
        first.why = reasons(&first, &second);
    }
    first.partly.extend(second.partly);
    first.facts.extend(second.facts.into_iter().take(second.checks.len()));
    let checks = second.checks.into_iter().filter(|check| !first.checks.contains(check)).collect::<Vec<_>>();
    first.checks.extend(checks);
    let limits = second.not_checked.into_iter().filter(|limit| !first.not_checked.contains(limit)).collect::<Vec<_>>();
    first.not_checked.extend(limits);
    if let (CureAction::HandOver(one), CureAction::HandOver(other)) = (&first.action, &second.action)
        && let Some((title, change)) = leave(one, other, snapshot)
    {
        first.title = title;
        first.action = CureAction::HandOver(Box::new(change));
    }
    first
}

/// What either mends; of a whole finding its headline, and what both say once.
fn reasons(first: &Proposal, second: &Proposal) -> Vec<Fact> {
    let own = |proposal: &Proposal| {
        let whole = proposal.why.is_empty();
        proposal.reasons().iter().take(if whole { 1 } else { usize::MAX }).cloned().collect::<Vec<_>>()
    };
    let mut all = own(first);
    for fact in own(second) {
        if !all.iter().any(|known| known.key == fact.key && known.terms == fact.terms) {
            all.push(fact);
        }
    }
    all
}

/// Everybody whom either takes out of the group.
fn leave(one: &HandOver, other: &HandOver, snapshot: &Snapshot) -> Option<(String, HandOver)> {
    let group = snapshot.directory.groups.get(&one.target_id)?;
    let ids = one.members.iter().chain(&other.members);
    let leaving: RoaringBitmap = ids.filter_map(|id| snapshot.directory.user_index(id)).collect();
    (!leaving.is_empty())
        .then(|| (hand_over::leave_title(group, leaving.len()), hand_over::leave_group(group, &leaving, snapshot)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Severity;
    use crate::facts::Evidence;
    use crate::tenant::{Group, SnapshotBuilder, User};

    fn snapshot() -> Snapshot {
        let mut builder = SnapshotBuilder::default();
        for id in ["u1", "u2", "u3"] {
            builder.user(User { id: id.into(), enabled: true, ..User::default() });
        }
        let members = ["u1", "u2", "u3"].map(|id| serde_json::json!(id));
        let group = serde_json::json!({"id": "g", "displayName": "CA-Excl", "members": members});
        builder.group(crate::tenant::read::read_group(&group).unwrap());
        builder.build()
    }

    fn leaving(check: &str, severity: Severity, users: &[&str]) -> Proposal {
        let snapshot = snapshot();
        let group: &Group = snapshot.directory.groups.get("g").unwrap();
        let set: RoaringBitmap = users.iter().filter_map(|id| snapshot.directory.user_index(id)).collect();
        Proposal {
            fingerprint: super::super::fingerprint(check, "g"),
            check: check.into(),
            checks: vec![check.into()],
            subject: "g".into(),
            severity,
            title: hand_over::leave_title(group, set.len()),
            action: CureAction::HandOver(Box::new(hand_over::leave_group(group, &set, &snapshot))),
            facts: vec![Fact::new(check, Evidence::default()), Fact::new("cause.excluded_group", Evidence::default())],
            why: Vec::new(),
            partly: std::collections::BTreeSet::new(),
            not_checked: vec!["guests".into()],
            leaving: None,
        }
    }

    #[test]
    fn one_group_under_three_checks_is_one_suggestion_for_everybody_in_question() {
        let found = vec![
            leaving("admins", Severity::High, &["u1"]),
            leaving("everybody", Severity::Critical, &["u1", "u2"]),
            leaving("growth", Severity::Medium, &["u3"]),
        ];
        let merged = merged(found, &snapshot());
        let [one] = &merged[..] else { panic!("one suggestion: {merged:?}") };
        assert_eq!(one.title, "Take 3 accounts out of CA-Excl");
        assert_eq!(one.checks, ["everybody", "admins", "growth"]);
        assert_eq!((one.check.as_str(), one.severity), ("everybody", Severity::Critical));
        let headlines: Vec<&str> = one.facts.iter().map(|fact| fact.key.as_str()).collect();
        assert_eq!(headlines, ["everybody", "cause.excluded_group", "admins", "growth"]);
        assert_eq!(one.not_checked, ["guests"]);
        let CureAction::HandOver(change) = &one.action else { panic!("a hand-over") };
        assert_eq!(change.members, ["u1", "u2", "u3"]);
    }

    #[test]
    fn different_changes_of_one_policy_stay_apart() {
        let policy = crate::tenant::Policy { id: "p".into(), ..Default::default() };
        let edit = |action: HandOver| Proposal {
            action: CureAction::HandOver(Box::new(action)),
            ..leaving("mfa", Severity::High, &["u1"])
        };
        let (on, off) = (edit(hand_over::turn_on(&policy)), edit(hand_over::delete_policy(&policy)));
        assert_eq!(merged(vec![on.clone(), off.clone(), on], &snapshot()).len(), 2);
    }
}
