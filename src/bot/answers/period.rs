//! Spans and dates as people say them: "yesterday", "last week", "since Monday", "on 20 November", "until 1 March".

use std::sync::LazyLock;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};
use regex::{Captures, Regex};

use crate::bot::answer::{Answer, Part};
use crate::bot::intent::text::regex;
use crate::bot::intent::{Intent, SlotName};
use crate::chat::card::Kind;
use crate::facts::{Evidence, Fact, Term};

use super::{Asked, explain_sign_in};

/// What a log may lack at its beginning without a word: clocks change between the reading and the question.
const SLACK: jiff::SignedDuration = jiff::SignedDuration::from_hours(2);

/// An answer from the logs, with what they don't hold of the time that the question names, and with a time that can't be
/// read: neither is left out without a word.
pub(super) fn noted(asked: Asked<'_>, mut answer: Answer) -> Answer {
    let logged = matches!(asked.routed.intent, Intent::ExplainSignIn | Intent::SignInUsage | Intent::PolicyChanges);
    if !logged || answer.kind != Kind::Answer {
        return answer;
    }
    let (note, place) = match (explain_sign_in::span(asked), asked.analysis.snapshot().window) {
        (None, _) => (unclear(asked), 0),
        (Some((from, to)), Some((begin, end))) if to <= begin || end < from => {
            (Some(about("period.outside").with("from", begin).with("to", end)), 0)
        }
        (Some((from, _)), Some((begin, _))) if from.checked_add(SLACK).is_ok_and(|from| from < begin) => {
            (Some(about("period.cut").with("from", begin)), 1)
        }
        _ => (None, 0),
    };
    if let Some(note) = note {
        answer.parts.insert(place.min(answer.parts.len()), Part::Warning(vec![note]));
    }
    answer
}

fn about(key: &str) -> Fact {
    Fact::new(key, Evidence::default()).must_show()
}

/// A time that the question names and that nobody understands.
fn unclear(asked: Asked<'_>) -> Option<Fact> {
    let named = [SlotName::Period, SlotName::Since].into_iter().find_map(|name| asked.slot(name));
    named.map(|words| about("period.unclear").with("words", Term::Name(words.to_owned())))
}

/// A span no further back than the log goes.
pub(super) fn clipped(asked: Asked<'_>, (from, to): (Timestamp, Timestamp)) -> (Timestamp, Timestamp) {
    let begin = asked.analysis.snapshot().window.map_or(from, |(begin, _)| begin);
    (from.max(begin).min(to), to)
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[(&str, Weekday)] = &[
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// The span that a text names, from and to; none when it names none.
pub(super) fn span(text: &str, now: Timestamp, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let text = text.to_lowercase();
    let now = now.to_zoned(zone.clone());
    let today = now.date();
    let open = |from: Date| Some((start(from, zone)?, now.timestamp()));
    let days = |from: Date, to: Date| Some((start(from, zone)?, start(to, zone)?));
    let monday =
        if today.weekday() == Weekday::Monday { today } else { today.nth_weekday(-1, Weekday::Monday).ok()? };
    let has = |words: &str| text.contains(words);
    if let Some((from, to)) = dated(&text, today) {
        return Some((start(from, zone)?, to.map_or(Some(now.timestamp()), |to| start(to, zone))?));
    }
    if has("since yesterday") || has("last night") || has("overnight") {
        open(today.yesterday().ok()?)
    } else if has("yesterday") {
        days(today.yesterday().ok()?, today)
    } else if has("today") || has("this morning") {
        open(today)
    } else if has("weekend") {
        let saturday =
            if today.weekday() == Weekday::Saturday { today } else { today.nth_weekday(-1, Weekday::Saturday).ok()? };
        let (from, to) = days(saturday, saturday.checked_add(2.days()).ok()?)?;
        Some((from, to.min(now.timestamp())))
    } else if has("this week") {
        open(monday)
    } else if has("last week") {
        days(monday.checked_sub(7.days()).ok()?, monday)
    } else if has("this month") {
        open(today.first_of_month())
    } else if has("last month") {
        days(today.checked_sub(1.month()).ok()?.first_of_month(), today.first_of_month())
    } else if let Some(days) = length(&text) {
        Some((now.checked_sub(days.days()).ok()?.timestamp(), now.timestamp()))
    } else {
        weekday(&text, &now, zone)
    }
}

/// The span of the dates that a text names, with the day after its end; without one it goes on until now.
///
/// A day, "since" a day, "until" a day (of the year before it), one day to another, or a whole month.
fn dated(text: &str, today: Date) -> Option<(Date, Option<Date>)> {
    static DATE: LazyLock<Regex> = LazyLock::new(|| {
        let month = MONTHS_IN_FULL.join("|");
        let month = format!("(?:{month}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)");
        regex(&format!(
            r"\b(?P<year>20\d\d)-(?P<number>\d\d)-(?P<day>\d\d)(?:[^-\d]|$)|\b(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month2>{month})\b(?:,? (?P<year2>20\d\d))?|\b(?P<month3>{month}) (?P<day3>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year3>20\d\d))?|(?:^|[^\d.])(?P<day4>\d{{1,2}})\.(?P<number4>\d{{1,2}})\.(?P<year4>20\d\d)?(?:[^\d.]|$)|\b(?:in|during|since|of|from) (?P<month5>{month})\b(?: (?P<year5>20\d\d))?"
        ))
    });
    let mut found = DATE.captures_iter(text).filter_map(|one| Some((one.get(0)?.start(), said(&one, today)?)));
    let (at, (first, after)) = found.next()?;
    if let Some((_, (other, other_after))) = found.next() {
        return Some((first.min(other), Some(after.max(other_after))));
    }
    let before = text.get(..at).unwrap_or_default();
    if let Some(day) = first_day(before) {
        return Some((Date::new(first.year(), first.month(), day).ok().filter(|day| *day < first)?, Some(after)));
    }
    let month_since = text.get(at..).is_some_and(|rest| rest.starts_with("since ") || rest.starts_with("from "));
    let lead = before.trim_end().trim_end_matches(" the").rsplit(' ').next().unwrap_or_default();
    match lead {
        _ if month_since => Some((first, None)),
        "since" | "after" | "from" | "to" | "with" | "than" => Some((first, None)),
        "until" | "till" | "before" | "by" => Some((first.checked_sub(1.year()).ok()?, Some(first))),
        _ => Some((first, Some(after))),
    }
}

/// The day before a date of which the month stands with the second one alone: "between 1 and 3 November".
fn first_day(before: &str) -> Option<i8> {
    static DAY: LazyLock<Regex> =
        LazyLock::new(|| regex(r"\b(?P<day>\d{1,2})(?:st|nd|rd|th)? ?(?:and|to|until|-|\x{2013}) ?(?:the )?$"));
    DAY.captures(before)?.name("day")?.as_str().parse().ok()
}

/// A date that was said, and the day after it (after the month, where a month alone was said). One without a year is the
/// last that has begun.
fn said(found: &Captures<'_>, today: Date) -> Option<(Date, Date)> {
    let part = |names: &[&str]| names.iter().find_map(|name| found.name(name)).map(|part| part.as_str());
    let year: Option<i16> = part(&["year", "year2", "year3", "year4", "year5"]).and_then(|year| year.parse().ok());
    let named = part(&["month2", "month3", "month5"]).and_then(month);
    let month: i8 = named.or_else(|| part(&["number", "number4"])?.parse().ok())?;
    let day: Option<i8> = part(&["day", "day2", "day3", "day4"]).and_then(|day| day.parse().ok());
    let date = |year: i16| Date::new(year, month, day.unwrap_or(1)).ok();
    let date = match year {
        Some(year) => date(year)?,
        None => date(today.year()).filter(|date| *date <= today).or_else(|| date(today.year() - 1))?,
    };
    let last = if day.is_some() { date } else { date.last_of_month() };
    Some((date, last.tomorrow().ok()?))
}

/// "Monday" is that day; "since Monday", "compared to Monday" is from then on.
fn weekday(text: &str, now: &Zoned, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let (name, day) = DAYS.iter().find(|(name, _)| text.contains(name))?;
    let from = now.date().nth_weekday(-1, *day).ok()?;
    let before = text.split(name).next().unwrap_or_default().trim_end();
    let open = ["since", "after", "from", "to", "with", "than"];
    let open = open.contains(&before.rsplit(' ').next().unwrap_or_default());
    let to = if open { now.timestamp() } else { start(from.tomorrow().ok()?, zone)? };
    Some((start(from, zone)?, to))
}

/// A length in days: "30 days", "two weeks", "a month", "48 hours".
pub(super) fn length(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.iter().zip(words.iter().skip(1)).find_map(|(count, unit)| {
        let unit = match unit.trim_end_matches('s') {
            "hour" | "day" => 1,
            "week" | "fortnight" => 7,
            "month" => 30,
            "quarter" => 90,
            "year" => 365,
            _ => return None,
        };
        let hours = words.iter().any(|word| word.starts_with("hour"));
        let count = number(count)?;
        Some(if hours { (count + 23).div_euclid(24) } else { count * unit })
    })
}

fn number(word: &str) -> Option<i64> {
    let known = ["a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let spelt = || known.iter().position(|known| *known == word).and_then(|at| i64::try_from(at.max(1)).ok());
    let spelt = spelt().map(|at| if known.first() == Some(&word) { 1 } else { at });
    word.parse().ok().or(spelt).or_else(|| matches!(word, "an" | "another" | "last" | "past" | "next").then_some(1))
}

/// The day that a text names as an end, at its start: "2027-03-01", "1 March", "March 1st 2027", "Monday", "30 days".
pub(super) fn end(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.to_lowercase();
    let today = now.to_zoned(zone.clone()).date();
    if let Some(date) = text.split_whitespace().find_map(|word| word.trim_matches([',', '.']).parse::<Date>().ok()) {
        return start(date, zone);
    }
    if let Some(date) = text.split_whitespace().find_map(|word| dotted(word, today)).or_else(|| last_of(&text, today)) {
        return start(date, zone);
    }
    if let Some(date) = spelt(&text, today) {
        return start(date, zone);
    }
    if let Some(days) = length(&text) {
        return start(today.checked_add(days.days()).ok()?, zone);
    }
    if text.contains("tomorrow") {
        return start(today.tomorrow().ok()?, zone);
    }
    let (_, day) = DAYS.iter().find(|(name, _)| text.contains(name))?;
    start(today.nth_weekday(1, *day).ok()?, zone)
}

/// "1.12.2026" or "1.12.", the day first.
fn dotted(word: &str, today: Date) -> Option<Date> {
    let mut numbers = word.split('.');
    let (day, month) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    match numbers.next()?.trim_matches(|c: char| !c.is_ascii_digit()) {
        "" => Date::new(today.year(), month, day)
            .ok()
            .filter(|date| *date > today)
            .or_else(|| Date::new(today.year() + 1, month, day).ok()),
        year => Date::new(year.parse().ok().filter(|year| *year > 1_000)?, month, day).ok(),
    }
}

/// The day after "the end of the month" or "of the year".
fn last_of(text: &str, today: Date) -> Option<Date> {
    let of = |span: &str| text.contains(&format!("end of {span}")) || text.contains(&format!("end of the {span}"));
    if of("month") || of("this month") {
        today.last_of_month().tomorrow().ok()
    } else if of("year") || of("this year") {
        today.last_of_year().tomorrow().ok()
    } else {
        None
    }
}

/// "1 March", "March 1st", with a year or the next time it comes round; a month alone is its first day.
fn spelt(text: &str, today: Date) -> Option<Date> {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let month = words.iter().find_map(|word| month(word))?;
    let numbers: Vec<i16> =
        words.iter().filter_map(|word| word.trim_end_matches(|c: char| c.is_alphabetic()).parse().ok()).collect();
    let year = numbers.iter().copied().find(|number| *number > 31);
    let day = numbers.iter().copied().find(|number| (1..=31).contains(number)).unwrap_or(1);
    let day = i8::try_from(day).ok()?;
    let date = |year: i16| Date::new(year, month, day).ok();
    match year {
        Some(year) => date(year),
        None => date(today.year()).filter(|date| *date > today).or_else(|| date(today.year() + 1)),
    }
}

fn month(word: &str) -> Option<i8> {
    let full = word.len() == 3 || MONTHS_IN_FULL.contains(&word) || word == "sept";
    let at = MONTHS.iter().position(|name| word.starts_with(name)).filter(|_| full)?;
    i8::try_from(at + 1).ok()
}

const MONTHS_IN_FULL: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn start(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    Some(date.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::answers::testing::{nordwerk, said_after};

    /// Tuesday, 24 November 2026, 08:30 in Berlin.
    fn now() -> (Timestamp, TimeZone) {
        ("2026-11-24T07:30:00Z".parse().unwrap(), TimeZone::get("Europe/Berlin").unwrap())
    }

    #[test]
    fn spans_are_whole_local_days() {
        let (now, zone) = now();
        let said = |text: &str| {
            let (from, to) = span(text, now, &zone)?;
            Some(format!("{} to {}", from.to_zoned(zone.clone()).datetime(), to.to_zoned(zone.clone()).datetime()))
        };
        let said = |text| said(text).unwrap_or_default();
        insta::assert_snapshot!([
            said("who changed CA200 yesterday?"),
            said("what changed last week"),
            said("compared to Monday"),
            said("in the last 30 days"),
            said("who changed CA200?"),
        ].join("\n"), @r"
        2026-11-23T00:00:00 to 2026-11-24T00:00:00
        2026-11-16T00:00:00 to 2026-11-23T00:00:00
        2026-11-23T00:00:00 to 2026-11-24T08:30:00
        2026-10-25T08:30:00 to 2026-11-24T08:30:00
        ");
    }

    #[test]
    fn dates_are_days_of_the_past() {
        let (now, zone) = now();
        let said = |text: &str| {
            let (from, to) = span(text, now, &zone)?;
            Some(format!("{} to {}", from.to_zoned(zone.clone()).datetime(), to.to_zoned(zone.clone()).datetime()))
        };
        let day = "2026-11-20T00:00:00 to 2026-11-21T00:00:00";
        for text in ["blocked on 2026-11-20?", "on 20 November", "Nov 20th", "the 20th of november", "am 20.11.2026"] {
            assert_eq!(said(text).as_deref(), Some(day), "{text}");
        }
        assert_eq!(said("on 28 December").as_deref(), Some("2025-12-28T00:00:00 to 2025-12-29T00:00:00"));
        assert_eq!(said("since 20 November").as_deref(), Some("2026-11-20T00:00:00 to 2026-11-24T08:30:00"));
        assert_eq!(
            said("from 1 November to 3 November").as_deref(),
            Some("2026-11-01T00:00:00 to 2026-11-04T00:00:00")
        );
        let same = Some("2026-11-01T00:00:00 to 2026-11-04T00:00:00");
        assert_eq!(said("between 1 and 3 November").as_deref(), same);
        assert_eq!(said("1st - 3rd of November").as_deref(), same);
        assert_eq!(said("in October").as_deref(), Some("2026-10-01T00:00:00 to 2026-11-01T00:00:00"));
        assert_eq!(said("this weekend").as_deref(), Some("2026-11-21T00:00:00 to 2026-11-23T00:00:00"));
        assert_eq!(said("blocked on Monday").as_deref(), Some("2026-11-23T00:00:00 to 2026-11-24T00:00:00"));
        for text in ["from 203.0.113.7", "S-4", "it may be", "run 2026-11-24-3"] {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn ends_are_dates_lengths_and_weekdays() {
        let (now, zone) = now();
        let said = |text| end(text, now, &zone).map(|at| at.to_zoned(zone.clone()).date().to_string());
        assert_eq!(said("1 March").as_deref(), Some("2027-03-01"));
        assert_eq!(said("March 1st 2028").as_deref(), Some("2028-03-01"));
        assert_eq!(said("2027-01-31").as_deref(), Some("2027-01-31"));
        assert_eq!(said("1.12.2026").as_deref(), Some("2026-12-01"));
        assert_eq!(said("15.3.").as_deref(), Some("2027-03-15"));
        assert_eq!(said("the end of the month").as_deref(), Some("2026-12-01"));
        assert_eq!(said("end of the year").as_deref(), Some("2027-01-01"));
        assert_eq!(said("two weeks").as_deref(), Some("2026-12-08"));
        assert_eq!(said("Friday").as_deref(), Some("2026-11-27"));
        assert_eq!(said("summer"), None);
    }

    #[tokio::test]
    async fn a_time_holds_for_the_next_person() {
        let words = said_after(&nordwerk(), Intent::ExplainSignIn, "Alice Moreau, yesterday", "and Bob Keller?").await;
        assert!(!words.contains("AADSTS50126"), "that was today: {words}");
        let words = said_after(&nordwerk(), Intent::ExplainSignIn, "Alice Moreau, today", "and Bob Keller?").await;
        assert!(words.contains("AADSTS50126"), "{words}");
    }
}
