//! The long-lived things that every request and job shares.
