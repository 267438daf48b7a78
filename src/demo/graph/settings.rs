//! What surrounds policies: named locations, strengths, contexts, tenant-wide settings, licences, the organisation.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::Value;

use super::ask::{Ask, Text, WHOLE};
use super::error::GraphError;
use crate::demo::places;
use crate::demo::state::Demo;

type Answer = Result<Text, GraphError>;
type Shared = State<Arc<Demo>>;

/// Routes of this family.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/identity/conditionalAccess/namedLocations", get(named_locations))
        .route("/identity/conditionalAccess/namedLocations/{id}", get(named_location))
        .route("/identity/conditionalAccess/authenticationContextClassReferences", get(contexts))
        .route("/identity/conditionalAccess/authenticationStrength/policies", get(strengths))
        .route("/policies/authenticationStrengthPolicies", get(strengths))
        .route("/policies/authenticationStrengthPolicies/{id}", get(strength))
        .route("/policies/identitySecurityDefaultsEnforcementPolicy", get(security_defaults))
        .route("/policies/crossTenantAccessPolicy/default", get(cross_tenant_default))
        .route("/policies/crossTenantAccessPolicy/partners", get(partners))
        .route("/identityGovernance/termsOfUse/agreements", get(agreements))
        .route("/deviceManagement", get(device_management))
        .route("/subscribedSkus", get(subscribed_skus))
        .route("/organization", get(organisation))
}

async fn named_locations(State(demo): Shared, ask: Ask) -> Answer {
    let locations = demo.tenant().named_locations.clone();
    ask.list(WHOLE, locations)
}

async fn named_location(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let found = find(&demo.tenant().named_locations, &id);
    found.map(|location| ask.one(location)).ok_or_else(|| GraphError::not_found("NamedLocation", &id))
}

async fn contexts(ask: Ask) -> Answer {
    if ask.has("$select") {
        return Err(GraphError::bad_request("The query parameter '$select' is not supported."));
    }
    ask.list(WHOLE, places::contexts())
}

async fn strengths(State(demo): Shared, ask: Ask) -> Answer {
    let strengths = demo.tenant().strengths.clone();
    ask.list(WHOLE, strengths)
}

async fn strength(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let found = find(&demo.tenant().strengths, &id);
    found.map(|strength| ask.one(strength)).ok_or_else(|| GraphError::not_found("AuthenticationStrengthPolicy", &id))
}

async fn security_defaults(State(demo): Shared, ask: Ask) -> Text {
    let enabled = demo.tenant().security_defaults;
    ask.one(places::security_defaults(enabled))
}

async fn cross_tenant_default(ask: Ask) -> Text {
    ask.one(places::cross_tenant_default())
}

async fn partners(State(demo): Shared, ask: Ask) -> Answer {
    let partners = places::partners(demo.tenant().people.ids);
    ask.list(WHOLE, partners)
}

async fn device_management(ask: Ask) -> Text {
    ask.one(places::device_management())
}

/// Terms of use are for signed-in people (delegated permissions); every token here is an app's.
async fn agreements() -> GraphError {
    GraphError::out_of_scope("/identityGovernance/termsOfUse/agreements")
}

async fn subscribed_skus(State(demo): Shared, ask: Ask) -> Answer {
    let skus = demo.tenant().licences.clone();
    ask.list(WHOLE, skus)
}

async fn organisation(State(demo): Shared, ask: Ask) -> Answer {
    let organisation = places::organisation(&demo.tenant().id);
    ask.list(WHOLE, vec![organisation])
}

fn find(rows: &[Value], id: &str) -> Option<Value> {
    rows.iter().find(|row| row.get("id").and_then(Value::as_str) == Some(id)).cloned()
}
