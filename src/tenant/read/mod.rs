//! From Graph's JSON to the tenant's structs; each reader takes one object and fails with the place that is wrong.

mod controls;
mod directory;
mod log;
mod machines;
mod network;
pub(super) mod node;
mod policy;
mod settings;

pub use directory::{
    GroupRead, read_device, read_group, read_licences, read_registration, read_risky_user, read_role,
    read_role_assignment, read_service_principal, read_user,
};
pub use log::{read_audit, read_sign_in};
pub use network::{read_context, read_named_location, read_strength};
pub use policy::{embedded_strength, read_policy};
pub use settings::{read_agreement, read_inbound_trust, read_secure_by_default};

/// A place in a document that is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: expected {expected}, found {found}", if pointer.is_empty() { "the document" } else { pointer })]
pub struct ReadError {
    /// JSON pointer (RFC 6901) from the object that was read.
    pub pointer: String,
    /// What has to be there.
    pub expected: &'static str,
    /// What is there; text is cut short.
    pub found: String,
}

impl ReadError {
    /// The same error seen from further up: `prefix` is the pointer of the object that was read.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}
