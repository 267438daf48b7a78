//! Signing in: the tokens of each identity, for Graph, Log Analytics or the Bot Framework, through Microsoft's own
//! `azure_identity`, which caches them and renews them five minutes before their end.
//!
//! That crate refuses login addresses without TLS, so one transport maps its login host to the configured base; that
//! is the only difference between production, another cloud, and a tenant on this machine.

mod certificate;
mod transport;
mod trusted;

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, PoisonError};

use azure_core::cloud::CloudConfiguration;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{ClientOptions, ExponentialRetryOptions, RetryOptions, Transport};
use azure_identity::{
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use self::certificate::{Certificate, Signs};
use self::trusted::Trusted;
use crate::clock::Clock;
use crate::config::Credential;

/// Further tries at the token endpoint.
const RETRIES: u32 = 2;

/// Why there is no token: what the token endpoint said, without the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoToken(pub String);

/// Where the tokens of one identity come from.
#[derive(Clone)]
pub struct Tokens(Arc<Source>);

enum Source {
    Fixed(SecretString),
    Entra { asks: Box<Asks>, credential: Mutex<Arc<dyn TokenCredential>> },
}

/// What it takes to ask for a token.
struct Asks {
    tenant_id: String,
    credential: Credential,
    http: reqwest::Client,
    login_base: Url,
    login_key: &'static str,
    scope: String,
    clock: Clock,
}

impl Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tokens(…)")
    }
}

impl Tokens {
    /// Tokens of `credential` in this tenant, from the token endpoint at `login_base`, for one service.
    pub fn new(credential: &Credential, tenant_id: &str, at: &Endpoint<'_>) -> Result<Self, NoToken> {
        if let Credential::Fixed(token) = credential {
            return Ok(Self(Arc::new(Source::Fixed(token.clone()))));
        }
        let asks = Box::new(Asks {
            tenant_id: tenant_id.to_owned(),
            credential: credential.clone(),
            http: at.http.clone(),
            login_base: at.login_base.clone(),
            login_key: at.login_key,
            scope: at.scope.to_owned(),
            clock: at.clock.clone(),
        });
        let credential = Mutex::new(asks.credential()?);
        Ok(Self(Arc::new(Source::Entra { asks, credential })))
    }

    /// A token that is good for at least five minutes more.
    pub async fn get(&self) -> Result<SecretString, NoToken> {
        let (asks, credential) = match &*self.0 {
            Source::Fixed(token) => return Ok(token.clone()),
            Source::Entra { asks, credential } => (asks, credential),
        };
        let credential = Arc::clone(&credential.lock().unwrap_or_else(PoisonError::into_inner));
        let token = credential.get_token(&[&asks.scope], None).await;
        token.map(|token| SecretString::from(token.token.secret())).map_err(|error| asks.lost(&error))
    }

    /// Forgets the token that it holds, because the service no longer accepts it.
    pub fn forget(&self) -> Result<(), NoToken> {
        match &*self.0 {
            Source::Fixed(_) => Err(wrong("the fixed token is not accepted any more")),
            Source::Entra { asks, credential } => {
                *credential.lock().unwrap_or_else(PoisonError::into_inner) = asks.credential()?;
                Ok(())
            }
        }
    }

    /// The permissions that the token carries: `roles` of an app, `scp` of a person; none when it can't be read, since
    /// Microsoft doesn't promise what a token for Graph looks like.
    pub async fn permissions(&self) -> Result<Option<BTreeSet<String>>, NoToken> {
        Ok(permissions_in(self.get().await?.expose_secret()))
    }
}

fn permissions_in(token: &str) -> Option<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Claims {
        #[serde(default)]
        roles: BTreeSet<String>,
        #[serde(default)]
        scp: String,
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    Some(claims.roles.into_iter().chain(claims.scp.split_whitespace().map(str::to_owned)).collect())
}

impl Asks {
    fn credential(&self) -> Result<Arc<dyn TokenCredential>, NoToken> {
        let login = || ClientAssertionCredentialOptions { client_options: options(self.login()) };
        let tenant = self.tenant_id.clone();
        let made: azure_core::Result<Arc<dyn TokenCredential>> = match &self.credential {
            Credential::Fixed(_) => return Err(wrong("a fixed token is not asked for")),
            Credential::ClientSecret { client_id, secret } => {
                let secret = Secret::new(secret.expose_secret().to_owned());
                let options = ClientSecretCredentialOptions { client_options: options(self.login()) };
                ClientSecretCredential::new(&tenant, client_id.clone(), secret, Some(options)).map(|made| made as _)
            }
            Credential::Certificate { client_id, pem } => {
                let audience = format!("{}/{tenant}/oauth2/v2.0/token", self.login_base.as_str().trim_end_matches('/'));
                let signs = Signs { client_id, audience, clock: &self.clock };
                let certificate = Certificate::read(pem.expose_secret(), signs).map_err(wrong)?;
                ClientAssertionCredential::new(tenant, client_id.clone(), certificate, Some(login()))
                    .map(|made| made as _)
            }
            Credential::Federated { client_id, token_file } => {
                let options = WorkloadIdentityCredentialOptions {
                    credential_options: login(),
                    client_id: Some(client_id.clone()),
                    tenant_id: Some(tenant),
                    token_file_path: Some(token_file.clone()),
                };
                WorkloadIdentityCredential::new(Some(options)).map(|made| made as _)
            }
            Credential::ManagedIdentity { client_id, base } => {
                self.managed(client_id.clone(), base.as_ref()).map(|made| made as _)
            }
            Credential::TrustedIdentity { client_id, identity, exchange, base } => {
                let identity = self.managed(Some(identity.clone()), base.as_ref()).map_err(|error| cause(&error))?;
                let trusted = Trusted::new(identity, exchange);
                ClientAssertionCredential::new(tenant, client_id.clone(), trusted, Some(login())).map(|made| made as _)
            }
        };
        made.map_err(|error| cause(&error))
    }

    /// The identity of this machine; with a client id, the user-assigned one.
    fn managed(&self, id: Option<String>, base: Option<&Url>) -> azure_core::Result<Arc<ManagedIdentityCredential>> {
        let way = base.map_or_else(|| transport::direct(&self.http), |base| transport::mapped(&self.http, base));
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: id.map(UserAssignedId::ClientId),
            client_options: options(way),
        };
        ManagedIdentityCredential::new(Some(options))
    }

    /// Why there is no token. Of a connection that never came about, the last cause says the most.
    fn lost(&self, error: &azure_core::Error) -> NoToken {
        let mut root: &dyn std::error::Error = error;
        let mut unreached = false;
        while let Some(source) = root.source() {
            unreached |= source.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect);
            root = source;
        }
        if !unreached {
            return cause(error);
        }
        if let Credential::ManagedIdentity { .. } = self.credential {
            return NoToken(format!("the identity service of this machine can't be reached ({root}); is it in Azure?"));
        }
        let (host, key) = (self.login_base.host_str().unwrap_or_default(), self.login_key);
        NoToken(format!("{host} can't be reached ({root}); are graph.cloud and {key} right?"))
    }

    fn login(&self) -> Transport {
        transport::mapped(&self.http, &self.login_base)
    }
}

/// The cloud is stated because the crate would otherwise read it from the environment; the transport decides where
/// requests really go.
fn options(transport: Transport) -> ClientOptions {
    ClientOptions {
        cloud: Some(Arc::new(CloudConfiguration::AzurePublic)),
        transport: Some(transport),
        // Whoever waits for a token is told soon; readings and jobs are tried again by themselves.
        retry: RetryOptions::exponential(ExponentialRetryOptions { max_retries: RETRIES, ..Default::default() }),
        ..ClientOptions::default()
    }
}

fn wrong(cause: &str) -> NoToken {
    NoToken(cause.to_owned())
}

/// The crate has tried again where that could help; its messages hold no secret.
fn cause(error: &azure_core::Error) -> NoToken {
    NoToken(error.to_string())
}

/// Where tokens are asked for, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// The HTTP client.
    pub http: &'a reqwest::Client,
    /// Base of the token endpoint.
    pub login_base: &'a Url,
    /// The key of the configuration that names this base.
    pub login_key: &'static str,
    /// What the tokens are for, such as `https://graph.microsoft.com/.default`.
    pub scope: &'a str,
    /// The time, which assertions carry.
    pub clock: &'a Clock,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_read_from_apps_and_from_people() {
        let token = |claims: &str| format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims));
        let read = |claims: &str| permissions_in(&token(claims)).map(|found| found.into_iter().collect::<Vec<_>>());
        assert_eq!(read(r#"{"roles": ["Policy.Read.All"]}"#), Some(vec!["Policy.Read.All".to_owned()]));
        assert_eq!(read(r#"{"scp": "b a"}"#), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(permissions_in("opaque"), None);
    }
}
