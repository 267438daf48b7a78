//! Directory roles: definitions, active assignments and eligible ones.

use serde::Deserialize;
use serde_json::{Value, json};

use super::cast::CAST;
use super::people::People;
use super::random::{Object, days_before, written};

/// Role template ids with names; built-in roles have the same id as their template.
pub const ROLES: &[(&str, &str)] = &[
    ("62e90394-69f5-4237-9190-012177145e10", "Global Administrator"),
    ("194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator"),
    ("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator"),
    ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
    ("b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "Conditional Access Administrator"),
    ("729827e3-9c14-49f7-bb1b-9608f156bbb8", "Helpdesk Administrator"),
    ("b0f54661-2d74-4c50-afa3-1ec803f12efe", "Billing Administrator"),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    ("c4e39bd9-1100-46d3-8c65-fb160da0071f", "Authentication Administrator"),
    ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator"),
    ("158c047a-c907-4556-b7ef-446551a6b5f7", "Cloud Application Administrator"),
    ("966707d0-3269-4727-9be2-8c3a10f19b9d", "Password Administrator"),
    ("7be44c8a-adaf-4e2a-84d6-ab2649e08a13", "Privileged Authentication Administrator"),
    ("e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator"),
    ("3a2c62db-5318-420d-8d74-23affee5d9d5", "Intune Administrator"),
    ("5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader"),
    ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"),
    ("4a5d8f65-41da-4de4-8968-e035b65339cf", "Reports Reader"),
    ("5f2222b1-57c3-48ba-8ad5-d4759f1fde6f", "Security Operator"),
    ("d29b2b05-8046-44ba-8758-1e26182fcf32", "Directory Synchronization Accounts"),
];

/// Those of [`ROLES`] that Microsoft doesn't call privileged.
const UNPRIVILEGED: [&str; 4] =
    ["SharePoint Administrator", "Exchange Administrator", "Billing Administrator", "Reports Reader"];

/// Role definitions as Graph's beta writes them.
#[must_use]
pub fn definitions() -> Vec<Value> {
    let definition = |(id, name): &(&str, &str)| {
        json!({ "id": id, "templateId": id, "displayName": name, "description": "", "isBuiltIn": true,
            "isPrivileged": !UNPRIVILEGED.contains(name), "isEnabled": true, "resourceScopes": ["/"], "version": "1" })
    };
    ROLES.iter().map(definition).collect()
}

/// Name of a role; empty for an unknown id.
#[must_use]
pub fn name(id: &str) -> &'static str {
    ROLES.iter().find(|(known, _)| *known == id).map(|(_, name)| *name).unwrap_or_default()
}

/// Template id of the role that a user held at the start, without having to activate it.
#[must_use]
pub fn at_first(user: u32) -> Option<&'static str> {
    super::people::cast(user).filter(|member| !member.role.is_empty() && !member.eligible).map(|member| member.role)
}

/// How a role is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Hold {
    /// Always.
    #[default]
    Active,
    /// It has to be activated first (Privileged Identity Management).
    Eligible,
    /// Activated for a while by one who was eligible.
    Activated,
}

/// A role that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who, by index.
    pub user: u32,
    /// Template id of the role.
    pub role: &'static str,
    /// How.
    pub hold: Hold,
}

/// Who holds which role. Deleted accounts hold none.
#[derive(Clone, Debug)]
pub struct Roles(Vec<Held>);

impl Default for Roles {
    /// As it was at the start.
    fn default() -> Self {
        let held = (0..).zip(CAST).filter(|(_, member)| !member.role.is_empty()).map(|(user, member)| Held {
            user,
            role: member.role,
            hold: if member.eligible { Hold::Eligible } else { Hold::Active },
        });
        Self(held.collect())
    }
}

impl Roles {
    /// Template ids of the roles that a user can use now.
    pub fn of(&self, people: &People, user: u32) -> impl Iterator<Item = &'static str> {
        let usable = move |held: &&Held| held.user == user && held.hold != Hold::Eligible;
        let there = people.get(user).is_some();
        self.0.iter().filter(usable).filter(move |_| there).map(|held| held.role)
    }

    /// From now on this is held; false when it already was.
    pub fn give(&mut self, held: Held) -> bool {
        let new = !self.0.contains(&held);
        if new {
            self.0.push(held);
        }
        new
    }

    /// From now on this is not held any more; false when it was not.
    pub fn take(&mut self, held: Held) -> bool {
        let before = self.0.len();
        self.0.retain(|one| *one != held);
        self.0.len() < before
    }

    /// Assignments that can be used now (`roleAssignments`).
    #[must_use]
    pub fn assignments(&self, people: &People) -> Vec<Value> {
        self.there(people).filter(|held| held.hold != Hold::Eligible).map(|held| assignment(people, held)).collect()
    }

    /// The same as instances of schedules (`roleAssignmentScheduleInstances`).
    #[must_use]
    pub fn active_instances(&self, people: &People) -> Vec<Value> {
        let instance = |held: &Held| {
            let mut row = assignment(people, held);
            let origin = row.get("id").cloned();
            let activated = held.hold == Hold::Activated;
            merge(
                &mut row,
                json!({ "assignmentType": if activated { "Activated" } else { "Assigned" }, "memberType": "Direct",
                    "endDateTime": activated.then(|| written(days_before(people.today, -1))),
                    "startDateTime": written(days_before(people.today, 400)), "roleAssignmentOriginId": origin }),
            );
            row
        };
        self.there(people).filter(|held| held.hold != Hold::Eligible).map(instance).collect()
    }

    /// Roles that have to be activated first (`roleEligibilityScheduleInstances`).
    #[must_use]
    pub fn eligible_instances(&self, people: &People) -> Vec<Value> {
        let instance = |held: &Held| {
            let mut row = assignment(people, held);
            merge(
                &mut row,
                json!({ "memberType": "Direct", "endDateTime": null,
                "startDateTime": written(days_before(people.today, 200)) }),
            );
            row
        };
        self.there(people).filter(|held| held.hold == Hold::Eligible).map(instance).collect()
    }

    fn there<'a>(&'a self, people: &'a People) -> impl Iterator<Item = &'a Held> {
        self.0.iter().filter(|held| people.get(held.user).is_some())
    }
}

/// The role with this template id, as what lives as long as the program.
#[must_use]
pub fn known(id: &str) -> Option<&'static str> {
    ROLES.iter().map(|(known, _)| *known).find(|known| *known == id)
}

fn assignment(people: &People, held: &Held) -> Value {
    json!({ "id": assignment_id(people, held), "principalId": people.id(held.user), "roleDefinitionId": held.role,
        "directoryScopeId": "/", "appScopeId": null })
}

/// Drawn for the one role that a person has at the start; of what holds it for others.
fn assignment_id(people: &People, held: &Held) -> String {
    let first = super::people::cast(held.user).is_some_and(|member| member.role == held.role);
    let drawn = people.ids.id(Object::Assignment, held.user);
    if first && held.hold != Hold::Activated {
        return drawn.to_string();
    }
    uuid::Uuid::new_v5(&drawn, format!("{} {:?}", held.role, held.hold).as_bytes()).to_string()
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
