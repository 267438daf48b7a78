//! Sign-ins that there are none of, and places that nobody read: neither is a gap, and neither hides one.

use std::collections::BTreeSet;

use portcullis::engine::Condition;
use portcullis::tenant::policy::TransferMethod;
use portcullis::tenant::{CrossTenantAccess, InboundTrust, Snapshot};

use super::*;

const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const ENROLMENT: &str = "d4ebce55-015a-49b5-a083-c84d1797ae8c";

fn block(conditions: Value) -> Value {
    policy("block", conditions, one_of(&["block"]))
}

#[test]
fn exchange_active_sync_reaches_exchange_alone() {
    let other = policy("other", json!({"clientAppTypes": ["other"]}), one_of(&["block"]));
    let at =
        |app: &str| json!({"clientAppTypes": ["exchangeActiveSync"], "applications": {"includeApplications": [app]}});
    assert!(covered(&Requirement::Block, &legacy(), &[other.clone(), block(at(EXCHANGE))]));
    assert!(covered(&Requirement::Block, &legacy(), &[other.clone(), block(at("Office365"))]));
    let model = tenant(&[other, block(at("app-1"))]);
    let coverage = model.coverage(&Requirement::Block, &legacy());
    let [gap] = coverage.gaps() else { panic!("{:?}", coverage.gaps()) };
    assert!(gap.apps.iter().eq([EXCHANGE]) && !gap.any_app, "{gap:?}");
    assert_eq!(gap.conditions, [Condition::ClientApps([ClientAppType::ExchangeActiveSync].into())]);
    let [place] = &coverage.places()[..] else { panic!("{:?}", coverage.places()) };
    assert!(place.apps.iter().eq([EXCHANGE]), "{place:?}");
}

#[test]
fn what_is_open_everywhere_is_one_gap_and_one_place_though_exchange_stands_apart() {
    let coverage = tenant(&[]).coverage(&Requirement::Block, &legacy());
    let [gap] = coverage.gaps() else { panic!("{:?}", coverage.gaps()) };
    assert!(gap.any_app && gap.conditions.is_empty(), "{gap:?}");
    assert_eq!(coverage.places().len(), 1, "{:?}", coverage.places());
}

#[test]
fn what_is_open_to_legacy_clients_alone_is_one_place_at_exchange_and_elsewhere() {
    let only = |id: &str, client: &str| policy(id, json!({"clientAppTypes": [client]}), one_of(&["mfa"]));
    let modern = [only("browser", "browser"), only("modern", "mobileAppsAndDesktopClients")];
    let coverage = tenant(&modern).coverage(&Requirement::Mfa, &Scope::default());
    let [place] = &coverage.places()[..] else { panic!("{:?}", coverage.places()) };
    let legacy = [ClientAppType::ExchangeActiveSync, ClientAppType::Other];
    assert_eq!(place.conditions, [Condition::ClientApps(legacy.into())]);
    assert!(place.apps.is_empty(), "{place:?}");
}

#[test]
fn legacy_clients_show_no_device_so_unmanaged_ones_are_all_there_are() {
    let unmanaged = json!({"devices": {"deviceFilter": {"mode": "exclude",
        "rule": "device.isCompliant -eq True -or device.trustType -eq \"ServerAD\""}}});
    assert!(covered(&Requirement::ManagedDevice, &Scope::default(), &[block(unmanaged)]));
}

fn filtered(mode: &str, rule: &str) -> Value {
    json!({"devices": {"deviceFilter": {"mode": mode, "rule": rule}}})
}

#[test]
fn a_block_of_legacy_clients_that_leaves_out_registered_devices_leaves_out_none_of_them() {
    let legacy_only = |mode: &str| {
        let mut conditions = filtered(mode, "device.isCompliant -eq True");
        conditions["clientAppTypes"] = json!(["exchangeActiveSync", "other"]);
        block(conditions)
    };
    assert!(covered(&Requirement::Block, &legacy(), &[legacy_only("exclude")]));
    let coverage = tenant(&[legacy_only("include")]).coverage(&Requirement::Block, &legacy());
    let [gap] = coverage.gaps() else { panic!("{:?}", coverage.gaps()) };
    assert!(gap.any_app && gap.conditions.is_empty(), "{gap:?}");
    let narrower = Reason::NarrowerConditions(["Filter for devices"].into());
    assert_eq!(gap.causes.iter().map(|cause| &cause.reason).collect::<Vec<_>>(), [&narrower]);
}

#[test]
fn what_registered_devices_are_left_out_of_is_not_told_by_client() {
    let filter = filtered("exclude", "device.isCompliant -eq True");
    let coverage = tenant(&[policy("mfa", filter, one_of(&["mfa"]))]).coverage(&Requirement::Mfa, &Scope::default());
    let [gap] = coverage.gaps() else { panic!("{:?}", coverage.gaps()) };
    assert_eq!(gap.conditions, [Condition::Devices("compliant".into())]);
    let [place] = &coverage.places()[..] else { panic!("{:?}", coverage.places()) };
    assert_eq!(place.conditions, gap.conditions);
}

#[test]
fn a_managed_device_cannot_be_shown_in_device_code_flow() {
    let scope = |flow| Scope { flows: [flow].into(), ..Scope::default() };
    let by_code = scope(TransferMethod::DeviceCodeFlow);
    for control in ["compliantDevice", "domainJoinedDevice"] {
        let device = policy("device", json!({}), one_of(&[control]));
        let coverage = tenant(std::slice::from_ref(&device)).coverage(&Requirement::Block, &by_code);
        assert!(coverage.gaps().is_empty() && coverage.rests_on_acting(), "{control}: {:?}", coverage.gaps());
        assert_eq!(coverage.acts_as_block, ["device".to_owned()].into());
        let both = tenant(&[device.clone(), block(json!({}))]).coverage(&Requirement::Block, &by_code);
        assert!(!both.rests_on_acting());
        let transfer = scope(TransferMethod::AuthenticationTransfer);
        assert!(!covered(&Requirement::Block, &transfer, std::slice::from_ref(&device)));
        assert!(!covered(&Requirement::Block, &Scope::default(), &[device]));
    }
    let either = policy("either", json!({}), one_of(&["compliantDevice", "mfa"]));
    assert!(!covered(&Requirement::Block, &by_code, std::slice::from_ref(&either)));
    let scope = Scope { apps: Some(["app-1".to_owned()].into()), ..by_code };
    assert!(covered(&Requirement::Mfa, &scope, &[either]));
}

#[test]
fn guests_cannot_show_a_device_where_nobodys_is_trusted() {
    let trust = |compliant| InboundTrust { compliant_device: compliant, ..InboundTrust::default() };
    let apps = Some(["app-1".to_owned()].into());
    let guests = Scope { users: Some([4].into()), guest_types: BTreeSet::new(), apps, ..Scope::default() };
    let open = |cross_tenant: CrossTenantAccess, control: &str| {
        let device = policy("device", json!({}), one_of(&[control]));
        let snapshot = Snapshot { cross_tenant, ..(*tenant(&[device]).snapshot).clone() };
        Model::new(Arc::new(snapshot)).coverage(&Requirement::Mfa, &guests).uncovered.len()
    };
    let by_default = |compliant| CrossTenantAccess { default: Some(trust(compliant)), ..CrossTenantAccess::default() };
    assert_eq!(open(CrossTenantAccess::default(), "compliantDevice"), 1, "nobody read it");
    assert_eq!((open(by_default(false), "compliantDevice"), open(by_default(true), "compliantDevice")), (0, 1));
    assert_eq!(open(by_default(true), "domainJoinedDevice"), 0);
    let partner = CrossTenantAccess { partners: [("t-2".into(), Some(trust(true)))].into(), ..by_default(false) };
    assert_eq!(open(partner, "compliantDevice"), 1);
}

#[test]
fn the_flows_are_those_of_modern_clients() {
    let scope = Scope { flows: [TransferMethod::DeviceCodeFlow].into(), ..Scope::default() };
    let modern = json!({"clientAppTypes": ["browser", "mobileAppsAndDesktopClients"],
        "authenticationFlows": {"transferMethods": "deviceCodeFlow"}});
    assert!(covered(&Requirement::Block, &scope, &[block(modern.clone())]));
    let mut browser = modern;
    browser["clientAppTypes"] = json!(["browser"]);
    assert!(!covered(&Requirement::Block, &scope, &[block(browser)]));
}

#[test]
fn legacy_clients_register_no_security_information() {
    let scope = Scope { user_action: Some("urn:user:registersecurityinfo".into()), ..Scope::default() };
    let mut register = json!({"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]},
        "clientAppTypes": ["browser", "mobileAppsAndDesktopClients"]});
    assert!(covered(&Requirement::Mfa, &scope, &[policy("mfa", register.clone(), one_of(&["mfa"]))]));
    register["clientAppTypes"] = json!(["browser"]);
    assert!(!covered(&Requirement::Mfa, &scope, &[policy("mfa", register, one_of(&["mfa"]))]));
}

/// The same tenant where nobody read the named locations.
fn unread(policies: &[Value]) -> Model {
    let mut snapshot = (*tenant(policies).snapshot).clone();
    snapshot.locations.clear();
    snapshot.readings.remove(&Kind::NamedLocations);
    Model::new(Arc::new(snapshot))
}

#[test]
fn a_location_that_nobody_read_is_some_place_and_not_every_place() {
    let all_but = |id: &str| json!({"locations": {"includeLocations": ["All"], "excludeLocations": [id]}});
    let coverage = unread(&[block(all_but("l-home"))]).coverage(&Requirement::Mfa, &Scope::default());
    assert_eq!((coverage.uncovered.len(), coverage.undecided.len()), (4, 0));
    assert_eq!(coverage.gaps()[0].conditions, [Condition::Locations("named location l-home".into())]);
    let within = json!({"locations": {"includeLocations": ["l-home"]}});
    let both = [block(all_but("l-home")), policy("mfa", within, one_of(&["mfa"]))];
    assert!(unread(&both).coverage(&Requirement::Mfa, &Scope::default()).gaps().is_empty());
    // How two of them overlap isn't known.
    let two = [block(all_but("l-home")), policy("mfa", all_but("l-away"), one_of(&["mfa"]))];
    let coverage = unread(&two).coverage(&Requirement::Mfa, &Scope::default());
    assert_eq!((coverage.uncovered.len(), coverage.undecided.len()), (0, 4));
}

#[test]
fn outside_trusted_locations_is_outside_whatever_they_are() {
    let scope = Scope { untrusted_locations: true, ..Scope::default() };
    let outside = json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}});
    let mfa = policy("mfa", outside, one_of(&["mfa"]));
    assert!(unread(std::slice::from_ref(&mfa)).coverage(&Requirement::Mfa, &scope).gaps().is_empty());
    assert!(!unread(&[mfa]).coverage(&Requirement::Mfa, &Scope::default()).gaps().is_empty());
}

#[test]
fn most_apps_are_in_no_group_of_microsofts() {
    let mut snapshot =
        (*tenant(&[policy("mfa", json!({"applications": {"includeApplications": ["Office365"]}}), one_of(&["mfa"]))])
            .snapshot)
            .clone();
    snapshot.readings.remove(&Kind::ServicePrincipals);
    let coverage = Model::new(Arc::new(snapshot)).coverage(&Requirement::Mfa, &Scope::default());
    assert_eq!(coverage.uncovered.len(), 4, "{:?}", coverage.unresolved);
}

#[test]
fn where_no_sign_in_is_at_all_nobody_is_left_uncovered() {
    let within = ["l-hq".to_owned()].into();
    let nowhere = Scope { within, untrusted_locations: true, ..Scope::default() };
    let some = policy("mfa", json!({"users": {"includeUsers": ["u-1"]}}), one_of(&["mfa"]));
    for policies in [vec![], vec![some]] {
        let coverage = tenant(&policies).coverage(&Requirement::Mfa, &nowhere);
        assert!(coverage.uncovered.is_empty() && coverage.gaps().is_empty(), "{coverage:?}");
    }
}

#[test]
fn whether_the_enrolment_that_a_policy_spares_is_open_does_not_hang_on_what_else_names_it() {
    let compliant = || policy("compliant", json!({}), one_of(&["compliantDevice"]));
    let named = |state: &str| {
        let apps = json!({"includeApplications": [ENROLMENT]});
        let mut one =
            policy("named", json!({"applications": apps, "users": {"includeUsers": ["u-1"]}}), one_of(&["mfa"]));
        one["state"] = json!(state);
        one
    };
    for policies in [vec![compliant()], vec![compliant(), named("enabled")], vec![compliant(), named("disabled")]] {
        assert!(covered(&Requirement::Block, &legacy(), &policies), "{policies:?}");
    }
    let but_enrolment = json!({"applications": {"includeApplications": ["All"], "excludeApplications": [ENROLMENT]}});
    let coverage = tenant(&[compliant(), block(but_enrolment)]).coverage(&Requirement::Block, &legacy());
    let [gap] = coverage.gaps() else { panic!("{:?}", coverage.gaps()) };
    assert!(gap.apps.iter().eq([ENROLMENT]) && !gap.any_app, "{gap:?}");
    assert!(covered(&Requirement::ManagedDevice, &Scope::default(), &[compliant()]));
}
