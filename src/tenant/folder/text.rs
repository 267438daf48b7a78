//! From bytes to JSON objects: the encodings and the containers that exports come in.

use serde_json::Value;

use crate::tenant::json;

/// The text of a file in UTF-8 or, as Windows PowerShell writes it, UTF-16; none for anything else.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<String> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // JSON begins with an ASCII character, so a zero byte beside it gives UTF-16 without a mark away.
        [first, 0, ..] if *first != 0 => utf16(bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => utf16(bytes, u16::from_be_bytes),
        _ => std::str::from_utf8(bytes).ok().map(str::to_owned),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair)).collect::<Vec<_>>();
    rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
}

/// The objects of a file, each with its JSON pointer, and what the file says of itself.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// `@odata.context`, or `@odata.type` of a lone object.
    pub(super) says: Option<String>,
    /// The member that links to the next page, where there is one: then this is a part of a collection.
    pub(super) more: Option<String>,
    /// The objects.
    pub(super) objects: Vec<(String, Value)>,
}

/// Reads an array, a collection, JSON Lines or one object.
///
/// # Errors
/// Says at which line and column the JSON ends to make sense.
pub(super) fn parse(text: &str, lines: bool) -> Result<Content, String> {
    if lines {
        return parse_lines(text);
    }
    match json::parse(text) {
        Ok(value) => Ok(unpack(value)),
        // A log cut into lines often keeps the ending .json.
        Err(error) => {
            let mut begun = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let first = begun.next().is_some_and(|line| serde_json::from_str::<Value>(line).is_ok());
            if first && begun.next().is_some() { parse_lines(text) } else { Err(error.to_string()) }
        }
    }
}

fn parse_lines(text: &str) -> Result<Content, String> {
    let mut content = Content::default();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let value = json::parse(line).map_err(|error| {
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            format!("{what} at line {} column {}", number + 1, error.column())
        })?;
        content.objects.push((format!("/{number}"), value));
    }
    Ok(content)
}

fn unpack(value: Value) -> Content {
    match value {
        Value::Array(items) if !items.is_empty() && items.iter().all(is_page) => pages(items),
        Value::Array(items) => Content { objects: numbered("", items), ..Content::default() },
        Value::Object(mut members) => {
            let says = ["@odata.context", "@odata.type"]
                .iter()
                .find_map(|name| members.get(*name)?.as_str().map(str::to_owned));
            let more = members.iter().find(|(name, value)| is_link(name) && !value.is_null());
            let more = more.map(|(name, _)| name.clone());
            let inner =
                members.keys().find(|key| matches!(key.to_ascii_lowercase().as_str(), "value" | "objects")).cloned();
            let inner = inner.filter(|key| members.get(key).is_some_and(|inner| inner.is_array() || inner.is_object()));
            match inner.and_then(|key| members.remove(&key).map(|items| (key, items))) {
                Some((key, Value::Array(items))) => {
                    Content { says, more, objects: numbered(&format!("/{key}"), items) }
                }
                // PowerShell writes a list of one as the one.
                Some((key, one)) => Content { says, more, objects: vec![(format!("/{key}"), one)] },
                _ => Content { says, more, objects: vec![(String::new(), Value::Object(members))] },
            }
        }
        other => Content { objects: vec![(String::new(), other)], ..Content::default() },
    }
}

/// Whether a value is a page of a collection, as a script that follows the links to the end collects them.
fn is_page(value: &Value) -> bool {
    value.get("value").is_some_and(Value::is_array)
}

/// All pages, of which only the last one tells whether there are more.
fn pages(items: Vec<Value>) -> Content {
    let mut all = Content::default();
    for (at, page) in items.into_iter().enumerate() {
        let Content { says, more, objects } = unpack(page);
        all.says = all.says.or(says);
        all.more = more;
        all.objects.extend(objects.into_iter().map(|(pointer, value)| (format!("/{at}{pointer}"), value)));
    }
    all
}

/// Graph names it with its prefix; PowerShell's cmdlets and other clients without.
fn is_link(name: &str) -> bool {
    ["@odata.nextLink", "odata.nextLink", "nextLink"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn numbered(prefix: &str, items: Vec<Value>) -> Vec<(String, Value)> {
    items.into_iter().enumerate().map(|(at, item)| (format!("{prefix}/{at}"), item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(text: &str) -> Vec<String> {
        parse(text, false).unwrap().objects.into_iter().map(|(pointer, _)| pointer).collect()
    }

    #[test]
    fn every_encoding_of_real_exports() {
        let text = "{\"a\":\"ü\"}";
        let le = text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let be = text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        let with = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            with(&[0xEF, 0xBB, 0xBF], text.as_bytes()),
            with(&[0xFF, 0xFE], &le),
            with(&[0xFE, 0xFF], &be),
            le.clone(),
            be.clone(),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Some(text));
        }
        assert_eq!(decode(&[0x80, 0x81]), None);
        assert_eq!(decode(&[0xFF, 0xFE, 0x41]), None);
    }

    #[test]
    fn every_container() {
        assert_eq!(pointers("[{}, {}]"), ["/0", "/1"]);
        assert_eq!(pointers("{\"@odata.context\": \"x\", \"value\": [{}]}"), ["/value/0"]);
        assert_eq!(pointers("{\"Objects\": [{}]}"), ["/Objects/0"]);
        assert_eq!(pointers("{\"value\": {\"id\": \"1\"}}"), ["/value"]);
        assert_eq!(pointers("{\"Objects\": {\"id\": \"1\"}, \"ObjectCount\": 1}"), ["/Objects"]);
        assert_eq!(pointers("{\"value\": \"text\"}"), [""]);
        let pages = "[{\"@odata.nextLink\": \"x\", \"value\": [{}]}, {\"value\": [{}]}]";
        assert_eq!(pointers(pages), ["/0/value/0", "/1/value/0"]);
        assert_eq!(parse(pages, false).unwrap().more, None);
        assert_eq!(pointers("{\"id\": 1}\n\n{\"id\": 2}\n"), ["/0", "/2"]);
        let error = parse("{\"id\": 1}\n{broken", false).unwrap_err();
        assert_eq!(error, "key must be a string at line 2 column 2");
    }
}
