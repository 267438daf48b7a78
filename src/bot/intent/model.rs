//! A naive Bayes model over hashed features, trained from the example utterances at first use.
//!
//! One pass over about five thousand lines: counts only, so the same files give the same model to the bit.

use std::collections::HashMap;
use std::sync::OnceLock;

use include_dir::{Dir, include_dir};

use super::features::{self, Feature};
use super::kinds::{Class, Intent, Refusal};
use super::{concepts, text};

static UTTERANCES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/prompts/intents");

/// Lidstone smoothing; small, because a word family seen in one intent only is strong evidence.
const ALPHA: f32 = 0.1;

/// How much it counts against a class that the features are likely in the other classes (complement naive Bayes).
const REST: f32 = 0.5;

/// How much a unit of log-likelihood, per square root of features, counts against a unit of rule weight.
const SCALE: f32 = 0.7;

/// One labelled line of `prompts/intents`: `text`, or `(after INTENT) text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Utterance {
    /// As a person would type it.
    pub(crate) text: &'static str,
    /// The intent of the turn before, for a follow-up.
    pub(crate) previous: Option<Intent>,
    /// What it asks for.
    pub(crate) class: Class,
}

/// All example utterances, in the order of the files.
pub(crate) fn utterances() -> Vec<Utterance> {
    let contents = |file: String| UTTERANCES.get_file(file).and_then(|file| file.contents_utf8());
    let files = Intent::ALL.iter().map(|&intent| (intent, contents(format!("{intent}.txt")).unwrap_or_default()));
    files.flat_map(|(intent, lines)| parse(intent, lines)).collect()
}

/// The utterances of one file; a heading names the kind of out of scope that the lines below it are.
pub(crate) fn parse(intent: Intent, lines: &'static str) -> Vec<Utterance> {
    let mut all = Vec::new();
    let mut class = Class::Answered(intent);
    for line in lines.lines().filter(|line| !line.is_empty()) {
        if let Some(kind) = line.strip_prefix("# ").and_then(Refusal::from_name) {
            class = Class::Outside(kind);
        } else {
            let (previous, text) = split_context(line);
            all.push(Utterance { text, previous, class });
        }
    }
    all
}

fn split_context(line: &'static str) -> (Option<Intent>, &'static str) {
    line.strip_prefix("(after ")
        .and_then(|rest| rest.split_once(") "))
        .and_then(|(name, text)| Some((Some(name.parse().ok()?), text)))
        .unwrap_or((None, line))
}

/// Counts of each feature in each class.
pub(crate) struct Model {
    rows: HashMap<u64, usize>,
    counts: Vec<u16>,
    totals: Vec<f32>,
}

impl Model {
    /// The model of this build's example utterances.
    pub(crate) fn shared() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        MODEL.get_or_init(|| Self::train(&utterances()))
    }

    /// Counts the features of the examples.
    pub(crate) fn train(examples: &[Utterance]) -> Self {
        let mut model = Self::untaught();
        for example in examples {
            let message = text::Message::read(example.text);
            model.learn(example.class, &features::of(&message, &concepts::of(&message), example.previous));
        }
        model
    }

    /// A model that has seen nothing yet.
    pub(crate) fn untaught() -> Self {
        Self { rows: HashMap::new(), counts: Vec::new(), totals: vec![0.0; Class::all().count()] }
    }

    /// Counts the features of one example.
    pub(crate) fn learn(&mut self, class: Class, features: &[Feature]) {
        let Some(column) = Class::all().position(|known| known == class) else { return };
        let width = self.totals.len();
        for feature in features {
            let next = self.rows.len();
            let row = *self.rows.entry(feature.hash).or_insert(next);
            if row == next {
                self.counts.resize((row + 1) * width, 0);
            }
            if let Some(count) = self.counts.get_mut(row * width + column) {
                *count = count.saturating_add(feature.weight.into());
            }
            if let Some(total) = self.totals.get_mut(column) {
                *total += f32::from(feature.weight);
            }
        }
    }

    /// A score for each class, in the order of [`Class::all`]; only differences mean something.
    pub(crate) fn scores(&self, features: &[Feature]) -> Vec<f32> {
        let width = self.totals.len();
        let vocabulary = f32::from(u16::try_from(self.rows.len()).unwrap_or(u16::MAX));
        let everything: f32 = self.totals.iter().sum();
        let base = |total: f32| (total + ALPHA * vocabulary).ln();
        let bases: Vec<f32> = self.totals.iter().map(|total| base(*total) - REST * base(everything - total)).collect();
        let mut scores = vec![0.0_f32; width];
        let mut known = 0.0_f32;
        for feature in features {
            let Some(row) = self.rows.get(&feature.hash) else { continue };
            let Some(counts) = self.counts.get(row * width..(row + 1) * width) else { continue };
            let weight = f32::from(feature.weight);
            known += weight;
            let seen: f32 = counts.iter().copied().map(f32::from).sum();
            for ((score, count), base) in scores.iter_mut().zip(counts).zip(&bases) {
                let count = f32::from(*count);
                *score += weight * ((count + ALPHA).ln() - REST * (seen - count + ALPHA).ln() - base);
            }
        }
        let scale = SCALE / known.max(1.0).sqrt();
        scores.iter().map(|score| score * scale).collect()
    }
}
