//! "How do we look today?": the summary, as it is posted every day, at once.

use crate::bot::answer::ask;
use crate::bot::summary;

use super::{Answering, Asked};

/// The summary of the newest reading; what moved it is a question away.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let answer = summary::build(asked.app, asked.analysis, asked.conversation).await?;
        Ok(answer.action(ask("What moved it?", "what changed this week?")))
    })
}
