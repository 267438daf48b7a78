//! Reading a row into our own types: times from milliseconds, JSON from text.

use anyhow::Context as _;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// A row as our types read it; a column that doesn't fit is an error that names it.
pub(super) trait Columns {
    fn text(&self, column: &str) -> anyhow::Result<String>;
    fn text_or_none(&self, column: &str) -> anyhow::Result<Option<String>>;
    fn int(&self, column: &str) -> anyhow::Result<i64>;
    fn int_or_none(&self, column: &str) -> anyhow::Result<Option<i64>>;
    fn time(&self, column: &str) -> anyhow::Result<Timestamp>;
    fn time_or_none(&self, column: &str) -> anyhow::Result<Option<Timestamp>>;

    fn flag(&self, column: &str) -> anyhow::Result<bool> {
        Ok(self.int(column)? != 0)
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> anyhow::Result<T> {
        serde_json::from_str(&self.text(column)?).with_context(|| format!("read JSON of column {column}"))
    }

    fn value(&self, column: &str) -> anyhow::Result<Value> {
        self.json(column)
    }
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> anyhow::Result<String> {
        Ok(self.try_get(column)?)
    }

    fn text_or_none(&self, column: &str) -> anyhow::Result<Option<String>> {
        Ok(self.try_get(column)?)
    }

    fn int(&self, column: &str) -> anyhow::Result<i64> {
        Ok(self.try_get(column)?)
    }

    fn int_or_none(&self, column: &str) -> anyhow::Result<Option<i64>> {
        Ok(self.try_get(column)?)
    }

    fn time(&self, column: &str) -> anyhow::Result<Timestamp> {
        let milliseconds = self.int(column)?;
        Timestamp::from_millisecond(milliseconds).with_context(|| format!("read time of column {column}"))
    }

    fn time_or_none(&self, column: &str) -> anyhow::Result<Option<Timestamp>> {
        let milliseconds: Option<i64> = self.try_get(column)?;
        milliseconds
            .map(Timestamp::from_millisecond)
            .transpose()
            .with_context(|| format!("read time of column {column}"))
    }
}

/// Collects rows through `read`, stopping at the first that doesn't fit.
pub(super) fn all<T>(rows: &[AnyRow], read: impl Fn(&AnyRow) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
    rows.iter().map(read).collect()
}
