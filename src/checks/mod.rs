//! The checks: one file each, one registry.
