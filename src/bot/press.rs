//! A press: verified by the platform, judged here at this moment, answered in the same response.
//!
//! It is kept as a job before anything is asked about it. What isn't decided while the request lasts, because Graph is
//! slow or the process ends, the job decides, and says what came of it to the person alone.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::chat::card::{Block, Card, Kind, Press, Run, Tone, Verb};
use crate::chat::{Event, Incoming, Reply};
use crate::facts::{Style, Term};
use crate::jobs::Outcome;
use crate::log::{Action, Actor, Entry, NewEntry};
use crate::store::entries::Wanted;
use crate::store::jobs::{End, Job, NewJob, Priority};

use super::access::{Right, right_of};
use super::compose::Composed;
use super::post::{Post, alone_with, post};
use super::{approve, entries, hear, review, settings};

/// Kind of the job that decides a press which its request left undecided.
pub const JOB: &str = "press";

/// How long a press is left to its request before the job takes it up.
const HELD: SignedDuration = SignedDuration::from_secs(2);

/// After so many failures the person is told that nothing came of it: about a minute, and nobody wants a click to act
/// long after they gave it up.
const FAILURES: i64 = 5;

/// A press as its job keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    incoming: Incoming,
    /// When it came.
    at: Timestamp,
}

/// Keeps a press before anything is asked about it; none when this very press came before.
///
/// # Errors
/// When the store fails: then it isn't kept, and must not be acknowledged.
pub async fn keep(app: &App, incoming: &Incoming) -> anyhow::Result<Option<Job>> {
    let at = app.clock.now();
    let kept = Kept { incoming: incoming.clone(), at };
    let job = NewJob {
        id: format!("press:{}:{}", incoming.conversation.platform, incoming.key),
        kind: JOB.into(),
        payload: serde_json::to_value(kept)?,
        priority: Priority::Approval,
        due: at.saturating_add(HELD)?,
    };
    Ok(app.store.enqueue(&job).await?.then(|| Job::held(job)))
}

/// The request has decided it: nothing is left to the job.
///
/// # Errors
/// When the store fails; the job then finds that it is decided.
pub async fn settle(app: &App, job: &Job) -> anyhow::Result<()> {
    app.store.end(job, &End::Done, app.clock.now()).await.map(drop)
}

/// The request gives it up: the job takes it up at once.
///
/// # Errors
/// When the store fails; the job then takes it up a moment later.
pub async fn leave(app: &App, job: &Job) -> anyhow::Result<()> {
    let now = app.clock.now();
    app.store.end(job, &End::Again(now), now).await?;
    app.store.job_hint().notify_one();
    Ok(())
}

/// Decides a press that its request left undecided, and tells the person what came of it.
///
/// # Errors
/// When the store, the tenant or the chat fails; the job tries again.
pub async fn finish(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    let Kept { incoming, at } = serde_json::from_value(job.payload.clone()).context("a kept press")?;
    if is_decided(&app, &incoming, at).await? {
        return Ok(Outcome::Done);
    }
    let reply = match press(&app, &job).await {
        Ok(reply) => reply,
        Err(error) if job.failures + 1 < FAILURES => return Err(error),
        Err(error) => {
            tracing::error!(job = job.id, error = %format!("{error:#}"), "a press was given up");
            word(&app, "said.press_failed", &[])?
        }
    };
    // A card in its new state is shown to everyone by the job that carries the approval on. One that had changed before
    // shows no decision, and nobody carries anything on.
    let reply = match reply {
        Reply::Card(_) if !is_decided(&app, &incoming, at).await? => word(&app, approve::CHANGED, &[])?,
        reply => reply,
    };
    if let Reply::Word(words) = reply {
        tell(&app, &incoming, (&job.id, words)).await?;
    }
    Ok(Outcome::Done)
}

/// Whether the log has this decision of this person since the press came: whoever took it died before noting so.
async fn is_decided(app: &App, incoming: &Incoming, since: Timestamp) -> anyhow::Result<bool> {
    let Event::Press(press) = &incoming.event else { return Ok(false) };
    let Some(action) = decision(press.verb) else { return Ok(false) };
    let Some(approval) = app.store.approval(&press.subject).await? else { return Ok(false) };
    let (subject, action, since_then) = (Some(format!("S-{}", approval.suggestion)), Some(action), Some(since));
    // However many there are since: a click that is missed here is decided twice.
    let wanted = Wanted { subject, action, since: since_then, limit: i64::MAX, ..Wanted::default() };
    let entries = app.store.entries(app.tenant(), &wanted).await?;
    // Of several wishes each is one of its own; anything else is decided once.
    let is_this = |entry: &Entry| match press.verb {
        Verb::AskChange => entries::wish(&entry.details()).is_some_and(|wish| wish.click.at == since),
        _ => true,
    };
    Ok(entries.iter().filter(|entry| entry.actor.id == incoming.person.id).any(is_this))
}

/// What the log says of a decision.
fn decision(verb: Verb) -> Option<Action> {
    Some(match verb {
        Verb::Create => Action::ApprovalGranted,
        Verb::Snooze => Action::SuggestionSnoozed,
        Verb::AskChange => Action::SuggestionChangeAsked,
        Verb::Dismiss => Action::SuggestionDismissed,
        Verb::Reopen => Action::SuggestionReopened,
        Verb::Undo => Action::PolicyRemoveIntended,
        Verb::IsThere | Verb::NotThere => Action::PolicySettled,
        _ => return None,
    })
}

/// Says to the person alone what came of a press that was answered with a promise.
async fn tell(app: &App, incoming: &Incoming, (job, words): (&str, String)) -> anyhow::Result<()> {
    let Some(to) = alone_with(app, incoming).await? else { return Ok(()) };
    let block = Block::Text { runs: vec![Run::plain(words.clone())], tone: Tone::Normal };
    let card = Card { kind: Kind::Answer, blocks: vec![block], summary: words, ..Card::default() };
    let key = format!("outcome:{job}");
    post(app, Post { key, to: &to, subject: None, version: 0 }, &Composed { card, evidence: Vec::new() }).await
}

/// Answers a press that was kept. Nothing of what the button carries is believed but which thing it is about.
///
/// # Errors
/// When the store or the tenant fails: then nothing was decided.
pub async fn press(app: &App, job: &Job) -> anyhow::Result<Reply> {
    let Kept { incoming, at } = serde_json::from_value(job.payload.clone()).context("a kept press")?;
    let incoming = &incoming;
    let Event::Press(press) = &incoming.event else { anyhow::bail!("not a press") };
    let needed = needed_for(press.verb);
    if right_of(app, &incoming.person).await? < needed {
        refuse(app, incoming, press).await?;
        let key = if needed == Right::Decide { "refused.no_right_to_decide" } else { "refused.no_right" };
        return word(app, key, &[]);
    }
    match press.verb {
        Verb::Create | Verb::Dismiss | Verb::Reopen | Verb::Undo | Verb::IsThere | Verb::NotThere => {
            approve::decide(app, (incoming, at), press).await
        }
        Verb::AskChange => match wished(press) {
            Some(press) => approve::decide(app, (incoming, at), &press).await,
            None => word(app, "said.no_wish", &[]),
        },
        Verb::Snooze => match put_off(app, press) {
            Some(press) => approve::decide(app, (incoming, at), &press).await,
            None => word(app, "said.no_such_day", &[]),
        },
        Verb::Like | Verb::Dislike => feedback(app, incoming, press).await,
        Verb::Propose => ask(app, incoming, &format!("propose {}", press.subject)).await,
        Verb::Evidence => {
            enqueue(app, incoming, incoming.event.clone()).await?;
            word(app, "said.coming", &[])
        }
        Verb::Run => {
            review::request_by(app, &actor(incoming), incoming).await?;
            word(app, "said.run_requested", &[])
        }
        Verb::CancelRun => settings::stop_scan(app, incoming).await,
        Verb::KeepInstruction => settings::keep_instruction(app, incoming, press).await,
        Verb::RemoveInstruction => settings::remove_instruction(app, incoming, press).await,
        Verb::KeepSchedule => settings::keep_schedule(app, incoming, press).await,
        Verb::EnableChannel => settings::enable_channel(app, incoming, press).await,
    }
}

fn needed_for(verb: Verb) -> Right {
    match verb {
        Verb::AskChange | Verb::Propose | Verb::Evidence | Verb::Like | Verb::Dislike => Right::Ask,
        _ => Right::Decide,
    }
}

/// A button that asks a question: stored as if it had been typed.
async fn ask(app: &App, incoming: &Incoming, text: &str) -> anyhow::Result<Reply> {
    enqueue(app, incoming, Event::Text(text.to_owned())).await?;
    word(app, "said.coming", &[])
}

/// A like or a dislike: stored as the platforms' own feedback is.
async fn feedback(app: &App, incoming: &Incoming, press: &Press) -> anyhow::Result<Reply> {
    let text = press.input.clone().unwrap_or_default();
    let said = Event::Feedback { liked: press.verb == Verb::Like, text, message: Some(press.subject.clone()) };
    enqueue(app, incoming, said).await?;
    word(app, "said.feedback", &[])
}

async fn enqueue(app: &App, incoming: &Incoming, event: Event) -> anyhow::Result<()> {
    let heard = Incoming { event, ..incoming.clone() };
    app.store.enqueue(&hear::job(&heard, app.clock.now())?).await.map(drop)
}

async fn refuse(app: &App, incoming: &Incoming, press: &Press) -> anyhow::Result<()> {
    let entry = NewEntry {
        tenant: app.tenant().to_owned(),
        at: app.clock.now(),
        actor: actor(incoming),
        action: Action::ApprovalRefused,
        subject: press.subject.clone(),
        body: json!({"verb": press.verb, "why": "no right"}),
        evidence: Vec::new(),
    };
    app.store.append(entry).await?;
    Ok(())
}

/// A word to the person who pressed, alone.
///
/// # Errors
/// When the word has no wording.
pub fn word(app: &App, key: &str, terms: &[(&str, Term)]) -> anyhow::Result<Reply> {
    let terms = terms.iter().map(|(name, term)| ((*name).to_owned(), term.clone())).collect();
    Ok(Reply::Word(app.wording.say(key, &terms, Style::Full)?))
}

/// The person as an actor of the log.
#[must_use]
pub fn actor(incoming: &Incoming) -> Actor {
    Actor::person(&incoming.person.id, &incoming.person.name)
}

/// How long a wish may be.
const WISH: usize = 500;

/// A wish with its words, at most [`WISH`] characters; none when nothing was written.
fn wished(press: &Press) -> Option<Press> {
    let text: String = press.input.as_deref().unwrap_or_default().trim().chars().take(WISH).collect();
    (!text.is_empty()).then(|| Press { input: Some(text), ..press.clone() })
}

/// A snooze with its end: so many days, or a day of the calendar, which begins in the time zone of the tenant; none when
/// that is no day of the coming year.
fn put_off(app: &App, press: &Press) -> Option<Press> {
    let now = app.clock.now();
    let Some(chosen) = press.input.as_deref().map(str::trim) else { return Some(press.clone()) };
    if chosen.parse::<i64>().is_ok_and(|days| (1..=LONGEST).contains(&days)) {
        return Some(press.clone());
    }
    let day: Date = chosen.parse().ok()?;
    let until = day.to_zoned(app.config.schedule.zone.clone()).ok()?.timestamp();
    let latest = now.checked_add(SignedDuration::from_hours(24 * LONGEST)).ok()?;
    (now < until && until <= latest).then(|| Press { input: Some(until.to_string()), ..press.clone() })
}

/// The longest snooze, in days.
pub(crate) const LONGEST: i64 = 365;

/// Now plus so many days, or the very moment, as a person chose them; a week when they chose nothing sensible.
#[must_use]
pub fn in_days(now: Timestamp, input: Option<&str>) -> Timestamp {
    let chosen = input.map(str::trim).unwrap_or_default();
    if let Ok(until) = chosen.parse::<Timestamp>() {
        return until;
    }
    let days = chosen.parse::<i64>().ok().filter(|days| (1..=LONGEST).contains(days)).unwrap_or(7);
    now.saturating_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX)
}
