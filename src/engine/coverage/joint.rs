//! Two tenants side by side: where sign-ins needn't meet a requirement any more, or have to now.
//!
//! Both sides are searched over the same dimensions, whose values are all that either of them tells apart: places by their
//! addresses and countries, whatever the named locations are called. Equal parts of the diagram are equal sets of sign-ins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::domain::{self, Axis, Class, Value};
use super::gaps::{apps, condition, values_of};
use super::people::{self, People};
use super::requirement::{ANY_DEVICE, Contributor, contributors};
use super::search::{Diagram, Part};
use super::workloads::{self, Workload};
use super::{Condition, Other, Requirement, Scope, devices, locations};
use crate::engine::Model;
use crate::engine::bits::Lane;
use crate::engine::location::MFA_TRUSTED_IPS;
use crate::tenant::location::{IpRange, Place};
use crate::tenant::policy::PolicyState;
use crate::tenant::sign_in::Known;
use crate::tenant::{Kind, NamedLocation, Snapshot, Strength};

/// Before and after.
type Sides<T> = [T; 2];

/// One requirement over two tenants.
#[derive(Debug)]
pub(in crate::engine) struct Joint<'a> {
    sides: Sides<&'a Model>,
    of: Sides<Vec<Contributor>>,
    scope: Scope,
    axes: Vec<Axis>,
    /// The named locations of both, for words.
    places: Snapshot,
    who: Subjects,
}

#[derive(Clone, Copy, Debug)]
enum Subjects {
    People,
    Workloads(Workload),
}

/// Those for whom the same is different.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Moved {
    /// Object ids of users, or of workload identities.
    pub(in crate::engine) ids: BTreeSet<String>,
    /// Those without an object.
    pub(in crate::engine) others: BTreeSet<Other>,
    /// Something was surely left open before.
    pub(in crate::engine) was_open: bool,
    /// Something surely is now.
    pub(in crate::engine) is_open: bool,
    /// What is open now, or may be, and wasn't before.
    pub(in crate::engine) opened: Vec<Opening>,
    /// What was open before, or may have been, and isn't now.
    pub(in crate::engine) closed: Vec<Opening>,
}

/// Sign-ins that needn't meet the requirement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Opening {
    /// App ids; empty with `any_app` alone.
    pub(in crate::engine) apps: BTreeSet<String>,
    /// Every app that no policy names.
    pub(in crate::engine) any_app: bool,
    /// Only under these.
    pub(in crate::engine) conditions: BTreeSet<Condition>,
}

impl<'a> Joint<'a> {
    /// For people. Strengths that both sides should know the requirement by are `known`, whatever they have themselves.
    pub(in crate::engine) fn of_people(
        sides: Sides<&'a Model>,
        (requirement, scope): (&Requirement, &Scope),
        known: &[Strength],
    ) -> Self {
        let of = sides.map(|model| contributors(&judged(model, known), requirement, scope));
        let values = zipped(sides, &of, |model, of| domain::values(model, requirement, scope, of));
        let places = places(sides.map(|model| &*model.snapshot));
        let mut values = values;
        if let Some(all) = values.get_mut(domain::PLACES) {
            *all = joint_places(&places, scope, (sides, &of));
        }
        if let Some(all) = values.get_mut(domain::DEVICES) {
            let filters = named(sides, &of).filter_map(|(model, at)| model.device_filter(at)).collect::<Vec<_>>();
            // Where a device control can't be met its policy blocks, which is news even where devices aren't asked about.
            let blocks = of.iter().flatten().any(|one| one.region.devices & ANY_DEVICE == 0);
            let [one, _] = sides;
            *all = one.directory.devices.values(&filters, blocks || devices::matter(requirement), scope);
        }
        Self::new((sides, of), values, (scope.clone(), places, Subjects::People))
    }

    /// For a block of workload or agent identities.
    pub(in crate::engine) fn of_workloads(sides: Sides<&'a Model>, which: Workload) -> Self {
        let scope = Scope::default();
        let of = sides.map(|model| model.blocking(which, PolicyState::Enabled).collect::<Vec<_>>());
        let mut values = zipped(sides, &of, |model, of| workloads::values(model, which, &scope, of));
        let places = places(sides.map(|model| &*model.snapshot));
        if let Some(all) = values.get_mut(1) {
            *all = joint_places(&places, &scope, (sides, &of));
        }
        Self::new((sides, of), values, (scope, places, Subjects::Workloads(which)))
    }

    fn new(
        (sides, of): (Sides<&'a Model>, Sides<Vec<Contributor>>),
        values: Vec<Vec<Value>>,
        (scope, places, who): (Scope, Snapshot, Subjects),
    ) -> Self {
        let axes = values.into_iter().map(|values| axis(sides, &of, values)).collect();
        Self { sides, of, scope, axes, places, who }
    }

    /// Everybody for whom something is different, those together for whom the same is.
    pub(in crate::engine) fn moved(&self) -> Vec<Moved> {
        let count = self.of.iter().map(Vec::len).sum();
        let mut diagram = Diagram::new(&self.axes, count);
        let mut pairs: BTreeMap<Sides<Part>, Moved> = BTreeMap::new();
        match self.who {
            Subjects::People => {
                self.users(&mut diagram, &mut pairs);
                self.others(&mut diagram, &mut pairs);
            }
            Subjects::Workloads(which) => self.identities(which, &mut diagram, &mut pairs),
        }
        pairs.into_iter().filter_map(|(parts, moved)| self.told(&mut diagram, parts, moved)).collect()
    }

    fn told(&self, diagram: &mut Diagram<'_>, [was, is]: Sides<Part>, moved: Moved) -> Option<Moved> {
        let (opened, closed) = (diagram.beyond(is, was), diagram.beyond(was, is));
        let (was_open, is_open) = (diagram.left_of(was).gap, diagram.left_of(is).gap);
        let (opened, closed) = (self.openings(diagram, opened), self.openings(diagram, closed));
        (!opened.is_empty() || !closed.is_empty()).then_some(Moved { was_open, is_open, opened, closed, ..moved })
    }

    fn openings(&self, diagram: &Diagram<'_>, part: Part) -> Vec<Opening> {
        let opening = |classes: Vec<Option<Vec<usize>>>| {
            let of = self.axes.iter().zip(&classes);
            let mut values: Vec<Vec<usize>> = of.map(|(axis, classes)| values_of(axis, classes.as_deref())).collect();
            domain::count_unreal_in(&self.axes, &mut values);
            let mut all = self.axes.iter().zip(&values);
            let (apps, any_app) = all.next().map(|(axis, values)| apps(axis, values)).unwrap_or_default();
            let conditions = all.filter_map(|(axis, values)| condition(&self.places, axis, values)).collect();
            Opening { apps, any_app, conditions }
        };
        diagram.holes(part).into_iter().map(|hole| opening(hole.classes)).collect()
    }

    /// The lane of one side among the contributors of both.
    fn placed(&self, side: usize, lane: &Lane) -> Lane {
        let [first, second] = &self.of;
        let mut all = Lane::none(first.len() + second.len());
        place(&mut all, if side == 0 { 0 } else { first.len() }, lane);
        all
    }

    fn users(&self, diagram: &mut Diagram<'_>, pairs: &mut BTreeMap<Sides<Part>, Moved>) {
        let mut part_of = |side: usize, (model, of): (&Model, &[Contributor])| -> FxHashMap<u32, Part> {
            let people = People::new(model, model.default_users(), of);
            let parts = people.each(|lane| diagram.search(&self.placed(side, lane)));
            people.with(&parts).map(|(position, part)| (position, *part)).collect()
        };
        let ([before, after], [first, second]) = (self.sides, &self.of);
        let (was, is) = (part_of(0, (before, first)), part_of(1, (after, second)));
        for (position, user) in (0u32..).zip(&after.snapshot.directory.users) {
            let old = before.snapshot.directory.user_index(&user.id).and_then(|position| was.get(&position));
            if let (Some(was), Some(is)) = (old, is.get(&position))
                && was != is
            {
                pairs.entry([*was, *is]).or_default().ids.insert(user.id.to_string());
            }
        }
    }

    /// People without an object; a home tenant that one side doesn't name is any tenant there.
    fn others(&self, diagram: &mut Diagram<'_>, pairs: &mut BTreeMap<Sides<Part>, Moved>) {
        let mut parts_of = |side: usize, (model, of): (&Model, &[Contributor])| {
            let all = people::others(model, &self.scope).into_iter();
            let lanes = people::lanes_of_others(model, &self.scope, of);
            let tenant = |known: Known<&str>| if let Known::Is(id) = known { Some(id.to_owned()) } else { None };
            let part = |lane: &Lane| diagram.search(&self.placed(side, lane));
            let parts: Vec<Part> = lanes.iter().map(|(_, lane)| lane).map(part).collect();
            all.zip(parts).map(|((other, who), part)| ((other, tenant(who.tenant)), part)).collect::<BTreeMap<_, _>>()
        };
        let ([before, after], [first, second]) = (self.sides, &self.of);
        let (was, is) = (parts_of(0, (before, first)), parts_of(1, (after, second)));
        for (other, tenant) in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            let of = |parts: &BTreeMap<(Other, Option<String>), Part>| {
                parts.get(&(*other, tenant.clone())).or_else(|| parts.get(&(*other, None))).copied()
            };
            if let (Some(was), Some(is)) = (of(&was), of(&is))
                && was != is
            {
                pairs.entry([was, is]).or_default().others.insert(*other);
            }
        }
    }

    /// Those that both sides have, and one that stands for any other where they weren't read.
    fn identities(&self, which: Workload, diagram: &mut Diagram<'_>, pairs: &mut BTreeMap<Sides<Part>, Moved>) {
        let ([before, after], [first, second]) = (self.sides, &self.of);
        let known: BTreeSet<&str> = before.identities(which).into_iter().collect();
        let read = self.sides.iter().all(|side| side.snapshot.has(Kind::ServicePrincipals));
        let any = (!read || which != Workload::ServicePrincipals).then_some("");
        for id in after.identities(which).into_iter().filter(|id| known.contains(id)).chain(any) {
            let identity = workloads::identity(which, id);
            let was = diagram.search(&self.placed(0, &workloads::lane(before, &identity, first)));
            let is = diagram.search(&self.placed(1, &workloads::lane(after, &identity, second)));
            if was != is {
                let moved = pairs.entry([was, is]).or_default();
                moved.ids.extend((!id.is_empty()).then(|| id.to_owned()));
            }
        }
    }
}

/// The policies, strengths and trusted organisations by which contributors are found, with some strengths as they are asked
/// about.
fn judged(model: &Model, known: &[Strength]) -> Snapshot {
    let mut strengths = model.snapshot.strengths.clone();
    strengths.extend(known.iter().map(|strength| (strength.id.clone(), strength.clone())));
    let snapshot = &model.snapshot;
    let (policies, cross_tenant) = (snapshot.policies.clone(), snapshot.cross_tenant.clone());
    Snapshot { policies, strengths, cross_tenant, ..Snapshot::default() }
}

/// The policies of both sides that contribute something.
fn named<'a>(
    sides: Sides<&'a Model>,
    of: &'a Sides<Vec<Contributor>>,
) -> impl Iterator<Item = (&'a Model, usize)> + 'a {
    sides.into_iter().zip(of).flat_map(|(model, of)| of.iter().filter_map(move |one| Some((model, one.policy?))))
}

/// The values of both sides, dimension by dimension, each once.
fn zipped(
    sides: Sides<&Model>,
    of: &Sides<Vec<Contributor>>,
    values: impl Fn(&Model, &[Contributor]) -> Vec<Vec<Value>>,
) -> Vec<Vec<Value>> {
    let ([before, after], [first, second]) = (sides, of);
    let (mut all, more) = (values(before, first), values(after, second));
    for (all, more) in all.iter_mut().zip(more) {
        let known: BTreeSet<_> = all.iter().map(told_apart).collect();
        let new: Vec<Value> = more.into_iter().filter(|value| !known.contains(&told_apart(value))).collect();
        all.extend(new);
    }
    all
}

/// What tells the values of a dimension apart in which the two sides may have different ones.
fn told_apart(value: &Value) -> (u8, Option<Arc<str>>) {
    match value {
        Value::App(id) => (0, id.clone()),
        Value::Baseline => (1, None),
        Value::Action(id) => (2, Some(Arc::from(id.as_str()))),
        Value::ContextOf(_, id) => (u8::MAX - 1, id.clone()),
        Value::SignInRisk(level) | Value::UserRisk(level) => (3 + *level as u8, None),
        _ => (u8::MAX, None),
    }
}

/// A dimension with the classes of values that neither side tells apart.
fn axis(sides: Sides<&Model>, of: &Sides<Vec<Contributor>>, values: Vec<Value>) -> Axis {
    let [first, second] = of;
    let mut known: BTreeMap<Lane, usize> = BTreeMap::new();
    let mut classes: Vec<Class> = Vec::new();
    for (at, value) in values.iter().enumerate() {
        let sign_in = value.sign_in();
        let mut lane = Lane::none(first.len() + second.len());
        for (side, (of, begin)) in sides.into_iter().zip([(first, 0), (second, first.len())]) {
            place(&mut lane, begin, &value.lane(side, of, (value.indexed(side), &sign_in)));
        }
        let class = *known.entry(lane.clone()).or_insert_with(|| {
            classes.push(Class { lane, values: Vec::new() });
            classes.len() - 1
        });
        classes.get_mut(class).into_iter().for_each(|class| class.values.push(at));
    }
    Axis { indexed: vec![None; values.len()], values, classes }
}

/// Notes a lane among others, from a position on.
fn place(all: &mut Lane, begin: usize, lane: &Lane) {
    lane.possibly.iter().for_each(|at| all.note(begin + at, lane.of(at)));
}

/// What is added to the id of a named location that is another one now.
const BEFORE: &str = " before";

/// The named locations of both sides: one that is another place now is there twice.
fn places([before, after]: Sides<&Snapshot>) -> Snapshot {
    let mut all = Snapshot {
        locations: after.locations.clone(),
        settings: after.settings.clone(),
        readings: after.readings.clone(),
        ..Snapshot::default()
    };
    for (id, was) in &before.locations {
        match after.locations.get(id) {
            Some(is) if is.place == was.place => {}
            None => drop(all.locations.insert(id.clone(), was.clone())),
            Some(_) => add(&mut all, id, (&was.display_name, was.place.clone())),
        }
    }
    let ips = |snapshot: &Snapshot| snapshot.settings.mfa_trusted_ips.clone();
    if ips(before) != ips(after) {
        let ranges = before.settings.mfa_trusted().filter_map(IpRange::from_cidr).collect();
        add(&mut all, MFA_TRUSTED_IPS, ("MFA trusted IPs", Place::Ip { trusted: true, ranges }));
    }
    all
}

fn add(all: &mut Snapshot, id: &str, (name, place): (&str, Place)) {
    let id = format!("{id}{BEFORE}");
    let location = NamedLocation { id: id.clone(), display_name: format!("{name} as it was"), place };
    all.locations.insert(id, location);
}

/// Every place that either side tells apart.
fn joint_places(
    places: &Snapshot,
    scope: &Scope,
    (sides, of): (Sides<&Model>, &Sides<Vec<Contributor>>),
) -> Vec<Value> {
    let mut all: BTreeSet<&str> = BTreeSet::new();
    for (model, at) in named(sides, of) {
        all.extend(locations::named(&model.snapshot, scope, &BTreeSet::from([at])));
    }
    let was: Vec<String> = all.iter().map(|id| format!("{id}{BEFORE}")).collect();
    all.extend(was.iter().map(String::as_str));
    if all.contains("AllTrusted") {
        all.extend(places.locations.keys().filter(|id| id.starts_with(MFA_TRUSTED_IPS)).map(String::as_str));
    }
    locations::values(places, scope, &all).into_iter().map(Value::Location).collect()
}
