//! Reads what a policy asks for: grant controls and session controls.

use std::collections::BTreeSet;

use super::ReadError;
use super::node::{Node, id, is_empty};
use crate::tenant::policy::{Control, GrantControls, Operator, SessionControls, SignInFrequency};

/// Reads `grantControls`; none when nothing is asked for.
pub(super) fn read_grant(node: Node<'_>, undecided: &mut Vec<String>) -> Result<Option<GrantControls>, ReadError> {
    let node = node.object()?;
    let mut controls = BTreeSet::new();
    let mut both = false;
    let built_in = node.member("builtInControls");
    for (at, word) in built_in.strings()?.into_iter().enumerate() {
        both |= word.eq_ignore_ascii_case("MfaAndChangePassword");
        let read = built_in_control(word);
        if read.iter().any(|control| matches!(control, Control::Unknown(_))) {
            undecided.push(format!("{}/{at} ({word})", built_in.pointer()));
        }
        controls.extend(read);
    }
    controls.extend(node.member("customAuthenticationFactors").ids()?.into_iter().map(Control::Custom));
    controls.extend(node.member("termsOfUse").ids()?.into_iter().map(Control::TermsOfUse));
    controls.extend(read_strength_id(&node)?.map(Control::Strength));
    undecided.extend(node.others(GRANT_MEMBERS).iter().map(Node::pointer));
    if controls.is_empty() {
        return Ok(None);
    }
    let operator = if both { Operator::And } else { read_operator(&node, controls.len(), undecided)? };
    Ok(Some(GrantControls { operator, controls }))
}

const GRANT_MEMBERS: &[&str] =
    &["operator", "builtInControls", "customAuthenticationFactors", "termsOfUse", "authenticationStrength"];

fn built_in_control(word: &str) -> Vec<Control> {
    let known = match word.to_ascii_lowercase().as_str() {
        "block" => Control::Block,
        "mfa" => Control::Mfa,
        "compliantdevice" => Control::CompliantDevice,
        "domainjoineddevice" => Control::DomainJoinedDevice,
        "approvedapplication" => Control::ApprovedApplication,
        "compliantapplication" => Control::CompliantApplication,
        "passwordchange" => Control::PasswordChange,
        "riskremediation" => Control::RiskRemediation,
        "verifiedid" => Control::VerifiedId,
        // Microsoft's own template exports spell "MFA and password change" as one word.
        "mfaandchangepassword" => return vec![Control::Mfa, Control::PasswordChange],
        _ => Control::Unknown(word.to_owned()),
    };
    vec![known]
}

fn read_operator(node: &Node<'_>, controls: usize, undecided: &mut Vec<String>) -> Result<Operator, ReadError> {
    let member = node.member("operator");
    match member.text()?.map(str::to_ascii_uppercase).as_deref() {
        // With one control the operator makes no difference; Graph itself turns AND into OR.
        Some("AND" | "OR") | None if controls == 1 => Ok(Operator::Or),
        Some("AND") => Ok(Operator::And),
        Some("OR") => Ok(Operator::Or),
        None => {
            undecided.push(member.pointer());
            Ok(Operator::Or)
        }
        Some(_) => Err(member.wrong("AND or OR")),
    }
}

/// The strength as an object, as null (or an object of nothing but nulls, as Graph's PowerShell SDK writes one), or as a
/// reference in an `@odata.bind` annotation.
fn read_strength_id(node: &Node<'_>) -> Result<Option<String>, ReadError> {
    let strength = node.member("authenticationStrength");
    if !is_empty(strength.value()) {
        return strength.object()?.member("id").required_id().map(Some);
    }
    let bind = node.member("authenticationStrength@odata.bind");
    let Some(reference) = bind.text()? else { return Ok(None) };
    let last = reference.rsplit(['/', '(']).next().unwrap_or_default().trim_matches([')', '\'']);
    if last.is_empty() { Err(bind.wrong("a reference to an authentication strength")) } else { Ok(Some(id(last))) }
}

/// Reads `sessionControls`; none when nothing is set.
pub(super) fn read_session(node: Node<'_>, undecided: &mut Vec<String>) -> Result<Option<SessionControls>, ReadError> {
    let node = node.object()?;
    let session = SessionControls {
        application_enforced_restrictions: is_enabled(&node, "applicationEnforcedRestrictions")?,
        cloud_app_security: if is_enabled(&node, "cloudAppSecurity")? {
            Some(node.member("cloudAppSecurity").member("cloudAppSecurityType").string()?)
        } else {
            None
        },
        persistent_browser: if is_enabled(&node, "persistentBrowser")? {
            Some(node.member("persistentBrowser").member("mode").string()?.to_ascii_lowercase())
        } else {
            None
        },
        sign_in_frequency: read_frequency(&node.member("signInFrequency"), undecided)?,
        secure_sign_in_session: is_enabled(&node, "secureSignInSession")?,
        disable_resilience_defaults: node.member("disableResilienceDefaults").flag()?.unwrap_or_default(),
        continuous_access_evaluation: node.member("continuousAccessEvaluation").object()?.member("mode").filled()?,
        filtering_profile: if is_enabled(&node, "globalSecureAccessFilteringProfile")? {
            Some(node.member("globalSecureAccessFilteringProfile").member("profileId").string()?)
        } else {
            None
        },
    };
    undecided.extend(node.others(SESSION_MEMBERS).iter().map(Node::pointer));
    Ok((session != SessionControls::default()).then_some(session))
}

const SESSION_MEMBERS: &[&str] = &[
    "applicationEnforcedRestrictions",
    "cloudAppSecurity",
    "persistentBrowser",
    "signInFrequency",
    "secureSignInSession",
    "disableResilienceDefaults",
    "continuousAccessEvaluation",
    "globalSecureAccessFilteringProfile",
];

fn is_enabled(node: &Node<'_>, name: &str) -> Result<bool, ReadError> {
    Ok(node.member(name).object()?.member("isEnabled").flag()?.unwrap_or_default())
}

fn read_frequency(node: &Node<'_>, undecided: &mut Vec<String>) -> Result<Option<SignInFrequency>, ReadError> {
    let node = node.object()?;
    if !node.member("isEnabled").flag()?.unwrap_or_default() {
        return Ok(None);
    }
    let kind = node.member("authenticationType").string()?;
    let secondary_only = kind.eq_ignore_ascii_case("secondaryAuthentication");
    let interval = node.member("frequencyInterval").string()?.to_ascii_lowercase();
    if interval.starts_with("everytime") {
        return Ok(Some(SignInFrequency { hours: None, secondary_only }));
    }
    let value = node.member("value").number()?.and_then(|value| u32::try_from(value).ok()).filter(|value| *value > 0);
    let unit = match node.member("type").string()?.to_ascii_lowercase().as_str() {
        "days" => Some(24),
        "hours" => Some(1),
        _ => None,
    };
    let hours = value.zip(unit).and_then(|(value, unit)| value.checked_mul(unit));
    if hours.is_none() {
        undecided.push(node.pointer());
    }
    Ok(hours.map(|hours| SignInFrequency { hours: Some(hours), secondary_only }))
}
