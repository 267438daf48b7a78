//! The bot with its web chat and its Teams webhook, served on loopback, beside the demo's tenant; time stands still.

use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use portcullis::app::App;
use portcullis::approval::{State, Terms};
use portcullis::bot::analysis::Analysis;
use portcullis::bot::{basis, review, watch, work};
use portcullis::chat::card::Press;
use portcullis::chat::teams::{self, Teams};
use portcullis::chat::web::{PersonView, Sessions, WebChat};
use portcullis::chat::{Conversation, Event, Incoming, Person};
use portcullis::checks::CureAction;
use portcullis::clock::Clock;
use portcullis::config::{Config, Credential};
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::http::{self, Shared, WebPages};
use portcullis::identity::{Endpoint, Tokens};
use portcullis::jobs::{Pace, Worker};
use portcullis::log::Actor;
use portcullis::store::Store;
use portcullis::store::approvals::{NewApproval, Stored};
use portcullis::store::jobs::{NewJob, Priority};
use portcullis::store::suggestions::Row;
use portcullis::tenant::Snapshot;
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use serde_json::{Value, json};

/// Roles of the people whom the demo offers.
pub(crate) const ADMINISTRATOR: &str = "administrator";
pub(crate) const APPROVER: &str = "approver";
pub(crate) const READER: &str = "reader";
pub(crate) const OUTSIDER: &str = "outsider";

pub(crate) struct Lab {
    pub(crate) service: Service,
    pub(crate) app: Arc<App>,
    clock: Clock,
    http: reqwest::Client,
    web: String,
    worker: Worker,
}

impl Lab {
    /// Everything started, and the tenant read once.
    pub(crate) async fn start(configure: impl FnOnce(&mut Config)) -> Self {
        let lab = Self::unread(configure).await;
        lab.scan().await;
        lab
    }

    /// Everything started, and the tenant not read yet.
    pub(crate) async fn unread(configure: impl FnOnce(&mut Config)) -> Self {
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_test_writer();
        // Another test of this process may have started it.
        let _ = log.try_init();
        let today: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
        let clock = Clock::fixed(today);
        let telling = clock.clone();
        let options = Options {
            tenant: Tenant::generate(&Seed { users: 120, seed: 1, today }),
            port: 0,
            record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
            clock: Arc::new(move || telling.now()),
        };
        let service = Service::start(options).await.unwrap();
        let app = app(&service, &clock, configure).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = format!("http://{}", listener.local_addr().unwrap());
        let (app, shared) = shared(app, &service, &web);
        // As when it runs, but a client is given up sooner.
        let patience = Duration::from_millis(1_500);
        tokio::spawn(async move { http::serve(listener, shared, patience).await });
        let handlers = Arc::new(work::handlers(&app));
        let worker = Worker { store: app.store.clone(), clock: clock.clone(), handlers, pace: Pace::default() };
        // A connection that idled while a scan took long is closed by the server, perhaps just when it is used again.
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
        let http = http.redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { service, app, clock, http, web, worker }
    }

    pub(crate) fn pass(&self, span: jiff::Span) {
        self.clock.set(self.clock.now() + span);
    }

    /// Works until nothing is due.
    pub(crate) async fn settle(&self) {
        self.worker.until_idle().await.unwrap();
    }

    /// Reads the tenant, a minute later.
    pub(crate) async fn scan(&self) {
        self.pass(1.minute());
        review::request(&self.app, &Actor::bot()).await.unwrap();
        self.settle().await;
    }

    /// Looks at the audit log once, a minute later, without the scan that it asks for.
    pub(crate) async fn poll(&self) {
        self.pass(1.minute());
        let now = self.clock.now();
        let job = NewJob {
            id: format!("watch:{now}"),
            kind: watch::JOB.into(),
            payload: json!({}),
            priority: Priority::Approval,
            due: now,
        };
        self.app.store.enqueue(&job).await.unwrap();
        self.settle().await;
    }

    /// The press of somebody's button, as the web chat brings it.
    pub(crate) fn incoming(&self, role: &str, press: Press) -> Incoming {
        let (id, name) = (self.person(role).id.clone(), self.person(role).name.clone());
        Incoming {
            key: format!("{id}:k"),
            conversation: Conversation {
                platform: "web".into(),
                id: id.clone(),
                tenant: self.service.tenant_id.clone(),
                personal: true,
                reference: Value::Null,
            },
            person: Person { platform_id: id.clone(), id, name },
            event: Event::Press(press),
        }
    }

    pub(crate) fn person(&self, role: &str) -> &portcullis::demo::Person {
        self.service.people.iter().find(|person| person.role == role).unwrap()
    }

    pub(crate) async fn cookie(&self, person: &portcullis::demo::Person) -> String {
        let form = [("person", person.id.as_str())];
        let answer = self
            .http
            .post(format!("{}/web/person", self.web))
            .header(ORIGIN, &self.web)
            .form(&form)
            .send()
            .await
            .unwrap();
        let cookie = answer.headers().get(SET_COOKIE).expect("a session").to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// A page as this person sees it.
    pub(crate) async fn page(&self, role: &str, path: &str) -> (u16, String) {
        let request = self.http.get(format!("{}{path}", self.web)).header(COOKIE, self.cookie(self.person(role)).await);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Sends what the web chat's page sends; the HTTP answer.
    pub(crate) async fn post(&self, role: &str, path: &str, body: &Value) -> Value {
        self.post_as(self.person(role), path, body).await
    }

    async fn post_as(&self, person: &portcullis::demo::Person, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.web)).header(ORIGIN, &self.web);
        let request = request.header("x-portcullis", "1").header(COOKIE, self.cookie(person).await);
        let answer = request.json(body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// A connection to the web chat's server, to say on it whatever one likes.
    pub(crate) async fn connect(&self) -> tokio::net::TcpStream {
        tokio::net::TcpStream::connect(self.web.trim_start_matches("http://")).await.unwrap()
    }

    /// What is streamed to this person's page.
    pub(crate) async fn stream(&self, role: &str) -> reqwest::Response {
        let url = format!("{}/web/stream", self.web);
        let request = self.http.get(url).header(COOKIE, self.cookie(self.person(role)).await);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer
    }

    /// Sends a question as the page does, without waiting for what comes of it: the HTTP answer's status, when to come again,
    /// and its words.
    pub(crate) async fn throw(&self, cookie: &str, text: &str) -> (u16, Option<u64>, String) {
        self.throw_at(cookie, ("/web/messages", &json!({"key": uuid::Uuid::new_v4(), "text": text}))).await
    }

    /// The same of anything that is sent.
    pub(crate) async fn throw_at(&self, cookie: &str, (path, body): (&str, &Value)) -> (u16, Option<u64>, String) {
        let request = self.http.post(format!("{}{path}", self.web)).header(ORIGIN, &self.web);
        let request = request.header("x-portcullis", "1").header(COOKIE, cookie);
        let answer = request.json(body).send().await.unwrap();
        let status = answer.status().as_u16();
        let wait = answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().parse().unwrap());
        let body: Value = answer.json().await.unwrap();
        (status, wait, body["word"].as_str().unwrap_or_default().to_owned())
    }

    /// Says something in the web chat; the card that answers it.
    pub(crate) async fn say(&self, role: &str, text: &str) -> Value {
        self.pass(1.second());
        self.post(role, "/web/messages", &json!({"key": uuid::Uuid::new_v4(), "text": text})).await;
        self.settle().await;
        self.newest_of(role).await
    }

    /// Presses a button of a card; the HTTP answer: `html` of the card that takes its place, or a `word`.
    pub(crate) async fn press(&self, role: &str, card: &Value, label: &str) -> Value {
        self.press_with(role, card, (label, None)).await
    }

    /// The same by one of several people with the same role.
    pub(crate) async fn press_as(&self, person: &portcullis::demo::Person, card: &Value, label: &str) -> Value {
        let body = json!({"key": uuid::Uuid::new_v4(), "press": button(card, label)["press"]});
        self.post_as(person, "/web/press", &body).await
    }

    pub(crate) async fn press_with(&self, role: &str, card: &Value, (label, input): (&str, Option<&str>)) -> Value {
        let mut press = button(card, label)["press"].clone();
        press["input"] = json!(input);
        self.post(role, "/web/press", &json!({"key": uuid::Uuid::new_v4(), "press": press})).await
    }

    /// The word that a press is answered with.
    pub(crate) async fn refused(&self, role: &str, card: &Value, label: &str) -> String {
        let answer = self.press(role, card, label).await;
        answer["word"].as_str().unwrap_or_else(|| panic!("not a refusal: {answer}")).to_owned()
    }

    /// The newest suggestion of this kind, in any state.
    pub(crate) async fn suggestion(&self, fits: impl Fn(&CureAction) -> bool) -> Row {
        let rows = self.app.store.suggestions(self.app.tenant()).await.unwrap();
        let action = |row: &Row| portcullis::bot::reconcile::Body::of(row).unwrap().proposal.action;
        rows.into_iter().find(|row| fits(&action(row))).expect("the demo's tenant has such a finding")
    }

    pub(crate) async fn row(&self, number: i64) -> Row {
        self.app.store.suggestion(self.app.tenant(), number).await.unwrap().unwrap()
    }

    /// The card of a suggestion as the web chat shows it now.
    pub(crate) async fn shown(&self, number: i64) -> Value {
        let messages = self.app.store.messages_about(&format!("S-{number}")).await.unwrap();
        let web = messages.into_iter().rfind(|message| message.said.conversation.starts_with("web:"));
        web.expect("a card of it").said.body
    }

    /// A card that asks for this, in the web chat of the approver.
    pub(crate) async fn ask(&self, suggestion: i64, action: &CureAction) -> Value {
        let now = self.clock.now();
        let id = uuid::Uuid::new_v4().simple().to_string();
        let policies = &self.app.analysis().unwrap().snapshot().policies.clone();
        let terms = Terms {
            asker: None,
            needed: 1,
            expires: now + 24.hours(),
            lag_bound: jiff::SignedDuration::from_mins(15),
            marker: "[asked]".into(),
            ticket: None,
            rests_on: basis::of(policies),
        };
        let new = NewApproval {
            id: id.clone(),
            tenant: self.app.tenant().to_owned(),
            suggestion,
            conversation: String::new(),
            terms: serde_json::to_value(&terms).unwrap(),
            draft: serde_json::to_value(action).unwrap(),
            state: Stored {
                name: "open".into(),
                body: serde_json::to_value(State::new()).unwrap(),
                due: None,
                decided: 1,
            },
            at: now,
        };
        let mut tx = self.app.store.begin().await.unwrap();
        tx.ask_approval(new).await.unwrap();
        tx.commit().await.unwrap();
        self.say(READER, &format!("propose S-{suggestion}")).await
    }

    /// From now on the tenant is as if it had been read like this.
    pub(crate) async fn read_as(&self, snapshot: Snapshot) {
        let snapshot = Arc::new(Snapshot { read_at: self.clock.now() + 1.second(), ..snapshot });
        let kept = self.app.store.save_snapshot(Arc::clone(&snapshot)).await.unwrap();
        let thresholds = std::collections::BTreeMap::new();
        self.app.set_analysis(Arc::new(Analysis::of(snapshot, kept.hash, &thresholds, self.clock.now())));
    }

    /// Says something in a personal chat in Teams.
    pub(crate) async fn say_in_teams(&self, role: &str, text: &str) {
        self.in_teams(role, &json!({"type": "message", "text": text})).await;
    }

    /// An activity in Teams, with a token as the Bot Framework sends it, in a personal chat unless it says where; the HTTP
    /// answer.
    pub(crate) async fn in_teams(&self, role: &str, said: &Value) -> Value {
        self.pass(1.second());
        let (status, answer) = self.throw_in_teams(role, said).await;
        assert_eq!(status, 200);
        self.settle().await;
        answer
    }

    /// The same, without waiting for what comes of it.
    pub(crate) async fn throw_in_teams(&self, role: &str, said: &Value) -> (u16, Value) {
        let (person, service) = (self.person(role), &self.service);
        let scope = format!("{}/.default", service.app_id);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &service.app_id),
            ("client_secret", &service.app_secret),
            ("scope", &scope),
            ("service_url", &service.connector_url()),
        ];
        let token: Value = self.http.post(service.token_url()).form(&form).send().await.unwrap().json().await.unwrap();
        let mut activity = json!({
            "id": uuid::Uuid::new_v4(), "channelId": "msteams", "serviceUrl": self.service.connector_url(),
            "from": {"id": format!("29:{role}"), "name": person.name, "aadObjectId": person.id},
            "conversation": {"conversationType": "personal", "tenantId": self.service.tenant_id, "id": format!("a:{role}")},
            "recipient": {"id": "28:bot", "name": "Portcullis"}, "channelData": {"tenant": {"id": self.service.tenant_id}},
        });
        activity.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        let answer = self
            .http
            .post(format!("{}/api/messages", self.web))
            .bearer_auth(token["access_token"].as_str().unwrap())
            .json(&activity)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Every activity that Teams was sent, oldest first: its conversation, and its newest version.
    pub(crate) async fn sent_in_teams(&self) -> Vec<(String, Value)> {
        let url = format!("{}/demo/connector/activities", self.service.base_url());
        let sent: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        let one = |sent: &Value| (sent["conversation"].as_str().unwrap().to_owned(), sent["activity"].clone());
        sent["value"].as_array().unwrap().iter().map(one).collect()
    }

    /// Every version of the newest activity that Teams was sent, oldest first.
    pub(crate) async fn newest_in_teams(&self) -> Vec<Value> {
        let url = format!("{}/demo/connector/activities", self.service.base_url());
        let sent: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        sent["value"].as_array().unwrap().last().expect("something was sent")["versions"].as_array().unwrap().clone()
    }

    /// Lets the tenant's Graph go wrong in this way from now on; in none for `{}`.
    pub(crate) async fn faults(&self, faults: Value) {
        let url = format!("{}/demo/faults", self.service.base_url());
        assert!(self.http.post(url).json(&faults).send().await.unwrap().status().is_success());
    }

    /// The newest card in somebody's web chat.
    pub(crate) async fn newest_of(&self, role: &str) -> Value {
        let conversation = format!("web:{}", self.person(role).id);
        self.app.store.newest_messages(&conversation, 1).await.unwrap().pop().unwrap().said.body
    }

    /// A colleague does something in the tenant.
    pub(crate) async fn colleague(&self, method: reqwest::Method, path: &str, body: Value) -> Value {
        self.pass(1.second());
        let url = format!("{}/demo/colleague/{path}", self.service.base_url());
        let answer = self.http.request(method, url).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) fn policies_named(&self, part: &str) -> Vec<Value> {
        let tenant = self.service.state().tenant();
        let named = |policy: &&Value| policy["displayName"].as_str().unwrap().contains(part);
        tenant.policies.iter().filter(named).cloned().collect()
    }
}

async fn app(service: &Service, clock: &Clock, configure: impl FnOnce(&mut Config)) -> App {
    let mut config = crate::at_demo::config(service);
    config.graph.log_days = 2;
    config.tenant.settings.emergency_access = [service.emergency_group.clone()].into();
    config.write.credential = Some(Credential::ClientSecret {
        client_id: service.writer_id.clone(),
        secret: service.writer_secret.clone().into(),
    });
    configure(&mut config);
    let store = Store::in_memory().await.unwrap();
    App::new(config, clock.clone(), store).unwrap().with_graph().unwrap()
}

fn shared(app: App, service: &Service, web: &str) -> (Arc<App>, Shared) {
    let sessions = Sessions::new(&[7; 32], vec![web.to_owned()]);
    let chat = Arc::new(WebChat::new(sessions, jiff::tz::TimeZone::UTC).unwrap());
    let (issuer, http) = ("https://api.botframework.com", reqwest::Client::builder().no_proxy().build().unwrap());
    let (client_id, secret) = (service.app_id.clone(), service.app_secret.clone().into());
    let login = Endpoint {
        http: &http,
        login_base: &service.base_url().parse().unwrap(),
        login_key: "teams.login_base",
        scope: &teams::scope(issuer),
        clock: &app.clock,
    };
    let tokens = Tokens::new(&Credential::ClientSecret { client_id, secret }, &service.tenant_id, &login).unwrap();
    let teams = Teams::new(teams::Options {
        app_id: service.app_id.clone(),
        tokens,
        openid_metadata: service.openid_metadata().parse().unwrap(),
        issuer: issuer.to_owned(),
        service_hosts: vec!["127.0.0.1".into()],
        tenants: vec![service.tenant_id.clone()],
        allow_anonymous_loopback: false,
        key_refetch_floor: Duration::from_secs(1),
        retry: teams::Retry::default(),
        http,
        clock: app.clock.clone(),
    });
    let app = Arc::new(app.with_platform(Arc::clone(&chat) as _).with_platform(Arc::new(teams.unwrap())));
    let view = |person: &portcullis::demo::Person| PersonView {
        id: person.id.clone(),
        name: person.name.clone(),
        role: person.role.to_owned(),
    };
    let people = service.people.iter().map(view).collect();
    let pages = WebPages { chat, people, banner: None, requests: None };
    (Arc::clone(&app), Shared { app, web: Some(Arc::new(pages)) })
}

/// The button of a card with this label.
pub(crate) fn button<'a>(card: &'a Value, label: &str) -> &'a Value {
    let actions = card["actions"].as_array().unwrap();
    actions.iter().find(|action| action["label"] == label).unwrap_or_else(|| panic!("no button {label}: {actions:?}"))
}

pub(crate) fn labels(card: &Value) -> Vec<&str> {
    card["actions"].as_array().unwrap().iter().map(|action| action["label"].as_str().unwrap()).collect()
}

/// The text to copy in this language.
pub(crate) fn code<'a>(card: &'a Value, language: &str) -> &'a str {
    let blocks = card["blocks"].as_array().unwrap();
    let found = blocks.iter().find(|block| block["block"] == "code" && block["language"] == language);
    found.unwrap_or_else(|| panic!("no {language}: {blocks:?}"))["text"].as_str().unwrap()
}

/// The labelled lines of a card.
pub(crate) fn rows(card: &Value) -> Vec<(String, String)> {
    let blocks = card["blocks"].as_array().unwrap().iter().filter(|block| block["block"] == "rows");
    let rows = blocks.flat_map(|block| block["rows"].as_array().unwrap());
    rows.map(|row| (row["label"].as_str().unwrap().to_owned(), run_words(&row["runs"]))).collect()
}

/// The items of a card's lists.
pub(crate) fn items(card: &Value) -> Vec<String> {
    let blocks = card["blocks"].as_array().unwrap().iter().filter(|block| block["block"] == "items");
    blocks.flat_map(|block| block["items"].as_array().unwrap()).map(|item| run_words(&item["runs"])).collect()
}

fn run_words(runs: &Value) -> String {
    runs.as_array().unwrap().iter().map(|run| run["text"].as_str().unwrap()).collect()
}

/// Every word of a card's paragraphs, in order.
pub(crate) fn words(card: &Value) -> String {
    let blocks = card["blocks"].as_array().unwrap().iter().filter(|block| block["block"] == "text");
    let runs = blocks.flat_map(|block| block["runs"].as_array().unwrap());
    runs.map(|run| run["text"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

/// Before and after, field by field.
pub(crate) fn changes(card: &Value) -> Vec<(String, String, String)> {
    let blocks = card["blocks"].as_array().unwrap().iter().filter(|block| block["block"] == "change");
    let rows = blocks.flat_map(|block| block["rows"].as_array().unwrap());
    let text = |row: &Value, side: &str| row[side].as_str().unwrap_or_default().to_owned();
    rows.map(|row| (text(row, "label"), text(row, "before"), text(row, "after"))).collect()
}
