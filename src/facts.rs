//! A typed statement, its wording, and the very rows it rests on.
