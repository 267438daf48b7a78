//! The Log Analytics query API over the demo's own sign-in log, for exactly the queries that lie in `templates/kql`.
//!
//! The aggregation is done here in naive code of its own, so that a mistake in the reader shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::activity::WINDOW_DAYS;
use super::random::days_before;
use super::state::Demo;
use super::token::Audience;

/// The queries that this workspace knows.
const SIGN_INS: &str = include_str!("../../templates/kql/sign_ins.kql");
const HELD: &str = include_str!("../../templates/kql/tables.kql");
/// The tables of interactive sign-ins and of the others.
const TABLES: [&str; 2] = ["SigninLogs", "AADNonInteractiveUserSignInLogs"];
/// Rows in one answer. Source: Azure Monitor service limits.
const MOST_ROWS: usize = 500_000;
/// Error codes of a failed first factor; such rows never reached Conditional Access.
const NEVER_REACHED: [i64; 11] = [50034, 50053, 50055, 50056, 50057, 50059, 50064, 50126, 50128, 50144, 51004];

/// Columns of the answer with their types, in the order of the query.
const COLUMNS: [(&str, &str); 25] = [
    ("signIns", "long"),
    ("id", "string"),
    ("createdDateTime", "datetime"),
    ("userId", "string"),
    ("userType", "string"),
    ("homeTenantId", "string"),
    ("crossTenantAccessType", "string"),
    ("appId", "string"),
    ("appDisplayName", "string"),
    ("resourceId", "string"),
    ("resourceDisplayName", "string"),
    ("conditionalAccessAudiences", "string"),
    ("clientAppUsed", "string"),
    ("ipAddress", "string"),
    ("location", "dynamic"),
    ("deviceDetail", "dynamic"),
    ("riskLevelDuringSignIn", "string"),
    ("originalTransferMethod", "string"),
    ("authenticationProtocol", "string"),
    ("authenticationRequirement", "string"),
    ("conditionalAccessStatus", "string"),
    ("status", "dynamic"),
    ("isInteractive", "bool"),
    ("correlationId", "string"),
    ("appliedConditionalAccessPolicies", "dynamic"),
];

/// What one query may bring; tests set it small, so that slices have to be cut.
#[derive(Debug)]
pub struct Limit {
    rows: AtomicUsize,
    slow: Mutex<Option<Slow>>,
    /// Tables that nothing is exported to.
    missing: Mutex<BTreeSet<&'static str>>,
}

/// Slices that take too long.
#[derive(Clone, Copy, Debug)]
pub struct Slow {
    /// Only longer ones do.
    pub from: SignedDuration,
    /// Answered with 504 by the service; otherwise never.
    pub is_said: bool,
}

impl Default for Limit {
    fn default() -> Self {
        Self { rows: AtomicUsize::new(MOST_ROWS), slow: Mutex::default(), missing: Mutex::default() }
    }
}

impl Limit {
    /// From now on answers end after so many rows.
    pub fn set(&self, rows: usize) {
        self.rows.store(rows, Ordering::Relaxed);
    }

    /// From now on long slices take too long.
    pub fn slow(&self, slow: Slow) {
        *self.slow.lock().unwrap_or_else(PoisonError::into_inner) = Some(slow);
    }

    /// From now on nothing is exported to these tables.
    pub fn lack(&self, tables: &[&'static str]) {
        *self.missing.lock().unwrap_or_else(PoisonError::into_inner) = tables.iter().copied().collect();
    }

    fn lacks(&self, table: &str) -> bool {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).contains(table)
    }

    /// Whether a slice takes too long, and whether that is said.
    fn stops(&self, since: Timestamp, until: Timestamp) -> Option<bool> {
        let slow = *self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        slow.filter(|slow| until.duration_since(since) > slow.from).map(|slow| slow.is_said)
    }
}

/// Routes of the API.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new().route("/v1/workspaces/{workspace}/query", post(query))
}

#[derive(Deserialize)]
struct Body {
    query: String,
}

async fn query(
    State(demo): State<Arc<Demo>>,
    Path(workspace): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Body>,
) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = token.strip_prefix("Bearer ").unwrap_or_default();
    if token.is_empty() {
        let said = "Authentication failed. The 'Authorization' header is missing.";
        return refuse(StatusCode::UNAUTHORIZED, "AuthenticationFailed", said);
    }
    // Whatever is wrong with it, this service says 403.
    if !demo.tokens.accepts(token, Audience::LogAnalytics, demo.now()) {
        return refuse(StatusCode::FORBIDDEN, "InvalidAuthenticationToken", "The access token is invalid.");
    }
    if workspace != demo.workspace() {
        return refuse(StatusCode::NOT_FOUND, "WorkspaceNotFoundError", "The workspace could not be found");
    }
    if let Some((since, until)) = slice(&body.query, HELD) {
        let held = rows(&demo, since, until).into_iter().map(|row| table_of(&row)).chain([""]);
        let held: Vec<[&str; 1]> = held.collect::<BTreeSet<_>>().into_iter().map(|name| [name]).collect();
        let columns = json!([{ "name": "held", "type": "string" }]);
        return Json(json!({ "tables": [{ "name": "PrimaryResult", "columns": columns, "rows": held }] }))
            .into_response();
    }
    let Some((since, until)) = slice(&body.query, SIGN_INS) else {
        return refuse(StatusCode::BAD_REQUEST, "BadArgumentError", "The request had some invalid properties");
    };
    match demo.log_limit.stops(since, until) {
        Some(true) => return refuse(StatusCode::GATEWAY_TIMEOUT, "GatewayTimeout", "The query timed out"),
        Some(false) => std::future::pending().await,
        None => {}
    }
    let stories = answer(&demo, since, until);
    let most = demo.log_limit.rows.load(Ordering::Relaxed);
    Json(table(&stories, most)).into_response()
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
}

/// The slice of time that a query of this template names; none for any other query.
fn slice(query: &str, template: &str) -> Option<(Timestamp, Timestamp)> {
    let named = |name: &str| {
        let after = query.split(&format!("let {name} = datetime(")).nth(1)?;
        let text = after.split(')').next()?;
        Some((text.to_owned(), text.parse::<Timestamp>().ok()?))
    };
    let ((from, since), (to, until)) = (named("since")?, named("until")?);
    let known = template.replace("{{from}}", &from).replace("{{to}}", &to);
    (query == known).then_some((since, until))
}

/// The rows of a slice in the tables that there are, newest first.
fn rows(demo: &Demo, since: Timestamp, until: Timestamp) -> Vec<Value> {
    let tenant = demo.tenant();
    let oldest = days_before(demo.now(), WINDOW_DAYS).max(since);
    let within = |row: &Value| time(row).is_some_and(|at| at >= since && at < until);
    let all = tenant.sign_ins.rows(&tenant, 0, oldest).map(|(_, row)| row);
    all.filter(|row| within(row) && !demo.log_limit.lacks(table_of(row))).collect()
}

/// The table that holds a row.
fn table_of(row: &Value) -> &'static str {
    let [interactive, other] = TABLES;
    if row.get("isInteractive").and_then(Value::as_bool).unwrap_or(true) { interactive } else { other }
}

/// The stories of a slice, each with how often it happened.
fn answer(demo: &Demo, since: Timestamp, until: Timestamp) -> Vec<(u64, Value)> {
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    for row in rows(demo, since, until) {
        let code = row.pointer("/status/errorCode").and_then(Value::as_i64).unwrap_or_default();
        if NEVER_REACHED.contains(&code) {
            continue;
        }
        // Newest first, so the first row of a correlation is the one that tells how it ended.
        last.entry(key(&row, &["userId", "correlationId", "appId", "resourceId"])).or_insert(row);
    }
    let mut stories: BTreeMap<String, (u64, Value)> = BTreeMap::new();
    for row in last.into_values() {
        let story = stories.entry(story(&row)).or_insert_with(|| (0, row.clone()));
        story.0 += 1;
        if time(&row) > time(&story.1) {
            story.1 = row;
        }
    }
    stories.into_values().collect()
}

fn time(row: &Value) -> Option<Timestamp> {
    row.get("createdDateTime")?.as_str()?.parse().ok()
}

fn key(row: &Value, members: &[&str]) -> String {
    members.iter().map(|name| row.get(*name).map(Value::to_string).unwrap_or_default()).collect::<Vec<_>>().join("|")
}

/// What makes two sign-ins of a day the same story.
fn story(row: &Value) -> String {
    let day = row.get("createdDateTime").and_then(Value::as_str).and_then(|text| text.get(..10)).unwrap_or_default();
    let device = |name: &str| row.pointer(&format!("/deviceDetail/{name}")).map(Value::to_string).unwrap_or_default();
    let parts = [
        day.to_owned(),
        key(row, &["userId", "userType", "homeTenantId", "crossTenantAccessType", "appId", "resourceId"]),
        key(row, &["conditionalAccessAudiences", "clientAppUsed", "ipAddress", "riskLevelDuringSignIn"]),
        key(row, &["originalTransferMethod", "authenticationProtocol", "authenticationRequirement"]),
        key(row, &["conditionalAccessStatus", "isInteractive"]),
        row.pointer("/status/errorCode").map(Value::to_string).unwrap_or_default(),
        row.pointer("/location/countryOrRegion").map(Value::to_string).unwrap_or_default(),
        ["operatingSystem", "deviceId", "isCompliant", "trustType"].map(device).join("|"),
    ];
    parts.join("\n")
}

/// The answer as the API writes it; with more rows than one answer may hold it is cut, and says so.
fn table(rows: &[(u64, Value)], most: usize) -> Value {
    let cells = |(count, row): &(u64, Value)| {
        COLUMNS
            .iter()
            .map(|(name, kind)| if *name == "signIns" { json!(count) } else { cell(row.get(*name), kind) })
            .collect::<Vec<_>>()
    };
    let written: Vec<Vec<Value>> = rows.iter().take(most).map(cells).collect();
    let named: Vec<Value> = COLUMNS.iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect();
    let tables = json!([{ "name": "PrimaryResult", "columns": named, "rows": written }]);
    if rows.len() <= most {
        return json!({ "tables": tables });
    }
    let cut = format!("The results of this query exceed the set limit of {most} records.");
    json!({ "tables": tables, "error": { "code": "PartialError", "message": "There were some errors when processing your query.",
        "details": [{ "code": "EngineError", "message": "Something went wrong processing your query on the server.",
            "innererror": { "code": "-2133196797", "severity": 2, "message": cut } }] } })
}

/// A dynamic value is text in the answer, and so are lists in columns that hold text.
fn cell(value: Option<&Value>, kind: &str) -> Value {
    match (kind, value) {
        (_, None | Some(Value::Null)) => Value::Null,
        ("dynamic", Some(value)) => json!(value.to_string()),
        ("string", Some(value)) if !value.is_string() => json!(value.to_string()),
        (_, Some(value)) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_query_is_known() {
        let query = SIGN_INS.replace("{{from}}", "2026-11-23T00:00:00Z").replace("{{to}}", "2026-11-24T00:00:00Z");
        assert!(slice(&query, SIGN_INS).is_some() && slice(&query, HELD).is_none());
        assert!(slice(&query.replace("count()", "dcount(UserId)"), SIGN_INS).is_none());
        assert!(slice("SigninLogs | take 10", SIGN_INS).is_none());
    }
}
