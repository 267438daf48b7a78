//! Routes files of labelled questions by rules alone, prints every miss, and fails below a floor.
//!
//! `questions.jsonl` is the set that rules and examples were tuned in sight of. The misses of `questions-blind.jsonl`
//! were never looked at: 195 lines were written before their author had read rules or examples, 120 before the last
//! round of examples, and 580 by two writers who saw nothing of this program. It tells what to expect of questions that
//! nobody foresaw. Keep it so: add to the first set, and read only the totals of the second.
//! `ROUTING_QUESTIONS` names another file of the same format instead; no floor holds for it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use portcullis::bot::intent::{Intent, Previous, SlotName, Slots, route};
use serde::Deserialize;

/// Shares of intents and of slots that must be right in the set that is tuned on, and in the one that is not.
const TUNED_FLOOR: (f64, f64) = (0.95, 0.85);
const BLIND_FLOOR: (f64, f64) = (0.85, 0.70);

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
///
/// Misses of the blind set are counted and not shown.
struct Report<W> {
    out: W,
    shows_misses: bool,
    intents: Score,
    slots: Score,
    unsure: u32,
    after_another: Score,
}

/// Turns that a question which stands alone may come after, without being read as a follow-up.
const UNRELATED: [Intent; 4] =
    [Intent::ListSuggestions, Intent::ExplainSignIn, Intent::ShowPolicy, Intent::RunAnalysis];

fn main() -> anyhow::Result<()> {
    if let Some(named) = std::env::var_os("ROUTING_QUESTIONS").map(PathBuf::from) {
        report(&named, true)?;
    } else {
        let data = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data"));
        let tuned = report(&data.join("questions.jsonl"), true)?;
        println!("\nquestions that nothing was tuned on:");
        let blind = report(&data.join("questions-blind.jsonl"), false)?;
        for ((intents, slots), floor) in [(tuned, TUNED_FLOOR), (blind, BLIND_FLOOR)] {
            ensure!(intents >= floor.0 && slots >= floor.1, "routing ({intents:.3}, {slots:.3}) is below {floor:?}");
        }
    }
    println!("\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
    Ok(())
}

/// Routes the questions of one file; the shares of intents and of slots that are right.
fn report(path: &Path, shows_misses: bool) -> anyhow::Result<(f64, f64)> {
    let lines = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut report = Report {
        out: std::io::stdout().lock(),
        shows_misses,
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
    Ok((report.intents.share(), report.slots.share()))
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
        if routed.intent != expected && self.shows_misses {
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
            if !right && self.shows_misses {
                let name = name.as_str();
                writeln!(self.out, "slot: {:?}: {name} expected {expected:?}, got {found:?}", question.text)?;
            }
        }
        Ok(())
    }
}
