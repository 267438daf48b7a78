//! The cure for people who are excluded through a group: they leave it, or where something else hangs on the group, the
//! policy no longer excludes it.

use roaring::RoaringBitmap;
use serde_json::json;

use crate::tenant::policy::PolicyState;
use crate::tenant::{Group, Policy, Snapshot};

use super::accounts::emergency_access;
use super::memberships::{enabled, is_needed};
use super::{Cure, CureAction, HandOver, edits, hand_over};

/// How many accounts a policy may exclude one by one in place of their group.
const MOST_BY_NAME: u64 = 20;

/// The cure for those of the group who should be covered, where `policies` exclude it; none where it would do harm.
pub(super) fn cure(
    (group, leaving): (&Group, &RoaringBitmap),
    policies: &[&Policy],
    snapshot: &Snapshot,
) -> Option<Cure> {
    let members = group.transitive.as_deref().unwrap_or(&group.members);
    let staying = enabled(members, snapshot) - leaving - emergency_access(snapshot);
    // Whom a rule puts in is put in again.
    let fixed = group.membership_rule.is_some() || is_needed(group, policies, snapshot);
    // What else a group is for, the directory doesn't say: one that isn't called an exclusion is left as it is.
    let only_here = names(&group.id, snapshot) == 1 && (staying.is_empty() || !is_called_exclusion(group));
    if !fixed && !only_here {
        let action = CureAction::HandOver(Box::new(hand_over::leave_group(group, leaving, snapshot)));
        return Some(Cure::new(&group.id, hand_over::leave_title(group, leaving.len()), action));
    }
    let [policy] = policies else { return None };
    let (title, action) = drop_group((policy, group), &staying, snapshot)?;
    Some(Cure::new(&policy.id, title, CureAction::HandOver(Box::new(action))))
}

/// Whether the name of a group says that it is there to be excluded.
fn is_called_exclusion(group: &Group) -> bool {
    let name = group.display_name.to_lowercase();
    ["excl", "exempt", "except", "bypass"].iter().any(|word| name.contains(word))
}

/// How many policies name a group, in any state but Off.
fn names(id: &str, snapshot: &Snapshot) -> usize {
    let live = snapshot.policies.iter().filter(|policy| policy.state != PolicyState::Disabled);
    let users = live.map(|policy| &policy.conditions.users);
    users.filter(|users| users.include.groups.contains(id) || users.exclude.groups.contains(id)).count()
}

/// The edit after which the policy excludes by name those of the group who are covered otherwise, and nobody else of it.
fn drop_group(
    (policy, group): (&Policy, &Group),
    staying: &RoaringBitmap,
    snapshot: &Snapshot,
) -> Option<(String, HandOver)> {
    let mut after = policy.clone();
    let exclude = &mut after.conditions.users.exclude;
    if !exclude.groups.remove(&group.id) || staying.len() > MOST_BY_NAME {
        return None;
    }
    let people = || staying.iter().filter_map(|position| snapshot.directory.user_at(position));
    exclude.users.extend(people().map(|user| user.id.to_string()));
    let after = edits::mended(policy, &after, snapshot);
    let kept = people().map(|user| user.display_name.to_string()).collect::<Vec<_>>().join(", ");
    let then = if kept.is_empty() {
        "no longer excluded".to_owned()
    } else {
        format!("no longer excluded, but by name: {kept}")
    };
    let change = ("Users > Exclude".to_owned(), format!("{} excluded", group.display_name), then);
    let body = json!({"conditions": crate::tenant::write_policy(&after).get("conditions")});
    // Another edit may leave nobody out, so the title says which it is.
    let but = if kept.is_empty() { String::new() } else { format!(", but for {} by name", staying.len()) };
    let title = format!("Take {} out of the exclusions of {}{but}", group.display_name, policy.display_name);
    Some((title, hand_over::edit_policy(policy, vec![change], &body)))
}
