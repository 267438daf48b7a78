//! `/identity/conditionalAccess/policies`: reading, and the changes Graph allows.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::ask::{Ask, Text, WHOLE};
use super::error::GraphError;
use super::references::Wanted;
use super::rewrite::{merge, stored};
use super::{rules, schema};
use crate::demo::audits::{Actor, Change};
use crate::demo::random::written;
use crate::demo::state::Demo;

type Answer = Result<Text, GraphError>;
type Shared = State<Arc<Demo>>;
/// The name under which the product's app registration appears in the audit log.
const APP_NAME: &str = "Portcullis";

/// Routes of this family.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/identity/conditionalAccess/policies", get(list).post(create))
        .route("/identity/conditionalAccess/policies/{id}", get(one).patch(update).delete(remove))
}

async fn list(State(demo): Shared, ask: Ask) -> Answer {
    let policies = demo.tenant().policies.clone();
    let seen = policies.into_iter().filter(|policy| demo.sees(policy));
    ask.list(WHOLE, seen.map(|policy| demo.shown(policy)).collect())
}

async fn one(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let found = demo.tenant().policy(&id).cloned().filter(|policy| demo.sees(policy));
    found.map(|policy| ask.one(demo.shown(policy))).ok_or_else(|| gone(&id))
}

async fn create(
    State(demo): Shared,
    OriginalUri(uri): OriginalUri,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), GraphError> {
    let sent = sent(&uri, &body)?;
    add(&demo, sent, &app(&demo)).map(|policy| (StatusCode::CREATED, Json(policy)))
}

/// Adds a policy on somebody's behalf; the policy as it stands then.
pub fn add(demo: &Demo, sent: Value, by: &Actor) -> Result<Value, GraphError> {
    let mut tenant = demo.tenant();
    rules::check(Wanted { tenant: &tenant, policy: &sent, before: None })?;
    let mut policy = tenant.with_strength(stored(sent));
    if let Some(policy) = policy.as_object_mut() {
        policy.insert("id".into(), json!(uuid::Uuid::new_v4()));
        policy.insert("createdDateTime".into(), json!(written(demo.now())));
        policy.insert("modifiedDateTime".into(), Value::Null);
    }
    tenant.audit(demo.now(), by, &Change::policy("Add conditional access policy", &Value::Null, &policy));
    demo.note("created", &policy, by);
    demo.hide_new(&policy);
    tenant.policies.push(policy.clone());
    Ok(policy)
}

async fn update(
    State(demo): Shared,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, GraphError> {
    change(&demo, &id, &sent(&uri, &body)?, &app(&demo)).map(|_| StatusCode::NO_CONTENT)
}

async fn remove(State(demo): Shared, Path(id): Path<String>) -> Result<StatusCode, GraphError> {
    delete(&demo, &id, &app(&demo)).map(|()| StatusCode::NO_CONTENT)
}

/// Deletes a policy on somebody's behalf.
pub fn delete(demo: &Demo, id: &str, by: &Actor) -> Result<(), GraphError> {
    let mut tenant = demo.tenant();
    let at = tenant.policies.iter().position(|policy| policy.get("id") == Some(&json!(id))).ok_or_else(|| gone(id))?;
    let policy = tenant.policies.remove(at);
    demo.note("deleted", &policy, by);
    tenant.audit(demo.now(), by, &Change::policy("Delete conditional access policy", &policy, &Value::Null));
    Ok(())
}

/// Lays a patch over a policy on somebody's behalf; the policy as it stands then.
pub fn change(demo: &Demo, id: &str, patch: &Value, by: &Actor) -> Result<Value, GraphError> {
    let mut tenant = demo.tenant();
    let before = tenant.policy(id).cloned().ok_or_else(|| gone(id))?;
    let mut after = before.clone();
    merge(&mut after, patch);
    if let Some(after) = after.as_object_mut() {
        after.insert("id".into(), json!(id));
        after.insert("modifiedDateTime".into(), json!(written(demo.now())));
    }
    let after = tenant.with_strength(stored(after));
    rules::check(Wanted { tenant: &tenant, policy: &after, before: Some(&before) })?;
    demo.keep_old(&before);
    demo.note("edited", &after, by);
    tenant.audit(demo.now(), by, &Change::policy("Update conditional access policy", &before, &after));
    if let Some(policy) = tenant.policies.iter_mut().find(|policy| policy.get("id") == Some(&json!(id))) {
        *policy = after.clone();
    }
    Ok(after)
}

/// What was sent, in words that the version knows.
fn sent(uri: &Uri, body: &Bytes) -> Result<Value, GraphError> {
    let odd = || GraphError::bad_request(rules::SCHEMA);
    let sent = serde_json::from_slice(body).map_err(|_| odd())?;
    let known = uri.path().starts_with("/beta") || !schema::needs_beta(&sent);
    known.then_some(sent).ok_or_else(odd)
}

fn app(demo: &Demo) -> Actor {
    Actor::App(demo.tokens.graph.id.clone(), APP_NAME.into())
}

fn gone(id: &str) -> GraphError {
    GraphError::not_found("ConditionalAccessPolicy", id)
}
