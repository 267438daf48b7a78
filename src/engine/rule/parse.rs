//! Reads a rule: a tokeniser and a recursive descent over it.
//!
//! ```text
//! or   := and { -or and }        and  := not { -and not }      not := [-not] prim
//! prim := "(" or ")" | attribute operator value                value := "text" | 'text' | True | False | null | [v, v …]
//! ```
//! Hyphens before operators may be left out; words are read without regard to case; `` `" `` is a quote inside a text.

use super::{Comparison, Operator, Rule, RuleError};

/// Parentheses and `-not` may be nested this deep; real rules need a handful.
const MAX_DEPTH: usize = 64;

/// Reads a rule.
///
/// # Errors
/// Says where the rule is wrong and what would be right there.
pub fn parse(rule: &str) -> Result<Rule, RuleError> {
    let tokens = tokens(rule)?;
    let mut parser = Parser { tokens: &tokens, end: rule.chars().count() + 1, depth: 0 };
    let rule = parser.or()?;
    match parser.next() {
        None => Ok(rule),
        Some(token) => Err(token.wrong("-and, -or or the end of the rule")),
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Token {
    position: usize,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Text(String),
    Word(String),
    Mark(char),
}

impl Token {
    fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    /// The word in lower case, without its hyphen.
    fn word(&self) -> Option<String> {
        let Kind::Word(word) = &self.kind else { return None };
        Some(word.trim_start_matches('-').to_ascii_lowercase())
    }

    fn wrong(&self, expected: &str) -> RuleError {
        let found = match &self.kind {
            Kind::Text(text) => format!("the text {text:?}"),
            Kind::Word(word) => format!("`{word}`"),
            Kind::Mark(mark) => format!("`{mark}`"),
        };
        RuleError { position: self.position, message: format!("expected {expected}, found {found}") }
    }
}

fn tokens(rule: &str) -> Result<Vec<Token>, RuleError> {
    let mut characters = rule.chars().zip(1..).peekable();
    let mut tokens = Vec::new();
    while let Some((character, position)) = characters.next() {
        let kind = match character {
            _ if character.is_whitespace() => continue,
            '(' | ')' | '[' | ']' | ',' => Kind::Mark(character),
            '"' | '\'' => Kind::Text(text(character, position, &mut characters)?),
            _ if is_word(character) => {
                let mut word = character.to_string();
                while let Some((next, _)) = characters.next_if(|(next, _)| is_word(*next)) {
                    word.push(next);
                }
                Kind::Word(word)
            }
            _ => return Err(RuleError { position, message: format!("`{character}` has no meaning here") }),
        };
        tokens.push(Token { position, kind });
    }
    Ok(tokens)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '.' | '_' | '-')
}

fn text(quote: char, start: usize, rest: &mut impl Iterator<Item = (char, usize)>) -> Result<String, RuleError> {
    let mut text = String::new();
    while let Some((character, _)) = rest.next() {
        match character {
            '`' => text.extend(rest.next().map(|(escaped, _)| escaped)),
            _ if character == quote => return Ok(text),
            _ => text.push(character),
        }
    }
    Err(RuleError { position: start, message: format!("the text that begins here has no closing {quote}") })
}

struct Parser<'t> {
    tokens: &'t [Token],
    end: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn expect(&mut self, expected: &str) -> Result<&'t Token, RuleError> {
        let position = self.end;
        self.next()
            .ok_or_else(|| RuleError { position, message: format!("expected {expected}, found the end of the rule") })
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.tokens.first().and_then(Token::word).is_some_and(|found| found == word);
        found && self.next().is_some()
    }

    fn or(&mut self) -> Result<Rule, RuleError> {
        let mut rules = vec![self.and()?];
        while self.take_word("or") {
            rules.push(self.and()?);
        }
        Ok(one_or(rules, Rule::Or))
    }

    fn and(&mut self) -> Result<Rule, RuleError> {
        let mut rules = vec![self.not()?];
        while self.take_word("and") {
            rules.push(self.not()?);
        }
        Ok(one_or(rules, Rule::And))
    }

    fn not(&mut self) -> Result<Rule, RuleError> {
        let mut negations = 0_u32;
        while self.take_word("not") {
            negations += 1;
        }
        let rule = self.primary()?;
        Ok(if negations % 2 == 1 { Rule::Not(Box::new(rule)) } else { rule })
    }

    fn primary(&mut self) -> Result<Rule, RuleError> {
        let token = self.expect("an attribute such as device.isCompliant")?;
        if !token.is('(') {
            return self.comparison(token).map(Rule::Compare);
        }
        if self.depth == MAX_DEPTH {
            return Err(RuleError { position: token.position, message: "parentheses are nested too deep".to_owned() });
        }
        self.depth += 1;
        let rule = self.or()?;
        self.depth -= 1;
        let close = self.expect("a closing parenthesis")?;
        if close.is(')') { Ok(rule) } else { Err(close.wrong("-and, -or or a closing parenthesis")) }
    }

    fn comparison(&mut self, token: &Token) -> Result<Comparison, RuleError> {
        let Kind::Word(attribute) = &token.kind else {
            return Err(token.wrong("an attribute such as device.isCompliant"));
        };
        if !attribute.contains('.') {
            return Err(token.wrong("an attribute with its prefix, such as device.isCompliant"));
        }
        let expected = "an operator such as -eq or -notIn";
        let token_operator = self.expect(expected)?;
        let known = token_operator.word().and_then(|word| operator(&word));
        let (operator, negative) = known.ok_or_else(|| token_operator.wrong(expected))?;
        let values = if operator == Operator::In { self.list()? } else { vec![self.value()?] };
        Ok(Comparison { attribute: attribute.clone(), operator, negative, values, position: token.position })
    }

    fn value(&mut self) -> Result<Option<String>, RuleError> {
        let expected = "a text in quotes, True, False or null";
        let token = self.expect(expected)?;
        match (&token.kind, token.word().as_deref()) {
            (Kind::Text(text), _) => Ok(Some(text.clone())),
            (_, Some("true")) => Ok(Some("True".to_owned())),
            (_, Some("false")) => Ok(Some("False".to_owned())),
            (_, Some("null")) => Ok(None),
            _ => Err(token.wrong(expected)),
        }
    }

    fn list(&mut self) -> Result<Vec<Option<String>>, RuleError> {
        let open = self.expect("a list such as [\"a\", \"b\"]")?;
        if !open.is('[') {
            return Err(open.wrong("a list such as [\"a\", \"b\"]"));
        }
        let mut values = vec![self.value()?];
        loop {
            let token = self.expect("a comma or ]")?;
            match token.kind {
                Kind::Mark(',') => values.push(self.value()?),
                Kind::Mark(']') => return Ok(values),
                _ => return Err(token.wrong("a comma or ]")),
            }
        }
    }
}

fn one_or(mut rules: Vec<Rule>, join: fn(Vec<Rule>) -> Rule) -> Rule {
    match rules.pop() {
        Some(only) if rules.is_empty() => only,
        last => join(rules.into_iter().chain(last).collect()),
    }
}

fn operator(word: &str) -> Option<(Operator, bool)> {
    Some(match word {
        "eq" | "equals" => (Operator::Equals, false),
        "ne" | "notequals" => (Operator::Equals, true),
        "startswith" => (Operator::StartsWith, false),
        "notstartswith" => (Operator::StartsWith, true),
        "endswith" => (Operator::EndsWith, false),
        "notendswith" => (Operator::EndsWith, true),
        "contains" => (Operator::Contains, false),
        "notcontains" => (Operator::Contains, true),
        "in" => (Operator::In, false),
        "notin" => (Operator::In, true),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Held;
    use super::*;
    use crate::engine::truth::Truth;

    fn holds(rule: &str, held: Held<'_>) -> Truth {
        parse(rule).unwrap().holds(&|_| held)
    }

    fn error(rule: &str) -> String {
        parse(rule).unwrap_err().to_string()
    }

    #[test]
    fn and_binds_tighter_than_or_and_parentheses_tighter_still() {
        let held =
            |comparison: &Comparison| if comparison.attribute == "d.a" { Held::Text("1") } else { Held::Text("0") };
        let rule = |text: &str| parse(text).unwrap().holds(&held);
        assert_eq!(rule("d.a -eq \"1\" -or d.b -eq \"1\" -and d.c -eq \"1\""), Truth::Yes);
        assert_eq!(rule("(d.a -eq \"1\" -or d.b -eq \"1\") -and d.c -eq \"1\""), Truth::No);
        assert_eq!(rule("-not d.a -eq \"1\" -or d.b -eq \"0\""), Truth::Yes);
        assert_eq!(rule("-not (d.a eq '1' or d.b EQ '1')"), Truth::No);
    }

    #[test]
    fn null_meets_the_negative_operators_only() {
        for operator in ["eq", "startsWith", "endsWith", "contains"] {
            assert_eq!(holds(&format!("d.a -{operator} \"x\""), Held::Null), Truth::No, "{operator}");
        }
        for operator in ["ne", "notStartsWith", "notEndsWith", "notContains"] {
            assert_eq!(holds(&format!("d.a -{operator} \"x\""), Held::Null), Truth::Yes, "{operator}");
        }
        assert_eq!(holds("d.a -in [\"x\"]", Held::Null), Truth::No);
        assert_eq!(holds("d.a -notIn [\"x\"]", Held::Null), Truth::Yes);
        assert_eq!(holds("d.a -eq null", Held::Null), Truth::Yes);
        assert_eq!(holds("d.a -ne null", Held::Text("x")), Truth::Yes);
    }

    #[test]
    fn contains_is_a_part_of_a_text_and_a_whole_element_of_a_list() {
        assert_eq!(holds("d.a -contains \"KIOSK\"", Held::Text("lobby-kiosk-3")), Truth::Yes);
        let labels = ["M365Managed".to_owned()];
        assert_eq!(holds("d.a -contains \"M365\"", Held::List(&labels)), Truth::No);
        assert_eq!(holds("d.a -contains \"m365managed\"", Held::List(&labels)), Truth::Yes);
    }

    #[test]
    fn what_is_not_known_decides_only_where_it_matters() {
        let held =
            |comparison: &Comparison| if comparison.attribute == "d.a" { Held::Unknown } else { Held::Text("x") };
        let rule = |text: &str| parse(text).unwrap().holds(&held);
        assert_eq!(rule("d.a -eq \"x\""), Truth::Maybe);
        assert_eq!(rule("d.a -eq \"x\" -or d.b -eq \"x\""), Truth::Yes);
        assert_eq!(rule("-not d.a -eq \"x\" -and d.b -eq \"y\""), Truth::No);
    }

    #[test]
    fn a_quote_inside_a_text() {
        assert_eq!(holds("d.a -eq \"6`\" tablet\"", Held::Text("6\" tablet")), Truth::Yes);
    }

    #[test]
    fn errors_say_where_and_what() {
        assert_eq!(
            error(""),
            "at character 1: expected an attribute such as device.isCompliant, found the end of the rule"
        );
        assert_eq!(
            error("device.model -eq Surface"),
            "at character 18: expected a text in quotes, True, False or null, found `Surface`"
        );
        assert_eq!(
            error("device.model -match \"x\""),
            "at character 14: expected an operator such as -eq or -notIn, found `-match`"
        );
        assert_eq!(error("device.model -eq \"x"), "at character 18: the text that begins here has no closing \"");
        assert_eq!(
            error("d.a -eq \"x\" d.b -eq \"y\""),
            "at character 13: expected -and, -or or the end of the rule, found `d.b`"
        );
        assert_eq!(
            error("d.a -in \"x\""),
            "at character 9: expected a list such as [\"a\", \"b\"], found the text \"x\""
        );
        assert!(error(&"(".repeat(5000)).contains("nested too deep"));
    }
}
