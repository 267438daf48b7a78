//! A certificate as a credential: for each token a short-lived assertion, signed with the certificate's key.
//!
//! PS256 with the SHA-256 thumbprint (`x5t#S256`), which Microsoft recommends over RS256 with SHA-1 (Microsoft Learn,
//! "Certificate credentials"); the `azure_identity` crate's own certificate credential does the older and needs OpenSSL.

use std::fmt::{self, Debug};
use std::pin::Pin;

use aws_lc_rs::digest::{SHA256, digest};
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

use crate::clock::Clock;

/// Seconds an assertion is good for; it is used at once.
const LIFETIME: i64 = 300;

/// Signs assertions for one app registration.
pub(super) struct Certificate {
    key: EncodingKey,
    thumbprint: String,
    client_id: String,
    audience: String,
    clock: Clock,
}

/// For whom assertions are, and when.
pub(super) struct Signs<'a> {
    pub(super) client_id: &'a str,
    /// The token endpoint.
    pub(super) audience: String,
    pub(super) clock: &'a Clock,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: i64,
    iat: i64,
    exp: i64,
}

impl Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Certificate").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

impl Certificate {
    /// From a PEM file's text. What is wrong is said without any of it.
    pub(super) fn read(pem: &str, signs: Signs<'_>) -> Result<Self, &'static str> {
        let certificate = block(pem, "CERTIFICATE").ok_or("the PEM file holds no certificate")?;
        let key = ["PRIVATE KEY", "RSA PRIVATE KEY"].into_iter().find_map(|label| block(pem, label));
        let key = key.ok_or("the PEM file holds no private key that can be read; an encrypted one can't")?;
        let key = EncodingKey::from_rsa_pem(key.as_bytes()).map_err(|_| "the private key is not an RSA key")?;
        let thumbprint = thumbprint(certificate).ok_or("the certificate is not base64")?;
        let Signs { client_id, audience, clock } = signs;
        Ok(Self { key, thumbprint, client_id: client_id.to_owned(), audience, clock: clock.clone() })
    }

    fn assertion(&self) -> azure_core::Result<String> {
        let now = self.clock.now().as_second();
        let header = Header { x5t_s256: Some(self.thumbprint.clone()), ..Header::new(Algorithm::PS256) };
        let claims = Claims {
            aud: &self.audience,
            iss: &self.client_id,
            sub: &self.client_id,
            jti: uuid::Uuid::new_v4().to_string(),
            nbf: now,
            iat: now,
            exp: now + LIFETIME,
        };
        encode(&header, &claims, &self.key).map_err(|_| {
            let kind = azure_core::error::ErrorKind::Credential;
            azure_core::Error::with_message(kind, "the certificate's key can't sign")
        })
    }
}

/// The first block of a PEM text with this label, its armour included.
fn block<'a>(pem: &'a str, label: &str) -> Option<&'a str> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let start = pem.find(&begin)?;
    let rest = pem.get(start..)?;
    rest.get(..rest.find(&end)? + end.len())
}

/// SHA-256 over the certificate's bytes, as `x5t#S256` has it.
fn thumbprint(block: &str) -> Option<String> {
    let base64: String = block.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    Some(URL_SAFE_NO_PAD.encode(digest(&SHA256, &STANDARD.decode(base64).ok()?)))
}

// The trait is declared with `async_trait`; this is the signature that it makes of `async fn secret`.
impl ClientAssertion for Certificate {
    fn secret<'a, 'b, 'c>(
        &'a self,
        _: Option<ClientMethodOptions<'b>>,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<String>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async { self.assertion() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate made for this test with OpenSSL, which also said its fingerprint; its key was thrown away.
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBbDCCAROgAwIBAgIUb2mUQF+z/XBkPuNHQc6Wg24AAjwwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBdDAeFw0yNjExMjUyMTU2MThaFw0yNzExMjUyMTU2MThaMAwx
CjAIBgNVBAMMAXQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQwC1c5Mhkyqk3+
irsNpAR1KHFB2tc3GS0tUuFEguaFmKfq9hrM63GB870e++A6iTYG8/McgrO9Dh9g
nQDLz899o1MwUTAdBgNVHQ4EFgQUDa/rliBwN2OEy/Ikp307NK9xWh8wHwYDVR0j
BBgwFoAUDa/rliBwN2OEy/Ikp307NK9xWh8wDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNHADBEAiBql++JAePIaLJBWjeSbJOTdPCq1nm8DqWOg70EQGxgFgIg
Cvyhya23cplX9LR6XYjx4tmGTwFmBlLLaEYukdDFiDU=
-----END CERTIFICATE-----";

    #[test]
    fn the_thumbprint_is_the_one_that_openssl_says() {
        let armoured = format!("junk\n{CERTIFICATE}\nmore");
        let hexadecimal =
            "FC:6B:65:F0:36:6B:15:2B:5F:05:DB:85:BC:8A:F3:F9:50:B2:27:69:C9:20:D3:E0:7F:82:58:72:EB:0B:62:66";
        let bytes: Vec<u8> = hexadecimal.split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        assert_eq!(thumbprint(block(&armoured, "CERTIFICATE").unwrap()), Some(URL_SAFE_NO_PAD.encode(bytes)));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_key() {
        let clock = Clock::system();
        let read = |pem: &str| {
            let signs = Signs { client_id: "c", audience: "a".into(), clock: &clock };
            Certificate::read(pem, signs).unwrap_err()
        };
        assert_eq!(read(""), "the PEM file holds no certificate");
        let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----";
        assert!(read(&format!("{CERTIFICATE}\n{encrypted}")).contains("encrypted"));
        let nonsense = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
        assert_eq!(read(&format!("{CERTIFICATE}\n{nonsense}")), "the private key is not an RSA key");
    }
}
