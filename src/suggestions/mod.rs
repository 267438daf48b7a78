//! Findings over time: what is suggested, to whom it was said, and what became of it.
