//! No policy says what others say already, could be one with another, or never applies.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use crate::engine::coverage::Needless;
use crate::engine::overlap::{Merge, NeverApplies, Overlap, Relation};
use crate::facts::{Fact, Term};
use crate::tenant::Policy;
use crate::tenant::policy::PolicyState;

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, hand_over, rows};

/// No policy says what others say already, could be one with another, or never applies.
#[derive(Debug)]
pub(super) struct OverlappingPolicies;

static ABOUT: About = About {
    id: "overlapping-policies",
    title: "Policies that overlap or never apply",
    severity: Severity::Low,
    rationale: "Each needless policy is one more to read when something goes wrong, and one more that is forgotten when the others change.",
    references: &[],
    see_also: &["MT.1184"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for OverlappingPolicies {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let mut gone = BTreeSet::new();
        let mut listed = Vec::new();
        for never in context.model.never_applying() {
            gone.insert(never.policy_id.clone());
            listed.extend(never_applies(&never, context));
        }
        for overlap in context.model.overlaps() {
            let fresh = !gone.contains(&overlap.policy_id) && !gone.contains(&overlap.other_id);
            let Some((id, one)) = fresh.then(|| overlaps(&overlap, context)).flatten() else { continue };
            gone.insert(id);
            // Each of two that become one is another policy then: a second merge would be with what it was.
            if matches!(overlap.relation, Relation::Mergeable(_)) {
                gone.extend([overlap.policy_id, overlap.other_id]);
            }
            listed.push(one);
        }
        listed.extend(context.model.needless(&gone).iter().filter_map(|needless| made_up_for(needless, context)));
        listing::finding(context, (ABOUT.id, "overlapping_policies"), listed)
    }
}

fn never_applies(never: &NeverApplies, context: &Context<'_>) -> Option<Listed> {
    let policy = context.model.snapshot.policy(&never.policy_id)?;
    let key = if never.for_now { "overlapping_policies.nobody_today" } else { "overlapping_policies.never" };
    Some(Listed {
        fact: Fact::new(key, context.evidence([rows::policy(policy)]))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("because", Term::Name(never.because.clone())),
        // It will apply as soon as somebody comes to be in the group or role.
        cure: if never.for_now { None } else { delete(policy) },
    })
}

/// What is said of a pair, with the id of the policy that would go.
fn overlaps(overlap: &Overlap, context: &Context<'_>) -> Option<(String, Listed)> {
    let snapshot = &context.model.snapshot;
    let (one, other) = (snapshot.policy(&overlap.policy_id)?, snapshot.policy(&overlap.other_id)?);
    let swap = overlap.relation == Relation::Identical && stands_behind(other, one);
    let (gone, kept) = if swap { (other, one) } else { (one, other) };
    let (key, cure) = match &overlap.relation {
        Relation::Identical => ("overlapping_policies.identical", delete(gone)),
        Relation::Redundant => ("overlapping_policies.redundant", delete(gone)),
        Relation::AlwaysBlocked => ("overlapping_policies.always_blocked", delete(gone)),
        Relation::Mergeable(merge) => {
            let title = format!("Merge {} into {}", kept.display_name, gone.display_name);
            (mergeable_key(merge), listing::hand_over(&gone.id, title, join(gone, kept, merge)))
        }
    };
    let differing = match &overlap.relation {
        Relation::Mergeable(merge) => merge.differing.as_slice(),
        _ => &[],
    };
    // Where a merged policy asks more of somebody, it is asked of the users of either.
    let by_users = differing.len() > 1 && differing.iter().any(|part| part == "Users");
    let accounts = if by_users {
        context.model.users_of(&one.id).1 | context.model.users_of(&other.id).1
    } else {
        RoaringBitmap::new()
    };
    let policies = [rows::policy(gone), rows::policy(kept)];
    let part = |at: usize| Term::Word(differing.get(at).cloned().unwrap_or_default());
    let fact = Fact::new(key, context.evidence(policies.into_iter().chain(rows::users(&accounts, snapshot, None))))
        .with("policy", Term::Name(gone.display_name.clone()))
        .with("other", Term::Name(kept.display_name.clone()))
        .with("differing", Term::Word(differing.join(", ")))
        .with("first", part(0))
        .with("second", part(1))
        .with("accounts", accounts.len());
    Some((gone.id.clone(), Listed { fact, cure }))
}

/// A policy that several others make needless together.
fn made_up_for(needless: &Needless, context: &Context<'_>) -> Option<Listed> {
    let snapshot = &context.model.snapshot;
    let policy = snapshot.policy(&needless.policy_id)?;
    let others: Vec<&Policy> = needless.others.iter().filter_map(|id| snapshot.policy(id)).collect();
    let evidence = context.evidence([policy].into_iter().chain(others.iter().copied()).map(rows::policy));
    let names: Vec<String> = others.iter().map(|other| other.display_name.clone()).collect();
    let fact = Fact::new("overlapping_policies.together", evidence)
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("others", Term::Names(names));
    Some(Listed { fact, cure: delete(policy) })
}

/// Of two policies that say the same, the one to go: the one that isn't On, or else the younger one.
fn stands_behind(policy: &Policy, other: &Policy) -> bool {
    let on = |policy: &Policy| policy.state == PolicyState::Enabled;
    if on(policy) == on(other) { policy.created > other.created } else { !on(policy) }
}

fn mergeable_key(merge: &Merge) -> &'static str {
    if merge.exact { "overlapping_policies.mergeable" } else { "overlapping_policies.stricter" }
}

fn delete(policy: &Policy) -> Option<super::Cure> {
    listing::hand_over(&policy.id, format!("Delete {}", policy.display_name), hand_over::delete_policy(policy))
}

/// The first policy becomes both, the second goes.
fn join(first: &Policy, second: &Policy, merge: &Merge) -> HandOver {
    let mut body = crate::tenant::write_policy(&merge.policy);
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| ["conditions", "grantControls", "sessionControls"].contains(&name.as_str()));
    }
    let change = |part: &String| (part.clone(), "of this policy alone".to_owned(), "of both policies".to_owned());
    let mut changes: Vec<_> = merge.differing.iter().map(change).collect();
    changes.push((
        format!("Policy {}", second.display_name),
        rows::state_word(second.state).to_owned(),
        "deleted afterwards".to_owned(),
    ));
    hand_over::edit_policy(first, changes, &body)
}
