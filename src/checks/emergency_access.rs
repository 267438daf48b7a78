//! Emergency access accounts are excluded from every policy that could reach them.

use serde_json::json;

use crate::facts::{Evidence, Fact, Term};
use crate::suggestions::lint::{Level, Objection, lint};
use crate::tenant::policy::PolicyState;
use crate::tenant::{Policy, Snapshot};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, Verdict, drafts, hand_over, rows};

/// Emergency access accounts are excluded from every policy that could reach them.
#[derive(Debug)]
pub(super) struct EmergencyAccess;

static ABOUT: About = About {
    id: "emergency-access",
    title: "Emergency access accounts excluded",
    severity: Severity::High,
    rationale: "When MFA, devices or a policy fail, an emergency access account is the way back in. It works only if no policy stands in its way.",
    references: &["MT.1005", "ZT 21835", "prowler:entra_emergency_access_exclusion"],
    see_also: &["MT.1034", "MT.1191"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

/// The rule of the draft checker that says whether a policy leaves emergency access alone.
const RULE: u8 = 38;

impl Check for EmergencyAccess {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if snapshot.settings.emergency_access.is_empty() {
            return listing::open(context, ABOUT.id, "emergency_access.review", Verdict::Review);
        }
        let live = snapshot.policies.iter().filter(|policy| policy.state != PolicyState::Disabled);
        let reaching = live.filter_map(|policy| listed(policy, context));
        listing::finding(context, (ABOUT.id, "emergency_access"), reaching.collect())
    }
}

fn listed(policy: &Policy, context: &Context<'_>) -> Option<Listed> {
    let snapshot = &context.model.snapshot;
    let reaches = |objection: &Objection| objection.rule == RULE && objection.level == Level::Error;
    lint(policy, snapshot).iter().any(reaches).then(|| Listed {
        fact: Fact::new("emergency_access.policy", context.stamp(Evidence::of([rows::policy(policy)])))
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("state", Term::Word(rows::state_word(policy.state).to_owned())),
        cure: listing::hand_over(
            &policy.id,
            format!("Exclude emergency access from {}", policy.display_name),
            exclude(policy, snapshot),
        ),
    })
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
