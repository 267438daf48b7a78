//! By which memberships accounts are in a group, and whether anything else hangs on a group: what decides how people may be
//! taken out of one without harm.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use crate::tenant::policy::PolicyState;
use crate::tenant::{Group, Policy, Snapshot};

use super::policies;

/// The memberships (group, member) that have to end so that these accounts leave a group: their own, and the one of each
/// nested group that holds nobody else. Out of another nested group they are taken themselves; none where something hangs
/// on that one, or where nobody knows who is in it.
pub(super) fn memberships(
    group: &Group,
    leaving: &RoaringBitmap,
    snapshot: &Snapshot,
) -> Option<BTreeSet<(String, String)>> {
    let mut walk = Walk { leaving, snapshot, seen: BTreeSet::new(), ends: BTreeSet::new() };
    walk.group(group)?;
    Some(walk.ends)
}

struct Walk<'a> {
    leaving: &'a RoaringBitmap,
    snapshot: &'a Snapshot,
    seen: BTreeSet<String>,
    ends: BTreeSet<(String, String)>,
}

impl Walk<'_> {
    fn group(&mut self, group: &Group) -> Option<()> {
        let directory = &self.snapshot.directory;
        if !self.seen.insert(group.id.clone()) {
            return Some(());
        }
        let own = (&*group.members & self.leaving).into_iter().filter_map(|position| directory.user_at(position));
        self.ends.extend(own.map(|user| (group.id.clone(), user.id.to_string())));
        for nested in group.member_groups.iter().filter_map(|id| directory.groups.get(id)) {
            let within = nested.transitive.as_deref()?;
            if within.is_disjoint(self.leaving) {
                continue;
            }
            if enabled(within, self.snapshot).is_subset(self.leaving) {
                self.ends.insert((group.id.clone(), nested.id.clone()));
            } else if nested.membership_rule.is_some() || is_needed(nested, &[], self.snapshot) {
                return None;
            } else {
                self.group(nested)?;
            }
        }
        Some(())
    }
}

/// Those of these accounts that can sign in.
pub(super) fn enabled(set: &RoaringBitmap, snapshot: &Snapshot) -> RoaringBitmap {
    set.iter().filter(|position| snapshot.directory.user_at(*position).is_some_and(|user| user.enabled)).collect()
}

/// Whether something hangs on being in a group, beside the exclusion from `policies`: a role, a policy that includes it, or
/// one that would block people if it didn't exclude it. Whoever leaves it would lose that.
pub(super) fn is_needed(group: &Group, policies: &[&Policy], snapshot: &Snapshot) -> bool {
    let around = around(&group.id, snapshot);
    let role = snapshot.directory.role_assignments.iter().any(|held| around.contains(&held.principal_id));
    let named = |ids: &BTreeSet<String>| !ids.is_disjoint(&around);
    let others = snapshot
        .policies
        .iter()
        .filter(|policy| policy.state != PolicyState::Disabled && !policies.iter().any(|known| known.id == policy.id));
    let hangs = |policy: &Policy| {
        let users = &policy.conditions.users;
        named(&users.include.groups) || (policies::blocks(policy) && named(&users.exclude.groups))
    };
    role || others.into_iter().any(hangs)
}

/// A group, and all groups in which it is nested.
fn around(id: &str, snapshot: &Snapshot) -> BTreeSet<String> {
    let mut all = BTreeSet::from([id.to_owned()]);
    let mut open = vec![id.to_owned()];
    while let Some(inner) = open.pop() {
        let outer = snapshot.directory.groups.values().filter(|group| group.member_groups.contains(&inner));
        for group in outer {
            if all.insert(group.id.clone()) {
                open.push(group.id.clone());
            }
        }
    }
    all
}
