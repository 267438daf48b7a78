//! Sign-ins at high risk are blocked.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Control, RiskLevel};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Sign-ins at high risk are blocked.
#[derive(Debug)]
pub(super) struct SignInRiskBlock;

static ABOUT: About = About {
    id: "sign-in-risk-block",
    title: "High sign-in risk blocked",
    severity: Severity::Medium,
    rationale: "At high risk Microsoft is nearly sure that somebody else is signing in. CISA asks for a block; MFA at risky sign-ins is a check of its own.",
    references: &["MS.AAD.2.3"],
    see_also: &["ZT 21799"],
    licence: "P2",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for SignInRiskBlock {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let risk = BTreeSet::from([RiskLevel::High]);
        let what = "Block high sign-in risk";
        let mut draft = drafts::for_everyone(&context.model.snapshot, what, &[Control::Block]);
        draft.conditions.sign_in_risk.clone_from(&risk);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "sign_in_risk_block",
                requirement: Requirement::Block,
                scope: Scope { sign_in_risk: risk, ..Scope::default() },
                missing: None,
                draft: Some(("Block sign-ins at high risk", draft)),
            },
        )
    }
}
