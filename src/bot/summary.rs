//! The daily summary: posted when it is due, in the conversations that want it, and remembered to compare the next with.

pub mod after;
mod card;
mod lines;
mod lost;
mod measures;
mod since;

use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::chat::web::PersonView;
use crate::chat::{Conversation, Person};
use crate::jobs::{Outcome, Scheduled};
use crate::log::{Action, Actor, NewEntry};
use crate::store::conversations::{ConversationKind, NewConversation, SummaryTime};
use crate::store::jobs::Job;
use crate::store::runs::RunState;
use crate::store::settings::Key;

use super::access::{Right, right_of};
use super::analysis::Analysis;
use super::answer::Answer;
use super::compose::compose;
use super::post::{Post, conversation, conversation_id, post};

/// Kind of the job that posts a summary.
pub const JOB: &str = "summary";

/// For how long a summary waits for a scan that is under way.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// What the last summary of a conversation said, to set beside today's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Remembered {
    /// When it was posted.
    at: Timestamp,
    /// Content hash of the reading that it was about.
    snapshot: String,
    /// Check, accounts covered, of how many.
    covered: Vec<(String, u64, u64)>,
    /// What needed somebody, by number of suggestion.
    needs: Vec<i64>,
}

/// Posts the summary that is due in one conversation.
///
/// # Errors
/// When the store or the platform fails; the job tries again.
pub async fn post_due(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    let scheduled: Scheduled = serde_json::from_value(job.payload).context("a summary's schedule")?;
    let Some(to) = conversation(&app, &scheduled.scope).await? else { return Ok(Outcome::Done) };
    let now = app.clock.now();
    let scanning = app.store.newest_run(app.tenant()).await?.is_some_and(|run| run.state == RunState::Running);
    // A reading is kept before its suggestions are: until the scan is over, a summary would say that nothing waits.
    let unread = app.newest_analysis().await?.is_none_or(|newest| newest.snapshot().is_early());
    if unread || (scanning && now < scheduled.due + PATIENCE) {
        return Ok(Outcome::Again(now + SignedDuration::from_secs(1)));
    }
    post_to(&app, &to, &job.id).await?;
    Ok(Outcome::Done)
}

/// Posts a summary to a conversation; `key` makes a repeat post nothing.
///
/// # Errors
/// When the tenant wasn't read yet, or the store or the platform fails.
pub async fn post_to(app: &App, to: &Conversation, key: &str) -> anyhow::Result<()> {
    let analysis = app.newest_analysis().await?.context("the tenant wasn't read yet")?;
    let name = conversation_id(to);
    let head = app.store.log_head(app.tenant()).await?;
    let said = card::due(app, (&analysis, &head), remembered(app, &name).await?).await?;
    let composed = compose(said.answer, None, &app.wording)?;
    let keyed = format!("summary:{key}:{name}");
    post(app, Post { key: keyed, to, subject: None, version: 0 }, &composed).await?;
    let setting = Key { tenant: app.tenant(), name: &setting(&name), at: app.clock.now() };
    app.store.set(setting, &said.remember).await?;
    let entry = NewEntry {
        tenant: app.tenant().to_owned(),
        at: app.clock.now(),
        actor: Actor::bot(),
        action: Action::SummaryPosted,
        subject: name,
        body: json!({"log": head.hash, "entries": head.seq}),
        evidence: Vec::new(),
    };
    app.store.append(entry).await?;
    Ok(())
}

/// The summary of an analysis at length, compared with the last one that this conversation got.
///
/// # Errors
/// When the store fails.
pub async fn build(app: &App, analysis: &Analysis, to: &Conversation) -> anyhow::Result<Answer> {
    let before = remembered(app, &conversation_id(to)).await?;
    let head = app.store.log_head(app.tenant()).await?;
    Ok(card::whole(app, (analysis, &head), before).await?.answer)
}

async fn remembered(app: &App, conversation: &str) -> anyhow::Result<Option<Remembered>> {
    app.store.setting(app.tenant(), &setting(conversation)).await
}

/// Name of the setting that remembers a conversation's last summary.
fn setting(conversation: &str) -> String {
    format!("summary-values:{conversation}")
}

/// Gives each of these people of the web chat who may ask a daily summary, and the first one as soon as the tenant is
/// read (demo).
///
/// # Errors
/// When the store or the tenant fails.
pub async fn subscribe_everyone(app: &App, people: &[PersonView]) -> anyhow::Result<()> {
    for person in people {
        let to = Conversation {
            platform: crate::chat::web::NAME.into(),
            id: person.id.clone(),
            tenant: app.tenant().to_owned(),
            personal: true,
            reference: serde_json::Value::Null,
        };
        let asker = Person { id: person.id.clone(), name: person.name.clone(), platform_id: person.id.clone() };
        if right_of(app, &asker).await? >= Right::Ask {
            subscribe(app, &to, &person.name).await?;
        }
    }
    Ok(())
}

async fn subscribe(app: &App, to: &Conversation, name: &str) -> anyhow::Result<()> {
    let now = app.clock.now();
    let schedule = &app.config.schedule;
    let at = schedule.summary.strftime("%H:%M").to_string();
    let zone = schedule.zone.iana_name().unwrap_or("UTC").to_owned();
    let new = NewConversation {
        platform: to.platform.clone(),
        tenant: to.tenant.clone(),
        reference: to.id.clone(),
        address: serde_json::to_value(to)?,
        kind: ConversationKind::Personal,
        name: name.to_owned(),
        person: Some(to.id.clone()),
    };
    let first = Scheduled { scope: new.id(), due: now, payload: json!({}) };
    let known = app.store.conversation(&new.id()).await?.is_some_and(|kept| kept.summary.is_some());
    let mut tx = app.store.begin().await?;
    tx.meet(&new, now).await?;
    if known {
        return tx.commit().await;
    }
    tx.set_summary(&new.id(), Some(&SummaryTime { at, zone })).await?;
    // The first one comes at once; today's, if its time is over, would only repeat it.
    tx.summary_from(&new.id(), now).await?;
    tx.enqueue(&crate::store::jobs::NewJob {
        id: format!("first-summary:{}", new.id()),
        kind: JOB.into(),
        payload: serde_json::to_value(first)?,
        priority: crate::store::jobs::Priority::Digest,
        due: now,
    })
    .await?;
    tx.commit().await
}

#[cfg(test)]
mod tests;
