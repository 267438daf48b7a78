//! The token endpoint: plays Microsoft Entra for Graph, and the Bot Framework for the Teams webhook.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use anyhow::Context;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::names::{DOMAIN, INITIAL_DOMAIN};
use super::permissions::{WRITE, everything};
use super::state::{Demo, lock};
use super::trust::Trust;

/// Seconds a token is good for.
const LIFETIME: i64 = 3_599;
/// How an assertion is sent instead of a secret (RFC 7523).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Graph in the clouds that the demo plays.
const GRAPHS: &[&str] = &[
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];
/// Log Analytics in those clouds.
const LOG_ANALYTICS: &[&str] =
    &["https://api.loganalytics.io", "https://api.loganalytics.us", "https://api.loganalytics.azure.cn"];
/// Issuer of the tokens that a channel sends to a bot.
const BOT_ISSUER: &str = "https://api.botframework.com";

/// A client that may ask for tokens.
#[derive(Clone, Debug)]
pub struct Client {
    /// Client (application) id.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// What a token was issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Microsoft Graph.
    Graph,
    /// The Log Analytics query API.
    LogAnalytics,
    /// The Bot Framework's connector.
    Connector,
    /// The bot's webhook.
    Bot,
}

/// The signing key of this start, the clients, and the tokens issued.
pub struct Tokens {
    /// The client that reads Graph, and may write.
    pub graph: Client,
    /// The client that writes policies, and can do little else.
    pub writer: Client,
    /// The bot.
    pub bot: Client,
    tenant: String,
    key: KeyPair,
    key_id: String,
    jwk: Value,
    issued: Mutex<BTreeMap<String, Issued>>,
    /// The permissions that new tokens for Graph carry.
    pub granted: Mutex<BTreeSet<String>>,
    trusted: Mutex<Vec<Trust>>,
    last_audience: Mutex<Option<String>>,
}

/// A token that is out.
struct Issued {
    audience: Audience,
    until: Timestamp,
    permissions: BTreeSet<String>,
}

impl Tokens {
    /// A random key, and random secrets, for a tenant.
    pub fn new(tenant: &str) -> anyhow::Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).context("making the demo's signing key")?;
        let key_id = uuid::Uuid::new_v4().simple().to_string();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let public = pair.public_key();
        let jwk = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id, "x5t": key_id,
            "n": part(public.modulus().big_endian_without_leading_zero()),
            "e": part(public.exponent().big_endian_without_leading_zero()), "endorsements": ["msteams"] });
        let client = |name: &str| Client {
            id: uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, format!("{name}.{tenant}").as_bytes()).to_string(),
            secret: uuid::Uuid::new_v4().simple().to_string(),
        };
        Ok(Self {
            graph: client("reader"),
            writer: client("writer"),
            bot: client("bot"),
            tenant: tenant.to_owned(),
            key: pair,
            key_id,
            jwk,
            issued: Mutex::default(),
            granted: Mutex::new(everything()),
            trusted: Mutex::default(),
            last_audience: Mutex::default(),
        })
    }

    /// Whether `token` was issued here for `audience` and has not expired.
    #[must_use]
    pub fn accepts(&self, token: &str, audience: Audience, now: Timestamp) -> bool {
        lock(&self.issued).get(token).is_some_and(|issued| issued.audience == audience && now < issued.until)
    }

    /// The permissions that a token carries.
    #[must_use]
    pub fn permissions(&self, token: &str) -> BTreeSet<String> {
        lock(&self.issued).get(token).map(|issued| issued.permissions.clone()).unwrap_or_default()
    }

    /// What the newest token was issued for.
    #[must_use]
    pub fn last_audience(&self) -> Option<String> {
        lock(&self.last_audience).clone()
    }

    /// Believes assertions signed with this key from now on.
    pub fn trust(&self, trust: Trust) {
        lock(&self.trusted).push(trust);
    }

    /// Forgets every token, as if all had expired.
    pub fn expire_all(&self) {
        lock(&self.issued).clear();
    }

    fn issue(&self, audience: Audience, claims: &Value, now: Timestamp) -> anyhow::Result<String> {
        let token = self.sign(claims)?;
        *lock(&self.last_audience) = claims.get("aud").and_then(Value::as_str).map(str::to_owned);
        let mut issued = lock(&self.issued);
        issued.retain(|_, issued| now < issued.until);
        let until = Timestamp::from_second(now.as_second() + LIFETIME)?;
        let roles = claims.get("roles").and_then(Value::as_array).into_iter().flatten();
        let permissions = roles.filter_map(Value::as_str).map(str::to_owned).collect();
        issued.insert(token.clone(), Issued { audience, until, permissions });
        Ok(token)
    }

    /// The claims as a compact JWT (RS256).
    fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": self.key_id });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).context("signing a token")?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Whether a name in the path means this tenant: its id, or one of its domains. The Bot Framework has a name of its own.
    fn is_tenant(&self, name: &str) -> bool {
        [self.tenant.as_str(), DOMAIN, INITIAL_DOMAIN, "botframework.com"]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name))
    }

    /// What an app was granted.
    fn roles_of(&self, client: &Client) -> BTreeSet<String> {
        match &client.id {
            id if *id == self.graph.id => lock(&self.granted).clone(),
            id if *id == self.writer.id => [WRITE, "Policy.Read.All"].map(str::to_owned).into(),
            _ => BTreeSet::new(),
        }
    }

    fn claims(&self, issuer: &str, audience: &str, app: &str, now: Timestamp) -> Value {
        let now = now.as_second();
        json!({ "iss": issuer, "aud": audience, "iat": now, "nbf": now - 5, "exp": now + LIFETIME, "appid": app, "azp": app,
            "tid": self.tenant, "oid": app, "jti": uuid::Uuid::new_v4() })
    }
}

/// Routes of the token endpoint and of both issuers' metadata.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(entra_metadata))
        .route("/{tenant}/discovery/v2.0/keys", get(keys))
        .route("/common/discovery/instance", get(instance))
        .route("/v1/.well-known/openidconfiguration", get(bot_metadata))
        .route("/v1/.well-known/keys", get(keys))
}

async fn token(
    State(demo): State<Arc<Demo>>,
    Path(tenant): Path<String>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if !demo.tokens.is_tenant(&tenant) {
        return no_tenant("invalid_request", &tenant);
    }
    if field("grant_type") != "client_credentials" {
        return refuse("unsupported_grant_type", "AADSTS70003: only client_credentials is supported here");
    }
    let named = |client: &&Client| client.id == field("client_id");
    let Some(client) = [&demo.tokens.graph, &demo.tokens.writer, &demo.tokens.bot].into_iter().find(named) else {
        return refuse("invalid_client", "AADSTS700016: Application was not found in the directory");
    };
    let assertion = (field("client_assertion_type") == ASSERTION).then(|| field("client_assertion"));
    let endpoint = format!("{}/{tenant}/oauth2/v2.0/token", demo.base);
    let at = (endpoint.as_str(), demo.now().as_second());
    match assertion {
        Some(said) if lock(&demo.tokens.trusted).iter().any(|trust| trust.vouches(&client.id, said, at)) => {}
        Some(_) => return refuse("invalid_client", "AADSTS700027: The client assertion failed signature validation"),
        None if client.secret == field("client_secret") => {}
        None => return refuse("invalid_client", "AADSTS7000215: Invalid client secret provided"),
    }
    match grant(&demo, client, field("scope"), field("service_url")) {
        Ok(Some(token)) => Json(json!({ "token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME,
            "access_token": token }))
        .into_response(),
        Ok(None) => refuse("invalid_scope", "AADSTS70011: The provided value for 'scope' is not valid"),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A token for `scope`, if there is such a scope and this client may have it.
fn grant(demo: &Demo, client: &Client, scope: &str, service_url: &str) -> anyhow::Result<Option<String>> {
    let (tokens, now) = (&demo.tokens, demo.now());
    let Some(resource) = scope.split(' ').find_map(|part| part.strip_suffix("/.default")) else { return Ok(None) };
    let entra = format!("{}/{}/v2.0", demo.base, tokens.tenant);
    if resource == BOT_ISSUER {
        let claims = tokens.claims(&entra, BOT_ISSUER, &client.id, now);
        return tokens.issue(Audience::Connector, &claims, now).map(Some);
    }
    if resource == tokens.bot.id {
        let mut claims = tokens.claims(BOT_ISSUER, &tokens.bot.id, &tokens.bot.id, now);
        if let Some(claims) = claims.as_object_mut() {
            claims.insert("serviceurl".into(), json!(service_url));
        }
        return tokens.issue(Audience::Bot, &claims, now).map(Some);
    }
    if LOG_ANALYTICS.contains(&resource) {
        let claims = tokens.claims(&entra, resource, &client.id, now);
        return tokens.issue(Audience::LogAnalytics, &claims, now).map(Some);
    }
    if GRAPHS.contains(&resource) || resource == demo.base {
        let mut claims = tokens.claims(&entra, resource, &client.id, now);
        if let Some(claims) = claims.as_object_mut() {
            claims.insert("roles".into(), json!(tokens.roles_of(client)));
        }
        return tokens.issue(Audience::Graph, &claims, now).map(Some);
    }
    Ok(None)
}

/// Entra's answer for a tenant that isn't there; its metadata endpoint uses another code than its token endpoint.
fn no_tenant(code: &str, tenant: &str) -> Response {
    let description = format!(
        "AADSTS90002: Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into \
         the correct cloud. Check with your subscription administrator, this may happen if there are no active \
         subscriptions for the tenant."
    );
    refuse(code, &description)
}

fn refuse(code: &str, description: &str) -> Response {
    let number = description.strip_prefix("AADSTS").and_then(|rest| rest.split(':').next()?.parse::<u32>().ok());
    let body = json!({ "error": code, "error_description": description, "error_codes": number.into_iter().collect::<Vec<_>>() });
    let status = if code == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    (status, Json(body)).into_response()
}

async fn entra_metadata(State(demo): State<Arc<Demo>>, Path(tenant): Path<String>) -> Response {
    if !demo.tokens.is_tenant(&tenant) {
        return no_tenant("invalid_tenant", &tenant);
    }
    let base = format!("{}/{tenant}", demo.base);
    Json(json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "tenant_region_scope": "EU",
    }))
    .into_response()
}

async fn instance(State(demo): State<Arc<Demo>>) -> Json<Value> {
    let tenant = format!("{}/{}/v2.0/.well-known/openid-configuration", demo.base, demo.tokens.tenant);
    Json(json!({ "tenant_discovery_endpoint": tenant, "api-version": "1.1", "metadata": [] }))
}

async fn bot_metadata(State(demo): State<Arc<Demo>>) -> Json<Value> {
    Json(json!({
        "issuer": BOT_ISSUER,
        "authorization_endpoint": "https://invalid.botframework.com",
        "jwks_uri": format!("{}/v1/.well-known/keys", demo.base),
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    }))
}

async fn keys(State(demo): State<Arc<Demo>>) -> Json<Value> {
    Json(json!({ "keys": [demo.tokens.jwk] }))
}
