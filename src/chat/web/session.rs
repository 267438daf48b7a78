//! Who speaks: a signed cookie, and the checks that a request comes from our own page.
//!
//! Three fences, each enough for most attacks: the host must be ours (a foreign name that resolves to this machine
//! is refused), the cookie is `SameSite=Strict`, and a request that does something must name our own origin; one by
//! the script also carries a header that no form and no foreign page can set.

use aws_lc_rs::hmac;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{NAME, rejected};
use crate::chat::{Conversation, Person, Rejected};

const COOKIE: &str = "portcullis_session";
/// Set by our script on every request that does something.
const SCRIPT_HEADER: &str = "x-portcullis";

/// A person in a conversation, as the cookie names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who.
    pub person: Person,
    /// Entra tenant id.
    pub tenant: String,
    /// Id of the conversation.
    pub conversation: String,
}

impl Session {
    /// The conversation of the session.
    #[must_use]
    pub fn conversation(&self) -> Conversation {
        Conversation {
            platform: NAME.to_owned(),
            id: self.conversation.clone(),
            tenant: self.tenant.clone(),
            personal: true,
            reference: Value::Null,
        }
    }
}

/// Signs and reads sessions, and knows which origins are ours.
#[derive(Debug)]
pub struct Sessions {
    key: hmac::Key,
    origins: Vec<String>,
}

impl Sessions {
    /// Sessions signed with `key` (32 random bytes), for pages of these origins, such as `http://127.0.0.1:8080`.
    #[must_use]
    pub fn new(key: &[u8], origins: Vec<String>) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), origins }
    }

    /// The `Set-Cookie` value that makes a browser this session; it ends with the browser.
    ///
    /// # Errors
    /// When the session can't be written as JSON.
    pub fn cookie(&self, session: &Session) -> anyhow::Result<String> {
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(session)?);
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, payload.as_bytes()));
        let secure = if self.origins.iter().all(|origin| origin.starts_with("https:")) { "; Secure" } else { "" };
        Ok(format!("{COOKIE}={payload}.{tag}; Path=/; HttpOnly; SameSite=Strict{secure}"))
    }

    /// The session that the request's cookie proves; none without one, or with one that we didn't sign.
    #[must_use]
    pub fn read(&self, parts: &Parts) -> Option<Session> {
        let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|line| line.split(';'))
            .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
            .find_map(|value| self.verify(value))
    }

    fn verify(&self, value: &str) -> Option<Session> {
        let (payload, tag) = value.split_once('.')?;
        hmac::verify(&self.key, payload.as_bytes(), &URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    /// Lets a request for a page pass: its host must be ours.
    ///
    /// # Errors
    /// Otherwise, with status 421.
    pub fn admit(&self, parts: &Parts) -> Result<(), Rejected> {
        let host = text(&parts.headers, header::HOST.as_str());
        let ours = self.origins.iter().filter_map(|origin| origin.split_once("://"));
        if ours.into_iter().any(|(_, authority)| Some(authority) == host) {
            return Ok(());
        }
        Err(rejected(StatusCode::MISDIRECTED_REQUEST, "the host is not ours"))
    }

    /// Lets a form pass: host and origin must be ours.
    ///
    /// # Errors
    /// Otherwise, with status 421 or 403.
    pub fn admit_form(&self, parts: &Parts) -> Result<(), Rejected> {
        self.admit(parts)?;
        let origin = text(&parts.headers, header::ORIGIN.as_str());
        if self.origins.iter().any(|ours| Some(ours.as_str()) == origin) {
            return Ok(());
        }
        Err(rejected(StatusCode::FORBIDDEN, "the request comes from another origin"))
    }

    /// Lets a request of our script pass: as a form, with the script's header and JSON.
    ///
    /// # Errors
    /// Otherwise, with status 421, 403 or 415.
    pub fn admit_script(&self, parts: &Parts) -> Result<(), Rejected> {
        self.admit_form(parts)?;
        if text(&parts.headers, SCRIPT_HEADER).is_none() {
            return Err(rejected(StatusCode::FORBIDDEN, "the request is not by our script"));
        }
        let json = text(&parts.headers, header::CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json"));
        if json { Ok(()) } else { Err(rejected(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not JSON")) }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
