//! Kills the bot's process at seeded points of an approval, takes it up again, and looks at the tenant and at the chat: no
//! press that was acknowledged is lost, no policy is doubled, and the card that people see says what became of it.
//!
//! The tenant (the demo's Graph service) and the fake of Teams live in this process; the bot is this same program started
//! again as a child, with a real SQLite file, its own webhook and its workers, ended by SIGKILL. A press that was
//! acknowledged isn't sent again; one that wasn't is delivered again as the same activity, as Teams would.
//! `KILL_POINTS` says how many points (20; CI takes 200).

#![expect(clippy::print_stdout, reason = "a test without the harness reports by itself")]
#![expect(clippy::disallowed_methods, reason = "a test reads its own settings and the machine's time")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use portcullis::app::App;
use portcullis::approval::State;
use portcullis::bot::work;
use portcullis::chat::teams::{self, Teams};
use portcullis::clock::Clock;
use portcullis::config::{Config, Credential, Loopback};
use portcullis::demo::{self, Seed, Service, Tenant};
use portcullis::http::{Shared, router};
use portcullis::identity::{Endpoint, Tokens};
use portcullis::jobs::{Pace, Worker};
use portcullis::store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[path = "kill/prepare.rs"]
mod prepare;

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
    bot: Bot,
    point: Point,
    /// Whether Teams delivers the press; it doesn't once it was acknowledged.
    press: bool,
}

/// The bot as Teams knows it.
#[derive(Clone, Serialize, Deserialize)]
struct Bot {
    app_id: String,
    app_secret: String,
    openid_metadata: String,
    login: String,
    connector: String,
    /// What Teams signs its requests with.
    bearer: String,
}

/// An approval that is asked for on a card of its own.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Point {
    approval: String,
    marker: String,
    /// Teams' id of the card.
    card: String,
    /// What the card says to be decided on.
    says: Option<String>,
}

/// The one conversation.
const CHAT: &str = "a:approver";

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
    let app = App::new(config, Clock::system(), store).unwrap().with_graph().unwrap();
    app.with_platform(Arc::new(teams(task)))
}

fn teams(Task { bot, tenant_id, .. }: &Task) -> Teams {
    let (client_id, secret) = (bot.app_id.clone(), bot.app_secret.clone().into());
    let login = Endpoint {
        http: &http(),
        login_base: &bot.login.parse().unwrap(),
        login_key: "teams.login_base",
        scope: &teams::scope("https://api.botframework.com"),
        clock: &Clock::system(),
    };
    Teams::new(teams::Options {
        app_id: bot.app_id.clone(),
        tokens: Tokens::new(&Credential::ClientSecret { client_id, secret }, tenant_id, &login).unwrap(),
        openid_metadata: bot.openid_metadata.parse().unwrap(),
        issuer: "https://api.botframework.com".into(),
        service_hosts: vec!["127.0.0.1".into()],
        tenants: vec![tenant_id.clone()],
        allow_anonymous_loopback: false,
        key_refetch_floor: Duration::from_secs(1),
        retry: teams::Retry { first: Duration::from_millis(20), times: 3 },
        http: http(),
        clock: Clock::system(),
    })
    .unwrap()
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// What Teams sends when the approver presses "Create": each time the same activity.
fn activity(task: &Task) -> Value {
    let press = json!({"verb": "create", "subject": task.point.approval, "version": 1, "says": task.point.says});
    json!({
        "type": "invoke", "name": "adaptiveCard/action", "id": format!("press-{}", task.point.approval),
        "channelId": "msteams", "serviceUrl": task.bot.connector, "replyToId": task.point.card,
        "from": {"id": "29:approver", "name": "Approver", "aadObjectId": task.approver},
        "conversation": {"conversationType": "personal", "tenantId": task.tenant_id, "id": CHAT},
        "recipient": {"id": "28:bot", "name": "Portcullis"}, "channelData": {"tenant": {"id": task.tenant_id}},
        "value": {"action": {"type": "Action.Execute", "verb": "create", "data": {"press": press}}, "trigger": "manual"},
    })
}

/// Delivers the press to the bot's webhook and says when it is acknowledged.
async fn deliver(app: &Arc<App>, task: &Task) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let webhook = format!("http://{}/api/messages", listener.local_addr().unwrap());
    let routes = router(Shared { app: Arc::clone(app), web: None });
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    println!("ready");
    let request = http().post(webhook).bearer_auth(&task.bot.bearer).json(&activity(task));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    println!("acknowledged");
}

/// Takes the press, says so, and works until the approval has come to rest and its card shows it.
async fn child(task: &Task) {
    let app = Arc::new(app(task).await);
    // A bot has long judged its tenant when somebody presses; here that would be most of each point.
    app.newest_analysis().await.unwrap().unwrap();
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
    if task.press {
        deliver(&app, task).await;
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if let Some(rest) = rest(&app.store, &task.point).await {
            println!("rest {rest}");
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send(true).unwrap();
    working.await.unwrap();
}

/// Where the approval came to rest, once the chat has taken the card that says so.
async fn rest(store: &Store, point: &Point) -> Option<&'static str> {
    let kept = store.approval(&point.approval).await.unwrap().unwrap();
    let card = store.message(&card_of(&point.approval)).await.unwrap().unwrap();
    let state: State = serde_json::from_value(kept.state.body).unwrap();
    let rests = matches!(
        state,
        State::Created(_) | State::NeedsPerson { .. } | State::OutOfDate { .. } | State::Refused { .. }
    );
    (rests && card.shown == kept.version).then(|| state.name())
}

/// Id of the message that shows an approval's card.
fn card_of(approval: &str) -> String {
    format!("card:{approval}")
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
        bot: bot(&service).await,
        point: Point::default(),
        press: true,
    };
    let approvals = prepare::prepare(&task, points + 2 * REQUESTS).await;
    let (at_named, approvals) = approvals.split_at(usize::try_from(2 * REQUESTS).unwrap());
    if lane == 0 {
        at_every_request(&service, &task, at_named).await;
    }
    let mut outcomes = BTreeMap::<String, u64>::new();
    for (seed, point) in (0_u64..).zip(approvals).filter(|(seed, _)| (seed / 2) % 2 == lane) {
        let task = Task { point: point.clone(), ..task.clone() };
        // Every fourth point loses the answer to the request that creates, and shows the policy late.
        let hard = seed % 4 == 3;
        faults(&service, if hard { json!({"loseResponses": 1, "readLagMs": 150}) } else { json!({}) }).await;
        let acknowledged = killed(&task, delay(seed));
        let rest = at_rest(&service, &Task { press: !acknowledged, ..task }, &format!("seed {seed}")).await;
        *outcomes
            .entry(format!("{rest}{}", if acknowledged { ", acknowledged before the kill" } else { "" }))
            .or_default() += 1;
    }
    service.stop().await;
    outcomes
}

/// The journey asks no more of Graph than this.
const REQUESTS: u64 = 16;

/// The bot as the fake of Teams knows it, and a token for its webhook.
async fn bot(service: &Service) -> Bot {
    let scope = format!("{}/.default", service.app_id);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &service.app_id),
        ("client_secret", &service.app_secret),
        ("scope", &scope),
        ("service_url", &service.connector_url()),
    ];
    let token: Value = http().post(service.token_url()).form(&form).send().await.unwrap().json().await.unwrap();
    Bot {
        app_id: service.app_id.clone(),
        app_secret: service.app_secret.clone(),
        openid_metadata: service.openid_metadata(),
        login: service.base_url().to_owned(),
        connector: service.connector_url(),
        bearer: token["access_token"].as_str().unwrap().to_owned(),
    }
}

/// What the card in the chat says now.
async fn shown(service: &Service, card: &str) -> String {
    let url = format!("{}/demo/connector/activities", service.base_url());
    let sent: Value = http().get(url).send().await.unwrap().json().await.unwrap();
    let ours = sent["value"].as_array().unwrap().iter().find(|sent| sent["id"] == card);
    ours.expect("the card is in the chat")["activity"].to_string()
}

/// Lets the bot finish; where the approval came to rest, with one policy or none, never two, and a card that says so.
async fn at_rest(service: &Service, task: &Task, point: &str) -> String {
    let marker = task.point.marker.as_str();
    let rest = finished(task);
    let made = policies_with(service, marker).await;
    assert!(made <= 1, "{point}: {made} policies for one approval");
    assert!(rest == "created" || rest == "needs-person", "{point}: came to rest as `{rest}`");
    if rest == "created" {
        assert_eq!(made, 1, "{point}: created without a policy");
    }
    let card = shown(service, &task.point.card).await;
    let words = if rest == "created" { "Created in report-only at " } else { "Needs a person: " };
    assert!(card.contains(words), "{point}: came to rest as `{rest}`, and the card says {card}");
    // All approvals have one draft, and a second policy that says the same would be refused.
    let ours = |policy: &Value| policy["displayName"].as_str().is_some_and(|name| name.ends_with(marker));
    service.state().tenant().policies.retain(|policy| !ours(policy));
    rest
}

/// Kills the bot at every request of the journey, once before it has an effect and once after, while it waits for the
/// answer, and says how many such points there were.
async fn at_every_request(service: &Service, task: &Task, approvals: &[Point]) {
    let (mut points, mut created) = (0, 0);
    for (at, pair) in approvals.chunks(2).enumerate() {
        for (kind, point) in ["holdBefore", "holdAfter"].into_iter().zip(pair) {
            let task = Task { point: point.clone(), ..task.clone() };
            faults(service, json!({"schedule": [{"path": "", "skip": at, "kind": kind}]})).await;
            let mut child = spawn(&task);
            while !service.state().faults().over() && child.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if child.try_wait().unwrap().is_some() {
                // The journey has no further request: this bot came to its rest undisturbed.
                at_rest(service, &Task { press: false, ..task }, "after the last request").await;
                assert!(points >= 6, "only {points} points");
                println!(
                    "kill: {points} named points, before and after each request of the journey; {created} created"
                );
                faults(service, json!({})).await;
                return;
            }
            let acknowledged = kill(child);
            faults(service, json!({})).await;
            let rest = at_rest(service, &Task { press: !acknowledged, ..task }, &format!("{kind} {at}")).await;
            (points, created) = (points + 1, created + usize::from(rest == "created"));
        }
    }
    panic!("the journey has more than {REQUESTS} requests");
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// A pause between 0 and about the length of the journey, the same for the same seed.
fn delay(seed: u64) -> Duration {
    let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    Duration::from_millis(mixed % 900)
}

fn spawn(task: &Task) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .env("KILL_CHILD", serde_json::to_string(task).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Starts the bot and kills it so long after the press was sent; whether it had acknowledged the press by then.
fn killed(task: &Task, delay: Duration) -> bool {
    let mut child = spawn(task);
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    said.read_to_string(&mut line).unwrap();
    line.contains("acknowledged")
}

/// Kills a bot; whether it had acknowledged the press.
fn kill(mut child: std::process::Child) -> bool {
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
    let answer = http().post(format!("{}/demo/faults", service.base_url())).json(&faults).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

/// How many policies of the tenant end with the marker, as any client of Graph sees them.
async fn policies_with(service: &Service, marker: &str) -> usize {
    faults(service, json!({})).await;
    let http = http();
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
