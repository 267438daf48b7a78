//! "Undo what you created for S-4": a card whose button removes an untouched policy of the bot's own, or reopens.

use std::collections::BTreeSet;

use crate::approval::State;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::approve::{Case, live_case};
use crate::bot::buttons::press;
use crate::bot::intent::SlotName;
use crate::bot::reconcile::state;
use crate::chat::card::{Kind, Verb};
use crate::checks::rows;
use crate::facts::{Evidence, Fact, Term};
use crate::log::Action;
use crate::store::entries::Wanted;
use crate::store::suggestions::Row;

use super::meant::{numbers, said, titled};
use super::named::Back;
use super::{Answering, Asked, decide, named, propose_change};

/// How many entries of the log are looked at for the asker's own decisions.
const ENTRIES: i64 = 500;

/// Offers to take back what the bot did about the suggestion that is named, or lists what can be taken back.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let rows = asked.app.store.suggestions(asked.app.tenant()).await?;
        if let (Some(name), true) = (asked.slot(SlotName::Policy), numbers(asked.text).is_empty()) {
            return Ok(of_policy(asked, name).unwrap_or_else(|back| *back));
        }
        let named = match numbers(asked.text) {
            named if named.is_empty() => numbers(asked.subject().unwrap_or_default()),
            named => named,
        };
        let undoable = |row: &&Row| [state::CREATED, state::DISMISSED, state::SNOOZED].contains(&row.state.as_str());
        let meant = |row: &&Row| named.is_empty() || named.contains(&row.number);
        let (mut fitting, others): (Vec<&Row>, Vec<&Row>) = rows.iter().filter(meant).partition(undoable);
        fitting.sort_by_key(|row| std::cmp::Reverse(row.changed));
        // Without a number only what the asker decided is offered right away: others' decisions are named first.
        if named.is_empty() && !fitting.is_empty() {
            let own = own(asked).await?;
            if fitting.iter().all(|row| !own.contains(&row.number)) {
                return Ok(choice(&fitting));
            }
            fitting.retain(|row| own.contains(&row.number));
        }
        match (fitting.as_slice(), others.as_slice()) {
            ([], [row, ..]) if !named.is_empty() => {
                not_done(asked, row, &rows.iter().filter(undoable).collect::<Vec<_>>()).await
            }
            ([], _) => Ok(Answer::sentences(vec![said("undo.nothing")])
                .action(ask("What did you do?", "what did you do this week?"))),
            ([row], _) if row.state == state::CREATED => decide::card(asked, row, said("undo.created"), offer).await,
            ([row], _) => decide::card(asked, row, said("undo.reopen"), offer).await,
            (rows, _) => Ok(choice(rows)),
        }
    })
}

/// Numbers of the suggestions about which the asker decided something.
async fn own(asked: Asked<'_>) -> anyhow::Result<BTreeSet<i64>> {
    const DECISIONS: [Action; 3] = [Action::SuggestionDismissed, Action::SuggestionSnoozed, Action::ApprovalGranted];
    let wanted = Wanted { limit: ENTRIES, ..Wanted::default() };
    let entries = asked.app.store.entries(asked.app.tenant(), &wanted).await?;
    let own = entries.iter().filter(|one| one.actor.id == asked.person.id && DECISIONS.contains(&one.action));
    Ok(own.flat_map(|one| numbers(&one.subject)).collect())
}

/// A policy of the tenant is a person's to take back; one that I made is taken back by its suggestion's number.
fn of_policy(asked: Asked<'_>, name: &str) -> Result<Answer, Back> {
    let policy = named::policy(asked, name)?;
    let fact = Fact::new("undo.policy", asked.analysis.evidence([rows::policy(policy)]))
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("state", Term::Word(rows::state_word(policy.state).to_owned()))
        .must_show();
    let name = &policy.display_name;
    Ok(Answer::sentences(vec![fact])
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Who changed it?", format!("who changed {name}?")))
        .action(ask("What would be lost?", format!("what would happen if {name} was removed?")))
        .action(ask("Undo what you did", "undo what you created")))
}

/// Nobody has decided anything about it yet: a card that offers to snooze it has snoozed nothing.
async fn not_done(asked: Asked<'_>, row: &Row, others: &[&Row]) -> anyhow::Result<Answer> {
    let case = live_case(asked.app, row).await?;
    let approved = case.is_some_and(|case| !matches!(&case.state, State::Open { granted, .. } if granted.is_empty()));
    if row.state != state::OPEN || approved {
        return propose_change::card(asked, row).await;
    }
    let number = format!("S-{}", row.number);
    let open = ask("Open", format!("propose {number}"));
    let fact = said("undo.not_done").with("number", Term::Word(number)).with("title", Term::Name(row.title.clone()));
    let answer = Answer::sentences(vec![fact]).action(open);
    Ok(if others.is_empty() { answer } else { answer.part(said_which(others)).part(listed(others)) })
}

fn offer(case: &Case) -> Option<crate::chat::card::Action> {
    let (id, version) = (case.kept.id.as_str(), case.kept.state.decided);
    match &case.state {
        State::Created(made) if made.record.is_none() => Some(press("Undo", Verb::Undo, id, version)),
        State::Dismissed { .. } | State::Snoozed { .. } => Some(press("Reopen", Verb::Reopen, id, version)),
        _ => None,
    }
}

fn choice(rows: &[&Row]) -> Answer {
    Answer { kind: Kind::Question, ..Answer::default() }.part(said_which(rows)).part(listed(rows))
}

fn said_which(rows: &[&Row]) -> Part {
    Part::Sentences(vec![said("undo.which").with("count", rows.len())])
}

fn listed(rows: &[&Row]) -> Part {
    let item = |row: &&Row| (titled(row, Evidence::default()), vec![ask("Undo", format!("undo S-{}", row.number))]);
    Part::List { ordered: false, items: rows.iter().take(8).map(item).collect() }
}
