//! Coverage of workload identities and agents: which of them no policy blocks, to what, from where, at what risk.
//!
//! Block is all that a policy can ask of an identity that isn't a person's; of an agent's user account it is what is
//! asked here. Sources: Microsoft Learn, Conditional Access for workload identities; Conditional Access for agent
//! identities.

use std::collections::{BTreeMap, BTreeSet};

use super::domain::{self, Axis, Value};
use super::gaps::{apps, unresolved, values_of};
use super::requirement::{Contributor, Region};
use super::search::{COVERED, Diagram, Hole, Part};
use super::{Requirement, Scope, locations};
use crate::engine::Model;
use crate::engine::bits::Lane;
use crate::engine::judge::{Dimension, undecided};
use crate::engine::truth::Truth;
use crate::tenant::directory::AccountKind;
use crate::tenant::policy::{Control, Policy, PolicyState, RiskLevel};
use crate::tenant::sign_in::{Identity, Known, SignIn};

/// Which identities are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Service principals of this tenant's own applications; no others can be reached.
    ServicePrincipals,
    /// Agent identities.
    Agents,
    /// The user accounts of agents.
    AgentUsers,
}

impl Workload {
    /// The risk that is its own.
    fn risk(self) -> Dimension {
        match self {
            Self::ServicePrincipals => Dimension::ServicePrincipalRisk,
            Self::Agents | Self::AgentUsers => Dimension::AgentRisk,
        }
    }
}

/// The exact answer for workload or agent identities.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkloadCoverage {
    /// What no policy surely blocks; merged where all but the identities is equal.
    pub gaps: Vec<WorkloadGap>,
    /// Object ids of all identities looked at.
    pub looked_at: BTreeSet<String>,
    /// What would settle the gaps that aren't sure, as people read it.
    pub unresolved: BTreeSet<String>,
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
        let of: Vec<Contributor> = self.blocking(which, PolicyState::Enabled).collect();
        let values = values(self, which, scope, &of).into_iter();
        let axes: Vec<Axis> = values.map(|values| Axis::new(self, &of, values)).collect();
        let mut diagram = Diagram::new(&axes, of.len());
        let states = [PolicyState::ReportOnly, PolicyState::Disabled];
        let waiting: Vec<Contributor> = states.into_iter().flat_map(|state| self.blocking(which, state)).collect();
        let mut alike: BTreeMap<(Part, BTreeSet<String>), BTreeSet<String>> = BTreeMap::new();
        let (mut looked_at, mut unresolved) = (BTreeSet::new(), BTreeSet::new());
        for id in self.identities(which) {
            looked_at.insert(id.to_owned());
            let identity = identity(which, id);
            let reached = lane(self, &identity, &of);
            let part = diagram.search(&reached);
            if part != COVERED {
                unresolved.extend(self.open_of(&of, &reached));
                alike.entry((part, self.reaching(&identity, &waiting))).or_default().insert(id.to_owned());
            }
        }
        let mut found: BTreeMap<WorkloadGap, BTreeSet<String>> = BTreeMap::new();
        for ((part, planned), principals) in alike {
            for hole in diagram.holes(part) {
                let gap = WorkloadGap { planned: planned.clone(), ..gap(self, &axes, &hole) };
                found.entry(gap).or_default().extend(principals.iter().cloned());
            }
        }
        let gaps: Vec<WorkloadGap> =
            found.into_iter().map(|(gap, principals)| WorkloadGap { principals, ..gap }).collect();
        if gaps.iter().all(|gap| gap.sure) {
            unresolved.clear();
        }
        WorkloadCoverage { gaps, looked_at, unresolved }
    }

    /// What isn't known of the policies that possibly reach an identity.
    fn open_of(&self, of: &[Contributor], reached: &Lane) -> BTreeSet<String> {
        let (mut reaching, mut open) = (Vec::new(), BTreeSet::new());
        for (at, one) in of.iter().enumerate().filter(|(at, _)| reached.possibly.has(*at)) {
            reaching.push(*one);
            let policy = one.policy.and_then(|policy| self.snapshot.policies.get(policy));
            let filter = policy.and_then(|policy| policy.conditions.client_applications.as_ref()?.filter.as_ref());
            if let Some(policy) = policy.filter(|_| filter.is_some() && !reached.surely.has(at)) {
                open.insert(format!("the filter for workload identities of policy {}", policy.display_name));
            }
        }
        open.extend(unresolved(self, &reaching));
        open
    }

    pub(super) fn identities(&self, which: Workload) -> Vec<&str> {
        let directory = &self.snapshot.directory;
        if which == Workload::AgentUsers {
            let agents = directory.users.iter().filter(|user| user.enabled && user.account == AccountKind::Agent);
            return agents.map(|user| &*user.id).collect();
        }
        let wanted = move |kind: &str, single: bool| match which {
            Workload::ServicePrincipals => single && !["ManagedIdentity", "ServiceIdentity"].contains(&kind),
            _ => kind.eq_ignore_ascii_case("ServiceIdentity"),
        };
        let all = directory.service_principals.iter();
        all.filter(|one| one.enabled && wanted(&one.kind, one.single_tenant)).map(|one| one.id.as_str()).collect()
    }

    /// Policies in this state that block identities which aren't people.
    pub(super) fn blocking(&self, which: Workload, state: PolicyState) -> impl Iterator<Item = Contributor> {
        let policies = self.snapshot.policies.iter().enumerate();
        let blocking =
            policies.filter(move |(at, policy)| policy.state == state && self.blocks_workloads(which, *at, policy));
        blocking.map(|(at, policy)| Contributor {
            policy: Some(at),
            region: Region::EVERYWHERE,
            sure: undecided(policy).is_none(),
            acts_as_block: false,
            beside_exchange: false,
            blind_to_user_risk: false,
            shows_no_device: false,
        })
    }

    /// It blocks, and no condition keeps it from identities that have no device, client or risk of a person.
    fn blocks_workloads(&self, which: Workload, at: usize, policy: &Policy) -> bool {
        let blocks = policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::Block));
        let bare = SignIn {
            client_app: Known::Absent,
            platform: Known::Absent,
            device: Known::Absent,
            sign_in_risk: Known::Absent,
            user_risk: Known::Absent,
            insider_risk: Known::Absent,
            service_principal_risk: Known::Absent,
            agent_risk: Known::Absent,
            flow: Known::Absent,
            agent_context: Known::Absent,
            ..SignIn::default()
        };
        let who = self.who(&bare.identity);
        let searched = [Dimension::Identity, Dimension::Target, Dimension::Location, which.risk()];
        let mut others = Dimension::ALL.into_iter().filter(|dimension| !searched.contains(dimension));
        blocks
            && (policy.conditions.client_applications.is_some() || which == Workload::AgentUsers)
            && others.all(|dimension| self.meets(at, policy, dimension, (&bare, &who)) != Truth::No)
    }

    /// Object ids of those policies that possibly reach an identity.
    fn reaching(&self, identity: &SignIn, of: &[Contributor]) -> BTreeSet<String> {
        let lane = lane(self, identity, of);
        let reaching = of.iter().enumerate().filter(|(at, _)| lane.possibly.has(*at));
        reaching.filter_map(|(_, one)| Some(self.snapshot.policies.get(one.policy?)?.id.clone())).collect()
    }
}

pub(super) fn identity(which: Workload, id: &str) -> SignIn {
    let identity = match which {
        Workload::Agents => Identity::Agent(id.to_owned()),
        Workload::ServicePrincipals => Identity::ServicePrincipal(id.to_owned()),
        Workload::AgentUsers => {
            Identity::User { id: Some(id.to_owned()), guest: None, tenant: Known::Unknown, direct_connect: false }
        }
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
        Workload::Agents | Workload::AgentUsers => Value::AgentRisk(level),
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
        if values.iter().any(|at| matches!(axis.values.get(*at), Some(Value::App(_)))) {
            (gap.apps, gap.any_app) = apps(axis, &values);
            continue;
        }
        for (at, value) in axis.values.iter().enumerate() {
            match value {
                Value::Location(place) if values.contains(&at) => inside.push(place),
                Value::Location(place) => outside.push(place),
                Value::PrincipalRisk(level) | Value::AgentRisk(level) if !whole && values.contains(&at) => {
                    gap.risk.insert(*level);
                }
                _ => {}
            }
        }
        if !whole && !inside.is_empty() {
            gap.locations = Some(locations::describe(&model.snapshot, &inside, &outside));
        }
    }
    gap
}
