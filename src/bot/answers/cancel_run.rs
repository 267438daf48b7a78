//! "Stop the run": how far the running scan is, and a button that cancels it while it reads and judges.

use crate::bot::access::Right;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::buttons::press;
use crate::bot::progress;
use crate::chat::card::{Kind, Verb};

use super::meant::said;
use super::{Answering, Asked};

/// Offers to cancel the running scan.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let run = asked.app.store.newest_run(asked.app.tenant()).await?;
        let (Some(run), Some(under_way)) = (run, progress::under_way(asked.app).await?) else {
            let last = said("run.last").with("at", asked.analysis.snapshot().read_at);
            return Ok(Answer::sentences(vec![said("said.no_run"), last]).action(ask("Scan now", "scan now")));
        };
        let answer = Answer { kind: Kind::Question, ..Answer::default() }.part(Part::Sentences(vec![under_way.fact]));
        Ok(if run.concluding {
            answer
        } else if asked.right == Right::Decide {
            answer.action(press("Stop the scan", Verb::CancelRun, &run.id, 0))
        } else {
            answer.part(Part::Warning(vec![said("cancel.no_right")]))
        })
    })
}
