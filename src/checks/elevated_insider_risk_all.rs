//! People at elevated insider risk are kept from every resource.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Control, InsiderRisk};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// People at elevated insider risk are kept from every resource.
#[derive(Debug)]
pub(super) struct ElevatedInsiderRiskAll;

static ABOUT: About = About {
    id: "elevated-insider-risk-all",
    title: "Elevated insider risk blocked from all resources",
    severity: Severity::Low,
    rationale: "Data leaves by other ways than Office 365 too. Adaptive protection in Microsoft Purview raises the level when somebody leaves with it. Without it the condition never holds, and this check says nothing.",
    references: &["prowler:entra_conditional_access_policy_block_elevated_insider_risk"],
    see_also: &["template:16aaa400-bfdf-4756-a420-ad2245d4cde8"],
    licence: "P2, Purview",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for ElevatedInsiderRiskAll {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let risk = BTreeSet::from([InsiderRisk::Elevated]);
        let what = "Block elevated insider risk";
        let mut draft = drafts::for_everyone(&context.model.snapshot, what, &[Control::Block]);
        draft.conditions.insider_risk.clone_from(&risk);
        let scope = Scope { insider_risk: risk, ..scopes::members(context.model) };
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "elevated_insider_risk_all",
                requirement: Requirement::Block,
                scope,
                missing: None,
                draft: Some(("Block all resources at elevated insider risk", draft)),
            },
        )
    }
}
