//! "Why S-4?": the reasoning, the evidence, the severity, where it comes from, and the danger of leaving it.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::buttons::open;
use crate::bot::reconcile::{Body, state};
use crate::checks::{self, CureAction};
use crate::facts::{Evidence, Fact, Term};
use crate::log::Action;
use crate::store::entries::Wanted;
use crate::store::suggestions::Row;

use super::bot_activity::row as entry_row;
use super::list_suggestions::severity_word;
use super::meant::{said, suggestion, titled};
use super::{Answering, Asked};

/// How many entries of the log about one suggestion are looked at.
const ENTRIES: i64 = 50;

/// Explains the suggestion that is meant.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        match suggestion(asked).await?.unclear(|number| format!("why {number}?")) {
            Ok(row) => {
                let decided = decided(asked, &row).await?;
                explained(asked, &row, decided)
            }
            Err(question) => Ok(question),
        }
    })
}

/// Who put it off or turned it down, when and why; newest first, for it may have been taken up again in between.
pub(super) async fn decided(asked: Asked<'_>, row: &Row) -> anyhow::Result<Option<Fact>> {
    let (action, what) = match row.state.as_str() {
        state::DISMISSED => (Action::SuggestionDismissed, "dismissed"),
        state::SNOOZED => (Action::SuggestionSnoozed, "snoozed"),
        _ => return Ok(None),
    };
    let wanted = Wanted { subject: Some(format!("S-{}", row.number)), limit: ENTRIES, ..Wanted::default() };
    let entries = asked.app.store.entries(asked.app.tenant(), &wanted).await?;
    let decision = entries.iter().filter(|entry| entry.action == action).max_by_key(|entry| entry.seq);
    let fact = |entry: &crate::log::Entry| {
        Fact::new("explain.decided", Evidence::of([entry_row(entry)]))
            .with("who", Term::Name(entry.actor.name.clone()))
            .with("what", Term::Word(what.to_owned()))
            .with("at", entry.at)
            .with("until", row.until.map_or_else(|| Term::Word(String::new()), Term::Time))
            .with("reason", Term::Name(row.reason.clone().unwrap_or_default()))
            .must_show()
    };
    Ok(decision.map(fact))
}

/// Causes by the requirement that each is about: the same words of several requirements are told once, under all of them.
fn by_requirement(asked: Asked<'_>, body: &Body, causes: &[Fact]) -> Vec<(String, Vec<Fact>)> {
    let alike = |one: &Fact, other: &Fact| one.key == other.key && one.terms == other.terms;
    let of = |check: &str, cause: &Fact| {
        let finding = asked.analysis.findings.iter().find(|finding| finding.check == check);
        let own =
            finding.into_iter().flat_map(|one| one.facts.iter().chain(one.cures.iter().flat_map(|cure| &cure.why)));
        own.into_iter().any(|fact| alike(fact, cause))
    };
    let mut all: Vec<(String, Vec<Fact>)> = Vec::new();
    for (at, cause) in causes.iter().enumerate() {
        if causes.iter().take(at).any(|known| alike(known, cause)) {
            continue;
        }
        let checks = body.proposal.checks.iter().filter(|check| of(check, cause));
        let titles: Vec<&str> = checks.filter_map(|check| Some(checks::about(check)?.title)).collect();
        let label = if titles.is_empty() { "Cause".to_owned() } else { titles.join("; ") };
        match all.iter_mut().find(|(known, _)| *known == label) {
            Some((_, facts)) => facts.push(cause.clone()),
            None => all.push((label, vec![cause.clone()])),
        }
    }
    all
}

fn explained(asked: Asked<'_>, row: &Row, decided: Option<Fact>) -> anyhow::Result<Answer> {
    let body = Body::of(row)?;
    let number = format!("S-{}", row.number);
    let (headline, causes) =
        body.proposal.facts.split_first().map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
    // Of a finding with several causes only what this one repair mends.
    let causes = if body.proposal.why.is_empty() { causes } else { &body.proposal.why };
    let mut opening = vec![titled(row, body.proposal.evidence())];
    opening.extend(decided);
    opening.extend(headline.cloned());
    opening.extend(rationale(row));
    opening.push(cure(&body));
    let causes = match body.proposal.checks.as_slice() {
        [_, _, ..] => Part::Rows(by_requirement(asked, &body, causes)),
        _ => Part::List { ordered: false, items: causes.iter().map(|fact| (fact.clone(), Vec::new())).collect() },
    };
    let mut answer = Answer::sentences(opening).plain().part(causes);
    answer = answer.part(Part::Rows(particulars(row, &body)));
    let limits = asked.not_checked(&body.proposal.not_checked).into_iter().chain([asked.read_at()]);
    Ok(answer
        .part(Part::Limits(limits.collect()))
        .action(open("Open", &number))
        .action(ask("Who would it affect?", format!("who would {number} block?")))
        .action(ask("Rollout", format!("when can {number} leave report-only?"))))
}

/// Why it matters: what leaving it means.
fn rationale(row: &Row) -> Option<Fact> {
    let about = checks::about(&row.check_id)?;
    Some(said("explain.rationale").with("why", Term::Word(about.rationale.to_owned())))
}

/// What would remove it.
fn cure(body: &Body) -> Fact {
    match &body.proposal.action {
        CureAction::Draft(draft) => said("explain.draft").with("policy", Term::Name(draft.display_name.clone())),
        CureAction::HandOver(change) => said("explain.hand_over")
            .with("kind", Term::Word(change.target_kind.to_lowercase()))
            .with("target", Term::Name(change.target_name.clone())),
    }
}

fn particulars(row: &Row, body: &Body) -> Vec<(String, Vec<Fact>)> {
    let mut rows = vec![(
        "Severity".to_owned(),
        vec![
            said("explain.severity")
                .with("severity", Term::Word(severity_word(body.proposal.severity).to_owned()))
                .with("since", row.created),
        ],
    )];
    if let Some(about) = checks::about(&row.check_id) {
        let words = |key: &str, words: String| vec![said(key).with("words", Term::Word(words))];
        rows.push(("Check".into(), words("explain.words", format!("{} ({})", about.title, about.id))));
        if !about.references.is_empty() {
            rows.push(("References".into(), words("explain.words", about.references.join(", "))));
        }
        rows.push(("Licence".into(), words("explain.words", about.licence.to_owned())));
    }
    let (whole, part) = body.proposal.settles();
    let others = whole.into_iter().filter(|check| *check != row.check_id).collect();
    rows.extend(
        [("Also settles", others), ("Part of", part)].into_iter().filter_map(|(label, checks)| titles(label, checks)),
    );
    rows
}

/// Checks by their titles; none where there are none.
fn titles(label: &str, checks: Vec<&str>) -> Option<(String, Vec<Fact>)> {
    let found = checks.into_iter().filter_map(checks::about);
    let titles: Vec<&str> = found.map(|about| about.title).collect();
    let fact = || said("explain.words").with("words", Term::Word(titles.join("; ")));
    (!titles.is_empty()).then(|| (label.to_owned(), vec![fact()]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::App;
    use crate::bot::answers::testing::{Question, answered, judged, nordwerk, words};
    use crate::bot::intent::Intent;
    use crate::log::{Actor, NewEntry};

    async fn ask(app: &App, intent: Intent, text: &str) -> String {
        words(&answered(app, &nordwerk(), Question { text, intent, previous: None }).await.1.card)
    }

    /// S-1, dismissed by this person.
    async fn dismissed(id: &str, name: &str) -> App {
        let app = judged().await;
        let row = app.store.suggestion(app.tenant(), 1).await.unwrap().unwrap();
        let row = Row { state: state::DISMISSED.into(), reason: Some("accepted risk".into()), ..row };
        let mut tx = app.store.begin().await.unwrap();
        tx.change_suggestion(&row).await.unwrap();
        tx.commit().await.unwrap();
        let entry = NewEntry {
            tenant: app.tenant().to_owned(),
            at: app.clock.now(),
            actor: Actor::person(id, name),
            action: Action::SuggestionDismissed,
            subject: "S-1".into(),
            body: json!({}),
            evidence: Vec::new(),
        };
        app.store.append(entry).await.unwrap();
        app
    }

    #[tokio::test]
    async fn who_decided_and_why_is_told() {
        let app = dismissed("u-mara", "Mara Linde").await;
        let said = ask(&app, Intent::ExplainSuggestion, "why did you dismiss S-1?").await;
        assert!(said.contains("Mara Linde dismissed it on Tue 24 Nov 08:00: accepted risk."), "{said}");
        let said = ask(&app, Intent::ListSuggestions, "what did i dismiss and why").await;
        assert!(said.starts_with("None of your doing; 1 by others."), "{said}");
        let said = ask(&app, Intent::Undo, "undo what you just did").await;
        assert!(said.contains("1 thing can be taken back. Which one?") && !said.contains("(Reopen)"), "{said}");
        let app = dismissed("u-dana", "Dana Admin").await;
        let said = ask(&app, Intent::ListSuggestions, "what did i dismiss and why").await;
        assert!(said.starts_with("1 of your doing.") && said.contains("accepted risk"), "{said}");
    }

    #[tokio::test]
    async fn causes_stand_under_their_requirements_once() {
        let app = judged().await;
        let all = app.store.suggestions(app.tenant()).await.unwrap();
        let several = |row: &&Row| Body::of(row).unwrap().proposal.checks.len() > 1;
        let row = all.iter().find(several).unwrap();
        let title = checks::about(&Body::of(row).unwrap().proposal.checks[0]).unwrap().title;
        let said = ask(&app, Intent::ExplainSuggestion, &format!("why S-{}?", row.number)).await;
        let line = said.lines().find(|line| line.starts_with(title)).unwrap_or_default();
        assert!(line.contains(": "), "{said}");
        let causes: Vec<&str> =
            said.lines().filter(|line| line.contains("excluded from") && !line.starts_with('[')).collect();
        let distinct: std::collections::BTreeSet<&&str> = causes.iter().collect();
        assert_eq!(causes.len(), distinct.len(), "{said}");
    }
}
