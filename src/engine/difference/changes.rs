//! Which policies changed, and whom each reaches now or did before.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use super::{Change, What};
use crate::engine::machines::reaches_agent_user;
use crate::engine::{Model, variant};
use crate::tenant::policy::{Applications, Conditions, PolicyState, Users};
use crate::tenant::version::canonical_conditions;
use crate::tenant::{Policy, Snapshot};

/// Object ids of policies that differ, On on either side, and that are about agents' accounts or how an agent takes part.
pub(super) fn not_compared(before: &Model, after: &Model) -> BTreeSet<String> {
    let sides = [(before, after), (after, before)];
    let of = |(here, there): (&Model, &Model)| -> Vec<String> {
        let differs = |policy: &&Policy| there.snapshot.policy(&policy.id).is_none_or(|other| !same(policy, other));
        let open = here.snapshot.policies.iter().filter(|policy| policy.state == PolicyState::Enabled);
        open.filter(|policy| is_about_agents(policy)).filter(differs).map(|policy| policy.id.clone()).collect()
    };
    sides.into_iter().flat_map(of).collect()
}

fn same(one: &Policy, other: &Policy) -> bool {
    one.state == other.state && one.rules() == other.rules()
}

fn is_about_agents(policy: &Policy) -> bool {
    let conditions = &policy.conditions;
    let risk = !conditions.agent_risk.is_empty() && conditions.client_applications.is_none();
    risk || conditions.agents.is_some() || conditions.agent_contexts.is_some() || reaches_agent_user(policy, None)
}

fn ids(snapshot: &Snapshot, positions: &RoaringBitmap) -> BTreeSet<String> {
    positions.iter().filter_map(|position| Some(snapshot.directory.user_at(position)?.id.to_string())).collect()
}

pub(super) fn changes(before: &Model, after: &Model) -> Vec<Change> {
    let by_id = |model: &Model| {
        let policies = model.snapshot.policies.iter().enumerate();
        policies.map(|(at, policy)| (variant::draft_id(policy).to_owned(), at)).collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (by_id(before), by_id(after));
    let all = old.keys().chain(new.keys()).collect::<BTreeSet<_>>();
    let change = |id: &String| change(id, old.get(id).map(|at| (before, *at)), new.get(id).map(|at| (after, *at)));
    all.into_iter().filter_map(change).collect()
}

fn change(id: &str, old: Option<(&Model, usize)>, new: Option<(&Model, usize)>) -> Option<Change> {
    let policy = |side: Option<(&Model, usize)>| side.and_then(|(model, at)| model.snapshot.policies.get(at).cloned());
    let (was, is) = (policy(old), policy(new));
    let (reached_before, perhaps_before) = old.map(|(model, at)| reach(model, at)).unwrap_or_default();
    let (reached_after, perhaps_after) = new.map(|(model, at)| reach(model, at)).unwrap_or_default();
    let gained = &reached_after - &perhaps_before;
    let lost = &reached_before - &perhaps_after;
    let mut what = what(was.as_ref(), is.as_ref());
    let on = |policy: Option<&Policy>| policy.is_some_and(|policy| policy.state == PolicyState::Enabled);
    let weakened = on(was.as_ref()) && what.iter().any(|what| !matches!(what, What::Renamed | What::Added));
    if what.is_empty() && !(gained.is_empty() && lost.is_empty()) {
        what.insert(What::Members);
    }
    let name = is.or(was).map(|policy| policy.display_name).unwrap_or_default();
    (!what.is_empty()).then(|| Change { policy_id: id.to_owned(), name, what, gained, lost, weakened })
}

/// The enabled accounts that a policy that is On surely reaches, and all that it possibly does: who is disabled meanwhile is
/// not let go by the policy.
fn reach(model: &Model, at: usize) -> (BTreeSet<String>, BTreeSet<String>) {
    let on = model.snapshot.policies.get(at).is_some_and(|policy| policy.state == PolicyState::Enabled);
    let Some(users) = model.users.get(at).filter(|_| on) else { return <_>::default() };
    let (surely, possibly) = model.positions(users);
    (ids(&model.snapshot, &(surely & &model.account_sets().enabled)), ids(&model.snapshot, &possibly))
}

fn what(was: Option<&Policy>, is: Option<&Policy>) -> BTreeSet<What> {
    let (was, is) = match (was, is) {
        (Some(was), Some(is)) => (was, is),
        (None, Some(_)) => return BTreeSet::from([What::Added]),
        (Some(_), None) => return BTreeSet::from([What::Removed]),
        (None, None) => return BTreeSet::new(),
    };
    let canonical = |policy: &Policy| canonical_conditions(&policy.conditions);
    let (old, new) = (canonical(was), canonical(is));
    let rest = |conditions: &Conditions| Conditions {
        users: Users::default(),
        applications: Applications::default(),
        ..conditions.clone()
    };
    let parts = [
        (What::Renamed, was.display_name != is.display_name),
        (What::State, was.state != is.state),
        (What::Users, old.users != new.users),
        (What::TargetResources, old.applications != new.applications),
        (What::Conditions, rest(&old) != rest(&new) || was.undecided != is.undecided),
        (What::Grant, was.grant != is.grant),
        (What::Session, was.session != is.session),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}
