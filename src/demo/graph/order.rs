//! `$orderby`: which rows come first.

use serde_json::Value;

/// Properties to compare by, the first one first.
pub(super) struct Order<'a>(Vec<(&'a str, bool)>);

impl<'a> Order<'a> {
    /// Reads `displayName desc,id`; an empty text leaves rows as they are.
    #[must_use]
    pub(super) fn parse(text: &'a str) -> Self {
        let key = |part: &'a str| {
            let (property, way) = part.trim().split_once(' ').unwrap_or((part.trim(), "asc"));
            (property, way.trim().eq_ignore_ascii_case("desc"))
        };
        Self(text.split(',').filter(|part| !part.trim().is_empty()).map(key).collect())
    }

    /// The properties.
    pub(super) fn properties(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(|(property, _)| *property)
    }

    /// Sorts rows; those that are equal stay as they were.
    pub(super) fn sort(&self, rows: &mut [Value]) {
        let key = |row: &Value, property: &str| {
            row.get(property).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_lowercase))
        };
        for (property, falling) in self.0.iter().rev() {
            rows.sort_by(|one, other| {
                let order = key(one, property).cmp(&key(other, property));
                if *falling { order.reverse() } else { order }
            });
        }
    }
}
