//! Bare replies: a yes, a no or a "do it" that nothing waits for, since only buttons decide. What they answer is looked at,
//! so that none of them asks for something that nobody said.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::Previous;
use super::kinds::{Intent, Refusal};
use super::spans::Kind;
use super::text::{Message, folded, plain_regex};

/// A reply that is nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// "yes", "yes please".
    Yes,
    /// "no", "no thanks".
    No,
    /// "never mind", "thanks for nothing": what was said before is dropped, whatever that was.
    Drop,
}

/// Which reply a text is, if it is nothing but one.
pub(crate) fn of(text: &str) -> Option<Reply> {
    static YES: LazyLock<Regex> = LazyLock::new(|| plain_regex(r"^(?:yes|yep|yeah|yup)(?:,? please)?$"));
    let text = folded(text);
    let text = text.trim_matches([' ', '.', '!']);
    match text {
        "no" | "nope" | "nah" | "no thanks" | "no thank you" => Some(Reply::No),
        "nevermind" | "never mind" | "nvm" | "thanks for nothing" => Some(Reply::Drop),
        _ => YES.is_match(text.as_bytes()).then_some(Reply::Yes),
    }
}

/// Turns after which a yes or a no asks for something: a suggestion that is taken up or turned down, a scan, a rule.
const DECIDED: &[Intent] = &[
    Intent::AddInstruction,
    Intent::BotActivity,
    Intent::CancelRun,
    Intent::DismissSuggestion,
    Intent::ExplainSuggestion,
    Intent::Impact,
    Intent::ListSuggestions,
    Intent::PostureSummary,
    Intent::ProposeChange,
    Intent::RunAnalysis,
    Intent::ScheduleSummary,
    Intent::SnoozeSuggestion,
];

/// What a message is that only replies: a word that nothing waits for, or the order to turn On what was spoken of.
pub(crate) fn find(message: &Message<'_>, previous: Option<&Previous>) -> Option<Refusal> {
    if previous.is_some_and(|turn| is_order(message) && speaks_of_a_policy(turn)) {
        return Some(Refusal::Enable);
    }
    let before = previous.map(|turn| turn.intent);
    let decided = before.is_some_and(|intent| DECIDED.contains(&intent));
    let scanned = matches!(before, Some(Intent::RunAnalysis | Intent::CancelRun));
    let idle = match of(message.raw())? {
        // Its card has the button that undoes.
        Reply::Yes => !decided && before != Some(Intent::Undo),
        Reply::No => !decided,
        Reply::Drop => !scanned,
    };
    idle.then_some(Refusal::Thanks)
}

/// "ok do it", "go ahead".
fn is_order(message: &Message<'_>) -> bool {
    static ORDER: LazyLock<Regex> = LazyLock::new(|| {
        plain_regex(
            r"^(?:(?:ok|okay|yes|yeah|then|so|now|and|please|great|good|fine|just|_yes)[, ]+)*(?:do (?:it|that|so)|go ahead|go for it|let's do it|proceed)(?: (?:then|now|please))*[ .!]*$",
        )
    });
    ORDER.is_match(message.plain().as_bytes())
}

/// Whether a turn was about whom a policy would hit or when it is ready, and not about a suggestion that can be created.
fn speaks_of_a_policy(turn: &Previous) -> bool {
    let about = matches!(turn.intent, Intent::Impact | Intent::RolloutPlan | Intent::ShowPolicy);
    let subject = Message::read(&turn.subject);
    let names = |kind: Kind| subject.spans().iter().any(|span| span.kind == kind);
    about && names(Kind::Policy) && !names(Kind::Suggestion)
}

#[cfg(test)]
mod tests {
    use super::super::route;
    use super::*;

    fn after(intent: Intent, subject: &str, text: &str) -> (Intent, Option<Refusal>) {
        let routed = route(text, Some(&Previous { intent, subject: subject.into() }));
        (routed.intent, routed.refusal)
    }

    #[test]
    fn a_bare_word_asks_for_nothing() {
        let nothing = (Intent::OutOfScope, Some(Refusal::Thanks));
        assert_eq!(after(Intent::UserPolicies, "alice", "yes"), nothing);
        assert_eq!(after(Intent::Undo, "S-4", "no"), nothing);
        for before in [Intent::UserPolicies, Intent::ProposeChange, Intent::Undo] {
            assert_eq!(after(before, "S-4", "nevermind"), nothing, "{before}");
            assert_eq!(after(before, "S-4", "thanks for nothing"), nothing, "{before}");
        }
        assert_eq!(after(Intent::RunAnalysis, "", "nevermind").0, Intent::CancelRun);
        assert_eq!(after(Intent::ProposeChange, "S-4", "no").0, Intent::DismissSuggestion);
        assert_eq!(after(Intent::ProposeChange, "S-4", "yes").0, Intent::ProposeChange);
    }

    #[test]
    fn an_order_after_a_policy_is_to_turn_it_on() {
        let refused = (Intent::OutOfScope, Some(Refusal::Enable));
        for text in ["ok do it", "do it!", "yes, go ahead please"] {
            assert_eq!(after(Intent::Impact, "CA512", text), refused, "{text}");
            assert_eq!(after(Intent::RolloutPlan, "CA512", text), refused, "{text}");
        }
        assert_eq!(after(Intent::Impact, "S-4", "ok go ahead").0, Intent::ProposeChange);
        assert_eq!(after(Intent::ExplainSuggestion, "S-4", "ok do it").0, Intent::ProposeChange);
    }
}
