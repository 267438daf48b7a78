//! "Undo what you created for S-4": a card whose button removes an untouched policy of the bot's own, or reopens.

use crate::approval::State;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::approve::Case;
use crate::bot::buttons::press;
use crate::bot::reconcile::state;
use crate::chat::card::{Kind, Verb};
use crate::facts::Evidence;
use crate::store::suggestions::Row;

use super::meant::{numbers, said, titled};
use super::{Answering, Asked, decide};

/// Offers to take back what the bot did about the suggestion that is named, or lists what can be taken back.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let rows = asked.app.store.suggestions(asked.app.tenant()).await?;
        let named = match numbers(asked.text) {
            named if named.is_empty() => numbers(asked.subject().unwrap_or_default()),
            named => named,
        };
        let undoable = |row: &Row| [state::CREATED, state::DISMISSED, state::SNOOZED].contains(&row.state.as_str());
        let mut fitting: Vec<&Row> = match named.as_slice() {
            [] => rows.iter().filter(|row| undoable(row)).collect(),
            named => rows.iter().filter(|row| named.contains(&row.number)).collect(),
        };
        fitting.sort_by_key(|row| std::cmp::Reverse(row.changed));
        match fitting.as_slice() {
            [] => Ok(Answer::sentences(vec![said("undo.nothing")])
                .action(ask("What did you do?", "what did you do this week?"))),
            [row] if row.state == state::CREATED => decide::card(asked, row, "undo.created", offer).await,
            [row] => decide::card(asked, row, "undo.reopen", offer).await,
            rows => Ok(choice(rows)),
        }
    })
}

fn offer(case: &Case) -> Option<crate::chat::card::Action> {
    let (id, version) = (case.kept.id.as_str(), case.kept.version);
    match &case.state {
        State::Created(made) if made.record.is_none() => Some(press("Undo", Verb::Undo, id, version)),
        State::Dismissed { .. } | State::Snoozed { .. } => Some(press("Reopen", Verb::Reopen, id, version)),
        _ => None,
    }
}

fn choice(rows: &[&Row]) -> Answer {
    let item = |row: &&Row| (titled(row, Evidence::default()), vec![ask("Undo", format!("undo S-{}", row.number))]);
    Answer { kind: Kind::Question, ..Answer::default() }
        .part(Part::Sentences(vec![said("undo.which").with("count", rows.len())]))
        .part(Part::List { ordered: false, items: rows.iter().take(8).map(item).collect() })
}
