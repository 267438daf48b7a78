//! Random small tenants: groups, roles, guests, apps with groups and tags, places of every kind, and policies over them.

use std::sync::Arc;

use portcullis::engine::{Model, Requirement};
use portcullis::tenant::builder::SnapshotBuilder;
use portcullis::tenant::read::{
    read_group, read_named_location, read_policy, read_role_assignment, read_service_principal, read_user,
};
use portcullis::tenant::snapshot::BaselineScopes;
use portcullis::tenant::{Kind, Reading};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

pub(crate) const ADMIN: &str = "62e90394-69f5-4237-9190-012177145e10";
/// An app that is reached by every client; no other one is by Exchange ActiveSync.
pub(crate) const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
pub(crate) const CLIENTS: [&str; 4] = ["browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"];
pub(crate) const RESISTANT: &str = "00000000-0000-0000-0000-000000000004";
pub(crate) const STRONG: &str = "00000000-0000-0000-0000-000000000002";

/// Conditions of which a tenant's policies have only a few, so that every combination of their values can be tried.
const DIMENSIONS: [&str; 8] = [
    "locations",
    "devices",
    "signInRiskLevels",
    "userRiskLevels",
    "insiderRiskLevels",
    "authenticationFlows",
    "platforms",
    "clientAppTypes",
];

pub(crate) fn tenant(memberships: &[Vec<&str>]) -> Value {
    let ip = |id: &str, trusted: bool, cidr: &str| {
        let family = if cidr.contains(':') { "iPv6CidrRange" } else { "iPv4CidrRange" };
        let range = json!({"@odata.type": format!("#microsoft.graph.{family}"), "cidrAddress": cidr});
        json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": id, "displayName": id, "isTrusted": trusted, "ipRanges": [range]})
    };
    let country = |id: &str, codes: &[&str], unknown: bool, method: &str| {
        json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "id": id, "displayName": id, "countriesAndRegions": codes,
            "includeUnknownCountriesAndRegions": unknown, "countryLookupMethod": method})
    };
    json!({
        "groups": [{"id": "g-1", "members": memberships[0]}, {"id": "g-2", "members": memberships[1]}],
        "roleAssignments": [
            {"principalId": "u-1", "roleDefinitionId": ADMIN, "directoryScopeId": "/", "assignment": "active"},
            {"principalId": "u-3", "roleDefinitionId": ADMIN, "directoryScopeId": "/", "assignment": "eligible"},
        ],
        "namedLocations": [
            ip("l-hq", true, "203.0.113.0/24"),
            ip("l-floor", false, "203.0.113.128/25"),
            ip("l-six", true, "2001:db8::/32"),
            country("l-us", &["US"], false, "clientIpAddress"),
            country("l-nowhere", &["FR"], true, "clientIpAddress"),
            country("l-gps", &["US"], false, "authenticatorAppGps"),
            {"@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "id": "l-network", "displayName": "network"},
        ],
        "mfaTrustedIps": ["198.51.100.0/30"],
        "appGroups": {"Office365": [EXCHANGE]},
        "baselineScopes": "enforced",
        "servicePrincipals": [
            {"id": "sp-1", "appId": EXCHANGE, "servicePrincipalType": "Application", "singleTenant": true, "customSecurityAttributes": {}},
            {"id": "sp-2", "appId": "app-2", "servicePrincipalType": "Application", "singleTenant": true, "customSecurityAttributes": {"Eng": {"Tier": "high"}}},
        ],
    })
}

pub(crate) fn model(tenant: &Value, policies: &[Value]) -> Model {
    let mut builder = SnapshotBuilder::default();
    for kind in [Kind::Users, Kind::Groups, Kind::RoleAssignments, Kind::ServicePrincipals, Kind::NamedLocations] {
        builder.reading(kind, Reading::Complete { count: 0 });
    }
    for id in ["u-1", "u-2", "u-3"] {
        builder.user(read_user(&json!({"id": id, "userType": "Member", "accountEnabled": true})).unwrap());
    }
    let mut guest = read_user(&json!({"id": "u-4", "userType": "Guest", "accountEnabled": true})).unwrap();
    guest.guest = Some(portcullis::tenant::policy::GuestType::B2bCollaborationGuest);
    builder.snapshot.homes.insert("u-4".into(), "t-1".into());
    builder.user(guest);
    let rows = |key: &str| tenant[key].as_array().unwrap().clone();
    rows("groups").iter().for_each(|one| builder.group(read_group(one).unwrap()));
    rows("roleAssignments").iter().for_each(|one| builder.role_assignment(read_role_assignment(one).unwrap()));
    rows("namedLocations").iter().for_each(|one| builder.location(read_named_location(one).unwrap()));
    rows("servicePrincipals").iter().for_each(|one| builder.service_principal(read_service_principal(one).unwrap()));
    policies.iter().for_each(|policy| builder.policy(read_policy(policy).unwrap()));
    let settings = &mut builder.snapshot.settings;
    settings.baseline_scopes = BaselineScopes::Enforced;
    settings.mfa_trusted_ips = serde_json::from_value(tenant["mfaTrustedIps"].clone()).unwrap();
    settings.app_groups = serde_json::from_value(tenant["appGroups"].clone()).unwrap();
    Model::new(Arc::new(builder.build()))
}

fn guests(types: &str, tenants: &[&str]) -> Value {
    json!({"guestOrExternalUserTypes": types, "externalTenants": {
        "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants", "membershipKind": "enumerated", "members": tenants}})
}

fn users() -> impl Strategy<Value = Value> {
    let excluded = prop_oneof![
        5 => Just(Value::Null),
        1 => Just(json!({"guestOrExternalUserTypes": "b2bCollaborationGuest,serviceProvider", "externalTenants": null})),
        1 => Just(guests("b2bCollaborationGuest,otherExternalUser", &["t-1"])),
        1 => Just(guests("internalGuest,b2bDirectConnectUser", &["t-1"])),
    ];
    let include = prop_oneof![
        4 => Just(json!({"includeUsers": ["All"]})),
        1 => Just(json!({"includeGroups": ["g-1"]})),
        1 => Just(json!({"includeRoles": [ADMIN], "includeUsers": ["u-2"]})),
        1 => Just(json!({"includeUsers": ["GuestsOrExternalUsers"]})),
        1 => Just(json!({"includeUsers": ["u-3", "None"], "includeGuestsOrExternalUsers": guests("b2bCollaborationMember,serviceProvider", &["t-9"])})),
    ];
    let exclude = (
        subsequence(vec!["u-1", "u-4"], 0..=1),
        subsequence(vec!["g-2"], 0..=1),
        subsequence(vec![ADMIN], 0..=1),
        excluded,
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
    let tagged = "CustomSecurityAttribute.Eng_Tier -eq \"high\"";
    prop_oneof![
        4 => Just(json!({"includeApplications": ["All"]})),
        1 => Just(json!({"includeApplications": ["All"], "excludeApplications": ["app-2"]})),
        1 => Just(json!({"includeApplications": [EXCHANGE]})),
        1 => Just(json!({"includeApplications": ["Office365"], "applicationFilter": {"mode": "include", "rule": tagged}})),
        1 => Just(json!({"includeApplications": ["All"], "excludeApplications": ["Office365"]})),
        1 => Just(json!({"includeApplications": ["All"], "applicationFilter": {"mode": "exclude", "rule": tagged}})),
    ]
}

/// A condition that many policies don't have.
fn maybe(values: Vec<Value>) -> impl Strategy<Value = Value> + Clone {
    prop_oneof![1 => Just(Value::Null), 1 => select(values)]
}

fn sides(kind: &str, include: &[&str], exclude: &[&str]) -> Value {
    json!({format!("include{kind}"): include, format!("exclude{kind}"): exclude})
}

fn conditions() -> impl Strategy<Value = Value> {
    let clients = prop_oneof![
        1 => Just(json!(["all"])),
        2 => subsequence(CLIENTS.to_vec(), 1..=3).prop_map(|clients| json!(clients)),
    ];
    let platforms = maybe(vec![
        sides("Platforms", &["windows"], &[]),
        sides("Platforms", &["all"], &["windows", "iOS"]),
        sides("Platforms", &["windows", "iOS", "linux"], &["iOS"]),
    ]);
    let locations = maybe(vec![
        sides("Locations", &["All"], &["AllTrusted"]),
        sides("Locations", &["l-hq", "l-six"], &["l-floor"]),
        sides("Locations", &["All"], &["l-us"]),
        sides("Locations", &["l-nowhere"], &[]),
        sides("Locations", &["All"], &["l-gps"]),
        sides("Locations", &["All"], &["l-network"]),
        sides("Locations", &["00000000-0000-0000-0000-000000000000", "l-us"], &[]),
    ]);
    let rule = |mode: &str, rule: &str| json!({"deviceFilter": {"mode": mode, "rule": rule}});
    let devices = maybe(vec![
        rule("exclude", "device.isCompliant -eq True"),
        rule("include", "device.trustType -ne \"ServerAD\" -or device.isCompliant -ne True"),
        rule("include", "device.displayName -startsWith \"PAW\""),
        rule(
            "exclude",
            "-not (device.displayName -notContains \"1\") -and device.systemLabels -contains \"Autopilot\"",
        ),
    ]);
    let sign_in_risk = maybe(vec![json!(["high"]), json!(["none", "low"])]);
    let user_risk = maybe(vec![json!(["high"]), json!(["none"])]);
    let insider_risk = maybe(vec![json!("elevated"), json!("minor,moderate")]);
    let flows = maybe(vec![json!({"transferMethods": "deviceCodeFlow"})]);
    let risks = (sign_in_risk, user_risk, insider_risk, flows);
    (users(), applications(), clients, platforms, locations, devices, risks).prop_map(
        |(users, applications, clients, platforms, locations, devices, (sign_in, user, insider, flows))| {
            json!({"users": users, "applications": applications, "clientAppTypes": clients, "platforms": platforms,
                "locations": locations, "devices": devices, "signInRiskLevels": sign_in, "userRiskLevels": user,
                "insiderRiskLevels": insider, "authenticationFlows": flows})
        },
    )
}

fn controls() -> impl Strategy<Value = (Value, Value)> {
    let built_in = vec![
        "mfa",
        "compliantDevice",
        "domainJoinedDevice",
        "compliantApplication",
        "passwordChange",
        "riskRemediation",
    ];
    let strength =
        prop_oneof![3 => Just(Value::Null), 1 => Just(json!({"id": RESISTANT})), 1 => Just(json!({"id": STRONG}))];
    let terms = subsequence(vec!["tou"], 0..=1);
    let asked = (select(vec!["AND", "OR"]), subsequence(built_in, 1..=3), strength, terms).prop_map(
        |(operator, controls, strength, terms)| {
            json!({"operator": operator, "builtInControls": controls, "authenticationStrength": strength, "termsOfUse": terms})
        },
    );
    let session = maybe(vec![
        json!({"signInFrequency": {"isEnabled": true, "type": "hours", "value": 4, "frequencyInterval": "timeBased"}}),
        json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": "everyTime"}}),
        json!({"secureSignInSession": {"isEnabled": true}}),
    ]);
    prop_oneof![
        1 => Just((json!({"operator": "OR", "builtInControls": ["block"]}), Value::Null)),
        1 => session.clone().prop_map(|session| (Value::Null, session)),
        4 => (asked, session),
    ]
}

/// What a policy says, but for its id.
type Said = (&'static str, Value, (Value, Value));

fn said() -> impl Strategy<Value = Said> {
    let state = select(vec!["enabled", "enabled", "enabled", "enabledForReportingButNotEnforced", "disabled"]);
    (state, conditions(), controls())
}

fn policy(at: usize, (state, mut conditions, (grant, session)): Said, kept: &[&str]) -> Value {
    for name in DIMENSIONS.iter().filter(|name| !kept.contains(name)) {
        conditions[name] = if *name == "clientAppTypes" { json!(["all"]) } else { Value::Null };
    }
    let id = format!("p-{at}");
    json!({"id": id, "displayName": id, "state": state, "conditions": conditions, "grantControls": grant,
        "sessionControls": session})
}

pub(crate) fn policies() -> impl Strategy<Value = Vec<Value>> {
    (prop::collection::vec(said(), 1..6), subsequence(DIMENSIONS.to_vec(), 2..=3))
        .prop_map(|(all, kept)| all.into_iter().enumerate().map(|(at, said)| policy(at, said, &kept)).collect())
}

/// So many policies that they are compared by more than a few at once, each for one user; some users are in none. All of
/// them ask something that is surely known.
pub(crate) fn crowded() -> impl Strategy<Value = Vec<Value>> {
    let users = subsequence(vec!["u-1", "u-2", "u-3", "u-4"], 1..=2);
    let asked =
        select(vec![vec!["mfa"], vec!["mfa"], vec!["block"], vec!["compliantDevice"], vec!["mfa", "compliantDevice"]]);
    (prop::collection::vec((conditions(), asked), 40..50), users, subsequence(DIMENSIONS.to_vec(), 0..=1)).prop_map(
        |(all, users, kept)| {
            let of = |(at, (mut conditions, controls)): (usize, (Value, Vec<&str>))| {
                conditions["users"] = json!({"includeUsers": [users[at % users.len()]]});
                conditions["applications"] = json!({"includeApplications": ["All"]});
                let grant = json!({"operator": "OR", "builtInControls": controls});
                policy(at, ("enabled", conditions, (grant, Value::Null)), &kept)
            };
            all.into_iter().enumerate().map(of).collect()
        },
    )
}

pub(crate) fn requirement() -> impl Strategy<Value = Requirement> {
    select(vec![
        Requirement::Mfa,
        Requirement::PhishingResistantMfa,
        Requirement::Strength(STRONG.into()),
        Requirement::ManagedDevice,
        Requirement::CompliantDevice,
        Requirement::HybridDevice,
        Requirement::AppProtection,
        Requirement::Block,
        Requirement::PasswordChange,
        Requirement::RiskRemediation,
        Requirement::TermsOfUse,
        Requirement::SignInFrequency { hours: 8 },
        Requirement::SignInFrequency { hours: 0 },
        Requirement::TokenProtection,
    ])
}

pub(crate) fn memberships() -> impl Strategy<Value = Vec<Vec<&'static str>>> {
    (subsequence(vec!["u-1", "u-2", "u-4", "g-2"], 0..=3), subsequence(vec!["u-2", "u-3", "u-4"], 0..=2))
        .prop_map(|(one, two)| vec![one, two])
}
