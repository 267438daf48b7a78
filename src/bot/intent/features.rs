//! What the model sees of a message: all of it as one, words, pairs of words (also over one between), pieces of
//! words, concepts and pairs of concepts.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::concepts::Concepts;
use super::kinds::Intent;
use super::text::Message;

/// One thing seen, by its hash, with the weight of its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Feature {
    /// Identity.
    pub(crate) hash: u64,
    /// How much one sight of it counts.
    pub(crate) weight: u8,
}

/// Lengths of word pieces; they catch typos and endings.
const PIECES: [usize; 1] = [4];

/// All features of a message, each once.
pub(crate) fn of(message: &Message<'_>, concepts: &Concepts, previous: Option<Intent>) -> Vec<Feature> {
    let mut all = Vec::new();
    let words: Vec<&str> = message.words().collect();
    for word in &words {
        add(&mut all, 4, &("word", word));
        if let Some(previous) = previous {
            add(&mut all, 6, &("after", previous.as_str(), word));
        }
        if !word.starts_with('_') {
            pieces(&mut all, word);
        }
    }
    let edges = || std::iter::once("^").chain(words.iter().copied()).chain(std::iter::once("$"));
    for pair in edges().zip(edges().skip(1)) {
        add(&mut all, 4, &("pair", pair));
    }
    for pair in edges().zip(edges().skip(2)) {
        add(&mut all, 2, &("over one", pair));
    }
    for (index, concept) in concepts.names().enumerate() {
        add(&mut all, 4, &("concept", concept));
        for other in concepts.names().skip(index + 1) {
            add(&mut all, 4, &("concepts", concept, other));
        }
    }
    add(&mut all, 12, &("whole", previous.map(Intent::as_str), message.plain()));
    if let Some(previous) = previous {
        add(&mut all, 12, &("after", previous.as_str()));
        add(&mut all, 4, &"follow-up");
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn pieces(all: &mut Vec<Feature>, word: &str) {
    let chars: Vec<char> = std::iter::once('<').chain(word.chars()).chain(std::iter::once('>')).collect();
    for length in PIECES {
        for piece in chars.windows(length) {
            add(all, 1, &("piece", piece));
        }
    }
}

fn add(all: &mut Vec<Feature>, weight: u8, seen: &impl Hash) {
    let mut hasher = DefaultHasher::new();
    seen.hash(&mut hasher);
    all.push(Feature { hash: hasher.finish(), weight });
}
