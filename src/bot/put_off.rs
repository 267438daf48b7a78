//! A word to a person whose question wasn't taken, because too many wait for an answer already.
//!
//! Posting it costs as much as a short answer, so it is said once a minute, however much comes.

use std::sync::Arc;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::chat::{Conversation, Incoming};
use crate::facts::Term;
use crate::jobs::Outcome;
use crate::store::jobs::{Job, NewJob, Priority};

use super::compose::compose;
use super::hear::{of_person, refused_with};
use super::post::{Post, alone_with, post};

/// Kind of the job that says it.
pub const JOB: &str = "put-off";

/// Of whom too many questions wait, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Full {
    /// Of this person.
    OfPerson(u64),
    /// Of this channel.
    OfChannel(u64),
    /// Of everybody.
    OfAll,
}

impl Full {
    /// Which words say it.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::OfPerson(_) => "said.too_many",
            Self::OfChannel(_) => "said.too_many_here",
            Self::OfAll => "said.too_many_of_all",
        }
    }

    /// What the words are about.
    #[must_use]
    pub fn terms(self) -> [(&'static str, Term); 1] {
        let waiting = match self {
            Self::OfPerson(waiting) | Self::OfChannel(waiting) => waiting,
            Self::OfAll => 0,
        };
        [("waiting", Term::Count(waiting))]
    }
}

/// Who is told, and why.
#[derive(Debug, Serialize, Deserialize)]
struct PutOff {
    incoming: Incoming,
    full: Full,
}

/// Has the person told. It goes before the questions that wait, or it would come when there is room again.
///
/// # Errors
/// When the store fails.
pub async fn request(app: &App, incoming: &Incoming, full: Full) -> anyhow::Result<()> {
    let now = app.clock.now();
    let word = PutOff { incoming: incoming.clone(), full };
    let job = NewJob {
        id: format!("put-off:{}{}", of_person(incoming), now.as_second() / 60),
        kind: JOB.into(),
        payload: serde_json::to_value(word)?,
        priority: Priority::Approval,
        due: now,
    };
    if app.store.enqueue(&job).await? {
        tracing::warn!(person = incoming.person.id, ?full, "too many questions wait: questions are not taken");
    }
    Ok(())
}

/// Tells them where nobody else reads it.
///
/// # Errors
/// When the store or the chat fails; the job tries again, and says nothing twice.
pub async fn say(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    let PutOff { incoming, full } = serde_json::from_value(job.payload).context("whom to put off")?;
    let to: Option<Conversation> = alone_with(&app, &incoming).await?;
    let [(name, term)] = full.terms();
    if let Some(to) = to {
        let words = compose(refused_with(full.key(), name, term), None, &app.wording)?;
        post(&app, Post { key: job.id, to: &to, subject: None, version: 0 }, &words).await?;
    }
    Ok(Outcome::Done)
}
