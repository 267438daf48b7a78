//! Lines of a sign-in test: several policies of which the same is to be said share one, and a long list is folded.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::answers::Asked;
use crate::facts::{Evidence, Fact, Row, Term};

/// A list shows so many lines; the others are counted, unless they are asked for.
const SHOWN: usize = 5;

/// What the button says that shows all lines.
pub(super) const EVERY: &str = "naming every policy";

/// Adds a list under its heading; nothing where there is nothing to list.
pub(super) fn list(asked: Asked<'_>, answer: Answer, heading: &str, facts: Vec<Fact>) -> Answer {
    if facts.is_empty() {
        return answer;
    }
    let mut lines = together(asked, facts);
    let shown = if wants_every(asked) || lines.len() == SHOWN + 1 { lines.len() } else { SHOWN };
    let rest: usize = lines.iter().skip(shown).map(policies).sum();
    lines.truncate(shown);
    let answer = answer.part(Part::Heading(heading.to_owned()));
    if rest == 0 { itemised(answer, lines) } else { folded(asked, answer, lines, ("what_if.more", rest)) }
}

/// The last line of a list counts policies instead of naming them; a button of the answer has them named.
pub(super) fn folded(asked: Asked<'_>, answer: Answer, mut lines: Vec<Fact>, (key, count): (&str, usize)) -> Answer {
    lines.push(Fact::new(key, Evidence::default()).with("count", count));
    let every = answer.actions.is_empty().then(|| ask("Every policy", super::again(asked, EVERY)));
    itemised(answer, lines).actions(every)
}

fn itemised(answer: Answer, lines: Vec<Fact>) -> Answer {
    let items = lines.into_iter().map(|fact| (fact, Vec::new())).collect();
    answer.part(Part::List { ordered: false, items })
}

/// Whether the question asks for every policy.
pub(super) fn wants_every(asked: Asked<'_>) -> bool {
    let text = asked.text.to_lowercase();
    ["every policy", "all policies", "each policy"].iter().any(|words| text.contains(words))
}

/// Facts that say the same but for their policy become one, in the place of the first.
fn together(asked: Asked<'_>, facts: Vec<Fact>) -> Vec<Fact> {
    let mut all: Vec<Vec<Fact>> = Vec::new();
    for fact in facts {
        match all.iter_mut().find(|others| others.first().is_some_and(|other| says_the_same(other, &fact))) {
            Some(others) => others.push(fact),
            None => all.push(vec![fact]),
        }
    }
    all.into_iter().filter_map(|alike| joined(asked, alike)).collect()
}

fn says_the_same(one: &Fact, other: &Fact) -> bool {
    let said = |fact: &Fact| {
        let mut terms = fact.terms.clone();
        terms.remove("policies");
        terms
    };
    one.key == other.key && said(one) == said(other)
}

fn joined(asked: Asked<'_>, alike: Vec<Fact>) -> Option<Fact> {
    let names: Vec<String> = alike.iter().flat_map(names).cloned().collect();
    let mut rows: Vec<Row> = Vec::new();
    for row in alike.iter().flat_map(|fact| &fact.evidence.rows) {
        if !rows.contains(row) {
            rows.push(row.clone());
        }
    }
    let first = alike.into_iter().next()?;
    Some(Fact { evidence: asked.analysis.evidence(rows), ..first }.with("policies", names))
}

fn names(fact: &Fact) -> &[String] {
    if let Some(Term::Names(names)) = fact.terms.get("policies") { names } else { &[] }
}

fn policies(fact: &Fact) -> usize {
    names(fact).len()
}
