//! What is answered before anything was read: how far the first scan is, or why there is none.

use crate::app::App;
use crate::chat::card::{Kind, Verb};
use crate::facts::{Evidence, Fact, Term};
use crate::store::runs::{Run, RunState};

use super::access::Right;
use super::answer::{Answer, Part};
use super::buttons::press;
use super::hear::refused;
use super::progress;

/// What to say to a question, and what whoever decides can do.
///
/// # Errors
/// When the store fails.
pub async fn answer(app: &App, right: Right) -> anyhow::Result<Answer> {
    let newest = app.store.newest_run(app.tenant()).await?;
    if let (Some(run), Some(under_way)) = (&newest, progress::under_way(app).await?) {
        let answer = refused("refused.not_read_yet").part(Part::Sentences(vec![under_way.fact]));
        let stop = press("Stop the scan", Verb::CancelRun, &run.id, 0);
        return Ok(if right == Right::Decide && !run.concluding { answer.action(stop) } else { answer });
    }
    let answer = Answer { kind: Kind::Refusal, ..Answer::default() }.part(Part::Sentences(vec![why(newest.as_ref())]));
    let start = press("Start the scan", Verb::Run, "run", 0);
    Ok(if right == Right::Decide && app.graph.is_some() { answer.action(start) } else { answer })
}

/// Why nothing was read, and nothing is being read.
fn why(newest: Option<&Run>) -> Fact {
    let said = |key: &str| Fact::new(key, Evidence::default()).must_show();
    match newest {
        Some(Run { state: RunState::Failed, error, finished, .. }) => said("refused.first_scan_failed")
            .with("why", Term::Text(error.clone().unwrap_or_default()))
            .with("at", finished.map_or_else(|| Term::Word(String::new()), Term::Time)),
        Some(Run { state: RunState::Cancelled, .. }) => said("refused.first_scan_stopped"),
        _ => said("refused.no_scan_yet"),
    }
}
