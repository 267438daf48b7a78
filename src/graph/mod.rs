//! The only module that talks to Microsoft Graph: pacing, reading, and writing in report-only mode.
//!
//! Nothing here can change or enable a policy: there is no request that alters one in place, and the writer accepts
//! only a type whose state is report-only. Readings are tried again; a write only where it was throttled.

pub mod audits;
mod batch;
pub mod client;
pub mod endpoints;
pub mod error;
pub mod export;
mod log_analytics;
pub mod needs;
mod objects;
pub mod pacing;
pub mod pages;
pub mod people;
pub mod read;
pub mod write;

pub use client::Client;
pub use error::GraphError;
pub use people::Standing;
pub use read::{Fresh, Marks, Previous, Progress, Quiet, read_change, read_snapshot, read_tenant};
pub use write::{CreateOutcome, Found, OwnPolicy, Removal, RemoveError, Writer};
