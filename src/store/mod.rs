//! The only module with SQL.
