//! Why no policy covers a hole: for each policy that could have, what stands in its way, most telling first.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use super::barriers::Barriers;
use super::domain::{Axis, Value};
use super::requirement::{Bearing, bearing};
use super::{Cause, Other, Reason, Requirement};
use crate::engine::judge::{Dimension, undecided};
use crate::engine::truth::Truth;
use crate::engine::who::Who;
use crate::engine::{Model, target};
use crate::tenant::policy::{Policy, PolicyState};

/// A policy that could have met the requirement.
#[derive(Debug)]
struct Candidate<'a> {
    at: usize,
    policy: &'a Policy,
    bearing: Bearing,
    /// For each dimension and value, whether its condition is met.
    met: Vec<Vec<Truth>>,
}

/// All candidates of a requirement.
#[derive(Debug)]
pub(super) struct Causes<'a> {
    model: &'a Model,
    axes: &'a [Axis],
    candidates: Vec<Candidate<'a>>,
    barriers: Barriers,
    /// For each value of the first dimension, the first one that no candidate tells from it.
    like: Vec<usize>,
}

/// Users of one hole for whom the same stands in the way.
pub(super) struct Share {
    pub(super) users: RoaringBitmap,
    pub(super) others: BTreeSet<Other>,
    pub(super) causes: Vec<Cause>,
}

impl<'a> Causes<'a> {
    pub(super) fn new(
        model: &'a Model,
        requirement: &Requirement,
        axes: &'a [Axis],
        (users, others): (&RoaringBitmap, &[(Other, Who<'_>)]),
    ) -> Self {
        let policies = model.snapshot.policies.iter().enumerate();
        let candidates: Vec<Candidate<'_>> = policies
            .map(|(at, policy)| (at, policy, bearing(&model.snapshot, requirement, policy)))
            .filter(|(.., bearing)| *bearing != Bearing::None)
            .map(|(at, policy, bearing)| Candidate { at, policy, met: met(model, (at, policy), axes), bearing })
            .collect();
        let mut first: BTreeMap<Vec<Option<Reason>>, usize> = BTreeMap::new();
        let targets = 0..axes.first().map_or(0, |axis| axis.values.len());
        let key = |value: usize| candidates.iter().map(|one| one.target_reason(model, axes, value)).collect();
        let like = targets.map(|value| *first.entry(key(value)).or_insert(value)).collect();
        let policies: Vec<usize> = candidates.iter().map(|one| one.at).collect();
        let barriers = Barriers::new(model, &policies, users, others);
        Self { model, axes, candidates, barriers, like }
    }

    /// Values of the first dimension that no candidate tells apart.
    pub(super) fn alike(&self, values: &[usize]) -> Vec<Vec<usize>> {
        let mut kinds: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for value in values {
            kinds.entry(self.like.get(*value).copied().unwrap_or(*value)).or_default().push(*value);
        }
        kinds.into_values().collect()
    }

    /// Users by what stands between them and the candidates.
    pub(super) fn sorted(&self, users: &RoaringBitmap) -> BTreeMap<usize, RoaringBitmap> {
        self.barriers.sorted(users)
    }

    /// The users of a hole with these values, each with what stands in the way of the candidates.
    pub(super) fn shares(
        &self,
        users: &BTreeMap<usize, RoaringBitmap>,
        others: &BTreeSet<Other>,
        values: &[Vec<usize>],
    ) -> Vec<Share> {
        let telling: Vec<bool> = self.candidates.iter().map(|one| one.reaches(values)).collect();
        let mut found: BTreeMap<Vec<Cause>, (RoaringBitmap, BTreeSet<Other>)> = BTreeMap::new();
        for (class, users) in users {
            found.entry(self.causes(&self.barriers.of(*class), &telling, values)).or_default().0 |= users;
        }
        for (other, barriers) in self.barriers.others.iter().filter(|(other, _)| others.contains(other)) {
            let barriers: Vec<_> = barriers.iter().map(Option::as_ref).collect();
            found.entry(self.causes(&barriers, &telling, values)).or_default().1.insert(*other);
        }
        found.into_iter().map(|(causes, (users, others))| Share { users, others, causes }).collect()
    }

    /// The causes, most telling first; those that only say that a policy is about something else stand in for none.
    fn causes(&self, barriers: &[Option<&Reason>], telling: &[bool], values: &[Vec<usize>]) -> Vec<Cause> {
        let mut all: Vec<(u8, Cause)> = Vec::new();
        for ((candidate, barrier), telling) in self.candidates.iter().zip(barriers).zip(telling) {
            // Where the policy is about something else anyhow, being excluded from it explains nothing.
            let barrier = barrier.filter(|reason| *telling || **reason == Reason::UsersNotIncluded);
            let reasons = self.reasons(candidate, barrier, values);
            let cause = |reason| Cause { policy_id: Some(candidate.policy.id.clone()), reason };
            all.extend(reasons.into_iter().map(|reason| (rank(&reason), cause(reason))));
        }
        all.sort();
        all.dedup();
        if all.iter().any(|(rank, _)| *rank < BESIDE) {
            all.retain(|(rank, _)| *rank < BESIDE);
        }
        if all.is_empty() {
            all.push((BESIDE, Cause { policy_id: None, reason: Reason::NoPolicy }));
        }
        all.into_iter().map(|(_, cause)| cause).collect()
    }

    fn reasons(&self, candidate: &Candidate<'_>, barrier: Option<&Reason>, values: &[Vec<usize>]) -> Vec<Reason> {
        let mut all: Vec<Reason> = barrier.cloned().into_iter().collect();
        if barrier != Some(&Reason::UsersNotIncluded) {
            let alike = values.first().and_then(|alike| alike.first());
            all.extend(alike.and_then(|value| candidate.target_reason(self.model, self.axes, *value)));
        }
        let narrower = self.narrower(candidate, values);
        if !narrower.is_empty() {
            all.push(Reason::NarrowerConditions(narrower));
        }
        let beside = all.iter().any(|reason| rank(reason) >= BESIDE);
        let excluded_only = all.iter().all(|reason| rank(reason) == 0);
        match candidate.policy.state {
            PolicyState::Disabled if all.is_empty() => all.push(Reason::Off),
            PolicyState::ReportOnly if !beside => all.push(Reason::ReportOnly),
            PolicyState::Disabled => return Vec::new(),
            _ => {}
        }
        if candidate.bearing == (Bearing::Meets { blocks: true })
            && !excluded_only
            && candidate.policy.state == PolicyState::Enabled
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

    /// Kinds of condition, beside the target, that leave some of these values out.
    fn narrower(&self, candidate: &Candidate<'_>, values: &[Vec<usize>]) -> BTreeSet<&'static str> {
        let beside = values.iter().enumerate().skip(1);
        let missed = beside.filter(|(axis, values)| !candidate.meets(*axis, values));
        missed
            .filter_map(|(axis, _)| self.axes.get(axis)?.values.first().map(|value| kind_name(value.dimension())))
            .collect()
    }
}

impl Candidate<'_> {
    /// Whether all these values of a dimension surely meet the policy's condition.
    fn meets(&self, axis: usize, values: &[usize]) -> bool {
        let met = self.met.get(axis).map_or(&[][..], Vec::as_slice);
        values.iter().all(|value| met.get(*value) == Some(&Truth::Yes))
    }

    /// Why a value of the first dimension doesn't surely meet the policy's condition; none where it does.
    fn target_reason(&self, model: &Model, axes: &[Axis], value: usize) -> Option<Reason> {
        let condition = &self.policy.conditions.applications;
        match self.met.first()?.get(value)? {
            Truth::Yes => return None,
            Truth::Maybe => return Some(Reason::Undecided(target::open(model, condition).join(", "))),
            Truth::No => {}
        }
        let included = match axes.first()?.values.get(value)? {
            Value::App(Some(id)) => condition.all || target::listed(model, &condition.include, id) != Truth::No,
            Value::Baseline => condition.all,
            _ => false,
        };
        Some(if included { Reason::ExcludedApp } else { Reason::AppNotIncluded })
    }

    /// Whether some sign-in with these values possibly meets all its conditions.
    fn reaches(&self, values: &[Vec<usize>]) -> bool {
        let possible =
            |(met, values): (&Vec<Truth>, &Vec<usize>)| values.iter().any(|value| met.get(*value) != Some(&Truth::No));
        self.met.iter().zip(values).all(possible)
    }
}

fn met(model: &Model, (at, policy): (usize, &Policy), axes: &[Axis]) -> Vec<Vec<Truth>> {
    let of_value = |value: &Value| {
        if let Some(lane) = value.indexed(model) {
            return lane.of(at);
        }
        let sign_in = value.sign_in();
        model.meets(at, policy, value.dimension(), (&sign_in, &model.who(&sign_in.identity)))
    };
    axes.iter().map(|axis| axis.values.iter().map(of_value).collect()).collect()
}

/// Reasons from here on say only that the policy is about other users or apps.
const BESIDE: u8 = 5;

fn rank(reason: &Reason) -> u8 {
    match reason {
        Reason::ExcludedUser | Reason::ExcludedGroup(_) | Reason::ExcludedRole(_) | Reason::ExcludedGuests => 0,
        Reason::ReportOnly => 1,
        Reason::WeakerControl(_) => 2,
        Reason::ExcludedApp => 3,
        Reason::NarrowerConditions(_) | Reason::Undecided(_) => 4,
        Reason::AppNotIncluded => BESIDE,
        Reason::UsersNotIncluded => 6,
        Reason::Off => 7,
        Reason::NoPolicy => 8,
    }
}

/// The portal's word for a kind of condition.
fn kind_name(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Identity => "Users",
        Dimension::Target => "Target resources",
        Dimension::Platform => "Device platforms",
        Dimension::Device => "Filter for devices",
        Dimension::ClientApp => "Client apps",
        Dimension::Location => "Locations",
        Dimension::SignInRisk => "Sign-in risk",
        Dimension::UserRisk => "User risk",
        Dimension::ServicePrincipalRisk => "Service principal risk",
        Dimension::InsiderRisk => "Insider risk",
        Dimension::Flow => "Authentication flows",
        Dimension::AgentRisk => "Agent risk",
        Dimension::AgentContext => "Agent context",
    }
}
