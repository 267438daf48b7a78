//! Reads the text of a `$filter`.

use super::filter::{Clause, Filter, Operator};

/// How deep brackets and negations may nest; nobody's query gets near it.
const DEEPEST: usize = 40;

/// What is left to read of a filter.
pub struct Parser<'a> {
    rest: &'a str,
    /// The name for an entry, inside of `any`.
    variable: Option<&'a str>,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// At the start of a text.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        Self { rest: text, variable: None, depth: 0 }
    }

    /// The whole text as a filter; none when it isn't one.
    #[must_use]
    pub fn whole(mut self) -> Option<Filter> {
        let filter = self.either()?;
        self.rest.trim().is_empty().then_some(filter)
    }

    fn either(&mut self) -> Option<Filter> {
        let mut found = vec![self.both()?];
        while self.keyword("or") {
            found.push(self.both()?);
        }
        if found.len() == 1 { found.pop() } else { Some(Filter::Or(found)) }
    }

    fn both(&mut self) -> Option<Filter> {
        let mut found = vec![self.one()?];
        while self.keyword("and") {
            found.push(self.one()?);
        }
        if found.len() == 1 { found.pop() } else { Some(Filter::And(found)) }
    }

    fn one(&mut self) -> Option<Filter> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let found = self.bracketed();
        self.depth -= 1;
        found
    }

    fn bracketed(&mut self) -> Option<Filter> {
        if self.keyword("not") {
            return self.one().map(|one| Filter::Not(Box::new(one)));
        }
        if self.eats('(') {
            let inner = self.either()?;
            return self.eats(')').then_some(inner);
        }
        let word = self.word()?;
        if !self.eats('(') {
            return self.comparison(word);
        }
        let found = match word.strip_suffix("/any") {
            Some(list) => self.any(list),
            None => self.function(word),
        };
        found.filter(|_| self.eats(')'))
    }

    /// `property operator value`, the property being read.
    fn comparison(&mut self, property: &str) -> Option<Filter> {
        let operator = match self.word()? {
            "eq" => Operator::Eq,
            "ne" => Operator::Ne,
            "ge" => Operator::Ge,
            "gt" => Operator::Gt,
            "le" => Operator::Le,
            "lt" => Operator::Lt,
            "in" => Operator::In,
            _ => return None,
        };
        let values = if operator == Operator::In { self.list()? } else { vec![self.value()?] };
        self.test(property, operator, values)
    }

    /// `startswith(property,'value')` and its like, after the bracket.
    fn function(&mut self, name: &str) -> Option<Filter> {
        let operator = match name.to_lowercase().as_str() {
            "startswith" => Operator::StartsWith,
            "endswith" => Operator::EndsWith,
            "contains" => Operator::Contains,
            _ => return None,
        };
        let property = self.word()?;
        let value = self.eats(',').then(|| self.value())??;
        self.test(property, operator, vec![value])
    }

    /// `list/any(entry: …)`, after the bracket.
    fn any(&mut self, list: &str) -> Option<Filter> {
        let (name, rest) = self.rest.split_once(':')?;
        let name = name.trim();
        if self.variable.is_some() || name.is_empty() || !name.chars().all(char::is_alphanumeric) {
            return None;
        }
        (self.rest, self.variable) = (rest, Some(name));
        let of = self.either();
        self.variable = None;
        Some(Filter::Any { list: list.to_owned(), of: Box::new(of?) })
    }

    fn test(&self, property: &str, operator: Operator, values: Vec<String>) -> Option<Filter> {
        let property = match self.variable {
            Some(entry) if property == entry => "",
            Some(entry) => property.strip_prefix(entry)?.strip_prefix('/')?,
            None => property,
        };
        Some(Filter::Test(Clause { property: property.to_owned(), operator, values }))
    }

    fn list(&mut self) -> Option<Vec<String>> {
        let mut values = self.eats('(').then(|| self.value())?.map(|value| vec![value])?;
        while self.eats(',') {
            values.push(self.value()?);
        }
        self.eats(')').then_some(values)
    }

    /// A text in quotes, a number, a moment, an id, or one of the three words.
    fn value(&mut self) -> Option<String> {
        if self.eats('\'') {
            return self.quoted();
        }
        let word = self.word()?;
        let is_value = matches!(word, "true" | "false" | "null")
            || word.parse::<f64>().is_ok()
            || word.parse::<jiff::Timestamp>().is_ok()
            || word.parse::<jiff::civil::Date>().is_ok()
            || uuid::Uuid::try_parse(word).is_ok();
        is_value.then(|| word.to_owned())
    }

    /// What stands before the next single quote; two of them stand for one.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let (part, rest) = self.rest.split_once('\'')?;
            text.push_str(part);
            let Some(more) = rest.strip_prefix('\'') else {
                self.rest = rest;
                return Some(text);
            };
            self.rest = more;
            text.push('\'');
        }
    }

    /// What stands before the next space, bracket, comma or quote; a path, an operator, a bare value.
    fn word(&mut self) -> Option<&'a str> {
        let text = self.rest.trim_start();
        let end = text.find(|next: char| next.is_whitespace() || "(),'".contains(next)).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end).filter(|(word, _)| !word.is_empty())?;
        self.rest = rest;
        Some(word)
    }

    fn keyword(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(word);
        let rest = rest.filter(|rest| rest.starts_with(|next: char| next.is_whitespace() || next == '('));
        rest.map(|rest| self.rest = rest).is_some()
    }

    fn eats(&mut self, next: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(next);
        rest.map(|rest| self.rest = rest).is_some()
    }
}
