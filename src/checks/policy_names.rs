//! Policies are named alike, where most of them are.

use crate::facts::{Fact, Term};
use crate::tenant::Policy;
use crate::tenant::policy::UserSide;

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, Verdict, drafts, hand_over, naming, rows};

/// Policies are named alike, where most of them are.
#[derive(Debug)]
pub(super) struct PolicyNames;

static ABOUT: About = About {
    id: "policy-names",
    title: "Policies named against the pattern",
    severity: Severity::Info,
    rationale: "Numbers and a common form make policies easy to find and to speak of. A policy outside the pattern is often one that was meant to be temporary.",
    references: &[],
    see_also: &[],
    licence: "P1",
    thresholds: &[SHARE],
    cure: CureKind::Edit,
};

const SHARE: Threshold = Threshold {
    name: "share",
    default: 0.7,
    meaning: "share of policies with a number in front that makes it the pattern",
};

/// Fewer policies than these have no pattern.
const FEW: usize = 5;

impl Check for PolicyNames {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let own = context.model.snapshot.policies.iter();
        // The name of a Microsoft-managed policy can't be changed.
        let own: Vec<&Policy> = own.filter(|policy| !policy.display_name.starts_with("Microsoft-managed")).collect();
        let outside: Vec<&Policy> =
            own.iter().copied().filter(|policy| naming::number_of(&policy.display_name).is_none()).collect();
        #[expect(clippy::cast_precision_loss, reason = "policies are few")]
        let share = (own.len() - outside.len()) as f64 / own.len().max(1) as f64;
        if own.len() < FEW || share < context.threshold(ABOUT.id, &SHARE) {
            return listing::open(context, ABOUT.id, "policy_names.nobody", Verdict::NotApplicable);
        }
        let listed = outside.into_iter().map(|policy| listed(policy, context)).collect();
        listing::finding(context, (ABOUT.id, "policy_names"), listed)
    }
}

fn listed(policy: &Policy, context: &Context<'_>) -> Listed {
    let name = drafts::name(&context.model.snapshot, &policy.display_name, who(&policy.conditions.users.include));
    let change = ("Name".to_owned(), policy.display_name.clone(), name.clone());
    let action = hand_over::edit_policy(policy, vec![change], &serde_json::json!({"displayName": name}));
    Listed {
        fact: Fact::new("policy_names.policy", context.evidence([rows::policy(policy)]))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("name", Term::Name(name)),
        cure: listing::hand_over(&policy.id, format!("Rename {}", policy.display_name), action),
    }
}

/// Whom a policy is for, in the words of names.
fn who(include: &UserSide) -> &'static str {
    match include {
        UserSide { all: true, .. } => "All users",
        UserSide { guests: Some(_), .. } => "Guests",
        UserSide { roles, .. } if !roles.is_empty() => "Admins",
        _ => "Selected users",
    }
}
