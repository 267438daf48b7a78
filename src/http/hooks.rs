//! Webhooks: a verified event is stored before it is acknowledged; a press is answered in the same response.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::{Shared, flood};
use crate::bot::put_off::Full;
use crate::bot::{hear, press, put_off};
use crate::chat::card::Verb;
use crate::chat::web;
use crate::chat::{Event, Incoming, Platform, Received, Reply};
use crate::store::jobs::Job;
use crate::store::messages::{Direction, NewMessage};

/// A press is answered within this time, with "recorded, checking" if need be: the job that was kept first goes on.
const PRESS_DEADLINE: Duration = Duration::from_secs(1);

/// Teams.
pub(super) async fn teams(State(shared): State<Shared>, parts: Parts, body: Bytes) -> Response {
    receive(&shared, "teams", parts, body).await
}

/// The web chat.
pub(super) async fn of_web(State(shared): State<Shared>, parts: Parts, body: Bytes) -> Response {
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
        Event::Press(press) => pressed(shared, platform.as_ref(), (&incoming, press.verb)).await,
        Event::Text(_) => asked(shared, &incoming).await,
        // Teams wants an empty object where it asked for one; nobody else minds.
        _ => keep(shared, &incoming).await.map(|()| Json(serde_json::json!({})).into_response()),
    };
    acted.unwrap_or_else(|error| {
        // Not stored, so not acknowledged: the platform or the person tries again.
        tracing::error!(platform = name, error = %format!("{error:#}"), "an event could not be kept");
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    })
}

/// Keeps a question, unless too many wait.
async fn asked(shared: &Shared, incoming: &Incoming) -> anyhow::Result<Response> {
    if let Some(full) = no_room(shared, incoming).await? {
        if incoming.conversation.platform == web::NAME {
            return Ok(flood::refuse_full(shared, full));
        }
        // What isn't acknowledged, Teams sends again; the answer to a message can't hold words, so they are posted.
        put_off::request(&shared.app, incoming, full).await?;
        return Ok(Json(serde_json::json!({})).into_response());
    }
    keep(shared, incoming).await.map(|()| Json(serde_json::json!({})).into_response())
}

/// Of whom too many questions wait for one more, if so: of all, of one person wherever they ask, or of one channel.
async fn no_room(shared: &Shared, incoming: &Incoming) -> anyhow::Result<Option<Full>> {
    let store = &shared.app.store;
    let all = store.waiting(hear::JOB, "").await?;
    if all < flood::WAITING {
        return Ok(None);
    }
    if all >= flood::WAITING_OF_ALL {
        return Ok(Some(Full::OfAll));
    }
    let theirs = store.waiting(hear::JOB, &hear::of_person(incoming)).await?;
    if theirs >= flood::WAITING {
        return Ok(Some(Full::OfPerson(theirs.unsigned_abs())));
    }
    if incoming.conversation.personal {
        return Ok(None);
    }
    let here = store.waiting_about(hear::JOB, &incoming.conversation.id).await?;
    Ok((here >= flood::WAITING_OF_CHANNEL).then_some(Full::OfChannel(here.unsigned_abs())))
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
    tx.enqueue(&hear::job(incoming, at)?).await?;
    tx.commit().await
}

/// Keeps a press, and answers it. One that asks a question waits like one.
async fn pressed(
    shared: &Shared,
    platform: &dyn Platform,
    (incoming, verb): (&Incoming, Verb),
) -> anyhow::Result<Response> {
    if matches!(verb, Verb::Propose | Verb::Evidence)
        && let Some(full) = no_room(shared, incoming).await?
    {
        if incoming.conversation.platform == web::NAME {
            return Ok(flood::refuse_full(shared, full));
        }
        return Ok(platform.reply(&press::word(&shared.app, full.key(), &full.terms())?));
    }
    let reply = match press::keep(&shared.app, incoming).await? {
        Some(job) => decided(shared, &job).await?,
        None => press::word(&shared.app, "said.pressed_before", &[])?,
    };
    Ok(platform.reply(&reply))
}

/// What came of a press, or that it is being looked at: then its job decides it. Cut off at any point, it is as if this
/// process had died there, and the job takes that up.
async fn decided(shared: &Shared, job: &Job) -> anyhow::Result<Reply> {
    let app = &shared.app;
    let failed = match tokio::time::timeout(PRESS_DEADLINE, press::press(app, job)).await {
        Ok(Ok(reply)) => {
            // Whatever is noted, this is what came of it.
            if let Err(error) = press::settle(app, job).await {
                tracing::warn!(job = job.id, error = %format!("{error:#}"), "a press was decided and not noted so");
            }
            return Ok(reply);
        }
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => "not decided in time".to_owned(),
    };
    tracing::warn!(job = job.id, error = failed, "a press is left to its job");
    press::leave(app, job).await?;
    press::word(app, "said.checking", &[])
}
