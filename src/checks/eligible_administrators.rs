//! Administrators stay covered once they activate a role.

use std::sync::Arc;

use crate::engine::{Model, Requirement, Scope};
use crate::tenant::policy::Control;
use crate::tenant::{Assignment, Directory, Kind, RoleAssignment, Snapshot};

use super::requirement::{Asked, judge};
use super::scopes::role_holders;
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Administrators stay covered once they activate a role.
#[derive(Debug)]
pub(super) struct EligibleAdministrators;

static ABOUT: About = About {
    id: "eligible-administrators",
    title: "Eligible administrators covered once activated",
    severity: Severity::High,
    rationale: "Conditional Access sees a role only while it is active. Whoever may activate one is looked at as if it were: nobody may become an administrator on a password alone.",
    references: &[],
    see_also: &["MS.AAD.3.6", "ZT 21782"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for EligibleAdministrators {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let eligible = role_holders(&snapshot.directory, Assignment::Eligible);
        let missing = "who is eligible for a role (roleAssignments.json with users.json would settle it)";
        let scope = Scope { users: Some(eligible.clone()), ..Scope::default() };
        let asked = Asked {
            check: ABOUT.id,
            area: "eligible_administrators",
            requirement: Requirement::Mfa,
            scope,
            missing: (!snapshot.has(Kind::RoleAssignments)).then_some(missing),
            draft: Some((
                "Require MFA for administrators",
                drafts::for_administrators(snapshot, "Require MFA", &[Control::Mfa]),
            )),
        };
        if eligible.is_empty() {
            return judge(context, asked);
        }
        let activated = Model::new(Arc::new(activated(snapshot)));
        judge(&Context { model: &activated, ..*context }, asked)
    }
}

/// The tenant with every eligible role active, without the logs.
fn activated(snapshot: &Snapshot) -> Snapshot {
    let active = |held: &RoleAssignment| RoleAssignment { assignment: Assignment::Active, ..held.clone() };
    let assignments = snapshot.directory.role_assignments.iter().map(active).collect();
    Snapshot {
        policies: snapshot.policies.clone(),
        locations: snapshot.locations.clone(),
        strengths: snapshot.strengths.clone(),
        contexts: snapshot.contexts.clone(),
        directory: Directory { role_assignments: assignments, ..Directory::clone(&snapshot.directory) }.into(),
        licences: snapshot.licences.clone(),
        settings: snapshot.settings.clone(),
        readings: snapshot.readings.clone(),
        read_at: snapshot.read_at,
        ..Snapshot::default()
    }
}
