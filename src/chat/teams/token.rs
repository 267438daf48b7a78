//! The bot's own token for posting: client credentials, kept until shortly before it expires.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::clock::Clock;

/// A token is renewed this long before its end.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// Fetches and keeps the token.
pub(crate) struct Tokens {
    pub(crate) url: Url,
    /// What the token is for.
    pub(crate) scope: String,
    pub(crate) app_id: String,
    pub(crate) app_secret: SecretString,
    pub(crate) http: reqwest::Client,
    pub(crate) clock: Clock,
    /// Held while fetching: one request fetches, the others wait for it.
    pub(crate) kept: Mutex<Option<Kept>>,
}

/// A token with the time from which it isn't used any more.
pub(crate) struct Kept {
    token: SecretString,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Issued {
    access_token: SecretString,
    expires_in: i64,
}

impl Tokens {
    /// The token, fetched when there is none or it is about to end.
    pub(crate) async fn get(&self) -> anyhow::Result<SecretString> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if let Some(kept) = kept.as_ref().filter(|kept| now < kept.until) {
            return Ok(kept.token.clone());
        }
        let issued = self.fetch().await.context("token for posting to Teams (teams.app_id, teams.app_secret)")?;
        let until = now + (SignedDuration::from_secs(issued.expires_in) - MARGIN);
        *kept = Some(Kept { token: issued.access_token.clone(), until });
        Ok(issued.access_token)
    }

    /// Gives up a token that was refused.
    pub(crate) async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    async fn fetch(&self) -> anyhow::Result<Issued> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.app_id),
            ("client_secret", self.app_secret.expose_secret()),
            ("scope", &self.scope),
        ];
        let answer = self.http.post(self.url.clone()).form(&form).send().await?.error_for_status()?;
        answer.json().await.context("the token endpoint's answer")
    }
}
