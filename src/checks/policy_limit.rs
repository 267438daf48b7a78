//! The number of policies stays clear of the limit of a tenant.

use crate::facts::{Fact, Term};
use crate::tenant::policy::PolicyState;

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, hand_over, rows};

/// The number of policies stays clear of the limit of a tenant.
#[derive(Debug)]
pub(super) struct PolicyLimit;

static ABOUT: About = About {
    id: "policy-limit",
    title: "Number of policies near the limit",
    severity: Severity::Medium,
    rationale: "A tenant takes 240 policies, those that are Off among them. At the limit no policy can be added, not even in an incident.",
    references: &[],
    see_also: &[],
    licence: "P1",
    thresholds: &[MOST, LEFT],
    cure: CureKind::Edit,
};

/// Source: Microsoft Learn, Conditional Access service limits (April 2026).
const MOST: Threshold = Threshold { name: "most", default: 240.0, meaning: "policies that a tenant takes" };
const LEFT: Threshold = Threshold { name: "left", default: 20.0, meaning: "free places that should be left" };

impl Check for PolicyLimit {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let count = snapshot.policies.len();
        let most = context.threshold(ABOUT.id, &MOST);
        #[expect(clippy::cast_precision_loss, reason = "policies are few")]
        let near = count as f64 + context.threshold(ABOUT.id, &LEFT) > most;
        let off: Vec<_> = snapshot.policies.iter().filter(|policy| policy.state == PolicyState::Disabled).collect();
        let evidence = context.evidence(off.iter().map(|policy| rows::policy(policy)));
        let fact = Fact::new("policy_limit.count", evidence)
            .with("policies", count)
            .with("most", Term::Word(format!("{most:.0}")))
            .with("off", off.len());
        let room = hand_over::change_of(
            ("Tenant", "", &snapshot.tenant_name),
            (
                "Policies",
                &format!("{count} policies, {} of them Off", off.len()),
                "those that aren't wanted any more deleted",
            ),
            "Entra admin center > Conditional Access > Policies > State: Off".to_owned(),
        );
        let cure = listing::hand_over("", "Make room: delete policies that are Off or redundant".to_owned(), room);
        let listed = if near { vec![Listed { fact, cure }] } else { Vec::new() };
        listing::finding(context, (ABOUT.id, "policy_limit"), listed)
    }
}
