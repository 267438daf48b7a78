//! The clouds of Microsoft that a tenant can live in: one setting moves every address together.
//!
//! Microsoft Learn, "National cloud deployments" (login and Graph), "Azure Monitor endpoints" (Log Analytics), and the
//! Bot Framework's pages on Azure Government and Azure China (Teams).

use serde::Deserialize;

use crate::tenant::Environment;

/// Where the tenant lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// The public cloud, GCC included.
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsgovL4,
    /// US Government L5 (Department of Defense).
    UsgovL5,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Global, Self::UsgovL4, Self::UsgovL5, Self::China];

    /// Where tokens come from.
    #[must_use]
    pub fn login(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsgovL4 | Self::UsgovL5 => "https://login.microsoftonline.us",
            Self::China => "https://login.partner.microsoftonline.cn",
        }
    }

    /// Microsoft Graph, which is also the audience of its tokens.
    #[must_use]
    pub fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsgovL4 => "https://graph.microsoft.us",
            Self::UsgovL5 => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// The audience of tokens by which an app registration is vouched for (workload identity federation).
    #[must_use]
    pub fn token_exchange(self) -> &'static str {
        match self {
            Self::Global => "api://AzureADTokenExchange",
            Self::UsgovL4 | Self::UsgovL5 => "api://AzureADTokenExchangeUSGov",
            Self::China => "api://AzureADTokenExchangeChina",
        }
    }

    /// As PowerShell names it; none for the public cloud, which is meant without a word.
    #[must_use]
    pub fn environment(self) -> Option<Environment> {
        match self {
            Self::Global => None,
            Self::UsgovL4 => Some(Environment::USGov),
            Self::UsgovL5 => Some(Environment::USGovDoD),
            Self::China => Some(Environment::China),
        }
    }

    /// The Microsoft Entra admin center.
    #[must_use]
    pub fn entra(self) -> &'static str {
        match self {
            Self::Global => "https://entra.microsoft.com",
            Self::UsgovL4 | Self::UsgovL5 => "https://entra.microsoft.us",
            Self::China => "https://entra.microsoftonline.cn",
        }
    }

    /// The scope of tokens for the query API of Log Analytics.
    #[must_use]
    pub fn log_analytics_scope(self) -> &'static str {
        match self {
            Self::Global => "https://api.loganalytics.io/.default",
            Self::UsgovL4 | Self::UsgovL5 => "https://api.loganalytics.us/.default",
            Self::China => "https://api.loganalytics.azure.cn/.default",
        }
    }

    /// The query API of Log Analytics.
    #[must_use]
    pub fn log_analytics(self) -> &'static str {
        match self {
            Self::Global => "https://api.loganalytics.azure.com",
            Self::UsgovL4 | Self::UsgovL5 => "https://api.loganalytics.us",
            Self::China => "https://api.loganalytics.azure.cn",
        }
    }

    /// Issuer of the tokens that a channel sends to a bot, and the audience of the bot's own.
    #[must_use]
    pub fn bot_issuer(self) -> &'static str {
        match self {
            Self::Global => "https://api.botframework.com",
            Self::UsgovL4 | Self::UsgovL5 => "https://api.botframework.us",
            Self::China => "https://api.botframework.azure.cn",
        }
    }

    /// Where the keys of those tokens are published.
    #[must_use]
    pub fn bot_metadata(self) -> &'static str {
        match self {
            Self::Global => "https://login.botframework.com/v1/.well-known/openidconfiguration",
            Self::UsgovL4 | Self::UsgovL5 => "https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
            Self::China => "https://login.botframework.azure.cn/v1/.well-known/openidconfiguration",
        }
    }

    /// Hosts of Teams' own service; none are published for China, so they have to be configured there.
    #[must_use]
    pub fn teams_hosts(self) -> &'static [&'static str] {
        match self {
            // The second one serves GCC, which is in the public cloud otherwise.
            Self::Global => &["smba.trafficmanager.net", "smba.infra.gcc.teams.microsoft.com"],
            Self::UsgovL4 => &["smba.infra.gov.teams.microsoft.us"],
            Self::UsgovL5 => &["smba.infra.dod.teams.microsoft.us"],
            Self::China => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teams_of_gcc_is_heard_in_the_public_cloud_and_no_cloud_hears_another() {
        let hosts = |cloud: Cloud| cloud.teams_hosts().iter().copied();
        assert!(hosts(Cloud::Global).any(|host| host == "smba.infra.gcc.teams.microsoft.com"));
        for (cloud, end) in [(Cloud::UsgovL4, ".gov.teams.microsoft.us"), (Cloud::UsgovL5, ".dod.teams.microsoft.us")] {
            assert!(hosts(cloud).all(|host| host.ends_with(end)), "{cloud:?}");
        }
    }

    #[test]
    fn every_address_of_a_cloud_is_one_and_no_cloud_borrows_from_the_public_one() {
        for cloud in Cloud::ALL {
            for address in [
                cloud.login(),
                cloud.graph(),
                cloud.entra(),
                cloud.log_analytics(),
                cloud.bot_issuer(),
                cloud.bot_metadata(),
            ] {
                let url: reqwest::Url = address.parse().unwrap();
                assert_eq!(url.scheme(), "https");
                let host = url.host_str().unwrap();
                let public = [".microsoftonline.com", ".microsoft.com", ".azure.com", ".botframework.com"];
                let is_public = public.iter().any(|end| host.ends_with(end));
                assert_eq!(is_public, cloud == Cloud::Global, "{cloud:?} {host}");
            }
        }
    }
}
