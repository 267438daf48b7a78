//! A naive Bayes model over hashed features, trained from the example utterances at first use.
//!
//! One pass over about seven thousand lines: counts only, so the same files give the same model to the bit.

use std::collections::HashSet;
use std::sync::{LazyLock, OnceLock};

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

/// Whether a message of a word or two is, as a whole, an example that stands alone and follows on nothing: "summary".
pub(crate) fn is_command(plain: &str) -> bool {
    static COMMANDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let short = |line: &&Utterance| line.text.split_whitespace().count() <= 2;
        let (alone, following): (Vec<_>, Vec<_>) = utterances().into_iter().partition(|line| line.previous.is_none());
        let plains = |lines: &[Utterance]| -> HashSet<String> {
            lines.iter().filter(short).map(|line| text::Message::read(line.text).plain().to_owned()).collect()
        };
        let following = plains(&following);
        // A name alone goes on with what was said before.
        let named = |plain: &String| plain.split_whitespace().any(|word| word.starts_with('_'));
        plains(&alone).into_iter().filter(|plain| !following.contains(plain) && !named(plain)).collect()
    });
    COMMANDS.contains(plain)
}

/// Counts of each feature in each class, without the zeros: most features were seen in one or two classes.
pub(crate) struct Model {
    /// Every feature seen, sorted, with where its counts end.
    rows: Vec<(u64, u32)>,
    /// The classes in which a feature was seen, and how often.
    counts: Vec<(u8, u16)>,
    totals: Vec<f32>,
}

impl Model {
    /// The model of this build's example utterances.
    pub(crate) fn shared() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        MODEL.get_or_init(|| {
            let mut seen = Seen::default();
            for example in utterances() {
                let message = text::Message::read(example.text);
                seen.note(example.class, &features::of(&message, &concepts::of(&message), example.previous));
            }
            Self::new(seen)
        })
    }

    /// Counts what was seen.
    pub(crate) fn new(Seen(mut seen): Seen) -> Self {
        let mut model = Self { rows: Vec::new(), counts: Vec::new(), totals: vec![0.0; Class::all().count()] };
        seen.sort_unstable();
        for alike in seen.chunk_by(|one, other| one.0 == other.0) {
            for in_class in alike.chunk_by(|one, other| one.1 == other.1) {
                let Some((_, class, _)) = in_class.first() else { continue };
                let count = in_class.iter().fold(0u16, |sum, (.., weight)| sum.saturating_add((*weight).into()));
                model.counts.push((*class, count));
                if let Some(total) = model.totals.get_mut(usize::from(*class)) {
                    *total += in_class.iter().map(|(.., weight)| f32::from(*weight)).sum::<f32>();
                }
            }
            let end = u32::try_from(model.counts.len()).unwrap_or(u32::MAX);
            model.rows.extend(alike.first().map(|(hash, ..)| (*hash, end)));
        }
        model.rows.shrink_to_fit();
        model.counts.shrink_to_fit();
        model
    }

    /// In which classes a feature was seen, and how often; none if it never was.
    fn seen(&self, hash: u64) -> Option<&[(u8, u16)]> {
        let row = self.rows.binary_search_by_key(&hash, |(known, _)| *known).ok()?;
        let ends = |row: usize| self.rows.get(row).and_then(|(_, end)| usize::try_from(*end).ok());
        let start = row.checked_sub(1).and_then(ends).unwrap_or_default();
        self.counts.get(start..ends(row)?)
    }

    /// A score for each class, in the order of [`Class::all`]; only differences mean something.
    pub(crate) fn scores(&self, features: &[Feature]) -> Vec<f32> {
        let width = self.totals.len();
        let vocabulary = f32::from(u16::try_from(self.rows.len()).unwrap_or(u16::MAX));
        let everything: f32 = self.totals.iter().sum();
        let base = |total: f32| (total + ALPHA * vocabulary).ln();
        let bases: Vec<f32> = self.totals.iter().map(|total| base(*total) - REST * base(everything - total)).collect();
        let (mut scores, mut counts) = (vec![0.0_f32; width], vec![0_u16; width]);
        let mut known = 0.0_f32;
        for feature in features {
            let Some(seen) = self.seen(feature.hash) else { continue };
            counts.fill(0);
            for (class, count) in seen {
                counts.get_mut(usize::from(*class)).into_iter().for_each(|of_class| *of_class = *count);
            }
            let weight = f32::from(feature.weight);
            known += weight;
            let seen: f32 = seen.iter().map(|(_, count)| f32::from(*count)).sum();
            for ((score, count), base) in scores.iter_mut().zip(&counts).zip(&bases) {
                let count = f32::from(*count);
                *score += weight * ((count + ALPHA).ln() - REST * (seen - count + ALPHA).ln() - base);
            }
        }
        let scale = SCALE / known.max(1.0).sqrt();
        scores.iter().map(|score| score * scale).collect()
    }
}

/// What the model learns from: each feature of each example with its class, by the order of [`Class::all`], and its weight.
#[derive(Default)]
pub(crate) struct Seen(Vec<(u64, u8, u8)>);

impl Seen {
    /// Adds the features of one example.
    pub(crate) fn note(&mut self, class: Class, features: &[Feature]) {
        let place = Class::all().position(|known| known == class).and_then(|place| u8::try_from(place).ok());
        let Some(class) = place else { return };
        self.0.extend(features.iter().map(|feature| (feature.hash, class, feature.weight)));
    }
}
