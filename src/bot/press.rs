//! A press: verified by the platform, judged here at this moment, answered in the same response.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::app::App;
use crate::chat::card::{Press, Verb};
use crate::chat::{Event, Incoming, Reply};
use crate::facts::{Style, Term};
use crate::log::{Action, Actor, NewEntry};
use crate::store::jobs::{NewJob, Priority};

use super::access::{Right, right_of};
use super::{approve, hear, review, settings};

/// Answers a press. Nothing of what the button carries is believed but which thing it is about.
///
/// # Errors
/// When the store or the tenant fails: then nothing was decided.
pub async fn press(app: &App, incoming: &Incoming) -> anyhow::Result<Reply> {
    let Event::Press(press) = &incoming.event else { anyhow::bail!("not a press") };
    let needed = needed_for(press.verb);
    if right_of(app, &incoming.person).await? < needed {
        refuse(app, incoming, press).await?;
        let key = if needed == Right::Decide { "refused.no_right_to_decide" } else { "refused.no_right" };
        return word(app, key, &[]);
    }
    match press.verb {
        Verb::Create | Verb::Dismiss | Verb::Reopen | Verb::Undo => approve::decide(app, incoming, press).await,
        Verb::Snooze => match put_off(app, press) {
            Some(press) => approve::decide(app, incoming, &press).await,
            None => word(app, "said.no_such_day", &[]),
        },
        Verb::Like | Verb::Dislike => feedback(app, incoming, press).await,
        Verb::Propose => ask(app, incoming, &format!("propose {}", press.subject)).await,
        Verb::Evidence => ask(app, incoming, &format!("show evidence for {}", press.subject)).await,
        Verb::Run => {
            review::request(app, &actor(incoming)).await?;
            word(app, "said.run_requested", &[])
        }
        Verb::CancelRun => {
            let running = app.store.cancel_run(app.tenant()).await?;
            word(app, if running { "said.run_cancelling" } else { "said.no_run" }, &[])
        }
        Verb::KeepInstruction => settings::keep_instruction(app, incoming, press).await,
        Verb::RemoveInstruction => settings::remove_instruction(app, incoming, press).await,
        Verb::KeepSchedule => settings::keep_schedule(app, incoming, press).await,
        Verb::EnableChannel => settings::enable_channel(app, incoming, press).await,
    }
}

fn needed_for(verb: Verb) -> Right {
    match verb {
        Verb::Propose | Verb::Evidence | Verb::Like | Verb::Dislike => Right::Ask,
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
    app.store
        .enqueue(&NewJob {
            id: format!("{}:{}", incoming.conversation.platform, incoming.key),
            kind: hear::JOB.into(),
            payload: serde_json::to_value(heard)?,
            priority: Priority::Question,
            due: app.clock.now(),
        })
        .await?;
    Ok(())
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
