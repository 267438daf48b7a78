//! No Microsoft-managed policy turns itself On unread, or doubles one of the tenant's own.

use jiff::{Timestamp, ToSpan};

use crate::engine::overlap::Relation;
use crate::facts::{Fact, Term};
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
        let (mut listed, mut young) = (Vec::new(), Vec::new());
        for policy in managed {
            match double(policy, context) {
                Some(own) => listed.push(doubled(policy, own, context)),
                None if policy.state != PolicyState::ReportOnly => {}
                None if from(policy, context).is_some_and(|from| from > context.now) => {
                    young.push(waits(policy, context));
                }
                None => listed.push(waiting(policy, context)),
            }
        }
        let mut finding = listing::finding(context, (ABOUT.id, "microsoft_managed"), listed);
        finding.facts.extend(young);
        finding
    }
}

/// When Microsoft may turn a policy On, where it is known since when it is there.
fn from(policy: &Policy, context: &Context<'_>) -> Option<Timestamp> {
    let hours = i64::from(context.whole_threshold(ABOUT.id, &DAYS)) * 24;
    policy.created?.checked_add(hours.hours()).ok()
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
    let evidence = context.evidence([rows::policy(policy), rows::policy(own)]);
    let change = ("Enable policy".to_owned(), rows::state_word(policy.state).to_owned(), "Off".to_owned());
    let off = hand_over::edit_policy(policy, vec![change], &serde_json::json!({"state": "disabled"}));
    Listed {
        fact: Fact::new("microsoft_managed.doubled", evidence)
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("own", Term::Name(own.display_name.clone())),
        cure: listing::hand_over(&policy.id, format!("Turn off {}", policy.display_name), off),
    }
}

fn waits(policy: &Policy, context: &Context<'_>) -> Fact {
    let from = from(policy, context);
    let key = if from.is_some() { "microsoft_managed.waiting" } else { "microsoft_managed.undated" };
    let fact = Fact::new(key, context.evidence([rows::policy(policy)]))
        .with("policy", Term::Name(policy.display_name.clone()));
    from.into_iter().fold(fact, |fact, from| fact.with("from", from))
}

fn waiting(policy: &Policy, context: &Context<'_>) -> Listed {
    let mut action = hand_over::turn_on(policy);
    action.portal.push_str(" > exclude emergency access, then Enable policy > On (or Off, if it isn't wanted)");
    Listed {
        fact: waits(policy, context),
        cure: listing::hand_over(&policy.id, format!("Decide on {}", policy.display_name), action),
    }
}
