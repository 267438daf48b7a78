//! A handful of cases with outcomes worked out by hand.

use serde_json::{Value, json};

use super::*;

const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";

fn policy(conditions: Value, grant: &Value) -> Value {
    let mut whole = json!({ "users": { "includeUsers": ["All"] }, "applications": { "includeApplications": ["All"] },
        "clientAppTypes": ["all"] });
    overlay(&mut whole, conditions);
    json!({ "id": "p", "state": "enabled", "conditions": whole, "grantControls": grant })
}

fn overlay(onto: &mut Value, more: Value) {
    if let (Value::Object(onto), Value::Object(more)) = (onto, more) {
        onto.extend(more);
    }
}

fn mfa() -> Value {
    json!({ "operator": "OR", "builtInControls": ["mfa"] })
}

fn sign_in(conditions: Value) -> Value {
    let mut whole = json!({ "devicePlatform": "windows", "clientAppType": "browser", "ipAddress": "203.0.113.5", "country": "DE",
        "signInRiskLevel": "none", "userRiskLevel": "none" });
    overlay(&mut whole, conditions);
    json!({ "signInIdentity": { "userId": "alice" }, "signInContext": { "includeApplications": [EXCHANGE] },
        "signInConditions": whole })
}

fn why(conditions: Value, tenant: &Value, stated: Value) -> &'static str {
    reason_of(&policy(conditions, &mfa()), tenant, &sign_in(stated))
}

#[test]
fn an_excluded_nested_group_wins_over_all() {
    let tenant =
        json!({ "groups": [{ "id": "outer", "members": ["inner"] }, { "id": "inner", "members": ["alice"] }] });
    let users = json!({ "users": { "includeUsers": ["All"], "excludeGroups": ["outer"] } });
    assert_eq!(why(users.clone(), &tenant, json!({})), "users");
    assert_eq!(why(users, &json!({}), json!({})), "notSet");
}

#[test]
fn groups_that_contain_each_other_end() {
    let tenant = json!({ "groups": [{ "id": "a", "members": ["b", "alice"] }, { "id": "b", "members": ["a"] }] });
    assert_eq!(why(json!({ "users": { "includeGroups": ["b"] } }), &tenant, json!({})), "notSet");
}

#[test]
fn an_eligible_role_does_not_count() {
    let role = |kind: &str| json!({ "roleAssignments": [{ "principalId": "alice", "roleDefinitionId": "r", "assignment": kind }] });
    let users = json!({ "users": { "includeRoles": ["r"] } });
    assert_eq!(why(users.clone(), &role("eligible"), json!({})), "users");
    assert_eq!(why(users, &role("active"), json!({})), "notSet");
}

#[test]
fn trusted_addresses_of_both_versions_are_left_out() {
    let tenant = json!({ "namedLocations": [{ "id": "hq", "isTrusted": true, "ipRanges": [
        { "cidrAddress": "203.0.113.0/25" }, { "cidrAddress": "2001:db8::/32" } ] }] });
    let away = || json!({ "locations": { "includeLocations": ["All"], "excludeLocations": ["AllTrusted"] } });
    for (address, expected) in [
        ("203.0.113.127", "location"),
        ("203.0.113.128", "notSet"),
        ("2001:db8:1::1", "location"),
        ("2001:db9::1", "notSet"),
    ] {
        assert_eq!(why(away(), &tenant, json!({ "ipAddress": address })), expected, "{address}");
    }
}

#[test]
fn an_unknown_platform_is_met_by_all_less_the_known() {
    let platforms = |include: &str, exclude: Value| json!({ "platforms": { "includePlatforms": [include], "excludePlatforms": exclude } });
    let unknown = || json!({ "devicePlatform": null });
    assert_eq!(why(platforms("windows", json!([])), &json!({}), unknown()), "devicePlatform");
    assert_eq!(why(platforms("all", json!(["windows"])), &json!({}), unknown()), "notSet");
    assert_eq!(why(platforms("all", json!(["windows"])), &json!({}), json!({})), "devicePlatform");
}

#[test]
fn a_condition_nobody_knows_leaves_the_verdict_open() {
    assert_eq!(why(json!({ "times": { "includeAllTimes": true } }), &json!({}), json!({})), "notEnoughInformation");
    assert_eq!(why(json!({ "times": null }), &json!({}), json!({})), "notSet");
}

#[test]
fn device_rules_read_precedence_and_absent_devices() {
    let filter = |mode: &str, rule: &str| json!({ "devices": { "deviceFilter": { "mode": mode, "rule": rule } } });
    let rule = "device.trustType -ne \"ServerAD\" -or device.isCompliant -ne True";
    let device = |trust: &str| json!({ "deviceInfo": { "trustType": trust, "isCompliant": true } });
    assert_eq!(why(filter("include", rule), &json!({}), device("ServerAD")), "devices");
    assert_eq!(why(filter("include", rule), &json!({}), device("AzureAD")), "notSet");
    assert_eq!(why(filter("include", rule), &json!({}), json!({})), "notSet");
    let and_first = "device.a -eq 'x' -or device.b -eq 'y' -and device.c -eq 'z'";
    assert_eq!(why(filter("include", and_first), &json!({}), json!({ "deviceInfo": { "a": "x" } })), "notSet");
    assert_eq!(
        why(filter("exclude", "device.model -in ['A', 'B']"), &json!({}), json!({ "deviceInfo": { "model": "b" } })),
        "devices"
    );
}

#[test]
fn block_wins_and_otherwise_all_must_be_met() {
    let blocks = policy(json!({}), &json!({ "operator": "OR", "builtInControls": ["block"] }));
    let asks = policy(json!({}), &mfa());
    assert_eq!(decision(&json!([asks, blocks]), &json!({}), &sign_in(json!({}))), "block");
    let expected = json!({ "require": [{ "policy": "p", "operator": "OR", "controls": ["mfa"] }] });
    assert_eq!(decision(&json!([asks]), &json!({}), &sign_in(json!({}))), expected);
    assert_eq!(decision(&json!([]), &json!({}), &sign_in(json!({}))), "allow");
}

#[test]
fn a_workload_policy_reaches_only_own_applications() {
    let conditions = json!({ "users": { "includeUsers": ["None"] }, "clientApplications": { "includeServicePrincipals": ["ServicePrincipalsInMyTenant"] } });
    let tenant = |single: bool| json!({ "servicePrincipals": [{ "id": "sp", "servicePrincipalType": "Application", "singleTenant": single }] });
    let request = json!({ "signInIdentity": { "servicePrincipalId": "sp" }, "signInContext": { "includeApplications": [EXCHANGE] } });
    let policy = policy(conditions, &mfa());
    assert_eq!(reason_of(&policy, &tenant(true), &request), "notSet");
    assert_eq!(reason_of(&policy, &tenant(false), &request), "workloadIdentities");
    assert_eq!(reason_of(&policy, &tenant(true), &sign_in(json!({}))), "users");
}
