//! Every policy has somebody and something to be about.

use crate::engine::Model;
use crate::tenant::Policy;
use crate::tenant::policy::{FilterMode, PolicyState, UserSide};

use super::listing;
use super::{About, Check, Context, Cure, CureKind, Finding, Severity, hand_over};

/// Every policy has somebody and something to be about.
#[derive(Debug)]
pub(super) struct PolicyTargetsNothing;

static ABOUT: About = About {
    id: "policy-targets-nothing",
    title: "Policies about nobody or nothing",
    severity: Severity::Low,
    rationale: "A policy without users or without target resources never applies, and neither does one that excludes all the resources that it includes. It looks like protection in every list.",
    references: &["MT.1184"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for PolicyTargetsNothing {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let live = context.model.snapshot.policies.iter().filter(|policy| policy.state != PolicyState::Disabled);
        let faulty = live.filter(|policy| is_about_nothing(context.model, policy) || is_about_nobody(policy));
        listing::policies(context, (ABOUT.id, "policy_targets_nothing"), faulty, delete)
    }
}

/// A target that can't be judged is a target, and so are the apps that a filter may take in one day.
fn is_about_nothing(model: &Model, policy: &Policy) -> bool {
    let apps = &policy.conditions.applications;
    let filtered = apps.filter.as_ref().is_some_and(|filter| filter.mode == FilterMode::Include);
    let unjudged = policy.undecided.iter().any(|pointer| pointer.starts_with("/conditions/applications"));
    let requests = !apps.user_actions.is_empty() || !apps.contexts.is_empty();
    !filtered && !unjudged && !requests && model.takes_in_no_app(policy)
}

/// Policies for workload identities and agents include no users on purpose.
fn is_about_nobody(policy: &Policy) -> bool {
    let conditions = &policy.conditions;
    let UserSide { users, all, groups, roles, guests } = &conditions.users.include;
    let named = users.iter().any(|user| user != "None") || !groups.is_empty() || !roles.is_empty();
    let unjudged = policy.undecided.iter().any(|pointer| pointer.starts_with("/conditions"));
    let others = conditions.client_applications.is_some() || conditions.agents.is_some();
    !all && !named && guests.is_none() && !others && !unjudged
}

fn delete(policy: &Policy) -> Option<Cure> {
    listing::hand_over(&policy.id, format!("Delete {}", policy.display_name), hand_over::delete_policy(policy))
}
