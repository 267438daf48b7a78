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
    /// The sign-in frequencies of these that stand beside each other: the strictest for all factors, and the strictest for
    /// the second factor alone, where that is asked for more often.
    pub frequencies: Vec<SignInFrequency>,
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
        let who = self.who_in(sign_in);
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
        let applied = enforced().filter(|(_, outcome)| outcome.applies == Applies::Yes);
        let sessions: Vec<&SessionControls> = applied.filter_map(|(policy, _)| policy.session.as_ref()).collect();
        let (session, frequencies) = (session(&sessions), frequencies(&sessions));
        Outcome { policies, decision, session, frequencies }
    }
}

/// What each policy that applies asks for, joined: block first, otherwise every one must be met.
fn decide<'a>(enforced: impl Iterator<Item = (&'a Policy, &'a PolicyOutcome)>) -> Decision {
    let (mut by, mut surely, mut on, mut open) = (Vec::new(), Vec::new(), BTreeSet::new(), false);
    for (policy, outcome) in enforced {
        let Some(demand) = Some(policy).filter(|_| !matches!(outcome.applies, Applies::No(_))).and_then(demand) else {
            continue;
        };
        match &outcome.applies {
            Applies::Yes if demand.controls.iter().any(|control| control == "block") => by.push(policy.id.clone()),
            Applies::Yes => surely.push(demand),
            Applies::DependsOn(unknown) | Applies::NotDecided(unknown) => {
                open = true;
                on.extend(unknown.iter().cloned());
            }
            Applies::No(_) => {}
        }
    }
    if !by.is_empty() {
        return Decision::Block { by };
    }
    if open {
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
fn session(controls: &[&SessionControls]) -> SessionControls {
    let mut all = SessionControls::default();
    for one in controls {
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

/// Signing in again takes the second factor too, so that one for this alone counts where it is asked for more often.
fn frequencies(controls: &[&SessionControls]) -> Vec<SignInFrequency> {
    let strictest = |secondary_only| {
        let all = controls.iter().filter_map(|one| one.sign_in_frequency);
        all.filter(|one| one.secondary_only == secondary_only).min_by_key(|one| one.hours.unwrap_or(0))
    };
    let (whole, second) = (strictest(false), strictest(true));
    let hours = |one: SignInFrequency| one.hours.unwrap_or(0);
    let second = second.filter(|second| whole.is_none_or(|whole| hours(*second) < hours(whole)));
    whole.into_iter().chain(second).collect()
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::engine::request::{Unstated, read_request};
    use crate::tenant::{SnapshotBuilder, read_policy};

    /// Policies for everybody and everything, with these members, and what they say about a guest's sign-in.
    fn outcome(policies: &[Value], request: &Value, unstated: Unstated) -> Outcome {
        let mut builder = SnapshotBuilder::default();
        for (at, with) in policies.iter().enumerate() {
            let mut policy = json!({"id": format!("p-{at}"), "displayName": "p", "state": "enabled",
                "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}}});
            for (pointer, value) in with.as_object().unwrap() {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                policy.pointer_mut(parent).unwrap()[name] = value.clone();
            }
            builder.policy(read_policy(&policy).unwrap());
        }
        let mut asked = json!({"signInIdentity": {"externalUserType": "b2bCollaborationGuest", "externalTenantId": "t"},
            "signInContext": {"includeApplications": ["app"]}, "signInConditions": {"authenticationFlow": {"transferMethod": "none"}}});
        for (name, value) in request.as_object().unwrap() {
            asked[name] = value.clone();
        }
        Model::new(Arc::new(builder.build())).evaluate(&read_request(&asked, unstated).unwrap())
    }

    fn frequency(hours: u32, of: &str) -> Value {
        json!({"/sessionControls": {"signInFrequency": {"isEnabled": true, "type": "hours", "value": hours,
            "frequencyInterval": "timeBased", "authenticationType": of}}})
    }

    #[test]
    fn a_frequency_of_the_second_factor_stands_beside_a_longer_one_of_all() {
        let (all, second) = ("primaryAndSecondaryAuthentication", "secondaryAuthentication");
        let often = |policies: &[Value]| -> Vec<(Option<u32>, bool)> {
            let found = outcome(policies, &json!({}), Unstated::None).frequencies;
            found.iter().map(|one| (one.hours, one.secondary_only)).collect()
        };
        assert_eq!(often(&[frequency(1, second), frequency(4, all)]), [(Some(4), false), (Some(1), true)]);
        assert_eq!(often(&[frequency(4, second), frequency(1, all), frequency(9, all)]), [(Some(1), false)]);
        assert_eq!(often(&[frequency(4, second), frequency(2, second)]), [(Some(2), true)]);
        assert!(often(&[]).is_empty());
    }

    /// What the only policy hangs on, in a question and as Graph takes it.
    fn open(policy: &Value, request: &Value) -> (Applies, Applies) {
        let mut policy = policy.clone();
        policy["/grantControls"] = json!({"operator": "OR", "builtInControls": ["mfa"]});
        let applies = |unstated| outcome(std::slice::from_ref(&policy), request, unstated).policies.remove(0).applies;
        (applies(Unstated::Unknown), applies(Unstated::None))
    }

    fn on(what: &str) -> Applies {
        Applies::DependsOn([what.to_owned()].into())
    }

    #[test]
    fn where_a_guest_comes_from_is_named_where_a_policy_names_organisations() {
        let of = json!({"guestOrExternalUserTypes": "b2bCollaborationGuest",
            "externalTenants": {"membershipKind": "enumerated", "members": ["t"]}});
        let policy = json!({"/conditions/users": {"includeGuestsOrExternalUsers": of}});
        let asked = json!({"signInIdentity": {"externalUserType": "b2bCollaborationGuest"}});
        assert_eq!(open(&policy, &asked), (on("the guest's home organisation"), Applies::No(UnmetKind::Users)));
    }

    #[test]
    fn a_guest_may_connect_directly_too_unless_that_is_said() {
        let direct = json!({"guestOrExternalUserTypes": "b2bDirectConnectUser", "externalTenants": null});
        let included = json!({"/conditions/users": {"includeGuestsOrExternalUsers": direct}});
        let hinge = on("whether the guest is eligible for B2B direct connect");
        assert_eq!(open(&included, &json!({})), (hinge.clone(), Applies::No(UnmetKind::Users)));
        let excluded = json!({"/conditions/users/excludeGuestsOrExternalUsers": direct});
        assert_eq!(open(&excluded, &json!({})), (hinge, Applies::Yes));
        let said = json!({"extra": {"eligibleForB2bDirectConnect": true}});
        assert_eq!(open(&included, &said).0, Applies::Yes);
        let internal = json!({"signInIdentity": {"externalUserType": "internalGuest"}});
        assert_eq!(open(&included, &internal).0, Applies::No(UnmetKind::Users));
    }

    #[test]
    fn a_session_may_have_begun_with_a_flow_unless_that_is_said() {
        let by_code = json!({"/conditions/authenticationFlows": {"transferMethods": "deviceCodeFlow"}});
        let hinge = on("the authentication flow that the session began with");
        assert_eq!(open(&by_code, &json!({})), (hinge, Applies::No(UnmetKind::AuthenticationFlow)));
        let said = |method: &str| open(&by_code, &json!({"extra": {"originalTransferMethod": method}})).0;
        assert_eq!(said("none"), Applies::No(UnmetKind::AuthenticationFlow));
        assert_eq!(said("deviceCodeFlow"), Applies::Yes);
    }

    #[test]
    fn which_scopes_are_baseline_hangs_on_the_client() {
        let but_one = json!({"/conditions/applications/excludeApplications": ["other-app"]});
        let asks = |scope: &str, more: Value| {
            let mut extra = json!({"scopes": [scope]});
            extra.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            open(&but_one, &json!({"extra": extra})).0
        };
        let client = on("which client it is, and whether a confidential one");
        assert_eq!(asks("User.Read.All", json!({})), client);
        assert_eq!(asks("User.Read.All", json!({"clientType": "public"})), Applies::Yes);
        let setting = on("the tenant's setting for baseline scopes");
        assert_eq!(asks("User.Read.All", json!({"clientType": "confidential"})), setting);
        assert_eq!(asks("User.Read", json!({})), setting);
        assert_eq!(asks("Mail.Read", json!({})), Applies::Yes);
        assert_eq!(asks("openid", json!({"clientType": "confidential", "clientAppId": "app"})), Applies::Yes);
    }

    fn not_decided(pointer: &str) -> Applies {
        Applies::NotDecided([pointer.to_owned()].into())
    }

    #[test]
    fn an_agents_account_is_named_where_it_decides_and_the_decision_hangs_on_it() {
        let agents = json!({"/conditions/users": {"includeUsers": ["AllAgentIdUsers"]},
            "/grantControls": {"operator": "OR", "builtInControls": ["block"]}});
        let block = std::slice::from_ref(&agents);
        let hinge = BTreeSet::from(["whether the user is an agent's account".to_owned()]);
        let somebody = outcome(block, &json!({"signInIdentity": {"userId": "x"}}), Unstated::None);
        assert_eq!(somebody.policies[0].applies, Applies::DependsOn(hinge.clone()));
        assert_eq!(somebody.decision, Decision::DependsOn { on: hinge, surely: Vec::new() });
        let said = json!({"signInIdentity": {"@odata.type": "#microsoft.graph.agentSignIn", "userId": "x"}});
        assert_eq!(outcome(block, &said, Unstated::None).decision, Decision::Block { by: vec!["p-0".to_owned()] });
        let tagged = json!({"/conditions/users": {"includeUsers": ["None"]}, "/conditions/agents": {"includeAgentUsers": ["All"],
            "agentFilter": {"mode": "exclude", "rule": "CustomSecurityAttribute.A_B -eq \"x\""}}});
        assert_eq!(open(&tagged, &said).1, on("the custom security attributes of the agent's account"));
    }

    #[test]
    fn an_unknown_member_leaves_its_condition_open_unless_an_exclusion_decides() {
        let request = json!({"signInConditions": {"devicePlatform": "windows", "ipAddress": "192.0.2.1"}});
        let asks = |policy: Value| open(&policy, &request).1;
        for (at, known, unknown) in [
            ("users", json!({"includeUsers": ["someone-else"]}), "includeThings"),
            ("applications", json!({"includeApplications": ["another-app"]}), "networkAccess"),
            ("locations", json!({"includeLocations": ["head-office"]}), "includeBeyond"),
            ("platforms", json!({"includePlatforms": ["iOS"]}), "includeOthers"),
            ("authenticationFlows", json!({"transferMethods": "deviceCodeFlow"}), "protocolFlows"),
        ] {
            let mut condition = known;
            condition[unknown] = json!("x");
            let pointer = format!("/conditions/{at}");
            assert_eq!(asks(json!({ &pointer: condition })), not_decided(&format!("{pointer}/{unknown}")));
        }
        let excluded = |mut condition: Value, at: &str| {
            condition["includeThings"] = json!("x");
            asks(json!({ format!("/conditions/{at}"): condition }))
        };
        let apps = json!({"includeApplications": ["another-app"], "excludeApplications": ["app"]});
        assert_eq!(excluded(apps, "applications"), Applies::No(UnmetKind::Application));
        let platforms = json!({"includePlatforms": ["iOS"], "excludePlatforms": ["windows"]});
        assert_eq!(excluded(platforms, "platforms"), Applies::No(UnmetKind::DevicePlatform));
        let guests = json!({"guestOrExternalUserTypes": "b2bCollaborationGuest"});
        let users = json!({"includeUsers": ["someone-else"], "excludeGuestsOrExternalUsers": guests});
        assert_eq!(excluded(users, "users"), Applies::No(UnmetKind::Users));
        let more_out = json!({"/conditions/users": {"includeUsers": ["someone-else"], "excludeThings": "x"}});
        assert_eq!(asks(more_out), Applies::No(UnmetKind::Users));
    }

    #[test]
    fn guests_of_organisations_named_in_an_unknown_way_are_not_guessed() {
        let of = json!({"guestOrExternalUserTypes": "b2bCollaborationGuest,internalGuest",
            "externalTenants": {"membershipKind": "unknownFutureValue"}});
        let included = json!({"/conditions/users": {"includeGuestsOrExternalUsers": of}});
        let kind = "/conditions/users/includeGuestsOrExternalUsers/externalTenants/membershipKind (unknownFutureValue)";
        assert_eq!(open(&included, &json!({})).1, not_decided(kind));
        let of_kind = |kind: &str| json!({"signInIdentity": {"externalUserType": kind, "externalTenantId": "t"}});
        assert_eq!(open(&included, &of_kind("internalGuest")).1, Applies::Yes);
        assert_eq!(open(&included, &of_kind("serviceProvider")).1, Applies::No(UnmetKind::Users));
    }

    #[test]
    fn identities_that_are_not_people_are_reached_by_unknown_words_and_members_perhaps() {
        let request = json!({"signInIdentity": {"servicePrincipalId": "a-principal"}});
        let asks = |machines: Value| {
            let users = json!({"includeUsers": ["None"]});
            open(&json!({"/conditions/users": users, "/conditions/clientApplications": machines}), &request).1
        };
        assert_eq!(asks(json!({"includeServicePrincipals": ["EveryBot"]})), on("whom EveryBot takes in"));
        let member = asks(json!({"includeServicePrincipals": ["another-one"], "includeKinds": "x"}));
        assert_eq!(member, not_decided("/conditions/clientApplications/includeKinds"));
        let out = asks(json!({"excludeServicePrincipals": ["a-principal"], "includeKinds": "x"}));
        assert_eq!(out, Applies::No(UnmetKind::WorkloadIdentities));
        let person = open(&json!({"/conditions/users": {"includeUsers": ["x"], "includeThings": "x"}}), &request).1;
        assert_eq!(person, Applies::No(UnmetKind::WorkloadIdentities));
    }

    #[test]
    fn a_filter_that_no_fact_settles_is_named_by_its_place() {
        let device =
            json!({"signInConditions": {"deviceInfo": {"isCompliant": true, "trustType": "AzureAD", "model": "VM"}}});
        let asks = |rule: &str| {
            let filter = json!({"mode": "include", "rule": rule});
            open(&json!({ "/conditions/devices": {"deviceFilter": filter} }), &device).1
        };
        let rule = not_decided("/conditions/devices/deviceFilter/rule");
        for unsound in [
            "device.foo -eq \"x\"",
            "device.model = \"VM\"",
            "user.city -eq \"x\"",
            "device.isCompliant -contains \"T\"",
        ] {
            assert_eq!(asks(unsound), rule, "{unsound}");
        }
        assert_eq!(asks("device.foo -eq \"x\" -or device.model -eq \"VM\""), Applies::Yes);
        let apps = json!({"applicationFilter": {"mode": "include", "rule": "CustomSecurityAttribute.A_B = \"x\""}});
        let open = open(&json!({ "/conditions/applications": apps }), &device).1;
        assert_eq!(open, not_decided("/conditions/applications/applicationFilter/rule"));
    }
}
