//! Only administrators reach the administration portals.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::Assignment;
use crate::tenant::policy::{Control, UserSide};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, admin_portals, drafts, scopes};

/// Only administrators reach the administration portals.
#[derive(Debug)]
pub(super) struct AdminPortalsRestricted;

static ABOUT: About = About {
    id: "admin-portals-restricted",
    title: "Administration portals for administrators only",
    severity: Severity::Low,
    rationale: "A stolen ordinary account reads the directory through the portals. Those who could activate a role are left alone; anybody else has no business there.",
    references: &["prowler:entra_admin_portals_access_restriction"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for AdminPortalsRestricted {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        admin_portals::judge(context, "admin_portals_restricted", blocked)
    }
}

fn blocked(context: &Context<'_>) -> Finding {
    let snapshot = &context.model.snapshot;
    let target = BTreeSet::from([scopes::ADMIN_PORTALS.to_owned()]);
    let mut draft = drafts::at(drafts::for_everyone(snapshot, "Block admin portals", &[Control::Block]), &target);
    draft.display_name = drafts::name(snapshot, "Block admin portals", "All but admins");
    let roles = scopes::administrator_roles(&snapshot.directory);
    let exclude = std::mem::take(&mut draft.conditions.users.exclude);
    draft.conditions.users.exclude = UserSide { roles, ..exclude };
    let portals = Some(scopes::admin_portals(snapshot));
    let everybody = scopes::everybody(snapshot);
    let held = [Assignment::Active, Assignment::Eligible].map(|kind| scopes::role_holders(&snapshot.directory, kind));
    let users = held.iter().fold(everybody, |others, holders| others - holders);
    judge(
        context,
        Asked {
            check: ABOUT.id,
            area: "admin_portals_restricted",
            requirement: Requirement::Block,
            scope: Scope { apps: portals, users: Some(users), ..Scope::default() },
            missing: scopes::missing_administrators(context.model),
            draft: Some(("Block the administration portals for all but administrators", draft)),
        },
    )
}
