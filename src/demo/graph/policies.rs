//! `/identity/conditionalAccess/policies`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::ask::{Ask, WHOLE};
use super::error::GraphError;
use crate::demo::state::Demo;

type Answer = Result<Json<Value>, GraphError>;

/// Routes of this family.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/identity/conditionalAccess/policies", get(list))
        .route("/identity/conditionalAccess/policies/{id}", get(one))
}

async fn list(State(demo): State<Arc<Demo>>, ask: Ask) -> Answer {
    let policies = demo.tenant().policies.clone();
    ask.list(WHOLE, policies.into_iter().filter(|policy| demo.sees(policy)).collect())
}

async fn one(State(demo): State<Arc<Demo>>, Path(id): Path<String>, ask: Ask) -> Answer {
    let found = demo.tenant().policy(&id).cloned().filter(|policy| demo.sees(policy));
    found.map(|policy| ask.one(policy)).ok_or_else(|| GraphError::not_found("ConditionalAccessPolicy", &id))
}
