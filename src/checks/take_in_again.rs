//! The edit that takes somebody, or an app, out of a policy's exclusions: the better cure where a policy does the rest already.

use serde_json::json;

use crate::engine::Reason;
use crate::tenant::{Policy, Snapshot, well_known};

use super::accounts::emergency_access;
use super::cause_words::app_name;
use super::gaps::Group;
use super::{HandOver, hand_over, rights_management, scopes};

/// The edit with its one-line title; none where the exclusion isn't the policy's own, or has its reason.
pub(super) fn take_in_again(group: &Group, policy: &Policy, snapshot: &Snapshot) -> Option<(String, HandOver)> {
    let mut after = policy.clone();
    let (exclude, apps) = (&mut after.conditions.users.exclude, &mut after.conditions.applications.exclude);
    let (what, named) = match &group.cause.reason {
        Reason::ExcludedUser => {
            let people = &group.users - emergency_access(snapshot);
            let users = people.iter().filter_map(|index| snapshot.directory.user_at(index));
            let removed = users.filter(|user| exclude.users.remove(user.id.as_str()));
            counted("accounts", removed.map(|user| user.display_name.to_string()).collect())?
        }
        // The accounts that synchronise the directory can't do what policies ask.
        Reason::ExcludedRole(id) if id != well_known::DIRECTORY_SYNCHRONIZATION_ACCOUNTS => {
            let role = scopes::role_name(snapshot, id);
            exclude.roles.remove(id).then(|| (role.clone(), role))?
        }
        Reason::ExcludedGuests => exclude.guests.take().map(|_| ("guests".to_owned(), "guests".to_owned()))?,
        Reason::ExcludedApp => {
            let removed: Vec<&String> = group.apps.iter().filter(|id| apps.remove(*id)).collect();
            let all = removed.len() == group.apps.len();
            counted("apps", removed.into_iter().map(|id| app_name(snapshot, id)).collect()).filter(|_| all)?
        }
        _ => return None,
    };
    if rights_management::keeps_out(&after, snapshot) && !rights_management::keeps_out(policy, snapshot) {
        return None;
    }
    let of_apps = group.cause.reason == Reason::ExcludedApp;
    let label = if of_apps { "Target resources > Exclude" } else { "Users > Exclude" };
    let change = (label.to_owned(), format!("{named} excluded"), "no longer excluded".to_owned());
    let body = json!({"conditions": crate::tenant::write_policy(&after).get("conditions")});
    let title = format!("Take {what} out of the exclusions of {}", policy.display_name);
    Some((title, hand_over::edit_policy(policy, vec![change], &body)))
}

/// What is taken in again, for a title and by name; none where nothing is.
fn counted(noun: &str, names: Vec<String>) -> Option<(String, String)> {
    let named = hand_over::names(names.iter().cloned());
    match names.as_slice() {
        [] => None,
        [one] => Some((one.clone(), named)),
        several => Some((format!("{} {noun}", several.len()), named)),
    }
}
