//! What can go wrong with Graph, off until `POST /demo/faults` sets it.

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
    /// Answers to writes that get lost although they took effect: all of them, or the next so many.
    lose_responses: Lost,
    /// Share of requests refused with 503 before they have an effect, 0 to 1.
    fail_rate: f64,
    /// Milliseconds before each answer.
    delay_ms: u64,
    #[serde(skip)]
    asked: u64,
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

    /// How long each answer takes.
    #[must_use]
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    /// Whether this request is refused; the sequence is the same for each setting.
    pub fn refuses(&mut self) -> bool {
        self.asked += 1;
        let roll = u32::try_from(mix(&[self.asked]) % 10_000).unwrap_or(0);
        f64::from(roll) < self.fail_rate * 10_000.0
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
