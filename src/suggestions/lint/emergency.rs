//! The rule that a draft leaves emergency access accounts alone.
//!
//! A draft that names one of them on purpose (phishing-resistant MFA for emergency access) is not a fault.

use super::Case;
use crate::tenant::policy::UserSide;
use crate::tenant::{Assignment, Snapshot};

pub(super) fn check(case: &mut Case<'_>) {
    if !case.is_about_people() {
        return;
    }
    let configured = &case.snapshot.settings.emergency_access;
    let unknown = configured.is_empty();
    case.warn(
        38,
        unknown,
        "no emergency access accounts are configured, so nobody knows whether this leaves them alone",
    );
    let users = case.users();
    for id in configured {
        let meant = users.include.users.contains(id)
            || users.include.groups.iter().any(|group| is_emergency(case.snapshot, group));
        let reached = reaches(case.snapshot, &users.include, id, true);
        let excluded = reaches(case.snapshot, &users.exclude, id, false);
        let name = name(case.snapshot, id);
        case.error(38, reached && !excluded && !meant, format!("emergency access {name} must be excluded"));
    }
}

/// Whether a side takes in a user, or everybody in a group; `unsure` is the answer where members aren't known.
fn reaches(snapshot: &Snapshot, side: &UserSide, id: &str, unsure: bool) -> bool {
    if side.all || side.users.contains(id) || side.groups.contains(id) {
        return true;
    }
    let Some(members) = accounts(snapshot, id) else { return unsure };
    let within = |position: u32| {
        let group = side.groups.iter().any(|group| match snapshot.directory.groups.get(group) {
            Some(group) => group.transitive.as_ref().map_or(unsure, |members| members.contains(position)),
            None => false,
        });
        group || holds(snapshot, side, position)
    };
    // A group is reached when anybody in it is, and excluded only when everybody is.
    if unsure { members.into_iter().any(within) } else { !members.is_empty() && members.into_iter().all(within) }
}

/// Whether a group is configured as emergency access, or all of its members are.
fn is_emergency(snapshot: &Snapshot, group: &str) -> bool {
    let configured = &snapshot.settings.emergency_access;
    let members = accounts(snapshot, group).unwrap_or_default();
    let listed = |position: &u32| {
        snapshot.directory.user_at(*position).is_some_and(|user| configured.contains(user.id.as_str()))
    };
    configured.contains(group) || (!members.is_empty() && members.iter().all(listed))
}

/// The positions of the accounts behind an id of the settings; none when they aren't known.
fn accounts(snapshot: &Snapshot, id: &str) -> Option<Vec<u32>> {
    let user = snapshot.directory.user_index(id).map(|position| vec![position]);
    let group = || snapshot.directory.groups.get(id)?.transitive.as_ref().map(|members| members.iter().collect());
    user.or_else(group)
}

fn holds(snapshot: &Snapshot, side: &UserSide, position: u32) -> bool {
    let directory = &snapshot.directory;
    let Some(user) = directory.user_at(position) else { return false };
    directory.role_assignments.iter().any(|held| {
        let through =
            || directory.groups.get(&held.principal_id)?.transitive.as_ref().map(|members| members.contains(position));
        held.assignment == Assignment::Active
            && side.roles.contains(&held.role_id)
            && (held.principal_id == user.id || through().unwrap_or_default())
    })
}

fn name(snapshot: &Snapshot, id: &str) -> String {
    let user = snapshot.directory.user(id).map(|user| user.user_principal_name.as_str());
    let group = snapshot.directory.groups.get(id).map(|group| group.display_name.as_str());
    match user.or(group).filter(|name| !name.is_empty()) {
        Some(name) => format!("{name} ({id})"),
        None => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{draft, rules};
    use super::*;
    use crate::tenant::read::{read_group, read_role_assignment, read_user};
    use crate::tenant::{Kind, Reading, SnapshotBuilder};

    fn tenant() -> Snapshot {
        let mut builder = SnapshotBuilder::default();
        builder.reading(Kind::Users, Reading::Complete { count: 2 });
        for id in ["bg1", "alice"] {
            builder.user(read_user(&json!({"id": id})).unwrap());
        }
        builder.group(read_group(&json!({"id": "break-glass", "members": ["bg1"]})).unwrap());
        builder.group(read_group(&json!({"id": "staff", "members": ["alice"]})).unwrap());
        builder
            .role_assignment(read_role_assignment(&json!({"principalId": "bg1", "roleDefinitionId": "ga"})).unwrap());
        builder.snapshot.settings.emergency_access.insert("bg1".into());
        builder.build()
    }

    fn objects(users: &Value) -> bool {
        rules(&draft(&[("/conditions/users", users.clone())]), &tenant()).contains(&38)
    }

    #[test]
    fn emergency_access_is_excluded_by_name_group_or_role() {
        assert!(objects(&json!({"includeUsers": ["All"]})));
        assert!(objects(&json!({"includeUsers": ["All"], "excludeGroups": ["staff"]})));
        assert!(!objects(&json!({"includeUsers": ["All"], "excludeUsers": ["bg1"]})));
        assert!(!objects(&json!({"includeUsers": ["All"], "excludeGroups": ["break-glass"]})));
        assert!(!objects(&json!({"includeUsers": ["All"], "excludeRoles": ["ga"]})));
    }

    #[test]
    fn who_is_not_reached_needs_no_exclusion_and_who_is_meant_gets_none() {
        assert!(!objects(&json!({"includeGroups": ["staff"]})));
        assert!(objects(&json!({"includeRoles": ["ga"]})));
        assert!(!objects(&json!({"includeUsers": ["bg1"]})));
        assert!(!objects(&json!({"includeGroups": ["break-glass"]})));
    }

    #[test]
    fn nothing_configured_is_said() {
        let found = super::super::lint(&draft(&[]), &Snapshot::default());
        assert!(found.iter().any(|objection| objection.rule == 38 && objection.level == super::super::Level::Warning));
    }
}
