//! An edit of a policy hands over exactly what its changes say, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis::checks::{Cure, CureAction, HandOver, cause_words, edits, hand_over, scopes};
use portcullis::engine::Model;
use portcullis::tenant::{Policy, Snapshot, read_policy, write_policy};
use serde_json::{Value, json};

use super::fixtures::every_tenant;

#[test]
fn an_edit_hands_over_what_its_changes_say_and_nothing_else() {
    let (mut edits, mut wrong) = (0, Vec::new());
    for (place, tenant) in every_tenant() {
        let (count, found) = inexact(Arc::new(tenant));
        edits += count;
        wrong.extend(found.into_iter().map(|one| format!("{place}: {one}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(edits > 100, "{edits} edits");
}

#[tokio::test]
async fn so_does_every_edit_in_the_demo() {
    let (edits, wrong) = inexact(super::nordwerk().await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(edits > 5, "{edits} edits");
}

/// Apps that the export doesn't list, and a role of Microsoft's: none is lost on the way.
#[test]
fn what_an_export_does_not_list_stays_named() {
    let (azure, own) = ("797f4846-ba00-4fd7-ba43-dac1f8f63013", "e0000000-0000-4000-8000-000000000001");
    let rights = "00000012-0000-0000-c000-000000000000";
    let policy = json!({"id": "p", "displayName": "p", "state": "enabled", "conditions": {
        "users": {"includeUsers": ["All"], "excludeRoles": ["5d6b6bb7-de71-4623-b4af-96380a352509"]},
        "applications": {"includeApplications": [azure, own], "excludeApplications": [rights]}},
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}});
    let tenant =
        super::fixtures::tenant(&json!({"policies": [policy], "users": [{"id": "bg", "accountEnabled": true}],
        "servicePrincipals": [{"id": "s", "appId": own}], "roleDefinitions": [{"id": "custom", "isBuiltIn": false}],
        "roleAssignments": [],
        "settings": {"emergencyAccess": ["bg"]}}));
    let (edits, wrong) = inexact(Arc::new(tenant));
    assert!(wrong.is_empty() && edits > 0, "{edits} edits; {}", wrong.join("\n"));
}

/// How many edits of policies are offered, and those that aren't exact.
fn inexact(tenant: Arc<Snapshot>) -> (usize, Vec<String>) {
    let model = Model::new(Arc::clone(&tenant));
    let cures: Vec<Cure> = super::findings(&model).into_iter().flat_map(|finding| finding.cures).collect();
    let changes = cures.iter().filter_map(|cure| match &cure.action {
        CureAction::HandOver(change) => Some((cure, &**change)),
        CureAction::Draft(_) => None,
    });
    let edited = changes.filter_map(|(cure, change)| {
        let before = tenant.policy(&change.target_id)?;
        Some((cure, change, before, hand_over::edited_policy(change, before)?))
    });
    let judged: Vec<Vec<String>> = edited
        .map(|(cure, change, before, after)| {
            let faults = faults((before, &after), change, &tenant);
            faults.into_iter().map(|fault| format!("{}: {fault}: {:?}", cure.title, change.changes)).collect()
        })
        .collect();
    (judged.len(), judged.into_iter().flatten().collect())
}

/// Where a policy differs after an edit though no change says so, or doesn't though one does.
fn faults((before, after): (&Policy, &Policy), change: &HandOver, tenant: &Snapshot) -> Vec<String> {
    // As it is read again: what reading evens out is no difference.
    let before = write_policy(&read_policy(&write_policy(before)).unwrap());
    let mut differing = Vec::new();
    differences("", (&before, &write_policy(after)), &mut differing);
    let said: Vec<&str> = change.changes.iter().flat_map(|change| parts(change)).collect();
    let within = |path: &str, part: &str| path.starts_with(part);
    let unsaid = differing.iter().filter(|one| !said.iter().any(|part| within(&one.path, part)));
    let undone = said.iter().filter(|part| !differing.iter().any(|one| within(&one.path, part)));
    let words: Vec<&str> = change.changes.iter().flat_map(|(_, before, after)| [&**before, &**after]).collect();
    let words = words.join(" ");
    let conditions = differing.iter().filter(|one| one.path.starts_with("/conditions"));
    let lost = conditions.flat_map(|one| &one.lost).filter(|id| !names(&words, id, tenant));
    unsaid
        .map(|one| format!("{} changes unsaid", one.path))
        .chain(undone.map(|part| format!("{part} doesn't change")))
        .chain(lost.map(|id| format!("{id} is lost")))
        .collect()
}

/// Whether the words name what a policy no longer names, or count those like it.
fn names(words: &str, id: &str, tenant: &Snapshot) -> bool {
    let directory = &tenant.directory;
    let user = directory.user(id).map(|user| user.display_name.to_string());
    let group = directory.groups.get(id).map(|group| group.display_name.clone());
    let (role, app) = (scopes::role_name(tenant, id), cause_words::app_name(tenant, id));
    let known = [user, group, Some(role), Some(app)].into_iter().flatten();
    let counted = ["excluded by name, role", " more excluded", "of both policies", "Not configured"];
    known.into_iter().any(|name| words.contains(&name)) || counted.iter().any(|form| words.contains(form))
}

/// The parts of a policy that a change is about.
fn parts((label, before, _): &(String, String, String)) -> Vec<&'static str> {
    match label.as_str() {
        edits::BEFORE if before.starts_with("there is no") => vec!["/conditions"],
        edits::BEFORE if before.contains("is a custom role") => vec!["/conditions/users"],
        edits::BEFORE if before.ends_with("is not published in this tenant") => vec!["/conditions/applications"],
        edits::BEFORE => vec!["/conditions/users/exclude"],
        "Enable policy" => vec!["/state"],
        "Name" => vec!["/displayName"],
        "Conditions" => vec!["/conditions"],
        "Sign-in risk" | "Conditions > Sign-in risk" => vec!["/conditions/signInRiskLevels"],
        "User risk" => vec!["/conditions/userRiskLevels"],
        "Grant" => vec!["/grantControls"],
        "Session > Sign-in frequency" => vec!["/sessionControls/signInFrequency"],
        "Session > Persistent browser session" => vec!["/sessionControls/persistentBrowser"],
        "Session > Customize continuous access evaluation" => vec!["/sessionControls/continuousAccessEvaluation"],
        "Target resources > Exclude" => vec!["/conditions/applications/exclude"],
        // Parts that two policies joined differ in.
        "Users" => vec!["/conditions/users"],
        "Target resources" => vec!["/conditions/applications"],
        "Client apps" => vec!["/conditions/clientAppTypes"],
        "Device platforms" => vec!["/conditions/platforms"],
        "Locations" => vec!["/conditions/locations"],
        "Session" => vec!["/sessionControls"],
        label if label.starts_with("Users > Exclude") => vec!["/conditions/users/exclude"],
        label if label.starts_with("Users > Include") => vec!["/conditions/users/include"],
        label if label.starts_with("Policy ") => Vec::new(),
        other => panic!("no part of a policy is known by {other:?}"),
    }
}

/// A member that differs, and what its list no longer holds.
struct Difference {
    path: String,
    lost: BTreeSet<String>,
}

fn differences(path: &str, (before, after): (&Value, &Value), found: &mut Vec<Difference>) {
    let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    match (before.as_object(), after.as_object()) {
        _ if before == after || empty(before) && empty(after) => {}
        (None, None) => found.push(Difference { path: path.to_owned(), lost: lost(before, after) }),
        (before, after) => {
            let members = before.iter().chain(&after).flat_map(|object| object.keys()).collect::<BTreeSet<_>>();
            let of = |object: Option<&serde_json::Map<String, Value>>, name: &str| {
                object.and_then(|object| object.get(name)).cloned().unwrap_or_default()
            };
            for name in members {
                differences(&format!("{path}/{name}"), (&of(before, name), &of(after, name)), found);
            }
        }
    }
}

fn lost(before: &Value, after: &Value) -> BTreeSet<String> {
    let ids = |value: &Value| -> BTreeSet<String> {
        value.as_array().into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect()
    };
    &ids(before) - &ids(after)
}
