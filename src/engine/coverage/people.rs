//! Users into lanes that the contributors don't tell apart, without asking each user about each policy.

use std::collections::BTreeSet;
use std::hash::Hash;
use std::sync::Arc;

use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;

use super::requirement::{Contributor, Mask, person};
use super::{Other, Scope};
use crate::engine::Model;
use crate::engine::bits::Lane;
use crate::engine::standing::{KINDS, Projection, Standing};
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

/// Users, each in the lane of those whom the same contributors reach.
#[derive(Debug)]
pub(super) struct People {
    users: RoaringBitmap,
    standing: Arc<Standing>,
    /// Whether somebody is in a lane.
    used: Vec<bool>,
    columns: Columns,
    /// Classes by lane.
    projection: Projection,
}

impl People {
    /// Sorts users by the contributors that reach them.
    pub(super) fn new(model: &Model, users: RoaringBitmap, of: &[Contributor]) -> Self {
        let standing = Arc::clone(model.standing());
        let columns = Columns::new(model, of);
        let mut projection = Projection::new(standing.len());
        let mut used = Vec::new();
        for class in standing.classes(&users) {
            let lane = projection.place(&standing, class, |column, place| columns.told(&standing, column, place));
            let lane = usize::try_from(lane).unwrap_or_default();
            if used.len() <= lane {
                used.resize(lane + 1, false);
            }
            used.get_mut(lane).into_iter().for_each(|used| *used = true);
        }
        Self { users, standing, used, columns, projection }
    }

    /// For each lane what is found for it; the default for those that nobody is in.
    pub(super) fn each<T: Default>(&self, mut find: impl FnMut(&Lane) -> T) -> Vec<T> {
        let lanes = (0u32..).zip(&self.used);
        let mut find = |at| find(&self.columns.lane(&self.projection, at));
        lanes.map(|(at, used)| if *used { find(at) } else { T::default() }).collect()
    }

    /// The users, in order, with what was found for their lane.
    pub(super) fn with<'a, T>(&'a self, found: &'a [T]) -> impl Iterator<Item = (u32, &'a T)> + 'a {
        let of = |class| found.get(usize::try_from(self.projection.seen(class)).ok()?);
        let classes = self.standing.classes(&self.users);
        self.users.iter().zip(classes).filter_map(move |(position, class)| Some((position, of(class)?)))
    }

    /// The users by what was found for their lane.
    pub(super) fn by<T: Copy + Eq + Hash>(&self, found: &[T]) -> Vec<(T, RoaringBitmap)> {
        let mut known: FxHashMap<T, usize> = FxHashMap::default();
        let mut all: Vec<(T, Vec<u32>)> = Vec::new();
        let mut place = |one: T| {
            *known.entry(one).or_insert_with(|| {
                all.push((one, Vec::new()));
                all.len() - 1
            })
        };
        let lanes = self.used.iter().zip(found);
        let places: Vec<usize> = lanes.map(|(used, one)| if *used { place(*one) } else { usize::MAX }).collect();
        if let [(one, _)] = all.as_slice() {
            return vec![(*one, self.users.clone())];
        }
        for (position, place) in self.with(&places) {
            all.get_mut(*place).into_iter().for_each(|(_, users)| users.push(position));
        }
        let set = |users: Vec<u32>| RoaringBitmap::from_sorted_iter(users).unwrap_or_default();
        all.into_iter().map(|(one, users)| (one, set(users))).collect()
    }

    /// The users for whose lane something wanted was found.
    pub(super) fn select<T>(&self, found: &[T], wanted: impl Fn(&T) -> bool) -> RoaringBitmap {
        let used = self.used.iter().zip(found).filter(|(used, _)| **used).map(|(_, found)| wanted(found));
        let (any, all) = used.fold((false, true), |(any, all), one| (any || one, all && one));
        if !any || all {
            return if any { self.users.clone() } else { RoaringBitmap::new() };
        }
        let users = self.with(found).filter(|(_, found)| wanted(found)).map(|(position, _)| position);
        RoaringBitmap::from_sorted_iter(users).unwrap_or_default()
    }
}

/// The contributors by the column that says whom they reach.
#[derive(Debug)]
struct Columns {
    by_column: Vec<Vec<(usize, Asks)>>,
    /// For each kind of people, the contributors that reach most of them.
    most: Vec<Lane>,
}

/// What a contributor asks of those whom it reaches.
#[derive(Clone, Copy, Debug)]
struct Asks {
    people: Mask,
    sure: bool,
}

impl Columns {
    fn new(model: &Model, of: &[Contributor]) -> Self {
        let (standing, columns) = (model.standing(), model.columns());
        let mut all =
            Self { by_column: vec![Vec::new(); standing.width()], most: vec![Lane::none(of.len()); KINDS.len()] };
        for (at, one) in of.iter().enumerate() {
            let asks = Asks { people: one.region.people, sure: one.sure };
            let column = one.policy.and_then(|policy| columns.get(policy).copied());
            let truth =
                column.map_or(Truth::Yes, |column| standing.column(column).map_or(Truth::No, |one| one.truth(0)));
            for (kind, lane) in KINDS.iter().zip(&mut all.most) {
                asks.note(lane, (at, person(*kind)), truth);
            }
            // Who asks of nobody tells nobody apart.
            let column = column.filter(|_| asks.people != 0).and_then(|column| usize::try_from(column).ok());
            if let Some(by_column) = column.and_then(|column| all.by_column.get_mut(column)) {
                by_column.push((at, asks));
            }
        }
        all
    }

    fn asking(&self, column: u32) -> &[(usize, Asks)] {
        usize::try_from(column).ok().and_then(|column| self.by_column.get(column)).map_or(&[], Vec::as_slice)
    }

    /// Whether a policy reaches those at a place, where some contributor asks for that and it isn't as for most users.
    fn told(&self, standing: &Standing, column: u32, place: u32) -> Option<u32> {
        if self.asking(column).is_empty() {
            return None;
        }
        let column = standing.column(column)?;
        let truth = column.truth(place);
        (truth != column.truth(0)).then_some(truth as u32)
    }

    /// The contributors that reach those in a lane.
    fn lane(&self, projection: &Projection, lane: u32) -> Lane {
        let (way, kind) = projection.way(lane);
        let most = KINDS.iter().position(|one| *one == kind).and_then(|kind| self.most.get(kind));
        let mut lane = most.cloned().unwrap_or_else(|| Lane::none(0));
        for (column, truth) in way {
            let truth = [Truth::No, Truth::Maybe, Truth::Yes].into_iter().find(|one| *one as u32 == truth);
            for (at, asks) in self.asking(column) {
                asks.note(&mut lane, (*at, person(kind)), truth.unwrap_or(Truth::No));
            }
        }
        lane
    }
}

impl Asks {
    fn note(self, lane: &mut Lane, (at, person): (usize, Mask), truth: Truth) {
        let about = self.people & person != 0;
        lane.surely.put(at, about && truth == Truth::Yes && self.sure);
        lane.possibly.put(at, about && truth != Truth::No);
    }
}

/// Those without an object here whom a scope takes in, each as one person of the kind.
pub(super) fn others<'a>(model: &'a Model, scope: &Scope) -> Vec<(Other, Who<'a>)> {
    let read = model.snapshot.has(Kind::Users);
    let whole = scope.users.is_none();
    let membership = if read { Membership::Nothing } else { Membership::Everybody };
    let mut all = Vec::new();
    if whole && !read {
        let member =
            Who { id: None, membership, guest: Known::Absent, tenant: Known::Absent, direct_connect: Truth::No };
        all.push((Other::AnyUser, member));
    }
    let tenants = named_tenants(model);
    let wanted = |kind: &GuestType| {
        let resident = *kind == GuestType::InternalGuest || !scope.residents;
        (whole && resident) || scope.guest_types.contains(kind)
    };
    for kind in GUEST_TYPES.into_iter().filter(wanted) {
        let bodiless = matches!(kind, GuestType::B2bDirectConnectUser | GuestType::ServiceProvider);
        let membership = if bodiless { Membership::Nothing } else { membership };
        for tenant in [Known::Absent].into_iter().chain(tenants.iter().map(|tenant| Known::Is(*tenant))) {
            let who = Who { id: None, membership, guest: Known::Is(kind), tenant, direct_connect: Truth::No };
            all.push((Other::Guest(kind), who));
        }
    }
    all
}

/// The same, each with the contributors that reach them.
pub(super) fn lanes_of_others(model: &Model, scope: &Scope, of: &[Contributor]) -> Vec<(Other, Lane)> {
    others(model, scope).into_iter().map(|(other, who)| (other, lane_of(model, &who, of))).collect()
}

/// Home tenants that policies name.
pub(super) fn named_tenants(model: &Model) -> BTreeSet<&str> {
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
