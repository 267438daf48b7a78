//! Service addresses: which hosts the bot talks to, and when two spellings are one address.
//!
//! The address comes with each activity. It is believed only when the token names it too and its host is on the list,
//! because the bot's own token is sent there.

use std::net::IpAddr;

use reqwest::Url;

/// The hosts that activities may come from and that the bot's token may be sent to.
#[derive(Clone, Debug)]
pub(crate) struct ServiceHosts {
    /// `smba.trafficmanager.net`, or `*.botframework.com` for every host below it.
    patterns: Vec<String>,
    /// Any address of this machine will do (the Playground picks its own port and spelling).
    any_loopback: bool,
}

impl ServiceHosts {
    pub(crate) fn new(patterns: &[String], any_loopback: bool) -> Self {
        Self { patterns: patterns.iter().map(|p| p.to_ascii_lowercase()).collect(), any_loopback }
    }

    /// The address, when its host is on the list: TLS on the usual port, or plain HTTP on this machine.
    pub(crate) fn admit(&self, raw: &str) -> Option<Url> {
        let url = plain_url(raw)?;
        let host = url.host_str()?;
        let on_list = self.patterns.iter().any(|pattern| matches(pattern, host));
        let admitted = if is_loopback(&url) {
            on_list || self.any_loopback
        } else {
            on_list && url.scheme() == "https" && url.port().is_none()
        };
        admitted.then_some(url)
    }
}

/// The address is one of this machine's own.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Equal after normalising the case of scheme and host, and one trailing slash.
pub(crate) fn same_address(left: &str, right: &str) -> bool {
    let normal = |raw| plain_url(raw).map(|url| url.as_str().strip_suffix('/').unwrap_or(url.as_str()).to_owned());
    matches!((normal(left), normal(right)), (Some(left), Some(right)) if left == right)
}

/// An HTTP address without the spellings by which parsers disagree: user information, backslashes, blanks, fragments.
fn plain_url(raw: &str) -> Option<Url> {
    let odd = |b: u8| !b.is_ascii_graphic() || matches!(b, b'\\' | b'@' | b'#' | b'?');
    let url = (!raw.bytes().any(odd)).then(|| Url::parse(raw).ok()).flatten()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => suffix.starts_with('.') && host.len() > suffix.len() && host.ends_with(suffix),
        None => pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(any_loopback: bool) -> ServiceHosts {
        ServiceHosts::new(&["smba.trafficmanager.net".into(), "*.botframework.com".into()], any_loopback)
    }

    #[test]
    fn hosts_on_the_list_are_admitted() {
        for good in [
            "https://smba.trafficmanager.net/emea/",
            "HTTPS://SMBA.TrafficManager.net/emea",
            "https://smba.trafficmanager.net:443/de/1/",
            "https://europe.botframework.com/",
        ] {
            assert!(hosts(false).admit(good).is_some(), "{good}");
        }
    }

    #[test]
    fn tricks_are_not() {
        for bad in [
            "http://smba.trafficmanager.net/emea/",
            "https://smba.trafficmanager.net:8443/",
            "https://smba.trafficmanager.net./",
            "https://smba.trafficmanager.net@evil.example/",
            "https://evil.example/smba.trafficmanager.net",
            "https://smba.trafficmanager.net.evil.example/",
            "https://xsmba.trafficmanager.net/",
            "https://botframework.com/",
            "https://evilbotframework.com/",
            "https://evil.example\\.botframework.com/",
            "https://evil.example#.botframework.com",
            "https://evil.example?.botframework.com",
            "https://\u{0455}mba.trafficmanager.net/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/",
            "http://localhost:1/",
            "ftp://smba.trafficmanager.net/",
            "//smba.trafficmanager.net/",
            " https://smba.trafficmanager.net/",
            "",
        ] {
            assert!(hosts(false).admit(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn this_machine_only_when_allowed() {
        for local in ["http://localhost:56150/_connector", "http://127.0.0.1:9/", "http://[::1]:9/"] {
            assert!(hosts(true).admit(local).is_some(), "{local}");
            assert!(hosts(false).admit(local).is_none(), "{local}");
        }
        assert!(ServiceHosts::new(&["127.0.0.1".into()], false).admit("http://127.0.0.1:7000/").is_some());
        assert!(hosts(true).admit("http://localhost.evil.example/").is_none());
    }

    #[test]
    fn case_and_one_slash_do_not_matter_but_nothing_else() {
        assert!(same_address("https://smba.trafficmanager.net/emea/", "HTTPS://smba.TRAFFICMANAGER.net/emea"));
        assert!(!same_address("https://smba.trafficmanager.net/emea//", "https://smba.trafficmanager.net/emea"));
        assert!(!same_address("https://smba.trafficmanager.net/emea", "https://smba.trafficmanager.net/EMEA"));
        assert!(!same_address("https://smba.trafficmanager.net/emea", "https://smba.trafficmanager.net/amer"));
        assert!(!same_address("", ""));
    }
}
