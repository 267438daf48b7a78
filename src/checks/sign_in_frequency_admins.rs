//! Administrators sign in again within hours.

use crate::engine::{Requirement, Scope};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, drafts, scopes};

/// Administrators sign in again within hours.
#[derive(Debug)]
pub(super) struct SignInFrequencyAdmins;

static ABOUT: About = About {
    id: "sign-in-frequency-admins",
    title: "Sign-in frequency for administrators",
    severity: Severity::Medium,
    rationale: "A stolen token of an administrator is worth as long as it lasts. CIS asks for four hours at most.",
    references: &["CIS 5.2.2.4", "ZT 21825", "prowler:entra_admin_users_sign_in_frequency_enabled"],
    see_also: &[],
    licence: "P1",
    thresholds: &[HOURS],
    cure: CureKind::PolicyOrEdit,
};

const HOURS: Threshold =
    Threshold { name: "hours", default: 4.0, meaning: "hours after which an administrator has to sign in again" };

impl Check for SignInFrequencyAdmins {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let hours = context.whole_threshold(ABOUT.id, &HOURS);
        let draft = drafts::for_administrators(&context.model.snapshot, "Sign-in frequency", &[]);
        let draft = drafts::with_session(draft, drafts::frequency(hours));
        let scope: Scope = scopes::administrators(context.model);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "sign_in_frequency_admins",
                requirement: Requirement::SignInFrequency { hours },
                scope,
                missing: scopes::missing_administrators(context.model),
                draft: Some(("Ask administrators to sign in again within hours", draft)),
            },
        )
    }
}
