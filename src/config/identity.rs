//! As whom the program signs in: exactly one kind of credential for each identity.

use std::path::Path;

use reqwest::Url;
use secrecy::SecretString;

use super::raw::{RawGraph, RawTeams, RawWrite};
use super::validate::{Keys, Source};
use super::{Cloud, ConfigError, Credential, text_of};

/// The keys of one identity as they stand in the file.
#[derive(Clone, Copy)]
pub(super) struct RawIdentity<'a> {
    client_id: &'a str,
    client_secret_file: Option<&'a Path>,
    certificate_file: Option<&'a Path>,
    federated_token_file: Option<&'a Path>,
    federated_managed_identity: Option<&'a str>,
    managed_identity: Option<&'a str>,
    imds_base: Option<&'a str>,
    cloud: Cloud,
}

impl<'a> From<&'a RawGraph> for RawIdentity<'a> {
    fn from(raw: &'a RawGraph) -> Self {
        Self {
            client_id: &raw.client_id,
            client_secret_file: raw.client_secret_file.as_deref(),
            certificate_file: raw.certificate_file.as_deref(),
            federated_token_file: raw.federated_token_file.as_deref(),
            federated_managed_identity: raw.federated_managed_identity.as_deref(),
            managed_identity: raw.managed_identity.as_deref(),
            imds_base: raw.imds_base.as_deref(),
            cloud: raw.cloud,
        }
    }
}

impl<'a> From<&'a RawWrite> for RawIdentity<'a> {
    fn from(raw: &'a RawWrite) -> Self {
        Self {
            client_id: raw.client_id.as_deref().unwrap_or_default(),
            client_secret_file: raw.client_secret_file.as_deref(),
            certificate_file: raw.certificate_file.as_deref(),
            federated_token_file: raw.federated_token_file.as_deref(),
            federated_managed_identity: raw.federated_managed_identity.as_deref(),
            managed_identity: raw.managed_identity.as_deref(),
            imds_base: None,
            cloud: Cloud::Global,
        }
    }
}

impl<'a> From<&'a RawTeams> for RawIdentity<'a> {
    fn from(raw: &'a RawTeams) -> Self {
        Self {
            client_id: &raw.app_id,
            client_secret_file: raw.app_secret_file.as_deref(),
            certificate_file: raw.certificate_file.as_deref(),
            federated_token_file: raw.federated_token_file.as_deref(),
            federated_managed_identity: raw.federated_managed_identity.as_deref(),
            managed_identity: raw.managed_identity.as_deref(),
            imds_base: None,
            cloud: Cloud::Global,
        }
    }
}

impl<'a> RawIdentity<'a> {
    /// The machine has one identity service, whoever signs in, and the tenant is in one cloud.
    pub(super) fn on(self, machine: &'a RawGraph) -> Self {
        Self { imds_base: machine.imds_base.as_deref(), cloud: machine.cloud, ..self }
    }

    /// Whether anything is said of it.
    pub(super) fn is_given(&self) -> bool {
        !self.client_id.is_empty() || self.kinds() > 0
    }

    fn kinds(&self) -> usize {
        let files = [self.client_secret_file, self.certificate_file, self.federated_token_file];
        let identities = [self.federated_managed_identity, self.managed_identity];
        files.iter().flatten().count() + identities.iter().flatten().count()
    }
}

impl Source<'_> {
    /// The one credential that is configured; a client secret is what is expected when nothing is.
    pub(super) fn identity(self, keys: &Keys, raw: RawIdentity<'_>) -> Result<Credential, ConfigError> {
        if raw.kinds() > 1 {
            let problem = "stands beside another credential; choose one of a client secret, a certificate, a federated \
                token, a trusted identity and a managed identity";
            return Err(self.error(keys.file, problem));
        }
        if let Some(which) = raw.managed_identity {
            return self.managed_identity(keys, which, raw.imds_base);
        }
        let client_id = self.guid(keys.id, raw.client_id)?;
        if let Some(identity) = raw.federated_managed_identity {
            let (identity, base) = (self.guid(keys.trusted, identity)?, self.machine(raw.imds_base)?);
            return Ok(Credential::TrustedIdentity { client_id, identity, exchange: raw.cloud.token_exchange(), base });
        }
        if let Some(file) = raw.certificate_file {
            return Ok(Credential::Certificate { client_id, pem: self.certificate(keys, file)? });
        }
        if let Some(file) = raw.federated_token_file {
            return Ok(Credential::Federated { client_id, token_file: file.to_owned() });
        }
        Ok(Credential::ClientSecret { client_id, secret: self.secret(keys, raw.client_secret_file)? })
    }

    fn managed_identity(self, keys: &Keys, which: &str, base: Option<&str>) -> Result<Credential, ConfigError> {
        let client_id = match which {
            "system" => None,
            id => Some(self.guid(keys.managed, id)?),
        };
        Ok(Credential::ManagedIdentity { client_id, base: self.machine(base)? })
    }

    /// Where the machine's identity service is, if not at its usual address.
    fn machine(self, base: Option<&str>) -> Result<Option<Url>, ConfigError> {
        base.map(|base| self.address("graph.imds_base", base)).transpose()
    }

    /// The text of a PEM file that holds a certificate and its private key.
    fn certificate(self, keys: &Keys, file: &Path) -> Result<SecretString, ConfigError> {
        let wrong = |problem: String| self.error(keys.certificate, format!("{}: {problem}", file.display()));
        let text = text_of(file).map_err(wrong)?;
        for part in ["-----BEGIN CERTIFICATE-----", "PRIVATE KEY-----"] {
            if !text.contains(part) {
                return Err(wrong(format!("lacks {part}; expected a PEM file with the certificate and its key")));
            }
        }
        Ok(SecretString::from(text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Env};
    use super::*;

    const TENANT: &str = "[tenant]\nid = '00000000-1111-2222-3333-444444444444'\n";
    const CLIENT: &str = "client_id = '55555555-6666-7777-8888-999999999999'\n";

    #[test]
    fn the_bot_has_each_kind_too_and_the_machine_is_named_once() {
        let bot = |keys: &str| {
            let app = format!("[teams]\napp_id = '55555555-6666-7777-8888-999999999999'\n{keys}");
            let text =
                format!("{TENANT}[graph]\nmanaged_identity = 'system'\nimds_base = 'http://127.0.0.1:40342'\n{app}");
            Config::parse(&text, "p.toml", &Env::default()).unwrap().teams.unwrap().credential
        };
        let federated = bot("federated_token_file = '/var/run/token'\n");
        assert!(matches!(federated, Credential::Federated { .. }));
        let own = bot("managed_identity = '55555555-6666-7777-8888-999999999999'\n");
        assert!(matches!(own, Credential::ManagedIdentity { client_id: Some(_), base: Some(_) }));
        let trusting = bot("federated_managed_identity = '66666666-6666-7777-8888-999999999999'\n");
        assert!(matches!(trusting, Credential::TrustedIdentity { base: Some(_), .. }));
        assert_eq!(trusting.client_id(), Some("55555555-6666-7777-8888-999999999999"), "the bot, not the identity");
    }

    fn parse(graph: &str) -> Result<Credential, String> {
        let config = Config::parse(&format!("{TENANT}[graph]\n{graph}"), "p.toml", &Env::default());
        config.map(|config| config.graph.credential).map_err(|error| error.to_string())
    }

    #[test]
    fn each_kind_of_credential_has_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("app.pem");
        let blocks =
            "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nthe-key\n";
        std::fs::write(&file, blocks).unwrap();
        let certificate = parse(&format!("{CLIENT}certificate_file = '{}'\n", file.display())).unwrap();
        assert!(matches!(&certificate, Credential::Certificate { .. }));
        assert!(!format!("{certificate:?}").contains("the-key"));
        let federated = parse(&format!("{CLIENT}federated_token_file = '/var/run/token'\n")).unwrap();
        assert!(matches!(federated, Credential::Federated { .. }));
        let system = parse("managed_identity = 'system'\n").unwrap();
        assert!(matches!(system, Credential::ManagedIdentity { client_id: None, base: None }));
        let own = parse("managed_identity = '55555555-6666-7777-8888-999999999999'\n").unwrap();
        assert!(matches!(own, Credential::ManagedIdentity { client_id: Some(_), .. }));
    }

    #[test]
    fn a_trusted_identity_is_one_beside_the_app_in_the_words_of_its_cloud() {
        let trusted = format!("{CLIENT}federated_managed_identity = '66666666-6666-7777-8888-999999999999'\n");
        for (cloud, audience) in [
            ("global", "api://AzureADTokenExchange"),
            ("usgov-l4", "api://AzureADTokenExchangeUSGov"),
            ("china", "api://AzureADTokenExchangeChina"),
        ] {
            let credential = parse(&format!("cloud = '{cloud}'\n{trusted}")).unwrap();
            assert_eq!(credential.client_id(), Some("55555555-6666-7777-8888-999999999999"));
            let Credential::TrustedIdentity { identity, exchange, .. } = credential else { panic!("{cloud}") };
            assert_eq!((identity.as_str(), exchange), ("66666666-6666-7777-8888-999999999999", audience));
        }
        let machine = "imds_base = 'http://127.0.0.1:40342'\ncloud = 'china'\nmanaged_identity = 'system'\n";
        let write = format!("[write]\nmode = 'app'\n{trusted}");
        let config = Config::parse(&format!("{TENANT}[graph]\n{machine}{write}"), "p.toml", &Env::default()).unwrap();
        let written_as = config.write.credential.unwrap();
        assert!(
            matches!(written_as, Credential::TrustedIdentity { base: Some(_), exchange, .. } if exchange.ends_with("China"))
        );
        let system = parse(&format!("{CLIENT}federated_managed_identity = 'system'\n")).unwrap_err();
        assert!(system.starts_with("p.toml: graph.federated_managed_identity: "), "{system}");
    }

    #[test]
    fn what_is_wrong_is_said_by_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("app.pem");
        std::fs::write(&file, "-----BEGIN PRIVATE KEY-----\n").unwrap();
        let lacking = parse(&format!("{CLIENT}certificate_file = '{}'\n", file.display())).unwrap_err();
        assert!(lacking.starts_with("p.toml: graph.certificate_file: ") && lacking.contains("BEGIN CERTIFICATE"));
        let both = parse("managed_identity = 'system'\nfederated_token_file = '/t'\n").unwrap_err();
        assert!(both.contains("choose one of"), "{both}");
        let bot = "[teams]\napp_id = '55555555-6666-7777-8888-999999999999'\nmanaged_identity = 'system'\n";
        let bot = parse(&format!("managed_identity = 'system'\n{bot}")).unwrap_err();
        assert!(bot.starts_with("p.toml: teams.managed_identity: isn't the bot; expected teams.app_id"), "{bot}");
        let bot = "[teams]\napp_id = '55555555-6666-7777-8888-999999999999'\nfederated_managed_identity = 'system'\n";
        let bot = parse(&format!("managed_identity = 'system'\n{bot}")).unwrap_err();
        assert!(bot.starts_with("p.toml: teams.federated_managed_identity: "), "{bot}");
        let which = parse("managed_identity = 'mine'\n").unwrap_err();
        assert!(which.starts_with("p.toml: graph.managed_identity: "), "{which}");
    }
}
