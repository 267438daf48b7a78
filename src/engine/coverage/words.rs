//! Requirements and kinds of condition, as people read them.

use super::Requirement;
use crate::engine::judge::Dimension;

impl Requirement {
    /// A requirement, as people read it.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Mfa => "multifactor authentication",
            Self::PhishingResistantMfa => "phishing-resistant multifactor authentication",
            Self::ManagedDevice => "a compliant or hybrid joined device",
            Self::MfaOrManagedDevice => "multifactor authentication, or a compliant or hybrid joined device",
            Self::CompliantDevice => "a compliant device",
            Self::HybridDevice => "a hybrid joined device",
            Self::Strength(_) => "an authentication strength",
            Self::AppProtection => "an app protection policy",
            Self::Block => "a block",
            Self::PasswordChange => "a password change or risk remediation",
            Self::RiskRemediation => "risk remediation",
            Self::TermsOfUse => "terms of use",
            Self::SignInFrequency { hours: 24 } => "a sign-in at least once a day",
            Self::SignInFrequency { hours: 0 } => "a sign-in every time",
            Self::SignInFrequency { hours: 1 } => "a sign-in at least every hour",
            Self::SignInFrequency { hours } if hours % 24 == 0 => {
                return format!("a sign-in at least every {} days", hours / 24);
            }
            Self::SignInFrequency { hours } => return format!("a sign-in at least every {hours} hours"),
            Self::SecondFactorFrequency { hours: 0 } => "a second factor every time",
            Self::SecondFactorFrequency { hours: 1 } => "a second factor at least every hour",
            Self::SecondFactorFrequency { hours } => return format!("a second factor at least every {hours} hours"),
            Self::NoPersistentBrowser => "sessions in the browser that end",
            Self::AppEnforcedRestrictions => "app enforced restrictions",
            Self::AppControl => "Conditional Access App Control",
            Self::TokenProtection => "token protection",
            Self::StrictLocation => "strictly enforced locations",
            Self::NoResilienceDefaults => "no extended sessions in an outage",
            Self::AnyPolicy => "any policy",
        }
        .to_owned()
    }
}

/// The portal's word for a kind of condition.
pub(super) fn kind_name(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Identity => "Users",
        Dimension::Target => "Target resources",
        Dimension::Platform => "Device platforms",
        Dimension::Device => "Filter for devices",
        Dimension::ClientApp => "Client apps",
        Dimension::Location => "Locations",
        Dimension::SignInRisk => "Sign-in risk",
        Dimension::UserRisk => "User risk",
        Dimension::ServicePrincipalRisk => "Service principal risk",
        Dimension::InsiderRisk => "Insider risk",
        Dimension::Flow => "Authentication flows",
        Dimension::AgentRisk => "Agent risk",
        Dimension::AgentContext => "Agent context",
    }
}
