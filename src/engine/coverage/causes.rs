//! Why no policy covers a hole: for each policy that could have, what stands in its way, most telling first.
//!
//! Causes are numbers until somebody reads them: what keeps one policy from some users in some place is found once, and
//! places are compared by the numbers.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::domain::{self, Axis, Value};
use super::people;
use super::reasons::Why;
use super::requirement::{Bearing, bearing};
use super::words::kind_name;
use super::{Cause, Other, Reason, Requirement, Scope};
use crate::engine::judge::undecided;
use crate::engine::standing::{Barrier, Column};
use crate::engine::truth::Truth;
use crate::engine::who::{UserCondition, Who};
use crate::engine::{Model, target};
use crate::tenant::policy::{Policy, PolicyState};
use crate::tenant::sign_in::Known;

/// A policy that could have met the requirement.
#[derive(Debug)]
struct Candidate<'a> {
    at: usize,
    policy: &'a Policy,
    column: u32,
    bearing: Bearing,
    /// For each dimension and value, whether its condition is met.
    met: Vec<Vec<Truth>>,
    /// Why values of the first dimension don't surely meet it: the reasons, and for each value which one it is.
    reasons: Vec<Option<Reason>>,
    reason_of: Vec<usize>,
}

/// All candidates of a requirement, and the causes found so far.
#[derive(Debug)]
pub(super) struct Causes<'a> {
    model: &'a Model,
    requirement: Requirement,
    scope: Scope,
    axes: &'a [Axis],
    candidates: Vec<Candidate<'a>>,
    /// For each column of the standing its candidate.
    candidate_of: Vec<Option<u32>>,
    /// Those without an object here, with what stands between them and the candidates.
    pub(super) others: Vec<(Other, Vec<Barrier>)>,
    /// For each value of the first dimension, the first one that no candidate tells from it.
    like: Vec<usize>,
    known: Numbers,
}

/// Causes by their numbers.
#[derive(Debug, Default)]
struct Numbers {
    by_reason: FxHashMap<(usize, Reason), u32>,
    causes: Vec<(u8, Cause)>,
    cells: FxHashMap<(usize, u32, Seen), Arc<[u32]>>,
    sets: FxHashMap<Vec<u32>, u32>,
    all: Vec<Vec<u32>>,
}

/// A set of causes, by its number.
pub(super) type Set = u32;

/// How a candidate stands to the values of a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Seen {
    /// Some sign-in there possibly meets all its conditions.
    reaches: bool,
    /// Why the target doesn't.
    target: usize,
    /// Dimensions, one bit each, in which it leaves some of the values out.
    narrower: u16,
}

/// A place in which causes are asked for: each candidate as it stands to its values.
pub(super) struct Spot {
    seen: Vec<Seen>,
    /// For each candidate, the causes for most users.
    most: Vec<Arc<[u32]>>,
}

/// What a hole says of each candidate, whatever the target: whether it is reached, and where it is left out.
pub(super) struct Beside(Vec<(bool, u16)>);

impl<'a> Causes<'a> {
    pub(super) fn new(model: &'a Model, requirement: &Requirement, scope: &Scope, axes: &'a [Axis]) -> Self {
        let columns = model.columns();
        let policies = model.snapshot.policies.iter().zip(columns).enumerate();
        let candidates: Vec<Candidate<'_>> = policies
            .map(|(at, (policy, column))| (at, (policy, column), bearing(&model.snapshot, requirement, policy)))
            .filter(|(.., bearing)| *bearing != Bearing::None)
            .map(|(at, (policy, column), bearing)| Candidate::new(model, axes, (at, policy, column, bearing)))
            .collect();
        let mut candidate_of = vec![None; model.standing().width()];
        for (number, one) in (0u32..).zip(&candidates) {
            if let Some(of) = usize::try_from(one.column).ok().and_then(|column| candidate_of.get_mut(column)) {
                *of = Some(number);
            }
        }
        let mut first: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        let targets = 0..axes.first().map_or(0, |axis| axis.values.len());
        let key = |value: usize| -> Vec<usize> {
            candidates.iter().map(|one| one.reason_of.get(value).copied().unwrap_or_default()).collect()
        };
        let like = targets.map(|value| *first.entry(key(value)).or_insert(value)).collect();
        let barriers = |who: &Who<'_>| candidates.iter().map(|one| barrier(model.users.get(one.at)?, who)).collect();
        let others = people::others(model, scope).iter().map(|(other, who)| (*other, barriers(who))).collect();
        Self {
            model,
            requirement: requirement.clone(),
            scope: scope.clone(),
            axes,
            candidates,
            candidate_of,
            others,
            like,
            known: Numbers::default(),
        }
    }

    /// Values of the first dimension that no candidate tells apart.
    pub(super) fn alike(&self, values: &[usize]) -> Vec<Vec<usize>> {
        let mut kinds: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for value in values {
            kinds.entry(self.like.get(*value).copied().unwrap_or(*value)).or_default().push(*value);
        }
        kinds.into_values().collect()
    }

    /// What is told of a column where users are sorted by what stands between them and the candidates.
    pub(super) fn told(&self, column: u32, place: u32) -> Option<u32> {
        self.candidate(column).map(|_| place)
    }

    /// The candidates to which some users don't stand as most do, with the place that they have there.
    pub(super) fn apart(&self, way: &[(u32, u32)]) -> Vec<(u32, u32)> {
        let mut all: Vec<(u32, u32)> =
            way.iter().filter_map(|(column, place)| Some((self.candidate(*column)?, *place))).collect();
        all.sort_unstable();
        all
    }

    fn candidate(&self, column: u32) -> Option<u32> {
        self.candidate_of.get(usize::try_from(column).ok()?).copied().flatten()
    }

    /// How a hole with these values stands to the candidates, its targets aside.
    pub(super) fn beside(&self, values: &[Vec<usize>]) -> Beside {
        let shown = domain::shown_by_legacy(self.axes, values);
        let seen = |(axis, values): (usize, &'_ Vec<usize>)| match shown {
            Some(device) if axis == domain::DEVICES => (axis, vec![device]),
            _ => (axis, values.clone()),
        };
        let values: Vec<(usize, Vec<usize>)> = values.iter().enumerate().skip(1).map(seen).collect();
        let of = |one: &Candidate<'_>| {
            let axes = || values.iter().map(|(axis, values)| (*axis, values));
            let reaches = axes().all(|(axis, values)| one.reaches(axis, values));
            let missed = axes().filter(|(axis, values)| !one.meets(*axis, values));
            (reaches, missed.fold(0u16, |all, (axis, _)| all | bit(axis)))
        };
        Beside(self.candidates.iter().map(of).collect())
    }

    /// The spot of such a hole with these targets, which no candidate tells apart.
    pub(super) fn spot(&mut self, beside: &Beside, targets: &[usize]) -> Spot {
        let first = targets.first().copied();
        let seen = |(one, (reaches, narrower)): (&Candidate<'_>, &(bool, u16))| Seen {
            reaches: *reaches && one.reaches(0, targets),
            target: first.and_then(|value| one.reason_of.get(value)).copied().unwrap_or_default(),
            narrower: *narrower,
        };
        let seen: Vec<Seen> = self.candidates.iter().zip(&beside.0).map(seen).collect();
        let most = seen.iter().enumerate().map(|(at, seen)| self.cell(at, 0, *seen)).collect();
        Spot { seen, most }
    }

    /// Every cause that somebody may have in a spot, most telling first.
    pub(super) fn whys(&mut self, spot: &Spot) -> Vec<Why> {
        let mut all: Vec<Why> = Vec::new();
        for (at, seen) in spot.seen.iter().enumerate() {
            let Some(column) = self.candidates.get(at).map(|one| one.column) else { continue };
            let places = self.model.standing().column(column).map_or(0, Column::places);
            for place in 0..places {
                let cell = self.cell(at, place, *seen);
                let found: Vec<&(u8, Cause)> = cell.iter().filter_map(|number| self.known.cause(*number)).collect();
                let beside = found.iter().all(|(rank, _)| *rank >= BESIDE);
                let kept = found.into_iter().filter(|(rank, _)| beside || *rank < BESIDE);
                let alone = kept.clone().count() == 1;
                all.extend(kept.map(|(rank, cause)| Why {
                    cause: cause.clone(),
                    rank: *rank,
                    alone,
                    beside,
                    column,
                    place,
                }));
            }
        }
        all.sort_by(|one, other| (one.rank, &one.cause).cmp(&(other.rank, &other.cause)));
        all
    }

    /// The causes in a spot for users who stand to these candidates otherwise than most do.
    pub(super) fn set(&mut self, spot: &Spot, apart: &[(u32, u32)]) -> Set {
        let mut all: Vec<u32> = Vec::new();
        let mut apart = apart.iter().peekable();
        for (at, (seen, most)) in spot.seen.iter().zip(&spot.most).enumerate() {
            match apart.next_if(|(candidate, _)| usize::try_from(*candidate) == Ok(at)) {
                Some((_, place)) => all.extend(self.cell(at, *place, *seen).iter()),
                None => all.extend(most.iter()),
            }
        }
        self.known.set(all)
    }

    /// The causes in a spot for somebody without an object here.
    pub(super) fn set_for_other(&mut self, spot: &Spot, other: usize) -> Set {
        let Some((_, barriers)) = self.others.get(other) else { return self.known.set(Vec::new()) };
        let mut found = Vec::new();
        for ((at, candidate), (seen, barrier)) in self.candidates.iter().enumerate().zip(spot.seen.iter().zip(barriers))
        {
            found.extend(self.reasons(candidate, barrier.as_ref(), *seen).into_iter().map(|reason| (at, reason)));
        }
        let all = found.into_iter().map(|(at, reason)| self.number(at, reason)).collect();
        self.known.set(all)
    }

    /// What stands between a candidate and users at a place.
    fn cell(&mut self, at: usize, place: u32, seen: Seen) -> Arc<[u32]> {
        if let Some(cell) = self.known.cells.get(&(at, place, seen)) {
            return Arc::clone(cell);
        }
        let reasons = self.candidates.get(at).map(|candidate| {
            let column = self.model.standing().column(candidate.column);
            self.reasons(candidate, column.and_then(|column| column.barrier(place)), seen)
        });
        let cell: Arc<[u32]> =
            reasons.into_iter().flatten().map(|reason| self.number(at, reason)).collect::<Vec<_>>().into();
        self.known.cells.insert((at, place, seen), Arc::clone(&cell));
        cell
    }

    fn number(&mut self, at: usize, reason: Reason) -> u32 {
        let policy = self.candidates.get(at).map(|candidate| candidate.policy.id.clone());
        self.known.number(at, policy, reason)
    }

    /// The causes of a set, most telling first.
    pub(super) fn read(&self, set: Set) -> Vec<Cause> {
        let numbers = usize::try_from(set).ok().and_then(|set| self.known.all.get(set)).into_iter().flatten();
        let mut all: Vec<&(u8, Cause)> =
            numbers.filter_map(|number| self.known.causes.get(usize::try_from(*number).ok()?)).collect();
        all.sort();
        all.dedup();
        all.into_iter().map(|(_, cause)| cause.clone()).collect()
    }

    fn reasons(&self, candidate: &Candidate<'_>, barrier: Option<&Reason>, seen: Seen) -> Vec<Reason> {
        // Where the policy is about something else anyhow, being excluded from it explains nothing.
        let barrier = barrier.filter(|reason| seen.reaches || **reason == Reason::UsersNotIncluded);
        let mut all: Vec<Reason> = barrier.cloned().into_iter().collect();
        if barrier != Some(&Reason::UsersNotIncluded) {
            all.extend(candidate.reasons.get(seen.target).cloned().flatten());
        }
        if seen.narrower != 0 {
            all.push(Reason::NarrowerConditions(self.kinds(seen.narrower)));
        }
        let beside = all.iter().any(|reason| rank(reason) >= BESIDE);
        let excluded_only = all.iter().all(|reason| rank(reason) == 0);
        match candidate.policy.state {
            // What is Off and would ask for less anyhow explains nothing; nor does what isn't known of whom it leaves out.
            PolicyState::Disabled
                if all.iter().all(|reason| matches!(reason, Reason::Undecided(_)))
                    && !matches!(candidate.bearing, Bearing::Weaker(_)) =>
            {
                all = vec![Reason::Off];
            }
            PolicyState::ReportOnly if !beside => all.push(Reason::ReportOnly),
            PolicyState::Disabled => return Vec::new(),
            _ => {}
        }
        if candidate.bearing == (Bearing::Meets { blocks: true })
            && !excluded_only
            && candidate.policy.state == PolicyState::Enabled
            && !self.is_wanted_block(candidate.policy)
        {
            return Vec::new();
        }
        if let Bearing::Weaker(others) = &candidate.bearing
            && !beside
        {
            all.push(Reason::WeakerControl(others.clone()));
        }
        if let Some(pointers) = undecided(candidate.policy) {
            all.push(Reason::Undecided(pointers.into_iter().collect::<Vec<_>>().join(", ")));
        }
        all
    }

    /// Whether a block is what is asked for, and this one is made for the sign-ins in question: what keeps it from some of
    /// them explains more than that no policy blocks them. A block of something else explains nothing.
    fn is_wanted_block(&self, policy: &Policy) -> bool {
        self.requirement == Requirement::Block && names_of_scope(&self.scope, policy)
    }

    /// The kinds of condition of these dimensions.
    fn kinds(&self, dimensions: u16) -> BTreeSet<&'static str> {
        let axes = self.axes.iter().enumerate().filter(|(at, _)| dimensions >> at & 1 != 0);
        axes.filter_map(|(_, axis)| axis.values.first().map(|value| kind_name(value.dimension()))).collect()
    }
}

impl Numbers {
    fn cause(&self, number: u32) -> Option<&(u8, Cause)> {
        self.causes.get(usize::try_from(number).ok()?)
    }

    fn number(&mut self, at: usize, policy_id: Option<String>, reason: Reason) -> u32 {
        let next = u32::try_from(self.causes.len()).unwrap_or(u32::MAX);
        let causes = &mut self.causes;
        *self.by_reason.entry((at, reason)).or_insert_with_key(|(_, reason)| {
            causes.push((rank(reason), Cause { policy_id, reason: reason.clone() }));
            next
        })
    }

    /// The set of these causes; those that only say that a policy is about something else stand in for none.
    fn set(&mut self, mut all: Vec<u32>) -> Set {
        let rank = |number: &u32| {
            let cause = usize::try_from(*number).ok().and_then(|at| self.causes.get(at));
            cause.map_or(BESIDE, |(rank, _)| *rank)
        };
        if all.iter().any(|number| rank(number) < BESIDE) {
            all.retain(|number| rank(number) < BESIDE);
        }
        // Whatever else a policy lacks, it doesn't reach what Microsoft spares from it.
        let cause =
            |number: &u32| usize::try_from(*number).ok().and_then(|at| self.causes.get(at)).map(|(_, cause)| cause);
        let spared = |one: &&Cause| one.reason == Reason::SparedApp;
        let by: BTreeSet<Option<String>> =
            all.iter().filter_map(cause).filter(spared).map(|one| one.policy_id.clone()).collect();
        all.retain(|number| cause(number).is_none_or(|one| spared(&one) || !by.contains(&one.policy_id)));
        if all.is_empty() {
            all.push(self.number(usize::MAX, None, Reason::NoPolicy));
        }
        all.sort_unstable();
        all.dedup();
        let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        if let Some(set) = self.sets.get(&all) {
            return *set;
        }
        self.all.push(all.clone());
        self.sets.insert(all, next);
        next
    }
}

impl<'a> Candidate<'a> {
    fn new(model: &Model, axes: &[Axis], (at, policy, column, bearing): (usize, &'a Policy, u32, Bearing)) -> Self {
        let met = met(model, (at, policy), axes);
        let mut one = Self { at, policy, column, bearing, met, reasons: Vec::new(), reason_of: Vec::new() };
        let open = OnceCell::new();
        let Some(targets) = axes.first() else { return one };
        for (at, (value, app)) in targets.values.iter().zip(&targets.indexed).enumerate() {
            let reason = one.target_reason(model, (at, value, *app), &open);
            let known = one.reasons.iter().position(|other| *other == reason).unwrap_or(one.reasons.len());
            if known == one.reasons.len() {
                one.reasons.push(reason);
            }
            one.reason_of.push(known);
        }
        one
    }

    /// Whether all these values of a dimension surely meet the policy's condition.
    fn meets(&self, axis: usize, values: &[usize]) -> bool {
        let met = self.met.get(axis).map_or(&[][..], Vec::as_slice);
        values.iter().all(|value| met.get(*value) == Some(&Truth::Yes))
    }

    /// Whether some of them possibly does.
    fn reaches(&self, axis: usize, values: &[usize]) -> bool {
        let met = self.met.get(axis).map_or(&[][..], Vec::as_slice);
        values.iter().any(|value| met.get(*value) != Some(&Truth::No))
    }

    /// Why a value of the first dimension doesn't surely meet the policy's condition; none where it does. `open` is what
    /// can't be resolved about it.
    fn target_reason(
        &self,
        model: &Model,
        (at, value, app): (usize, &Value, Option<usize>),
        open: &OnceCell<String>,
    ) -> Option<Reason> {
        let condition = &self.policy.conditions.applications;
        match self.met.first()?.get(at)? {
            Truth::Yes => return None,
            Truth::Maybe => {
                let open = open.get_or_init(|| target::open(model, condition).join(", "));
                return Some(Reason::Undecided(open.clone()));
            }
            Truth::No => {}
        }
        let known = || Some(model.apps().included(app?)?.has(model.at_origin(self.at)?));
        let included = match value {
            Value::App(Some(id)) | Value::ContextOf(_, Some(id)) => {
                known().unwrap_or_else(|| target::included(model, condition, id))
            }
            Value::Baseline => condition.all,
            _ => false,
        };
        let spared = || value.is_enrolment() && target::spares_enrolment(self.policy);
        Some(match included {
            true if spared() => Reason::SparedApp,
            true => Reason::ExcludedApp,
            false => Reason::AppNotIncluded,
        })
    }
}

/// Whether a policy has a condition of its own in some dimension to which the scope is narrowed, and meets it there.
fn names_of_scope(scope: &Scope, policy: &Policy) -> bool {
    fn meet<T: Ord>(wanted: &BTreeSet<T>, named: &BTreeSet<T>) -> bool {
        !wanted.is_disjoint(named)
    }
    let conditions = &policy.conditions;
    let somewhere = scope.untrusted_locations
        || [&scope.within, &scope.outside, &scope.countries].iter().any(|places| !places.is_empty());
    meet(&scope.client_apps, &conditions.client_app_types)
        || meet(&scope.flows, &conditions.flows)
        || meet(&scope.sign_in_risk, &conditions.sign_in_risk)
        || meet(&scope.user_risk, &conditions.user_risk)
        || meet(&scope.insider_risk, &conditions.insider_risk)
        || conditions.platforms.as_ref().is_some_and(|sides| meet(&scope.platforms, &sides.include))
        || scope.user_action.as_ref().is_some_and(|urn| conditions.applications.user_actions.contains(urn))
        || scope.apps.as_ref().is_some_and(|apps| meet(apps, &conditions.applications.include))
        || (somewhere && conditions.locations.is_some())
}

/// One bit for each dimension; there are nine.
fn bit(axis: usize) -> u16 {
    u32::try_from(axis).ok().and_then(|axis| 1u16.checked_shl(axis)).unwrap_or_default()
}

/// What keeps a policy from somebody without an object here.
fn barrier(condition: &UserCondition, who: &Who<'_>) -> Barrier {
    match (condition.include.hit(who, false), condition.exclude.hit(who, true)) {
        (Truth::No, _) => Some(Reason::UsersNotIncluded),
        (_, Truth::Yes) if matches!(who.guest, Known::Is(_)) => Some(Reason::ExcludedGuests),
        (_, Truth::Yes) => Some(Reason::ExcludedUser),
        (Truth::Yes, Truth::No) => None,
        _ => {
            let unknown = [condition.include.unknowns(who, false), condition.exclude.unknowns(who, true)].concat();
            Some(Reason::Undecided(unknown.join(", ")))
        }
    }
}

fn met(model: &Model, (at, policy): (usize, &Policy), axes: &[Axis]) -> Vec<Vec<Truth>> {
    let origin = model.at_origin(at);
    let of_value = |(value, app): (&Value, &Option<usize>)| {
        let known = || Some(model.apps().lane((*app)?)?.of(origin?).or(value.on_top(policy)));
        known().unwrap_or_else(|| value.meets(model, (at, policy), &value.sign_in()))
    };
    axes.iter().map(|axis| axis.values.iter().zip(&axis.indexed).map(of_value).collect()).collect()
}

/// Reasons from here on say only that the policy is about other users or apps.
const BESIDE: u8 = 5;

fn rank(reason: &Reason) -> u8 {
    match reason {
        Reason::ExcludedUser | Reason::ExcludedGroup(_) | Reason::ExcludedRole(_) | Reason::ExcludedGuests => 0,
        Reason::ReportOnly => 1,
        Reason::WeakerControl(_) => 2,
        Reason::ExcludedApp | Reason::SparedApp => 3,
        Reason::NarrowerConditions(_) | Reason::Undecided(_) => 4,
        Reason::AppNotIncluded => BESIDE,
        Reason::UsersNotIncluded => 6,
        Reason::Off => 7,
        Reason::NoPolicy => 8,
    }
}
