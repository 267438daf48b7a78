//! Users, service principals, devices, and what the reports say of users.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::{Value, json};

use super::ask::{Ask, DIRECTORY, REGISTRATIONS, RISKS, Size, Text};
use super::error::GraphError;
use crate::demo::people::People;
use crate::demo::state::Demo;
use crate::demo::tenant::Tenant;
use crate::demo::{devices, groups, roles, user_json};

type Answer = Result<Text, GraphError>;
type Count = Result<String, GraphError>;
type Shared = State<Arc<Demo>>;

/// Routes of this family.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/users", get(users))
        .route("/users/$count", get(user_count))
        .route("/users/{id}", get(user))
        .route("/users/{id}/transitiveMemberOf", get(member_of))
        .route("/servicePrincipals", get(service_principals))
        .route("/servicePrincipals/$count", get(service_principal_count))
        .route("/servicePrincipals/{id}", get(service_principal))
        .route("/devices", get(device_list))
        .route("/devices/$count", get(device_count))
        .route("/reports/authenticationMethods/userRegistrationDetails", get(registrations))
        .route("/identityProtection/riskyUsers", get(risky_users))
}

/// One page made by `row` from the users from the link's position on.
fn per_user(demo: &Demo, (ask, size): (&Ask, Size), row: impl Fn(&Tenant, u32) -> Option<Value>) -> Answer {
    let tenant = demo.tenant();
    if ask.has("$orderby") {
        return ask.list(size, (0..tenant.people.count()).filter_map(|user| row(&tenant, user)).collect());
    }
    let start = u32::try_from(ask.start()?).unwrap_or(u32::MAX);
    let rows = (start..tenant.people.count()).filter_map(|user| Some((u64::from(user), row(&tenant, user)?)));
    ask.page(size, rows)
}

async fn users(State(demo): Shared, ask: Ask) -> Answer {
    let row = |tenant: &Tenant, user| tenant.people.get(user).map(|_| user_json::user(&tenant.people, user));
    per_user(&demo, (&ask, DIRECTORY), row)
}

async fn user_count(State(demo): Shared, ask: Ask) -> Count {
    let tenant = demo.tenant();
    ask.total(tenant.people.iter().map(|(user, _)| user_json::user(&tenant.people, user)))
}

async fn user(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    let index = user_index(&tenant, &id)?;
    Ok(ask.one(user_json::user(&tenant.people, index)))
}

/// Groups, nesting counted, and active directory roles of one user.
async fn member_of(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    let index = user_index(&tenant, &id)?;
    let group = |at| typed("#microsoft.graph.group", tenant.groups.json(&tenant.people, at));
    let mut rows: Vec<Value> =
        tenant.groups.of_user(&tenant.people, index, demo.now()).into_iter().map(group).collect();
    rows.extend(tenant.roles.of(&tenant.people, index).map(|role| {
        json!({ "@odata.type": "#microsoft.graph.directoryRole", "id": groups::role_object_id(&tenant.people, role),
            "roleTemplateId": role, "displayName": roles::name(role) })
    }));
    ask.list(DIRECTORY, rows)
}

async fn service_principals(State(demo): Shared, ask: Ask) -> Answer {
    let principals = demo.tenant().service_principals.clone();
    ask.list(DIRECTORY, principals)
}

async fn service_principal(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    let found = tenant.service_principals.iter().find(|row| row.get("id").and_then(Value::as_str) == Some(&id));
    found.map(|row| ask.one(row.clone())).ok_or_else(|| GraphError::not_found("ServicePrincipal", &id))
}

async fn service_principal_count(State(demo): Shared, ask: Ask) -> Count {
    ask.total(demo.tenant().service_principals.iter().cloned())
}

async fn device_list(State(demo): Shared, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    if ask.has("$orderby") {
        return ask.list(DIRECTORY, all_devices(&tenant.people, 0).map(|(_, device)| device).collect());
    }
    ask.page(DIRECTORY, all_devices(&tenant.people, ask.start()?))
}

async fn device_count(State(demo): Shared, ask: Ask) -> Count {
    let tenant = demo.tenant();
    ask.total(all_devices(&tenant.people, 0).map(|(_, device)| device))
}

/// Devices by number, from one on.
fn all_devices(people: &People, start: u64) -> impl Iterator<Item = (u64, Value)> {
    let end = u64::from(people.count() * devices::SLOTS);
    let device = |number: u64| {
        let number = u32::try_from(number).ok()?;
        devices::json(people, number / devices::SLOTS, number % devices::SLOTS)
    };
    (start..end).filter_map(move |number| Some((number, device(number)?)))
}

async fn registrations(State(demo): Shared, ask: Ask) -> Answer {
    per_user(&demo, (&ask, REGISTRATIONS), devices::registration)
}

async fn risky_users(State(demo): Shared, ask: Ask) -> Answer {
    let rows = demo.tenant().risky_users();
    ask.list(RISKS, rows)
}

/// A user's index by object id or principal name.
fn user_index(tenant: &Tenant, id: &str) -> Result<u32, GraphError> {
    let people = &tenant.people;
    let named = || (0..people.count()).find(|user| user_json::principal_name(people, *user).eq_ignore_ascii_case(id));
    let found = people.index(id).or_else(|| id.contains('@').then(named).flatten());
    found.filter(|index| people.get(*index).is_some()).ok_or_else(|| GraphError::not_found("User", id))
}

/// `object` with its type, as in collections of several types.
#[must_use]
pub fn typed(kind: &str, mut object: Value) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.insert("@odata.type".into(), json!(kind));
    }
    object
}
