//! What the product does; the only module that sees all the others.

pub mod access;
pub mod alert;
pub mod analysis;
pub mod answer;
pub mod answers;
pub mod approval_card;
pub mod approve;
pub mod buttons;
pub mod compose;
pub mod describe;
pub mod effects;
pub mod hear;
pub mod impact;
pub mod intent;
pub mod learn;
pub mod lookup;
pub mod post;
pub mod press;
pub mod reconcile;
pub mod recurrence;
pub mod review;
pub mod settings;
pub mod summary;
pub mod watch;
pub mod work;
