//! A reading request: its query options, and the answer cut into pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri, Query};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::delta::Round;
use super::error::GraphError;
use super::filter::Filter;
use super::order::Order;
use super::properties::Type;
use super::versions;
use crate::demo::state::Demo;

/// What was asked.
pub struct Ask {
    path: String,
    base: String,
    query: BTreeMap<String, String>,
    /// Values that came after the enum was made are told by their names.
    names_unknown: bool,
    /// The directory counts only for those who put up with a count that may be late.
    eventual: bool,
}

impl FromRequestParts<Arc<Demo>> for Ask {
    type Rejection = GraphError;

    async fn from_request_parts(parts: &mut Parts, demo: &Arc<Demo>) -> Result<Self, GraphError> {
        let bad = |_| GraphError::bad_request("The query string cannot be read.");
        let Query(query) = Query::try_from_uri(&parts.uri).map_err(bad)?;
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        let says = |name: &str, value: &str| {
            let mut found = parts.headers.get_all(name).iter().filter_map(|header| header.to_str().ok());
            found.any(|header| header.split(',').any(|part| part.trim().eq_ignore_ascii_case(value)))
        };
        let names_unknown = says("prefer", "include-unknown-enum-members");
        let eventual = says("consistencylevel", "eventual");
        let ask = Self { path: uri.path().to_owned(), base: demo.base.clone(), query, names_unknown, eventual };
        ask.fits().map(|()| ask)
    }
}

/// JSON that is text already.
#[derive(Clone, Debug)]
pub struct Text(String);

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json;odata.metadata=minimal;charset=utf-8")], self.0).into_response()
    }
}

/// A page, and what comes after it.
struct Cut<I> {
    /// The rows that fit, as text.
    value: Vec<String>,
    /// The position of the first row that doesn't.
    next: Option<u64>,
    /// The rows after that one.
    rest: I,
}

impl<I: Iterator> Cut<I> {
    /// How many rows don't fit.
    fn left(&mut self) -> usize {
        usize::from(self.next.is_some()) + self.rest.by_ref().count()
    }
}

/// How large pages are.
#[derive(Clone, Copy)]
pub struct Size {
    /// Rows of a page nobody chose.
    pub default: usize,
    /// Rows of the largest page.
    pub max: usize,
    /// Whether who asks for more is refused, not given the largest page.
    pub strict: bool,
}

/// Directory objects.
pub const DIRECTORY: Size = Size { default: 100, max: 999, strict: true };
/// Log rows.
pub const REPORTS: Size = Size { default: 1_000, max: 1_000, strict: false };
/// Rows of the registration report.
pub const REGISTRATIONS: Size = Size { default: 100, max: 999, strict: false };
/// Users at risk.
pub const RISKS: Size = Size { default: 20, max: 500, strict: false };
/// Collections that come whole.
pub const WHOLE: Size = Size { default: 5_000, max: 5_000, strict: false };
/// Users of a page on which their last sign-ins are told.
const WITH_ACTIVITY: usize = 500;
/// Collections of the directory, which answers some queries only from an index that may be late.
const INDEXED: [&str; 4] = ["/users", "/groups", "/servicePrincipals", "/devices"];

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

    /// A query option, if it was given.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// The `$filter`, understood.
    pub fn filter(&self) -> Result<Filter, GraphError> {
        Filter::parse(self.query.get("$filter").map(String::as_str).unwrap_or_default())
    }

    /// One page of `rows`, which are positions with objects from [`Ask::start`] on.
    pub fn page(&self, size: Size, rows: impl Iterator<Item = (u64, Value)>) -> Result<Text, GraphError> {
        self.page_of(size, rows, None)
    }

    /// The same of so many rows that the filter leaves, where that is known.
    fn page_of(
        &self,
        size: Size,
        rows: impl Iterator<Item = (u64, Value)>,
        all: Option<usize>,
    ) -> Result<Text, GraphError> {
        let mut cut = self.cut(size, rows)?;
        let link = cut.next.map(|position| self.link("$skiptoken", &position.to_string())).transpose()?;
        let count = self.counts().then(|| all.unwrap_or_else(|| cut.value.len() + cut.left()));
        Ok(self.text((count, link.map(|link| ("@odata.nextLink", link))), &cut.value))
    }

    /// One page of a round of a delta query; the last one links to the next round.
    pub fn delta(&self, round: Round, rows: impl Iterator<Item = (u64, Value)>) -> Result<Text, GraphError> {
        let cut = self.cut(DIRECTORY, rows)?;
        let link = match cut.next {
            Some(position) => ("@odata.nextLink", self.link("$skiptoken", &round.page(position))?),
            None => ("@odata.deltaLink", self.link("$deltatoken", &round.upto.to_string())?),
        };
        Ok(self.text((None, Some(link)), &cut.value))
    }

    /// How many rows the filter leaves, for an address that ends in `/$count`.
    pub fn total(&self, rows: impl Iterator<Item = Value>) -> Result<String, GraphError> {
        let filter = self.filter()?;
        let counted = self.eventual.then(|| rows.filter(|row| filter.matches(row)).count());
        counted.map(|count| count.to_string()).ok_or_else(GraphError::no_count)
    }

    /// Whether the first page says how many rows there are; who doesn't accept a late count isn't told, and not refused.
    fn counts(&self) -> bool {
        let accepted = self.eventual || !self.is_indexed();
        self.option("$count") == Some("true") && !self.has("$skiptoken") && accepted
    }

    fn is_indexed(&self) -> bool {
        INDEXED.iter().any(|start| self.below().starts_with(start))
    }

    /// How many rows a page may have.
    fn top(&self, size: Size) -> Result<usize, GraphError> {
        let Some(asked) = self.option("$top") else { return Ok(size.default) };
        let most = size.max;
        match asked.parse::<usize>() {
            Ok(top) if size.strict && !(1..=most).contains(&top) => Err(GraphError::unsupported_query(format!(
                "Invalid page size specified: '{top}'. Must be between 1 and {most} inclusive."
            ))),
            Ok(top) if top > 0 => {
                let activity = self.option("$select").is_some_and(|chosen| chosen.contains("signInActivity"));
                Ok(top.min(most).min(if activity { WITH_ACTIVITY } else { most }))
            }
            _ => Err(GraphError::bad_request("Invalid value for query option $top.")),
        }
    }

    fn cut<I: Iterator<Item = (u64, Value)>>(
        &self,
        size: Size,
        rows: I,
    ) -> Result<Cut<impl Iterator<Item = (u64, Value)> + use<'_, I>>, GraphError> {
        let (top, filter) = (self.top(size)?, self.filter()?);
        let mut rows = rows.filter(move |(_, row)| filter.matches(row));
        // Row by row into text: a page of log rows as values would be many times its size.
        let value = rows.by_ref().take(top).map(|(_, row)| self.told(row).to_string()).collect();
        let next = rows.next().map(|(position, _)| position);
        Ok(Cut { value, next, rest: rows })
    }

    fn text(&self, (count, link): (Option<usize>, Option<(&str, String)>), value: &[String]) -> Text {
        let count = count.map(|count| format!(",\"@odata.count\":{count}")).unwrap_or_default();
        let link = link.map(|(name, link)| format!(",{}:{}", json!(name), json!(link))).unwrap_or_default();
        Text(format!("{{\"@odata.context\":{}{count}{link},\"value\":[{}]}}", json!(self.context()), value.join(",")))
    }

    /// One page of a collection at hand, in the order that was asked for.
    pub fn list(&self, size: Size, mut rows: Vec<Value>) -> Result<Text, GraphError> {
        let (filter, order) = (self.filter()?, self.order());
        rows.retain(|row| filter.matches(row));
        order.sort(&mut rows);
        let (all, start) = (rows.len(), if self.has("$skiptoken") { self.start()? } else { self.skip()? });
        self.page_of(size, (0..).zip(rows).skip_while(move |(at, _)| *at < start), Some(all))
    }

    /// How many rows are left out at the beginning.
    fn skip(&self) -> Result<u64, GraphError> {
        let wrong = |_| GraphError::bad_request("Invalid value for query option $skip.");
        self.option("$skip").map_or(Ok(0), |asked| asked.parse().map_err(wrong))
    }

    fn order(&self) -> Order<'_> {
        Order::parse(self.option("$orderby").unwrap_or_default())
    }

    /// One object.
    #[must_use]
    pub fn one(&self, object: Value) -> Text {
        let mut object = self.told(object);
        if let Some(object) = object.as_object_mut() {
            object.insert("@odata.context".into(), json!(self.context()));
        }
        Text(object.to_string())
    }

    /// The row in the words of the version that was asked, of what was selected.
    fn told(&self, mut row: Value) -> Value {
        if !self.is_beta() {
            versions::without_beta(self.below(), &mut row);
        }
        if !self.names_unknown {
            versions::without_late_words(&mut row);
        }
        self.select(row)
    }

    /// Whether beta was asked.
    #[must_use]
    pub fn is_beta(&self) -> bool {
        self.path.starts_with("/beta/")
    }

    /// The path below the version.
    fn below(&self) -> &str {
        self.path.trim_start_matches("/v1.0").trim_start_matches("/beta")
    }

    fn select(&self, row: Value) -> Value {
        match (self.chosen(), row) {
            (Some(chosen), Value::Object(row)) => {
                // Delta queries tell the id without being asked.
                let delta = self.path.trim_end_matches("()").ends_with("/delta");
                // `$expand` brings its relation along, whatever is selected.
                let expanded = self.option("$expand").unwrap_or_default().split('(').next().unwrap_or_default();
                let keep = |key: &String| {
                    key == expanded || key.contains('@') || (delta && key == "id") || chosen.contains(&key.as_str())
                };
                let mut kept: Map<_, _> = row.into_iter().filter(|(key, _)| keep(key)).collect();
                // What is selected and has no value is told so; only delta queries leave it out.
                let of = Type::at(self.below()).filter(|_| !delta);
                for name in chosen.into_iter().filter(|name| !name.is_empty()) {
                    if let Some(empty) = of.and_then(|of| of.empty(name)).filter(|_| !kept.contains_key(name)) {
                        kept.insert(name.to_owned(), empty);
                    }
                }
                Value::Object(kept)
            }
            (_, row) => row,
        }
    }

    /// The properties that are told, all of them where none are named: those that were selected, else what v1.0 tells of
    /// itself.
    fn chosen(&self) -> Option<Vec<&str>> {
        if let Some(chosen) = self.query.get("$select") {
            return Some(chosen.split(',').map(str::trim).collect());
        }
        let of = Type::at(self.below()).filter(|_| !self.is_beta())?;
        of.by_default().map(|names| names.split(' ').collect())
    }

    fn context(&self) -> String {
        let mut parts = self.path.trim_start_matches('/').splitn(2, '/');
        let version = parts.next().unwrap_or_default();
        format!("{}/{version}/$metadata#{}", self.base, parts.next().unwrap_or_default())
    }

    /// The same request with another token.
    fn link(&self, token: &str, value: &str) -> Result<String, GraphError> {
        let tokens = ["$skiptoken", "$deltatoken"];
        let kept = self.query.iter().filter(|(key, _)| !tokens.contains(&key.as_str()));
        let pairs = kept.map(|(key, value)| (key.as_str(), value.as_str())).chain([(token, value)]);
        let url = reqwest::Url::parse_with_params(&format!("{}{}", self.base, self.path), pairs);
        url.map(String::from).map_err(|_| GraphError::bad_request("The path cannot be paged."))
    }

    /// Whether the query can be answered at this address, before anything is looked up.
    fn fits(&self) -> Result<(), GraphError> {
        self.known_options()?;
        let filter = self.filter()?;
        let counted = self.option("$count") == Some("true") || self.below().ends_with("/$count");
        if let Some(operator) = filter.advanced().filter(|_| self.is_indexed() && !(self.eventual && counted)) {
            let lacks =
                if self.eventual { "'$count=true' query parameter" } else { "'ConsistencyLevel:eventual' header" };
            return Err(GraphError::unsupported_query(format!(
                "Operator '{operator}' is not supported because the {lacks} is missing. \
                 Refer to https://aka.ms/graph-docs/advanced-queries for more information"
            )));
        }
        self.sortable(&filter, counted)?;
        // Beta knows more of each type than is written down here.
        match Type::at(self.below()).filter(|_| !self.is_beta()) {
            Some(of) => of.check(self.option("$select").unwrap_or_default(), &filter),
            None => Ok(()),
        }
    }

    /// The directory sorts by names alone, and what is filtered only from its index.
    fn sortable(&self, filter: &Filter, counted: bool) -> Result<(), GraphError> {
        let order = self.order();
        let Some(of) = Type::at(self.below()).filter(|_| self.is_indexed()) else { return Ok(()) };
        if let Some(other) = order.properties().find(|name| !["displayName", "userPrincipalName"].contains(name)) {
            let message = format!("Unsupported sort property '{other}' for '{}'.", of.class());
            return Err(GraphError::unsupported_query(message));
        }
        if order.properties().next().is_some() && !filter.properties().is_empty() && !(self.eventual && counted) {
            return Err(GraphError::unsupported_query("Sorting not supported for current query."));
        }
        Ok(())
    }

    fn known_options(&self) -> Result<(), GraphError> {
        if self.has("$skip") && self.is_indexed() {
            return Err(GraphError::no_skip());
        }
        if self.has("$search") && self.is_indexed() && !self.eventual {
            return Err(GraphError::unsupported_query(
                "Request with $search query parameter only works through MSGraph with a special request header: \
                 'ConsistencyLevel: eventual'",
            ));
        }
        let known = ["$top", "$select", "$filter", "$skiptoken", "$deltatoken", "$count", "$expand"];
        // Collections at hand are sorted, those of Conditional Access may be entered in the middle; logs are as they were written.
        let whole = self.below().starts_with("/identity/conditionalAccess/");
        let delta = self.below().trim_end_matches("()").ends_with("/delta");
        let served = |option: &str| match option {
            "$orderby" => whole || (self.is_indexed() && !delta),
            "$skip" => whole,
            _ => known.contains(&option),
        };
        match self.query.keys().find(|key| key.starts_with('$') && !served(key)) {
            Some(option) => Err(GraphError::bad_request(format!("The query parameter '{option}' is not supported."))),
            None => Ok(()),
        }
    }
}
