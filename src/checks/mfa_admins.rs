//! Every administrator is made to use MFA.

use crate::engine::Requirement;
use crate::tenant::policy::Control;

use super::requirement::{Asked, judge_administrators};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// Every administrator is made to use MFA.
#[derive(Debug)]
pub(super) struct MfaAdmins;

static ABOUT: About = About {
    id: "mfa-admins",
    title: "MFA for administrators",
    severity: Severity::Critical,
    rationale: "An administrator account opens everything else. Administrators hold one of the 14 roles of the templates of the Entra admin center, or another built-in role that Microsoft calls privileged.",
    references: &[
        "MT.1006",
        "CIS 5.2.2.1",
        "prowler:entra_admin_users_mfa_enabled",
        "template:c7503427-338e-4c5e-902d-abe252abfb43",
    ],
    see_also: &["MT.1008"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for MfaAdmins {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let draft = drafts::for_administrators(&context.model.snapshot, "Require MFA", &[Control::Mfa]);
        judge_administrators(
            context,
            Asked {
                check: ABOUT.id,
                area: "mfa_admins",
                requirement: Requirement::Mfa,
                scope: scopes::administrators(context.model),
                missing: scopes::missing_administrators(context.model),
                draft: Some(("Require MFA for administrators", draft)),
            },
        )
    }
}
