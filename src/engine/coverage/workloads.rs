//! Coverage of workload identities and agent identities: which of them no policy blocks, to what, from where, at what risk.
//!
//! Block is all that a policy can ask of them. Sources: Microsoft Learn, Conditional Access for workload identities;
//! Conditional Access for agent identities.

use std::collections::{BTreeMap, BTreeSet};

use super::domain::{self, Axis, Value};
use super::gaps::{apps, values_of};
use super::requirement::{Contributor, Region};
use super::search::{COVERED, Diagram, Hole};
use super::{Requirement, Scope, locations};
use crate::engine::Model;
use crate::engine::bits::Lane;
use crate::engine::judge::{Dimension, undecided};
use crate::engine::truth::Truth;
use crate::tenant::policy::{Control, Policy, PolicyState, RiskLevel};
use crate::tenant::sign_in::{Identity, Known, SignIn};

/// Which identities are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Service principals of this tenant's own applications; no others can be reached.
    ServicePrincipals,
    /// Agent identities.
    Agents,
}

/// The exact answer for workload or agent identities.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkloadCoverage {
    /// What no policy surely blocks; merged where all but the identities is equal.
    pub gaps: Vec<WorkloadGap>,
    /// Object ids of all identities looked at.
    pub looked_at: BTreeSet<String>,
}

/// Sign-ins of identities that aren't blocked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadGap {
    /// Sure, or only possible because something couldn't be resolved.
    pub sure: bool,
    /// Object ids of the identities.
    pub principals: BTreeSet<String>,
    /// App ids that are reached; empty with `any_app` alone.
    pub apps: BTreeSet<String>,
    /// Every app that no policy names is reached too.
    pub any_app: bool,
    /// The gap holds only from there, as people read it.
    pub locations: Option<String>,
    /// The gap holds only at these levels of the identity's own risk; empty for every one.
    pub risk: BTreeSet<RiskLevel>,
    /// Object ids of policies that could block something of this and are report-only or off.
    pub planned: BTreeSet<String>,
}

impl Model {
    /// Which workload or agent identities no policy that is On blocks. Of the scope its apps and locations are taken,
    /// and its sign-in risk as the risk of the identity itself.
    #[must_use]
    pub fn workload_coverage(&self, which: Workload, scope: &Scope) -> WorkloadCoverage {
        let of: Vec<Contributor> = self.blocking(PolicyState::Enabled).collect();
        let values = values(self, which, scope, &of).into_iter();
        let axes: Vec<Axis> = values.map(|values| Axis::new(self, &of, values)).collect();
        let mut diagram = Diagram::new(&axes, of.len());
        let mut found: BTreeMap<WorkloadGap, BTreeSet<String>> = BTreeMap::new();
        let mut looked_at = BTreeSet::new();
        for id in self.identities(which) {
            let identity = identity(which, id);
            let planned = self.planned(&identity);
            let part = diagram.search(&lane(self, &identity, &of));
            looked_at.insert(id.to_owned());
            for hole in if part == COVERED { Vec::new() } else { diagram.holes(part) } {
                let gap = WorkloadGap { planned: planned.clone(), ..gap(self, &axes, &hole) };
                found.entry(gap).or_default().insert(id.to_owned());
            }
        }
        let gaps = found.into_iter().map(|(gap, principals)| WorkloadGap { principals, ..gap }).collect();
        WorkloadCoverage { gaps, looked_at }
    }

    pub(super) fn identities(&self, which: Workload) -> impl Iterator<Item = &str> {
        let wanted = move |kind: &str, single: bool| match which {
            Workload::Agents => kind == "ServiceIdentity",
            Workload::ServicePrincipals => single && !["ManagedIdentity", "ServiceIdentity"].contains(&kind),
        };
        let all = self.snapshot.directory.service_principals.iter();
        all.filter(move |one| one.enabled && wanted(&one.kind, one.single_tenant)).map(|one| one.id.as_str())
    }

    /// Policies in this state that block identities which aren't people.
    pub(super) fn blocking(&self, state: PolicyState) -> impl Iterator<Item = Contributor> {
        let policies = self.snapshot.policies.iter().enumerate();
        let blocking = policies.filter(move |(at, policy)| policy.state == state && self.blocks_workloads(*at, policy));
        blocking.map(|(at, policy)| Contributor {
            policy: Some(at),
            region: Region::EVERYWHERE,
            sure: undecided(policy).is_none(),
            acts_as_block: false,
            blind_to_user_risk: false,
        })
    }

    /// It blocks, and no condition keeps it from identities that have no device, client or risk of a person.
    fn blocks_workloads(&self, at: usize, policy: &Policy) -> bool {
        let blocks = policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::Block));
        let bare = SignIn {
            client_app: Known::Absent,
            platform: Known::Absent,
            device: Known::Absent,
            sign_in_risk: Known::Absent,
            user_risk: Known::Absent,
            insider_risk: Known::Absent,
            flow: Known::Absent,
            agent_context: Known::Absent,
            ..SignIn::default()
        };
        let who = self.who(&bare.identity);
        let kept = |dimension: &Dimension| {
            !matches!(
                dimension,
                Dimension::Identity
                    | Dimension::Target
                    | Dimension::Location
                    | Dimension::ServicePrincipalRisk
                    | Dimension::AgentRisk
            )
        };
        let mut others = Dimension::ALL.into_iter().filter(kept);
        blocks
            && policy.conditions.client_applications.is_some()
            && others.all(|dimension| self.meets(at, policy, dimension, (&bare, &who)) != Truth::No)
    }

    /// Policies that would block the identity somewhere if they were On.
    fn planned(&self, identity: &SignIn) -> BTreeSet<String> {
        let states = [PolicyState::ReportOnly, PolicyState::Disabled];
        let of: Vec<Contributor> = states.into_iter().flat_map(|state| self.blocking(state)).collect();
        let lane = lane(self, identity, &of);
        let reaching = of.iter().enumerate().filter(|(at, _)| lane.possibly.has(*at));
        reaching.filter_map(|(_, one)| Some(self.snapshot.policies.get(one.policy?)?.id.clone())).collect()
    }
}

pub(super) fn identity(which: Workload, id: &str) -> SignIn {
    let identity = match which {
        Workload::Agents => Identity::Agent(id.to_owned()),
        Workload::ServicePrincipals => Identity::ServicePrincipal(id.to_owned()),
    };
    SignIn { identity, ..SignIn::default() }
}

/// The policies that reach an identity.
pub(super) fn lane(model: &Model, identity: &SignIn, of: &[Contributor]) -> Lane {
    let who = model.who(&identity.identity);
    let mut lane = Lane::none(of.len());
    for (at, one) in of.iter().enumerate() {
        let policy = one.policy.and_then(|at| Some((at, model.snapshot.policies.get(at)?)));
        let met =
            policy.map_or(Truth::No, |(at, policy)| model.meets(at, policy, Dimension::Identity, (identity, &who)));
        if met == Truth::Yes && one.sure {
            lane.surely.set(at);
        }
        if met != Truth::No {
            lane.possibly.set(at);
        }
    }
    lane
}

/// Targets, places, and the risk of the identity.
pub(super) fn values(model: &Model, which: Workload, scope: &Scope, of: &[Contributor]) -> Vec<Vec<Value>> {
    let policies: BTreeSet<usize> = of.iter().filter_map(|one| one.policy).collect();
    let places = locations::values(&model.snapshot, scope, &locations::named(&model.snapshot, scope, &policies));
    let levels = [RiskLevel::None, RiskLevel::Low, RiskLevel::Medium, RiskLevel::High];
    let wanted = |level: &RiskLevel| scope.sign_in_risk.is_empty() || scope.sign_in_risk.contains(level);
    let risk = |level| match which {
        Workload::Agents => Value::AgentRisk(level),
        Workload::ServicePrincipals => Value::PrincipalRisk(level),
    };
    vec![
        domain::targets(model, &Requirement::Block, scope, &policies),
        places.into_iter().map(Value::Location).collect(),
        levels.into_iter().filter(wanted).map(risk).collect(),
    ]
}

/// What a hole is about, apart from whom.
fn gap(model: &Model, axes: &[Axis], hole: &Hole) -> WorkloadGap {
    let mut gap = WorkloadGap {
        sure: hole.sure,
        principals: BTreeSet::new(),
        apps: BTreeSet::new(),
        any_app: false,
        locations: None,
        risk: BTreeSet::new(),
        planned: BTreeSet::new(),
    };
    for (axis, classes) in axes.iter().zip(&hole.classes) {
        let values = values_of(axis, classes.as_deref());
        let whole = values.len() == axis.values.len();
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for (at, value) in axis.values.iter().enumerate() {
            match value {
                Value::Location(place) if values.contains(&at) => inside.push(place),
                Value::Location(place) => outside.push(place),
                Value::PrincipalRisk(level) | Value::AgentRisk(level) if !whole && values.contains(&at) => {
                    gap.risk.insert(*level);
                }
                Value::App(_) if values.contains(&at) => (gap.apps, gap.any_app) = apps(axis, &values),
                _ => {}
            }
        }
        if !whole && !inside.is_empty() {
            gap.locations = Some(locations::describe(&model.snapshot, &inside, &outside));
        }
    }
    gap
}
