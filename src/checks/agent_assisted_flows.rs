//! Risky flows in which an agent acts for a person are blocked.

use roaring::RoaringBitmap;

use crate::engine::Truth;
use crate::facts::Fact;
use crate::tenant::policy::{ClientAppType, Control, RiskLevel, Sides};
use crate::tenant::{Kind, Policy};

use super::accounts::emergency_access;
use super::{
    About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, listing, policies, risky_agents, rows,
};

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
        let blocking: Vec<(&Policy, Truth)> =
            policies::on(snapshot).filter(|policy| blocks(policy)).map(|one| (one, whole(one, context))).collect();
        if blocking.iter().any(|(_, whole)| *whole == Truth::Yes) {
            return open("agent_assisted_flows.pass", Verdict::Pass);
        }
        if !snapshot.has(Kind::ServicePrincipals) {
            let what = "whether there are agent identities (servicePrincipals.json would settle it)";
            return listing::unread(context, (ABOUT.id, "agent_assisted_flows"), what);
        }
        if risky_agents::agents(snapshot).next().is_none() {
            return open("agent_assisted_flows.nobody", Verdict::NotApplicable);
        }
        // Several narrow policies may make up for each other, which nobody judges yet.
        let unsure = blocking.len() > 1 || blocking.iter().any(|(_, whole)| *whole == Truth::Maybe);
        if unsure {
            let mut finding = open("agent_assisted_flows.unsure", Verdict::Review);
            finding.facts.push(narrow(context, &blocking));
            return finding;
        }
        let mut draft = drafts::for_everyone(snapshot, "Block risky agent-assisted flows", &[Control::Block]);
        draft.conditions.sign_in_risk = [RiskLevel::High].into();
        draft.conditions.agent_contexts = Some(Sides { include: [ALL.to_owned()].into(), ..Sides::default() });
        let cure = drafts::offer(context, "Block agent-assisted flows at high risk", draft);
        let mut finding =
            Finding { cures: cure.into_iter().collect(), ..open("agent_assisted_flows.fail", Verdict::Fail) };
        if !blocking.is_empty() {
            finding.facts.push(narrow(context, &blocking));
        }
        finding
    }
}

/// Blocks some agent-assisted flows.
fn blocks(policy: &Policy) -> bool {
    let flows = policy.conditions.agent_contexts.as_ref().is_some_and(|sides| sides.include.contains(ALL));
    flows && policies::blocks(policy)
}

/// Whether it blocks everybody's, at high sign-in risk at least, everywhere.
fn whole(policy: &Policy, context: &Context<'_>) -> Truth {
    let conditions = &policy.conditions;
    let (apps, types) = (&conditions.applications, &conditions.client_app_types);
    let flows = conditions.agent_contexts.as_ref().is_some_and(|sides| sides.exclude.is_empty());
    let risk = conditions.sign_in_risk.is_empty() || conditions.sign_in_risk.contains(&RiskLevel::High);
    let others = conditions.platforms.is_none()
        && conditions.locations.is_none()
        && conditions.device_filter.is_none()
        && conditions.user_risk.is_empty()
        && conditions.insider_risk.is_empty()
        && conditions.flows.is_empty()
        && conditions.agent_risk.is_empty()
        && conditions.service_principal_risk.is_empty();
    let every_app = apps.all && apps.exclude.is_empty() && apps.filter.is_none();
    let every_client = types.is_empty() || types.contains(&ClientAppType::All);
    let decided = Truth::from(flows && risk && others && every_app && every_client).and(everybody(policy, context));
    if policy.undecided.is_empty() { decided } else { decided.and(Truth::Maybe) }
}

/// Whether nobody but emergency access is left out.
fn everybody(policy: &Policy, context: &Context<'_>) -> Truth {
    let (model, snapshot) = (context.model, &context.model.snapshot);
    let users = &policy.conditions.users;
    if !users.include.all || users.exclude.guests.is_some() {
        return Truth::No;
    }
    let emergency = &snapshot.settings.emergency_access;
    let mut named = users.exclude.users.iter().chain(&users.exclude.groups);
    if users.exclude.roles.is_empty() && named.all(|id| emergency.contains(id)) {
        return Truth::Yes;
    }
    if !snapshot.has(Kind::Users) {
        return Truth::Maybe;
    }
    let (surely, possibly) = model.users_of(&policy.id);
    let left_out = |of: &RoaringBitmap| !(model.default_users() - of - emergency_access(snapshot)).is_empty();
    match (left_out(&possibly), left_out(&surely)) {
        (true, _) => Truth::No,
        (false, true) => Truth::Maybe,
        (false, false) => Truth::Yes,
    }
}

fn narrow(context: &Context<'_>, blocking: &[(&Policy, Truth)]) -> Fact {
    let evidence = context.evidence(blocking.iter().map(|(policy, _)| rows::policy(policy)));
    Fact::new("agent_assisted_flows.narrow", evidence)
        .with("count", blocking.len())
        .with("policies", policies::names(blocking.iter().map(|(policy, _)| *policy)))
}
