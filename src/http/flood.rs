//! How fast one session and one address may ask of the web chat, and how many questions may wait.
//!
//! In this process's memory: a limit is there to keep the process alive, and needs to outlive neither it nor be shared.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::time::Instant;

use super::{BODY_LIMIT, Shared, pages};
use crate::bot::press;
use crate::bot::put_off::Full;
use crate::chat::Reply;
use crate::facts::Term;

/// Questions of one person that may wait at a time, wherever they are asked.
pub(super) const WAITING: i64 = 20;
/// Questions of one channel that may: so many people ask there at once.
pub(super) const WAITING_OF_CHANNEL: i64 = 100;
/// Questions of everybody that may.
pub(super) const WAITING_OF_ALL: i64 = 1_000;
/// Whoever asks slower than this, or less at once, never meets the limit of a session.
const OF_SESSION: Rate = Rate { at_once: 60, each: Duration::from_secs(1) };
/// Many people may come from one address.
const OF_ADDRESS: Rate = Rate { at_once: 600, each: Duration::from_millis(100) };
/// Askers that are remembered; those who asked longest ago are forgotten first.
const REMEMBERED: usize = 10_000;

/// How much may come: so much at once, and one more each time this has passed.
#[derive(Clone, Copy, Debug)]
struct Rate {
    at_once: u32,
    each: Duration,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    Address(IpAddr),
    Session(String),
}

/// What everybody asked lately: the moment at which all of it will be forgiven.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<BTreeMap<Asker, Instant>>);

impl Rates {
    /// Counts one request, or says how long to wait for it.
    fn admit(&self, asker: Asker, now: Instant) -> Result<(), Duration> {
        let rate = if matches!(asker, Asker::Address(_)) { OF_ADDRESS } else { OF_SESSION };
        let mut askers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if askers.len() >= REMEMBERED {
            forget(&mut askers, now);
        }
        let forgiven = askers.get(&asker).copied().unwrap_or(now).max(now) + rate.each;
        let over = forgiven.duration_since(now).checked_sub(rate.each * rate.at_once).unwrap_or_default();
        if !over.is_zero() {
            return Err(over);
        }
        askers.insert(asker, forgiven);
        Ok(())
    }
}

/// Those whose all is forgiven, and if that is nobody, the one who will be soonest.
fn forget(askers: &mut BTreeMap<Asker, Instant>, now: Instant) {
    askers.retain(|_, forgiven| *forgiven > now);
    if askers.len() >= REMEMBERED {
        let soonest = askers.iter().min_by_key(|(_, forgiven)| **forgiven).map(|(asker, _)| asker.clone());
        soonest.map(|asker| askers.remove(&asker));
    }
}

/// Lets a request pass that neither its address nor its session sends too fast.
pub(super) async fn slow(
    State((shared, rates)): State<(Shared, Arc<Rates>)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let address = peer.map(|ConnectInfo(peer)| Asker::Address(peer.ip()));
    let session = pages::session(&shared, &parts).map(|session| Asker::Session(session.conversation));
    let now = Instant::now();
    // What a session is refused isn't charged to the others at its address.
    let wait = session.into_iter().chain(address).find_map(|asker| rates.admit(asker, now).err());
    match wait {
        Some(wait) => {
            let seconds = wait.as_secs() + 1;
            // A connection with an unread body is closed, and the words are lost with it; bodies are limited.
            let _ = axum::body::to_bytes(body, BODY_LIMIT).await;
            refuse(&shared, ("said.too_fast", "seconds", seconds), seconds)
        }
        None => next.run(Request::from_parts(parts, body)).await,
    }
}

/// Says that too many questions wait: in words to whoever asks too much, and by 503 where nothing more is taken of anybody.
pub(super) fn refuse_full(shared: &Shared, full: Full) -> Response {
    if let Full::OfPerson(waiting) | Full::OfChannel(waiting) = full {
        return refuse(shared, (full.key(), "waiting", waiting), 5);
    }
    tracing::error!(waiting = WAITING_OF_ALL, "too many questions wait: a message was not taken");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, HeaderValue::from(30))], Json(json!({}))).into_response()
}

/// 429, with what to do in words and, in seconds, when to come again.
fn refuse(shared: &Shared, (key, name, number): (&str, &str, u64), wait: u64) -> Response {
    tracing::warn!(why = key, number, "a request of the web chat was put off");
    let words = match press::word(&shared.app, key, &[(name, Term::Count(number))]) {
        Ok(Reply::Word(words)) => words,
        _ => String::new(),
    };
    let mut answer = (StatusCode::TOO_MANY_REQUESTS, Json(json!({ "word": words }))).into_response();
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str) -> Asker {
        Asker::Session(name.into())
    }

    #[test]
    fn a_session_that_asks_too_fast_waits_and_others_do_not() {
        let (rates, start) = (Rates::default(), Instant::now());
        let passed = (0..100).filter(|_| rates.admit(session("a"), start).is_ok()).count();
        assert_eq!(passed, 60);
        assert_eq!(rates.admit(session("a"), start), Err(Duration::from_secs(1)));
        assert_eq!(rates.admit(session("b"), start), Ok(()));
        assert_eq!(rates.admit(session("a"), start + Duration::from_secs(1)), Ok(()), "what was refused doesn't count");
        assert!(rates.admit(session("a"), start + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn not_everybody_is_remembered() {
        let (rates, start) = (Rates::default(), Instant::now());
        for number in 0..REMEMBERED + 50 {
            rates.admit(session(&number.to_string()), start).unwrap();
        }
        assert_eq!(rates.0.lock().unwrap().len(), REMEMBERED);
        rates.admit(session("later"), start + Duration::from_secs(9)).unwrap();
        assert_eq!(rates.0.lock().unwrap().len(), 1, "those before are forgiven");
    }
}
