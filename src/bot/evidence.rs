//! A citation opened in a chat that has no pages: the statement, and the very rows that it rests on, as tables. A list
//! opened there: its first lines, and all of them to take away.

use crate::app::App;
use crate::chat::card::Kind;
use crate::chat::rows::{RowTable, tables};
use crate::facts::{Evidence, Fact, Term};

use super::answer::{Answer, Part, column};
use super::hear::refused;
use super::sheet::Sheet;

/// So many rows of a kind are shown: a message holds 28 KB, and what was not checked has to fit in as well.
const SHOWN: usize = 15;

/// The rows behind a citation, or the lines of a list, by the id that its card carries.
///
/// # Errors
/// When the store fails, or holds something that is neither.
pub async fn answer(app: &App, id: &str) -> anyhow::Result<Answer> {
    let Some(body) = app.store.evidence(app.tenant(), id).await? else {
        return Ok(refused("refused.no_such_evidence"));
    };
    match Sheet::of(&body) {
        Some(sheet) => Ok(listed(sheet)),
        None => Ok(opened(app, serde_json::from_value(body)?)),
    }
}

fn listed(sheet: Sheet) -> Answer {
    let rows: Vec<_> = sheet.rows.iter().take(SHOWN).cloned().collect();
    let more = sheet.total.saturating_sub(rows.len()) as u64;
    let columns = sheet.columns.iter().map(|title| column(title)).collect();
    let answer = Answer { title: sheet.title.clone(), ..Answer::default() };
    answer.part(Part::Table { columns, rows, more }).sheet(sheet)
}

fn opened(app: &App, fact: Fact) -> Answer {
    let evidence = fact.evidence.clone();
    // Without its rows it cites nothing: they stand below.
    let statement = Fact { evidence: Evidence::default(), ..fact }.must_show();
    let answer = Answer { kind: Kind::Answer, ..Answer::default() }.part(Part::Sentences(vec![statement]));
    let mut listed = 0;
    let shown = tables(&evidence.rows, &app.config.schedule.zone).into_iter();
    let answer = shown.fold(answer, |answer, RowTable { title, columns, mut rows }| {
        let more = rows.len().saturating_sub(SHOWN) as u64;
        rows.truncate(SHOWN);
        listed += rows.len() as u64;
        answer.part(Part::Heading(title.to_owned())).part(Part::Table { columns, rows, more })
    });
    answer.part(Part::Limits(limits(&evidence, listed)))
}

/// How many rows there are and are listed, from which window and reading, and what was not checked.
fn limits(evidence: &Evidence, shown: u64) -> Vec<Fact> {
    let fact = |key: &str| Fact::new(key, Evidence::default()).must_show();
    let rows = fact("evidence.rows")
        .with("more", evidence.total.saturating_sub(shown))
        .with("shown", shown)
        .with("total", evidence.total);
    let window = evidence.window.map(|(from, to)| fact("common.window").with("from", from).with("to", to));
    let hash = evidence.snapshot.chars().take(12).collect();
    let read = evidence.of_a_reading().map(|at| fact("evidence.reading").with("at", at).with("hash", Term::Word(hash)));
    let not_checked = (!evidence.not_checked.is_empty())
        .then(|| fact("common.limits").with("what", Term::Names(evidence.not_checked.clone())));
    [rows].into_iter().chain(window).chain(read).chain(not_checked).collect()
}
