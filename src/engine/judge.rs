//! One policy against one sign-in, condition by condition, in Microsoft's order of assignment.
//!
//! This is the one definition of when a policy applies; coverage compiles its sets by asking it.

use std::collections::BTreeSet;

use super::device_rule::DeviceFilter;
use super::evaluate::{Applies, UnmetKind};
use super::lanes::Lanewise;
use super::machines::{agent_unknowns, as_agent_user};
use super::truth::Truth;
use super::who::{Membership, Who};
use super::{Model, attribute_filter, condition, location, target, unknown_words};
use crate::tenant::policy::{Control, GuestType, Platform, PolicyState, RiskLevel, Sides};
use crate::tenant::sign_in::{Identity, Known, SignIn, Target};
use crate::tenant::{Kind, Policy, Text};

/// The kinds of condition, in the order in which the first unmet one is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dimension {
    Identity,
    Target,
    Platform,
    Device,
    ClientApp,
    Location,
    SignInRisk,
    UserRisk,
    ServicePrincipalRisk,
    InsiderRisk,
    Flow,
    AgentRisk,
    AgentContext,
}

impl Dimension {
    pub(super) const ALL: [Self; 13] = [
        Self::Identity,
        Self::Target,
        Self::Platform,
        Self::Device,
        Self::ClientApp,
        Self::Location,
        Self::SignInRisk,
        Self::UserRisk,
        Self::ServicePrincipalRisk,
        Self::InsiderRisk,
        Self::Flow,
        Self::AgentRisk,
        Self::AgentContext,
    ];

    /// The word of What If for this condition being unmet.
    pub(super) fn unmet(self, sign_in: &SignIn) -> UnmetKind {
        match self {
            Self::Identity => match sign_in.identity {
                Identity::Unstated | Identity::User { .. } => UnmetKind::Users,
                Identity::ServicePrincipal(_) => UnmetKind::WorkloadIdentities,
                Identity::Agent(_) => UnmetKind::AgentIdentities,
            },
            Self::Target => match sign_in.target {
                Target::Unstated | Target::Apps(_) => UnmetKind::Application,
                Target::UserAction(_) => UnmetKind::UserActions,
                Target::Context(_) => UnmetKind::AuthenticationContext,
            },
            Self::Platform => UnmetKind::DevicePlatform,
            Self::Device => UnmetKind::Devices,
            Self::ClientApp => UnmetKind::ClientApps,
            Self::Location => UnmetKind::Location,
            Self::SignInRisk => UnmetKind::SignInRisk,
            Self::UserRisk => UnmetKind::UserRisk,
            Self::ServicePrincipalRisk => UnmetKind::ServicePrincipalRisk,
            Self::InsiderRisk => UnmetKind::InsiderRisk,
            Self::Flow => UnmetKind::AuthenticationFlow,
            Self::AgentRisk => UnmetKind::AgentIdRisk,
            Self::AgentContext => UnmetKind::AgentIdentities,
        }
    }

    /// What a sign-in leaves open, as people read it; identity and target say more.
    fn label(self) -> &'static str {
        match self {
            Self::Identity => "the user",
            Self::Target => "the target resource",
            Self::Platform => "the device platform",
            Self::Device => "the device's attributes",
            Self::ClientApp => "the client app",
            Self::Location => "the location",
            Self::SignInRisk => "the sign-in risk",
            Self::UserRisk => "the user risk",
            Self::ServicePrincipalRisk => "the service principal risk",
            Self::InsiderRisk => "the insider risk",
            Self::Flow => "the authentication flow",
            Self::AgentRisk => "the risk of the agent identity",
            Self::AgentContext => "how an agent takes part",
        }
    }
}

impl Model {
    /// Whether the policy at this position of the snapshot applies.
    pub(super) fn judge(&self, at: usize, policy: &Policy, sign_in: &SignIn) -> Applies {
        let who = self.who_in(sign_in);
        let mut open = Vec::new();
        for dimension in Dimension::ALL {
            match self.meets(at, policy, dimension, (sign_in, &who)) {
                Truth::No => return Applies::No(dimension.unmet(sign_in)),
                Truth::Maybe => open.push(dimension),
                Truth::Yes => {}
            }
        }
        self.where_met((at, policy), open, (sign_in, &who))
    }

    /// Whether a policy applies whose conditions are met but for those that are `open`.
    fn where_met(
        &self,
        (at, policy): (usize, &Policy),
        open: impl IntoIterator<Item = Dimension>,
        of: (&SignIn, &Who<'_>),
    ) -> Applies {
        if is_empty(policy) {
            return Applies::No(UnmetKind::EmptyPolicy);
        }
        let open: Vec<Dimension> = open.into_iter().collect();
        // What isn't known says nothing where the rest of its condition decides.
        let mut pointers = undecided(policy).unwrap_or_default();
        pointers.retain(|pointer| unknown_words::of(pointer).is_none_or(|(dimension, _)| open.contains(&dimension)));
        pointers.extend(open.iter().filter_map(|dimension| self.unsound(at, policy, (*dimension, of.0))));
        if !pointers.is_empty() {
            return Applies::NotDecided(pointers);
        }
        if open.is_empty() {
            return Applies::Yes;
        }
        let named = |dimension| {
            let named = self.unknowns(at, policy, dimension, of);
            // Whatever is open is named: what hangs on nothing would be taken for settled.
            if named.is_empty() { vec![dimension.label().to_owned()] } else { named }
        };
        Applies::DependsOn(open.into_iter().flat_map(named).collect())
    }

    /// Where the filter stands on which an open condition hangs, if no fact could settle it.
    fn unsound(&self, at: usize, policy: &Policy, (dimension, sign_in): (Dimension, &SignIn)) -> Option<String> {
        let conditions = &policy.conditions;
        let machines = conditions.client_applications.as_ref();
        let (place, filter) = match (dimension, &sign_in.identity) {
            (Dimension::Device, _) => {
                let sound = self.device_filter(at).is_none_or(DeviceFilter::is_sound);
                return (!sound).then(|| "/conditions/devices/deviceFilter/rule".to_owned());
            }
            (Dimension::Target, _) => ("applications/applicationFilter", conditions.applications.filter.as_ref()),
            (Dimension::Identity, Identity::ServicePrincipal(_)) => {
                ("clientApplications/servicePrincipalFilter", machines?.filter.as_ref())
            }
            (Dimension::Identity, Identity::Agent(_)) => {
                ("clientApplications/agentIdServicePrincipalFilter", machines?.agent_filter.as_ref())
            }
            _ => return None,
        };
        let sound = attribute_filter::is_sound(&filter?.rule);
        (!sound).then(|| format!("/conditions/{place}/rule"))
    }

    /// The same, from the verdicts on all policies.
    pub(super) fn applies(
        &self,
        (at, policy): (usize, &Policy),
        verdicts: &Lanewise<'_>,
        of: (&SignIn, &Who<'_>),
    ) -> Applies {
        match verdicts.unmet(at) {
            Some(dimension) => Applies::No(dimension.unmet(of.0)),
            None => self.where_met((at, policy), verdicts.open(at), of),
        }
    }

    /// Whether one condition of the policy is met.
    pub(super) fn meets(&self, at: usize, policy: &Policy, dimension: Dimension, of: (&SignIn, &Who<'_>)) -> Truth {
        let met = self.meets_known_part(at, policy, dimension, of);
        if policy.undecided.is_empty() || (dimension == Dimension::Identity && is_person(of.0)) {
            return met;
        }
        unknown_words::weigh(policy, dimension, met, || self.unless_excluded(policy, dimension, of.0))
    }

    /// Whether a condition would be met if it included everything: no exclusion that is known takes the sign-in out.
    fn unless_excluded(&self, policy: &Policy, dimension: Dimension, sign_in: &SignIn) -> Truth {
        let conditions = &policy.conditions;
        match dimension {
            Dimension::Identity => self.machine_unless_excluded(policy, &sign_in.identity),
            Dimension::Target if unreported(policy, sign_in) || target::spared(policy, sign_in) => Truth::No,
            Dimension::Target => target::unless_excluded(self, &conditions.applications, sign_in),
            Dimension::Platform => {
                let exclude = conditions.platforms.as_ref().map(|sides| sides.exclude.clone()).unwrap_or_default();
                condition::platform(Some(&Sides { include: [Platform::All].into(), exclude }), &sign_in.platform)
            }
            Dimension::Location => {
                let exclude = conditions.locations.as_ref().map(|sides| sides.exclude.clone()).unwrap_or_default();
                location::met(&self.snapshot, Some(&Sides { include: ["All".to_owned()].into(), exclude }), sign_in)
            }
            _ => Truth::Yes,
        }
    }

    fn meets_known_part(&self, at: usize, policy: &Policy, dimension: Dimension, of: (&SignIn, &Who<'_>)) -> Truth {
        let (sign_in, who) = of;
        let conditions = &policy.conditions;
        match dimension {
            Dimension::Identity => self.identity(at, policy, of),
            Dimension::Target if unreported(policy, sign_in) || target::spared(policy, sign_in) => Truth::No,
            Dimension::Target => target::met(self, &conditions.applications, sign_in),
            Dimension::Platform => condition::platform(conditions.platforms.as_ref(), &sign_in.platform),
            Dimension::Device => self.device_filter(at).map_or(Truth::Yes, |filter| filter.met(&sign_in.device)),
            Dimension::ClientApp => {
                condition::client_app(&conditions.client_app_types, &sign_in.client_app, &sign_in.platform)
            }
            Dimension::Location => location::met(&self.snapshot, conditions.locations.as_ref(), sign_in),
            Dimension::SignInRisk => condition::risk(&conditions.sign_in_risk, &sign_in.sign_in_risk),
            // User risk of an external user is judged in the home tenant (Microsoft Learn, ID Protection and B2B users).
            Dimension::UserRisk if is_external(who) => {
                condition::risk(&conditions.user_risk, &Known::Is(RiskLevel::None))
            }
            Dimension::UserRisk => condition::risk(&conditions.user_risk, &sign_in.user_risk),
            Dimension::ServicePrincipalRisk => {
                condition::risk(&conditions.service_principal_risk, &sign_in.service_principal_risk)
            }
            Dimension::InsiderRisk => condition::listed(&conditions.insider_risk, &sign_in.insider_risk),
            Dimension::Flow => {
                let began = match sign_in.began {
                    Some(began) => conditions.flows.contains(&began).into(),
                    None if sign_in.open.began => Truth::Maybe,
                    None => Truth::No,
                };
                condition::listed(&conditions.flows, &sign_in.flow).or(began)
            }
            Dimension::AgentRisk => condition::listed(&conditions.agent_risk, &sign_in.agent_risk),
            Dimension::AgentContext => condition::agent_context(conditions.agent_contexts.as_ref(), sign_in),
        }
    }

    fn identity(&self, at: usize, policy: &Policy, (sign_in, who): (&SignIn, &Who<'_>)) -> Truth {
        let conditions = &policy.conditions;
        match &sign_in.identity {
            Identity::Unstated | Identity::User { .. } => {
                let as_person = || self.users.get(at).map_or(Truth::No, |users| users.met(who));
                match self.is_agent_user((sign_in, who)) {
                    Truth::No => as_person(),
                    Truth::Yes => as_agent_user(policy, who.id),
                    // Whoever isn't known to be an agent is judged as a person, beside the scopes for agents.
                    Truth::Maybe => as_agent_user(policy, who.id).and(Truth::Maybe).or(as_person()),
                }
            }
            Identity::ServicePrincipal(id) => {
                conditions.client_applications.as_ref().map_or(Truth::No, |apps| self.workload(apps, id))
            }
            Identity::Agent(id) => {
                conditions.client_applications.as_ref().map_or(Truth::No, |apps| self.agent(apps, id))
            }
        }
    }

    /// What leaves it open whether one condition of the policy is met, as people read it.
    pub(super) fn unknowns(
        &self,
        at: usize,
        policy: &Policy,
        dimension: Dimension,
        of: (&SignIn, &Who<'_>),
    ) -> Vec<String> {
        let (sign_in, who) = of;
        match (dimension, &sign_in.identity, self.users.get(at)) {
            (Dimension::Identity, Identity::User { .. }, Some(users)) => {
                let agent = self.is_agent_user(of);
                let of_person = || [users.include.unknowns(who, false), users.exclude.unknowns(who, true)].concat();
                let mut all = if agent == Truth::Yes { Vec::new() } else { of_person() };
                all.extend(agent_unknowns(policy, who, agent).map(str::to_owned));
                all
            }
            (Dimension::Identity, Identity::ServicePrincipal(_), _) => self.workload_unknowns(policy),
            (Dimension::Target, ..) => vec![target::unknown(self, &policy.conditions.applications, sign_in)],
            (Dimension::Flow, ..) if sign_in.flow != Known::Unknown => {
                vec!["the authentication flow that the session began with".into()]
            }
            _ => vec![dimension.label().into()],
        }
    }

    /// What is known of the person who signs in, with what the sign-in leaves open about them.
    pub(super) fn who_in<'a>(&'a self, sign_in: &'a SignIn) -> Who<'a> {
        let who = self.who(&sign_in.identity);
        let open = if sign_in.open.direct_connect { Truth::Maybe } else { Truth::No };
        Who { direct_connect: who.direct_connect.or(open), ..who }
    }

    /// What is known of the person who signs in.
    pub(super) fn who<'a>(&'a self, identity: &'a Identity) -> Who<'a> {
        let Identity::User { id, guest, tenant, direct_connect } = identity else {
            return Who {
                id: None,
                membership: Membership::Unknown,
                guest: Known::Unknown,
                tenant: Known::Unknown,
                direct_connect: Truth::No,
            };
        };
        let directory = &self.snapshot.directory;
        let position = id.as_deref().and_then(|id| directory.user_index(id));
        let object = position.and_then(|at| directory.user_at(at));
        let membership = match position {
            Some(at) => Membership::At(at),
            None if id.is_none() && self.snapshot.has(Kind::Users) => Membership::Nothing,
            None => Membership::Unknown,
        };
        let guest = match (guest.or_else(|| object.and_then(|user| user.guest)), object) {
            (Some(kind), _) => Known::Is(kind),
            (None, Some(_)) => Known::Absent,
            (None, None) => Known::Unknown,
        };
        let tenant = match (tenant, object.and_then(|user| self.snapshot.homes.get(&user.id)).map(Text::as_str)) {
            (Known::Is(tenant), _) => Known::Is(tenant.as_str()),
            (_, Some(home)) => Known::Is(home),
            (Known::Absent, None) => Known::Absent,
            (Known::Unknown, None) => Known::Unknown,
        };
        Who { id: id.as_deref(), membership, guest, tenant, direct_connect: (*direct_connect).into() }
    }
}

fn is_person(sign_in: &SignIn) -> bool {
    matches!(sign_in.identity, Identity::Unstated | Identity::User { .. })
}

fn is_external(who: &Who<'_>) -> bool {
    matches!(who.guest, Known::Is(kind) if kind != GuestType::InternalGuest)
}

/// Report-only isn't evaluated for policies on user actions (Microsoft Learn, Conditional Access: Report-only mode).
fn unreported(policy: &Policy, sign_in: &SignIn) -> bool {
    policy.state == PolicyState::ReportOnly
        && matches!(&sign_in.target, Target::UserAction(urn) if policy.conditions.applications.user_actions.contains(urn))
}

pub(super) fn is_empty(policy: &Policy) -> bool {
    let grants = policy.grant.as_ref().is_some_and(|grant| !grant.controls.is_empty());
    let session =
        policy.session.as_ref().is_some_and(|session| *session != crate::tenant::policy::SessionControls::default());
    !grants && !session && policy.undecided.is_empty()
}

/// Conditions and grant controls that can't be judged; session controls don't decide whether a policy applies, nor does
/// anything that stands beside a block.
pub(super) fn undecided(policy: &Policy) -> Option<BTreeSet<String>> {
    let blocks = policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::Block));
    let beside = |at: &str| at.starts_with("/sessionControls") || (blocks && at.starts_with("/grantControls"));
    let pointers: BTreeSet<String> = policy.undecided.iter().filter(|at| !beside(at)).cloned().collect();
    (!pointers.is_empty()).then_some(pointers)
}
