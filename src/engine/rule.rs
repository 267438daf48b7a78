//! The rule language of filters: comparisons joined by `-not`, `-and` and `-or`, as in dynamic membership rules.
//!
//! Sources: Microsoft Learn, Conditional Access: Filter for devices; Rules for dynamic membership groups. A missing
//! value is null: it meets the negative operators and none of the positive ones.

use std::borrow::Cow;

use super::truth::Truth;

mod parse;

pub use parse::parse;

/// A rule as a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// At least one holds.
    Or(Vec<Rule>),
    /// All hold.
    And(Vec<Rule>),
    /// It doesn't hold.
    Not(Box<Rule>),
    /// One comparison.
    Compare(Comparison),
}

/// An attribute, an operator and what it is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The attribute with its prefix, as written (`device.isCompliant`, `CustomSecurityAttribute.Set_Name`).
    pub attribute: String,
    /// How it is compared, without the negation.
    pub operator: Operator,
    /// The negative form of the operator (`-ne`, `-notIn` …).
    pub negative: bool,
    /// One value, or those of a list; none stands for `null`.
    pub values: Vec<Option<String>>,
    /// Where it begins, in characters from 1.
    pub position: usize,
}

/// The positive operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of the language")]
pub enum Operator {
    Equals,
    StartsWith,
    EndsWith,
    Contains,
    In,
}

/// A rule that can't be read, or that names what there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {position}: {message}")]
pub struct RuleError {
    /// Where, in characters from 1.
    pub position: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// What an object has for an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held<'a> {
    /// Not known.
    Unknown,
    /// It has none.
    Null,
    /// One text; `-contains` finds a part of it.
    Text(&'a str),
    /// A list; `-contains` finds a whole element.
    List(&'a [String]),
}

impl Rule {
    /// Whether the rule holds for an object whose attributes `held` looks up.
    pub fn holds<'a>(&self, held: &dyn Fn(&Comparison) -> Held<'a>) -> Truth {
        match self {
            Self::Or(rules) => Truth::any(rules.iter().map(|rule| rule.holds(held))),
            Self::And(rules) => Truth::all(rules.iter().map(|rule| rule.holds(held))),
            Self::Not(rule) => rule.holds(held).negate(),
            Self::Compare(comparison) => comparison.holds(held(comparison)),
        }
    }

    /// Forgets where each comparison stood, so that rules can be compared for what they say.
    pub fn forget_positions(&mut self) {
        match self {
            Self::Or(rules) | Self::And(rules) => rules.iter_mut().for_each(Self::forget_positions),
            Self::Not(rule) => rule.forget_positions(),
            Self::Compare(comparison) => comparison.position = 0,
        }
    }

    /// All comparisons, in the order written.
    #[must_use]
    pub fn comparisons(&self) -> Vec<&Comparison> {
        match self {
            Self::Or(rules) | Self::And(rules) => rules.iter().flat_map(Self::comparisons).collect(),
            Self::Not(rule) => rule.comparisons(),
            Self::Compare(comparison) => vec![comparison],
        }
    }
}

impl Comparison {
    /// Whether the comparison holds for a value; texts are compared without regard to case.
    #[must_use]
    pub fn holds(&self, held: Held<'_>) -> Truth {
        let positive = match held {
            Held::Unknown => return Truth::Maybe,
            Held::Null => self.values.iter().any(Option::is_none),
            Held::Text(text) => self.texts().any(|value| self.hits(text, value)),
            Held::List(items) => self.texts().any(|value| items.iter().any(|item| self.hits_item(item, value))),
        };
        Truth::from(positive != self.negative)
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(Option::as_deref)
    }

    fn hits(&self, text: &str, value: &str) -> bool {
        let (text, value) = (folded(text), folded(value));
        match self.operator {
            Operator::Equals | Operator::In => text == value,
            Operator::StartsWith => text.starts_with(&*value),
            Operator::EndsWith => text.ends_with(&*value),
            Operator::Contains => text.contains(&*value),
        }
    }

    fn hits_item(&self, item: &str, value: &str) -> bool {
        if self.operator == Operator::Contains { folded(item) == folded(value) } else { self.hits(item, value) }
    }
}

/// In small letters; copied only where it isn't.
fn folded(text: &str) -> Cow<'_, str> {
    let small = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if small { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}
