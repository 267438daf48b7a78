//! Who may ask and who may decide, judged at this moment and never from a cache.

use crate::app::App;
use crate::chat::Person;
use crate::graph::GraphError;

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Nothing: not a person of this tenant, or without a role that allows more.
    None,
    /// Ask questions.
    Ask,
    /// Decide, start scans, change settings; includes asking.
    Decide,
}

/// The person's right now. Without a live tenant (a folder on the person's own machine) everything may be asked.
///
/// # Errors
/// When the tenant can't be asked: then nothing is decided.
pub async fn right_of(app: &App, person: &Person) -> anyhow::Result<Right> {
    let Some(graph) = &app.graph else { return Ok(Right::Ask) };
    let standing = match graph.standing_of(&person.id).await {
        Err(GraphError::NotFound { .. }) => return Ok(Right::None),
        standing => standing?,
    };
    let who = &app.config.who;
    Ok(if standing.is_among(&who.approvers) {
        Right::Decide
    } else if standing.is_among(&who.readers) {
        Right::Ask
    } else {
        Right::None
    })
}
