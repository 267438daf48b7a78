//! A row of the sign-in log as Graph writes it, `v1.0` fields and the `beta` ones that are used.

use serde_json::{Value, json};

use super::outcome::{Outcome, outcome, reason};
use super::scenario::{Visit, visit};
use crate::demo::activity::Session;
use crate::demo::apps::app_name;
use crate::demo::people::Kind;
use crate::demo::random::{Object, chance, seconds_before, written};
use crate::demo::tenant::Tenant;
use crate::demo::user_json::{display_name, guest, principal_name};

/// Index from which the ids of a session's rows are drawn.
fn index(session: Session, part: u32) -> u32 {
    (session.user << 11) | (session.number << 1) | part
}

/// User and session number that an index was made from.
#[must_use]
pub fn owner(index: u32) -> (u32, u32) {
    (index >> 11, (index >> 1) & 0x3FF)
}

/// The rows of a session, newest first: how it ended, and the interrupt before where there was one.
#[must_use]
pub fn rows(tenant: &Tenant, session: Session) -> Vec<Value> {
    let visit = visit(&tenant.people, session);
    let end = outcome(tenant, &visit, false);
    let roll = tenant.people.roll(session.user, 90_000 + u64::from(session.number));
    let prompted = end.mfa && visit.interactive && visit.kind == "browser" && chance(roll, 250);
    let last = row(tenant, session, (&visit, &end, 0));
    if !prompted {
        return vec![last];
    }
    let before = Visit { at: seconds_before(visit.at, 21), ..visit };
    let start = outcome(tenant, &before, true);
    vec![last, row(tenant, session, (&before, &start, 1))]
}

fn row(tenant: &Tenant, session: Session, (visit, outcome, part): (&Visit, &Outcome, u32)) -> Value {
    let people = &tenant.people;
    let kind = people.get(visit.user).map_or(Kind::Person, |user| user.kind);
    let resource = visit.audiences.first().map(String::as_str).unwrap_or_default();
    let client = if visit.client.0.is_empty() { resource } else { visit.client.0 };
    let home = guest_type(kind).filter(|kind| *kind != "internalGuest").map(|_| people.partner(visit.user).2);
    let mut row = json!({
        "id": people.ids.id(Object::SignIn, index(session, part)),
        "createdDateTime": written(visit.at),
        "userId": people.id(visit.user),
        "userDisplayName": display_name(people, visit.user),
        "userPrincipalName": principal_name(people, visit.user),
        "userType": if guest(kind) { "guest" } else { "member" },
        "appId": client,
        "appDisplayName": visit.client.1,
        "resourceId": resource,
        "resourceDisplayName": app_name(people.ids, resource),
        "ipAddress": visit.address,
        "clientAppUsed": visit.used,
        "correlationId": people.ids.id(Object::Correlation, index(session, 0)),
        "isInteractive": visit.interactive,
        "signInEventTypes": [if visit.interactive { "interactiveUser" } else { "nonInteractiveUser" }],
        "homeTenantId": home.as_deref().unwrap_or(&tenant.id),
        "resourceTenantId": tenant.id,
        "crossTenantAccessType": if home.is_some() { "b2bCollaboration" } else { "none" },
        "servicePrincipalId": "",
        "userAgent": null,
        "location": location(visit),
        "deviceDetail": device(visit),
        "status": { "errorCode": outcome.code, "failureReason": reason(outcome.code), "additionalDetails": null },
    });
    let conditional = conditional_access(visit, outcome);
    if let (Some(row), Value::Object(more)) = (row.as_object_mut(), conditional) {
        row.extend(more);
    }
    row
}

fn conditional_access(visit: &Visit, outcome: &Outcome) -> Value {
    let audiences: Vec<Value> =
        visit.audiences.iter().map(|id| json!({ "applicationId": id, "audienceReasons": "none" })).collect();
    json!({
        "conditionalAccessStatus": outcome.status,
        "appliedConditionalAccessPolicies": outcome.policies,
        "conditionalAccessAudiences": audiences,
        "authenticationRequirement": if outcome.mfa { "multiFactorAuthentication" } else { "singleFactorAuthentication" },
        "authenticationDetails": details(visit, outcome),
        "authenticationProtocol": visit.flow.map_or("none", |_| "deviceCode"),
        "originalTransferMethod": visit.flow.unwrap_or("none"),
        "authenticationContextClassReferences": [],
        "networkLocationDetails": [],
        "riskLevelDuringSignIn": visit.risk,
        "riskLevelAggregated": visit.risk,
        "riskState": if visit.risk == "none" { "none" } else { "atRisk" },
        "riskDetail": "none",
        "riskEventTypes_v2": if visit.risk == "none" { json!([]) } else { json!(["unfamiliarFeatures"]) },
        "incomingTokenType": "none",
        "isThroughGlobalSecureAccess": false,
    })
}

fn location(visit: &Visit) -> Value {
    let (country, city) = visit.place.unwrap_or(("", ""));
    json!({ "city": city, "state": "", "countryOrRegion": country, "geoCoordinates": {} })
}

fn device(visit: &Visit) -> Value {
    let Some(device) = visit.device.as_ref().filter(|_| visit.kind != "other") else {
        return json!({ "deviceId": "", "displayName": "", "operatingSystem": visit.system, "browser": "", "isCompliant": false,
            "isManaged": false, "trustType": "" });
    };
    let trust = match device.trust {
        "ServerAd" => "Hybrid Azure AD joined",
        "AzureAd" => "Azure AD joined",
        _ => "Azure AD registered",
    };
    json!({ "deviceId": device.device_id, "displayName": device.name, "operatingSystem": visit.system,
        "browser": if visit.kind == "browser" { "Edge 130.0" } else { "" }, "isCompliant": device.compliant, "isManaged": true,
        "trustType": trust })
}

fn details(visit: &Visit, outcome: &Outcome) -> Value {
    let step = |method: &str, succeeded: bool, text: &str| {
        json!({ "authenticationStepDateTime": written(visit.at), "authenticationMethod": method, "succeeded": succeeded,
            "authenticationStepResultDetail": text, "authenticationStepRequirement": "" })
    };
    match (visit.failed, outcome.mfa) {
        (true, _) => json!([step("Password", false, "Invalid username or password")]),
        (false, true) => json!([
            step("Password", true, "Correct password"),
            step("Mobile app notification", true, "MFA completed in Azure AD")
        ]),
        (false, false) => json!([step("Password", true, "Correct password")]),
    }
}

/// The kind of external user, as policies name it.
#[must_use]
pub fn guest_type(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::B2bGuest | Kind::PendingGuest => Some("b2bCollaborationGuest"),
        Kind::B2bMember => Some("b2bCollaborationMember"),
        Kind::InternalGuest => Some("internalGuest"),
        _ => None,
    }
}
