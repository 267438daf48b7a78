//! Posts cards, keeps what they cite, and brings every copy of a card up to date.
//!
//! A new version is kept first and then sent, and what the chat shows is noted apart: where it lags behind, whoever takes
//! the work up again sends it. A chat that doesn't take a card holds up no other, and nothing else.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::App;
use crate::chat::card::Card;
use crate::chat::{Conversation, Incoming, Person, Platform};
use crate::jobs::Outcome;
use crate::store::conversations::{ConversationKind, NewConversation};
use crate::store::jobs::{Job, NewJob, Priority};
use crate::store::messages::{Direction, Message, NewMessage, Update};

use super::compose::Composed;

/// Kind of the job that sends a version which a chat didn't take.
pub const SHOW: &str = "show";
/// How long it waits before it tries the first time.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// What is posted where.
#[derive(Debug)]
pub struct Post<'a> {
    /// Derived from the event or job behind it, so that a repeat posts nothing.
    pub key: String,
    /// Where.
    pub to: &'a Conversation,
    /// What it shows, such as `S-34`, so that every copy is found again.
    pub subject: Option<String>,
    /// Which version of the subject it shows.
    pub version: i64,
}

/// Id under which a conversation is kept.
#[must_use]
pub fn conversation_id(conversation: &Conversation) -> String {
    format!("{}:{}", conversation.platform, conversation.id)
}

/// Keeps a card with its evidence and sends it. A card that was sent already under this key is not sent again.
///
/// # Errors
/// When the store or the platform fails; the job behind it tries again.
pub async fn post(app: &App, post: Post<'_>, composed: &Composed) -> anyhow::Result<()> {
    keep_evidence(app, composed).await?;
    let kept = app
        .store
        .say(&NewMessage {
            id: post.key.clone(),
            conversation: conversation_id(post.to),
            direction: Direction::Out,
            author_id: "portcullis".into(),
            author_name: "Portcullis".into(),
            body: serde_json::to_value(&composed.card)?,
            subject: post.subject,
            version: post.version,
            at: app.clock.now(),
        })
        .await?;
    if kept.platform_id.is_none() {
        // A newer version may have been kept since an attempt that failed.
        let sent = platform(app, &post.to.platform)?.send(post.to, &card(&kept)?).await.context("posting a card")?;
        app.store.message_sent(&post.key, &sent, kept.said.version).await?;
    }
    catch_up(app, &post.key).await
}

/// Shows a newer version of a subject on every card that shows it. A chat that doesn't take it gets it later.
///
/// # Errors
/// When the store fails; the job behind it tries again.
pub async fn update_all(app: &App, subject: &str, version: i64, composed: &Composed) -> anyhow::Result<()> {
    keep_evidence(app, composed).await?;
    let body = serde_json::to_value(&composed.card)?;
    for message in app.store.messages_about(subject).await? {
        keep_update(app, &message.said, version, &body).await?;
        if let Err(error) = catch_up(app, &message.said.id).await {
            tracing::warn!(message = message.said.id, error = %format!("{error:#}"), "a card was not brought up to date");
            show_later(app, &message.said.id, version).await?;
        }
    }
    Ok(())
}

/// Sends the newest kept version of a message until that is what was sent last. Of two that send different versions at
/// once, the one with the older can't tell which arrived last, and sends the newer again.
async fn catch_up(app: &App, id: &str) -> anyhow::Result<()> {
    let mut overtaken = false;
    while let Some(message) = app.store.message(id).await? {
        let Some(sent) = message.platform_id.as_deref() else { break };
        if message.shown >= message.said.version && !overtaken {
            break;
        }
        let Some(to) = conversation(app, &message.said.conversation).await? else { break };
        platform(app, &to.platform)?.update(&to, sent, &card(&message)?).await.context("updating a card")?;
        overtaken = !app.store.message_shown(id, message.said.version).await?;
    }
    Ok(())
}

async fn show_later(app: &App, message: &str, version: i64) -> anyhow::Result<()> {
    let job = NewJob {
        id: format!("show:{message}:{version}"),
        kind: SHOW.into(),
        payload: json!({"message": message}),
        priority: Priority::Question,
        due: app.clock.now().saturating_add(PAUSE)?,
    };
    app.store.enqueue(&job).await.map(drop)
}

/// Sends a version which the chat didn't take before.
///
/// # Errors
/// When the chat doesn't take it now either; the job tries again.
pub async fn show(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    let message = job.payload.get("message").and_then(Value::as_str).context("a job without its message")?;
    catch_up(&app, message).await?;
    Ok(Outcome::Done)
}

fn card(message: &Message) -> anyhow::Result<Card> {
    serde_json::from_value(message.said.body.clone()).context("a stored card")
}

async fn keep_update(app: &App, said: &NewMessage, version: i64, body: &Value) -> anyhow::Result<()> {
    let mut tx = app.store.begin().await?;
    let update = Update { id: &said.id, conversation: &said.conversation, body, version, at: app.clock.now() };
    tx.update_message(&update).await?;
    tx.commit().await
}

/// Keeps what a card cites, before anybody can open it.
///
/// # Errors
/// When the store fails.
pub async fn keep_evidence(app: &App, composed: &Composed) -> anyhow::Result<()> {
    let mut tx = app.store.begin().await?;
    for body in &composed.evidence {
        tx.keep(&crate::store::evidence::Evidence { tenant: app.tenant(), body, at: app.clock.now() }).await?;
    }
    tx.commit().await
}

/// A conversation as it was last described, to post there again.
///
/// # Errors
/// When the store fails or what it kept isn't a conversation.
pub async fn conversation(app: &App, id: &str) -> anyhow::Result<Option<Conversation>> {
    let Some(kept) = app.store.conversation(id).await? else { return Ok(None) };
    Ok(Some(serde_json::from_value(kept.about.address).context("a stored conversation")?))
}

/// A conversation as the store keeps it, in which this person speaks.
///
/// # Errors
/// Never, as long as a conversation can be written as JSON.
pub fn described(conversation: &Conversation, person: &Person) -> anyhow::Result<NewConversation> {
    Ok(NewConversation {
        platform: conversation.platform.clone(),
        tenant: conversation.tenant.clone(),
        reference: conversation.id.clone(),
        address: serde_json::to_value(conversation)?,
        kind: if conversation.personal { ConversationKind::Personal } else { ConversationKind::Channel },
        name: person.name.clone(),
        person: Some(person.id.clone()).filter(|id| conversation.personal && !id.is_empty()),
    })
}

/// Where this person alone reads what the bot says; none when the platform offers no such place, or refuses it.
///
/// # Errors
/// When the store fails.
pub async fn alone_with(app: &App, incoming: &Incoming) -> anyhow::Result<Option<Conversation>> {
    let (here, person) = (&incoming.conversation, &incoming.person);
    if here.personal {
        return Ok(Some(here.clone()));
    }
    if let Some(kept) = app.store.personal(&here.tenant, &person.id, Some(&here.platform)).await? {
        return Ok(Some(serde_json::from_value(kept.about.address).context("a stored conversation")?));
    }
    match platform(app, &here.platform)?.open(here, person).await {
        Ok(Some(opened)) => {
            // Kept, so that the next time speaks in the same place.
            let mut tx = app.store.begin().await?;
            tx.meet(&described(&opened, person)?, app.clock.now()).await?;
            tx.commit().await?;
            Ok(Some(opened))
        }
        Ok(None) => Ok(None),
        Err(error) => {
            tracing::info!(platform = here.platform, error = %format!("{error:#}"), "no personal chat to speak in");
            Ok(None)
        }
    }
}

fn platform<'a>(app: &'a App, name: &str) -> anyhow::Result<&'a Arc<dyn Platform>> {
    app.platforms.get(name).with_context(|| format!("the platform {name} isn't configured"))
}
