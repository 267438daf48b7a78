//! Risky sign-ins are made to use MFA.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Control, RiskLevel};

use super::requirement::{Asked, judge_both};
use super::{About, Check, Context, CureKind, Finding, Severity, drafts};

/// Risky sign-ins are made to use MFA.
#[derive(Debug)]
pub(super) struct SignInRisk;

static ABOUT: About = About {
    id: "sign-in-risk",
    title: "MFA at risky sign-ins",
    severity: Severity::High,
    rationale: "A medium or high sign-in risk means that the attempt probably isn't the account's owner. It must meet MFA or a block, for everyone and every app, and every time: MFA that was done before the risk arose proves nothing.",
    references: &[
        "MT.1012",
        "CIS 5.2.2.7",
        "ZT 21799",
        "prowler:entra_identity_protection_sign_in_risk_enabled",
        "template:6b619f55-792e-45dc-9711-d83ec9d7ae90",
    ],
    see_also: &["MS.AAD.2.3", "CIS 5.2.2.8", "MT.1049"],
    licence: "P2",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for SignInRisk {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let risk = BTreeSet::from([RiskLevel::Medium, RiskLevel::High]);
        let mut draft = drafts::for_everyone(&context.model.snapshot, "Require MFA at risky sign-ins", &[Control::Mfa]);
        draft.conditions.sign_in_risk.clone_from(&risk);
        draft.session = Some(drafts::frequency(0));
        let asked = |area, requirement| Asked {
            check: ABOUT.id,
            area,
            requirement,
            scope: Scope { sign_in_risk: risk.clone(), ..Scope::default() },
            missing: None,
            draft: Some(("Require MFA at medium and high sign-in risk", draft.clone())),
        };
        let every_time = asked("sign_in_risk_every_time", Requirement::SignInFrequency { hours: 0 });
        judge_both(context, asked("sign_in_risk", Requirement::Mfa), every_time)
    }
}
