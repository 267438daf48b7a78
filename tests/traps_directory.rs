//! Wrong advice that users of other checkers reported, on emergency access, synchronisation and exclusions: ours is right.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis::checks::{self, Context, Finding, Verdict};
use portcullis::engine::Model;
use portcullis::tenant::read::{read_group, read_role, read_role_assignment, read_user};
use portcullis::tenant::{Kind, Reading, SnapshotBuilder, read_policy};
use serde_json::{Value, json};

const SYNC_ROLE: &str = "d29b2b05-8046-44ba-8758-1e26182fcf32";
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
const INTUNE_ADMINISTRATOR: &str = "3a2c62db-5318-420d-8d74-23affee5d9d5";
const REPORTS_READER: &str = "4a5d8f65-41da-4de4-8968-e035b65339cf";
const BREAK_GLASS: &str = "b9000000-0000-4000-8000-000000000004";

/// A tenant of Alice, Bob (service accounts), a break-glass account and a synchronisation account.
fn findings(policies: &[Value], emergency: bool) -> Vec<Finding> {
    let mut builder = SnapshotBuilder::default();
    for kind in [Kind::Policies, Kind::Users, Kind::Groups, Kind::RoleAssignments] {
        builder.reading(kind, Reading::Complete { count: 1 });
    }
    for id in ["alice", "bob", BREAK_GLASS, "sync"] {
        builder.user(read_user(&json!({"id": id, "displayName": id})).unwrap());
    }
    builder
        .group(read_group(&json!({"id": "services", "displayName": "Service accounts", "members": ["bob"]})).unwrap());
    builder.role_assignment(
        read_role_assignment(&json!({"principalId": "sync", "roleDefinitionId": SYNC_ROLE, "directoryScopeId": "/"}))
            .unwrap(),
    );
    if emergency {
        builder.snapshot.settings.emergency_access.insert(BREAK_GLASS.to_owned());
    }
    policies.iter().for_each(|policy| builder.policy(read_policy(policy).unwrap()));
    let model = Model::new(Arc::new(builder.build()));
    let context = Context {
        model: &model,
        hash: "h",
        now: "2026-11-24T08:30:00Z".parse().unwrap(),
        thresholds: &BTreeMap::new(),
        rows: 50,
    };
    checks::run_all(&context)
}

fn verdict(findings: &[Finding], check: &str) -> Verdict {
    findings.iter().find(|finding| finding.check == check).unwrap().verdict
}

fn policy(id: &str, users: &Value, more: &Value) -> Value {
    let mut policy = json!({"id": id, "displayName": id, "state": "enabled",
        "conditions": {"users": users, "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"]},
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}});
    for (pointer, value) in more.as_object().unwrap() {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        policy.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(member.to_owned(), value.clone());
    }
    policy
}

#[test]
fn break_glass_is_asked_for_and_never_guessed_from_the_most_excluded_group() {
    let everywhere = policy("a", &json!({"includeUsers": ["All"], "excludeGroups": ["services"]}), &json!({}));
    let findings = findings(&[everywhere], false);
    assert_eq!(verdict(&findings, "emergency-access"), Verdict::Review);
    assert_eq!(verdict(&findings, "emergency-access-accounts"), Verdict::Review);
}

#[test]
fn break_glass_needs_no_exclusion_from_policies_that_cannot_hit_users() {
    let agents = policy(
        "agents",
        &json!({"includeUsers": ["None"]}),
        &json!({"/conditions/clientApplications": {"includeAgentIdServicePrincipals": ["All"]}}),
    );
    let workloads = policy(
        "workloads",
        &json!({"includeUsers": ["None"]}),
        &json!({"/conditions/clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}}),
    );
    assert_eq!(verdict(&findings(&[agents, workloads], true), "emergency-access"), Verdict::Pass);
}

#[test]
fn a_policy_made_for_break_glass_is_no_fault() {
    let strength = json!({"/grantControls": {"operator": "OR", "builtInControls": [],
        "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"}}});
    let meant = policy("phishing-resistant", &json!({"includeUsers": [BREAK_GLASS]}), &strength);
    assert_eq!(verdict(&findings(&[meant], true), "emergency-access"), Verdict::Pass);
}

#[test]
fn a_guest_policy_needs_no_exclusion_of_the_synchronisation_account() {
    let guests = json!({"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "b2bCollaborationGuest",
        "externalTenants": {"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants",
            "membershipKind": "all"}}});
    let legacy = json!({"/conditions/clientAppTypes": ["exchangeActiveSync", "other"],
        "/grantControls": {"operator": "OR", "builtInControls": ["block"]}});
    let policies =
        [policy("guests", &guests, &json!({})), policy("legacy", &json!({"includeUsers": ["All"]}), &legacy)];
    assert_eq!(verdict(&findings(&policies, true), "directory-sync-account"), Verdict::Pass);
    let everybody = policy("all", &json!({"includeUsers": ["All"], "excludeUsers": [BREAK_GLASS]}), &json!({}));
    assert_eq!(verdict(&findings(&[everybody], true), "directory-sync-account"), Verdict::Fail);
}

#[test]
fn an_exclusion_that_another_policy_makes_up_for_is_fine() {
    let out = json!({"includeUsers": ["All"], "excludeUsers": [BREAK_GLASS], "excludeGroups": ["services"]});
    let excluding = policy("mfa", &out, &json!({}));
    let places = json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]});
    let bound = json!({"/conditions/locations": places,
        "/grantControls": {"operator": "OR", "builtInControls": ["block"]}});
    let instead = policy("servers only", &json!({"includeGroups": ["services"]}), &bound);
    let both = findings(&[excluding.clone(), instead], true);
    assert_eq!(verdict(&both, "exclusions-without-fallback"), Verdict::Pass);
    assert_eq!(verdict(&findings(&[excluding], true), "exclusions-without-fallback"), Verdict::Fail);
}

#[test]
fn excluded_from_mfa_and_included_for_one_platform_only_is_a_gap() {
    let out = json!({"includeUsers": ["All"], "excludeUsers": [BREAK_GLASS], "excludeGroups": ["services"]});
    let platform = json!({"/conditions/platforms": {"includePlatforms": ["iOS"], "excludePlatforms": []}});
    let narrow = policy("iOS", &json!({"includeUsers": ["All"], "excludeUsers": [BREAK_GLASS]}), &platform);
    let found = findings(&[policy("mfa", &out, &json!({})), narrow], true);
    assert_eq!(verdict(&found, "exclusions-without-fallback"), Verdict::Fail);
}

#[test]
fn excluded_within_trusted_places_alone_is_no_gap_outside_them() {
    let out = json!({"includeUsers": ["All"], "excludeUsers": [BREAK_GLASS], "excludeGroups": ["services"]});
    let trusted = json!({"/conditions/locations": {"includeLocations": ["AllTrusted"], "excludeLocations": []}});
    let everywhere = policy("mfa", &json!({"includeUsers": ["All"], "excludeUsers": [BREAK_GLASS]}), &json!({}));
    let found = findings(&[policy("office", &out, &trusted), everywhere], true);
    assert_eq!(verdict(&found, "exclusions-without-fallback"), Verdict::Pass);
}

#[test]
fn nothing_to_judge_is_never_a_pass() {
    let found = findings(&[], true);
    for check in ["exclusions-without-fallback", "baseline-scopes", "microsoft-managed-policies", "report-only-age"] {
        assert_ne!(verdict(&found, check), Verdict::Pass, "{check}");
    }
}

/// A tenant of Ada, who holds a role, and of what the settings name for emergency access.
fn administered(role: &str, scope: &str, marked: bool) -> SnapshotBuilder {
    let mut builder = SnapshotBuilder::default();
    for kind in [Kind::Policies, Kind::Users, Kind::Groups, Kind::RoleAssignments] {
        builder.reading(kind, Reading::Complete { count: 1 });
    }
    for id in ["ada", "carl"] {
        builder.user(read_user(&json!({"id": id, "displayName": id, "userType": "Member"})).unwrap());
    }
    for (who, role, scope) in [("ada", role, scope), ("carl", GLOBAL_ADMINISTRATOR, "/")] {
        let held = json!({"principalId": who, "roleDefinitionId": role, "directoryScopeId": scope});
        builder.role_assignment(read_role_assignment(&held).unwrap());
    }
    for (id, privileged) in [(GLOBAL_ADMINISTRATOR, true), (REPORTS_READER, false)].into_iter().filter(|_| marked) {
        let role = json!({"id": id, "displayName": id, "isBuiltIn": true, "isPrivileged": privileged});
        builder.role(read_role(&role).unwrap());
    }
    builder
}

fn judged(check: &str, builder: SnapshotBuilder) -> Finding {
    let model = Model::new(Arc::new(builder.build()));
    let now = "2026-11-24T08:30:00Z".parse().unwrap();
    let context = Context { model: &model, hash: "h", now, thresholds: &BTreeMap::new(), rows: 50 };
    checks::run_all(&context).into_iter().find(|finding| finding.check == check).unwrap()
}

#[test]
fn an_administrator_whose_role_nobody_judged_is_no_pass() {
    let carl = policy("p", &json!({"includeRoles": [GLOBAL_ADMINISTRATOR]}), &json!({}));
    let verdict = |role: &str, scope: &str, marked: bool| {
        let mut tenant = administered(role, scope, marked);
        tenant.policy(read_policy(&carl).unwrap());
        judged("mfa-admins", tenant).verdict
    };
    assert_eq!(verdict(INTUNE_ADMINISTRATOR, "/", false), Verdict::Review);
    // The mark was read for another role, so it would have been for this one: an unknown role stays unknown.
    assert_eq!(verdict(INTUNE_ADMINISTRATOR, "/", true), Verdict::Review);
    assert_eq!(verdict(REPORTS_READER, "/", true), Verdict::Pass);
    // A policy for roles doesn't reach who administers a part of the tenant.
    assert_eq!(verdict(GLOBAL_ADMINISTRATOR, "/administrativeUnits/a", true), Verdict::Review);
    assert_eq!(verdict(SYNC_ROLE, "/", false), Verdict::Pass);
}

#[test]
fn administrators_through_a_group_that_was_not_read_are_not_nobody() {
    let judged_with = |policies: &[Value], read: bool| {
        let mut builder = SnapshotBuilder::default();
        let kinds = [Kind::Policies, Kind::Users, Kind::RoleAssignments];
        kinds.into_iter().for_each(|kind| builder.reading(kind, Reading::Complete { count: 1 }));
        builder.user(read_user(&json!({"id": "ada", "displayName": "ada", "userType": "Member"})).unwrap());
        let held =
            json!({"principalId": "g-admins", "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"});
        builder.role_assignment(read_role_assignment(&held).unwrap());
        if read {
            builder.reading(Kind::Groups, Reading::Complete { count: 1 });
            builder.group(read_group(&json!({"id": "g-admins", "displayName": "Admins", "members": ["ada"]})).unwrap());
        }
        policies.iter().for_each(|one| builder.policy(read_policy(one).unwrap()));
        let finding = judged("mfa-admins", builder);
        (finding.verdict, finding.not_checked.iter().any(|one| one.contains("g-admins")))
    };
    assert_eq!(judged_with(&[], false), (Verdict::Review, true));
    assert_eq!(judged_with(&[], true), (Verdict::Fail, false));
    let everybody = policy("p", &json!({"includeUsers": ["All"]}), &json!({}));
    assert_eq!(judged_with(std::slice::from_ref(&everybody), true), (Verdict::Pass, false));
}

#[test]
fn emergency_access_that_is_nobodys_is_said() {
    let all = policy("p", &json!({"includeUsers": ["All"], "excludeGroups": ["g"]}), &json!({}));
    let mut tenant = administered(GLOBAL_ADMINISTRATOR, "/", true);
    tenant.group(read_group(&json!({"id": "g", "displayName": "G", "members": []})).unwrap());
    tenant.policy(read_policy(&all).unwrap());
    tenant.snapshot.settings.emergency_access.insert(BREAK_GLASS.to_owned());
    let finding = judged("emergency-access", tenant);
    assert_eq!((finding.verdict, finding.facts[0].key.as_str()), (Verdict::Review, "emergency_access.nobodys"));
    assert!(finding.not_checked.is_empty(), "{:?}", finding.not_checked);
}

#[test]
fn emergency_access_without_any_policy_is_not_applicable() {
    let mut tenant = administered(GLOBAL_ADMINISTRATOR, "/", true);
    tenant.snapshot.settings.emergency_access.insert("ada".to_owned());
    assert_eq!(judged("emergency-access", tenant).verdict, Verdict::NotApplicable);
}
