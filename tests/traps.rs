//! Policies that other checkers judge wrongly, and advice that their users reported as wrong: each a test with its name.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis::checks::{CHECKS, Context, CureAction, CureKind, Finding, Verdict};
use portcullis::engine::Model;
use portcullis::suggestions::lint::is_acceptable;
use portcullis::tenant::read::{
    read_group, read_named_location, read_role_assignment, read_service_principal, read_user,
};
use portcullis::tenant::{Kind, Reading, Snapshot, SnapshotBuilder, read_policy};
use serde_json::{Value, json};

#[path = "traps/unsettled.rs"]
mod unsettled;

const PEOPLE: [&str; 4] = ["ada", "alice", "bob", "break-glass"];
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const INTUNE_ENROLLMENT: &str = "d4ebce55-015a-49b5-a083-c84d1797ae8c";
const STRENGTH_MFA: &str = "00000000-0000-0000-0000-000000000002";
const STRENGTH_RESISTANT: &str = "00000000-0000-0000-0000-000000000004";

/// Ada administers, Alice and Bob work, Gus is a guest, one account is for emergencies.
fn tenant(policies: &[Value]) -> SnapshotBuilder {
    let mut builder = SnapshotBuilder::default();
    let kinds = [Kind::Policies, Kind::Users, Kind::Groups, Kind::RoleAssignments, Kind::NamedLocations];
    for kind in kinds {
        builder.reading(kind, Reading::Complete { count: 1 });
    }
    for id in PEOPLE {
        builder.user(read_user(&json!({"id": id, "displayName": id, "userType": "Member"})).unwrap());
    }
    let guest =
        json!({"id": "gus", "userType": "Guest", "userPrincipalName": "gus#EXT#@x", "creationType": "Invitation"});
    builder.user(read_user(&guest).unwrap());
    let held = json!({"principalId": "ada", "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"});
    builder.role_assignment(read_role_assignment(&held).unwrap());
    builder.group(read_group(&json!({"id": "rooms", "displayName": "Rooms", "members": ["bob"]})).unwrap());
    for (at, policy) in policies.iter().enumerate() {
        let mut policy = policy.clone();
        policy["id"] = json!(format!("p{at}"));
        builder.policy(read_policy(&policy).unwrap());
    }
    builder.snapshot.settings.emergency_access.insert("break-glass".into());
    builder
}

fn run(check: &str, snapshot: Snapshot) -> Finding {
    let model = Model::new(Arc::new(snapshot));
    let check = CHECKS.iter().find(|one| one.about().id == check).unwrap_or_else(|| panic!("no check {check}"));
    let now = "2026-11-24T08:30:00Z".parse().unwrap();
    check.run(&Context { model: &model, hash: "h", now, thresholds: &BTreeMap::new(), rows: 50 })
}

fn verdict(check: &str, policies: &[Value]) -> Verdict {
    run(check, tenant(policies).build()).verdict
}

/// A policy for everybody and everything but the emergency account, with these grant controls, changed by `with`.
fn policy(controls: &[&str], with: Value) -> Value {
    let mut body = json!({
        "displayName": "p", "state": "enabled",
        "conditions": {
            "users": {"includeUsers": ["All"], "excludeUsers": ["break-glass"]},
            "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"],
        },
        "grantControls": {"operator": "OR", "builtInControls": controls},
    });
    for (name, value) in with.as_object().into_iter().flatten() {
        body["conditions"][name] = value.clone();
    }
    body
}

fn strength(id: &str, with: Value) -> Value {
    let mut body = policy(&[], with);
    body["grantControls"]["authenticationStrength"] = json!({"id": id});
    body
}

fn mfa(with: Value) -> Value {
    policy(&["mfa"], with)
}

#[test]
fn a_gap_that_only_a_service_account_has_is_no_pass() {
    let excluding = |id: &str| mfa(json!({"users": {"includeUsers": ["All"], "excludeUsers": ["break-glass", id]}}));
    for name in ["svc-mail@x.example", "sa-rah.jones@x.example"] {
        let mut builder = tenant(&[excluding("machine")]);
        let machine = json!({"id": "machine", "displayName": name, "userPrincipalName": name, "userType": "Member"});
        builder.user(read_user(&machine).unwrap());
        assert_eq!(run("mfa-all-users", builder.build()).verdict, Verdict::Review, "{name}");
    }
    assert_eq!(verdict("mfa-all-users", &[excluding("alice")]), Verdict::Fail);
    assert_eq!(verdict("mfa-all-users", &[mfa(json!({}))]), Verdict::Pass);
}

fn block(with: Value) -> Value {
    policy(&["block"], with)
}

#[test]
fn guests_whose_devices_nobody_here_manages_are_said_to_be_left_out() {
    let finding = run("managed-devices", tenant(&[policy(&["compliantDevice"], json!({}))]).build());
    assert!(
        finding.not_checked.iter().any(|what| what.starts_with("guests who authenticate elsewhere")),
        "{finding:?}"
    );
}

/// What covers something goes on covering it whatever another policy names, in whatever state.
#[test]
fn naming_the_enrolment_of_devices_in_another_policy_changes_nothing() {
    let device = policy(&["compliantDevice"], json!({}));
    let mut named = mfa(json!({"users": {"includeUsers": ["alice"]}}));
    named["conditions"]["applications"] = json!({"includeApplications": [INTUNE_ENROLLMENT]});
    named["state"] = json!("enabledForReportingButNotEnforced");
    for check in ["legacy-authentication", "device-code-flow", "managed-devices", "persistent-browser-unmanaged"] {
        let without = verdict(check, std::slice::from_ref(&device));
        assert_eq!(verdict(check, &[device.clone(), named.clone()]), without, "{check}");
    }
}

#[test]
fn mfa_only_at_high_sign_in_risk_is_not_mfa_for_all() {
    assert_eq!(verdict("mfa-all-users", &[mfa(json!({"signInRiskLevels": ["high"]}))]), Verdict::Fail);
}

#[test]
fn mfa_only_on_ios_is_not_mfa_for_all() {
    let ios = json!({"platforms": {"includePlatforms": ["iOS"]}});
    assert_eq!(verdict("mfa-all-users", &[mfa(ios)]), Verdict::Fail);
}

#[test]
fn mfa_only_in_one_location_is_not_mfa_for_all() {
    let office = json!({"locations": {"includeLocations": ["office"]}});
    let mut tenant = tenant(&[mfa(office)]);
    tenant.location(read_named_location(&location("office", true)).unwrap());
    assert_eq!(run("mfa-all-users", tenant.build()).verdict, Verdict::Fail);
}

#[test]
fn mfa_only_in_browsers_is_not_mfa_for_all() {
    assert_eq!(verdict("mfa-all-users", &[mfa(json!({"clientAppTypes": ["browser"]}))]), Verdict::Fail);
}

#[test]
fn mfa_only_on_devices_of_a_filter_is_not_mfa_for_all() {
    let filter = json!({"devices": {"deviceFilter": {"mode": "include", "rule": "device.model -eq \"X\""}}});
    assert_eq!(verdict("mfa-all-users", &[mfa(filter)]), Verdict::Fail);
}

#[test]
fn mfa_or_a_compliant_device_does_not_guarantee_mfa() {
    let either = policy(&["mfa", "compliantDevice"], json!({}));
    assert_eq!(verdict("mfa-all-users", std::slice::from_ref(&either)), Verdict::Fail);
    let mut both = either;
    both["grantControls"]["operator"] = json!("AND");
    assert_eq!(verdict("mfa-all-users", &[both]), Verdict::Pass);
}

#[test]
fn legacy_authentication_blocked_on_linux_alone_is_not_blocked() {
    let linux =
        json!({"clientAppTypes": ["exchangeActiveSync", "other"], "platforms": {"includePlatforms": ["linux"]}});
    assert_eq!(verdict("legacy-authentication", &[block(linux)]), Verdict::Fail);
}

#[test]
fn legacy_authentication_blocked_by_two_policies_is_blocked() {
    let [eas, other] = ["exchangeActiveSync", "other"].map(|client| block(json!({"clientAppTypes": [client]})));
    assert_eq!(verdict("legacy-authentication", &[eas.clone(), other]), Verdict::Pass);
    assert_eq!(verdict("legacy-authentication", &[eas]), Verdict::Fail);
}

#[test]
fn who_blocks_everything_blocks_legacy_authentication() {
    assert_eq!(verdict("legacy-authentication", &[block(json!({}))]), Verdict::Pass);
}

#[test]
fn high_user_risk_is_free_where_a_sign_in_risk_is_needed_too() {
    let both = block(json!({"userRiskLevels": ["high"], "signInRiskLevels": ["low"]}));
    for check in ["user-risk", "user-risk-block", "risks-in-one-policy"] {
        assert_eq!(verdict(check, std::slice::from_ref(&both)), Verdict::Fail, "{check}");
    }
}

#[test]
fn both_flows_in_one_policy_are_both_blocked() {
    let both = block(json!({"authenticationFlows": {"transferMethods": "deviceCodeFlow,authenticationTransfer"}}));
    for check in ["device-code-flow", "authentication-transfer"] {
        assert_eq!(verdict(check, std::slice::from_ref(&both)), Verdict::Pass, "{check}");
    }
}

#[test]
fn a_compliant_device_in_device_code_flow_is_a_block_and_is_said_to_be() {
    let flow = json!({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}});
    let said = |controls: &[&str]| {
        let finding = run("device-code-flow", tenant(&[policy(controls, flow.clone())]).build());
        let acting = finding.facts.iter().filter(|fact| fact.key == "blocks.by_asking").count();
        (finding.verdict, acting)
    };
    assert_eq!(said(&["compliantDevice"]), (Verdict::Pass, 1));
    assert_eq!(said(&["compliantDevice", "domainJoinedDevice"]), (Verdict::Pass, 1));
    assert_eq!(said(&["block"]), (Verdict::Pass, 0));
    assert_eq!(said(&["compliantDevice", "mfa"]).0, Verdict::Fail);
}

#[test]
fn a_context_needs_no_policy_where_every_resource_asks_for_as_much() {
    let judged = |policies: &[Value]| {
        let mut builder = tenant(policies);
        builder.reading(Kind::AuthenticationContextClassReferences, Reading::Complete { count: 1 });
        builder.snapshot.contexts.insert("c1".into(), "Sensitive".into());
        run("authentication-contexts", builder.build()).verdict
    };
    let resistant = strength(STRENGTH_RESISTANT, json!({}));
    let context = json!({"applications": {"includeAuthenticationContextClassReferences": ["c1"]}});
    assert_eq!(judged(std::slice::from_ref(&resistant)), Verdict::Pass);
    assert_eq!(judged(&[mfa(json!({}))]), Verdict::Fail, "the context adds nothing");
    assert_eq!(judged(&[mfa(context.clone())]), Verdict::Review);
    assert_eq!(judged(&[mfa(context.clone()), resistant]), Verdict::Pass);
    let applications = json!({"includeApplications": ["All"], "excludeApplications": ["app-1"]});
    let but_one = strength(STRENGTH_RESISTANT, json!({"applications": applications}));
    assert_eq!(judged(&[mfa(context), but_one]), Verdict::Review);
}

#[test]
fn a_compliant_device_alone_is_stricter_than_compliant_or_hybrid() {
    assert_eq!(verdict("managed-devices", &[policy(&["compliantDevice"], json!({}))]), Verdict::Pass);
}

#[test]
fn mfa_by_strength_is_mfa() {
    assert_eq!(verdict("mfa-all-users", &[strength(STRENGTH_MFA, json!({}))]), Verdict::Pass);
}

#[test]
fn an_excluded_group_is_a_gap() {
    let users =
        json!({"users": {"includeUsers": ["All"], "excludeUsers": ["break-glass"], "excludeGroups": ["rooms"]}});
    assert_eq!(verdict("mfa-all-users", &[mfa(users)]), Verdict::Fail);
}

#[test]
fn excluded_office_365_is_a_gap() {
    let apps = json!({"applications": {"includeApplications": ["All"], "excludeApplications": ["Office365"]}});
    assert_eq!(verdict("mfa-all-users", &[mfa(apps)]), Verdict::Fail);
}

#[test]
fn phishing_resistant_mfa_for_one_person_covers_no_administrator() {
    let alice = json!({"users": {"includeUsers": ["alice"]}});
    assert_eq!(verdict("phishing-resistant-admins", &[strength(STRENGTH_RESISTANT, alice)]), Verdict::Fail);
}

#[test]
fn hybrid_joined_or_mfa_requires_no_managed_device() {
    assert_eq!(verdict("managed-devices", &[policy(&["domainJoinedDevice", "mfa"], json!({}))]), Verdict::Fail);
}

#[test]
fn a_compliant_device_or_mfa_to_register_does_not_guarantee_mfa() {
    let register = json!({"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}});
    let either = policy(&["compliantDevice", "mfa"], register);
    assert_eq!(verdict("security-info-registration", &[either]), Verdict::Fail);
}

#[test]
fn a_compliant_device_or_mfa_to_register_does_not_require_the_device() {
    let register = json!({"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}});
    let either = policy(&["compliantDevice", "mfa"], register.clone());
    assert_eq!(verdict("registration-device", &[either]), Verdict::Fail);
    let managed = policy(&["compliantDevice", "domainJoinedDevice"], register);
    assert_eq!(verdict("registration-device", &[managed]), Verdict::Pass);
}

#[test]
fn insider_risk_that_is_kept_from_office_365_alone_is_not_kept_from_everything() {
    let office =
        block(json!({"insiderRiskLevels": "elevated", "applications": {"includeApplications": ["Office365"]}}));
    assert_eq!(verdict("elevated-insider-risk", std::slice::from_ref(&office)), Verdict::Pass);
    // Which apps belong to Office 365 isn't published in full, but not every app does.
    assert_eq!(verdict("elevated-insider-risk-all", &[office]), Verdict::Fail);
    let exchange = json!({"includeApplications": ["00000002-0000-0ff1-ce00-000000000000"]});
    let mail = block(json!({"insiderRiskLevels": "elevated", "applications": exchange}));
    assert_eq!(verdict("elevated-insider-risk-all", &[mail]), Verdict::Fail);
    assert_eq!(verdict("elevated-insider-risk-all", &[block(json!({"insiderRiskLevels": "elevated"}))]), Verdict::Pass);
}

#[test]
fn where_only_policies_were_read_nothing_is_said_to_be_absent() {
    let but_one = json!({"includeUsers": ["All"], "excludeUsers": ["b9000000-0000-4000-8000-000000000004"]});
    let mut policy = mfa(json!({"users": but_one}));
    policy["id"] = json!("p0");
    let policies = vec![read_policy(&policy).unwrap()];
    for (check, file) in [
        ("new-users-mfa", "users.json"),
        ("new-apps", "servicePrincipals.json"),
        ("authentication-contexts", "authenticationContextClassReferences.json"),
        ("compliant-network", "namedLocations.json"),
        ("internet-access", "servicePrincipals.json"),
        ("private-access", "servicePrincipals.json"),
        ("dangling-references", "users.json"),
        ("exclusion-group-growth", "groups.json"),
    ] {
        let found = run(check, Snapshot { policies: policies.clone(), ..Snapshot::default() });
        assert_eq!(found.verdict, Verdict::Review, "{check}");
        assert!(found.not_checked.iter().any(|limit| limit.contains(file)), "{check}: {:?}", found.not_checked);
    }
}

#[test]
fn an_excluded_group_that_was_not_read_names_the_file_that_would_settle_it() {
    let mut policy = mfa(json!({"users": {"includeUsers": ["All"], "excludeGroups": ["rooms"]}}));
    policy["id"] = json!("p0");
    let policies = vec![read_policy(&policy).unwrap()];
    let found = run("mfa-all-users", Snapshot { policies, ..Snapshot::default() });
    assert_eq!(found.verdict, Verdict::Review);
    assert!(found.not_checked.iter().any(|limit| limit.contains("groups.json")), "{:?}", found.not_checked);
}

#[test]
fn unknown_platforms_blocked_for_one_person_are_open() {
    let known = ["android", "iOS", "windows", "windowsPhone", "macOS", "linux"];
    let platforms = json!({"includePlatforms": ["all"], "excludePlatforms": known});
    let alice = json!({"platforms": platforms, "users": {"includeUsers": ["alice"]}});
    assert_eq!(verdict("unknown-platforms", &[block(alice)]), Verdict::Fail);
    assert_eq!(verdict("unknown-platforms", &[block(json!({"platforms": platforms}))]), Verdict::Pass);
}

#[test]
fn who_is_excluded_from_mfa_and_asked_for_terms_of_use_only_is_a_gap() {
    let but_bob = json!({"users": {"includeUsers": ["All"], "excludeUsers": ["break-glass", "bob"]}});
    let mut terms = policy(&[], json!({"users": {"includeUsers": ["bob"]}}));
    terms["grantControls"]["termsOfUse"] = json!(["t1"]);
    assert_eq!(verdict("mfa-all-users", &[mfa(but_bob), terms]), Verdict::Fail);
}

#[test]
fn nothing_that_policies_must_do_passes_without_policies() {
    for check in CHECKS.iter().filter(|check| check.about().cure == CureKind::PolicyOrEdit) {
        assert_ne!(verdict(check.about().id, &[]), Verdict::Pass, "{}", check.about().id);
    }
}

#[test]
fn a_password_change_or_mfa_at_risk_is_not_mfa_for_all() {
    let risky = policy(&["mfa", "passwordChange"], json!({"userRiskLevels": ["high"]}));
    assert_eq!(verdict("mfa-all-users", &[risky]), Verdict::Fail);
}

#[test]
fn a_policy_for_all_users_covers_guests_and_administrators() {
    for check in ["mfa-guests", "mfa-admins"] {
        assert_eq!(verdict(check, &[mfa(json!({}))]), Verdict::Pass, "{check}");
    }
}

#[test]
fn an_exclusion_that_nobody_can_resolve_is_never_a_pass() {
    let users =
        json!({"users": {"includeUsers": ["All"], "excludeUsers": ["break-glass"], "excludeGroups": ["unread"]}});
    let mut tenant = tenant(&[mfa(users)]);
    tenant.snapshot.readings.remove(&Kind::Groups);
    assert_eq!(run("mfa-all-users", tenant.build()).verdict, Verdict::Review);
}

fn location(id: &str, trusted: bool) -> Value {
    let range = json!({"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"});
    json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": id, "displayName": id, "isTrusted": trusted, "ipRanges": [range]})
}

#[test]
fn an_excluded_location_counts_only_if_it_is_trusted() {
    let register = json!({
        "applications": {"includeUserActions": ["urn:user:registersecurityinfo"]},
        "locations": {"includeLocations": ["All"], "excludeLocations": ["office"]},
    });
    let at = |trusted| {
        let mut tenant = tenant(&[mfa(register.clone())]);
        tenant.location(read_named_location(&location("office", trusted)).unwrap());
        run("security-info-registration", tenant.build()).verdict
    };
    assert_eq!((at(true), at(false)), (Verdict::Pass, Verdict::Fail));
}

fn workload(applications: Value) -> Value {
    let locations = json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]});
    block(json!({"users": {"includeUsers": ["None"]}, "clientApplications": applications, "locations": locations}))
}

#[test]
fn a_policy_for_workload_identities_includes_no_users_on_purpose() {
    let policy = workload(json!({"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}));
    for check in ["policy-targets-nothing", "emergency-access", "overlapping-policies"] {
        assert_eq!(verdict(check, std::slice::from_ref(&policy)), Verdict::Pass, "{check}");
    }
}

#[test]
fn nobody_is_to_be_excluded_from_a_policy_for_agents() {
    let agents = workload(json!({"includeAgentIdServicePrincipals": ["All"]}));
    assert_eq!(verdict("emergency-access", &[agents]), Verdict::Pass);
}

#[test]
fn emergency_access_accounts_are_asked_for_and_never_guessed() {
    let users = json!({"users": {"includeUsers": ["All"], "excludeGroups": ["rooms"]}});
    let mut tenant = tenant(&[mfa(users.clone()), block(users)]);
    tenant.snapshot.settings.emergency_access.clear();
    let finding = run("emergency-access", tenant.build());
    assert_eq!(finding.verdict, Verdict::Review);
    assert!(finding.cures.is_empty(), "{:?}", finding.cures);
}

#[test]
fn an_excluded_group_with_a_policy_of_its_own_is_no_gap() {
    let users =
        json!({"users": {"includeUsers": ["All"], "excludeUsers": ["break-glass"], "excludeGroups": ["rooms"]}});
    let own = strength(STRENGTH_MFA, json!({"users": {"includeGroups": ["rooms"]}}));
    assert_eq!(verdict("mfa-all-users", &[mfa(users), own]), Verdict::Pass);
}

#[test]
fn a_block_beside_a_grant_is_no_conflict_the_block_wins() {
    let legacy = block(json!({"clientAppTypes": ["exchangeActiveSync", "other"]}));
    let modern = mfa(json!({"clientAppTypes": ["browser", "mobileAppsAndDesktopClients"]}));
    for check in ["mfa-all-users", "legacy-authentication", "overlapping-policies"] {
        assert_eq!(verdict(check, &[legacy.clone(), modern.clone()]), Verdict::Pass, "{check}");
    }
}

#[test]
fn of_policies_that_could_merge_in_a_chain_two_are_merged_at_a_time() {
    let of = |client: &str| block(json!({"clientAppTypes": [client]}));
    let chain = ["mobileAppsAndDesktopClients", "exchangeActiveSync", "other"].map(of);
    let finding = run("overlapping-policies", tenant(&chain).build());
    assert_eq!(finding.cures.len(), 1, "{:?}", finding.cures);
}

#[test]
fn what_is_suggested_for_agents_is_what_the_platform_accepts() {
    let mut tenant = tenant(&[]);
    let agent = json!({"id": "agent", "appId": "agent-app", "servicePrincipalType": "ServiceIdentity"});
    tenant.service_principal(read_service_principal(&agent).unwrap());
    tenant.reading(Kind::ServicePrincipals, Reading::Complete { count: 1 });
    let snapshot = tenant.build();
    let finding = run("risky-agents", snapshot.clone());
    let [cure] = finding.cures.as_slice() else { panic!("{:?}", finding.cures) };
    let CureAction::Draft(draft) = &cure.action else { panic!("{cure:?}") };
    assert!(is_acceptable(draft, &snapshot), "{draft:#?}");
    assert!(draft.conditions.platforms.is_none() && draft.conditions.sign_in_risk.is_empty(), "{draft:#?}");
}

/// What is suggested about policies that overlap or never apply, in a tenant where Eve may activate a role and a group is
/// empty.
fn overlap_cures(policies: &[Value]) -> Vec<String> {
    let mut builder = tenant(policies);
    builder.user(read_user(&json!({"id": "eve", "displayName": "eve", "userType": "Member"})).unwrap());
    let eligible = json!({"principalId": "eve", "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/", "assignment": "eligible"});
    builder.role_assignment(read_role_assignment(&eligible).unwrap());
    builder.group(read_group(&json!({"id": "empty", "displayName": "Empty", "members": []})).unwrap());
    builder.group(read_group(&json!({"id": "admins", "displayName": "Admins", "members": ["ada"]})).unwrap());
    let finding = run("overlapping-policies", builder.build());
    finding.cures.into_iter().map(|cure| cure.title).filter(|title| title.starts_with("Delete")).collect()
}

#[test]
fn nobody_is_told_to_delete_a_policy_that_protects() {
    let agents = policy(&["block"], json!({"users": {"includeUsers": ["AllAgentIdUsers"]}}));
    assert_eq!(overlap_cures(&[agents]), [""; 0]);
    let eligible_only =
        policy(&["block"], json!({"users": {"includeRoles": [GLOBAL_ADMINISTRATOR], "excludeUsers": ["ada"]}}));
    assert_eq!(overlap_cures(&[eligible_only]), [""; 0]);
    let empty = mfa(json!({"users": {"includeGroups": ["empty"]}}));
    assert_eq!(overlap_cures(&[empty.clone(), mfa(json!({"users": {"includeGroups": ["rooms"]}}))]), [""; 0]);
    let (role, group) = (json!({"includeRoles": [GLOBAL_ADMINISTRATOR]}), json!({"includeGroups": ["admins"]}));
    let named = |name: &str, users: Value| {
        let mut one = mfa(json!({"users": users}));
        one["displayName"] = json!(name);
        one
    };
    assert_eq!(overlap_cures(&[named("role", role), named("group", group)]), ["Delete group"]);
    let gone = named("gone", json!({"includeGroups": ["g-deleted-long-ago"]}));
    assert_eq!(overlap_cures(&[gone]), ["Delete gone"], "what never can apply is still found");
}
