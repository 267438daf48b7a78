//! `/users/delta`, `/groups/delta`, `/servicePrincipals/delta`: everything, then what changed since.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::ask::{Ask, Text};
use super::error::GraphError;
use super::groups::Sight;
use crate::demo::changes::{self, Event};
use crate::demo::groups::{Member, group_id};
use crate::demo::state::Demo;
use crate::demo::tenant::Tenant;
use crate::demo::user_json;

type Answer = Result<Text, GraphError>;
type Shared = State<Arc<Demo>>;

/// Routes of this family.
pub fn routes() -> Router<Arc<Demo>> {
    // With and without the brackets of an OData function: Microsoft's own clients write them.
    Router::new()
        .route("/users/delta", get(users))
        .route("/users/delta()", get(users))
        .route("/groups/delta", get(groups))
        .route("/groups/delta()", get(groups))
        .route("/servicePrincipals/delta", get(principals))
        .route("/servicePrincipals/delta()", get(principals))
}

/// A route that only the demo has: all delta tokens expire.
pub fn expiry() -> Router<Arc<Demo>> {
    Router::new().route("/demo/delta/forget", post(forget))
}

async fn forget(State(demo): Shared) -> StatusCode {
    demo.tenant().changes.forget();
    StatusCode::NO_CONTENT
}

/// One request of a round: from which position of the changes to which, and where its page starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// Changes after this position; none in the first round, which gives everything.
    since: Option<u64>,
    /// Changes until this position; the next round starts there.
    pub upto: u64,
    /// Position of the page in the round.
    pub start: u64,
}

impl Round {
    /// Reads the tokens of a request at a time when `now` is the last position.
    pub fn of(ask: &Ask, now: u64) -> Result<Self, GraphError> {
        let bad = || GraphError::bad_request("Badly formed token.");
        let number = |text: &str| text.parse::<u64>().map_err(|_| bad());
        if let Some(page) = ask.option("$skiptoken") {
            let mut parts = page.split('-');
            let mut next = || parts.next().ok_or_else(bad);
            let (start, since, upto) = (number(next()?)?, next()?, next()?);
            let since = (since != "all").then(|| number(since)).transpose()?;
            return Ok(Self { since, upto: number(upto)?, start });
        }
        match ask.option("$deltatoken") {
            None => Ok(Self { since: None, upto: now, start: 0 }),
            Some("latest") => Ok(Self { since: Some(now), upto: now, start: 0 }),
            Some(token) => Ok(Self { since: Some(number(token)?), upto: now, start: 0 }),
        }
    }

    /// The token of the page that starts at a position.
    #[must_use]
    pub fn page(self, start: u64) -> String {
        let since = self.since.map_or("all".to_owned(), |since| since.to_string());
        format!("{start}-{since}-{}", self.upto)
    }

    /// What changed in this round; none in the first one.
    fn events(self, tenant: &Tenant) -> Result<Option<&[Event]>, GraphError> {
        let Some(since) = self.since else { return Ok(None) };
        tenant.changes.between(since, self.upto).map(Some).ok_or_else(GraphError::token_gone)
    }
}

fn removed(id: &str, reason: &str) -> Value {
    json!({ "id": id, "@removed": { "reason": reason } })
}

async fn users(State(demo): Shared, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    let round = Round::of(&ask, tenant.changes.now())?;
    let people = &tenant.people;
    let start = u32::try_from(round.start).unwrap_or(u32::MAX);
    match round.events(&tenant)? {
        None => {
            let there = (start..people.count()).filter(|user| people.get(*user).is_some());
            ask.delta(round, there.map(|user| (u64::from(user), without_activity(user_json::user(people, user)))))
        }
        Some(events) => {
            let changed = changes::users(events).into_iter().filter(|user| *user >= start && *user < people.count());
            let row = |user: u32| match people.get(user) {
                Some(_) => without_activity(user_json::user(people, user)),
                None => removed(&people.id(user), "changed"),
            };
            ask.delta(round, changed.map(|user| (u64::from(user), row(user))))
        }
    }
}

/// Delta queries know no `signInActivity`.
fn without_activity(mut user: Value) -> Value {
    if let Some(user) = user.as_object_mut() {
        user.remove("signInActivity");
    }
    user
}

async fn principals(State(demo): Shared, ask: Ask) -> Answer {
    let tenant = demo.tenant();
    let round = Round::of(&ask, tenant.changes.now())?;
    let all = 0..tenant.service_principals.len();
    let wanted: Vec<usize> = match round.events(&tenant)? {
        None => all.collect(),
        Some(events) => changes::principals(events).into_iter().collect(),
    };
    let rows = wanted.into_iter().filter_map(|at| Some((u64::try_from(at).ok()?, tenant.service_principals.get(at)?)));
    ask.delta(round, rows.skip_while(|(at, _)| *at < round.start).map(|(at, row)| (at, row.clone())))
}

/// Groups with `members@delta`: all members in the first round, later those that came and went.
async fn groups(State(demo): Shared, sight: Sight, ask: Ask) -> Answer {
    let (tenant, now) = (demo.tenant(), demo.now());
    let round = Round::of(&ask, tenant.changes.now())?;
    let mut moved: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
    match round.events(&tenant)? {
        None => {
            for (at, _) in tenant.groups.iter() {
                let users = (0..tenant.people.count()).filter(|user| tenant.groups.has(&tenant.people, at, *user, now));
                let nested = tenant.groups.children(at, now).map(Member::Group);
                let all = nested.chain(users.map(Member::User));
                moved.insert(at, all.map(|member| there(&tenant, member)).collect());
            }
        }
        Some(events) => {
            for (at, member) in changes::members(events) {
                let still = match member {
                    Member::User(user) => tenant.groups.has(&tenant.people, at, user, now),
                    Member::Group(child) => tenant.groups.children(at, now).any(|found| found == child),
                };
                let row = if still { there(&tenant, member) } else { gone(&tenant, member) };
                moved.entry(at).or_default().push(row);
            }
        }
    }
    let rows = moved.into_iter().map(|(at, members)| {
        let members = if sight.covers(&tenant, at) { members } else { Vec::new() };
        let mut group = tenant.groups.json(&tenant.people, at);
        if let Some(group) = group.as_object_mut() {
            group.insert("members@delta".into(), json!(members));
        }
        (u64::try_from(at).unwrap_or(u64::MAX), group)
    });
    ask.delta(round, rows.skip_while(|(at, _)| *at < round.start))
}

fn there(tenant: &Tenant, member: Member) -> Value {
    let (kind, id) = match member {
        Member::User(user) => ("#microsoft.graph.user", tenant.people.id(user)),
        Member::Group(at) => ("#microsoft.graph.group", group_id(&tenant.people, at)),
    };
    json!({ "@odata.type": kind, "id": id })
}

fn gone(tenant: &Tenant, member: Member) -> Value {
    let mut row = there(tenant, member);
    if let Some(row) = row.as_object_mut() {
        row.insert("@removed".into(), json!({ "reason": "deleted" }));
    }
    row
}
