//! Coverage against plain enumeration: on random small tenants every sign-in is judged one by one by the demo's own
//! evaluator, which shares no code with the engine. So is the lock-out of administrators.

#[path = "oracle/lockout.rs"]
mod lockout;
#[path = "oracle/tenants.rs"]
mod tenants;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portcullis::demo::judge;
use portcullis::engine::coverage::Other;
use portcullis::engine::difference::difference;
use portcullis::engine::overlap::Relation;
use portcullis::engine::request::{Unstated, read_request};
use portcullis::engine::{Applies, Condition, Coverage, Model, Requirement, Scope};
use portcullis::tenant::policy::{ClientAppType, Platform};
use portcullis::tenant::read_policy;
use proptest::prelude::*;
use serde_json::{Value, json};
use tenants::{CLIENTS, EXCHANGE, RESISTANT, STRONG, crowded, memberships, model, policies, requirement, tenant};

const PLATFORMS: [&str; 3] = ["windows", "iOS", "linux"];

/// Microsoft spares it from what takes a compliant device.
const ENROLMENT: &str = "d4ebce55-015a-49b5-a083-c84d1797ae8c";

const ACTIVE_SYNC: &str = "exchangeActiveSync";

/// Whom a sign-in can be of: users of the directory, and kinds of guest that have no object in it. Of these a gap names
/// the kind, whatever the home tenant.
const SUBJECTS: [(usize, &str, Option<&str>, Option<&str>); 15] = [
    (0, "u-1", None, None),
    (1, "u-2", None, None),
    (2, "u-3", None, None),
    (3, "u-4", Some("b2bCollaborationGuest"), Some("t-1")),
    (4, "", Some("b2bCollaborationGuest"), Some("t-1")),
    (4, "", Some("b2bCollaborationGuest"), Some("t-9")),
    (5, "", Some("serviceProvider"), Some("t-1")),
    (5, "", Some("serviceProvider"), Some("t-9")),
    (6, "", Some("b2bCollaborationMember"), Some("t-1")),
    (6, "", Some("b2bCollaborationMember"), Some("t-9")),
    (7, "", Some("internalGuest"), None),
    (8, "", Some("b2bDirectConnectUser"), Some("t-1")),
    (8, "", Some("b2bDirectConnectUser"), Some("t-9")),
    (9, "", Some("otherExternalUser"), Some("t-1")),
    (9, "", Some("otherExternalUser"), Some("t-9")),
];

/// What a point of the product is, as far as gaps name it: subject, app, client, platform.
type Cell = (usize, String, String, String);

/// One sign-in to judge: who, to what, from which client on which platform.
type Point = (Value, &'static str, &'static str, Value);

/// What is around it: the rest of the request's conditions, and its `extra`.
type Around = (Value, Value);

fn points(policies: &[Value]) -> Vec<(usize, Point)> {
    // Where no policy tells platforms apart, one stands for all of them.
    let platforms: Vec<Value> = if policies.iter().any(|policy| !policy["conditions"]["platforms"].is_null()) {
        PLATFORMS.iter().map(|name| json!(name)).chain([Value::Null]).collect()
    } else {
        vec![json!("windows")]
    };
    let mut all = Vec::new();
    for (subject, user, kind, home) in SUBJECTS {
        let mut identity = json!({"@odata.type": "#microsoft.graph.userSignIn", "userId": user});
        if let Some(kind) = kind {
            identity["externalUserType"] = json!(kind);
            identity["externalTenantId"] = json!(home);
        }
        for app in [EXCHANGE, "app-2", "app-9", ENROLMENT] {
            for client in CLIENTS.into_iter().filter(|client| app == EXCHANGE || *client != ACTIVE_SYNC) {
                let of = platforms.iter().map(|platform| (subject, (identity.clone(), app, client, platform.clone())));
                all.extend(of);
            }
        }
    }
    all
}

/// Whether it can't be met by who enrols a device, or needn't be there: no policy here leaves the enrolment out.
fn enrols(requirement: &Requirement, policies: &[Value]) -> bool {
    use Requirement::{CompliantDevice, ManagedDevice, Mfa, MfaOrManagedDevice, PhishingResistantMfa, Strength};
    let spares = |policy: &Value| policy["grantControls"]["builtInControls"].to_string().contains("compliantDevice");
    match requirement {
        ManagedDevice | CompliantDevice | MfaOrManagedDevice => true,
        Mfa | PhishingResistantMfa | Strength(_) => false,
        _ => policies.iter().any(spares),
    }
}

/// Every cell in which some sign-in isn't made to meet the requirement.
fn enumerated(requirement: &Requirement, tenant: &Value, policies: &[Value]) -> BTreeSet<Cell> {
    let around = circumstances(policies);
    let all = json!(policies.iter().filter(|policy| policy["state"] == json!("enabled")).collect::<Vec<_>>());
    let mut open = BTreeSet::new();
    for (subject, point) in
        points(policies).into_iter().filter(|(_, point)| point.1 != ENROLMENT || !enrols(requirement, policies))
    {
        if around.iter().all(|around| meets(requirement, tenant, &all, (&point, around))) {
            continue;
        }
        let (_, app, client, platform) = point;
        let told = policies.iter().any(|policy| !policy["conditions"]["platforms"].is_null());
        let every: Vec<&str> = PLATFORMS.into_iter().chain(["unknown"]).collect();
        let these = if told { vec![platform.as_str().unwrap_or("unknown")] } else { every };
        open.extend(these.iter().map(|name| (subject, app.to_owned(), client.to_owned(), (*name).to_owned())));
    }
    open
}

/// Devices by their request shape: unregistered, and registered in the states that rules and grants tell apart.
fn devices() -> Vec<Value> {
    let mut all = vec![Value::Null];
    for compliant in [false, true] {
        for trust in ["AzureAD", "ServerAD"] {
            for name in ["PAW-1", "PAW", "1", "other"] {
                for label in ["Autopilot", "x"] {
                    all.push(
                        json!({"isCompliant": compliant, "trustType": trust, "displayName": name, "systemLabels": [label]}),
                    );
                }
            }
        }
    }
    all
}

/// Places of a sign-in: address, country (one that no location names among them), country by GPS, through the compliant
/// network.
fn places() -> Vec<(&'static str, Value, Value, bool)> {
    let mut all = Vec::new();
    for ip in ["192.0.2.1", "198.51.100.1", "203.0.113.1", "203.0.113.200", "2001:db8::1"] {
        for country in [json!("FR"), json!("US"), json!("DE"), Value::Null] {
            for (gps, network) in [(Value::Null, false), (json!("US"), false), (Value::Null, true)] {
                all.push((ip, country.clone(), gps, network));
            }
        }
    }
    all
}

/// Place, device, risk and flow of a sign-in: all combinations that some policy could tell apart.
fn circumstances(policies: &[Value]) -> Vec<Around> {
    let on = |policy: &&Value| policy["state"] == json!("enabled");
    let named = |key: &str| policies.iter().filter(on).any(|policy| !policy["conditions"][key].is_null());
    let some = |wanted: bool, all: &[&'static str]| if wanted { all.to_vec() } else { all[..1].to_vec() };
    let places = if named("locations") { places() } else { places()[..1].to_vec() };
    // Grants tell devices apart too, by compliance and join.
    let devices = if named("devices") { devices() } else { devices().into_iter().step_by(8).collect() };
    let mut all = Vec::new();
    for (ip, country, gps, network) in &places {
        for device in &devices {
            for sign_in in some(named("signInRiskLevels"), &["none", "low", "medium", "high"]) {
                for user in some(named("userRiskLevels"), &["none", "low", "high"]) {
                    let conditions = json!({"ipAddress": ip, "country": country, "signInRiskLevel": sign_in, "userRiskLevel": user,
                        "servicePrincipalRiskLevel": "none", "insiderRiskLevel": "none", "deviceInfo": device,
                        "authenticationFlow": {"transferMethod": "none"}});
                    let registered = !device.is_null();
                    let extra = json!({"deviceRegistered": registered, "deviceManagedByIntune": registered,
                        "gpsCountry": gps, "compliantNetwork": network});
                    all.push((conditions, extra));
                }
            }
        }
    }
    all
}

fn sign_in((point, around): (&Point, &Around)) -> Value {
    let (identity, app, client, platform) = point;
    let mut conditions = around.0.clone();
    conditions["devicePlatform"] = platform.clone();
    conditions["clientAppType"] = json!(client);
    json!({
        "signInIdentity": identity,
        "signInContext": {"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": [app]},
        "signInConditions": conditions,
        "extra": around.1,
    })
}

/// Whether the policies that the judge finds applied make the sign-in meet the requirement.
fn meets(requirement: &Requirement, tenant: &Value, policies: &Value, case: (&Point, &Around)) -> bool {
    let ((identity, _, client, _), (conditions, _)) = case;
    let device = &conditions["deviceInfo"];
    let kind = identity["externalUserType"].as_str();
    let external = kind.is_some_and(|kind| kind != "internalGuest");
    let direct = kind == Some("b2bDirectConnectUser");
    let modern = *client == "browser" || *client == "mobileAppsAndDesktopClients";
    let (compliant, hybrid) = (device["isCompliant"] == json!(true), device["trustType"] == json!("ServerAD"));
    let entailed = match requirement {
        Requirement::ManagedDevice => compliant || hybrid,
        Requirement::CompliantDevice => compliant,
        Requirement::HybridDevice => hybrid,
        _ => false,
    };
    // Legacy clients show no device, so that there are no such sign-ins by them.
    if entailed || (!modern && !device.is_null()) {
        return true;
    }
    let impossible = |control: &str| match control {
        "block" => true,
        "compliantDevice" => !modern || !compliant,
        "domainJoinedDevice" => !modern || !hybrid,
        "compliantApplication" => *client == "other" || external,
        "passwordChange" | "riskRemediation" => !modern || external,
        "tou" => !modern || direct,
        _ => !modern,
    };
    let enough = |control: &str| match requirement {
        Requirement::Mfa => ["mfa", RESISTANT, STRONG].contains(&control),
        Requirement::PhishingResistantMfa => control == RESISTANT,
        Requirement::Strength(_) => [RESISTANT, STRONG].contains(&control),
        Requirement::ManagedDevice => ["compliantDevice", "domainJoinedDevice"].contains(&control),
        Requirement::CompliantDevice => control == "compliantDevice",
        Requirement::HybridDevice => control == "domainJoinedDevice",
        Requirement::AppProtection => control == "compliantApplication",
        Requirement::PasswordChange => ["passwordChange", "riskRemediation"].contains(&control),
        // Remediation forces signing in every time.
        Requirement::RiskRemediation | Requirement::SignInFrequency { .. } => control == "riskRemediation",
        Requirement::TermsOfUse => control == "tou",
        _ => false,
    };
    let applied = judge::applied(policies, tenant, &sign_in(case));
    policies.as_array().unwrap().iter().filter(|policy| applied.iter().any(|id| policy["id"] == json!(id))).any(
        |policy| {
            let grant = &policy["grantControls"];
            let strength = grant["authenticationStrength"]["id"].as_str();
            let listed = |name: &str| grant[name].as_array().cloned().unwrap_or_default();
            let listed: Vec<Value> = [listed("builtInControls"), listed("termsOfUse")].concat();
            let controls: Vec<&str> = listed.iter().filter_map(Value::as_str).chain(strength).collect();
            let holds = |control: &&str| impossible(control) || enough(control);
            let granted = match grant["operator"].as_str() {
                None => false,
                Some("AND") => controls.iter().any(holds),
                Some(_) => controls.iter().all(holds),
            };
            granted || session_enough(requirement, &policy["sessionControls"])
        },
    )
}

fn session_enough(requirement: &Requirement, session: &Value) -> bool {
    let frequency = &session["signInFrequency"];
    let every_time = frequency["frequencyInterval"] == json!("everyTime");
    match requirement {
        Requirement::SignInFrequency { hours } => {
            every_time || frequency["value"].as_u64().is_some_and(|value| value <= u64::from(*hours))
        }
        Requirement::TokenProtection => session["secureSignInSession"]["isEnabled"] == json!(true),
        _ => false,
    }
}

/// The cells that the gaps of a coverage name.
fn named((requirement, policies): (&Requirement, &[Value]), coverage: &Coverage) -> BTreeSet<Cell> {
    let mut open = BTreeSet::new();
    // Where no policy spares the enrolment it is an app like any other.
    let apart = enrols(requirement, policies) || coverage.gaps().iter().any(|gap| gap.apps.contains(ENROLMENT));
    for gap in coverage.gaps() {
        let mut clients: Vec<String> = CLIENTS.map(str::to_owned).to_vec();
        let mut platforms: Vec<String> =
            PLATFORMS.iter().map(ToString::to_string).chain(["unknown".to_owned()]).collect();
        for condition in &gap.conditions {
            match condition {
                Condition::ClientApps(only) => clients.retain(|name| only.contains(&word::<ClientAppType>(name))),
                // Nor is a device named that legacy clients could show.
                Condition::Devices(only) if !takes_in_unregistered(only) => {
                    clients.retain(|name| ["browser", "mobileAppsAndDesktopClients"].contains(&name.as_str()));
                }
                Condition::Platforms(only) => {
                    platforms.retain(|name| only.contains(&if name == "unknown" { Platform::All } else { word(name) }));
                }
                _ => {}
            }
        }
        let any = gap.any_app.then_some([Some("app-9"), (!apart).then_some(ENROLMENT)]);
        let any = any.into_iter().flatten().flatten();
        let apps: Vec<&str> = gap.apps.iter().map(String::as_str).chain(any).collect();
        for subject in subjects(gap.users.iter(), &gap.others) {
            for app in &apps {
                for client in clients.iter().filter(|client| *app == EXCHANGE || *client != ACTIVE_SYNC) {
                    open.extend(
                        platforms.iter().map(|platform| (subject, (*app).to_owned(), client.clone(), platform.clone())),
                    );
                }
            }
        }
    }
    open
}

/// Whether devices, as people read them, may be unregistered ones.
fn takes_in_unregistered(devices: &str) -> bool {
    devices.contains("unregistered") || devices.starts_with("not ") || devices.starts_with("neither ")
}

fn word<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_value(json!(name)).unwrap()
}

fn subjects(users: impl Iterator<Item = u32>, others: &BTreeSet<Other>) -> Vec<usize> {
    use portcullis::tenant::policy::GuestType;
    let kinds: BTreeMap<Other, usize> = BTreeMap::from([
        (Other::Guest(GuestType::B2bCollaborationGuest), 4),
        (Other::Guest(GuestType::ServiceProvider), 5),
        (Other::Guest(GuestType::B2bCollaborationMember), 6),
        (Other::Guest(GuestType::InternalGuest), 7),
        (Other::Guest(GuestType::B2bDirectConnectUser), 8),
        (Other::Guest(GuestType::OtherExternalUser), 9),
    ]);
    users.map(|position| position as usize).chain(others.iter().filter_map(|other| kinds.get(other).copied())).collect()
}

/// Conditions that a question may leave open.
const LEFT_OUT: [&str; 5] = ["ipAddress", "deviceInfo", "signInRiskLevel", "clientAppType", "devicePlatform"];

/// Whether coverage is what enumeration finds, point by point.
fn agrees(requirement: &Requirement, tenant: &Value, policies: &[Value]) -> Result<(), TestCaseError> {
    let coverage = model(tenant, policies).coverage(requirement, &Scope::default());
    prop_assert!(coverage.undecided.is_empty(), "{:?}", coverage.unresolved);
    let (ours, theirs) = (named((requirement, policies), &coverage), enumerated(requirement, tenant, policies));
    let missing: Vec<_> = theirs.difference(&ours).take(3).collect();
    let extra: Vec<_> = ours.difference(&theirs).take(3).collect();
    prop_assert!(missing.is_empty() && extra.is_empty(), "missing {missing:?}, too many {extra:?}");
    let users: BTreeSet<usize> = coverage.uncovered.iter().map(|position| position as usize).collect();
    prop_assert_eq!(users, theirs.iter().map(|cell| cell.0).filter(|subject| *subject < 4).collect::<BTreeSet<_>>());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn gaps_are_exactly_what_enumeration_finds(requirement in requirement(), memberships in memberships(), policies in policies()) {
        agrees(&requirement, &tenant(&memberships), &policies)?;
    }

    #[test]
    fn gaps_among_many_policies_are_what_enumeration_finds(requirement in requirement(), memberships in memberships(), policies in crowded()) {
        agrees(&requirement, &tenant(&memberships), &policies)?;
    }

    #[test]
    fn a_guest_from_nobody_knows_where_is_covered_if_he_is_wherever_that_is(
        requirement in requirement(), memberships in memberships(), policies in policies(),
    ) {
        let known = model(&tenant(&memberships), &policies);
        let open_from = |home: Option<&str>| {
            let mut snapshot = (*known.snapshot).clone();
            snapshot.homes.clear();
            snapshot.homes.extend(home.map(|home| ("u-4".into(), home.into())));
            let coverage = Model::new(Arc::new(snapshot)).coverage(&requirement, &Scope::default());
            (&coverage.uncovered | &coverage.undecided).contains(3)
        };
        prop_assert_eq!(open_from(None), open_from(Some("t-1")) || open_from(Some("t-9")));
    }

    #[test]
    fn more_policies_never_cover_less_and_their_order_is_nothing(
        requirement in requirement(), memberships in memberships(), policies in policies(), keep in 0usize..6,
    ) {
        let tenant = tenant(&memberships);
        let some = model(&tenant, &policies[..keep.min(policies.len())]).coverage(&requirement, &Scope::default());
        let all = model(&tenant, &policies).coverage(&requirement, &Scope::default());
        prop_assert!(named((&requirement, &policies), &all).is_subset(&named((&requirement, &policies), &some)));
        prop_assert!(all.uncovered.is_subset(&some.uncovered));
        let turned: Vec<Value> = policies.iter().rev().cloned().collect();
        prop_assert_eq!(model(&tenant, &turned).coverage(&requirement, &Scope::default()), all);
    }

    #[test]
    fn all_policies_at_once_are_judged_as_each_by_itself(
        memberships in memberships(), policies in policies(), left_out in proptest::sample::subsequence(LEFT_OUT.to_vec(), 0..3),
    ) {
        let model = model(&tenant(&memberships), &policies);
        let alone: Vec<Model> =
            model.snapshot.policies.iter().map(|policy| model.with_policies(vec![policy.clone()])).collect();
        let around = circumstances(&policies);
        for (number, (_, point)) in points(&policies).iter().enumerate().step_by(7) {
            let mut request = sign_in((point, &around[number % around.len()]));
            left_out.iter().for_each(|name| request["signInConditions"][name] = Value::Null);
            let sign_in = read_request(&request, Unstated::Unknown).unwrap();
            let together = model.evaluate(&sign_in);
            let each = alone.iter().flat_map(|model| model.evaluate(&sign_in).policies);
            prop_assert_eq!(&together.policies, &each.collect::<Vec<_>>(), "{}", request);
            let (verdicts, ids) = (model.verdicts(&sign_in), |at: usize| model.snapshot.policies[at].id.as_str());
            let applying = together.policies.iter().filter(|one| one.applies == Applies::Yes);
            let applying: BTreeSet<&str> = applying.map(|one| one.policy_id.as_str()).collect();
            prop_assert_eq!(verdicts.applying().map(ids).collect::<BTreeSet<_>>(), applying);
        }
    }

    #[test]
    fn a_variant_is_covered_as_the_same_tenant_read_afresh(
        requirement in requirement(), memberships in memberships(), policies in policies(), drafts in policies(),
    ) {
        let model = model(&tenant(&memberships), &policies);
        for (number, draft) in drafts.iter().enumerate() {
            let mut draft = read_policy(draft).unwrap();
            // A new one, or one in place of another.
            draft.id = policies.get(number).filter(|_| number % 2 == 0).map_or_else(String::new, |one| one["id"].to_string());
            draft.id.retain(|letter| letter != '"');
            let variant = model.with_draft_on(&draft);
            let afresh = Model::new(Arc::clone(&variant.snapshot)).coverage(&requirement, &Scope::default());
            prop_assert_eq!(variant.coverage(&requirement, &Scope::default()), afresh);
        }
    }

    #[test]
    fn what_overlap_proves_holds_at_every_sign_in(memberships in memberships(), policies in policies()) {
        let tenant = tenant(&memberships);
        let found = model(&tenant, &policies).overlaps();
        let around = circumstances(&policies);
        let applies = |id: &str, request: &Value| {
            let policy = policies.iter().find(|policy| policy["id"] == json!(id)).unwrap();
            judge::reason_of(policy, &tenant, request) == "notSet"
        };
        for overlap in found {
            let covered = matches!(overlap.relation, Relation::Redundant | Relation::AlwaysBlocked);
            let same = overlap.relation == Relation::Identical;
            for (_, point) in points(&policies).iter().filter(|_| covered || same) {
                for request in around.iter().step_by(3).map(|around| sign_in((point, around))) {
                    let (one, other) = (applies(&overlap.policy_id, &request), applies(&overlap.other_id, &request));
                    prop_assert!(if same { one == other } else { !one || other }, "{overlap:?} at {request}");
                }
            }
        }
    }

    #[test]
    fn what_several_make_needless_changes_nothing_at_any_sign_in(memberships in memberships(), policies in policies()) {
        let tenant = tenant(&memberships);
        let found = model(&tenant, &policies).needless(&BTreeSet::new());
        let gone: BTreeSet<&str> = found.iter().map(|one| one.policy_id.as_str()).collect();
        let is_left = |policy: &&Value| !gone.contains(policy["id"].as_str().unwrap());
        let rest: Vec<Value> = policies.iter().filter(is_left).cloned().collect();
        let around = circumstances(&policies);
        let on = |policies: &[Value]| {
            json!(policies.iter().filter(|policy| policy["state"] == json!("enabled")).collect::<Vec<_>>())
        };
        let (before, after) = (on(&policies), on(&rest));
        for (_, point) in points(&policies).iter().filter(|_| !gone.is_empty()) {
            for around in around.iter().step_by(3) {
                for requirement in [Requirement::Mfa, Requirement::Block] {
                    let meets = |policies: &Value| meets(&requirement, &tenant, policies, (point, around));
                    prop_assert_eq!(meets(&before), meets(&after), "{:?} without {:?} at {:?}", requirement, found, point);
                }
            }
        }
    }

    #[test]
    fn what_differs_is_what_enumeration_finds_different(memberships in memberships(), was in policies(), is in policies()) {
        let tenant = tenant(&memberships);
        let found = difference(&model(&tenant, &was), &model(&tenant, &is));
        let shift = found.shifts.iter().find(|shift| shift.requirement == "multifactor authentication");
        let all: Vec<Value> = was.iter().chain(&is).cloned().collect();
        let around = circumstances(&all);
        let on = |policies: &[Value]| {
            json!(policies.iter().filter(|policy| policy["state"] == json!("enabled")).collect::<Vec<_>>())
        };
        let (before, after) = (on(&was), on(&is));
        let meets = |policies: &Value, point: &Point, around: &Around| {
            meets(&Requirement::Mfa, &tenant, policies, (point, around))
        };
        let without_risk = |around: &&Around| {
            around.0["signInRiskLevel"] == json!("none") && around.0["userRiskLevel"] == json!("none")
        };
        for (subject, user) in ["u-1", "u-2", "u-3", "u-4"].into_iter().enumerate() {
            let told = |regions: &[portcullis::engine::difference::Region]| {
                regions.iter().any(|region| region.users.contains(user))
            };
            let opened = shift.is_some_and(|shift| told(&shift.opened));
            let closed = shift.is_some_and(|shift| told(&shift.closed));
            let own = points(&all).into_iter().filter(|(of, _)| *of == subject).collect::<Vec<_>>();
            let some = |from: &Value, to: &Value, around: &[&Around]| {
                let differs = |point: &Point, one: &Around| meets(from, point, one) && !meets(to, point, one);
                let mut all = own.iter().flat_map(|(_, point)| around.iter().map(move |one| (point, one)));
                all.find(|(point, one)| differs(point, one)).map(|(point, one)| format!("{point:?} {one:?}"))
            };
            let (every, mut quiet): (Vec<_>, Vec<_>) =
                (around.iter().collect(), around.iter().filter(without_risk).collect());
            // Every one of them would take minutes.
            let step = quiet.len() / 20 + 1;
            quiet = quiet.into_iter().step_by(step).collect();
            prop_assert!(!opened || some(&before, &after, &every).is_some(), "{user}: {:?}", shift);
            prop_assert!(!closed || some(&after, &before, &every).is_some(), "{user}: {:?}", shift);
            let (opening, closing) = (some(&before, &after, &quiet), some(&after, &before, &quiet));
            prop_assert!(opened || opening.is_none(), "{user}: {:?} {:?}", shift, opening);
            prop_assert!(closed || closing.is_none(), "{user}: {:?} {:?}", shift, closing);
        }
    }
}
