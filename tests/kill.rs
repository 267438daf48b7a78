//! Kills the bot's process at seeded points of an approval, takes it up again, and looks at the tenant: no press that was
//! acknowledged is lost, and no policy is doubled.
//!
//! The tenant (the demo's Graph service) lives in this process; the bot is this same program started again as a child, with
//! a real SQLite file, ended by SIGKILL. `KILL_POINTS` says how many points (20; CI takes 200).

#![expect(clippy::print_stdout, reason = "a test without the harness reports by itself")]
#![expect(clippy::disallowed_methods, reason = "a test reads its own settings and the machine's time")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portcullis::app::App;
use portcullis::approval::{State, Terms};
use portcullis::bot::{analysis::Analysis, approve, basis, reconcile, work};
use portcullis::chat::card::{Press, Verb};
use portcullis::chat::{Conversation, Event, Incoming, Person, Reply};
use portcullis::checks::CureAction;
use portcullis::clock::Clock;
use portcullis::config::{Config, Loopback};
use portcullis::demo::{self, Seed, Service, Tenant};
use portcullis::graph::{self, Quiet};
use portcullis::jobs::{Pace, Worker};
use portcullis::store::Store;
use portcullis::store::approvals::{NewApproval, Stored};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a child needs to know.
#[derive(Clone, Serialize, Deserialize)]
struct Task {
    base: String,
    tenant_id: String,
    client_id: String,
    client_secret: String,
    emergency: String,
    database: PathBuf,
    approver: String,
    approval: String,
}

fn main() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    if let Ok(task) = std::env::var("KILL_CHILD") {
        return runtime().block_on(child(&serde_json::from_str(&task).unwrap()));
    }
    // Two tenants and two bots at a time: much of each point is waiting.
    let lanes = [0, 1].map(|lane| std::thread::spawn(move || runtime().block_on(parent(lane))));
    let outcomes = lanes.map(|lane| lane.join().expect("a lane holds"));
    println!("kill: {} seeded points, no press lost, no policy doubled: {outcomes:?}", points());
    println!("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
}

async fn app(task: &Task) -> App {
    let store_url = format!("sqlite:{}", task.database.display());
    let at = Loopback {
        graph: &task.base,
        login: &task.base,
        tenant_id: &task.tenant_id,
        client_id: &task.client_id,
        client_secret: &task.client_secret,
        store: &store_url,
    };
    let mut config = Config::loopback(at).unwrap();
    config.tenant.settings.emergency_access = [task.emergency.clone()].into();
    let store = Store::open(&store_url).await.unwrap();
    store.migrate().await.unwrap();
    App::new(config, Clock::system(), store).unwrap().with_graph().unwrap()
}

/// Presses "Create", says so, and works until the approval has come to rest.
async fn child(task: &Task) {
    let app = Arc::new(app(task).await);
    let person = Person { id: task.approver.clone(), name: "Approver".into(), platform_id: String::new() };
    let press = Press { verb: Verb::Create, subject: task.approval.clone(), ..Press::default() };
    let conversation = Conversation { platform: "web".into(), id: "x".into(), ..Conversation::default() };
    let incoming = Incoming { key: "k".into(), conversation, person, event: Event::Press(press.clone()) };
    let reply = approve::decide(&app, &incoming, &press).await.unwrap();
    assert!(matches!(reply, Reply::Card(_) | Reply::Word(_)));
    println!("acknowledged");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let pace = Pace {
        poll: Duration::from_millis(10),
        lease: Duration::from_millis(300),
        retry: Duration::from_millis(20),
        ..Pace::default()
    };
    let handlers = Arc::new(work::handlers(&app));
    let worker = Worker { store: app.store.clone(), clock: app.clock.clone(), handlers, pace };
    let working = tokio::spawn(async move { worker.run(stopped).await });
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        let state = state(&app.store, &task.approval).await;
        if matches!(
            state,
            State::Created(_) | State::NeedsPerson { .. } | State::OutOfDate { .. } | State::Refused { .. }
        ) {
            println!("rest {}", state.name());
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send(true).unwrap();
    working.await.unwrap();
}

async fn state(store: &Store, approval: &str) -> State {
    let kept = store.approval(approval).await.unwrap().unwrap();
    serde_json::from_value(kept.state.body).unwrap()
}

fn points() -> u64 {
    std::env::var("KILL_POINTS").ok().and_then(|points| points.parse().ok()).unwrap_or(20)
}

/// Every second seeded point; the first lane also goes through the named ones. How the approvals came to rest.
async fn parent(lane: u64) -> BTreeMap<String, u64> {
    let points = points();
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(demo::Options {
        tenant: Tenant::generate(&Seed { users: 60, seed: 7, today: now() }),
        port: 0,
        record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
        clock: Arc::new(now),
    })
    .await
    .unwrap();
    let task = Task {
        base: service.base_url().to_owned(),
        tenant_id: service.tenant_id.clone(),
        client_id: service.client_id.clone(),
        client_secret: service.client_secret.clone(),
        emergency: service.emergency_group.clone(),
        database: folder.path().join("bot.db"),
        approver: service.people[1].id.clone(),
        approval: String::new(),
    };
    let approvals = prepare(&task, points + 2 * REQUESTS).await;
    let (at_named, approvals) = approvals.split_at(usize::try_from(2 * REQUESTS).unwrap());
    if lane == 0 {
        at_every_request(&service, &task, at_named).await;
    }
    let mut outcomes = BTreeMap::<String, u64>::new();
    for (seed, (approval, marker)) in (0_u64..).zip(approvals).filter(|(seed, _)| (seed / 2) % 2 == lane) {
        let task = Task { approval: approval.clone(), ..task.clone() };
        // Every fourth point loses the answer to the request that creates, and shows the policy late.
        let hard = seed % 4 == 3;
        faults(&service, if hard { json!({"loseResponses": 1, "readLagMs": 150}) } else { json!({}) }).await;
        let acknowledged = killed(&task, delay(seed));
        let rest = at_rest(&service, &task, (marker, &format!("seed {seed}"))).await;
        *outcomes
            .entry(format!("{rest}{}", if acknowledged { ", acknowledged before the kill" } else { "" }))
            .or_default() += 1;
    }
    service.stop().await;
    outcomes
}

/// The journey asks no more of Graph than this.
const REQUESTS: u64 = 16;

/// Lets the bot finish; where the approval came to rest, with one policy or none, never two.
async fn at_rest(service: &Service, task: &Task, (marker, point): (&str, &str)) -> String {
    let rest = finished(task);
    let made = policies_with(service, marker).await;
    assert!(made <= 1, "{point}: {made} policies for one approval");
    assert!(rest == "created" || rest == "needs-person", "{point}: came to rest as `{rest}`");
    if rest == "created" {
        assert_eq!(made, 1, "{point}: created without a policy");
    }
    // All approvals have one draft, and a second policy that says the same would be refused.
    let ours = |policy: &Value| policy["displayName"].as_str().is_some_and(|name| name.ends_with(marker));
    service.state().tenant().policies.retain(|policy| !ours(policy));
    rest
}

/// Kills the bot at every request of the journey, once before it has an effect and once after, while it waits for the
/// answer, and says how many such points there were.
async fn at_every_request(service: &Service, task: &Task, approvals: &[(String, String)]) {
    let (mut points, mut created) = (0, 0);
    for (at, pair) in approvals.chunks(2).enumerate() {
        for (kind, (approval, marker)) in ["holdBefore", "holdAfter"].into_iter().zip(pair) {
            let task = Task { approval: approval.clone(), ..task.clone() };
            faults(service, json!({"schedule": [{"path": "", "skip": at, "kind": kind}]})).await;
            let mut child = spawn(&task);
            while !service.state().faults().over() && child.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if child.try_wait().unwrap().is_some() {
                // The journey has no further request: this bot came to its rest undisturbed.
                at_rest(service, &task, (marker, "after the last request")).await;
                assert!(points >= 6, "only {points} points");
                println!(
                    "kill: {points} named points, before and after each request of the journey; {created} created"
                );
                faults(service, json!({})).await;
                return;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            faults(service, json!({})).await;
            let rest = at_rest(service, &task, (marker, &format!("{kind} {at}"))).await;
            (points, created) = (points + 1, created + usize::from(rest == "created"));
        }
    }
    panic!("the journey has more than {REQUESTS} requests");
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// Reads the tenant once and asks for as many approvals as there are points.
async fn prepare(task: &Task, points: u64) -> Vec<(String, String)> {
    let app = app(task).await;
    let snapshot = graph::read_snapshot(app.graph.as_ref().unwrap(), &Quiet, None).await.unwrap();
    let snapshot = Arc::new(snapshot);
    let kept = app.store.save_snapshot(Arc::clone(&snapshot)).await.unwrap();
    let analysis = Arc::new(Analysis::of(snapshot, kept.hash, &BTreeMap::default(), now()));
    app.set_analysis(Arc::clone(&analysis));
    reconcile::reconcile(&app, &analysis).await.unwrap();
    let rows = app.store.suggestions(app.tenant()).await.unwrap();
    let draft = |row: &portcullis::store::suggestions::Row| {
        matches!(reconcile::Body::of(row).unwrap().proposal.action, CureAction::Draft(_))
    };
    let row = rows.iter().find(|row| draft(row)).expect("the demo's tenant has a finding that a policy cures");
    let basis = basis::of(&analysis.snapshot().policies);
    let mut asked = Vec::new();
    for point in 0..points {
        let id = format!("{point:032x}");
        let marker = format!("[k{point:07x}]");
        let terms = Terms {
            asker: None,
            needed: 1,
            expires: now() + jiff::SignedDuration::from_hours(24),
            lag_bound: jiff::SignedDuration::from_secs(2),
            marker: marker.clone(),
            rests_on: basis.clone(),
        };
        let state = State::new();
        let mut tx = app.store.begin().await.unwrap();
        tx.ask_approval(NewApproval {
            id: id.clone(),
            tenant: app.tenant().to_owned(),
            suggestion: row.number,
            conversation: String::new(),
            terms: serde_json::to_value(&terms).unwrap(),
            draft: serde_json::to_value(&reconcile::Body::of(row).unwrap().proposal.action).unwrap(),
            state: Stored {
                name: state.name().into(),
                body: serde_json::to_value(&state).unwrap(),
                due: state.due(&terms),
            },
            at: now(),
        })
        .await
        .unwrap();
        tx.commit().await.unwrap();
        asked.push((id, marker));
    }
    app.store.close().await;
    asked
}

/// A pause between 0 and about the length of the journey, the same for the same seed.
fn delay(seed: u64) -> Duration {
    let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    Duration::from_millis(50 + mixed % 900)
}

fn spawn(task: &Task) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .env("KILL_CHILD", serde_json::to_string(task).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Starts the bot and kills it after `delay`; whether it had acknowledged the press by then.
fn killed(task: &Task, delay: Duration) -> bool {
    let mut child = spawn(task);
    std::thread::sleep(delay);
    child.kill().unwrap();
    let said = child.wait_with_output().unwrap().stdout;
    String::from_utf8_lossy(&said).contains("acknowledged")
}

/// Starts the bot again and lets it finish; where the approval came to rest.
fn finished(task: &Task) -> String {
    let output = spawn(task).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().find_map(|line| line.strip_prefix("rest ")).unwrap_or("nowhere").to_owned()
}

async fn faults(service: &Service, faults: Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.post(format!("{}/demo/faults", service.base_url())).json(&faults).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

/// How many policies of the tenant end with the marker, as any client of Graph sees them.
async fn policies_with(service: &Service, marker: &str) -> usize {
    faults(service, json!({})).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &service.client_id),
        ("client_secret", &service.client_secret),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let token: Value = http.post(service.token_url()).form(&form).send().await.unwrap().json().await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let policies: Value = http
        .get(format!("{}/v1.0/identity/conditionalAccess/policies", service.base_url()))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let named = policies["value"].as_array().unwrap().iter();
    named.filter(|policy| policy["displayName"].as_str().unwrap().ends_with(marker)).count()
}
