//! Files that hold something else than objects: told as what they are, before anything is read from them.

use serde_json::Value;

use super::text::Content;
use crate::tenant::read::ReadError;
use crate::tenant::read::node::Node;

/// Why the objects of a file are none to read.
pub(super) fn why(content: &Content) -> Option<ReadError> {
    let first = content.objects.first();
    let page = content.more.as_deref().map(first_page);
    page.or_else(|| first.and_then(|(pointer, value)| by_graph(pointer, value)))
        .or_else(|| first.and_then(|(_, value)| batch(value)))
        .or_else(|| first.and_then(|(_, value)| Node::root(value).member("value").cut_off()))
}

/// What Graph says instead of objects to somebody who may not read them, which scripts write into the file all the same.
fn by_graph(pointer: &str, value: &Value) -> Option<ReadError> {
    let error = value.get("error")?;
    let text = |name: &str| error.get(name).and_then(Value::as_str);
    let found = format!("an error of Graph ({}: {})", text("code")?, text("message")?);
    Some(ReadError { pointer: format!("{pointer}/error"), expected: "what was asked of Graph", found })
}

/// A page of a collection isn't the whole of it: whoever is on the next one would count as nobody.
fn first_page(link: &str) -> ReadError {
    ReadError {
        pointer: format!("/{link}"),
        expected: "the whole collection; follow the link to its end, put the items of all pages into one file and leave the link out",
        found: "a link to the next page".to_owned(),
    }
}

/// The answers to a batch of requests may be of any kinds.
fn batch(value: &Value) -> Option<ReadError> {
    let node = Node::root(value);
    let responses = node.member("responses");
    let answers = responses.value().as_array()?;
    answers.iter().all(|answer| answer.get("status").is_some()).then_some(())?;
    let denied = answers
        .iter()
        .enumerate()
        .find_map(|(at, answer)| by_graph(&format!("{}/{at}/body", responses.pointer()), answer.get("body")?));
    Some(denied.unwrap_or_else(|| ReadError {
        pointer: responses.pointer(),
        expected: "what one request returned; put the body of each response into a file of its own",
        found: "the answers to a batch of requests".to_owned(),
    }))
}
