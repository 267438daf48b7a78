//! Routes a file of labelled questions by rules alone, prints every miss, and fails below a floor.
//!
//! `ROUTING_QUESTIONS` names another file of the same format; the floor holds for the project's own set only.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use portcullis::bot::intent::{Intent, Previous, SlotName, Slots, route};
use serde::Deserialize;

/// Shares of the project's own set that must be right.
const INTENT_FLOOR: f64 = 0.92;
const SLOT_FLOOR: f64 = 0.70;

#[derive(Deserialize)]
struct Question {
    text: String,
    intent: String,
    slots: BTreeMap<String, OneOrMany>,
    context: Option<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    intent: String,
    subject: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn values(&self) -> Vec<&str> {
        match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values.iter().map(String::as_str).collect(),
        }
    }
}

#[derive(Default)]
struct Score {
    right: u32,
    all: u32,
}

impl Score {
    fn count(&mut self, right: bool) {
        self.all += 1;
        self.right += u32::from(right);
    }

    fn share(&self) -> f64 {
        f64::from(self.right) / f64::from(self.all.max(1))
    }
}

/// The report goes here; standard output, line by line, so that it shows with and without `--nocapture`.
struct Report<W> {
    out: W,
    intents: Score,
    slots: Score,
    unsure: u32,
    after_another: Score,
}

/// Turns that a question which stands alone may come after, without being read as a follow-up.
const UNRELATED: [Intent; 4] =
    [Intent::ListSuggestions, Intent::ExplainSignIn, Intent::ShowPolicy, Intent::RunAnalysis];

fn main() -> anyhow::Result<()> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/questions.jsonl");
    let named = std::env::var_os("ROUTING_QUESTIONS").map(PathBuf::from);
    let path = named.clone().unwrap_or_else(|| own.into());
    let lines = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut report = Report {
        out: std::io::stdout().lock(),
        intents: Score::default(),
        slots: Score::default(),
        unsure: 0,
        after_another: Score::default(),
    };
    for (number, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        report.judge(line).with_context(|| format!("{}:{}", path.display(), number + 1))?;
    }
    writeln!(report.out, "routing: {} of {}", report.intents.right, report.intents.all)?;
    writeln!(report.out, "slots: {} of {}", report.slots.right, report.slots.all)?;
    writeln!(report.out, "asks back: {} of {}", report.unsure, report.intents.all)?;
    let Score { right, all } = report.after_another;
    writeln!(report.out, "after an unrelated turn: {right} of {all}")?;
    let high = report.intents.share() >= INTENT_FLOOR && report.slots.share() >= SLOT_FLOOR;
    ensure!(named.is_some() || high, "routing is below its floor: {INTENT_FLOOR} of intents, {SLOT_FLOOR} of slots");
    writeln!(report.out, "\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out")?;
    Ok(())
}

impl<W: Write> Report<W> {
    fn judge(&mut self, line: &str) -> anyhow::Result<()> {
        let question: Question = serde_json::from_str(line)?;
        let expected: Intent = question.intent.parse()?;
        let previous = match &question.context {
            Some(turn) => Some(Previous { intent: turn.intent.parse()?, subject: turn.subject.clone() }),
            None => None,
        };
        let routed = route(&question.text, previous.as_ref());
        self.intents.count(routed.intent == expected);
        self.unsure += u32::from(!routed.sure);
        if routed.intent != expected {
            let sure = if routed.sure { "" } else { " (unsure)" };
            writeln!(self.out, "miss: {:?}: expected {expected}, got {}{sure}", question.text, routed.intent)?;
        }
        for intent in UNRELATED.into_iter().filter(|_| previous.is_none()) {
            let turn = Previous { intent, subject: String::new() };
            let routed = route(&question.text, Some(&turn));
            self.after_another.count(routed.intent == expected);
        }
        if expected != Intent::OutOfScope {
            self.judge_slots(&question, &routed.slots)?;
        }
        Ok(())
    }

    /// A slot is right when its values are exactly those expected; a slot too many counts as wrong.
    fn judge_slots(&mut self, question: &Question, got: &Slots) -> anyhow::Result<()> {
        for name in SlotName::ALL {
            let expected = question.slots.get(name.as_str()).map(OneOrMany::values).unwrap_or_default();
            let found: Vec<&str> = got.get(name).into_iter().flatten().map(String::as_str).collect();
            if expected.is_empty() && found.is_empty() {
                continue;
            }
            let within = |some: &[&str], all: &[&str]| some.iter().all(|value| all.contains(value));
            let right = within(&expected, &found) && within(&found, &expected);
            self.slots.count(right);
            if !right {
                let name = name.as_str();
                writeln!(self.out, "slot: {:?}: {name} expected {expected:?}, got {found:?}", question.text)?;
            }
        }
        Ok(())
    }
}
