//! Learns from what people think: a disliked kind of suggestion ranks lower, and both a dislike and a dismissal that
//! repeats itself lead to an offer of a standing instruction, which a button keeps.
//!
//! Nothing here guesses: what changes is counted from stored feedback, and every effect is said.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::chat::Incoming;
use crate::chat::card::{Action as Button, Kind, Verb};
use crate::checks::{self, CureAction, Severity};
use crate::facts::{Evidence, Fact, Term};
use crate::log::{Action, NewEntry};
use crate::store::feedback::Feedback;
use crate::store::jobs::{Job, NewJob, Priority};
use crate::store::suggestions::Row;

use super::access::{Right, right_of};
use super::answer::{Answer, Part, ask};
use super::buttons::press;
use super::compose::compose;
use super::post::{Post, conversation_id, post};
use super::press::actor;
use super::reconcile::{Body, found_by, state};
use super::settings::Understood;

/// Kind of the job that follows a dismissal.
pub const JOB: &str = "learn";
/// So many dismissals under one check are a habit worth asking about.
const HABIT: usize = 2;
/// For how long an accepted risk, or one that is handled otherwise, is left alone before somebody looks again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(24 * 90);
/// The reason for which nothing will ever change.
const NOT_APPLICABLE: &str = "not applicable here";

/// A dismissal to learn from.
#[derive(Serialize, Deserialize)]
struct Dismissed {
    incoming: Incoming,
    suggestion: i64,
    reason: String,
}

/// Keeps a like or a dislike, and answers a dislike of a suggestion with an offer.
///
/// # Errors
/// When the store or the platform fails; the job tries again and keeps nothing twice.
pub async fn feedback(app: &App, incoming: &Incoming, said: (bool, &str), message: &str) -> anyhow::Result<()> {
    let right = right_of(app, &incoming.person).await?;
    let conversation = conversation_id(&incoming.conversation);
    let Some(message) = app.store.message_in(&conversation, message).await?.filter(|_| right > Right::None) else {
        return Ok(());
    };
    let number = message.said.subject.as_deref().and_then(|subject| subject.strip_prefix("S-")?.parse().ok());
    let row = match number {
        Some(number) => app.store.suggestion(app.tenant(), number).await?,
        None => None,
    };
    let kept = Feedback {
        tenant: app.tenant().to_owned(),
        message: message.said.id,
        by_id: incoming.person.id.clone(),
        by_name: incoming.person.name.clone(),
        suggestion: row.as_ref().map(|row| row.number),
        check_id: row.as_ref().map(|row| row.check_id.clone()),
        liked: said.0,
        reason: said.1.to_owned(),
        at: app.clock.now(),
    };
    let mut tx = app.store.begin().await?;
    tx.keep_feedback(&kept).await?;
    tx.append(entry(app, incoming, &kept)).await?;
    tx.commit().await?;
    let Some(row) = row.filter(|_| !said.0) else { return Ok(()) };
    let opening = Fact::new("learn.disliked", Evidence::default())
        .with("number", Term::Word(format!("S-{}", row.number)))
        .with("check", Term::Word(title(&row.check_id)))
        .with("reason", Term::Name(said.1.to_owned()));
    offer(app, incoming, (&row, said.1), opening).await
}

fn entry(app: &App, incoming: &Incoming, kept: &Feedback) -> NewEntry {
    NewEntry {
        tenant: app.tenant().to_owned(),
        at: kept.at,
        actor: actor(incoming),
        action: Action::FeedbackGiven,
        subject: kept.suggestion.map_or_else(|| kept.message.clone(), |number| format!("S-{number}")),
        body: json!({"liked": kept.liked, "reason": kept.reason}),
        evidence: Vec::new(),
    }
}

/// Asks for a look at a dismissal, once.
///
/// # Errors
/// When the store fails.
pub async fn after_dismissal(app: &App, incoming: &Incoming, suggestion: i64, reason: &str) -> anyhow::Result<()> {
    let lesson = Dismissed { incoming: incoming.clone(), suggestion, reason: reason.to_owned() };
    let job = NewJob {
        id: format!("learn:{}", incoming.key),
        kind: JOB.into(),
        payload: serde_json::to_value(lesson)?,
        priority: Priority::Question,
        due: app.clock.now(),
    };
    app.store.enqueue(&job).await?;
    Ok(())
}

/// Offers an instruction once dismissals under the same check have become a habit.
///
/// # Errors
/// When the store or the platform fails; the job tries again.
pub async fn look(app: &App, job: Job) -> anyhow::Result<()> {
    let Dismissed { incoming, suggestion, reason } = serde_json::from_value(job.payload).context("a dismissal")?;
    let Some(row) = app.store.suggestion(app.tenant(), suggestion).await? else { return Ok(()) };
    let all = app.store.suggestions(app.tenant()).await?;
    let dismissed =
        all.iter().filter(|known| known.state == state::DISMISSED && found_by(known, &row.check_id)).count();
    if dismissed < HABIT {
        return Ok(());
    }
    let opening = Fact::new("learn.dismissed", Evidence::default())
        .with("count", dismissed)
        .with("check", Term::Word(title(&row.check_id)));
    offer(app, &incoming, (&row, &reason), opening).await
}

/// A card with the instructions that would keep such suggestions away; a button keeps one.
async fn offer(app: &App, incoming: &Incoming, (row, reason): (&Row, &str), opening: Fact) -> anyhow::Result<()> {
    let question = Answer { kind: Kind::Question, ..Answer::sentences(vec![opening.must_show()]) };
    let question = if right_of(app, &incoming.person).await? == Right::Decide {
        offers(app, row, reason)?.into_iter().fold(question, Answer::action)
    } else {
        question.part(Part::Warning(vec![Fact::new("instruct.no_right", Evidence::default()).must_show()]))
    };
    let question = question.action(ask("Present ones", "show the standing instructions"));
    let composed = compose(question, None, &app.wording)?;
    let to = Post { key: format!("learn:{}", incoming.key), to: &incoming.conversation, subject: None, version: 0 };
    post(app, to, &composed).await
}

/// From the narrowest to the widest. A reason that may cease to hold gets an end.
fn offers(app: &App, row: &Row, reason: &str) -> anyhow::Result<Vec<Button>> {
    let zone = app.config.schedule.zone.clone();
    let until = app.clock.now() + LOOK_AGAIN;
    let day = until.to_zoned(zone).strftime("%-d %b %Y").to_string();
    let end = (reason != NOT_APPLICABLE).then_some(until);
    let until_words = if end.is_some() { format!(" until {day}") } else { String::new() };
    let keep = |label: String, object: Option<String>, until: Option<Timestamp>| -> anyhow::Result<Button> {
        let understood =
            Understood { check: Some(row.check_id.clone()), object, until: until.map(Timestamp::as_second) };
        // Which version it is, is when it was offered.
        let offered = app.clock.now().as_millisecond();
        Ok(press(&label, Verb::KeepInstruction, &serde_json::to_string(&understood)?, offered))
    };
    let check = title(&row.check_id);
    let mut buttons = Vec::new();
    if let CureAction::HandOver(change) = Body::of(row)?.proposal.action {
        let name = crate::facts::clean(&change.target_name);
        buttons.push(keep(format!("Never for {name}{until_words}"), Some(change.target_id.clone()), end)?);
    }
    buttons.push(keep(format!("Never “{check}” until {day}"), None, Some(until))?);
    buttons.push(keep(format!("Never “{check}”"), None, None)?);
    Ok(buttons)
}

fn title(check: &str) -> String {
    checks::about(check).map_or_else(|| check.to_owned(), |about| about.title.to_owned())
}

/// How people think of the kinds of suggestion, by check.
#[derive(Clone, Debug, Default)]
pub struct Taste(BTreeMap<String, i64>);

impl Taste {
    /// What all feedback so far adds up to.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(app: &App) -> anyhow::Result<Self> {
        let mut taste = Self::default();
        for feedback in app.store.feedback(app.tenant()).await? {
            let Some(check) = feedback.check_id else { continue };
            *taste.0.entry(check).or_default() += if feedback.liked { 1 } else { -1 };
        }
        Ok(taste)
    }

    /// Whether more people dislike this kind than like it.
    #[must_use]
    pub fn dislikes(&self, check: &str) -> bool {
        self.0.get(check).is_some_and(|sum| *sum < 0)
    }

    /// By what suggestions are sorted: a disliked kind ranks one severity lower, and behind the others there.
    #[must_use]
    pub fn rank(&self, check: &str, severity: Severity) -> (Reverse<Severity>, bool) {
        let disliked = self.dislikes(check);
        (Reverse(if disliked { lower(severity) } else { severity }), disliked)
    }
}

fn lower(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium => Severity::Low,
        Severity::Low | Severity::Info => Severity::Info,
    }
}

#[cfg(test)]
mod tests;
