//! Sign-ins at medium and high risk are blocked.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Control, RiskLevel};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Sign-ins at medium and high risk are blocked.
#[derive(Debug)]
pub(super) struct SignInRiskBlockMedium;

static ABOUT: About = About {
    id: "sign-in-risk-block-medium",
    title: "Medium and high sign-in risk blocked",
    severity: Severity::Low,
    rationale: "CIS asks for a block at medium risk too. It also stops people in unfamiliar places, who would pass with MFA: weigh it against their number.",
    references: &["CIS 5.2.2.8", "prowler:entra_conditional_access_policy_block_high_medium_sign_in_risk"],
    see_also: &["MS.AAD.2.3"],
    licence: "P2",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for SignInRiskBlockMedium {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let risk = BTreeSet::from([RiskLevel::Medium, RiskLevel::High]);
        let what = "Block risky sign-ins";
        let mut draft = drafts::for_everyone(&context.model.snapshot, what, &[Control::Block]);
        draft.conditions.sign_in_risk.clone_from(&risk);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "sign_in_risk_block_medium",
                requirement: Requirement::Block,
                scope: Scope { sign_in_risk: risk, ..Scope::default() },
                missing: None,
                draft: Some(("Block sign-ins at medium and high risk", draft)),
            },
        )
    }
}
