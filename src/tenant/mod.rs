//! The tenant as plain data, in Microsoft Graph's words: what was read, when, and what could not be read.

pub mod directory;
pub mod location;
pub mod policy;
pub mod sign_in;
pub mod snapshot;
pub mod strength;
pub mod well_known;

pub use directory::{Assignment, Device, Directory, Group, Registration, Role, RoleAssignment, ServicePrincipal, User};
pub use location::NamedLocation;
pub use policy::Policy;
pub use sign_in::{AuditRecord, PastSignIn, SignIn};
pub use snapshot::{Kind, Reading, Settings, Snapshot};
pub use strength::Strength;
