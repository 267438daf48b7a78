//! New policies that cure findings: always all users but the emergency access accounts, named as the tenant names its own.
//! What only a person can do is not asked of the rooms and service accounts that the tenant sets apart already.

use std::collections::BTreeSet;

use crate::suggestions::lint::is_acceptable;
use crate::tenant::directory::AccountKind;
use crate::tenant::policy::{
    Applications, ClientAppType, Conditions, Control, Filter, FilterMode, GrantControls, Operator, PolicyState,
    SessionControls, SignInFrequency, UserSide, Users,
};
use crate::tenant::{Policy, Snapshot};

use super::licences::{Owned, owned};
pub use super::naming::name;
use super::{Context, Cure, CureAction, scopes};

/// A policy for all users and all resources with these controls, the emergency access accounts excluded.
#[must_use]
pub fn for_everyone(snapshot: &Snapshot, what: &str, controls: &[Control]) -> Policy {
    Policy {
        display_name: name(snapshot, what, "All users"),
        state: PolicyState::ReportOnly,
        conditions: Conditions {
            users: Users { include: UserSide { all: true, ..UserSide::default() }, exclude: exclusions(snapshot) },
            applications: Applications { all: true, ..Applications::default() },
            client_app_types: BTreeSet::from([ClientAppType::All]),
            ..Conditions::default()
        },
        grant: Some(GrantControls { operator: Operator::Or, controls: controls.iter().cloned().collect() }),
        ..Policy::default()
    }
}

/// The same for what only a person can do, such as MFA: the groups of rooms and service accounts that the tenant's own
/// policies of this kind leave out are left out here too, because it would lock those accounts out.
#[must_use]
pub fn for_people(snapshot: &Snapshot, what: &str, controls: &[Control]) -> Policy {
    let mut policy = for_everyone(snapshot, what, controls);
    policy.conditions.users.exclude.groups.extend(set_apart(snapshot));
    policy
}

/// Groups of nothing but rooms and service accounts that a policy which asks everybody for MFA excludes, On or in
/// report-only.
pub(super) fn set_apart(snapshot: &Snapshot) -> BTreeSet<String> {
    let asking = snapshot.policies.iter().filter(|policy| {
        policy.state != PolicyState::Disabled && policy.conditions.users.include.all && asks_a_person(policy)
    });
    let excluded = asking.flat_map(|policy| &policy.conditions.users.exclude.groups);
    excluded.filter(|id| holds_no_person(snapshot, id)).cloned().collect()
}

/// Whether it asks for what software can't do.
#[must_use]
pub fn asks_a_person(policy: &Policy) -> bool {
    let by_hand = |control: &Control| matches!(control, Control::Mfa | Control::Strength(_));
    policy.grant.as_ref().is_some_and(|grant| match grant.operator {
        Operator::And => grant.controls.iter().any(by_hand),
        Operator::Or => !grant.controls.is_empty() && grant.controls.iter().all(by_hand),
    })
}

fn holds_no_person(snapshot: &Snapshot, group: &str) -> bool {
    let members = snapshot.directory.groups.get(group).and_then(|group| group.transitive.as_deref());
    let things = |position: u32| {
        let user = snapshot.directory.user_at(position);
        user.is_some_and(|user| matches!(user.account, AccountKind::Service | AccountKind::Room))
    };
    members.is_some_and(|members| !members.is_empty() && members.iter().all(things))
}

/// The same for the administrator roles: those of Microsoft's templates, and what else it calls privileged.
#[must_use]
pub fn for_administrators(snapshot: &Snapshot, what: &str, controls: &[Control]) -> Policy {
    let mut policy = for_everyone(snapshot, what, controls);
    policy.display_name = name(snapshot, what, "Admins");
    policy.conditions.users.include =
        UserSide { roles: scopes::administrator_roles(&snapshot.directory), ..UserSide::default() };
    policy
}

/// The same policy for these apps alone.
#[must_use]
pub fn at(mut policy: Policy, apps: &BTreeSet<String>) -> Policy {
    policy.conditions.applications = Applications { include: apps.clone(), ..Applications::default() };
    policy
}

/// The same policy with session controls in place of grant controls.
#[must_use]
pub fn with_session(mut policy: Policy, session: SessionControls) -> Policy {
    policy.grant = None;
    policy.session = Some(session);
    policy
}

/// Session controls that ask to sign in again after so many hours (0: every time).
#[must_use]
pub fn frequency(hours: u32) -> SessionControls {
    let hours = Some(hours).filter(|hours| *hours > 0);
    let sign_in_frequency = Some(SignInFrequency { hours, secondary_only: false });
    SessionControls { sign_in_frequency, ..SessionControls::default() }
}

/// The same policy for devices that are neither compliant nor hybrid joined.
#[must_use]
pub fn on_unmanaged_devices(mut policy: Policy) -> Policy {
    let rule = "device.isCompliant -eq True -or device.trustType -eq \"ServerAD\"".to_owned();
    policy.conditions.device_filter = Some(Filter { mode: FilterMode::Exclude, rule });
    policy
}

/// A draft as a cure, unless the tenant has no Conditional Access, Graph would refuse it, or it would lock the administrators
/// out.
#[must_use]
pub fn offer(context: &Context<'_>, title: &str, draft: Policy) -> Option<Cure> {
    let model = context.model;
    let safe = owned(&model.snapshot, "P1") != Owned::No
        && is_acceptable(&draft, &model.snapshot)
        && !model.with_draft_on(&draft).locks_out_administrators();
    let action = CureAction::Draft(Box::new(draft));
    safe.then(|| Cure::new("", title.to_owned(), action))
}

/// The emergency access accounts, as one side of a user condition.
#[must_use]
pub fn exclusions(snapshot: &Snapshot) -> UserSide {
    let mut side = UserSide::default();
    for id in &snapshot.settings.emergency_access {
        if snapshot.directory.groups.contains_key(id) {
            side.groups.insert(id.clone());
        } else {
            side.users.insert(id.clone());
        }
    }
    side
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tenant::read::read_group;
    use crate::tenant::{SnapshotBuilder, User};

    /// MFA for everybody on phones, without these groups: rooms, and one of rooms and a person.
    fn with_rooms() -> Snapshot {
        let mut builder = SnapshotBuilder::default();
        for (id, account) in [("r1", AccountKind::Room), ("s1", AccountKind::Service), ("u1", AccountKind::Person)] {
            builder.user(User { id: id.into(), enabled: true, account, ..User::default() });
        }
        for (id, members) in [("rooms", vec!["r1", "s1"]), ("mixed", vec!["r1", "u1"])] {
            builder.group(read_group(&json!({"id": id, "members": members})).unwrap());
        }
        let mut own = for_everyone(&Snapshot::default(), "Require MFA", &[Control::Mfa]);
        own.state = PolicyState::Enabled;
        own.conditions.users.exclude.groups = BTreeSet::from(["rooms".to_owned(), "mixed".to_owned()]);
        builder.policy(own);
        builder.build()
    }

    #[test]
    fn what_takes_a_person_leaves_out_the_rooms_that_the_tenant_sets_apart() {
        let tenant = with_rooms();
        let excluded = |policy: Policy| policy.conditions.users.exclude.groups;
        let asked = for_people(&tenant, "Require MFA", &[Control::Mfa]);
        assert_eq!(excluded(asked), BTreeSet::from(["rooms".to_owned()]));
        assert!(excluded(for_everyone(&tenant, "Block", &[Control::Block])).is_empty());
    }

    #[test]
    fn a_draft_excludes_the_emergency_access_accounts() {
        let mut tenant = Snapshot::default();
        tenant.settings.emergency_access = BTreeSet::from(["u1".to_owned()]);
        let policy = for_everyone(&tenant, "Require MFA", &[Control::Mfa]);
        assert!(policy.conditions.users.exclude.users.contains("u1"));
    }
}
