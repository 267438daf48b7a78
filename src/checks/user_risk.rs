//! Users at high risk must change their password.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::facts::Fact;
use crate::tenant::policy::{Control, Operator, RiskLevel};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, scopes};

/// Users at high risk must change their password.
#[derive(Debug)]
pub(super) struct UserRisk;

static ABOUT: About = About {
    id: "user-risk",
    title: "Password change at high user risk",
    severity: Severity::High,
    rationale: "High user risk means that the password is probably known to others. A secure password change, or a block, ends that; MFA alone leaves the leaked password in use, and a session that began before goes on unless signing in is asked for every time.",
    references: &[
        "MT.1013",
        "CIS 5.2.2.6",
        "ZT 21797",
        "prowler:entra_identity_protection_user_risk_enabled",
        "template:634b6de7-c38d-4357-a2c7-3842706eedd7",
    ],
    see_also: &["MS.AAD.2.1", "MT.1049"],
    licence: "P2",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for UserRisk {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let risk = BTreeSet::from([RiskLevel::High]);
        let controls = [Control::Mfa, Control::PasswordChange];
        let what = "Require password change at high user risk";
        let mut draft = drafts::for_everyone(&context.model.snapshot, what, &controls);
        draft.conditions.user_risk.clone_from(&risk);
        draft.conditions.users.exclude.guests = Some(scopes::external_guests());
        if let Some(grant) = &mut draft.grant {
            grant.operator = Operator::And;
        }
        draft.session = Some(drafts::frequency(0));
        let asked = |area, requirement| Asked {
            check: ABOUT.id,
            area,
            requirement,
            scope: Scope { user_risk: risk.clone(), ..scopes::members(context.model) },
            missing: None,
            draft: Some(("Require a password change at high user risk", draft.clone())),
        };
        let every_time = asked("user_risk_every_time", Requirement::SignInFrequency { hours: 0 });
        let finding = judge(context, asked("user_risk", Requirement::PasswordChange));
        if finding.verdict == Verdict::Pass { with_remark(context, finding, every_time) } else { finding }
    }
}

/// CIS alone asks for signing in every time besides: where that is missing, it is a remark, and the finding passes.
fn with_remark(context: &Context<'_>, mut finding: Finding, every_time: Asked<'_>) -> Finding {
    let besides = judge(context, every_time);
    if let Some(fact) = besides.facts.into_iter().next().filter(|_| besides.verdict == Verdict::Fail) {
        finding.facts.push(Fact::new("user_risk_every_time.remark", fact.evidence));
    }
    finding
}
