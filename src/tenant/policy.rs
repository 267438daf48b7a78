//! A Conditional Access policy: the v1.0 members that can be judged, and the names of those that cannot.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A policy as read from Graph or a file (resource `conditionalAccessPolicy`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Object id.
    pub id: String,
    /// The name that people know it by; untrusted text.
    pub display_name: String,
    /// Off, On or report-only.
    pub state: PolicyState,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last changed; none until the first change.
    pub modified: Option<Timestamp>,
    /// The template it was made from; also set on Microsoft-managed policies.
    pub template_id: Option<String>,
    /// To whom, what and when it applies.
    pub conditions: Conditions,
    /// What it asks for; none means that it grants access.
    pub grant: Option<GrantControls>,
    /// Session controls that are set.
    pub session: Option<SessionControls>,
    /// JSON pointers of non-null members that this program can't judge, with the word where it is one of several; a verdict that rests on them is "not decided".
    pub undecided: Vec<String>,
}

/// The state of a policy; the portal says On, Off and Report-only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PolicyState {
    /// `enabled`: evaluated and enforced.
    Enabled,
    /// `enabledForReportingButNotEnforced`: evaluated and logged, never enforced.
    #[serde(rename = "enabledForReportingButNotEnforced")]
    ReportOnly,
    /// `disabled`: not evaluated.
    #[default]
    Disabled,
}

/// The conditions of a policy; an absent or empty condition is met by everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    /// Users, groups, roles and guests.
    pub users: Users,
    /// Target resources: apps, user actions or authentication contexts.
    pub applications: Applications,
    /// Workload identities; none for a policy about people.
    pub client_applications: Option<ClientApplications>,
    /// Client apps; empty or `All` when not configured.
    pub client_app_types: BTreeSet<ClientAppType>,
    /// Device platforms, as the user agent claims them.
    pub platforms: Option<Sides<Platform>>,
    /// Network locations: ids of named locations, `All`, `AllTrusted`.
    pub locations: Option<Sides<String>>,
    /// Filter for devices.
    pub device_filter: Option<Filter>,
    /// Sign-in risk levels, discrete: `medium` doesn't cover `high`.
    pub sign_in_risk: BTreeSet<RiskLevel>,
    /// User risk levels, discrete.
    pub user_risk: BTreeSet<RiskLevel>,
    /// Service principal risk levels, discrete.
    pub service_principal_risk: BTreeSet<RiskLevel>,
    /// Risk levels of agent identities (beta), discrete.
    pub agent_risk: BTreeSet<RiskLevel>,
    /// Insider risk levels (Purview adaptive protection).
    pub insider_risk: BTreeSet<InsiderRisk>,
    /// Authentication flows; empty when not configured.
    pub flows: BTreeSet<TransferMethod>,
    /// Agents' user accounts (beta `conditions.agents`); none when absent.
    pub agents: Option<Agents>,
    /// How an agent takes part (beta `conditions.agentContext`); none when absent.
    pub agent_contexts: Option<Sides<String>>,
}

/// What a condition includes and excludes; exclusion always wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sides<T: Ord> {
    /// Included values.
    pub include: BTreeSet<T>,
    /// Excluded values.
    pub exclude: BTreeSet<T>,
}

impl<T: Ord> Default for Sides<T> {
    fn default() -> Self {
        Self { include: BTreeSet::new(), exclude: BTreeSet::new() }
    }
}

/// `conditions.users`; each side is a union of its kinds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Users {
    /// Who is included.
    pub include: UserSide,
    /// Who is excluded.
    pub exclude: UserSide,
}

/// One side of the user condition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UserSide {
    /// Object ids of users; `All` is [`UserSide::all`], `None` and unknown keywords stay here as written.
    pub users: BTreeSet<String>,
    /// `All` is listed (include only).
    pub all: bool,
    /// Object ids of groups; nested members count.
    pub groups: BTreeSet<String>,
    /// Template ids of built-in directory roles.
    pub roles: BTreeSet<String>,
    /// Guests and external users; the legacy keyword `GuestsOrExternalUsers` is all types of all tenants.
    pub guests: Option<Guests>,
}

/// Types of guest or external user, from all tenants or from those named.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Guests {
    /// The types.
    pub types: BTreeSet<GuestType>,
    /// The home tenants; none means all of them.
    pub tenants: Option<BTreeSet<String>>,
}

/// `guestOrExternalUserTypes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GuestType {
    /// An account of this tenant with user type Guest, which authenticates here.
    InternalGuest,
    /// Invited, authenticates outside, user type Guest.
    B2bCollaborationGuest,
    /// Invited or synchronised, authenticates outside, user type Member.
    B2bCollaborationMember,
    /// Shared channels; has no object here.
    B2bDirectConnectUser,
    /// None of the other kinds and not a member.
    OtherExternalUser,
    /// A partner's technician (GDAP); has no object here.
    ServiceProvider,
}

/// `conditions.applications`; apps, user actions and contexts are alternatives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Applications {
    /// `All` resources are included.
    pub all: bool,
    /// Included app ids and groups of apps (`Office365`, `MicrosoftAdminPortals`, `AllAgentIdResources`), `None`.
    pub include: BTreeSet<String>,
    /// Excluded app ids and groups of apps.
    pub exclude: BTreeSet<String>,
    /// Filter over custom security attributes of the service principal.
    pub filter: Option<Filter>,
    /// User actions, as URNs.
    pub user_actions: BTreeSet<String>,
    /// Authentication contexts, `c1` to `c99`.
    pub contexts: BTreeSet<String>,
}

/// `conditions.clientApplications`: workload identities.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientApplications {
    /// Object ids of service principals, or `ServicePrincipalsInMyTenant`.
    pub include: BTreeSet<String>,
    /// Excluded object ids.
    pub exclude: BTreeSet<String>,
    /// Filter over custom security attributes.
    pub filter: Option<Filter>,
    /// Agent identities included (beta); ids or `All`.
    pub include_agents: BTreeSet<String>,
    /// Agent identities excluded (beta).
    pub exclude_agents: BTreeSet<String>,
    /// Filter over custom security attributes of agent identities (beta).
    pub agent_filter: Option<Filter>,
}

/// `conditions.agents` (beta): agents' user accounts; ids or `All`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agents {
    /// Included accounts.
    pub include: BTreeSet<String>,
    /// Excluded accounts.
    pub exclude: BTreeSet<String>,
    /// Filter over the accounts' custom security attributes, which Graph doesn't give with users.
    pub filter: Option<Filter>,
}

/// A rule with its mode, over device attributes or custom security attributes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Whether matching objects are in (`include`) or out (`exclude`).
    pub mode: FilterMode,
    /// The rule, in the language of dynamic membership rules.
    pub rule: String,
}

/// Mode of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FilterMode {
    /// Matching objects are in.
    Include,
    /// Matching objects are out.
    Exclude,
}

/// `clientAppTypes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClientAppType {
    /// Every client.
    All,
    /// Browser.
    Browser,
    /// Mobile apps and desktop clients with modern authentication.
    MobileAppsAndDesktopClients,
    /// Exchange ActiveSync.
    ExchangeActiveSync,
    /// Exchange ActiveSync on supported platforms.
    EasSupported,
    /// Other clients: legacy authentication.
    Other,
}

/// Device platforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Platform {
    /// Every platform, the unknown one too.
    #[serde(rename = "all")]
    All,
    /// Android.
    #[serde(rename = "android")]
    Android,
    /// iOS and iPadOS.
    #[serde(rename = "iOS")]
    Ios,
    /// Windows.
    #[serde(rename = "windows")]
    Windows,
    /// Windows Phone (retired).
    #[serde(rename = "windowsPhone")]
    WindowsPhone,
    /// macOS.
    #[serde(rename = "macOS")]
    MacOs,
    /// Linux.
    #[serde(rename = "linux")]
    Linux,
}

impl Platform {
    /// Every platform that has a name.
    pub const NAMED: [Self; 6] =
        [Self::Android, Self::Ios, Self::Windows, Self::WindowsPhone, Self::MacOs, Self::Linux];
}

/// Risk levels; `None` may be listed for sign-in and user risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RiskLevel {
    /// No risk.
    None,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

/// Insider risk levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InsiderRisk {
    /// Minor.
    Minor,
    /// Moderate.
    Moderate,
    /// Elevated.
    Elevated,
}

/// Authentication flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TransferMethod {
    /// Device code flow.
    DeviceCodeFlow,
    /// Authentication transfer.
    AuthenticationTransfer,
}

/// `grantControls`: controls joined by the policy's own operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrantControls {
    /// "Require all" or "Require one of the selected controls".
    pub operator: Operator,
    /// The controls.
    pub controls: BTreeSet<Control>,
}

/// How a policy joins its controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operator {
    /// Require all the selected controls.
    And,
    /// Require one of the selected controls.
    Or,
}

/// One grant control.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Control {
    /// Block access.
    Block,
    /// Multifactor authentication.
    Mfa,
    /// Device marked as compliant.
    CompliantDevice,
    /// Microsoft Entra hybrid joined device.
    DomainJoinedDevice,
    /// Approved client app (retired for new policies).
    ApprovedApplication,
    /// App protection policy.
    CompliantApplication,
    /// Password change.
    PasswordChange,
    /// Risk remediation (Microsoft-managed).
    RiskRemediation,
    /// Proof by a verified ID; in a template of 2026, not yet in Graph's metadata.
    VerifiedId,
    /// Terms of use, by agreement id.
    TermsOfUse(String),
    /// Custom control (legacy preview), by id.
    Custom(String),
    /// Authentication strength, by id.
    Strength(String),
    /// A control that this program can't judge, as written.
    Unknown(String),
}

/// `sessionControls`; only what is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionControls {
    /// App enforced restrictions.
    pub application_enforced_restrictions: bool,
    /// Conditional Access App Control, with its type.
    pub cloud_app_security: Option<String>,
    /// Persistent browser session: `always` or `never`.
    pub persistent_browser: Option<String>,
    /// Sign-in frequency.
    pub sign_in_frequency: Option<SignInFrequency>,
    /// Token protection.
    pub secure_sign_in_session: bool,
    /// No extended sessions in an outage.
    pub disable_resilience_defaults: bool,
    /// Continuous access evaluation mode (beta).
    pub continuous_access_evaluation: Option<String>,
    /// Global Secure Access filtering profile (beta).
    pub filtering_profile: Option<String>,
}

/// How often a person must sign in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInFrequency {
    /// Hours between sign-ins; none means every time.
    pub hours: Option<u32>,
    /// Only the second factor is asked again.
    pub secondary_only: bool,
}

impl SignInFrequency {
    /// How often, in words: `every time`, `1 hour`, `30 days`.
    #[must_use]
    pub fn often(&self) -> String {
        match self.hours {
            None => "every time".to_owned(),
            Some(1) => "1 hour".to_owned(),
            Some(hours) if hours > 24 && hours % 24 == 0 => format!("{} days", hours / 24),
            Some(hours) => format!("{hours} hours"),
        }
    }
}
