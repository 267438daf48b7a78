//! The Bot Framework's signing keys: fetched from its OpenID metadata, kept for a day, fetched again for an unknown key id.
//!
//! Keys once fetched stay in use when a later fetch fails, and strangers' key ids cause at most one fetch per floor.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::DecodingKey;
use reqwest::Url;
use serde::Deserialize;

use crate::clock::Clock;

/// Keys older than this are fetched again before use ("Authenticate with the Bot Connector API": at least every 24 h).
const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// A signing key and the channels that it may vouch for.
#[derive(Clone)]
pub(crate) struct SigningKey {
    id: String,
    pub(crate) decoding: DecodingKey,
    /// Channels such as `msteams`; an empty list endorses every channel.
    pub(crate) endorsements: Vec<String>,
}

/// The keys, with the rules of when to fetch them.
pub(crate) struct Keys {
    metadata: Url,
    floor: Duration,
    http: reqwest::Client,
    clock: Clock,
    known: RwLock<Known>,
    /// When a fetch was last tried; held while fetching, so that one request fetches and the others wait for it.
    tried: tokio::sync::Mutex<Option<Timestamp>>,
}

#[derive(Clone, Default)]
struct Known {
    keys: Arc<[SigningKey]>,
    fetched: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Metadata {
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Jwk>,
}

/// Of a JSON Web Key what an RSA signature needs, and the endorsements, which are the Bot Framework's own addition.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    n: Option<String>,
    e: Option<String>,
    #[serde(default)]
    endorsements: Vec<String>,
}

impl Keys {
    pub(crate) fn new(metadata: Url, floor: Duration, http: reqwest::Client, clock: Clock) -> Self {
        Self { metadata, floor, http, clock, known: RwLock::default(), tried: tokio::sync::Mutex::default() }
    }

    /// The key with this id; none when it is unknown after a fetch, or a fetch isn't due yet.
    pub(crate) async fn find(&self, id: &str) -> Option<SigningKey> {
        let known = self.known();
        if let Some(key) = known.key(id)
            && known.is_fresh(self.clock.now())
        {
            return Some(key);
        }
        self.refresh(id).await;
        self.known().key(id)
    }

    async fn refresh(&self, id: &str) {
        let mut tried = self.tried.lock().await;
        let now = self.clock.now();
        let known = self.known();
        let waited_for_another = known.key(id).is_some() && known.is_fresh(now);
        let too_soon = tried.is_some_and(|at| now.duration_since(at).unsigned_abs() < self.floor);
        if waited_for_another || too_soon {
            return;
        }
        *tried = Some(now);
        match self.fetch().await {
            Ok(keys) => {
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { keys, fetched: Some(now) };
            }
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "fetching the bot framework's keys failed, the old ones stay"
                );
            }
        }
    }

    async fn fetch(&self) -> anyhow::Result<Arc<[SigningKey]>> {
        let metadata: Metadata = self.get(self.metadata.clone()).await.context("openid metadata")?;
        // The metadata may name any address; following it elsewhere would let it choose whom we call.
        let keys = Url::parse(&metadata.jwks_uri)?;
        ensure!(keys.origin() == self.metadata.origin(), "the metadata names keys on another host");
        let set: KeySet = self.get(keys).await.context("signing keys")?;
        let keys: Arc<[SigningKey]> = set.keys.into_iter().filter_map(Jwk::into_signing_key).collect();
        ensure!(!keys.is_empty(), "no RSA signing key in the key set");
        Ok(keys)
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, url: Url) -> anyhow::Result<T> {
        Ok(self.http.get(url).send().await?.error_for_status()?.json().await?)
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Known {
    fn key(&self, id: &str) -> Option<SigningKey> {
        self.keys.iter().find(|key| key.id == id).cloned()
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        self.fetched.is_some_and(|at| now.duration_since(at) < MAX_AGE)
    }
}

impl Jwk {
    fn into_signing_key(self) -> Option<SigningKey> {
        let for_signing = self.kty == "RSA" && self.usage.is_none_or(|usage| usage == "sig");
        let (id, n, e) = (self.kid?, self.n?, self.e?);
        let decoding = for_signing.then(|| DecodingKey::from_rsa_components(&n, &e).ok()).flatten()?;
        Some(SigningKey { id, decoding, endorsements: self.endorsements })
    }
}
