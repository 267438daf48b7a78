//! Tokens for Microsoft Graph through Microsoft's own `azure_identity`, which caches them and renews them in time.
//!
//! That crate refuses login addresses without TLS, so one transport maps its login host to the configured base; that
//! is the only difference between production and a tenant on this machine.

use std::fmt::{self, Debug};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use azure_core::cloud::CloudConfiguration;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{AsyncRawResponse, ClientOptions, HttpClient, Request, Transport};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::GraphError;
use crate::config::Credential;

/// Where the tokens of one identity come from.
#[derive(Clone)]
pub struct Tokens(Arc<Source>);

enum Source {
    Fixed(SecretString),
    Entra { asks: Asks, credential: Mutex<Arc<dyn TokenCredential>> },
}

/// What it takes to ask for a token.
struct Asks {
    tenant_id: String,
    client_id: String,
    secret: SecretString,
    transport: Transport,
    scope: String,
}

impl Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tokens(…)")
    }
}

impl Tokens {
    /// Tokens of `credential` in this tenant, from the token endpoint at `login_base`, for `audience`.
    pub fn new(credential: &Credential, tenant_id: &str, at: &Endpoint<'_>) -> Result<Self, GraphError> {
        let (client_id, secret) = match credential {
            Credential::Fixed(token) => return Ok(Self(Arc::new(Source::Fixed(token.clone())))),
            Credential::ClientSecret { client_id, secret } => (client_id.clone(), secret.clone()),
        };
        let mapped = Mapped { http: at.http.clone(), base: at.login_base.clone() };
        let asks = Asks {
            tenant_id: tenant_id.to_owned(),
            client_id,
            secret,
            transport: Transport::new(Arc::new(mapped)),
            scope: scope_of(at.graph_base),
        };
        let credential = Mutex::new(asks.credential()?);
        Ok(Self(Arc::new(Source::Entra { asks, credential })))
    }

    /// A token that is good for at least five minutes more.
    pub async fn get(&self) -> Result<SecretString, GraphError> {
        let (scope, credential) = match &*self.0 {
            Source::Fixed(token) => return Ok(token.clone()),
            Source::Entra { asks, credential } => (&asks.scope, credential),
        };
        let credential = Arc::clone(&credential.lock().unwrap_or_else(PoisonError::into_inner));
        let token = credential.get_token(&[scope], None).await;
        token.map(|token| SecretString::from(token.token.secret())).map_err(|error| cause(&error))
    }

    /// Forgets the token that it holds, because Graph no longer accepts it.
    pub fn forget(&self) -> Result<(), GraphError> {
        match &*self.0 {
            Source::Fixed(_) => Err(GraphError::Token { cause: "the fixed token is not accepted any more".to_owned() }),
            Source::Entra { asks, credential } => {
                *credential.lock().unwrap_or_else(PoisonError::into_inner) = asks.credential()?;
                Ok(())
            }
        }
    }
}

impl Asks {
    fn credential(&self) -> Result<Arc<dyn TokenCredential>, GraphError> {
        // The cloud is stated because the crate would otherwise read it from the environment.
        let client_options = ClientOptions {
            cloud: Some(Arc::new(CloudConfiguration::AzurePublic)),
            transport: Some(self.transport.clone()),
            ..ClientOptions::default()
        };
        let secret = Secret::new(self.secret.expose_secret().to_owned());
        let options = Some(ClientSecretCredentialOptions { client_options });
        let credential = ClientSecretCredential::new(&self.tenant_id, self.client_id.clone(), secret, options);
        credential.map(|credential| -> Arc<dyn TokenCredential> { credential }).map_err(|error| cause(&error))
    }
}

/// The crate has tried again where that could help; its messages hold no secret.
fn cause(error: &azure_core::Error) -> GraphError {
    GraphError::Token { cause: error.to_string() }
}

/// Where tokens are asked for, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// The HTTP client.
    pub http: &'a reqwest::Client,
    /// Base of the token endpoint.
    pub login_base: &'a Url,
    /// Base of Graph.
    pub graph_base: &'a Url,
}

/// The scope names Graph's own host; a tenant on this machine plays the public cloud.
fn scope_of(graph_base: &Url) -> String {
    match graph_base.host_str() {
        Some(host) if graph_base.scheme() == "https" => format!("https://{host}/.default"),
        _ => "https://graph.microsoft.com/.default".to_owned(),
    }
}

/// Sends what is meant for the public login host to the configured one.
#[derive(Debug)]
struct Mapped {
    http: reqwest::Client,
    base: Url,
}

impl Mapped {
    async fn send(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", self.base.path().trim_end_matches('/'), request.url().path()));
        let mut mapped = Request::new(url, request.method());
        for (name, value) in request.headers().iter() {
            mapped.insert_header(name.clone(), value.clone());
        }
        mapped.set_body(request.body().clone());
        self.http.execute_request(&mapped).await
    }
}

// The trait is declared with `async_trait`; this is the signature that it makes of `async fn execute_request`.
impl HttpClient for Mapped {
    fn execute_request<'a, 'b, 'c>(
        &'a self,
        request: &'b Request,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AsyncRawResponse>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(self.send(request))
    }
}
