//! What Graph refuses about a policy; it accepts much that the portal does not.

use serde_json::{Value, json};

use super::demands;
use super::error::GraphError;
use crate::demo::judge::read::{flags, list, text};
use crate::demo::places;
use crate::demo::roles;
use crate::demo::tenant::Tenant;

/// Policies a tenant can have, in any state.
const LIMIT: usize = 240;
/// What Graph says of a body that is no policy.
pub const SCHEMA: &str = "1007: Incoming ConditionalAccessPolicy object is null or does not match the schema of \
    ConditionalAccessPolicy type. For examples, please see API documentation.";
const MALFORMED: &str = "The server could not process the request because it is malformed or incorrect.";
const STATES: &[&str] = &["enabled", "disabled", "enabledForReportingButNotEnforced"];
const PROPERTIES: &[&str] = &[
    "id",
    "displayName",
    "description",
    "state",
    "createdDateTime",
    "modifiedDateTime",
    "deletedDateTime",
    "templateId",
    "partialEnablementStrategy",
    "conditions",
    "grantControls",
    "sessionControls",
];

/// Refuses a policy that Graph refuses.
pub fn check(tenant: &Tenant, policy: &Value, creating: bool) -> Result<(), GraphError> {
    if creating && tenant.policies.len() >= LIMIT {
        return Err(GraphError::bad_request("1010: The tenant has reached the limit of policies."));
    }
    let shape = shaped(policy).then_some(()).ok_or_else(|| GraphError::bad_request(SCHEMA));
    shape.and_then(|()| match broken(tenant, policy).or_else(|| demands::broken(policy, creating)) {
        None => Ok(()),
        Some(what) => Err(GraphError::bad_request(format!("{MALFORMED} {what}"))),
    })
}

fn shaped(policy: &Value) -> bool {
    let Some(members) = policy.as_object() else { return false };
    let known = members.keys().all(|key| PROPERTIES.contains(&key.as_str()) || key.contains('@'));
    let named = text(policy, "displayName").is_some_and(|name| !name.trim().is_empty() && name.chars().count() <= 256);
    let state = text(policy, "state").is_some_and(|state| STATES.contains(&state));
    let part =
        |key: &str| policy.get("conditions").and_then(|conditions| conditions.get(key)).is_some_and(Value::is_object);
    known && named && state && part("applications") && (part("users") || part("clientApplications"))
}

/// The first rule that the policy breaks.
fn broken(tenant: &Tenant, policy: &Value) -> Option<&'static str> {
    let conditions = policy.get("conditions")?;
    let part = |key: &str| conditions.get(key).unwrap_or(&Value::Null);
    let rules = [
        (who(part("users"), part("clientApplications")), "Invalid users."),
        (target(part("applications")), "Invalid applications."),
        (controls(policy), "Invalid grant or session controls."),
        (places_exist(tenant, part("locations")), "NamedLocation does not exist in the directory."),
        (platforms(part("platforms")), "Invalid platforms."),
        (known_roles(part("users")), "Invalid roles."),
        (strength_exists(tenant, policy), "AuthenticationStrength does not exist."),
    ];
    rules.into_iter().find(|(fine, _)| !fine).map(|(_, what)| what)
}

fn who(users: &Value, workloads: &Value) -> bool {
    let named = list(users, "includeUsers");
    let word = named.iter().any(|id| matches!(*id, "All" | "None"));
    let guests = users.get("includeGuestsOrExternalUsers").filter(|guests| !guests.is_null());
    let kinds = guests.is_none_or(|guests| !flags(guests, "guestOrExternalUserTypes").is_empty());
    let somebody = !named.is_empty()
        || !list(users, "includeGroups").is_empty()
        || !list(users, "includeRoles").is_empty()
        || guests.is_some();
    (!word || named.len() == 1) && kinds && (somebody || workloads.is_object())
}

/// Only template ids of built-in roles.
fn known_roles(users: &Value) -> bool {
    let named = ["includeRoles", "excludeRoles"].map(|side| list(users, side));
    named.iter().flatten().all(|id| roles::ROLES.iter().any(|(known, _)| known == id))
}

fn target(applications: &Value) -> bool {
    let apps = list(applications, "includeApplications");
    let word = apps.iter().any(|id| matches!(*id, "All" | "None"));
    let filter = applications.get("applicationFilter").is_some_and(Value::is_object);
    let contexts = list(applications, "includeAuthenticationContextClassReferences");
    let published = places::contexts();
    let known = contexts.iter().all(|id| published.iter().any(|context| context.get("id") == Some(&json!(id))));
    let kinds =
        [!apps.is_empty() || filter, !list(applications, "includeUserActions").is_empty(), !contexts.is_empty()];
    kinds.into_iter().filter(|kind| *kind).count() == 1
        && (!word || (apps.len() == 1 && !(filter && apps == ["None"])))
        && known
}

fn controls(policy: &Value) -> bool {
    let grant = policy.get("grantControls").filter(|grant| !grant.is_null());
    let session = policy.get("sessionControls").and_then(Value::as_object);
    let limits = session.is_none_or(|session| session.values().any(|control| !control.is_null()));
    let Some(grant) = grant else { return session.is_some() && limits };
    let names = list(grant, "builtInControls");
    let strength = grant.get("authenticationStrength").is_some_and(Value::is_object);
    let others =
        strength || !list(grant, "termsOfUse").is_empty() || !list(grant, "customAuthenticationFactors").is_empty();
    let operator =
        text(grant, "operator").is_some_and(|word| word.eq_ignore_ascii_case("and") || word.eq_ignore_ascii_case("or"));
    let alone = !names.contains(&"block") || (names.len() == 1 && !others);
    let twice = names.contains(&"mfa") && strength;
    operator && alone && !twice && limits && (!names.is_empty() || others || session.is_some())
}

fn places_exist(tenant: &Tenant, locations: &Value) -> bool {
    let exists = |id: &&str| {
        matches!(*id, "All" | "AllTrusted" | "00000000-0000-0000-0000-000000000000")
            || tenant.named_locations.iter().any(|location| location.get("id") == Some(&json!(id)))
    };
    let (included, excluded) = (list(locations, "includeLocations"), list(locations, "excludeLocations"));
    (!locations.is_object() || !included.is_empty()) && included.iter().chain(&excluded).all(exists)
}

fn platforms(platforms: &Value) -> bool {
    !platforms.is_object() || !list(platforms, "includePlatforms").is_empty()
}

fn strength_exists(tenant: &Tenant, policy: &Value) -> bool {
    let id = policy.pointer("/grantControls/authenticationStrength/id");
    id.is_none_or(|id| tenant.strengths.iter().any(|strength| strength.get("id") == Some(id)))
}
