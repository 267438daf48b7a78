//! What people set by pressing: standing instructions, the time of the summary, channels.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::chat::card::Press;
use crate::chat::{Incoming, Reply};
use crate::facts::{Evidence, Fact, Term};
use crate::log::{Action, Entry, NewEntry};
use crate::store::conversations::SummaryTime;
use crate::store::entries::Wanted;
use crate::store::instructions::NewInstruction;
use crate::store::runs::RunState;

use super::answers::bot_activity;
use super::cite;
use super::post::conversation_id;
use super::press::{actor, word};
use super::recurrence::Recurrence;

/// An instruction as the bot understood it; the button that keeps it carries it, and it is checked again here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Understood {
    /// Id of the check; none means every check.
    pub check: Option<String>,
    /// Name or id of the object; none means every object.
    pub object: Option<String>,
    /// Until when, in seconds since the epoch.
    pub until: Option<i64>,
}

/// Keeps a standing instruction that a person confirmed; one that says the same and is in force isn't kept twice.
///
/// # Errors
/// When the store fails.
pub async fn keep_instruction(app: &App, incoming: &Incoming, press: &Press) -> anyhow::Result<Reply> {
    let Ok(understood) = serde_json::from_str::<Understood>(&press.subject) else {
        return word(app, "refused.not_understood", &[]);
    };
    let known = understood.check.as_deref().is_none_or(|check| crate::checks::about(check).is_some());
    if !known || (understood.check.is_none() && understood.object.is_none()) {
        return word(app, "refused.not_understood", &[]);
    }
    let now = app.clock.now();
    if let Some((number, at)) = removed_since(app, &understood, press.version).await? {
        let terms = [("number", Term::Word(format!("I-{number}"))), ("at", Term::Time(at))];
        return word(app, "said.instruction_gone", &terms);
    }
    let mut tx = app.store.begin().await?;
    let (kept, new) = tx
        .instruct(NewInstruction {
            tenant: app.tenant().to_owned(),
            check_id: understood.check.clone(),
            object: understood.object.clone(),
            until: understood.until.and_then(|until| Timestamp::from_second(until).ok()),
            wording: press.subject.clone(),
            by_id: incoming.person.id.clone(),
            by_name: incoming.person.name.clone(),
            created: now,
        })
        .await?;
    let subject = format!("I-{}", kept.number);
    if new {
        tx.append(entry(app, incoming, Action::InstructionAdded, &subject, json!(understood))).await?;
        tx.commit().await?;
    }
    word(app, "said.instruction_kept", &[("number", Term::Word(subject))])
}

/// The instruction that says the same and was taken back after it was offered: its number, and when.
async fn removed_since(app: &App, wanted: &Understood, offered: i64) -> anyhow::Result<Option<(i64, Timestamp)>> {
    let all = app.store.instructions(app.tenant()).await?;
    let same = |said: &NewInstruction| {
        said.check_id == wanted.check
            && said.object == wanted.object
            && said.until.map(Timestamp::as_second) == wanted.until
    };
    let gone = all.into_iter().filter(|kept| same(&kept.said));
    let mut gone = gone.filter_map(|kept| Some((kept.number, kept.removed?)));
    Ok(gone.rfind(|(_, at)| at.as_millisecond() > offered))
}

/// Takes a standing instruction back.
///
/// # Errors
/// When the store fails.
pub async fn remove_instruction(app: &App, incoming: &Incoming, press: &Press) -> anyhow::Result<Reply> {
    let number = press.subject.trim_start_matches("I-").parse().unwrap_or(0);
    let subject = format!("I-{number}");
    let given = given(app, &subject).await?;
    let mut tx = app.store.begin().await?;
    if !tx.remove_instruction(app.tenant(), number, app.clock.now()).await? {
        return word(app, "refused.no_such_instruction", &[("number", Term::Word(subject))]);
    }
    let evidence = cite::keep(app, &mut tx, &given).await?;
    let removed = entry(app, incoming, Action::InstructionRemoved, &subject, json!({}));
    tx.append(NewEntry { evidence, ..removed }).await?;
    tx.commit().await?;
    word(app, "said.instruction_removed", &[("number", Term::Word(subject))])
}

/// That an instruction was given, by the entry of the log: what taking it back rests on.
async fn given(app: &App, subject: &str) -> anyhow::Result<Vec<Fact>> {
    let wanted = Wanted { subject: Some(subject.to_owned()), limit: 10, ..Wanted::default() };
    let entries = app.store.entries(app.tenant(), &wanted).await?;
    let given = entries.iter().filter(|entry| entry.action == Action::InstructionAdded);
    let fact = |entry: &Entry| {
        Fact::new("instructions.given", Evidence::of([bot_activity::row(entry)]))
            .with("number", Term::Word(subject.to_owned()))
            .with("who", Term::Name(entry.actor.name.clone()))
            .with("at", entry.at)
    };
    Ok(given.map(fact).collect())
}

/// Stops the scan that is under way; the log says who did.
///
/// # Errors
/// When the store fails.
pub async fn stop_scan(app: &App, incoming: &Incoming) -> anyhow::Result<Reply> {
    let Some(run) = app.store.cancel_run(app.tenant()).await? else {
        let late = app.store.newest_run(app.tenant()).await?.is_some_and(|run| run.state == RunState::Running);
        return word(app, if late { "said.run_concluding" } else { "said.no_run" }, &[]);
    };
    app.store.append(entry(app, incoming, Action::RunCancelled, &run, json!({}))).await?;
    word(app, "said.run_cancelling", &[])
}

/// Sets when this conversation gets its summary: `08:30`, `mon,thu 08:00,16:00`, or `off`.
///
/// # Errors
/// When the store fails.
pub async fn keep_schedule(app: &App, incoming: &Incoming, press: &Press) -> anyhow::Result<Reply> {
    let zone = app.config.schedule.zone.iana_name().unwrap_or("UTC").to_owned();
    let wanted = press.subject.parse::<Recurrence>().ok();
    let time = wanted.as_ref().map(|wanted| SummaryTime { at: wanted.to_string(), zone: zone.clone() });
    if wanted.is_none() && press.subject != "off" {
        return word(app, "refused.not_understood", &[]);
    }
    let conversation = conversation_id(&incoming.conversation);
    let mut tx = app.store.begin().await?;
    tx.set_summary(&conversation, time.as_ref()).await?;
    tx.summary_from(&conversation, app.clock.now()).await?;
    tx.append(entry(app, incoming, Action::SettingChanged, "summary", json!({"at": press.subject}))).await?;
    tx.commit().await?;
    match wanted {
        Some(when) => word(app, "said.summary_at", &[("when", Term::Word(when.words())), ("zone", Term::Word(zone))]),
        None => word(app, "said.summary_off", &[]),
    }
}

/// Lets people ask in the channel that the button names; the button itself stands in a personal chat.
///
/// # Errors
/// When the store fails.
pub async fn enable_channel(app: &App, incoming: &Incoming, press: &Press) -> anyhow::Result<Reply> {
    let known = app.store.conversation(&press.subject).await?;
    let (platform, tenant) = (&incoming.conversation.platform, &incoming.conversation.tenant);
    if known.is_none_or(|kept| kept.about.platform != *platform || kept.about.tenant != *tenant) {
        return word(app, "refused.no_such_channel", &[]);
    }
    let mut tx = app.store.begin().await?;
    tx.enable(&press.subject, Some(&incoming.person.id)).await?;
    tx.append(entry(app, incoming, Action::ConversationEnabled, &press.subject, json!({}))).await?;
    tx.commit().await?;
    word(app, "said.channel_enabled", &[])
}

fn entry(app: &App, incoming: &Incoming, action: Action, subject: &str, body: serde_json::Value) -> NewEntry {
    NewEntry {
        tenant: app.tenant().to_owned(),
        at: app.clock.now(),
        actor: actor(incoming),
        action,
        subject: subject.to_owned(),
        body,
        evidence: Vec::new(),
    }
}
