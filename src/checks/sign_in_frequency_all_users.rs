//! Everybody signs in again within a week.

use crate::engine::{Requirement, Scope};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, drafts};

/// Everybody signs in again within a week.
#[derive(Debug)]
pub(super) struct SignInFrequencyAllUsers;

static ABOUT: About = About {
    id: "sign-in-frequency-all-users",
    title: "Sign-in frequency for all users",
    severity: Severity::Low,
    rationale: "The default is 90 days. CIS asks for a week; more often than that teaches people to approve whatever asks.",
    references: &["CIS 5.2.2.13", "prowler:entra_conditional_access_policy_sign_in_frequency_all_users"],
    see_also: &[],
    licence: "P1",
    thresholds: &[HOURS],
    cure: CureKind::PolicyOrEdit,
};

const HOURS: Threshold =
    Threshold { name: "hours", default: 168.0, meaning: "hours after which everybody has to sign in again" };

impl Check for SignInFrequencyAllUsers {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let hours = context.whole_threshold(ABOUT.id, &HOURS);
        let draft = drafts::for_everyone(&context.model.snapshot, "Sign-in frequency", &[]);
        let draft = drafts::with_session(draft, drafts::frequency(hours));
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "sign_in_frequency_all_users",
                requirement: Requirement::SignInFrequency { hours },
                scope: Scope::default(),
                missing: None,
                draft: Some(("Ask everybody to sign in again every week", draft)),
            },
        )
    }
}
