//! Sign-ins: one that is asked about, and those that the log holds; and the audit records beside them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::policy::{ClientAppType, GuestType, InsiderRisk, Platform, RiskLevel, TransferMethod};
use super::text::{Compact, Known as Seen, Text, side_by_side};

/// A value that a question may leave open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Known<T> {
    /// Not known: a verdict that needs it says "depends on".
    #[default]
    Unknown,
    /// Known, and there is none (no country, unregistered device, platform not recognised).
    Absent,
    /// Known.
    Is(T),
}

/// One sign-in to evaluate: who, to what, under which conditions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SignIn {
    /// Who signs in.
    pub identity: Identity,
    /// What is asked for.
    pub target: Target,
    /// Which client.
    pub client_app: Known<ClientAppType>,
    /// Platform; `Absent` when it is not one of the known ones.
    pub platform: Known<Platform>,
    /// Address as Entra sees it.
    pub ip: Known<IpAddr>,
    /// Country of the address, ISO 3166-1 alpha-2; `Absent` for an address without one.
    pub country: Known<String>,
    /// Country by GPS.
    pub gps_country: Known<String>,
    /// Attributes of the device; `Absent` for an unregistered one.
    pub device: Known<DeviceInfo>,
    /// Sign-in risk.
    pub sign_in_risk: Known<RiskLevel>,
    /// User risk.
    pub user_risk: Known<RiskLevel>,
    /// Service principal risk.
    pub service_principal_risk: Known<RiskLevel>,
    /// Insider risk.
    pub insider_risk: Known<InsiderRisk>,
    /// Risk of the agent identity that signs in, or whose user account does; `Absent` for people.
    pub agent_risk: Known<RiskLevel>,
    /// How an agent takes part (`agentContext`, beta); `Absent` where none does.
    pub agent_context: Known<String>,
    /// Authentication flow of this sign-in.
    pub flow: Known<TransferMethod>,
    /// The flow that the session began with, where that was another one: it stays in scope (protocol tracking).
    pub began: Option<TransferMethod>,
    /// Comes through the tenant's compliant network (Global Secure Access); none where unknown.
    pub compliant_network: Option<bool>,
    /// Named locations that nobody read, by id (or `AllTrusted`), and whether it comes from there.
    #[serde(default)]
    pub unread_places: BTreeMap<String, bool>,
    /// Scopes asked for, where the baseline-scope rule needs them.
    pub scopes: Option<Vec<String>>,
    /// The client is a confidential one.
    pub confidential_client: Option<bool>,
    /// App id of the client.
    pub client_app_id: Option<String>,
    /// Registration of security information that interrupts another sign-in.
    pub interrupted: bool,
    /// The user account is said to be an agent's; where it isn't said, the directory tells.
    #[serde(default)]
    pub agent_user: bool,
    /// From a log, which names resources and not whether a user action or an authentication context was asked for besides.
    pub logged: bool,
    /// What isn't known besides.
    #[serde(default)]
    pub open: LeftOpen,
}

/// What a question leaves open that isn't a condition by itself; what isn't left open and isn't stated there isn't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOpen {
    /// Whether a guest is eligible for B2B direct connect too.
    pub direct_connect: bool,
    /// Which flow the session began with.
    pub began: bool,
    /// Which client it is, and whether a confidential one.
    pub client: bool,
}

/// Who signs in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Identity {
    /// Not stated.
    #[default]
    Unstated,
    /// A user; a guest may be known by type and tenant alone.
    User {
        /// Object id, if there is an object.
        id: Option<String>,
        /// Guest type, where it is stated rather than read from the directory.
        guest: Option<GuestType>,
        /// Home tenant of a guest; absent for one that no policy names.
        tenant: Known<String>,
        /// Also eligible for B2B direct connect.
        direct_connect: bool,
    },
    /// A workload identity, by object id of its service principal.
    ServicePrincipal(String),
    /// An agent identity (beta), by object id.
    Agent(String),
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// Not stated.
    #[default]
    Unstated,
    /// Resources by app id; several when one request names several.
    Apps(Vec<String>),
    /// A user action, as its URN.
    UserAction(String),
    /// An authentication context, `c1` to `c99`.
    Context(String),
}

/// Attributes of a device; a missing one is null in filters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// Registered; an unregistered device has no attributes.
    pub registered: bool,
    /// Marked as compliant; none where unknown.
    pub compliant: Option<bool>,
    /// Managed by Intune, which gives extension attributes a value.
    pub managed: bool,
    /// `AzureAD`, `ServerAD`, `Workplace`.
    pub trust_type: Option<String>,
    /// Every attribute by lower-case name (`displayname`, `model`, `physicalids` …), lists as several values.
    pub attributes: std::collections::BTreeMap<String, Vec<String>>,
    /// Only compliance and trust type are known: an attribute that isn't listed is unknown rather than null.
    pub partial: bool,
}

/// A past sign-in, with what the log says came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PastSignIn {
    /// How many sign-ins the row stands for: 1 in Graph's log, more where the source folds equal ones of a day.
    pub times: u64,
    /// Id in the log.
    pub id: Text,
    /// When.
    pub at: Timestamp,
    /// Object id of the user.
    pub user_id: Text,
    /// Kind of guest, where the log says that the session crossed tenants.
    pub guest: Option<GuestType>,
    /// Home tenant of the user, where the log says.
    pub home_tenant: Option<Text>,
    /// App id of the client.
    pub app_id: Text,
    /// Name of the client; untrusted text.
    pub app_name: Text,
    /// App ids of the resources that Conditional Access evaluated (`conditionalAccessAudiences`, or the resource).
    pub resource_ids: Arc<[Text]>,
    /// Name of the resource; untrusted text.
    pub resource_name: Text,
    /// Which client, as mapped from `clientAppUsed`; none where the log doesn't say.
    pub client_app: Option<ClientAppType>,
    /// `clientAppUsed` as written.
    pub client_app_used: Text,
    /// Platform; `Absent` where the log names a system that is none of the known ones.
    pub platform: Known<Platform>,
    /// Address.
    pub ip: Option<IpAddr>,
    /// Country code.
    pub country: Option<Text>,
    /// City.
    pub city: Option<Text>,
    /// Device id; none for an unregistered device.
    pub device_id: Option<Text>,
    /// Device name.
    pub device_name: Option<Text>,
    /// Compliant, as logged.
    pub compliant: Option<bool>,
    /// Trust type in the filter language's words.
    pub trust_type: Option<Text>,
    /// Sign-in risk; none when hidden.
    pub risk: Option<RiskLevel>,
    /// The flow that the session began with.
    pub flow: Option<TransferMethod>,
    /// The log says which flow it was; otherwise `flow` being none says nothing.
    pub flow_known: bool,
    /// Error code; 0 is success.
    pub error_code: i64,
    /// Failure reason as written.
    pub failure_reason: Option<Text>,
    /// `success`, `failure`, `notApplied`.
    pub conditional_access: Text,
    /// Whether MFA was done or already satisfied (`authenticationRequirement`).
    pub multi_factor: bool,
    /// Interactive.
    pub interactive: bool,
    /// Correlation id, which folds interrupts.
    pub correlation_id: Text,
    /// Microsoft's own verdict on each policy; rows with equal ones share them.
    pub applied: Arc<[AppliedPolicy]>,
}

impl PastSignIn {
    /// Whether it ended before Conditional Access was reached: wrong password, unknown, disabled or locked account.
    ///
    /// Source: Microsoft Learn, Microsoft Entra authentication and authorization error codes.
    #[must_use]
    pub fn first_factor_failed(&self) -> bool {
        matches!(self.error_code, 50034 | 50053 | 50055 | 50056 | 50057 | 50059 | 50064 | 50126 | 50128 | 50144 | 51004)
    }
}

impl Compact for PastSignIn {
    fn compact(rows: &mut [Self], known: &mut Seen) {
        for row in rows.iter_mut() {
            let always = [
                &mut row.user_id,
                &mut row.app_id,
                &mut row.app_name,
                &mut row.resource_name,
                &mut row.client_app_used,
                &mut row.conditional_access,
            ];
            let sometimes = [
                &mut row.home_tenant,
                &mut row.country,
                &mut row.city,
                &mut row.device_id,
                &mut row.device_name,
                &mut row.trust_type,
                &mut row.failure_reason,
            ];
            always.into_iter().chain(sometimes.into_iter().flatten()).for_each(|text| known.text(text));
            known.list(&mut row.resource_ids);
            known.verdicts(&mut row.applied);
        }
        side_by_side(rows, |row, each| [&mut row.id, &mut row.correlation_id].into_iter().for_each(each));
    }
}

/// What the log says of one policy at one sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AppliedPolicy {
    /// Object id of the policy.
    pub id: Text,
    /// `success`, `failure`, `notApplied`, `reportOnlySuccess`, `reportOnlyFailure`, `reportOnlyInterrupted` …
    pub result: Text,
    /// Grant controls it enforced.
    pub controls: Vec<Text>,
}

/// A `directoryAudit`: who changed what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Id in the log.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Activity, such as `Update conditional access policy`.
    pub activity: String,
    /// Name of the person or app that did it; untrusted text.
    pub by: String,
    /// Object id of the person or app.
    pub by_id: String,
    /// Object id of what it was done to; of several objects the first.
    pub target_id: String,
    /// Name of the target; untrusted text.
    pub target_name: String,
    /// Type of the target, such as `Policy` or `Group`.
    pub target_kind: String,
    /// The others: the group that a member joined, the person who got a role.
    pub others: Vec<AuditTarget>,
    /// Changed properties of all of them: name, old value, new value (JSON text as logged).
    pub changes: Vec<(String, Option<String>, Option<String>)>,
}

/// What a change was done to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditTarget {
    /// Object id.
    pub id: String,
    /// Name; untrusted text.
    pub name: String,
    /// Type, such as `Policy` or `Group`.
    pub kind: String,
}

impl AuditRecord {
    /// Whether it was done to this object, alone or beside others.
    #[must_use]
    pub fn is_about(&self, id: &str) -> bool {
        self.target_id == id || self.others.iter().any(|other| other.id == id)
    }

    /// Object id of the first target of this type.
    #[must_use]
    pub fn target_of(&self, kind: &str) -> Option<&str> {
        let first = (self.target_kind.as_str(), self.target_id.as_str());
        let others = self.others.iter().map(|other| (other.kind.as_str(), other.id.as_str()));
        [first].into_iter().chain(others).find_map(|(of, id)| (of == kind).then_some(id))
    }

    /// What it was done to: its name, or its id where the log has no name.
    #[must_use]
    pub fn target(&self) -> &str {
        if self.target_name.is_empty() { &self.target_id } else { &self.target_name }
    }
}

/// How many sign-ins these rows stand for; a row of a workspace folds equal ones of a day.
#[must_use]
pub fn how_many<'a>(rows: impl IntoIterator<Item = &'a PastSignIn>) -> u64 {
    rows.into_iter().map(|row| row.times).sum()
}

impl Compact for AuditRecord {}
