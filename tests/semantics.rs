//! Runs a file of cases, one sign-in against a set of policies a line: the project's own, or the one named by
//! `SEMANTICS_CASES`.
//!
//! A case holds when the policies applied, the report-only ones applied, the decision and the reasons of the others are
//! those expected. A case marked `uncertain` rests on an inference and may differ.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;

use portcullis::engine::evaluate::{Decision, Demand, strengths};
use portcullis::engine::request::{Unstated, read_request};
use portcullis::engine::{Applies, Model, Outcome};
use portcullis::tenant::builder::SnapshotBuilder;
use portcullis::tenant::policy::{Operator, PolicyState, SessionControls};
use portcullis::tenant::read::{
    read_group, read_named_location, read_policy, read_role, read_role_assignment, read_service_principal, read_user,
};
use portcullis::tenant::{Kind, Reading, Snapshot};
use serde_json::{Value, json};

const OWN_CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/semantics.jsonl");

#[expect(clippy::disallowed_methods, reason = "a test has no configuration; the file may be named from outside")]
fn main() -> ExitCode {
    let path = std::env::var("SEMANTICS_CASES").unwrap_or_else(|_| OWN_CASES.into());
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases: Vec<Value> = text.lines().filter(|line| !line.trim().is_empty()).map(parse).collect();
    let (mut held, mut wrong) = (0, 0);
    for case in &cases {
        let differences = differences(case);
        if differences.is_empty() {
            held += 1;
            continue;
        }
        let uncertain = case["uncertain"] == json!(true);
        wrong += usize::from(!uncertain);
        let mark = if uncertain { " (uncertain)" } else { "" };
        println!("{}: {}{mark}\n  {}", text_of(&case["category"]), text_of(&case["name"]), differences.join("\n  "));
    }
    println!("semantics: {held} of {} cases hold", cases.len());
    let passed = wrong == 0 && !cases.is_empty();
    let (word, good) = if passed { ("ok", 1) } else { ("FAILED", 0) };
    println!("\ntest result: {word}. {good} passed; {} failed; 0 ignored; 0 measured; 0 filtered out\n", 1 - good);
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("not a case: {error}: {line}"))
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn differences(case: &Value) -> Vec<String> {
    let mut request = case["signin"].clone();
    // Whether an account is an agent's stands in the directory of the case, and in no request.
    if let Some(extra) = request.get_mut("extra").and_then(Value::as_object_mut) {
        extra.remove("agentUser");
    }
    let sign_in = match read_request(&request, Unstated::None) {
        Ok(sign_in) => sign_in,
        Err(error) => return vec![format!("the sign-in can't be read: {error}")],
    };
    let model = Model::new(Arc::new(snapshot(case)));
    let outcome = model.evaluate(&sign_in);
    let expected = &case["expected"];
    let mut found = Vec::new();
    let mut compare = |key: &str, ours: Value| {
        if expected.get(key).is_some_and(|theirs| normal(theirs) != normal(&ours)) {
            found.push(format!("{key}: expected {}, got {ours}", expected[key]));
        }
    };
    compare("applied", json!(outcome.applied(false)));
    compare("reportOnlyApplied", json!(outcome.applied(true)));
    compare("decision", decision(&outcome.decision));
    compare("strengthsEnforced", json!(strengths(&model.snapshot, &sign_in, &outcome)));
    let ours = BTreeMap::from(session(&outcome.session));
    for (name, theirs) in expected["session"].as_object().into_iter().flatten() {
        if ours.get(name.as_str()) != Some(theirs) {
            found.push(format!("session {name}: expected {theirs}, got {:?}", ours.get(name.as_str())));
        }
    }
    let reasons = reasons(&model.snapshot, &outcome);
    for (id, reason) in expected["notApplied"].as_object().into_iter().flatten() {
        let ours = reasons.get(id.as_str()).map(String::as_str);
        if ours != reason.as_str() {
            found.push(format!("notApplied {id}: expected {reason}, got {ours:?}"));
        }
    }
    found
}

/// The session controls that cases name.
fn session(session: &SessionControls) -> [(&'static str, Value); 3] {
    [
        ("signInFrequencyHours", json!(session.sign_in_frequency.map(|frequency| frequency.hours.unwrap_or(0)))),
        ("persistentBrowser", json!(session.persistent_browser)),
        ("applicationEnforcedRestrictions", json!(session.application_enforced_restrictions)),
    ]
}

/// Lists as sets, the controls of a demand too; with one control the operator makes no difference.
fn normal(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let sorted: BTreeMap<String, Value> =
                items.iter().map(normal).map(|item| (item.to_string(), item)).collect();
            sorted.into_values().collect()
        }
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "operator" || list(&members["controls"]).len() != 1)
            .map(|(name, member)| (name.clone(), normal(member)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn decision(decision: &Decision) -> Value {
    match decision {
        Decision::Allow => json!("allow"),
        Decision::Block { .. } => json!("block"),
        Decision::Require(demands) => json!({ "require": demands.iter().map(demand).collect::<Vec<_>>() }),
        Decision::DependsOn { on, surely } => {
            json!({ "dependsOn": on, "surely": surely.iter().map(demand).collect::<Vec<_>>() })
        }
    }
}

fn demand(demand: &Demand) -> Value {
    let operator = if demand.operator == Operator::And { "AND" } else { "OR" };
    json!({ "policy": demand.policy_id, "operator": operator, "controls": demand.controls })
}

fn reasons<'a>(snapshot: &'a Snapshot, outcome: &'a Outcome) -> BTreeMap<&'a str, String> {
    let off = snapshot.policies.iter().filter(|policy| policy.state == PolicyState::Disabled);
    let judged = outcome.policies.iter().map(|one| {
        let reason = match &one.applies {
            Applies::Yes => "it applies".into(),
            Applies::No(kind) => kind.as_str().into(),
            other => format!("{other:?}"),
        };
        (one.policy_id.as_str(), reason)
    });
    judged.chain(off.map(|policy| (policy.id.as_str(), "policyNotEnabled".into()))).collect()
}

/// The tenant of a case. Whoever is named in it exists.
fn snapshot(case: &Value) -> Snapshot {
    let tenant = &case["tenant"];
    let mut builder = SnapshotBuilder::default();
    for kind in [
        Kind::Policies,
        Kind::Users,
        Kind::Groups,
        Kind::RoleAssignments,
        Kind::ServicePrincipals,
        Kind::NamedLocations,
    ] {
        builder.reading(kind, Reading::Complete { count: 0 });
    }
    let groups: BTreeSet<&str> = list(&tenant["groups"]).iter().map(|group| text_of(&group["id"])).collect();
    let members = list(&tenant["groups"]).iter().flat_map(|group| list(&group["members"]));
    let principals = list(&tenant["roleAssignments"]).iter().map(|assignment| &assignment["principalId"]);
    let people = members.chain(principals).chain([&case["signin"]["signInIdentity"]["userId"]]);
    for id in people.map(text_of).filter(|id| !id.is_empty() && !groups.contains(id)) {
        let agent = case["signin"]["extra"]["agentUser"] == json!(true);
        let parent = agent.then_some("an agent identity");
        let user = json!({ "id": id, "userType": "Member", "accountEnabled": true, "identityParentId": parent });
        builder.user(read_user(&user).unwrap());
    }
    list(&tenant["groups"]).iter().for_each(|group| builder.group(read_group(group).unwrap()));
    list(&tenant["roleAssignments"]).iter().for_each(|one| builder.role_assignment(read_role_assignment(one).unwrap()));
    for role in list(&tenant["customRoles"]) {
        let id = role.as_str().or_else(|| role["id"].as_str()).unwrap();
        builder.role(read_role(&json!({ "id": id, "displayName": "custom", "isBuiltIn": false })).unwrap());
    }
    list(&tenant["servicePrincipals"])
        .iter()
        .for_each(|one| builder.service_principal(read_service_principal(one).unwrap()));
    list(&tenant["namedLocations"]).iter().for_each(|one| builder.location(read_named_location(one).unwrap()));
    list(&case["policies"]).iter().for_each(|policy| builder.policy(read_policy(policy).unwrap()));
    let mut settings = json!({});
    for name in ["mfaTrustedIps", "appGroups", "baselineScopes"] {
        if let Some(value) = tenant.get(name) {
            settings[name] = value.clone();
        }
    }
    builder.snapshot.settings = serde_json::from_value(settings).unwrap();
    builder.build()
}
