//! Coverage put together: contributors, dimensions, search, and the holes as gaps with conditions and causes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::causes::Causes;
use super::domain::{self, Axis, Value};
use super::people::{self, People};
use super::requirement::{Contributor, contributors};
use super::search::{COVERED, Diagram, Hole};
use super::{Cause, Condition, Coverage, Gap, Other, Requirement, Scope, devices, locations};
use crate::engine::judge::undecided;
use crate::engine::{Model, target};
use crate::tenant::Snapshot;

/// What a gap is about, apart from whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    sure: bool,
    conditions: Vec<Condition>,
    causes: Vec<Cause>,
    /// Positions in the first dimension.
    targets: Vec<usize>,
}

/// Whom it concerns.
type Concerned = (RoaringBitmap, BTreeSet<Other>);

impl Model {
    /// Where no policy that is On makes the sign-ins of a scope meet a requirement, exactly, and why.
    /// What was asked before isn't computed again.
    #[must_use]
    pub fn coverage(&self, requirement: &Requirement, scope: &Scope) -> Arc<Coverage> {
        self.known.coverage((requirement, scope), || self.find_coverage(requirement, scope))
    }

    fn find_coverage(&self, requirement: &Requirement, scope: &Scope) -> Coverage {
        let of = contributors(&self.snapshot, requirement);
        let axes = domain::axes(self, requirement, scope, &of);
        let mut diagram = Diagram::new(&axes, of.len());
        let people = People::new(self, scope, &of, &diagram.everywhere());
        let parts: Vec<usize> = people.lanes.iter().map(|lane| diagram.search(lane)).collect();
        let other_parts: Vec<usize> = people.others.iter().map(|(_, lane)| diagram.search(lane)).collect();
        let mut concerned: BTreeMap<usize, Concerned> = BTreeMap::new();
        for (part, users) in people.gather(&parts) {
            concerned.entry(part).or_default().0 = users;
        }
        for ((other, _), part) in people.others.iter().zip(&other_parts) {
            concerned.entry(*part).or_default().1.insert(*other);
        }
        concerned.remove(&COVERED);

        let acts_as_block = acting_as_block(self, &axes, &people, &of);
        let others = people::others(self, scope);
        let lacking = concerned.values().fold(RoaringBitmap::new(), |all, (users, _)| all | users);
        let causes = Causes::new(self, requirement, &axes, (&lacking, &others));
        let mut coverage = Coverage { looked_at: people.looked_at, acts_as_block, ..Coverage::default() };
        let mut places: BTreeMap<Place, Concerned> = BTreeMap::new();
        for (part, (users, others)) in concerned {
            let holes = diagram.holes(part);
            if holes.iter().any(|hole| hole.sure) { &mut coverage.uncovered } else { &mut coverage.undecided }
                .extend(&users);
            let sorted = causes.sorted(&users);
            for hole in &holes {
                for (place, share) in at(&self.snapshot, &axes, &causes, (hole, &sorted, &others)) {
                    let merged = places.entry(place).or_default();
                    merged.0 |= share.0;
                    merged.1.extend(share.1);
                }
            }
        }
        if places.keys().any(|place| !place.sure) {
            coverage.unresolved = unresolved(self, &of);
        }
        coverage.gaps = gaps(&axes, places);
        coverage
    }
}

/// The places of one hole: apps and users apart where the causes differ.
fn at(
    snapshot: &Snapshot,
    axes: &[Axis],
    causes: &Causes<'_>,
    (hole, users, others): (&Hole, &BTreeMap<usize, RoaringBitmap>, &BTreeSet<Other>),
) -> Vec<(Place, Concerned)> {
    let values: Vec<Vec<usize>> =
        axes.iter().zip(&hole.classes).map(|(axis, classes)| values_of(axis, classes.as_deref())).collect();
    let conditions: Vec<Condition> =
        axes.iter().zip(&values).skip(1).filter_map(|(axis, values)| condition(snapshot, axis, values)).collect();
    let (Some(targets), Some(first)) = (axes.first(), values.first()) else { return Vec::new() };
    let baseline = |value: &usize| matches!(targets.values.get(*value), Some(Value::Baseline));
    // Where every other app is reached, requests for baseline scopes are no news.
    let any_app = first.iter().any(|value| matches!(targets.values.get(*value), Some(Value::App(None))));
    let (slipping, ordinary): (Vec<usize>, Vec<usize>) = first.iter().partition(|value| baseline(value));
    let mut found = Vec::new();
    let mut kinds = causes.alike(&ordinary);
    if !any_app && !slipping.is_empty() {
        kinds.push(slipping);
    }
    for kind in kinds {
        let mut conditions = conditions.clone();
        if kind.iter().any(baseline) {
            conditions.push(Condition::BaselineScopes);
        }
        let mut values = values.clone();
        if let Some(first) = values.first_mut() {
            *first = kind;
        }
        for share in causes.shares(users, others, &values) {
            let targets = values.first().cloned().unwrap_or_default();
            let place = Place { sure: hole.sure, conditions: conditions.clone(), causes: share.causes, targets };
            found.push((place, (share.users, share.others)));
        }
    }
    found
}

pub(super) fn values_of(axis: &Axis, classes: Option<&[usize]>) -> Vec<usize> {
    match classes {
        None => (0..axis.values.len()).collect(),
        Some(classes) => {
            let of = classes.iter().filter_map(|class| axis.classes.get(*class));
            let mut all: Vec<usize> = of.flat_map(|class| class.values.iter().copied()).collect();
            all.sort_unstable();
            all
        }
    }
}

pub(super) fn apps(axis: &Axis, values: &[usize]) -> (BTreeSet<String>, bool) {
    let of = values.iter().filter_map(|value| axis.values.get(*value));
    let any = of.clone().any(|value| matches!(value, Value::App(None)));
    let named = of.filter_map(|value| match value {
        Value::App(id) => id.clone(),
        _ => None,
    });
    (named.collect(), any)
}

/// The condition that a hole is narrowed to in one dimension; none when it takes in all values.
fn condition(snapshot: &Snapshot, axis: &Axis, values: &[usize]) -> Option<Condition> {
    if values.len() == axis.values.len() {
        return None;
    }
    let (gap, rest): (Vec<_>, Vec<_>) = axis.values.iter().enumerate().partition(|(at, _)| values.contains(at));
    let gap: Vec<&Value> = gap.into_iter().map(|(_, value)| value).collect();
    let rest: Vec<&Value> = rest.into_iter().map(|(_, value)| value).collect();
    macro_rules! pick {
        ($values:expr, $kind:ident) => {
            $values.iter().filter_map(|value| if let Value::$kind(one) = value { Some(one.clone()) } else { None })
        };
    }
    Some(match gap.first()? {
        Value::App(_) | Value::Baseline | Value::Action(_) | Value::PrincipalRisk(_) | Value::AgentRisk(_) => {
            return None;
        }
        Value::Client(_) => Condition::ClientApps(pick!(gap, Client).collect()),
        Value::Platform(_) => Condition::Platforms(pick!(gap, Platform).collect()),
        Value::SignInRisk(_) => Condition::SignInRisk(pick!(gap, SignInRisk).collect()),
        Value::UserRisk(_) => Condition::UserRisk(pick!(gap, UserRisk).collect()),
        Value::InsiderRisk(_) => Condition::InsiderRisk(pick!(gap, InsiderRisk).collect()),
        Value::Flow(_) => Condition::Flows(pick!(gap, Flow).collect()),
        Value::Location(_) => Condition::Locations(locations::describe(snapshot, &places(&gap), &places(&rest))),
        Value::Device(..) => Condition::Devices(devices::describe(&labels(&gap), &labels(&rest))),
    })
}

fn places<'a>(of: &[&'a Value]) -> Vec<&'a locations::Location> {
    of.iter().filter_map(|value| if let Value::Location(location) = value { Some(location) } else { None }).collect()
}

fn labels<'a>(of: &[&'a Value]) -> Vec<&'a str> {
    of.iter()
        .filter_map(|value| if let Value::Device(_, _, label) = value { Some(label.as_str()) } else { None })
        .collect()
}

/// Gaps for the same people under the same conditions and with the same causes are one, over all their apps.
fn gaps(axes: &[Axis], places: BTreeMap<Place, Concerned>) -> Vec<Gap> {
    let mut alike: BTreeMap<_, Vec<(RoaringBitmap, Vec<usize>)>> = BTreeMap::new();
    for (Place { sure, conditions, causes, targets }, (users, others)) in places {
        let key = (Reverse(sure), Reverse(users.len()), Reverse(others.len()), others, conditions, causes, users.min());
        let of_key = alike.entry(key).or_default();
        match of_key.iter_mut().find(|(other, _)| *other == users) {
            Some((_, all)) => all.extend(targets),
            None => of_key.push((users, targets)),
        }
    }
    let mut found = Vec::new();
    for ((Reverse(sure), _, _, others, conditions, causes, _), of_key) in alike {
        for (users, targets) in of_key {
            let (apps, any_app) = axes.first().map(|axis| apps(axis, &targets)).unwrap_or_default();
            let (others, conditions, causes) = (others.clone(), conditions.clone(), causes.clone());
            found.push(Gap { users, others, apps, any_app, conditions, causes, sure });
        }
    }
    found
}

/// Policies that reach somebody, where they cover only because what they ask can't be done.
fn acting_as_block(model: &Model, axes: &[Axis], people: &People, of: &[Contributor]) -> BTreeSet<String> {
    let reaches = |at: usize| {
        people.anybody(at) && axes.iter().all(|axis| axis.classes.iter().any(|class| class.lane.possibly.has(at)))
    };
    let acting = of.iter().enumerate().filter(|(at, one)| one.acts_as_block && reaches(*at));
    acting.filter_map(|(_, one)| Some(model.snapshot.policies.get(one.policy?)?.id.clone())).collect()
}

/// What would settle the undecided part, as people read it.
fn unresolved(model: &Model, of: &[Contributor]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let policies: BTreeSet<usize> = of.iter().filter_map(|one| one.policy).collect();
    for (at, policy) in policies.iter().filter_map(|at| Some((*at, model.snapshot.policies.get(*at)?))) {
        if let Some(users) = model.users.get(at) {
            all.extend(users.open().map(str::to_owned));
        }
        if let Some(pointers) = undecided(policy) {
            all.extend(pointers.iter().map(|pointer| format!("{pointer} of policy {}", policy.display_name)));
        }
        all.extend(target::open(model, &policy.conditions.applications));
        let locations = policy.conditions.locations.iter().flat_map(|sides| sides.include.union(&sides.exclude));
        if locations.clone().any(|id| id != "All" && !model.snapshot.locations.contains_key(id))
            && !model.snapshot.has(crate::tenant::Kind::NamedLocations)
        {
            all.insert("named locations".into());
        }
    }
    all
}
