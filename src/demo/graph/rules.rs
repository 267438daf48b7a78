//! What Graph refuses about a policy; it accepts much that the portal does not.

use serde_json::{Value, json};

use super::error::GraphError;
use super::references::{self, Wanted};
use super::{combinations, demands, schema};
use crate::demo::judge::read::{flags, list, text};
use crate::demo::places;

/// Policies a tenant can have, in any state.
const LIMIT: usize = 240;
/// What Graph says of a body that is no policy.
pub const SCHEMA: &str = "1007: Incoming ConditionalAccessPolicy object is null or does not match the schema of \
    ConditionalAccessPolicy type. For examples, please see API documentation.";
const MALFORMED: &str = "The server could not process the request because it is malformed or incorrect.";

/// Refuses a policy that Graph refuses.
pub fn check(wanted: Wanted<'_>) -> Result<(), GraphError> {
    let (policy, creating) = (wanted.policy, wanted.before.is_none());
    if creating && wanted.tenant.policies.len() >= LIMIT {
        return Err(GraphError::bad_request("1010: The tenant has reached the limit of policies."));
    }
    if !shaped(policy) {
        return Err(GraphError::bad_request(SCHEMA));
    }
    let rules = broken(policy).or_else(|| demands::broken(policy, creating)).or_else(|| combinations::broken(policy));
    match rules.or_else(|| references::broken(wanted)) {
        None => Ok(()),
        Some(what) => Err(GraphError::bad_request(format!("{MALFORMED} {what}"))),
    }
}

fn shaped(policy: &Value) -> bool {
    let named = text(policy, "displayName").is_some_and(|name| !name.trim().is_empty() && name.chars().count() <= 256);
    let part =
        |key: &str| policy.get("conditions").and_then(|conditions| conditions.get(key)).is_some_and(Value::is_object);
    let state = text(policy, "state").is_some();
    schema::conforms(policy) && named && state && part("applications") && (part("users") || part("clientApplications"))
}

/// The first rule that the policy breaks.
fn broken(policy: &Value) -> Option<&'static str> {
    let conditions = policy.get("conditions")?;
    let part = |key: &str| conditions.get(key).unwrap_or(&Value::Null);
    let rules = [
        (who(part("users"), part("clientApplications")), "Invalid users."),
        (target(part("applications")), "Invalid applications."),
        (controls(policy), "Invalid grant or session controls."),
        (platforms(part("platforms")), "Invalid platforms."),
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

fn target(applications: &Value) -> bool {
    let apps = list(applications, "includeApplications");
    let word = apps.iter().any(|id| matches!(*id, "All" | "None"));
    let filter = applications.get("applicationFilter").filter(|filter| filter.is_object());
    let including = filter.is_some_and(|filter| text(filter, "mode") != Some("exclude"));
    let contexts = list(applications, "includeAuthenticationContextClassReferences");
    let published = places::contexts();
    let is =
        |context: &Value, id: &str| text(context, "id") == Some(id) && context.get("isAvailable") == Some(&json!(true));
    let known = contexts.iter().all(|id| published.iter().any(|context| is(context, id)));
    let kinds = [
        !apps.is_empty() || filter.is_some(),
        !list(applications, "includeUserActions").is_empty(),
        !contexts.is_empty(),
    ];
    kinds.into_iter().filter(|kind| *kind).count() == 1
        && (!word || (apps.len() == 1 && !including && (filter.is_none() || apps == ["All"])))
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

fn platforms(platforms: &Value) -> bool {
    !platforms.is_object() || !list(platforms, "includePlatforms").is_empty()
}
