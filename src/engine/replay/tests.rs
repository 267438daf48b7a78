//! Drafts over small logs, row by row.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::tenant::read::{read_registration, read_sign_in, read_user};
use crate::tenant::{Kind, Reading, SnapshotBuilder, read_policy};

fn row(number: usize, changes: &Value) -> PastSignIn {
    let mut row = json!({"id": number.to_string(), "createdDateTime": "2026-11-20T10:00:00Z", "userId": "alice",
        "appDisplayName": "Teams", "resourceId": "r", "ipAddress": "203.0.113.1", "clientAppUsed": "Browser",
        "deviceDetail": {"operatingSystem": "Windows"}, "riskLevelDuringSignIn": "none", "originalTransferMethod": "none"});
    row.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    read_sign_in(&row).unwrap()
}

fn model(rows: &[Value]) -> Model {
    let mut builder = SnapshotBuilder::default();
    for kind in [Kind::Users, Kind::UserRegistrationDetails] {
        builder.reading(kind, Reading::Complete { count: 2 });
    }
    for id in ["alice", "bob"] {
        builder.user(read_user(&json!({"id": id})).unwrap());
    }
    for (id, capable) in [("alice", true), ("bob", false)] {
        builder.registration(read_registration(&json!({"id": id, "isMfaCapable": capable})).unwrap());
    }
    for (number, changes) in rows.iter().enumerate() {
        builder.sign_in(row(number, changes));
    }
    Model::new(Arc::new(builder.build()))
}

fn draft(conditions: &Value, controls: &[&str], operator: &str) -> Policy {
    let mut body = json!({"state": "disabled", "conditions": {"users": {"includeUsers": ["All"]},
        "applications": {"includeApplications": ["All"]}}, "grantControls": {"operator": operator, "builtInControls": controls}});
    body["conditions"].as_object_mut().unwrap().extend(conditions.as_object().unwrap().clone());
    read_policy(&body).unwrap()
}

fn mfa() -> Policy {
    draft(&json!({}), &["mfa"], "OR")
}

#[test]
fn who_did_mfa_goes_on_and_who_did_not_is_prompted() {
    let done = json!({"authenticationRequirement": "multiFactorAuthentication"});
    let impact = model(&[done, json!({}), json!({"userId": "bob"})]).impact(&mfa());
    assert_eq!((impact.total.success, impact.total.action_required), (1, 2));
    assert_eq!(impact.unable, BTreeMap::from([("bob".to_owned(), BTreeSet::from([Lack::MfaMethod]))]));
    assert_eq!(impact.prompted_users(), 2);
}

#[test]
fn a_legacy_client_is_blocked_by_what_it_cannot_do() {
    let impact = model(&[json!({"clientAppUsed": "IMAP4"})]).impact(&mfa());
    assert_eq!((impact.total.failure, impact.clients["IMAP4"].failure), (1, 1));
}

#[test]
fn who_would_have_been_prompted_by_a_client_that_is_not_told_may_have_been_blocked() {
    let impact = model(&[json!({"clientAppUsed": ""})]).impact(&mfa());
    assert_eq!((impact.total.unknown, impact.total.action_required), (1, 0));
}

#[test]
fn sign_ins_that_failed_or_never_got_there_are_not_counted() {
    let interrupted = json!({"correlationId": "c", "status": {"errorCode": 50074}});
    let completed = json!({"correlationId": "c"});
    let given_up = json!({"correlationId": "d", "status": {"errorCode": 50074}});
    let wrong_password = json!({"status": {"errorCode": 50126}});
    let impact = model(&[interrupted, completed, given_up, wrong_password]).impact(&mfa());
    assert_eq!((impact.rows, impact.total.total()), (4, 1));
    assert_eq!((impact.failed_anyway, impact.first_factor_failed), (1, 1));
}

#[test]
fn devices_decide_by_what_the_log_says() {
    let device = |value: Value| json!({"deviceDetail": value});
    let rows = [
        device(json!({"deviceId": "d", "isCompliant": true})),
        device(json!({"deviceId": "d", "isCompliant": false})),
        device(json!({"deviceId": "d"})),
        json!({}),
    ];
    let total = model(&rows).impact(&draft(&json!({}), &["compliantDevice"], "OR")).total;
    assert_eq!((total.success, total.failure, total.unknown), (1, 2, 1));
    let either = model(&rows).impact(&draft(&json!({}), &["compliantDevice", "mfa"], "OR")).total;
    assert_eq!((either.success, either.action_required), (1, 3));
    let both = model(&rows).impact(&draft(&json!({}), &["compliantDevice", "mfa"], "AND")).total;
    assert_eq!((both.action_required, both.failure, both.unknown), (1, 2, 1));
}

#[test]
fn what_the_log_lacks_is_counted_and_named() {
    let risky = draft(&json!({"userRiskLevels": ["high"]}), &["block"], "OR");
    let impact = model(&[json!({}), json!({})]).impact(&risky);
    assert_eq!(impact.total.unknown, 2);
    assert_eq!(impact.unknown_because, BTreeMap::from([("the user risk".to_owned(), 2)]));
    assert_eq!(impact.limits.len(), 2);
}

#[test]
fn service_principals_are_nobody_at_an_app_and_are_named_among_the_limits() {
    let principal = json!({"userId": "", "servicePrincipalId": "sp", "appDisplayName": "Backup"});
    let impact = model(&[json!({}), principal]).impact(&draft(&json!({}), &["block"], "OR"));
    assert_eq!((impact.rows, impact.without_user, impact.total.total(), impact.total.failure), (2, 1, 1, 1));
    assert!(!impact.apps.contains_key("Backup"));
    assert!(impact.limits.iter().any(|limit| limit.contains("service principals")), "{:?}", impact.limits);
}

#[test]
fn what_was_asked_for_besides_an_app_is_not_in_the_log() {
    for target in [
        json!({"includeUserActions": ["urn:user:registersecurityinfo"]}),
        json!({"includeAuthenticationContextClassReferences": ["c1"]}),
    ] {
        let impact = model(&[json!({})]).impact(&draft(&json!({"applications": target}), &["block"], "OR"));
        assert_eq!((impact.total.unknown, impact.total.not_applied), (1, 0));
        assert!(impact.limits.iter().any(|limit| limit.contains("authentication context")), "{:?}", impact.limits);
    }
}

#[test]
fn figures_add_up_by_user_app_client_and_day() {
    let only_bob = draft(&json!({"users": {"includeUsers": ["bob"]}}), &["block"], "OR");
    let later = json!({"userId": "bob", "createdDateTime": "2026-11-21T10:00:00Z", "appDisplayName": "Outlook"});
    let impact = model(&[json!({}), json!({"userId": "bob"}), later]).impact(&only_bob);
    assert_eq!((impact.total.not_applied, impact.total.failure), (1, 2));
    assert_eq!(impact.users.keys().collect::<Vec<_>>(), ["bob"]);
    assert_eq!(impact.apps.values().map(Tally::total).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(impact.days.values().map(Tally::total).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(impact.blocked_users(), 1);
}

#[test]
fn a_system_of_another_kind_is_the_unknown_platform() {
    let named = ["android", "iOS", "windows", "windowsPhone", "macOS", "linux"];
    let unknown = json!({"platforms": {"includePlatforms": ["all"], "excludePlatforms": named}});
    let on = |system: &str| json!({"deviceDetail": {"operatingSystem": system}});
    let total =
        model(&["FreeBSD", "ChromeOs", "", "Windows10"].map(on)).impact(&draft(&unknown, &["block"], "OR")).total;
    assert_eq!((total.failure, total.unknown, total.not_applied), (2, 1, 1));
}

#[test]
fn a_device_is_known_by_the_name_that_the_log_gives_it() {
    let workstations =
        json!({"devices": {"deviceFilter": {"mode": "exclude", "rule": "device.displayName -startsWith \"PAW\""}}});
    let named =
        |name: &str| json!({"deviceDetail": {"deviceId": "d", "displayName": name, "operatingSystem": "Windows"}});
    let rows = [named("PAW-1"), named("other"), json!({"deviceDetail": {"deviceId": "d"}})];
    let total = model(&rows).impact(&draft(&workstations, &["block"], "OR")).total;
    assert_eq!((total.not_applied, total.failure, total.unknown), (1, 1, 1));
}
