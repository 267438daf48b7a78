//! Administrators stay covered once they activate a role.

use crate::engine::{Requirement, Scope};
use crate::tenant::policy::Control;
use crate::tenant::{Assignment, Kind};

use super::requirement::{Asked, judge};
use super::scopes::role_holders;
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, listing};

/// Administrators stay covered once they activate a role.
#[derive(Debug)]
pub(super) struct EligibleAdministrators;

static ABOUT: About = About {
    id: "eligible-administrators",
    title: "Eligible administrators covered once activated",
    severity: Severity::High,
    rationale: "Conditional Access sees a role only while it is active. Whoever may activate one is looked at as if it were: nobody may become an administrator on a password alone.",
    references: &[],
    see_also: &["MS.AAD.3.6", "ZT 21782"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for EligibleAdministrators {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let eligible = role_holders(&snapshot.directory, Assignment::Eligible);
        let missing = "who is eligible for a role (roleEligibilityScheduleInstances.json, or roleAssignments.json with eligible ones, and users.json would settle it)";
        let unread = !snapshot.has(Kind::RoleAssignments) || (snapshot.eligible_unread && eligible.is_empty());
        let scope = Scope { users: Some(eligible.clone()), ..Scope::default() };
        let asked = Asked {
            check: ABOUT.id,
            area: "eligible_administrators",
            requirement: Requirement::Mfa,
            scope,
            missing: unread.then_some(missing),
            draft: Some((
                "Require MFA for administrators",
                drafts::for_administrators(snapshot, "Require MFA", &[Control::Mfa]),
            )),
        };
        if eligible.is_empty() {
            let finding = judge(context, asked);
            // There need not be anybody who is eligible.
            let unknown = listing::open(context, ABOUT.id, "eligible_administrators.unknown", Verdict::Review);
            return match finding.verdict {
                Verdict::Fail => Finding { not_checked: finding.not_checked, ..unknown },
                _ => finding,
            };
        }
        judge(&Context { model: &context.model.with_roles_activated(), ..*context }, asked)
    }
}
