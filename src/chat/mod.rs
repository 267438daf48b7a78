//! The only modules that know a chat product. One folder a platform; all of them speak [`Incoming`] and [`Card`].
//!
//! A card is a small document of [`card::Block`]s. What it says is decided in `bot`; a platform only renders it, so the
//! change of state, the refusal and the card are the same everywhere.

pub mod card;
pub mod render;
pub mod rows;
#[cfg(test)]
pub(crate) mod samples;
pub mod teams;
pub mod web;

use std::future::Future;
use std::pin::Pin;

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use card::Card;

/// A future that a platform returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A chat product.
pub trait Platform: Send + Sync {
    /// Its name, as stored with conversations: `teams`, `web`.
    fn name(&self) -> &'static str;

    /// Verifies a webhook request and parses it. Nothing of an unverified request is believed, logged or stored.
    fn receive<'a>(&'a self, parts: &'a Parts, body: Bytes) -> BoxFuture<'a, Result<Received, Rejected>>;

    /// A card in the platform's own form (pure, snapshot-tested).
    ///
    /// # Errors
    /// When a template of the program is at fault; tests render every card with every sample.
    fn render(&self, card: &Card) -> anyhow::Result<Value>;

    /// The HTTP answer to a press: what replaces the card for the person who pressed, or a word to them alone.
    fn reply(&self, reply: &Reply) -> Response;

    /// Posts a card; gives the platform's id of the message.
    fn send<'a>(&'a self, to: &'a Conversation, card: &'a Card) -> BoxFuture<'a, anyhow::Result<String>>;

    /// Opens the personal chat of somebody who spoke elsewhere; none where everything is personal, or nothing can be
    /// opened.
    fn open<'a>(
        &'a self,
        _from: &'a Conversation,
        _person: &'a Person,
    ) -> BoxFuture<'a, anyhow::Result<Option<Conversation>>> {
        Box::pin(async { Ok(None) })
    }

    /// Replaces a card that was posted.
    fn update<'a>(
        &'a self,
        to: &'a Conversation,
        message: &'a str,
        card: &'a Card,
    ) -> BoxFuture<'a, anyhow::Result<()>>;
}

/// What a verified request brought.
#[derive(Debug)]
pub enum Received {
    /// Something to store and act on.
    Incoming(Box<Incoming>),
    /// Nothing to do; answer with this (probes, typing, unknown invokes).
    Answer(Response),
}

/// Why a request was refused: the status to answer with and a reason for the log, without the request's content.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Rejected {
    /// HTTP status.
    pub status: u16,
    /// Why, for the log.
    pub reason: String,
}

/// Something that a person did in a chat, verified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incoming {
    /// Unique key of the event, given by the platform: a repeat does nothing.
    pub key: String,
    /// Where.
    pub conversation: Conversation,
    /// Who.
    pub person: Person,
    /// What.
    pub event: Event,
}

/// Where people talk, with what is needed to post there again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Name of the platform.
    pub platform: String,
    /// The platform's id of the conversation.
    pub id: String,
    /// Entra tenant id that the platform vouches for.
    pub tenant: String,
    /// One person and the bot, or several people.
    pub personal: bool,
    /// What the platform needs to post here (Teams: service URL, bot id); no secrets.
    pub reference: Value,
}

/// Who did it, by the identity that the platform verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Entra object id.
    pub id: String,
    /// The name that the platform shows; untrusted text, never a ground for a decision.
    pub name: String,
    /// The platform's own id of the person.
    pub platform_id: String,
}

/// What a person did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Event {
    /// Said something; mentions of the bot are stripped.
    Text(String),
    /// Pressed a button.
    Press(card::Press),
    /// Installed the bot here, or added it.
    Installed,
    /// Removed it.
    Removed,
    /// Liked or disliked a message.
    Feedback {
        /// Whether it was liked.
        liked: bool,
        /// What was written with it; untrusted text.
        text: String,
        /// The platform's id of the message, where known.
        message: Option<String>,
    },
}

/// The answer to a press, in the same HTTP response.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// This card replaces the one that was pressed.
    Card(Box<Card>),
    /// Said to this person alone.
    Word(String),
}
