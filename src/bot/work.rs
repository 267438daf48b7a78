//! Which job is done by what, and what is due when.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::app::App;
use crate::chat::Incoming;
use crate::jobs::{Handlers, Outcome, Schedule, Timing};
use crate::store::jobs::Job;

use super::recurrence::Recurrence;
use super::{alert, approve, hear, learn, post, press, put_off, review, summary, tell, watch};

/// The handlers of all jobs.
#[must_use]
pub fn handlers(app: &Arc<App>) -> Handlers {
    let (heard, scanned, summed, approved, watched) =
        (Arc::clone(app), Arc::clone(app), Arc::clone(app), Arc::clone(app), Arc::clone(app));
    let (learned, alerted, shown, pressed) = (Arc::clone(app), Arc::clone(app), Arc::clone(app), Arc::clone(app));
    let (told, promised, put) = (Arc::clone(app), Arc::clone(app), Arc::clone(app));
    Handlers::default()
        .on(hear::JOB, move |job| hear_job(Arc::clone(&heard), job))
        .on(review::JOB, move |job| review::scan(Arc::clone(&scanned), job))
        .on(summary::JOB, move |job| summary::post_due(Arc::clone(&summed), job))
        .on(approve::JOB, move |job| approve::carry_out(Arc::clone(&approved), job))
        .on(learn::JOB, move |job| lesson(Arc::clone(&learned), job))
        .on(watch::JOB, move |job| watch::look(Arc::clone(&watched), job))
        .on(alert::JOB, move |job| alert::say(Arc::clone(&alerted), job))
        .on(post::SHOW, move |job| post::show(Arc::clone(&shown), job))
        .on(tell::JOB, move |job| tell::say(Arc::clone(&told), job))
        .on(summary::after::JOB, move |job| summary::after::say(Arc::clone(&promised), job))
        .on(put_off::JOB, move |job| put_off::say(Arc::clone(&put), job))
        .on(press::JOB, move |job| press::finish(Arc::clone(&pressed), job))
}

async fn hear_job(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    let incoming: Incoming = serde_json::from_value(job.payload)?;
    hear::hear(&app, &incoming).await?;
    Ok(Outcome::Done)
}

async fn lesson(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    learn::look(&app, job).await?;
    Ok(Outcome::Done)
}

/// What is due when, as people have set it by now.
///
/// # Errors
/// When the store fails or the configured times aren't times.
pub async fn schedules(app: &App) -> anyhow::Result<Vec<Schedule>> {
    let zone = app.config.schedule.zone.iana_name().unwrap_or("UTC");
    let scope = app.tenant().to_owned();
    let poll = SignedDuration::try_from(app.config.graph.audit_poll)?;
    let mut schedules = vec![
        Schedule {
            name: "run".into(),
            scope: scope.clone(),
            timing: Timing::cron(&app.config.schedule.run, zone)?,
            kind: review::JOB.into(),
            payload: json!({}),
        },
        Schedule {
            name: "watch".into(),
            scope,
            timing: Timing::Every(poll),
            kind: watch::JOB.into(),
            payload: json!({}),
        },
    ];
    for conversation in app.store.conversations().await? {
        if let Some(time) = &conversation.summary {
            let recurrence: Recurrence = time.at.parse()?;
            let since = conversation.summary_since.unwrap_or(Timestamp::MIN);
            let timings = recurrence.timings(&time.zone)?.into_iter().map(|timing| timing.since(since));
            schedules.extend(timings.map(|timing| Schedule {
                name: "summary".into(),
                scope: conversation.id.clone(),
                timing,
                kind: summary::JOB.into(),
                payload: json!({}),
            }));
        }
    }
    Ok(schedules)
}
