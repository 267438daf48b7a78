//! Names of the tenant's people in a message, however they are written: "alice moreau", "MOREAU".
//!
//! A capital shows a name to someone who doesn't know the people; the tenant's own list does better.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::spelling::vocabulary;
use super::text::regex;

/// A word shorter than this is too often something else than a name.
const SHORTEST: usize = 3;

/// A word of the text, in small letters.
struct Word {
    at: Range<usize>,
    small: String,
}

/// The parts of a text that name one of these people: a whole name, or words of one of which the examples don't know one.
pub(crate) fn find<'a>(text: &str, people: impl Iterator<Item = &'a str>) -> Vec<Range<usize>> {
    let words = words(text);
    let by_length = by_length(&words);
    let mut found: BTreeSet<(usize, usize)> = BTreeSet::new();
    for name in people {
        let parts = || name.split(' ').filter(|part| !part.is_empty());
        let mut places: Vec<usize> = parts().flat_map(|part| said(part, &words, &by_length)).collect();
        places.sort_unstable();
        places.dedup();
        found.extend(runs(&places, &words, text).filter(|run| is_name(*run, &words, parts().count())));
    }
    longest(&found)
        .into_iter()
        .filter_map(|(start, end)| Some(words.get(start)?.at.start..words.get(end)?.at.end))
        .collect()
}

fn words(text: &str) -> Vec<Word> {
    static WORD: LazyLock<Regex> = LazyLock::new(|| regex(r"[^\W_]+(?:[-'\x{2019}.][^\W_]+)*"));
    let word = |found: regex::Match<'_>| {
        let own = [("'s"), "\u{2019}s"].iter().find_map(|ending| found.as_str().strip_suffix(ending));
        let word = own.unwrap_or(found.as_str());
        Word { at: found.start()..found.start() + word.len(), small: word.to_lowercase() }
    };
    WORD.find_iter(text).map(word).collect()
}

/// Positions of words by their length in bytes: hundreds of thousands of names are compared with few of them.
fn by_length(words: &[Word]) -> Vec<Vec<usize>> {
    let longest = words.iter().map(|word| word.small.len()).max().unwrap_or_default();
    let of = |length: usize| (0..).zip(words).filter(move |(_, word)| word.small.len() == length).map(|(at, _)| at);
    (0..=longest).map(|length| of(length).collect()).collect()
}

/// Where the text says this part of a name.
fn said(part: &str, words: &[Word], by_length: &[Vec<usize>]) -> Vec<usize> {
    let alike = by_length.get(part.len()).map(Vec::as_slice).unwrap_or_default();
    if alike.is_empty() {
        return Vec::new();
    }
    let part = part.to_lowercase();
    alike.iter().copied().filter(|at| words.get(*at).is_some_and(|word| word.small == part)).collect()
}

/// Runs of words that stand side by side, as first and last position.
fn runs<'a>(places: &'a [usize], words: &'a [Word], text: &'a str) -> impl Iterator<Item = (usize, usize)> {
    let joined = move |one: &usize, next: &usize| {
        let between = words.get(*one).zip(words.get(*next)).and_then(|(one, next)| text.get(one.at.end..next.at.start));
        one + 1 == *next && between == Some(" ")
    };
    places.chunk_by(joined).filter_map(|run| Some((*run.first()?, *run.last()?)))
}

/// Whether a run of words is a name of so many parts, or holds a word that means nothing else here.
fn is_name((first, last): (usize, usize), words: &[Word], parts: usize) -> bool {
    let said = last + 1 - first;
    let means_nothing = |word: &Word| {
        word.small.chars().count() >= SHORTEST
            && word.small.chars().all(|c| c.is_alphabetic() || c == '-')
            && !vocabulary().contains_key(&word.small)
    };
    (said > 1 && said == parts) || words.get(first..=last).is_some_and(|run| run.iter().any(means_nothing))
}

/// Of runs that share words the longest.
fn longest(found: &BTreeSet<(usize, usize)>) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = found.iter().copied().collect();
    runs.sort_by_key(|(first, last)| (std::cmp::Reverse(last - first), *first));
    let mut kept: Vec<(usize, usize)> = Vec::new();
    for run in runs {
        if kept.iter().all(|other| run.1 < other.0 || other.1 < run.0) {
            kept.push(run);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: [&str; 6] = [
        "Alice Moreau",
        "Alice Berg",
        "Tomasz Zieli\u{144}ski",
        "Emergency Access 1",
        "Anna de la Cruz",
        "Room Oslo 4",
    ];

    fn named(text: &str) -> Vec<&str> {
        find(text, PEOPLE.into_iter()).into_iter().map(|at| text.get(at).unwrap()).collect()
    }

    #[test]
    fn small_letters_name_somebody_too() {
        assert_eq!(named("why was alice moreau blocked?"), ["alice moreau"]);
        assert_eq!(named("TOMASZ ZIELI\u{143}SKI's sign-ins, and moreau"), ["TOMASZ ZIELI\u{143}SKI", "moreau"]);
        assert_eq!(named("moreau alice"), ["moreau alice"]);
    }

    #[test]
    fn words_that_mean_something_else_name_nobody() {
        for text in ["are the emergency access accounts excluded", "what is de la", "a room for four", "why?", ""] {
            assert!(named(text).is_empty(), "{text}: {:?}", named(text));
        }
        assert_eq!(named("emergency access 1"), ["emergency access 1"]);
    }
}
