//! Routes that only the demo has: what was asked of Graph, and a colleague who changes the tenant behind the bot's back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::audits::Actor;
use super::graph::GraphError;
use super::graph::groups::group_index;
use super::graph::policies::{add, change, delete};
use super::people::People;
use super::roles::{self, Held, Hold};
use super::state::Demo;
use super::tenant::Tenant;
use super::user_json::display_name;

/// Routes.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/demo/requests", get(requests))
        .route("/demo/colleague/policies", post(create))
        .route("/demo/colleague/policies/{id}", post(edit).delete(delete_policy))
        .route("/demo/colleague/groups/{id}/members", post(add_members).delete(remove_members))
        .route("/demo/colleague/roles/{id}/members", post(give_role).delete(take_role))
        .route("/demo/colleague/locations/{id}", post(edit_location))
        .route("/demo/colleague/users", post(hire))
        .route("/demo/colleague/users/{id}", post(enable).delete(fire))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    by: String,
    patch: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    by: String,
    policy: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Members {
    by: String,
    user_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Role {
    by: String,
    user_id: String,
    /// `active` if it isn't said, `eligible`, or `activated`.
    #[serde(default)]
    hold: Hold,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct By {
    by: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Switch {
    by: String,
    account_enabled: bool,
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

async fn create(State(demo): State<Arc<Demo>>, Json(new): Json<New>) -> Result<Json<Value>, GraphError> {
    let by = actor(&demo.tenant().people, &new.by);
    add(&demo, new.policy, &by).map(Json)
}

async fn delete_policy(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Json(by): Json<By>,
) -> Result<StatusCode, GraphError> {
    let by = actor(&demo.tenant().people, &by.by);
    delete(&demo, &id, &by).map(|()| StatusCode::NO_CONTENT)
}

async fn add_members(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Json(named): Json<Members>,
) -> Result<StatusCode, GraphError> {
    each_member(&demo, &id, named, |tenant, (group, user), by| tenant.join(group, user, by))
}

async fn remove_members(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Json(named): Json<Members>,
) -> Result<StatusCode, GraphError> {
    each_member(&demo, &id, named, |tenant, (group, user), by| tenant.part(group, user, by))
}

fn each_member(
    demo: &Demo,
    id: &str,
    named: Members,
    change: impl Fn(&mut Tenant, (usize, u32), (Timestamp, &Actor)),
) -> Result<StatusCode, GraphError> {
    let now = demo.now();
    let mut tenant = demo.tenant();
    let (at, by) = (group_index(&tenant, id)?, actor(&tenant.people, &named.by));
    let user = |id: &String| tenant.people.index(id).ok_or_else(|| GraphError::not_found("User", id));
    let users: Vec<u32> = named.user_ids.iter().map(user).collect::<Result<_, _>>()?;
    for user in users {
        change(&mut tenant, (at, user), (now, &by));
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn give_role(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Json(role): Json<Role>,
) -> Result<StatusCode, GraphError> {
    of_role(&demo, (&id, role), Tenant::give_role)
}

async fn take_role(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Json(role): Json<Role>,
) -> Result<StatusCode, GraphError> {
    of_role(&demo, (&id, role), Tenant::take_role)
}

fn of_role(
    demo: &Demo,
    (id, role): (&str, Role),
    change: fn(&mut Tenant, Held, (Timestamp, &Actor)),
) -> Result<StatusCode, GraphError> {
    let now = demo.now();
    let mut tenant = demo.tenant();
    let by = actor(&tenant.people, &role.by);
    let user = tenant.people.index(&role.user_id).ok_or_else(|| GraphError::not_found("User", &role.user_id))?;
    let known = roles::known(id).ok_or_else(|| GraphError::not_found("Role", id))?;
    change(&mut tenant, Held { user, role: known, hold: role.hold }, (now, &by));
    Ok(StatusCode::NO_CONTENT)
}

async fn edit_location(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Json(edit): Json<Edit>,
) -> Result<StatusCode, GraphError> {
    let now = demo.now();
    let mut tenant = demo.tenant();
    let by = actor(&tenant.people, &edit.by);
    let moved = tenant.move_location(&id, &edit.patch, (now, &by));
    moved.then_some(StatusCode::NO_CONTENT).ok_or_else(|| GraphError::not_found("NamedLocation", &id))
}

async fn hire(State(demo): State<Arc<Demo>>, Json(by): Json<By>) -> Json<Value> {
    let now = demo.now();
    let mut tenant = demo.tenant();
    let by = actor(&tenant.people, &by.by);
    let user = tenant.hire((now, &by));
    Json(json!({ "id": tenant.people.id(user) }))
}

async fn enable(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Json(switch): Json<Switch>,
) -> Result<StatusCode, GraphError> {
    let now = demo.now();
    let mut tenant = demo.tenant();
    let by = actor(&tenant.people, &switch.by);
    let user = tenant.people.index(&id).ok_or_else(|| GraphError::not_found("User", &id))?;
    tenant.enable(user, switch.account_enabled, (now, &by));
    Ok(StatusCode::NO_CONTENT)
}

async fn fire(
    State(demo): State<Arc<Demo>>,
    Path(id): Path<String>,
    Json(by): Json<By>,
) -> Result<StatusCode, GraphError> {
    let now = demo.now();
    let mut tenant = demo.tenant();
    let by = actor(&tenant.people, &by.by);
    let user = tenant.people.index(&id).ok_or_else(|| GraphError::not_found("User", &id))?;
    tenant.fire(user, (now, &by));
    Ok(StatusCode::NO_CONTENT)
}

/// The person of this name among those everybody knows; otherwise just the name.
fn actor(people: &People, name: &str) -> Actor {
    let known = (0..people.count().min(50)).find(|user| display_name(people, *user) == name);
    known.map_or_else(|| Actor::Named(name.to_owned()), Actor::User)
}
