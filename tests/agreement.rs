//! The engine audits itself: its verdicts beside those that the demo's log holds, which came from another evaluator.

mod at_demo;

use std::sync::Arc;

use jiff::Timestamp;
use portcullis::clock::Clock;
use portcullis::demo::{Options, Seed, Service, Tenant, judge};
use portcullis::engine::Model;
use portcullis::graph::{Client, Quiet, read_snapshot};
use portcullis::tenant::{PastSignIn, Policy, Snapshot};
use serde_json::{Value, json};

async fn demo(users: u32) -> Model {
    let today: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
    let clock = Clock::fixed(today);
    let now = clock.clone();
    let options = Options {
        tenant: Tenant::generate(&Seed { users, seed: 1, today }),
        port: 0,
        record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
        clock: Arc::new(move || now.now()),
    };
    let service = Service::start(options).await.unwrap();
    let config = at_demo::config(&service);
    let client = Client::new(&config, clock).unwrap();
    let snapshot = tokio::spawn(async move { read_snapshot(&client, &Quiet, None).await }).await.unwrap();
    Model::new(Arc::new(snapshot.unwrap()))
}

/// Whether somebody was added to a group since the row was written that the policy names.
fn joined_since(snapshot: &Snapshot, row: &PastSignIn, policy: &Policy) -> bool {
    let users = &policy.conditions.users;
    let named = users.include.groups.union(&users.exclude.groups).collect::<Vec<_>>();
    let added = snapshot.audits.iter().filter(|audit| audit.at > row.at && audit.activity == "Add member to group");
    let told = added.flat_map(|audit| audit.changes.iter().filter_map(|(_, _, new)| new.clone())).collect::<String>();
    let names = named.iter().filter_map(|id| snapshot.directory.groups.get(*id)).map(|group| &group.display_name);
    let mut names = names.collect::<Vec<_>>();
    names.retain(|name| told.contains(name.as_str()));
    !names.is_empty()
}

#[tokio::test]
async fn both_evaluators_say_the_same_of_every_past_sign_in() {
    let model = demo(300).await;
    let snapshot = &model.snapshot;
    let found = model.agreement();
    assert!(found.len() > 20, "{} policies", found.len());
    for agreement in &found {
        let policy = snapshot.policy(&agreement.policy_id).unwrap();
        assert!(agreement.agreed > 0, "{} was never compared", policy.display_name);
        for id in &agreement.differed {
            let row = snapshot.sign_ins.iter().find(|row| row.id == *id).unwrap();
            assert!(joined_since(snapshot, row, policy), "{} at sign-in {id}", policy.display_name);
        }
    }
}

/// The project's cases, apart from those whose outcome hangs on something that nobody knows: the naive judge guesses. It reads
/// what the demo serves as Graph does, and not what exports make of it: how these are spelt is the reader's matter.
fn cases() -> Vec<Value> {
    let text = include_str!("data/semantics.jsonl");
    let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|case| case["expected"]["decision"]["dependsOn"].is_null() && case["category"] != "spelling").collect()
}

fn sorted(mut ids: Vec<String>) -> Value {
    ids.sort();
    json!(ids)
}

/// Cases in which something unknown stands beside a policy that decides: the demo's judge knows yes and no only.
const UNDECIDED: [&str; 6] = [
    "roll-out unknown: it depends",
    "roll-out unknown, but another policy without exclusion blocks",
    "unknown platform word excluded, known platform",
    "unknown guest type excluded: a guest is not silently in",
    "a member of the target that is unknown and not null, report-only",
    "a flow condition that is unknown and not null",
];

#[test]
fn the_demos_own_judge_holds_the_same_cases() {
    let mut wrong = Vec::new();
    let cases = cases();
    assert!(cases.len() > 200);
    for case in &cases {
        let (policies, tenant, sign_in, expected) =
            (&case["policies"], &case["tenant"], &case["signin"], &case["expected"]);
        let mut ours = json!({
            "applied": sorted(judge::applied(policies, tenant, sign_in)),
            "reportOnlyApplied": sorted(judge::report_only_applied(policies, tenant, sign_in)),
        });
        // A case may leave out what nothing is expected of.
        let list = |name: &str| match &expected[name] {
            Value::Null => ours[name].clone(),
            listed => serde_json::from_value(listed.clone()).map(sorted).unwrap(),
        };
        let mut theirs = json!({"applied": list("applied"), "reportOnlyApplied": list("reportOnlyApplied")});
        for (id, reason) in expected["notApplied"].as_object().into_iter().flatten() {
            let policy = policies.as_array().unwrap().iter().find(|policy| policy["id"] == json!(id)).unwrap();
            ours[id] = json!(judge::reason_of(policy, tenant, sign_in));
            theirs[id] = reason.clone();
        }
        let undecided = UNDECIDED.iter().any(|name| case["name"] == json!(name));
        if ours != theirs && case["uncertain"] != json!(true) && !undecided {
            wrong.push(format!("{}: {}: expected {theirs}, got {ours}", case["category"], case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
