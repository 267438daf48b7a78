//! Sign-ins that there are none of, and places that nobody read: neither is a gap, and neither hides one.

use portcullis::engine::Condition;
use portcullis::tenant::policy::TransferMethod;

use super::*;

const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";

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
fn legacy_clients_show_no_device_so_unmanaged_ones_are_all_there_are() {
    let unmanaged = json!({"devices": {"deviceFilter": {"mode": "exclude",
        "rule": "device.isCompliant -eq True -or device.trustType -eq \"ServerAD\""}}});
    assert!(covered(&Requirement::ManagedDevice, &Scope::default(), &[block(unmanaged)]));
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
