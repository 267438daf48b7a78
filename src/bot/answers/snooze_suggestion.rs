//! "Snooze S-4 for two weeks": a card whose button puts the suggestion off; the length is offered as it was said.

use crate::bot::buttons::press;
use crate::chat::card::{Action, Input, Verb};

use super::meant::suggestion;
use super::period::{end, length};
use super::{Answering, Asked, decide};
use crate::checks::accounts::days_between;

/// Offers to put the suggestion off.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let days = days(asked);
        match suggestion(asked).await?.unclear(|number| format!("snooze {number}")) {
            Ok(row) => {
                let button = |case: &crate::bot::approve::Case| {
                    decide::is_open(case).then(|| offer(&case.kept.id, case.kept.version, days))
                };
                decide::card(asked, &row, "snooze.offer", button).await
            }
            Err(question) => Ok(question),
        }
    })
}

/// For how many days, as the question says: a length, or until a date.
fn days(asked: Asked<'_>) -> Option<i64> {
    let zone = &asked.app.config.schedule.zone;
    let until = || Some(days_between(asked.now, end(asked.text, asked.now, zone)?) + 1);
    length(&asked.text.to_lowercase()).or_else(until).filter(|days| (1..=365).contains(days))
}

/// The usual button with the length that was asked for as its first choice.
fn offer(id: &str, version: i64, days: Option<i64>) -> Action {
    let mut action = press("Snooze…", Verb::Snooze, id, version);
    if let (Action::Press { input: Some(Input::Choice { choices, .. }), .. }, Some(days)) = (&mut action, days) {
        choices.retain(|(value, _)| *value != days.to_string());
        choices.insert(0, (days.to_string(), if days == 1 { "tomorrow".into() } else { format!("for {days} days") }));
    }
    action
}
