//! On unmanaged devices people sign in again within a day.

use crate::engine::{Requirement, Scope};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, drafts};

/// On unmanaged devices people sign in again within a day.
#[derive(Debug)]
pub(super) struct SignInFrequencyUnmanaged;

static ABOUT: About = About {
    id: "sign-in-frequency-unmanaged",
    title: "Sign-in frequency on unmanaged devices",
    severity: Severity::Low,
    rationale: "A session on a device that nobody manages should not last for the 90 days that are the default.",
    references: &["MT.1018", "prowler:entra_conditional_access_policy_corporate_device_sign_in_frequency_enforced"],
    see_also: &[],
    licence: "P1",
    thresholds: &[HOURS],
    cure: CureKind::PolicyOrEdit,
};

const HOURS: Threshold = Threshold {
    name: "hours",
    default: 24.0,
    meaning: "hours after which a sign-in on an unmanaged device has to be repeated",
};

impl Check for SignInFrequencyUnmanaged {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let hours = context.whole_threshold(ABOUT.id, &HOURS);
        let draft = drafts::for_everyone(&context.model.snapshot, "Sign-in frequency, unmanaged devices", &[]);
        let draft = drafts::on_unmanaged_devices(drafts::with_session(draft, drafts::frequency(hours)));
        let scope = Scope { unmanaged_devices: true, ..Scope::default() };
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "sign_in_frequency_unmanaged",
                requirement: Requirement::SignInFrequency { hours },
                scope,
                missing: None,
                draft: Some(("Ask for a sign-in every day on unmanaged devices", draft)),
            },
        )
    }
}
