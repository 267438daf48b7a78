//! Reads `settings.json`: facts about the tenant that Graph doesn't give, and thresholds of checks.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::tenant::json;
use crate::tenant::location::IpRange;
use crate::tenant::snapshot::Settings;

/// Thresholds of checks by `check-id.name`.
pub type Thresholds = BTreeMap<String, f64>;

/// Reads the settings, and the thresholds apart: they say how to judge, and are no part of the tenant.
///
/// # Errors
/// Says where (JSON pointer; line and column where it is no JSON) and what is wrong.
pub(super) fn read(text: &str) -> Result<(Settings, Thresholds), String> {
    let value: Value = json::parse(text).map_err(|error| format!("expected JSON: {error}"))?;
    let Value::Object(mut members) = value else { return Err("the document: expected an object".to_owned()) };
    let thresholds = members.remove("thresholds").map(thresholds).transpose()?.unwrap_or_default();
    let settings = serde_json::from_value(Value::Object(members.clone()));
    let settings = settings.map_err(|error| match wrong(&members) {
        Some((pointer, error)) => format!("{pointer}: {error}"),
        None => error.to_string(),
    })?;
    match no_range(&members) {
        Some(error) => Err(error),
        None => Ok((settings, thresholds)),
    }
}

/// The first of the trusted addresses that is none.
fn no_range(members: &Map<String, Value>) -> Option<String> {
    let listed = members.get("mfaTrustedIps")?.as_array()?;
    let wrong = |text: &Value| text.as_str().is_some_and(|text| IpRange::from_cidr(text).is_none());
    let (at, found) = listed.iter().enumerate().find(|(_, text)| wrong(text))?;
    Some(format!("/mfaTrustedIps/{at}: expected addresses in CIDR form such as 203.0.113.0/24, found {found}"))
}

fn thresholds(value: Value) -> Result<Thresholds, String> {
    let Value::Object(members) = value else {
        return Err("/thresholds: expected an object such as {\"policy-limit.most\": 200}".to_owned());
    };
    members
        .into_iter()
        .map(|(name, value)| match value.as_f64() {
            Some(number) => Ok((name, number)),
            None => Err(format!("/thresholds/{}: expected a number", escaped(&name))),
        })
        .collect()
}

/// The first member, or item of a member, that the settings can't have, with what is wrong about it.
fn wrong(members: &Map<String, Value>) -> Option<(String, String)> {
    let error = |alone: Value| serde_json::from_value::<Settings>(alone).err().map(|error| error.to_string());
    members.iter().find_map(|(name, value)| {
        let whole = error(json!({ name: value }))?;
        let pointer = format!("/{}", escaped(name));
        let empty = match value {
            Value::Array(_) => json!([]),
            Value::Object(_) => json!({}),
            _ => Value::Null,
        };
        // Where not even an empty one would do, it isn't about what is in it.
        if error(json!({ name: empty })).is_some() {
            return Some((pointer, whole));
        }
        let inner = match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .find_map(|(at, item)| error(json!({ name: [item] })).map(|error| (format!("{pointer}/{at}"), error))),
            Value::Object(inner) => inner.iter().find_map(|(key, item)| {
                error(json!({ name: { key: item } })).map(|error| (format!("{pointer}/{}", escaped(key)), error))
            }),
            _ => None,
        };
        Some(inner.unwrap_or((pointer, whole)))
    })
}

/// A member's name in a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_stand_beside_the_settings() {
        let (settings, thresholds) =
            read(r#"{"emergencyAccess": ["u1"], "thresholds": {"policy-limit.most": 10}}"#).unwrap();
        assert_eq!(settings.emergency_access.len(), 1);
        assert_eq!(thresholds, Thresholds::from([("policy-limit.most".to_owned(), 10.0)]));
    }

    #[test]
    fn an_error_names_the_place() {
        let error = |text: &str| read(text).unwrap_err();
        assert!(error(r#"{"emergencyAcess": ["x"]}"#).starts_with("/emergencyAcess: unknown field `emergencyAcess`"));
        assert!(error(r#"{"emergencyAccess": ["a", 3]}"#).starts_with("/emergencyAccess/1: invalid type"));
        assert!(error(r#"{"appGroups": {"a/b": 3}}"#).starts_with("/appGroups/a~1b: invalid type"));
        assert_eq!(error(r#"{"thresholds": {"x.y": "a"}}"#), "/thresholds/x.y: expected a number");
        let address = error(r#"{"mfaTrustedIps": ["203.0.113.0/24", "300.1.1.1/33"]}"#);
        assert_eq!(
            address,
            r#"/mfaTrustedIps/1: expected addresses in CIDR form such as 203.0.113.0/24, found "300.1.1.1/33""#
        );
        assert!(error("{").starts_with("expected JSON: EOF while parsing an object at line 1"));
    }
}
