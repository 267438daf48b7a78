//! Rows of evidence from a snapshot: the policies, people and log rows that a citation opens.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use crate::facts::Row;
use crate::tenant::directory::Group;
use crate::tenant::policy::PolicyState;
use crate::tenant::{AuditRecord, Directory, NamedLocation, PastSignIn, Policy, Snapshot};

/// The portal's word for a state.
#[must_use]
pub fn state_word(state: PolicyState) -> &'static str {
    match state {
        PolicyState::Enabled => "On",
        PolicyState::ReportOnly => "Report-only",
        PolicyState::Disabled => "Off",
    }
}

/// A policy, with the version that was read.
#[must_use]
pub fn policy(policy: &Policy) -> Row {
    Row::Policy {
        id: policy.id.clone(),
        name: policy.display_name.clone(),
        version: crate::tenant::version_of(policy),
        state: state_word(policy.state).to_owned(),
    }
}

/// Users in the order of the directory, each with its way into `through` (a group), if one is given.
#[must_use]
pub fn users<'a>(set: &'a RoaringBitmap, snapshot: &'a Snapshot, through: Option<&'a Group>) -> Users<'a> {
    Users { left: set.iter(), snapshot, through }
}

/// The rows of a set of users. Counting them writes none.
pub struct Users<'a> {
    left: roaring::bitmap::Iter<'a>,
    snapshot: &'a Snapshot,
    through: Option<&'a Group>,
}

impl Iterator for Users<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let directory = &self.snapshot.directory;
        let (index, user) = self.left.find_map(|index| Some((index, directory.user_at(index)?)))?;
        Some(Row::User {
            id: user.id.to_string(),
            name: user.display_name.to_string(),
            principal: user.user_principal_name.to_string(),
            path: self.through.map(|group| path_into(index, group, directory)).unwrap_or_default(),
        })
    }

    fn count(self) -> usize {
        self.left.filter(|index| self.snapshot.directory.user_at(*index).is_some()).count()
    }
}

/// A group, with how many users it holds.
#[must_use]
pub fn group(group: &Group) -> Row {
    let note = match &group.transitive {
        Some(members) => format!("{}, nested ones included", members_word(members.len())),
        None => "members not read".to_owned(),
    };
    Row::Object { what: "Group".into(), id: group.id.clone(), name: group.display_name.clone(), note }
}

/// So many members, in words.
#[must_use]
pub fn members_word(count: u64) -> String {
    if count == 1 { "1 member".to_owned() } else { format!("{count} members") }
}

/// A named location, with what matters about it here.
#[must_use]
pub fn location(location: &NamedLocation, note: &str) -> Row {
    Row::Object {
        what: "Named location".into(),
        id: location.id.clone(),
        name: location.display_name.clone(),
        note: note.to_owned(),
    }
}

/// A past sign-in.
#[must_use]
pub fn sign_in(row: &PastSignIn, snapshot: &Snapshot) -> Row {
    let user = snapshot.directory.user(&row.user_id);
    let mut result = match (row.error_code, row.conditional_access.as_str()) {
        (0, _) => "succeeded".to_owned(),
        (code, "failure") => format!("blocked by Conditional Access ({code})"),
        (code, _) => format!("failed ({code})"),
    };
    if row.times > 1 {
        // A workspace counts equal sign-ins of a day as one row.
        result.push_str(&format!(", {} times", row.times));
    }
    Row::SignIn {
        id: row.id.to_string(),
        at: row.at,
        user: user.map_or_else(|| row.user_id.to_string(), |user| user.display_name.to_string()),
        app: format!("{} → {}", row.app_name, row.resource_name),
        result,
    }
}

/// An audit record.
#[must_use]
pub fn audit(record: &AuditRecord) -> Row {
    Row::Audit {
        id: record.id.clone(),
        at: record.at,
        activity: record.activity.clone(),
        by: record.by.clone(),
        target: record.target_name.clone(),
    }
}

/// The names of the groups on the way from a user into `group`, innermost first; just the group for a direct member.
#[must_use]
pub fn path_into(user: u32, group: &Group, directory: &Directory) -> Vec<String> {
    let mut path = Vec::new();
    let mut at = group;
    let mut seen = BTreeSet::new();
    loop {
        path.push(at.display_name.clone());
        if at.members.contains(user) || !seen.insert(at.id.as_str()) {
            break;
        }
        let nested = at.member_groups.iter().filter_map(|id| directory.groups.get(id));
        let Some(next) = nested.into_iter().find(|nested| holds(nested, user)) else { break };
        at = next;
    }
    path.reverse();
    path
}

fn holds(group: &Group, user: u32) -> bool {
    group.transitive.as_ref().unwrap_or(&group.members).contains(user)
}
