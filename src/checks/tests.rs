//! What checks offer may do no harm: on small tenants, what is offered, and what it leaves behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::tenant::read::{read_group, read_role_assignment, read_user};
use crate::tenant::well_known::{APP_AZURE_MANAGEMENT, APP_RIGHTS_MANAGEMENT, GLOBAL_ADMINISTRATOR};
use crate::tenant::{Kind, Reading, Snapshot, SnapshotBuilder, read_policy};

const GONE: &str = "6f0e2b1a-0000-4000-8000-000000000001";

/// Ann (an administrator), Bob, Cid and an emergency access account, with these groups and policies.
fn tenant(groups: &[(&str, &[&str])], policies: &[Value]) -> Snapshot {
    let mut builder = SnapshotBuilder::default();
    for id in ["ann", "bob", "cid", "bg"] {
        builder.user(
            read_user(&json!({"id": id, "displayName": id, "accountEnabled": true, "userType": "Member"})).unwrap(),
        );
    }
    for (id, members) in groups {
        builder.group(read_group(&json!({"id": id, "displayName": id, "members": members})).unwrap());
    }
    for id in ["ann", "bg"] {
        let held = json!({"principalId": id, "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"});
        builder.role_assignment(read_role_assignment(&held).unwrap());
    }
    for policy in policies {
        builder.policy(read_policy(policy).unwrap());
    }
    for kind in [Kind::Users, Kind::Groups, Kind::RoleAssignments] {
        builder.reading(kind, Reading::Complete { count: 4 });
    }
    let mut snapshot = builder.build();
    snapshot.settings.emergency_access.insert("bg".to_owned());
    snapshot
}

/// A policy for everybody but emergency access, changed by these conditions.
fn policy(id: &str, state: &str, more: &Value, grant: &Value) -> Value {
    let mut conditions = json!({"clientAppTypes": ["all"], "users": {"includeUsers": ["All"], "excludeUsers": ["bg"]},
        "applications": {"includeApplications": ["All"]}});
    for (name, value) in more.as_object().unwrap() {
        conditions[name] = value.clone();
    }
    json!({"id": id, "displayName": id, "state": state, "conditions": conditions, "grantControls": grant})
}

fn any(controls: &[&str]) -> Value {
    json!({"operator": "OR", "builtInControls": controls})
}

/// What a check offers, as it is handed over.
fn offered(check: &str, snapshot: Snapshot) -> Vec<Cure> {
    let model = Model::new(Arc::new(snapshot));
    let thresholds = BTreeMap::new();
    let now = "2026-11-24T08:00:00Z".parse().unwrap();
    let context = Context { model: &model, hash: "h", now, thresholds: &thresholds, rows: 50 };
    let check = CHECKS.iter().find(|one| one.about().id == check).unwrap();
    edits::harmless(check.run(&context), &context).cures
}

fn titles(check: &str, snapshot: Snapshot) -> Vec<String> {
    offered(check, snapshot).into_iter().map(|cure| cure.title).collect()
}

/// The body of the first edit whose title starts so.
fn body(check: &str, snapshot: Snapshot, title: &str) -> Value {
    let cures = offered(check, snapshot);
    let Some(cure) = cures.iter().find(|cure| cure.title.starts_with(title)) else { panic!("{cures:#?}") };
    let CureAction::HandOver(change) = &cure.action else { panic!("{cure:#?}") };
    change.request.clone().unwrap_or_default().2
}

#[test]
fn a_block_of_everything_cures_nothing_that_asks_for_less() {
    for state in ["disabled", "enabledForReportingButNotEnforced"] {
        for check in ["mfa-all-users", "mfa-admins", "legacy-authentication", "device-code-flow"] {
            let found = titles(check, tenant(&[], &[policy("lockdown", state, &json!({}), &any(&["block"]))]));
            assert!(!found.is_empty() && !found.iter().any(|title| title.contains("lockdown")), "{check}: {found:?}");
        }
    }
}

#[test]
fn what_is_turned_on_leaves_emergency_access_alone_and_names_nobody_who_is_gone() {
    let users = json!({"includeUsers": ["All"], "excludeUsers": [GONE]});
    let legacy = json!({"clientAppTypes": ["exchangeActiveSync", "other"], "users": users});
    let off = policy("legacy", "enabledForReportingButNotEnforced", &legacy, &any(&["block"]));
    let body = body("legacy-authentication", tenant(&[], &[off]), "Turn on legacy");
    assert_eq!((&body["state"], &body["conditions"]["users"]["excludeUsers"]), (&json!("enabled"), &json!(["bg"])));
}

/// An app of Microsoft's works in a tenant that holds no service principal of it.
#[test]
fn an_app_that_the_tenant_does_not_hold_is_no_dangling_reference() {
    let apps = json!({"applications": {"includeApplications": [APP_AZURE_MANAGEMENT], "excludeApplications": [GONE]}});
    let mut snapshot = tenant(&[], &[policy("p", "enabled", &apps, &any(&["mfa"]))]);
    snapshot.readings.insert(Kind::ServicePrincipals, Reading::Complete { count: 0 });
    assert_eq!(titles("dangling-references", snapshot), [""; 0]);
}

#[test]
fn what_would_lock_every_administrator_out_is_not_offered() {
    let snapshot = tenant(&[], &[policy("p", "enabled", &json!({}), &any(&["mfa"]))]);
    let blocked = policy("p", "enabled", &json!({}), &any(&["block"]));
    let own = snapshot.policies.first().unwrap().clone();
    let edit = hand_over::edit_policy(&own, Vec::new(), &json!({"grantControls": blocked["grantControls"]}));
    let finding = Finding {
        check: "mfa-all-users",
        verdict: Verdict::Fail,
        facts: Vec::new(),
        not_checked: Vec::new(),
        cures: vec![Cure::new("p", "Block".to_owned(), CureAction::HandOver(Box::new(edit)))],
    };
    let (model, thresholds) = (Model::new(Arc::new(snapshot)), BTreeMap::new());
    let context =
        Context { model: &model, hash: "h", now: jiff::Timestamp::UNIX_EPOCH, thresholds: &thresholds, rows: 50 };
    let finding = edits::harmless(finding, &context);
    assert!(finding.cures.is_empty() && finding.not_checked[0].contains("no administrator"), "{finding:#?}");
}

#[test]
fn of_several_controls_those_stay_that_are_enough_and_can_be_met() {
    let either = |controls: &[&str]| tenant(&[], &[policy("p", "enabled", &json!({}), &any(controls))]);
    let asked =
        body("mfa-all-users", either(&["mfa", "domainJoinedDevice"]), "Require multifactor authentication in p");
    assert_eq!(asked["grantControls"]["builtInControls"], json!(["mfa"]));
    // Nobody is known to have a compliant device, and nobody has both kinds.
    let found = titles("compliance-per-platform", either(&["compliantDevice", "domainJoinedDevice"]));
    assert_eq!(found, ["Require a compliant device on Windows, macOS, iOS and Android"]);
}

#[test]
fn a_group_that_something_else_hangs_on_is_not_emptied() {
    let without = json!({"users": {"includeUsers": ["All"], "excludeUsers": ["bg"], "excludeGroups": ["staff"]}});
    let of_staff = json!({"users": {"includeGroups": ["staff"], "excludeUsers": ["bg"]}});
    let mfa = policy("mfa", "enabled", &without, &any(&["mfa"]));
    let device = policy("device", "enabled", &of_staff, &any(&["compliantDevice"]));
    let staff: &[(&str, &[&str])] = &[("staff", &["bob", "cid"])];
    for check in ["mfa-all-users", "exclusions-without-fallback"] {
        for policies in [vec![mfa.clone(), device.clone()], vec![mfa.clone()]] {
            if check == "exclusions-without-fallback" && policies.len() == 2 {
                continue;
            }
            let edit = body(check, tenant(staff, &policies), "Take staff out of the exclusions of mfa");
            assert_eq!(edit["conditions"]["users"]["excludeGroups"], json!([]), "{check}");
        }
    }
    let two = policy("two", "enabled", &without, &any(&["mfa"]));
    assert_eq!(titles("mfa-all-users", tenant(staff, &[mfa, two])), ["Take 2 accounts out of staff"]);
}

/// Whoever is covered otherwise stays excluded: by name where the group is for other ends too, as far as anybody knows.
#[test]
fn a_group_that_is_not_called_an_exclusion_keeps_its_members() {
    for (group, title) in [
        ("staff", "Take staff out of the exclusions of mfa, but for 1 by name"),
        ("mfa-excl", "Take 1 account out of mfa-excl"),
    ] {
        let without = json!({"users": {"includeUsers": ["All"], "excludeUsers": ["bg"], "excludeGroups": [group]}});
        let of_cid = json!({"users": {"includeUsers": ["cid"]}});
        let policies =
            [policy("mfa", "enabled", &without, &any(&["mfa"])), policy("own", "enabled", &of_cid, &any(&["mfa"]))];
        let cures = offered("mfa-all-users", tenant(&[(group, &["bob", "cid"])], &policies));
        let [Cure { title: offered, action: CureAction::HandOver(change), .. }] = &cures[..] else {
            panic!("{cures:#?}")
        };
        assert_eq!(offered, title);
        let excluded = change.request.as_ref().map(|(_, _, body)| body["conditions"]["users"]["excludeUsers"].clone());
        assert_eq!(excluded, (group == "staff").then(|| json!(["bg", "cid"])));
    }
}

#[test]
fn memberships_end_where_they_are() {
    let groups: &[(&str, &[&str])] =
        &[("excluded", &["ann", "team", "mixed"]), ("team", &["bob"]), ("mixed", &["cid", "bg"])];
    let leave = |policies: &[Value]| {
        let snapshot = tenant(groups, policies);
        let group = snapshot.directory.groups.get("excluded").unwrap().clone();
        let all = ["ann", "bob", "cid"].iter().filter_map(|id| snapshot.directory.user_index(id)).collect();
        hand_over::leave_group(&group, &all, &snapshot)
    };
    let pair = |group: &str, member: &str| (group.to_owned(), member.to_owned());
    let change = leave(&[]);
    assert_eq!(change.memberships, [pair("excluded", "ann"), pair("excluded", "team"), pair("mixed", "cid")]);
    assert!(change.changes[0].2.contains("team (1 member) no longer in it; mixed left by"), "{:?}", change.changes);
    let needed = json!({"users": {"includeGroups": ["mixed"]}});
    let change = leave(&[policy("p", "enabled", &needed, &any(&["mfa"]))]);
    assert_eq!((change.memberships.len(), change.powershell.as_str()), (0, ""));
}

#[test]
fn an_edit_of_a_policy_does_what_it_can_before_another_is_drafted() {
    let with = |session: &Value, more: &Value, grant: &Value| {
        let mut one = policy("p", "enabled", more, grant);
        one["sessionControls"] = session.clone();
        tenant(&[], &[one])
    };
    let hours = |hours: u32| json!({"signInFrequency": {"isEnabled": true, "type": "hours", "value": hours, "frequencyInterval": "timeBased"}});
    let unmanaged = json!({"devices": {"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True -or device.trustType -eq \"ServerAD\""}}});
    let found = titles("sign-in-frequency-unmanaged", with(&hours(48), &unmanaged, &Value::Null));
    assert_eq!(found, ["Set the sign-in frequency to 24 hours in p"]);
    // More often than is wanted elsewhere isn't asked of everybody.
    let found = titles("sign-in-frequency-unmanaged", with(&hours(48), &json!({}), &Value::Null));
    assert_eq!(found, ["Ask for a sign-in every day on unmanaged devices"]);
    let risky = |levels: &[&str]| json!({"signInRiskLevels": levels});
    let every = json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": "everyTime"}});
    let found = titles("sign-in-risk", with(&Value::Null, &risky(&["high", "medium"]), &any(&["mfa"])));
    assert_eq!(found, ["Set the sign-in frequency to every time in p"]);
    let found = titles("sign-in-risk", with(&every, &risky(&["high"]), &any(&["mfa"])));
    assert_eq!(found, ["Take medium risk into p"]);
    let found = titles("sign-in-risk", with(&every, &risky(&["high"]), &any(&["block"])));
    assert_eq!(found, ["Require MFA at medium and high sign-in risk"], "a block isn't widened for MFA");
}

#[test]
fn guests_are_taken_in_again_and_the_body_says_so() {
    let guests = json!({"guestOrExternalUserTypes": "b2bDirectConnectUser,serviceProvider",
        "externalTenants": {"membershipKind": "all"}});
    let users =
        json!({"users": {"includeUsers": ["All"], "excludeUsers": ["bg"], "excludeGuestsOrExternalUsers": guests}});
    let edit =
        body("mfa-all-users", tenant(&[], &[policy("p", "enabled", &users, &any(&["mfa"]))]), "Take guests into p");
    assert_eq!(edit["conditions"]["users"].get("excludeGuestsOrExternalUsers"), Some(&Value::Null));
}

#[test]
fn checks_agree_about_rights_management() {
    let devices = any(&["compliantDevice", "domainJoinedDevice"]);
    let apps =
        json!({"applications": {"includeApplications": ["All"], "excludeApplications": [APP_RIGHTS_MANAGEMENT]}});
    let types = "b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider";
    let guests = json!({"guestOrExternalUserTypes": types, "externalTenants": {"membershipKind": "all"}});
    let users =
        json!({"users": {"includeUsers": ["All"], "excludeUsers": ["bg"], "excludeGuestsOrExternalUsers": guests}});
    for conditions in [apps, users] {
        let one = || tenant(&[], &[policy("p", "enabled", &conditions, &devices)]);
        for check in ["managed-devices", "rights-management"] {
            assert_eq!(titles(check, one()), [""; 0], "{check}: {conditions}");
        }
        let against = titles("mfa-or-managed-device", one()).into_iter().any(|title| title.contains("exclusions of p"));
        assert!(!against, "{conditions}");
    }
}
