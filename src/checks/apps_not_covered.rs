//! Every user and every app is governed by some policy that is On.

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::Control;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Every user and every app is governed by some policy that is On.
#[derive(Debug)]
pub(super) struct AppsNotCovered;

static ABOUT: About = About {
    id: "apps-not-covered",
    title: "Users and apps that no policy covers",
    severity: Severity::High,
    rationale: "Conditional Access does not deny by default: where no policy applies, a password is enough.",
    references: &[
        "MT.1003",
        "MT.1004",
        "prowler:entra_all_apps_conditional_access_coverage",
        "prowler:entra_conditional_access_policy_all_apps_all_users",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for AppsNotCovered {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let draft = drafts::for_people(&context.model.snapshot, "Require MFA", &[Control::Mfa]);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "apps_not_covered",
                requirement: Requirement::AnyPolicy,
                scope: Scope::default(),
                missing: None,
                draft: Some(("Cover every user and app with MFA", draft)),
            },
        )
    }
}
