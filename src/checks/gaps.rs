//! Coverage in groups that add up: who is not covered, and why.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use roaring::RoaringBitmap;

use crate::engine::coverage::{Other, Place, Reasons};
use crate::engine::{Cause, Condition, Coverage, Model, Reason, Scope};
use crate::tenant::Snapshot;
use crate::tenant::policy::PolicyState;

use super::accounts::Accounts;
use super::everybodys::{Everybodys, is_elsewhere, together};
use super::telling::Told;

/// App ids; none means all.
pub type Apps = Arc<BTreeSet<String>>;

/// A coverage split into what concerns some accounts and what concerns everybody.
#[derive(Debug)]
pub struct Gaps {
    /// Accounts with a gap that isn't everybody's, split; groups of causes add up to their humans.
    pub accounts: Accounts,
    /// Everybody looked at, split: the denominator.
    pub looked_at: Accounts,
    /// Why, each account counted once, largest group first.
    pub groups: Vec<Group>,
    /// The same of service accounts and rooms, which can't answer a prompt: a person has to judge them, but for those that
    /// administer.
    pub machines: Vec<Group>,
    /// Of everybody looked at those whose gap is a failure.
    pub judged: RoaringBitmap,
    /// What most accounts have because of an app or a condition, said once: an app that the general policy excludes.
    pub everyone: Vec<Everyones>,
    /// Kinds of guest without an object here that have a gap.
    pub others: BTreeSet<Other>,
    /// Those of the judged whose cover hangs on something unresolved.
    pub undecided: RoaringBitmap,
}

/// Accounts with the same cause.
#[derive(Clone, Debug)]
pub struct Group {
    /// People and guests, or service accounts and rooms.
    pub users: RoaringBitmap,
    /// Why.
    pub cause: Cause,
    /// App ids that are reached; empty means all.
    pub apps: Apps,
}

/// What most accounts have because of an app or a condition.
#[derive(Clone, Debug)]
pub struct Everyones {
    /// People and guests who aren't counted among those with a gap of their own.
    pub users: RoaringBitmap,
    /// The app; none under conditions.
    pub apps: BTreeSet<String>,
    /// The conditions; none at an app.
    pub conditions: Vec<Condition>,
    /// Object id of a policy that is On and leaves the app out for some of them.
    pub left_out_by: Option<String>,
}

impl Gaps {
    /// Splits a coverage of a scope.
    #[must_use]
    pub fn of((coverage, scope): (&Coverage, &Scope), model: &Model, now: Timestamp) -> Self {
        let looked_at = Accounts::of(&coverage.looked_at, model, now);
        let split = Split::new(coverage, scope, &looked_at.humans());
        let accounts = Accounts::of(&split.uncovered(), model, now);
        let judged = looked_at.judged(model);
        let undecided = &coverage.undecided & &judged;
        let others = split.others();
        let mut all = Self {
            accounts,
            looked_at,
            groups: Vec::new(),
            machines: Vec::new(),
            judged,
            everyone: Vec::new(),
            others,
            undecided,
        };
        if !split.places.is_empty() {
            let (snapshot, mut reasons) = (&model.snapshot, coverage.reasons());
            let told = Told::new(all.accounts.humans(), snapshot);
            all.groups = split.groups(told, coverage, &mut reasons);
            all.machines = split.groups(Told::new(all.accounts.machines(), snapshot), coverage, &mut reasons);
            all.everyone = split.everyone(&all.looked_at.humans(), &mut reasons, snapshot);
        }
        all
    }

    /// Whether any person or guest has a sure gap, or another account that administers.
    #[must_use]
    pub fn any(&self) -> bool {
        let people = !self.groups.is_empty() || !self.everyone.is_empty() || !self.others.is_empty();
        people || !self.administering().is_empty()
    }

    /// The service accounts and rooms with a gap that administer.
    #[must_use]
    pub fn administering(&self) -> RoaringBitmap {
        self.accounts.machines() & &self.judged
    }

    /// Why those have it.
    pub fn of_administering(&self) -> impl Iterator<Item = &Group> {
        self.machines.iter().filter(|group| !group.users.is_disjoint(&self.judged))
    }

    /// The same of a coverage whose causes nobody asks for.
    #[must_use]
    pub fn any_in((coverage, scope): (&Coverage, &Scope), model: &Model, now: Timestamp) -> bool {
        let looked_at = Accounts::of(&coverage.looked_at, model, now);
        let split = Split::new(coverage, scope, &looked_at.humans());
        let out = split.uncovered();
        split.everybodys.any() || !split.others().is_empty() || !out.is_disjoint(&looked_at.judged(model))
    }
}

/// The places of a coverage, and which of them are everybody's.
struct Split {
    places: Vec<Place>,
    everybodys: Everybodys,
    /// What is left of each place for the people it is about, in the order in which causes are told: under all conditions
    /// first, at any app first, then by how many it concerns.
    some: Vec<(usize, Apps)>,
}

impl Split {
    fn new(coverage: &Coverage, scope: &Scope, humans: &RoaringBitmap) -> Self {
        let places = coverage.places();
        let everybodys = Everybodys::of(&places, scope, humans);
        let left = places.iter().enumerate().filter_map(|(at, place)| Some((at, everybodys.take_from(place)?)));
        let mut some: Vec<(usize, Apps)> = left.collect();
        some.sort_by_cached_key(|(at, _)| {
            let key = |place: &Place| (!place.conditions.is_empty(), !is_elsewhere(place), Reverse(place.users.len()));
            places.get(*at).map(key)
        });
        Self { places, everybodys, some }
    }

    fn some(&self) -> impl Iterator<Item = (&Place, &Apps)> {
        self.some.iter().filter_map(|(at, apps)| Some((self.places.get(*at)?, apps)))
    }

    fn uncovered(&self) -> RoaringBitmap {
        together(self.some().map(|(place, _)| place))
    }

    fn others(&self) -> BTreeSet<Other> {
        self.some().flat_map(|(place, _)| place.others.iter().copied()).collect()
    }

    /// Why these accounts have a gap.
    fn groups(&self, mut told: Told<'_>, coverage: &Coverage, reasons: &mut Reasons<'_>) -> Vec<Group> {
        for narrowed in [false, true] {
            let of = |(place, _): &(&Place, &Apps)| place.conditions.is_empty() != narrowed;
            for (place, _) in self.some().filter(of).filter(|(place, _)| is_elsewhere(place)) {
                told.by_place(place, reasons);
            }
            let named = self.some().filter(of).filter(|(place, _)| !is_elsewhere(place));
            let users = together(named.map(|(place, _)| place)) & &told.left;
            self.tell_apart(&mut told, coverage, &users);
        }
        told.groups().into_iter().map(|(cause, apps, users)| Group { users, cause, apps }).collect()
    }

    /// Those who aren't covered at named apps alone, gap by gap: what they reach is told together where the cause is one.
    fn tell_apart(&self, told: &mut Told<'_>, coverage: &Coverage, users: &RoaringBitmap) {
        if users.is_empty() {
            return;
        }
        let gaps = coverage.gaps_of(users);
        let of = |gap: &crate::engine::Gap| self.everybodys.take_from_gap(gap).filter(|_| gap.sure);
        let mut some: Vec<_> = gaps.iter().filter_map(|gap| Some((gap, of(gap)?))).collect();
        some.sort_by_key(|(gap, _)| !gap.conditions.is_empty());
        some.iter().for_each(|(gap, apps)| told.by_gap(gap, apps));
    }

    /// What everybody has, for those people and guests who have nothing else.
    fn everyone(&self, humans: &RoaringBitmap, reasons: &mut Reasons<'_>, snapshot: &Snapshot) -> Vec<Everyones> {
        let rest = &(humans - self.uncovered());
        let mut all = Vec::new();
        for (app, conditions) in self.everybodys.each() {
            let here =
                |place: &&Place| place.conditions == conditions && app.is_none_or(|app| place.apps.contains(app));
            let places = || self.places.iter().filter(here);
            let users = together(places()) & rest;
            let largest = places().max_by_key(|place| place.users.intersection_len(rest));
            let left_out_by = largest.and_then(|place| left_out((place, app, rest), reasons, snapshot));
            all.push(Everyones {
                users,
                apps: app.cloned().into_iter().collect(),
                conditions: conditions.to_vec(),
                left_out_by,
            });
        }
        all
    }
}

/// A policy that is On and excludes the app at a place, for some of these users.
fn left_out(
    (place, app, users): (&Place, Option<&String>, &RoaringBitmap),
    reasons: &mut Reasons<'_>,
    snapshot: &Snapshot,
) -> Option<String> {
    let here = &place.users & users;
    let is_on = |id: &String| snapshot.policy(id).is_some_and(|policy| policy.state == PolicyState::Enabled);
    let whys = reasons.at(place, app.map(String::as_str));
    let leaving = whys.iter().filter(|why| why.cause.reason == Reason::ExcludedApp);
    let on = leaving.filter(|why| why.cause.policy_id.as_ref().is_some_and(is_on));
    on.into_iter().find(|why| !reasons.users(why, &here).is_empty())?.cause.policy_id.clone()
}
