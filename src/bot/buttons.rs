//! Buttons that several cards have.

use crate::chat::card::{Action, Input, Press, Style, Verb};

use super::answer::ask;

/// A button that does something about a subject.
#[must_use]
pub fn press(label: &str, verb: Verb, subject: &str, version: i64) -> Action {
    Action::Press {
        label: label.to_owned(),
        press: Press { verb, subject: subject.to_owned(), version, ..Press::default() },
        style: if verb == Verb::Create { Style::Primary } else { Style::Normal },
        input: input(verb),
    }
}

/// Shows the card of a suggestion, by its number (`S-4`). Who only looks hasn't asked for the change: that takes the
/// words "propose" or "create".
#[must_use]
pub fn open(label: &str, number: &str) -> Action {
    ask(label, format!("open the card of {number}"))
}

/// Why a suggestion is dismissed; the reason shapes which instruction is offered after repeated dismissals.
const REASONS: [(&str, &str); 4] = [
    ("accepted risk", "The risk is accepted"),
    ("not applicable here", "Not applicable here"),
    ("already handled otherwise", "Already handled otherwise"),
    ("another reason", "Another reason"),
];
fn choices(choices: &[(&str, &str)]) -> Vec<(String, String)> {
    choices.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect()
}

/// What a person is asked for when pressing a button of this kind.
fn input(verb: Verb) -> Option<Input> {
    match verb {
        Verb::AskChange => Some(Input::Text { label: "What should be different?".into(), required: true }),
        Verb::Dismiss => Some(Input::Choice { label: "Why not?".into(), choices: choices(&REASONS) }),
        Verb::Snooze => Some(Input::Day {
            label: "Until when?".into(),
            choices: choices(&[("1", "tomorrow"), ("7", "for a week"), ("30", "for 30 days"), ("90", "for 90 days")]),
        }),
        _ => None,
    }
}

/// Lets people ask in this channel.
#[must_use]
pub fn enable_channel(conversation: &str) -> Action {
    press("Let people ask in this channel", Verb::EnableChannel, conversation, 0)
}
