//! Microsoft Teams: the Bot Framework protocol and Adaptive Cards.
//!
//! A request is verified before anything in it is believed; what a template says is in `templates/teams/`.

mod activity;
mod address;
mod connector;
mod keys;
mod message;
mod parse;
mod render;
mod reply;
mod verify;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

pub use connector::Retry;

use self::activity::Activity;
use self::address::ServiceHosts;
use self::connector::Connector;
use self::keys::Keys;
use self::parse::Reference;
use self::render::Renderer;
use self::verify::{Verifier, ensure};
use super::{BoxFuture, Card, Conversation, Person, Platform, Received, Rejected, Reply};
use crate::clock::Clock;
use crate::identity::Tokens;

/// The platform's name, and the channel that its activities come from.
pub(crate) const NAME: &str = "teams";
const CHANNEL: &str = "msteams";

/// What the bot needs to know to talk to Teams.
#[derive(Debug)]
pub struct Options {
    /// The bot's app (client) id.
    pub app_id: String,
    /// Its tokens for posting, of the scope that [`scope`] names.
    pub tokens: Tokens,
    /// The Bot Framework's OpenID metadata; its keys must lie on the same host.
    pub openid_metadata: Url,
    /// Who must have issued a token, exactly: `https://api.botframework.com`.
    pub issuer: String,
    /// Hosts that activities may come from and answers may go to: `smba.trafficmanager.net`, `*.botframework.com`.
    pub service_hosts: Vec<String>,
    /// Entra tenants whose people may talk to the bot.
    pub tenants: Vec<String>,
    /// The Agents Playground sends no tokens: activities from this machine are believed without one. Demo only.
    pub allow_anonymous_loopback: bool,
    /// Unknown key ids cause at most one fetch of the keys in this time; five minutes in production.
    pub key_refetch_floor: Duration,
    /// Repeats of posts and updates.
    pub retry: Retry,
    /// A client with time-outs that follows no redirects: the bot's token is for the listed hosts only.
    pub http: reqwest::Client,
    /// The time.
    pub clock: Clock,
}

/// Microsoft Teams.
pub struct Teams {
    verifier: Verifier,
    connector: Connector,
    renderer: Renderer,
    tenants: Vec<String>,
    anonymous_loopback: bool,
}

/// The scope of the bot's own tokens: they are for whom the tokens that it gets are from.
#[must_use]
pub fn scope(issuer: &str) -> String {
    format!("{issuer}/.default")
}

impl Teams {
    /// Makes ready to talk to Teams; nothing is fetched yet.
    ///
    /// # Errors
    /// When a template of the program is malformed.
    pub fn new(options: Options) -> anyhow::Result<Self> {
        let Options { app_id, clock, http, .. } = options;
        let keys = Keys::new(options.openid_metadata, options.key_refetch_floor, http.clone(), clock.clone());
        let verifier = Verifier { app_id, issuer: options.issuer, keys, clock };
        let anonymous_loopback = options.allow_anonymous_loopback;
        let hosts = ServiceHosts::new(&options.service_hosts, anonymous_loopback);
        let connector = Connector { hosts, tokens: options.tokens, http, retry: options.retry, anonymous_loopback };
        Ok(Self { verifier, connector, renderer: Renderer::new()?, tenants: options.tenants, anonymous_loopback })
    }

    /// Signs in as the bot, as posting would; the token is kept for it.
    ///
    /// # Errors
    /// When there is no token to be had.
    pub async fn sign_in(&self) -> anyhow::Result<()> {
        self.connector.token().await.map(drop)
    }

    async fn receive(&self, parts: &Parts, body: &Bytes) -> Result<Received, Rejected> {
        if parts.method == Method::HEAD {
            return Ok(Received::Answer(StatusCode::OK.into_response()));
        }
        if self.is_playground(parts) {
            let activity = Activity::parse(body)?;
            let service = self.connector.hosts.admit(activity.service_url());
            ensure(service.is_some_and(|url| address::is_loopback(&url)), "activity without a token from elsewhere")?;
            return self.admit(&activity);
        }
        let vouched = self.verifier.verify(&parts.headers).await?;
        let activity = Activity::parse(body)?;
        vouched.covers(&activity)?;
        self.admit(&activity)
    }

    /// Who sent it is settled; is it a channel, a host and a tenant that we talk to?
    fn admit(&self, activity: &Activity) -> Result<Received, Rejected> {
        let tenant = activity.tenant();
        ensure(activity.channel() == CHANNEL, "another channel than msteams")?;
        ensure(self.connector.hosts.admit(activity.service_url()).is_some(), "host not in teams.service_hosts")?;
        ensure(self.tenants.iter().any(|known| known.eq_ignore_ascii_case(tenant)), "tenant not in teams.tenants")?;
        Ok(parse::parse(activity))
    }

    /// A request of the Agents Playground: from this machine, without a token, and JSON, which a web page can't send
    /// across origins unasked.
    fn is_playground(&self, parts: &Parts) -> bool {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let from_here = peer.is_some_and(|ConnectInfo(peer)| peer.ip().is_loopback());
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        self.anonymous_loopback
            && from_here
            && kind.starts_with("application/json")
            && !parts.headers.contains_key(header::AUTHORIZATION)
    }

    async fn send(&self, to: &Conversation, card: &Card) -> anyhow::Result<String> {
        let reference = reference(to)?;
        let id = reference.thread.as_deref().unwrap_or(&to.id);
        let message = message::message(card, &self.renderer.card(card)?, id, &reference);
        self.connector.post(&reference.service_url, id, &message).await.context("posting to Teams")
    }

    async fn update(&self, to: &Conversation, message: &str, card: &Card) -> anyhow::Result<()> {
        let reference = reference(to)?;
        let id = reference.thread.as_deref().unwrap_or(&to.id);
        let body = message::message(card, &self.renderer.card(card)?, id, &reference);
        // The card's new state must be seen: a message whose id is unknown here or to Teams is posted anew.
        let found = !message.is_empty() && self.replace(&reference, [id, message], &body).await?;
        if !found {
            self.connector.post(&reference.service_url, id, &body).await.context("posting to Teams")?;
        }
        Ok(())
    }

    /// Opens the chat of one person with the bot, who must be installed for them.
    async fn open(&self, from: &Conversation, person: &Person) -> anyhow::Result<Conversation> {
        let Reference { service_url, bot, .. } = reference(from)?;
        let member = if person.platform_id.is_empty() { &person.id } else { &person.platform_id };
        let body = json!({
            "isGroup": false, "bot": {"id": bot}, "members": [{"id": member}],
            "tenantId": from.tenant, "channelData": {"tenant": {"id": from.tenant}},
        });
        let id = self.connector.create(&service_url, &body).await.context("opening a personal chat in Teams")?;
        let reference = json!(Reference { service_url, bot, thread: None });
        Ok(Conversation { id, personal: true, reference, ..from.clone() })
    }

    /// Replaces a message; false when Teams doesn't find it.
    async fn replace(&self, reference: &Reference, at: [&str; 2], body: &Value) -> anyhow::Result<bool> {
        match self.connector.put(&reference.service_url, at, body).await {
            Err(failure) if failure.is_not_found() => Ok(false),
            outcome => outcome.map(|()| true).context("updating a message in Teams"),
        }
    }
}

fn reference(to: &Conversation) -> anyhow::Result<Reference> {
    Reference::deserialize(&to.reference).context("the stored conversation lacks what posting to Teams needs")
}

impl Platform for Teams {
    fn name(&self) -> &'static str {
        NAME
    }

    fn receive<'a>(&'a self, parts: &'a Parts, body: Bytes) -> BoxFuture<'a, Result<Received, Rejected>> {
        Box::pin(async move { self.receive(parts, &body).await })
    }

    fn render(&self, card: &Card) -> anyhow::Result<Value> {
        self.renderer.card(card)
    }

    fn reply(&self, reply: &Reply) -> Response {
        match reply {
            Reply::Word(word) => reply::word(word),
            Reply::Card(card) => match self.renderer.card(card) {
                Ok(card) => reply::card(&card),
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "a card could not be rendered");
                    reply::fault("The card could not be shown.")
                }
            },
        }
    }

    fn send<'a>(&'a self, to: &'a Conversation, card: &'a Card) -> BoxFuture<'a, anyhow::Result<String>> {
        Box::pin(self.send(to, card))
    }

    fn open<'a>(
        &'a self,
        from: &'a Conversation,
        person: &'a Person,
    ) -> BoxFuture<'a, anyhow::Result<Option<Conversation>>> {
        Box::pin(async move { self.open(from, person).await.map(Some) })
    }

    fn update<'a>(
        &'a self,
        to: &'a Conversation,
        message: &'a str,
        card: &'a Card,
    ) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(self.update(to, message, card))
    }
}
