//! Times, dates, spans and lengths in a message, and which slot each fills: the words before it and the intent decide.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::kinds::Intent;
use super::slots::SlotName;
use super::text::regex;

const MONTH: &str = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const WEEKDAY: &str = r"(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:days?)?";
const COUNT: &str = r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|thirty|sixty|ninety|half a|a few|a couple of|several)";
const UNIT: &str = r"(?:minutes?|hours?|days?|weeks?|fortnights?|months?|quarters?|years?|sprints?)";
const CLOCK: &str = r"(?:(?:[01]?\d|2[0-3])[:.h][0-5]\d(?: ?[ap]m)?|\d{1,2} ?[ap]m|\d{1,2} o'?clock|noon|midnight|half past \w+|seven sharp)(?: (?:UTC|GMT|CET|CEST|EST|EDT|PST|AEST|eastern|local time|[A-Z][a-z]+ time))?";

/// A recognised time: the word before it, and of what sort it is.
struct Time {
    lead: String,
    sort: Sort,
}

/// Sorts of times.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Clock,
    Weekdays,
    Season,
    Length,
    Other,
}

/// The slots that the times in a text fill, in the order of the text.
pub(crate) fn find(text: &str, intent: Intent) -> Vec<(SlotName, Range<usize>)> {
    static TIME: LazyLock<Regex> = LazyLock::new(|| {
        let day = format!(
            r"(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}(?: \d{{4}})?|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?\b|\d{{4}}-\d\d-\d\d|\d{{1,2}}\.\d{{1,2}}\.(?:\d{{4}})?"
        );
        let days = format!(
            r"(?:(?:each|every|the) )*(?:first |second |third |last )?(?:{WEEKDAY}|(?:business|working) day)(?: (?:of|in) (?:the |each |every )?month)?(?:(?: ?[+,/&-] ?| and | to | through ){WEEKDAY})*|(?:each |every )?(?:weekends?|weekdays?|working days?|business days?|(?:bank|public) holidays?|first of (?:the|each|every) month|month end)"
        );
        let span = format!(
            r"(?:(?:the )?(?:last|past|previous|next|coming|this|these) (?:{COUNT} )?(?:{UNIT}|night|morning|evening|afternoon|weekend|spring|summer|autumn|winter|{MONTH}|{WEEKDAY})|yesterday(?: \w*(?:morning|noon|evening|night))?|today|tonight|tomorrow|(?:{WEEKDAY}) (?:morning|afternoon|evening|night)|q[1-4](?: \d{{4}})?|(?:spring|summer|autumn|winter|easter|christmas|lunch|new year)|{COUNT} {UNIT}(?: ago)?|{MONTH}(?: \d{{4}})?)"
        );
        regex(&format!(
            r"(?i)\b(?P<lead>since|after|before|than|every|once|twice|times|until|till|till after|by|from|in|for|over|at|on|to|compared (?:to|with)|within)?\s*(?:the )?\b(?P<value>(?P<clock>(?:(?:yesterday|today|{WEEKDAY}) )?{CLOCK})|{WEEKDAY} (?:morning|afternoon|evening|night)|(?:{day})(?: (?:to|until|-) (?:{day}))?|(?P<days>{days})|(?P<span>{span}))\b"
        ))
    });
    TIME.captures_iter(text)
        .filter_map(|found| {
            let value = found.name("value").filter(|value| !matches!(value.as_str(), "may" | "mar" | "sat" | "sun"))?;
            let words = value.as_str().trim_start_matches("the ");
            let lead = found.name("lead").map_or(String::new(), |lead| lead.as_str().to_lowercase());
            let sort = match words {
                _ if found.name("clock").is_some() => Sort::Clock,
                _ if found.name("days").is_some() => Sort::Weekdays,
                _ if SEASON.is_match(words) => Sort::Season,
                _ if LENGTH.is_match(words) => Sort::Length,
                _ => Sort::Other,
            };
            let time = Time { lead, sort };
            let slot = slot(&time, intent)?;
            let start = match found.name("lead") {
                Some(lead) if slot == SlotName::Duration && time.lead == "before" => lead.start(),
                _ => value.end() - words.len(),
            };
            Some((slot, start..value.end()))
        })
        .collect()
}

/// Names of seasons and feasts, which say when only after another word ("until Easter").
static SEASON: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)^(?:spring|summer|autumn|winter|easter|christmas|lunch|new year)$"));

/// First words of a length: "two weeks".
static LENGTH: LazyLock<Regex> = LazyLock::new(|| regex(&format!(r"(?i)^{COUNT} {UNIT}")));

fn slot(time: &Time, intent: Intent) -> Option<SlotName> {
    let lead = time.lead.as_str();
    let ends = matches!(lead, "until" | "till" | "by" | "for");
    Some(match (intent, time.sort) {
        (Intent::AddInstruction, _) if ends => SlotName::Duration,
        (Intent::ScheduleSummary, Sort::Clock) => SlotName::Time,
        (Intent::ScheduleSummary, Sort::Weekdays) if !ends && lead != "from" => SlotName::Days,
        (Intent::ScheduleSummary, Sort::Season) if lead.is_empty() => return None,
        (Intent::ScheduleSummary, Sort::Length) if matches!(lead, "once" | "twice" | "times") => return None,
        (Intent::SnoozeSuggestion | Intent::ScheduleSummary, _) => SlotName::Duration,
        (Intent::UserPolicies | Intent::AppPolicies | Intent::Help, _) => return None,
        _ if matches!(lead, "every" | "once" | "twice" | "times") => return None,
        (Intent::PostureSummary, _) if lead == "than" => SlotName::Since,
        (Intent::PolicyChanges, _) if lead == "before" => SlotName::Since,
        _ if lead == "since" || lead.starts_with("compared") => SlotName::Since,
        (_, Sort::Other | Sort::Weekdays | Sort::Season) if lead == "after" => SlotName::Since,
        (_, Sort::Clock) => SlotName::Time,
        (_, Sort::Season) => return None,
        (
            Intent::PolicyChanges
            | Intent::BotActivity
            | Intent::ExplainSignIn
            | Intent::SignInUsage
            | Intent::CoverageGaps
            | Intent::PostureSummary
            | Intent::Impact
            | Intent::Undo
            | Intent::VerifyLog,
            _,
        ) => SlotName::Period,
        (Intent::ListSuggestions | Intent::ListPolicies, _) if matches!(lead, "over" | "in" | "within") => {
            SlotName::Period
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_decides() {
        let of = |text: &'static str, intent| {
            find(text, intent).into_iter().map(|(name, at)| (name, text.get(at).unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(of("since 1 April", Intent::CoverageGaps), [(SlotName::Since, "1 April")]);
        assert_eq!(of("mute this for 30 days", Intent::SnoozeSuggestion), [(SlotName::Duration, "30 days")]);
        assert_eq!(
            of("tue+thu 16:00", Intent::ScheduleSummary),
            [(SlotName::Days, "tue+thu"), (SlotName::Time, "16:00")]
        );
        assert_eq!(of("in the last 14 days", Intent::Impact), [(SlotName::Period, "last 14 days")]);
        assert_eq!(of("not before summer", Intent::SnoozeSuggestion), [(SlotName::Duration, "before summer")]);
        assert_eq!(of("you may fall", Intent::Impact), []);
    }
}
