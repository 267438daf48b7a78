//! Signing in, each way against the demo's token endpoint or a small identity service: the token works on Graph, and what is
//! wrong is refused without a secret being said.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of a test may fail it")]
#![expect(clippy::disallowed_methods, reason = "a fake service is a client of its own")]

mod at_demo;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

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
use portcullis::clock::Clock;
use portcullis::config::{Cloud, Config, Credential};
use portcullis::demo::permissions::WRITE;
use portcullis::demo::trust::{PublicKey, Trust};
use portcullis::demo::{Options, Seed, Service, Tenant};
use portcullis::graph::{Client, CreateOutcome, GraphError, Writer};
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
    let write = |subject: &str| {
        let now = demo.clock.now().as_second();
        let claims =
            json!({"iss": ISSUER, "sub": subject, "aud": "api://AzureADTokenExchange", "nbf": now, "exp": now + 600});
        let signing = EncodingKey::from_rsa_pem(
            key.pem.split_inclusive("-----END CERTIFICATE-----\n").last().unwrap().as_bytes(),
        );
        let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &signing.unwrap()).unwrap();
        std::fs::write(&token_file, token).unwrap();
    };
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
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &demo.service.client_id),
            ("client_secret", &demo.service.client_secret),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
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
