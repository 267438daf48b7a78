//! The only module that talks to a language model.
//!
//! The model sees facts that our code has worded, with names replaced by handles, and returns a *plan*: which facts in
//! which order, joined by connectives from a closed list. [`verify`] holds the plan to what was offered. Without a model, or
//! with a slow or confused one, the facts stand in the order that the answer gave them.

mod client;
mod mask;
mod verify;

pub use client::{Endpoint, Explainer, Unplanned};
pub use verify::{Offered, Plan, Rejection, Step, verify};

/// Connectives that carry no cause, order in time or quantity; the only words that a model may add.
#[must_use]
pub fn connectives() -> Vec<&'static str> {
    include_str!("../../prompts/connectives.txt").lines().filter(|line| !line.is_empty()).collect()
}
