//! Guests of whom no log says where they come from.

use super::*;

/// The guest of the tenant, of whom no sign-in was read.
const GUEST: u32 = 4;

fn guests_of(partner: &str) -> Value {
    json!({"guestOrExternalUserTypes": "b2bCollaborationGuest", "externalTenants": {
        "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants", "membershipKind": "enumerated", "members": [partner]}})
}

fn for_guests_of(id: &str, partner: &str, control: &str) -> Value {
    policy(id, json!({"users": {"includeGuestsOrExternalUsers": guests_of(partner)}}), one_of(&[control]))
}

fn for_all_but_guests_of(id: &str, partner: &str) -> Value {
    let users = json!({"includeUsers": ["All"], "excludeGuestsOrExternalUsers": guests_of(partner)});
    policy(id, json!({"users": users}), one_of(&["mfa"]))
}

#[test]
fn what_two_policies_cover_between_them_needs_no_home() {
    let both = [for_all_but_guests_of("others", "t-1"), for_guests_of("partner", "t-1", "mfa")];
    let coverage = tenant(&both).coverage(&Requirement::Mfa, &Scope::default());
    assert_eq!((coverage.uncovered.len(), coverage.undecided.len()), (0, 0));
    assert!(coverage.gaps().is_empty() && coverage.unresolved.is_empty(), "{coverage:?}");
}

#[test]
fn what_one_of_them_leaves_out_hangs_on_the_home() {
    let other_partner = [for_all_but_guests_of("others", "t-1"), for_guests_of("partner", "t-2", "mfa")];
    let weaker = [for_all_but_guests_of("others", "t-1"), for_guests_of("partner", "t-1", "compliantDevice")];
    for policies in [&other_partner, &weaker, &[for_all_but_guests_of("others", "t-1")][..]] {
        let coverage = tenant(policies).coverage(&Requirement::Mfa, &Scope::default());
        assert!(coverage.undecided.contains(GUEST) && coverage.undecided.len() == 1, "{coverage:?}");
        let told = coverage.unresolved.iter().any(|what| what.starts_with("which organisations the guests come from"));
        assert!(told, "{:?}", coverage.unresolved);
    }
}

#[test]
fn another_gap_of_the_guest_stays_one() {
    let narrow = |policy: Value, clients: Value| {
        let mut policy = policy;
        policy["conditions"]["clientAppTypes"] = clients;
        policy
    };
    let browser = json!(["browser"]);
    let both = [
        narrow(for_all_but_guests_of("others", "t-1"), browser.clone()),
        narrow(for_guests_of("partner", "t-1", "mfa"), browser),
    ];
    let coverage = tenant(&both).coverage(&Requirement::Mfa, &Scope::default());
    assert!(coverage.uncovered.contains(GUEST), "{coverage:?}");
}
