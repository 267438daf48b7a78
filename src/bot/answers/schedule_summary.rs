//! "Post the summary on weekdays at 8 and 16": a button that keeps it for this conversation; what can't be kept is said.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::civil::Time;
use regex::{Captures, Regex};

use crate::bot::access::Right;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::buttons::press;
use crate::bot::post::conversation_id;
use crate::bot::recurrence::Recurrence;
use crate::chat::card::{Kind, Verb};
use crate::facts::{Fact, Term};

use super::meant::said;
use super::{Answering, Asked};

/// A time of day: `08:30`, `8.30`, `8 am`, `4:15 pm`, `10 o'clock`.
static CLOCK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm|a\.m\.|p\.m\.|o'?clock|h\b)?").ok());
const OFF: &[&str] =
    &["off", "stop", "pause", "unsubscribe", "no more", "cancel", "mute", "silence", "don't send", "do not send"];
/// Days as people write them, with their positions in the week; a name also counts with an `s`.
const DAYS: &[(&[&str], &[usize])] = &[
    (&["monday", "mon", "montag"], &[0]),
    (&["tuesday", "tue", "tues", "dienstag"], &[1]),
    (&["wednesday", "wed", "mittwoch"], &[2]),
    (&["thursday", "thu", "thur", "thurs", "donnerstag"], &[3]),
    (&["friday", "fri", "freitag"], &[4]),
    (&["saturday", "sat", "samstag"], &[5]),
    (&["sunday", "sun", "sonntag"], &[6]),
    (&["weekday", "workday", "werktag", "werktags", "business day", "working day"], &[0, 1, 2, 3, 4]),
    (&["weekend"], &[5, 6]),
];
/// What joins two days to a range, and what joins two times to a list.
const UNTIL: &[&str] = &["-", "–", "to", "through", "thru", "bis"];
const AND: &[&str] = &["and", ",", ", and", "&", "+", "und"];
/// Words of schedules that aren't days of the week.
const OTHER: &[&str] = &["month", "monthly", "hourly", "hour", "biweekly", "channel", "email", "e-mail"];
/// Zones by their abbreviation: the configured one holds.
const ZONES: &[&str] = &["utc", "gmt", "cet", "cest", "est", "edt", "pst", "pdt", "aest", "ist", "jst", "bst"];

/// What was asked for.
#[derive(Debug, PartialEq)]
enum Wish {
    At(Recurrence),
    Off,
    None,
}

/// Offers to keep the time, and says when the summary comes at present.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let kept = asked.app.store.conversation(&conversation_id(asked.conversation)).await?;
        let mut facts = vec![match kept.and_then(|kept| kept.summary) {
            Some(time) => {
                let when = time.at.parse().map_or(time.at, |kept: Recurrence| kept.words());
                said("schedule.now").with("when", Term::Word(when)).with("zone", Term::Word(time.zone))
            }
            None => said("schedule.none"),
        }];
        facts.extend(not_kept(asked.text));
        let (fact, button) = match wish(asked.text) {
            Wish::At(wanted) => {
                let zone = asked.app.config.schedule.zone.iana_name().unwrap_or("UTC").to_owned();
                let fact =
                    said("schedule.offer").with("when", Term::Word(wanted.words())).with("zone", Term::Word(zone));
                (fact, Some(press(&label(&wanted.words()), Verb::KeepSchedule, &wanted.to_string(), 0)))
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

/// The words as a button has them.
fn label(words: &str) -> String {
    let mut letters = words.strip_prefix("on ").unwrap_or(words).chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn wish(text: &str) -> Wish {
    let lower = text.to_lowercase();
    match Recurrence::new(days(&lower), times(&lower)) {
        Some(recurrence) => Wish::At(recurrence),
        None if OFF.iter().any(|word| lower.contains(word)) => Wish::Off,
        None => Wish::None,
    }
}

/// The days that are named, ranges included; none named means every day.
fn days(text: &str) -> BTreeSet<usize> {
    let mut found: Vec<(usize, usize, &[usize])> = Vec::new();
    for (names, days) in DAYS {
        for name in *names {
            for (at, _) in text.match_indices(name) {
                let (before, after) =
                    (text.get(..at).unwrap_or_default(), text.get(at + name.len()..).unwrap_or_default());
                let whole = !before.ends_with(char::is_alphabetic)
                    && !after.strip_prefix('s').unwrap_or(after).starts_with(char::is_alphabetic);
                if whole {
                    found.push((at, at + name.len(), days));
                }
            }
        }
    }
    found.sort_by_key(|(from, to, _)| (*from, std::cmp::Reverse(*to)));
    found.dedup_by_key(|(from, ..)| *from);
    let mut days: BTreeSet<usize> = found.iter().flat_map(|(.., days)| days.iter().copied()).collect();
    for ((_, end, from), (start, _, to)) in found.iter().zip(found.iter().skip(1)) {
        let between = text.get(*end..*start).unwrap_or_default().trim_start_matches('s').trim();
        if let ([from], [to], true) = (from, to, UNTIL.contains(&between)) {
            days.extend(*from..=*to);
        }
    }
    days
}

/// Numbers that can only be times: with minutes, with am or pm, after "at", or joined to one that is.
fn times(text: &str) -> BTreeSet<Time> {
    let Some(clock) = CLOCK.as_ref() else { return BTreeSet::new() };
    let mut times = BTreeSet::new();
    let mut end_of_last = None;
    for found in clock.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        let before = text.get(..whole.start()).unwrap_or_default().trim_end();
        let joined = end_of_last
            .and_then(|end| text.get(end..whole.start()))
            .is_some_and(|between: &str| AND.contains(&between.trim()));
        let told = found.get(2).is_some() || found.get(3).is_some();
        let after_at = before == "at" || before.ends_with(" at") || before.ends_with(" um") || before.ends_with('@');
        if let (true, Some(time)) = (told || after_at || joined, time(&found)) {
            times.insert(time);
            end_of_last = Some(whole.end());
        }
    }
    times
}

fn time(found: &Captures<'_>) -> Option<Time> {
    let hour: i8 = found.get(1)?.as_str().parse().ok()?;
    let hour = match found.get(3).map(|half| half.as_str()) {
        Some("pm" | "p.m.") if hour < 12 => hour + 12,
        Some("am" | "a.m.") if hour == 12 => 0,
        _ => hour,
    };
    Time::new(hour, found.get(2).map_or(Ok(0), |minutes| minutes.as_str().parse()).ok()?, 0, 0).ok()
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
            Wish::At(wanted) => wanted.words(),
            other => format!("{other:?}"),
        };
        assert_eq!(at("post the summary every weekday at 8:30"), "on weekdays at 08:30");
        assert_eq!(at("daily at 4 pm please"), "every day at 16:00");
        assert_eq!(at("summary on Mondays 08:00"), "on Mondays at 08:00");
        assert_eq!(at("weekdays at 8 and 16"), "on weekdays at 08:00 and 16:00");
        assert_eq!(
            at("mon-thu at 7, 12 and 17:30"),
            "on Mondays, Tuesdays, Wednesdays and Thursdays at 07:00, 12:00 and 17:30"
        );
        assert_eq!(at("Monday to Friday, 8am"), "on weekdays at 08:00");
        assert_eq!(at("each first Monday of month, at 10 o'clock"), "on Mondays at 10:00");
        assert_eq!(at("subscribe me: tue+thu 16:00"), "on Tuesdays and Thursdays at 16:00");
        assert_eq!(at("pause the reports over Christmas, 22 Dec to 6 Jan"), "Off");
        assert_eq!(at("stop sending the summary"), "Off");
        assert_eq!(at("when do you post the summary?"), "None");
    }

    #[test]
    fn what_cannot_be_kept_is_named() {
        let words = |text| not_kept(text).and_then(|fact| fact.terms.get("words").cloned());
        assert_eq!(words("tue+thu 16:00"), None);
        assert_eq!(words("each first Monday of the month, at 10"), Some(Term::Word("month".into())));
        assert_eq!(words("at 06:45 AEST"), Some(Term::Word("aest".into())));
        assert_eq!(words("daily at 8:30"), None);
    }
}
