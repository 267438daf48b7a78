//! What Graph refuses to see together in one policy: rules of its documentation and of the portal, one function each.

use serde_json::Value;

use super::demands::{apps, asks, levels, session};
use crate::demo::judge::read::{list, text};

const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
/// Where tokens can be bound to a device: Exchange, SharePoint, Teams, Azure Virtual Desktop, Windows 365.
const BINDING: &[&str] = &[
    "Office365",
    EXCHANGE,
    "00000003-0000-0ff1-ce00-000000000000",
    "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
    "9cdead84-a844-4324-93f2-b2e6bb768d07",
    "0af06dc6-e4b5-4f28-818e-e78e62d137a5",
    "270efc09-cd0d-444b-a71f-39af4910ec45",
];
const PROTECTIONS: &[&str] = &["approvedApplication", "compliantApplication"];
/// Conditions that are about people and their devices.
const OF_PEOPLE: &[&str] = &["platforms", "devices", "authenticationFlows", "insiderRiskLevels"];

/// The first rule that the policy breaks, in Graph's manner.
#[must_use]
pub fn broken(policy: &Value) -> Option<&'static str> {
    let rules = [
        (one_subject(policy), "users and clientApplications cannot both be in scope."),
        (no_sign_in_risk(policy), "passwordChange is not available with signInRiskLevels."),
        (no_guests(policy), "riskRemediation is not available for guests or external users."),
        (protectable(policy), "Application protection is not available on the platforms."),
        (
            protected_mail(policy),
            "Application protection with exchangeActiveSync is available for Exchange Online only.",
        ),
        (workload_conditions(policy), "Invalid conditions or session controls for workload identities."),
        (continuous_access(policy), "continuousAccessEvaluation can be disabled for everything only."),
        (bound_tokens(policy), "secureSignInSession is not available for the applications."),
        (active_sync(policy), "exchangeActiveSync is not available for user actions or authentication contexts."),
        (some_place(policy), "excludeLocations cannot contain All."),
        (somebody_left(policy), "The policy would block all users from all applications."),
    ];
    rules.into_iter().find(|(fine, _)| !fine).map(|(_, what)| what)
}

/// A part of the conditions; null when there is none.
fn part<'a>(policy: &'a Value, name: &str) -> &'a Value {
    policy.pointer("/conditions").and_then(|conditions| conditions.get(name)).unwrap_or(&Value::Null)
}

fn about_workloads(policy: &Value) -> bool {
    part(policy, "clientApplications").is_object()
}

/// Whether a side of the users (`include` or `exclude`) names anybody.
fn names_somebody(users: &Value, side: &str) -> bool {
    let lists = ["Users", "Groups", "Roles"].map(|kind| list(users, &format!("{side}{kind}")));
    let guests = users.get(format!("{side}GuestsOrExternalUsers")).is_some_and(Value::is_object);
    guests || lists.iter().flatten().any(|id| *id != "None")
}

/// Rule 3.
fn one_subject(policy: &Value) -> bool {
    !about_workloads(policy) || !names_somebody(part(policy, "users"), "include")
}

/// Rule 12.
fn no_sign_in_risk(policy: &Value) -> bool {
    !asks(policy, "passwordChange") || levels(policy, "signInRiskLevels").is_empty()
}

/// Rule 13.
fn no_guests(policy: &Value) -> bool {
    let users = part(policy, "users");
    let guests = users.get("includeGuestsOrExternalUsers").is_some_and(Value::is_object)
        || list(users, "includeUsers").contains(&"GuestsOrExternalUsers");
    !asks(policy, "riskRemediation") || !guests
}

/// Whether nobody gets past without app protection: nothing else will do, or everything is asked for.
fn insists_on_protection(policy: &Value) -> bool {
    let Some(grant) = policy.get("grantControls") else { return false };
    let controls = list(grant, "builtInControls");
    let any = controls.iter().any(|control| PROTECTIONS.contains(control));
    let all = controls.iter().all(|control| PROTECTIONS.contains(control)) && others(grant) == 0;
    any && (all || text(grant, "operator").is_some_and(|operator| operator.eq_ignore_ascii_case("and")))
}

/// How many controls there are besides those built in.
fn others(grant: &Value) -> usize {
    let strength = grant.get("authenticationStrength").is_some_and(Value::is_object);
    list(grant, "termsOfUse").len() + list(grant, "customAuthenticationFactors").len() + usize::from(strength)
}

/// Rule 15.
fn protectable(policy: &Value) -> bool {
    let named = list(part(policy, "platforms"), "includePlatforms");
    let windows = !asks(policy, "approvedApplication");
    let able = |platform: &&str| match platform.to_lowercase().as_str() {
        "all" | "android" | "ios" => true,
        "windows" => windows,
        _ => false,
    };
    !insists_on_protection(policy) || named.is_empty() || named.iter().any(able)
}

fn uses_active_sync(policy: &Value) -> bool {
    levels(policy, "clientAppTypes").iter().any(|kind| matches!(*kind, "exchangeActiveSync" | "easSupported"))
}

/// Rule 16.
fn protected_mail(policy: &Value) -> bool {
    let protects = PROTECTIONS.iter().any(|control| asks(policy, control));
    !protects || !uses_active_sync(policy) || apps(policy) == [EXCHANGE]
}

/// Rule 19: places and service principal risk are all that narrows a policy for workload identities.
fn workload_conditions(policy: &Value) -> bool {
    let of_people = OF_PEOPLE.iter().any(|name| !part(policy, name).is_null());
    let risks = ["userRiskLevels", "signInRiskLevels"].iter().any(|kind| !levels(policy, kind).is_empty());
    let sessions = policy.get("sessionControls").is_some_and(Value::is_object);
    !about_workloads(policy) || !(of_people || risks || sessions || narrow_clients(policy))
}

fn narrow_clients(policy: &Value) -> bool {
    let clients = levels(policy, "clientAppTypes");
    !clients.is_empty() && clients != ["all"]
}

/// Whether it is for all users, all applications, and whatever the circumstances.
fn is_for_everything(policy: &Value) -> bool {
    let risks = ["userRiskLevels", "signInRiskLevels", "servicePrincipalRiskLevels"];
    let narrowed =
        OF_PEOPLE.iter().chain(&["locations", "agentIdRiskLevels"]).any(|name| !part(policy, name).is_null())
            || risks.iter().any(|kind| !levels(policy, kind).is_empty())
            || narrow_clients(policy);
    list(part(policy, "users"), "includeUsers") == ["All"] && apps(policy) == ["All"] && !narrowed
}

/// Rule 26.
fn continuous_access(policy: &Value) -> bool {
    let off = session(policy, "continuousAccessEvaluation").and_then(|control| text(control, "mode"));
    off.is_none_or(|mode| !mode.eq_ignore_ascii_case("disabled")) || is_for_everything(policy)
}

/// Rule 27.
fn bound_tokens(policy: &Value) -> bool {
    let apps = apps(policy);
    session(policy, "secureSignInSession").is_none()
        || (!apps.is_empty() && apps.iter().all(|app| BINDING.contains(app)))
}

/// Rule 29.
fn active_sync(policy: &Value) -> bool {
    let target = part(policy, "applications");
    let other = ["includeUserActions", "includeAuthenticationContextClassReferences"];
    !uses_active_sync(policy) || other.iter().all(|kind| list(target, kind).is_empty())
}

/// Rule 30.
fn some_place(policy: &Value) -> bool {
    !list(part(policy, "locations"), "excludeLocations").contains(&"All")
}

/// Rule 36.
fn somebody_left(policy: &Value) -> bool {
    let target = part(policy, "applications");
    let excludes = names_somebody(part(policy, "users"), "exclude")
        || !list(target, "excludeApplications").is_empty()
        || target.get("applicationFilter").is_some_and(Value::is_object);
    !asks(policy, "block") || excludes || !is_for_everything(policy)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::demo::tenant::{Seed, Tenant};

    /// A policy that is fine, with members replaced.
    fn policy(changes: &Value) -> Value {
        let mut policy = json!({ "conditions": { "applications": { "includeApplications": ["All"] },
            "users": { "includeUsers": ["All"], "excludeGroups": ["g"] } },
            "grantControls": { "operator": "AND", "builtInControls": ["mfa"] } });
        for (at, value) in changes.as_object().unwrap() {
            let place = at.split('.').fold(&mut policy, |place, name| &mut place[name]);
            *place = value.clone();
        }
        policy
    }

    const CONTROLS: &str = "grantControls.builtInControls";
    const CLIENTS: &str = "conditions.clientAppTypes";

    #[test]
    fn the_tenant_of_the_demo_keeps_the_rules_that_it_is_held_to() {
        let tenant = Tenant::generate(&Seed { users: 80, seed: 1, today: "2026-11-24T08:30:00Z".parse().unwrap() });
        // Microsoft's own blocks legacy clients for everybody, and that is no block of everything.
        for policy in &tenant.policies {
            assert_eq!(broken(policy), None, "{policy}");
        }
    }

    #[test]
    fn each_rule_refuses_what_breaks_it() {
        let workloads = json!({ "includeServicePrincipals": ["ServicePrincipalsInMyTenant"] });
        let guests = json!({ "guestOrExternalUserTypes": "internalGuest" });
        let registers = json!({ "includeUserActions": ["urn:user:registersecurityinfo"] });
        let off = json!({ "continuousAccessEvaluation": { "mode": "disabled" } });
        let platforms = |named: &[&str]| json!({ "includePlatforms": named });
        let refused = [
            json!({ "conditions.clientApplications": workloads }),
            json!({ CONTROLS: ["mfa", "passwordChange"], "conditions.signInRiskLevels": ["high"] }),
            json!({ CONTROLS: ["riskRemediation"], "conditions.users.includeGuestsOrExternalUsers": guests }),
            json!({ CONTROLS: ["compliantApplication"], "conditions.platforms": platforms(&["linux"]) }),
            json!({ CONTROLS: ["compliantApplication"], CLIENTS: ["exchangeActiveSync"] }),
            json!({ "conditions.users": { "includeUsers": ["None"] }, "conditions.clientApplications": workloads,
                "conditions.platforms": platforms(&["windows"]) }),
            json!({ "sessionControls": off, "conditions.platforms": platforms(&["windows"]) }),
            json!({ "sessionControls.secureSignInSession": { "isEnabled": true } }),
            json!({ CLIENTS: ["exchangeActiveSync"], "conditions.applications": registers }),
            json!({ "conditions.locations": { "includeLocations": ["AllTrusted"], "excludeLocations": ["All"] } }),
            json!({ CONTROLS: ["block"], "conditions.users.excludeGroups": [] }),
        ];
        let said: std::collections::BTreeSet<_> =
            refused.iter().map(|changes| broken(&policy(changes)).unwrap_or_else(|| panic!("{changes}"))).collect();
        assert_eq!(said.len(), refused.len(), "each for its own reason: {said:?}");
    }

    #[test]
    fn what_only_looks_like_it_passes() {
        let workloads = json!({ "includeServicePrincipals": ["ServicePrincipalsInMyTenant"] });
        let flow = json!({ "transferMethods": "deviceCodeFlow" });
        for fine in [
            json!({}),
            json!({ "conditions.users": { "includeUsers": ["None"] }, "conditions.clientApplications": workloads }),
            json!({ CONTROLS: ["compliantApplication"], "conditions.platforms": { "includePlatforms": ["iOS", "linux"] } }),
            json!({ CONTROLS: ["compliantApplication"], CLIENTS: ["exchangeActiveSync"],
                "conditions.applications.includeApplications": [EXCHANGE] }),
            json!({ "sessionControls": { "continuousAccessEvaluation": { "mode": "disabled" } } }),
            json!({ CONTROLS: ["block"], "conditions.users.excludeGroups": [], "conditions.authenticationFlows": flow }),
            json!({ CONTROLS: ["block"], CLIENTS: ["exchangeActiveSync", "other"], "conditions.users.excludeGroups": [] }),
        ] {
            assert_eq!(broken(&policy(&fine)), None, "{fine}");
        }
    }
}
