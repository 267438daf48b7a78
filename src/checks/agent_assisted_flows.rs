//! Risky flows in which an agent acts for a person are blocked.

use crate::tenant::policy::{Control, RiskLevel, Sides};
use crate::tenant::{Kind, Policy};

use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, listing, policies, risky_agents};

/// Risky flows in which an agent acts for a person are blocked.
#[derive(Debug)]
pub(super) struct AgentAssistedFlows;

static ABOUT: About = About {
    id: "agent-assisted-flows",
    title: "Risky agent-assisted flows blocked",
    severity: Severity::Low,
    rationale: "An agent that acts for a person holds that person's rights. Microsoft's own agent suggests to block such flows at high risk; the condition is in preview.",
    references: &[],
    see_also: &["MS.AAD.9.1"],
    licence: "P2",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

/// The word for all flows in which an agent takes part (beta `agentContext`).
const ALL: &str = "allAgentAssistedFlows";

impl Check for AgentAssistedFlows {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let open = |key, verdict| listing::open(context, ABOUT.id, key, verdict);
        if policies::on(snapshot).any(blocks) {
            return open("agent_assisted_flows.pass", Verdict::Pass);
        }
        if !snapshot.has(Kind::ServicePrincipals) {
            return open("agent_assisted_flows.review", Verdict::Review);
        }
        if risky_agents::agents(snapshot).next().is_none() {
            return open("agent_assisted_flows.nobody", Verdict::NotApplicable);
        }
        let mut draft = drafts::for_everyone(snapshot, "Block risky agent-assisted flows", &[Control::Block]);
        draft.conditions.sign_in_risk = [RiskLevel::High].into();
        draft.conditions.agent_contexts = Some(Sides { include: [ALL.to_owned()].into(), ..Sides::default() });
        let cure = drafts::offer(context, "Block agent-assisted flows at high risk", draft);
        Finding { cures: cure.into_iter().collect(), ..open("agent_assisted_flows.fail", Verdict::Fail) }
    }
}

/// Blocks everybody's agent-assisted flows at high sign-in risk at least, everywhere.
fn blocks(policy: &Policy) -> bool {
    let conditions = &policy.conditions;
    let flows = conditions.agent_contexts.as_ref();
    let all = flows.is_some_and(|sides| sides.include.contains(ALL) && sides.exclude.is_empty());
    let risk = conditions.sign_in_risk.is_empty() || conditions.sign_in_risk.contains(&RiskLevel::High);
    let narrowed = conditions.platforms.is_some()
        || conditions.locations.is_some()
        || conditions.device_filter.is_some()
        || !conditions.user_risk.is_empty()
        || !policy.undecided.is_empty();
    let block = policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::Block));
    block && all && risk && !narrowed && conditions.users.include.all && conditions.applications.all
}
