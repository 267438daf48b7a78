//! Is a request really from the Bot Framework, and meant for this bot? The strictest reading of its protocol.
//!
//! Rules: "Authenticate requests from the Bot Connector service to your bot" (Microsoft Learn), and beyond them: `exp` is
//! required, only RS256, one audience, the tenant is on our list. A failure is answered 403 and its reason, which never
//! quotes the request, goes to the log.

use axum::http::{HeaderMap, header};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;

use super::activity::Activity;
use super::address::same_address;
use super::keys::Keys;
use crate::chat::Rejected;
use crate::clock::Clock;

/// Clocks may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_secs(300);

/// Real tokens have about 1 KiB.
const LONGEST_TOKEN: usize = 8 * 1024;

/// Checks tokens against the keys, the issuer, and the bot's app id.
pub(crate) struct Verifier {
    pub(crate) app_id: String,
    pub(crate) issuer: String,
    pub(crate) keys: Keys,
    pub(crate) clock: Clock,
}

/// What a valid token vouches for.
#[derive(Debug)]
pub(crate) struct Vouched {
    service_url: String,
    endorsements: Vec<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    nbf: Option<i64>,
    serviceurl: String,
}

impl Verifier {
    /// Checks the token of a request; the activity in it is not looked at yet.
    pub(crate) async fn verify(&self, headers: &HeaderMap) -> Result<Vouched, Rejected> {
        let token = bearer(headers)?;
        let header = jsonwebtoken::decode_header(token).map_err(|_| forbidden("malformed token"))?;
        ensure(header.alg == Algorithm::RS256, "token not signed by RS256")?;
        ensure(header.crit.is_none(), "token with critical extensions")?;
        let id = header.kid.ok_or_else(|| forbidden("token without a key id"))?;
        let key = self.keys.find(&id).await.ok_or_else(|| forbidden("token signed by an unknown key"))?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &signature_only())
            .map_err(|_| forbidden("wrong signature, or a claim is missing"))?
            .claims;
        self.check(&claims)?;
        Ok(Vouched { service_url: claims.serviceurl, endorsements: key.endorsements })
    }

    fn check(&self, claims: &Claims) -> Result<(), Rejected> {
        let now = self.clock.now().as_second();
        let skew = SKEW.as_secs();
        ensure(claims.iss == self.issuer, "another issuer")?;
        ensure(claims.aud == self.app_id, "meant for another bot")?;
        ensure(claims.exp.saturating_add(skew) >= now, "token expired")?;
        ensure(claims.nbf.is_none_or(|from| from.saturating_sub(skew) <= now), "token not valid yet")
    }
}

impl Vouched {
    /// The token was issued for this activity's address, by a key that may speak for its channel.
    pub(crate) fn covers(&self, activity: &Activity) -> Result<(), Rejected> {
        let endorsed = self.endorsements.is_empty() || self.endorsements.iter().any(|e| e == activity.channel());
        ensure(endorsed, "key not endorsed for the channel")?;
        ensure(same_address(&self.service_url, activity.service_url()), "token issued for another service address")
    }
}

/// The signature is the library's business; the claims are checked by [`Verifier::check`], on our clock.
fn signature_only() -> Validation {
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    rules
}

fn bearer(headers: &HeaderMap) -> Result<&str, Rejected> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| forbidden("no token"))?;
    ensure(values.next().is_none(), "more than one token")?;
    let value = value.to_str().map_err(|_| forbidden("malformed token"))?;
    let (scheme, token) = value.split_once(' ').ok_or_else(|| forbidden("malformed token"))?;
    ensure(scheme.eq_ignore_ascii_case("bearer"), "no bearer token")?;
    ensure(token.len() <= LONGEST_TOKEN, "token too long")?;
    Ok(token)
}

/// Refuses with 403 unless `held`.
pub(crate) fn ensure(held: bool, reason: &str) -> Result<(), Rejected> {
    if held { Ok(()) } else { Err(forbidden(reason)) }
}

fn forbidden(reason: &str) -> Rejected {
    Rejected { status: 403, reason: reason.to_owned() }
}
