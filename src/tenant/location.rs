//! Named locations: where a sign-in comes from.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
    /// The tenant's compliant network, reached through Global Secure Access (beta).
    CompliantNetwork,
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
    /// The range of a block in CIDR form (`203.0.113.0/24`, `2001:db8::/32`); a lone address is a range of one.
    #[must_use]
    pub fn from_cidr(text: &str) -> Option<Self> {
        let (address, bits) = text.trim().split_once('/').map_or((text.trim(), None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().ok()?;
        let width: u8 = if address.is_ipv4() { 32 } else { 128 };
        let bits: u8 = bits.map_or(Some(width), |bits| bits.parse().ok()).filter(|bits| *bits <= width)?;
        Some(match address {
            IpAddr::V4(address) => {
                let host = u32::MAX.checked_shr(bits.into()).unwrap_or(0);
                let lower = address.to_bits() & !host;
                Self { lower: Ipv4Addr::from_bits(lower).into(), upper: Ipv4Addr::from_bits(lower | host).into() }
            }
            IpAddr::V6(address) => {
                let host = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
                let lower = address.to_bits() & !host;
                Self { lower: Ipv6Addr::from_bits(lower).into(), upper: Ipv6Addr::from_bits(lower | host).into() }
            }
        })
    }

    /// Whether `address` lies in the range; never for the other family.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.lower.is_ipv4() == address.is_ipv4() && self.lower <= address && address <= self.upper
    }

    /// How many bits of the address are free in it: 8 for a `/24` of version 4, rounded down for other ranges.
    #[must_use]
    pub fn free_bits(&self) -> u32 {
        match (self.lower, self.upper) {
            (IpAddr::V4(lower), IpAddr::V4(upper)) => {
                (u64::from(upper.to_bits()).saturating_sub(lower.to_bits().into()) + 1).ilog2()
            }
            (IpAddr::V6(lower), IpAddr::V6(upper)) => {
                upper.to_bits().saturating_sub(lower.to_bits()).saturating_add(1).ilog2()
            }
            _ => 128,
        }
    }

    /// Whether it begins at an address that never reaches the internet.
    #[must_use]
    pub fn is_private(&self) -> bool {
        match self.lower {
            IpAddr::V4(lower) => lower.is_private() || lower.is_loopback() || lower.is_link_local(),
            IpAddr::V6(lower) => lower.is_unique_local() || lower.is_unicast_link_local() || lower.is_loopback(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Option<(String, String)> {
        IpRange::from_cidr(text).map(|range| (range.lower.to_string(), range.upper.to_string()))
    }

    #[test]
    fn blocks_of_both_families() {
        let ends = |lower: &str, upper: &str| Some((lower.to_owned(), upper.to_owned()));
        assert_eq!(range("203.0.113.77/25"), ends("203.0.113.0", "203.0.113.127"));
        assert_eq!(range("10.1.2.3/32"), ends("10.1.2.3", "10.1.2.3"));
        assert_eq!(range("0.0.0.0/0"), ends("0.0.0.0", "255.255.255.255"));
        assert_eq!(range("2001:db8::/127"), ends("2001:db8::", "2001:db8::1"));
        assert_eq!(range("198.51.100.7"), ends("198.51.100.7", "198.51.100.7"));
        assert_eq!(range("10.0.0.0/33"), None);
        assert_eq!(range("ten/8"), None);
    }

    #[test]
    fn the_width_of_a_range_is_in_bits() {
        let bits = |text: &str| IpRange::from_cidr(text).unwrap().free_bits();
        assert_eq!([bits("203.0.113.0/24"), bits("0.0.0.0/0"), bits("2001:db8::/48"), bits("::1")], [8, 32, 80, 0]);
    }
}
