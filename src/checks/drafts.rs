//! New policies that cure findings: always all users but the emergency access accounts, named as the tenant names its own.

use std::collections::BTreeSet;

use crate::engine::Truth;
use crate::suggestions::lint::is_acceptable;
use crate::tenant::policy::{
    Applications, ClientAppType, Conditions, Control, Filter, FilterMode, GrantControls, Operator, PolicyState,
    SessionControls, SignInFrequency, UserSide, Users,
};
use crate::tenant::{Policy, Snapshot};

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

/// A draft as a cure, unless Graph would refuse it or it would lock the administrators out.
#[must_use]
pub fn offer(context: &Context<'_>, title: &str, draft: Policy) -> Option<Cure> {
    let model = context.model;
    let safe = is_acceptable(&draft, &model.snapshot) && model.lockout(&draft).anybody() != Truth::No;
    let action = CureAction::Draft(Box::new(draft));
    safe.then(|| Cure { subject: String::new(), title: title.to_owned(), action })
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
    use super::*;

    #[test]
    fn a_draft_excludes_the_emergency_access_accounts() {
        let mut tenant = Snapshot::default();
        tenant.settings.emergency_access = BTreeSet::from(["u1".to_owned()]);
        let policy = for_everyone(&tenant, "Require MFA", &[Control::Mfa]);
        assert!(policy.conditions.users.exclude.users.contains("u1"));
    }
}
