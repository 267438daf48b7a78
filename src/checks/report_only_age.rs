//! No policy is left in report-only for long.

use crate::facts::{Fact, Term};
use crate::suggestions::lint::{Level, lint};
use crate::tenant::policy::PolicyState;
use crate::tenant::{Kind, Policy};

use super::accounts::days_between;
use super::{
    About, Check, Context, Cure, CureAction, CureKind, Finding, Severity, Threshold, Verdict, hand_over, rows,
};

/// No policy is left in report-only for long.
#[derive(Debug)]
pub(super) struct ReportOnlyAge;

static ABOUT: About = About {
    id: "report-only-age",
    title: "Policies left in report-only",
    severity: Severity::Medium,
    rationale: "Report-only enforces nothing. A policy that stays there looks like protection and isn't: turn it On once its results are clean, or delete it.",
    references: &[],
    see_also: &[],
    licence: "P1",
    thresholds: &[DAYS, ENOUGH],
    cure: CureKind::Edit,
};

const DAYS: Threshold = Threshold { name: "days", default: 30.0, meaning: "days in report-only that are enough" };
const ENOUGH: Threshold = Threshold {
    name: "sign-ins",
    default: 100.0,
    meaning: "sign-ins that a policy applied to that are enough to decide",
};

impl Check for ReportOnlyAge {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let most = context.threshold(ABOUT.id, &DAYS);
        let waiting: Vec<&Policy> =
            snapshot.policies.iter().filter(|policy| policy.state == PolicyState::ReportOnly).collect();
        let mut old: Vec<(i64, &Policy)> =
            waiting.iter().filter_map(|policy| Some((age(policy, context)?, *policy))).collect();
        #[expect(clippy::cast_precision_loss, reason = "days are few")]
        old.retain(|(days, _)| *days as f64 >= most);
        old.sort_by_key(|(days, _)| std::cmp::Reverse(*days));
        let undated = waiting.iter().filter(|policy| age(policy, context).is_none()).count();
        let verdict = match (waiting.len(), old.len(), undated) {
            (0, ..) => Verdict::NotApplicable,
            (_, 0, 0) => Verdict::Pass,
            (_, 0, _) => Verdict::Review,
            _ => Verdict::Fail,
        };
        Finding {
            check: ABOUT.id,
            verdict,
            facts: facts(context, verdict, (waiting.len(), undated), &old),
            not_checked: not_checked(context),
            cures: old
                .iter()
                .map(|(days, policy)| Cure { partly: old.len() > 1, ..cure(*days, policy, context) })
                .collect(),
        }
    }
}

/// Days since the policy was last changed, or made: it may have been in report-only for less, never for more.
fn age(policy: &Policy, context: &Context<'_>) -> Option<i64> {
    policy.modified.or(policy.created).map(|at| days_between(at, context.now))
}

fn facts(context: &Context<'_>, verdict: Verdict, of: (usize, usize), old: &[(i64, &Policy)]) -> Vec<Fact> {
    let name = match verdict {
        Verdict::Fail => "fail",
        Verdict::Review => "review",
        Verdict::Pass => "pass",
        Verdict::NotApplicable => "nobody",
    };
    let rows = old.iter().map(|(_, policy)| rows::policy(policy));
    let headline = Fact::new(&format!("report_only_age.{name}"), context.evidence(rows))
        .with("count", old.len())
        .with("of", of.0)
        .with("undated", of.1)
        .must_show();
    std::iter::once(headline).chain(old.iter().flat_map(|(days, policy)| one(context, *days, policy))).collect()
}

/// How long a policy has been in report-only, and what it would have done.
fn one(context: &Context<'_>, days: i64, policy: &Policy) -> Vec<Fact> {
    let age = Fact::new("report_only_age.policy", context.evidence([rows::policy(policy)]))
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("days", Term::Days(days));
    std::iter::once(age).chain(impact(context, policy)).collect()
}

/// What the policy would have done to the sign-ins of the log, were it On.
fn impact(context: &Context<'_>, policy: &Policy) -> Option<Fact> {
    let snapshot = &context.model.snapshot;
    if !snapshot.has(Kind::SignIns) {
        return None;
    }
    let impact = context.model.impact(policy);
    let applied = impact.total.success + impact.total.action_required + impact.total.failure;
    #[expect(clippy::cast_precision_loss, reason = "a log has far fewer than 2^52 rows")]
    let enough = applied as f64 >= context.threshold(ABOUT.id, &ENOUGH);
    let blocked = impact.users.iter().filter(|(_, tally)| tally.failure > 0).map(|(id, _)| id);
    let blocked = blocked.filter_map(|id| snapshot.directory.user_index(id)).collect();
    let evidence = context.evidence(rows::users(&blocked, snapshot, None)).within(snapshot.window);
    let key = if enough { "report_only_age.impact" } else { "report_only_age.few" };
    let fact = Fact::new(key, evidence)
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("sign_ins", applied)
        .with("unknown", impact.total.unknown)
        .with("blocked", impact.blocked_users())
        .with("prompted", impact.prompted_users());
    Some(fact)
}

fn not_checked(context: &Context<'_>) -> Vec<String> {
    let snapshot = &context.model.snapshot;
    let unread = "what the policies would have done to past sign-ins (the sign-in log wasn't read)";
    let unread = (!snapshot.has(Kind::SignIns)).then_some(unread);
    unread.or(snapshot.missing_sign_ins()).map(str::to_owned).into_iter().collect()
}

/// Turning it On, with what has to be mended before.
fn cure(days: i64, policy: &Policy, context: &Context<'_>) -> Cure {
    let mut action = hand_over::turn_on(policy);
    for objection in lint(policy, &context.model.snapshot).into_iter().filter(|found| found.level == Level::Error) {
        action.changes.insert(0, ("Before".to_owned(), objection.message, "mended".to_owned()));
    }
    action.portal.push_str(" > Enable policy > On (or Delete, if it isn't wanted any more)");
    let title = format!("Turn on or delete {}, {days} days in report-only", policy.display_name);
    let cure = Cure::new(&policy.id, title, CureAction::HandOver(Box::new(action)));
    Cure { why: one(context, days, policy), ..cure }
}
