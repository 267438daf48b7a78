//! Enrolling a device in Intune takes MFA and a fresh sign-in every time.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::facts::{Fact, Term};
use crate::tenant::Policy;
use crate::tenant::policy::{Control, GrantControls, Operator, PolicyState};
use crate::tenant::well_known::APP_INTUNE_ENROLLMENT;

use super::requirement::{Asked, judge_both};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, rows};

/// Enrolling a device in Intune takes MFA and a fresh sign-in every time.
#[derive(Debug)]
pub(super) struct IntuneEnrolment;

static ABOUT: About = About {
    id: "intune-enrolment",
    title: "MFA and a fresh sign-in to enrol in Intune",
    severity: Severity::Medium,
    rationale: "An enrolled device passes for a managed one. Whoever holds a live session should not be able to enrol a computer of their own with it.",
    references: &[
        "CIS 5.2.2.11",
        "prowler:entra_conditional_access_policy_intune_enrollment_mfa_required",
        "prowler:entra_intune_enrollment_sign_in_frequency_every_time",
    ],
    see_also: &[],
    licence: "P1, Intune",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for IntuneEnrolment {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let apps = BTreeSet::from([APP_INTUNE_ENROLLMENT.to_owned()]);
        let what = "Require MFA to enrol in Intune";
        let mut draft = drafts::at(drafts::for_everyone(&context.model.snapshot, what, &[Control::Mfa]), &apps);
        draft.session = Some(drafts::frequency(0));
        let asked = |requirement| Asked {
            check: ABOUT.id,
            area: "intune_enrolment",
            requirement,
            scope: Scope { apps: Some(apps.clone()), ..Scope::default() },
            missing: None,
            draft: Some(("Require MFA and a fresh sign-in to enrol in Intune", draft.clone())),
        };
        let frequency = asked(Requirement::SignInFrequency { hours: 0 });
        let mut finding = judge_both(context, asked(Requirement::Mfa), frequency);
        if let Some(fact) = circular(context) {
            finding.facts.push(fact);
            finding.verdict = if finding.verdict == Verdict::Pass { Verdict::Review } else { finding.verdict };
        }
        finding
    }
}

/// Policies that ask for a compliant device to enrol one. Microsoft spares the enrolment from this where a policy takes it
/// in with all resources, and not where it names it.
fn circular(context: &Context<'_>) -> Option<Fact> {
    let compliant = |grant: &GrantControls| {
        let alone = grant.operator == Operator::And || grant.controls.len() == 1;
        alone && grant.controls.contains(&Control::CompliantDevice)
    };
    let names = |policy: &&Policy| {
        policy.state == PolicyState::Enabled
            && policy.conditions.applications.include.contains(APP_INTUNE_ENROLLMENT)
            && policy.grant.as_ref().is_some_and(compliant)
    };
    let all: Vec<&Policy> = context.model.snapshot.policies.iter().filter(names).collect();
    let named = all.iter().map(|policy| policy.display_name.clone()).collect();
    (!all.is_empty()).then(|| {
        Fact::new("intune_enrolment.circular", context.evidence(all.iter().map(|policy| rows::policy(policy))))
            .with("policies", Term::Names(named))
            .must_show()
    })
}
