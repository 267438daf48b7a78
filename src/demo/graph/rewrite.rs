//! How Graph stores a policy: not in the very words in which it was sent.

use serde_json::{Map, Value, json};

/// The policy as it will be read: absent parts filled in, one control under `OR`, flags in camel case and in Graph's own
/// order, null where some empty list was sent and an empty list for some nulls.
#[must_use]
pub fn stored(mut policy: Value) -> Value {
    if let Some(conditions) = policy.get_mut("conditions").and_then(Value::as_object_mut) {
        fill(conditions);
    }
    if let Some(grant) = policy.get_mut("grantControls").and_then(Value::as_object_mut) {
        for list in ["builtInControls", "customAuthenticationFactors", "termsOfUse"] {
            listed(grant, list);
        }
        grant.entry("authenticationStrength").or_insert(Value::Null);
        if controls(grant) == 1 {
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

/// Controls of any kind.
fn controls(grant: &Map<String, Value>) -> usize {
    let lists = ["builtInControls", "customAuthenticationFactors", "termsOfUse"];
    let listed: usize = lists.iter().filter_map(|list| grant.get(*list)?.as_array()).map(Vec::len).sum();
    listed + usize::from(grant.get("authenticationStrength").is_some_and(Value::is_object))
}

/// An empty list where there is none.
fn listed(members: &mut Map<String, Value>, name: &str) {
    let list = members.entry(name).or_insert(Value::Null);
    if list.is_null() {
        *list = json!([]);
    }
}

/// Null where there is an empty list.
fn emptied(members: &mut Map<String, Value>, name: &str) {
    if members.get(name).and_then(Value::as_array).is_some_and(Vec::is_empty) {
        members.insert(name.to_owned(), Value::Null);
    }
}

fn fill(conditions: &mut Map<String, Value>) {
    let client_apps = conditions.entry("clientAppTypes").or_insert(Value::Null);
    if client_apps.as_array().is_none_or(Vec::is_empty) {
        *client_apps = json!(["all"]);
    }
    for list in ["userRiskLevels", "signInRiskLevels", "servicePrincipalRiskLevels"] {
        listed(conditions, list);
    }
    for absent in
        ["platforms", "locations", "devices", "clientApplications", "authenticationFlows", "insiderRiskLevels", "times"]
    {
        conditions.entry(absent).or_insert(Value::Null);
    }
    if let Some(users) = conditions.get_mut("users").and_then(Value::as_object_mut) {
        for list in ["includeUsers", "excludeUsers", "includeGroups", "excludeGroups", "includeRoles", "excludeRoles"] {
            listed(users, list);
        }
        for side in ["includeGuestsOrExternalUsers", "excludeGuestsOrExternalUsers"] {
            reordered(users.entry(side).or_insert(Value::Null), "guestOrExternalUserTypes");
        }
    }
    if let Some(target) = conditions.get_mut("applications").and_then(Value::as_object_mut) {
        for list in [
            "includeApplications",
            "excludeApplications",
            "includeUserActions",
            "includeAuthenticationContextClassReferences",
        ] {
            listed(target, list);
        }
        target.entry("applicationFilter").or_insert(Value::Null);
    }
    reordered(conditions.entry("authenticationFlows").or_insert(Value::Null), "transferMethods");
    if let Some(levels) = conditions.get_mut("insiderRiskLevels") {
        in_order(levels);
    }
    for (part, excluded) in [("platforms", "excludePlatforms"), ("locations", "excludeLocations")] {
        if let Some(part) = conditions.get_mut(part).and_then(Value::as_object_mut) {
            emptied(part, excluded);
        }
    }
}

fn reordered(part: &mut Value, flags: &str) {
    if let Some(flags) = part.get_mut(flags) {
        in_order(flags);
    }
}

/// Flags in an order that whoever sent them does not know: from the last letter to the first.
fn in_order(flags: &mut Value) {
    let Some(words) = flags.as_str() else { return };
    let mut words: Vec<String> = words.split(',').map(|word| camel(word.trim())).collect();
    words.sort_unstable_by(|left, right| right.cmp(left));
    *flags = json!(words.join(","));
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
        assert_eq!(types, "serviceProvider,b2bCollaborationGuest");
        assert_eq!(stored(read.clone()), read, "what is stored already stays");
    }

    #[test]
    fn only_a_single_control_of_any_kind_comes_back_under_or() {
        let operator = |grant: Value| stored(json!({ "grantControls": grant }))["grantControls"]["operator"].clone();
        assert_eq!(operator(json!({ "operator": "AND", "termsOfUse": ["t"] })), "OR");
        assert_eq!(operator(json!({ "operator": "AND", "authenticationStrength": { "id": "s" } })), "OR");
        for two in [
            json!({ "operator": "AND", "builtInControls": ["mfa"], "termsOfUse": ["t"] }),
            json!({ "operator": "AND", "builtInControls": ["compliantDevice"], "authenticationStrength": { "id": "s" } }),
            json!({ "operator": "AND", "builtInControls": ["mfa"], "customAuthenticationFactors": ["c"] }),
            json!({ "operator": "AND", "termsOfUse": ["t", "u"] }),
        ] {
            assert_eq!(operator(two.clone()), "AND", "{two}");
        }
    }

    #[test]
    fn some_nulls_and_some_empty_lists_are_swapped() {
        let sent = json!({ "conditions": { "userRiskLevels": null, "insiderRiskLevels": "minor,Elevated",
            "locations": { "includeLocations": ["All"], "excludeLocations": [] } },
            "grantControls": { "termsOfUse": null } });
        let read = stored(sent);
        assert_eq!(read["conditions"]["userRiskLevels"], json!([]));
        assert_eq!(read["conditions"]["locations"]["excludeLocations"], Value::Null);
        assert_eq!(read["conditions"]["insiderRiskLevels"], "minor,elevated");
        assert_eq!(read["grantControls"]["termsOfUse"], json!([]));
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
