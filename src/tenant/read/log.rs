//! Reads the sign-in log and the audit log.

use std::sync::Arc;

use serde_json::Value;

use super::ReadError;
use super::directory::trust_type;
use super::node::{Node, id};
use crate::tenant::policy::{ClientAppType, GuestType, Platform, RiskLevel, TransferMethod};
use crate::tenant::sign_in::{AppliedPolicy, AuditRecord, AuditTarget, Known, PastSignIn};
use crate::tenant::text::Text;
use crate::tenant::words::Word;

/// Reads a `signIn` of v1.0 or beta.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_sign_in(value: &Value) -> Result<PastSignIn, ReadError> {
    let node = Node::root(value);
    let at = node.member("createdDateTime");
    let status = node.member("status").object()?;
    let device = node.member("deviceDetail").object()?;
    let location = node.member("location").object()?;
    let client = node.member("clientAppUsed").string()?;
    let protocol = node.member("authenticationProtocol").string()?;
    let transfer = node.member("originalTransferMethod").string()?;
    let listed = node.member("appliedConditionalAccessPolicies");
    let applied = listed.items()?.iter().map(read_applied).collect::<Result<Vec<_>, _>>()?;
    let times = node.member("signIns").number()?.and_then(|count| u64::try_from(count).ok()).unwrap_or(1);
    Ok(PastSignIn {
        times,
        id: node.member("id").string()?.into(),
        at: at.time()?.ok_or_else(|| at.wrong("a time such as 2026-11-23T08:00:00Z"))?,
        user_id: node.member("userId").id()?.into(),
        guest: guest_type(&node)?,
        home_tenant: node.member("homeTenantId").filled()?.map(|text| id(&text).into()),
        app_id: node.member("appId").id()?.into(),
        app_name: node.member("appDisplayName").string()?.into(),
        resource_ids: read_resources(&node)?,
        resource_name: node.member("resourceDisplayName").string()?.into(),
        client_app: client_app(&client),
        client_app_used: client.into(),
        platform: platform(&device.member("operatingSystem").string()?),
        ip: node.member("ipAddress").text()?.and_then(|text| text.parse().ok()),
        country: location.member("countryOrRegion").filled()?.map(|code| code.to_ascii_uppercase().into()),
        city: location.member("city").filled()?.map(Text::from),
        device_id: device.member("deviceId").filled()?.map(|text| id(&text).into()),
        device_name: device.member("displayName").filled()?.map(Text::from),
        compliant: device.member("isCompliant").flag()?,
        trust_type: device.member("trustType").filled()?.map(|text| trust_type(&text).into()),
        // `hidden` means that the licence doesn't show it, which is not the same as no risk.
        risk: node.member("riskLevelDuringSignIn").text()?.and_then(RiskLevel::parse),
        flow: flow(&transfer, &protocol),
        flow_known: !transfer.is_empty() || !protocol.is_empty(),
        error_code: status.member("errorCode").number()?.unwrap_or_default(),
        failure_reason: status.member("failureReason").filled()?.map(Text::from),
        conditional_access: node.member("conditionalAccessStatus").string()?.into(),
        multi_factor: did_multi_factor(&node, &status)? || met_by_multi_factor(&applied),
        interactive: node.member("isInteractive").flag()?.unwrap_or(true),
        correlation_id: node.member("correlationId").string()?.into(),
        applied: applied.into(),
    })
}

/// The resources that Conditional Access really evaluated, in all shapes seen; otherwise the one resource of the row.
fn read_resources(node: &Node<'_>) -> Result<Arc<[Text]>, ReadError> {
    let audiences = node.member("conditionalAccessAudiences");
    let parsed = audiences.value().as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let root = parsed.as_ref().filter(|value| value.is_array()).map(Node::root);
    let list = root.as_ref().unwrap_or(&audiences);
    let mut ids = match list.value() {
        Value::String(_) => list.strings()?.into_iter().map(id).collect(),
        _ => list.items()?.iter().map(read_audience).collect::<Result<Vec<_>, _>>()?,
    };
    ids.retain(|found| !found.is_empty());
    if ids.is_empty() {
        ids.extend(node.member("resourceId").filled()?.map(|text| id(&text)));
    }
    Ok(ids.into_iter().map(Text::from).collect())
}

fn read_audience(node: &Node<'_>) -> Result<String, ReadError> {
    if node.value().is_object() { node.member("applicationId").id() } else { node.id() }
}

fn read_applied(node: &Node<'_>) -> Result<AppliedPolicy, ReadError> {
    Ok(AppliedPolicy {
        id: node.member("id").id()?.into(),
        result: node.member("result").string()?.into(),
        controls: node.member("enforcedGrantControls").strings()?.into_iter().map(Text::from).collect(),
    })
}

/// From `clientAppUsed`, which has texts of its own; empty is unknown.
fn client_app(text: &str) -> Option<ClientAppType> {
    match text.to_ascii_lowercase().as_str() {
        "" => None,
        "browser" => Some(ClientAppType::Browser),
        "mobile apps and desktop clients" => Some(ClientAppType::MobileAppsAndDesktopClients),
        "exchange activesync" => Some(ClientAppType::ExchangeActiveSync),
        _ => Some(ClientAppType::Other),
    }
}

/// From the operating system's text, by its beginning; a system of another kind is the unknown platform of policies.
fn platform(text: &str) -> Known<Platform> {
    let text = text.to_ascii_lowercase().replace(' ', "");
    let known = [
        ("windowsphone", Platform::WindowsPhone),
        ("windows", Platform::Windows),
        ("macos", Platform::MacOs),
        ("ios", Platform::Ios),
        ("ipados", Platform::Ios),
        ("android", Platform::Android),
        ("linux", Platform::Linux),
    ];
    match known.into_iter().find(|(start, _)| text.starts_with(start)) {
        Some((_, platform)) => Known::Is(platform),
        None if text.is_empty() => Known::Unknown,
        None => Known::Absent,
    }
}

fn flow(transfer: &str, protocol: &str) -> Option<TransferMethod> {
    let by_protocol = protocol.eq_ignore_ascii_case("deviceCode").then_some(TransferMethod::DeviceCodeFlow);
    TransferMethod::parse(transfer).or(by_protocol)
}

fn guest_type(node: &Node<'_>) -> Result<Option<GuestType>, ReadError> {
    let kind = node.member("crossTenantAccessType").string()?.to_ascii_lowercase();
    let guest = node.member("userType").string()?.eq_ignore_ascii_case("guest");
    Ok(match kind.as_str() {
        "b2bcollaboration" if guest => Some(GuestType::B2bCollaborationGuest),
        "b2bcollaboration" => Some(GuestType::B2bCollaborationMember),
        "b2bdirectconnect" => Some(GuestType::B2bDirectConnectUser),
        "serviceprovider" => Some(GuestType::ServiceProvider),
        _ => None,
    })
}

fn did_multi_factor(node: &Node<'_>, status: &Node<'_>) -> Result<bool, ReadError> {
    let required = node.member("authenticationRequirement").string()?;
    let details = status.member("additionalDetails").string()?.to_ascii_lowercase();
    let said = details.starts_with("mfa") && (details.contains("satisfied") || details.contains("completed"));
    Ok(said || required.eq_ignore_ascii_case("multiFactorAuthentication"))
}

/// Whether MFA alone is what some policy asked for and got, by the log's own word: v1.0 has no `authenticationRequirement`.
fn met_by_multi_factor(applied: &[AppliedPolicy]) -> bool {
    let met = |one: &AppliedPolicy| ["success", "reportOnlySuccess"].contains(&one.result.as_str());
    let by_it = |one: &AppliedPolicy| matches!(&*one.controls, [only] if only.eq_ignore_ascii_case("mfa"));
    applied.iter().any(|one| met(one) && by_it(one))
}

/// Reads a `directoryAudit`; none when the log says that nothing came of it, or doesn't know.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_audit(value: &Value) -> Result<Option<AuditRecord>, ReadError> {
    let node = Node::root(value);
    let result = node.member("result").string()?;
    if !result.is_empty() && !result.eq_ignore_ascii_case("success") {
        return Ok(None);
    }
    let at = node.member("activityDateTime");
    let by = node.member("initiatedBy").object()?;
    let (user, app) = (by.member("user"), by.member("app"));
    let targets = node.member("targetResources");
    let targets = targets.items()?;
    let mut record = AuditRecord {
        id: node.member("id").string()?,
        at: at.time()?.ok_or_else(|| at.wrong("a time such as 2026-11-23T08:00:00Z"))?,
        activity: node.member("activityDisplayName").string()?,
        by: [user.member("displayName"), user.member("userPrincipalName"), app.member("displayName")]
            .iter()
            .find_map(|name| name.filled().ok().flatten())
            .unwrap_or_default(),
        by_id: [user.member("id"), app.member("servicePrincipalId"), app.member("appId")]
            .iter()
            .find_map(|found| found.id().ok().filter(|found| !found.is_empty()))
            .unwrap_or_default(),
        ..AuditRecord::default()
    };
    for (at, target) in targets.iter().enumerate() {
        let read = read_target(target)?;
        if at == 0 {
            (record.target_id, record.target_name, record.target_kind) = (read.id, read.name, read.kind);
        } else {
            record.others.push(read);
        }
        for change in target.member("modifiedProperties").items()? {
            record.changes.push(read_change(&change)?);
        }
    }
    Ok(Some(record))
}

fn read_target(node: &Node<'_>) -> Result<AuditTarget, ReadError> {
    Ok(AuditTarget {
        id: node.member("id").id()?,
        name: node.member("displayName").string()?,
        kind: node.member("type").string()?,
    })
}

fn read_change(node: &Node<'_>) -> Result<(String, Option<String>, Option<String>), ReadError> {
    Ok((node.member("displayName").string()?, node.member("oldValue").filled()?, node.member("newValue").filled()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sign_in(extra: &Value) -> PastSignIn {
        let mut row = json!({"id": "1", "createdDateTime": "2026-11-20T10:00:00Z", "userId": "u", "resourceId": "r"});
        row.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        read_sign_in(&row).unwrap()
    }

    #[test]
    fn texts_of_the_log_become_the_words_of_policies() {
        let row = sign_in(&json!({
            "clientAppUsed": "Authenticated SMTP", "riskLevelDuringSignIn": "hidden",
            "deviceDetail": {"operatingSystem": "Ios 17.1", "trustType": "Hybrid Azure AD joined", "isCompliant": true},
            "status": {"errorCode": 50126}
        }));
        assert_eq!(row.client_app, Some(ClientAppType::Other));
        assert_eq!(row.platform, Known::Is(Platform::Ios));
        assert_eq!(row.trust_type.as_deref(), Some("ServerAD"));
        assert_eq!(row.risk, None);
        assert!(row.first_factor_failed());
        assert!(!row.flow_known);
    }

    #[test]
    fn what_conditional_access_evaluated_wins_over_the_resource() {
        let ids = |audiences: Value| sign_in(&json!({"conditionalAccessAudiences": audiences})).resource_ids.to_vec();
        assert_eq!(ids(json!(["a", "b"])), ["a", "b"]);
        assert_eq!(ids(json!([{"applicationId": "a", "audienceReasons": "none"}])), ["a"]);
        assert_eq!(ids(json!("[\"a\",\"b\"]")), ["a", "b"]);
        assert_eq!(ids(json!(null)), ["r"]);
    }

    #[test]
    fn a_session_that_began_by_device_code_stays_one() {
        let row = sign_in(&json!({"originalTransferMethod": "deviceCodeFlow", "authenticationProtocol": "oAuth2"}));
        assert_eq!((row.flow, row.flow_known), (Some(TransferMethod::DeviceCodeFlow), true));
        let row = sign_in(&json!({"originalTransferMethod": "none"}));
        assert_eq!((row.flow, row.flow_known), (None, true));
    }

    #[test]
    fn a_policy_that_was_met_by_mfa_alone_shows_that_it_was_done() {
        let did = |result: &str, controls: Value| {
            let applied = json!([{"id": "p", "result": result, "enforcedGrantControls": controls}]);
            sign_in(&json!({"appliedConditionalAccessPolicies": applied})).multi_factor
        };
        assert!(did("success", json!(["Mfa"])) && did("reportOnlySuccess", json!(["mfa"])));
        assert!(!did("reportOnlyInterrupted", json!(["Mfa"])) && !did("failure", json!(["Mfa"])));
        assert!(!did("success", json!(["Mfa", "RequireCompliantDevice"])), "the device may have done");
        assert!(!did("success", json!([])));
    }

    #[test]
    fn an_audit_record_names_the_person_and_the_change() {
        let mut logged = json!({
            "id": "a", "activityDateTime": "2026-11-20T10:00:00Z", "activityDisplayName": "Update conditional access policy",
            "initiatedBy": {"user": {"id": "u", "displayName": null, "userPrincipalName": "piotr@x"}, "app": null},
            "targetResources": [{"id": "p", "displayName": "CA200", "type": "Policy",
                "modifiedProperties": [{"displayName": "ConditionalAccessPolicy", "oldValue": "{}", "newValue": "{\"a\":1}"}]}]
        });
        let record = read_audit(&logged).unwrap().unwrap();
        assert_eq!((record.by.as_str(), record.target_name.as_str()), ("piotr@x", "CA200"));
        assert_eq!(record.changes.len(), 1);
        logged["targetResources"].as_array_mut().unwrap().push(json!({"id": "g", "displayName": null, "type": "Group",
            "modifiedProperties": [{"displayName": "Description", "oldValue": null, "newValue": "\"x\""}]}));
        let two = read_audit(&logged).unwrap().unwrap();
        assert_eq!((two.target_id.as_str(), two.target_of("Group"), two.changes.len()), ("p", Some("g"), 2));
        assert!(two.is_about("p") && two.is_about("g") && !record.is_about("g"));
        for (result, done) in [("success", true), ("failure", false), ("timeout", false)] {
            logged["result"] = json!(result);
            assert_eq!(read_audit(&logged).unwrap().is_some(), done, "{result}");
        }
    }
}
