//! Named locations: where a sign-in comes from.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A `namedLocation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedLocation {
    /// Object id.
    pub id: String,
    /// Its name; untrusted text.
    pub display_name: String,
    /// What it covers.
    pub place: Place,
}

/// What a named location covers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// Address ranges.
    Ip {
        /// Marked as trusted.
        trusted: bool,
        /// The ranges, both ends included.
        ranges: Vec<IpRange>,
    },
    /// Countries and regions.
    Country {
        /// ISO 3166-1 alpha-2 codes, upper case.
        countries: BTreeSet<String>,
        /// Looked up by the Authenticator app's GPS rather than by address.
        by_gps: bool,
        /// Addresses without a country are in.
        include_unknown: bool,
    },
    /// A kind that this program can't judge (beta), by its OData type.
    Unknown(String),
}

/// A range of addresses of one family, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpRange {
    /// Lowest address.
    pub lower: IpAddr,
    /// Highest address.
    pub upper: IpAddr,
}

impl IpRange {
    /// Whether `address` lies in the range; never for the other family.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.lower.is_ipv4() == address.is_ipv4() && self.lower <= address && address <= self.upper
    }
}
