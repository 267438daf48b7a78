//! "Why S-4?": the reasoning, the evidence, the severity, where it comes from, and the danger of leaving it.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::buttons::open;
use crate::bot::reconcile::Body;
use crate::checks::{self, CureAction};
use crate::facts::{Fact, Term};
use crate::store::suggestions::Row;

use super::list_suggestions::severity_word;
use super::meant::{said, suggestion, titled};
use super::{Answering, Asked};

/// Explains the suggestion that is meant.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        match suggestion(asked).await?.unclear(|number| format!("why {number}?")) {
            Ok(row) => explained(asked, &row),
            Err(question) => Ok(question),
        }
    })
}

fn explained(asked: Asked<'_>, row: &Row) -> anyhow::Result<Answer> {
    let body = Body::of(row)?;
    let number = format!("S-{}", row.number);
    let (headline, causes) =
        body.proposal.facts.split_first().map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
    // Of a finding with several causes only what this one repair mends.
    let causes = if body.proposal.why.is_empty() { causes } else { &body.proposal.why };
    let mut opening = vec![titled(row, headline.map(|fact| fact.evidence.clone()).unwrap_or_default())];
    opening.extend(headline.cloned());
    opening.extend(rationale(row));
    opening.push(cure(&body));
    let items = causes.iter().map(|fact| (fact.clone(), Vec::new())).collect();
    let mut answer = Answer::sentences(opening).part(Part::List { ordered: false, items });
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
