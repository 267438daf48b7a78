//! What stands before every request to Graph and to the Log Analytics workspace: the record of it, the token check, and the faults that were set.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{OriginalUri, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::breakage;
use super::error::GraphError;
use crate::demo::faults::Kind;
use crate::demo::permissions::suffice;
use crate::demo::state::Demo;
use crate::demo::token::Audience;

const BODY_LIMIT: usize = 1 << 20;

/// Records the request, without headers, and lets it through with a token of ours.
pub async fn watch(State(demo): State<Arc<Demo>>, request: Request, next: Next) -> Response {
    watched(&demo, request, next, refusal).await
}

/// The same for an API that looks at the token itself.
pub async fn watch_open(State(demo): State<Arc<Demo>>, request: Request, next: Next) -> Response {
    watched(&demo, request, next, |_, _| None).await
}

async fn watched(
    demo: &Demo,
    request: Request,
    next: Next,
    refusal: fn(&Demo, &Parts) -> Option<GraphError>,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else { return GraphError::too_large().into_response() };
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
    let line = json!({ "method": parts.method.as_str(), "path": uri.path(), "query": uri.query().unwrap_or_default(),
        "body": readable(&body), "time": demo.now().to_string(), "service": demo.base });
    let response = match refusal(demo, &parts) {
        Some(refusal) => refusal.into_response(),
        None => faulty(demo, Request::from_parts(parts, Body::from(body)), next).await,
    };
    keep(demo, line, response.status());
    response
}

/// No token of ours, or one without the permission.
fn refusal(demo: &Demo, parts: &Parts) -> Option<GraphError> {
    let Some(token) = bearer(&parts.headers) else { return Some(GraphError::no_token()) };
    if !demo.tokens.accepts(token, Audience::Graph, demo.now()) {
        return Some(GraphError::unauthorised());
    }
    let may = suffice(&demo.tokens.permissions(token), &parts.method, &parts.uri);
    (!may).then(|| GraphError::out_of_scope(parts.uri.path()))
}

/// Answers as the limits and the faults allow: late, not at all, broken, or with the effect but without the answer.
async fn faulty(demo: &Demo, request: Request, next: Next) -> Response {
    let uri = request.extensions().get::<OriginalUri>().map_or(request.uri(), |OriginalUri(uri)| uri).clone();
    let batch = uri.path().ends_with("/$batch");
    let (delay, fault, limited) = {
        let mut faults = demo.faults();
        (faults.delay(), faults.strikes(&uri.to_string()), faults.limited() && !batch && !queries(uri.path()))
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if limited {
        let users = demo.tenant().people.count();
        let asked = (uri.path(), uri.query().unwrap_or_default());
        let admitted = demo.limits().admit(asked, users, tokio::time::Instant::now());
        if let Err(early) = admitted {
            return GraphError::throttled(early.retry_after.map(|wait| wait.to_string())).into_response();
        }
    }
    if fault == Some(Kind::HoldBefore) {
        std::future::pending::<()>().await;
    }
    if let Some(refusal) = fault.and_then(|fault| breakage::refusal(fault, demo.now())) {
        return refusal.into_response();
    }
    let writes = matches!(*request.method(), Method::POST | Method::PATCH | Method::DELETE);
    let reads = batch || uri.path().ends_with("/evaluate") || queries(uri.path());
    let response = next.run(request).await;
    if fault == Some(Kind::HoldAfter) {
        std::future::pending::<()>().await;
    }
    if writes && !reads && demo.faults().loses() {
        return GraphError::lost().into_response();
    }
    match fault {
        Some(fault) => breakage::broken(fault, response, &format!("{}{uri}", demo.base)).await,
        None => response,
    }
}

/// Whether this asks the Log Analytics workspace, which is no service of Graph and has no limits here.
fn queries(path: &str) -> bool {
    path.starts_with("/v1/workspaces/")
}

/// The token of an `Authorization: Bearer` header.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn keep(demo: &Demo, mut line: Value, status: StatusCode) {
    if let Some(line) = line.as_object_mut() {
        line.insert("status".into(), json!(status.as_u16()));
    }
    if let Err(error) = demo.record(line) {
        tracing::warn!(%error, "cannot record a request to the demo's Graph");
    }
}

fn readable(body: &Bytes) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(body).unwrap_or_else(|_| json!(String::from_utf8_lossy(body)))
}
