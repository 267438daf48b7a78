//! What changes in the made-up directory while it runs, and the record of it that delta queries are answered from.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::audits::{Actor, Change};
use super::groups::Member;
use super::roles::{Held, Hold};
use super::tenant::Tenant;

/// Everything that changed since the start, in order. A delta token is a position in it.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    events: Vec<Event>,
    /// Tokens before this position are not known any more.
    forgotten: u64,
}

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A user object was made, changed or deleted.
    User(u32),
    /// A member of a group came or went.
    Member {
        /// The group, by index.
        group: usize,
        /// Who.
        member: Member,
    },
    /// A service principal was made or changed, by its place in the list.
    Principal(usize),
}

impl Changes {
    /// The position after the last change.
    #[must_use]
    pub fn now(&self) -> u64 {
        u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    /// What changed after one position and until another; none when the first is forgotten or never was.
    #[must_use]
    pub fn between(&self, from: u64, to: u64) -> Option<&[Event]> {
        let from = (from >= self.forgotten).then_some(from)?;
        self.events.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
    }

    /// From now on no token that was given out until now is known, as after a week without asking.
    pub fn forget(&mut self) {
        self.forgotten = self.now() + 1;
        // A token of this moment would be forgotten too; nothing that anybody asks for changed.
        self.events.push(Event::User(u32::MAX));
    }

    fn add(&mut self, event: Event) {
        self.events.push(event);
    }
}

impl Tenant {
    /// Somebody adds a user to a group.
    pub fn join(&mut self, group: usize, user: u32, (when, by): (Timestamp, &Actor)) {
        let member = Member::User(user);
        self.groups.add_member(group, member, when);
        self.changes.add(Event::Member { group, member });
        if let Some(change) = self.groups.get(group).map(|found| Change::member(self, (group, found), member)) {
            self.audit(when, by, &change);
        }
    }

    /// Somebody takes a user out of a group.
    pub fn part(&mut self, group: usize, user: u32, (when, by): (Timestamp, &Actor)) {
        let member = Member::User(user);
        self.groups.remove_member(group, member);
        self.changes.add(Event::Member { group, member });
        if let Some(change) = self.groups.get(group).map(|found| Change::no_member(self, (group, found), member)) {
            self.audit(when, by, &change);
        }
    }

    /// Somebody makes an account; its index. Dynamic groups take it in at once.
    pub fn hire(&mut self, (when, by): (Timestamp, &Actor)) -> u32 {
        let user = self.people.hire();
        self.changes.add(Event::User(user));
        self.audit(when, by, &Change::user("Add user", &self.people, user));
        let joined: Vec<usize> = self.groups.iter().map(|(at, _)| at).collect();
        for group in joined.into_iter().filter(|at| self.groups.has(&self.people, *at, user, when)) {
            self.changes.events.push(Event::Member { group, member: Member::User(user) });
        }
        user
    }

    /// Somebody deletes an account; it leaves its groups too.
    pub fn fire(&mut self, user: u32, (when, by): (Timestamp, &Actor)) {
        let change = Change::user("Delete user", &self.people, user);
        let left: Vec<usize> = self.groups.iter().map(|(at, _)| at).collect();
        let left = left.into_iter().filter(|at| self.groups.has(&self.people, *at, user, when));
        self.changes.events.extend(left.map(|group| Event::Member { group, member: Member::User(user) }));
        if self.people.delete(user) {
            self.changes.add(Event::User(user));
            self.audit(when, by, &change);
        }
    }

    /// Somebody lets an account sign in, or not any more.
    pub fn enable(&mut self, user: u32, enabled: bool, (when, by): (Timestamp, &Actor)) {
        if self.people.enable(user, enabled) {
            self.changes.add(Event::User(user));
            self.audit(when, by, &Change::user("Update user", &self.people, user));
        }
    }

    /// Somebody gives a role, or lets one be activated.
    pub fn give_role(&mut self, held: Held, (when, by): (Timestamp, &Actor)) {
        if self.roles.give(held) {
            let change = match held.hold {
                Hold::Active => Change::role("Add member to role", &self.people, held),
                Hold::Eligible => Change::role("Add eligible member to role", &self.people, held),
                Hold::Activated => {
                    Change::activation("Add member to role completed (PIM activation)", &self.people, held)
                }
            };
            self.audit(when, by, &change);
        }
    }

    /// Somebody takes a role away, or an activation ends.
    pub fn take_role(&mut self, held: Held, (when, by): (Timestamp, &Actor)) {
        if self.roles.take(held) {
            let change = match held.hold {
                Hold::Active => Change::role("Remove member from role", &self.people, held),
                Hold::Eligible => Change::role("Remove eligible member from role", &self.people, held),
                Hold::Activated => {
                    Change::activation("Remove member from role (PIM activation expired)", &self.people, held)
                }
            };
            self.audit(when, by, &change);
        }
    }

    /// Somebody gives an app another name.
    pub fn rename_app(&mut self, at: usize, name: &str) {
        if let Some(principal) = self.service_principals.get_mut(at).and_then(Value::as_object_mut) {
            principal.insert("displayName".into(), json!(name));
            self.changes.add(Event::Principal(at));
        }
    }

    /// Somebody changes a named location; false when there is none with this id.
    pub fn move_location(&mut self, id: &str, patch: &Value, (when, by): (Timestamp, &Actor)) -> bool {
        let Some(location) = self.named_locations.iter_mut().find(|found| found.get("id") == Some(&json!(id))) else {
            return false;
        };
        let before = location.clone();
        if let (Some(location), Some(patch)) = (location.as_object_mut(), patch.as_object()) {
            location.extend(patch.clone());
        }
        let change = Change::location(&before, location);
        self.audit(when, by, &change);
        true
    }
}

/// Users among changes, each once.
#[must_use]
pub fn users(events: &[Event]) -> BTreeSet<u32> {
    events.iter().filter_map(|event| if let Event::User(user) = event { Some(*user) } else { None }).collect()
}

/// Service principals among changes, each once.
#[must_use]
pub fn principals(events: &[Event]) -> BTreeSet<usize> {
    events.iter().filter_map(|event| if let Event::Principal(at) = event { Some(*at) } else { None }).collect()
}

/// Members that came or went, by group, each once.
#[must_use]
pub fn members(events: &[Event]) -> BTreeSet<(usize, Member)> {
    let member = |event: &Event| match event {
        Event::Member { group, member } => Some((*group, *member)),
        _ => None,
    };
    events.iter().filter_map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_shows_what_came_after_it_until_it_is_forgotten() {
        let mut changes = Changes::default();
        changes.add(Event::User(1));
        let token = changes.now();
        changes.add(Event::User(2));
        assert_eq!(changes.between(token, changes.now()), Some([Event::User(2)].as_slice()));
        assert_eq!(changes.between(token + 9, changes.now()), None);
        changes.forget();
        assert_eq!(changes.between(token, changes.now()), None);
        assert_eq!(changes.between(changes.now(), changes.now()), Some([].as_slice()));
    }
}
