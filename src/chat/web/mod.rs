//! The local web chat: server-rendered, live by server-sent events.
//!
//! The pages come from `templates/web`; what the page streams are the stored message rows, so sending and updating
//! have nothing to transmit. A person is who the signed session cookie says, which only our own routes set.

mod assets;
mod pages;
mod session;
mod templates;

use anyhow::Context as _;
use axum::Json;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::card::Press;
use super::{BoxFuture, Card, Conversation, Event, Incoming, Platform, Received, Rejected, Reply};

pub use assets::{assets, security_headers};
pub use pages::{
    AccessView, Content, EntryView, EvidenceView, Frame, MessageView, PageView, Pages, PersonView, RequestView,
};
pub use session::{Session, Sessions};

/// The platform's name, as stored with conversations.
pub const NAME: &str = "web";

/// Most characters of a message.
const TEXT_LIMIT: usize = 4_000;

/// The web chat as a [`Platform`], with its sessions and pages.
#[derive(Debug)]
pub struct WebChat {
    /// Who speaks.
    pub sessions: Sessions,
    /// What they see.
    pub pages: Pages,
}

/// A message: `POST /web/messages`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    key: Uuid,
    text: String,
}

/// A press: `POST /web/press`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pressed {
    key: Uuid,
    press: Press,
}

impl WebChat {
    /// The web chat behind these sessions, for readers in `zone`.
    ///
    /// # Errors
    /// When an embedded template is at fault.
    pub fn new(sessions: Sessions, zone: TimeZone) -> anyhow::Result<Self> {
        Ok(Self { sessions, pages: Pages::new(zone)? })
    }

    fn parse(&self, parts: &Parts, body: &Bytes) -> Result<Incoming, Rejected> {
        self.sessions.admit_script(parts)?;
        let session = self.sessions.read(parts).ok_or_else(|| rejected(StatusCode::UNAUTHORIZED, "no session"))?;
        let (key, event) = match parts.uri.path() {
            "/web/messages" => message(body)?,
            "/web/press" => press(body)?,
            _ => return Err(rejected(StatusCode::NOT_FOUND, "unknown address")),
        };
        let conversation = session.conversation();
        // The key is the client's own; the conversation before it keeps clients from meeting each other's keys.
        Ok(Incoming { key: format!("{}:{key}", conversation.id), conversation, person: session.person, event })
    }
}

fn message(body: &Bytes) -> Result<(Uuid, Event), Rejected> {
    let Message { key, text } = parse_body(body)?;
    let text = text.trim();
    if text.is_empty() || text.chars().count() > TEXT_LIMIT {
        return Err(rejected(StatusCode::BAD_REQUEST, "a message is empty or too long"));
    }
    Ok((key, Event::Text(text.to_owned())))
}

fn press(body: &Bytes) -> Result<(Uuid, Event), Rejected> {
    let Pressed { key, press } = parse_body(body)?;
    Ok((key, Event::Press(press)))
}

/// The position only: the content of a refused request isn't logged.
fn parse_body<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Rejected> {
    serde_json::from_slice(body).map_err(|error| {
        let reason = format!("the body is not what was expected at column {}", error.column());
        rejected(StatusCode::BAD_REQUEST, &reason)
    })
}

fn rejected(status: StatusCode, reason: &str) -> Rejected {
    Rejected { status: status.as_u16(), reason: format!("web chat: {reason}") }
}

impl Platform for WebChat {
    fn name(&self) -> &'static str {
        NAME
    }

    fn receive<'a>(&'a self, parts: &'a Parts, body: Bytes) -> BoxFuture<'a, Result<Received, Rejected>> {
        Box::pin(async move { self.parse(parts, &body).map(|incoming| Received::Incoming(Box::new(incoming))) })
    }

    fn render(&self, card: &Card) -> anyhow::Result<Value> {
        let html = self.pages.card(card).context("can't render a card for the web chat")?;
        Ok(json!({ "html": html }))
    }

    fn reply(&self, reply: &Reply) -> Response {
        let rendered = match reply {
            Reply::Card(card) => self.render(card),
            Reply::Word(word) => Ok(json!({ "word": word })),
        };
        match rendered {
            Ok(value) => Json(value).into_response(),
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "a card could not be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    fn send<'a>(&'a self, _: &'a Conversation, _: &'a Card) -> BoxFuture<'a, anyhow::Result<String>> {
        Box::pin(async { Ok(Uuid::now_v7().to_string()) })
    }

    fn update<'a>(&'a self, _: &'a Conversation, _: &'a str, _: &'a Card) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests;
