//! For each kind of condition, the policies that a sign-in meets, as sets: those that apply are in all of them.
//!
//! Users are looked up in the compiled reach and apps in an index; of every other kind, policies that say the same are
//! asked once.

use std::collections::{BTreeSet, HashMap};

use super::Model;
use super::bits::{Bits, Lane};
use super::judge::{Dimension, is_empty, undecided};
use super::truth::Truth;
use super::who::{Membership, Who};
use crate::tenant::Policy;
use crate::tenant::policy::PolicyState;
use crate::tenant::sign_in::{Identity, SignIn, Target};

/// Policies that say the same about one kind of condition: one of them, and all of them.
type Alike = (usize, Bits);

/// What is known of all policies before any sign-in is.
#[derive(Debug)]
pub(super) struct Lanes {
    /// By kind of condition.
    alike: Vec<(Dimension, Vec<Alike>)>,
    /// By app id, the policies whose target condition it meets.
    apps: HashMap<String, Lane>,
    /// Policies that are On or report-only, ask for something, and can be judged: these apply where they are met.
    decided: Bits,
}

impl Lanes {
    pub(super) fn new(model: &Model) -> Self {
        let policies = &model.snapshot.policies;
        let alike = Dimension::ALL.into_iter().map(|dimension| (dimension, alike(policies, dimension))).collect();
        let mut ids: BTreeSet<&str> =
            model.snapshot.directory.service_principals.iter().map(|one| one.app_id.as_str()).collect();
        let conditions = policies.iter().map(|policy| &policy.conditions.applications);
        ids.extend(conditions.flat_map(|one| one.include.union(&one.exclude)).map(String::as_str));
        let apps = ids.into_iter().map(|id| (id.to_owned(), app_lane(model, id))).collect();
        let mut decided = Bits::none(policies.len());
        for (at, policy) in policies.iter().enumerate() {
            if policy.state != PolicyState::Disabled && !is_empty(policy) && undecided(policy).is_none() {
                decided.set(at);
            }
        }
        Self { alike, apps, decided }
    }

    /// The policies whose target condition an app meets, if it is one that the tenant or a policy knows.
    pub(super) fn app(&self, id: &str) -> Option<&Lane> {
        self.apps.get(id)
    }
}

/// The policies whose target condition a person's request for one app meets.
fn app_lane(model: &Model, id: &str) -> Lane {
    let identity = Identity::User { id: None, guest: None, tenant: None, direct_connect: false };
    let sign_in = SignIn { identity, target: Target::Apps(vec![id.to_owned()]), ..SignIn::default() };
    let who = model.who(&sign_in.identity);
    let mut lane = Lane::none(model.snapshot.policies.len());
    for (at, policy) in model.snapshot.policies.iter().enumerate() {
        lane.note(at, model.meets(at, policy, Dimension::Target, (&sign_in, &who)));
    }
    lane
}

fn alike(policies: &[Policy], dimension: Dimension) -> Vec<Alike> {
    let mut found: Vec<(usize, &Policy, Bits)> = Vec::new();
    for (at, policy) in policies.iter().enumerate() {
        if let Some((.., all)) = found.iter_mut().find(|(_, other, _)| same(dimension, policy, other)) {
            all.set(at);
        } else {
            let mut all = Bits::none(policies.len());
            all.set(at);
            found.push((at, policy, all));
        }
    }
    found.into_iter().map(|(at, _, all)| (at, all)).collect()
}

/// Whether two policies say the same about one kind of condition.
fn same(dimension: Dimension, one: &Policy, other: &Policy) -> bool {
    let (a, b) = (&one.conditions, &other.conditions);
    match dimension {
        Dimension::Identity => {
            a.users == b.users && a.agents == b.agents && a.client_applications == b.client_applications
        }
        // Report-only isn't evaluated for user actions, and some requests are spared by what the policy asks.
        Dimension::Target => a.applications == b.applications && one.state == other.state && one.grant == other.grant,
        Dimension::Platform => a.platforms == b.platforms,
        Dimension::Device => a.device_filter == b.device_filter,
        Dimension::ClientApp => a.client_app_types == b.client_app_types,
        Dimension::Location => a.locations == b.locations,
        Dimension::SignInRisk => a.sign_in_risk == b.sign_in_risk,
        Dimension::UserRisk => a.user_risk == b.user_risk,
        Dimension::ServicePrincipalRisk => a.service_principal_risk == b.service_principal_risk,
        Dimension::InsiderRisk => a.insider_risk == b.insider_risk,
        Dimension::Flow => a.flows == b.flows,
        Dimension::AgentRisk => a.agent_risk == b.agent_risk,
        Dimension::AgentContext => a.agent_contexts == b.agent_contexts,
    }
}

/// Which policies one sign-in meets, and where the others part from it.
#[derive(Debug)]
pub struct Verdicts {
    /// By kind of condition, in the order of assignment.
    lanes: Vec<(Dimension, Lane)>,
    surely: Bits,
    possibly: Bits,
}

impl Verdicts {
    /// Positions of the policies, On or report-only, that surely apply.
    pub fn applying(&self) -> impl Iterator<Item = usize> {
        self.surely.iter()
    }

    /// Positions of the policies, On or report-only, that apply surely, or depending on something that isn't known.
    pub fn possibly_applying(&self) -> impl Iterator<Item = usize> {
        self.possibly.iter()
    }

    /// The first kind of condition that the sign-in doesn't meet of the policy at this position.
    pub(super) fn unmet(&self, at: usize) -> Option<Dimension> {
        self.lanes.iter().find(|(_, lane)| !lane.possibly.has(at)).map(|(dimension, _)| *dimension)
    }

    /// The kinds of condition on which it depends whether the policy at this position applies.
    pub(super) fn open(&self, at: usize) -> impl Iterator<Item = Dimension> {
        let open = self.lanes.iter().filter(move |(_, lane)| lane.possibly.has(at) && !lane.surely.has(at));
        open.map(|(dimension, _)| *dimension)
    }
}

impl Model {
    /// Which policies apply to a sign-in, without the reasons: the core of [`Model::evaluate`].
    #[must_use]
    pub fn verdicts(&self, sign_in: &SignIn) -> Verdicts {
        self.verdicts_for((sign_in, &self.who(&sign_in.identity)))
    }

    pub(super) fn verdicts_for(&self, of: (&SignIn, &Who<'_>)) -> Verdicts {
        let known = self.lanes();
        let (mut surely, mut possibly) = (known.decided.clone(), known.decided.clone());
        let mut lanes = Vec::with_capacity(known.alike.len());
        for (dimension, alike) in &known.alike {
            let lane = self.indexed(known, *dimension, of).unwrap_or_else(|| self.asked(*dimension, alike, of));
            surely = surely.and(&lane.surely);
            possibly = possibly.and(&lane.possibly);
            lanes.push((*dimension, lane));
        }
        Verdicts { lanes, surely, possibly }
    }

    /// The policies that a sign-in meets in a kind of condition that is indexed, if the index holds its value.
    fn indexed(&self, known: &Lanes, dimension: Dimension, (sign_in, who): (&SignIn, &Who<'_>)) -> Option<Lane> {
        match (dimension, &sign_in.identity, &sign_in.target) {
            (Dimension::Identity, Identity::User { guest: None, tenant: None, direct_connect: false, .. }, _) => {
                let Membership::At(position) = who.membership else { return None };
                (self.is_base() && self.is_agent_user(who) == Truth::No).then(|| {
                    let (surely, possibly) = self.reach().row(position);
                    Lane { surely: Bits::of(surely), possibly: Bits::of(possibly) }
                })
            }
            (Dimension::Target, Identity::User { .. }, Target::Apps(ids)) if sign_in.scopes.is_none() => {
                match ids.as_slice() {
                    [id] => known.app(id).cloned(),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn asked(&self, dimension: Dimension, alike: &[Alike], of: (&SignIn, &Who<'_>)) -> Lane {
        let mut lane = Lane::none(self.snapshot.policies.len());
        for (at, all) in alike {
            let Some(policy) = self.snapshot.policies.get(*at) else { continue };
            let met = self.meets(*at, policy, dimension, of);
            if met == Truth::Yes {
                lane.surely.extend(all);
            }
            if met != Truth::No {
                lane.possibly.extend(all);
            }
        }
        lane
    }
}
