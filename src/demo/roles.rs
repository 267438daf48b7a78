//! Directory roles: definitions, active assignments and eligible ones.

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

/// Template ids of the roles a user holds now.
pub fn active(user: u32) -> impl Iterator<Item = &'static str> {
    super::people::cast(user).into_iter().filter(|member| !member.role.is_empty() && !member.eligible).map(|m| m.role)
}

/// Active assignments (`roleAssignments`).
#[must_use]
pub fn assignments(people: &People) -> Vec<Value> {
    holders(false).map(|(user, role)| assignment(people, user, role)).collect()
}

/// The same as instances of schedules (`roleAssignmentScheduleInstances`).
#[must_use]
pub fn active_instances(people: &People) -> Vec<Value> {
    let instance = |(user, role)| {
        let mut row = assignment(people, user, role);
        let origin = row.get("id").cloned();
        merge(
            &mut row,
            json!({ "assignmentType": "Assigned", "memberType": "Direct", "endDateTime": null,
            "startDateTime": written(days_before(people.today, 400)), "roleAssignmentOriginId": origin }),
        );
        row
    };
    holders(false).map(instance).collect()
}

/// Roles that have to be activated first (`roleEligibilityScheduleInstances`).
#[must_use]
pub fn eligible_instances(people: &People) -> Vec<Value> {
    let instance = |(user, role)| {
        let mut row = assignment(people, user, role);
        merge(
            &mut row,
            json!({ "memberType": "Direct", "endDateTime": null,
            "startDateTime": written(days_before(people.today, 200)) }),
        );
        row
    };
    holders(true).map(instance).collect()
}

fn holders(eligible: bool) -> impl Iterator<Item = (u32, &'static str)> {
    (0..)
        .zip(CAST)
        .filter(move |(_, member)| !member.role.is_empty() && member.eligible == eligible)
        .map(|(user, member)| (user, member.role))
}

fn assignment(people: &People, user: u32, role: &str) -> Value {
    json!({ "id": people.ids.id(Object::Assignment, user), "principalId": people.id(user), "roleDefinitionId": role,
        "directoryScopeId": "/", "appScopeId": null })
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
