//! "When can CA211 leave report-only?": whether it is ready, how long it has been watched, what it showed, and what is left.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::impact::{WATCHED, if_on, lockout, logged, logged_and_ours, phases, positions, reached, safety, who};
use crate::bot::lookup::Found;
use crate::chat::card::Kind;
use crate::checks::accounts::days_between;
use crate::checks::rows;
use crate::engine::replay::{Impact, Tally, Would};
use crate::engine::rollout::{TOLERATED_PERCENT, blocks};
use crate::facts::{Evidence, Fact, Term};
use crate::tenant::Policy;
use crate::tenant::policy::PolicyState;

use super::impact::{Target, target};
use super::meant::{numbers, policies, said};
use super::{Answering, Asked, turn_on};

/// Tells how far a policy or suggestion is, and its exit criteria with today's values.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        if let Some(which) = which_watched(asked) {
            return Ok(which);
        }
        Ok(match target(asked, |name| format!("when can {name} leave report-only?")).await? {
            Target::Policy(policy, None) if policy.state != PolicyState::Enabled && turn_on::asks_how(asked.text) => {
                let how = turn_on::told(asked, &policy);
                // What is watched in report-only says first whether it is time.
                let watched = policy.state == PolicyState::ReportOnly;
                let ready = if watched { readiness(asked, &policy) } else { Vec::new() };
                let first = (!ready.is_empty()).then_some(Part::Sentences(ready));
                Answer { parts: first.into_iter().chain(how.parts).collect(), ..how }
            }
            Target::Policy(policy, None) if policy.state == PolicyState::Enabled => over(asked, &policy),
            Target::Policy(policy, number) => plan(asked, &policy, number.as_deref()),
            Target::Instead(answer) => *answer,
        })
    })
}

/// Asks which of the policies in report-only, where a question speaks of several and names none.
fn which_watched(asked: Asked<'_>) -> Option<Answer> {
    const SEVERAL: [&str; 6] = ["them", "these", "those", "they", "policies", "ones"];
    let text = asked.text.to_lowercase();
    let speaks_of_several = text.split(|c: char| !c.is_alphanumeric()).any(|word| SEVERAL.contains(&word));
    let before = asked.subject().unwrap_or_default();
    let names_one = !numbers(&text).is_empty()
        || !numbers(before).is_empty()
        || policies(asked).iter().any(|(_, found)| !matches!(found, Found::None));
    let watched = asked.analysis.snapshot().policies.iter().filter(|policy| policy.state == PolicyState::ReportOnly);
    let watched: Vec<&Policy> = watched.collect();
    let fact = said("rollout.which").with("count", watched.len());
    let answer = Answer { kind: Kind::Question, ..Answer::sentences(vec![fact]) };
    let when = |policy: &&Policy| {
        let name = &policy.display_name;
        ask(name, format!("when can {name} leave report-only?"))
    };
    (speaks_of_several && !names_one && !watched.is_empty()).then(|| answer.actions(watched.iter().map(when)))
}

/// A policy that is On has no rollout before it.
fn over(asked: Asked<'_>, policy: &Policy) -> Answer {
    let mut facts = vec![standing(asked, policy, None), said("rollout.nothing_to_plan")];
    facts.extend(if_on(asked.analysis, policy));
    let name = &policy.display_name;
    Answer::sentences(facts)
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Whom does it affect?", format!("who would {name} block?")))
        .action(ask("Show it", format!("show {name}")))
}

fn plan(asked: Asked<'_>, policy: &Policy, number: Option<&str>) -> Answer {
    let analysis = asked.analysis;
    let name = number.unwrap_or(&policy.display_name);
    let criteria = vec![
        ("Watched".to_owned(), vec![watched(asked, policy)]),
        ("Effect".to_owned(), logged_and_ours(analysis, policy)),
        ("Administrators".to_owned(), vec![lockout(analysis, policy)]),
    ];
    let watched = said("rollout.report_only").with("days", Term::Days(WATCHED));
    let phases = [watched].into_iter().chain(phases(analysis, policy)).map(|fact| (fact, Vec::new())).collect();
    Answer::sentences(readiness(asked, policy).into_iter().chain([standing(asked, policy, number)]).collect())
        .part(Part::Heading("Phases".into()))
        .part(Part::List { ordered: true, items: phases })
        .part(Part::Heading("Exit criteria, today".into()))
        .part(Part::Rows(criteria))
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Whom would it affect?", format!("who would {name} block?")))
}

/// "Ready", or "Not ready yet" with every reason.
fn readiness(asked: Asked<'_>, policy: &Policy) -> Vec<Fact> {
    let reasons = obstacles(asked, policy);
    let verdict = said(if reasons.is_empty() { "rollout.ready" } else { "rollout.not_ready" });
    [verdict].into_iter().chain(reasons).collect()
}

/// What stands in the way of turning it On.
fn obstacles(asked: Asked<'_>, policy: &Policy) -> Vec<Fact> {
    let analysis = asked.analysis;
    let watched = Some(watched(asked, policy)).filter(|fact| fact.key != "rollout.enough");
    let harm = safety(analysis, policy).into_iter().filter(|fact| STOPPING.contains(&fact.key.as_str()));
    watched.into_iter().chain(harm).chain(affected(asked, policy)).collect()
}

/// Statements of the safety of a policy with which nobody should turn it On.
const STOPPING: [&str; 4] = ["safety.locked_out", "safety.admins_unsure", "safety.only_emergency", "safety.error"];

/// Who would be cut off, and what nobody knows.
fn affected(asked: Asked<'_>, policy: &Policy) -> Vec<Fact> {
    let (analysis, impact) = (asked.analysis, asked.analysis.impact(policy));
    let mut facts = Vec::new();
    let failing = share(impact.total.failure, &impact.total);
    if blocks(policy) && impact.total.failure > 0 {
        facts.push(hit(asked, &impact, "rollout.still_used"));
    } else if failing > TOLERATED_PERCENT {
        let fact = hit(asked, &impact, "rollout.would_block").with("share", Term::Percent(failing));
        facts.push(fact.with("most", Term::Percent(TOLERATED_PERCENT)));
    }
    if !impact.unable.is_empty() {
        let set = positions(analysis.snapshot(), impact.unable.keys().map(String::as_str));
        facts.push(who(analysis, "rollout.unable", &set).with("people", set.len()).must_show());
    }
    if impact.total.unknown > 0 && logged(analysis, policy).is_none() {
        facts.push(said("rollout.untold").with("count", impact.total.unknown));
    }
    facts
}

/// Those who would have been blocked.
fn hit(asked: Asked<'_>, impact: &Impact, key: &str) -> Fact {
    reached(asked.analysis, impact, key, Would::Failure)
}

/// In percent of all sign-ins.
fn share(part: u64, whole: &Tally) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of sign-ins are far below 2^52")]
    if whole.total() == 0 { 0.0 } else { 100.0 * part as f64 / whole.total() as f64 }
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

#[cfg(test)]
mod tests {
    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn several_in_report_only_are_told_apart() {
        let words = said(&nordwerk(), Intent::RolloutPlan, "when can i turn them on").await;
        assert!(words.starts_with("1 policy is in report-only. Which one?"), "{words}");
        assert!(words.contains("(CA211 – Block device code flow)"), "{words}");
        let words = said(&nordwerk(), Intent::RolloutPlan, "when can those in CA211 leave report-only").await;
        assert!(words.starts_with("Not ready yet"), "{words}");
    }
}
