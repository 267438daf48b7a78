//! "Post the summary at 8:30": a button that keeps the time for this conversation; what can't be kept is said.

use std::sync::LazyLock;

use jiff::civil::Time;
use regex::Regex;

use crate::bot::access::Right;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::buttons::press;
use crate::bot::post::conversation_id;
use crate::chat::card::{Kind, Verb};
use crate::facts::{Fact, Term};

use super::meant::said;
use super::{Answering, Asked};

/// A time of day: `08:30`, `8.30`, `8 am`, `4:15 pm`, `10 o'clock`.
static CLOCK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm|a\.m\.|p\.m\.|o'?clock|h\b)?").ok());
const OFF: &[&str] =
    &["off", "stop", "pause", "unsubscribe", "no more", "cancel", "mute", "silence", "don't send", "do not send"];
/// Words of schedules that aren't every day at one time.
const OTHER: &[&str] = &[
    "weekday",
    "weekend",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "weekly",
    "month",
    "week",
    "hourly",
    "twice",
    "channel",
    "email",
    "e-mail",
];
/// Zones by their abbreviation: the configured one holds.
const ZONES: &[&str] = &["utc", "gmt", "cet", "cest", "est", "edt", "pst", "pdt", "aest", "ist", "jst", "bst"];

/// What was asked for.
#[derive(Debug, PartialEq)]
enum Wish {
    At(Time),
    Off,
    None,
}

/// Offers to keep the time, and says when the summary comes at present.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let kept = asked.app.store.conversation(&conversation_id(asked.conversation)).await?;
        let mut facts = vec![match kept.and_then(|kept| kept.summary) {
            Some(time) => said("schedule.now").with("at", Term::Word(time.at)).with("zone", Term::Word(time.zone)),
            None => said("schedule.none"),
        }];
        facts.extend(not_kept(asked.text));
        let (fact, button) = match wish(asked.text) {
            Wish::At(time) => {
                let at = time.strftime("%H:%M").to_string();
                let zone = asked.app.config.schedule.zone.iana_name().unwrap_or("UTC").to_owned();
                let fact = said("schedule.offer").with("at", Term::Word(at.clone())).with("zone", Term::Word(zone));
                (fact, Some(press(&format!("Every day at {at}"), Verb::KeepSchedule, &at, 0)))
            }
            Wish::Off => {
                (said("schedule.offer_off"), Some(press("No more summaries here", Verb::KeepSchedule, "off", 0)))
            }
            Wish::None => (said("schedule.form"), None),
        };
        facts.push(fact);
        let answer = Answer { kind: Kind::Question, ..Answer::default() }.part(Part::Sentences(facts));
        Ok(match (asked.right, button) {
            (_, None) => answer.action(ask("The summary now", "how do we look today?")),
            (Right::Decide, Some(button)) => answer.action(button),
            (_, Some(_)) => answer.part(Part::Warning(vec![said("schedule.no_right")])),
        })
    })
}

fn wish(text: &str) -> Wish {
    let lower = text.to_lowercase();
    match time(&lower) {
        Some(time) => Wish::At(time),
        None if OFF.iter().any(|word| lower.contains(word)) => Wish::Off,
        None => Wish::None,
    }
}

/// The first number that can only be a time: with minutes, with am or pm, or after "at".
fn time(text: &str) -> Option<Time> {
    let clock = CLOCK.as_ref()?;
    clock.captures_iter(text).find_map(|found| {
        let whole = found.get(0)?;
        let half = found.get(3).map(|half| half.as_str().to_lowercase());
        let minutes = found.get(2).map(|minutes| minutes.as_str());
        let after_at =
            text.get(..whole.start()).is_some_and(|before| before.trim_end().ends_with(" at") || before.trim() == "at");
        if minutes.is_none() && half.is_none() && !after_at {
            return None;
        }
        let hour: i8 = found.get(1)?.as_str().parse().ok()?;
        let hour = match half.as_deref() {
            Some("pm" | "p.m.") if hour < 12 => hour + 12,
            Some("am" | "a.m.") if hour == 12 => 0,
            _ => hour,
        };
        Time::new(hour, minutes.map_or(Ok(0), str::parse).ok()?, 0, 0).ok()
    })
}

/// What of the wish can't be kept yet.
fn not_kept(text: &str) -> Option<Fact> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    let said_word = |known: &&&str| words.iter().any(|word| word == *known || word.strip_suffix('s') == Some(known));
    let mut named: Vec<&str> = OTHER.iter().filter(said_word).copied().collect();
    named.extend(ZONES.iter().filter(said_word).copied());
    (!named.is_empty()).then(|| said("schedule.not_kept").with("words", Term::Word(named.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_as_people_write_them() {
        let at = |text| match wish(text) {
            Wish::At(time) => time.strftime("%H:%M").to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(at("post the summary every weekday at 8:30"), "08:30");
        assert_eq!(at("daily at 4 pm please"), "16:00");
        assert_eq!(at("each first Monday of month, at 10 o'clock"), "10:00");
        assert_eq!(at("subscribe me: tue+thu 16:00"), "16:00");
        assert_eq!(at("pause the reports over Christmas, 22 Dec to 6 Jan"), "Off");
        assert_eq!(at("stop sending the summary"), "Off");
        assert_eq!(at("when do you post the summary?"), "None");
    }

    #[test]
    fn what_cannot_be_kept_is_named() {
        let words = |text| not_kept(text).and_then(|fact| fact.terms.get("words").cloned());
        assert_eq!(words("tue+thu 16:00"), Some(Term::Word("tue, thu".into())));
        assert_eq!(words("at 06:45 AEST"), Some(Term::Word("aest".into())));
        assert_eq!(words("daily at 8:30"), None);
    }
}
