//! Asks an OpenAI-compatible endpoint for a plan, within a deadline and a byte limit.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::facts::{Fact, Wording, WordingError};

use super::mask::Mask;
use super::verify::{LONGEST, Offered, Plan, Rejection, verify};

/// Failures in a row after which the endpoint is left alone for a while.
const PATIENCE: u32 = 5;
/// How long it is left alone, in milliseconds.
const REST_MS: i64 = 30_000;

/// Where the model is.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Base URL, up to `/v1`.
    pub base_url: String,
    /// Name of the model.
    pub model: String,
    /// Key, if the endpoint wants one.
    pub api_key: SecretString,
    /// How long an answer may take altogether.
    pub deadline: Duration,
}

/// Why there is no plan; the answer then stands as the template has it.
#[derive(Debug, thiserror::Error)]
pub enum Unplanned {
    /// Fewer than two facts: there is nothing to order.
    #[error("there is nothing to order")]
    NothingToOrder,
    /// Left alone after failures in a row.
    #[error("the model endpoint is resting after failures")]
    Resting,
    /// No answer within the deadline.
    #[error("the model took too long")]
    TooSlow,
    /// The endpoint failed; the text names no content.
    #[error("the model endpoint failed: {0}")]
    Failed(&'static str),
    /// The answer broke a rule.
    #[error("the plan was refused: {0}")]
    Refused(#[from] Rejection),
    /// A fault in our own wordings.
    #[error(transparent)]
    Wording(#[from] WordingError),
}

/// The client of one model endpoint.
pub struct Explainer {
    client: Client<OpenAIConfig>,
    endpoint: Endpoint,
    clock: Clock,
    failures: AtomicU32,
    resting_until: AtomicI64,
}

impl std::fmt::Debug for Explainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Explainer").field("model", &self.endpoint.model).finish_non_exhaustive()
    }
}

impl Explainer {
    /// A client for this endpoint. `http` must follow no redirects and use no proxy: a prompt goes nowhere else.
    #[must_use]
    pub fn new(endpoint: Endpoint, http: reqwest::Client, clock: Clock) -> Self {
        let config = OpenAIConfig::new()
            .with_api_base(endpoint.base_url.trim_end_matches('/'))
            .with_api_key(endpoint.api_key.expose_secret());
        // Our own service instead of the crate's: it retries nothing and honours no `Retry-After`, both of which would
        // outlive the deadline, and it reads no more than a plan can be long.
        let service = tower::service_fn(move |request: HttpRequestFactory| bounded(http.clone(), request));
        Self {
            client: Client::with_config(config).with_http_service(service),
            endpoint,
            clock,
            failures: AtomicU32::new(0),
            resting_until: AtomicI64::new(0),
        }
    }

    /// Asks for an order of `facts` for this kind of question. Neither the question's own words nor any name of the
    /// tenant are sent.
    ///
    /// # Errors
    /// When there is no plan that holds, with the reason for the metrics.
    pub async fn plan(&self, question: &str, facts: &[Fact], wording: &Wording) -> Result<Plan, Unplanned> {
        if facts.len() < 2 {
            return Err(Unplanned::NothingToOrder);
        }
        if self.clock.now().as_millisecond() < self.resting_until.load(Ordering::Relaxed) {
            return Err(Unplanned::Resting);
        }
        let offered = Mask::default().offer(facts, wording)?;
        let asked = tokio::time::timeout(self.endpoint.deadline, self.ask(question, &offered)).await;
        let answer = asked.map_err(|_| Unplanned::TooSlow).and_then(|answer| answer);
        self.note(answer.is_ok());
        Ok(verify(&answer?, &offered)?)
    }

    async fn ask(&self, question: &str, offered: &[Offered]) -> Result<String, Unplanned> {
        let answer: Completion =
            self.client.chat().create_byot(self.request(question, offered)).await.map_err(|error| blame(&error))?;
        let choice = answer.choices.into_iter().next().ok_or(Rejection::NotAPlan)?;
        match choice.finish_reason.as_deref() {
            Some("stop" | "eos") => choice.message.content.ok_or(Unplanned::Refused(Rejection::NotAPlan)),
            _ => Err(Unplanned::Refused(Rejection::Unfinished)),
        }
    }

    fn request(&self, question: &str, offered: &[Offered]) -> Value {
        let rules = include_str!("../../prompts/plan.md").replace("{{connectives}}", &super::connectives().join(" | "));
        let facts: Vec<Value> =
            offered.iter().map(|fact| json!({"id": fact.id, "text": fact.clause, "must": fact.must_show})).collect();
        json!({
            "model": self.endpoint.model,
            "messages": [
                {"role": "system", "content": rules},
                {"role": "user", "content": json!({"question": question, "facts": facts}).to_string()},
            ],
            "temperature": 0,
            "max_completion_tokens": 600,
            "stream": false,
            "response_format": {"type": "json_schema", "json_schema": {
                "name": "plan", "strict": true, "schema": schema(offered),
            }},
        })
    }

    fn note(&self, fine: bool) {
        if fine {
            self.failures.store(0, Ordering::Relaxed);
        } else if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE {
            self.failures.store(0, Ordering::Relaxed);
            self.resting_until.store(self.clock.now().as_millisecond() + REST_MS, Ordering::Relaxed);
        }
    }
}

/// The strict subset that servers have in common: every field required, enums built for this request.
fn schema(offered: &[Offered]) -> Value {
    let nullable = |values: Vec<Value>| json!({"type": ["string", "null"], "enum": values});
    let ids = offered.iter().map(|fact| json!(fact.id)).chain([Value::Null]).collect();
    let words = super::connectives().into_iter().map(|words| json!(words)).chain([Value::Null]).collect();
    json!({
        "type": "object", "additionalProperties": false, "required": ["plan", "cannot_answer"],
        "properties": {
            "plan": {"type": "array", "items": {
                "type": "object", "additionalProperties": false, "required": ["fact", "say"],
                "properties": {"fact": nullable(ids), "say": nullable(words)},
            }},
            "cannot_answer": {"type": "boolean"},
        },
    })
}

/// What is read of a completion: servers differ in the rest.
#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
}

/// Sends a request once and reads at most a few plans' worth of bytes.
async fn bounded(http: reqwest::Client, request: HttpRequestFactory) -> Result<reqwest::Response, OpenAIError> {
    let mut response = http.execute(request.build().await?).await.map_err(OpenAIError::Reqwest)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(OpenAIError::Reqwest)? {
        body.extend_from_slice(&chunk);
        if body.len() > 2 * LONGEST {
            return Err(OpenAIError::InvalidArgument("the answer is longer than any plan".into()));
        }
    }
    let mut bounded = axum::http::Response::new(body);
    *bounded.status_mut() = status;
    Ok(bounded.into())
}

/// A failure in words that hold nothing of the request or the answer.
fn blame(error: &OpenAIError) -> Unplanned {
    Unplanned::Failed(match error {
        OpenAIError::Reqwest(error) if error.is_connect() => "it can't be reached",
        OpenAIError::Reqwest(_) => "the connection broke",
        OpenAIError::ApiError(_) => "it answered with an error",
        OpenAIError::JSONDeserialize(..) => "its answer isn't a completion",
        _ => "its answer can't be used",
    })
}
