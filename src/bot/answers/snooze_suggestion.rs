//! "Snooze S-4 until 1 December": a card whose button puts the suggestion off; the day or the length is offered as it was
//! said.

use jiff::{Timestamp, Zoned};

use crate::bot::answer::Part;
use crate::bot::approve::Case;
use crate::bot::buttons::press;
use crate::bot::intent::SlotName;
use crate::bot::press::{LONGEST, in_days};
use crate::chat::card::{Action, Input, Verb};
use crate::facts::Term;

use super::meant::{said, suggestion};
use super::period::{end, length};
use super::{Answering, Asked, decide};

/// Until when, as a person said it.
enum Until {
    /// Nothing was said of it.
    Open,
    /// So many days.
    Days(i64),
    /// A day of the calendar.
    Day(Zoned),
    /// Words that name no day, or one that is over or too far away.
    Unclear(String),
}

/// Offers to put the suggestion off.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let until = until(asked);
        let again = |number: &str| match asked.slot(SlotName::Duration) {
            Some(words) => format!("snooze {number} until {words}"),
            None => format!("snooze {number}"),
        };
        let row = match suggestion(asked).await?.unclear(again) {
            Ok(row) => row,
            Err(question) => return Ok(question),
        };
        let button = |case: &Case| decide::is_open(case).then(|| offer(asked, case, &until));
        let words = said("snooze.offer").with("until", Term::Word(until.day(asked)));
        let answer = decide::card(asked, &row, words, button).await?;
        Ok(match until {
            Until::Unclear(words) => {
                answer.part(Part::Warning(vec![said("snooze.unclear").with("words", Term::Name(words))]))
            }
            _ => answer,
        })
    })
}

/// What the question says of the end: the last time that it names, for "from today until Monday" ends on Monday.
fn until(asked: Asked<'_>) -> Until {
    let said = asked.routed.slots.get(&SlotName::Duration).map(Vec::as_slice).unwrap_or_default();
    let Some(words) = said.last() else { return Until::Open };
    if let Some(days) = length(&words.to_lowercase()).filter(|days| (1..=LONGEST).contains(days)) {
        return Until::Days(days);
    }
    let zone = &asked.app.config.schedule.zone;
    let latest = in_days(asked.now, Some(&LONGEST.to_string()));
    let named = end(words, asked.now, zone).filter(|end| asked.now < *end && *end <= latest);
    named.map_or_else(|| Until::Unclear(words.clone()), |end| Until::Day(end.to_zoned(zone.clone())))
}

impl Until {
    /// The day in words, with its year; empty where none was said.
    fn day(&self, asked: Asked<'_>) -> String {
        match self {
            Self::Day(day) => written(day),
            Self::Days(days) => after(asked, *days),
            Self::Open | Self::Unclear(_) => String::new(),
        }
    }

    /// As the button carries it, and its words.
    fn choice(&self, asked: Asked<'_>) -> Option<(String, String)> {
        match self {
            Self::Day(day) => Some((day.date().to_string(), format!("until {}", written(day)))),
            Self::Days(days) => Some((days.to_string(), length_words(asked, *days))),
            Self::Open | Self::Unclear(_) => None,
        }
    }
}

fn length_words(asked: Asked<'_>, days: i64) -> String {
    let length = if days == 1 { "for a day".to_owned() } else { format!("for {days} days") };
    format!("{length}, until {}", after(asked, days))
}

/// The day that lies so many days ahead.
fn after(asked: Asked<'_>, days: i64) -> String {
    let end: Timestamp = in_days(asked.now, Some(&days.to_string()));
    written(&end.to_zoned(asked.app.config.schedule.zone.clone()))
}

fn written(day: &Zoned) -> String {
    day.strftime("%a %-d %b %Y").to_string()
}

/// The usual button; each length with the day on which it ends, and first what was asked for.
fn offer(asked: Asked<'_>, case: &Case, until: &Until) -> Action {
    let mut action = press("Snooze…", Verb::Snooze, &case.kept.id, case.kept.state.decided);
    if let Action::Press { input: Some(Input::Day { choices, .. }), .. } = &mut action {
        for (value, words) in choices.iter_mut() {
            *words = value.parse().map_or_else(|_| words.clone(), |days| length_words(asked, days));
        }
        if let Some(first) = until.choice(asked) {
            choices.retain(|(value, _)| *value != first.0);
            choices.insert(0, first);
        }
    }
    action
}
