//! People who joined lately are made to use MFA.

use jiff::SignedDuration;

use crate::engine::{Requirement, Scope};
use crate::tenant::Kind;
use crate::tenant::policy::Control;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, drafts, listing, scopes};

/// People who joined lately are made to use MFA.
#[derive(Debug)]
pub(super) struct NewUsersMfa;

static ABOUT: About = About {
    id: "new-users-mfa",
    title: "MFA for new users",
    severity: Severity::High,
    rationale: "New accounts fall outside policies that name groups. Microsoft's agent looks for them too, one day back.",
    references: &[],
    see_also: &["MT.1007"],
    licence: "P1",
    thresholds: &[DAYS],
    cure: CureKind::PolicyOrEdit,
};

const DAYS: Threshold = Threshold { name: "days", default: 7.0, meaning: "days for which an account counts as new" };

impl Check for NewUsersMfa {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::Users) {
            let what = "who joined lately (users.json would settle it)";
            return listing::unread(context, (ABOUT.id, "new_users_mfa"), what);
        }
        let days = i64::from(context.whole_threshold(ABOUT.id, &DAYS));
        let since = context.now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(context.now);
        let new = |index: &u32| {
            let user = snapshot.directory.user_at(*index);
            user.and_then(|user| user.created).is_some_and(|created| created >= since)
        };
        let users = Some(scopes::everybody(snapshot).iter().filter(new).collect());
        let draft = drafts::for_people(snapshot, "Require MFA", &[Control::Mfa]);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "new_users_mfa",
                requirement: Requirement::Mfa,
                scope: Scope { users, ..Scope::default() },
                missing: None,
                draft: Some(("Require MFA for all users", draft)),
            },
        )
    }
}
