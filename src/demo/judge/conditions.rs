//! Everything besides identity and target: client apps, platforms, places, risk, flows, devices.

use serde_json::Value;

use super::read::{flags, holds, list, text};
use super::{Case, device, place};

/// Conditions that are judged here or elsewhere; any other that is set leaves the verdict open.
const KNOWN: &[&str] = &[
    "users",
    "applications",
    "clientApplications",
    "clientAppTypes",
    "platforms",
    "locations",
    "devices",
    "signInRiskLevels",
    "userRiskLevels",
    "servicePrincipalRiskLevels",
    "insiderRiskLevels",
    "authenticationFlows",
];

/// The reason why these conditions are not met; the first in the order of the policy's page.
#[must_use]
pub fn unmet(conditions: &Value, case: Case<'_>) -> Option<&'static str> {
    let stated = case.sign_in.get("signInConditions").unwrap_or(&Value::Null);
    let part = |key: &str| conditions.get(key).filter(|part| !part.is_null());
    let risk = |listed: &str, level: &str| listed_level(&flags(conditions, listed), text(stated, level));
    let checks = [
        (risk("userRiskLevels", "userRiskLevel"), "userRisk"),
        (risk("signInRiskLevels", "signInRiskLevel"), "signInRisk"),
        (risk("servicePrincipalRiskLevels", "servicePrincipalRiskLevel"), "servicePrincipalRisk"),
        (risk("insiderRiskLevels", "insiderRiskLevel"), "insiderRisk"),
        (part("platforms").is_none_or(|platforms| platform(platforms, stated)), "devicePlatform"),
        (part("locations").is_none_or(|locations| place::meant(locations, case)), "location"),
        (client_app(&list(conditions, "clientAppTypes"), stated), "clientApps"),
        (part("devices").is_none_or(|devices| device::meant(devices, case)), "devices"),
        (part("authenticationFlows").is_none_or(|flows| flow(flows, case)), "authenticationFlow"),
        (!unknown(conditions), "notEnoughInformation"),
    ];
    checks.into_iter().find(|(met, _)| !met).map(|(_, reason)| reason)
}

fn listed_level(levels: &[&str], level: Option<&str>) -> bool {
    levels.is_empty() || level.is_some_and(|level| holds(levels, level))
}

fn client_app(kinds: &[&str], stated: &Value) -> bool {
    if kinds.is_empty() || holds(kinds, "all") {
        return true;
    }
    let Some(kind) = text(stated, "clientAppType") else { return false };
    let supported = kind == "exchangeActiveSync" && text(stated, "devicePlatform").is_some();
    holds(kinds, kind) || (supported && holds(kinds, "easSupported"))
}

/// An unknown platform is met by `all` only.
fn platform(platforms: &Value, stated: &Value) -> bool {
    let known = text(stated, "devicePlatform");
    let hits = |side: &str| {
        let named = list(platforms, side);
        holds(&named, "all") || known.is_some_and(|platform| holds(&named, platform))
    };
    hits("includePlatforms") && !hits("excludePlatforms")
}

/// A session begun by a flow stays in scope of it.
fn flow(flows: &Value, case: Case<'_>) -> bool {
    let methods: Vec<&str> = flags(flows, "transferMethods").into_iter().filter(|method| *method != "none").collect();
    let now = case.sign_in.pointer("/signInConditions/authenticationFlow/transferMethod").and_then(Value::as_str);
    let began = case.sign_in.pointer("/extra/originalTransferMethod").and_then(Value::as_str);
    methods.is_empty() || [now, began].into_iter().flatten().any(|method| holds(&methods, method))
}

fn unknown(conditions: &Value) -> bool {
    let set = |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    conditions.as_object().is_some_and(|conditions| {
        conditions.iter().any(|(key, value)| !KNOWN.contains(&key.as_str()) && !key.contains('@') && set(value))
    })
}
