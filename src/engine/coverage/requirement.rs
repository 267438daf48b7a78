//! Which policies make a sign-in meet a requirement, and for which clients, people and devices they do.
//!
//! A policy that is a conjunction is taken clause by clause. In a clause every alternative has to entail the
//! requirement, or be one that this client, person or device can't satisfy: a clause of nothing but those is a block.
//!
//! Sources: Microsoft Learn, Conditional Access: Grant controls; Authentication strengths; External users.

use std::collections::BTreeSet;

use super::{Requirement, Scope};
use crate::engine::evaluate::control_name;
use crate::engine::judge::undecided;
use crate::engine::truth::Truth;
use crate::tenant::policy::{Control, GuestType, Operator, Policy, PolicyState, SessionControls, TransferMethod};
use crate::tenant::strength::is_known;
use crate::tenant::{InboundTrust, Snapshot, Strength};

/// A set of clients, of people, of devices, or of authentication flows, as bits.
pub(super) type Mask = u16;

/// All members of a [`Mask`].
pub(super) const ANY: Mask = Mask::MAX;

/// Clients: browser, modern, Exchange `ActiveSync`, other.
pub(super) const BROWSER: Mask = 1;
pub(super) const MODERN: Mask = 2;
pub(super) const ACTIVE_SYNC: Mask = 4;
pub(super) const OTHER: Mask = 8;

/// Devices: neither compliant nor hybrid joined, compliant, hybrid joined, both, not looked at.
pub(super) const UNMANAGED: Mask = 1;
pub(super) const COMPLIANT: Mask = 2;
pub(super) const HYBRID: Mask = 4;
pub(super) const BOTH: Mask = 8;
pub(super) const ANY_DEVICE: Mask = 16;

/// Authentication flows: an ordinary sign-in, or the flow.
pub(super) fn flow_mask(flow: Option<TransferMethod>) -> Mask {
    match flow {
        None => 1,
        Some(TransferMethod::DeviceCodeFlow) => DEVICE_CODE,
        Some(TransferMethod::AuthenticationTransfer) => 4,
    }
}
const DEVICE_CODE: Mask = 2;

/// People: a member, or the kind of guest.
pub(super) fn person(guest: Option<GuestType>) -> Mask {
    guest.map_or(1, |kind| 2 << (kind as u16))
}

/// Guests who authenticate elsewhere.
fn external() -> Mask {
    ANY & !person(None) & !person(Some(GuestType::InternalGuest))
}

/// A region of clients × people × devices × flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Region {
    pub(super) clients: Mask,
    pub(super) people: Mask,
    pub(super) devices: Mask,
    pub(super) flows: Mask,
}

impl Region {
    pub(super) const EVERYWHERE: Self = Self { clients: ANY, people: ANY, devices: ANY, flows: ANY };

    fn and(self, other: Self) -> Option<Self> {
        let both = Self {
            clients: self.clients & other.clients,
            people: self.people & other.people,
            devices: self.devices & other.devices,
            flows: self.flows & other.flows,
        };
        let parts = [both.clients, both.people, both.devices, both.flows];
        parts.iter().all(|part| *part != 0).then_some(both)
    }

    fn within(self, other: Self) -> bool {
        self.and(other) == Some(self)
    }
}

/// Something that makes sign-ins meet the requirement: a policy that is On, in a region; or the sign-in's own values.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(super) struct Contributor {
    /// Position of the policy; none for sign-ins that need none.
    pub(super) policy: Option<usize>,
    pub(super) region: Region,
    /// Where any app but Exchange Online is reached alone.
    pub(super) beside_exchange: bool,
    /// It surely meets the requirement; otherwise something in it can't be judged.
    pub(super) sure: bool,
    /// It asks nothing that entails the requirement: what it asks can't be done there.
    pub(super) acts_as_block: bool,
    /// User risk of these people is judged elsewhere, so that a user-risk condition sees none.
    pub(super) blind_to_user_risk: bool,
    /// Of clients that show no device, so that a filter for devices sees an unregistered one.
    pub(super) shows_no_device: bool,
}

/// What a policy could do about a requirement if it were On and its conditions were met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bearing {
    /// Nothing.
    None,
    /// Meets it (everywhere, or by blocking).
    Meets { blocks: bool },
    /// Accepts something weaker: the other controls.
    Weaker(Vec<String>),
}

/// Everything that meets a requirement somewhere in a scope, in the order of the policies.
pub(super) fn contributors(snapshot: &Snapshot, requirement: &Requirement, scope: &Scope) -> Vec<Contributor> {
    let mut all: Vec<Contributor> = [entailed(requirement), Some(NO_SUCH_SIGN_IN)].into_iter().flatten().collect();
    for (at, policy) in snapshot.policies.iter().enumerate() {
        if policy.state == PolicyState::Enabled && !is_about_others(policy) {
            all.extend(of_policy(snapshot, requirement, at, policy));
        }
    }
    let asked = scope.flows.iter().fold(0, |all, flow| all | flow_mask(Some(*flow)));
    let flows = if asked == 0 { flow_mask(None) } else { asked };
    all.retain(|one| one.region.flows & flows != 0);
    all
}

/// Conditions that no sign-in of a person meets: risk of a workload or agent, an agent taking part.
fn is_about_others(policy: &Policy) -> bool {
    let conditions = &policy.conditions;
    !conditions.service_principal_risk.is_empty()
        || !conditions.agent_risk.is_empty()
        || conditions.agent_contexts.is_some()
}

/// What most contributors have in common.
const PLAIN: Contributor = Contributor {
    policy: None,
    region: Region::EVERYWHERE,
    beside_exchange: false,
    sure: true,
    acts_as_block: false,
    blind_to_user_risk: false,
    shows_no_device: false,
};

/// Exchange `ActiveSync` speaks to Exchange Online alone, so nothing has to cover it elsewhere.
/// Source: Microsoft Learn, Conditional Access: Conditions, client apps.
const NO_SUCH_SIGN_IN: Contributor =
    Contributor { region: Region { clients: ACTIVE_SYNC, ..Region::EVERYWHERE }, beside_exchange: true, ..PLAIN };

/// Sign-ins that meet a requirement by their own values: from a managed device. Legacy clients show none, so that there are
/// no such sign-ins by them.
fn entailed(requirement: &Requirement) -> Option<Contributor> {
    let devices = match requirement {
        Requirement::ManagedDevice | Requirement::MfaOrManagedDevice => COMPLIANT | HYBRID | BOTH,
        Requirement::CompliantDevice => COMPLIANT | BOTH,
        Requirement::HybridDevice => HYBRID | BOTH,
        _ => return None,
    };
    let region = Region { devices, ..Region::EVERYWHERE };
    Some(Contributor { region, ..PLAIN })
}

fn of_policy(snapshot: &Snapshot, requirement: &Requirement, at: usize, policy: &Policy) -> Vec<Contributor> {
    let decided = undecided(policy).is_none();
    let surely = regions(snapshot, requirement, policy, Truth::Yes);
    let possibly = regions(snapshot, requirement, policy, Truth::Maybe);
    let sure = surely.iter().map(|region| (*region, decided));
    let open = possibly.iter().filter(|region| !surely.contains(region)).map(|region| (*region, false));
    let mut all = Vec::new();
    for (region, sure) in sure.chain(open) {
        let acts_as_block = region != Region::EVERYWHERE;
        let one = Contributor { policy: Some(at), region, sure, acts_as_block, ..PLAIN };
        all.extend(by_user_risk(policy, one).into_iter().flat_map(|one| by_device(policy, one)));
    }
    all
}

/// Those whose user risk is judged here, and those of whom it is judged elsewhere.
fn by_user_risk(policy: &Policy, one: Contributor) -> Vec<Contributor> {
    if policy.conditions.user_risk.is_empty() {
        return vec![one];
    }
    let parts = [(ANY & !external(), false), (external(), true)];
    let part = |(people, blind_to_user_risk)| {
        let region = one.region.and(Region { people, ..Region::EVERYWHERE })?;
        Some(Contributor { region, blind_to_user_risk, ..one })
    };
    parts.into_iter().filter_map(part).collect()
}

/// Clients whose device a filter sees, and those that show none.
fn by_device(policy: &Policy, one: Contributor) -> Vec<Contributor> {
    if policy.conditions.device_filter.is_none() {
        return vec![one];
    }
    let parts = [(BROWSER | MODERN, false), (ACTIVE_SYNC | OTHER, true)];
    let part = |(clients, shows_no_device)| {
        let region = one.region.and(Region { clients, ..Region::EVERYWHERE })?;
        Some(Contributor { region, shows_no_device, ..one })
    };
    parts.into_iter().filter_map(part).collect()
}

/// Where the policy meets the requirement, with everything entailed at least as truly as `bar`.
fn regions(snapshot: &Snapshot, requirement: &Requirement, policy: &Policy, bar: Truth) -> Vec<Region> {
    if session_meets(requirement, policy) {
        return vec![Region::EVERYWHERE];
    }
    let mut all: Vec<Region> = Vec::new();
    for clause in clauses(policy) {
        let mut parts = vec![Region::EVERYWHERE];
        for control in clause.iter().filter(|control| entails(snapshot, requirement, control) < bar) {
            let dead = impossible(snapshot, control);
            parts = parts.iter().flat_map(|part| dead.iter().filter_map(|one| part.and(*one))).collect();
        }
        all.extend(parts);
    }
    all.sort_unstable();
    all.dedup();
    let kept = all.clone();
    all.retain(|one| !kept.iter().any(|other| one != other && one.within(*other)));
    all
}

/// The grant controls as clauses that must all hold, each a list of alternatives.
fn clauses(policy: &Policy) -> Vec<Vec<&Control>> {
    let Some(grant) = policy.grant.as_ref().filter(|grant| !grant.controls.is_empty()) else { return Vec::new() };
    if grant.controls.contains(&Control::Block) {
        return vec![vec![&Control::Block]];
    }
    match grant.operator {
        Operator::And => grant.controls.iter().map(|control| vec![control]).collect(),
        Operator::Or => vec![grant.controls.iter().collect()],
    }
}

/// Where a control can't be satisfied. Legacy clients can do nothing interactive and show no device, and in device code
/// flow the device that is given the code shows none either (Microsoft Learn, Conditional Access: Grant); app controls on
/// Exchange `ActiveSync` are checked by Exchange. App controls and password change can't be met by external users, nor can
/// device controls where no organisation's devices are trusted (Microsoft Learn, Cross-tenant access overview).
fn impossible(snapshot: &Snapshot, control: &Control) -> Vec<Region> {
    let clients = |clients| Region { clients, ..Region::EVERYWHERE };
    let people = |people| Region { people, ..Region::EVERYWHERE };
    let devices = |devices| Region { devices, ..Region::EVERYWHERE };
    let by_code = Region { flows: DEVICE_CODE, ..Region::EVERYWHERE };
    match control {
        Control::Block => vec![Region::EVERYWHERE],
        Control::Mfa | Control::Strength(_) | Control::Custom(_) | Control::VerifiedId => {
            vec![clients(ACTIVE_SYNC | OTHER)]
        }
        Control::CompliantDevice | Control::DomainJoinedDevice => {
            let compliant = *control == Control::CompliantDevice;
            let claim = |trust: InboundTrust| if compliant { trust.compliant_device } else { trust.hybrid_device };
            // Whose devices a partner's technicians show isn't said there.
            let guests = external() & !person(Some(GuestType::ServiceProvider));
            let others = devices(UNMANAGED | if compliant { HYBRID } else { COMPLIANT });
            let untrusted = snapshot.cross_tenant.trusts_nobody(claim).then(|| people(guests));
            [clients(ACTIVE_SYNC | OTHER), others, by_code].into_iter().chain(untrusted).collect()
        }
        Control::ApprovedApplication | Control::CompliantApplication => vec![clients(OTHER), people(external())],
        Control::PasswordChange | Control::RiskRemediation => vec![clients(ACTIVE_SYNC | OTHER), people(external())],
        Control::TermsOfUse(_) => {
            vec![clients(ACTIVE_SYNC | OTHER), people(person(Some(GuestType::B2bDirectConnectUser)))]
        }
        Control::Unknown(_) => Vec::new(),
    }
}

/// Whether satisfying a control always meets the requirement.
fn entails(snapshot: &Snapshot, requirement: &Requirement, control: &Control) -> Truth {
    use Requirement as R;
    match (requirement, control) {
        (_, Control::Unknown(_)) => Truth::Maybe,
        (R::Strength(wanted), Control::Strength(id)) if wanted == id => Truth::Yes,
        (R::Mfa | R::MfaOrManagedDevice | R::PhishingResistantMfa | R::Strength(_), Control::Strength(id)) => {
            let known = snapshot.strengths.get(id);
            known.map_or(Truth::Maybe, |strength| strength_entails(snapshot, requirement, strength))
        }
        (_, Control::Block)
        | (R::Mfa | R::MfaOrManagedDevice, Control::Mfa)
        | (R::ManagedDevice | R::MfaOrManagedDevice, Control::CompliantDevice | Control::DomainJoinedDevice)
        | (R::CompliantDevice, Control::CompliantDevice)
        | (R::HybridDevice, Control::DomainJoinedDevice)
        // Microsoft's own remediation comes with signing in every time (Microsoft Learn, ID Protection policies).
        | (
            R::SignInFrequency { .. } | R::SecondFactorFrequency { .. } | R::RiskRemediation,
            Control::RiskRemediation,
        )
        | (R::TermsOfUse, Control::TermsOfUse(_))
        | (R::AppProtection, Control::CompliantApplication | Control::ApprovedApplication)
        | (R::PasswordChange, Control::PasswordChange | Control::RiskRemediation) => Truth::Yes,
        _ => Truth::No,
    }
}

/// A strength counts only if all its combinations do; one without any counts for nothing.
fn strength_entails(snapshot: &Snapshot, requirement: &Requirement, strength: &Strength) -> Truth {
    let combinations = &strength.allowed_combinations;
    if combinations.is_empty() {
        return if matches!(requirement, Requirement::Mfa | Requirement::MfaOrManagedDevice) {
            strength.satisfies_mfa.into()
        } else {
            Truth::No
        };
    }
    match requirement {
        Requirement::Strength(wanted) => {
            let wanted = snapshot.strengths.get(wanted).map(|wanted| &wanted.allowed_combinations);
            wanted.map_or(Truth::Maybe, |wanted| every(combinations, |one| wanted.contains(one)))
        }
        Requirement::Mfa | Requirement::MfaOrManagedDevice => match every(combinations, is_mfa) {
            // Microsoft vouches for what isn't known here.
            Truth::Maybe if strength.satisfies_mfa => Truth::Yes,
            truth => truth,
        },
        _ => every(combinations, is_phishing_resistant),
    }
}

/// Whether every combination is one of a kind. Of one with a method that isn't known here nobody can say that it isn't.
fn every(combinations: &BTreeSet<String>, of_kind: impl Fn(&str) -> bool) -> Truth {
    Truth::all(combinations.iter().map(|one| match of_kind(one) {
        false if !is_known(one) => Truth::Maybe,
        is => is.into(),
    }))
}

fn is_phishing_resistant(combination: &str) -> bool {
    ["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"].contains(&combination)
}

/// Two methods, or one that is two factors by itself (Microsoft Learn, Authentication strengths: combinations).
fn is_mfa(combination: &str) -> bool {
    let alone =
        ["deviceBasedPush", "temporaryAccessPassOneTime", "temporaryAccessPassMultiUse", "federatedMultiFactor"];
    combination.contains(',') || is_phishing_resistant(combination) || alone.contains(&combination)
}

fn session_meets(requirement: &Requirement, policy: &Policy) -> bool {
    match (requirement, &policy.session) {
        (Requirement::AnyPolicy, session) => {
            let session = session.as_ref().is_some_and(|session| *session != SessionControls::default());
            session || !clauses(policy).is_empty()
        }
        (Requirement::SignInFrequency { hours }, Some(session)) => session
            .sign_in_frequency
            .is_some_and(|frequency| !frequency.secondary_only && frequency.hours.unwrap_or(0) <= *hours),
        (Requirement::SecondFactorFrequency { hours }, Some(session)) => {
            session.sign_in_frequency.is_some_and(|frequency| frequency.hours.unwrap_or(0) <= *hours)
        }
        (Requirement::NoPersistentBrowser, Some(session)) => session.persistent_browser.as_deref() == Some("never"),
        (Requirement::AppEnforcedRestrictions, Some(session)) => session.application_enforced_restrictions,
        (Requirement::AppControl, Some(session)) => session.cloud_app_security.is_some(),
        (Requirement::TokenProtection, Some(session)) => session.secure_sign_in_session,
        (Requirement::StrictLocation, Some(session)) => {
            session.continuous_access_evaluation.as_deref() == Some("strictLocation")
        }
        (Requirement::NoResilienceDefaults, Some(session)) => session.disable_resilience_defaults,
        _ => false,
    }
}

/// What a policy could do about the requirement, whatever its state and conditions.
pub(super) fn bearing(snapshot: &Snapshot, requirement: &Requirement, policy: &Policy) -> Bearing {
    let everywhere = regions(snapshot, requirement, policy, Truth::Maybe).contains(&Region::EVERYWHERE);
    let controls = policy.grant.iter().flat_map(|grant| &grant.controls);
    if everywhere {
        return Bearing::Meets { blocks: controls.clone().any(|control| *control == Control::Block) };
    }
    let (strong, weak): (Vec<_>, Vec<_>) =
        controls.clone().partition(|control| entails(snapshot, requirement, control) != Truth::No);
    if !strong.is_empty() {
        return Bearing::Weaker(weak.into_iter().map(control_name).collect());
    }
    let related: Vec<String> = controls.filter(|control| is_related(requirement, control)).map(control_name).collect();
    if !related.is_empty() {
        return Bearing::Weaker(related);
    }
    weaker_session(requirement, policy).map_or(Bearing::None, |what| Bearing::Weaker(vec![what]))
}

/// Of the same kind as the requirement, though weaker.
fn is_related(requirement: &Requirement, control: &Control) -> bool {
    match requirement {
        Requirement::Mfa | Requirement::MfaOrManagedDevice => {
            matches!(control, Control::Strength(_) | Control::Custom(_))
        }
        Requirement::PhishingResistantMfa | Requirement::Strength(_) => {
            matches!(control, Control::Mfa | Control::Strength(_))
        }
        Requirement::CompliantDevice => *control == Control::DomainJoinedDevice,
        Requirement::HybridDevice => *control == Control::CompliantDevice,
        Requirement::RiskRemediation => *control == Control::PasswordChange,
        _ => false,
    }
}

fn weaker_session(requirement: &Requirement, policy: &Policy) -> Option<String> {
    let session = policy.session.as_ref()?;
    match requirement {
        Requirement::SignInFrequency { .. } | Requirement::SecondFactorFrequency { .. } => {
            let frequency = session.sign_in_frequency?;
            let of = if frequency.hours.is_some() { "of " } else { "" };
            let how_often = format!("{of}{}", frequency.often());
            let of_what = if frequency.secondary_only { " for secondary authentication only" } else { "" };
            Some(format!("sign-in frequency {how_often}{of_what}"))
        }
        Requirement::NoPersistentBrowser => {
            session.persistent_browser.as_ref().map(|mode| format!("persistentBrowser {mode}"))
        }
        _ => None,
    }
}
