//! Collections, page by page to the end: complete or an error, never a part of one.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::client::{Ask, Client};
use super::error::GraphError;
use super::read::Progress;
use crate::tenant::Kind;
use crate::tenant::read::ReadError;
use crate::tenant::text::{Compact, Known};

/// More pages than any tenant has: a million objects are about a thousand.
const MAX_PAGES: usize = 50_000;
/// More objects than Graph puts on one page (999, or 1,000 for logs), with room.
const MAX_PAGE: usize = 5_000;

/// Who hears how a collection comes along, and may stop it.
#[derive(Clone, Copy)]
pub(super) struct Watch<'a> {
    pub(super) kind: Kind,
    pub(super) progress: &'a dyn Progress,
}

impl Client {
    /// Reads a collection to its end, each object through `read`.
    pub(super) async fn collect<T: Compact>(
        &self,
        ask: Ask<'_>,
        watch: Watch<'_>,
        read: impl Fn(&Value) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, GraphError> {
        self.collect_round(ask, watch, read).await.map(|(all, _)| all)
    }

    /// The same for a round of a delta query, with the link to the next round, where Graph gives one.
    pub(super) async fn collect_round<T: Compact>(
        &self,
        ask: Ask<'_>,
        watch: Watch<'_>,
        read: impl Fn(&Value) -> Result<T, ReadError>,
    ) -> Result<(Vec<T>, Option<String>), GraphError> {
        let (mut all, mut seen, mut known) = (Vec::new(), BTreeSet::new(), Known::default());
        let mut path = ask.path.to_owned();
        watch.progress.begun(watch.kind);
        loop {
            if watch.progress.cancelled() {
                return Err(GraphError::Cancelled);
            }
            let page = self.get_as(Ask { path: &path, ..ask }, |body| Page::of(body, &read)).await;
            let page = page.map_err(|error| error.on_page(seen.len() + 1))?;
            let mut page = page.map_err(|wrong| wrong.at(&path))?;
            T::compact(&mut page.objects, &mut known);
            all.append(&mut page.objects);
            watch.progress.page(watch.kind, u64::try_from(all.len()).unwrap_or(u64::MAX));
            let Some(next) = page.next else {
                watch.progress.done(watch.kind);
                return Ok((all, page.round));
            };
            // Whole addresses: a link back to where we began looks different from how we asked.
            seen.insert(self.address(&path)?);
            path = next;
            if seen.contains(&self.address(&path)?) || seen.len() > MAX_PAGES {
                return Err(GraphError::Malformed {
                    cause: "the pages of a collection go round in a circle".to_owned(),
                });
            }
        }
    }
}

/// One page of a collection. Its objects are read one by one as the text is parsed: a whole page as JSON values takes many
/// times its size.
struct Page<T> {
    objects: Vec<T>,
    next: Option<String>,
    /// Link to the next round of a delta query; only the last page of a round has it.
    round: Option<String>,
}

/// Why a page that is JSON isn't what was asked for. Asking again would bring the same.
enum Wrong {
    Page(String),
    Object(ReadError),
}

impl Wrong {
    fn at(self, path: &str) -> GraphError {
        let path = path.split('?').next().unwrap_or_default();
        let cause = match self {
            Self::Page(cause) => cause,
            Self::Object(error) => format!("{path}: {error}"),
        };
        GraphError::Malformed { cause }
    }
}

impl<T> Page<T> {
    /// From the text of an answer; fails as a whole where it is no JSON, as one that broke off.
    fn of(body: &[u8], read: impl Fn(&Value) -> Result<T, ReadError>) -> Result<Result<Self, Wrong>, GraphError> {
        let mut objects = Objects { read, all: Vec::new(), wrong: None };
        let mut text = serde_json::Deserializer::from_slice(body);
        let links = text.deserialize_map(Whole(&mut objects)).and_then(|links| text.end().map(|()| links));
        match (objects.wrong, links) {
            (Some(error), _) => Ok(Err(Wrong::Object(error))),
            (None, Ok((next, round))) => Ok(Ok(Self { objects: objects.all, next, round })),
            (None, Err(error)) if error.is_data() => Ok(Err(Wrong::Page(error.to_string()))),
            (None, Err(error)) => Err(GraphError::Malformed { cause: error.to_string() }),
        }
    }
}

/// The objects of a page, up to the first that isn't what it must be.
struct Objects<T, R> {
    read: R,
    all: Vec<T>,
    wrong: Option<ReadError>,
}

/// Reads a page; gives its two links.
struct Whole<'o, T, R>(&'o mut Objects<T, R>);

impl<'de, T, R: Fn(&Value) -> Result<T, ReadError>> Visitor<'de> for Whole<'_, T, R> {
    type Value = (Option<String>, Option<String>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of a collection")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut listed, mut next, mut round) = (false, None, None);
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "value" => {
                    members.next_value_seed(&mut *self.0)?;
                    listed = true;
                }
                "@odata.nextLink" => next = members.next_value()?,
                "@odata.deltaLink" => round = members.next_value()?,
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        if listed { Ok((next, round)) } else { Err(A::Error::custom("a page has no list of values")) }
    }
}

impl<'de, T, R: Fn(&Value) -> Result<T, ReadError>> DeserializeSeed<'de> for &mut Objects<T, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_seq(self)
    }
}

impl<'de, T, R: Fn(&Value) -> Result<T, ReadError>> Visitor<'de> for &mut Objects<T, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while let Some(value) = values.next_element::<Value>()? {
            match (self.read)(&value) {
                Ok(_) if self.all.len() == MAX_PAGE => {
                    return Err(A::Error::custom("a page holds more objects than Graph puts on one"));
                }
                Ok(object) => self.all.push(object),
                Err(error) => {
                    self.wrong = Some(error.under(&format!("/value/{}", self.all.len())));
                    return Err(A::Error::custom("an object isn't what it must be"));
                }
            }
        }
        Ok(())
    }
}
