//! What policies ask for: of whom, as questions to coverage, and whether it entails what another one asks.

use std::collections::BTreeSet;

use super::coverage::{Requirement, Scope};
use super::truth::Truth;
use crate::tenant::policy::{Control, GrantControls, Operator, Policy, SessionControls, SignInFrequency};
use crate::tenant::well_known::REGISTER_SECURITY_INFO;
use crate::tenant::{Snapshot, Strength};

/// A requirement that a policy asks its sign-ins to meet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    /// The requirement.
    pub(super) requirement: Requirement,
    /// Whatever meets the requirement meets this part of the policy.
    pub(super) exact: bool,
}

/// All that a policy asks, grant and session controls apart. Where there is no requirement for it, any policy is one.
pub(super) fn asked(policy: &Policy) -> Vec<Asked> {
    let mut all: BTreeSet<Asked> = policy.grant.iter().flat_map(asked_by_grant).collect();
    all.extend(policy.session.iter().flat_map(asked_by_session));
    all.into_iter().collect()
}

fn exactly(requirement: Requirement) -> Asked {
    Asked { requirement, exact: true }
}

fn roughly(requirement: Requirement) -> Asked {
    Asked { requirement, exact: false }
}

fn asked_by_grant(grant: &GrantControls) -> Vec<Asked> {
    let controls: Vec<&Control> = grant.controls.iter().collect();
    if controls.contains(&&Control::Block) {
        return vec![exactly(Requirement::Block)];
    }
    if grant.operator == Operator::And || controls.len() < 2 {
        return controls.into_iter().map(asked_by_control).collect();
    }
    let only = |all: &[Control]| controls.iter().all(|control| all.contains(control));
    let devices = [Control::CompliantDevice, Control::DomainJoinedDevice];
    vec![match controls.as_slice() {
        controls if only(&devices) && controls.len() == devices.len() => exactly(Requirement::ManagedDevice),
        _ if only(&[Control::ApprovedApplication, Control::CompliantApplication]) => {
            exactly(Requirement::AppProtection)
        }
        controls if only(&[Control::Mfa, Control::CompliantDevice, Control::DomainJoinedDevice]) => {
            Asked { requirement: Requirement::MfaOrManagedDevice, exact: controls.len() == 3 }
        }
        _ => roughly(Requirement::AnyPolicy),
    }]
}

fn asked_by_control(control: &Control) -> Asked {
    match control {
        Control::Block => exactly(Requirement::Block),
        Control::Mfa => exactly(Requirement::Mfa),
        Control::Strength(id) => exactly(Requirement::Strength(id.clone())),
        Control::CompliantDevice => exactly(Requirement::CompliantDevice),
        Control::DomainJoinedDevice => exactly(Requirement::HybridDevice),
        Control::ApprovedApplication | Control::CompliantApplication => roughly(Requirement::AppProtection),
        Control::PasswordChange => exactly(Requirement::PasswordChange),
        Control::RiskRemediation => exactly(Requirement::RiskRemediation),
        Control::TermsOfUse(_) => roughly(Requirement::TermsOfUse),
        Control::VerifiedId | Control::Custom(_) | Control::Unknown(_) => roughly(Requirement::AnyPolicy),
    }
}

fn asked_by_session(session: &SessionControls) -> Vec<Asked> {
    let frequency = session.sign_in_frequency.map(|frequency| match frequency.hours.unwrap_or(0) {
        hours if frequency.secondary_only => Requirement::SecondFactorFrequency { hours },
        hours => Requirement::SignInFrequency { hours },
    });
    let continuous = session.continuous_access_evaluation.as_deref();
    let all = [
        frequency.map(exactly),
        session.persistent_browser.as_deref().map(|mode| match mode {
            "never" => exactly(Requirement::NoPersistentBrowser),
            _ => roughly(Requirement::AnyPolicy),
        }),
        session.application_enforced_restrictions.then(|| exactly(Requirement::AppEnforcedRestrictions)),
        session.cloud_app_security.is_some().then(|| roughly(Requirement::AppControl)),
        session.secure_sign_in_session.then(|| exactly(Requirement::TokenProtection)),
        session.disable_resilience_defaults.then(|| exactly(Requirement::NoResilienceDefaults)),
        continuous.map(|mode| match mode {
            "strictLocation" => exactly(Requirement::StrictLocation),
            _ => roughly(Requirement::AnyPolicy),
        }),
        session.filtering_profile.is_some().then(|| roughly(Requirement::AnyPolicy)),
    ];
    all.into_iter().flatten().collect()
}

/// The sign-ins that a policy is about where a question to coverage doesn't look by itself: each level of risk, flow, user
/// action and authentication context apart. A policy for all resources reaches the registration of security information.
pub(super) fn scopes(policy: &Policy) -> Vec<Scope> {
    let conditions = &policy.conditions;
    let targets = &conditions.applications;
    let mut actions = targets.user_actions.clone();
    if targets.all {
        actions.insert(REGISTER_SECURITY_INFO.to_owned());
    }
    let actions = actions.into_iter().map(|urn| Scope { user_action: Some(urn), ..Scope::default() });
    let contexts = targets.contexts.iter().cloned();
    let contexts = contexts.map(|id| Scope { authentication_context: Some(id), ..Scope::default() });
    let mut all: Vec<Scope> = actions.chain(contexts).collect();
    if targets.all || all.is_empty() {
        all.push(Scope::default());
    }
    all = each(all, &conditions.sign_in_risk, |scope, level| Scope { sign_in_risk: level, ..scope });
    all = each(all, &conditions.user_risk, |scope, level| Scope { user_risk: level, ..scope });
    all = each(all, &conditions.insider_risk, |scope, level| Scope { insider_risk: level, ..scope });
    each(all, &conditions.flows, |scope, flow| Scope { flows: flow, ..scope })
}

/// Each scope once for each value; as it is where there is none.
fn each<T: Ord + Copy>(
    scopes: Vec<Scope>,
    values: &BTreeSet<T>,
    narrow: impl Fn(Scope, BTreeSet<T>) -> Scope,
) -> Vec<Scope> {
    if values.is_empty() {
        return scopes;
    }
    let narrow = &narrow;
    let one = |scope: Scope| values.iter().map(move |value| narrow(scope.clone(), BTreeSet::from([*value])));
    scopes.into_iter().flat_map(one).collect()
}

/// Whether everybody who meets `strict` meets `other` too, in grant and session controls.
#[must_use]
pub fn asks_at_least(snapshot: &Snapshot, strict: &Policy, other: &Policy) -> bool {
    grants_at_least(snapshot, strict.grant.as_ref(), other.grant.as_ref())
        && sessions_at_least(strict.session.as_ref(), other.session.as_ref())
}

fn grants_at_least(snapshot: &Snapshot, strict: Option<&GrantControls>, other: Option<&GrantControls>) -> bool {
    let Some(other) = other else { return true };
    let Some(strict) = strict else { return false };
    // Each way to meet the strict one has to meet the other.
    let ways: Vec<Vec<&Control>> = match strict.operator {
        Operator::And => vec![strict.controls.iter().collect()],
        Operator::Or => strict.controls.iter().map(|control| vec![control]).collect(),
    };
    ways.iter().all(|way| {
        let met =
            other.controls.iter().map(|control| Truth::from(way.iter().any(|held| entails(snapshot, held, control))));
        match other.operator {
            Operator::And => Truth::all(met) == Truth::Yes,
            Operator::Or => Truth::any(met) == Truth::Yes,
        }
    })
}

/// Whether meeting one control always meets another. Nobody meets a block, so it entails everything.
fn entails(snapshot: &Snapshot, held: &Control, wanted: &Control) -> bool {
    if held == wanted || *held == Control::Block {
        return true;
    }
    let strength = |id: &String| snapshot.strengths.get(id);
    match (held, wanted) {
        (Control::Strength(held), Control::Mfa) => strength(held).is_some_and(|held| held.satisfies_mfa),
        (Control::Strength(held), Control::Strength(wanted)) => {
            strength(held).zip(strength(wanted)).is_some_and(|(held, wanted)| is_stronger(held, wanted))
        }
        (Control::RiskRemediation, Control::PasswordChange) => true,
        _ => false,
    }
}

fn is_stronger(held: &Strength, wanted: &Strength) -> bool {
    !held.allowed_combinations.is_empty() && held.allowed_combinations.is_subset(&wanted.allowed_combinations)
}

fn sessions_at_least(strict: Option<&SessionControls>, other: Option<&SessionControls>) -> bool {
    let none = SessionControls::default();
    let (strict, other) = (strict.unwrap_or(&none), other.unwrap_or(&none));
    let flag = |strict: bool, other: bool| strict || !other;
    let same = |strict: &Option<String>, other: &Option<String>| other.is_none() || strict == other;
    flag(strict.application_enforced_restrictions, other.application_enforced_restrictions)
        && flag(strict.secure_sign_in_session, other.secure_sign_in_session)
        && flag(strict.disable_resilience_defaults, other.disable_resilience_defaults)
        && same(&strict.cloud_app_security, &other.cloud_app_security)
        && same(&strict.persistent_browser, &other.persistent_browser)
        && same(&strict.continuous_access_evaluation, &other.continuous_access_evaluation)
        && same(&strict.filtering_profile, &other.filtering_profile)
        && other
            .sign_in_frequency
            .is_none_or(|wanted| strict.sign_in_frequency.is_some_and(|held| as_often(held, wanted)))
}

fn as_often(held: SignInFrequency, wanted: SignInFrequency) -> bool {
    let whole = !held.secondary_only || wanted.secondary_only;
    whole && held.hours.unwrap_or(0) <= wanted.hours.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::tenant::well_known::{STRENGTH_MFA, STRENGTH_PHISHING_RESISTANT};
    use crate::tenant::{SnapshotBuilder, read_policy};

    fn at_least(strict: &Value, other: &Value) -> bool {
        let policy = |grant: &Value| {
            read_policy(&json!({"state": "enabled", "conditions": {}, "grantControls": grant})).unwrap()
        };
        asks_at_least(&SnapshotBuilder::default().build(), &policy(strict), &policy(other))
    }

    fn grant(operator: &str, controls: &[&str]) -> Value {
        json!({"operator": operator, "builtInControls": controls})
    }

    fn strength(id: &str) -> Value {
        json!({"operator": "OR", "authenticationStrength": {"id": id}})
    }

    #[test]
    fn every_way_of_the_strict_one_meets_the_other() {
        let (mfa, both) = (grant("OR", &["mfa"]), grant("AND", &["mfa", "compliantDevice"]));
        let either = grant("OR", &["mfa", "compliantDevice"]);
        assert!(at_least(&both, &mfa) && at_least(&mfa, &either) && at_least(&both, &either));
        assert!(!at_least(&mfa, &both) && !at_least(&either, &mfa));
        assert!(at_least(&grant("OR", &["block"]), &both) && !at_least(&both, &grant("OR", &["block"])));
        assert!(at_least(&mfa, &json!(null)) && !at_least(&json!(null), &mfa));
    }

    #[test]
    fn strengths_are_compared_as_sets_of_combinations() {
        let (mfa, strong) = (strength(STRENGTH_MFA), strength(STRENGTH_PHISHING_RESISTANT));
        assert!(at_least(&strong, &mfa) && !at_least(&mfa, &strong));
        assert!(at_least(&mfa, &grant("OR", &["mfa"])) && !at_least(&grant("OR", &["mfa"]), &mfa));
        assert!(!at_least(&strength("unknown"), &mfa));
    }

    #[test]
    fn sessions_are_compared_control_by_control() {
        let policy = |hours: u32, never: bool| Policy {
            session: Some(SessionControls {
                sign_in_frequency: Some(SignInFrequency { hours: Some(hours), secondary_only: false }),
                persistent_browser: never.then(|| "never".to_owned()),
                ..SessionControls::default()
            }),
            ..Policy::default()
        };
        let at_least = |strict: &Policy, other: &Policy| asks_at_least(&Snapshot::default(), strict, other);
        assert!(at_least(&policy(4, true), &policy(8, false)));
        assert!(!at_least(&policy(8, true), &policy(4, false)) && !at_least(&policy(4, false), &policy(4, true)));
    }
}
