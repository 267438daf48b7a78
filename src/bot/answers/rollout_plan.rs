//! "When can CA211 leave report-only?": how long it has been watched, what it showed, and what is left to settle.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::impact::{if_on, lockout, logged, phases};
use crate::checks::accounts::days_between;
use crate::checks::rows;
use crate::facts::{Evidence, Fact, Term};
use crate::tenant::Policy;
use crate::tenant::policy::PolicyState;

use super::impact::{Target, target};
use super::meant::said;
use super::{Answering, Asked};

/// Days in report-only before a decision rests on enough: two working weeks show what happens weekly.
const WATCHED: i64 = 14;

/// Tells how far a policy or suggestion is, and its exit criteria with today's values.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        Ok(match target(asked, |name| format!("when can {name} leave report-only?")).await? {
            Target::Policy(policy, number) => plan(asked, &policy, number.as_deref()),
            Target::Instead(answer) => *answer,
        })
    })
}

fn plan(asked: Asked<'_>, policy: &Policy, number: Option<&str>) -> Answer {
    let analysis = asked.analysis;
    let name = number.unwrap_or(&policy.display_name);
    let criteria = vec![
        ("Watched".to_owned(), vec![watched(asked, policy)]),
        ("Effect".to_owned(), logged(analysis, policy).into_iter().chain(if_on(analysis, policy)).collect()),
        ("Administrators".to_owned(), vec![lockout(analysis, policy)]),
    ];
    let watched = said("rollout.report_only").with("days", Term::Days(WATCHED));
    let phases = [watched].into_iter().chain(phases(analysis, policy)).map(|fact| (fact, Vec::new())).collect();
    Answer::sentences(vec![standing(asked, policy, number)])
        .part(Part::Heading("Phases".into()))
        .part(Part::List { ordered: true, items: phases })
        .part(Part::Heading("Exit criteria, today".into()))
        .part(Part::Rows(criteria))
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Whom would it affect?", format!("who would {name} block?")))
}

/// In which phase it is.
fn standing(asked: Asked<'_>, policy: &Policy, number: Option<&str>) -> Fact {
    let key = match (number, policy.state) {
        (Some(_), _) => "rollout.draft",
        (None, PolicyState::ReportOnly) => "rollout.in_report_only",
        (None, PolicyState::Enabled) => "rollout.on",
        (None, PolicyState::Disabled) => "rollout.off",
    };
    let evidence = asked.analysis.evidence(number.is_none().then(|| rows::policy(policy)));
    let fact = Fact::new(key, evidence).with("policy", Term::Name(policy.display_name.clone()));
    fact.with("number", Term::Word(number.unwrap_or_default().to_owned())).must_show()
}

/// Whether it was in report-only long enough; only its last change is known, so the count starts there.
fn watched(asked: Asked<'_>, policy: &Policy) -> Fact {
    if policy.state != PolicyState::ReportOnly {
        return said("rollout.not_watched").with("needed", Term::Days(WATCHED));
    }
    let Some(since) = policy.modified.or(policy.created) else { return said("rollout.since_unknown") };
    let days = days_between(since, asked.now);
    let key = if days >= WATCHED { "rollout.enough" } else { "rollout.wait" };
    let left = WATCHED.saturating_sub(days).max(0);
    let evidence: Evidence = asked.analysis.evidence([rows::policy(policy)]);
    Fact::new(key, evidence).with("days", Term::Days(days)).with("left", Term::Days(left)).must_show()
}
