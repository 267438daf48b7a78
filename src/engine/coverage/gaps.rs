//! Coverage put together: contributors, dimensions and search say whom no policy covers; the holes of the search become
//! gaps with conditions and causes when somebody reads them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;

use super::acting::acting_as_block;
use super::causes::{Causes, Set};
use super::domain::{self, Axis, Value};
use super::homes;
use super::people::{self, People};
use super::requirement::{Contributor, contributors};
use super::search::{COVERED, Diagram, Hole, Left, Part};
use super::words::kind_name;
use super::{Condition, Coverage, Gap, Other, Requirement, Scope, devices, locations};
use crate::engine::bits::Lane;
use crate::engine::judge::{Dimension, undecided};
use crate::engine::location::MFA_TRUSTED_IPS;
use crate::engine::standing::Projection;
use crate::engine::truth::Truth;
use crate::engine::{Model, target};
use crate::tenant::policy::Control;
use crate::tenant::strength::is_known;
use crate::tenant::{Policy, Snapshot};

impl Model {
    /// Where no policy that is On makes the sign-ins of a scope meet a requirement, exactly, and why.
    /// What was asked before isn't computed again.
    #[must_use]
    pub fn coverage(&self, requirement: &Requirement, scope: &Scope) -> Arc<Coverage> {
        self.known.coverage((requirement, scope), || self.find_coverage(requirement, scope))
    }

    fn find_coverage(&self, requirement: &Requirement, scope: &Scope) -> Coverage {
        let of = contributors(&self.snapshot, requirement, scope);
        let axes = domain::axes(self, requirement, scope, &of);
        let mut diagram = Diagram::new(&axes, of.len());
        let looked_at = scope.users.clone().unwrap_or_else(|| self.default_users());
        let others = people::lanes_of_others(self, scope, &of);
        let acts_as_block = acting_as_block(self, &axes, (&looked_at, &others), &of);
        let sifted = diagram.sift(self, &of, &looked_at);
        let mut open = false;
        let mut look = |lane: &Lane| {
            let left = diagram.left(lane, !open);
            open |= left.undecided;
            left
        };
        let left_to_others = others.iter().map(|(_, lane)| look(lane)).fold(Left::default(), Left::or);
        let (mut uncovered, mut undecided) = (sifted.gap, RoaringBitmap::new());
        if !sifted.rest.is_empty() {
            let people = People::new(self, sifted.rest, &of);
            let left = people.each(look);
            uncovered |= people.select(&left, |left| left.gap);
            undecided = people.select(&left, |left| left.undecided && !left.gap);
            let settled = homes::settled(self, &of, (&people, &undecided), &mut diagram);
            undecided -= &settled;
            // Where somebody isn't covered, something may be open as well.
            open &= settled.is_empty() || left_to_others.undecided || !(undecided.is_empty() && uncovered.is_empty());
        }
        let any = open || left_to_others.gap || !uncovered.is_empty();
        Coverage {
            uncovered,
            undecided,
            acts_as_block,
            unresolved: if open { open_questions(self, &axes, &of) } else { BTreeSet::new() },
            looked_at,
            search: Search {
                model: self.without_memory(),
                requirement: requirement.clone(),
                scope: scope.clone(),
                of,
                axes,
            },
            gaps: if any { OnceLock::new() } else { OnceLock::from(Vec::new()) },
        }
    }
}

/// What gaps are found from.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) model: Model,
    pub(super) requirement: Requirement,
    pub(super) scope: Scope,
    pub(super) of: Vec<Contributor>,
    pub(super) axes: Vec<Axis>,
}

impl Search {
    /// All gaps of those of a scope who have some: these users, and those without an object here.
    pub(super) fn gaps(&self, users: &RoaringBitmap) -> Vec<Gap> {
        let mut causes = Causes::new(&self.model, &self.requirement, &self.scope, &self.axes);
        let mut diagram = Diagram::new(&self.axes, self.of.len());
        let crowds = Crowds::new(self, users, (&causes, &mut diagram));
        let mut places = Places::default();
        for (part, there) in &crowds.by_part {
            for hole in diagram.holes(*part) {
                self.look_at(&hole, (&crowds, there), (&mut causes, &mut places));
            }
        }
        places.gaps(&self.axes, &crowds, &causes)
    }

    /// Notes the places of one hole: apps apart where the causes differ, and people likewise.
    fn look_at(
        &self,
        hole: &Hole,
        (crowds, there): (&Crowds, &There),
        (causes, places): (&mut Causes<'_>, &mut Places),
    ) {
        let axes = &self.axes;
        let mut values: Vec<Vec<usize>> =
            axes.iter().zip(&hole.classes).map(|(axis, classes)| values_of(axis, classes.as_deref())).collect();
        domain::count_unreal_in(axes, &mut values);
        let (Some(targets), Some(first)) = (axes.first(), values.first()) else { return };
        let snapshot = &self.model.snapshot;
        let conditions: Vec<Condition> =
            axes.iter().zip(&values).skip(1).filter_map(|(axis, values)| condition(snapshot, axis, values)).collect();
        let beside = causes.beside(&values);
        let baseline = |value: &usize| matches!(targets.values.get(*value), Some(Value::Baseline));
        // Where every other app is reached, requests for baseline scopes are no news.
        let any_app = first.iter().any(|value| targets.values.get(*value).is_some_and(Value::is_any_app));
        let (slipping, ordinary): (Vec<usize>, Vec<usize>) = first.iter().partition(|value| baseline(value));
        let mut kinds = causes.alike(&ordinary);
        if !any_app && !slipping.is_empty() {
            kinds.push(slipping);
        }
        for kind in kinds {
            let mut conditions = conditions.clone();
            if kind.iter().any(baseline) {
                conditions.push(Condition::BaselineScopes);
            }
            let spot = causes.spot(&beside, &kind);
            let place = (hole.sure, places.conditions.number(conditions), places.targets.number(kind));
            let mut found: BTreeMap<Set, Concerned> = BTreeMap::new();
            for crowd in &there.crowds {
                found.entry(causes.set(&spot, crowds.apart(*crowd))).or_default().0.push(*crowd);
            }
            for (at, other) in there.others.iter().flat_map(|other| crowds.others(*other)) {
                found.entry(causes.set_for_other(&spot, at)).or_default().1.insert(other);
            }
            for (set, concerned) in found {
                places.note((place, set), concerned);
            }
        }
    }
}

/// Users for whom the same is left, and the same stands in the way.
struct Crowds {
    users: Vec<RoaringBitmap>,
    /// For each, the candidates to which its users don't stand as most do.
    apart: Vec<Vec<(u32, u32)>>,
    /// Who has each part.
    by_part: BTreeMap<Part, There>,
    /// Everybody without an object here, in the order of [`Causes::others`].
    others: Vec<Other>,
}

/// Who has a part: crowds, and kinds of people without an object here.
#[derive(Default)]
struct There {
    crowds: Vec<u32>,
    others: BTreeSet<Other>,
}

impl Crowds {
    fn new(search: &Search, users: &RoaringBitmap, (causes, diagram): (&Causes<'_>, &mut Diagram<'_>)) -> Self {
        let people = People::new(&search.model, users.clone(), &search.of);
        let parts = people.each(|lane| diagram.search(lane));
        let standing = search.model.standing();
        let mut barriers = Projection::new(standing.len());
        let (mut known, mut members) = (FxHashMap::default(), Vec::<Vec<u32>>::new());
        let mut all = Self {
            users: Vec::new(),
            apart: Vec::new(),
            by_part: BTreeMap::new(),
            others: causes.others.iter().map(|(other, _)| *other).collect(),
        };
        for ((position, part), class) in people.with(&parts).zip(standing.classes(users)) {
            let place = barriers.place(standing, class, |column, place| causes.told(column, place));
            let crowd = *known.entry((*part, place)).or_insert_with(|| {
                let crowd = members.len();
                members.push(Vec::new());
                all.apart.push(causes.apart(&barriers.way(place).0));
                all.by_part.entry(*part).or_default().crowds.push(u32::try_from(crowd).unwrap_or(u32::MAX));
                crowd
            });
            if let Some(members) = members.get_mut(crowd) {
                members.push(position);
            }
        }
        all.users =
            members.into_iter().map(|users| RoaringBitmap::from_sorted_iter(users).unwrap_or_default()).collect();
        for (other, lane) in &people::lanes_of_others(&search.model, &search.scope, &search.of) {
            all.by_part.entry(diagram.search(lane)).or_default().others.insert(*other);
        }
        all.by_part.remove(&COVERED);
        all
    }

    fn apart(&self, crowd: u32) -> &[(u32, u32)] {
        usize::try_from(crowd).ok().and_then(|crowd| self.apart.get(crowd)).map_or(&[], Vec::as_slice)
    }

    /// Those without an object here who are of this kind.
    fn others(&self, kind: Other) -> impl Iterator<Item = (usize, Other)> {
        self.others.iter().copied().enumerate().filter(move |(_, other)| *other == kind)
    }

    /// The users of several crowds.
    fn together(&self, crowds: &[u32]) -> RoaringBitmap {
        let users = crowds.iter().filter_map(|crowd| self.users.get(usize::try_from(*crowd).ok()?));
        users.fold(RoaringBitmap::new(), |all, users| all | users)
    }
}

/// Values by their numbers.
struct Numbered<T> {
    numbers: FxHashMap<T, u32>,
    all: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { numbers: FxHashMap::default(), all: Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    fn number(&mut self, value: T) -> u32 {
        let all = &mut self.all;
        *self.numbers.entry(value).or_insert_with_key(|value| {
            all.push(value.clone());
            u32::try_from(all.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn get(&self, number: u32) -> Option<&T> {
        self.all.get(usize::try_from(number).ok()?)
    }
}

/// Sure or not, the conditions and the targets, by their numbers; and the causes.
type Place = ((bool, u32, u32), Set);

/// Whom a gap concerns.
type Concerned = (Vec<u32>, BTreeSet<Other>);

/// The places of all holes, with those whom they concern.
#[derive(Default)]
struct Places {
    conditions: Numbered<Vec<Condition>>,
    targets: Numbered<Vec<usize>>,
    found: BTreeMap<Place, Concerned>,
}

impl Places {
    fn note(&mut self, place: Place, (crowds, others): Concerned) {
        let concerned = self.found.entry(place).or_default();
        concerned.0.extend(crowds);
        concerned.1.extend(others);
    }

    /// Gaps for the same people under the same conditions and with the same causes are one, over all their apps.
    fn gaps(self, axes: &[Axis], crowds: &Crowds, causes: &Causes<'_>) -> Vec<Gap> {
        let mut alike: BTreeMap<(bool, u32, Set, Concerned), BTreeSet<&[usize]>> = BTreeMap::new();
        for (((sure, conditions, targets), set), mut concerned) in self.found {
            concerned.0.sort_unstable();
            concerned.0.dedup();
            let targets = self.targets.get(targets).map_or(&[][..], Vec::as_slice);
            alike.entry((sure, conditions, set, concerned)).or_default().insert(targets);
        }
        let (mut read, mut named) = (BTreeMap::new(), FxHashMap::default());
        let mut found = Vec::new();
        for ((sure, conditions, set, (of, others)), targets) in alike {
            let causes = read.entry(set).or_insert_with(|| Arc::from(causes.read(set)));
            let values: Vec<usize> = targets.iter().copied().flatten().copied().collect();
            let (apps, any_app) = named.entry(values).or_insert_with_key(|values| {
                let (apps, any_app) = axes.first().map(|axis| apps(axis, values)).unwrap_or_default();
                (Arc::new(apps), any_app)
            });
            let gap = Gap {
                users: crowds.together(&of),
                others,
                apps: Arc::clone(apps),
                any_app: *any_app,
                conditions: self.conditions.get(conditions).cloned().unwrap_or_default(),
                causes: Arc::clone(causes),
                sure,
            };
            found.push((gap.users.len(), gap.users.min(), targets.first().copied(), gap));
        }
        found.sort_by(|(users, first, targets, gap), (many, other, others, next)| {
            let key = |gap: &Gap| (Reverse(gap.sure), Reverse(gap.others.len()));
            (key(gap).0, Reverse(users), key(gap).1, &gap.others, &gap.conditions, &gap.causes, first, targets).cmp(&(
                key(next).0,
                Reverse(many),
                key(next).1,
                &next.others,
                &next.conditions,
                &next.causes,
                other,
                others,
            ))
        });
        found.into_iter().map(|(.., gap)| gap).collect()
    }
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
    let any = of.clone().any(Value::is_any_app);
    let named = of.filter_map(|value| match value {
        Value::App(id) | Value::ContextOf(_, id) => id.as_deref().map(str::to_owned),
        _ => None,
    });
    (named.collect(), any)
}

/// The condition that a hole is narrowed to in one dimension; none when it takes in all values.
pub(super) fn condition(snapshot: &Snapshot, axis: &Axis, values: &[usize]) -> Option<Condition> {
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
        Value::App(_)
        | Value::Baseline
        | Value::Action(_)
        | Value::Context(_)
        | Value::ContextOf(..)
        | Value::PrincipalRisk(_)
        | Value::AgentRisk(_) => return None,
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

/// What would settle the undecided part, as people read it: never nothing, since an open gap without a reason reads as none.
fn open_questions(model: &Model, axes: &[Axis], of: &[Contributor]) -> BTreeSet<String> {
    let mut all = unresolved(model, of);
    for (at, one) in of.iter().enumerate() {
        let Some(policy) = one.policy.and_then(|position| model.snapshot.policies.get(position)) else { continue };
        if undecided(policy).is_some() {
            continue;
        }
        all.extend(unknown_strengths(&model.snapshot, policy).filter(|_| !one.sure));
        let open = axes.iter().filter(|axis| axis.classes.iter().any(|class| class.lane.of(at) == Truth::Maybe));
        let told_with_target = !target::open(model, &policy.conditions.applications).is_empty();
        let told_with_place = supposes_trusted(&model.snapshot, policy);
        all.extend(open.filter_map(|axis| axis.values.first()).filter_map(|value| match value.dimension() {
            Dimension::Target if told_with_target => None,
            Dimension::Location if told_with_place => None,
            dimension => Some(format!("{} of policy {}", kind_name(dimension), policy.display_name)),
        }));
    }
    if all.is_empty() {
        all.insert("conditions that can't be judged".into());
    }
    all
}

/// Strengths that a policy names and nobody read, or that allow something that isn't known here.
fn unknown_strengths<'a>(snapshot: &'a Snapshot, policy: &'a Policy) -> impl Iterator<Item = String> + 'a {
    policy.grant.iter().flat_map(|grant| &grant.controls).filter_map(|control| match control {
        Control::Strength(id) => match snapshot.strengths.get(id) {
            Some(strength) => {
                let unknown = strength.allowed_combinations.iter().find(|one| !is_known(one))?;
                Some(format!("what {unknown} is, which the authentication strength {} allows", strength.display_name))
            }
            None => Some(format!(
                "what the authentication strength {id} of policy {} allows (authenticationStrengthPolicies.json would settle it)",
                policy.display_name
            )),
        },
        _ => None,
    })
}

/// Whether a policy names trusted places, to which the trusted addresses of per-user MFA belong, and nobody stated these.
fn supposes_trusted(snapshot: &Snapshot, policy: &Policy) -> bool {
    let named = policy.conditions.locations.iter().flat_map(|sides| sides.include.union(&sides.exclude));
    let trusted = |id: &String| id == "AllTrusted" || id == MFA_TRUSTED_IPS;
    snapshot.settings.mfa_trusted_ips.is_none() && named.into_iter().any(trusted)
}

/// What would settle the undecided part, as people read it.
pub(super) fn unresolved(model: &Model, of: &[Contributor]) -> BTreeSet<String> {
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
        if supposes_trusted(&model.snapshot, policy) {
            let what = "which addresses per-user MFA trusts (mfaTrustedIps in settings.json, or mfa_trusted_ips in the configuration, would settle it)";
            all.insert(what.into());
        }
        let locations = policy.conditions.locations.iter().flat_map(|sides| sides.include.union(&sides.exclude));
        if locations.clone().any(|id| id != "All" && !model.snapshot.locations.contains_key(id))
            && !model.snapshot.has(crate::tenant::Kind::NamedLocations)
        {
            all.insert("named locations".into());
        }
    }
    all
}
