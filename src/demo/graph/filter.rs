//! The part of `$filter` that readers of this tenant use: comparisons and text functions joined by `and`.

use serde_json::Value;

use super::error::GraphError;

/// Clauses that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<Clause>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Clause {
    property: String,
    operator: Operator,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    Ge,
    Gt,
    Le,
    Lt,
    StartsWith,
    EndsWith,
    Contains,
    Any,
}

impl Filter {
    /// Reads a filter; an empty one holds for everything.
    pub fn parse(text: &str) -> Result<Self, GraphError> {
        let clauses = text.split(" and ").map(str::trim).filter(|clause| !clause.is_empty());
        let parsed = clauses.map(|clause| Clause::parse(clause).ok_or_else(|| unsupported(clause)));
        parsed.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a row meets it.
    #[must_use]
    pub fn matches(&self, row: &Value) -> bool {
        self.0.iter().all(|clause| clause.matches(row))
    }

    /// The value that `property` must be at least, to skip rows without making them.
    #[must_use]
    pub fn at_least(&self, property: &str) -> Option<&str> {
        let lower =
            |clause: &&Clause| clause.property == property && matches!(clause.operator, Operator::Ge | Operator::Gt);
        self.0.iter().find(lower).map(|clause| clause.value.as_str())
    }

    /// Whether any clause speaks of `property`.
    #[must_use]
    pub fn mentions(&self, property: &str) -> bool {
        self.0.iter().any(|clause| clause.property == property)
    }
}

impl Clause {
    fn parse(text: &str) -> Option<Self> {
        if let Some((property, rest)) = text.split_once("/any(") {
            let alternatives: Vec<&str> = rest.split('\'').skip(1).step_by(2).collect();
            let value = alternatives.join(",");
            return Some(Self { property: property.into(), operator: Operator::Any, value });
        }
        if let Some((name, rest)) = text.split_once('(') {
            let operator = match name.trim().to_lowercase().as_str() {
                "startswith" => Operator::StartsWith,
                "endswith" => Operator::EndsWith,
                "contains" => Operator::Contains,
                _ => return None,
            };
            let (property, value) = rest.strip_suffix(')')?.split_once(',')?;
            return Some(Self { property: property.trim().into(), operator, value: unquoted(value.trim()) });
        }
        let mut parts = text.splitn(3, ' ');
        let (property, operator, value) = (parts.next()?, parts.next()?, parts.next()?);
        let operator = match operator {
            "eq" => Operator::Eq,
            "ne" => Operator::Ne,
            "ge" => Operator::Ge,
            "gt" => Operator::Gt,
            "le" => Operator::Le,
            "lt" => Operator::Lt,
            _ => return None,
        };
        Some(Self { property: property.into(), operator, value: unquoted(value.trim()) })
    }

    fn matches(&self, row: &Value) -> bool {
        let found = row.pointer(&format!("/{}", self.property)).unwrap_or(&Value::Null);
        if self.operator == Operator::Any {
            let named = |entry: &Value| self.value.split(',').any(|value| entry.as_str() == Some(value));
            return found.as_array().is_some_and(|list| list.iter().any(named));
        }
        let text = match found {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let (left, right) = (text.to_lowercase(), self.value.to_lowercase());
        match self.operator {
            Operator::Eq => left == right,
            Operator::Ne => left != right,
            Operator::StartsWith => left.starts_with(&right),
            Operator::EndsWith => left.ends_with(&right),
            Operator::Contains => left.contains(&right),
            Operator::Any => false,
            _ if found.is_null() => false,
            _ => self.operator.orders(&left, &right),
        }
    }
}

impl Operator {
    /// Compares moments as moments, anything else as text.
    fn orders(self, left: &str, right: &str) -> bool {
        let moment = |text: &str| text.to_uppercase().parse::<jiff::Timestamp>().ok();
        let order = match (moment(left), moment(right)) {
            (Some(left), Some(right)) => left.cmp(&right),
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

fn unquoted(text: &str) -> String {
    text.trim_matches('\'').replace("''", "'")
}

fn unsupported(clause: &str) -> GraphError {
    GraphError::bad_request(format!("Invalid filter clause: {clause}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn clauses_hold_or_not() {
        let row = json!({ "createdDateTime": "2026-11-23T09:12:00Z", "userId": "a", "signInEventTypes": ["nonInteractiveUser"],
            "accountEnabled": true });
        let holds = |text: &str| Filter::parse(text).unwrap().matches(&row);
        assert!(holds(""));
        assert!(holds("createdDateTime ge 2026-11-23T09:12:00.000Z and userId eq 'A'"));
        assert!(!holds("createdDateTime gt 2026-11-23T09:12:00Z"));
        assert!(holds("signInEventTypes/any(t: t eq 'nonInteractiveUser')"));
        assert!(!holds("signInEventTypes/any(t: t eq 'interactiveUser')"));
        assert!(holds("signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')"));
        assert!(holds("startswith(createdDateTime,'2026-11')"));
        assert!(holds("accountEnabled eq true"));
        assert!(!holds("gone ge 3"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(Filter::parse("userId or 3").is_err());
        assert!(Filter::parse("length(displayName) gt 3").is_err());
    }
}
