//! The pages of the web chat: who sees them, and what they show.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::{Shared, WebPages};
use crate::bot::access::{Right, right_of};
use crate::bot::entries::{self, Known};
use crate::bot::post::conversation_id;
use crate::bot::sheet::Sheet;
use crate::chat::web::{AccessView, Content, EntryView, EvidenceView, Frame, MessageView, PageView, Session, assets};
use crate::chat::{Card, Person};
use crate::facts::{Fact, Style};
use crate::log::Entry;
use crate::store::entries::Wanted;
use crate::store::messages::{Direction, Message};
use crate::tenant::well_known::role_name;

/// How many messages a page opens with.
const OPENING: i64 = 60;
/// How many entries the log page shows.
const ENTRIES: i64 = 300;

/// Questions that a page offers.
const STARTERS: [&str; 4] = [
    "Who is not covered by MFA?",
    "Why was Alice blocked yesterday?",
    "Show open suggestions",
    "Who still uses legacy auth?",
];

/// The session that the request proves.
pub(super) fn session(shared: &Shared, parts: &Parts) -> Option<Session> {
    let web = shared.web.as_ref()?;
    web.chat.sessions.admit(parts).ok()?;
    web.chat.sessions.read(parts)
}

/// The chat; where people can be picked, a new visitor is the first of them.
pub(super) async fn chat(State(shared): State<Shared>, parts: Parts) -> Response {
    let Some(web) = shared.web.as_ref() else { return StatusCode::NOT_FOUND.into_response() };
    if let Err(rejected) = web.chat.sessions.admit(&parts) {
        return status(rejected.status);
    }
    if let Some(session) = session(&shared, &parts) {
        return page(chat_page(&shared, web, &session).await);
    }
    let Some(first) = web.people.first().and_then(|first| session_of(&shared, web, &first.id)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    // At once, and not by way of a redirect: whoever keeps no cookies would be sent round and round.
    let shown = page(chat_page(&shared, web, &first).await);
    with_cookie(web, &first, shown)
}

#[derive(Deserialize)]
pub(super) struct Picked {
    person: String,
}

/// Speaks as another of the people to pick from.
pub(super) async fn person(State(shared): State<Shared>, parts: Parts, Form(picked): Form<Picked>) -> Response {
    let Some(web) = shared.web.as_ref() else { return StatusCode::NOT_FOUND.into_response() };
    match web.chat.sessions.admit_form(&parts) {
        Ok(()) => become_person(&shared, web, &picked.person),
        Err(rejected) => status(rejected.status),
    }
}

fn become_person(shared: &Shared, web: &WebPages, id: &str) -> Response {
    match session_of(shared, web, id) {
        Some(session) => with_cookie(web, &session, Redirect::to("/").into_response()),
        None => status(404),
    }
}

/// The session of one of the people to pick from.
fn session_of(shared: &Shared, web: &WebPages, id: &str) -> Option<Session> {
    let person = web.people.iter().find(|person| person.id == id)?;
    Some(Session {
        person: Person { id: person.id.clone(), name: person.name.clone(), platform_id: person.id.clone() },
        tenant: shared.app.tenant().to_owned(),
        conversation: person.id.clone(),
    })
}

/// The answer, with the cookie that proves the session from now on.
fn with_cookie(web: &WebPages, session: &Session, mut answer: Response) -> Response {
    let cookie = web.chat.sessions.cookie(session).ok().and_then(|cookie| HeaderValue::from_str(&cookie).ok());
    let Some(cookie) = cookie else { return status(500) };
    answer.headers_mut().insert(header::SET_COOKIE, cookie);
    answer
}

async fn chat_page(shared: &Shared, web: &WebPages, session: &Session) -> anyhow::Result<String> {
    let messages = shared.app.store.newest_messages(&conversation_id(&session.conversation()), OPENING).await?;
    let after = messages.iter().map(|message| message.change).max().unwrap_or(0);
    let view = PageView {
        frame: frame(shared, web, session),
        messages: messages.iter().filter_map(|message| view(web, message)).collect(),
        after,
        starters: STARTERS.map(str::to_owned).to_vec(),
    };
    web.chat.pages.chat(&view)
}

/// The activity log, newest first.
pub(super) async fn log(State(shared): State<Shared>, parts: Parts) -> Response {
    let (web, session) = match reader(&shared, &parts).await {
        Ok(reader) => reader,
        Err(refused) => return refused,
    };
    let wanted = Wanted { limit: ENTRIES, ..Wanted::default() };
    let shown = async {
        let entries = shared.app.store.entries(shared.app.tenant(), &wanted).await?;
        let suggestions = shared.app.store.suggestions(shared.app.tenant()).await?;
        let titles = suggestions.into_iter().map(|row| (format!("S-{}", row.number), row.title)).collect();
        let known = Known { titles, zone: shared.app.config.schedule.zone.clone() };
        let views: Vec<EntryView> = entries.iter().map(|entry| entry_view(entry, &known)).collect();
        web.chat.pages.log(&frame(&shared, &web, &session), &views)
    };
    page(shown.await)
}

fn entry_view(entry: &Entry, known: &Known) -> EntryView {
    let kept = json!({
        "number": entry.seq, "at": entry.at.to_string(), "action": entry.action.as_str(), "subject": entry.subject,
        "actor": {"kind": entry.actor.kind.as_str(), "id": entry.actor.id, "name": entry.actor.name},
        "body": entry.details(), "evidence": entry.evidence, "previous": entry.prev, "hash": entry.hash,
    });
    EntryView {
        seq: u64::try_from(entry.seq).unwrap_or_default(),
        at: entry.at,
        what: entries::what(entry.action).to_owned(),
        by: entry.actor.name.clone(),
        on: entries::on_what(entry, known),
        outcome: entries::outcome(entry, known),
        evidence: entry.evidence.clone(),
        raw: serde_json::to_string_pretty(&kept).unwrap_or_default(),
    }
}

/// Every request sent to Graph (demo only).
pub(super) async fn requests(State(shared): State<Shared>, parts: Parts) -> Response {
    let (web, session) = match reader(&shared, &parts).await {
        Ok(reader) => reader,
        Err(refused) => return refused,
    };
    let Some(requests) = &web.requests else { return status(404) };
    page(web.chat.pages.requests(&frame(&shared, &web, &session), &requests()))
}

/// A whole list of an answer as a file: only for those who may ask.
pub(super) async fn csv(State(shared): State<Shared>, Path(id): Path<String>, parts: Parts) -> Response {
    if let Err(refused) = reader(&shared, &parts).await {
        return refused;
    }
    let sheet = match shared.app.store.evidence(shared.app.tenant(), &id).await {
        Ok(body) => body.as_ref().and_then(Sheet::of),
        Err(error) => return failed(&error),
    };
    let Some(sheet) = sheet else { return status(404) };
    let file = HeaderValue::from_str(&format!("attachment; filename=\"{}.csv\"", sheet.name));
    let Ok(file) = file else { return status(500) };
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, file)], sheet.csv()).into_response()
}

/// A citation opened: only for those who may ask.
pub(super) async fn evidence(State(shared): State<Shared>, Path(id): Path<String>, parts: Parts) -> Response {
    let (web, session) = match reader(&shared, &parts).await {
        Ok(reader) => reader,
        Err(refused) => return refused,
    };
    let kept = match shared.app.store.evidence(shared.app.tenant(), &id).await {
        Ok(Some(body)) if Sheet::of(&body).is_some() => return status(404),
        Ok(Some(body)) => serde_json::from_value::<Fact>(body),
        Ok(None) => return status(404),
        Err(error) => return failed(&error),
    };
    let shown = kept.map_err(anyhow::Error::from).and_then(|fact| {
        let wording = &shared.app.wording;
        web.chat.pages.evidence(&EvidenceView {
            frame: frame(&shared, &web, &session),
            statement: wording.of(&fact, Style::Full)?,
            title: wording.of(&fact, Style::Short)?,
            about: String::new(),
            evidence: fact.evidence,
        })
    });
    page(shown)
}

/// A file of the pages.
pub(super) async fn asset(Path(path): Path<String>) -> Response {
    match assets(&path) {
        Some((kind, bytes)) => ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], bytes).into_response(),
        None => status(404),
    }
}

/// The session, if its person may ask here; otherwise the page that says who may.
async fn reader(shared: &Shared, parts: &Parts) -> Result<(Arc<WebPages>, Session), Response> {
    let Some(web) = shared.web.clone() else { return Err(status(404)) };
    web.chat.sessions.admit(parts).map_err(|rejected| status(rejected.status))?;
    let Some(session) = web.chat.sessions.read(parts) else { return Err(no_access(shared, &web, None)) };
    match right_of(&shared.app, &session.person).await {
        Ok(Right::None) => Err(no_access(shared, &web, Some(&session))),
        Ok(Right::Ask | Right::Decide) => Ok((web, session)),
        Err(error) => Err(failed(&error)),
    }
}

/// Says who may ask and whom to ask for it; nothing of the tenant but its name.
fn no_access(shared: &Shared, web: &WebPages, session: Option<&Session>) -> Response {
    let who = &shared.app.config.who;
    // A reader's role asks for less, so those come first.
    let roles = who.readers.roles.iter().chain(who.approvers.roles.difference(&who.readers.roles));
    let groups: BTreeSet<&String> = who.readers.groups.union(&who.approvers.groups).collect();
    let view = AccessView {
        person: session.map(|session| session.person.name.clone()).unwrap_or_default(),
        roles: roles.map(|id| role_name(id).unwrap_or(id).to_owned()).collect(),
        groups: groups.len(),
    };
    let frame = match session {
        Some(session) => Frame { status: None, ..frame(shared, web, session) },
        None => Frame::default(),
    };
    let mut refused = page(web.chat.pages.no_access(&frame, &view));
    if refused.status() == StatusCode::OK {
        *refused.status_mut() = StatusCode::FORBIDDEN;
    }
    refused
}

fn frame(shared: &Shared, web: &WebPages, session: &Session) -> Frame {
    let zone = shared.app.config.schedule.zone.clone();
    let read = shared.app.analysis().map(|analysis| analysis.snapshot().read_at.to_zoned(zone));
    Frame {
        tenant: shared.app.config.tenant.name.clone(),
        status: read.map(|at| format!("last read {}", at.strftime("%H:%M"))),
        banner: web.banner.clone(),
        people: web.people.clone(),
        me: session.person.id.clone(),
        demo: web.requests.is_some(),
    }
}

/// A stored message as HTML, for the stream.
pub(super) fn message_html(shared: &Shared, message: &Message) -> Option<String> {
    let web = shared.web.as_ref()?;
    web.chat.pages.message(&view(web, message)?).ok()
}

fn view(web: &WebPages, message: &Message) -> Option<MessageView> {
    let content = match message.said.direction {
        Direction::In => Content::Said(message.said.body.as_str()?.to_owned()),
        Direction::Out => {
            let card: Card = serde_json::from_value(message.said.body.clone()).ok()?;
            Content::Card(web.chat.pages.card(&card).ok()?)
        }
    };
    Some(MessageView {
        id: message.said.id.clone(),
        author: message.said.author_name.clone(),
        at: message.said.at,
        content,
    })
}

fn page(rendered: anyhow::Result<String>) -> Response {
    match rendered {
        Ok(html) => Html(html).into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> Response {
    tracing::error!(error = %format!("{error:#}"), "a page could not be shown");
    status(500)
}

fn status(code: u16) -> Response {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}
