//! What If in Graph's words: its request read into a sign-in, the answer written in the shape of its response.
//!
//! Source: Microsoft Graph v1.0, `conditionalAccessRoot: evaluate`. The member `extra` is ours: what a real sign-in
//! has and the request can't say.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::evaluate::{Applies, Outcome};
use crate::tenant::sign_in::{DeviceInfo, Identity, Known, SignIn, Target};
use crate::tenant::well_known::{REGISTER_DEVICE, REGISTER_SECURITY_INFO};
use crate::tenant::{Policy, Snapshot};

/// What a condition means that the request doesn't state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unstated {
    /// There is none, as Graph takes it.
    None,
    /// It isn't known, as questions mean it.
    Unknown,
}

/// Why a request can't be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{pointer}: expected {expected}")]
pub struct RequestError {
    /// JSON pointer of the member.
    pub pointer: String,
    /// What was expected there.
    pub expected: String,
}

/// Reads a What If request (`signInIdentity`, `signInContext`, `signInConditions`, and our `extra`).
///
/// # Errors
/// A member that holds a value which its kind doesn't have.
pub fn read_request(request: &Value, unstated: Unstated) -> Result<SignIn, RequestError> {
    let part = |name: &str| request.get(name).unwrap_or(&Value::Null);
    let (conditions, extra) =
        (Part { at: "/signInConditions", value: part("signInConditions"), unstated }, part("extra"));
    let text = |name: &str| extra.get(name).and_then(Value::as_str).map(str::to_lowercase);
    let flow = conditions.value.get("authenticationFlow").unwrap_or(&Value::Null);
    let flow = Part { at: "/signInConditions/authenticationFlow", value: flow, unstated };
    let began = Part { at: "/extra", value: extra, unstated };
    Ok(SignIn {
        identity: read_identity(part("signInIdentity"), extra),
        target: read_target(part("signInContext"))?,
        client_app: conditions.word("clientAppType")?,
        platform: conditions.word("devicePlatform")?,
        ip: conditions.word("ipAddress")?,
        country: match conditions.word::<String>("country")? {
            Known::Is(code) => Known::Is(code.to_uppercase()),
            other => other,
        },
        gps_country: began.word("gpsCountry")?,
        device: read_device(conditions.value.get("deviceInfo"), extra, unstated),
        sign_in_risk: conditions.word("signInRiskLevel")?,
        user_risk: conditions.word("userRiskLevel")?,
        service_principal_risk: conditions.word("servicePrincipalRiskLevel")?,
        insider_risk: conditions.word("insiderRiskLevel")?,
        flow: match began.word("originalTransferMethod")? {
            Known::Is(method) => Known::Is(method),
            _ => flow.word("transferMethod")?,
        },
        scopes: extra.get("scopes").and_then(Value::as_array).map(|list| strings(list)),
        confidential_client: text("clientType").map(|kind| kind == "confidential"),
        client_app_id: text("clientAppId"),
    })
}

fn strings(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// An object of the request, and what its absent members mean.
struct Part<'a> {
    at: &'a str,
    value: &'a Value,
    unstated: Unstated,
}

impl Part<'_> {
    /// A member that is one word. `null` and `none` say that there is none; `all` and `hidden` that it isn't known.
    fn word<T: DeserializeOwned>(&self, name: &str) -> Result<Known<T>, RequestError> {
        let value = match self.value.get(name) {
            None if self.unstated == Unstated::Unknown => return Ok(Known::Unknown),
            None | Some(Value::Null) => return Ok(Known::Absent),
            Some(value) => value,
        };
        match value.as_str() {
            Some("all" | "hidden" | "unknownFutureValue") => Ok(Known::Unknown),
            Some("none" | "") => Ok(Known::Absent),
            _ => serde_json::from_value(value.clone()).map(Known::Is).map_err(|error| RequestError {
                pointer: format!("{}/{name}", self.at),
                expected: format!("a value of {name} ({error})"),
            }),
        }
    }
}

fn read_identity(identity: &Value, extra: &Value) -> Identity {
    let text = |name: &str| identity.get(name).and_then(Value::as_str).map(str::to_lowercase);
    let kind = text("@odata.type").unwrap_or_default();
    if let Some(id) = text("servicePrincipalId") {
        return if kind.ends_with("agentsignin") { Identity::Agent(id) } else { Identity::ServicePrincipal(id) };
    }
    if let Some(id) = text("agentId") {
        return Identity::Agent(id);
    }
    let (id, tenant) = (text("userId"), text("externalTenantId"));
    let guest = identity.get("externalUserType").and_then(|kind| serde_json::from_value(kind.clone()).ok());
    if id.is_none() && guest.is_none() {
        return Identity::Unstated;
    }
    let direct_connect = extra.get("eligibleForB2bDirectConnect").and_then(Value::as_bool) == Some(true);
    Identity::User { id, guest, tenant, direct_connect }
}

fn read_target(context: &Value) -> Result<Target, RequestError> {
    if let Some(apps) = context.get("includeApplications").and_then(Value::as_array) {
        return Ok(Target::Apps(strings(apps).iter().map(|id| id.to_lowercase()).collect()));
    }
    if let Some(id) = context.get("authenticationContextValue").and_then(Value::as_str) {
        return Ok(Target::Context(id.into()));
    }
    match context.get("userAction").and_then(Value::as_str) {
        None => Ok(Target::Unstated),
        Some("registerSecurityInformation") => Ok(Target::UserAction(REGISTER_SECURITY_INFO.into())),
        Some("registerOrJoinDevices") => Ok(Target::UserAction(REGISTER_DEVICE.into())),
        Some(urn) if urn.starts_with("urn:user:") => Ok(Target::UserAction(urn.into())),
        Some(_) => Err(RequestError {
            pointer: "/signInContext/userAction".into(),
            expected: "registerSecurityInformation or registerOrJoinDevices".into(),
        }),
    }
}

/// The device; without one, Graph's evaluation takes it as unregistered.
fn read_device(info: Option<&Value>, extra: &Value, unstated: Unstated) -> Known<DeviceInfo> {
    let flag = |name: &str| extra.get(name).and_then(Value::as_bool);
    let registered = flag("deviceRegistered");
    let Some(members) = info.and_then(Value::as_object) else {
        let unknown = unstated == Unstated::Unknown && registered.is_none() && info.is_none();
        return if unknown { Known::Unknown } else { Known::Absent };
    };
    if registered == Some(false) {
        return Known::Absent;
    }
    let mut attributes = BTreeMap::new();
    for (name, value) in members {
        let name = if name == "ownership" { "deviceownership".into() } else { name.to_lowercase() };
        let values = match value {
            Value::Null => continue,
            Value::Array(list) => strings(list),
            Value::String(text) => vec![text.clone()],
            other => vec![other.to_string()],
        };
        attributes.insert(name, values);
    }
    let compliant = members.get("isCompliant").and_then(Value::as_bool);
    let trust_type = members.get("trustType").and_then(Value::as_str).map(str::to_owned);
    Known::Is(DeviceInfo {
        registered: true,
        partial: unstated == Unstated::Unknown,
        compliant,
        managed: flag("deviceManagedByIntune") == Some(true),
        trust_type,
        attributes,
    })
}

/// The answer in the shape of Graph's: each policy with `policyApplies` and `analysisReasons`.
#[must_use]
pub fn respond(snapshot: &Snapshot, outcome: &Outcome, applied_only: bool) -> Value {
    let listed = outcome.policies.iter().filter(|one| !applied_only || one.applies == Applies::Yes);
    let value: Vec<Value> = listed
        .map(|one| {
            let policy = snapshot.policy(&one.policy_id);
            json!({
                "id": one.policy_id,
                "displayName": policy.map(|policy| &policy.display_name),
                "state": policy.map(|policy: &Policy| policy.state),
                "policyApplies": one.applies == Applies::Yes,
                "analysisReasons": match one.applies {
                    Applies::Yes => "notSet",
                    Applies::No(kind) => kind.as_str(),
                    Applies::DependsOn(_) => "notEnoughInformation",
                    Applies::NotDecided(_) => "invalidCondition",
                },
            })
        })
        .collect();
    json!({ "value": value })
}
