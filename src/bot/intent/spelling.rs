//! Chat spelling made plain: short forms written out, and slips of one letter mended by the words of the examples.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::model::utterances;
use super::text::regex;

/// Short forms and what they stand for.
const SHORT: &[(&str, &str)] = &[
    ("u", "you"),
    ("ur", "your"),
    ("r", "are"),
    ("y", "why"),
    ("n", "and"),
    ("pls", "please"),
    ("plz", "please"),
    ("thx", "thanks"),
    ("ppl", "people"),
    ("gimme", "give me"),
    ("lemme", "let me"),
    ("gonna", "going to"),
    ("wanna", "want to"),
    ("gotta", "have to"),
    ("aint", "are not"),
    ("ain't", "are not"),
    ("whats", "what's"),
    ("wats", "what's"),
    ("wat", "what"),
    ("whos", "who's"),
    ("hows", "how's"),
    ("wheres", "where's"),
    ("whens", "when is"),
    ("whys", "why is"),
    ("thats", "that's"),
    ("theres", "there is"),
    ("lets", "let's"),
    ("im", "i'm"),
    ("ive", "i've"),
    ("dont", "don't"),
    ("doesnt", "doesn't"),
    ("didnt", "didn't"),
    ("isnt", "isn't"),
    ("arent", "aren't"),
    ("wasnt", "wasn't"),
    ("wont", "won't"),
    ("cant", "can't"),
    ("couldnt", "couldn't"),
    ("wouldnt", "wouldn't"),
    ("shouldnt", "shouldn't"),
    ("hasnt", "hasn't"),
    ("havent", "haven't"),
    ("wk", "week"),
    ("wks", "weeks"),
    ("yr", "year"),
    ("tmrw", "tomorrow"),
    ("rn", "right now"),
    ("atm", "right now"),
    ("acct", "account"),
    ("accts", "accounts"),
    ("dept", "department"),
    ("mgmt", "management"),
    ("recs", "recommendations"),
    ("dupes", "duplicates"),
    ("cuz", "because"),
    ("til", "until"),
    ("em", "them"),
    ("any1", "anyone"),
    ("some1", "someone"),
    ("every1", "everyone"),
];

/// Words shorter than this are not mended: too many of them are one letter apart.
const SHORTEST: usize = 5;

/// How often the examples use each word that they write small.
pub(crate) fn vocabulary() -> &'static HashMap<String, u32> {
    static WORDS: LazyLock<HashMap<String, u32>> = LazyLock::new(|| {
        let mut words = HashMap::new();
        for line in utterances() {
            // What holds a point, an underscore or a digit is an account, an address or an id: no word.
            let parts = line.text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '.' | '_' | '@'));
            let parts = parts.map(|part| part.trim_matches('.'));
            let is_word = |word: &&str| word.chars().all(|c| c.is_alphabetic() || c == '\'');
            for word in parts.filter(is_word).filter(|word| word.starts_with(char::is_lowercase)) {
                *words.entry(word.to_owned()).or_default() += 1;
            }
        }
        words
    });
    &WORDS
}

/// Normalised text with its spelling mended.
pub(crate) fn mend(plain: &str) -> String {
    static WORD: LazyLock<Regex> = LazyLock::new(|| regex(r"[\w']+"));
    static WRITTEN_OUT: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| SHORT.iter().copied().collect());
    let written_out = |word: &str| WRITTEN_OUT.get(word).map(|known| (*known).to_owned());
    let text = WORD.replace_all(plain, |word: &Captures<'_>| {
        let word = word.get(0).map_or("", |found| found.as_str());
        written_out(word).or_else(|| nearest(word)).unwrap_or_else(|| word.to_owned())
    });
    text.replace(" w/o ", " without ").replace(" w/ ", " with ")
}

/// The word of the examples that an unknown word is one slip away from; the most used one of several.
fn nearest(word: &str) -> Option<String> {
    let mendable = word.len() >= SHORTEST && word.bytes().all(|byte| byte.is_ascii_lowercase());
    if !mendable || vocabulary().contains_key(word) {
        return None;
    }
    let alike =
        vocabulary().iter().filter(|(known, uses)| **uses > 1 && known.len() >= SHORTEST && is_slip(word, known));
    alike.max_by_key(|(known, uses)| (**uses, known.as_str())).map(|(known, _)| known.clone())
}

/// Whether one letter added, left out, changed or swapped with the next, not the first, makes one word the other.
fn is_slip(typed: &str, known: &str) -> bool {
    let (typed, known) = (typed.as_bytes(), known.as_bytes());
    if typed.first() != known.first() || typed.len().abs_diff(known.len()) > 1 {
        return false;
    }
    let head = typed.iter().zip(known).take_while(|(letter, meant)| letter == meant).count();
    let (typed, known) = (after(typed, head), after(known, head));
    let swapped = typed.first() == known.get(1) && typed.get(1) == known.first();
    let rest = (after(typed, 1), after(known, 1));
    rest.0 == rest.1 || rest.0 == known || typed == rest.1 || swapped && after(typed, 2) == after(known, 2)
}

fn after(word: &[u8], from: usize) -> &[u8] {
    word.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_and_slips_are_mended() {
        assert_eq!(mend("whats excludde from ur polcies pls"), "what's excluded from your policies please");
        assert_eq!(mend("_person w/o mfa"), "_person without mfa");
    }

    #[test]
    fn a_slip_is_one_letter() {
        assert!(is_slip("policis", "policies") && is_slip("reprot", "report") && is_slip("reportt", "report"));
        assert!(!is_slip("reprots", "report") && !is_slip("border", "order") && !is_slip("stage", "store"));
    }
}
