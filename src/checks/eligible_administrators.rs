//! Administrators stay covered once they activate a role.

use crate::engine::{Requirement, Scope};
use crate::facts::Fact;
use crate::tenant::policy::Control;
use crate::tenant::{Assignment, Kind};

use super::requirement::{Asked, judge};
use super::scopes::role_holders;
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts};

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
        let missing = "who is eligible for a role (roleAssignments.json with users.json would settle it)";
        let scope = Scope { users: Some(eligible.clone()), ..Scope::default() };
        let asked = Asked {
            check: ABOUT.id,
            area: "eligible_administrators",
            requirement: Requirement::Mfa,
            scope,
            missing: (!snapshot.has(Kind::RoleAssignments)).then_some(missing),
            draft: Some((
                "Require MFA for administrators",
                drafts::for_administrators(snapshot, "Require MFA", &[Control::Mfa]),
            )),
        };
        if eligible.is_empty() {
            return judged_unread(judge(context, asked));
        }
        judge(&Context { model: &context.model.with_roles_activated(), ..*context }, asked)
    }
}

/// Perhaps nobody is eligible for a role, so what wasn't read can't make this fail.
fn judged_unread(finding: Finding) -> Finding {
    if finding.verdict != Verdict::Fail {
        return finding;
    }
    let headline =
        finding.facts.first().map(|fact| Fact { key: "eligible_administrators.unknown".into(), ..fact.clone() });
    Finding { verdict: Verdict::Review, facts: headline.into_iter().collect(), cures: Vec::new(), ..finding }
}
