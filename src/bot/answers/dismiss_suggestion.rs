//! "Dismiss S-4": a card whose button turns the suggestion down, with a reason.

use crate::bot::approve::Case;
use crate::bot::buttons::press;
use crate::bot::intent::SlotName;
use crate::chat::card::{Action, Input, Verb};

use super::meant::{said, suggestion};
use super::{Answering, Asked, decide};

/// Offers to turn the suggestion down.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        match suggestion(asked).await?.unclear(|number| format!("dismiss {number}")) {
            Ok(row) => {
                let button = |case: &Case| {
                    let may = decide::is_open(case) || matches!(case.state, crate::approval::State::Snoozed { .. });
                    may.then(|| {
                        reasoned(asked, press("Dismiss…", Verb::Dismiss, &case.kept.id, case.kept.state.decided))
                    })
                };
                decide::card(asked, &row, said("dismiss.offer"), button).await
            }
            Err(question) => Ok(question),
        }
    })
}

/// The button with the reason that was typed as its first choice, so that it is kept word for word.
fn reasoned(asked: Asked<'_>, mut button: Action) -> Action {
    let typed = asked.slot(SlotName::Reason).map(|reason| reason.chars().take(LONGEST).collect::<String>());
    if let (Some(reason), Action::Press { input: Some(Input::Choice { choices, .. }), .. }) = (typed, &mut button) {
        choices.insert(0, (reason.clone(), format!("As you wrote: {reason}")));
    }
    button
}

/// Longer reasons are cut off here, in characters.
const LONGEST: usize = 200;
