//! Users at high risk are blocked.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Control, RiskLevel};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// Users at high risk are blocked.
#[derive(Debug)]
pub(super) struct UserRiskBlock;

static ABOUT: About = About {
    id: "user-risk-block",
    title: "High user risk blocked",
    severity: Severity::Medium,
    rationale: "CISA asks for a block at high user risk; Microsoft for a secure password change, which the check of that name judges. A block is the stronger answer and costs a call to the help desk.",
    references: &["MS.AAD.2.1"],
    see_also: &["ZT 21797"],
    licence: "P2",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for UserRiskBlock {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let risk = BTreeSet::from([RiskLevel::High]);
        let what = "Block high user risk";
        let mut draft = drafts::for_everyone(&context.model.snapshot, what, &[Control::Block]);
        draft.conditions.user_risk.clone_from(&risk);
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "user_risk_block",
                requirement: Requirement::Block,
                scope: Scope { user_risk: risk, ..scopes::members(context.model) },
                missing: None,
                draft: Some(("Block users at high risk", draft)),
            },
        )
    }
}
