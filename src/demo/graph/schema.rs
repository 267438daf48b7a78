//! The members that a `conditionalAccessPolicy` has, and the words that they take.

use serde_json::Value;

/// What a member may hold; null always passes.
enum Shape {
    /// A text.
    Text,
    /// Yes or no.
    Switch,
    /// A whole number.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of these words.
    Words(&'static [&'static str]),
    /// These words with commas between them; what is no string at all is a rule's own affair.
    Flags(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// An object with these members.
    Members(Members),
    /// On the wire, and always null.
    Nothing,
    /// Whatever the object is.
    Anything,
}

type Members = &'static [(&'static str, Shape)];

use Shape::{Anything, Flags, Members as Object, Nothing, Number, Switch, Text, Texts, Word, Words};

const RISKS: Shape = Words(&["low", "medium", "high", "none", "hidden"]);
const FILTER: Shape = Object(&[("mode", Word(&["include", "exclude"])), ("rule", Text)]);
const ENABLED: Shape = Object(&[("isEnabled", Switch)]);
const GUESTS: Shape = Object(&[
    (
        "guestOrExternalUserTypes",
        Flags(&[
            "none",
            "internalGuest",
            "b2bCollaborationGuest",
            "b2bCollaborationMember",
            "b2bDirectConnectUser",
            "otherExternalUser",
            "serviceProvider",
        ]),
    ),
    ("externalTenants", Object(&[("membershipKind", Word(&["all", "enumerated"])), ("members", Texts)])),
]);
const PLATFORMS: Shape = Words(&["android", "iOS", "windows", "windowsPhone", "macOS", "linux", "all"]);

const POLICY: Members = &[
    ("id", Text),
    ("displayName", Text),
    ("description", Text),
    ("state", Word(&["enabled", "disabled", "enabledForReportingButNotEnforced"])),
    ("createdDateTime", Text),
    ("modifiedDateTime", Text),
    ("deletedDateTime", Text),
    ("templateId", Text),
    ("partialEnablementStrategy", Nothing),
    ("conditions", Object(CONDITIONS)),
    ("grantControls", Object(GRANT)),
    ("sessionControls", Object(SESSION)),
];

const CONDITIONS: Members = &[
    ("users", Object(USERS)),
    ("applications", Object(APPLICATIONS)),
    ("clientApplications", Object(WORKLOADS)),
    (
        "clientAppTypes",
        Words(&["all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other"]),
    ),
    ("platforms", Object(&[("includePlatforms", PLATFORMS), ("excludePlatforms", PLATFORMS)])),
    ("locations", Object(&[("includeLocations", Texts), ("excludeLocations", Texts)])),
    ("devices", Object(DEVICES)),
    ("signInRiskLevels", RISKS),
    ("userRiskLevels", RISKS),
    ("servicePrincipalRiskLevels", RISKS),
    ("insiderRiskLevels", Flags(&["minor", "moderate", "elevated"])),
    (
        "authenticationFlows",
        Object(&[("transferMethods", Flags(&["none", "deviceCodeFlow", "authenticationTransfer"]))]),
    ),
    ("times", Nothing),
    ("clients", Nothing),
    ("deviceStates", Nothing),
    ("agentIdRiskLevels", Flags(&["low", "medium", "high"])),
    ("agents", Anything),
    ("agentContext", Anything),
];

const USERS: Members = &[
    ("includeUsers", Texts),
    ("excludeUsers", Texts),
    ("includeGroups", Texts),
    ("excludeGroups", Texts),
    ("includeRoles", Texts),
    ("excludeRoles", Texts),
    ("includeGuestsOrExternalUsers", GUESTS),
    ("excludeGuestsOrExternalUsers", GUESTS),
];

const APPLICATIONS: Members = &[
    ("includeApplications", Texts),
    ("excludeApplications", Texts),
    (
        "includeUserActions",
        Words(&["urn:user:registersecurityinfo", "urn:user:registerdevice", "urn:user:accountrecovery"]),
    ),
    ("includeAuthenticationContextClassReferences", Texts),
    ("applicationFilter", FILTER),
    ("networkAccess", Nothing),
    ("globalSecureAccess", Nothing),
];

const WORKLOADS: Members = &[
    ("includeServicePrincipals", Texts),
    ("excludeServicePrincipals", Texts),
    ("servicePrincipalFilter", FILTER),
    ("includeAgentIdServicePrincipals", Texts),
    ("excludeAgentIdServicePrincipals", Texts),
    ("agentIdServicePrincipalFilter", FILTER),
];

const DEVICES: Members = &[
    ("deviceFilter", FILTER),
    ("includeDevices", Texts),
    ("excludeDevices", Texts),
    ("includeDeviceStates", Texts),
    ("excludeDeviceStates", Texts),
];

const GRANT: Members = &[
    ("operator", Text),
    (
        "builtInControls",
        Words(&[
            "block",
            "mfa",
            "compliantDevice",
            "domainJoinedDevice",
            "approvedApplication",
            "compliantApplication",
            "passwordChange",
            "riskRemediation",
            "verifiedID",
        ]),
    ),
    ("customAuthenticationFactors", Texts),
    ("termsOfUse", Texts),
    ("authenticationStrength", Anything),
];

const SESSION: Members = &[
    ("applicationEnforcedRestrictions", ENABLED),
    (
        "cloudAppSecurity",
        Object(&[
            ("isEnabled", Switch),
            ("cloudAppSecurityType", Word(&["mcasConfigured", "monitorOnly", "blockDownloads"])),
        ]),
    ),
    ("persistentBrowser", Object(&[("isEnabled", Switch), ("mode", Word(&["always", "never"]))])),
    (
        "signInFrequency",
        Object(&[
            ("isEnabled", Switch),
            ("type", Word(&["days", "hours"])),
            ("value", Number),
            ("authenticationType", Word(&["primaryAndSecondaryAuthentication", "secondaryAuthentication"])),
            ("frequencyInterval", Word(&["timeBased", "everyTime"])),
        ]),
    ),
    ("secureSignInSession", ENABLED),
    ("disableResilienceDefaults", Switch),
    ("networkAccessSecurity", Nothing),
    ("continuousAccessEvaluation", Object(&[("mode", Word(&["strictEnforcement", "disabled", "strictLocation"]))])),
    ("globalSecureAccessFilteringProfile", Object(&[("isEnabled", Switch), ("profileId", Text)])),
];

/// Where the members lie that only beta knows.
const BETA: &[&str] = &[
    "/conditions/agentIdRiskLevels",
    "/conditions/agents",
    "/conditions/agentContext",
    "/conditions/devices/includeDevices",
    "/conditions/devices/excludeDevices",
    "/conditions/devices/includeDeviceStates",
    "/conditions/devices/excludeDeviceStates",
    "/conditions/clientApplications/includeAgentIdServicePrincipals",
    "/conditions/clientApplications/excludeAgentIdServicePrincipals",
    "/conditions/clientApplications/agentIdServicePrincipalFilter",
    "/sessionControls/continuousAccessEvaluation",
    "/sessionControls/globalSecureAccessFilteringProfile",
];

/// Whether every member of the policy is known, and holds what it may hold.
#[must_use]
pub fn conforms(policy: &Value) -> bool {
    policy.is_object() && Object(POLICY).admits(policy)
}

/// Whether the policy has members that v1.0 does not know.
#[must_use]
pub fn needs_beta(policy: &Value) -> bool {
    BETA.iter().any(|at| policy.pointer(at).is_some_and(|member| !member.is_null()))
}

/// Takes out of a policy what v1.0 does not know.
pub fn drop_beta(policy: &mut Value) {
    for (part, name) in BETA.iter().filter_map(|at| at.rsplit_once('/')) {
        if let Some(part) = policy.pointer_mut(part).and_then(Value::as_object_mut) {
            part.remove(name);
        }
    }
}

impl Shape {
    fn admits(&self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Null)
            | (Anything, _)
            | (Flags(_), Value::Array(_))
            | (Text, Value::String(_))
            | (Switch, Value::Bool(_)) => true,
            (Number, Value::Number(number)) => number.is_i64(),
            (Word(words), Value::String(word)) => known(words, word),
            (Flags(words), Value::String(flags)) => flags.split(',').all(|word| known(words, word.trim())),
            (Words(words), Value::Array(list)) => {
                list.iter().all(|word| word.as_str().is_some_and(|word| known(words, word)))
            }
            (Texts, Value::Array(list)) => list.iter().all(Value::is_string),
            (Object(members), Value::Object(object)) => object.iter().all(|(name, value)| {
                let member = members.iter().find(|(known, _)| known == name);
                name.contains('@') || member.is_some_and(|(_, shape)| shape.admits(value))
            }),
            _ => false,
        }
    }
}

fn known(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::demo::tenant::{Seed, Tenant};

    #[test]
    fn every_policy_of_the_demo_conforms() {
        let tenant = Tenant::generate(&Seed { users: 50, seed: 1, today: "2026-11-24T08:30:00Z".parse().unwrap() });
        for policy in &tenant.policies {
            assert!(conforms(policy) && !needs_beta(policy), "{policy}");
        }
    }

    #[test]
    fn members_and_words_are_known_at_every_depth() {
        for odd in [
            json!({ "conditions": { "nonsense": null } }),
            json!({ "conditions": { "clientAppTypes": ["everything"] } }),
            json!({ "conditions": { "users": { "includeUsers": "All" } } }),
            json!({ "conditions": { "times": {} } }),
            json!({ "conditions": { "insiderRiskLevels": "elevated,severe" } }),
            json!({ "grantControls": { "builtInControls": ["Mfaaa"] } }),
            json!({ "sessionControls": { "signInFrequency": { "value": "4" } } }),
            json!({ "sessionControls": { "persistentBrowser": { "mode": "sometimes" } } }),
            json!([]),
        ] {
            assert!(!conforms(&odd), "{odd}");
        }
        assert!(conforms(&json!({ "conditions": { "insiderRiskLevels": "Minor, elevated" }, "@odata.type": "x" })));
        assert!(needs_beta(&json!({ "sessionControls": { "continuousAccessEvaluation": { "mode": "disabled" } } })));
    }
}
