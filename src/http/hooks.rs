//! Webhooks: a verified event is stored before it is acknowledged; a press is answered in the same response.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::Shared;
use crate::bot::{hear, press};
use crate::chat::{Event, Incoming, Platform, Received, Reply};
use crate::store::jobs::{NewJob, Priority};
use crate::store::messages::{Direction, NewMessage};

/// A press is answered within this time, with "recorded, checking" if need be.
const PRESS_DEADLINE: Duration = Duration::from_secs(1);

/// Teams.
pub(super) async fn teams(State(shared): State<Shared>, parts: Parts, body: Bytes) -> Response {
    receive(&shared, "teams", parts, body).await
}

/// The web chat.
pub(super) async fn web(State(shared): State<Shared>, parts: Parts, body: Bytes) -> Response {
    receive(&shared, "web", parts, body).await
}

async fn receive(shared: &Shared, name: &str, parts: Parts, body: Bytes) -> Response {
    let Some(platform) = shared.app.platforms.get(name) else { return StatusCode::NOT_FOUND.into_response() };
    let incoming = match platform.receive(&parts, body).await {
        Ok(Received::Answer(answer)) => return answer,
        Ok(Received::Incoming(incoming)) => incoming,
        Err(rejected) => {
            tracing::warn!(platform = name, status = rejected.status, reason = rejected.reason, "refused a request");
            return StatusCode::from_u16(rejected.status).unwrap_or(StatusCode::FORBIDDEN).into_response();
        }
    };
    let acted = match &incoming.event {
        Event::Press(_) => pressed(shared, platform.as_ref(), &incoming).await,
        // Teams wants an empty object where it asked for one; nobody else minds.
        _ => keep(shared, &incoming).await.map(|()| Json(serde_json::json!({})).into_response()),
    };
    acted.unwrap_or_else(|error| {
        // Not stored, so not acknowledged: the platform or the person tries again.
        tracing::error!(platform = name, error = %format!("{error:#}"), "an event could not be kept");
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    })
}

/// Stores a message, and the job that answers it, in one transaction.
async fn keep(shared: &Shared, incoming: &Incoming) -> anyhow::Result<()> {
    let app = &shared.app;
    let at = app.clock.now();
    let mut tx = app.store.begin().await?;
    if let Event::Text(text) = &incoming.event {
        tx.say(&NewMessage {
            id: format!("in:{}", incoming.key),
            conversation: crate::bot::post::conversation_id(&incoming.conversation),
            direction: Direction::In,
            author_id: incoming.person.id.clone(),
            author_name: incoming.person.name.clone(),
            body: serde_json::Value::String(text.clone()),
            subject: None,
            version: 0,
            at,
        })
        .await?;
    }
    tx.enqueue(&NewJob {
        id: format!("{}:{}", incoming.conversation.platform, incoming.key),
        kind: hear::JOB.into(),
        payload: serde_json::to_value(incoming)?,
        priority: Priority::Question,
        due: at,
    })
    .await?;
    tx.commit().await
}

/// Answers a press. What takes too long goes on by itself: dropping it could leave a decision half recorded.
async fn pressed(shared: &Shared, platform: &dyn Platform, incoming: &Incoming) -> anyhow::Result<Response> {
    let (app, incoming) = (shared.app.clone(), incoming.clone());
    let deciding = tokio::spawn(async move { press::press(&app, &incoming).await });
    let reply = match tokio::time::timeout(PRESS_DEADLINE, deciding).await {
        Ok(decided) => decided??,
        Err(_) => Reply::Word("Recorded, checking.".to_owned()),
    };
    Ok(platform.reply(&reply))
}
