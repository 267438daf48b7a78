//! The sign-in log of the last thirty days, rendered row by row when asked for.
//!
//! Past rows are judged by the policies the tenant started with and by the memberships of their moment; what happens
//! to the tenant while it runs does not change them.

pub mod outcome;
pub mod row;
pub mod scenario;

use jiff::Timestamp;
use serde_json::Value;

use super::activity::{Session, sessions, told};
use super::people::People;
use super::random::Object;
use super::tenant::Tenant;

/// Rows that one session can become: an interrupt, and how it ended.
const PARTS: u64 = 2;

/// All sessions, newest first, and the policies of the start.
#[derive(Clone, Debug, Default)]
pub struct SignInLog {
    sessions: Vec<Session>,
    policies: Vec<Value>,
}

impl SignInLog {
    /// The log of a tenant.
    #[must_use]
    pub fn generate(people: &People, policies: Vec<Value>) -> Self {
        let mut all: Vec<Session> = (0..people.count()).flat_map(|user| sessions(people, user)).collect();
        all.extend(told(people));
        all.sort_unstable_by(|left, right| right.cmp(left));
        Self { sessions: all, policies }
    }

    /// How many sessions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether nobody signed in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Policies that past rows are judged by.
    #[must_use]
    pub fn policies(&self) -> &[Value] {
        &self.policies
    }

    /// Rows with their positions, newest first, from a position on and back to a moment.
    pub fn rows<'a>(
        &'a self,
        tenant: &'a Tenant,
        start: u64,
        since: Timestamp,
    ) -> impl Iterator<Item = (u64, Value)> + 'a {
        let first = usize::try_from(start / PARTS).unwrap_or(usize::MAX);
        let from = (start / PARTS)..;
        from.zip(self.sessions.iter().skip(first))
            .take_while(move |(_, session)| session.at >= since.as_second())
            .flat_map(move |(at, session)| (0..).map(move |part| at * PARTS + part).zip(row::rows(tenant, *session)))
            .filter(move |(position, _)| *position >= start)
    }

    /// The row with this id.
    #[must_use]
    pub fn find(&self, tenant: &Tenant, id: &str) -> Option<Value> {
        let index = tenant.people.ids.index(Object::SignIn, id)?;
        let (user, number) = row::owner(index);
        let session = self.sessions.iter().find(|session| session.user == user && session.number == number)?;
        row::rows(tenant, *session).into_iter().find(|row| row.get("id").and_then(Value::as_str) == Some(id))
    }
}

#[cfg(test)]
mod tests;
