//! The exact analysis: pure, without clock, network, environment or hash order.
//!
//! [`Model`] is a tenant compiled for judging. [`evaluate`] answers for one sign-in, [`coverage`] for all of them.

pub mod ability;
pub mod compile;
pub mod coverage;
pub mod demands;
pub mod device_rule;
pub mod difference;
pub mod evaluate;
pub mod location;
pub mod lockout;
pub mod overlap;
pub mod past;
pub mod replay;
pub mod request;
pub mod rollout;
pub mod rule;
pub mod truth;
mod unknown_words;
pub mod variant;

mod accounts;
mod attribute_filter;
mod bits;
mod condition;
mod judge;
mod lanes;
mod machines;
mod reach;
mod samples;
mod standing;
mod target;
mod who;

pub use compile::Model;
pub use coverage::{Cause, Condition, Coverage, Gap, Reason, Requirement, Scope};
pub use evaluate::{Applies, Decision, Outcome, PolicyOutcome, UnmetKind};
pub use lanes::Verdicts;
pub use truth::Truth;
