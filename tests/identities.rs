//! Signing in, each way against the demo's token endpoint or a small identity service: the token works on Graph, and what is
//! wrong is refused without a secret being said.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of a test may fail it")]
#![expect(clippy::disallowed_methods, reason = "a fake service is a client of its own")]

mod at_demo;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{Timestamp, ToSpan as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use portcullis::chat::teams::{self, Teams};
use portcullis::chat::{Card, Conversation, Platform as _};
use portcullis::clock::Clock;
use portcullis::config::{Cloud, Config, Credential};
use portcullis::demo::permissions::WRITE;
use portcullis::demo::trust::{PublicKey, Trust};
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::graph::{Client, CreateOutcome, GraphError, Writer};
use portcullis::identity::{Endpoint, Tokens};
use portcullis::suggestions::draft::ReportOnlyPolicy;
use portcullis::tenant::Policy;
use portcullis::tenant::policy::{Control, GrantControls, Operator};
use serde_json::{Value, json};

const ISSUER: &str = "https://kubernetes.example";
const SUBJECT: &str = "system:serviceaccount:portcullis:portcullis";

struct Demo {
    service: Service,
    config: Config,
    clock: Clock,
}

async fn demo() -> Demo {
    let today: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
    let clock = Clock::fixed(today);
    let tenant = Tenant::generate(&Seed { users: 50, seed: 1, today });
    let told = clock.clone();
    let options = Options {
        tenant,
        port: 0,
        record_dir: std::env::var_os("PORTCULLIS_RECORD").map(Into::into),
        clock: Arc::new(move || told.now()),
    };
    let service = Service::start(options).await.unwrap();
    let config = at_demo::config(&service);
    Demo { service, config, clock }
}

impl Demo {
    /// Reads the policies as `credential`.
    async fn read_as(&self, credential: Credential) -> Result<usize, GraphError> {
        self.client(credential)?.policies().await.map(|policies| policies.len())
    }

    fn client(&self, credential: Credential) -> Result<Client, GraphError> {
        let mut config = self.config.clone();
        config.graph.credential = credential;
        Client::new(&config, self.clock.clone())
    }

    /// Posts a card into a chat of Teams as `credential`.
    async fn post_as(&self, credential: &Credential) -> anyhow::Result<()> {
        let (http, issuer) = (reqwest::Client::builder().build()?, "https://api.botframework.com");
        let login = Endpoint {
            http: &http,
            login_base: &self.service.base_url().parse()?,
            login_key: "teams.login_base",
            scope: &teams::scope(issuer),
            clock: &self.clock,
        };
        let teams = Teams::new(teams::Options {
            app_id: self.service.app_id.clone(),
            tokens: Tokens::new(credential, &self.service.tenant_id, &login)?,
            openid_metadata: self.service.openid_metadata().parse()?,
            issuer: issuer.to_owned(),
            service_hosts: vec!["127.0.0.1".to_owned()],
            tenants: vec![self.service.tenant_id.clone()],
            allow_anonymous_loopback: false,
            key_refetch_floor: Duration::from_secs(1),
            retry: teams::Retry { first: Duration::from_millis(1), times: 1 },
            http: http.clone(),
            clock: self.clock.clone(),
        })?;
        let chat = Conversation {
            platform: "teams".to_owned(),
            id: "a:somebody".to_owned(),
            tenant: self.service.tenant_id.clone(),
            personal: true,
            reference: json!({"serviceUrl": self.service.connector_url(), "bot": "28:bot", "thread": null}),
        };
        let card = Card { summary: "Good morning".to_owned(), ..Card::default() };
        // A token that is refused is renewed.
        let first = teams.send(&chat, &card).await?;
        self.service.state().tokens.expire_all();
        let second = teams.send(&chat, &card).await?;
        assert_ne!(first, second);
        Ok(())
    }

    /// How many cards stand in Teams.
    async fn posted(&self) -> usize {
        let url = format!("{}/demo/connector/activities", self.service.base_url());
        let seen = reqwest::Client::builder().build().unwrap().get(url).send().await.unwrap();
        seen.json::<Value>().await.unwrap()["value"].as_array().unwrap().len()
    }
}

/// An RSA key, with its PEM made up together with some certificate.
struct Key {
    pair: KeyPair,
    pem: String,
    thumbprint: String,
}

impl Key {
    fn generate() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        // Only its bytes count: what Entra reads in it is the key, which the demo is told apart.
        let certificate = b"the bytes of a certificate";
        let thumbprint = URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate));
        let block = |label: &str, bytes: &[u8]| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(bytes))
        };
        let pem = block("CERTIFICATE", certificate) + &block("PRIVATE KEY", der.as_ref());
        Self { pair, pem, thumbprint }
    }

    fn trusted(&self, trust: impl FnOnce(PublicKey<'_>) -> Trust) -> Trust {
        let public = self.pair.public_key();
        trust(PublicKey {
            n: public.modulus().big_endian_without_leading_zero(),
            e: public.exponent().big_endian_without_leading_zero(),
        })
    }

    /// Writes this issuer's token about `subject` to a file, as Kubernetes does.
    fn vouch(&self, subject: &str, clock: &Clock, file: &Path) {
        std::fs::write(file, self.vouched(subject, clock)).unwrap();
    }

    /// This issuer's token about `subject`.
    fn vouched(&self, subject: &str, clock: &Clock) -> String {
        let now = clock.now().as_second();
        let claims =
            json!({"iss": ISSUER, "sub": subject, "aud": "api://AzureADTokenExchange", "nbf": now, "exp": now + 600});
        let signing = self.pem.split_inclusive("-----END CERTIFICATE-----\n").last().unwrap();
        let signing = EncodingKey::from_rsa_pem(signing.as_bytes()).unwrap();
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &signing).unwrap()
    }

    fn credential(&self, client_id: &str) -> Credential {
        Credential::Certificate { client_id: client_id.to_owned(), pem: self.pem.clone().into() }
    }
}

#[tokio::test]
async fn a_certificate_signs_in_and_its_token_is_renewed() {
    let demo = demo().await;
    let key = Key::generate();
    let client_id = demo.service.client_id.clone();
    let tokens = &demo.service.state().tokens;
    tokens.trust(key.trusted(|public| Trust::certificate(&client_id, &key.thumbprint, public)));
    let client = demo.client(key.credential(&client_id)).unwrap();
    assert_eq!(client.policies().await.unwrap().len(), 25);
    // Graph no longer accepts the token: a new assertion, a new token.
    tokens.expire_all();
    demo.clock.set(demo.clock.now() + 2.hours());
    assert_eq!(client.policies().await.unwrap().len(), 25);
}

#[tokio::test]
async fn a_certificate_that_was_not_uploaded_or_another_key_is_refused() {
    let demo = demo().await;
    let (uploaded, other) = (Key::generate(), Key::generate());
    let client_id = demo.service.client_id.clone();
    let unknown = demo.read_as(uploaded.credential(&client_id)).await.unwrap_err().to_string();
    let trust = uploaded.trusted(|public| Trust::certificate(&client_id, &uploaded.thumbprint, public));
    demo.service.state().tokens.trust(trust);
    let forged = demo.read_as(other.credential(&client_id)).await.unwrap_err().to_string();
    for said in [unknown, forged] {
        assert!(said.contains("AADSTS700027"), "{said}");
        assert!(!said.contains("PRIVATE KEY") && !said.contains("eyJ"), "{said}");
    }
    assert_eq!(demo.read_as(uploaded.credential(&client_id)).await, Ok(25));
}

#[tokio::test]
async fn another_issuers_token_signs_in_and_its_file_is_read_anew() {
    let demo = demo().await;
    let key = Key::generate();
    let client_id = demo.service.client_id.clone();
    demo.service.state().tokens.trust(key.trusted(|public| Trust::federation(&client_id, ISSUER, SUBJECT, public)));
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    let write = |subject: &str| key.vouch(subject, &demo.clock, &token_file);
    let credential = || Credential::Federated { client_id: client_id.clone(), token_file: token_file.clone() };
    write("system:serviceaccount:default:somebody-else");
    assert!(demo.read_as(credential()).await.unwrap_err().to_string().contains("AADSTS700027"));
    write(SUBJECT);
    assert_eq!(demo.read_as(credential()).await, Ok(25));
}

/// The identity service of a virtual machine (IMDS), as far as it is asked: it hands out the demo's own tokens.
#[derive(Clone)]
struct Machine {
    token_url: String,
    form: Vec<(&'static str, String)>,
    asked: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
}

impl Machine {
    async fn start(demo: &Demo) -> (Self, String) {
        let service = &demo.service;
        Self::of(demo, (&service.client_id, &service.client_secret), "https://graph.microsoft.com/.default").await
    }

    async fn of(demo: &Demo, (id, secret): (&str, &str), scope: &str) -> (Self, String) {
        let form =
            [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret), ("scope", scope)];
        let form = form.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        let machine = Self { token_url: demo.service.token_url(), form, asked: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().route("/metadata/identity/oauth2/token", get(hand_out)).with_state(machine.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (machine, base)
    }
}

async fn hand_out(
    State(machine): State<Machine>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Json<Value> {
    assert_eq!(headers["metadata"], "true", "without this header the real service refuses");
    machine.asked.lock().unwrap().push(query);
    let answer =
        reqwest::Client::builder().build().unwrap().post(&machine.token_url).form(&machine.form).send().await.unwrap();
    let issued: Value = answer.json().await.unwrap();
    // The real service says numbers as text.
    let until = Clock::system().now().as_second() + 3_599;
    Json(json!({"access_token": issued["access_token"], "expires_in": "3599", "expires_on": until.to_string(),
        "resource": "https://graph.microsoft.com", "token_type": "Bearer"}))
}

#[tokio::test]
async fn a_managed_identity_signs_in_once_and_keeps_its_token() {
    let demo = demo().await;
    let (machine, base) = Machine::start(&demo).await;
    let own = "55555555-6666-7777-8888-999999999999";
    for client_id in [None, Some(own.to_owned())] {
        let credential = Credential::ManagedIdentity { client_id, base: Some(base.parse().unwrap()) };
        let client = demo.client(credential).unwrap();
        assert_eq!(client.policies().await.unwrap().len(), 25);
        assert_eq!(client.policies().await.unwrap().len(), 25);
    }
    let asked = machine.asked.lock().unwrap();
    assert_eq!(asked.len(), 2, "one token for each identity, however often it is used");
    assert!(asked.iter().all(|query| query["resource"].starts_with("https://graph.microsoft.com")));
    assert_eq!(
        asked.iter().map(|query| query.get("client_id").map(String::as_str)).collect::<Vec<_>>(),
        [None, Some(own)]
    );
}

/// The client id of a managed identity.
const IDENTITY: &str = "55555555-6666-7777-8888-999999999999";

/// An app that trusts the managed identity of the machine at this address.
fn trusting(client_id: &str, machine: &str) -> Credential {
    Credential::TrustedIdentity {
        client_id: client_id.to_owned(),
        identity: IDENTITY.to_owned(),
        exchange: Cloud::Global.token_exchange(),
        base: Some(machine.parse().unwrap()),
    }
}

/// A machine whose identity's tokens are vouched for by `key`: its address, and what it was asked.
async fn vouching(demo: &Demo, key: &Arc<Key>) -> (String, Arc<Mutex<Vec<BTreeMap<String, String>>>>) {
    let asked: Arc<Mutex<Vec<BTreeMap<String, String>>>> = Arc::default();
    let (noted, issuer, clock) = (Arc::clone(&asked), Arc::clone(key), demo.clock.clone());
    let hand_out = async move |Query(query): Query<BTreeMap<String, String>>| {
        noted.lock().unwrap().push(query);
        let until = Clock::system().now().as_second() + 3_599;
        Json(json!({"access_token": issuer.vouched(SUBJECT, &clock), "expires_in": "3599",
            "expires_on": until.to_string(), "resource": "api://AzureADTokenExchange", "token_type": "Bearer"}))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let machine = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().route("/metadata/identity/oauth2/token", get(hand_out));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (machine, asked)
}

/// The app has no secret: it trusts a managed identity, whose token from the machine is its assertion.
#[tokio::test]
async fn an_app_that_trusts_a_managed_identity_signs_in_by_its_token() {
    let demo = demo().await;
    let (key, client_id) = (Arc::new(Key::generate()), demo.service.client_id.clone());
    let trusted = |base: &str| trusting(&client_id, base);
    let (machine, asked) = vouching(&demo, &key).await;
    let refused = demo.read_as(trusted(&machine)).await.unwrap_err().to_string();
    assert!(refused.contains("AADSTS700027") && !refused.contains("eyJ"), "the app doesn't trust it yet: {refused}");
    demo.service.state().tokens.trust(key.trusted(|public| Trust::federation(&client_id, ISSUER, SUBJECT, public)));
    assert_eq!(demo.read_as(trusted(&machine)).await, Ok(25));
    let queries = asked.lock().unwrap().clone();
    let told = |name: &str| queries.iter().map(|query| query[name].as_str()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(told("resource"), ["api://AzureADTokenExchange"].into());
    assert_eq!(told("client_id"), [IDENTITY].into(), "the identity, not the app");

    // As the machine says it where the identity isn't assigned to it.
    let unassigned = async || {
        let said = json!({"error": "invalid_request", "error_description": "Identity not found"});
        (axum::http::StatusCode::BAD_REQUEST, Json(said))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new().route("/metadata/identity/oauth2/token", get(unassigned));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let gone = demo.read_as(trusted(&other)).await.unwrap_err().to_string();
    assert!(gone.contains("the managed identity gives no token"), "{gone}");
}

/// The identity that chats takes every kind of credential that the one that reads takes.
#[tokio::test]
async fn the_bot_posts_to_teams_with_a_certificate() {
    let demo = demo().await;
    let (key, bot) = (Key::generate(), demo.service.app_id.clone());
    let refused = demo.post_as(&key.credential(&bot)).await.unwrap_err();
    let said = format!("{refused:#}");
    assert!(said.contains("token for posting to Teams") && said.contains("AADSTS700027"), "{said}");
    assert!(!said.contains("PRIVATE KEY") && !said.contains("eyJ"), "{said}");
    let trust = key.trusted(|public| Trust::certificate(&bot, &key.thumbprint, public));
    demo.service.state().tokens.trust(trust);
    demo.post_as(&key.credential(&bot)).await.unwrap();
    assert_eq!(demo.posted().await, 2);
}

#[tokio::test]
async fn the_bot_posts_to_teams_with_another_issuers_token() {
    let demo = demo().await;
    let (key, bot) = (Key::generate(), demo.service.app_id.clone());
    demo.service.state().tokens.trust(key.trusted(|public| Trust::federation(&bot, ISSUER, SUBJECT, public)));
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    let credential = Credential::Federated { client_id: bot, token_file: token_file.clone() };
    key.vouch("system:serviceaccount:default:somebody-else", &demo.clock, &token_file);
    assert!(format!("{:#}", demo.post_as(&credential).await.unwrap_err()).contains("AADSTS700027"));
    key.vouch(SUBJECT, &demo.clock, &token_file);
    demo.post_as(&credential).await.unwrap();
    assert_eq!(demo.posted().await, 2);
}

#[tokio::test]
async fn the_bot_posts_to_teams_as_the_managed_identity_that_it_is_registered_with() {
    let demo = demo().await;
    let (bot, secret) = (demo.service.app_id.as_str(), demo.service.app_secret.as_str());
    let (machine, base) = Machine::of(&demo, (bot, secret), "https://api.botframework.com/.default").await;
    let credential = Credential::ManagedIdentity { client_id: Some(bot.to_owned()), base: Some(base.parse().unwrap()) };
    demo.post_as(&credential).await.unwrap();
    assert_eq!(demo.posted().await, 2);
    let asked = machine.asked.lock().unwrap();
    assert!(asked.iter().all(|query| query["resource"].starts_with("https://api.botframework.com")), "{asked:?}");
}

/// There is no secret of the bot either: its app trusts a managed identity.
#[tokio::test]
async fn the_bot_posts_to_teams_as_an_app_that_trusts_a_managed_identity() {
    let demo = demo().await;
    let (key, bot) = (Arc::new(Key::generate()), demo.service.app_id.clone());
    let (machine, asked) = vouching(&demo, &key).await;
    let refused = format!("{:#}", demo.post_as(&trusting(&bot, &machine)).await.unwrap_err());
    assert!(refused.contains("AADSTS700027") && !refused.contains("eyJ"), "the bot doesn't trust it yet: {refused}");
    demo.service.state().tokens.trust(key.trusted(|public| Trust::federation(&bot, ISSUER, SUBJECT, public)));
    demo.post_as(&trusting(&bot, &machine)).await.unwrap();
    assert_eq!(demo.posted().await, 2);
    assert!(asked.lock().unwrap().iter().all(|query| query["client_id"] == IDENTITY));
}

#[tokio::test]
async fn a_pasted_token_is_used_as_it_is_and_its_end_is_said() {
    let demo = demo().await;
    let (machine, _) = Machine::start(&demo).await;
    let answer =
        reqwest::Client::builder().build().unwrap().post(&machine.token_url).form(&machine.form).send().await.unwrap();
    let token = answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
    let client = demo.client(Credential::Fixed(token.into())).unwrap();
    assert_eq!(client.policies().await.unwrap().len(), 25);
    demo.service.state().tokens.expire_all();
    let said = client.policies().await.unwrap_err().to_string();
    assert_eq!(said, "no token for Microsoft Graph: the fixed token is not accepted any more");
}

#[tokio::test]
async fn each_cloud_asks_for_its_own_graph() {
    let demo = demo().await;
    for cloud in Cloud::ALL {
        let mut config = demo.config.clone();
        config.graph.cloud = cloud;
        let client = Client::new(&config, demo.clock.clone()).unwrap();
        assert_eq!(client.policies().await.unwrap().len(), 25);
        let audience = demo.service.state().tokens.last_audience();
        assert_eq!(audience.as_deref(), Some(cloud.graph()));
    }
}

/// The identity that reads can't write, the one that writes can't read people, and each does its own.
#[tokio::test]
async fn reading_and_writing_are_two_identities() {
    let demo = demo().await;
    demo.service.state().tokens.granted.lock().unwrap().remove(WRITE);
    let client = Client::new(&demo.config, demo.clock.clone()).unwrap();
    let as_reader = Writer::new(&demo.config, &client).unwrap().unwrap();
    let CreateOutcome::Rejected(GraphError::Forbidden { permission, .. }) = as_reader.create(&draft(&demo)).await
    else {
        panic!("the reader may write");
    };
    assert!(permission.contains(WRITE) && permission.contains("Policy.Read.All"), "it takes both: {permission}");
    let mut config = demo.config.clone();
    let (client_id, secret) = (demo.service.writer_id.clone(), demo.service.writer_secret.clone().into());
    config.write.credential = Some(Credential::ClientSecret { client_id, secret });
    let writer = Writer::new(&config, &client).unwrap().unwrap();
    assert!(matches!(writer.create(&draft(&demo)).await, CreateOutcome::Created(_)));
    let person = &demo.service.people[0].id;
    assert!(client.standing_of(person).await.is_ok());
    let as_writer = demo.client(config.write.credential.unwrap()).unwrap();
    assert!(matches!(as_writer.standing_of(person).await, Err(GraphError::Forbidden { .. })));
}

fn draft(demo: &Demo) -> ReportOnlyPolicy {
    let mut policy = Policy::default();
    policy.conditions.users.include.all = true;
    policy.conditions.users.exclude.groups.insert(demo.service.emergency_group.clone());
    policy.conditions.applications.all = true;
    policy.grant = Some(GrantControls { operator: Operator::Or, controls: [Control::Mfa].into() });
    ReportOnlyPolicy::new(&policy, "Require MFA [m]").unwrap()
}
