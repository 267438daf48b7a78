//! Apps that were added lately are governed by some policy.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::Control;
use crate::tenant::{Kind, ServicePrincipal};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, Verdict, drafts, listing};

/// Apps that were added lately are governed by some policy.
#[derive(Debug)]
pub(super) struct NewApps;

static ABOUT: About = About {
    id: "new-apps",
    title: "New apps that no policy covers",
    severity: Severity::Medium,
    rationale: "Policies that name apps know nothing of those that come after. Microsoft's agent looks for them too, one day back.",
    references: &[],
    see_also: &["MT.1003"],
    licence: "P1",
    thresholds: &[DAYS],
    cure: CureKind::PolicyOrEdit,
};

const DAYS: Threshold = Threshold { name: "days", default: 7.0, meaning: "days for which an app counts as new" };

impl Check for NewApps {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::ServicePrincipals) {
            let what = "which apps were added lately (servicePrincipals.json would settle it)";
            return listing::unread(context, (ABOUT.id, "new_apps"), what);
        }
        let days = i64::from(context.whole_threshold(ABOUT.id, &DAYS));
        let since = context.now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(context.now);
        let new = |app: &&ServicePrincipal| {
            app.enabled && app.kind == "Application" && app.created.is_some_and(|created| created >= since)
        };
        let apps: BTreeSet<String> =
            snapshot.directory.service_principals.iter().filter(new).map(|app| app.app_id.clone()).collect();
        if apps.is_empty() {
            return listing::open(context, ABOUT.id, "new_apps.nowhere", Verdict::NotApplicable);
        }
        let draft = drafts::for_people(snapshot, "Require MFA", &[Control::Mfa]);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "new_apps",
                requirement: Requirement::AnyPolicy,
                scope: Scope { apps: Some(apps), ..Scope::default() },
                missing: None,
                draft: Some(("Require MFA for all users and all resources", draft)),
            },
        )
    }
}
