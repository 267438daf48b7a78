//! From the file as written to a checked configuration: the first thing that is wrong, with its key and what is expected.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use reqwest::Url;
use secrecy::SecretString;

use super::identity::RawIdentity;
use super::raw::{
    Raw, RawGraph, RawLogAnalytics, RawModel, RawPeople, RawSchedule, RawTeams, RawTenant, RawWho, RawWrite,
};
use super::{
    BackOff, Cloud, Config, ConfigError, Credential, Env, Graph, LogAnalytics, Model, Pacing, People, Schedule, Teams,
    Tenant, Who, Write, WriteMode, text_of,
};
use crate::tenant::Settings;
use crate::tenant::snapshot::BaselineScopes;
use crate::tenant::well_known;

/// Reads and checks one configuration.
pub(super) fn validate(text: &str, file: &str, env: &Env) -> Result<Config, ConfigError> {
    let at = Source { file, env };
    let mut raw = at.raw(text)?;
    at.override_from_environment(&mut raw);
    let mut tenant = at.tenant(raw.tenant, raw.graph.cloud)?;
    tenant.settings.naming = at.naming(raw.write.naming.take())?;
    Ok(Config {
        offline: false,
        graph: at.graph(&raw.graph, raw.log_analytics.as_ref())?,
        write: at.write(&raw.write, &raw.graph)?,
        store_url: SecretString::from(raw.store.url),
        listen: at.read("web.listen", &raw.web.listen, "an address and port, such as 127.0.0.1:3978")?,
        teams: raw.teams.map(|teams| at.teams(teams, &raw.graph, &tenant.id)).transpose()?,
        model: raw.model.map(|model| at.model(model)).transpose()?,
        schedule: at.schedule(&raw.schedule)?,
        who: at.who(raw.who)?,
        thresholds: raw.thresholds,
        tenant,
    })
}

/// The places that values come from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    file: &'a str,
    env: &'a Env,
}

impl Source<'_> {
    pub(super) fn error(self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError { file: self.file.to_owned(), key: key.to_owned(), problem: problem.into() }
    }

    /// The message of the parser without its excerpt of the file, which could show a secret that was put there.
    fn raw(self, text: &str) -> Result<Raw, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            self.error(&format!("line {line}"), error.message().lines().next().unwrap_or("not valid TOML"))
        })
    }

    fn override_from_environment(self, raw: &mut Raw) {
        let overrides = [
            ("PORTCULLIS_TENANT_ID", &mut raw.tenant.id),
            ("PORTCULLIS_CLIENT_ID", &mut raw.graph.client_id),
            ("PORTCULLIS_GRAPH_BASE", &mut raw.graph.base),
            ("PORTCULLIS_LOGIN_BASE", &mut raw.graph.login_base),
            ("PORTCULLIS_STORE_URL", &mut raw.store.url),
            ("PORTCULLIS_LISTEN", &mut raw.web.listen),
        ];
        for (name, value) in overrides {
            if let Some(set) = self.env.get(name) {
                set.clone_into(value);
            }
        }
    }

    fn tenant(self, raw: RawTenant, cloud: Cloud) -> Result<Tenant, ConfigError> {
        let id = self.guid("tenant.id", &raw.id)?;
        let emergency_access = self.guids("tenant.emergency_access", &raw.emergency_access)?;
        let baseline_scopes = match raw.baseline_scopes.as_deref() {
            None | Some("unknown") => BaselineScopes::Unknown,
            Some("legacy") => BaselineScopes::Legacy,
            Some("enforced") => BaselineScopes::Enforced,
            Some(app) => BaselineScopes::CustomTarget(self.guid("tenant.baseline_scopes", app)?),
        };
        let settings = Settings {
            mfa_trusted_ips: raw.mfa_trusted_ips,
            app_groups: raw.app_groups,
            baseline_scopes,
            emergency_access,
            intune_secure_by_default: raw.intune_secure_by_default,
            naming: None,
            environment: cloud.environment(),
        };
        Ok(Tenant { name: if raw.name.is_empty() { id.clone() } else { raw.name }, id, settings })
    }

    fn graph(self, raw: &RawGraph, log: Option<&RawLogAnalytics>) -> Result<Graph, ConfigError> {
        if raw.back_off.attempts == 0 {
            return Err(self.error("graph.back_off.attempts", "is 0; expected at least 1, the first try"));
        }
        let fixed = self.env.get("PORTCULLIS_GRAPH_TOKEN").map(SecretString::from);
        let base = or(&raw.base, raw.cloud.graph());
        Ok(Graph {
            cloud: raw.cloud,
            base: self.address("graph.base", base.trim_end_matches('/').trim_end_matches("/v1.0"))?,
            login_base: self.address("graph.login_base", or(&raw.login_base, raw.cloud.login()))?,
            credential: match fixed {
                Some(token) => Credential::Fixed(token),
                None => self.identity(&GRAPH_KEYS, raw.into())?,
            },
            log_days: raw.log_days,
            timeout: self.duration("graph.timeout", raw.timeout)?,
            read_back: self.duration("graph.read_back", raw.read_back)?,
            lag_bound: self.duration("graph.lag_bound", raw.lag_bound)?,
            audit_poll: self.duration("graph.audit_poll", raw.audit_poll)?,
            early_after: self.duration("graph.early_after", raw.early_after)?,
            pacing: Pacing {
                conditional_access: self.duration("graph.pacing.conditional_access", raw.pacing.conditional_access)?,
                reports: self.duration("graph.pacing.reports", raw.pacing.reports)?,
                directory: self.duration("graph.pacing.directory", raw.pacing.directory)?,
            },
            back_off: BackOff {
                first: self.duration("graph.back_off.first", raw.back_off.first)?,
                longest: self.duration("graph.back_off.longest", raw.back_off.longest)?,
                attempts: usize::try_from(raw.back_off.attempts).unwrap_or(usize::MAX),
                patience: self.duration("graph.back_off.patience", raw.back_off.patience)?,
            },
            log_analytics: log.map(|log| self.log_analytics(log, raw.cloud)).transpose()?,
        })
    }

    fn log_analytics(self, raw: &RawLogAnalytics, cloud: Cloud) -> Result<LogAnalytics, ConfigError> {
        Ok(LogAnalytics {
            workspace: self.guid("log_analytics.workspace", &raw.workspace)?,
            base: self.address("log_analytics.base", or(&raw.base, cloud.log_analytics()))?,
            timeout: self.duration("log_analytics.timeout", raw.timeout)?,
        })
    }

    fn write(self, raw: &RawWrite, machine: &RawGraph) -> Result<Write, ConfigError> {
        if raw.mode == WriteMode::Approver {
            return Err(self.error("write.mode", "\"approver\" is not offered yet; use \"hand-over\" or \"app\""));
        }
        let own = RawIdentity::from(raw).on(machine);
        let credential = own.is_given().then(|| self.identity(&WRITE_KEYS, own)).transpose()?;
        Ok(Write { mode: raw.mode, credential })
    }

    /// The template for names of new policies, which must say what a policy does.
    fn naming(self, naming: Option<String>) -> Result<Option<String>, ConfigError> {
        let says = |naming: &String| naming.contains("{name}") || naming.contains("{what}");
        if naming.as_ref().is_some_and(|naming| !says(naming)) {
            return Err(self.error("write.naming", "lacks {name}, which stands for the suggested name, or {what}"));
        }
        Ok(naming)
    }

    fn teams(self, raw: RawTeams, graph: &RawGraph, tenant: &str) -> Result<Teams, ConfigError> {
        let (cloud, app_id) = (graph.cloud, self.guid("teams.app_id", &raw.app_id)?);
        let credential = self.identity(&TEAMS_KEYS, RawIdentity::from(&raw).on(graph))?;
        if let Credential::ManagedIdentity { client_id, .. } = &credential
            && client_id.as_ref() != Some(&app_id)
        {
            let problem = "isn't the bot; expected teams.app_id, the client id of the user-assigned identity that the \
                bot is registered with";
            return Err(self.error(TEAMS_KEYS.managed, problem));
        }
        let tenants = raw.tenants.unwrap_or_else(|| BTreeSet::from([tenant.to_owned()]));
        Ok(Teams {
            app_id,
            credential,
            tenants: self.guids("teams.tenants", &tenants)?,
            issuer: cloud.bot_issuer().to_owned(),
            openid_metadata: self
                .address("teams.openid_metadata", raw.openid_metadata.as_deref().unwrap_or(cloud.bot_metadata()))?,
            login_base: self.address("teams.login_base", raw.login_base.as_deref().unwrap_or(cloud.login()))?,
            service_hosts: raw
                .service_hosts
                .unwrap_or_else(|| cloud.teams_hosts().iter().map(|&host| host.to_owned()).collect()),
            playground: false,
        })
    }

    fn model(self, raw: RawModel) -> Result<Model, ConfigError> {
        if raw.model.is_empty() {
            return Err(self.error("model.model", "is missing; expected the name of a model"));
        }
        Ok(Model {
            base_url: self.address("model.base_url", &raw.base_url)?,
            model: raw.model,
            api_key: self.env.get("PORTCULLIS_MODEL_API_KEY").map(SecretString::from),
            deadline: self.duration("model.deadline", raw.deadline)?,
            mode: raw.mode,
        })
    }

    fn schedule(self, raw: &RawSchedule) -> Result<Schedule, ConfigError> {
        let _: croner::Cron = self.read("schedule.run", &raw.run, "five cron fields, such as \"0 3 * * *\"")?;
        let zone = TimeZone::get(&raw.zone).map_err(|_| {
            self.error(
                "schedule.zone",
                format!("{:?} is not a time zone; expected one such as \"Europe/Berlin\"", raw.zone),
            )
        })?;
        let summary = self.read("schedule.summary", &raw.summary, "a time of day, such as \"08:00\"")?;
        Ok(Schedule { run: raw.run.clone(), summary, zone })
    }

    fn who(self, raw: RawWho) -> Result<Who, ConfigError> {
        if !(1..=2).contains(&raw.approvals_needed) {
            return Err(self.error("who.approvals_needed", format!("is {}; expected 1 or 2", raw.approvals_needed)));
        }
        Ok(Who {
            readers: self.people(
                "who.readers",
                raw.readers,
                &[well_known::SECURITY_READER, well_known::GLOBAL_READER],
            )?,
            approvers: self.people("who.approvers", raw.approvers, &APPROVER_ROLES)?,
            approvals_needed: raw.approvals_needed,
        })
    }

    fn people(self, key: &str, raw: Option<RawPeople>, default_roles: &[&str]) -> Result<People, ConfigError> {
        let Some(raw) = raw else {
            return Ok(People {
                roles: default_roles.iter().map(|&id| id.to_owned()).collect(),
                groups: BTreeSet::new(),
            });
        };
        let roles = raw.roles.iter().map(|role| self.role(&format!("{key}.roles"), role)).collect::<Result<_, _>>()?;
        Ok(People { roles, groups: self.guids(&format!("{key}.groups"), &raw.groups)? })
    }

    /// The template id of a role given by id or by name.
    fn role(self, key: &str, role: &str) -> Result<String, ConfigError> {
        let readers = [(well_known::SECURITY_READER, "Security Reader"), (well_known::GLOBAL_READER, "Global Reader")];
        let named =
            well_known::ADMIN_ROLES.iter().copied().chain(readers).find(|(_, name)| name.eq_ignore_ascii_case(role));
        match named {
            Some((id, _)) => Ok(id.to_owned()),
            None => self.guid(key, role).map_err(|_| {
                self.error(key, format!("{role:?} is not a role known by name; give its template id instead"))
            }),
        }
    }

    /// A secret from the environment, or else from the file named for it.
    pub(super) fn secret(self, keys: &Keys, file: Option<&Path>) -> Result<SecretString, ConfigError> {
        if let Some(secret) = self.env.get(keys.variable) {
            return Ok(SecretString::from(secret));
        }
        let Some(file) = file.map(Path::to_path_buf) else {
            let problem = format!("is missing; set {} or name a file that holds the secret", keys.variable);
            return Err(self.error(keys.file, problem));
        };
        self.secret_in(keys, &file)
    }

    fn secret_in(self, keys: &Keys, file: &Path) -> Result<SecretString, ConfigError> {
        let text = text_of(file).map_err(|problem| self.error(keys.file, format!("{}: {problem}", file.display())))?;
        match text.trim() {
            "" => Err(self.error(keys.file, format!("{} is empty; expected the secret", file.display()))),
            secret => Ok(SecretString::from(secret)),
        }
    }

    /// An address with TLS, or one of this machine; always with a final slash where it is a base.
    pub(super) fn address(self, key: &str, text: &str) -> Result<Url, ConfigError> {
        let url: Url = self.read(key, text, "an address such as https://graph.microsoft.com")?;
        let loopback = url.host_str().is_some_and(is_loopback);
        match url.scheme() {
            "https" => Ok(url),
            "http" if loopback => Ok(url),
            _ => {
                Err(self.error(key, format!("{url} is not protected by TLS; expected https (http only for loopback)")))
            }
        }
    }

    pub(super) fn guid(self, key: &str, text: &str) -> Result<String, ConfigError> {
        if text.is_empty() {
            return Err(self.error(key, "is missing; expected an id such as 00000000-1111-2222-3333-444444444444"));
        }
        let id: uuid::Uuid = self.read(key, text, "an id such as 00000000-1111-2222-3333-444444444444")?;
        Ok(id.hyphenated().to_string())
    }

    fn guids(self, key: &str, ids: &BTreeSet<String>) -> Result<BTreeSet<String>, ConfigError> {
        ids.iter().map(|id| self.guid(key, id)).collect()
    }

    fn duration(self, key: &str, value: SignedDuration) -> Result<Duration, ConfigError> {
        Duration::try_from(value).map_err(|_| self.error(key, "is negative; expected a time such as \"1s\""))
    }

    fn read<T: FromStr>(self, key: &str, text: &str, expected: &str) -> Result<T, ConfigError> {
        text.parse().map_err(|_| self.error(key, format!("{text:?} is not valid; expected {expected}")))
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What is set, or else this.
fn or<'a>(set: &'a str, default: &'a str) -> &'a str {
    if set.is_empty() { default } else { set }
}

/// The names under which one identity is configured.
pub(super) struct Keys {
    pub(super) id: &'static str,
    pub(super) file: &'static str,
    pub(super) variable: &'static str,
    pub(super) certificate: &'static str,
    pub(super) trusted: &'static str,
    pub(super) managed: &'static str,
}

const GRAPH_KEYS: Keys = Keys {
    id: "graph.client_id",
    file: "graph.client_secret_file",
    variable: "PORTCULLIS_CLIENT_SECRET",
    certificate: "graph.certificate_file",
    trusted: "graph.federated_managed_identity",
    managed: "graph.managed_identity",
};
const WRITE_KEYS: Keys = Keys {
    id: "write.client_id",
    file: "write.client_secret_file",
    variable: "PORTCULLIS_WRITE_CLIENT_SECRET",
    certificate: "write.certificate_file",
    trusted: "write.federated_managed_identity",
    managed: "write.managed_identity",
};
const TEAMS_KEYS: Keys = Keys {
    id: "teams.app_id",
    file: "teams.app_secret_file",
    variable: "PORTCULLIS_TEAMS_APP_SECRET",
    certificate: "teams.certificate_file",
    trusted: "teams.federated_managed_identity",
    managed: "teams.managed_identity",
};

const APPROVER_ROLES: [&str; 3] = [
    well_known::CONDITIONAL_ACCESS_ADMINISTRATOR,
    well_known::SECURITY_ADMINISTRATOR,
    well_known::GLOBAL_ADMINISTRATOR,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Loopback, ModelMode};
    use secrecy::ExposeSecret;

    const MINIMAL: &str = "[tenant]\nid = '00000000-1111-2222-3333-444444444444'\n[graph]\nclient_id = '55555555-6666-7777-8888-999999999999'\n";

    fn secret() -> Env {
        Env::of(&[("PORTCULLIS_CLIENT_SECRET", "the-secret")])
    }

    fn complaint(extra: &str) -> String {
        Config::parse(&format!("{MINIMAL}{extra}"), "p.toml", &secret()).unwrap_err().to_string()
    }

    #[test]
    fn the_example_parses_and_says_the_defaults() {
        let config = Config::parse(Config::example(), "example", &secret()).unwrap();
        assert_eq!(config.write.mode, WriteMode::HandOver);
        assert_eq!(config.graph.lag_bound, Duration::from_mins(15));
        assert_eq!(config.who.readers.roles.len(), 2);
        let bare = Config::parse(MINIMAL, "p.toml", &secret()).unwrap();
        assert_eq!(config.who.approvers, bare.who.approvers);
        assert_eq!(config.graph.pacing.reports, bare.graph.pacing.reports);
    }

    /// Uncommented, the lines of the example are keys that exist.
    #[test]
    fn every_commented_key_of_the_example_exists() {
        let is_setting = |line: &str| {
            let bare = line.trim_start_matches("# ");
            bare.starts_with('[') || bare.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
        };
        let lines = Config::example().lines().filter(|line| is_setting(line)).map(|line| line.trim_start_matches("# "));
        let text: Vec<&str> = lines.collect();
        let raw: Result<Raw, _> = toml::from_str(&text.join("\n"));
        assert!(raw.is_ok(), "{raw:?}");
    }

    #[test]
    fn errors_name_file_key_and_expectation() {
        insta::assert_snapshot!(
            [
                complaint("client_secret = 'hunter2'\n"),
                complaint("base = 'http://graph.example'\n"),
                complaint("[write]\nmode = 'approver'\n"),
                complaint("[write]\nmode = 'yolo'\n"),
                complaint("[write]\nnaming = 'CA'\n"),
                complaint("[who]\napprovals_needed = 3\n"),
                complaint("[who.readers]\nroles = ['Chief Reader']\n"),
                complaint("[schedule]\nzone = 'Mars/Olympus'\n"),
                complaint("[schedule]\nrun = 'daily'\n"),
                complaint("[teams]\napp_id = '55555555-6666-7777-8888-999999999999'\n"),
                complaint("timeout = '-1s'\n"),
                Config::parse("", "p.toml", &secret()).unwrap_err().to_string(),
                Config::parse(MINIMAL, "p.toml", &Env::default()).unwrap_err().to_string(),
            ]
            .join("\n"),
            @r#"
        p.toml: line 5: unknown field `client_secret`, expected one of `cloud`, `base`, `login_base`, `client_id`, `client_secret_file`, `certificate_file`, `federated_token_file`, `federated_managed_identity`, `managed_identity`, `imds_base`, `log_days`, `timeout`, `read_back`, `lag_bound`, `audit_poll`, `early_after`, `pacing`, `back_off`
        p.toml: graph.base: http://graph.example/ is not protected by TLS; expected https (http only for loopback)
        p.toml: write.mode: "approver" is not offered yet; use "hand-over" or "app"
        p.toml: line 6: unknown variant `yolo`, expected one of `hand-over`, `approver`, `app`
        p.toml: write.naming: lacks {name}, which stands for the suggested name, or {what}
        p.toml: who.approvals_needed: is 3; expected 1 or 2
        p.toml: who.readers.roles: "Chief Reader" is not a role known by name; give its template id instead
        p.toml: schedule.zone: "Mars/Olympus" is not a time zone; expected one such as "Europe/Berlin"
        p.toml: schedule.run: "daily" is not valid; expected five cron fields, such as "0 3 * * *"
        p.toml: teams.app_secret_file: is missing; set PORTCULLIS_TEAMS_APP_SECRET or name a file that holds the secret
        p.toml: graph.timeout: is negative; expected a time such as "1s"
        p.toml: tenant.id: is missing; expected an id such as 00000000-1111-2222-3333-444444444444
        p.toml: graph.client_secret_file: is missing; set PORTCULLIS_CLIENT_SECRET or name a file that holds the secret
        "#
        );
    }

    #[test]
    fn secrets_come_from_environment_or_file_and_never_show() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "from-a-file\n").unwrap();
        let text = format!("{MINIMAL}client_secret_file = '{}'\n", path.display());
        let config = Config::parse(&text, "p.toml", &Env::default()).unwrap();
        let Credential::ClientSecret { secret, .. } = &config.graph.credential else { panic!("not a secret") };
        assert_eq!(secret.expose_secret(), "from-a-file");
        assert!(!format!("{config:?}").contains("from-a-file"));
    }

    /// As Windows PowerShell writes them.
    #[test]
    fn files_in_utf_16_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let (path, text) = (dir.path().join(name), format!("\u{FEFF}{text}"));
            std::fs::write(&path, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()).unwrap();
            path
        };
        let key = file("secret", "from-a-file\r\n");
        let path = file("p.toml", &format!("{MINIMAL}client_secret_file = '{}'\n", key.display()));
        let config = Config::load(&path, &Env::default()).unwrap();
        let Credential::ClientSecret { secret, .. } = &config.graph.credential else { panic!("not a secret") };
        assert_eq!(secret.expose_secret(), "from-a-file");
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in ["http://127.0.0.1:80", "http://localhost:1", "http://[::1]:9", "https://graph.microsoft.us/v1.0/"]
        {
            assert!(Config::parse(&format!("{MINIMAL}base = '{good}'"), "p", &secret()).is_ok(), "{good}");
        }
        for bad in ["http://127.0.0.1.example.com", "ftp://127.0.0.1", "http://10.0.0.1", "file:///etc/passwd"] {
            assert!(Config::parse(&format!("{MINIMAL}base = '{bad}'"), "p", &secret()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tenant_on_this_machine_needs_no_file() {
        let at = Loopback {
            graph: "http://127.0.0.1:1",
            login: "http://127.0.0.1:1",
            tenant_id: "00000000-1111-2222-3333-444444444444",
            client_id: "55555555-6666-7777-8888-999999999999",
            client_secret: "s",
            store: "sqlite::memory:",
        };
        let config = Config::loopback(at).unwrap();
        assert_eq!(config.write.mode, WriteMode::App);
        assert_eq!(config.graph.pacing.conditional_access, Duration::ZERO);
        assert!(config.model.is_none_or(|model| model.mode == ModelMode::Off));
    }
}
