//! The writing path as people see it: through the HTTP endpoints of the chats, on the demo's tenant.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests"
)]

mod alerts;
#[path = "../at_demo/mod.rs"]
mod at_demo;
mod cited;
mod early;
mod edits;
mod flood;
mod gone;
mod hand_over;
mod lab;
mod late;
mod marked;
mod named;
mod out_of_date;
mod refusals;
mod roles;
mod scans;
mod settled;
mod stopped;
mod teams;
mod told;
mod trouble;
mod two_people;
mod waiting;
mod wishes;
