//! Questions in another language than English: closed lists of its question and function words tell, and no model.
//!
//! Without them a German question is read by the few words that it shares with English ("MFA"), as whatever those look like.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::text::folded;

/// German, French and Spanish words without accents. None that is an English word of these questions, or usual in a name.
const WORDS: &[&str] = &[
    "wer wem wie wo warum wieso weshalb wann welche welcher welches welchen welchem wieviele ist sind wird werden wurde",
    "wurden haben kann konnen darf soll gibt zeige zeig bitte nicht kein keine keinen keiner ohne durch fur mit und oder",
    "der das dem ein eine einen alle unsere unser mein meine ich wir habe hallo danke gestern benutzer richtlinie",
    "richtlinien ausgeschlossen gesperrt blockiert geschutzt anmelden anmeldung anmeldungen",
    "qui quel quelle quels quelles quoi pourquoi combien quand est sont ont pas avec sans pour dans une nous vous je montre",
    "montrez utilisateur utilisateurs bonjour merci politique politiques bloque bloquee peut peuvent tous hier",
    "quien quienes que cual cuales cuantos cuantas como cuando donde porque esta estan tiene tienen hay puede pueden sin con",
    "para los las una usuario usuarios politica politicas muestra hola gracias bloqueado",
];

/// The German "what" is an English word, so the one after it has to tell.
const EITHER: &str = "was";

/// Whether a text opens with such a word and holds another: an English question about "MFA für alle Benutzer" doesn't.
pub(crate) fn is_foreign(text: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.iter().flat_map(|line| line.split(' ')).collect());
    let text = folded(text);
    let words = || text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut opening = words();
    let first = opening.next().unwrap_or_default();
    let first = if first == EITHER { opening.next().unwrap_or_default() } else { first };
    KNOWN.contains(first) && words().filter(|word| KNOWN.contains(word)).nth(1).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::{Intent, Previous, Refusal, route};

    #[test]
    fn other_languages_are_neither_refused_nor_guessed_at() {
        let previous = Previous { intent: Intent::ExplainSignIn, subject: "Alice Moreau".into() };
        for text in [
            "wer ist nicht durch MFA gesch\u{fc}tzt",
            "Welche Benutzer haben keine MFA?",
            "Was ist ein Named Location?",
            "qui n'a pas MFA",
            "\u{bf}Qui\u{e9}n no tiene MFA?",
        ] {
            for before in [None, Some(&previous)] {
                assert_eq!(route(text, before).refusal, Some(Refusal::OtherTopic), "{text}");
            }
        }
    }

    #[test]
    fn foreign_names_in_english_are_english() {
        for text in [
            "who is excluded from MFA f\u{fc}r alle Benutzer",
            "which policies apply to Anna de la Cruz",
            "was CA200 changed",
            "show me the sign-ins from Los Angeles and Las Palmas",
            "list policies with the prefix DAS",
        ] {
            assert!(!super::is_foreign(text), "{text}");
        }
    }
}
