//! A place in a JSON document that knows its own pointer, so that an error can name it.
//!
//! Members are found whatever their case (PowerShell exports are in `PascalCase`); a missing member is the same as `null`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::ReadError;
use crate::tenant::words::Word;

static NULL: Value = Value::Null;

/// A value and the way to it.
#[derive(Clone, Copy)]
pub(in crate::tenant) struct Node<'a> {
    value: &'a Value,
    step: Step<'a>,
    parent: Option<&'a Node<'a>>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Member(&'a str),
    Item(usize),
}

impl<'a> Node<'a> {
    pub(in crate::tenant) fn root(value: &'a Value) -> Self {
        Self { value, step: Step::Root, parent: None }
    }

    /// The value of this member, or `null`.
    pub(in crate::tenant) fn member<'s>(&'s self, name: &'s str) -> Node<'s> {
        let found = self.value.as_object().and_then(|object| {
            object
                .get_key_value(name)
                .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)))
                .map(|(key, value)| (key.as_str(), value))
        });
        let (key, value) = found.unwrap_or((name, &NULL));
        Node { value, step: Step::Member(key), parent: Some(self) }
    }

    /// The items of an array; a single object stands for an array of one, `null` for none.
    pub(in crate::tenant) fn items(&self) -> Result<Vec<Node<'_>>, ReadError> {
        match self.value {
            Value::Null => Ok(Vec::new()),
            Value::Object(_) => Ok(vec![Node { value: self.value, step: self.step, parent: self.parent }]),
            Value::Array(items) => Ok(items
                .iter()
                .enumerate()
                .map(|(at, value)| Node { value, step: Step::Item(at), parent: Some(self) })
                .collect()),
            Value::String(text) if is_cut_off(text) => Err(self.wrong(NOT_CUT_OFF)),
            _ => Err(self.wrong("an array")),
        }
    }

    /// Members that are neither known nor OData annotations, nor empty.
    pub(in crate::tenant) fn others<'s>(&'s self, known: &[&str]) -> Vec<Node<'s>> {
        let Some(object) = self.value.as_object() else { return Vec::new() };
        object
            .iter()
            .filter(|(key, value)| {
                !is_annotation(key) && !is_empty(value) && !known.iter().any(|k| k.eq_ignore_ascii_case(key))
            })
            .map(|(key, value)| Node { value, step: Step::Member(key), parent: Some(self) })
            .collect()
    }

    /// Whether it has this member, whatever its value and its case.
    pub(in crate::tenant) fn has(&self, name: &str) -> bool {
        self.value.as_object().is_some_and(|members| members.keys().any(|key| key.eq_ignore_ascii_case(name)))
    }

    /// That PowerShell left out what was here.
    pub(in crate::tenant) fn cut_off(&self) -> Option<ReadError> {
        self.value.as_str().is_some_and(is_cut_off).then(|| self.wrong(NOT_CUT_OFF))
    }

    pub(in crate::tenant) fn value(&self) -> &'a Value {
        self.value
    }

    pub(in crate::tenant) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// Fails unless it is an object or `null`.
    pub(in crate::tenant) fn object(self) -> Result<Self, ReadError> {
        match self.value {
            Value::Object(_) | Value::Null => Ok(self),
            _ => Err(self.cut_off().unwrap_or_else(|| self.wrong("an object"))),
        }
    }

    pub(in crate::tenant) fn text(&self) -> Result<Option<&'a str>, ReadError> {
        match self.value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            _ => Err(self.wrong("a string")),
        }
    }

    /// A string; an absent one is empty.
    pub(in crate::tenant) fn string(&self) -> Result<String, ReadError> {
        Ok(self.text()?.unwrap_or_default().to_owned())
    }

    /// A string that isn't empty.
    pub(in crate::tenant) fn filled(&self) -> Result<Option<String>, ReadError> {
        Ok(self.text()?.filter(|text| !text.is_empty()).map(str::to_owned))
    }

    /// An object id; GUIDs are compared in lower case.
    pub(in crate::tenant) fn id(&self) -> Result<String, ReadError> {
        Ok(id(self.text()?.unwrap_or_default()))
    }

    /// An object id that must be there.
    pub(in crate::tenant) fn required_id(&self) -> Result<String, ReadError> {
        let found = self.id()?;
        if found.is_empty() { Err(self.wrong("an object id")) } else { Ok(found) }
    }

    /// A Boolean, also as the text that PowerShell and Log Analytics write.
    pub(in crate::tenant) fn flag(&self) -> Result<Option<bool>, ReadError> {
        match self.value {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            Value::String(text) if text.is_empty() => Ok(None),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            _ => Err(self.wrong("true or false")),
        }
    }

    /// A whole number, also as text, and as PowerShell writes it (`4.0`).
    pub(in crate::tenant) fn number(&self) -> Result<Option<i64>, ReadError> {
        let read = match self.value {
            Value::Null => return Ok(None),
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
            _ => None,
        };
        read.map(Some).ok_or_else(|| self.wrong("a whole number"))
    }

    /// A time in RFC 3339, or as Windows PowerShell writes it (`/Date(1700000000000)/`). Without a zone it is in UTC.
    pub(in crate::tenant) fn time(&self) -> Result<Option<Timestamp>, ReadError> {
        let Some(text) = self.text()?.filter(|text| !text.is_empty()) else { return Ok(None) };
        let millis = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/"));
        let time = match millis {
            Some(millis) => millis.parse().ok().and_then(moment),
            None => text.parse().ok().or_else(|| without_zone(text)),
        };
        time.map(Some).ok_or_else(|| self.wrong("a time such as 2026-11-23T08:00:00Z"))
    }

    /// Strings of an array; a single string, comma-joined or not, stands for an array (flags come in both shapes).
    pub(in crate::tenant) fn strings(&self) -> Result<Vec<&'a str>, ReadError> {
        Ok(self.words_at()?.into_iter().map(|(text, _)| text).collect())
    }

    /// As [`Node::strings`], as a set of ids.
    pub(in crate::tenant) fn ids(&self) -> Result<BTreeSet<String>, ReadError> {
        Ok(self.strings()?.into_iter().map(id).collect())
    }

    /// The values of enumerated words; words that this program doesn't know are returned by their pointers.
    pub(in crate::tenant) fn words<W: Word + Ord>(
        &self,
        nothing: &[&str],
    ) -> Result<(BTreeSet<W>, Vec<String>), ReadError> {
        let mut known = BTreeSet::new();
        let mut unknown = Vec::new();
        for (word, pointer) in self.words_at()? {
            match W::parse(word) {
                Some(value) => drop(known.insert(value)),
                None if nothing.iter().any(|skip| skip.eq_ignore_ascii_case(word)) => {}
                None => unknown.push(format!("{pointer} ({word})")),
            }
        }
        Ok((known, unknown))
    }

    fn words_at(&self) -> Result<Vec<(&'a str, String)>, ReadError> {
        match self.value {
            Value::Null => Ok(Vec::new()),
            Value::String(text) if is_cut_off(text) => Err(self.wrong(NOT_CUT_OFF)),
            Value::String(text) => Ok(split(text).map(|word| (word, self.pointer())).collect()),
            Value::Array(items) => items.iter().enumerate().try_fold(Vec::new(), |mut all, (at, value)| {
                let item = Node { value, step: Step::Item(at), parent: Some(self) };
                let Some(text) = value.as_str() else { return Err(item.wrong("a string")) };
                if is_cut_off(text) {
                    return Err(item.wrong(NOT_CUT_OFF));
                }
                all.extend(split(text).map(|word| (word, item.pointer())));
                Ok(all)
            }),
            _ => Err(self.wrong("an array of strings")),
        }
    }

    /// What is here instead of what was expected.
    pub(in crate::tenant) fn wrong(&self, expected: &'static str) -> ReadError {
        ReadError { pointer: self.pointer(), expected, found: describe(self.value) }
    }

    /// The JSON pointer (RFC 6901) of this place.
    pub(in crate::tenant) fn pointer(&self) -> String {
        let above = self.parent.map(Node::pointer).unwrap_or_default();
        match self.step {
            Step::Root => above,
            Step::Member(name) => format!("{above}/{}", name.replace('~', "~0").replace('/', "~1")),
            Step::Item(at) => format!("{above}/{at}"),
        }
    }
}

/// A number without a fraction.
fn whole(number: f64) -> Option<i64> {
    number.to_string().parse().ok()
}

/// What is said to end "never" ends with the last moment that there is.
fn moment(millis: i64) -> Option<Timestamp> {
    if millis > Timestamp::MAX.as_millisecond() {
        Some(Timestamp::MAX)
    } else {
        Timestamp::from_millisecond(millis).ok()
    }
}

/// A time whose zone isn't said, or one so late that none is left to convert it: `9999-12-31T23:59:59Z` stands for never.
fn without_zone(text: &str) -> Option<Timestamp> {
    let time: DateTime = text.trim_end_matches(['Z', 'z']).parse().ok()?;
    let last = time.year() == DateTime::MAX.year();
    TimeZone::UTC.to_timestamp(time).ok().or_else(|| last.then_some(Timestamp::MAX))
}

/// What is expected where PowerShell left out what lies deeper than it was told to go.
const NOT_CUT_OFF: &str = "what ConvertTo-Json cut off here (export again with -Depth 20)";

/// Whether a text is what PowerShell leaves of a list or an object beyond its depth.
fn is_cut_off(text: &str) -> bool {
    let list = text == "System.Object[]" || text == "System.String[]" || text.starts_with("System.Collections.");
    list || (text.starts_with("@{") && text.ends_with('}'))
}

/// The words of a text. Of ids PowerShell leaves a list with spaces, beyond its depth.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split([',', ';']).map(str::trim);
    let words = parts.flat_map(|part| {
        let ids = part.split_whitespace().all(is_guid);
        part.split(move |character: char| ids && character.is_whitespace())
    });
    words.filter(|word| !word.is_empty())
}

fn is_annotation(key: &str) -> bool {
    key.contains('@') || key.starts_with('#')
}

/// Says nothing: null, false, or only made of such things.
pub(in crate::tenant) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.is_empty() || text.eq_ignore_ascii_case("none"),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.iter().all(|(key, value)| is_annotation(key) || is_empty(value)),
    }
}

/// An id as it is compared: a GUID in lower case, anything else as written.
pub(in crate::tenant) fn id(text: &str) -> String {
    if is_guid(text) { text.to_ascii_lowercase() } else { text.to_owned() }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(text) => format!("the text {:?}", text.chars().take(40).collect::<String>()),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_as_powershell_writes_them() {
        let read = |value: Value| Node::root(&value).number().ok().flatten();
        assert_eq!(
            [read(json!(4)), read(json!(4.0)), read(json!("4.0")), read(json!(4.5))],
            [Some(4), Some(4), Some(4), None]
        );
    }

    #[test]
    fn ids_that_powershell_left_with_spaces_are_told_apart_and_what_it_left_out_is_an_error() {
        let (one, other) = ("11111111-0000-0000-0000-000000000001", "11111111-0000-0000-0000-000000000002");
        let read = |value: Value| Node::root(&value).strings().map(|all| all.join("+")).map_err(|error| error.expected);
        assert_eq!(read(json!(format!("{one} {other}"))), Ok(format!("{one}+{other}")));
        assert_eq!(read(json!([format!("{one}; {other}")])), Ok(format!("{one}+{other}")));
        assert_eq!(read(json!("Current administrator")), Ok("Current administrator".to_owned()));
        for left in ["System.Object[]", "System.Collections.Hashtable", "@{id=1}"] {
            assert_eq!(read(json!(left)), Err(NOT_CUT_OFF));
            assert_eq!(read(json!([left])), Err(NOT_CUT_OFF));
            assert!(Node::root(&json!(left)).object().is_err_and(|error| error.expected == NOT_CUT_OFF));
        }
    }

    #[test]
    fn times_without_a_zone_and_times_that_mean_never() {
        let read = |text: &str| Node::root(&json!(text)).time().ok().flatten();
        let utc = read("2025-11-26T10:00:00Z");
        assert!(utc.is_some());
        assert_eq!(read("2025-11-26T10:00:00"), utc);
        assert_eq!(read("2025-11-26"), read("2025-11-26T00:00:00Z"));
        for never in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.9999999Z", "/Date(253402300799999)/"] {
            assert_eq!(read(never), Some(Timestamp::MAX));
        }
        assert_eq!(read("11/26/2025 10:00:00 AM"), None);
    }
}
