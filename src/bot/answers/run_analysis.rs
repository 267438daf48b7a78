//! "Run the analysis again": a card whose button starts a scan, or why not.

use crate::bot::access::Right;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::buttons::press;
use crate::bot::progress;
use crate::chat::card::{Kind, Verb};
use crate::facts::Fact;

use super::meant::said;
use super::{Answering, Asked, bot_activity};

/// Offers to start a scan.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        if let Some(under_way) = progress::under_way(asked.app).await? {
            return Ok(Answer::sentences(vec![under_way.fact]).action(ask("Stop it", "stop the scan")));
        }
        let mut facts: Vec<Fact> = vec![said("run.last").with("at", asked.analysis.snapshot().read_at)];
        facts.extend(bot_activity::next_run(asked).await?);
        let answer = Answer { kind: Kind::Question, ..Answer::default() };
        Ok(match (asked.right, &asked.app.graph) {
            (_, None) => answer.part(Part::Sentences(vec![said("run.folder")])),
            (Right::Decide, _) => {
                facts.insert(0, said("run.offer"));
                answer.part(Part::Sentences(facts)).action(press("Start the scan", Verb::Run, "run", 0))
            }
            (_, _) => {
                facts.insert(0, said("run.no_right"));
                answer.part(Part::Sentences(facts))
            }
        })
    })
}
