//! No Microsoft-managed policy turns itself On unread, or doubles one of the tenant's own.

use jiff::ToSpan;

use crate::engine::overlap::Relation;
use crate::facts::{Evidence, Fact, Term};
use crate::tenant::Policy;
use crate::tenant::policy::PolicyState;

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, Verdict, hand_over, policies, rows};

/// No Microsoft-managed policy turns itself On unread, or doubles one of the tenant's own.
#[derive(Debug)]
pub(super) struct MicrosoftManagedPolicies;

static ABOUT: About = About {
    id: "microsoft-managed-policies",
    title: "Microsoft-managed policies about to turn On",
    severity: Severity::Medium,
    rationale: "Microsoft adds policies in report-only and turns them On by itself after a notice. Only their state and exclusions can be changed: exclude the emergency access accounts, or turn the policy Off, in time.",
    references: &[],
    see_also: &[],
    licence: "P1",
    thresholds: &[DAYS],
    cure: CureKind::Edit,
};

const DAYS: Threshold = Threshold {
    name: "days",
    default: 30.0,
    meaning: "days in report-only after which Microsoft may turn such a policy On",
};

/// What their names begin with; the name can't be changed.
const PREFIX: &str = "Microsoft-managed";

impl Check for MicrosoftManagedPolicies {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let managed: Vec<&Policy> =
            policies::live(&context.model.snapshot).filter(|policy| policy.display_name.starts_with(PREFIX)).collect();
        if managed.is_empty() {
            return listing::open(context, ABOUT.id, "microsoft_managed.nobody", Verdict::NotApplicable);
        }
        let listed = managed.into_iter().filter_map(|policy| match double(policy, context) {
            Some(own) => Some(doubled(policy, own, context)),
            None => (policy.state == PolicyState::ReportOnly).then(|| waiting(policy, context)),
        });
        listing::finding(context, (ABOUT.id, "microsoft_managed"), listed.collect())
    }
}

/// A policy of the tenant's own, which is On and does what the managed one does.
fn double<'a>(policy: &Policy, context: &'a Context<'_>) -> Option<&'a Policy> {
    let overlaps = context.model.overlaps();
    let other = overlaps.iter().find_map(|overlap| match overlap.relation {
        Relation::Redundant | Relation::Identical if overlap.policy_id == policy.id => Some(&overlap.other_id),
        Relation::Identical if overlap.other_id == policy.id => Some(&overlap.policy_id),
        _ => None,
    })?;
    context.model.snapshot.policy(other).filter(|other| other.state == PolicyState::Enabled)
}

fn doubled(policy: &Policy, own: &Policy, context: &Context<'_>) -> Listed {
    let evidence = context.stamp(Evidence::of([rows::policy(policy), rows::policy(own)]));
    let change = ("Enable policy".to_owned(), rows::state_word(policy.state).to_owned(), "Off".to_owned());
    let off = hand_over::edit_policy(policy, vec![change], &serde_json::json!({"state": "disabled"}));
    Listed {
        fact: Fact::new("microsoft_managed.doubled", evidence)
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("own", Term::Name(own.display_name.clone())),
        cure: listing::hand_over(&policy.id, format!("Turn off {}", policy.display_name), off),
    }
}

fn waiting(policy: &Policy, context: &Context<'_>) -> Listed {
    #[expect(clippy::cast_possible_truncation, reason = "a number of days")]
    let hours = context.threshold(ABOUT.id, &DAYS) as i64 * 24;
    let from = policy.created.and_then(|made| made.checked_add(hours.hours()).ok());
    let evidence = context.stamp(Evidence::of([rows::policy(policy)]));
    let fact =
        Fact::new(if from.is_some() { "microsoft_managed.waiting" } else { "microsoft_managed.undated" }, evidence)
            .with("policy", Term::Name(policy.display_name.clone()));
    let mut action = hand_over::turn_on(policy);
    action.portal.push_str(" > exclude emergency access, then Enable policy > On (or Off, if it isn't wanted)");
    Listed {
        fact: from.into_iter().fold(fact, |fact, from| fact.with("from", from)),
        cure: listing::hand_over(&policy.id, format!("Decide on {}", policy.display_name), action),
    }
}
