//! Exact changes for a person to make: the fields, where to click, the commands, the request.
//!
//! This program never sends these requests; it only writes them down.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::facts::visible;
use crate::tenant::directory::Group;
use crate::tenant::write::export_policy;
use crate::tenant::{NamedLocation, Policy, Snapshot, read_policy};

use super::HandOver;
use super::memberships::memberships;

/// How many accounts or apps a sentence names.
const NAMED: usize = 5;
/// How many members a command lists one by one.
const LISTED: usize = 50;

/// An edit of a policy: the fields in the portal's words, and the body that changes just them.
#[must_use]
pub fn edit_policy(policy: &Policy, changes: Vec<(String, String, String)>, body: &Value) -> HandOver {
    let written = crate::tenant::write_policy(policy);
    let body = &part_by_part(&written, body);
    HandOver {
        target_kind: "Policy".into(),
        target_id: policy.id.clone(),
        target_name: policy.display_name.clone(),
        changes,
        portal: format!("Entra admin center > Conditional Access > Policies > {}", visible(&policy.display_name)),
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
        ..HandOver::default()
    }
}

/// The body with null, or an empty list, for what a part of it leaves out that the policy has: PATCH would keep a member
/// that is absent.
fn part_by_part(written: &Value, body: &Value) -> Value {
    let Value::Object(parts) = body else { return body.clone() };
    let whole = parts.iter().map(|(name, part)| (name.clone(), cleared(written.get(name), part)));
    whole.collect()
}

fn cleared(had: Option<&Value>, has: &Value) -> Value {
    let (Some(Value::Object(had)), Value::Object(has)) = (had, has) else { return has.clone() };
    let lost = had.iter().filter(|(name, value)| !value.is_null() && !has.contains_key(*name));
    let none = |value: &Value| if value.is_array() { json!([]) } else { Value::Null };
    let lost = lost.map(|(name, value)| (name.clone(), none(value)));
    has.iter().map(|(name, part)| (name.clone(), cleared(had.get(name), part))).chain(lost).collect()
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
        portal: format!(
            "Entra admin center > Conditional Access > Policies > {} > Delete",
            visible(&policy.display_name)
        ),
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
        ..HandOver::default()
    }
}

/// The policy as an edit leaves it; none where the change isn't an edit of a policy.
#[must_use]
pub fn edited_policy(change: &HandOver, old: &Policy) -> Option<Policy> {
    let (method, path, body) = change.request.as_ref()?;
    let is_edit = method == "PATCH" && path.contains("/conditionalAccess/policies/");
    let mut policy = export_policy(old);
    merge(&mut policy, body);
    is_edit.then(|| read_policy(&policy).ok()).flatten()
}

/// What is put into a policy and taken out of it from one version to the next, value by value.
#[must_use]
pub fn changed_parts(old: &Policy, new: &Policy) -> BTreeSet<String> {
    let (mut had, mut has) = (BTreeSet::new(), BTreeSet::new());
    list_parts(&export_policy(old), "", &mut had);
    list_parts(&export_policy(new), "", &mut has);
    let gone = had.difference(&has).map(|part| format!("-{part}"));
    gone.chain(has.difference(&had).map(|part| format!("+{part}"))).collect()
}

/// Every value in an object, behind its path.
fn list_parts(value: &Value, path: &str, parts: &mut BTreeSet<String>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| list_parts(member, &format!("{path}.{name}"), parts));
        }
        Value::Array(elements) => elements.iter().for_each(|element| list_parts(element, path, parts)),
        _ => _ = parts.insert(format!("{path}={value}")),
    }
}

/// A body laid over an object as Graph's PATCH does: absent members keep their values, lists are replaced whole.
fn merge(onto: &mut Value, body: &Value) {
    match (onto, body) {
        (Value::Object(onto), Value::Object(body)) => {
            for (name, value) in body {
                merge(onto.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (onto, body) => *onto = body.clone(),
    }
}

/// Taking people out of an exclusion group, membership by membership. Where a nested group holds others too and is needed
/// elsewhere, how to part them is for a person to say, and there are no commands.
#[must_use]
pub fn leave_group(group: &Group, users: &roaring::RoaringBitmap, snapshot: &Snapshot) -> HandOver {
    let before = group.transitive.as_deref().map_or(0, roaring::RoaringBitmap::len);
    let people = || users.iter().filter_map(|index| snapshot.directory.user_at(index));
    let held = memberships(group, users, snapshot);
    let fewer = format!("{} fewer: {}", users.len(), names(people().map(|user| user.display_name.to_string())));
    let after = [Some(fewer), through(group, held.as_ref(), snapshot)];
    let after = after.into_iter().flatten().collect::<Vec<_>>().join("; ");
    let held: Vec<(String, String)> = held.into_iter().flatten().collect();
    HandOver {
        target_kind: "Group".into(),
        target_id: group.id.clone(),
        target_name: group.display_name.clone(),
        changes: vec![(
            "Members".to_owned(),
            format!("{}, nested ones included", super::rows::members_word(before)),
            after,
        )],
        portal: format!("Entra admin center > Groups > {} > Members", visible(&group.display_name)),
        powershell: if held.is_empty() { String::new() } else { end_memberships(&held) },
        members: people().map(|user| user.id.to_string()).collect(),
        memberships: held,
        ..HandOver::default()
    }
}

/// The commands that end memberships, group by group.
fn end_memberships(held: &[(String, String)]) -> String {
    let mut command = "Connect-MgGraph -Scopes 'GroupMember.ReadWrite.All'".to_owned();
    for of_group in held.iter().take(LISTED).collect::<Vec<_>>().chunk_by(|(one, _), (other, _)| one == other) {
        let ids: Vec<String> = of_group.iter().map(|(_, member)| format!("'{}'", quoted(member))).collect();
        let group = of_group.first().map_or("", |(group, _)| group);
        command.push_str(&format!(
            "\nforeach ($id in {}) {{\n    \
             Remove-MgGroupMemberDirectoryObjectByRef -GroupId '{}' -DirectoryObjectId $id\n}}",
            ids.join(", "),
            quoted(group),
        ));
    }
    match held.len().saturating_sub(LISTED) {
        0 => command,
        more => command + &format!("\n# and {more} more: take their ids from the CSV"),
    }
}

/// What leaves beside the accounts themselves: nested groups that hold nobody else, and groups that people are directly in.
fn through(group: &Group, held: Option<&BTreeSet<(String, String)>>, snapshot: &Snapshot) -> Option<String> {
    let groups = &snapshot.directory.groups;
    let name = |id: &String| groups.get(id).map_or_else(|| id.clone(), |group| group.display_name.clone());
    let Some(held) = held else {
        let nested = names(group.member_groups.iter().map(name));
        return Some(format!("{nested} no longer in it as a group, and who is to stay added by name"));
    };
    let out = held.iter().filter_map(|(_, member)| {
        let nested = groups.get(member)?;
        Some(format!(
            "{} ({})",
            nested.display_name,
            super::rows::members_word(nested.transitive.as_deref().unwrap_or(&nested.members).len())
        ))
    });
    let within: BTreeSet<&String> = held.iter().map(|(of, _)| of).filter(|id| **id != group.id).collect();
    let (out, within): (Vec<String>, Vec<String>) = (out.collect(), within.into_iter().map(name).collect());
    let said = [(&out, "no longer in it"), (&within, "left by these accounts")];
    let said = said.into_iter().filter(|(all, _)| !all.is_empty());
    let said: Vec<String> = said.map(|(all, what)| format!("{} {what}", names(all.iter().cloned()))).collect();
    (!said.is_empty()).then(|| said.join("; "))
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
    format!("Take {} out of {}", accounts_word(count), group.display_name)
}

/// So many accounts, in words.
#[must_use]
pub fn accounts_word(count: u64) -> String {
    if count == 1 { "1 account".to_owned() } else { format!("{count} accounts") }
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
