//! `/groups`, their members and owners.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;

use super::ask::{Ask, DIRECTORY, Text};
use super::directory::typed;
use super::error::GraphError;
use crate::demo::groups::group_id;
use crate::demo::state::Demo;
use crate::demo::tenant::Tenant;
use crate::demo::user_json::user;

type Answer = Result<Text, GraphError>;
type Shared = State<Arc<Demo>>;

/// Routes of this family.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/groups", get(list))
        .route("/groups/{id}", get(one))
        .route("/groups/{id}/members", get(members))
        .route("/groups/{id}/members/microsoft.graph.user", get(member_users))
        .route("/groups/{id}/transitiveMembers", get(transitive_members))
        .route("/groups/{id}/transitiveMembers/microsoft.graph.user", get(transitive_users))
        .route("/groups/{id}/owners", get(owners))
}

async fn list(State(demo): Shared, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    let rows = tenant.groups.iter().map(|(at, _)| tenant.groups.json(&tenant.people, at)).collect();
    ask.list(DIRECTORY, rows)
}

async fn one(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    Ok(ask.one(tenant.groups.json(&tenant.people, group_index(&tenant, &id)?)))
}

async fn members(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let at = group_index(&demo.tenant(), &id)?;
    let nested: Vec<usize> = demo.tenant().groups.children(at, demo.now()).collect();
    answer(&demo, &ask, (&nested, &BTreeSet::from([at])))
}

async fn member_users(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let at = group_index(&demo.tenant(), &id)?;
    answer(&demo, &ask, (&[], &BTreeSet::from([at])))
}

async fn transitive_members(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let at = group_index(&demo.tenant(), &id)?;
    let all = demo.tenant().groups.below(at, demo.now());
    let nested: Vec<usize> = all.iter().copied().filter(|group| *group != at).collect();
    answer(&demo, &ask, (&nested, &all))
}

async fn transitive_users(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let at = group_index(&demo.tenant(), &id)?;
    let all = demo.tenant().groups.below(at, demo.now());
    answer(&demo, &ask, (&[], &all))
}

async fn owners(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    let owner = tenant.groups.get(group_index(&tenant, &id)?).map(|group| group.owner);
    let rows = owner.map(|owner| typed("#microsoft.graph.user", user(&tenant.people, owner))).into_iter().collect();
    ask.list(DIRECTORY, rows)
}

/// The groups of `shown`, then the users who are directly in one of `of`; positions of users follow the groups'.
fn answer(demo: &Demo, ask: &Ask, (shown, of): (&[usize], &BTreeSet<usize>)) -> Answer {
    let (tenant, now, start) = (demo.tenant(), demo.now(), ask.start()?);
    let people = &tenant.people;
    let groups = (0..)
        .zip(shown)
        .map(|(position, at)| (position, typed("#microsoft.graph.group", tenant.groups.json(people, *at))));
    let first = u64::try_from(shown.len()).unwrap_or(0);
    let from = u32::try_from(start.saturating_sub(first)).unwrap_or(u32::MAX);
    let belongs = |index: &u32| of.iter().any(|at| tenant.groups.has(people, *at, *index, now));
    let users = (from..people.count())
        .filter(belongs)
        .map(|index| (first + u64::from(index), typed("#microsoft.graph.user", user(people, index))));
    ask.page(DIRECTORY, groups.skip_while(|(position, _)| *position < start).chain(users))
}

/// Index of the group with this id.
pub fn group_index(tenant: &Tenant, id: &str) -> Result<usize, GraphError> {
    let found = tenant.groups.iter().find(|(at, _)| group_id(&tenant.people, *at) == id).map(|(at, _)| at);
    found.ok_or_else(|| GraphError::not_found("Group", id))
}
