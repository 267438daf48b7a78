//! Guests sign in again within a day.

use crate::engine::Requirement;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, drafts, scopes};

/// Guests sign in again within a day.
#[derive(Debug)]
pub(super) struct SignInFrequencyGuests;

static ABOUT: About = About {
    id: "sign-in-frequency-guests",
    title: "Sign-in frequency for guests",
    severity: Severity::Low,
    rationale: "Nobody here hears when a guest leaves the other organisation or loses a computer.",
    references: &["ZT 21824"],
    see_also: &[],
    licence: "P1",
    thresholds: &[HOURS],
    cure: CureKind::PolicyOrEdit,
};

const HOURS: Threshold =
    Threshold { name: "hours", default: 24.0, meaning: "hours after which a guest has to sign in again" };

impl Check for SignInFrequencyGuests {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let hours = context.whole_threshold(ABOUT.id, &HOURS);
        let mut draft = drafts::for_everyone(&context.model.snapshot, "Sign-in frequency", &[]);
        draft.display_name = drafts::name(&context.model.snapshot, "Sign-in frequency", "Guests");
        draft.conditions.users.include = scopes::all_guests_side();
        let draft = drafts::with_session(draft, drafts::frequency(hours));
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "sign_in_frequency_guests",
                requirement: Requirement::SignInFrequency { hours },
                scope: scopes::guests(context.model),
                missing: None,
                draft: Some(("Ask guests to sign in again every day", draft)),
            },
        )
    }
}
