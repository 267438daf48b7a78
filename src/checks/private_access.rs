//! Private Access takes MFA from everyone, where it is used.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::Kind;
use crate::tenant::policy::Control;
use crate::tenant::well_known::APP_PRIVATE_ACCESS;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, listing};

/// Private Access takes MFA from everyone, where it is used.
#[derive(Debug)]
pub(super) struct PrivateAccess;

static ABOUT: About = About {
    id: "private-access",
    title: "MFA for Private Access",
    severity: Severity::Medium,
    rationale: "Private Access opens the inner network. It is an app like others: what no policy covers, a password opens.",
    references: &["ZT 25394", "ZT 25396"],
    see_also: &["MT.1188", "MT.1195"],
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
        if !snapshot.has(Kind::ServicePrincipals) {
            let what = "whether Private Access is used (servicePrincipals.json would settle it)";
            return listing::unread(context, (ABOUT.id, "private_access"), what);
        }
        if snapshot.directory.app(APP_PRIVATE_ACCESS).is_none() {
            return listing::open(context, ABOUT.id, "private_access.nowhere", Verdict::NotApplicable);
        }
        let apps = BTreeSet::from([APP_PRIVATE_ACCESS.to_owned()]);
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
        finding.not_checked.push("the separate apps that were published through Private Access".into());
        finding
    }
}
