//! Private Access takes MFA from everyone, where it is used.

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::Control;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, private_apps};

/// Private Access takes MFA from everyone, where it is used.
#[derive(Debug)]
pub(super) struct PrivateAccess;

static ABOUT: About = About {
    id: "private-access",
    title: "MFA for Private Access",
    severity: Severity::Medium,
    rationale: "Private Access opens the inner network. It, Quick Access and what is published by itself are apps like others: what no policy covers, a password opens.",
    references: &["ZT 25394", "ZT 25396"],
    see_also: &["MT.1188"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for PrivateAccess {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if let Some(nothing) = private_apps::nothing(context, ABOUT.id) {
            return nothing;
        }
        let apps = private_apps::all(snapshot);
        let what = "Require MFA for Private Access";
        let draft = drafts::at(drafts::for_people(snapshot, what, &[Control::Mfa]), &apps);
        let mut finding = judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "private_access",
                requirement: Requirement::Mfa,
                scope: Scope { apps: Some(apps), ..Scope::default() },
                missing: None,
                draft: Some(("Require MFA for Private Access", draft)),
            },
        );
        finding.not_checked.extend(private_apps::untold(snapshot));
        finding
    }
}
