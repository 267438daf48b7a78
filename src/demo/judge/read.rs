//! Short ways to read Graph's JSON.

use serde_json::Value;

/// The text at `key`.
#[must_use]
pub fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// The texts of the list at `key`; none for anything else.
#[must_use]
pub fn list<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    let rows = value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    rows.iter().filter_map(Value::as_str).collect()
}

/// The words of a flags property: one string with commas, or, leniently, a list.
#[must_use]
pub fn flags<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    match text(value, key) {
        Some(words) => words.split(',').map(str::trim).filter(|word| !word.is_empty()).collect(),
        None => list(value, key),
    }
}

/// Whether `words` holds `word`, letter case aside.
#[must_use]
pub fn holds(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}
