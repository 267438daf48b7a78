//! The edit that takes somebody, or an app, out of a policy's exclusions: the better cure where a policy does the rest already.

use serde_json::json;

use crate::engine::Reason;
use crate::tenant::{Policy, Snapshot, well_known};

use super::accounts::emergency_access;
use super::gaps::Group;
use super::{HandOver, hand_over};

/// The edit with its one-line title; none where the exclusion isn't the policy's own, or has its reason.
pub(super) fn take_in_again(group: &Group, policy: &Policy, snapshot: &Snapshot) -> Option<(String, HandOver)> {
    let mut after = policy.clone();
    let (exclude, apps) = (&mut after.conditions.users.exclude, &mut after.conditions.applications.exclude);
    let what = match &group.cause.reason {
        Reason::ExcludedUser => {
            let people = &group.users - emergency_access(snapshot);
            let ids = people.iter().filter_map(|index| snapshot.directory.user_at(index)).map(|user| &user.id);
            let removed = ids.filter(|id| exclude.users.remove(id.as_str())).count();
            (removed > 0).then(|| if removed == 1 { "1 account".to_owned() } else { format!("{removed} accounts") })?
        }
        // The accounts that synchronise the directory can't do what policies ask.
        Reason::ExcludedRole(id) if id != well_known::DIRECTORY_SYNCHRONIZATION_ACCOUNTS => exclude
            .roles
            .remove(id)
            .then(|| snapshot.directory.roles.get(id).map_or("a role", |role| &role.display_name))?
            .to_owned(),
        Reason::ExcludedGuests => exclude.guests.take().map(|_| "guests".to_owned())?,
        Reason::ExcludedApp => {
            let removed = group.apps.iter().filter(|id| apps.remove(*id)).count();
            let all = removed > 0 && removed == group.apps.len();
            all.then(|| if removed == 1 { "1 app".to_owned() } else { format!("{removed} apps") })?
        }
        _ => return None,
    };
    let of_apps = group.cause.reason == Reason::ExcludedApp;
    let label = if of_apps { "Target resources > Exclude" } else { "Users > Exclude" };
    let change = (label.to_owned(), format!("{what} excluded"), "no longer excluded".to_owned());
    let body = json!({"conditions": crate::tenant::write_policy(&after).get("conditions")});
    let title = format!("Take {what} out of the exclusions of {}", policy.display_name);
    Some((title, hand_over::edit_policy(policy, vec![change], &body)))
}
