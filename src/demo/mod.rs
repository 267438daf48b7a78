//! A made-up tenant of any size, served over HTTP as Microsoft Graph.
//!
//! Imports nothing of the rest of the crate: it holds Graph's own words and judges sign-ins with its own naive code,
//! so that agreement between the two means something.

pub mod activity;
pub mod apps;
pub mod audits;
pub mod cast;
pub mod changes;
pub mod colleague;
pub mod connector;
pub mod devices;
pub mod faults;
pub mod graph;
pub mod groups;
pub mod judge;
pub mod limits;
pub mod log_analytics;
pub mod logs;
pub mod names;
pub mod people;
pub mod permissions;
pub mod places;
pub mod policies;
pub mod random;
pub mod roles;
pub mod service;
pub mod state;
pub mod tenant;
pub mod token;
pub mod trust;
pub mod user_json;

pub use service::{Options, Person, Service};
pub use tenant::{Seed, Tenant};
