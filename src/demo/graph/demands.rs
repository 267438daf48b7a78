//! What Graph refuses about controls and the conditions that they need: rules of its documentation, one function each.

use serde_json::Value;

use crate::demo::judge::device;
use crate::demo::judge::read::{list, text};

/// Office 365 Exchange Online and SharePoint Online, by app id, and the suite.
const RESTRICTING: &[&str] =
    &["Office365", "00000002-0000-0ff1-ce00-000000000000", "00000003-0000-0ff1-ce00-000000000000"];
const REGISTER_DEVICE: &str = "urn:user:registerdevice";
/// Properties that are flags: one string with commas, never a list.
const FLAGS: &[&str] = &[
    "/conditions/insiderRiskLevels",
    "/conditions/authenticationFlows/transferMethods",
    "/conditions/users/includeGuestsOrExternalUsers/guestOrExternalUserTypes",
    "/conditions/users/excludeGuestsOrExternalUsers/guestOrExternalUserTypes",
];

/// Conditions on devices before there was a filter.
const OLD_STATES: &[&str] = &["includeDevices", "excludeDevices", "includeDeviceStates", "excludeDeviceStates"];

/// The first rule that the policy breaks, in Graph's manner; `creating` when it is new.
#[must_use]
pub fn broken(policy: &Value, creating: bool) -> Option<&'static str> {
    let rules = [
        (flags(policy), "A flags property is no string."),
        (external_tenants(policy), "Invalid externalTenants."),
        (device_filter(policy), "Invalid deviceFilter."),
        (password_change(policy), "passwordChange needs mfa, all applications and a user risk level."),
        (remediation(policy), "riskRemediation needs all applications and a user risk level."),
        (!creating || !asks(policy, "approvedApplication"), "approvedApplication is retired for new policies."),
        (register_device(policy), "Invalid controls or conditions for the user action."),
        (workloads(policy), "Only block is available for workload identities."),
        (frequency(policy), "Invalid signInFrequency."),
        (browser(policy), "persistentBrowser needs all applications."),
        (restrictions(policy), "applicationEnforcedRestrictions is available for Office 365 only."),
        (app_control(policy), "cloudAppSecurity needs a type."),
    ];
    rules.into_iter().find(|(fine, _)| !fine).map(|(_, what)| what)
}

pub(super) fn asks(policy: &Value, control: &str) -> bool {
    policy.get("grantControls").is_some_and(|grant| list(grant, "builtInControls").contains(&control))
}

pub(super) fn strength(policy: &Value) -> bool {
    policy.pointer("/grantControls/authenticationStrength").is_some_and(Value::is_object)
}

pub(super) fn apps(policy: &Value) -> Vec<&str> {
    policy.pointer("/conditions/applications").map(|apps| list(apps, "includeApplications")).unwrap_or_default()
}

pub(super) fn levels<'a>(policy: &'a Value, kind: &str) -> Vec<&'a str> {
    policy.get("conditions").map(|conditions| list(conditions, kind)).unwrap_or_default()
}

/// A session control that is set and not switched off.
pub(super) fn session<'a>(policy: &'a Value, control: &str) -> Option<&'a Value> {
    let found = policy.get("sessionControls")?.get(control).filter(|found| found.is_object())?;
    (found.get("isEnabled") != Some(&Value::Bool(false))).then_some(found)
}

/// Rule 34.
fn flags(policy: &Value) -> bool {
    FLAGS.iter().filter_map(|at| policy.pointer(at)).all(|value| value.is_null() || value.is_string())
}

/// Rule 33.
fn external_tenants(policy: &Value) -> bool {
    let sides = ["includeGuestsOrExternalUsers", "excludeGuestsOrExternalUsers"];
    let guests = sides.iter().filter_map(|side| policy.pointer("/conditions/users")?.get(side));
    guests.filter_map(|guests| guests.get("externalTenants").filter(|tenants| tenants.is_object())).all(|tenants| {
        match text(tenants, "membershipKind") {
            Some("enumerated") => !list(tenants, "members").is_empty(),
            kind => kind == Some("all"),
        }
    })
}

/// Rule 28: mode and rule, of a bounded length, with attributes and operators that there are, and no old device states.
fn device_filter(policy: &Value) -> bool {
    let Some(devices) = policy.pointer("/conditions/devices") else { return true };
    let Some(filter) = devices.get("deviceFilter").filter(|filter| filter.is_object()) else { return true };
    let mode = matches!(text(filter, "mode"), Some("include" | "exclude"));
    let rule = text(filter, "rule").is_some_and(|rule| rule.chars().count() <= 3072 && device::readable(rule));
    mode && rule && OLD_STATES.iter().all(|old| list(devices, old).is_empty())
}

/// Rule 11.
fn password_change(policy: &Value) -> bool {
    let Some(grant) = policy.get("grantControls").filter(|_| asks(policy, "passwordChange")) else { return true };
    let controls = list(grant, "builtInControls");
    let with_mfa =
        if strength(policy) { controls.len() == 1 } else { controls.len() == 2 && controls.contains(&"mfa") };
    let both = text(grant, "operator").is_some_and(|operator| operator.eq_ignore_ascii_case("and"));
    with_mfa && both && apps(policy) == ["All"] && !levels(policy, "userRiskLevels").is_empty()
}

/// Rule 13.
fn remediation(policy: &Value) -> bool {
    let wanted = apps(policy) == ["All"] && !levels(policy, "userRiskLevels").is_empty();
    !asks(policy, "riskRemediation") || (wanted && !asks(policy, "passwordChange"))
}

/// Rule 17.
fn register_device(policy: &Value) -> bool {
    let action = policy.pointer("/conditions/applications").map(|apps| list(apps, "includeUserActions"));
    if !action.unwrap_or_default().contains(&REGISTER_DEVICE) {
        return true;
    }
    let controls = policy.get("grantControls").map(|grant| list(grant, "builtInControls")).unwrap_or_default();
    let clients = levels(policy, "clientAppTypes");
    let plain =
        (clients.is_empty() || clients == ["all"]) && policy.pointer("/conditions/devices").is_none_or(Value::is_null);
    controls.iter().all(|control| *control == "mfa") && (strength(policy) || !controls.is_empty()) && plain
}

/// Rule 19.
fn workloads(policy: &Value) -> bool {
    let about = policy.pointer("/conditions/clientApplications").is_some_and(Value::is_object);
    let grant = policy.get("grantControls").map(|grant| list(grant, "builtInControls")).unwrap_or_default();
    !about || grant == ["block"]
}

/// Rule 21.
fn frequency(policy: &Value) -> bool {
    let Some(frequency) = session(policy, "signInFrequency") else { return true };
    let (kind, value) = (text(frequency, "type"), frequency.get("value").and_then(Value::as_u64));
    if text(frequency, "frequencyInterval") == Some("everyTime") {
        return kind.is_none() && value.is_none();
    }
    match (kind, value) {
        (Some("hours"), Some(hours)) => (1..=23).contains(&hours),
        (Some("days"), Some(days)) => (1..=365).contains(&days),
        _ => false,
    }
}

/// Rule 23.
fn browser(policy: &Value) -> bool {
    session(policy, "persistentBrowser").is_none() || apps(policy) == ["All"]
}

/// Rule 24.
fn restrictions(policy: &Value) -> bool {
    session(policy, "applicationEnforcedRestrictions").is_none()
        || apps(policy).iter().all(|app| RESTRICTING.contains(app))
}

/// Rule 25.
fn app_control(policy: &Value) -> bool {
    session(policy, "cloudAppSecurity").is_none_or(|control| text(control, "cloudAppSecurityType").is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::demo::tenant::{Seed, Tenant};

    fn policy(conditions: &Value, grant: &Value, session: &Value) -> Value {
        let mut all =
            json!({ "applications": { "includeApplications": ["All"] }, "users": { "includeUsers": ["All"] } });
        all.as_object_mut().unwrap().extend(conditions.as_object().unwrap().clone());
        json!({ "conditions": all, "grantControls": grant, "sessionControls": session })
    }

    #[test]
    fn the_tenant_of_the_demo_keeps_the_rules_that_it_is_held_to() {
        let tenant = Tenant::generate(&Seed { users: 80, seed: 1, today: "2026-11-24T08:30:00Z".parse().unwrap() });
        for policy in &tenant.policies {
            assert_eq!(broken(policy, false), None, "{policy}");
        }
    }

    #[test]
    fn each_rule_refuses_what_breaks_it() {
        let block = json!({ "operator": "OR", "builtInControls": ["block"] });
        let (none, action) = (json!({}), json!({ "includeUserActions": ["urn:user:registerdevice"] }));
        let one_app = json!({ "applications": { "includeApplications": ["1"] } });
        let grant = |control: &str| json!({ "operator": "AND", "builtInControls": [control, "mfa"] });
        let risky = json!({ "userRiskLevels": ["high"] });
        let every_time =
            json!({ "signInFrequency": { "isEnabled": true, "frequencyInterval": "everyTime", "value": 1 } });
        let hours = json!({ "signInFrequency": { "isEnabled": true, "type": "hours", "value": 24 } });
        let broken_ones = [
            policy(&json!({ "authenticationFlows": { "transferMethods": ["deviceCodeFlow"] } }), &block, &Value::Null),
            policy(
                &json!({ "users": { "includeGuestsOrExternalUsers": { "guestOrExternalUserTypes": "internalGuest",
                    "externalTenants": { "membershipKind": "enumerated", "members": [] } } } }),
                &block,
                &Value::Null,
            ),
            policy(&json!({ "devices": { "deviceFilter": { "mode": "some", "rule": "x" } } }), &block, &Value::Null),
            policy(&none, &grant("passwordChange"), &Value::Null),
            policy(&one_app, &grant("riskRemediation"), &Value::Null),
            policy(&none, &grant("approvedApplication"), &Value::Null),
            policy(&json!({ "applications": action }), &block, &Value::Null),
            policy(&json!({ "clientApplications": {} }), &grant("mfa"), &Value::Null),
            policy(&none, &block, &every_time),
            policy(&none, &block, &hours),
            policy(&one_app, &block, &json!({ "persistentBrowser": { "isEnabled": true, "mode": "never" } })),
            policy(&none, &block, &json!({ "applicationEnforcedRestrictions": { "isEnabled": true } })),
            policy(&none, &block, &json!({ "cloudAppSecurity": { "isEnabled": true } })),
        ];
        let said: std::collections::BTreeSet<_> =
            broken_ones.iter().map(|policy| broken(policy, true).unwrap_or_else(|| panic!("{policy}"))).collect();
        assert_eq!(said.len(), 12, "each for its own reason: {said:?}");
        assert_eq!(broken(&policy(&risky, &grant("passwordChange"), &Value::Null), true), None);
        assert_eq!(broken(&policy(&none, &grant("approvedApplication"), &Value::Null), false), None, "old ones stay");
    }
}
