//! Collections, page by page to the end: complete or an error, never a part of one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::{Ask, Client};
use super::error::GraphError;
use super::read::Progress;
use crate::tenant::Kind;
use crate::tenant::read::ReadError;

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
    pub(super) async fn collect<T>(
        &self,
        ask: Ask<'_>,
        watch: Watch<'_>,
        read: impl Fn(&Value) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, GraphError> {
        self.collect_round(ask, watch, read).await.map(|(all, _)| all)
    }

    /// The same for a round of a delta query, with the link to the next round, where Graph gives one.
    pub(super) async fn collect_round<T>(
        &self,
        ask: Ask<'_>,
        watch: Watch<'_>,
        read: impl Fn(&Value) -> Result<T, ReadError>,
    ) -> Result<(Vec<T>, Option<String>), GraphError> {
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        let mut path = ask.path.to_owned();
        loop {
            if watch.progress.cancelled() {
                return Err(GraphError::Cancelled);
            }
            let page = Page::of(self.get(Ask { path: &path, ..ask }).await?)?;
            for (at, object) in page.objects.iter().enumerate() {
                all.push(read(object).map_err(|error| malformed(&error.under(&format!("/value/{at}")), &path))?);
            }
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

fn malformed(error: &ReadError, path: &str) -> GraphError {
    let path = path.split('?').next().unwrap_or_default();
    GraphError::Malformed { cause: format!("{path}: {error}") }
}

/// One page of a collection.
struct Page {
    objects: Vec<Value>,
    next: Option<String>,
    /// Link to the next round of a delta query; only the last page of a round has it.
    round: Option<String>,
}

impl Page {
    fn of(body: Value) -> Result<Self, GraphError> {
        let wrong = |cause: &str| GraphError::Malformed { cause: cause.to_owned() };
        let Value::Object(mut body) = body else { return Err(wrong("a page is not an object")) };
        let Some(Value::Array(objects)) = body.remove("value") else {
            return Err(wrong("a page has no list of values"));
        };
        if objects.len() > MAX_PAGE {
            return Err(wrong("a page holds more objects than Graph puts on one"));
        }
        let mut link = |name: &str| match body.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(link)) => Ok(Some(link)),
            Some(_) => Err(wrong("a link to more is not text")),
        };
        Ok(Self { next: link("@odata.nextLink")?, round: link("@odata.deltaLink")?, objects })
    }
}
