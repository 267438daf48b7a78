//! The lint, rule by rule: for each of the 45 a draft that breaks it and nothing else, and Microsoft's templates, which
//! break none.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]
#![expect(clippy::too_many_lines, reason = "a table is as long as it has rows")]

mod at_demo;
#[path = "lint/at_graph.rs"]
mod at_graph;

use std::collections::BTreeSet;

use portcullis::suggestions::draft::ReportOnlyPolicy;
use portcullis::suggestions::lint::{Level, lint, lint_body};
use portcullis::tenant::{Kind, Policy, Reading, Snapshot, read_policy, well_known};
use serde_json::{Value, json};

/// A draft that no rule objects to.
fn good() -> Value {
    json!({
        "displayName": "CA211 - Require MFA", "state": "enabledForReportingButNotEnforced",
        "conditions": {
            "clientAppTypes": ["all"], "users": {"includeUsers": ["All"], "excludeGroups": ["break-glass"]},
            "applications": {"includeApplications": ["All"]}
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}, "sessionControls": null
    })
}

/// The good draft with members replaced: those named by a dotted path, whole.
fn changed(changes: &Value) -> Value {
    let mut body = good();
    for (path, value) in changes.as_object().unwrap() {
        let mut place = &mut body;
        for name in path.split('.') {
            if place.is_null() {
                *place = json!({});
            }
            place = &mut place[name];
        }
        *place = value.clone();
    }
    body
}

fn tenant() -> Snapshot {
    let mut snapshot = Snapshot::default();
    snapshot.settings.emergency_access.insert("break-glass".to_owned());
    snapshot
}

/// The rules that object to the policy or to its body.
fn objections(body: &Value, snapshot: &Snapshot) -> BTreeSet<u8> {
    let of_body = lint_body(body).into_iter();
    // A body that can't be read as a policy is one that only the rules about bodies speak of.
    let of_policy = read_policy(body).map(|policy| lint(&policy, snapshot)).unwrap_or_default();
    of_body.chain(of_policy).map(|objection| objection.rule).collect()
}

const GUESTS: &str = "internalGuest,b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,\
    serviceProvider";

/// A rule, the draft that breaks it, and rules that can't but object along with it: everything on a user action is said
/// not to be evaluated in report-only (18), and what reaches everybody reaches the emergency access accounts (38).
fn broken() -> Vec<(u8, Value, &'static [u8])> {
    let all_guests = json!({"guestOrExternalUserTypes": GUESTS, "externalTenants": {"membershipKind": "all"}});
    let workload = json!({"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]});
    let everybody = json!({"includeUsers": ["All"]});
    let (apps, users) = ("conditions.applications", "conditions.users");
    let (built_in, grant) = ("grantControls.builtInControls", "grantControls");
    let office = json!({"includeApplications": ["Office365"]});
    let (session, every_time) =
        ("sessionControls.signInFrequency", json!({"isEnabled": true, "frequencyInterval": "everyTime"}));
    let any_location = json!({"includeLocations": ["All"]});
    let clients = ["browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"];
    vec![
        (1, json!({"displayName": " "}), &[]),
        (2, json!({"state": "enabled"}), &[]),
        (3, json!({"conditions.clientApplications": workload, built_in: ["block"]}), &[]),
        (4, json!({"conditions.users.includeUsers": ["All", "u1"]}), &[]),
        (5, json!({apps: {}}), &[]),
        (6, json!({apps: {"includeApplications": ["All", "Office365"]}}), &[]),
        (
            6,
            json!({apps: {"includeApplications": ["None"],
                "applicationFilter": {"mode": "exclude", "rule": "CustomSecurityAttribute.A_B -eq \"x\""}}}),
            &[],
        ),
        (7, json!({grant: null}), &[]),
        (8, json!({built_in: ["block", "mfa"]}), &[]),
        (9, json!({grant: {"builtInControls": ["mfa"]}}), &[]),
        (10, json!({"grantControls.authenticationStrength": {"id": well_known::STRENGTH_MFA}}), &[]),
        (11, json!({built_in: ["mfa", "passwordChange"], "conditions.userRiskLevels": ["high"]}), &[]),
        (
            12,
            json!({grant: {"operator": "AND", "builtInControls": ["mfa", "passwordChange"]},
                "conditions.userRiskLevels": ["high"], "conditions.signInRiskLevels": ["high"],
                "conditions.users.excludeGuestsOrExternalUsers": all_guests}),
            &[],
        ),
        (13, json!({built_in: ["riskRemediation"]}), &[]),
        (14, json!({built_in: ["approvedApplication", "mfa"]}), &[]),
        (
            15,
            json!({built_in: ["compliantApplication"], "conditions.platforms": {"includePlatforms": ["macOS"]},
                "conditions.users.excludeGuestsOrExternalUsers": all_guests}),
            &[],
        ),
        (
            16,
            json!({built_in: ["compliantApplication", "mfa"],
                "conditions.clientAppTypes": ["exchangeActiveSync", "browser"]}),
            &[],
        ),
        (
            17,
            json!({apps: {"includeUserActions": [well_known::REGISTER_DEVICE]}, built_in: ["compliantDevice"]}),
            &[18],
        ),
        (18, json!({apps: {"includeUserActions": [well_known::REGISTER_SECURITY_INFO]}}), &[]),
        (19, json!({users: {"includeUsers": ["None"]}, "conditions.clientApplications": workload}), &[]),
        (
            19,
            json!({users: {"includeUsers": ["None"]}, "conditions.clientApplications": workload, built_in: ["block"],
                "conditions.clientAppTypes": ["browser"]}),
            &[],
        ),
        (20, json!({"conditions.insiderRiskLevels": "elevated"}), &[]),
        (21, json!({"sessionControls.signInFrequency": {"isEnabled": true, "type": "hours", "value": 30}}), &[]),
        (22, json!({"sessionControls.signInFrequency": {"isEnabled": true, "frequencyInterval": "everyTime"}}), &[]),
        (22, json!({"conditions.signInRiskLevels": ["high"], built_in: ["compliantDevice"], session: every_time}), &[]),
        (22, json!({"conditions.userRiskLevels": ["high"], session: every_time}), &[]),
        (23, json!({apps: office, "sessionControls.persistentBrowser": {"isEnabled": true, "mode": "never"}}), &[]),
        (24, json!({"sessionControls.applicationEnforcedRestrictions": {"isEnabled": true}}), &[]),
        (25, json!({"sessionControls.cloudAppSecurity": {"isEnabled": true}}), &[]),
        (
            26,
            json!({"sessionControls.continuousAccessEvaluation": {"mode": "disabled"},
                "conditions.locations": {"includeLocations": ["AllTrusted"]}}),
            &[],
        ),
        (27, json!({"sessionControls.secureSignInSession": {"isEnabled": true}}), &[]),
        (28, json!({"conditions.devices.deviceFilter": {"mode": "exclude", "rule": "device.colour -eq \"red\""}}), &[]),
        (29, json!({apps: office, "conditions.clientAppTypes": ["exchangeActiveSync"]}), &[]),
        (30, json!({"conditions.platforms": {"includePlatforms": [], "excludePlatforms": ["iOS"]}}), &[]),
        (31, json!({"conditions.locations": {"includeLocations": ["Head office"]}}), &[]),
        (32, json!({users: {"includeRoles": ["Global Administrator"], "excludeGroups": ["break-glass"]}}), &[]),
        (
            33,
            json!({"conditions.users.excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "serviceProvider",
                "externalTenants": {"membershipKind": "enumerated", "members": []}}}),
            &[],
        ),
        (34, json!({"conditions.authenticationFlows": {"transferMethods": ["deviceCodeFlow"]}}), &[]),
        (35, json!({apps: {"includeAuthenticationContextClassReferences": ["c100"]}}), &[]),
        (36, json!({users: everybody, built_in: ["block"]}), &[38]),
        (36, json!({users: everybody, built_in: ["block"], "conditions.locations": any_location}), &[38]),
        (
            36,
            json!({users: everybody, built_in: ["block"], "conditions.platforms": {"includePlatforms": ["all"]},
                "conditions.clientAppTypes": clients}),
            &[38],
        ),
        (37, json!({users: everybody, built_in: ["compliantDevice"]}), &[38]),
        (38, json!({users: everybody}), &[]),
        (
            41,
            json!({apps: {"includeAuthenticationContextClassReferences": ["c1"], "excludeApplications": ["Office365"]}}),
            &[],
        ),
        (42, json!({"grantControls.customAuthenticationFactors": ["x"]}), &[]),
        (43, json!({"conditions.users.excludeUsers": ["Current administrator will be excluded"]}), &[]),
        (
            43,
            json!({users: {"includeUsers": ["None"]}, built_in: ["block"],
                "conditions.clientApplications": {"includeServicePrincipals": ["Nightly Sync"]}}),
            &[],
        ),
        (
            44,
            json!({built_in: ["compliantApplication"], "conditions.platforms": {"includePlatforms": ["iOS", "android"]}}),
            &[],
        ),
        (45, json!({"id": "00000000-0000-0000-0000-00000000000a"}), &[]),
    ]
}

#[test]
fn each_rule_objects_to_what_breaks_it_and_no_other_does() {
    assert_eq!(objections(&good(), &tenant()), BTreeSet::new());
    let mut tried = BTreeSet::new();
    for (rule, changes, along) in broken() {
        let expected: BTreeSet<u8> = along.iter().copied().chain([rule]).collect();
        assert_eq!(objections(&changed(&changes), &tenant()), expected, "rule {rule}: {changes}");
        tried.insert(rule);
    }
    // Two rules look at the tenant rather than at the draft.
    let full = Snapshot { policies: vec![Policy::default(); 240], ..tenant() };
    assert_eq!(objections(&good(), &full), BTreeSet::from([39]));
    let defaults = Snapshot { security_defaults: Some(true), ..tenant() };
    assert_eq!(objections(&good(), &defaults), BTreeSet::from([40]));
    tried.extend([39, 40]);
    let workload = changed(&json!({"conditions.users": {"includeUsers": ["None"]},
        "conditions.clientApplications": {"includeServicePrincipals": ["00000000-0000-0000-0000-00000000000d"]},
        "grantControls.builtInControls": ["block"]}));
    assert_eq!(objections(&workload, &tenant()), BTreeSet::new());
    let licensed = |plan: &str| Snapshot { licences: [(plan.to_owned(), 10)].into(), ..tenant() };
    assert_eq!(objections(&workload, &licensed(well_known::PLAN_P2)), BTreeSet::from([19]));
    assert_eq!(objections(&workload, &licensed(well_known::PLAN_WORKLOAD_P1)), BTreeSet::new());
    let mut read = tenant();
    read.readings.insert(Kind::ServicePrincipals, Reading::Complete { count: 0 });
    assert_eq!(objections(&workload, &read), BTreeSet::from([43]));
    assert_eq!(tried, (1..=45).collect());
}

/// Messages are for administrators: whole clauses in their words, no identifiers of ours.
#[test]
fn every_message_can_be_read_by_an_administrator() {
    for (rule, changes, _) in broken() {
        let body = changed(&changes);
        let found = read_policy(&body).map(|policy| lint(&policy, &tenant())).unwrap_or_default();
        for objection in found.into_iter().chain(lint_body(&body)) {
            let message = objection.message;
            assert!(message.split_whitespace().count() >= 4 && !message.ends_with('.'), "rule {rule}: {message}");
            assert!(!message.contains("::") && !message.contains("Some("), "rule {rule}: {message}");
        }
    }
}

/// What Microsoft's templates say, in our words: a name and what differs from the good draft.
fn templates() -> Vec<(&'static str, Value)> {
    let roles: Vec<&str> = well_known::ADMIN_ROLES.iter().map(|(id, _)| *id).collect();
    let admins = json!({"includeRoles": roles, "excludeGroups": ["break-glass"]});
    let guests = json!({"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": GUESTS,
        "externalTenants": {"membershipKind": "all"}}, "excludeGroups": ["break-glass"]});
    let (apps, users) = ("conditions.applications", "conditions.users");
    let (built_in, grant) = ("grantControls.builtInControls", "grantControls");
    let only = |app: &str| json!({"includeApplications": [app]});
    let every_time = json!({"isEnabled": true, "frequencyInterval": "everyTime", "type": null, "value": null,
        "authenticationType": "primaryAndSecondaryAuthentication"});
    let mobile = json!({"includePlatforms": ["android", "iOS"]});
    vec![
        ("Require MFA for admins", json!({users: admins})),
        (
            "Securing security info registration",
            json!({apps: {"includeUserActions": [well_known::REGISTER_SECURITY_INFO]},
            "conditions.locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}}),
        ),
        (
            "Block legacy authentication",
            json!({"conditions.clientAppTypes": ["exchangeActiveSync", "other"], built_in: ["block"]}),
        ),
        ("Require MFA for all users", json!({})),
        ("Require MFA for guest access", json!({users: guests})),
        ("Require MFA for Azure management", json!({apps: only(well_known::APP_AZURE_MANAGEMENT)})),
        (
            "Require MFA for risky sign-ins",
            json!({"conditions.signInRiskLevels": ["high", "medium"],
            "sessionControls.signInFrequency": every_time}),
        ),
        (
            "Require password change for high-risk users",
            json!({"conditions.userRiskLevels": ["high"],
            grant: {"operator": "AND", "builtInControls": ["mfa", "passwordChange"]},
            "sessionControls.signInFrequency": every_time}),
        ),
        (
            "Require compliant or hybrid device or MFA for all users",
            json!({built_in: ["compliantDevice", "domainJoinedDevice", "mfa"]}),
        ),
        (
            "Block unknown or unsupported platforms",
            json!({built_in: ["block"], "conditions.platforms":
            {"includePlatforms": ["all"], "excludePlatforms": ["android", "iOS", "windows", "macOS", "linux"]}}),
        ),
        (
            "No persistent browser session",
            json!({"conditions.devices.deviceFilter": {"mode": "include",
            "rule": "device.trustType -ne \"ServerAD\" -or device.isCompliant -ne True"}, grant: null,
            "sessionControls": {"persistentBrowser": {"isEnabled": true, "mode": "never"},
                "signInFrequency": {"isEnabled": true, "type": "hours", "value": 1}}}),
        ),
        ("Require app protection", json!({built_in: ["compliantApplication"], "conditions.platforms": mobile})),
        (
            "Require compliant or hybrid device for admins",
            json!({users: admins, built_in: ["compliantDevice", "domainJoinedDevice"]}),
        ),
        (
            "App enforced restrictions for Office 365",
            json!({apps: only("Office365"), grant: null,
            "sessionControls": {"applicationEnforcedRestrictions": {"isEnabled": true}}}),
        ),
        (
            "Phishing-resistant MFA for admins",
            json!({users: admins, grant: {"operator": "OR", "builtInControls": [],
            "authenticationStrength": {"id": well_known::STRENGTH_PHISHING_RESISTANT}}}),
        ),
        ("Require MFA for admin portals", json!({users: admins, apps: only("MicrosoftAdminPortals")})),
        (
            "Block Office 365 for insider risk",
            json!({apps: only("Office365"), built_in: ["block"],
            "conditions.insiderRiskLevels": "elevated"}),
        ),
        ("Require compliant device", json!({built_in: ["compliantDevice"]})),
        (
            "Block device code flow",
            json!({"conditions.authenticationFlows": {"transferMethods": "deviceCodeFlow"},
            built_in: ["block"]}),
        ),
        (
            "Block authentication transfer",
            json!({"conditions.authenticationFlows":
            {"transferMethods": "authenticationTransfer"}, built_in: ["block"]}),
        ),
        ("Require MFA for joining devices", json!({apps: {"includeUserActions": [well_known::REGISTER_DEVICE]}})),
        (
            "Token protection",
            json!({apps: only("Office365"), "conditions.clientAppTypes": ["mobileAppsAndDesktopClients"],
            "conditions.platforms": {"includePlatforms": ["windows"]}, grant: null,
            "sessionControls": {"secureSignInSession": {"isEnabled": true}}}),
        ),
    ]
}

#[test]
fn microsofts_templates_pass_and_are_sent_as_they_were_meant() {
    let templates = templates();
    assert!(templates.len() >= 20);
    for (name, changes) in templates {
        let mut body = changed(&changes);
        body["displayName"] = json!(name);
        let policy = read_policy(&body).unwrap();
        let errors: Vec<_> =
            lint(&policy, &tenant()).into_iter().filter(|objection| objection.level == Level::Error).collect();
        assert_eq!(errors, [], "{name}");
        let sent = ReportOnlyPolicy::new(&policy, name).unwrap();
        assert_eq!(lint_body(&sent.body()), [], "{name}");
        assert!(read_policy(&sent.body()).unwrap().same_meaning(&policy), "{name}");
    }
}
