//! Agent identities at high risk are blocked.

use crate::engine::{Decision, Truth};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::tenant::policy::{ClientApplications, Control, RiskLevel, UserSide, Users};
use crate::tenant::sign_in::{Identity, Known, Target};
use crate::tenant::{Kind, Policy, ServicePrincipal, SignIn, Snapshot};

use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, drafts, listing};

/// Agent identities at high risk are blocked.
#[derive(Debug)]
pub(super) struct RiskyAgents;

static ABOUT: About = About {
    id: "risky-agents",
    title: "Agent identities at high risk blocked",
    severity: Severity::High,
    rationale: "An agent that was taken over works on at night and at machine speed. Policies for people never reach an agent's own identity; one for agents can only block.",
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
        if !snapshot.has(Kind::ServicePrincipals) {
            return listing::open(context, ABOUT.id, "risky_agents.review", Verdict::Review);
        }
        let agents: Vec<&ServicePrincipal> = agents(snapshot).collect();
        if agents.is_empty() {
            return listing::open(context, ABOUT.id, "risky_agents.nobody", Verdict::NotApplicable);
        }
        let blocked = |one: &ServicePrincipal| match context.model.evaluate(&at_risk(one)).decision {
            Decision::Block { .. } => Truth::Yes,
            Decision::DependsOn { .. } => Truth::Maybe,
            _ => Truth::No,
        };
        let judged: Vec<(&ServicePrincipal, Truth)> = agents.iter().map(|one| (*one, blocked(one))).collect();
        let open: Vec<&ServicePrincipal> =
            judged.iter().filter(|(_, met)| *met == Truth::No).map(|(one, _)| *one).collect();
        let unsure = judged.iter().any(|(_, met)| *met == Truth::Maybe);
        let (verdict, name) = match (open.is_empty(), unsure) {
            (false, _) => (Verdict::Fail, "fail"),
            (true, true) => (Verdict::Review, "unsure"),
            (true, false) => (Verdict::Pass, "pass"),
        };
        let cure = (verdict == Verdict::Fail)
            .then(|| drafts::offer(context, "Block agent identities at high risk", draft(snapshot)))
            .flatten();
        Finding {
            check: ABOUT.id,
            verdict,
            facts: vec![headline(context, name, &open, agents.len())],
            not_checked: vec!["agents that act for a person: the person's own policies govern those".to_owned()],
            cures: cure.into_iter().collect(),
        }
    }
}

/// Agent identities of the tenant.
pub(super) fn agents(snapshot: &Snapshot) -> impl Iterator<Item = &ServicePrincipal> {
    let principals = snapshot.directory.service_principals.iter();
    principals.filter(|one| one.enabled && one.kind.eq_ignore_ascii_case("ServiceIdentity"))
}

fn headline(context: &Context<'_>, name: &str, open: &[&ServicePrincipal], of: usize) -> Fact {
    let rows = open.iter().map(|one| Row::Object {
        what: "Agent identity".into(),
        id: one.id.clone(),
        name: one.display_name.clone(),
        note: "not blocked at high risk".into(),
    });
    let names = open.iter().take(5).map(|one| one.display_name.clone()).collect();
    Fact::new(&format!("risky_agents.{name}"), context.stamp(Evidence::of(rows)))
        .with("count", open.len())
        .with("of", of)
        .with("names", Term::Names(names))
        .must_show()
}

fn at_risk(agent: &ServicePrincipal) -> SignIn {
    SignIn {
        identity: Identity::Agent(agent.id.clone()),
        target: Target::Apps(vec![String::new()]),
        agent_risk: Known::Is(RiskLevel::High),
        ip: Known::Absent,
        country: Known::Absent,
        gps_country: Known::Absent,
        ..SignIn::default()
    }
}

fn draft(snapshot: &Snapshot) -> Policy {
    let mut draft = drafts::for_everyone(snapshot, "Block high risk", &[Control::Block]);
    draft.display_name = drafts::name(snapshot, "Block high risk", "Agent identities");
    let nobody = UserSide { users: ["None".to_owned()].into(), ..UserSide::default() };
    draft.conditions.users = Users { include: nobody, exclude: UserSide::default() };
    let include_agents = ["All".to_owned()].into();
    draft.conditions.client_applications = Some(ClientApplications { include_agents, ..ClientApplications::default() });
    draft.conditions.agent_risk = [RiskLevel::High].into();
    draft
}
