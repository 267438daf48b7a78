//! Exact changes for a person to make: the fields, where to click, the commands, the request.
//!
//! This program never sends these requests; it only writes them down.

use serde_json::{Value, json};

use crate::tenant::directory::Group;
use crate::tenant::{NamedLocation, Policy, Snapshot};

use super::HandOver;

/// How many accounts or apps a sentence names.
const NAMED: usize = 5;
/// How many members a command lists one by one.
const LISTED: usize = 50;

/// An edit of a policy: the fields in the portal's words, and the body that changes just them.
#[must_use]
pub fn edit_policy(policy: &Policy, changes: Vec<(String, String, String)>, body: &Value) -> HandOver {
    HandOver {
        target_kind: "Policy".into(),
        target_id: policy.id.clone(),
        target_name: policy.display_name.clone(),
        changes,
        portal: format!("Entra admin center > Conditional Access > Policies > {}", policy.display_name),
        powershell: format!(
            "Connect-MgGraph -Scopes 'Policy.Read.All','Policy.ReadWrite.ConditionalAccess'\n\
             $body = @'\n{}\n'@\n\
             Update-MgIdentityConditionalAccessPolicy -ConditionalAccessPolicyId '{}' -BodyParameter $body",
            pretty(body),
            quoted(&policy.id),
        ),
        request: Some((
            "PATCH".into(),
            format!("/v1.0/identity/conditionalAccess/policies/{}", policy.id),
            body.clone(),
        )),
        members: Vec::new(),
    }
}

/// Turning a policy On, which only a person can do.
#[must_use]
pub fn turn_on(policy: &Policy) -> HandOver {
    let change = ("Enable policy".to_owned(), super::rows::state_word(policy.state).to_owned(), "On".to_owned());
    edit_policy(policy, vec![change], &json!({"state": "enabled"}))
}

/// Removing a policy that changes nothing.
#[must_use]
pub fn delete_policy(policy: &Policy) -> HandOver {
    HandOver {
        target_kind: "Policy".into(),
        target_id: policy.id.clone(),
        target_name: policy.display_name.clone(),
        changes: vec![("Policy".into(), super::rows::state_word(policy.state).into(), "deleted".into())],
        portal: format!("Entra admin center > Conditional Access > Policies > {} > Delete", policy.display_name),
        powershell: format!(
            "Connect-MgGraph -Scopes 'Policy.Read.All','Policy.ReadWrite.ConditionalAccess'\n\
             Remove-MgIdentityConditionalAccessPolicy -ConditionalAccessPolicyId '{}'",
            quoted(&policy.id),
        ),
        request: Some((
            "DELETE".into(),
            format!("/v1.0/identity/conditionalAccess/policies/{}", policy.id),
            Value::Null,
        )),
        members: Vec::new(),
    }
}

/// Taking people out of an exclusion group; nested members leave the nested group that holds them.
#[must_use]
pub fn leave_group(group: &Group, users: &roaring::RoaringBitmap, snapshot: &Snapshot) -> HandOver {
    let before = group.transitive.as_deref().map_or(0, roaring::RoaringBitmap::len);
    let people = || users.iter().filter_map(|index| snapshot.directory.user_at(index));
    let members: Vec<String> = people().map(|user| user.id.to_string()).collect();
    let ids: Vec<String> = members.iter().take(LISTED).map(|id| format!("'{}'", quoted(id))).collect();
    let more = users.len().saturating_sub(LISTED as u64);
    let rest = if more == 0 { String::new() } else { format!("\n# and {more} more: take their ids from the CSV") };
    HandOver {
        target_kind: "Group".into(),
        target_id: group.id.clone(),
        target_name: group.display_name.clone(),
        changes: vec![(
            "Members".into(),
            format!("{before} members, nested ones included"),
            format!("{} fewer: {}", users.len(), names(people().map(|user| user.display_name.to_string()))),
        )],
        portal: format!("Entra admin center > Groups > {} > Members", group.display_name),
        powershell: format!(
            "Connect-MgGraph -Scopes 'GroupMember.ReadWrite.All'\n\
             foreach ($id in {}) {{\n    \
             Remove-MgGroupMemberDirectoryObjectByRef -GroupId '{}' -DirectoryObjectId $id\n}}{rest}",
            ids.join(", "),
            quoted(&group.id),
        ),
        request: None,
        members,
    }
}

/// The first few by name, and how many more.
#[must_use]
pub fn names(all: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = all.collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let named = names.join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

/// An edit of a named location, or its removal where there is no body.
#[must_use]
pub fn named_location(location: &NamedLocation, change: (&str, &str, &str), body: Option<&Value>) -> HandOver {
    let (id, name) = (quoted(&location.id), &location.display_name);
    let connect = "Connect-MgGraph -Scopes 'Policy.Read.All','Policy.ReadWrite.ConditionalAccess'";
    let command = match body {
        Some(body) => format!(
            "$body = @'\n{}\n'@\n\
             Update-MgIdentityConditionalAccessNamedLocation -NamedLocationId '{id}' -BodyParameter $body",
            pretty(body),
        ),
        None => format!("Remove-MgIdentityConditionalAccessNamedLocation -NamedLocationId '{id}'"),
    };
    let (method, body) = body.map_or(("DELETE", Value::Null), |body| ("PATCH", body.clone()));
    HandOver {
        powershell: format!("{connect}\n{command}"),
        request: Some((
            method.into(),
            format!("/v1.0/identity/conditionalAccess/namedLocations/{}", location.id),
            body,
        )),
        ..change_of(
            ("Named location", &location.id, name),
            change,
            format!("Entra admin center > Conditional Access > Named locations > {name}"),
        )
    }
}

/// A change that has no command of its own: the kind, id and name of what changes, the field with before and after.
#[must_use]
pub fn change_of(target: (&str, &str, &str), change: (&str, &str, &str), portal: String) -> HandOver {
    let (label, before, after) = change;
    HandOver {
        target_kind: target.0.to_owned(),
        target_id: target.1.to_owned(),
        target_name: target.2.to_owned(),
        changes: vec![(label.to_owned(), before.to_owned(), after.to_owned())],
        portal,
        ..HandOver::default()
    }
}

/// A command for the cloud that the tenant is in: without the name of a sovereign one it would sign in to the public one.
#[must_use]
pub fn for_its_cloud(command: &str, snapshot: &Snapshot) -> String {
    match snapshot.settings.environment {
        Some(cloud) => command.replace("Connect-MgGraph ", &format!("Connect-MgGraph -Environment {cloud:?} ")),
        None => command.to_owned(),
    }
}

/// The one line for taking so many accounts out of a group.
#[must_use]
pub fn leave_title(group: &Group, count: u64) -> String {
    let accounts = if count == 1 { "1 account".to_owned() } else { format!("{count} accounts") };
    format!("Take {accounts} out of {}", group.display_name)
}

fn pretty(body: &Value) -> String {
    serde_json::to_string_pretty(body).unwrap_or_default()
}

/// Inside a single-quoted PowerShell string.
fn quoted(text: &str) -> String {
    text.replace(['\'', '\n', '\r'], "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::Environment;

    #[test]
    fn commands_sign_in_to_the_cloud_that_the_tenant_is_in() {
        let command = turn_on(&Policy::default()).powershell;
        let mut snapshot = Snapshot::default();
        assert_eq!(for_its_cloud(&command, &snapshot), command);
        snapshot.settings.environment = Some(Environment::USGovDoD);
        let told = for_its_cloud(&command, &snapshot);
        assert!(told.starts_with("Connect-MgGraph -Environment USGovDoD -Scopes 'Policy.Read.All'"), "{told}");
    }
}
