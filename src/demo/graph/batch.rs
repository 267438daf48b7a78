//! `/$batch`: up to twenty requests in one, each judged on its own.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

use super::error::{GraphError, unknown_method};

/// Requests of a batch.
const MOST: usize = 20;
/// The largest answer to one of them.
const LARGEST: usize = 64 << 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<One>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct One {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// The route, handing the single requests to `graph`.
pub fn routes(graph: Router) -> Router {
    let both = Router::new().route("/v1.0/$batch", post(answer)).route("/beta/$batch", post(answer));
    both.method_not_allowed_fallback(unknown_method).with_state(graph)
}

async fn answer(
    State(graph): State<Router>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, GraphError> {
    let unreadable = |_| GraphError::bad_request("Invalid batch payload format.");
    let batch: Batch = serde_json::from_slice(&body).map_err(unreadable)?;
    if batch.requests.len() > MOST {
        return Err(GraphError::bad_request(format!(
            "Number of batch request steps exceeds the maximum value of {MOST}."
        )));
    }
    let version = uri.path().trim_end_matches("/$batch");
    let token = headers.get(header::AUTHORIZATION).cloned();
    let (first, after): (Vec<One>, Vec<One>) = batch.requests.into_iter().partition(|one| one.depends_on.is_empty());
    let ask = |one: &One| graph.clone().oneshot(request(version, token.as_ref(), one));
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    for (one, response) in first.iter().zip(join_all(first.iter().map(ask)).await) {
        answers.insert(one.id.clone(), told(one, response.unwrap_or_default()).await);
    }
    for one in &after {
        let fine = one.depends_on.iter().all(|id| answers.get(id).is_some_and(succeeded));
        let response = if fine { ask(one).await.unwrap_or_default() } else { failed_dependency() };
        answers.insert(one.id.clone(), told(one, response).await);
    }
    Ok(Json(json!({ "responses": answers.into_values().collect::<Vec<_>>() })))
}

fn request(version: &str, token: Option<&axum::http::HeaderValue>, one: &One) -> Request<Body> {
    let uri = format!("{version}/{}", one.url.trim_start_matches('/')).replace(' ', "%20");
    let body = one.body.as_ref().map(Value::to_string).unwrap_or_default();
    let method = Method::from_bytes(one.method.as_bytes()).unwrap_or(Method::GET);
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, token);
    }
    for (name, value) in &one.headers {
        request = request.header(name, value);
    }
    request.body(Body::from(body)).unwrap_or_default()
}

fn succeeded(answer: &Value) -> bool {
    answer.get("status").and_then(Value::as_u64).is_some_and(|status| status < 300)
}

fn failed_dependency() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FAILED_DEPENDENCY;
    response
}

/// An answer as a batch tells it.
async fn told(one: &One, response: Response) -> Value {
    let mut status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers: Map<String, Value> =
        headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), json!(value.to_str().ok()?)))).collect();
    let body = to_bytes(response.into_body(), LARGEST).await.ok();
    let body = match body {
        Some(empty) if empty.is_empty() => Some(Value::Null),
        body => body.and_then(|body| serde_json::from_slice(&body).ok()),
    };
    // What a service answered half is a bad gateway to the one who asked for the batch.
    if body.is_none() {
        status = StatusCode::BAD_GATEWAY.as_u16();
    }
    json!({ "id": one.id, "status": status, "headers": headers, "body": body })
}
