//! Two readings of a tenant side by side: every way in which a change can let people out is seen, and nothing else is.

use std::sync::Arc;

use portcullis::engine::Model;
use portcullis::engine::difference::{Difference, difference};
use portcullis::tenant::read::{read_group, read_named_location, read_service_principal, read_strength, read_user};
use portcullis::tenant::{Kind, Reading, SnapshotBuilder, read_policy};
use serde_json::{Value, json};

/// What a tenant has besides its policies: locations and strengths.
#[derive(Clone, Default)]
struct Around {
    locations: Vec<Value>,
    strengths: Vec<Value>,
}

fn tenant(policies: &[Value], around: &Around) -> Model {
    let mut builder = SnapshotBuilder::default();
    for kind in [Kind::Users, Kind::Groups, Kind::RoleAssignments, Kind::ServicePrincipals, Kind::NamedLocations] {
        builder.reading(kind, Reading::Complete { count: 1 });
    }
    for id in ["alice", "bob"] {
        builder.user(read_user(&json!({"id": id, "userType": "Member"})).unwrap());
    }
    builder.group(read_group(&json!({"id": "staff", "members": ["alice"]})).unwrap());
    let app =
        json!({"id": "sp", "appId": "app", "servicePrincipalType": "Application", "signInAudience": "AzureADMyOrg"});
    builder.service_principal(read_service_principal(&app).unwrap());
    around.locations.iter().for_each(|one| builder.location(read_named_location(one).unwrap()));
    around.strengths.iter().for_each(|one| builder.strength(read_strength(one).unwrap()));
    policies.iter().for_each(|one| builder.policy(read_policy(one).unwrap()));
    Model::new(Arc::new(builder.build()))
}

fn policy(id: &str, conditions: Value, grant: Value) -> Value {
    let mut all = json!({"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}});
    for (name, value) in conditions.as_object().unwrap() {
        all[name] = value.clone();
    }
    json!({"id": id, "displayName": id, "state": "enabled", "conditions": all, "grantControls": grant})
}

fn ask(control: &str) -> Value {
    json!({"operator": "OR", "builtInControls": [control]})
}

fn ip(id: &str, range: &str) -> Value {
    json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": id, "displayName": "Head office", "isTrusted": true,
        "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": range}]})
}

fn countries(codes: &[&str]) -> Value {
    json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "blocked", "displayName": "Blocked", "countriesAndRegions": codes})
}

/// The requirements that came to be open for somebody, and those that ceased to be.
fn told(found: &Difference) -> (Vec<&str>, Vec<&str>) {
    let of = |wanted: fn(&portcullis::engine::difference::Shift) -> bool| {
        found.shifts.iter().filter(|shift| wanted(shift)).map(|shift| shift.requirement.as_str()).collect()
    };
    (of(|shift| !shift.opened.is_empty()), of(|shift| !shift.closed.is_empty()))
}

/// Without a policy that was there before: it is seen as looser, and its return as stricter.
fn removal_shows(policy: &Value, requirement: &str) {
    let (with, without) = (tenant(std::slice::from_ref(policy), &Around::default()), tenant(&[], &Around::default()));
    let removed = difference(&with, &without);
    assert!(removed.is_looser() && told(&removed).0.contains(&requirement), "{requirement}: {:?}", removed.shifts);
    let added = difference(&without, &with);
    assert!(!added.is_looser() && told(&added).1.contains(&requirement), "{requirement}: {:?}", added.shifts);
}

#[test]
fn a_trusted_range_that_grew_lets_everybody_out_of_mfa() {
    let outside = policy(
        "p",
        json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}}),
        ask("mfa"),
    );
    let with = |id: &str, range: &str| {
        tenant(std::slice::from_ref(&outside), &Around { locations: vec![ip(id, range)], ..Around::default() })
    };
    let found = difference(&with("hq", "203.0.113.0/24"), &with("hq", "0.0.0.0/1"));
    assert!(found.is_looser());
    let shift = found.shifts.iter().find(|shift| shift.requirement == "multifactor authentication").unwrap();
    // The old range isn't within the new one.
    assert_eq!((shift.elsewhere.len(), shift.opened.is_empty(), shift.closed.is_empty()), (2, false, false));
    let change = &found.locations[0];
    assert_eq!(
        (change.before.as_deref(), change.after.as_deref()),
        (Some("203.0.113.0/24 (trusted)"), Some("0.0.0.0/1 (trusted)"))
    );
    let wider = difference(&with("hq", "203.0.113.0/24"), &with("hq", "203.0.112.0/23"));
    let shift = wider.shifts.iter().find(|shift| shift.requirement == "multifactor authentication").unwrap();
    assert_eq!((shift.wider.len(), shift.closed.is_empty()), (2, true));
    assert!(!difference(&with("hq", "203.0.112.0/23"), &with("hq", "203.0.113.0/24")).is_looser());
}

#[test]
fn the_same_addresses_under_another_id_shift_nobody() {
    let with = |id: &str| {
        let outside =
            policy("p", json!({"locations": {"includeLocations": ["All"], "excludeLocations": [id]}}), ask("mfa"));
        tenant(&[outside], &Around { locations: vec![ip(id, "203.0.113.0/24")], ..Around::default() })
    };
    let found = difference(&with("old"), &with("new"));
    assert_eq!((found.shifts.len(), found.locations.len(), found.changes.len()), (0, 2, 1));
}

#[test]
fn a_country_that_is_blocked_no_longer_is_seen() {
    let block = policy("p", json!({"locations": {"includeLocations": ["blocked"]}}), ask("block"));
    let with = |codes: &[&str]| {
        tenant(std::slice::from_ref(&block), &Around { locations: vec![countries(codes)], ..Around::default() })
    };
    let found = difference(&with(&["KP", "RU"]), &with(&["KP"]));
    assert!(found.is_looser() && told(&found).0.contains(&"a block"), "{:?}", found.shifts);
    assert!(!difference(&with(&["KP"]), &with(&["KP", "RU"])).is_looser());
}

#[test]
fn policies_about_risk_are_asked_about_at_their_levels() {
    removal_shows(&policy("p", json!({"signInRiskLevels": ["high"]}), ask("block")), "a block at high sign-in risk");
    removal_shows(
        &policy("p", json!({"userRiskLevels": ["high"]}), ask("riskRemediation")),
        "risk remediation at high user risk",
    );
    removal_shows(
        &policy("p", json!({"insiderRiskLevels": "elevated"}), ask("block")),
        "a block at elevated insider risk",
    );
}

#[test]
fn policies_about_actions_and_flows_are_asked_about_there() {
    let register = json!({"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}});
    removal_shows(
        &policy("p", register, ask("mfa")),
        "multifactor authentication for the registration of security information",
    );
    let context = json!({"applications": {"includeAuthenticationContextClassReferences": ["c1"]}});
    removal_shows(&policy("p", context, ask("mfa")), "multifactor authentication for authentication context c1");
    let transfer = json!({"authenticationFlows": {"transferMethods": "authenticationTransfer"}});
    removal_shows(&policy("p", transfer, ask("block")), "a block of authentication transfer");
}

#[test]
fn app_control_and_blocks_of_workloads_are_asked_about() {
    let mut control = policy("p", json!({}), Value::Null);
    control["sessionControls"] =
        json!({"cloudAppSecurity": {"isEnabled": true, "cloudAppSecurityType": "monitorOnly"}});
    removal_shows(&control, "Conditional Access App Control");
    let workloads = json!({"users": {"includeUsers": ["None"]},
        "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}});
    removal_shows(&policy("p", workloads, ask("block")), "a block of workload identities");
}

#[test]
fn a_sign_in_frequency_is_compared_at_each_value_in_use() {
    let every = |hours: u32| {
        let mut one = policy("p", json!({}), Value::Null);
        one["sessionControls"] = json!({"signInFrequency": {"isEnabled": true, "type": "hours", "value": hours, "frequencyInterval": "timeBased"}});
        tenant(&[one], &Around::default())
    };
    let found = difference(&every(1), &every(23));
    assert_eq!(told(&found), (vec!["a sign-in at least every hour"], vec![]));
    assert!(!difference(&every(23), &every(1)).is_looser());
}

#[test]
fn a_frequency_of_the_second_factor_alone_is_asked_about_as_such() {
    let mut second = policy("p", json!({}), Value::Null);
    second["sessionControls"] = json!({"signInFrequency": {"isEnabled": true, "type": "hours", "value": 1,
        "frequencyInterval": "timeBased", "authenticationType": "secondaryAuthentication"}});
    removal_shows(&second, "a second factor at least every hour");
    let mut whole = second.clone();
    whole["sessionControls"]["signInFrequency"]["authenticationType"] = json!("primaryAndSecondaryAuthentication");
    let side = |one: &Value| tenant(std::slice::from_ref(one), &Around::default());
    assert!(!difference(&side(&second), &side(&whole)).is_looser());
    let weakened = difference(&side(&whole), &side(&second));
    assert_eq!(told(&weakened).0, ["a sign-in at least once a day", "a sign-in at least every hour"]);
}

#[test]
fn a_strength_that_allows_more_is_weaker() {
    let grant = json!({"operator": "OR", "authenticationStrength": {"id": "s"}});
    let with = |combinations: &[&str]| {
        let strength = json!({"id": "s", "displayName": "Ours", "allowedCombinations": combinations, "requirementsSatisfied": "mfa"});
        tenant(&[policy("p", json!({}), grant.clone())], &Around { strengths: vec![strength], ..Around::default() })
    };
    let found = difference(
        &with(&["fido2", "windowsHelloForBusiness"]),
        &with(&["fido2", "windowsHelloForBusiness", "password,sms"]),
    );
    assert!(found.is_looser());
    assert!(told(&found).0.contains(&"the authentication strength Ours as it was"), "{:?}", told(&found));
    assert_eq!(found.strengths[0].after.as_deref(), Some("fido2, password + sms, windowsHelloForBusiness"));
    assert!(!difference(&with(&["fido2", "password,sms"]), &with(&["fido2"])).is_looser());
}

#[test]
fn without_users_it_follows_from_the_regions() {
    let alone = |policies: &[Value]| {
        let mut builder = SnapshotBuilder::default();
        policies.iter().for_each(|one| builder.policy(read_policy(one).unwrap()));
        Model::new(Arc::new(builder.build()))
    };
    let mfa = policy("p", json!({"users": {"includeUsers": ["All"], "excludeGroups": ["g"]}}), ask("mfa"));
    let removed = difference(&alone(std::slice::from_ref(&mfa)), &alone(&[]));
    assert!(removed.is_looser());
    let shift = removed.shifts.iter().find(|shift| shift.requirement == "multifactor authentication").unwrap();
    assert!(shift.opened.iter().any(|region| region.anybody), "{shift:?}");
    assert!(!difference(&alone(&[]), &alone(&[mfa])).is_looser());
}

#[test]
fn what_agents_may_do_is_not_compared_and_said() {
    let agents = policy("p", json!({"users": {"includeUsers": ["AllAgentIdUsers"]}}), ask("block"));
    let found = difference(&tenant(&[agents], &Around::default()), &tenant(&[], &Around::default()));
    assert!(found.is_looser() && found.not_compared.contains("p"), "{found:?}");
}

#[test]
fn what_no_policy_names_is_no_news() {
    let everybody = json!({"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}});
    let without = json!({"users": {"includeUsers": ["All"], "excludeUsers": ["alice"]}, "applications": {"includeApplications": ["All"]}});
    let side = |conditions: &Value| tenant(&[policy("p", conditions.clone(), ask("mfa"))], &Around::default());
    let found = difference(&side(&everybody), &side(&without));
    let named: Vec<&str> = found.shifts.iter().map(|shift| shift.requirement.as_str()).collect();
    assert_eq!(named, ["multifactor authentication", "any policy"]);
}
