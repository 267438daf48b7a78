//! Which one of many causes to tell: the one thing that stands between accounts and a policy.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::engine::coverage::{Place, Reasons, Why};
use crate::engine::{Cause, Gap, Reason};
use crate::tenant::Snapshot;
use crate::tenant::policy::PolicyState;

use super::gaps::Apps;

/// Causes of this rank and above explain nothing.
pub(super) const TELLS_NOTHING: u8 = 7;

/// The rank of being excluded through a group that has a policy of its own.
const MEANT: u8 = 3;

/// How much a cause says, the most telling first.
pub(super) fn rank(cause: &Cause, snapshot: &Snapshot) -> u8 {
    match &cause.reason {
        Reason::ExcludedUser | Reason::ExcludedGroup(_) | Reason::ExcludedRole(_) | Reason::ExcludedGuests => 0,
        Reason::WeakerControl(_) => 1,
        Reason::ReportOnly => 2,
        Reason::ExcludedApp | Reason::SparedApp => 4,
        Reason::NarrowerConditions(_) if is_on(cause, snapshot) => 5,
        Reason::UsersNotIncluded | Reason::Off | Reason::NoPolicy => 6,
        Reason::NarrowerConditions(_) | Reason::AppNotIncluded | Reason::Undecided(_) => TELLS_NOTHING,
    }
}

/// A policy that is On. What it is about is what is asked for, where its conditions alone stand in the way.
fn is_on(cause: &Cause, snapshot: &Snapshot) -> bool {
    let policy = cause.policy_id.as_deref().and_then(|id| snapshot.policy(id));
    policy.is_some_and(|policy| policy.state == PolicyState::Enabled)
}

/// Whether the policy of a cause is made for this group: it is excluded from another one because it has its own.
fn is_for(cause: &Cause, group: &str, snapshot: &Snapshot) -> bool {
    let policy = cause.policy_id.as_deref().and_then(|id| snapshot.policy(id));
    policy.is_some_and(|policy| policy.conditions.users.include.groups.contains(group))
}

/// The causes of a gap that are the only one of their policy.
pub(super) fn alone(gap: &Gap) -> Vec<&Cause> {
    let mut times: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    gap.causes.iter().for_each(|cause| *times.entry(cause.policy_id.as_deref()).or_default() += 1);
    let only = |cause: &&Cause| times.get(&cause.policy_id.as_deref()) == Some(&1);
    gap.causes.iter().filter(only).collect()
}

/// The cause that says most about a gap: the one thing that stands between these accounts and a policy, if there is one.
fn telling(gap: &Gap, snapshot: &Snapshot) -> Option<Cause> {
    let meant = |id: &str| gap.causes.iter().any(|cause| is_for(cause, id, snapshot));
    let rank = |cause: &Cause| match &cause.reason {
        Reason::ExcludedGroup(id) if meant(id) => MEANT,
        _ => rank(cause, snapshot),
    };
    alone(gap)
        .into_iter()
        .map(|cause| (rank(cause), cause))
        .filter(|(rank, _)| *rank < TELLS_NOTHING)
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, cause)| cause.clone())
}

/// Accounts by the cause that says most, and the apps that they reach; every account once, so that the numbers add up.
pub(super) struct Told<'a> {
    snapshot: &'a Snapshot,
    /// Who hasn't been given a cause yet.
    pub(super) left: RoaringBitmap,
    groups: BTreeMap<(Option<Cause>, Apps), RoaringBitmap>,
}

impl<'a> Told<'a> {
    /// Nobody has a cause yet.
    pub(super) fn new(left: RoaringBitmap, snapshot: &'a Snapshot) -> Self {
        Self { snapshot, left, groups: BTreeMap::new() }
    }

    /// Gives those who have a gap the cause that says most about it.
    pub(super) fn by_gap(&mut self, gap: &Gap, apps: &Apps) {
        let users = &gap.users & &self.left;
        if !users.is_empty() {
            self.note(telling(gap, self.snapshot), apps, users);
        }
    }

    /// Gives everybody at a place the cause that says most about it: cause by cause, by sets.
    pub(super) fn by_place(&mut self, place: &Place, reasons: &mut Reasons<'_>) {
        let here = &place.users & &self.left;
        if here.is_empty() {
            return;
        }
        let whys = reasons.at(place, None);
        // Those with something better than a policy that is about others.
        let better = LazyCell::new(|| together(reasons, whys.iter().filter(|why| !why.beside), &here));
        let mut left = here.clone();
        for (why, meant) in self.tried(&whys) {
            if left.is_empty() {
                break;
            }
            let mut users = reasons.users(why, &left);
            if let (Some(meant), Reason::ExcludedGroup(id)) = (meant, &why.cause.reason) {
                let own = whys.iter().filter(|why| !why.beside && is_for(&why.cause, id, self.snapshot));
                let own = together(reasons, own, &users);
                users = if meant { own } else { users - own };
            }
            if why.beside && !users.is_empty() {
                users -= &*better;
            }
            left -= &users;
            if !users.is_empty() {
                self.note(Some(why.cause.clone()), &Apps::default(), users);
            }
        }
        if !left.is_empty() {
            self.note(None, &Apps::default(), left);
        }
    }

    /// The causes that say something, most telling first. One by a group counts less for whom the group has a policy of
    /// its own, so it is tried twice: for those who have none, and for those who have.
    fn tried<'w>(&self, whys: &'w [Why]) -> Vec<(&'w Why, Option<bool>)> {
        let mut tried: Vec<(u8, &Why, Option<bool>)> = Vec::new();
        for why in whys.iter().filter(|why| why.alone) {
            match (&why.cause.reason, rank(&why.cause, self.snapshot)) {
                (Reason::ExcludedGroup(_), rank) => tried.extend([(rank, why, Some(false)), (MEANT, why, Some(true))]),
                (_, TELLS_NOTHING..) => {}
                (_, rank) => tried.push((rank, why, None)),
            }
        }
        tried.sort_by_key(|(rank, ..)| *rank);
        tried.into_iter().map(|(_, why, meant)| (why, meant)).collect()
    }

    fn note(&mut self, cause: Option<Cause>, apps: &Apps, users: RoaringBitmap) {
        self.left -= &users;
        *self.groups.entry((cause, Arc::clone(apps))).or_default() |= users;
    }

    /// The groups, largest first.
    pub(super) fn groups(self) -> Vec<(Cause, Apps, RoaringBitmap)> {
        let none = || Cause { policy_id: None, reason: Reason::NoPolicy };
        let groups = self.groups.into_iter();
        let mut groups: Vec<_> =
            groups.map(|((cause, apps), users)| (cause.unwrap_or_else(none), apps, users)).collect();
        groups.sort_by_key(|(.., users)| std::cmp::Reverse(users.len()));
        groups
    }
}

/// Everybody among some users to whom one of these causes applies.
fn together<'w>(reasons: &Reasons<'_>, whys: impl Iterator<Item = &'w Why>, among: &RoaringBitmap) -> RoaringBitmap {
    whys.fold(RoaringBitmap::new(), |all, why| all | reasons.users(why, among))
}
