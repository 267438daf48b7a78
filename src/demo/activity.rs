//! When people signed in during the last thirty days; the log and the directory's `signInActivity` both ask here.

use jiff::{SignedDuration, Timestamp};

use super::people::{Kind, People};
use super::random::{chance, days_before, midnight_before};

/// Days the sign-in log reaches back.
pub const WINDOW_DAYS: i64 = 30;
/// Rows the log of a big tenant is kept to.
pub const ROW_CAP: u64 = 200_000;

/// Session numbers from here on are told, not drawn.
pub const TOLD: u32 = 1_000;

/// One visit of one user: it becomes one row or several of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session {
    /// When, as seconds since the epoch; first, so that sessions sort by time.
    pub at: i64,
    /// Index of the user.
    pub user: u32,
    /// Which of the user's sessions.
    pub number: u32,
}

/// The sessions of one user, in no particular order; none for accounts that do not sign in.
pub fn sessions(people: &People, user: u32) -> impl Iterator<Item = Session> {
    let count = if people.active(user) { 5 + people.roll(user, 20) % 11 } else { 0 };
    let expected = u64::from(people.count()) * 12;
    let kept = if expected <= ROW_CAP { 1000 } else { (ROW_CAP * 1000 / expected).max(1) };
    (0..u32::try_from(count).unwrap_or(0))
        .filter(move |number| kept == 1000 || chance(people.roll(user, 3_000 + u64::from(*number)), kept))
        .map(move |number| Session { at: moment(people, user, number).as_second(), user, number })
}

/// What everybody in the demo talks about: Alice Moreau's iPad, yesterday; and two visits from far away.
#[must_use]
pub fn told(people: &People) -> Vec<Session> {
    let (alice, ellen) = (People::cast_index("Moreau"), People::cast_index("Sjöberg"));
    let at =
        |days, hour: i64, minute: i64| midnight_before(people.today, days).as_second() + hour * 3_600 + minute * 60;
    let moments = [
        (alice, at(1, 9, 12)),
        (alice, at(1, 9, 13)),
        (alice, at(1, 9, 14)),
        (alice, at(1, 9, 20)),
        (ellen, at(6, 2, 41)),
        (ellen, at(6, 2, 47)),
    ];
    (TOLD..).zip(moments).map(|(number, (user, at))| Session { at, user, number }).collect()
}

/// The last sign-in the directory reports for a user; none for those who never signed in.
#[must_use]
pub fn last_sign_in(people: &People, user: u32) -> Option<Timestamp> {
    let record = people.get(user)?;
    let roll = people.roll(user, 21);
    let days = |least: u64, spread: u64| i64::try_from(least + roll % spread).unwrap_or(0);
    match record.kind {
        Kind::PendingGuest => None,
        Kind::Emergency => Some(days_before(people.today, 63 + days(0, 2))),
        _ if record.unused || record.disabled => Some(days_before(people.today, days(95, 300))),
        _ => {
            let all = sessions(people, user).chain(told(people).into_iter().filter(|session| session.user == user));
            let last = all.map(|session| session.at).max();
            Some(last.and_then(|at| Timestamp::from_second(at).ok()).unwrap_or(days_before(people.today, days(1, 28))))
        }
    }
}

/// Mostly on weekdays between 06:00 and 17:00 UTC, always before now and within the window.
fn moment(people: &People, user: u32, number: u32) -> Timestamp {
    let roll = people.roll(user, 1_000 + u64::from(number));
    let mut days = i64::try_from(roll % 27).unwrap_or(0);
    let second = i64::try_from((roll >> 20) % 39_600).unwrap_or(0) + 6 * 3_600;
    let weekend = match (midnight_before(people.today, days).as_second() / 86_400 + 4).rem_euclid(7) {
        0 => 2,
        6 => 1,
        _ => 0,
    };
    if !chance(roll >> 8, 120) {
        days += weekend;
    }
    let at = |days| midnight_before(people.today, days).saturating_add(SignedDuration::from_secs(second));
    match at(days) {
        Ok(found) if found < people.today => found,
        _ => at(days + 1).unwrap_or(people.today),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::random::Ids;

    #[test]
    fn sessions_lie_in_the_window() {
        let today: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
        let people = People::generate(Ids::new(1), today, 500);
        let all: Vec<_> = (0..500).flat_map(|user| sessions(&people, user)).collect();
        assert!(all.len() > 3_000, "{}", all.len());
        let first = days_before(today, WINDOW_DAYS).as_second();
        assert!(all.iter().all(|session| session.at < today.as_second() && session.at > first));
    }
}
