//! A reading request: its query options, and the answer cut into pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, OriginalUri, Query};
use axum::http::request::Parts;
use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::filter::Filter;
use crate::demo::state::Demo;

/// What was asked.
pub struct Ask {
    path: String,
    base: String,
    query: BTreeMap<String, String>,
}

impl FromRequestParts<Arc<Demo>> for Ask {
    type Rejection = GraphError;

    async fn from_request_parts(parts: &mut Parts, demo: &Arc<Demo>) -> Result<Self, GraphError> {
        let bad = |_| GraphError::bad_request("The query string cannot be read.");
        let Query(query) = Query::try_from_uri(&parts.uri).map_err(bad)?;
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        let ask = Self { path: uri.path().to_owned(), base: demo.base.clone(), query };
        ask.known_options().map(|()| ask)
    }
}

/// How large pages are.
#[derive(Clone, Copy)]
pub struct Size {
    /// Rows of a page nobody chose.
    pub default: usize,
    /// Rows of the largest page.
    pub max: usize,
}

/// Directory objects.
pub const DIRECTORY: Size = Size { default: 100, max: 999 };
/// Log rows.
pub const REPORTS: Size = Size { default: 1_000, max: 1_000 };
/// Collections that come whole.
pub const WHOLE: Size = Size { default: 5_000, max: 5_000 };

impl Ask {
    /// Where the page starts: the position that the last page's link named.
    pub fn start(&self) -> Result<u64, GraphError> {
        match self.query.get("$skiptoken") {
            None => Ok(0),
            Some(token) => token.parse().map_err(|_| GraphError::bad_request("Invalid skip token.")),
        }
    }

    /// Whether a query option was given.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        self.query.contains_key(option)
    }

    /// The `$filter`, understood.
    pub fn filter(&self) -> Result<Filter, GraphError> {
        Filter::parse(self.query.get("$filter").map(String::as_str).unwrap_or_default())
    }

    /// One page of `rows`, which are positions with objects from [`Ask::start`] on.
    pub fn page(&self, size: Size, rows: impl Iterator<Item = (u64, Value)>) -> Result<Json<Value>, GraphError> {
        let top = match self.query.get("$top").map(|top| top.parse::<usize>()) {
            None => size.default,
            Some(Ok(top)) if top > 0 => top.min(size.max),
            Some(_) => return Err(GraphError::bad_request("Invalid value for query option $top.")),
        };
        let filter = self.filter()?;
        let mut rows = rows.filter(|(_, row)| filter.matches(row));
        let value: Vec<Value> = rows.by_ref().take(top).map(|(_, row)| self.select(row)).collect();
        let mut page = json!({ "@odata.context": self.context(), "value": value });
        if let (Some((next, _)), Some(page)) = (rows.next(), page.as_object_mut()) {
            page.insert("@odata.nextLink".into(), json!(self.next_link(next)?));
        }
        Ok(Json(page))
    }

    /// One page of a collection at hand.
    pub fn list(&self, size: Size, rows: Vec<Value>) -> Result<Json<Value>, GraphError> {
        let start = self.start()?;
        self.page(size, (0..).zip(rows).skip_while(move |(at, _)| *at < start))
    }

    /// One object.
    pub fn one(&self, object: Value) -> Json<Value> {
        let mut object = self.select(object);
        if let Some(object) = object.as_object_mut() {
            object.insert("@odata.context".into(), json!(self.context()));
        }
        Json(object)
    }

    fn select(&self, row: Value) -> Value {
        match (self.query.get("$select"), row) {
            (Some(chosen), Value::Object(row)) => {
                let chosen: Vec<&str> = chosen.split(',').map(str::trim).collect();
                let keep = |key: &String| key.starts_with('@') || chosen.contains(&key.as_str());
                Value::Object(row.into_iter().filter(|(key, _)| keep(key)).collect::<Map<_, _>>())
            }
            (_, row) => row,
        }
    }

    fn context(&self) -> String {
        let mut parts = self.path.trim_start_matches('/').splitn(2, '/');
        let version = parts.next().unwrap_or_default();
        format!("{}/{version}/$metadata#{}", self.base, parts.next().unwrap_or_default())
    }

    fn next_link(&self, position: u64) -> Result<String, GraphError> {
        let kept =
            self.query.iter().filter(|(key, _)| key.as_str() != "$skiptoken").map(|(k, v)| (k.clone(), v.clone()));
        let pairs = kept.chain([("$skiptoken".to_owned(), position.to_string())]);
        let url = reqwest::Url::parse_with_params(&format!("{}{}", self.base, self.path), pairs);
        url.map(String::from).map_err(|_| GraphError::bad_request("The path cannot be paged."))
    }

    fn known_options(&self) -> Result<(), GraphError> {
        let known = ["$top", "$select", "$filter", "$skiptoken", "$count", "$expand", "$orderby", "$search"];
        match self.query.keys().find(|key| key.starts_with('$') && !known.contains(&key.as_str())) {
            Some(option) => Err(GraphError::bad_request(format!("The query parameter '{option}' is not supported."))),
            None => Ok(()),
        }
    }
}
