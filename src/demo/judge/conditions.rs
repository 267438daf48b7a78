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
    "agentIdRiskLevels",
    "agents",
    "agentContext",
];

/// The reason why these conditions are not met; the first in the order of the policy's page.
#[must_use]
pub fn unmet(conditions: &Value, case: Case<'_>) -> Option<&'static str> {
    let stated = case.sign_in.get("signInConditions").unwrap_or(&Value::Null);
    let part = |key: &str| conditions.get(key).filter(|part| !part.is_null());
    let risk = |listed: &str, level: &str| listed_level(&flags(conditions, listed), text(stated, level));
    let checks = [
        (part("platforms").is_none_or(|platforms| platform(platforms, stated)), "devicePlatform"),
        (part("devices").is_none_or(|devices| device::meant(devices, case)), "devices"),
        (client_app(&list(conditions, "clientAppTypes"), stated), "clientApps"),
        (part("locations").is_none_or(|locations| place::meant(locations, case)), "location"),
        (risk("signInRiskLevels", "signInRiskLevel"), "signInRisk"),
        (user_risk(conditions, case), "userRisk"),
        (risk("servicePrincipalRiskLevels", "servicePrincipalRiskLevel"), "signInRisk"),
        (risk("insiderRiskLevels", "insiderRiskLevel"), "insiderRisk"),
        (part("authenticationFlows").is_none_or(|flows| flow(flows, case)), "authenticationFlow"),
        (agent_risk(conditions, stated), "agentIdRisk"),
        (part("agentContext").is_none_or(|contexts| agent_context(contexts, case)), "agentIdentities"),
        (!unknown(conditions), "notEnoughInformation"),
    ];
    checks.into_iter().find(|(met, _)| !met).map(|(_, reason)| reason)
}

/// The user risk of people from elsewhere is judged there and not seen here.
fn user_risk(conditions: &Value, case: Case<'_>) -> bool {
    let external = case.subject.guest.as_deref().is_some_and(|kind| kind != "internalGuest");
    let level = case.sign_in.pointer("/signInConditions/userRiskLevel").and_then(Value::as_str);
    listed_level(&flags(conditions, "userRiskLevels"), if external { Some("none") } else { level.or(Some("none")) })
}

fn agent_risk(conditions: &Value, stated: &Value) -> bool {
    let levels = flags(conditions, "agentIdRiskLevels");
    let level = text(stated, "agentIdRiskLevel").filter(|level| *level != "none");
    levels.is_empty() || level.is_some_and(|level| holds(&levels, level))
}

fn agent_context(contexts: &Value, case: Case<'_>) -> bool {
    let context = case.sign_in.pointer("/extra/agentContext").and_then(Value::as_str);
    let hits = |side: &str| context.is_some_and(|context| holds(&list(contexts, side), context));
    hits("includeAgentContexts") && !hits("excludeAgentContexts")
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
    let says_nothing = list(platforms, "includePlatforms").is_empty() && list(platforms, "excludePlatforms").is_empty();
    says_nothing || (hits("includePlatforms") && !hits("excludePlatforms"))
}

/// A session begun by a flow stays in scope of it.
fn flow(flows: &Value, case: Case<'_>) -> bool {
    let methods: Vec<&str> = flags(flows, "transferMethods").into_iter().filter(|method| *method != "none").collect();
    let now = case.sign_in.pointer("/signInConditions/authenticationFlow/transferMethod").and_then(Value::as_str);
    let began = case.sign_in.pointer("/extra/originalTransferMethod").and_then(Value::as_str);
    methods.is_empty() || [now, began].into_iter().flatten().any(|method| holds(&methods, method))
}

fn unknown(conditions: &Value) -> bool {
    fn set(value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::Array(list) => list.iter().any(set),
            Value::Object(members) => members.values().any(set),
            _ => true,
        }
    }
    conditions.as_object().is_some_and(|conditions| {
        conditions.iter().any(|(key, value)| !KNOWN.contains(&key.as_str()) && !key.contains('@') && set(value))
    })
}
