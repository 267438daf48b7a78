//! A Graph service and token endpoint that answers what a test tells it to, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use portcullis::config::{Config, Loopback};
use serde_json::{Value, json};

const TENANT: &str = "00000000-1111-2222-3333-444444444444";
/// The client secret, which must never show.
pub(crate) const SECRET: &str = "a-secret-that-nobody-prints";

/// The token, which must never show either.
pub(crate) const TOKEN: &str = "a-token-that-nobody-prints";

/// What a handler sees of the query.
pub(crate) type Query = BTreeMap<String, String>;
type Handler = Arc<dyn Fn(&Fake, &Query) -> Answer + Send + Sync>;

/// The service. Collections that nobody defined are empty.
#[derive(Clone)]
pub(crate) struct Fake {
    address: String,
    state: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    handlers: BTreeMap<String, Handler>,
    policies: Option<BTreeMap<String, Value>>,
    requests: Vec<Seen>,
    faults: Option<u64>,
}

struct Seen {
    method: String,
    path: String,
    query: String,
    headers: String,
}

/// One answer.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
    reset: bool,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, &body.to_string())
    }

    /// Graph's error body.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &json!({"error": {"code": code, "message": message}}))
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self { status, body: body.as_bytes().to_vec(), headers: Vec::new(), reset: false }
    }

    /// A body that says it is compressed.
    pub(crate) fn gzip(body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..Self::text(200, "").with("content-encoding", "gzip") }
    }

    /// The connection breaks after the headers promised a body.
    pub(crate) fn reset() -> Self {
        Self { reset: true, ..Self::text(200, "") }
    }

    pub(crate) fn with_retry_after(self, seconds: &'static str) -> Self {
        self.with("retry-after", seconds)
    }

    /// With one header more.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn into_response(self) -> Response<Body> {
        let mut response = Response::builder().status(StatusCode::from_u16(self.status).unwrap());
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let broken = futures_util::stream::iter([Err::<String, _>(std::io::Error::other("broken"))]);
        let body = if self.reset { Body::from_stream(broken) } else { Body::from(self.body) };
        response.header("content-type", "application/json").body(body).unwrap()
    }
}

impl Fake {
    pub(crate) async fn start() -> Self {
        log_everything();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake = Self { address: format!("http://{}", listener.local_addr().unwrap()), state: Arc::default() };
        let app = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        fake.on(&Self::token_path(), |_, _| {
            Answer::json(200, &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN}))
        });
        fake.on("/v1.0/policies/identitySecurityDefaultsEnforcementPolicy", |_, _| {
            Answer::json(200, &json!({"isEnabled": false}))
        });
        fake
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn token_path() -> String {
        format!("/{TENANT}/oauth2/v2.0/token")
    }

    pub(crate) fn config(&self) -> Config {
        Config::loopback(Loopback {
            graph: &self.address,
            login: &self.address,
            tenant_id: TENANT,
            client_id: "55555555-6666-7777-8888-999999999999",
            client_secret: SECRET,
            store: "sqlite::memory:",
        })
        .unwrap()
    }

    /// What a path answers; after `DELETE ` it is what answers that alone.
    pub(crate) fn on(&self, path: &str, handler: impl Fn(&Self, &Query) -> Answer + Send + Sync + 'static) {
        self.state.lock().unwrap().handlers.insert(path.to_owned(), Arc::new(handler));
    }

    pub(crate) fn list(&self, path: &str, objects: Value) {
        self.on(path, move |_, _| Answer::json(200, &json!({"value": &objects})));
    }

    /// From now on about one reading in three fails, in a way and at a moment that the seed decides.
    pub(crate) fn fail_at_random(&self, seed: u64) {
        self.state.lock().unwrap().faults = Some(seed);
    }

    /// Keeps what is created and gives it back.
    pub(crate) fn store_policies(&self) {
        self.state.lock().unwrap().policies = Some(BTreeMap::new());
    }

    pub(crate) fn edit_policy(&self, id: &str, member: &str, value: Value) {
        self.state.lock().unwrap().policies.as_mut().unwrap().get_mut(id).unwrap()[member] = value;
    }

    pub(crate) fn count(&self, method: &str, end_of_path: &str) -> usize {
        let state = self.state.lock().unwrap();
        state.requests.iter().filter(|seen| seen.method == method && seen.path.ends_with(end_of_path)).count()
    }

    pub(crate) fn headers_of(&self, path: &str) -> String {
        let state = self.state.lock().unwrap();
        state.requests.iter().find(|seen| seen.path == path).unwrap().headers.clone()
    }

    pub(crate) fn queries_of(&self, path: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.requests.iter().filter(|seen| seen.path == path).map(|seen| seen.query.clone()).collect()
    }
}

/// Everything that this process has logged, at the most verbose level.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log_everything() {
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Log).finish();
    // Only the first of the tests in this process sets it.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// What was logged until now.
pub(crate) fn logged() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap()).into_owned()
}

async fn answer(State(fake): State<Fake>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let query: axum::extract::Query<Query> = axum::extract::Query::try_from_uri(&parts.uri).unwrap();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let seen = Seen {
        method: method.clone(),
        path: path.clone(),
        query: format!("{:?}", query.0),
        headers: format!("{:?}", parts.headers),
    };
    let handler = {
        let mut state = fake.state.lock().unwrap();
        state.requests.push(seen);
        if method == "GET"
            && let Some(fault) = state.faults.as_mut().and_then(fault)
        {
            return fault.into_response();
        }
        if let Some(answer) = state.policies.as_mut().and_then(|policies| store(policies, &method, &path, &body)) {
            return answer.into_response();
        }
        let own = state.handlers.get(&format!("{method} {path}"));
        own.or_else(|| state.handlers.get(&path)).cloned()
    };
    match handler {
        Some(handler) => handler(&fake, &query.0).into_response(),
        None => Answer::json(200, &json!({"value": []})).into_response(),
    }
}

/// The next fault of a seed, if this request gets one (a linear congruential generator: Knuth's MMIX).
fn fault(seed: &mut u64) -> Option<Answer> {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    match (*seed >> 33) % 15 {
        0 => Some(Answer::json(429, &json!({})).with_retry_after("0")),
        1 => Some(Answer::json(503, &json!({}))),
        2 => Some(Answer::reset()),
        3 => Some(Answer::text(200, "{\"value\": [{\"id\"")),
        4 => Some(Answer::error(500, "InternalServerError", "try again")),
        _ => None,
    }
}

/// Policies that are kept: create, list, read, delete.
fn store(policies: &mut BTreeMap<String, Value>, method: &str, path: &str, body: &[u8]) -> Option<Answer> {
    let id = path.strip_prefix("/v1.0/identity/conditionalAccess/policies")?.trim_start_matches('/');
    Some(match (method, id) {
        ("POST", "") => {
            let mut policy: Value = serde_json::from_slice(body).unwrap();
            assert_eq!(policy["state"], "enabledForReportingButNotEnforced");
            let id = uuid::Uuid::new_v4().to_string();
            policy["id"] = json!(id);
            policies.insert(id, policy.clone());
            Answer::json(201, &policy)
        }
        ("GET", "") => Answer::json(200, &json!({"value": policies.values().collect::<Vec<_>>()})),
        ("GET", id) if policies.contains_key(id) => Answer::json(200, &policies[id]),
        ("DELETE", id) if policies.remove(id).is_some() => Answer::text(204, ""),
        _ => Answer::json(404, &json!({"error": {"code": "ResourceNotFound", "message": "not found"}})),
    })
}
