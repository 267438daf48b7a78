//! Users into classes that the contributors don't tell apart, without looking at each user against each policy.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use super::requirement::{Contributor, Mask, person};
use super::{Other, Scope};
use crate::engine::Model;
use crate::engine::bits::Lane;
use crate::engine::truth::Truth;
use crate::engine::who::{Membership, Who};
use crate::tenant::Kind;
use crate::tenant::policy::GuestType;
use crate::tenant::sign_in::Known;

/// Every kind of guest or external user.
pub(super) const GUEST_TYPES: [GuestType; 6] = [
    GuestType::InternalGuest,
    GuestType::B2bCollaborationGuest,
    GuestType::B2bCollaborationMember,
    GuestType::B2bDirectConnectUser,
    GuestType::OtherExternalUser,
    GuestType::ServiceProvider,
];

/// The users looked at, each in the class of those whom the same contributors reach.
#[derive(Debug)]
pub(super) struct People {
    pub(super) looked_at: RoaringBitmap,
    /// Class of each position of the directory; meaningful for those looked at.
    class_of: Vec<usize>,
    /// The contributors that reach each class.
    pub(super) lanes: Vec<Lane>,
    /// Those without an object here.
    pub(super) others: Vec<(Other, Lane)>,
}

impl People {
    /// Sorts the users of a scope.
    pub(super) fn new(model: &Model, scope: &Scope, of: &[Contributor]) -> Self {
        let looked_at = scope.users.clone().unwrap_or_else(|| model.default_users());
        let mut sorting = Sorting::new(model, &looked_at, of.len());
        let mut reached = BTreeMap::new();
        for (at, one) in of.iter().enumerate() {
            let (mut surely, mut possibly) = match one.policy {
                None => (looked_at.clone(), looked_at.clone()),
                Some(policy) => reached.entry(policy).or_insert_with(|| reach(model, policy, &looked_at)).clone(),
            };
            if one.region.people != super::requirement::ANY {
                let kinds = of_kinds(model, one.region.people);
                surely &= &kinds;
                possibly &= &kinds;
            }
            if !one.sure {
                surely.clear();
            }
            sorting.split(&surely, |lane| lane.surely.flip(at));
            sorting.split(&possibly, |lane| lane.possibly.flip(at));
        }
        let lanes = sorting.lanes();
        let others = others(model, scope).into_iter().map(|(other, who)| (other, lane_of(model, &who, of))).collect();
        Self { class_of: sorting.class_of, lanes, others, looked_at }
    }

    /// The users of each class gathered by what `key` says of their class.
    pub(super) fn gather(&self, key: &[usize]) -> BTreeMap<usize, RoaringBitmap> {
        let mut positions: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for position in &self.looked_at {
            let class = usize::try_from(position).ok().and_then(|at| self.class_of.get(at));
            if let Some(key) = class.and_then(|class| key.get(*class)) {
                positions.entry(*key).or_default().push(position);
            }
        }
        let sorted = positions.into_iter();
        sorted.map(|(key, users)| (key, RoaringBitmap::from_sorted_iter(users).unwrap_or_default())).collect()
    }
}

/// Users of the scope whom a policy surely reaches, and those whom it possibly does.
fn reach(model: &Model, policy: usize, looked_at: &RoaringBitmap) -> (RoaringBitmap, RoaringBitmap) {
    let Some(users) = model.users.get(policy) else { return Default::default() };
    let (surely, possibly) = users.positions(&model.everyone, &model.guests);
    (surely & looked_at, possibly & looked_at)
}

/// Positions of the users of these kinds.
fn of_kinds(model: &Model, kinds: Mask) -> RoaringBitmap {
    let mut found = RoaringBitmap::new();
    let mut guests = RoaringBitmap::new();
    for ((kind, _), members) in &model.guests {
        guests |= members;
        if kinds & person(Some(*kind)) != 0 {
            found |= members;
        }
    }
    if kinds & person(None) != 0 { found | (&model.everyone - guests) } else { found }
}

/// A partition being refined: only the smaller side of each split is walked through.
struct Sorting<'a> {
    looked_at: &'a RoaringBitmap,
    class_of: Vec<usize>,
    /// What each class differs in from `base`.
    differences: Vec<Lane>,
    base: Lane,
}

impl<'a> Sorting<'a> {
    fn new(model: &Model, looked_at: &'a RoaringBitmap, length: usize) -> Self {
        let class_of = vec![0; model.snapshot.directory.users.len()];
        Self { looked_at, class_of, differences: vec![Lane::none(length)], base: Lane::none(length) }
    }

    fn split(&mut self, reached: &RoaringBitmap, flip: impl Fn(&mut Lane)) {
        let most = reached.len() * 2 > self.looked_at.len();
        let rest;
        let exceptions = if most {
            flip(&mut self.base);
            rest = self.looked_at - reached;
            &rest
        } else {
            reached
        };
        let mut moved: Vec<Option<usize>> = vec![None; self.differences.len()];
        for position in exceptions {
            let Some(class) = usize::try_from(position).ok().and_then(|at| self.class_of.get_mut(at)) else { continue };
            let (Some(target), Some(before)) = (moved.get_mut(*class), self.differences.get(*class)) else { continue };
            if target.is_none() {
                let mut lane = before.clone();
                flip(&mut lane);
                *target = Some(self.differences.len());
                self.differences.push(lane);
            }
            *class = target.unwrap_or(*class);
        }
    }

    fn lanes(&self) -> Vec<Lane> {
        self.differences.iter().map(|lane| lane.differing_from(&self.base)).collect()
    }
}

/// Those without an object here whom a scope takes in, each as one person of the kind.
pub(super) fn others<'a>(model: &'a Model, scope: &Scope) -> Vec<(Other, Who<'a>)> {
    let read = model.snapshot.has(Kind::Users);
    let whole = scope.users.is_none();
    let membership = if read { Membership::Nothing } else { Membership::Everybody };
    let mut all = Vec::new();
    if whole && !read {
        let member = Who { id: None, membership, guest: Known::Absent, tenant: Known::Absent, direct_connect: false };
        all.push((Other::AnyUser, member));
    }
    let tenants = named_tenants(model);
    for kind in GUEST_TYPES.into_iter().filter(|kind| whole || scope.guest_types.contains(kind)) {
        let bodiless = matches!(kind, GuestType::B2bDirectConnectUser | GuestType::ServiceProvider);
        let membership = if bodiless { Membership::Nothing } else { membership };
        for tenant in [Known::Absent].into_iter().chain(tenants.iter().map(|tenant| Known::Is(*tenant))) {
            let who = Who { id: None, membership, guest: Known::Is(kind), tenant, direct_connect: false };
            all.push((Other::Guest(kind), who));
        }
    }
    all
}

/// Home tenants that policies name.
fn named_tenants(model: &Model) -> BTreeSet<&str> {
    let users = model.snapshot.policies.iter().map(|policy| &policy.conditions.users);
    let guests = users.flat_map(|users| [&users.include.guests, &users.exclude.guests]).flatten();
    guests.filter_map(|guests| guests.tenants.as_ref()).flatten().map(String::as_str).collect()
}

fn lane_of(model: &Model, who: &Who<'_>, of: &[Contributor]) -> Lane {
    let kind = match who.guest {
        Known::Is(kind) => person(Some(kind)),
        _ => person(None),
    };
    let mut lane = Lane::none(of.len());
    for (at, one) in of.iter().enumerate().filter(|(_, one)| one.region.people & kind != 0) {
        let met =
            one.policy.map_or(Truth::Yes, |policy| model.users.get(policy).map_or(Truth::No, |users| users.met(who)));
        if met == Truth::Yes && one.sure {
            lane.surely.set(at);
        }
        if met != Truth::No {
            lane.possibly.set(at);
        }
    }
    lane
}
