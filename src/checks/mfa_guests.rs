//! Every guest and external user is made to use MFA.

use crate::engine::Requirement;
use crate::tenant::policy::Control;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// Every guest and external user is made to use MFA.
#[derive(Debug)]
pub(super) struct MfaGuests;

static ABOUT: About = About {
    id: "mfa-guests",
    title: "MFA for guests",
    severity: Severity::High,
    rationale: "Guests sign in from devices and organisations that this tenant does not manage.",
    references: &[
        "MT.1016",
        "prowler:entra_conditional_access_policy_mfa_enforced_for_guest_users",
        "template:a4072ac0-722b-4991-981b-7f9755daef14",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for MfaGuests {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let mut draft = drafts::for_everyone(&context.model.snapshot, "Require MFA", &[Control::Mfa]);
        draft.display_name = drafts::name(&context.model.snapshot, "Require MFA", "Guests");
        draft.conditions.users.include = scopes::all_guests_side();
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "mfa_guests",
                requirement: Requirement::Mfa,
                scope: scopes::guests(context.model),
                missing: None,
                draft: Some(("Require MFA for guests and external users", draft)),
            },
        )
    }
}
