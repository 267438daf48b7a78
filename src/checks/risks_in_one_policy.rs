//! No policy asks for user risk and sign-in risk at once.

use serde_json::json;

use crate::tenant::Policy;

use super::listing;
use super::{About, Check, Context, Cure, CureKind, Finding, Severity, hand_over, policies};

/// No policy asks for user risk and sign-in risk at once.
#[derive(Debug)]
pub(super) struct RisksInOnePolicy;

static ABOUT: About = About {
    id: "risks-in-one-policy",
    title: "User risk and sign-in risk in one policy",
    severity: Severity::Medium,
    rationale: "Conditions of a policy must all hold. A policy with both risks applies only to risky users in risky sign-ins, and leaves each of them free alone: make it two.",
    references: &["MT.1049"],
    see_also: &["MS.AAD.2.1", "MS.AAD.2.3"],
    licence: "P2",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for RisksInOnePolicy {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let both =
            |policy: &&Policy| !policy.conditions.user_risk.is_empty() && !policy.conditions.sign_in_risk.is_empty();
        let faulty = policies::on(&context.model.snapshot).filter(both);
        listing::policies(context, (ABOUT.id, "risks_in_one_policy"), faulty, split)
    }
}

/// The policy keeps the user risk; a second one is for the sign-in risk.
fn split(policy: &Policy) -> Option<Cure> {
    let mut after = policy.clone();
    after.conditions.sign_in_risk.clear();
    let body = crate::tenant::write_policy(&after);
    let change = (
        "Conditions > Sign-in risk".to_owned(),
        "configured beside User risk".to_owned(),
        "Not configured; a copy of the policy with Sign-in risk alone beside it".to_owned(),
    );
    let action = hand_over::edit_policy(policy, vec![change], &json!({"conditions": body.get("conditions")}));
    listing::hand_over(&policy.id, format!("Make two policies of {}", policy.display_name), action)
}
