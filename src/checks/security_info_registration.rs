//! Registering security information outside trusted locations takes MFA.

use std::collections::BTreeSet;

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::{Applications, Control, Sides};
use crate::tenant::well_known;

use super::gaps::Gaps;
use super::requirement::{Asked, judge};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, listing};

/// Registering security information outside trusted locations takes MFA.
#[derive(Debug)]
pub(super) struct SecurityInfoRegistration;

static ABOUT: About = About {
    id: "security-info-registration",
    title: "MFA to register security information",
    severity: Severity::High,
    rationale: "Whoever holds a stolen password can otherwise register a second factor of their own. From trusted locations the first registration stays possible.",
    references: &["MT.1011", "ZT 21806", "template:b8bda7f8-6584-4446-bce9-d871480e53fa"],
    see_also: &["MS.AAD.3.8", "CIS 5.2.2.10"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for SecurityInfoRegistration {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let action = well_known::REGISTER_SECURITY_INFO.to_owned();
        let what = "Require MFA to register security info";
        let mut draft = drafts::for_everyone(&context.model.snapshot, what, &[Control::Mfa]);
        draft.conditions.applications =
            Applications { user_actions: BTreeSet::from([action.clone()]), ..Applications::default() };
        let elsewhere =
            Sides { include: BTreeSet::from(["All".to_owned()]), exclude: BTreeSet::from(["AllTrusted".to_owned()]) };
        draft.conditions.locations = Some(elsewhere);
        let scope = Scope { user_action: Some(action), untrusted_locations: true, ..Scope::default() };
        let finding = judge(
            context,
            Asked {
                check: ABOUT.id,
                area: "security_info_registration",
                requirement: Requirement::Mfa,
                scope: scope.clone(),
                missing: None,
                draft: Some(("Require MFA to register security information", draft)),
            },
        );
        if finding.verdict == Verdict::Fail && takes_a_managed_device(context, &scope) {
            return listing::open(context, ABOUT.id, "security_info_registration.managed", Verdict::Pass);
        }
        finding
    }
}

/// Whether a managed device is asked of everybody, as CIS and CISA have it: whoever holds a password alone has none.
fn takes_a_managed_device(context: &Context<'_>, scope: &Scope) -> bool {
    let coverage = context.model.coverage(&Requirement::ManagedDevice, scope);
    coverage.unresolved.is_empty() && !Gaps::any_in((&coverage, scope), context.model, context.now)
}
