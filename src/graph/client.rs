//! One request to Microsoft Graph: token, turn, answer. Readings are tried again; a request with an effect only when Graph
//! was asked too often, because then it had none.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder, Retryable};
use jiff::{Timestamp, ToSpan as _};
use reqwest::header::{ACCEPT, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::sleep;

use super::GraphError;
use super::log_analytics::Workspace;
use super::pacing::{Limit, Pacing};
use crate::clock::Clock;
use crate::config::{BackOff, Cloud, Config, Credential, Tenant};
use crate::identity::{Endpoint, Tokens};

/// No answer that we ask for is larger: a page of 999 objects is a few MiB.
const MAX_BODY: usize = 64 << 20;

/// Speaks to the Graph of one tenant. Cheap to clone; all clones share token, pacing and connections.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    base: Url,
    tokens: Tokens,
    pacing: Arc<Pacing>,
    back_off: BackOff,
    tenant: Tenant,
    /// Between readings that must agree.
    read_back: Duration,
    log_days: u16,
    clock: Clock,
    /// Where the sign-in log is read, when not from Graph.
    workspace: Option<Workspace>,
}

/// What is asked for, by whom it is limited, and what one must be allowed to do.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Path below the base with its query, or a whole address of a next page.
    pub path: &'a str,
    /// The limit it counts against.
    pub limit: Limit,
    /// How much it counts there: resource units of the directory, 1 elsewhere.
    pub units: u32,
    /// The least permission for it, as the app registration shows it.
    pub permission: &'static str,
}

impl Client {
    /// The client that reads.
    pub fn new(config: &Config, clock: Clock) -> Result<Self, GraphError> {
        let pacing = Arc::new(Pacing::new(config.graph.pacing));
        Self::with(config, &config.graph.credential, pacing, clock)
    }

    /// The client that writes, as the identity for writing; it takes turns with the one that reads.
    pub(super) fn for_writing(&self, config: &Config) -> Result<Self, GraphError> {
        match &config.write.credential {
            Some(own) => Self::with(config, own, Arc::clone(&self.0.pacing), self.0.clock.clone()),
            None => Ok(self.clone()),
        }
    }

    fn with(config: &Config, own: &Credential, pacing: Arc<Pacing>, clock: Clock) -> Result<Self, GraphError> {
        let graph = &config.graph;
        let http = http_client(graph.timeout)?;
        let mut base = graph.base.clone();
        base.set_path(&format!("{}/", base.path().trim_end_matches('/')));
        let tokens = |scope: &str| {
            let endpoint = Endpoint {
                http: &http,
                login_base: &graph.login_base,
                login_key: "graph.login_base",
                scope,
                clock: &clock,
            };
            Tokens::new(own, &config.tenant.id, &endpoint).map_err(GraphError::from)
        };
        let workspace = match &graph.log_analytics {
            Some(at) => Some(Workspace::new(at, tokens(graph.cloud.log_analytics_scope())?, &clock)?),
            None => None,
        };
        let tokens = tokens(&scope_of(&graph.base, graph.cloud))?;
        let (back_off, log_days, read_back) = (graph.back_off, graph.log_days, graph.read_back);
        let tenant = config.tenant.clone();
        Ok(Self(Arc::new(Inner {
            http,
            base,
            tokens,
            pacing,
            back_off,
            tenant,
            read_back,
            log_days,
            clock,
            workspace,
        })))
    }

    /// The clock that readings are dated by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The tenant that it speaks to.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.0.tenant
    }

    /// The workspace that holds the sign-in log, where one is configured.
    pub(super) fn workspace(&self) -> Option<&Workspace> {
        self.0.workspace.as_ref()
    }

    /// The permissions that this identity's token carries; none when the token can't be read.
    pub async fn permissions(&self) -> Result<Option<BTreeSet<String>>, GraphError> {
        Ok(self.0.tokens.permissions().await?)
    }

    /// How long to wait between readings that must agree.
    pub(super) fn read_back(&self) -> Duration {
        self.0.read_back
    }

    /// The part of the logs that is read now: its days, up to this moment.
    pub(super) fn log_window(&self) -> (Timestamp, Timestamp) {
        let (hours, now) = (i64::from(self.0.log_days) * 24, self.0.clock.now());
        (now.checked_sub(hours.hours()).unwrap_or(Timestamp::UNIX_EPOCH), now)
    }

    /// Reads one JSON object, trying again as configured.
    pub async fn get(&self, ask: Ask<'_>) -> Result<Value, GraphError> {
        self.get_as(ask, json).await
    }

    /// The same, with the text of the answer read by `parse`.
    pub(super) async fn get_as<T>(
        &self,
        ask: Ask<'_>,
        parse: impl Fn(&[u8]) -> Result<T, GraphError>,
    ) -> Result<T, GraphError> {
        let url = self.address(ask.path)?;
        let one = async || parse(&self.read_once(self.0.http.get(url.clone()), ask).await?);
        let mut patience = self.patience();
        one.retry(self.waits())
            .when(GraphError::is_transient)
            .adjust(|error, wait| wait.map(|wait| self.held(error, patience.wait(error, wait), ask.limit)))
            .notify(|error, wait| {
                tracing::debug!(%error, wait_ms = wait.as_millis(), path = url.path(), "trying again");
            })
            .await
    }

    /// The waits before further tries, doubled each time, with jitter.
    pub(super) fn waits(&self) -> ExponentialBuilder {
        let back_off = self.0.back_off;
        ExponentialBuilder::new()
            .with_min_delay(back_off.first)
            .with_max_delay(back_off.longest)
            .with_max_times(back_off.attempts.saturating_sub(1))
            .with_jitter()
    }

    /// How long one reading waits because Graph asks for it.
    pub(super) fn patience(&self) -> Patience {
        Patience(self.0.back_off.patience)
    }

    /// The wait; where Graph was asked too often, everybody under the same limit waits along.
    pub(super) fn held(&self, error: &GraphError, wait: Duration, limit: Limit) -> Duration {
        if matches!(error, GraphError::Throttled { .. }) {
            self.0.pacing.hold(limit, wait);
        }
        wait
    }

    /// A reading that Graph wants as something else than GET, once.
    pub(super) async fn ask_once(
        &self,
        method: Method,
        ask: Ask<'_>,
        body: Option<&Value>,
    ) -> Result<Value, GraphError> {
        let mut request = self.0.http.request(method, self.address(ask.path)?);
        if let Some(body) = body {
            request = request.json(body);
        }
        json(&self.read_once(request, ask).await?)
    }

    async fn read_once(&self, request: RequestBuilder, ask: Ask<'_>) -> Result<Vec<u8>, GraphError> {
        body_of(self.send(request, ask).await?).await
    }

    /// Sends one request that has an effect. What Graph refuses because it was asked too often had none and is sent again,
    /// for as long as what was checked before may be trusted to hold; so is, once and with a new token, what it refuses
    /// because of the token; nothing else is.
    pub(super) async fn send_once(&self, method: Method, ask: Ask<'_>, body: Option<&Value>) -> Result<Value, Failure> {
        let (mut waits, mut patience) = (self.waits().build(), Patience(self.0.back_off.longest));
        let mut renewed = false;
        loop {
            let sent = self.send_effect(method.clone(), ask, body).await;
            if matches!(sent, Err(Failure::Refused(GraphError::Unauthorised { .. }))) {
                self.0.tokens.forget().map_err(|error| Failure::NotSent(error.into()))?;
                if !std::mem::replace(&mut renewed, true) {
                    continue;
                }
            }
            let Err(Failure::Refused(error @ GraphError::Throttled { .. })) = &sent else { return sent };
            let Some(wait) = waits.next().filter(|_| patience.covers(error)) else { return sent };
            let wait = self.held(error, patience.wait(error, wait), ask.limit);
            tracing::info!(%error, wait_ms = wait.as_millis(), "a change was throttled before it had an effect; trying again");
            sleep(wait).await;
        }
    }

    /// One request that has an effect, once; an error of the connection is the caller's to judge.
    async fn send_effect(&self, method: Method, ask: Ask<'_>, body: Option<&Value>) -> Result<Value, Failure> {
        let url = self.address(ask.path).map_err(Failure::NotSent)?;
        let token = self.0.tokens.get().await.map_err(|error| Failure::NotSent(error.into()))?;
        self.0.pacing.turn(ask.limit, ask.units).await;
        let mut request = self.0.http.request(method, url).bearer_auth(token.expose_secret());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| Failure::of_connection(&error))?;
        // A failure of the service may come before or after the effect; a refusal (4xx) had none.
        if answer.status().is_server_error() || answer.status() == StatusCode::REQUEST_TIMEOUT {
            return Err(Failure::Unknown);
        }
        let answer = self.checked(answer, ask).await.map_err(Failure::Refused)?;
        let body = body_of(answer).await.map_err(|_| Failure::Unknown)?;
        Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn send(&self, request: RequestBuilder, ask: Ask<'_>) -> Result<Response, GraphError> {
        let token = self.0.tokens.get().await?;
        self.0.pacing.turn(ask.limit, ask.units).await;
        let answer = request.bearer_auth(token.expose_secret()).send().await;
        let answer = answer.map_err(lost)?;
        let checked = self.checked(answer, ask).await;
        if matches!(checked, Err(GraphError::Unauthorised { .. })) {
            self.0.tokens.forget()?;
        }
        checked
    }

    async fn checked(&self, answer: Response, ask: Ask<'_>) -> Result<Response, GraphError> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let after = retry_after(answer.headers(), self.0.clock.now());
        let what = ask.path.split('?').next().unwrap_or_default();
        let body = body_of(answer).await.unwrap_or_default();
        Err(GraphError::from_answer(status, after, &body, (what, ask.permission)))
    }

    /// An address below the base; a whole address only on the same host, so that no answer can send our token elsewhere.
    pub(super) fn address(&self, path: &str) -> Result<Url, GraphError> {
        let foreign = |cause: &str| GraphError::Malformed { cause: cause.to_owned() };
        let url = self.0.base.join(path).map_err(|error| foreign(&error.to_string()))?;
        if url.origin() != self.0.base.origin() || !url.path().starts_with(self.0.base.path()) {
            return Err(foreign("a link leads to another host"));
        }
        Ok(url)
    }
}

/// How long somebody still waits because Graph asks for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience(Duration);

impl Patience {
    /// As long as Graph asks for, while patience lasts; otherwise as long as the back-off says.
    pub(super) fn wait(&mut self, error: &GraphError, wait: Duration) -> Duration {
        let Some(asked) = error.retry_after().filter(|_| !self.0.is_zero()) else { return wait };
        let wait = asked.min(self.0);
        self.0 = self.0.saturating_sub(wait);
        wait
    }

    /// Whether it lasts for what Graph asks for.
    fn covers(&self, error: &GraphError) -> bool {
        error.retry_after().is_none_or(|asked| asked <= self.0)
    }
}

/// Why a request with an effect brought no answer that says so.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was sent.
    NotSent(GraphError),
    /// Graph says that it did nothing.
    Refused(GraphError),
    /// Bytes were sent, and whether they had an effect isn't known.
    Unknown,
}

impl Failure {
    /// Only a connection that never came about has surely sent nothing.
    fn of_connection(error: &reqwest::Error) -> Self {
        if error.is_connect() || error.is_builder() {
            return Self::NotSent(GraphError::Unavailable { cause: "no connection".to_owned() });
        }
        Self::Unknown
    }
}

/// What became of a request that brought no answer, or a part of one.
pub(super) fn lost(error: reqwest::Error) -> GraphError {
    let late = error.is_timeout() && !error.is_connect();
    let cause = error.without_url().to_string();
    if late { GraphError::Late { cause } } else { GraphError::Unavailable { cause } }
}

fn json(body: &[u8]) -> Result<Value, GraphError> {
    serde_json::from_slice(body).map_err(|error| GraphError::Malformed { cause: error.to_string() })
}

/// No proxy from the environment and no redirect: the token goes to the configured host only.
pub(super) fn http_client(timeout: Duration) -> Result<reqwest::Client, GraphError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, reqwest::header::HeaderValue::from_static("application/json"));
    headers.insert("prefer", reqwest::header::HeaderValue::from_static("include-unknown-enum-members"));
    reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .default_headers(headers)
        .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| GraphError::Unavailable { cause: error.to_string() })
}

/// The scope of Graph's tokens: its own host; a tenant on this machine plays that of the cloud.
fn scope_of(graph_base: &Url, cloud: Cloud) -> String {
    match graph_base.host_str() {
        Some(host) if graph_base.scheme() == "https" => format!("https://{host}/.default"),
        _ => format!("{}/.default", cloud.graph()),
    }
}

/// `Retry-After` in seconds, as Graph documents it, or as a date, as HTTP allows: by the clock of the service where it tells
/// it, which need not be ours.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name| Some(headers.get(name)?.to_str().ok()?.trim());
    let date = |text| Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp());
    let after = text(RETRY_AFTER)?;
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = text(DATE).and_then(date).unwrap_or(now);
    Duration::try_from(date(after)?.duration_since(now)).ok()
}

/// The body, which must end and not be larger than any answer that we ask for.
pub(super) async fn body_of(mut answer: Response) -> Result<Vec<u8>, GraphError> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_BODY => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(GraphError::TooLarge { most: MAX_BODY }),
            Ok(None) => return Ok(body),
            Err(error) => return Err(lost(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_lasts_for_what_graph_asks_and_no_longer() {
        let (seconds, said) = (Duration::from_secs, super::super::error::Said::default);
        let asks = |after| GraphError::Throttled { after, said: said() };
        let mut patience = Patience(seconds(100));
        assert_eq!(patience.wait(&asks(Some(seconds(90))), seconds(1)), seconds(90), "longer than any wait of our own");
        assert_eq!(patience.wait(&asks(None), seconds(1)), seconds(1));
        assert!(patience.covers(&asks(Some(seconds(10)))) && !patience.covers(&asks(Some(seconds(11)))));
        assert_eq!(patience.wait(&asks(Some(seconds(90))), seconds(1)), seconds(10));
        assert_eq!(patience.wait(&asks(Some(seconds(90))), seconds(2)), seconds(2), "then as long as we like");
    }

    #[test]
    fn the_scope_follows_the_cloud_and_an_own_address() {
        let scope = |base: &str, cloud| scope_of(&base.parse().unwrap(), cloud);
        assert_eq!(scope("http://127.0.0.1:1", Cloud::China), "https://microsoftgraph.chinacloudapi.cn/.default");
        assert_eq!(scope("https://graph.microsoft.us/", Cloud::Global), "https://graph.microsoft.us/.default");
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        let wait = |text: &str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]), now);
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Mon, 23 Nov 2026 08:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("Mon, 23 Nov 2026 07:00:00 GMT"), None, "in the past");
        assert_eq!(wait("soon"), None);
        let said = |name, text: &str| (name, text.parse().unwrap());
        let by_its_clock =
            [said(RETRY_AFTER, "Mon, 23 Nov 2026 09:10:30 GMT"), said(DATE, "Mon, 23 Nov 2026 09:10:00 GMT")];
        assert_eq!(retry_after(&HeaderMap::from_iter(by_its_clock), now), Some(Duration::from_secs(30)));
    }
}
