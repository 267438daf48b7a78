//! Nobody is asked to sign in again to Quick Access as a routine.

use serde_json::json;

use crate::tenant::Policy;

use super::{
    About, Check, Context, Cure, CureKind, Finding, Severity, Verdict, hand_over, listing, policies, private_apps,
};

/// Nobody is asked to sign in again to Quick Access as a routine.
#[derive(Debug)]
pub(super) struct QuickAccessFrequency;

static ABOUT: About = About {
    id: "quick-access-frequency",
    title: "Sign-in frequency on Quick Access",
    severity: Severity::Low,
    rationale: "Quick Access also looks up the names of the inner network, so that a sign-in frequency prompts people in the middle of what they do, and for no reason that they see. Where the policy asks for more than that, its frequency belongs into a policy of its own that leaves Quick Access out.",
    references: &["MT.1195"],
    see_also: &["ZT 25394"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for QuickAccessFrequency {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if let Some(nothing) = private_apps::nothing(context, ABOUT.id) {
            return nothing;
        }
        let Some(quick) = private_apps::quick_access(snapshot) else {
            let untold = private_apps::untold(snapshot);
            let verdict = if untold.is_some() { Verdict::Review } else { Verdict::NotApplicable };
            let key = if untold.is_some() { "quick_access_frequency.untold" } else { "quick_access_frequency.nowhere" };
            let mut finding = listing::open(context, ABOUT.id, key, verdict);
            finding.not_checked.extend(untold);
            return finding;
        };
        let prompting = |policy: &&Policy| is_routine(policy) && context.model.apps_of(policy).contains(&quick.app_id);
        let faulty = policies::on(snapshot).filter(prompting);
        listing::policies(context, (ABOUT.id, "quick_access_frequency"), faulty, |policy| {
            leave_out(policy, &quick.app_id)
        })
    }
}

/// Asks to sign in again whatever happens, and not because of a risk.
fn is_routine(policy: &Policy) -> bool {
    let conditions = &policy.conditions;
    let risky =
        !conditions.sign_in_risk.is_empty() || !conditions.user_risk.is_empty() || !conditions.insider_risk.is_empty();
    !risky && policy.session.as_ref().is_some_and(|session| session.sign_in_frequency.is_some())
}

/// Quick Access as an excluded resource, of a policy that would protect nothing there.
fn leave_out(policy: &Policy, quick: &str) -> Option<Cure> {
    if policy.grant.as_ref().is_some_and(|grant| !grant.controls.is_empty()) {
        return None;
    }
    let mut after = policy.clone();
    after.conditions.applications.include.remove(quick);
    after.conditions.applications.exclude.insert(quick.to_owned());
    let body = json!({"conditions": crate::tenant::write_policy(&after).get("conditions")});
    let change =
        ("Target resources > Exclude".to_owned(), "without Quick Access".to_owned(), "and Quick Access".to_owned());
    let action = hand_over::edit_policy(policy, vec![change], &body);
    listing::hand_over(&policy.id, format!("Leave Quick Access out of {}", policy.display_name), action)
}
