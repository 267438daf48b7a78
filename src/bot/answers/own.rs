//! Whether a sentence about a suggestion says by itself which one, or speaks of the one that is open: "create a policy that
//! blocks legacy authentication" against "create it".

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::bot::intent::text::plain_regex;
use crate::bot::intent::{Intent, SlotName};

use super::Asked;
use super::meant::{check, numbers};

/// What a sentence says of the suggestion it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// Nothing: "create it", "why?". What was open is meant.
    Nothing,
    /// A topic, which may describe what was open: "create the MFA one".
    Described,
    /// Something of its own, which is meant whatever was open: "create a policy for guests".
    Named,
}

/// What the sentence says of its own.
pub(super) fn of(asked: Asked<'_>) -> Own {
    let text = bare(asked.text);
    if is_new(&text) {
        return Own::Named;
    }
    let refers = match asked.routed.intent {
        Intent::DismissSuggestion | Intent::SnoozeSuggestion => has_object(&text),
        Intent::ProposeChange => false,
        _ => has_pronoun(&text),
    };
    let things = [SlotName::App, SlotName::Location, SlotName::Group];
    let describes = || check(&text).is_some() || things.into_iter().any(|slot| asked.slot(slot).is_some());
    if !refers && describes() { Own::Described } else { Own::Nothing }
}

/// Whether it describes a policy of which no check knows anything, as "a policy that blocks sign-ins from Russia"; "a policy"
/// alone describes nothing.
pub(super) fn describes_another(asked: Asked<'_>) -> bool {
    static CLAUSE: LazyLock<Regex> =
        LazyLock::new(|| plain_regex(r"\b(?:policy|policies|rules?)\s+(?:that|which|to|for|against|on|about)\b"));
    let text = bare(asked.text);
    numbers(&text).is_empty() && is_new(&text) && check(&text).is_none() && CLAUSE.is_match(text.as_bytes())
}

/// The sentence in lower case, without words that sound like a topic and are none: "open it in the admin center".
pub(super) fn bare(text: &str) -> String {
    let text = text.to_lowercase();
    ["admin center", "admin centre", "admin portal"].iter().fold(text, |text, scenery| text.replace(scenery, " "))
}

/// Whether something new is described: "a policy that …", "another rule for …", unlike "this policy". "Make it a policy" is
/// about what was open.
fn is_new(text: &str) -> bool {
    static NEW: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"\b(?:an?|another|some|more)\s+(?:[a-z-]+\s+){0,6}?(?:policy|policies|rules?)\b|\b(?:policies|rules)\s+(?:that|which|to|for|against)\b",
        )
    });
    static MADE_OF_IT: LazyLock<Regex> =
        LazyLock::new(|| plain_regex(r"\b(?:make|turn|create|draft)\s+(?:it|this|that)\s+(?:(?:in)?to\s+|as\s+)?a\b"));
    NEW.is_match(text.as_bytes()) && !(MADE_OF_IT.is_match(text.as_bytes()) && check(text).is_none())
}

/// Whether the verb has a pronoun as its object: what follows is a reason or a time ("dismiss it, guests use the VPN").
fn has_object(text: &str) -> bool {
    static OBJECT: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"\b(?:dismiss|reject|decline|drop|snooze|postpone|defer|delay|put|park|close|ignore|skip)\s+(?:it|this|that|them|these|those)\b",
        )
    });
    OBJECT.is_match(text.as_bytes())
}

/// Whether a pronoun stands for something said before; a "that" which begins a clause doesn't.
fn has_pronoun(text: &str) -> bool {
    static PRONOUN: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"\b(?:it|its|this|these|those|they|them)\b|\bthat\s+(?:one|suggestion|policy|change|card|be|have|help|break|affect|matter|block|hit)\b|\bthat[?.! ]*$",
        )
    });
    PRONOUN.is_match(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_new_is_told_from_what_was_open() {
        for text in [
            "create a policy that blocks legacy authentication",
            "make another rule for guests",
            "add policies that block imap",
        ] {
            assert!(is_new(text), "{text}");
        }
        for text in [
            "create that policy",
            "make it a policy",
            "create this policy for me",
            "go ahead",
            "propose it in report-only",
        ] {
            assert!(!is_new(text), "{text}");
        }
        assert!(has_object("dismiss it, guests are handled by the vpn") && !has_object("dismiss the guest one"));
        assert!(has_pronoun("would it hit the guests") && !has_pronoun("why a block that hits guests"));
    }
}
