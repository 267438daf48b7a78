//! Spans and dates as people say them: "yesterday", "last week", "since Monday", "until 1 March".

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

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
    if has("since yesterday") || has("last night") || has("overnight") {
        open(today.yesterday().ok()?)
    } else if has("yesterday") {
        days(today.yesterday().ok()?, today)
    } else if has("today") || has("this morning") {
        open(today)
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

/// "Monday" is that day; "since Monday", "compared to Monday" is from then on.
fn weekday(text: &str, now: &Zoned, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let (name, day) = DAYS.iter().find(|(name, _)| text.contains(name))?;
    let from = now.date().nth_weekday(-1, *day).ok()?;
    let before = text.split(name).next().unwrap_or_default().trim_end();
    let single = ["on", "last"].iter().any(|word| before.ends_with(word));
    let to = if single { start(from.tomorrow().ok()?, zone)? } else { now.timestamp() };
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
}
