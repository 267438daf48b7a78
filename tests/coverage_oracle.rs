//! Coverage against plain enumeration: on random small tenants every sign-in is judged one by one by the demo's own
//! evaluator, which shares no code with the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portcullis::demo::judge;
use portcullis::engine::coverage::Other;
use portcullis::engine::{Condition, Coverage, Model, Requirement, Scope};
use portcullis::tenant::builder::SnapshotBuilder;
use portcullis::tenant::policy::{ClientAppType, Platform};
use portcullis::tenant::read::{
    read_group, read_named_location, read_policy, read_role_assignment, read_service_principal, read_user,
};
use portcullis::tenant::snapshot::BaselineScopes;
use portcullis::tenant::{Kind, Reading};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

const ADMIN: &str = "62e90394-69f5-4237-9190-012177145e10";
const CLIENTS: [&str; 4] = ["browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"];
const PLATFORMS: [&str; 3] = ["windows", "iOS", "linux"];
const RESISTANT: &str = "00000000-0000-0000-0000-000000000004";
const STRONG: &str = "00000000-0000-0000-0000-000000000002";

/// Whom a sign-in can be of: users of the directory, and kinds of guest that have no object in it. Of these a gap names
/// the kind, whatever the home tenant.
const SUBJECTS: [(usize, &str, Option<&str>, Option<&str>); 8] = [
    (0, "u-1", None, None),
    (1, "u-2", None, None),
    (2, "u-3", None, None),
    (3, "u-4", Some("b2bCollaborationGuest"), Some("t-1")),
    (4, "", Some("b2bCollaborationGuest"), Some("t-1")),
    (4, "", Some("b2bCollaborationGuest"), Some("t-9")),
    (5, "", Some("serviceProvider"), Some("t-1")),
    (5, "", Some("serviceProvider"), Some("t-9")),
];

fn tenant(memberships: &[Vec<&str>]) -> Value {
    json!({
        "groups": [{"id": "g-1", "members": memberships[0]}, {"id": "g-2", "members": memberships[1]}],
        "roleAssignments": [{"principalId": "u-1", "roleDefinitionId": ADMIN, "directoryScopeId": "/", "assignment": "active"}],
        "namedLocations": [
            {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "l-hq", "displayName": "hq", "isTrusted": true,
             "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}]},
            {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "l-floor", "displayName": "floor", "isTrusted": false,
             "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.128/25"}]},
            {"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "l-us", "displayName": "us",
             "countriesAndRegions": ["US"], "includeUnknownCountriesAndRegions": false, "countryLookupMethod": "clientIpAddress"},
        ],
        "servicePrincipals": [{"id": "sp-1", "appId": "app-1", "servicePrincipalType": "Application"}, {"id": "sp-2", "appId": "app-2", "servicePrincipalType": "Application"}],
    })
}

fn model(tenant: &Value, policies: &[Value]) -> Model {
    let mut builder = SnapshotBuilder::default();
    for kind in [Kind::Users, Kind::Groups, Kind::RoleAssignments, Kind::ServicePrincipals, Kind::NamedLocations] {
        builder.reading(kind, Reading::Complete { count: 0 });
    }
    for id in ["u-1", "u-2", "u-3"] {
        builder.user(read_user(&json!({"id": id, "userType": "Member", "accountEnabled": true})).unwrap());
    }
    let mut guest = read_user(&json!({"id": "u-4", "userType": "Guest", "accountEnabled": true})).unwrap();
    guest.guest = Some(portcullis::tenant::policy::GuestType::B2bCollaborationGuest);
    guest.home_tenant = Some("t-1".into());
    builder.user(guest);
    let rows = |key: &str| tenant[key].as_array().unwrap().clone();
    rows("groups").iter().for_each(|one| builder.group(read_group(one).unwrap()));
    rows("roleAssignments").iter().for_each(|one| builder.role_assignment(read_role_assignment(one).unwrap()));
    rows("namedLocations").iter().for_each(|one| builder.location(read_named_location(one).unwrap()));
    rows("servicePrincipals").iter().for_each(|one| builder.service_principal(read_service_principal(one).unwrap()));
    policies.iter().for_each(|policy| builder.policy(read_policy(policy).unwrap()));
    builder.snapshot.settings.baseline_scopes = BaselineScopes::Enforced;
    Model::new(Arc::new(builder.build()))
}

fn users() -> impl Strategy<Value = Value> {
    let guests = prop_oneof![
        5 => Just(Value::Null),
        1 => Just(json!({"guestOrExternalUserTypes": "b2bCollaborationGuest,serviceProvider", "externalTenants": null})),
        1 => Just(json!({"guestOrExternalUserTypes": "b2bCollaborationGuest", "externalTenants": {
            "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants", "membershipKind": "enumerated", "members": ["t-1"]}})),
    ];
    let include = prop_oneof![3 => Just(json!({"includeUsers": ["All"]})), 1 => Just(json!({"includeGroups": ["g-1"]})),
        1 => Just(json!({"includeRoles": [ADMIN], "includeUsers": ["u-2"]})), 1 => Just(json!({"includeUsers": ["GuestsOrExternalUsers"]}))];
    let exclude = (
        subsequence(vec!["u-1", "u-4"], 0..=1),
        subsequence(vec!["g-2"], 0..=1),
        subsequence(vec![ADMIN], 0..=1),
        guests,
    );
    (include, exclude).prop_map(|(mut users, (ids, groups, roles, guests))| {
        users["excludeUsers"] = json!(ids);
        users["excludeGroups"] = json!(groups);
        users["excludeRoles"] = json!(roles);
        users["excludeGuestsOrExternalUsers"] = guests;
        users
    })
}

fn applications() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => Just(json!({"includeApplications": ["All"], "excludeApplications": []})),
        1 => Just(json!({"includeApplications": ["All"], "excludeApplications": ["app-2"]})),
        1 => Just(json!({"includeApplications": ["app-1"], "excludeApplications": []})),
    ]
}

/// A condition that most policies don't have.
fn rarely(values: Vec<Value>) -> impl Strategy<Value = Value> {
    prop_oneof![3 => Just(Value::Null), 1 => select(values)]
}

fn conditions() -> impl Strategy<Value = Value> {
    let clients = prop_oneof![2 => Just(vec!["all"]), 2 => subsequence(CLIENTS.to_vec(), 1..=3)];
    let platforms = rarely(vec![
        json!({"includePlatforms": ["windows"], "excludePlatforms": []}),
        json!({"includePlatforms": ["all"], "excludePlatforms": ["windows", "iOS"]}),
        json!({"includePlatforms": ["windows", "iOS", "linux"], "excludePlatforms": ["iOS"]}),
    ]);
    let locations = rarely(vec![
        json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
        json!({"includeLocations": ["l-hq"], "excludeLocations": ["l-floor"]}),
        json!({"includeLocations": ["All"], "excludeLocations": ["l-us"]}),
    ]);
    let devices = rarely(vec![
        json!({"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}}),
        json!({"deviceFilter": {"mode": "include", "rule": "device.trustType -ne \"ServerAD\" -or device.isCompliant -ne True"}}),
        json!({"deviceFilter": {"mode": "include", "rule": "device.displayName -startsWith \"PAW\""}}),
    ]);
    let sign_in_risk = rarely(vec![json!(["high"]), json!(["none", "low"])]);
    let user_risk = rarely(vec![json!(["high"]), json!(["none"])]);
    let flows = rarely(vec![json!({"transferMethods": "deviceCodeFlow"})]);
    (users(), applications(), clients, platforms, locations, devices, (sign_in_risk, user_risk, flows)).prop_map(
        |(users, applications, clients, platforms, locations, devices, (sign_in_risk, user_risk, flows))| {
            json!({"users": users, "applications": applications, "clientAppTypes": clients, "platforms": platforms,
                "locations": locations, "devices": devices, "signInRiskLevels": sign_in_risk, "userRiskLevels": user_risk,
                "authenticationFlows": flows})
        },
    )
}

fn grant() -> impl Strategy<Value = Value> {
    let controls = vec!["mfa", "compliantDevice", "domainJoinedDevice", "compliantApplication", "passwordChange"];
    let strength =
        prop_oneof![3 => Just(Value::Null), 1 => Just(json!({"id": RESISTANT})), 1 => Just(json!({"id": STRONG}))];
    prop_oneof![
        1 => Just(json!({"operator": "OR", "builtInControls": ["block"]})),
        4 => (select(vec!["AND", "OR"]), subsequence(controls, 1..=3), strength).prop_map(|(operator, controls, strength)| {
            json!({"operator": operator, "builtInControls": controls, "authenticationStrength": strength})
        }),
    ]
}

fn policies() -> impl Strategy<Value = Vec<Value>> {
    let state = select(vec!["enabled", "enabled", "enabled", "enabledForReportingButNotEnforced", "disabled"]);
    let one = (state, conditions(), grant());
    prop::collection::vec(one, 1..6).prop_map(|all| {
        let policy = |(at, (state, conditions, grant))| {
            let id = format!("p-{at}");
            json!({"id": id, "displayName": id, "state": state, "conditions": conditions, "grantControls": grant})
        };
        all.into_iter().enumerate().map(policy).collect()
    })
}

fn requirement() -> impl Strategy<Value = Requirement> {
    select(vec![
        Requirement::Mfa,
        Requirement::PhishingResistantMfa,
        Requirement::ManagedDevice,
        Requirement::CompliantDevice,
        Requirement::AppProtection,
        Requirement::Block,
        Requirement::PasswordChange,
    ])
}

/// Devices by their request shape: unregistered, and registered in the states that rules and grants tell apart.
fn devices() -> Vec<Value> {
    let mut all = vec![Value::Null];
    for compliant in [false, true] {
        for trust in ["AzureAD", "ServerAD"] {
            for name in ["PAW-1", "other"] {
                all.push(json!({"isCompliant": compliant, "trustType": trust, "displayName": name}));
            }
        }
    }
    all
}

/// What a point of the product is, as far as gaps name it: subject, app, client, platform.
type Cell = (usize, String, String, String);

/// Every cell in which some sign-in isn't made to meet the requirement.
fn enumerated(requirement: &Requirement, tenant: &Value, policies: &[Value]) -> BTreeSet<Cell> {
    let mut open = BTreeSet::new();
    for (subject, user, kind, home) in SUBJECTS {
        let identity = match kind {
            Some(kind) => {
                json!({"@odata.type": "#microsoft.graph.userSignIn", "userId": user, "externalUserType": kind, "externalTenantId": home})
            }
            None => json!({"@odata.type": "#microsoft.graph.userSignIn", "userId": user}),
        };
        for app in ["app-1", "app-2", "app-9"] {
            for client in CLIENTS {
                for platform in PLATFORMS.iter().map(|name| json!(name)).chain([Value::Null]) {
                    let cell = (identity.clone(), app, client, platform.clone());
                    if !circumstances(policies).all(|around| meets(requirement, tenant, policies, (&cell, &around))) {
                        let platform = platform.as_str().unwrap_or("unknown").to_owned();
                        open.insert((subject, app.to_owned(), client.to_owned(), platform));
                    }
                }
            }
        }
    }
    open
}

/// Place, device, risk and flow of a sign-in: all combinations that some policy could tell apart.
fn circumstances(
    policies: &[Value],
) -> impl Iterator<Item = (&'static str, &'static str, Value, &'static str, &'static str, &'static str)> {
    let on = |policy: &&Value| policy["state"] == json!("enabled");
    let named = |key: &str| policies.iter().filter(on).any(|policy| !policy["conditions"][key].is_null());
    let some = |wanted: bool, all: &[&'static str]| if wanted { all.to_vec() } else { all[..1].to_vec() };
    let ips = some(named("locations"), &["198.51.100.1", "203.0.113.1", "203.0.113.200"]);
    let countries = some(named("locations"), &["FR", "US"]);
    let sign_in = some(named("signInRiskLevels"), &["none", "low", "medium", "high"]);
    let user = some(named("userRiskLevels"), &["none", "low", "high"]);
    let flows = some(named("authenticationFlows"), &["none", "deviceCodeFlow"]);
    let mut all = Vec::new();
    for ip in &ips {
        for country in &countries {
            for device in devices() {
                for sign_in in &sign_in {
                    for user in &user {
                        all.extend(flows.iter().map(|flow| (*ip, *country, device.clone(), *sign_in, *user, *flow)));
                    }
                }
            }
        }
    }
    all.into_iter()
}

type Around = (&'static str, &'static str, Value, &'static str, &'static str, &'static str);

fn meets(
    requirement: &Requirement,
    tenant: &Value,
    policies: &[Value],
    (cell, around): (&(Value, &str, &str, Value), &Around),
) -> bool {
    let (identity, app, client, platform) = cell;
    let (ip, country, device, sign_in_risk, user_risk, flow) = around;
    let external = identity["externalUserType"].is_string();
    // The user risk of an external user is judged at home and not seen here.
    let user_risk = if external { "none" } else { *user_risk };
    let sign_in = json!({
        "signInIdentity": identity,
        "signInContext": {"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": [app]},
        "signInConditions": {"devicePlatform": platform, "clientAppType": client, "ipAddress": ip, "country": country,
            "signInRiskLevel": sign_in_risk, "userRiskLevel": user_risk, "servicePrincipalRiskLevel": "none",
            "insiderRiskLevel": "none", "authenticationFlow": {"transferMethod": flow}, "deviceInfo": device},
        "extra": {"deviceRegistered": !device.is_null(), "deviceManagedByIntune": !device.is_null()},
    });
    let modern = *client == "browser" || *client == "mobileAppsAndDesktopClients";
    let (compliant, hybrid) = (device["isCompliant"] == json!(true), device["trustType"] == json!("ServerAD"));
    let entailed = match requirement {
        Requirement::ManagedDevice => compliant || hybrid,
        Requirement::CompliantDevice => compliant,
        _ => false,
    };
    if entailed && modern {
        return true;
    }
    let impossible = |control: &str| match control {
        "block" => true,
        "compliantDevice" => !modern || !compliant,
        "domainJoinedDevice" => !modern || !hybrid,
        "compliantApplication" => *client == "other" || external,
        "passwordChange" => !modern || external,
        _ => !modern,
    };
    let enough = |control: &str| match requirement {
        Requirement::Mfa => ["mfa", RESISTANT, STRONG].contains(&control),
        Requirement::PhishingResistantMfa => control == RESISTANT,
        Requirement::ManagedDevice => ["compliantDevice", "domainJoinedDevice"].contains(&control),
        Requirement::CompliantDevice => control == "compliantDevice",
        Requirement::AppProtection => control == "compliantApplication",
        Requirement::PasswordChange => control == "passwordChange",
        _ => false,
    };
    let applied = judge::applied(&json!(policies), tenant, &sign_in);
    policies.iter().filter(|policy| applied.iter().any(|id| policy["id"] == json!(id))).any(|policy| {
        let grant = &policy["grantControls"];
        let strength = grant["authenticationStrength"]["id"].as_str();
        let controls: Vec<&str> =
            grant["builtInControls"].as_array().unwrap().iter().filter_map(Value::as_str).chain(strength).collect();
        if grant["operator"] == json!("AND") {
            controls.iter().any(|control| impossible(control) || enough(control))
        } else {
            controls.iter().all(|control| impossible(control) || enough(control))
        }
    })
}

/// The cells that the gaps of a coverage name.
fn named(coverage: &Coverage) -> BTreeSet<Cell> {
    let mut open = BTreeSet::new();
    for gap in &coverage.gaps {
        let mut clients: Vec<String> = CLIENTS.map(str::to_owned).to_vec();
        let mut platforms: Vec<String> =
            PLATFORMS.iter().map(ToString::to_string).chain(["unknown".to_owned()]).collect();
        for condition in &gap.conditions {
            match condition {
                Condition::ClientApps(only) => clients.retain(|name| only.contains(&word::<ClientAppType>(name))),
                Condition::Platforms(only) => {
                    platforms.retain(|name| only.contains(&if name == "unknown" { Platform::All } else { word(name) }));
                }
                _ => {}
            }
        }
        let apps: Vec<&str> = gap.apps.iter().map(String::as_str).chain(gap.any_app.then_some("app-9")).collect();
        for subject in subjects(gap.users.iter(), &gap.others) {
            for app in &apps {
                for client in &clients {
                    open.extend(
                        platforms.iter().map(|platform| (subject, (*app).to_owned(), client.clone(), platform.clone())),
                    );
                }
            }
        }
    }
    open
}

fn word<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_value(json!(name)).unwrap()
}

fn subjects(users: impl Iterator<Item = u32>, others: &BTreeSet<Other>) -> Vec<usize> {
    use portcullis::tenant::policy::GuestType;
    let kinds: BTreeMap<Other, usize> = BTreeMap::from([
        (Other::Guest(GuestType::B2bCollaborationGuest), 4),
        (Other::Guest(GuestType::ServiceProvider), 5),
    ]);
    users.map(|position| position as usize).chain(others.iter().filter_map(|other| kinds.get(other).copied())).collect()
}

fn memberships() -> impl Strategy<Value = Vec<Vec<&'static str>>> {
    (subsequence(vec!["u-1", "u-2", "u-4", "g-2"], 0..=3), subsequence(vec!["u-2", "u-3", "u-4"], 0..=2))
        .prop_map(|(one, two)| vec![one, two])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn gaps_are_exactly_what_enumeration_finds(requirement in requirement(), memberships in memberships(), policies in policies()) {
        let tenant = tenant(&memberships);
        let coverage = model(&tenant, &policies).coverage(&requirement, &Scope::default());
        prop_assert!(coverage.undecided.is_empty(), "{:?}", coverage.unresolved);
        let (ours, theirs) = (named(&coverage), enumerated(&requirement, &tenant, &policies));
        let missing: Vec<_> = theirs.difference(&ours).take(3).collect();
        let extra: Vec<_> = ours.difference(&theirs).take(3).collect();
        prop_assert!(missing.is_empty() && extra.is_empty(), "missing {missing:?}, too many {extra:?}");
        let users: BTreeSet<usize> = coverage.uncovered.iter().map(|position| position as usize).collect();
        prop_assert_eq!(users, theirs.iter().map(|cell| cell.0).filter(|subject| *subject < 4).collect::<BTreeSet<_>>());
    }

    #[test]
    fn more_policies_never_cover_less_and_their_order_is_nothing(
        requirement in requirement(), memberships in memberships(), policies in policies(), keep in 0usize..6,
    ) {
        let tenant = tenant(&memberships);
        let some = model(&tenant, &policies[..keep.min(policies.len())]).coverage(&requirement, &Scope::default());
        let all = model(&tenant, &policies).coverage(&requirement, &Scope::default());
        prop_assert!(named(&all).is_subset(&named(&some)));
        prop_assert!(all.uncovered.is_subset(&some.uncovered));
        let turned: Vec<Value> = policies.iter().rev().cloned().collect();
        prop_assert_eq!(model(&tenant, &turned).coverage(&requirement, &Scope::default()), all);
    }
}
