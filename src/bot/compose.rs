//! Turns an answer into a card: words its facts, numbers its citations, and names the evidence to keep.

use serde_json::Value;

use crate::chat::card::{Block, Card, Citation, Item, LabelledRow, Run, Tone};
use crate::explain::{Plan, Step};
use crate::facts::{Evidence, Fact, Row, Style, Wording, WordingError, clean, grouped};
use crate::store::evidence as kept;

use super::answer::{Answer, Part, WHY};
use super::sheet::Sheet;

/// A card and the evidence that its citations open.
#[derive(Debug)]
pub struct Composed {
    /// The card.
    pub card: Card,
    /// What has to be kept before the card is posted: each cited fact with its rows, and each list, as JSON.
    pub evidence: Vec<Value>,
}

/// Words an answer. A `plan` orders the facts of its first paragraph; facts that it leaves out are left out.
///
/// # Errors
/// When a fact has no wording, which is a fault of the program.
pub fn compose(answer: Answer, plan: Option<&Plan>, wording: &Wording) -> Result<Composed, WordingError> {
    let sheets = answer.sheets.iter().map(Sheet::body).collect();
    let mut composer = Composer { wording, plan, style: answer.style, citations: Vec::new(), evidence: sheets };
    let mut blocks = answer.parts.into_iter().map(|part| composer.block(part)).collect::<Result<Vec<_>, _>>()?;
    blocks.retain(|block| !is_empty(block));
    let summary = answer.title.clone().or_else(|| first_words(&blocks)).unwrap_or_default();
    let card = Card {
        kind: answer.kind,
        title: answer.title,
        subtitle: answer.subtitle,
        blocks,
        actions: answer.actions,
        citations: composer.citations,
        ordered_by_model: plan.is_some(),
        summary,
    };
    Ok(Composed { card, evidence: composer.evidence })
}

/// A block without a word: facts that concern nobody, or a part that had nothing to say.
fn is_empty(block: &Block) -> bool {
    match block {
        Block::Text { runs, .. } => runs.is_empty(),
        Block::Items { items, .. } => items.is_empty(),
        Block::Rows { rows } => rows.is_empty(),
        Block::Bars { bars } => bars.is_empty(),
        Block::Change { rows } => rows.is_empty(),
        Block::Heading { .. } | Block::Table { .. } | Block::Code { .. } => false,
    }
}

/// The facts that a model may order: those of the first paragraph.
#[must_use]
pub fn orderable(answer: &Answer) -> &[Fact] {
    answer
        .parts
        .iter()
        .find_map(|part| match part {
            Part::Sentences(facts) => Some(facts.as_slice()),
            _ => None,
        })
        .unwrap_or_default()
}

struct Composer<'a> {
    wording: &'a Wording,
    plan: Option<&'a Plan>,
    style: Style,
    citations: Vec<Citation>,
    evidence: Vec<Value>,
}

impl Composer<'_> {
    fn block(&mut self, part: Part) -> Result<Block, WordingError> {
        Ok(match part {
            Part::Heading(text) => Block::Heading { text },
            Part::Sentences(facts) => Block::Text { runs: self.paragraph(&facts)?, tone: Tone::Normal },
            Part::Warning(facts) => Block::Text { runs: self.runs(&facts, Style::Full)?, tone: Tone::Warning },
            Part::Limits(facts) => Block::Text { runs: self.runs(&facts, Style::Full)?, tone: Tone::Subtle },
            Part::List { ordered, items } => Block::Items {
                ordered,
                items: items
                    .into_iter()
                    .filter(|(fact, _)| !fact.concerns_nobody())
                    .map(|(fact, actions)| Ok(Item { runs: vec![self.run(&fact, Style::Short)?], actions }))
                    .collect::<Result<_, WordingError>>()?,
            },
            Part::Rows(rows) => Block::Rows {
                rows: rows
                    .into_iter()
                    .filter(|(_, facts)| !facts.is_empty())
                    .map(|(label, facts)| {
                        let style = if label == WHY { Style::Full } else { Style::Short };
                        Ok(LabelledRow { label, runs: self.lines(&facts, style)? })
                    })
                    .collect::<Result<_, WordingError>>()?,
            },
            Part::Table { columns, rows, more } => {
                let clean_row = |row: Vec<String>| row.iter().map(|cell| clean(cell)).collect();
                Block::Table { columns, rows: rows.into_iter().map(clean_row).collect(), more }
            }
            Part::Bars(bars) => Block::Bars { bars },
            Part::Change(rows) => Block::Change { rows },
            Part::Code(language, text) => Block::Code { language, text },
        })
    }

    /// The first paragraph follows the plan, if there is one; all others stand as they are.
    fn paragraph(&mut self, facts: &[Fact]) -> Result<Vec<Run>, WordingError> {
        let Some(plan) = self.plan.take() else {
            return self.runs(facts, self.style);
        };
        let mut runs = Vec::new();
        for step in &plan.steps {
            match step {
                Step::Say(words) => runs.push(Run::plain(*words)),
                Step::Fact(position) => {
                    if let Some(fact) = facts.get(*position).filter(|fact| !fact.concerns_nobody()) {
                        runs.push(self.run(fact, self.style)?);
                    }
                }
            }
        }
        Ok(apart(runs))
    }

    fn runs(&mut self, facts: &[Fact], style: Style) -> Result<Vec<Run>, WordingError> {
        let told = facts.iter().filter(|fact| !fact.concerns_nobody());
        let runs = told.map(|fact| self.run(fact, style)).collect::<Result<_, _>>()?;
        Ok(apart(runs))
    }

    /// What stands beside a label: two statements as a sentence, more than that one below the other.
    fn lines(&mut self, facts: &[Fact], style: Style) -> Result<Vec<Run>, WordingError> {
        let told = facts.iter().filter(|fact| !fact.concerns_nobody());
        let mut runs = told.map(|fact| self.run(fact, style)).collect::<Result<Vec<_>, _>>()?;
        if runs.len() < 3 {
            return Ok(apart(runs));
        }
        runs.iter_mut().skip(1).for_each(|run| run.text.insert(0, '\n'));
        Ok(runs)
    }

    fn run(&mut self, fact: &Fact, style: Style) -> Result<Run, WordingError> {
        let text = self.wording.of(fact, style)?;
        let cites = self.cite(fact)?.into_iter().collect();
        Ok(Run::cited(text, cites))
    }

    /// Numbers the fact's evidence; a fact without rows cites nothing.
    fn cite(&mut self, fact: &Fact) -> Result<Option<u32>, WordingError> {
        if fact.evidence.rows.is_empty() {
            return Ok(None);
        }
        let body = serde_json::to_value(fact).unwrap_or_default();
        let id = kept::Evidence { tenant: "", body: &body, at: fact.evidence.read_at }.id();
        if let Some(known) = self.citations.iter().find(|citation| citation.evidence == id) {
            return Ok(Some(known.number));
        }
        let number = u32::try_from(self.citations.len() + 1).unwrap_or(u32::MAX);
        let title = self.wording.of(fact, Style::Short)?;
        let about = describe(&fact.evidence);
        self.citations.push(Citation { number, evidence: id.clone(), title, about });
        self.evidence.push(body);
        Ok(Some(number))
    }
}

/// Platforms set runs side by side as they are; what stands between two facts is ours to write.
fn apart(mut runs: Vec<Run>) -> Vec<Run> {
    for run in runs.iter_mut().skip(1) {
        run.text.insert(0, ' ');
    }
    runs
}

/// What kinds of rows there are and how many, for the line under a citation.
fn describe(evidence: &Evidence) -> String {
    let alike =
        |row: &&Row| evidence.rows.iter().all(|other| std::mem::discriminant(other) == std::mem::discriminant(*row));
    let kind = match evidence.rows.first().filter(alike) {
        Some(Row::Policy { .. }) => ("policy", "policies"),
        Some(Row::User { .. }) => ("account", "accounts"),
        Some(Row::SignIn { .. }) => ("sign-in", "sign-ins"),
        Some(Row::Audit { .. }) => ("audit record", "audit records"),
        Some(Row::Entry { .. }) => ("log entry", "log entries"),
        Some(Row::Object { .. }) | None => ("row", "rows"),
    };
    let count = i64::try_from(evidence.total).unwrap_or(i64::MAX);
    format!("{} {}", grouped(count), if count == 1 { kind.0 } else { kind.1 })
}

fn first_words(blocks: &[Block]) -> Option<String> {
    blocks.iter().find_map(|block| match block {
        Block::Text { runs, .. } => runs.first().map(|run| run.text.chars().take(140).collect()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn fact(rows: usize) -> Fact {
        let row =
            |n: usize| Row::Object { what: "Group".into(), id: n.to_string(), name: "G".into(), note: String::new() };
        Fact::new("common.not_checked", Evidence::of((0..rows).map(row)))
            .with("what", crate::facts::Term::Word(format!("{rows} rows")))
    }

    fn composed(facts: Vec<Fact>, plan: Option<&Plan>) -> Composed {
        compose(Answer::sentences(facts), plan, &Wording::new(TimeZone::UTC).unwrap()).unwrap()
    }

    #[test]
    fn each_sentence_with_rows_cites_them_and_equal_evidence_once() {
        let Composed { card, evidence } = composed(vec![fact(1), fact(0), fact(60), fact(1)], None);
        let Some(Block::Text { runs, .. }) = card.blocks.first() else { panic!("a paragraph") };
        let cites: Vec<_> = runs.iter().map(|run| run.cites.clone()).collect();
        assert_eq!(cites, [vec![1], vec![], vec![2], vec![1]]);
        assert_eq!(card.citations[1].about, "60 rows");
        assert_eq!(evidence.len(), 2);
        let kept: Fact = serde_json::from_value(evidence[1].clone()).unwrap();
        assert_eq!(kept.evidence.rows.len(), Evidence::SHOWN);
    }

    #[test]
    fn the_line_that_explains_is_a_sentence_and_the_others_are_short() {
        let fact = || {
            let fact = Fact::new("coverage.part", Evidence::default()).with("count", 2_u64);
            fact.with("what", crate::facts::Term::Word("x".into()))
        };
        let rows = [WHY, "Grant"].map(|label| (label.to_owned(), vec![fact(), fact()]));
        let answer = Answer::default().part(Part::Rows(rows.into()));
        let card = compose(answer, None, &Wording::new(TimeZone::UTC).unwrap()).unwrap().card;
        let Some(Block::Rows { rows }) = card.blocks.first() else { panic!("{card:?}") };
        let words = rows.iter().map(|row| row.runs.iter().map(|run| run.text.as_str()).collect::<String>());
        assert_eq!(words.collect::<Vec<_>>(), ["x: 2. x: 2.", "x: 2 x: 2"]);
    }

    #[test]
    fn a_cause_that_concerns_nobody_is_left_out() {
        let cause = |who: u64| {
            let fact = Fact::new("cause.excluded_user", Evidence::default()).with("who", who);
            fact.with("policy", crate::facts::Term::Name("CA200".into()))
        };
        let items = vec![(cause(0), Vec::new()), (cause(2), Vec::new())];
        let answer = Answer::sentences(vec![cause(0), cause(1)]).part(Part::List { ordered: false, items });
        let card = compose(answer, None, &Wording::new(TimeZone::UTC).unwrap()).unwrap().card;
        let [Block::Text { runs, .. }, Block::Items { items, .. }] = card.blocks.as_slice() else { panic!("{card:?}") };
        assert_eq!((runs.len(), items.len()), (1, 1));
        assert_eq!(runs[0].text, "1 account is excluded from CA200 by name.");
    }

    #[test]
    fn a_changed_row_is_another_citation() {
        let mut other = fact(1);
        other.evidence.rows =
            vec![Row::Object { what: "Group".into(), id: "9".into(), name: "G".into(), note: String::new() }];
        let citations = composed(vec![fact(1), other], None).card.citations;
        assert_ne!(citations[0].evidence, citations[1].evidence);
    }

    #[test]
    fn a_plan_orders_the_first_paragraph_and_is_labelled() {
        let plan = Plan { steps: vec![Step::Fact(1), Step::Say("Also:"), Step::Fact(0)] };
        let card = composed(vec![fact(1), fact(2)], Some(&plan)).card;
        assert!(card.ordered_by_model);
        let Some(Block::Text { runs, .. }) = card.blocks.first() else { panic!("a paragraph") };
        let texts: Vec<_> = runs.iter().map(|run| run.text.as_str()).collect();
        assert_eq!(texts.concat(), "Not checked: 2 rows. Also: Not checked: 1 rows.");
    }
}
