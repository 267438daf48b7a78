//! Portcullis: an exact analysis of Microsoft Entra Conditional Access, asked and answered in team chat.
//!
//! The map of the crate, from the inside out (a module may look only at what stands above it in this list,
//! and `demo` at none of them; `tests/architecture.rs` holds it):
//!
//! - [`tenant`]: plain data, as Graph returns it: policies, directory, locations, sign-ins, one [`tenant::Snapshot`].
//! - [`facts`]: a typed statement, its wording, and the very rows it rests on. [`log`]: what happened, chained by hash.
//! - [`engine`]: pure: which policies govern which sign-ins. [`checks`]: one file a check. [`suggestions`]: findings
//!   over time. [`approval`]: the life of an approval as a pure state machine.
//! - [`identity`]: as whom the program signs in, and the tokens that it gets.
//! - [`graph`] talks to Microsoft Graph, [`explain`] to a language model, [`chat`] to chat products, [`store`] to SQL.
//! - [`bot`]: what the product does; the only module that sees all of the above. [`jobs`] and [`http`] drive it.
//! - [`app`], [`config`], [`clock`], [`error`]: the long-lived things. [`cli`]: the commands.
//! - [`demo`]: a made-up tenant served over HTTP as Microsoft Graph; it shares no code with the rest.

pub mod app;
pub mod approval;
pub mod bot;
pub mod chat;
pub mod checks;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod engine;
pub mod error;
pub mod explain;
pub mod facts;
pub mod graph;
pub mod http;
pub mod identity;
pub mod jobs;
pub mod log;
pub mod store;
pub mod suggestions;
pub mod tenant;
