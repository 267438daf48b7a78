//! One sign-in × all policies → applies, doesn't apply, or depends on something not stated.

use std::collections::BTreeSet;

use super::Model;
use super::judge::undecided;
use crate::tenant::policy::{Control, Operator, Policy, PolicyState, SessionControls, SignInFrequency};
use crate::tenant::{SignIn, Snapshot};

/// What all policies say about one sign-in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Every policy that is On or report-only, in the snapshot's order.
    pub policies: Vec<PolicyOutcome>,
    /// What the policies that are On come to together.
    pub decision: Decision,
    /// Session controls of the policies that are On and surely apply; of two, the stricter.
    pub session: SessionControls,
}

/// What one policy says about one sign-in.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyOutcome {
    /// Object id of the policy.
    pub policy_id: String,
    /// It is report-only: logged, never enforced.
    pub report_only: bool,
    /// Whether it applies.
    pub applies: Applies,
}

/// Three-valued: a condition whose value isn't known is never guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applies {
    /// Every condition is met.
    Yes,
    /// The first unmet kind, in Microsoft's order (identity, target, conditions).
    No(UnmetKind),
    /// Applies if these, which aren't known, turn out to meet it; named as people read them.
    DependsOn(BTreeSet<String>),
    /// The policy has a condition or control that can't be judged (JSON pointers).
    NotDecided(BTreeSet<String>),
}

/// The first unmet kind of condition, in the words of What If (`analysisReasons`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are Graph's own analysisReasons")]
pub enum UnmetKind {
    Users,
    WorkloadIdentities,
    Application,
    UserActions,
    AuthenticationContext,
    DevicePlatform,
    Devices,
    ClientApps,
    Location,
    SignInRisk,
    UserRisk,
    ServicePrincipalRisk,
    InsiderRisk,
    AuthenticationFlow,
    AgentIdRisk,
    AgentIdentities,
    EmptyPolicy,
    PolicyNotEnabled,
}

/// What the policies that are On come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Decision {
    /// No policy asks for anything.
    #[default]
    Allow,
    /// At least one blocks.
    Block {
        /// Object ids of the policies that block.
        by: Vec<String>,
    },
    /// Every one of these must be met.
    Require(Vec<Demand>),
    /// Something that isn't known decides; what is sure is in the demands.
    DependsOn {
        /// What isn't known.
        on: BTreeSet<String>,
        /// What is required whatever it turns out to be.
        surely: Vec<Demand>,
    },
}

/// What one policy demands.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// Object id of the policy.
    pub policy_id: String,
    /// How it joins its controls.
    pub operator: Operator,
    /// Its controls, as Graph writes them (`mfa`, `compliantDevice`, a strength's id …).
    pub controls: Vec<String>,
}

impl Model {
    /// What all policies say about one sign-in. A value that it leaves open is never guessed.
    #[must_use]
    pub fn evaluate(&self, sign_in: &SignIn) -> Outcome {
        let snapshot = &self.snapshot;
        let who = self.who(&sign_in.identity);
        let verdicts = self.lanewise((sign_in, &who));
        let judged = snapshot.policies.iter().enumerate().filter(|(_, policy)| policy.state != PolicyState::Disabled);
        let policies = judged
            .map(|(at, policy)| PolicyOutcome {
                policy_id: policy.id.clone(),
                report_only: policy.state == PolicyState::ReportOnly,
                applies: self.applies((at, policy), &verdicts, (sign_in, &who)),
            })
            .collect::<Vec<_>>();
        let enforced = || {
            let enabled = snapshot.policies.iter().filter(|policy| policy.state != PolicyState::Disabled);
            enabled.zip(&policies).filter(|(policy, _)| policy.state == PolicyState::Enabled)
        };
        let decision = decide(enforced());
        let session =
            session(enforced().filter(|(_, outcome)| outcome.applies == Applies::Yes).map(|(policy, _)| policy));
        Outcome { policies, decision, session }
    }
}

/// What each policy that applies asks for, joined: block first, otherwise every one must be met.
fn decide<'a>(enforced: impl Iterator<Item = (&'a Policy, &'a PolicyOutcome)>) -> Decision {
    let (mut by, mut surely, mut on) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (policy, outcome) in enforced {
        let Some(demand) = Some(policy).filter(|_| !matches!(outcome.applies, Applies::No(_))).and_then(demand) else {
            continue;
        };
        match &outcome.applies {
            Applies::Yes if demand.controls.iter().any(|control| control == "block") => by.push(policy.id.clone()),
            Applies::Yes => surely.push(demand),
            Applies::DependsOn(unknown) | Applies::NotDecided(unknown) => on.extend(unknown.iter().cloned()),
            Applies::No(_) => {}
        }
    }
    if !by.is_empty() {
        return Decision::Block { by };
    }
    if !on.is_empty() {
        return Decision::DependsOn { on, surely };
    }
    if surely.is_empty() { Decision::Allow } else { Decision::Require(surely) }
}

/// Object ids of the authentication strengths that a sign-in has to meet. Where security information is registered in
/// the middle of another sign-in, strengths of policies on that action stand in for those of all other policies.
///
/// Source: Microsoft Learn, Authentication strengths: how they work (registration in interrupt mode).
#[must_use]
pub fn strengths<'a>(snapshot: &'a Snapshot, sign_in: &SignIn, outcome: &Outcome) -> BTreeSet<&'a str> {
    let asked = |on_action: bool| -> BTreeSet<&'a str> {
        let applied = outcome.applied(false).into_iter().filter_map(|id| snapshot.policy(id));
        let named = applied.filter(|policy| !on_action || !policy.conditions.applications.user_actions.is_empty());
        let controls = named.filter_map(|policy| policy.grant.as_ref()).flat_map(|grant| &grant.controls);
        controls
            .filter_map(|control| if let Control::Strength(id) = control { Some(id.as_str()) } else { None })
            .collect()
    };
    let own = if sign_in.interrupted { asked(true) } else { BTreeSet::new() };
    if own.is_empty() { asked(false) } else { own }
}

/// What the policy's grant controls ask for; none when they ask for nothing.
#[must_use]
pub fn demand(policy: &Policy) -> Option<Demand> {
    let grant = policy.grant.as_ref();
    let mut controls: Vec<String> = grant.iter().flat_map(|grant| &grant.controls).map(control_name).collect();
    if controls.is_empty() {
        controls.extend(undecided(policy)?.into_iter().filter(|at| at.starts_with("/grantControls")));
    }
    let operator = grant.map_or(Operator::Or, |grant| grant.operator);
    (!controls.is_empty()).then(|| Demand { policy_id: policy.id.clone(), operator, controls })
}

/// A control as Graph writes it; one that is an object is written `kind:id`.
#[must_use]
pub fn control_name(control: &Control) -> String {
    match control {
        Control::Block => "block".into(),
        Control::Mfa => "mfa".into(),
        Control::CompliantDevice => "compliantDevice".into(),
        Control::DomainJoinedDevice => "domainJoinedDevice".into(),
        Control::ApprovedApplication => "approvedApplication".into(),
        Control::CompliantApplication => "compliantApplication".into(),
        Control::PasswordChange => "passwordChange".into(),
        Control::RiskRemediation => "riskRemediation".into(),
        Control::VerifiedId => "verifiedID".into(),
        Control::TermsOfUse(id) => format!("termsOfUse:{id}"),
        Control::Custom(id) => format!("customAuthenticationFactor:{id}"),
        Control::Strength(id) => format!("authenticationStrength:{id}"),
        Control::Unknown(name) => name.clone(),
    }
}

/// Session controls joined; where two differ the stricter one stands (inferred for sign-in frequency and persistence).
fn session<'a>(policies: impl Iterator<Item = &'a Policy>) -> SessionControls {
    let mut all = SessionControls::default();
    for one in policies.filter_map(|policy| policy.session.as_ref()) {
        all.application_enforced_restrictions |= one.application_enforced_restrictions;
        all.secure_sign_in_session |= one.secure_sign_in_session;
        all.disable_resilience_defaults |= one.disable_resilience_defaults;
        // By their words `blockDownloads` comes first, and `strictLocation` last.
        all.cloud_app_security = all.cloud_app_security.into_iter().chain(one.cloud_app_security.clone()).min();
        all.continuous_access_evaluation =
            all.continuous_access_evaluation.into_iter().chain(one.continuous_access_evaluation.clone()).max();
        all.filtering_profile = all.filtering_profile.into_iter().chain(one.filtering_profile.clone()).min();
        if one.persistent_browser.is_some() && all.persistent_browser.as_deref() != Some("never") {
            all.persistent_browser.clone_from(&one.persistent_browser);
        }
        all.sign_in_frequency = stricter(all.sign_in_frequency, one.sign_in_frequency);
    }
    all
}

fn stricter(one: Option<SignInFrequency>, other: Option<SignInFrequency>) -> Option<SignInFrequency> {
    let order = |frequency: &SignInFrequency| (frequency.hours.unwrap_or(0), frequency.secondary_only);
    one.into_iter().chain(other).min_by_key(order)
}

impl Outcome {
    /// Object ids of policies that surely apply: those that are On, or those that are report-only.
    #[must_use]
    pub fn applied(&self, report_only: bool) -> Vec<&str> {
        let sure = self.policies.iter().filter(|one| one.applies == Applies::Yes && one.report_only == report_only);
        sure.map(|one| one.policy_id.as_str()).collect()
    }
}

impl UnmetKind {
    /// The word of Graph's `analysisReasons`. It has none of its own for the risk of a service principal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::WorkloadIdentities => "workloadIdentities",
            Self::Application => "application",
            Self::UserActions => "userActions",
            Self::AuthenticationContext => "authenticationContext",
            Self::DevicePlatform => "devicePlatform",
            Self::Devices => "devices",
            Self::ClientApps => "clientApps",
            Self::Location => "location",
            Self::SignInRisk | Self::ServicePrincipalRisk => "signInRisk",
            Self::UserRisk => "userRisk",
            Self::InsiderRisk => "insiderRisk",
            Self::AuthenticationFlow => "authenticationFlow",
            Self::AgentIdRisk => "agentIdRisk",
            Self::AgentIdentities => "agentIdentities",
            Self::EmptyPolicy => "emptyPolicy",
            Self::PolicyNotEnabled => "policyNotEnabled",
        }
    }
}
