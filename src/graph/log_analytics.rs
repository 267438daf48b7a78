//! The sign-in log of tenants that export it to a Log Analytics workspace: the workspace folds millions of rows into
//! distinct stories with counts, and only those come here.
//!
//! Sources: Azure Monitor, Log Analytics query API; Azure Monitor service limits (500,000 rows and 64 MB an answer).

use backon::{ExponentialBuilder, Retryable as _};
use handlebars::Handlebars;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{StatusCode, Url};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::GraphError;
use super::client::{Patience, body_of, http_client, lost, retry_after};
use super::read::Progress;
use crate::clock::Clock;
use crate::config::LogAnalytics;
use crate::identity::Tokens;
use crate::tenant::Kind;
use crate::tenant::read::ReadError;

/// The query, with the slice of time to be filled in.
const SIGN_INS: &str = include_str!("../../templates/kql/sign_ins.kql");
/// The query that shows which of the tables hold sign-ins, and so whether the workspace can be read.
const HELD: &str = include_str!("../../templates/kql/tables.kql");
/// What one must be allowed to do, as the workspace's access control shows it.
pub const WORKSPACE_ROLE: &str = "Log Analytics Reader (on the workspace)";
/// The longest that the service lets a query run, in seconds. Source: Azure Monitor service limits.
const LONGEST: u64 = 600;
/// Between the service's own time-out and ours, in seconds: its answer shall still arrive.
const MARGIN: u64 = 30;
/// A slice that is still too large at this length is given up: it holds more than one answer may.
const SHORTEST: SignedDuration = SignedDuration::from_secs(60);

/// A table of sign-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogTable {
    /// Its name in the workspace.
    pub name: &'static str,
    /// The category of Microsoft Entra's diagnostic settings that fills it.
    pub category: &'static str,
    /// Which sign-ins it holds.
    pub what: &'static str,
}

/// The tables that the query of sign-ins reads. Source: Azure Monitor, tables of Microsoft Entra ID.
pub const TABLES: [LogTable; 2] = [
    LogTable { name: "SigninLogs", category: "SignInLogs", what: "interactive" },
    LogTable {
        name: "AADNonInteractiveUserSignInLogs",
        category: "NonInteractiveUserSignInLogs",
        what: "non-interactive",
    },
];

/// How a query is tried again.
type Tries = (ExponentialBuilder, Patience);

/// One workspace.
#[derive(Debug)]
pub(super) struct Workspace {
    /// Address of the query.
    query: Url,
    /// Tokens for it.
    tokens: Tokens,
    /// The HTTP client, more patient than that for Graph.
    http: reqwest::Client,
    /// How long a query may run, in the service's words.
    prefer: String,
    /// The time.
    clock: Clock,
}

impl Workspace {
    /// The workspace at this address, as whom the tokens are for.
    pub(super) fn new(at: &LogAnalytics, tokens: Tokens, clock: &Clock) -> Result<Self, GraphError> {
        let address = format!("{}/v1/workspaces/{}/query", at.base.as_str().trim_end_matches('/'), at.workspace);
        let query = address.parse().map_err(|_| GraphError::Malformed { cause: format!("no address: {address}") })?;
        let wait = at.timeout.as_secs().saturating_sub(MARGIN).clamp(1, LONGEST);
        let prefer = format!("wait={wait}, include-statistics=false");
        Ok(Self { query, tokens, http: http_client(at.timeout)?, prefer, clock: clock.clone() })
    }

    /// The stories of the window, oldest slice first, each as `read` has it. A slice that is too large for one answer is
    /// asked again in halves; a partial answer is never taken for a whole one.
    pub(super) async fn sign_ins<T>(
        &self,
        (from, to): (Timestamp, Timestamp),
        read: fn(&Value) -> Result<T, ReadError>,
        (tries, progress): (Tries, &dyn Progress),
    ) -> Result<Vec<T>, GraphError> {
        let mut stories = Vec::new();
        let mut waiting: Vec<(Timestamp, Timestamp)> = days(from, to);
        while let Some((since, until)) = waiting.pop() {
            if progress.cancelled() {
                return Err(GraphError::Cancelled);
            }
            match self.slice((since, until), tries).await? {
                Slice::Whole(answer) => stories.extend(answer.rows(read)?),
                Slice::Cut(why) => waiting.extend(halves((since, until), why)?),
            }
            progress.page(Kind::SignIns, u64::try_from(stories.len()).unwrap_or(u64::MAX));
        }
        Ok(stories)
    }

    /// The tables without a sign-in in the window: the query of sign-ins takes one that isn't there for an empty one.
    pub(super) async fn empty_tables(&self, (from, to): (Timestamp, Timestamp)) -> Result<Vec<LogTable>, GraphError> {
        let body = json!({ "query": filled(HELD, (from, to))?, "timespan": format!("{from}/{to}") });
        let held = self.ask(&body).await?.rows(|row| Ok(row.get("held").cloned()))?;
        let is_held = |table: &LogTable| held.iter().flatten().any(|name| name == table.name);
        Ok(TABLES.into_iter().filter(|table| !is_held(table)).collect())
    }

    /// One slice. One that takes too long is cut as well: asked again as it is, it would take as long.
    async fn slice(
        &self,
        (since, until): (Timestamp, Timestamp),
        (waits, mut patience): Tries,
    ) -> Result<Slice, GraphError> {
        let body = json!({ "query": filled(SIGN_INS, (since, until))?, "timespan": format!("{since}/{until}") });
        let late = |error: &GraphError| matches!(error, GraphError::Late { .. });
        let once = || self.ask(&body);
        let tried = once.retry(waits).when(|error| error.is_transient() && !late(error));
        let answer = tried.adjust(|error, wait| wait.map(|wait| patience.wait(error, wait))).await;
        let why = match answer {
            Ok(answer) if answer.error.is_none() => return Ok(Slice::Whole(answer)),
            Ok(_) => "more distinct sign-ins than one answer of the workspace may hold".to_owned(),
            Err(error) if late(&error) => format!("too many sign-ins for the workspace to fold in time: {error}"),
            // The service counts its rows before they are written as JSON, which can take more.
            Err(error @ GraphError::TooLarge { .. }) => error.to_string(),
            Err(error) => return Err(error),
        };
        tracing::debug!(%since, %until, why, "an answer of the workspace was cut; asking in halves");
        Ok(Slice::Cut(why))
    }

    async fn ask(&self, body: &Value) -> Result<Answer, GraphError> {
        let token = self.tokens.get().await?;
        let request = self.http.post(self.query.clone()).bearer_auth(token.expose_secret());
        let request = request.header("prefer", &self.prefer).header(CONTENT_TYPE, "application/json");
        let answer = request.body(body.to_string()).send().await;
        let answer = answer.map_err(lost)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = body_of(answer).await?;
        if !status.is_success() {
            let refusal = self.refusal(status, &headers, &bytes);
            if matches!(refusal, GraphError::Unauthorised { .. }) {
                self.tokens.forget()?;
            }
            return Err(refusal);
        }
        serde_json::from_slice(&bytes).map_err(|error| GraphError::Malformed { cause: error.to_string() })
    }

    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> GraphError {
        let after = retry_after(headers, self.clock.now());
        match GraphError::from_answer(status.as_u16(), after, body, (self.query.path(), WORKSPACE_ROLE)) {
            GraphError::Forbidden { permission: role, said } => GraphError::NoRole { role, said },
            other => other,
        }
    }
}

/// A query for a slice of time.
fn filled(query: &str, (since, until): (Timestamp, Timestamp)) -> Result<String, GraphError> {
    let mut templates = Handlebars::new();
    templates.register_escape_fn(handlebars::no_escape);
    let filled = templates.render_template(query, &json!({ "from": since.to_string(), "to": until.to_string() }));
    filled.map_err(|error| GraphError::Malformed { cause: error.to_string() })
}

/// The days (UTC) of a window, the last one first, so that the oldest is taken from the end.
fn days(from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let mut slices = Vec::new();
    let mut since = from;
    while since < to {
        let next = since.as_second().div_euclid(86_400) * 86_400 + 86_400;
        let until = Timestamp::from_second(next).unwrap_or(to).min(to);
        slices.push((since, until));
        since = until;
    }
    slices.reverse();
    slices
}

/// The later half first, so that the earlier one is taken next.
fn halves((since, until): (Timestamp, Timestamp), why: String) -> Result<[(Timestamp, Timestamp); 2], GraphError> {
    let length = until.duration_since(since);
    if length <= SHORTEST {
        return Err(GraphError::Malformed { cause: format!("between {since} and {until}: {why}") });
    }
    let middle = since + length / 2;
    Ok([(middle, until), (since, middle)])
}

/// What came of one slice.
enum Slice {
    /// All of it.
    Whole(Answer),
    /// Nothing that could be used, and why.
    Cut(String),
}

/// What the query API answers.
#[derive(Debug, Deserialize)]
struct Answer {
    tables: Vec<Table>,
    /// Set when the answer was cut: never to be taken for a whole one.
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Answer {
    /// The rows of the first table, each in the shape of Graph's `signIn`.
    fn rows<T>(self, read: fn(&Value) -> Result<T, ReadError>) -> Result<Vec<T>, GraphError> {
        let Some(Table { columns, rows }) = self.tables.into_iter().next() else { return Ok(Vec::new()) };
        let one = |(at, row): (usize, Vec<Value>)| {
            let members = Value::Object(object(&columns, row));
            read(&members)
                .map_err(|error| GraphError::Malformed { cause: format!("row {at} of the workspace: {error}") })
        };
        rows.into_iter().enumerate().map(one).collect()
    }
}

/// A row as an object; a dynamic value comes as JSON in a text.
fn object(columns: &[Column], row: Vec<Value>) -> Map<String, Value> {
    let cell = |(column, value): (&Column, Value)| {
        let parsed = match (column.kind.as_str(), value.as_str()) {
            ("dynamic", Some(text)) => serde_json::from_str(text).unwrap_or(value),
            _ => value,
        };
        (column.name.clone(), parsed)
    };
    columns.iter().zip(row).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::read::read_sign_in;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_is_asked_day_by_day_and_halved_where_it_is_too_much() {
        let slices = days(at("2026-11-22T18:00:00Z"), at("2026-11-24T06:00:00Z"));
        let text: Vec<String> = slices.iter().map(|(since, until)| format!("{since}/{until}")).collect();
        assert_eq!(
            text,
            [
                "2026-11-24T00:00:00Z/2026-11-24T06:00:00Z",
                "2026-11-23T00:00:00Z/2026-11-24T00:00:00Z",
                "2026-11-22T18:00:00Z/2026-11-23T00:00:00Z"
            ]
        );
        let [later, earlier] = halves((at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:00Z")), String::new()).unwrap();
        assert_eq!((earlier.1, later.0), (at("2026-11-23T12:00:00Z"), at("2026-11-23T12:00:00Z")));
        let minute = (at("2026-11-23T00:00:00Z"), at("2026-11-23T00:01:00Z"));
        assert!(halves(minute, "too much".into()).unwrap_err().to_string().ends_with("00:01:00Z: too much"));
    }

    #[test]
    fn a_row_of_the_workspace_reads_as_a_sign_in_of_graph() {
        let answer = json!({"tables": [{"name": "PrimaryResult",
            "columns": [{"name": "signIns", "type": "long"}, {"name": "id", "type": "string"}, {"name": "createdDateTime", "type": "datetime"},
                {"name": "userId", "type": "string"}, {"name": "deviceDetail", "type": "dynamic"}, {"name": "riskLevelDuringSignIn", "type": "string"}],
            "rows": [[7, "s1", "2026-11-23T09:00:00Z", "u1", "{\"operatingSystem\":\"Ios 17.1\",\"isCompliant\":true}", "hidden"]]}]});
        let rows = serde_json::from_value::<Answer>(answer).unwrap().rows(read_sign_in).unwrap();
        let row = &rows[0];
        assert_eq!((row.times, row.compliant, row.risk), (7, Some(true), None));
    }
}
