//! "Dismiss S-4": a card whose button turns the suggestion down, with a reason.

use crate::bot::approve::Case;
use crate::bot::buttons::press;
use crate::chat::card::Verb;

use super::meant::suggestion;
use super::{Answering, Asked, decide};

/// Offers to turn the suggestion down.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        match suggestion(asked).await?.unclear(|number| format!("dismiss {number}")) {
            Ok(row) => {
                let button = |case: &Case| {
                    let may = decide::is_open(case) || matches!(case.state, crate::approval::State::Snoozed { .. });
                    may.then(|| press("Dismiss…", Verb::Dismiss, &case.kept.id, case.kept.version))
                };
                decide::card(asked, &row, "dismiss.offer", button).await
            }
            Err(question) => Ok(question),
        }
    })
}
