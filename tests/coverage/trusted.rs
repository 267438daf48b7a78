//! The trusted addresses of per-user MFA, which no export holds.

use super::*;

fn stated(policies: &[Value], trusted: Option<&[&str]>) -> Model {
    let mut snapshot = (*tenant(policies).snapshot).clone();
    snapshot.locations.clear();
    snapshot.settings.mfa_trusted_ips = trusted.map(|all| all.iter().map(ToString::to_string).collect());
    Model::new(Arc::new(snapshot))
}

fn outside(id: &str, trusted: &str) -> Value {
    let places = json!({"includeLocations": ["All"], "excludeLocations": [trusted]});
    policy(id, json!({"locations": places}), one_of(&["mfa"]))
}

/// How many are surely not covered, and of how many it is open.
fn left(model: &Model) -> (u64, u64) {
    let coverage = model.coverage(&Requirement::Mfa, &Scope::default());
    (coverage.uncovered.len(), coverage.undecided.len())
}

#[test]
fn an_exclusion_of_trusted_places_that_nobody_stated_is_open() {
    for trusted in ["AllTrusted", "00000000-0000-0000-0000-000000000000"] {
        let policies = [outside("mfa", trusted)];
        assert_eq!(left(&stated(&policies, None)), (0, 4), "{trusted}");
        assert_eq!(left(&stated(&policies, Some(&[]))), (0, 0), "{trusted}");
        assert_eq!(left(&stated(&policies, Some(&["192.0.2.0/28"]))), (4, 0), "{trusted}");
    }
    let open = stated(&[outside("mfa", "AllTrusted")], None).coverage(&Requirement::Mfa, &Scope::default());
    let told = open.unresolved.iter().any(|what| what.starts_with("which addresses per-user MFA trusts"));
    assert!(told && open.unresolved.len() == 1, "{:?}", open.unresolved);
}

#[test]
fn trusted_places_of_every_kind_are_told_apart_where_one_is_named() {
    let at_head_office = policy("hq", json!({"locations": {"includeLocations": ["l-hq"]}}), one_of(&["mfa"]));
    let model = tenant(&[outside("mfa", "AllTrusted"), at_head_office.clone()]);
    assert_eq!(left(&model), (0, 4), "whoever is trusted otherwise");
    assert_eq!(left(&tenant(&[outside("mfa", "AllTrusted")])), (4, 0), "head office");
    let trusted = policy("in", json!({"locations": {"includeLocations": ["AllTrusted"]}}), one_of(&["mfa"]));
    assert_eq!(left(&tenant(&[outside("mfa", "AllTrusted"), trusted])), (0, 0));
}

#[test]
fn what_is_asked_outside_trusted_places_alone_is_not_open() {
    let scope = Scope { untrusted_locations: true, ..Scope::default() };
    let coverage = stated(&[outside("mfa", "AllTrusted")], None).coverage(&Requirement::Mfa, &scope);
    assert_eq!((coverage.uncovered.len(), coverage.undecided.len()), (0, 0), "{coverage:?}");
}
