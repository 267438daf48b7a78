//! What an edit of something that exists would have done to past sign-ins: a policy as it would be, or a policy for those
//! whom it would no longer leave out.

use std::collections::BTreeSet;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::answers::meant::{said, titled};
use crate::bot::answers::{Asked, scope};
use crate::bot::handed::compare::edited_policy;
use crate::bot::impact::{if_on, lockout};
use crate::bot::reconcile::Body;
use crate::checks::HandOver;
use crate::facts::{Fact, Term};
use crate::store::suggestions::Row;
use crate::tenant::Policy;
use crate::tenant::policy::{PolicyState, UserSide};

/// How many policies are judged: leaving a group may end many exclusions.
const JUDGED: usize = 4;

/// The edit with its effect on past sign-ins, policy by policy.
pub(super) fn told(asked: Asked<'_>, row: &Row, change: &HandOver) -> anyhow::Result<Answer> {
    let effects = effects(asked, change);
    if effects.is_empty() {
        return named(asked, row, change);
    }
    let mut answer = Answer::sentences(vec![headline(row)?]);
    for (key, policy) in effects.iter().take(JUDGED) {
        let head = Fact::new(key, asked.analysis.evidence([])).with("policy", Term::Name(policy.display_name.clone()));
        let facts = std::iter::once(head.must_show()).chain(if_on(asked.analysis, policy)).collect();
        answer = answer.part(Part::Sentences(facts));
        answer = answer.part(Part::Rows(vec![("Safety".into(), vec![lockout(asked.analysis, policy)])]));
    }
    let mut limits: Vec<String> =
        effects.iter().flat_map(|(_, policy)| asked.analysis.impact(policy).limits.clone()).collect();
    limits.sort_unstable();
    limits.dedup();
    limits
        .extend(effects.len().checked_sub(JUDGED).filter(|more| *more > 0).map(|more| format!("{more} more policies")));
    let limits = asked.not_checked(&limits).into_iter().chain([asked.read_at()]).collect();
    Ok(answer.part(Part::Limits(limits)).action(open(row)))
}

/// The edit without an effect on sign-ins that the log could show.
pub(super) fn named(asked: Asked<'_>, row: &Row, change: &HandOver) -> anyhow::Result<Answer> {
    let fact = said("impact.edit").with("target", Term::Name(change.target_name.clone()));
    Ok(Answer::sentences(vec![headline(row)?, fact, asked.read_at()]).action(open(row)))
}

fn open(row: &Row) -> crate::chat::card::Action {
    ask("Open", format!("propose S-{}", row.number))
}

/// The suggestion with what it rests on.
fn headline(row: &Row) -> anyhow::Result<Fact> {
    let facts = Body::of(row)?.proposal.facts;
    Ok(titled(row, facts.first().map(|fact| fact.evidence.clone()).unwrap_or_default()).must_show())
}

/// The policies that the edit would change or bring to bear, each with the words that introduce it.
fn effects(asked: Asked<'_>, change: &HandOver) -> Vec<(&'static str, Policy)> {
    let snapshot = asked.analysis.snapshot();
    if let Some(policy) = snapshot.policy(&change.target_id) {
        return edited_policy(change, policy).map(|policy| ("impact.edited", policy)).into_iter().collect();
    }
    if change.target_kind != "Group" || change.members.is_empty() {
        return Vec::new();
    }
    let on = snapshot.policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
    let freed = on.filter(|policy| policy.conditions.users.exclude.groups.contains(&change.target_id));
    freed.filter_map(|policy| Some(("impact.no_longer_excluded", for_leavers(asked, policy, change)?))).collect()
}

/// A policy without its exclusion of the group, for just those who would leave the group.
fn for_leavers(asked: Asked<'_>, policy: &Policy, change: &HandOver) -> Option<Policy> {
    let snapshot = asked.analysis.snapshot();
    let included = |id: &&String| {
        let index = snapshot.directory.user_index(id);
        index.is_some_and(|index| scope::way(&policy.conditions.users.include, index, snapshot).is_some())
    };
    let users: BTreeSet<String> = change.members.iter().filter(included).cloned().collect();
    let mut alone = policy.clone();
    alone.conditions.users.exclude.groups.remove(&change.target_id);
    alone.conditions.users.include = UserSide { users, ..UserSide::default() };
    (!alone.conditions.users.include.users.is_empty()).then_some(alone)
}
