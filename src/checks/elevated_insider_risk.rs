//! People at elevated insider risk are kept from Office 365.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Control, InsiderRisk};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts, scopes};

/// People at elevated insider risk are kept from Office 365.
#[derive(Debug)]
pub(super) struct ElevatedInsiderRisk;

static ABOUT: About = About {
    id: "elevated-insider-risk",
    title: "Elevated insider risk blocked",
    severity: Severity::Low,
    rationale: "Adaptive protection in Microsoft Purview raises the level when somebody leaves with data. Without it the condition never holds, and this check says nothing.",
    references: &[
        "prowler:entra_conditional_access_policy_block_o365_elevated_insider_risk",
        "template:16aaa400-bfdf-4756-a420-ad2245d4cde8",
    ],
    see_also: &["prowler:entra_conditional_access_policy_block_elevated_insider_risk"],
    licence: "P2, Purview",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for ElevatedInsiderRisk {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let risk = BTreeSet::from([InsiderRisk::Elevated]);
        let what = "Block elevated insider risk";
        let draft = drafts::for_everyone(&context.model.snapshot, what, &[Control::Block]);
        let mut draft = drafts::at(draft, &scopes::office_target());
        draft.conditions.insider_risk.clone_from(&risk);
        let scope = Scope { insider_risk: risk, apps: Some(scopes::office()), ..scopes::members(context.model) };
        judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "elevated_insider_risk",
                requirement: Requirement::Block,
                scope,
                missing: None,
                draft: Some(("Block Office 365 at elevated insider risk", draft)),
            },
        )
    }
}
