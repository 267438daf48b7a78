//! Device filters and filters over custom security attributes: the rule language, naively.
//!
//! Grammar: `or := and {-or and}`, `and := not {-and not}`, `not := [-not] (group | comparison)`.

use std::cell::Cell;

use serde_json::{Value, json};

use super::Case;
use super::read::text;

/// What a rule for devices can speak of, besides the numbered extension attributes.
const ATTRIBUTES: &[&str] = &[
    "deviceid",
    "deviceownership",
    "displayname",
    "enrollmentprofilename",
    "iscompliant",
    "manufacturer",
    "mdmappid",
    "model",
    "operatingsystem",
    "operatingsystemversion",
    "physicalids",
    "profiletype",
    "systemlabels",
    "trusttype",
];

/// Whether a device condition is met: the filter's rule, and its mode.
#[must_use]
pub fn meant(devices: &Value, case: Case<'_>) -> bool {
    let Some(filter) = devices.get("deviceFilter").filter(|filter| text(filter, "rule").is_some()) else {
        return super::read::list(devices, "includeDevices").is_empty();
    };
    let matched = holds(text(filter, "rule").unwrap_or_default(), &|name| attribute(name, case));
    matched == (text(filter, "mode") != Some("exclude"))
}

/// Whether a rule over custom security attributes holds for a service principal.
#[must_use]
pub fn tag_rule(rule: &str, principal: &Value) -> bool {
    holds(rule, &|name| {
        let (prefix, name) = name.split_once('.')?;
        let (set, attribute) =
            name.split_once('_').filter(|_| prefix.eq_ignore_ascii_case("CustomSecurityAttribute"))?;
        let tags = principal.get("customSecurityAttributes")?;
        let found = member(tags, set).and_then(|set| member(set, attribute)).or_else(|| member(tags, name));
        found.filter(|tag| tag.is_string() || tag.is_array()).cloned()
    })
}

/// Whether a rule for devices can be read to its end, with attributes and operators that there are.
#[must_use]
pub fn readable(rule: &str) -> bool {
    let unknown = Cell::new(false);
    let lookup = |name: &str| {
        unknown.set(unknown.get() || !is_attribute(name));
        Some(json!("something"))
    };
    let mut reader = Reader { tokens: tokens(rule), at: 0, lookup: &lookup };
    reader.or().is_some() && reader.at == reader.tokens.len() && !unknown.get()
}

fn is_attribute(name: &str) -> bool {
    let name = name.to_lowercase();
    let Some(name) = name.strip_prefix("device.") else { return false };
    let numbered = name.strip_prefix("extensionattribute").and_then(|number| number.parse::<u8>().ok());
    ATTRIBUTES.contains(&name) || numbered.is_some_and(|number| (1..=15).contains(&number))
}

/// An attribute of the device that signs in; every one is empty for an unregistered device.
fn attribute(name: &str, case: Case<'_>) -> Option<Value> {
    let device = case.sign_in.pointer("/signInConditions/deviceInfo").filter(|device| !device.is_null())?;
    let extra = |key: &str| case.sign_in.get("extra").and_then(|extra| extra.get(key)).and_then(Value::as_bool);
    if extra("deviceRegistered") == Some(false) {
        return None;
    }
    let name = name.to_lowercase();
    let name = name.strip_prefix("device.").unwrap_or(&name);
    let compliant = device.get("isCompliant").and_then(Value::as_bool).unwrap_or(false);
    let hybrid = text(device, "trustType").is_some_and(|trust| trust.eq_ignore_ascii_case("ServerAD"));
    if name.starts_with("extensionattribute") && !(compliant || hybrid || extra("deviceManagedByIntune") == Some(true))
    {
        return None;
    }
    let written = if name == "deviceownership" { "ownership" } else { name };
    member(device, written).filter(|value| !value.is_null()).cloned()
}

/// A member by name, letter case aside.
fn member<'a>(of: &'a Value, name: &str) -> Option<&'a Value> {
    Some(of.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1)
}

type Lookup<'a> = &'a dyn Fn(&str) -> Option<Value>;

/// Whether a rule holds; a rule that cannot be read holds for nothing.
fn holds(rule: &str, lookup: Lookup<'_>) -> bool {
    let mut reader = Reader { tokens: tokens(rule), at: 0, lookup };
    reader.or().unwrap_or(false)
}

struct Reader<'a> {
    tokens: Vec<String>,
    at: usize,
    lookup: Lookup<'a>,
}

impl Reader<'_> {
    fn or(&mut self) -> Option<bool> {
        let mut value = self.and()?;
        while self.take("or") {
            value |= self.and()?;
        }
        Some(value)
    }

    fn and(&mut self) -> Option<bool> {
        let mut value = self.not()?;
        while self.take("and") {
            value &= self.not()?;
        }
        Some(value)
    }

    fn not(&mut self) -> Option<bool> {
        let negated = self.take("not");
        let value = if self.take("(") {
            let value = self.or()?;
            self.take(")").then_some(value)?
        } else {
            self.comparison()?
        };
        Some(value != negated)
    }

    fn comparison(&mut self) -> Option<bool> {
        let name = self.next()?;
        let operator = self.next()?.trim_start_matches('-').to_lowercase();
        let wanted = self.values()?;
        let found = (self.lookup)(&name);
        let (negative, operator) = match operator.as_str() {
            "ne" | "notequals" => (true, "eq"),
            "equals" => (false, "eq"),
            other => (other.starts_with("not"), other.strip_prefix("not").unwrap_or(other)),
        };
        compare(operator, found.as_ref(), &wanted).map(|holds| holds != negative)
    }

    fn values(&mut self) -> Option<Vec<String>> {
        if !self.take("[") {
            return self.next().map(|value| vec![value]);
        }
        let mut values = Vec::new();
        while !self.take("]") {
            values.push(self.next()?);
            self.take(",");
        }
        Some(values)
    }

    fn next(&mut self) -> Option<String> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, word: &str) -> bool {
        let found =
            self.tokens.get(self.at).is_some_and(|token| token.trim_start_matches('-').eq_ignore_ascii_case(word));
        if found {
            self.at += 1;
        }
        found
    }
}

/// A positive comparison; nothing compares to an empty attribute but `null`.
fn compare(operator: &str, found: Option<&Value>, wanted: &[String]) -> Option<bool> {
    let single = wanted.first().map(|value| unquoted(value)).unwrap_or_default();
    let Some(found) = found else { return Some(operator == "eq" && single == "null") };
    if let (Some(items), "contains") = (found.as_array(), operator) {
        return Some(items.iter().any(|item| lower(item) == single));
    }
    let text = lower(found);
    match operator {
        "eq" => Some(text == single),
        "startswith" => Some(text.starts_with(&single)),
        "endswith" => Some(text.ends_with(&single)),
        "contains" => Some(text.contains(&single)),
        "in" => Some(wanted.iter().any(|value| unquoted(value) == text)),
        _ => None,
    }
}

fn lower(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).to_lowercase()
}

/// The text of a token, without its quotes; a backtick stands before a letter that is meant as it is.
fn unquoted(token: &str) -> String {
    let inner = token.strip_prefix(['"', '\'']).map_or(token, |rest| rest.get(..rest.len() - 1).unwrap_or(rest));
    inner.replace('`', "").to_lowercase()
}

/// Words, brackets, commas, and quoted texts with their quotes.
fn tokens(rule: &str) -> Vec<String> {
    let mut tokens = vec![String::new()];
    let (mut quote, mut escaped) = (None, false);
    for letter in rule.chars() {
        let last = tokens.last_mut();
        match (quote, letter) {
            (Some(open), _) => {
                if let Some(last) = last {
                    last.push(letter);
                }
                quote = (escaped || letter != open).then_some(open);
                escaped = letter == '`' && !escaped;
            }
            (None, '"' | '\'') => {
                quote = Some(letter);
                tokens.push(letter.into());
            }
            (None, '(' | ')' | '[' | ']' | ',') => tokens.extend([letter.into(), String::new()]),
            (None, letter) if letter.is_whitespace() => tokens.push(String::new()),
            (None, _) => {
                if let Some(last) = last {
                    last.push(letter);
                }
            }
        }
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_what_there_is_and_ends_where_it_ends() {
        assert!(readable(r#"device.trustType -ne "ServerAD" -or device.isCompliant -ne True"#));
        assert!(readable(r#"-not (device.extensionAttribute15 -in ["a", "b"]) -and device.model -notStartsWith 'x'"#));
        for odd in ["", "device.colour -eq 1", "device.model -like 1", "device.model -eq 1 device.model", "model -eq 1"]
        {
            assert!(!readable(odd), "{odd}");
        }
    }
}
