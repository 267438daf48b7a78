//! The limits of Graph's services, held when they are switched on.
//!
//! Microsoft Learn, "Microsoft Graph service-specific throttling limits": Conditional Access and Identity Protection one
//! request a second without a `Retry-After`; reports five in ten seconds; the directory by resource units.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// A request that comes too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooEarly {
    /// Seconds to wait, where the service says so.
    pub retry_after: Option<u64>,
}

/// What each service was asked lately.
#[derive(Debug, Default)]
pub struct Limits {
    conditional_access: Window,
    reports: Window,
    directory: Window,
}

impl Limits {
    /// Whether a request may pass at this moment; one that passes counts. Moments don't go back.
    pub fn admit(&mut self, (path, query): (&str, &str), users: u32, now: Instant) -> Result<(), TooEarly> {
        let (second, ten) = (Duration::from_secs(1), Duration::from_secs(10));
        if path.contains("/identity/conditionalAccess") || path.contains("/identityProtection") {
            return self.conditional_access.admit((second, 1), 1, now).map_err(|_| TooEarly { retry_after: None });
        }
        let wait = if path.contains("/auditLogs") || path.contains("/reports") {
            self.reports.admit((ten, 5), 1, now)
        } else {
            self.directory.admit((ten, directory_units(users)), cost(path, query), now)
        };
        wait.map_err(|wait| TooEarly { retry_after: Some(wait.as_secs() + 1) })
    }
}

/// Resource units in ten seconds, by the size of the tenant.
fn directory_units(users: u32) -> u32 {
    match users {
        0..50 => 3_500,
        50..=500 => 5_000,
        _ => 8_000,
    }
}

/// Resource units of a request, as far as they are published.
fn cost(path: &str, query: &str) -> u32 {
    let base = match path {
        path if path.contains("/transitiveMembers") => 5,
        path if path.ends_with("/members") || path.ends_with("/getByIds") || path.contains("MemberOf") => 3,
        path if path.ends_with("/users") || path.ends_with("/groups") || path.contains("/delta") => 2,
        _ => 1,
    };
    let saved = u32::from(query.contains("$select") || query.contains("%24select"));
    let dear = u32::from(query.contains("$expand") || query.contains("%24expand"));
    (base + dear - saved).max(1)
}

/// Requests of the last while, with what they cost.
#[derive(Debug, Default)]
struct Window(VecDeque<(Instant, u32)>);

impl Window {
    /// Counts a request, or says how long until there is room again.
    fn admit(&mut self, (length, most): (Duration, u32), cost: u32, now: Instant) -> Result<(), Duration> {
        while self.0.front().is_some_and(|(at, _)| now.duration_since(*at) >= length) {
            self.0.pop_front();
        }
        let spent: u32 = self.0.iter().map(|(_, cost)| cost).sum();
        if spent + cost <= most {
            self.0.push_back((now, cost));
            return Ok(());
        }
        Err(self.0.front().map_or(length, |(at, _)| length.saturating_sub(now.duration_since(*at))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_five_in_ten_seconds() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        let mut ask = |seconds| limits.admit(("/v1.0/auditLogs/signIns", ""), 50, start + Duration::from_secs(seconds));
        assert_eq!((0..7).filter(|_| ask(0).is_ok()).count(), 5);
        assert_eq!(ask(4), Err(TooEarly { retry_after: Some(7) }));
        assert_eq!(ask(10), Ok(()));
    }

    #[test]
    fn conditional_access_does_not_say_how_long_to_wait() {
        let (mut limits, start) = (Limits::default(), Instant::now());
        let path = ("/v1.0/identity/conditionalAccess/policies", "");
        let mut ask = |seconds| limits.admit(path, 50, start + Duration::from_secs(seconds));
        assert_eq!((ask(0), ask(0), ask(1)), (Ok(()), Err(TooEarly { retry_after: None }), Ok(())));
    }

    #[test]
    fn a_selection_is_cheaper() {
        assert_eq!((cost("/v1.0/users", ""), cost("/v1.0/users", "$select=id")), (2, 1));
        assert_eq!((cost("/v1.0/groups/g/members", "%24select=id"), cost("/v1.0/users/u", "")), (2, 1));
    }
}
