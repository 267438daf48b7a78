//! How a person comes to be in or out of a policy's user condition: by name, through groups, by role, as a guest.

use crate::bot::describe;
use crate::checks::rows::{self, path_into};
use crate::checks::scopes;
use crate::facts::{Row, Term};
use crate::tenant::policy::UserSide;
use crate::tenant::{Policy, Snapshot};

/// The way from a person to one side of a policy's user condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Way {
    /// Names of the groups or the role on the way, outermost last; empty when the person is meant directly.
    pub(super) path: Vec<String>,
    /// The way in words; holds tenant names.
    pub(super) words: String,
}

impl Way {
    /// The way as a term.
    pub(super) fn term(&self) -> Term {
        Term::Name(self.words.clone())
    }

    /// The person with this way.
    pub(super) fn row(&self, index: u32, snapshot: &Snapshot) -> Option<Row> {
        let user = snapshot.directory.user_at(index)?;
        Some(Row::User {
            id: user.id.to_string(),
            name: user.display_name.to_string(),
            principal: user.user_principal_name.to_string(),
            path: self.path.clone(),
        })
    }
}

/// How the person at this position is on this side, the most telling way first; none when not at all.
pub(super) fn way(side: &UserSide, index: u32, snapshot: &Snapshot) -> Option<Way> {
    let user = snapshot.directory.user_at(index)?;
    let direct = |words: &str| Some(Way { path: Vec::new(), words: words.to_owned() });
    if side.users.contains(user.id.as_str()) {
        return direct("by name");
    }
    if let Some(path) = through_groups(side, index, snapshot) {
        return Some(Way { words: format!("through {}", path.join(" → ")), path });
    }
    if let Some(role) = through_role(side, index, snapshot) {
        return Some(Way { words: format!("by the role {role}"), path: vec![role] });
    }
    let guest = user.guest.filter(|kind| side.guests.as_ref().is_some_and(|guests| guests.types.contains(kind)));
    if let Some(kind) = guest {
        return direct(&format!("as one of {}", describe::guest_word(kind)));
    }
    if side.all { direct("as one of all users") } else { None }
}

fn through_groups(side: &UserSide, index: u32, snapshot: &Snapshot) -> Option<Vec<String>> {
    let groups = side.groups.iter().filter_map(|id| snapshot.directory.groups.get(id));
    let holding = groups.filter(|group| group.transitive.as_ref().unwrap_or(&group.members).contains(index));
    holding.map(|group| path_into(index, group, &snapshot.directory)).min_by_key(Vec::len)
}

fn through_role(side: &UserSide, index: u32, snapshot: &Snapshot) -> Option<String> {
    let directory = &snapshot.directory;
    let user = directory.user_at(index)?;
    let holds = |id: &String| {
        let held = |principal: &str| match directory.groups.get(principal) {
            Some(group) => group.transitive.as_ref().is_some_and(|members| members.contains(index)),
            None => principal == user.id,
        };
        directory.role_assignments.iter().any(|one| {
            one.role_id == *id
                && one.scope == "/"
                && one.assignment == crate::tenant::Assignment::Active
                && held(&one.principal_id)
        })
    };
    let role = side.roles.iter().find(|id| holds(id))?;
    Some(scopes::role_name(snapshot, role))
}

/// What narrows a policy beyond users and target, as the portal labels it; empty when nothing does.
pub(super) fn conditions(policy: &Policy, snapshot: &Snapshot) -> String {
    const OTHER: &[&str] = &["Users", "Target resources", "Grant", "Session", "Enable policy"];
    let lines = describe::policy(policy, snapshot).into_iter().filter(|(label, _)| !OTHER.contains(label));
    lines.map(|(label, words)| format!("{label}: {words}")).collect::<Vec<_>>().join(" · ")
}

/// What a policy asks for: its grant, or its session controls where it has no grant.
pub(super) fn asks(policy: &Policy, snapshot: &Snapshot) -> String {
    let lines = describe::policy(policy, snapshot);
    let of = |wanted: &str| lines.iter().find(|(label, _)| *label == wanted).map(|(_, words)| words.clone());
    let parts: Vec<String> = [of("Grant"), of("Session")].into_iter().flatten().collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" · ") }
}

/// What a policy targets, as the portal says it.
pub(super) fn targets(policy: &Policy, snapshot: &Snapshot) -> String {
    let lines = describe::policy(policy, snapshot);
    lines.into_iter().find(|(label, _)| *label == "Target resources").map(|(_, words)| words).unwrap_or_default()
}

/// A policy's row followed by the person's with the way, as evidence.
pub(super) fn rows(policy: &Policy, way: Option<&Way>, index: u32, snapshot: &Snapshot) -> Vec<Row> {
    let user = match way {
        Some(way) => way.row(index, snapshot),
        None => Way { path: Vec::new(), words: String::new() }.row(index, snapshot),
    };
    [rows::policy(policy)].into_iter().chain(user).collect()
}
