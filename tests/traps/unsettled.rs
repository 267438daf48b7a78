//! What isn't known never passes, what is stricter than required does, and causes say what stands in the way.

use super::*;

#[test]
fn what_hangs_on_something_unknown_is_never_a_pass() {
    let filter = mfa(json!({"devices": {"deviceFilter": {"mode": "include", "rule": "device.foo -eq"}}}));
    let word =
        mfa(json!({"applications": {"includeApplications": ["All"], "excludeApplications": ["AllThingsToCome"]}}));
    let unknown = strength("00000000-0000-0000-0000-000000000009", json!({}));
    let easy = block(json!({"clientAppTypes": ["other", "easSupported"]}));
    let cases = [
        ("mfa-all-users", filter, "Filter for devices of policy p"),
        ("mfa-all-users", word, "which apps belong to AllThingsToCome"),
        (
            "mfa-all-users",
            unknown,
            "what the authentication strength 00000000-0000-0000-0000-000000000009 of policy p allows",
        ),
        ("legacy-authentication", easy, "Client apps of policy p"),
    ];
    for (check, policy, cause) in cases {
        let finding = run(check, tenant(&[policy]).build());
        assert_eq!(finding.verdict, Verdict::Review, "{cause}");
        assert!(finding.not_checked.iter().any(|limit| limit.starts_with(cause)), "{:?}", finding.not_checked);
    }
}

#[test]
fn guests_who_have_no_account_yet_count_where_their_cover_is_unknown() {
    let members = json!({"users": {"includeUsers": ["All"], "excludeUsers": ["break-glass"],
        "excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": GUESTS}}});
    let guests = json!({"users": {"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": GUESTS}}});
    let of = |id: &str| [mfa(members.clone()), strength(id, guests.clone())];
    for check in ["mfa-all-users", "mfa-guests"] {
        assert_eq!(verdict(check, &of(STRENGTH_MFA)), Verdict::Pass, "{check}");
        assert_eq!(verdict(check, &of("00000000-0000-0000-0000-000000000009")), Verdict::Review, "{check}");
    }
}

const GUESTS: &str =
    "internalGuest,b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider";

#[test]
fn a_compliant_device_to_register_is_stricter_than_mfa() {
    let register = json!({"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}});
    assert_eq!(verdict("security-info-registration", &[policy(&["compliantDevice"], register)]), Verdict::Pass);
}

#[test]
fn signing_in_every_time_at_high_user_risk_is_a_remark() {
    let mut both = policy(&["mfa", "passwordChange"], json!({"userRiskLevels": ["high"]}));
    both["grantControls"]["operator"] = json!("AND");
    let finding = run("user-risk", tenant(&[both]).build());
    assert_eq!(finding.verdict, Verdict::Pass);
    assert!(finding.facts.iter().any(|fact| fact.key == "user_risk_every_time.remark"));
}

#[test]
fn administrators_who_sign_in_every_time_keep_no_browser_session() {
    let mut every_time = policy(&[], json!({}));
    every_time["grantControls"] = json!(null);
    every_time["sessionControls"] = json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": "everyTime"}});
    assert_eq!(verdict("sign-in-frequency-admins", &[every_time]), Verdict::Pass);
}

/// Keys of the facts of a failing check.
fn causes(check: &str, policies: &[Value]) -> Vec<String> {
    let mut tenant = tenant(policies);
    tenant.location(read_named_location(&location("office", true)).unwrap());
    let finding = run(check, tenant.build());
    assert_eq!(finding.verdict, Verdict::Fail);
    finding.facts.into_iter().map(|fact| fact.key).collect()
}

#[test]
fn a_narrower_block_is_named_as_the_cause() {
    let outside = json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]});
    let flow = block(json!({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}, "locations": outside}));
    assert!(causes("device-code-flow", &[flow]).contains(&"cause.narrower".to_owned()));
    let register = json!({"applications": {"includeUserActions": ["urn:user:registerdevice"]}, "locations": outside});
    assert!(causes("device-registration-mfa", &[mfa(register)]).contains(&"cause.narrower".to_owned()));
    // A block of something else explains nothing.
    let legacy = block(json!({"clientAppTypes": ["exchangeActiveSync", "other"]}));
    assert!(causes("device-code-flow", &[legacy]).contains(&"cause.no_policy".to_owned()));
}

#[test]
fn the_enrolment_that_microsoft_spares_is_no_gap() {
    let app = json!({"id": "sp-enrol", "appId": "d4ebce55-015a-49b5-a083-c84d1797ae8c", "displayName": "Microsoft Intune Enrollment", "servicePrincipalType": "Application", "signInAudience": "AzureADMultipleOrgs"});
    let enrolling = |policy: Value| {
        let mut tenant = tenant(&[policy]);
        tenant.service_principal(read_service_principal(&app).unwrap());
        run("apps-not-covered", tenant.build()).verdict
    };
    let either = |apps: Value| policy(&["mfa", "compliantDevice"], json!({"applications": apps}));
    assert_eq!(enrolling(either(json!({"includeApplications": ["All"]}))), Verdict::Pass);
    let excluded =
        json!({"includeApplications": ["All"], "excludeApplications": ["d4ebce55-015a-49b5-a083-c84d1797ae8c"]});
    assert_eq!(enrolling(either(excluded)), Verdict::Fail);
}

#[test]
fn a_draft_for_administrators_is_offered_where_nobody_knows_who_they_are() {
    let mut builder = SnapshotBuilder::default();
    builder.reading(Kind::Policies, Reading::Complete { count: 0 });
    let unread = run("mfa-admins", builder.build());
    // An empty list of definitions is no reason to doubt the roles that every tenant has.
    let mut empty = SnapshotBuilder::default();
    for kind in [Kind::Policies, Kind::RoleDefinitions] {
        empty.reading(kind, Reading::Complete { count: 0 });
    }
    for finding in [unread, run("mfa-admins", empty.build())] {
        offers_a_draft(&finding);
    }
}

/// Policies alone, without users, roles and locations.
fn policies_alone(policies: &[Value]) -> Snapshot {
    let mut builder = SnapshotBuilder::default();
    builder.reading(Kind::Policies, Reading::Complete { count: 1 });
    policies.iter().for_each(|policy| builder.policy(read_policy(policy).unwrap()));
    builder.build()
}

#[test]
fn without_users_those_who_authenticate_here_are_told_from_those_who_do_not() {
    let everybody = json!({"includeUsers": ["All"]});
    let risky = block(json!({"users": everybody, "userRiskLevels": ["high"]}));
    assert_eq!(run("user-risk-block", policies_alone(std::slice::from_ref(&risky))).verdict, Verdict::Pass);
    let mut members = risky;
    members["conditions"]["users"]["excludeGuestsOrExternalUsers"] = json!({"guestOrExternalUserTypes": GUESTS});
    let elsewhere =
        "b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider";
    assert_eq!(run("user-risk-block", policies_alone(std::slice::from_ref(&members))).verdict, Verdict::Fail);
    members["conditions"]["users"]["excludeGuestsOrExternalUsers"] = json!({"guestOrExternalUserTypes": elsewhere});
    assert_eq!(run("user-risk-block", policies_alone(&[members])).verdict, Verdict::Pass);
    offers_a_draft(&run("user-risk-block", policies_alone(&[])));
}

#[test]
fn without_roles_what_nobody_can_be_covered_by_is_a_gap() {
    let roles = json!({"includeRoles": [GLOBAL_ADMINISTRATOR]});
    let of = |with: Value| {
        let mut policy = strength(STRENGTH_RESISTANT, with);
        policy["conditions"]["users"] = roles.clone();
        run("phishing-resistant-admins", policies_alone(&[policy])).verdict
    };
    assert_eq!(of(json!({})), Verdict::Review);
    assert_eq!(of(json!({"platforms": {"includePlatforms": ["iOS"]}})), Verdict::Fail);
    let but_one =
        json!({"includeApplications": ["All"], "excludeApplications": ["797f4846-ba00-4fd7-ba43-dac1f8f63013"]});
    assert_eq!(of(json!({"applications": but_one})), Verdict::Fail);
}

fn offers_a_draft(finding: &Finding) {
    assert_eq!(finding.verdict, Verdict::Fail);
    assert!(finding.cures.iter().any(|cure| matches!(cure.action, CureAction::Draft(_))), "{:?}", finding.not_checked);
}

#[test]
fn a_longer_session_is_weaker_and_no_choice_of_controls() {
    let mut slow = policy(&[], json!({}));
    slow["grantControls"] = json!(null);
    slow["sessionControls"] = json!({"signInFrequency": {"isEnabled": true, "type": "hours", "value": 48}});
    let finding = run("sign-in-frequency-admins", tenant(&[slow]).build());
    let wording = portcullis::facts::Wording::new(jiff::tz::TimeZone::UTC).unwrap();
    let fact = finding.facts.iter().find(|fact| fact.key == "cause.weaker").unwrap();
    let said = wording.of(fact, portcullis::facts::Style::Full).unwrap();
    assert_eq!(said, "For 1 account p asks for something weaker: sign-in frequency of 2 days.");
}
