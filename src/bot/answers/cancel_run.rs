//! "Stop the run": how far the running scan is, and a button that cancels it between pages.

use crate::bot::access::Right;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::buttons::press;
use crate::bot::review::SoFar;
use crate::chat::card::{Kind, Verb};
use crate::facts::Fact;
use crate::store::runs::{Run, RunState};

use super::meant::said;
use super::{Answering, Asked};

/// Offers to cancel the running scan.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let run = asked.app.store.newest_run(asked.app.tenant()).await?;
        let Some(run) = run.filter(|run| run.state == RunState::Running) else {
            let last = said("run.last").with("at", asked.analysis.snapshot().read_at);
            return Ok(
                Answer::sentences(vec![said("said.no_run"), last]).action(ask("Scan now", "run the analysis again"))
            );
        };
        let answer = Answer { kind: Kind::Question, ..Answer::default() }.part(Part::Sentences(vec![running(&run)]));
        Ok(if asked.right == Right::Decide {
            answer.action(press("Stop the scan", Verb::CancelRun, &run.id, 0))
        } else {
            answer.part(Part::Warning(vec![said("cancel.no_right")]))
        })
    })
}

/// How far a running scan is.
pub(super) fn running(run: &Run) -> Fact {
    let so_far: SoFar = serde_json::from_value(run.progress.clone()).unwrap_or_default();
    let key = if run.cancel { "cancel.stopping" } else { "cancel.running" };
    said(key).with("since", run.started).with("objects", so_far.objects.values().sum::<u64>())
}
