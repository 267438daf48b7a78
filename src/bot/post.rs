//! Posts cards, keeps what they cite, and brings every copy of a card up to date.

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::Value;

use crate::app::App;
use crate::chat::{Conversation, Incoming, Person, Platform};
use crate::store::conversations::{ConversationKind, NewConversation};
use crate::store::messages::{Direction, NewMessage, Update};

use super::compose::Composed;

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
    if kept.platform_id.is_some() {
        return Ok(());
    }
    let sent = platform(app, &post.to.platform)?.send(post.to, &composed.card).await.context("posting a card")?;
    app.store.message_sent(&post.key, &sent).await
}

/// Shows a newer version of a subject on every card that shows it.
///
/// # Errors
/// When the store or a platform fails; the job behind it tries again.
pub async fn update_all(app: &App, subject: &str, version: i64, composed: &Composed) -> anyhow::Result<()> {
    keep_evidence(app, composed).await?;
    let body = serde_json::to_value(&composed.card)?;
    for message in app.store.messages_about(subject).await? {
        if !keep_update(app, &message.said, version, &body).await? {
            continue;
        }
        let Some(to) = conversation(app, &message.said.conversation).await? else { continue };
        if let Some(id) = &message.platform_id {
            platform(app, &to.platform)?.update(&to, id, &composed.card).await.context("updating a card")?;
        }
    }
    Ok(())
}

async fn keep_update(app: &App, said: &NewMessage, version: i64, body: &Value) -> anyhow::Result<bool> {
    let mut tx = app.store.begin().await?;
    let update = Update { id: &said.id, conversation: &said.conversation, body, version, at: app.clock.now() };
    let newer = tx.update_message(&update).await?;
    tx.commit().await?;
    Ok(newer)
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
