//! Every administrator is made to use phishing-resistant MFA.

use crate::engine::Requirement;
use crate::tenant::policy::Control;
use crate::tenant::well_known;

use super::requirement::{Asked, judge_administrators};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// Every administrator is made to use phishing-resistant MFA.
#[derive(Debug)]
pub(super) struct PhishingResistantAdmins;

static ABOUT: About = About {
    id: "phishing-resistant-admins",
    title: "Phishing-resistant MFA for administrators",
    severity: Severity::High,
    rationale: "Codes and push messages can be phished. Passkeys, Windows Hello for Business and certificates cannot.",
    references: &[
        "MS.AAD.3.6",
        "CIS 5.2.2.5",
        "ZT 21783",
        "prowler:entra_admin_users_phishing_resistant_mfa_enabled",
        "template:76c03f19-ea37-4656-a772-a183b4ddb81d",
    ],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for PhishingResistantAdmins {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let strength = Control::Strength(well_known::STRENGTH_PHISHING_RESISTANT.to_owned());
        let draft = drafts::for_administrators(&context.model.snapshot, "Phishing-resistant MFA", &[strength]);
        judge_administrators(
            context,
            Asked {
                check: ABOUT.id,
                area: "phishing_resistant_admins",
                requirement: Requirement::PhishingResistantMfa,
                scope: scopes::administrators(context.model),
                missing: scopes::missing_administrators(context.model),
                draft: Some(("Require phishing-resistant MFA for administrators", draft)),
            },
        )
    }
}
