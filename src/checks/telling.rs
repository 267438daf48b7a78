//! Which one of many causes to tell: the one thing that stands between accounts and a policy.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::engine::coverage::{Plain, Why};
use crate::engine::{Cause, Gap, Reason};
use crate::tenant::Snapshot;
use crate::tenant::policy::PolicyState;

use super::gaps::Group;

/// The cause that says most about a gap: the one thing that stands between these accounts and a policy, if there is one.
pub(super) fn telling(gap: &Gap, snapshot: &Snapshot) -> Option<Cause> {
    let alone = |cause: &Cause| gap.causes.iter().filter(|other| other.policy_id == cause.policy_id).count() == 1;
    let meant = |id: &str| gap.causes.iter().any(|cause| is_for(cause, id, snapshot));
    let rank = |cause: &Cause| match &cause.reason {
        _ if !alone(cause) => TELLS_NOTHING,
        Reason::ExcludedGroup(id) if meant(id) => MEANT,
        _ => rank(cause, snapshot),
    };
    gap.causes
        .iter()
        .map(|cause| (rank(cause), cause))
        .filter(|(rank, _)| *rank < TELLS_NOTHING)
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, cause)| cause.clone())
}

/// Causes of this rank and above explain nothing.
const TELLS_NOTHING: u8 = 7;

/// The rank of being excluded through a group that has a policy of its own.
const MEANT: u8 = 3;

/// How much a cause says, the most telling first.
fn rank(cause: &Cause, snapshot: &Snapshot) -> u8 {
    match &cause.reason {
        Reason::ExcludedUser | Reason::ExcludedGroup(_) | Reason::ExcludedRole(_) | Reason::ExcludedGuests => 0,
        Reason::WeakerControl(_) => 1,
        Reason::ReportOnly => 2,
        Reason::ExcludedApp => 4,
        Reason::NarrowerConditions(_) if is_general(cause, snapshot) => 5,
        Reason::UsersNotIncluded | Reason::Off | Reason::NoPolicy => 6,
        Reason::NarrowerConditions(_) | Reason::AppNotIncluded | Reason::Undecided(_) => TELLS_NOTHING,
    }
}

/// Whether the policy of a cause is made for this group: it is excluded from another one because it has its own.
fn is_for(cause: &Cause, group: &str, snapshot: &Snapshot) -> bool {
    let policy = cause.policy_id.as_deref().and_then(|id| snapshot.policy(id));
    policy.is_some_and(|policy| policy.conditions.users.include.groups.contains(group))
}

/// Gives every account the cause that says most, for accounts that all have the same gap: cause by cause, by sets.
pub(super) fn plain_groups(plain: &Plain<'_>, mut left: RoaringBitmap, snapshot: &Snapshot) -> Vec<Group> {
    let humans = left.clone();
    // Those with something better than a policy that is about others.
    let better = LazyCell::new(|| {
        let whys = plain.whys.iter().filter(|why| !why.beside);
        whys.fold(RoaringBitmap::new(), |all, why| all | plain.of(why, &humans))
    });
    let meant = |id: &str| {
        let whys = plain.whys.iter().filter(|why| !why.beside && is_for(&why.cause, id, snapshot));
        whys.fold(RoaringBitmap::new(), |all, why| all | plain.of(why, &humans))
    };
    let mut tried: Vec<(u8, &Why, Option<bool>)> = Vec::new();
    for why in plain.whys.iter().filter(|why| why.alone) {
        match (&why.cause.reason, rank(&why.cause, snapshot)) {
            (Reason::ExcludedGroup(_), rank) => tried.extend([(rank, why, Some(false)), (MEANT, why, Some(true))]),
            (_, TELLS_NOTHING..) => {}
            (_, rank) => tried.push((rank, why, None)),
        }
    }
    tried.sort_by_key(|(rank, ..)| *rank);
    let mut groups: BTreeMap<Option<Cause>, RoaringBitmap> = BTreeMap::new();
    for (_, why, wants_meant) in tried {
        let mut users = plain.of(why, &left);
        if let (Some(wanted), Reason::ExcludedGroup(id)) = (wants_meant, &why.cause.reason) {
            users = if wanted { users & meant(id) } else { users - meant(id) };
        }
        if why.beside && !users.is_empty() {
            users -= &*better;
        }
        left -= &users;
        if !users.is_empty() {
            *groups.entry(Some(why.cause.clone())).or_default() |= users;
        }
    }
    if !left.is_empty() {
        groups.insert(None, left);
    }
    in_order(groups.into_iter().map(|(cause, users)| ((cause, Arc::new(BTreeSet::new())), users)))
}

/// A policy that is On and about all resources.
fn is_general(cause: &Cause, snapshot: &Snapshot) -> bool {
    let policy = cause.policy_id.as_deref().and_then(|id| snapshot.policy(id));
    policy.is_some_and(|policy| policy.state == PolicyState::Enabled && policy.conditions.applications.all)
}

type Keyed = ((Option<Cause>, Arc<BTreeSet<String>>), RoaringBitmap);

/// Groups by size.
pub(super) fn in_order(groups: impl Iterator<Item = Keyed>) -> Vec<Group> {
    let none = || Cause { policy_id: None, reason: Reason::NoPolicy };
    let mut groups: Vec<Group> =
        groups.map(|((cause, apps), users)| Group { users, cause: cause.unwrap_or_else(none), apps }).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.users.len()));
    groups
}
