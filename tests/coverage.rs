//! Coverage of requirements: each trap that other tools fall into, and agreement with plain enumeration.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis::engine::{Coverage, Model, Reason, Requirement, Scope};
use portcullis::tenant::builder::SnapshotBuilder;
use portcullis::tenant::policy::{ClientAppType, RiskLevel};
use portcullis::tenant::read::{
    read_group, read_named_location, read_policy, read_role_assignment, read_service_principal, read_strength,
    read_user,
};
use portcullis::tenant::{Kind, Reading};
use serde_json::{Value, json};

#[path = "coverage/homes.rs"]
mod homes;
#[path = "coverage/kinds.rs"]
mod kinds;
#[path = "coverage/many.rs"]
mod many;
#[path = "coverage/needless.rs"]
mod needless;
#[path = "coverage/trusted.rs"]
mod trusted;
#[path = "coverage/unreal.rs"]
mod unreal;
#[path = "coverage/workloads.rs"]
mod workloads;

/// A tenant of three members and a guest, `staff` and `out` as groups, two apps, `hq` as a trusted location.
fn tenant(policies: &[Value]) -> Model {
    let mut builder = SnapshotBuilder::default();
    for kind in [Kind::Users, Kind::Groups, Kind::RoleAssignments, Kind::ServicePrincipals, Kind::NamedLocations] {
        builder.reading(kind, Reading::Complete { count: 0 });
    }
    for (id, kind, enabled) in
        [("u-1", "Member", true), ("u-2", "Member", true), ("u-3", "Member", true), ("u-4", "Member", false)]
    {
        builder.user(read_user(&json!({"id": id, "userType": kind, "accountEnabled": enabled})).unwrap());
    }
    let guest = json!({"id": "u-9", "userType": "Guest", "accountEnabled": true, "creationType": "Invitation", "externalUserState": "Accepted"});
    builder.user(read_user(&guest).unwrap());
    builder.group(read_group(&json!({"id": "g-out", "displayName": "out", "members": ["u-3"]})).unwrap());
    builder.group(read_group(&json!({"id": "g-staff", "displayName": "staff", "members": ["u-1", "u-2"]})).unwrap());
    let admin = json!({"principalId": "u-1", "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10", "directoryScopeId": "/"});
    builder.role_assignment(read_role_assignment(&admin).unwrap());
    for (id, app) in [("sp-1", "app-1"), ("sp-2", "app-2")] {
        builder
            .service_principal(read_service_principal(&json!({"id": id, "appId": app, "displayName": app})).unwrap());
    }
    let hq = json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "l-hq", "displayName": "Head office", "isTrusted": true, "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}]});
    builder.location(read_named_location(&hq).unwrap());
    policies.iter().for_each(|policy| builder.policy(read_policy(policy).unwrap()));
    Model::new(Arc::new(builder.build()))
}

/// A policy that is On for all users and all apps, with these members of `conditions` and these controls.
fn policy(id: &str, conditions: Value, grant: Value) -> Value {
    let mut all = json!({"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"]});
    for (name, value) in conditions.as_object().unwrap() {
        all[name] = value.clone();
    }
    json!({"id": id, "displayName": id, "state": "enabled", "conditions": all, "grantControls": grant})
}

fn one_of(controls: &[&str]) -> Value {
    json!({"operator": "OR", "builtInControls": controls})
}

fn all_of(controls: &[&str]) -> Value {
    json!({"operator": "AND", "builtInControls": controls})
}

fn strength(id: &str) -> Value {
    json!({"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": id}})
}

fn covered(requirement: &Requirement, scope: &Scope, policies: &[Value]) -> bool {
    let coverage = tenant(policies).coverage(requirement, scope);
    assert_eq!(
        coverage.gaps().is_empty(),
        coverage.uncovered.is_empty() && coverage.undecided.is_empty() && coverage.gaps().is_empty()
    );
    coverage.gaps().is_empty()
}

fn reasons(coverage: &Coverage) -> Vec<(Option<&str>, &Reason)> {
    coverage
        .gaps()
        .iter()
        .flat_map(|gap| gap.causes.iter())
        .map(|cause| (cause.policy_id.as_deref(), &cause.reason))
        .collect()
}

fn legacy() -> Scope {
    Scope { client_apps: [ClientAppType::ExchangeActiveSync, ClientAppType::Other].into(), ..Scope::default() }
}

#[test]
fn no_policies_at_all_is_a_gap_for_everybody() {
    let model = tenant(&[]);
    let coverage = model.coverage(&Requirement::Mfa, &Scope::default());
    assert_eq!(coverage.uncovered, model.default_users());
    assert_eq!(coverage.uncovered.len(), 4, "disabled accounts aren't counted");
    assert_eq!(reasons(&coverage), [(None, &Reason::NoPolicy)]);
    assert!(coverage.gaps()[0].any_app && coverage.gaps()[0].conditions.is_empty() && coverage.gaps()[0].sure);
}

#[test]
fn mfa_for_all_covers_everybody() {
    assert!(covered(&Requirement::Mfa, &Scope::default(), &[policy("mfa", json!({}), one_of(&["mfa"]))]));
    assert!(covered(
        &Requirement::Mfa,
        &Scope::default(),
        &[policy("mfa", json!({}), all_of(&["mfa", "compliantDevice"]))]
    ));
}

#[test]
fn mfa_only_in_some_circumstances_is_not_mfa_for_all() {
    for narrow in [
        json!({"signInRiskLevels": ["high"]}),
        json!({"userRiskLevels": ["high"]}),
        json!({"platforms": {"includePlatforms": ["iOS"]}}),
        json!({"locations": {"includeLocations": ["l-hq"]}}),
        json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}}),
        json!({"clientAppTypes": ["browser"]}),
        json!({"devices": {"deviceFilter": {"mode": "include", "rule": "device.isCompliant -eq True"}}}),
        json!({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}}),
        json!({"insiderRiskLevels": "elevated"}),
    ] {
        let coverage =
            tenant(&[policy("mfa", narrow.clone(), one_of(&["mfa"]))]).coverage(&Requirement::Mfa, &Scope::default());
        assert_eq!(coverage.uncovered.len(), 4, "{narrow}");
        assert!(
            matches!(reasons(&coverage)[..], [(Some("mfa"), Reason::NarrowerConditions(_))]),
            "{narrow}: {coverage:?}"
        );
    }
}

#[test]
fn mfa_or_a_compliant_device_does_not_guarantee_mfa() {
    let coverage = tenant(&[policy("either", json!({}), one_of(&["mfa", "compliantDevice"]))])
        .coverage(&Requirement::Mfa, &Scope::default());
    let weaker = Reason::WeakerControl(vec!["compliantDevice".into()]);
    // The enrolment of devices is spared from it besides.
    let told: BTreeSet<_> = reasons(&coverage).into_iter().map(|(policy, why)| (policy, why.clone())).collect();
    assert_eq!(told, BTreeSet::from([(Some("either"), weaker), (Some("either"), Reason::SparedApp)]));
    assert!(!covered(
        &Requirement::ManagedDevice,
        &Scope::default(),
        &[policy("either", json!({}), one_of(&["mfa", "compliantDevice"]))]
    ));
}

#[test]
fn legacy_blocked_on_linux_only_is_not_blocked() {
    let linux =
        json!({"clientAppTypes": ["exchangeActiveSync", "other"], "platforms": {"includePlatforms": ["linux"]}});
    assert!(!covered(&Requirement::Block, &legacy(), &[policy("linux", linux, one_of(&["block"]))]));
}

#[test]
fn a_legacy_block_in_two_policies_is_a_block() {
    let half = |id: &str, client: &str| policy(id, json!({"clientAppTypes": [client]}), one_of(&["block"]));
    assert!(covered(&Requirement::Block, &legacy(), &[half("eas", "exchangeActiveSync"), half("other", "other")]));
    assert!(!covered(&Requirement::Block, &legacy(), &[half("eas", "exchangeActiveSync")]));
}

#[test]
fn a_block_of_everything_blocks_legacy_too() {
    assert!(covered(&Requirement::Block, &legacy(), &[policy("all", json!({}), one_of(&["block"]))]));
}

#[test]
fn mfa_that_a_legacy_client_cannot_do_is_a_block_and_said_so() {
    let model = tenant(&[policy("mfa", json!({}), one_of(&["mfa"]))]);
    let coverage = model.coverage(&Requirement::Block, &legacy());
    assert!(coverage.gaps().is_empty());
    assert!(coverage.acts_as_block.contains("mfa"));
}

#[test]
fn user_risk_and_sign_in_risk_in_one_policy_must_both_hold() {
    let at_high_user_risk = Scope {
        user_risk: [RiskLevel::High].into(),
        sign_in_risk: [RiskLevel::None, RiskLevel::Low, RiskLevel::Medium, RiskLevel::High].into(),
        users: Some([0, 1, 2].into_iter().collect()),
        ..Scope::default()
    };
    let both = policy("both", json!({"userRiskLevels": ["high"], "signInRiskLevels": ["low"]}), one_of(&["block"]));
    let coverage = tenant(std::slice::from_ref(&both)).coverage(&Requirement::Block, &at_high_user_risk);
    assert_eq!(coverage.uncovered.len(), 3);
    let one = policy("one", json!({"userRiskLevels": ["high"]}), one_of(&["block"]));
    assert!(covered(&Requirement::Block, &at_high_user_risk, &[one]));
}

#[test]
fn both_flows_in_one_string_block_device_code_flow() {
    use portcullis::tenant::policy::TransferMethod;
    let scope = Scope { flows: [TransferMethod::DeviceCodeFlow].into(), ..Scope::default() };
    let flows = json!({"authenticationFlows": {"transferMethods": "deviceCodeFlow,authenticationTransfer"}});
    assert!(covered(&Requirement::Block, &scope, &[policy("flows", flows, one_of(&["block"]))]));
    assert!(!covered(&Requirement::Block, &scope, &[]));
}

#[test]
fn a_compliant_device_alone_is_stricter_than_a_managed_one() {
    assert!(covered(
        &Requirement::ManagedDevice,
        &Scope::default(),
        &[policy("device", json!({}), one_of(&["compliantDevice"]))]
    ));
    assert!(!covered(
        &Requirement::CompliantDevice,
        &Scope::default(),
        &[policy("device", json!({}), one_of(&["compliantDevice", "domainJoinedDevice"]))]
    ));
}

#[test]
fn mfa_by_strength_counts_and_mfa_is_not_phishing_resistant() {
    let mfa = policy("strength", json!({}), strength("00000000-0000-0000-0000-000000000002"));
    assert!(covered(&Requirement::Mfa, &Scope::default(), std::slice::from_ref(&mfa)));
    assert!(!covered(&Requirement::PhishingResistantMfa, &Scope::default(), &[mfa]));
    let resistant = policy("strength", json!({}), strength("00000000-0000-0000-0000-000000000004"));
    assert!(covered(&Requirement::PhishingResistantMfa, &Scope::default(), std::slice::from_ref(&resistant)));
    assert!(covered(&Requirement::Mfa, &Scope::default(), &[resistant]));
}

#[test]
fn an_excluded_group_is_a_gap_with_its_path() {
    let users = json!({"users": {"includeUsers": ["All"], "excludeGroups": ["g-out"]}});
    let coverage = tenant(&[policy("mfa", users, one_of(&["mfa"]))]).coverage(&Requirement::Mfa, &Scope::default());
    assert_eq!(coverage.uncovered.iter().collect::<Vec<_>>(), [2]);
    assert_eq!(reasons(&coverage), [(Some("mfa"), &Reason::ExcludedGroup("g-out".into()))]);
}

#[test]
fn an_excluded_app_is_a_gap() {
    let apps = json!({"applications": {"includeApplications": ["All"], "excludeApplications": ["app-2"]}});
    let coverage = tenant(&[policy("mfa", apps, one_of(&["mfa"]))]).coverage(&Requirement::Mfa, &Scope::default());
    let gap = &coverage.gaps()[0];
    assert_eq!((gap.users.len(), gap.any_app), (4, false));
    assert_eq!(gap.apps.iter().collect::<Vec<_>>(), ["app-2"]);
    assert_eq!(gap.causes[0].reason, Reason::ExcludedApp);
    assert!(coverage.gaps().iter().any(|gap| !gap.sure), "requests for baseline scopes hang on the tenant's setting");
}

#[test]
fn phishing_resistance_for_one_user_does_not_cover_the_admins() {
    let admins = |model: &Model| {
        model.role_holders("62e90394-69f5-4237-9190-012177145e10", portcullis::tenant::Assignment::Active)
    };
    let one = json!({"users": {"includeUsers": ["u-2"]}});
    let model = tenant(&[policy("one", one, strength("00000000-0000-0000-0000-000000000004"))]);
    let scope = Scope { users: admins(&model), ..Scope::default() };
    let coverage = model.coverage(&Requirement::PhishingResistantMfa, &scope);
    assert_eq!(coverage.uncovered.iter().collect::<Vec<_>>(), [0]);
    assert_eq!(reasons(&coverage), [(Some("one"), &Reason::UsersNotIncluded)]);
}

#[test]
fn hybrid_join_or_mfa_does_not_require_a_managed_device() {
    assert!(!covered(
        &Requirement::ManagedDevice,
        &Scope::default(),
        &[policy("either", json!({}), one_of(&["domainJoinedDevice", "mfa"]))]
    ));
}

#[test]
fn an_authentication_context_is_asked_for_instead_of_an_app() {
    let at = |id: &str| Scope { authentication_context: Some(id.to_owned()), ..Scope::default() };
    let context = json!({"includeAuthenticationContextClassReferences": ["c1"]});
    let users = json!({"includeUsers": ["All"], "excludeGroups": ["g-out"]});
    let narrowed = policy("context", json!({"applications": context, "users": users}), one_of(&["mfa"]));
    let model = tenant(&[narrowed, policy("mfa", json!({}), one_of(&["mfa"]))]);
    let asked = model.coverage(&Requirement::Mfa, &at("c1"));
    assert_eq!(asked.uncovered.iter().collect::<Vec<_>>(), [2]);
    assert!(asked.gaps()[0].causes.iter().any(|cause| cause.reason == Reason::ExcludedGroup("g-out".into())));
    assert_eq!(model.coverage(&Requirement::AnyPolicy, &at("c2")).uncovered.len(), 4);
}

#[test]
fn a_context_is_asked_for_on_top_of_a_resource() {
    let scope = |on_resources| Scope {
        authentication_context: Some("c1".to_owned()),
        context_on_resources: on_resources,
        ..Scope::default()
    };
    let context = json!({"includeAuthenticationContextClassReferences": ["c1"]});
    let guests = json!({"includeUsers": ["GuestsOrExternalUsers"]});
    let of_guests = policy("guests", json!({"applications": context, "users": guests}), one_of(&["mfa"]));
    let members = |applications: Value| {
        let users = json!({"includeUsers": ["All"], "excludeUsers": ["GuestsOrExternalUsers"]});
        policy("members", json!({"applications": applications, "users": users}), one_of(&["mfa"]))
    };
    let all = members(json!({"includeApplications": ["All"]}));
    assert!(covered(&Requirement::Mfa, &scope(true), &[of_guests.clone(), all.clone()]));
    assert!(!covered(&Requirement::Mfa, &scope(false), &[of_guests.clone(), all]));
    let but_one = members(json!({"includeApplications": ["All"], "excludeApplications": ["app-2"]}));
    let coverage = tenant(&[of_guests, but_one]).coverage(&Requirement::Mfa, &scope(true));
    let [gap] = coverage.gaps() else { panic!("{:?}", coverage.gaps()) };
    assert!(gap.apps.iter().eq(["app-2"]) && !gap.any_app && gap.others.is_empty(), "{gap:?}");
    assert_eq!(gap.causes[0].reason, Reason::ExcludedApp);
    assert_eq!(coverage.uncovered.iter().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn a_method_that_is_not_known_leaves_a_strength_open() {
    let coverage = |combinations: &[&str], satisfied: &str, wanted: &Requirement| {
        let mut snapshot = tenant(&[policy("one", json!({}), strength("s"))]).snapshot.as_ref().clone();
        let body = json!({"id": "s", "displayName": "New", "allowedCombinations": combinations,
            "requirementsSatisfied": satisfied});
        snapshot.strengths.insert("s".into(), read_strength(&body).unwrap());
        Model::new(Arc::new(snapshot)).coverage(wanted, &Scope::default())
    };
    let met = |coverage: &Coverage| (coverage.uncovered.is_empty(), coverage.undecided.is_empty());
    let new = ["fido2", "unknownFutureValue"];
    let open = coverage(&new, "none", &Requirement::PhishingResistantMfa);
    assert_eq!(met(&open), (true, false));
    let what = "what unknownFutureValue is, which the authentication strength New allows";
    assert!(open.unresolved.contains(what), "{:?}", open.unresolved);
    assert_eq!(met(&coverage(&new, "none", &Requirement::Mfa)), (true, false));
    assert_eq!(met(&coverage(&new, "mfa", &Requirement::Mfa)), (true, true));
    let with_a_password = ["password", "unknownFutureValue"];
    assert_eq!(met(&coverage(&with_a_password, "mfa", &Requirement::Mfa)), (false, true));
}

#[test]
fn where_guests_come_from_is_not_known_of_users() {
    let of = |tenants: &str| {
        json!({"guestOrExternalUserTypes": "b2bCollaborationGuest", "externalTenants": {
            "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants", "membershipKind": "enumerated",
            "members": [tenants]}})
    };
    let users = json!({"includeUsers": ["All"], "excludeGuestsOrExternalUsers": of("t-1")});
    let coverage = tenant(&[policy("mfa", json!({"users": users}), one_of(&["mfa"]))])
        .coverage(&Requirement::Mfa, &Scope::default());
    assert_eq!(coverage.undecided.iter().collect::<Vec<_>>(), [4]);
    let open: Vec<&str> = coverage.unresolved.iter().map(String::as_str).collect();
    assert_eq!(open, ["which organisations the guests come from (signIns.jsonl with rows of theirs would settle it)"]);
    let gap = coverage.gaps_of(&coverage.undecided).into_iter().find(|gap| gap.users.contains(4)).unwrap();
    assert_eq!(gap.causes[0].reason, Reason::Undecided(open[0].to_owned()));
}

#[test]
fn registration_with_a_compliant_device_or_mfa_does_not_require_the_device() {
    let scope = Scope { user_action: Some("urn:user:registersecurityinfo".into()), ..Scope::default() };
    let action = json!({"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}});
    assert!(!covered(
        &Requirement::ManagedDevice,
        &scope,
        &[policy("either", action.clone(), one_of(&["compliantDevice", "mfa"]))]
    ));
    assert!(covered(&Requirement::ManagedDevice, &scope, &[policy("device", action, one_of(&["compliantDevice"]))]));
}

#[test]
fn unknown_platforms_blocked_for_one_user_are_not_blocked() {
    use portcullis::tenant::policy::Platform;
    let scope = Scope { platforms: [Platform::All].into(), ..Scope::default() };
    let rest =
        json!({"includePlatforms": ["all"], "excludePlatforms": ["android", "iOS", "windows", "macOS", "linux"]});
    let one = policy("one", json!({"platforms": rest, "users": {"includeUsers": ["u-1"]}}), one_of(&["block"]));
    assert!(!covered(&Requirement::Block, &scope, &[one]));
    assert!(covered(&Requirement::Block, &scope, &[policy("all", json!({"platforms": rest}), one_of(&["block"]))]));
}

#[test]
fn terms_of_use_are_no_compensation_for_an_exclusion() {
    let excluded =
        policy("mfa", json!({"users": {"includeUsers": ["All"], "excludeUsers": ["u-2"]}}), one_of(&["mfa"]));
    let terms = policy(
        "terms",
        json!({"users": {"includeUsers": ["u-2"]}}),
        json!({"operator": "OR", "builtInControls": [], "termsOfUse": ["t-1"]}),
    );
    let coverage = tenant(&[excluded, terms]).coverage(&Requirement::Mfa, &Scope::default());
    assert_eq!(coverage.uncovered.iter().collect::<Vec<_>>(), [1]);
    assert_eq!(coverage.gaps()[0].causes[0].reason, Reason::ExcludedUser);
}

#[test]
fn report_only_and_off_never_count_but_are_causes() {
    let mut report_only = policy("mfa", json!({}), one_of(&["mfa"]));
    report_only["state"] = json!("enabledForReportingButNotEnforced");
    let coverage = tenant(std::slice::from_ref(&report_only)).coverage(&Requirement::Mfa, &Scope::default());
    assert_eq!(coverage.uncovered.len(), 4);
    assert_eq!(reasons(&coverage), [(Some("mfa"), &Reason::ReportOnly)]);
    report_only["state"] = json!("disabled");
    let coverage = tenant(&[report_only]).coverage(&Requirement::Mfa, &Scope::default());
    assert_eq!(reasons(&coverage), [(Some("mfa"), &Reason::Off)]);
}

#[test]
fn two_halves_of_the_platforms_add_up() {
    let half = |id: &str, include: &[&str], exclude: &[&str]| {
        policy(id, json!({"platforms": {"includePlatforms": include, "excludePlatforms": exclude}}), one_of(&["mfa"]))
    };
    let both = [half("named", &["windows", "macOS"], &[]), half("rest", &["all"], &["windows", "macOS"])];
    assert!(covered(&Requirement::Mfa, &Scope::default(), &both));
}

#[test]
fn a_compliant_device_meets_the_requirement_while_the_others_are_blocked() {
    let filter = json!({"devices": {"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}}, "clientAppTypes": ["browser", "mobileAppsAndDesktopClients"]});
    let modern = Scope {
        client_apps: [ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients].into(),
        ..Scope::default()
    };
    let block = policy("block", filter, one_of(&["block"]));
    assert!(covered(&Requirement::CompliantDevice, &modern, std::slice::from_ref(&block)));
    assert!(!covered(&Requirement::Mfa, &modern, &[block]));
}

#[test]
fn an_exclusion_that_cannot_be_resolved_is_never_a_pass() {
    let policy = policy("mfa", json!({"users": {"includeUsers": ["All"], "excludeGroups": ["g-1"]}}), one_of(&["mfa"]));
    let mut builder = SnapshotBuilder::default();
    builder.policy(read_policy(&policy).unwrap());
    let coverage = Model::new(Arc::new(builder.build())).coverage(&Requirement::Mfa, &Scope::default());
    assert!(!coverage.gaps().is_empty() && coverage.gaps().iter().all(|gap| !gap.sure), "{coverage:?}");
    assert_eq!(coverage.unresolved.iter().collect::<Vec<_>>(), ["members of group g-1 (groups.json would settle it)"]);

    let mut builder = SnapshotBuilder::default();
    builder.policy(read_policy(&policy).unwrap());
    builder.snapshot.settings.emergency_access.insert("g-1".into());
    let coverage = Model::new(Arc::new(builder.build())).coverage(&Requirement::Mfa, &Scope::default());
    assert_eq!(coverage.gaps(), [], "all users without unresolved exclusions needs no directory");
}
