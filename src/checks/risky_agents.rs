//! Agents at high risk are blocked: their identities, and their user accounts.

use crate::engine::Scope;
use crate::engine::coverage::Workload;
use crate::facts::{Fact, Term};
use crate::tenant::policy::{ClientApplications, Control, RiskLevel, UserSide, Users};
use crate::tenant::well_known::ALL_AGENT_USERS;
use crate::tenant::{Kind, Policy, ServicePrincipal, Snapshot};

use super::workload_gaps::{self, Judged};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, listing};

/// Agents at high risk are blocked.
#[derive(Debug)]
pub(super) struct RiskyAgents;

static ABOUT: About = About {
    id: "risky-agents",
    title: "Agents at high risk blocked",
    severity: Severity::High,
    rationale: "An agent that was taken over works on at night and at machine speed. Policies for people reach neither an agent's own identity nor its user account; each needs a block of its own.",
    references: &["MS.AAD.9.1", "MT.1181", "ZT 61009", "ZT 61012"],
    see_also: &[],
    licence: "P2",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

impl Check for RiskyAgents {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let high = Scope { sign_in_risk: [RiskLevel::High].into(), ..Scope::default() };
        let whoever = |which| workload_gaps::blocks_whoever(context, which, &high);
        if !snapshot.has(Kind::ServicePrincipals) {
            if whoever(Workload::Agents) && whoever(Workload::AgentUsers) {
                return listing::open(context, ABOUT.id, "risky_agents.whoever", Verdict::Pass);
            }
            let what = "whether there are agent identities (servicePrincipals.json would settle it)";
            return listing::unread(context, (ABOUT.id, "risky_agents"), what);
        }
        if agents(snapshot).next().is_none() {
            return listing::open(context, ABOUT.id, "risky_agents.nobody", Verdict::NotApplicable);
        }
        let identities = workload_gaps::judge(context, Workload::Agents, &high);
        let accounts = workload_gaps::judge(context, Workload::AgentUsers, &high);
        let drafts = [
            ("Block agent identities at high risk", identities.verdict(), for_identities(snapshot)),
            ("Block agents' user accounts at high risk", accounts.verdict(), for_accounts(snapshot)),
        ];
        let open = drafts.into_iter().filter(|(_, verdict, _)| *verdict == Verdict::Fail);
        let cures = open.filter_map(|(title, _, draft)| drafts::offer(context, title, draft)).collect();
        let judged = identities.and(accounts);
        let read = snapshot.has(Kind::Users) || whoever(Workload::AgentUsers);
        let verdict = if judged.verdict() == Verdict::Pass && !read { Verdict::Review } else { judged.verdict() };
        let mut facts = vec![headline(context, verdict, &judged)];
        facts.extend(judged.facts);
        let mut not_checked = vec!["agents that act for a person: the person's own policies govern those".to_owned()];
        not_checked.extend(judged.unresolved);
        if !read {
            not_checked.push("the user accounts of agents (users.json would settle it)".to_owned());
        }
        Finding { check: ABOUT.id, verdict, facts, not_checked, cures }
    }
}

/// Agent identities of the tenant.
pub(super) fn agents(snapshot: &Snapshot) -> impl Iterator<Item = &ServicePrincipal> {
    let principals = snapshot.directory.service_principals.iter();
    principals.filter(|one| one.enabled && one.kind.eq_ignore_ascii_case(workload_gaps::AGENT))
}

fn headline(context: &Context<'_>, verdict: Verdict, judged: &Judged) -> Fact {
    let snapshot = &context.model.snapshot;
    let name = match verdict {
        Verdict::Fail => "fail",
        Verdict::Pass => "pass",
        Verdict::Review | Verdict::NotApplicable => "unsure",
    };
    let rows = workload_gaps::identities(&judged.open, snapshot);
    Fact::new(&format!("risky_agents.{name}"), context.evidence(rows))
        .with("count", judged.open.len())
        .with("of", judged.of)
        .with("names", Term::Names(workload_gaps::names(&judged.open, snapshot)))
        .must_show()
}

/// User accounts of agents are reached by a scope of their own, and by no other.
fn for_accounts(snapshot: &Snapshot) -> Policy {
    let mut draft = drafts::for_everyone(snapshot, "Block high risk", &[Control::Block]);
    draft.display_name = drafts::name(snapshot, "Block high risk", "Agent users");
    let agents = UserSide { users: [ALL_AGENT_USERS.to_owned()].into(), ..UserSide::default() };
    draft.conditions.users = Users { include: agents, exclude: UserSide::default() };
    draft.conditions.agent_risk = [RiskLevel::High].into();
    draft
}

fn for_identities(snapshot: &Snapshot) -> Policy {
    let mut draft = drafts::for_everyone(snapshot, "Block high risk", &[Control::Block]);
    draft.display_name = drafts::name(snapshot, "Block high risk", "Agent identities");
    let nobody = UserSide { users: ["None".to_owned()].into(), ..UserSide::default() };
    draft.conditions.users = Users { include: nobody, exclude: UserSide::default() };
    let include_agents = ["All".to_owned()].into();
    draft.conditions.client_applications = Some(ClientApplications { include_agents, ..ClientApplications::default() });
    draft.conditions.agent_risk = [RiskLevel::High].into();
    draft
}
