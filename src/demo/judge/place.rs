//! Where a sign-in comes from, and whether a policy means that place.

use std::net::IpAddr;

use serde_json::Value;

use super::Case;
use super::read::{holds, list, text};

/// Id that stands for the old per-user MFA trusted addresses.
const MFA_TRUSTED: &str = "00000000-0000-0000-0000-000000000000";

/// Whether a location condition is met.
#[must_use]
pub fn meant(locations: &Value, case: Case<'_>) -> bool {
    let hits = |side: &str| list(locations, side).iter().any(|word| inside(word, case));
    // Two empty lists are how Graph may write that there is no condition.
    let empty = ["includeLocations", "excludeLocations"].iter().all(|side| list(locations, side).is_empty());
    empty || hits("includeLocations") && !hits("excludeLocations")
}

fn inside(word: &str, case: Case<'_>) -> bool {
    let known = case.around.named_locations;
    match word {
        "All" => true,
        "AllTrusted" => mfa_trusted(case) || known.iter().any(|location| trusted(location) && covers(location, case)),
        MFA_TRUSTED => mfa_trusted(case),
        id => known.iter().any(|location| text(location, "id") == Some(id) && covers(location, case)),
    }
}

/// A country is never trusted.
fn trusted(location: &Value) -> bool {
    location.get("isTrusted").and_then(Value::as_bool).unwrap_or(false) && location.get("ipRanges").is_some()
}

fn covers(location: &Value, case: Case<'_>) -> bool {
    if text(location, "@odata.type").is_some_and(|kind| kind.ends_with("compliantNetworkNamedLocation")) {
        return case.sign_in.pointer("/extra/compliantNetwork").and_then(Value::as_bool).unwrap_or(false);
    }
    match location.get("ipRanges").and_then(Value::as_array) {
        Some(ranges) => address(case).is_some_and(|address| ranges.iter().any(|range| in_range(range, address))),
        None => in_country(location, case),
    }
}

fn in_country(location: &Value, case: Case<'_>) -> bool {
    let by_gps = text(location, "countryLookupMethod") == Some("authenticatorAppGps");
    let from = if by_gps { "/extra/gpsCountry" } else { "/signInConditions/country" };
    let countries = list(location, "countriesAndRegions");
    let unknown = location.get("includeUnknownCountriesAndRegions").and_then(Value::as_bool).unwrap_or(false);
    match case.sign_in.pointer(from).and_then(Value::as_str) {
        Some(country) => holds(&countries, country),
        None => unknown && !by_gps,
    }
}

fn mfa_trusted(case: Case<'_>) -> bool {
    let ranges = case.around.mfa_trusted_ips.iter().filter_map(Value::as_str);
    address(case).filter(IpAddr::is_ipv4).is_some_and(|address| ranges.into_iter().any(|range| in_cidr(range, address)))
}

fn address(case: Case<'_>) -> Option<IpAddr> {
    case.sign_in.pointer("/signInConditions/ipAddress")?.as_str()?.parse().ok()
}

fn in_range(range: &Value, address: IpAddr) -> bool {
    if let Some(cidr) = text(range, "cidrAddress") {
        return in_cidr(cidr, address);
    }
    let end = |key: &str| {
        text(range, key).and_then(|end| end.parse::<IpAddr>().ok()).filter(|end| end.is_ipv4() == address.is_ipv4())
    };
    matches!((end("lowerAddress"), end("upperAddress")), (Some(lower), Some(upper)) if lower <= address && address <= upper)
}

/// Compares the leading bits of both addresses.
fn in_cidr(cidr: &str, address: IpAddr) -> bool {
    let Some((base, length)) = cidr.split_once('/') else { return false };
    let (Ok(base), Ok(length)) = (base.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let same = |base: u128, address: u128, width: u32| {
        length <= width && (length == 0 || base >> (width - length) == address >> (width - length))
    };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => same(u32::from(base).into(), u32::from(address).into(), 32),
        (IpAddr::V6(base), IpAddr::V6(address)) => same(base.into(), address.into(), 128),
        _ => false,
    }
}
