//! `/groups`, their members and owners.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::routing::get;

use super::ask::{Ask, DIRECTORY, Text};
use super::directory::typed;
use super::error::GraphError;
use super::watch::bearer;
use crate::demo::groups::group_id;
use crate::demo::permissions::HIDDEN;
use crate::demo::state::Demo;
use crate::demo::tenant::Tenant;
use crate::demo::user_json::user;

type Answer = Result<Text, GraphError>;
type Shared = State<Arc<Demo>>;

/// Routes of this family.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/groups", get(list))
        .route("/groups/$count", get(count))
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

async fn count(State(demo): Shared, ask: Ask) -> Result<String, GraphError> {
    let tenant = demo.tenant();
    ask.total(tenant.groups.iter().map(|(at, _)| tenant.groups.json(&tenant.people, at)))
}

async fn one(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    Ok(ask.one(tenant.groups.json(&tenant.people, group_index(&tenant, &id)?)))
}

async fn members(State(demo): Shared, Path(id): Path<String>, sight: Sight, ask: Ask) -> Answer {
    let at = group_index(&demo.tenant(), &id)?;
    let nested: Vec<usize> = demo.tenant().groups.children(at, demo.now()).collect();
    answer(&demo, &ask, sight.over(&demo, at, (nested, BTreeSet::from([at]))))
}

async fn member_users(State(demo): Shared, Path(id): Path<String>, sight: Sight, ask: Ask) -> Answer {
    let at = group_index(&demo.tenant(), &id)?;
    answer(&demo, &ask, sight.over(&demo, at, (Vec::new(), BTreeSet::from([at]))))
}

async fn transitive_members(State(demo): Shared, Path(id): Path<String>, sight: Sight, ask: Ask) -> Answer {
    let at = group_index(&demo.tenant(), &id)?;
    let all = demo.tenant().groups.below(at, demo.now());
    let nested: Vec<usize> = all.iter().copied().filter(|group| *group != at).collect();
    answer(&demo, &ask, sight.over(&demo, at, (nested, all)))
}

async fn transitive_users(State(demo): Shared, Path(id): Path<String>, sight: Sight, ask: Ask) -> Answer {
    let at = group_index(&demo.tenant(), &id)?;
    let all = demo.tenant().groups.below(at, demo.now());
    answer(&demo, &ask, sight.over(&demo, at, (Vec::new(), all)))
}

/// Nested groups to show, and groups whose users to show.
type Wanted = (Vec<usize>, BTreeSet<usize>);

/// Whether the token shows members of groups whose membership is hidden.
#[derive(Clone, Copy, Debug)]
pub struct Sight(bool);

impl FromRequestParts<Arc<Demo>> for Sight {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, demo: &Arc<Demo>) -> Result<Self, Infallible> {
        let carried = bearer(&parts.headers).map(|token| demo.tokens.permissions(token));
        Ok(Self(carried.is_some_and(|carried| carried.contains(HIDDEN))))
    }
}

impl Sight {
    /// Whether the members of the group at `at` are shown.
    #[must_use]
    pub fn covers(self, tenant: &Tenant, at: usize) -> bool {
        self.0 || tenant.groups.get(at).is_none_or(|group| !group.hidden)
    }

    /// Nothing of the group at `at` where it isn't shown, without a word about it.
    fn over(self, demo: &Demo, at: usize, wanted: Wanted) -> Wanted {
        if self.covers(&demo.tenant(), at) { wanted } else { Wanted::default() }
    }
}

async fn owners(State(demo): Shared, Path(id): Path<String>, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    let owner = tenant.groups.get(group_index(&tenant, &id)?).map(|group| group.owner);
    let owner = owner.filter(|owner| tenant.people.get(*owner).is_some());
    let rows = owner.map(|owner| typed("#microsoft.graph.user", user(&tenant.people, owner))).into_iter().collect();
    ask.list(DIRECTORY, rows)
}

/// The groups of `shown`, then the users who are directly in one of `of`; positions of users follow the groups'.
fn answer(demo: &Demo, ask: &Ask, (shown, of): Wanted) -> Answer {
    let (tenant, now, start) = (demo.tenant(), demo.now(), ask.start()?);
    let people = &tenant.people;
    let groups = (0..)
        .zip(&shown)
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
