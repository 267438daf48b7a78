//! Every kind of requirement: what meets it, and what is nearly it.

use portcullis::engine::{Reason, Requirement, Scope};
use serde_json::{Value, json};

use super::{covered, legacy, one_of, policy, reasons, strength, tenant};

const MFA: &str = "00000000-0000-0000-0000-000000000002";
const PASSWORDLESS: &str = "00000000-0000-0000-0000-000000000003";
const RESISTANT: &str = "00000000-0000-0000-0000-000000000004";

/// A policy for everybody and everything with these session controls alone.
fn session(controls: &Value) -> Value {
    let mut all = policy("p", json!({}), Value::Null);
    all["sessionControls"] = controls.clone();
    all
}

fn frequency(hours: u32) -> Value {
    session(
        &json!({"signInFrequency": {"isEnabled": true, "type": "hours", "value": hours, "frequencyInterval": "timeBased"}}),
    )
}

fn every_time(kind: &str) -> Value {
    session(
        &json!({"signInFrequency": {"isEnabled": true, "frequencyInterval": "everyTime", "authenticationType": kind}}),
    )
}

/// The requirement, a policy that meets it, and one that is near it and doesn't.
fn table() -> Vec<(Requirement, Value, Value)> {
    let grant = |grant: Value| policy("p", json!({}), grant);
    let control = |name: &str| grant(one_of(&[name]));
    let terms = grant(json!({"operator": "OR", "builtInControls": [], "termsOfUse": ["t-1"]}));
    let restrictions = |on: bool| session(&json!({"applicationEnforcedRestrictions": {"isEnabled": on}}));
    let evaluation = |mode: &str| session(&json!({"continuousAccessEvaluation": {"mode": mode}}));
    let proxy =
        |on: bool| session(&json!({"cloudAppSecurity": {"isEnabled": on, "cloudAppSecurityType": "mcasConfigured"}}));
    let token = |on: bool| session(&json!({"secureSignInSession": {"isEnabled": on}}));
    let persistent = |mode: &str| session(&json!({"persistentBrowser": {"isEnabled": true, "mode": mode}}));
    vec![
        (Requirement::Strength(PASSWORDLESS.into()), grant(strength(RESISTANT)), grant(strength(MFA))),
        (Requirement::Strength(MFA.into()), grant(strength(MFA)), control("mfa")),
        (
            Requirement::HybridDevice,
            control("domainJoinedDevice"),
            grant(one_of(&["domainJoinedDevice", "compliantDevice"])),
        ),
        (Requirement::RiskRemediation, control("riskRemediation"), control("passwordChange")),
        (Requirement::PasswordChange, control("riskRemediation"), grant(one_of(&["passwordChange", "mfa"]))),
        (Requirement::TermsOfUse, terms, control("mfa")),
        (
            Requirement::SignInFrequency { hours: 0 },
            every_time("primaryAndSecondaryAuthentication"),
            every_time("secondaryAuthentication"),
        ),
        (Requirement::SignInFrequency { hours: 12 }, frequency(12), frequency(13)),
        (Requirement::NoPersistentBrowser, persistent("never"), persistent("always")),
        (Requirement::AppEnforcedRestrictions, restrictions(true), restrictions(false)),
        (Requirement::AppControl, proxy(true), proxy(false)),
        (Requirement::TokenProtection, token(true), token(false)),
        (Requirement::StrictLocation, evaluation("strictLocation"), evaluation("strictEnforcement")),
        (
            Requirement::NoResilienceDefaults,
            session(&json!({"disableResilienceDefaults": true})),
            session(&json!({"disableResilienceDefaults": false})),
        ),
    ]
}

#[test]
fn each_kind_is_met_by_what_asks_for_it_and_by_a_block_and_by_nothing_near_it() {
    for (requirement, meets, near) in table() {
        assert!(covered(&requirement, &Scope::default(), std::slice::from_ref(&meets)), "{requirement:?}: {meets}");
        assert!(!covered(&requirement, &Scope::default(), std::slice::from_ref(&near)), "{requirement:?}: {near}");
        assert!(!covered(&requirement, &Scope::default(), &[]), "{requirement:?} without policies");
        let block = policy("p", json!({}), one_of(&["block"]));
        assert!(covered(&requirement, &Scope::default(), &[block]), "{requirement:?}: a block");
        let mut report_only = meets.clone();
        report_only["state"] = json!("enabledForReportingButNotEnforced");
        let coverage = tenant(&[report_only]).coverage(&requirement, &Scope::default());
        assert!(reasons(&coverage).contains(&(Some("p"), &Reason::ReportOnly)), "{requirement:?}: {coverage:?}");
    }
}

#[test]
fn a_session_control_binds_legacy_clients_no_more_than_others() {
    let requirement = Requirement::SignInFrequency { hours: 12 };
    assert!(covered(&requirement, &legacy(), &[frequency(12)]));
    // MFA that a legacy client can't do is a block, and a block leaves no session.
    assert!(covered(&requirement, &legacy(), &[policy("mfa", json!({}), one_of(&["mfa"]))]));
}

#[test]
fn a_strength_that_is_not_known_is_not_guessed() {
    let own = policy("p", json!({}), strength("s-own"));
    let coverage =
        tenant(std::slice::from_ref(&own)).coverage(&Requirement::Strength(RESISTANT.into()), &Scope::default());
    assert!(coverage.uncovered.is_empty() && coverage.undecided.len() == 4);
    assert!(covered(&Requirement::Strength("s-own".into()), &Scope::default(), &[own]));
}

fn within(ids: &[&str]) -> Scope {
    Scope { within: ids.iter().map(ToString::to_string).collect(), ..Scope::default() }
}

fn outside(ids: &[&str]) -> Scope {
    Scope { outside: ids.iter().map(ToString::to_string).collect(), ..Scope::default() }
}

#[test]
fn a_block_outside_a_location_leaves_only_the_inside_open() {
    let away = json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["l-hq"]}});
    let block = [policy("p", away, one_of(&["block"]))];
    assert!(covered(&Requirement::Block, &outside(&["l-hq"]), &block));
    assert!(covered(&Requirement::Block, &outside(&["AllTrusted"]), &block));
    assert!(!covered(&Requirement::Block, &within(&["l-hq"]), &block));
    assert!(!covered(&Requirement::Block, &Scope::default(), &block));
}

#[test]
fn a_country_is_blocked_or_it_is_not() {
    let blocked = |include: &[&str], unknown: bool, countries: &[&str]| {
        let mut builder = portcullis::tenant::builder::SnapshotBuilder::default();
        let named = json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "l-c", "displayName": "c",
            "countriesAndRegions": include, "includeUnknownCountriesAndRegions": unknown, "countryLookupMethod": "clientIpAddress"});
        builder.location(portcullis::tenant::read::read_named_location(&named).unwrap());
        for kind in [portcullis::tenant::Kind::NamedLocations, portcullis::tenant::Kind::Users] {
            builder.reading(kind, portcullis::tenant::Reading::Complete { count: 0 });
        }
        builder.user(portcullis::tenant::read::read_user(&json!({"id": "u-1"})).unwrap());
        let block = policy("p", json!({"locations": {"includeLocations": ["l-c"]}}), one_of(&["block"]));
        builder.policy(portcullis::tenant::read::read_policy(&block).unwrap());
        let model = portcullis::engine::Model::new(std::sync::Arc::new(builder.build()));
        let scope = Scope { countries: countries.iter().map(ToString::to_string).collect(), ..Scope::default() };
        model.coverage(&Requirement::Block, &scope).gaps().is_empty()
    };
    assert!(blocked(&["KP", "RU"], false, &["RU"]) && blocked(&["KP", "RU"], false, &["KP", "RU"]));
    assert!(!blocked(&["KP"], true, &["KP", "RU"]));
    // An address without a country is in no country, so it is no question of these.
    assert!(blocked(&["KP"], false, &["KP"]));
}

#[test]
fn scopes_are_made_of_groups_and_of_those_who_registered() {
    let only = json!({"users": {"includeGroups": ["g-staff"]}});
    let model = tenant(&[policy("p", only, one_of(&["mfa"]))]);
    let of = |users| model.coverage(&Requirement::Mfa, &Scope { users: Some(users), ..Scope::default() });
    assert!(of(model.group_users("g-staff").unwrap()).gaps().is_empty());
    assert_eq!(of(model.group_users("g-out").unwrap()).uncovered.len(), 1);
    assert_eq!(model.group_users("g-deleted").unwrap().len(), 0);
    assert_eq!(model.registered_users(), None, "registrations weren't read");
}
