//! The conditions worth trying: of all that policies can tell apart, one of each, with the policies that it meets.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::Model;
use crate::engine::bits::Lane;
use crate::engine::judge::Dimension;
use crate::engine::reach::Reached;
use crate::engine::samples::{clients, places, risks};
use crate::engine::truth::Truth;
use crate::tenant::directory::AccountKind;
use crate::tenant::policy::{ClientAppType, Control, PolicyState, RiskLevel};
use crate::tenant::sign_in::{DeviceInfo, Identity, Known, SignIn, Target};
use crate::tenant::well_known::APP_AZURE_MANAGEMENT;
use crate::tenant::{Policy, User};

/// A partial sign-in, and the policies that it meets in what it states.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) sign_in: Arc<SignIn>,
    pub(super) meets: Lane,
}

impl Candidate {
    fn new(meets: Lane, sign_in: SignIn) -> Self {
        Self { sign_in: Arc::new(sign_in), meets }
    }
}

/// Candidates for each group of conditions that is independent of the others.
#[derive(Debug)]
pub(super) struct Candidates {
    pub(super) clients: Vec<Candidate>,
    pub(super) places: Vec<Candidate>,
    pub(super) devices: Vec<Candidate>,
    pub(super) risks: Vec<Candidate>,
}

/// A tenant's policies as they meet those who administer it.
#[derive(Debug)]
pub(super) struct Administration<'m> {
    model: &'m Model,
    /// The policies that are On and ask for something, by their positions.
    pub(super) policies: Vec<(usize, &'m Policy)>,
    /// Those that take the administration of the tenant in.
    taking_in: Lane,
    /// Whom those among them reach that block whatever is tried.
    blocked: Vec<Arc<Reached>>,
    /// What to try, whoever it is.
    candidates: Candidates,
}

/// Clients that can do what policies ask for.
const MODERN: [ClientAppType; 2] = [ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients];

/// What is the same whatever is tried.
const FIXED: [Dimension; 6] = [
    Dimension::Target,
    Dimension::ServicePrincipalRisk,
    Dimension::InsiderRisk,
    Dimension::Flow,
    Dimension::AgentRisk,
    Dimension::AgentContext,
];

impl<'m> Administration<'m> {
    /// With everything that there is to try.
    pub(super) fn new(model: &'m Model) -> Self {
        let policies = enforced(model);
        let filters: Vec<_> = policies.iter().filter_map(|(at, _)| model.device_filter(*at)).collect();
        let devices = on_each(model.directory.devices.devices(&filters));
        let places = places(model, policies.iter().map(|(_, policy)| *policy));
        Self::with(model, policies, [clients(&MODERN), places, devices, risks()])
    }

    /// With nothing to try but one sign-in.
    pub(super) fn only(model: &'m Model, sign_in: &SignIn) -> Self {
        Self::with(model, enforced(model), std::array::from_fn(|_| vec![sign_in.clone()]))
    }

    fn with(model: &'m Model, policies: Vec<(usize, &'m Policy)>, groups: [Vec<SignIn>; 4]) -> Self {
        let taking_in = meets(model, &policies, &FIXED, &signing_in(None));
        let all = |sign_ins: Vec<SignIn>, dimensions: &[Dimension]| {
            let candidate = |sign_in| Candidate::new(meets(model, &policies, dimensions, &sign_in), sign_in);
            sign_ins.into_iter().map(candidate).collect::<Vec<_>>()
        };
        let [clients, places, devices, risks] = groups;
        let candidates = Candidates {
            clients: all(clients, &[Dimension::ClientApp, Dimension::Platform]),
            places: all(places, &[Dimension::Location]),
            devices: all(devices, &[Dimension::Device]),
            risks: all(risks, &[Dimension::SignInRisk, Dimension::UserRisk]),
        };
        let blocked = blocking(&policies, &taking_in, &candidates).map(|at| model.reached(at)).collect();
        Self { model, policies, taking_in, blocked, candidates }
    }

    /// The policies that could reach a person there.
    pub(super) fn reaching(&self, user_id: &str) -> Lane {
        let there = |(at, _): &&(usize, _)| self.taking_in.possibly.has(*at);
        let policies: Vec<_> = self.policies.iter().filter(there).copied().collect();
        self.taking_in.and(&meets(self.model, &policies, &[Dimension::Identity], &signing_in(Some(user_id))))
    }

    /// Whether one policy blocks the person at this position whatever they try. Agents are judged apart.
    pub(super) fn shuts_out(&self, position: u32, user: &User) -> bool {
        let has = |reached: &Arc<Reached>| usize::try_from(position).is_ok_and(|at| reached.surely.has(at));
        user.account != AccountKind::Agent && self.blocked.iter().any(has)
    }

    /// What these policies tell apart of it: on the devices that the person has, where somebody read whose are whose.
    pub(super) fn candidates(&self, reaching: &Lane, own: Option<Vec<DeviceInfo>>, external: bool) -> Candidates {
        let candidate = |sign_in: SignIn| {
            Candidate::new(meets(self.model, &self.policies, &[Dimension::Device], &sign_in), sign_in)
        };
        let own = own.map(|own| {
            let devices = own.into_iter().map(Known::Is).chain([Known::Absent]);
            on_each(devices).into_iter().map(candidate).collect::<Vec<_>>()
        });
        let all = &self.candidates;
        // The risk of an external user is judged at home.
        let here = |one: &&Candidate| !external || one.sign_in.user_risk == Known::Is(RiskLevel::None);
        let devices = own.as_ref().unwrap_or(&all.devices);
        Candidates {
            // App protection tells platforms apart even where no condition does.
            clients: distinct(all.clients.iter(), reaching, |sign_in| format!("{:?}", sign_in.platform)),
            places: distinct(all.places.iter(), reaching, |_| ()),
            devices: distinct(devices.iter(), reaching, controls_of),
            risks: distinct(all.risks.iter().filter(here), reaching, |_| ()),
        }
    }
}

/// Somebody who signs in to administer the tenant.
pub(super) fn signing_in(user_id: Option<&str>) -> SignIn {
    SignIn {
        identity: Identity::User {
            id: user_id.map(str::to_owned),
            guest: None,
            tenant: Known::Unknown,
            direct_connect: false,
        },
        target: Target::Apps(vec![APP_AZURE_MANAGEMENT.to_owned()]),
        insider_risk: Known::Absent,
        flow: Known::Absent,
        service_principal_risk: Known::Absent,
        agent_risk: Known::Absent,
        agent_context: Known::Absent,
        ..SignIn::default()
    }
}

fn enforced(model: &Model) -> Vec<(usize, &Policy)> {
    let asks = |policy: &Policy| policy.state == PolicyState::Enabled && policy.grant.is_some();
    model.snapshot.policies.iter().enumerate().filter(|(_, policy)| asks(policy)).collect()
}

fn meets(model: &Model, policies: &[(usize, &Policy)], dimensions: &[Dimension], sign_in: &SignIn) -> Lane {
    let who = model.who(&sign_in.identity);
    let mut lane = Lane::none(model.snapshot.policies.len());
    for (at, policy) in policies {
        let each = dimensions.iter().map(|dimension| model.meets(*at, policy, *dimension, (sign_in, &who)));
        lane.note(*at, Truth::all(each));
    }
    lane
}

/// Policies that block under every condition that there is to try, by their positions.
fn blocking(
    policies: &[(usize, &Policy)],
    taking_in: &Lane,
    Candidates { clients, places, devices, risks }: &Candidates,
) -> impl Iterator<Item = usize> {
    let mut always = taking_in.surely.clone();
    [clients, places, devices, risks].into_iter().flatten().for_each(|one| always.retain(&one.meets.surely));
    let blocks = |policy: &Policy| {
        // What a filter says of a device that somebody has is asked apart.
        let only = policy.grant.as_ref().is_some_and(|grant| grant.controls.iter().eq([&Control::Block]));
        only && policy.conditions.device_filter.is_none()
    };
    policies.iter().filter(move |(at, policy)| always.has(*at) && blocks(policy)).map(|(at, _)| *at)
}

/// One of all candidates that these policies, and what is looked at besides, don't tell apart.
fn distinct<'a, K: Ord>(
    all: impl Iterator<Item = &'a Candidate>,
    policies: &Lane,
    besides: impl Fn(&SignIn) -> K,
) -> Vec<Candidate> {
    let mut seen = BTreeSet::new();
    let narrowed = all.map(|one| Candidate { meets: one.meets.and(policies), ..one.clone() });
    narrowed.filter(|one| seen.insert((one.meets.clone(), besides(&one.sign_in)))).collect()
}

/// A sign-in on each of these devices.
fn on_each(devices: impl IntoIterator<Item = Known<DeviceInfo>>) -> Vec<SignIn> {
    devices.into_iter().map(|device| SignIn { device, ..SignIn::default() }).collect()
}

/// What grant controls see of a device.
fn controls_of(sign_in: &SignIn) -> String {
    match &sign_in.device {
        Known::Is(device) => format!("{:?} {:?}", device.compliant, device.trust_type),
        other => format!("{other:?}"),
    }
}
