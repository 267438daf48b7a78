//! `GET /identity/conditionalAccess/templates`: what a policy can be made from, in our own words.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Value, json};

use super::ask::{Ask, Text, WHOLE};
use super::error::GraphError;
use crate::demo::state::Demo;

type Answer = Result<Text, GraphError>;

/// Routes of this family.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/identity/conditionalAccess/templates", get(list))
        .route("/identity/conditionalAccess/templates/{id}", get(one))
}

async fn list(ask: Ask) -> Answer {
    ask.list(WHOLE, templates())
}

async fn one(Path(id): Path<String>, ask: Ask) -> Answer {
    let found = templates().into_iter().find(|template| template.get("id") == Some(&json!(id)));
    found.map(|template| ask.one(template)).ok_or_else(|| GraphError::not_found("ConditionalAccessTemplate", &id))
}

/// Whether there is a template with this id.
#[must_use]
pub fn exists(id: &str) -> bool {
    templates().iter().any(|template| template.get("id") == Some(&json!(id)))
}

/// Two of Microsoft's twenty-one, under their own ids.
fn templates() -> Vec<Value> {
    let legacy = json!({ "clientAppTypes": ["exchangeActiveSync", "other"], "users": { "includeUsers": ["All"],
        "excludeUsers": ["Current administrator will be excluded"] }, "applications": { "includeApplications": ["All"] } });
    let register = json!({ "clientAppTypes": ["all"], "users": { "includeUsers": ["All"],
        "excludeUsers": ["Current administrator will be excluded"] },
        "applications": { "includeUserActions": ["urn:user:registersecurityinfo"] },
        "locations": { "includeLocations": ["All"], "excludeLocations": ["AllTrusted"] } });
    vec![
        template(
            ("0b2282f9-2862-4178-88b5-d79340b36cb8", "Keep legacy clients out"),
            ("Clients that cannot ask for a second factor are kept out.", "secureFoundation,zeroTrust,remoteWork"),
            &json!({ "conditions": legacy, "grantControls": { "operator": "OR", "builtInControls": ["block"] } }),
        ),
        template(
            ("b8bda7f8-6584-4446-bce9-d871480e53fa", "Guard the registration of sign-in methods"),
            ("Whoever registers a method elsewhere than in the offices shows a factor first.", "secureFoundation"),
            &json!({ "conditions": register, "grantControls": { "operator": "OR", "builtInControls": ["mfa"] } }),
        ),
    ]
}

fn template((id, name): (&str, &str), (description, scenarios): (&str, &str), details: &Value) -> Value {
    json!({ "id": id, "name": name, "description": description, "scenarios": scenarios, "details": details })
}
