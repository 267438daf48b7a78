//! Themes that suggestions are grouped by, so that a tenant with fifty of them can be looked at in ten minutes.

/// A theme: its name, and the questions that ask for it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// As people read it, and as it stands in a question: "show open suggestions about NAME".
    pub name: &'static str,
    /// Words in the id of a check that belong to it; the first theme that fits has the check.
    words: &'static [&'static str],
}

/// The themes, in the order that they are looked through; the last one takes what is left.
pub static THEMES: &[Theme] = &[
    Theme { name: "emergency access", words: &["emergency"] },
    Theme { name: "exclusions", words: &["exclusion", "unprotected-groups", "dynamic-groups"] },
    Theme { name: "administrators and portals", words: &["admin", "azure", "directory-sync"] },
    Theme { name: "guests and external users", words: &["guest", "partner", "rights-management"] },
    Theme { name: "old protocols and authentication flows", words: &["legacy", "device-code", "transfer", "flows"] },
    Theme { name: "risk", words: &["risk"] },
    Theme {
        name: "MFA and sign-in methods",
        words: &["mfa", "method", "phishing", "security-info", "security-defaults"],
    },
    Theme { name: "devices and platforms", words: &["device", "compliance", "compliant-by", "platform", "intune"] },
    Theme { name: "apps and data", words: &["app-", "apps", "application", "terms", "context", "token"] },
    Theme { name: "sessions", words: &["sign-in-frequency", "persistent", "continuous"] },
    Theme { name: "networks and locations", words: &["location", "countr", "network", "access", "addresses"] },
    Theme { name: "workloads and agents", words: &["workload", "agent", "service-accounts"] },
    Theme { name: "tidying up", words: &[""] },
];

impl Theme {
    /// The theme of the check with this id.
    #[must_use]
    pub fn of(check: &str) -> &'static Self {
        static LEFT: Theme = Theme { name: "other", words: &[] };
        THEMES.iter().find(|theme| theme.words.iter().any(|word| check.contains(word))).unwrap_or(&LEFT)
    }

    /// The theme that a question names in full.
    #[must_use]
    pub fn named(text: &str) -> Option<&'static Self> {
        let text = text.to_lowercase();
        THEMES.iter().find(|theme| text.contains(&format!("about {}", theme.name.to_lowercase())))
    }

    /// The question for its suggestions alone.
    #[must_use]
    pub fn question(&self) -> String {
        format!("show open suggestions about {}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::intent::{Intent, route};

    #[test]
    fn every_theme_is_asked_for_by_its_own_question() {
        for theme in THEMES {
            assert_eq!(Theme::named(&theme.question()), Some(theme));
            assert_eq!(route(&theme.question(), None).intent, Intent::ListSuggestions, "{}", theme.name);
        }
    }

    #[test]
    fn checks_stand_where_an_administrator_looks_for_them() {
        let of = |check| Theme::of(check).name;
        assert_eq!(of("mfa-admins"), "administrators and portals");
        assert_eq!(of("mfa-all-users"), "MFA and sign-in methods");
        assert_eq!(of("sign-in-risk-block"), "risk");
        assert_eq!(of("sign-in-frequency-unmanaged"), "sessions");
        assert_eq!(of("device-code-flow"), "old protocols and authentication flows");
        assert_eq!(of("policy-names"), "tidying up");
        let used = crate::checks::CHECKS.iter().map(|check| Theme::of(check.about().id).name);
        assert_eq!(used.collect::<std::collections::BTreeSet<_>>().len(), THEMES.len(), "no theme is empty");
    }
}
