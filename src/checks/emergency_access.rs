//! Emergency access accounts are excluded from every policy that could reach them.

use serde_json::json;

use crate::engine::Truth;
use crate::facts::{Evidence, Fact, Term};
use crate::suggestions::lint::{is_nobodys, reaches_emergency_access};
use crate::tenant::{Policy, Snapshot};

use super::accounts::UNNAMED;
use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, Verdict, drafts, hand_over, policies, rows};

/// Emergency access accounts are excluded from every policy that could reach them.
#[derive(Debug)]
pub(super) struct EmergencyAccess;

static ABOUT: About = About {
    id: "emergency-access",
    title: "Emergency access accounts excluded",
    severity: Severity::High,
    rationale: "When MFA, devices or a policy fail, an emergency access account is the way back in. It works only if no policy stands in its way.",
    references: &["MT.1005", "MT.1034", "MT.1191", "ZT 21835", "prowler:entra_emergency_access_exclusion"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for EmergencyAccess {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if snapshot.settings.emergency_access.is_empty() {
            return listing::unread(context, (ABOUT.id, "emergency_access"), UNNAMED);
        }
        let judged: Vec<(&Policy, Truth)> =
            policies::live(snapshot).map(|policy| (policy, reaches_emergency_access(policy, snapshot))).collect();
        if judged.is_empty() {
            return listing::open(context, ABOUT.id, "emergency_access.no_policy", Verdict::NotApplicable);
        }
        let of = |wanted: Truth| judged.iter().filter(move |(_, one)| *one == wanted).map(|(policy, _)| *policy);
        let listed = of(Truth::Yes).map(|policy| listed(policy, context)).collect();
        let finding = listing::finding(context, (ABOUT.id, "emergency_access"), listed);
        let mut finding = with_nobodys(context, finding);
        let open: Vec<&Policy> = of(Truth::Maybe).collect();
        if open.is_empty() {
            return finding;
        }
        finding.not_checked.push(
            "who is in the groups and roles that policies name (users.json, groups.json and roleAssignments.json would settle it)"
                .to_owned(),
        );
        if finding.verdict == Verdict::Pass {
            finding.verdict = Verdict::Review;
            finding.facts = vec![unsure(context, &open)];
        }
        finding
    }
}

/// The finding with the configured ids that nobody has: what they were meant for may be reached.
fn with_nobodys(context: &Context<'_>, mut finding: Finding) -> Finding {
    let snapshot = &context.model.snapshot;
    let ids: Vec<String> =
        snapshot.settings.emergency_access.iter().filter(|id| is_nobodys(snapshot, id)).cloned().collect();
    if ids.is_empty() {
        return finding;
    }
    let fact = Fact::new("emergency_access.nobodys", context.stamp(Evidence::default()))
        .with("count", ids.len())
        .with("ids", ids)
        .must_show();
    if finding.verdict == Verdict::Pass {
        finding.verdict = Verdict::Review;
        finding.facts = vec![fact];
    } else {
        finding.facts.push(fact);
    }
    finding
}

fn unsure(context: &Context<'_>, open: &[&Policy]) -> Fact {
    let evidence = context.evidence(open.iter().map(|policy| rows::policy(policy)));
    Fact::new("emergency_access.unsure", evidence)
        .with("count", open.len())
        .with("policies", policies::names(open.iter().copied()))
        .must_show()
}

fn listed(policy: &Policy, context: &Context<'_>) -> Listed {
    Listed {
        fact: Fact::new("emergency_access.policy", context.evidence([rows::policy(policy)]))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("state", Term::Word(rows::state_word(policy.state).to_owned())),
        cure: listing::hand_over(
            &policy.id,
            format!("Exclude emergency access from {}", policy.display_name),
            exclude(policy, &context.model.snapshot),
        ),
    }
}

fn exclude(policy: &Policy, snapshot: &Snapshot) -> HandOver {
    let emergency = drafts::exclusions(snapshot);
    let mut after = policy.clone();
    after.conditions.users.exclude.users.extend(emergency.users);
    after.conditions.users.exclude.groups.extend(emergency.groups);
    let body = crate::tenant::write_policy(&after);
    let change = (
        "Users > Exclude".to_owned(),
        "emergency access accounts are not among them".to_owned(),
        "the emergency access accounts too".to_owned(),
    );
    hand_over::edit_policy(policy, vec![change], &json!({"conditions": body.get("conditions")}))
}
