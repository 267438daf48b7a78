//! A fake connector of Teams: keeps what the bot sends, in order, with every version of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::graph::watch::bearer;
use super::state::Demo;
use super::token::Audience;

/// What was sent.
#[derive(Debug, Default)]
pub struct Connector {
    sent: Vec<Sent>,
    conversations: u32,
}

/// One activity and its versions, oldest first.
#[derive(Debug)]
struct Sent {
    id: String,
    conversation: String,
    versions: Vec<Value>,
}

/// Routes under the service URL, and the list of what came in.
pub fn routes() -> Router<Arc<Demo>> {
    let activities = "/connector/v3/conversations/{conversation}/activities";
    Router::new()
        .route("/connector/v3/conversations", post(open))
        .route(activities, post(send))
        .route(&format!("{activities}/{{activity}}"), put(update).post(reply).delete(remove))
        .route("/demo/connector/activities", get(list))
}

async fn open(State(demo): State<Arc<Demo>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    guarded(&demo, &headers, |connector| {
        connector.conversations += 1;
        let conversation = format!("a:demo-{}", connector.conversations);
        let activity = body.get("activity").map(|activity| connector.keep(&conversation, activity.clone()));
        (StatusCode::CREATED, Json(json!({ "id": conversation, "activityId": activity }))).into_response()
    })
}

async fn send(
    State(demo): State<Arc<Demo>>,
    Path(to): Path<String>,
    headers: HeaderMap,
    Json(activity): Json<Value>,
) -> Response {
    guarded(&demo, &headers, |connector| created(&connector.keep(&to, activity)))
}

async fn reply(
    State(demo): State<Arc<Demo>>,
    Path((to, parent)): Path<(String, String)>,
    headers: HeaderMap,
    Json(mut activity): Json<Value>,
) -> Response {
    if let Some(activity) = activity.as_object_mut() {
        activity.entry("replyToId").or_insert(json!(parent));
    }
    guarded(&demo, &headers, |connector| created(&connector.keep(&to, activity)))
}

async fn update(
    State(demo): State<Arc<Demo>>,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
    Json(activity): Json<Value>,
) -> Response {
    guarded(&demo, &headers, |connector| match connector.sent.iter_mut().find(|sent| sent.id == id) {
        Some(sent) => {
            sent.versions.push(activity);
            Json(json!({ "id": id })).into_response()
        }
        None => not_found(),
    })
}

async fn remove(State(demo): State<Arc<Demo>>, Path((_, id)): Path<(String, String)>, headers: HeaderMap) -> Response {
    guarded(&demo, &headers, |connector| {
        let before = connector.sent.len();
        connector.sent.retain(|sent| sent.id != id);
        if connector.sent.len() < before { StatusCode::OK.into_response() } else { not_found() }
    })
}

async fn list(State(demo): State<Arc<Demo>>) -> Json<Value> {
    let connector = demo.connector();
    let rows = connector.sent.iter().map(|sent| {
        json!({ "id": sent.id, "conversation": sent.conversation, "activity": sent.versions.last(), "versions": sent.versions })
    });
    Json(json!({ "value": rows.collect::<Vec<_>>() }))
}

impl Connector {
    fn keep(&mut self, conversation: &str, activity: Value) -> String {
        let id = format!("{}", 1_700_000_000_000_u64 + u64::try_from(self.sent.len()).unwrap_or(0));
        self.sent.push(Sent { id: id.clone(), conversation: conversation.to_owned(), versions: vec![activity] });
        id
    }
}

/// Runs `then` for a caller with a token of the Bot Framework.
fn guarded(demo: &Demo, headers: &HeaderMap, then: impl FnOnce(&mut Connector) -> Response) -> Response {
    let known = bearer(headers).is_some_and(|token| demo.tokens.accepts(token, Audience::Connector, demo.now()));
    if known { then(&mut demo.connector()) } else { error(StatusCode::UNAUTHORIZED, "Unauthorized") }
}

fn created(id: &str) -> Response {
    (StatusCode::CREATED, Json(BTreeMap::from([("id", id)]))).into_response()
}

fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "ActivityNotFoundInConversation")
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "error": { "code": code, "message": code } }))).into_response()
}
