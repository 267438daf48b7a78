//! The part of `$filter` that readers of this tenant use: comparisons, text functions and `any`, joined by `and`, `or`, `not`.

use serde_json::Value;

use super::error::GraphError;
use super::filter_text::Parser;

/// What must hold of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Each of these; all rows meet an empty list.
    And(Vec<Filter>),
    /// One of these.
    Or(Vec<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// A comparison.
    Test(Clause),
    /// An entry of a list for which the filter holds; there a path starts at the entry.
    Any {
        /// Path of the list.
        list: String,
        /// What must hold of an entry.
        of: Box<Filter>,
    },
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Path of a property; empty for the entry of a list itself.
    pub property: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what: one value, or for `in` several.
    pub values: Vec<String>,
}

/// How a property is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "OData's own words")]
pub enum Operator {
    Eq,
    Ne,
    Ge,
    Gt,
    Le,
    Lt,
    In,
    StartsWith,
    EndsWith,
    Contains,
}

impl Filter {
    /// Reads a filter; an empty one holds for everything.
    pub fn parse(text: &str) -> Result<Self, GraphError> {
        if text.trim().is_empty() {
            return Ok(Self::And(Vec::new()));
        }
        Parser::of(text).whole().ok_or_else(|| GraphError::bad_request(format!("Invalid filter clause: {text}")))
    }

    /// Whether a row meets it.
    #[must_use]
    pub fn matches(&self, row: &Value) -> bool {
        match self {
            Self::And(all) => all.iter().all(|one| one.matches(row)),
            Self::Or(any) => any.iter().any(|one| one.matches(row)),
            Self::Not(one) => !one.matches(row),
            Self::Test(clause) => clause.matches(row),
            Self::Any { list, of } => {
                at(row, list).as_array().is_some_and(|list| list.iter().any(|row| of.matches(row)))
            }
        }
    }

    /// The value that `property` must be at least, to skip rows without making them.
    #[must_use]
    pub fn at_least(&self, property: &str) -> Option<&str> {
        match self {
            Self::And(all) => all.iter().find_map(|one| one.at_least(property)),
            Self::Test(clause) if clause.property == property => {
                let lower = matches!(clause.operator, Operator::Ge | Operator::Gt);
                clause.values.first().filter(|_| lower).map(String::as_str)
            }
            _ => None,
        }
    }

    /// Whether any clause speaks of `property`.
    #[must_use]
    pub fn mentions(&self, property: &str) -> bool {
        self.properties().contains(&property)
    }

    /// The properties that it names of the row itself, without what stands below them.
    #[must_use]
    pub fn properties(&self) -> Vec<&str> {
        let first = |path| str::split(path, '/').next().unwrap_or(path);
        match self {
            Self::And(all) | Self::Or(all) => all.iter().flat_map(Self::properties).collect(),
            Self::Not(one) => one.properties(),
            Self::Test(clause) => vec![first(clause.property.as_str())],
            Self::Any { list, .. } => vec![first(list.as_str())],
        }
    }

    /// An operator in it that the directory knows in advanced queries alone.
    #[must_use]
    pub fn advanced(&self) -> Option<&'static str> {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().find_map(Self::advanced),
            Self::Not(_) => Some("not"),
            Self::Test(Clause { operator: Operator::Ne, .. }) => Some("ne"),
            Self::Test(Clause { operator: Operator::EndsWith, .. }) => Some("endsWith"),
            Self::Test(_) => None,
            Self::Any { of, .. } => of.advanced(),
        }
    }
}

impl Clause {
    fn matches(&self, row: &Value) -> bool {
        let found = at(row, &self.property);
        let text = match found {
            Value::String(text) => text.to_lowercase(),
            other => other.to_string(),
        };
        self.values.iter().any(|value| {
            let value = value.to_lowercase();
            match self.operator {
                Operator::Eq | Operator::In => text == value,
                Operator::Ne => text != value,
                _ if found.is_null() => false,
                Operator::StartsWith => text.starts_with(&value),
                Operator::EndsWith => text.ends_with(&value),
                Operator::Contains => text.contains(&value),
                _ => self.operator.orders(&text, &value),
            }
        })
    }
}

impl Operator {
    /// Compares moments as moments, numbers as numbers, anything else as text.
    fn orders(self, left: &str, right: &str) -> bool {
        let moment = |text: &str| text.to_uppercase().parse::<jiff::Timestamp>().ok();
        let number = |text: &str| text.parse::<i64>().ok();
        let order = match (moment(left), moment(right), number(left), number(right)) {
            (Some(left), Some(right), ..) => left.cmp(&right),
            (_, _, Some(left), Some(right)) => left.cmp(&right),
            _ => left.cmp(right),
        };
        match self {
            Self::Ge => order.is_ge(),
            Self::Gt => order.is_gt(),
            Self::Le => order.is_le(),
            _ => order.is_lt(),
        }
    }
}

/// What stands at a path; null where nothing does.
fn at<'a>(row: &'a Value, path: &str) -> &'a Value {
    let found = if path.is_empty() { Some(row) } else { row.pointer(&format!("/{path}")) };
    found.unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn clauses_hold_or_not() {
        let row = json!({ "createdDateTime": "2026-11-23T09:12:00Z", "userId": "a", "signInEventTypes": ["nonInteractiveUser"],
            "accountEnabled": true, "displayName": "Research and (some) Development's",
            "targetResources": [{ "id": "t" }], "status": { "errorCode": 53_003 } });
        let holds = |text: &str| Filter::parse(text).unwrap().matches(&row);
        for text in [
            "",
            "createdDateTime ge 2026-11-23T09:12:00.000Z and userId eq 'A'",
            "signInEventTypes/any(t: t eq 'nonInteractiveUser')",
            "signInEventTypes/any(t:t eq 'interactiveUser' or t eq 'nonInteractiveUser')",
            "targetResources/any(r: r/id eq 't')",
            "startswith(createdDateTime,'2026-11') and endsWith(displayName, '''s')",
            "displayName eq 'Research and (some) Development''s'",
            "accountEnabled eq true and not(userId eq 'b')",
            "userId eq 'b' or (userId in ('c', 'a') and status/errorCode gt 9000)",
            "gone eq null",
        ] {
            assert!(holds(text), "{text}");
        }
        for text in [
            "createdDateTime gt 2026-11-23T09:12:00Z",
            "signInEventTypes/any(t: t eq 'interactiveUser')",
            "gone ge 3",
            "not (userId eq 'a')",
            "userId ne 'a' or userId in ('b')",
        ] {
            assert!(!holds(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let deep = format!("{}userId eq 'a'{}", "(".repeat(5_000), ")".repeat(5_000));
        for text in [
            "foo",
            "userId or 3",
            "length(displayName) gt 3",
            "userId eq foo",
            "userId eq 'a",
            "userId eq 'a' and",
            "userId eq 'a' userId eq 'b'",
            "(userId eq 'a'",
            "userId in ()",
            "signInEventTypes/any(foo)",
            "signInEventTypes/any(t: u eq 'x')",
            "not",
            &deep,
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_every_row_must_meet_is_a_lower_bound() {
        let bound = |text: &str| Filter::parse(text).unwrap().at_least("a").map(str::to_owned);
        assert_eq!(bound("b eq 1 and a ge 3"), Some("3".into()));
        assert_eq!(bound("b eq 1 or a ge 3"), None);
        assert_eq!(bound("not(a ge 3)"), None);
    }
}
