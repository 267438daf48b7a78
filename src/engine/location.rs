//! Whether a sign-in comes from the locations that a policy names.
//!
//! Source: Microsoft Learn, Conditional Access: Network assignment. A country is never trusted; a location whose id is
//! dangling never matches; one that can't be judged or wasn't read leaves the answer open.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::truth::Truth;
use super::unknown_words::is_word;
use crate::tenant::location::{IpRange, NamedLocation, Place};
use crate::tenant::policy::Sides;
use crate::tenant::sign_in::{Known, SignIn};
use crate::tenant::{Kind, Snapshot};

/// The id by which policies name the trusted addresses of per-user MFA.
pub const MFA_TRUSTED_IPS: &str = "00000000-0000-0000-0000-000000000000";

/// Whether a sign-in meets the location condition of a policy.
#[must_use]
pub fn met(snapshot: &Snapshot, condition: Option<&Sides<String>>, sign_in: &SignIn) -> Truth {
    let Some(sides) = condition else { return Truth::Yes };
    let hit = |ids: &BTreeSet<String>| Truth::any(ids.iter().map(|id| within(snapshot, id, sign_in)));
    hit(&sides.include).and(hit(&sides.exclude).negate())
}

/// Whether a sign-in comes from one entry of a location condition: a named location, `All` or `AllTrusted`.
#[must_use]
pub fn within(snapshot: &Snapshot, id: &str, sign_in: &SignIn) -> Truth {
    match id {
        "All" => Truth::Yes,
        "AllTrusted" => trusted(snapshot, &sign_in.ip).or(supposed(sign_in)).or(unread(snapshot, id, sign_in)),
        MFA_TRUSTED_IPS => in_ranges(mfa_trusted(snapshot), &sign_in.ip).or(supposed(sign_in)),
        _ => match snapshot.locations.get(id) {
            Some(location) => within_named(location, sign_in),
            // A word that isn't known is no id.
            None if is_word(id) => Truth::Maybe,
            None => unread(snapshot, id, sign_in),
        },
    }
}

/// Whether a sign-in comes from a named location.
#[must_use]
pub fn within_named(location: &NamedLocation, sign_in: &SignIn) -> Truth {
    match &location.place {
        Place::Ip { ranges, .. } => in_ranges(ranges.iter().copied(), &sign_in.ip),
        Place::Country { countries, by_gps, include_unknown } => {
            match if *by_gps { &sign_in.gps_country } else { &sign_in.country } {
                Known::Is(country) => countries.contains(&country.to_ascii_uppercase()).into(),
                Known::Absent => (*include_unknown).into(),
                Known::Unknown => Truth::Maybe,
            }
        }
        Place::CompliantNetwork => sign_in.compliant_network.map_or(Truth::Maybe, Truth::from),
        Place::Unknown(_) => Truth::Maybe,
    }
}

/// Whether an address is trusted: in a trusted named location, or one of the trusted addresses of per-user MFA.
#[must_use]
pub fn trusted(snapshot: &Snapshot, ip: &Known<IpAddr>) -> Truth {
    let ranges = snapshot.locations.values().filter_map(|location| match &location.place {
        Place::Ip { trusted: true, ranges } => Some(ranges.iter().copied()),
        _ => None,
    });
    in_ranges(ranges.flatten().chain(mfa_trusted(snapshot)), ip)
}

fn mfa_trusted(snapshot: &Snapshot) -> impl Iterator<Item = IpRange> {
    // The setting takes v4 addresses only.
    let ranges = snapshot.settings.mfa_trusted().filter_map(IpRange::from_cidr);
    ranges.filter(|range| range.lower.is_ipv4())
}

fn in_ranges(mut ranges: impl Iterator<Item = IpRange>, ip: &Known<IpAddr>) -> Truth {
    match ip {
        // IPv4 written as IPv6 is the same address.
        Known::Is(ip) => ranges.any(|range| range.contains(ip.to_canonical())).into(),
        Known::Absent => Truth::No,
        // Without a single range the answer is no for every address.
        Known::Unknown => {
            if ranges.next().is_some() {
                Truth::Maybe
            } else {
                Truth::No
            }
        }
    }
}

/// One address for each stretch of addresses that these ranges tell apart, of both families.
#[must_use]
pub fn stretches<'a>(ranges: impl IntoIterator<Item = &'a IpRange>) -> BTreeSet<IpAddr> {
    let lowest = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    // A stretch begins where a range does, or after the end of one.
    let begun = ranges.into_iter().flat_map(|range| [Some(range.lower), next(range.upper)]).flatten();
    begun.chain(lowest).collect()
}

fn next(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => address.to_bits().checked_add(1).map(|bits| Ipv4Addr::from_bits(bits).into()),
        IpAddr::V6(address) => address.to_bits().checked_add(1).map(|bits| Ipv6Addr::from_bits(bits).into()),
    }
}

/// Whether a sign-in is supposed to come from a trusted address of per-user MFA, where nobody stated these. What is known of a
/// real one speaks of its own address, and an address that nobody stated isn't trusted.
fn supposed(sign_in: &SignIn) -> Truth {
    (sign_in.unread_places.get(MFA_TRUSTED_IPS) == Some(&true)).into()
}

/// Whether a sign-in comes from a location that wasn't read: as it says itself, or nobody knows.
fn unread(snapshot: &Snapshot, id: &str, sign_in: &SignIn) -> Truth {
    if snapshot.has(Kind::NamedLocations) {
        return Truth::No;
    }
    sign_in.unread_places.get(id).map_or(Truth::Maybe, |inside| Truth::from(*inside))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tenant::read::read_named_location;
    use crate::tenant::{Reading, SnapshotBuilder};

    fn tenant() -> Snapshot {
        let mut builder = SnapshotBuilder::default();
        for location in [
            json!({"id": "hq", "isTrusted": true, "ipRanges": [{"cidrAddress": "203.0.113.0/24"}, {"cidrAddress": "2001:db8::/32"}]}),
            json!({"id": "branch", "isTrusted": false, "ipRanges": [{"cidrAddress": "198.51.100.0/24"}]}),
            json!({"id": "nordics", "countriesAndRegions": ["se", "NO"], "includeUnknownCountriesAndRegions": true}),
            json!({"id": "gps", "countriesAndRegions": ["SE"], "countryLookupMethod": "authenticatorAppGps"}),
            json!({"id": "network", "@odata.type": "#microsoft.graph.compliantNetworkNamedLocation"}),
        ] {
            builder.location(read_named_location(&location).unwrap());
        }
        builder.reading(Kind::NamedLocations, Reading::Complete { count: 5 });
        builder.snapshot.settings.mfa_trusted_ips = Some(vec!["192.0.2.0/28".into()]);
        builder.build()
    }

    fn from(ip: &str) -> SignIn {
        SignIn { ip: Known::Is(ip.parse().unwrap()), ..SignIn::default() }
    }

    #[test]
    fn trusted_is_by_flag_or_by_the_old_setting_and_never_by_country() {
        let tenant = tenant();
        let trusted = |sign_in: &SignIn| within(&tenant, "AllTrusted", sign_in);
        assert_eq!(trusted(&from("203.0.113.9")), Truth::Yes);
        assert_eq!(trusted(&from("2001:db8:5::1")), Truth::Yes);
        assert_eq!(trusted(&from("192.0.2.15")), Truth::Yes);
        assert_eq!(within(&tenant, MFA_TRUSTED_IPS, &from("192.0.2.16")), Truth::No);
        let swedish = SignIn { country: Known::Is("SE".into()), ..from("198.51.100.1") };
        assert_eq!(trusted(&swedish), Truth::No);
        assert_eq!(trusted(&SignIn::default()), Truth::Maybe);
    }

    #[test]
    fn every_stretch_of_addresses_is_seen_once() {
        let range = |text| IpRange::from_cidr(text).unwrap();
        let found = stretches(&[range("10.0.0.0/8"), range("10.1.0.0/16"), range("255.255.255.0/24")]);
        let found = found.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found, ["0.0.0.0", "10.0.0.0", "10.1.0.0", "10.2.0.0", "11.0.0.0", "255.255.255.0", "::"]);
    }

    #[test]
    fn countries_by_address_and_by_gps() {
        let tenant = tenant();
        let country = |country| SignIn { country, ..SignIn::default() };
        assert_eq!(within(&tenant, "nordics", &country(Known::Is("se".into()))), Truth::Yes);
        assert_eq!(within(&tenant, "nordics", &country(Known::Absent)), Truth::Yes);
        assert_eq!(within(&tenant, "nordics", &country(Known::Is("DE".into()))), Truth::No);
        assert_eq!(within(&tenant, "nordics", &country(Known::Unknown)), Truth::Maybe);
        assert_eq!(within(&tenant, "gps", &country(Known::Is("SE".into()))), Truth::Maybe);
    }

    #[test]
    fn exclusion_wins_and_what_is_not_known_stays_open() {
        let tenant = tenant();
        let sides = |include: &[&str], exclude: &[&str]| Sides {
            include: include.iter().map(ToString::to_string).collect::<BTreeSet<_>>(),
            exclude: exclude.iter().map(ToString::to_string).collect(),
        };
        let outside = sides(&["All"], &["AllTrusted"]);
        assert_eq!(met(&tenant, Some(&outside), &from("203.0.113.1")), Truth::No);
        assert_eq!(met(&tenant, Some(&outside), &from("198.51.100.1")), Truth::Yes);
        assert_eq!(met(&tenant, Some(&sides(&["All"], &["network"])), &from("198.51.100.1")), Truth::Maybe);
        assert_eq!(met(&tenant, None, &SignIn::default()), Truth::Yes);
    }

    #[test]
    fn a_dangling_id_never_matches_unless_locations_were_not_read() {
        let tenant = tenant();
        assert_eq!(within(&tenant, "l-deleted", &from("203.0.113.1")), Truth::No);
        assert_eq!(within(&Snapshot::default(), "l-deleted", &from("203.0.113.1")), Truth::Maybe);
        assert_eq!(within(&tenant, "AllOfSomeKind", &from("203.0.113.1")), Truth::Maybe, "a word of next year");
        assert_eq!(within(&Snapshot::default(), "AllTrusted", &from("203.0.113.1")), Truth::Maybe);
    }
}
