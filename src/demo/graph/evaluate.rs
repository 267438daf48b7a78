//! `POST /identity/conditionalAccess/evaluate`: the What If API, answered by the naive judge.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::error::GraphError;
use crate::demo::judge::{self, Case, Subject};
use crate::demo::state::Demo;
use crate::demo::tenant::Tenant;

/// Routes of this family.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new().route("/identity/conditionalAccess/evaluate", post(evaluate))
}

async fn evaluate(State(demo): State<Arc<Demo>>, body: Bytes) -> Result<Json<Value>, GraphError> {
    let unreadable = |_| GraphError::bad_request("Unable to read JSON request payload.");
    let request: Value = serde_json::from_slice(&body).map_err(unreadable)?;
    let tenant = demo.tenant();
    let subject = subject(&tenant, &request, demo.now())?;
    let case = Case { subject: &subject, around: tenant.around(), sign_in: &request };
    Ok(Json(judge::judge(&tenant.policies, case)))
}

/// Who the request means: a user with groups and roles of this moment, or a service principal.
fn subject(tenant: &Tenant, request: &Value, now: jiff::Timestamp) -> Result<Subject, GraphError> {
    let text = |at: &str| request.pointer(at).and_then(Value::as_str);
    if let Some(id) = text("/signInIdentity/servicePrincipalId") {
        let found = tenant.service_principals.iter().find(|row| row.get("id") == Some(&json!(id))).cloned();
        let principal = found.ok_or_else(|| GraphError::not_found("ServicePrincipal", id))?;
        return Ok(Subject { id: id.into(), service_principal: Some(principal), ..Subject::default() });
    }
    let id = text("/signInIdentity/userId").ok_or_else(|| GraphError::bad_request("signInIdentity is required."))?;
    let user = tenant.people.index(id).ok_or_else(|| GraphError::not_found("User", id))?;
    let mut subject = tenant.subject(user, now);
    subject.roles = tenant.roles.of(&tenant.people, user).map(str::to_owned).collect();
    if let Some(kind) = text("/signInIdentity/externalUserType").filter(|kind| *kind != "none") {
        subject.guest = Some(kind.to_owned());
        subject.home = text("/signInIdentity/externalTenantId").map(str::to_owned);
    }
    Ok(subject)
}
