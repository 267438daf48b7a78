//! Administrators sign in again within hours, and their browser sessions don't persist.

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::SessionControls;

use super::gaps::Gaps;
use super::requirement::{Asked, judge_administrators};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, Verdict, drafts, scopes};

/// Administrators sign in again within hours, and their browser sessions don't persist.
#[derive(Debug)]
pub(super) struct SignInFrequencyAdmins;

static ABOUT: About = About {
    id: "sign-in-frequency-admins",
    title: "Sign-in frequency for administrators",
    severity: Severity::Medium,
    rationale: "A stolen token of an administrator is worth as long as it lasts. CIS asks for four hours at most, and for browser sessions that end with the browser.",
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
        let never = Some("never".to_owned());
        let session = SessionControls { persistent_browser: never, ..drafts::frequency(hours) };
        let draft = drafts::with_session(draft, session);
        let asked = |area, requirement| Asked {
            check: ABOUT.id,
            area,
            requirement,
            scope: scopes::administrators(context.model),
            missing: scopes::missing_administrators(context.model),
            draft: Some(("Ask administrators to sign in again within hours", draft.clone())),
        };
        let frequency = asked("sign_in_frequency_admins", Requirement::SignInFrequency { hours });
        let finding = judge_administrators(context, frequency);
        if finding.verdict != Verdict::Pass || every_time(context) {
            return finding;
        }
        judge_administrators(context, asked("persistent_browser_admins", Requirement::NoPersistentBrowser))
    }
}

/// Whether administrators are asked to sign in every time: then a browser that keeps the session keeps nothing of use.
fn every_time(context: &Context<'_>) -> bool {
    let known = scopes::missing_administrators(context.model).is_none();
    let scope = if known { scopes::administrators(context.model) } else { Scope::default() };
    let coverage = context.model.coverage(&Requirement::SignInFrequency { hours: 0 }, &scope);
    coverage.unresolved.is_empty() && !Gaps::any_in((&coverage, &scope), context.model, context.now)
}
