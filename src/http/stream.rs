//! Server-sent events: the stored messages of a conversation, after the last one that the page has.
//!
//! The rows are the truth and the in-process hint is only a hint, so any replica can serve any stream.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shared, pages};
use crate::bot::progress;
use crate::facts::Style;
use crate::store::messages::Message;

/// How often the rows are looked at when no hint comes.
const POLL: Duration = Duration::from_secs(2);
/// How often while a scan is under way.
const SCANNING: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: i64,
}

/// The stream of the session's conversation.
pub(super) async fn stream(State(shared): State<Shared>, Query(query): Query<After>, parts: Parts) -> Response {
    let Some(session) = pages::session(&shared, &parts) else { return StatusCode::UNAUTHORIZED.into_response() };
    let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let conversation = crate::bot::post::conversation_id(&session.conversation());
    let last = last.unwrap_or(query.after);
    let following = Following { shared, conversation, last, waiting: Vec::new(), far: Far::default() };
    Sse::new(events(following)).keep_alive(KeepAlive::default()).into_response()
}

struct Following {
    shared: Shared,
    conversation: String,
    last: i64,
    waiting: Vec<Message>,
    far: Far,
}

/// How far a scan is, as the page was told last.
#[derive(Debug, Default)]
struct Far {
    told: Option<Value>,
    /// Not told yet.
    new: bool,
}

fn events(following: Following) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(following, |mut following| async move {
        loop {
            if let Some(message) = following.waiting.pop() {
                following.last = message.change;
                if let Some(event) = event(&following.shared, &message) {
                    return Some((Ok(event), following));
                }
                continue;
            }
            if std::mem::take(&mut following.far.new) {
                let data = following.far.told.as_ref().unwrap_or(&Value::Null).to_string();
                return Some((Ok(Event::default().event("progress").data(data)), following));
            }
            following.wait().await;
        }
    })
}

impl Following {
    /// Waits until there are messages to send; an unreadable store is tried again.
    async fn wait(&mut self) {
        let mut hint = self.shared.app.store.message_hint();
        match self.shared.app.store.messages_after(&self.conversation, self.last).await {
            Ok(messages) if !messages.is_empty() => {
                self.waiting = messages;
                self.waiting.reverse();
                return;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(error = %format!("{error:#}"), "a stream could not read its messages"),
        }
        let before = self.far.told.take();
        self.far.told = self.scan().await;
        self.far.new = before != self.far.told;
        if self.far.new {
            return;
        }
        // Either outcome means: look again.
        let pause = if self.far.told.is_some() { SCANNING } else { POLL };
        let _ = tokio::time::timeout(pause, hint.changed()).await;
    }

    /// The scan under way in words, with its share where that can be told; none when none is.
    async fn scan(&self) -> Option<Value> {
        let app = &self.shared.app;
        let under_way = progress::under_way(app).await.ok()??;
        let words = app.wording.of(&under_way.fact, Style::Short).ok()?;
        Some(json!({"words": words, "percent": under_way.percent}))
    }
}

fn event(shared: &Shared, message: &Message) -> Option<Event> {
    let html = pages::message_html(shared, message)?;
    let data = json!({"id": message.said.id, "html": html});
    Some(Event::default().event("message").id(message.change.to_string()).data(data.to_string()))
}
