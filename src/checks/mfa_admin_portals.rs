//! Administrators are made to use MFA at the administration portals.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::Control;

use super::requirement::{Asked, judge_administrators};
use super::{About, Check, Context, CureKind, Finding, Severity, admin_portals, drafts, scopes};

/// Administrators are made to use MFA at the administration portals.
#[derive(Debug)]
pub(super) struct MfaAdminPortals;

static ABOUT: About = About {
    id: "mfa-admin-portals",
    title: "MFA at the administration portals",
    severity: Severity::High,
    rationale: "The portals of Azure, Entra, Exchange, Intune and the others change everything. This is the rule of Microsoft's own template and managed policy, for administrators.",
    references: &["template:6364131e-bc4a-47c4-a20b-33492d1fff6c"],
    see_also: &["MT.1006", "MT.1008"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for MfaAdminPortals {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        admin_portals::judge(context, "mfa_admin_portals", covered)
    }
}

fn covered(context: &Context<'_>) -> Finding {
    let target = BTreeSet::from([scopes::ADMIN_PORTALS.to_owned()]);
    let what = "Require MFA at admin portals";
    let draft = drafts::at(drafts::for_administrators(&context.model.snapshot, what, &[Control::Mfa]), &target);
    let portals = scopes::admin_portals(&context.model.snapshot);
    judge_administrators(
        context,
        Asked {
            check: ABOUT.id,
            area: "mfa_admin_portals",
            requirement: Requirement::Mfa,
            scope: Scope { apps: Some(portals), ..scopes::administrators(context.model) },
            missing: scopes::missing_administrators(context.model),
            draft: Some(("Require MFA at the administration portals", draft)),
        },
    )
}
