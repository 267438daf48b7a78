//! Routes that only the demo has: what was asked of Graph, and a colleague who changes the tenant behind the bot's back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::audits::{Actor, Change};
use super::graph::GraphError;
use super::graph::groups::group_index;
use super::graph::policies::change;
use super::groups::Member;
use super::people::People;
use super::state::Demo;
use super::user_json::display_name;

/// Routes.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/demo/requests", get(requests))
        .route("/demo/colleague/policies/{id}", post(edit))
        .route("/demo/colleague/groups/{id}/members", post(add_members))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    by: String,
    patch: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Addition {
    by: String,
    user_ids: Vec<String>,
}

async fn requests(State(demo): State<Arc<Demo>>) -> Json<Value> {
    Json(json!({ "value": demo.requests() }))
}

async fn edit(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Json(edit): Json<Edit>,
) -> Result<Json<Value>, GraphError> {
    let by = actor(&demo.tenant().people, &edit.by);
    change(&demo, &id, &edit.patch, &by).map(Json)
}

async fn add_members(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Json(addition): Json<Addition>,
) -> Result<StatusCode, GraphError> {
    let now = demo.now();
    let mut tenant = demo.tenant();
    let (at, by) = (group_index(&tenant, &id)?, actor(&tenant.people, &addition.by));
    let user = |id: &String| tenant.people.index(id).ok_or_else(|| GraphError::not_found("User", id));
    let users: Vec<u32> = addition.user_ids.iter().map(user).collect::<Result<_, _>>()?;
    for member in users.into_iter().map(Member::User) {
        tenant.groups.add_member(at, member, now);
        let change = tenant.groups.get(at).map(|group| Change::member(&tenant, (at, group), member));
        if let Some(change) = change {
            tenant.audit(now, &by, &change);
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The person of this name among those everybody knows; otherwise just the name.
fn actor(people: &People, name: &str) -> Actor {
    let known = (0..people.count().min(50)).find(|user| display_name(people, *user) == name);
    known.map_or_else(|| Actor::Named(name.to_owned()), Actor::User)
}
