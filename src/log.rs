//! The append-only activity log: one hash chain per tenant.
