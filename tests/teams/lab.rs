//! A test authority with its keys, a fake of the Bot Framework's endpoints on loopback, and the bot's side against it.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaKeyPair};
use aws_lc_rs::{encoding::AsDer, hmac, rand::SystemRandom, rsa};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use portcullis::chat::teams::{Options, Retry, Teams, scope};
use portcullis::chat::{Platform as _, Received, Rejected};
use portcullis::clock::Clock;
use portcullis::config::Credential;
use portcullis::identity::{Endpoint, Tokens};
use reqwest::Url;
use serde_json::{Value, json};

pub(crate) const APP: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const TENANT: &str = "22222222-2222-2222-2222-222222222222";
pub(crate) const ISSUER: &str = "https://api.botframework.com";
pub(crate) const SERVICE: &str = "https://smba.trafficmanager.net/emea/";
pub(crate) const NOW: i64 = 1_764_000_000;
pub(crate) const ALICE: &str = "aaaaaaaa-0000-0000-0000-000000000001";

/// The authority's keys: `good` for Teams, `open` without a list of channels, `webchat` for another channel.
pub(crate) static KEYS: LazyLock<Keys> =
    LazyLock::new(|| Keys { good: key(), open: key(), webchat: key(), stranger: key() });

pub(crate) struct Keys {
    pub(crate) good: RsaKeyPair,
    pub(crate) open: RsaKeyPair,
    pub(crate) webchat: RsaKeyPair,
    pub(crate) stranger: RsaKeyPair,
}

fn key() -> RsaKeyPair {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    RsaKeyPair::from_pkcs8(AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref()).unwrap()
}

pub(crate) fn jwk(id: &str, key: &RsaKeyPair, endorsements: Option<&[&str]>) -> Value {
    let public = key.public_key();
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let mut jwk = json!({
        "kty": "RSA", "use": "sig", "kid": id, "x5t": id,
        "n": number(public.modulus().big_endian_without_leading_zero()),
        "e": number(public.exponent().big_endian_without_leading_zero()),
    });
    if let Some(endorsements) = endorsements {
        jwk["endorsements"] = json!(endorsements);
    }
    jwk
}

/// How a token is signed.
#[derive(Clone, Copy)]
pub(crate) enum Sign {
    Good,
    Open,
    Webchat,
    Stranger,
    Rs512,
    Ps256,
    /// HMAC with the public key as secret: the classic confusion of algorithms.
    HmacOfPublicKey,
    Nothing,
    Noise,
}

impl Sign {
    fn signature(self, message: &str) -> Vec<u8> {
        let rsa = |key: &RsaKeyPair, padding: &'static dyn aws_lc_rs::signature::RsaEncoding| {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
            signature
        };
        match self {
            Self::Good => rsa(&KEYS.good, &RSA_PKCS1_SHA256),
            Self::Open => rsa(&KEYS.open, &RSA_PKCS1_SHA256),
            Self::Webchat => rsa(&KEYS.webchat, &RSA_PKCS1_SHA256),
            Self::Stranger => rsa(&KEYS.stranger, &RSA_PKCS1_SHA256),
            Self::Rs512 => rsa(&KEYS.good, &RSA_PKCS1_SHA512),
            Self::Ps256 => rsa(&KEYS.good, &RSA_PSS_SHA256),
            Self::HmacOfPublicKey => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, KEYS.good.public_key().as_ref());
                hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
            }
            Self::Nothing => Vec::new(),
            Self::Noise => vec![7; 256],
        }
    }
}

/// A request before it is signed and sent; a test bends what it wants to try.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) sign: Sign,
    pub(crate) activity: Value,
    /// Takes the place of `Bearer <token>`; `{}` stands for the token.
    pub(crate) authorization: Vec<&'static str>,
}

impl Draft {
    pub(crate) fn new() -> Self {
        Self {
            header: json!({"alg": "RS256", "typ": "JWT", "kid": "good", "x5t": "good"}),
            claims: json!({
                "iss": ISSUER, "aud": APP, "serviceurl": SERVICE, "nbf": NOW - 60, "exp": NOW + 3600,
            }),
            sign: Sign::Good,
            activity: message("who is not covered by MFA?"),
            authorization: vec!["Bearer {}"],
        }
    }

    pub(crate) fn of(activity: Value) -> Self {
        Self { activity, ..Self::new() }
    }

    fn token(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&self.header), part(&self.claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign.signature(&message));
        format!("{message}.{signature}")
    }

    pub(crate) async fn sent_to(&self, teams: &Teams) -> Result<Received, Rejected> {
        let mut request = Request::post("/api/messages").header(header::CONTENT_TYPE, "application/json");
        for value in &self.authorization {
            request = request.header(header::AUTHORIZATION, value.replace("{}", &self.token()));
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        teams.receive(&parts, Bytes::from(self.activity.to_string())).await
    }
}

/// A message in a personal chat, as Teams sends it.
pub(crate) fn message(text: &str) -> Value {
    json!({
        "type": "message", "id": "1763999990000", "timestamp": "2025-11-24T15:59:50Z", "channelId": "msteams",
        "serviceUrl": SERVICE, "text": text, "textFormat": "plain", "locale": "en-GB",
        "from": {"id": "29:alice", "name": "Alice Admin", "aadObjectId": ALICE},
        "conversation": {"conversationType": "personal", "tenantId": TENANT, "id": "a:personal-alice"},
        "recipient": {"id": "28:bot", "name": "Portcullis"},
        "channelData": {"tenant": {"id": TENANT}},
    })
}

/// What the fake service has seen and will answer.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) requests: Vec<(Method, String, Option<String>, Value)>,
    /// Answers to come instead of 201: status, `Retry-After`, code.
    pub(crate) answers: VecDeque<(u16, Option<u64>, &'static str)>,
    pub(crate) tokens: u32,
    /// Seconds that tokens are good for.
    pub(crate) lifetime: u32,
    pub(crate) key_fetches: u32,
    pub(crate) keys: Vec<Value>,
    pub(crate) keys_down: bool,
}

/// The Bot Framework's endpoints on loopback.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) base: String,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let keys = vec![
            jwk("good", &KEYS.good, Some(&["msteams", "skype"])),
            jwk("open", &KEYS.open, None),
            jwk("webchat", &KEYS.webchat, Some(&["webchat"])),
        ];
        let service = Self { base, seen: Arc::new(Mutex::new(Seen { keys, lifetime: 3600, ..Seen::default() })) };
        let router = Router::new().fallback(answer).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        service
    }

    pub(crate) fn teams(&self, clock: &Clock) -> Teams {
        Teams::new(self.options(clock)).unwrap()
    }

    pub(crate) fn options(&self, clock: &Clock) -> Options {
        let url = |path: &str| Url::parse(&format!("{}{path}", self.base)).unwrap();
        Options {
            app_id: APP.to_owned(),
            tokens: self.tokens("", clock),
            openid_metadata: url("/openid"),
            issuer: ISSUER.to_owned(),
            service_hosts: vec!["smba.trafficmanager.net".to_owned(), "127.0.0.1".to_owned()],
            tenants: vec![TENANT.to_owned()],
            allow_anonymous_loopback: false,
            key_refetch_floor: Duration::from_mins(5),
            retry: Retry { first: Duration::from_millis(1), times: 3 },
            http: http(),
            clock: clock.clone(),
        }
    }

    /// The bot's tokens, from the token endpoint at this path.
    pub(crate) fn tokens(&self, path: &str, clock: &Clock) -> Tokens {
        let credential =
            Credential::ClientSecret { client_id: APP.to_owned(), secret: "s3cret-of-the-bot".to_owned().into() };
        let endpoint = Endpoint {
            http: &http(),
            login_base: &format!("{}{path}", self.base).parse().unwrap(),
            login_key: "teams.login_base",
            scope: &scope(ISSUER),
            clock,
        };
        Tokens::new(&credential, TENANT, &endpoint).unwrap()
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap())
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap()
}

async fn answer(State(service): State<Service>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut seen = service.seen.lock().unwrap();
    match uri.path() {
        "/openid" => Json(json!({"issuer": ISSUER, "jwks_uri": format!("{}/keys", service.base)})).into_response(),
        "/keys" if seen.keys_down => {
            seen.key_fetches += 1;
            StatusCode::BAD_GATEWAY.into_response()
        }
        "/keys" => {
            seen.key_fetches += 1;
            Json(json!({"keys": seen.keys})).into_response()
        }
        path if path == format!("/{TENANT}/oauth2/v2.0/token") => {
            seen.tokens += 1;
            let (token, lifetime) = (format!("token-{}", seen.tokens), seen.lifetime);
            Json(json!({"token_type": "Bearer", "access_token": token, "expires_in": lifetime})).into_response()
        }
        path => {
            let bearer = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
            let activity = serde_json::from_slice(&body).unwrap_or_default();
            seen.requests.push((method, path.to_owned(), bearer, activity));
            posted(&mut seen)
        }
    }
}

fn posted(seen: &mut Seen) -> Response {
    let Some((status, wait, code)) = seen.answers.pop_front() else {
        return (StatusCode::CREATED, Json(json!({"id": format!("m-{}", seen.requests.len())}))).into_response();
    };
    let body = Json(json!({"error": {"code": code, "message": "…"}}));
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// The test's "now".
pub(crate) fn clock() -> Clock {
    Clock::fixed(Timestamp::from_second(NOW).unwrap())
}
