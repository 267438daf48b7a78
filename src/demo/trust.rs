//! Whom the token endpoint believes beside secrets: certificates of apps, and other issuers (workload identity federation).

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

/// What Entra wants as the audience of a federated token.
const EXCHANGE: &str = "api://AzureADTokenExchange";

/// A key whose signature stands for an app.
pub struct Trust {
    client_id: String,
    kind: Kind,
    key: DecodingKey,
}

enum Kind {
    /// A certificate of the app, by its SHA-256 thumbprint in base64url.
    Certificate { thumbprint: String },
    /// Another issuer's tokens about this subject.
    Federation { issuer: String, subject: String },
}

/// An RSA public key: modulus and exponent, big-endian.
#[derive(Clone, Copy, Debug)]
pub struct PublicKey<'a> {
    /// Modulus.
    pub n: &'a [u8],
    /// Exponent.
    pub e: &'a [u8],
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: i64,
    #[serde(default)]
    nbf: i64,
}

impl Trust {
    /// A certificate that was uploaded to an app.
    #[must_use]
    pub fn certificate(client_id: &str, thumbprint: &str, key: PublicKey<'_>) -> Self {
        Self::new(client_id, Kind::Certificate { thumbprint: thumbprint.to_owned() }, key)
    }

    /// A federated credential of an app: what `issuer` says of `subject` is believed.
    #[must_use]
    pub fn federation(client_id: &str, issuer: &str, subject: &str, key: PublicKey<'_>) -> Self {
        Self::new(client_id, Kind::Federation { issuer: issuer.to_owned(), subject: subject.to_owned() }, key)
    }

    fn new(client_id: &str, kind: Kind, key: PublicKey<'_>) -> Self {
        Self { client_id: client_id.to_owned(), kind, key: DecodingKey::from_rsa_raw_components(key.n, key.e) }
    }

    /// Whether `assertion` speaks for `client_id` at this `endpoint` and moment (Unix seconds).
    #[must_use]
    pub fn vouches(&self, client_id: &str, assertion: &str, (endpoint, now): (&str, i64)) -> bool {
        self.client_id == client_id && self.holds(assertion, endpoint, now).unwrap_or(false)
    }

    fn holds(&self, assertion: &str, endpoint: &str, now: i64) -> jsonwebtoken::errors::Result<bool> {
        let header = decode_header(assertion)?;
        let (algorithm, audience, issuer, subject) = match &self.kind {
            Kind::Certificate { thumbprint } if header.x5t_s256.as_ref() == Some(thumbprint) => {
                (Algorithm::PS256, endpoint, &self.client_id, &self.client_id)
            }
            Kind::Certificate { .. } => return Ok(false),
            Kind::Federation { issuer, subject } => (Algorithm::RS256, EXCHANGE, issuer, subject),
        };
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[audience]);
        // The demo's clock decides, not the machine's.
        validation.validate_exp = false;
        let claims = decode::<Claims>(assertion, &self.key, &validation)?.claims;
        Ok(claims.iss == *issuer && claims.sub == *subject && claims.nbf <= now && now < claims.exp)
    }
}
