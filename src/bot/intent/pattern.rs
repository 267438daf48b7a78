//! Patterns of which only whether they match is asked: one automaton that reads forwards and is made as far as texts need it.
//! A regular expression that can also say where it matches holds several times as much.

use std::sync::{Mutex, PoisonError};

use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, PatternSet};

/// What the automaton may keep of the texts that it has read, in bytes.
const KEPT: usize = 64 << 10;

/// Patterns over the bytes of normalised text, which is nearly all ASCII.
#[derive(Debug)]
pub(crate) struct Patterns {
    automaton: DFA,
    kept: Mutex<Cache>,
}

impl Patterns {
    /// None where one of them is no pattern.
    pub(crate) fn new<P: AsRef<str>>(patterns: &[P]) -> Option<Self> {
        let config = Config::new().match_kind(MatchKind::All).cache_capacity(KEPT).skip_cache_capacity_check(true);
        let automaton = DFA::builder()
            .configure(config)
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .thompson(thompson::Config::new().utf8(false).which_captures(WhichCaptures::None))
            .build_many(patterns)
            .ok()?;
        let kept = Mutex::new(automaton.create_cache());
        Some(Self { automaton, kept })
    }

    /// Whether one of them matches somewhere.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.automaton.try_search_fwd(&mut kept, &Input::new(text).earliest(true));
        found.is_ok_and(|found| found.is_some())
    }

    /// Adds those that match somewhere to a set that has room for all of them.
    pub(crate) fn matches(&self, text: &str, found: &mut PatternSet) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // It fails on bytes that it was told to leave alone, of which there are none.
        drop(self.automaton.try_which_overlapping_matches(&mut kept, &Input::new(text), found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_anywhere_as_a_whole_and_all_at_once() {
        let patterns = Patterns::new(&[r"\bmfa\b", r"^who (?:is|are)", "nothing"]).unwrap();
        let mut found = PatternSet::new(3);
        patterns.matches("who is exempt from mfa", &mut found);
        assert_eq!(found.iter().map(|pattern| pattern.as_usize()).collect::<Vec<_>>(), [0, 1]);
        assert!(patterns.is_match("the mfa") && !patterns.is_match("an mfas"));
        assert!(Patterns::new(&["("]).is_none());
    }
}
