//! What the product does; the only module that sees all the others.

pub mod answer;
pub mod compose;
pub mod intent;
