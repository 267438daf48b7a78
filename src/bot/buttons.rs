//! Buttons that several cards have.

use crate::chat::card::{Action, Input, Press, Style, Verb};

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

/// What a person is asked for when pressing a button of this kind.
fn input(verb: Verb) -> Option<Input> {
    match verb {
        Verb::Dismiss => Some(Input::Text { label: "Why not?".into(), required: true }),
        Verb::Snooze => Some(Input::Choice {
            label: "Until when?".into(),
            choices: [("1", "tomorrow"), ("7", "for a week"), ("30", "for 30 days"), ("90", "for 90 days")]
                .map(|(days, words)| (days.to_owned(), words.to_owned()))
                .to_vec(),
        }),
        _ => None,
    }
}

/// Lets people ask in this channel.
#[must_use]
pub fn enable_channel(conversation: &str) -> Action {
    press("Let people ask in this channel", Verb::EnableChannel, conversation, 0)
}
