//! What can go wrong with Graph, off until `demo --faults` or `POST /demo/faults` sets it: by rate, or by schedule.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::random::mix;
use super::state::Demo;

/// Settings; what is not named is off.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Faults {
    /// Milliseconds before readers see a new policy.
    read_lag_ms: u64,
    /// Milliseconds for which a new policy, once seen, is now and then not seen again.
    flap_ms: u64,
    /// Share of readings that don't see it then, 0 to 1.
    flap_rate: f64,
    /// Milliseconds for which readers go on seeing a policy as it was before an edit.
    edit_lag_ms: u64,
    /// Answers to writes that get lost although they took effect: all of them, or the next so many.
    lose_responses: Lost,
    /// Share of requests that fail, 0 to 1.
    fail_rate: f64,
    /// In which way those requests fail.
    kind: Kind,
    /// Only requests whose path contains this fail by rate; empty means all.
    path: String,
    /// Another seed lets other requests fail.
    seed: u64,
    /// Requests that fail whatever the rate.
    schedule: Vec<Planned>,
    /// Milliseconds before each answer.
    delay_ms: u64,
    /// Whether the limits of Graph's services hold.
    limits: bool,
    #[serde(skip)]
    asked: u64,
    #[serde(skip)]
    looked: u64,
}

/// Certain requests that fail.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Planned {
    /// Part of the path and query.
    path: String,
    /// So many matching requests pass before.
    #[serde(default)]
    skip: u32,
    /// So many fail then.
    #[serde(default = "one")]
    times: u32,
    /// In which way.
    kind: Kind,
}

fn one() -> u32 {
    1
}

/// A way to fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// 503, before any effect.
    #[default]
    Unavailable,
    /// 500, before any effect.
    ServerError,
    /// 504, before any effect.
    GatewayTimeout,
    /// 429 that says nothing of how long to wait, as Conditional Access does it.
    Throttled,
    /// 429 with `Retry-After` in seconds.
    ThrottledSeconds,
    /// 429 with `Retry-After` as a date.
    ThrottledDate,
    /// 401: the token is not good any more.
    Unauthorised,
    /// 403: a permission is missing.
    Forbidden,
    /// 404, although it is there.
    NotFound,
    /// The connection breaks in the middle of the answer.
    Reset,
    /// An answer that ends in the middle of its JSON.
    Truncated,
    /// The link to the next page leads to another host.
    ForeignLink,
    /// The link to the next page leads back to this one.
    Circle,
    /// Never answered, and without effect; not among [`Kind::ALL`], because whoever asks must die of it.
    HoldBefore,
    /// It takes effect and is never answered; not among [`Kind::ALL`] either.
    HoldAfter,
}

impl Kind {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Unavailable,
        Self::ServerError,
        Self::GatewayTimeout,
        Self::Throttled,
        Self::ThrottledSeconds,
        Self::ThrottledDate,
        Self::Unauthorised,
        Self::Forbidden,
        Self::NotFound,
        Self::Reset,
        Self::Truncated,
        Self::ForeignLink,
        Self::Circle,
    ];
}

/// How many answers get lost.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Lost {
    /// All, or none.
    All(bool),
    /// The next so many.
    Next(u32),
}

impl Default for Lost {
    fn default() -> Self {
        Self::All(false)
    }
}

impl Faults {
    /// How long readers do not see what was created.
    #[must_use]
    pub fn read_lag(&self) -> Duration {
        Duration::from_millis(self.read_lag_ms)
    }

    /// How long readers see a policy as it was before an edit.
    #[must_use]
    pub fn edit_lag(&self) -> Duration {
        Duration::from_millis(self.edit_lag_ms)
    }

    /// How long a new policy comes and goes after that.
    #[must_use]
    pub fn flapping(&self) -> Duration {
        Duration::from_millis(self.flap_ms)
    }

    /// Whether this reading misses a policy that comes and goes; the sequence is the same for each setting.
    pub fn misses(&mut self) -> bool {
        self.looked += 1;
        chance(&[self.seed, self.looked, FLAPS], self.flap_rate)
    }

    /// How long each answer takes.
    #[must_use]
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    /// Whether the limits of Graph's services hold.
    #[must_use]
    pub fn limited(&self) -> bool {
        self.limits
    }

    /// In which way this request fails, if it does; the sequence is the same for each setting.
    pub fn strikes(&mut self, address: &str) -> Option<Kind> {
        self.asked += 1;
        for planned in self.schedule.iter_mut().filter(|planned| address.contains(&planned.path)) {
            match (&mut planned.skip, &mut planned.times) {
                (0, 0) => {}
                (0, left) => {
                    *left -= 1;
                    return Some(planned.kind);
                }
                (skip, _) => *skip -= 1,
            }
        }
        let struck = chance(&[self.seed, self.asked], self.fail_rate) && address.contains(&self.path);
        struck.then_some(self.kind)
    }

    /// Whether every planned failure has come.
    #[must_use]
    pub fn over(&self) -> bool {
        self.schedule.iter().all(|planned| planned.times == 0)
    }

    /// Whether the answer to this write gets lost; counts down.
    pub fn loses(&mut self) -> bool {
        match &mut self.lose_responses {
            Lost::All(all) => *all,
            Lost::Next(0) => false,
            Lost::Next(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// Sets the rolls for flapping apart from the others.
const FLAPS: u64 = 1;

/// Whether a roll of these words falls within a share, 0 to 1.
fn chance(words: &[u64], share: f64) -> bool {
    let roll = u32::try_from(mix(words) % 10_000).unwrap_or(0);
    f64::from(roll) < share * 10_000.0
}

/// Route of the settings.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new().route("/demo/faults", get(read).post(set))
}

async fn read(State(demo): State<Arc<Demo>>) -> Json<Faults> {
    Json(demo.faults().clone())
}

async fn set(State(demo): State<Arc<Demo>>, Json(faults): Json<Faults>) -> Json<Faults> {
    demo.faults().clone_from(&faults);
    Json(faults)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(settings: serde_json::Value) -> Faults {
        serde_json::from_value(settings).unwrap()
    }

    #[test]
    fn about_the_share_that_was_set_fails_and_only_where_it_was_set() {
        let mut faults = faults(json!({"failRate": 0.2, "kind": "reset", "path": "/users", "seed": 7}));
        let struck = (0..1_000).filter(|_| faults.strikes("/v1.0/users") == Some(Kind::Reset)).count();
        assert!((150..250).contains(&struck), "{struck}");
        assert_eq!((0..1_000).filter_map(|_| faults.strikes("/v1.0/groups")).count(), 0);
    }

    #[test]
    fn a_plan_strikes_the_requests_it_names() {
        let plan = json!([{"path": "skiptoken", "skip": 1, "times": 2, "kind": "serverError"}]);
        let mut faults = faults(json!({"schedule": plan}));
        let struck: Vec<bool> = (0..5).map(|_| faults.strikes("/v1.0/users?$skiptoken=1").is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert_eq!(faults.strikes("/v1.0/users"), None);
    }

    #[test]
    fn about_the_share_that_was_set_misses_a_new_policy() {
        let mut faults = faults(json!({"flapRate": 0.3, "flapMs": 500, "seed": 7}));
        assert_eq!(faults.flapping(), Duration::from_millis(500));
        let missed = (0..1_000).filter(|_| faults.misses()).count();
        assert!((240..360).contains(&missed), "{missed}");
    }

    #[test]
    fn every_kind_has_a_name() {
        for kind in Kind::ALL {
            let name = serde_json::to_value(kind).unwrap();
            assert_eq!(serde_json::from_value::<Kind>(name).unwrap(), *kind);
        }
    }
}
