//! The tenant as plain data, in Microsoft Graph's words: what was read, when, and what could not be read.

pub mod builder;
pub mod country;
pub mod cross_tenant;
pub mod directory;
pub mod folder;
pub mod json;
pub mod location;
pub mod policy;
pub mod read;
pub mod shared;
pub mod sign_in;
pub mod snapshot;
pub mod strength;
pub mod text;
pub mod version;
pub mod well_known;
pub mod words;
pub mod write;

pub use builder::SnapshotBuilder;
pub use cross_tenant::{CrossTenantAccess, InboundTrust};
pub use directory::{Assignment, Device, Directory, Group, Registration, Role, RoleAssignment, ServicePrincipal, User};
pub use location::NamedLocation;
pub use policy::Policy;
pub use read::{ReadError, read_policy};
pub use sign_in::{AuditRecord, PastSignIn, SignIn, how_many};
pub use snapshot::{Environment, Kind, Reading, Settings, Snapshot};
pub use strength::Strength;
pub use text::Text;
pub use version::{short_hash, version_of};
pub use words::Word;
pub use write::write_policy;
