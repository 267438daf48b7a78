//! Reads named locations, authentication strengths and authentication contexts.

use serde_json::Value;

use super::ReadError;
use super::node::Node;
use crate::tenant::location::{IpRange, NamedLocation, Place};
use crate::tenant::strength::{Strength, canonical_combination};

/// Reads a `namedLocation` of any kind; a kind that can't be judged keeps its OData type.
///
/// # Errors
/// Names the place that isn't what the resource has there, such as a range that is no CIDR.
pub fn read_named_location(value: &Value) -> Result<NamedLocation, ReadError> {
    let node = Node::root(value);
    let odata = node.member("@odata.type").string()?;
    let place = match odata.trim_start_matches("#microsoft.graph.") {
        "ipNamedLocation" => read_ranges(&node)?,
        "countryNamedLocation" => read_countries(&node)?,
        "" if !node.member("ipRanges").is_null() => read_ranges(&node)?,
        "" if !node.member("countriesAndRegions").is_null() => read_countries(&node)?,
        "" => return Err(node.member("@odata.type").wrong("#microsoft.graph.ipNamedLocation or countryNamedLocation")),
        "compliantNetworkNamedLocation" => Place::CompliantNetwork,
        other => Place::Unknown(other.to_owned()),
    };
    Ok(NamedLocation {
        id: node.member("id").required_id()?,
        display_name: node.member("displayName").string()?,
        place,
    })
}

fn read_ranges(node: &Node<'_>) -> Result<Place, ReadError> {
    let list = node.member("ipRanges");
    let ranges = list.items()?.iter().map(read_range).collect::<Result<_, _>>()?;
    Ok(Place::Ip { trusted: node.member("isTrusted").flag()?.unwrap_or_default(), ranges })
}

fn read_range(node: &Node<'_>) -> Result<IpRange, ReadError> {
    let cidr = node.member("cidrAddress");
    if let Some(text) = cidr.text()? {
        return IpRange::from_cidr(text).ok_or_else(|| cidr.wrong("addresses in CIDR form such as 203.0.113.0/24"));
    }
    let end = |name: &'static str| -> Result<_, ReadError> {
        let member = node.member(name);
        member.text()?.and_then(|text| text.parse().ok()).ok_or_else(|| member.wrong("an IP address"))
    };
    let range = IpRange { lower: end("lowerAddress")?, upper: end("upperAddress")? };
    if range.contains(range.upper) { Ok(range) } else { Err(node.wrong("a range with its lower address first")) }
}

fn read_countries(node: &Node<'_>) -> Result<Place, ReadError> {
    let method = node.member("countryLookupMethod").string()?;
    let listed = node.member("countriesAndRegions");
    let words = listed.strings()?;
    // Microsoft's list may grow, but the name of a country would be one from which nobody comes.
    if words.iter().any(|word| word.len() != 2) {
        return Err(listed.wrong("two-letter country codes (ISO 3166-1)"));
    }
    Ok(Place::Country {
        countries: words.into_iter().map(str::to_ascii_uppercase).collect(),
        by_gps: method.eq_ignore_ascii_case("authenticatorAppGps"),
        include_unknown: node.member("includeUnknownCountriesAndRegions").flag()?.unwrap_or_default(),
    })
}

/// Reads an `authenticationStrengthPolicy`.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_strength(value: &Value) -> Result<Strength, ReadError> {
    let node = Node::root(value);
    let list = node.member("allowedCombinations");
    let Some(items) = list.value().as_array() else { return Err(list.wrong("an array of combinations")) };
    // A comma joins the methods of one combination here, so the list can't be read as flags are.
    let combinations = items.iter().map(|item| item.as_str().map(canonical_combination)).collect::<Option<_>>();
    Ok(Strength {
        id: node.member("id").required_id()?,
        display_name: node.member("displayName").string()?,
        allowed_combinations: combinations.ok_or_else(|| list.wrong("an array of strings"))?,
        satisfies_mfa: node
            .member("requirementsSatisfied")
            .strings()?
            .iter()
            .any(|word| word.eq_ignore_ascii_case("mfa")),
    })
}

/// Reads an `authenticationContextClassReference`: its id and name, if it is published.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_context(value: &Value) -> Result<Option<(String, String)>, ReadError> {
    let node = Node::root(value);
    let entry = (node.member("id").required_id()?.to_ascii_lowercase(), node.member("displayName").string()?);
    Ok(node.member("isAvailable").flag()?.unwrap_or(true).then_some(entry))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use serde_json::json;

    use super::*;

    fn contains(location: &NamedLocation, address: &str) -> bool {
        let address: IpAddr = address.parse().unwrap();
        matches!(&location.place, Place::Ip { ranges, .. } if ranges.iter().any(|range| range.contains(address)))
    }

    #[test]
    fn ranges_of_both_families_and_both_forms() {
        let location = read_named_location(&json!({
            "@odata.type": "#microsoft.graph.ipNamedLocation", "id": "l", "displayName": "HQ", "isTrusted": true,
            "ipRanges": [
                {"cidrAddress": "203.0.113.128/25"}, {"cidrAddress": "2001:db8:aa::/48"},
                {"lowerAddress": "198.51.100.1", "upperAddress": "198.51.100.9"}]
        }))
        .unwrap();
        assert!(contains(&location, "203.0.113.255") && !contains(&location, "203.0.113.127"));
        assert!(contains(&location, "2001:db8:aa:ffff::1") && !contains(&location, "2001:db8:ab::1"));
        assert!(contains(&location, "198.51.100.9") && !contains(&location, "198.51.100.10"));
    }

    #[test]
    fn a_wrong_range_is_named() {
        let error = read_named_location(&json!({"id": "l", "ipRanges": [{"cidrAddress": "10.0.0.0/33"}]})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/ipRanges/0/cidrAddress: expected addresses in CIDR form such as 203.0.113.0/24, found the text \"10.0.0.0/33\""
        );
        let backwards = json!({"id": "l", "ipRanges": [{"lowerAddress": "10.0.0.9", "upperAddress": "10.0.0.1"}]});
        assert!(read_named_location(&backwards).is_err());
    }

    #[test]
    fn the_name_of_a_country_is_no_code() {
        let error = read_named_location(&json!({"id": "l", "countriesAndRegions": ["DE", "France"]})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/countriesAndRegions: expected two-letter country codes (ISO 3166-1), found an array"
        );
    }

    #[test]
    fn a_beta_kind_is_kept_as_unknown() {
        let location =
            read_named_location(&json!({"@odata.type": "#microsoft.graph.privateLinkNamedLocation", "id": "l"}));
        assert_eq!(location.unwrap().place, Place::Unknown("privateLinkNamedLocation".into()));
    }

    #[test]
    fn combinations_are_compared_as_sets_of_methods() {
        let strength = read_strength(&json!({"id": "s", "allowedCombinations": ["sms,password", "fido2"]})).unwrap();
        assert!(strength.allowed_combinations.contains("password,sms"));
        assert!(!strength.satisfies_mfa);
    }
}
