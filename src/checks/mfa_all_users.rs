//! Every user is made to use MFA, everywhere.

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::Control;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Every user is made to use MFA, everywhere.
#[derive(Debug)]
pub(super) struct MfaAllUsers;

static ABOUT: About = About {
    id: "mfa-all-users",
    title: "MFA for all users",
    severity: Severity::Critical,
    rationale: "A password alone is guessed, phished or reused. MFA counts only where every sign-in is made to use it: a policy that is narrowed to a platform, a risk or one app leaves the rest open.",
    references: &[
        "MS.AAD.3.2",
        "MT.1007",
        "CIS 5.2.2.2",
        "prowler:entra_users_mfa_enabled",
        "template:a3d0a415-b068-4326-9251-f9cdf9feeb64",
    ],
    see_also: &["MS.AAD.3.1"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for MfaAllUsers {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let draft = drafts::for_people(&context.model.snapshot, "Require MFA", &[Control::Mfa]);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "mfa_all_users",
                requirement: Requirement::Mfa,
                scope: Scope::default(),
                missing: None,
                draft: Some(("Require MFA for all users", draft)),
            },
        )
    }
}
