//! The words that Graph uses for enumerated values, in one table each, read without regard to case.

use super::Kind;
use super::policy::{
    ClientAppType, FilterMode, GuestType, InsiderRisk, Platform, PolicyState, RiskLevel, TransferMethod,
};

/// A value with a word in Graph.
pub trait Word: Copy + PartialEq + 'static {
    /// Every value with the word that Graph writes.
    const WORDS: &'static [(&'static str, Self)];

    /// The value of this word; none for a word that this program doesn't know.
    #[must_use]
    fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, value)| *value)
    }

    /// The word as Graph writes it.
    #[must_use]
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

impl Word for PolicyState {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("enabled", Self::Enabled),
        ("enabledForReportingButNotEnforced", Self::ReportOnly),
        ("disabled", Self::Disabled),
    ];
}

impl Word for ClientAppType {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("all", Self::All),
        ("browser", Self::Browser),
        ("mobileAppsAndDesktopClients", Self::MobileAppsAndDesktopClients),
        ("exchangeActiveSync", Self::ExchangeActiveSync),
        ("easSupported", Self::EasSupported),
        ("other", Self::Other),
    ];
}

impl Word for Platform {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("all", Self::All),
        ("android", Self::Android),
        ("iOS", Self::Ios),
        ("windows", Self::Windows),
        ("windowsPhone", Self::WindowsPhone),
        ("macOS", Self::MacOs),
        ("linux", Self::Linux),
    ];
}

impl Word for RiskLevel {
    const WORDS: &'static [(&'static str, Self)] =
        &[("none", Self::None), ("low", Self::Low), ("medium", Self::Medium), ("high", Self::High)];
}

impl Word for InsiderRisk {
    const WORDS: &'static [(&'static str, Self)] =
        &[("minor", Self::Minor), ("moderate", Self::Moderate), ("elevated", Self::Elevated)];
}

impl Word for TransferMethod {
    const WORDS: &'static [(&'static str, Self)] =
        &[("deviceCodeFlow", Self::DeviceCodeFlow), ("authenticationTransfer", Self::AuthenticationTransfer)];
}

impl Word for GuestType {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("internalGuest", Self::InternalGuest),
        ("b2bCollaborationGuest", Self::B2bCollaborationGuest),
        ("b2bCollaborationMember", Self::B2bCollaborationMember),
        ("b2bDirectConnectUser", Self::B2bDirectConnectUser),
        ("otherExternalUser", Self::OtherExternalUser),
        ("serviceProvider", Self::ServiceProvider),
    ];
}

impl Word for FilterMode {
    const WORDS: &'static [(&'static str, Self)] = &[("include", Self::Include), ("exclude", Self::Exclude)];
}

/// The kinds by the names of their files in a tenant folder.
impl Word for Kind {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("policies", Self::Policies),
        ("users", Self::Users),
        ("groups", Self::Groups),
        ("roleAssignments", Self::RoleAssignments),
        ("roleDefinitions", Self::RoleDefinitions),
        ("servicePrincipals", Self::ServicePrincipals),
        ("namedLocations", Self::NamedLocations),
        ("authenticationStrengthPolicies", Self::AuthenticationStrengthPolicies),
        ("authenticationContextClassReferences", Self::AuthenticationContextClassReferences),
        ("termsOfUse", Self::TermsOfUse),
        ("devices", Self::Devices),
        ("userRegistrationDetails", Self::UserRegistrationDetails),
        ("riskyUsers", Self::RiskyUsers),
        ("subscribedSkus", Self::SubscribedSkus),
        ("identitySecurityDefaultsEnforcementPolicy", Self::IdentitySecurityDefaultsEnforcementPolicy),
        ("crossTenantAccessPolicy", Self::CrossTenantAccessPolicy),
        ("signIns", Self::SignIns),
        ("directoryAudits", Self::DirectoryAudits),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_of_a_word_does_not_matter_and_its_spelling_does() {
        assert_eq!(Platform::parse("MACOS"), Some(Platform::MacOs));
        assert_eq!(GuestType::B2bCollaborationGuest.word(), "b2bCollaborationGuest");
        assert_eq!(ClientAppType::parse("easUnsupported"), None);
    }
}
