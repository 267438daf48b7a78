//! The configuration: a TOML file and the environment, validated into one [`Config`]; the only reader of the environment.
//!
//! Secrets come from the environment or from files of their own, never from the configuration file, and never show in
//! `Debug`. Addresses without TLS are accepted for loopback only.

mod cloud;
mod identity;
mod raw;
mod validate;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;

pub use cloud::Cloud;

use crate::tenant::Settings;
use crate::tenant::folder::decode;

/// Everything that can be set, checked. The fields are public so that `demo` and tests can turn single knobs.
#[derive(Clone, Debug)]
pub struct Config {
    /// There is a folder and no tenant: nothing is read again, and nobody sees a change that is made.
    pub offline: bool,
    /// The tenant that is watched.
    pub tenant: Tenant,
    /// How Microsoft Graph is reached.
    pub graph: Graph,
    /// Whether and as whom policies are created.
    pub write: Write,
    /// Address of the database, `sqlite:…` or `postgres://…`; may hold a password.
    pub store_url: SecretString,
    /// Where HTTP is served; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Teams, if connected.
    pub teams: Option<Teams>,
    /// The language model; none means that templates word every answer.
    pub model: Option<Model>,
    /// When runs and summaries are due.
    pub schedule: Schedule,
    /// Who may ask and who may decide.
    pub who: Who,
    /// Thresholds of checks, by name.
    pub thresholds: BTreeMap<String, f64>,
}

/// The tenant that is watched.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Tenant id.
    pub id: String,
    /// The organisation's name, as answers say it.
    pub name: String,
    /// Facts that Graph doesn't give.
    pub settings: Settings,
}

/// How Microsoft Graph is reached.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Where the tenant lives; its addresses are the defaults of those below.
    pub cloud: Cloud,
    /// Address without a version, such as `https://graph.microsoft.com/`.
    pub base: Url,
    /// Where tokens come from, such as `https://login.microsoftonline.com/`.
    pub login_base: Url,
    /// As whom it reads.
    pub credential: Credential,
    /// Days of the logs that are read.
    pub log_days: u16,
    /// How long one request may take.
    pub timeout: Duration,
    /// Wait between two readings after a write.
    pub read_back: Duration,
    /// W: how long a created policy may take to appear before a person is asked; never a second request to create.
    pub lag_bound: Duration,
    /// How often the audit log is read for changes.
    pub audit_poll: Duration,
    /// How far the logs of a first reading may lag behind policies and people before answers are given without them.
    pub early_after: Duration,
    /// Time between two requests, by service.
    pub pacing: Pacing,
    /// How failed readings are tried again.
    pub back_off: BackOff,
    /// The workspace that the tenant exports its sign-in log to; without one Graph's own log is read.
    pub log_analytics: Option<LogAnalytics>,
}

/// A Log Analytics workspace.
#[derive(Clone, Debug)]
pub struct LogAnalytics {
    /// Workspace id (a GUID).
    pub workspace: String,
    /// Address of the query API, such as `https://api.loganalytics.azure.com/`.
    pub base: Url,
    /// How long one query may take: longer than the service lets it run, or nobody would hear what came of it.
    pub timeout: Duration,
}

/// As whom one of the three identities signs in: the one that reads, the one that writes, the one that chats.
#[derive(Clone, Debug)]
pub enum Credential {
    /// An app registration with a client secret.
    ClientSecret {
        /// Application (client) id.
        client_id: String,
        /// Its secret.
        secret: SecretString,
    },
    /// An app registration with a certificate.
    Certificate {
        /// Application (client) id.
        client_id: String,
        /// PEM: the certificate and its RSA key.
        pem: SecretString,
    },
    /// An app registration that trusts another issuer (workload identity federation): Kubernetes, a pipeline.
    Federated {
        /// Application (client) id.
        client_id: String,
        /// File that holds the other issuer's token, which is read anew for each of ours.
        token_file: PathBuf,
    },
    /// The identity that Azure gives to the machine or service that this runs on.
    ManagedIdentity {
        /// Client id of a user-assigned identity; none means that of the system.
        client_id: Option<String>,
        /// The machine's metadata service where it isn't at its usual address; for tests.
        base: Option<Url>,
    },
    /// An app registration that trusts a user-assigned managed identity of Azure.
    TrustedIdentity {
        /// Application (client) id.
        client_id: String,
        /// Client id of the identity.
        identity: String,
        /// Audience of federated tokens in the tenant's cloud.
        exchange: &'static str,
        /// As for a managed identity.
        base: Option<Url>,
    },
    /// A token as it is, for a first try; it is never renewed.
    Fixed(SecretString),
}

impl Credential {
    /// The app registration's client id; a managed identity and a fixed token have none that could be consented to.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::ClientSecret { client_id, .. }
            | Self::Certificate { client_id, .. }
            | Self::Federated { client_id, .. }
            | Self::TrustedIdentity { client_id, .. } => Some(client_id),
            Self::ManagedIdentity { .. } | Self::Fixed(_) => None,
        }
    }

    /// Its kind, in one word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ClientSecret { .. } => "secret",
            Self::Certificate { .. } => "certificate",
            Self::Federated { .. } | Self::TrustedIdentity { .. } => "federated",
            Self::ManagedIdentity { .. } => "managed",
            Self::Fixed(_) => "fixed",
        }
    }
}

/// Time that a request to each service takes up; zero means no pacing.
#[derive(Clone, Copy, Debug)]
pub struct Pacing {
    /// Conditional Access and Identity Protection.
    pub conditional_access: Duration,
    /// Sign-ins, audit records, registration details.
    pub reports: Duration,
    /// Everything else, for each resource unit that a request costs.
    pub directory: Duration,
}

/// How failed readings are tried again: after `first`, doubled each time, with jitter.
#[derive(Clone, Copy, Debug)]
pub struct BackOff {
    /// Wait after the first failure.
    pub first: Duration,
    /// Longest wait of our own choice.
    pub longest: Duration,
    /// Tries in all, at least 1.
    pub attempts: usize,
    /// How long a reading waits in all because Graph asks for it (`Retry-After`), which may be longer.
    pub patience: Duration,
}

/// Whether and as whom policies are created, always in report-only mode.
#[derive(Clone, Debug)]
pub struct Write {
    /// Who makes the change.
    pub mode: WriteMode,
    /// Its own app registration; none means that of [`Graph`].
    pub credential: Option<Credential>,
}

/// Who makes a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteMode {
    /// A person, from the card; the bot watches the audit log.
    #[default]
    HandOver,
    /// The approver's own rights (not offered yet; refused when configured).
    Approver,
    /// The app, with its own permission.
    App,
}

/// Teams.
#[derive(Clone, Debug)]
pub struct Teams {
    /// App id of the bot.
    pub app_id: String,
    /// As whom it signs in to post.
    pub credential: Credential,
    /// Tenants whose people it talks to.
    pub tenants: BTreeSet<String>,
    /// Who issues inbound tokens, and for whom outbound ones are.
    pub issuer: String,
    /// Where the keys of inbound tokens are published.
    pub openid_metadata: Url,
    /// Where outbound tokens come from.
    pub login_base: Url,
    /// Hosts that replies may be sent to.
    pub service_hosts: BTreeSet<String>,
    /// Accept unauthenticated activities from loopback, for the Agents Playground. No key of the file sets it.
    pub playground: bool,
}

/// A language model behind an OpenAI-compatible address.
#[derive(Clone, Debug)]
pub struct Model {
    /// Address up to and without `/chat/completions`.
    pub base_url: Url,
    /// Its name.
    pub model: String,
    /// Its key, if it needs one.
    pub api_key: Option<SecretString>,
    /// How long an answer may take before the template's text is sent.
    pub deadline: Duration,
    /// What it may see.
    pub mode: ModelMode,
}

/// What a language model may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelMode {
    /// It isn't asked.
    Off,
    /// It is run by the organisation itself and sees everything.
    Local,
    /// It sees no names, only stand-ins.
    Pseudonymised,
    /// It sees everything.
    Full,
}

/// When runs and summaries are due.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Runs, as five cron fields in the zone below.
    pub run: String,
    /// Local time of the daily summary.
    pub summary: Time,
    /// The zone of both.
    pub zone: TimeZone,
}

/// Who may ask and who may decide.
#[derive(Clone, Debug)]
pub struct Who {
    /// May ask; approvers may too.
    pub readers: People,
    /// May decide, start runs, and change settings.
    pub approvers: People,
    /// How many people must approve, 1 or 2.
    pub approvals_needed: u8,
}

/// People, by directory role or group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Template ids of directory roles.
    pub roles: BTreeSet<String>,
    /// Object ids of groups.
    pub groups: BTreeSet<String>,
}

/// What is wrong with the configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {key}: {problem}")]
pub struct ConfigError {
    /// The file, or `environment`.
    pub file: String,
    /// The key with its section, or the line.
    pub key: String,
    /// What is wrong and what is expected.
    pub problem: String,
}

/// The variables of the environment that begin with `PORTCULLIS_`.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let ours = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(ours).filter(|(name, _)| name.starts_with("PORTCULLIS_")).collect())
    }

    /// An environment for tests and for `demo`.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// Which log lines are written, in the words of `tracing-subscriber`'s filter (`PORTCULLIS_LOG`).
    #[must_use]
    pub fn log_filter(&self) -> Option<&str> {
        self.get("PORTCULLIS_LOG")
    }

    /// The key of the model endpoint (`PORTCULLIS_MODEL_API_KEY`).
    #[must_use]
    pub fn model_api_key(&self) -> Option<SecretString> {
        self.get("PORTCULLIS_MODEL_API_KEY").map(|key| key.to_owned().into())
    }

    /// Folder to which logs and the requests that the demo's tenant saw are appended (`PORTCULLIS_RECORD`).
    #[must_use]
    pub fn record_folder(&self) -> Option<std::path::PathBuf> {
        self.get("PORTCULLIS_RECORD").map(Into::into)
    }

    /// A variable that is set and not empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Where a tenant on this machine is reached: the demo's, or a test's.
#[derive(Clone, Copy, Debug)]
pub struct Loopback<'a> {
    /// Base address of Graph, which answers token requests as well.
    pub graph: &'a str,
    /// Base address of the token endpoint.
    pub login: &'a str,
    /// Tenant id.
    pub tenant_id: &'a str,
    /// Client id.
    pub client_id: &'a str,
    /// Client secret.
    pub client_secret: &'a str,
    /// Address of the database.
    pub store: &'a str,
}

impl Config {
    /// Reads and checks the file at `path` together with the environment.
    pub fn load(path: &Path, env: &Env) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        match text_of(path) {
            Ok(text) => Self::parse(&text, &file, env),
            Err(problem) => Err(ConfigError { file, key: "file".to_owned(), problem }),
        }
    }

    /// Checks the text of a configuration file; `file` is its name in errors.
    pub fn parse(text: &str, file: &str, env: &Env) -> Result<Self, ConfigError> {
        validate::validate(text, file, env)
    }

    /// A commented configuration file, which parses.
    #[must_use]
    pub fn example() -> &'static str {
        include_str!("../docs/portcullis.example.toml")
    }

    /// The configuration for a tenant on this machine: no pacing, short waits, writing as the app, a free port.
    pub fn loopback(at: Loopback<'_>) -> Result<Self, ConfigError> {
        let env = Env::of(&[
            ("PORTCULLIS_TENANT_ID", at.tenant_id),
            ("PORTCULLIS_CLIENT_ID", at.client_id),
            ("PORTCULLIS_CLIENT_SECRET", at.client_secret),
            ("PORTCULLIS_GRAPH_BASE", at.graph),
            ("PORTCULLIS_LOGIN_BASE", at.login),
            ("PORTCULLIS_STORE_URL", at.store),
        ]);
        Self::parse(include_str!("config/loopback.toml"), "built-in configuration", &env)
    }

    /// Graph is asked at the pace of production, as a service asks for that holds its limits.
    pub fn at_the_pace_of_production(&mut self) -> Result<(), ConfigError> {
        let env = Env::of(&[("PORTCULLIS_TENANT_ID", &self.tenant.id), ("PORTCULLIS_GRAPH_TOKEN", "none")]);
        let production = Self::parse("", "built-in configuration", &env)?.graph;
        self.graph.pacing = production.pacing;
        self.graph.back_off = production.back_off;
        self.graph.audit_poll = production.audit_poll;
        Ok(())
    }
}

/// The text of a file in any encoding that editors and shells write, or what is wrong with it.
fn text_of(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    decode(&bytes).ok_or_else(|| "expected text in UTF-8 or UTF-16".to_owned())
}
