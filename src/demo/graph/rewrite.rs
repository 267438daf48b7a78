//! How Graph stores a policy: not in the very words in which it was sent.

use serde_json::{Map, Value, json};

/// The policy as it will be read: absent parts filled in, one control under `OR`, guest types in camel case.
#[must_use]
pub fn stored(mut policy: Value) -> Value {
    if let Some(conditions) = policy.get_mut("conditions").and_then(Value::as_object_mut) {
        fill(conditions);
    }
    if let Some(grant) = policy.get_mut("grantControls").and_then(Value::as_object_mut) {
        for list in ["builtInControls", "customAuthenticationFactors", "termsOfUse"] {
            grant.entry(list).or_insert_with(|| json!([]));
        }
        grant.entry("authenticationStrength").or_insert(Value::Null);
        let single = grant.get("builtInControls").and_then(Value::as_array).is_some_and(|controls| controls.len() == 1);
        let strength = grant.get("authenticationStrength").is_some_and(Value::is_object);
        if single && !strength {
            grant.insert("operator".into(), json!("OR"));
        }
    }
    if let Some(policy) = policy.as_object_mut() {
        for absent in ["grantControls", "sessionControls", "templateId", "partialEnablementStrategy"] {
            policy.entry(absent).or_insert(Value::Null);
        }
    }
    policy
}

fn fill(conditions: &mut Map<String, Value>) {
    let client_apps = conditions.entry("clientAppTypes").or_insert(Value::Null);
    if client_apps.as_array().is_none_or(Vec::is_empty) {
        *client_apps = json!(["all"]);
    }
    for list in ["userRiskLevels", "signInRiskLevels", "servicePrincipalRiskLevels"] {
        conditions.entry(list).or_insert_with(|| json!([]));
    }
    for absent in
        ["platforms", "locations", "devices", "clientApplications", "authenticationFlows", "insiderRiskLevels", "times"]
    {
        conditions.entry(absent).or_insert(Value::Null);
    }
    if let Some(users) = conditions.get_mut("users").and_then(Value::as_object_mut) {
        for list in ["includeUsers", "excludeUsers", "includeGroups", "excludeGroups", "includeRoles", "excludeRoles"] {
            users.entry(list).or_insert_with(|| json!([]));
        }
        for side in ["includeGuestsOrExternalUsers", "excludeGuestsOrExternalUsers"] {
            camel_types(users.entry(side).or_insert(Value::Null));
        }
    }
    if let Some(target) = conditions.get_mut("applications").and_then(Value::as_object_mut) {
        for list in [
            "includeApplications",
            "excludeApplications",
            "includeUserActions",
            "includeAuthenticationContextClassReferences",
        ] {
            target.entry(list).or_insert_with(|| json!([]));
        }
        target.entry("applicationFilter").or_insert(Value::Null);
    }
}

fn camel_types(guests: &mut Value) {
    let Some(types) = guests.get_mut("guestOrExternalUserTypes") else { return };
    let words = types.as_str().unwrap_or_default().split(',').map(|word| camel(word.trim()));
    *types = json!(words.collect::<Vec<_>>().join(","));
}

fn camel(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// `patch` laid over `onto`: members replace members, lists whole, null clears.
pub fn merge(onto: &mut Value, patch: &Value) {
    match (onto, patch) {
        (Value::Object(onto), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(onto.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (onto, patch) => *onto = patch.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_not_what_was_sent() {
        let sent = json!({ "displayName": "A", "conditions": { "applications": {}, "users": {
            "includeGuestsOrExternalUsers": { "guestOrExternalUserTypes": "B2bCollaborationGuest,ServiceProvider" } } },
            "grantControls": { "operator": "AND", "builtInControls": ["mfa"] } });
        let read = stored(sent);
        assert_eq!(read["conditions"]["clientAppTypes"], json!(["all"]));
        assert_eq!(read["grantControls"]["operator"], "OR");
        let types = &read["conditions"]["users"]["includeGuestsOrExternalUsers"]["guestOrExternalUserTypes"];
        assert_eq!(types, "b2bCollaborationGuest,serviceProvider");
    }

    #[test]
    fn a_patch_keeps_what_it_does_not_name() {
        let mut policy = json!({ "conditions": { "users": { "includeUsers": ["All"], "excludeGroups": ["a"] } }, "state": "enabled" });
        merge(&mut policy, &json!({ "conditions": { "users": { "excludeGroups": ["a", "b"] } } }));
        assert_eq!(
            policy,
            json!({ "conditions": { "users": { "includeUsers": ["All"], "excludeGroups": ["a", "b"] } }, "state": "enabled" })
        );
    }
}
