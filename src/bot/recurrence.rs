//! On which days and at which times a summary comes: kept as `mon,thu 08:00,16:00`, said as people say it.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::str::FromStr;

use jiff::civil::Time;

use crate::jobs::Timing;

/// The days of the week as they are kept and as they are said, Monday first.
const DAYS: [(&str, &str); 7] = [
    ("mon", "Mondays"),
    ("tue", "Tuesdays"),
    ("wed", "Wednesdays"),
    ("thu", "Thursdays"),
    ("fri", "Fridays"),
    ("sat", "Saturdays"),
    ("sun", "Sundays"),
];

/// Days of the week with times of day; neither is ever empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// Positions in the week, Monday is 0.
    days: BTreeSet<usize>,
    times: BTreeSet<Time>,
}

impl Recurrence {
    /// These days (none: every day) at these times; none without a time.
    #[must_use]
    pub fn new(days: BTreeSet<usize>, times: BTreeSet<Time>) -> Option<Self> {
        let days = if days.is_empty() { (0..DAYS.len()).collect() } else { days };
        (!times.is_empty() && days.iter().all(|day| *day < DAYS.len())).then_some(Self { days, times })
    }

    /// When it is due: one timing for each time of day.
    ///
    /// # Errors
    /// When the zone isn't an IANA time zone.
    pub fn timings(&self, zone: &str) -> anyhow::Result<Vec<Timing>> {
        let days = self.named(|(kept, _)| kept.to_uppercase()).join(",");
        let cron = |time: &Time| Timing::cron(&format!("{} {} * * {days}", time.minute(), time.hour()), zone);
        self.times.iter().map(cron).collect()
    }

    /// As people say it: `every day at 08:30`, `on weekdays at 08:00 and 16:00`, `on Mondays at 09:00`.
    #[must_use]
    pub fn words(&self) -> String {
        let all = |days: &[usize]| self.days.iter().copied().eq(days.iter().copied());
        let days = if all(&[0, 1, 2, 3, 4, 5, 6]) {
            "every day".to_owned()
        } else if all(&[0, 1, 2, 3, 4]) {
            "on weekdays".to_owned()
        } else if all(&[5, 6]) {
            "on weekends".to_owned()
        } else {
            format!("on {}", joined(&self.named(|(_, said)| said.to_owned())))
        };
        format!("{days} at {}", joined(&self.clock()))
    }

    fn named(&self, name: impl Fn((&str, &str)) -> String) -> Vec<String> {
        self.days.iter().filter_map(|day| DAYS.get(*day)).map(|day| name(*day)).collect()
    }

    fn clock(&self) -> Vec<String> {
        self.times.iter().map(|time| time.strftime("%H:%M").to_string()).collect()
    }
}

/// `A`, `A and B`, `A, B and C`.
fn joined(words: &[String]) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

impl Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days.len() < DAYS.len() {
            write!(f, "{} ", self.named(|(kept, _)| kept.to_owned()).join(","))?;
        }
        f.write_str(&self.clock().join(","))
    }
}

/// It isn't days and times as they are kept.
#[derive(Debug, thiserror::Error)]
#[error("not days and times, such as `mon,thu 08:00,16:00`")]
pub struct NotARecurrence;

impl FromStr for Recurrence {
    type Err = NotARecurrence;

    fn from_str(text: &str) -> Result<Self, NotARecurrence> {
        let (days, times) = text.rsplit_once(' ').unwrap_or(("", text));
        let day = |name: &str| DAYS.iter().position(|(kept, _)| *kept == name);
        let days = days.split(',').filter(|name| !name.is_empty()).map(day).collect::<Option<_>>();
        let times = times.split(',').map(|time| time.parse().ok()).collect::<Option<_>>();
        days.zip(times).and_then(|(days, times)| Self::new(days, times)).ok_or(NotARecurrence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_and_said() {
        let said = |kept: &str| {
            let read: Recurrence = kept.parse().unwrap();
            assert_eq!(read.to_string(), kept);
            read.words()
        };
        assert_eq!(said("08:30"), "every day at 08:30");
        assert_eq!(said("mon,tue,wed,thu,fri 08:00,16:00"), "on weekdays at 08:00 and 16:00");
        assert_eq!(said("mon 08:00"), "on Mondays at 08:00");
        assert_eq!(said("tue,thu,sun 07:15"), "on Tuesdays, Thursdays and Sundays at 07:15");
        for wrong in ["", "8 Uhr", "moon 08:00", "mon", "25:00"] {
            assert!(wrong.parse::<Recurrence>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn it_is_due_on_its_days_at_each_of_its_times() {
        let read: Recurrence = "mon,fri 08:00,16:00".parse().unwrap();
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let due: Vec<String> = read
            .timings("UTC")
            .unwrap()
            .iter()
            .flat_map(|timing| [timing.last_due(now), timing.next_due(now)])
            .map(|at| at.unwrap().to_string())
            .collect();
        let expected = ["2026-11-23T08:00:00Z", "2026-11-27T08:00:00Z", "2026-11-23T16:00:00Z", "2026-11-27T16:00:00Z"];
        assert_eq!(due, expected);
    }
}
