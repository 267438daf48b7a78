//! Posting to Teams: the Bot Connector's REST interface, with its retries.
//!
//! The bot's token goes to hosts of `teams.service_hosts` and nowhere else; the address is checked anew for each request,
//! since a stored conversation may be older than the list. Retries: "Optimize your bot with rate limiting" (Microsoft Learn).

use std::time::Duration;

use anyhow::Context as _;
use backon::{ExponentialBuilder, Retryable};
use reqwest::{Method, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::address::{self, ServiceHosts};
use crate::identity::Tokens;

/// A longer `Retry-After` than this is cut: the job that posts is repeated anyway.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What failed where there is no token; its cause stands behind it.
const NO_TOKEN: &str = "token for posting to Teams";

/// How often and how fast a request is repeated.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Wait before the second try; doubled each time, with jitter.
    pub first: Duration,
    /// Tries after the first one.
    pub times: usize,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), times: 5 }
    }
}

/// Talks to the service that an activity named.
pub(crate) struct Connector {
    pub(crate) hosts: ServiceHosts,
    pub(crate) tokens: Tokens,
    pub(crate) http: reqwest::Client,
    pub(crate) retry: Retry,
    /// Loopback addresses get no token (the Playground asks for none).
    pub(crate) anonymous_loopback: bool,
}

/// Why a request to Teams failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the conversation's service address is not on the list of teams.service_hosts")]
    ForeignHost,
    #[error("teams answered {status} {code}")]
    Refused { status: StatusCode, code: String, wait: Option<Duration> },
    #[error("teams can't be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl Failure {
    /// The message isn't there any more, or Teams says so: a known fault of the service.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status, code, .. }
            if *status == StatusCode::NOT_FOUND || code == "ActivityNotFoundInConversation")
    }

    fn is_passing(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                matches!(status.as_u16(), 401 | 412 | 429 | 502 | 503 | 504) || self.is_not_found()
            }
            // Nothing was sent. After a broken answer the message may stand in the chat: no second one.
            Self::Unreachable(error) => error.is_connect(),
            Self::ForeignHost | Self::Other(_) => false,
        }
    }

    fn wait(&self) -> Option<Duration> {
        match self {
            Self::Refused { wait, .. } => *wait,
            _ => None,
        }
    }
}

/// The answer to a post; without an id when Teams made several messages of one.
#[derive(Default, Deserialize)]
struct Posted {
    #[serde(default)]
    id: String,
}

impl Connector {
    /// Posts an activity into a conversation; gives the id of the message, empty when Teams tells none.
    pub(crate) async fn post(&self, service: &str, conversation: &str, activity: &Value) -> Result<String, Failure> {
        let url = self.url(service, &["v3", "conversations", conversation, "activities"])?;
        let answer = self.request(Method::POST, url, activity).await?;
        // The message stands; an answer that can't be read must not make it stand twice.
        let posted: Posted = answer.json().await.unwrap_or_default();
        Ok(posted.id)
    }

    /// Opens a conversation, without saying anything there; gives its id.
    pub(crate) async fn create(&self, service: &str, parameters: &Value) -> Result<String, Failure> {
        let url = self.url(service, &["v3", "conversations"])?;
        let answer = self.request(Method::POST, url, parameters).await?;
        let opened: Posted = answer.json().await.map_err(|error| Failure::Unreachable(error.without_url()))?;
        Ok(opened.id)
    }

    /// Replaces a message.
    pub(crate) async fn put(&self, service: &str, at: [&str; 2], activity: &Value) -> Result<(), Failure> {
        let [conversation, message] = at;
        let url = self.url(service, &["v3", "conversations", conversation, "activities", message])?;
        self.request(Method::PUT, url, activity).await.map(drop)
    }

    /// The bot's own token, of which only the listed hosts hear.
    pub(crate) async fn token(&self) -> anyhow::Result<SecretString> {
        self.tokens.get().await.context(NO_TOKEN)
    }

    fn url(&self, service: &str, path: &[&str]) -> Result<Url, Failure> {
        let mut url = self.hosts.admit(service).ok_or(Failure::ForeignHost)?;
        url.path_segments_mut().map_err(|()| Failure::ForeignHost)?.pop_if_empty().extend(path);
        Ok(url)
    }

    async fn request(&self, method: Method, url: Url, activity: &Value) -> Result<Response, Failure> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(self.retry.first)
            .with_max_times(self.retry.times)
            .with_jitter();
        (|| self.once(method.clone(), url.clone(), activity))
            .retry(backoff)
            .when(Failure::is_passing)
            .adjust(|failure, planned| planned.map(|planned| planned.max(failure.wait().unwrap_or_default())))
            .notify(|failure, wait| tracing::info!(%failure, wait_ms = wait.as_millis(), "teams will be tried again"))
            .await
    }

    async fn once(&self, method: Method, url: Url, activity: &Value) -> Result<Response, Failure> {
        let anonymous = self.anonymous_loopback && address::is_loopback(&url);
        let mut request = self.http.request(method, url).json(activity);
        if !anonymous {
            request = request.bearer_auth(self.token().await?.expose_secret());
        }
        let answer = request.send().await.map_err(|error| Failure::Unreachable(error.without_url()))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        if answer.status() == StatusCode::UNAUTHORIZED {
            self.tokens.forget().context(NO_TOKEN)?;
        }
        Err(refused(answer).await)
    }
}

async fn refused(answer: Response) -> Failure {
    let status = answer.status();
    let after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    let wait = after.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
    let body: Value = answer.json().await.unwrap_or_default();
    let code = body.pointer("/error/code").and_then(Value::as_str).unwrap_or_default();
    let code = code.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
    Failure::Refused { status, code, wait }
}
