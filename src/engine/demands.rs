//! Whether what one policy asks for entails what another does.

use super::Truth;
use crate::tenant::policy::{Control, GrantControls, Operator, Policy, SessionControls, SignInFrequency};
use crate::tenant::{Snapshot, Strength};

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
