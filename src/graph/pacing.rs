//! One scheduler for each of Graph's limits: requests take turns, and a plea to slow down holds everybody back.
//!
//! The limits are per tenant and app (Microsoft Learn, "Microsoft Graph service-specific throttling limits").

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::config;

/// Which of Graph's limits a request counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Conditional Access and Identity Protection: one request a second, all apps of the tenant together.
    ConditionalAccess,
    /// Sign-ins, audit records, registration details: five in ten seconds.
    Reports,
    /// The directory: resource units.
    Directory,
}

/// The schedulers of one tenant.
#[derive(Debug)]
pub struct Pacing {
    conditional_access: Turns,
    reports: Turns,
    directory: Turns,
}

impl Pacing {
    /// Schedulers with the configured intervals.
    #[must_use]
    pub fn new(intervals: config::Pacing) -> Self {
        Self {
            conditional_access: Turns::every(intervals.conditional_access),
            reports: Turns::every(intervals.reports),
            directory: Turns::every(intervals.directory),
        }
    }

    /// Waits for the next turn under this limit, for a request that costs so many units of it.
    pub async fn turn(&self, limit: Limit, units: u32) {
        let now = Instant::now();
        let turn = self.book(limit, units, now);
        if turn > now {
            sleep_until(turn).await;
        }
    }

    /// Books the next free turn of somebody who asks at this moment.
    #[must_use]
    pub fn book(&self, limit: Limit, units: u32, now: Instant) -> Instant {
        self.of(limit).take(units, now)
    }

    /// Lets nobody pass under this limit for a while.
    pub fn hold(&self, limit: Limit, pause: Duration) {
        self.of(limit).hold(pause);
    }

    fn of(&self, limit: Limit) -> &Turns {
        match limit {
            Limit::ConditionalAccess => &self.conditional_access,
            Limit::Reports => &self.reports,
            Limit::Directory => &self.directory,
        }
    }
}

/// Turns one after the other, each as long as what it stands for costs.
#[derive(Debug)]
struct Turns {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Turns {
    fn every(interval: Duration) -> Self {
        Self { interval, next: Mutex::new(None) }
    }

    /// Books the next free turn.
    fn take(&self, units: u32, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + self.interval * units);
        turn
    }

    fn hold(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(next.map_or(until, |next| next.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without waiting: the turns that callers get who all ask at once.
    fn booked(turns: &Turns, callers: usize) -> Vec<Duration> {
        let now = Instant::now();
        let first = turns.take(1, now);
        std::iter::repeat_with(|| turns.take(1, now) - first).take(callers - 1).collect()
    }

    #[test]
    fn turns_are_one_interval_apart() {
        let seconds = |n| Duration::from_secs(n);
        assert_eq!(booked(&Turns::every(seconds(1)), 4), [seconds(1), seconds(2), seconds(3)]);
        assert_eq!(booked(&Turns::every(seconds(2)), 3), [seconds(2), seconds(4)]);
    }

    #[test]
    fn a_dear_request_keeps_the_next_one_waiting_longer() {
        let turns = Turns::every(Duration::from_secs(1));
        let now = Instant::now();
        assert_eq!(turns.take(5, now), now);
        assert_eq!(turns.take(2, now) - now, Duration::from_secs(5));
        assert_eq!(turns.take(1, now) - now, Duration::from_secs(7));
    }

    #[test]
    fn a_hold_delays_everybody_and_the_longest_holds() {
        let turns = Turns::every(Duration::from_secs(1));
        let now = Instant::now();
        let start = turns.take(1, now);
        turns.hold(Duration::from_secs(7));
        turns.hold(Duration::from_secs(3));
        assert!(turns.take(1, now) - start >= Duration::from_secs(7));
        assert!(turns.take(1, now) - start >= Duration::from_secs(8));
    }

    #[tokio::test]
    async fn limits_do_not_wait_for_each_other() {
        let (long, none) = (Duration::from_hours(1), Duration::ZERO);
        let pacing = Pacing::new(config::Pacing { conditional_access: long, reports: none, directory: none });
        pacing.turn(Limit::ConditionalAccess, 1).await;
        for _ in 0..100 {
            pacing.turn(Limit::Reports, 1).await;
            pacing.turn(Limit::Directory, 5).await;
        }
    }
}
