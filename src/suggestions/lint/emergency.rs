//! The rule that a draft leaves emergency access accounts alone.
//!
//! A draft that names one of them on purpose (phishing-resistant MFA for emergency access) is not a fault, unless it blocks.

use super::Case;
use crate::engine::Truth;
use crate::tenant::policy::{Control, UserSide};
use crate::tenant::{Assignment, Kind, Policy, Snapshot};

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
    for id in configured {
        // A draft that only possibly reaches an account must exclude it too.
        let reached = reached(case.policy, case.snapshot, id) != Truth::No;
        let name = name(case.snapshot, id);
        case.error(38, reached, format!("emergency access {name} must be excluded"));
    }
}

/// Whether a policy reaches emergency access accounts that it isn't meant for. An id that nobody has is reached by none.
#[must_use]
pub fn reaches_emergency_access(policy: &Policy, snapshot: &Snapshot) -> Truth {
    let configured = snapshot.settings.emergency_access.iter().filter(|id| !is_nobodys(snapshot, id));
    Truth::any(configured.map(|id| reached(policy, snapshot, id)))
}

/// Whether an id of the settings is surely neither an account nor a group of the tenant.
#[must_use]
pub fn is_nobodys(snapshot: &Snapshot, id: &str) -> bool {
    let directory = &snapshot.directory;
    let read = snapshot.has(Kind::Users) && snapshot.has(Kind::Groups);
    read && directory.user_index(id).is_none() && !directory.groups.contains_key(id)
}

/// The same for one id of the settings.
fn reached(policy: &Policy, snapshot: &Snapshot, id: &str) -> Truth {
    let users = &policy.conditions.users;
    let blocks = policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::Block));
    if !blocks && is_meant(snapshot, &users.include, id) {
        return Truth::No;
    }
    reaches(snapshot, &users.include, id, true).and(reaches(snapshot, &users.exclude, id, false).negate())
}

/// Whether a side names emergency access on purpose: an account or a group that is configured, or accounts in it.
fn is_meant(snapshot: &Snapshot, include: &UserSide, id: &str) -> bool {
    let named = |position| snapshot.directory.user_at(position).is_some_and(|user| include.users.contains(&*user.id));
    include.users.contains(id)
        || accounts(snapshot, id).unwrap_or_default().into_iter().any(named)
        || include.groups.iter().any(|group| is_emergency(snapshot, group))
}

/// Whether a side takes in a user, or those in a group: anybody there, or everybody.
fn reaches(snapshot: &Snapshot, side: &UserSide, id: &str, any: bool) -> Truth {
    if side.all || side.users.contains(id) || side.groups.contains(id) {
        return Truth::Yes;
    }
    let Some(members) = accounts(snapshot, id) else {
        let named = !side.groups.is_empty() || !side.roles.is_empty();
        return if named { Truth::Maybe } else { Truth::No };
    };
    let within = |position: u32| {
        let named = snapshot.directory.user_at(position).is_some_and(|user| side.users.contains(&*user.id));
        let groups = side.groups.iter().map(|group| match snapshot.directory.groups.get(group) {
            Some(group) => group.transitive.as_ref().map_or(Truth::Maybe, |members| members.contains(position).into()),
            None if snapshot.has(Kind::Groups) => Truth::No,
            None => Truth::Maybe,
        });
        Truth::from(named).or(Truth::any(groups)).or(holds(snapshot, side, position))
    };
    // A group is reached when anybody in it is, and excluded only when everybody is.
    match (any, members.is_empty()) {
        (_, true) => Truth::No,
        (true, _) => Truth::any(members.into_iter().map(within)),
        (false, _) => Truth::all(members.into_iter().map(within)),
    }
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

fn holds(snapshot: &Snapshot, side: &UserSide, position: u32) -> Truth {
    let directory = &snapshot.directory;
    let Some(user) = directory.user_at(position) else { return Truth::No };
    if side.roles.is_empty() {
        return Truth::No;
    }
    let unread = if snapshot.has(Kind::RoleAssignments) { Truth::No } else { Truth::Maybe };
    let held = directory.role_assignments.iter().any(|held| {
        let through =
            || directory.groups.get(&held.principal_id)?.transitive.as_ref().map(|members| members.contains(position));
        held.assignment == Assignment::Active
            && side.roles.contains(&held.role_id)
            && (held.principal_id == user.id || through().unwrap_or_default())
    });
    Truth::from(held).or(unread)
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
    use crate::tenant::{Reading, SnapshotBuilder};

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
        // Who holds a role wasn't read, so the account may hold this one.
        assert!(objects(&json!({"includeRoles": ["another"]})));
        assert!(!objects(&json!({"includeUsers": ["bg1"]})));
        assert!(!objects(&json!({"includeGroups": ["break-glass"]})));
    }

    /// What is asked of emergency access by name may be meant so; a block never is.
    #[test]
    fn a_block_of_emergency_access_is_a_fault_though_it_names_it() {
        let block = ("/grantControls", json!({"operator": "OR", "builtInControls": ["block"]}));
        for users in [json!({"includeUsers": ["bg1", "alice"]}), json!({"includeGroups": ["break-glass"]})] {
            let policy = draft(&[("/conditions/users", users.clone()), block.clone()]);
            assert_eq!(reaches_emergency_access(&policy, &tenant()), Truth::Yes, "{users}");
            assert!(!objects(&users), "{users}");
        }
    }

    #[test]
    fn a_group_is_excluded_when_everybody_in_it_is_by_name() {
        let mut tenant = tenant();
        tenant.settings.emergency_access = ["break-glass".to_owned()].into();
        let reached =
            |users: &Value| reaches_emergency_access(&draft(&[("/conditions/users", users.clone())]), &tenant);
        assert_eq!(reached(&json!({"includeUsers": ["All"], "excludeUsers": ["bg1"]})), Truth::No);
        assert_ne!(reached(&json!({"includeUsers": ["All"], "excludeUsers": ["alice"]})), Truth::No);
        assert_eq!(reached(&json!({"includeUsers": ["bg1"]})), Truth::No, "meant");
    }

    #[test]
    fn a_group_whose_members_nobody_read_leaves_it_open() {
        let policy = draft(&[("/conditions/users", json!({"includeUsers": ["All"], "excludeGroups": ["unread"]}))]);
        assert_eq!(reaches_emergency_access(&policy, &tenant()), Truth::Maybe);
        let mut read = tenant();
        read.readings.insert(Kind::Groups, Reading::Complete { count: 2 });
        assert_eq!(reaches_emergency_access(&policy, &read), Truth::Yes);
    }

    #[test]
    fn nothing_configured_is_said() {
        let found = super::super::lint(&draft(&[]), &Snapshot::default());
        assert!(found.iter().any(|objection| objection.rule == 38 && objection.level == super::super::Level::Warning));
    }
}
