//! Every user is made to use phishing-resistant MFA.

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::Control;
use crate::tenant::well_known;

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Every user is made to use phishing-resistant MFA.
#[derive(Debug)]
pub(super) struct PhishingResistantAllUsers;

static ABOUT: About = About {
    id: "phishing-resistant-all-users",
    title: "Phishing-resistant MFA for all users",
    severity: Severity::Medium,
    rationale: "Codes, calls and push messages are phished with ready-made kits. Passkeys, Windows Hello for Business and certificates are bound to the real site. A strength counts only if every combination that it accepts is phishing-resistant.",
    references: &["MS.AAD.3.1", "ZT 21784"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for PhishingResistantAllUsers {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let strength = Control::Strength(well_known::STRENGTH_PHISHING_RESISTANT.to_owned());
        let draft = drafts::for_people(&context.model.snapshot, "Phishing-resistant MFA", &[strength]);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "phishing_resistant_all_users",
                requirement: Requirement::PhishingResistantMfa,
                scope: Scope::default(),
                missing: None,
                draft: Some(("Require phishing-resistant MFA for all users", draft)),
            },
        )
    }
}
