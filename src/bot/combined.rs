//! Two questions in one message: the first is answered, and the other is named with a button that asks it.

use std::sync::LazyLock;

use regex::Regex;

use crate::facts::{Evidence, Fact, Term};

use super::answer::{Answer, Part, ask};
use super::answers::{self, Asked};
use super::compose::compose;
use super::intent::text::{Message, regex};
use super::intent::{Intent, Previous, Routed};
use super::lookup;

/// A message that asks two things.
#[derive(Debug)]
pub(super) struct Two {
    /// The question that is answered.
    pub(super) first: String,
    /// How that is meant.
    pub(super) routed: Routed,
    /// The other one.
    second: String,
}

/// Asking these twice would start something twice, so their answers aren't compared.
const ACTING: [Intent; 8] = [
    Intent::AddInstruction,
    Intent::CancelRun,
    Intent::DismissSuggestion,
    Intent::ProposeChange,
    Intent::RunAnalysis,
    Intent::ScheduleSummary,
    Intent::SnoozeSuggestion,
    Intent::Undo,
];

/// The two questions of a message; none where it asks one, or where one answer tells both.
///
/// # Errors
/// When the store or the tenant fails.
pub(super) async fn of(asked: Asked<'_>) -> anyhow::Result<Option<Two>> {
    if asked.routed.intent == Intent::OutOfScope {
        return Ok(None);
    }
    for (first, second) in halves(asked.text) {
        let routed = route(asked, first, asked.previous);
        let goes_on = Message::read(second).refers_back();
        // "And why is that?": the first answer says why.
        if goes_on && asks_why(second) {
            continue;
        }
        let subject = routed.slots.values().flatten().map(String::as_str).collect::<Vec<_>>().join(", ");
        let after = Previous { intent: routed.intent, subject };
        let other = route(asked, second, Some(&after).filter(|_| goes_on));
        if !is_clear(&routed) || !is_clear(&other) {
            continue;
        }
        let alike = routed.intent == other.intent;
        let second = format!("{}?", second.trim_end_matches(['?', '!', '.', ' ']));
        let two = Two { first: first.to_owned(), routed, second };
        if !alike || (!goes_on && lacks_one(asked, &two, &other).await?) {
            return Ok(Some(two));
        }
    }
    Ok(None)
}

fn route(asked: Asked<'_>, text: &str, previous: Option<&Previous>) -> Routed {
    lookup::route(asked.analysis.snapshot(), text, previous)
}

fn is_clear(routed: &Routed) -> bool {
    routed.sure && routed.intent != Intent::OutOfScope
}

/// Whether a few words ask for no more than the reason.
fn asks_why(text: &str) -> bool {
    text.to_lowercase().starts_with("why ") && text.split_whitespace().count() < 5
}

/// Whether the answer to the whole is the answer to one half, and the other half has another.
async fn lacks_one(asked: Asked<'_>, two: &Two, other: &Routed) -> anyhow::Result<bool> {
    if ACTING.contains(&other.intent) {
        return Ok(false);
    }
    let card = async |text: &str, routed: &Routed| {
        let answer = answers::answer(Asked { text, routed, ..asked }).await?;
        anyhow::Ok(compose(answer, None, &asked.app.wording)?.card.blocks)
    };
    let (first, second) = (card(&two.first, &two.routed).await?, card(&two.second, other).await?);
    let whole = card(asked.text, asked.routed).await?;
    Ok(first != second && (whole == first || whole == second))
}

/// Every way in which a text falls into two parts that each begin as a question does.
fn halves(text: &str) -> impl Iterator<Item = (&str, &str)> {
    static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"(?i)(?:[?!;]+\s+(?:(?:and|also|then|so)\b,?\s+)*|,?\s+(?:and|&|plus)\s+(?:also\s+|then\s+)?|,\s+also\s+)",
        )
    });
    let parts = BETWEEN
        .find_iter(text)
        .filter_map(|between| Some((text.get(..between.start())?.trim(), text.get(between.end()..)?.trim())));
    parts.filter(|(first, second)| opens(first) && opens(second) && is_long(second) && !is_clause(first, second))
}

/// Whether it begins as a question does: with its word, or with a verb before who or what is asked about.
fn opens(text: &str) -> bool {
    static OPENING: LazyLock<Regex> = LazyLock::new(|| {
        regex(concat!(
            r"(?i)^(?:(?:hi|hey|hello|ok|okay|so|please|pls|(?:can|could) you|tell me|show me|i want to know|and|also|then)[,!]? )*",
            r"(?:(?:who|whom|whose|what|which|why|when|where|how)(?:'s)?|show|list|explain|compare",
            r"|(?:is|are|was|were|do|does|did|has|have|can|could|will|would|should) ",
            r"(?:the|there|it|they|we|i|he|she|our|my|your|any\w*|all|every\w*|some\w*|no|legacy|device|guests?|admins?|users?|people|mfa|this|that|these|those|ca-?\d+|s-\d+))\b",
        ))
    });
    OPENING.is_match(text)
}

/// Whether its first sentence says more than "and which of them".
fn is_long(text: &str) -> bool {
    text.split(['.', '?', '!', ';']).next().is_some_and(|sentence| sentence.split_whitespace().count() > 3)
}

/// Whether the second part goes on with a clause of the first: "people who signed in without it and who are admins".
fn is_clause(first: &str, second: &str) -> bool {
    let is_relative = |word: &str| ["who", "which", "that", "when", "what", "how"].contains(&word);
    let word = |text: &str| text.split_whitespace().next().unwrap_or_default().to_lowercase();
    is_relative(&word(second)) && first.split_whitespace().skip(1).any(|one| one.to_lowercase() == word(second))
}

impl Two {
    /// The answer to the first, with the other and how to ask it.
    pub(super) fn noted(&self, answer: Answer) -> Answer {
        let note = Fact::new("common.second_question", Evidence::default())
            .with("first", Term::Name(self.first.clone()))
            .with("second", Term::Name(self.second.clone()))
            .must_show();
        answer.part(Part::Warning(vec![note])).action(ask(&self.second, self.second.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::bot::access::Right;
    use crate::bot::analysis::Analysis;
    use crate::bot::answers::testing::{app, nordwerk, snapshot, words};
    use crate::chat::{Conversation, Person};

    /// What is answered of a message, what is left, and the last lines of the card.
    async fn told(text: &str) -> Option<(String, String, String)> {
        let app = app().await;
        let now = app.clock.now();
        let analysis = Analysis::of(Arc::new(snapshot(&nordwerk())), "hash".into(), &app.config.thresholds, now);
        let routed = lookup::route(analysis.snapshot(), text, None);
        let asked = Asked {
            app: &app,
            analysis: &analysis,
            text,
            routed: &routed,
            previous: None,
            person: &Person { id: "u-dana".into(), name: "Dana Admin".into(), platform_id: "u-dana".into() },
            right: Right::Ask,
            conversation: &Conversation::default(),
            now,
        };
        let two = of(asked).await.unwrap()?;
        let answer = answers::answer(Asked { text: &two.first, routed: &two.routed, ..asked }).await.unwrap();
        let card = compose(two.noted(answer), None, &app.wording).unwrap().card;
        Some((two.first.clone(), two.second.clone(), words(&card)))
    }

    #[tokio::test]
    async fn the_other_question_is_named_and_asked_by_a_button() {
        let (first, second, card) = told("who has no MFA and which guests are uncovered?").await.unwrap();
        assert_eq!((first.as_str(), second.as_str()), ("who has no MFA", "which guests are uncovered?"));
        assert!(card.starts_with("No policy makes 4 people and 1 guest use MFA everywhere"), "{card}");
        assert!(card.contains("Not answered yet: \"which guests are uncovered?\"."), "{card}");
        assert!(card.contains("(which guests are uncovered?)"), "{card}");
        let (_, second, card) =
            told("why was Alice Moreau blocked and what would happen if I delete CA205?").await.unwrap();
        assert_eq!(second, "what would happen if I delete CA205?");
        assert!(card.contains("Alice Moreau: 3 sign-ins stopped"), "{card}");
    }

    #[tokio::test]
    async fn what_one_answer_tells_is_one_question() {
        for text in [
            "who is not covered by MFA and why is that",
            "how many admins do we have and who are they",
            "who was blocked yesterday and who was blocked yesterday by CA205",
            "which users and which guests are not covered by MFA?",
        ] {
            let told = told(text).await;
            assert!(told.is_none(), "{text}: {told:?}");
        }
    }

    #[test]
    fn one_question_has_no_halves() {
        for text in [
            "who is not covered by MFA and why",
            "users and guests",
            "is legacy authentication and device code flow blocked?",
            "what happens if a guest signs in from Brazil and is on an Android phone",
            "show me people who signed in without MFA and who are admins",
            "how many admins do we have and in which roles",
            "show Block legacy and device code",
            "We turned CA200 on. Who is blocked?",
            "which policies are on Alice directly and which by group",
            "who uses device code, and how often. I don't plan any rule",
        ] {
            assert_eq!(halves(text).count(), 0, "{text}");
        }
    }

    #[test]
    fn two_questions_fall_apart() {
        for (text, first, second) in [
            ("who has no MFA and which guests are uncovered?", "who has no MFA", "which guests are uncovered?"),
            ("Why was Alice blocked? And who else was it?", "Why was Alice blocked", "who else was it?"),
            (
                "hi, can you tell me who has no MFA, and is legacy auth blocked",
                "hi, can you tell me who has no MFA",
                "is legacy auth blocked",
            ),
        ] {
            assert_eq!(halves(text).next(), Some((first, second)), "{text}");
        }
    }
}
