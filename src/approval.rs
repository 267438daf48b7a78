//! The life of an approval as a pure state machine.
