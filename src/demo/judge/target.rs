//! What is signed in to, and whether a policy means it.

use serde_json::Value;

use super::Case;
use super::read::{holds, list, text};

/// Windows Azure Active Directory, as which baseline scopes are evaluated.
const DIRECTORY: &str = "00000002-0000-0000-c000-000000000000";
/// Where people remediate their own risk.
const REMEDIATION: &str = "93625bc8-bfe2-437a-97e0-3d0060024faa";
/// Intune Enrollment.
const ENROLMENT: &str = "d4ebce55-015a-49b5-a083-c84d1797ae8c";
/// Where agents exchange tokens.
const TOKEN_EXCHANGE: &str = "fb60f99c-7a34-4190-8149-302f77469936";
/// Groups of apps with the members that are published: Windows Azure Service Management API, and the largest of Office 365.
const PUBLISHED: [(&str, &[&str]); 2] = [
    (
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        &[
            "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
            "e9f49c6b-5ce5-44c8-925d-015017e9f7ad",
            "f5c26e74-f226-4ae8-85f0-b4af0080ac9e",
            "ca7f3f0b-7d91-482c-8e09-c5d840d0eac5",
        ],
    ),
    (
        "Office365",
        &[
            "00000002-0000-0ff1-ce00-000000000000",
            "00000003-0000-0ff1-ce00-000000000000",
            "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
        ],
    ),
];

/// The reason why a policy with these conditions does not mean the target.
#[must_use]
pub fn unmet(policy: &Value, conditions: &Value, case: Case<'_>, report_only: bool) -> Option<&'static str> {
    let target = conditions.get("applications").unwrap_or(&Value::Null);
    let context = case.sign_in.get("signInContext").unwrap_or(&Value::Null);
    if let Some(action) = text(context, "userAction") {
        return (!means_action(target, action, report_only)).then_some("userActions");
    }
    if let Some(value) = text(context, "authenticationContextValue") {
        let listed = list(target, "includeAuthenticationContextClassReferences").contains(&value);
        return (!listed).then_some("authenticationContext");
    }
    let asked = list(context, "includeApplications");
    let spared = asked.iter().all(|app| is_spared(policy, target, app, case));
    let meant = match baseline(target, &asked, case) {
        Baseline::Ordinary => asked.iter().any(|app| means_app(target, app, case)),
        Baseline::As(instead) => means_app(target, instead, case),
        Baseline::Slips => false,
    };
    (spared || !meant).then_some("application")
}

/// Requests that Microsoft spares: risk remediation, device enrolment from a compliant device, agents' token exchange.
fn is_spared(policy: &Value, target: &Value, app: &str, case: Case<'_>) -> bool {
    let controls = super::controls(policy);
    let all_of = policy.pointer("/grantControls/operator").and_then(Value::as_str) == Some("AND") && controls.len() > 1;
    let compliance = !all_of && controls.iter().any(|control| control == "compliantDevice");
    match app {
        REMEDIATION => true,
        ENROLMENT => compliance && !holds(&list(target, "includeApplications"), app),
        TOKEN_EXCHANGE => case.subject.agent,
        _ => false,
    }
}

/// How a request is taken as for baseline scopes.
enum Baseline<'a> {
    /// As any other.
    Ordinary,
    /// As one for this app.
    As(&'a str),
    /// It slips past.
    Slips,
}

/// Where all resources have an exclusion and only baseline scopes are asked for, the tenant's setting decides.
fn baseline<'a>(target: &Value, asked: &[&str], case: Case<'a>) -> Baseline<'a> {
    let filtered = target.pointer("/applicationFilter/mode").and_then(Value::as_str) == Some("exclude");
    let excludes = filtered || !list(target, "excludeApplications").is_empty();
    if !excludes || !holds(&list(target, "includeApplications"), "All") || !asks_baseline(asked, case) {
        return Baseline::Ordinary;
    }
    let setting = case.around.baseline_scopes;
    match text(setting, "customTarget") {
        Some(app) => Baseline::As(app),
        None if setting.as_str() == Some("legacy") => Baseline::Slips,
        None => Baseline::As(DIRECTORY),
    }
}

fn asks_baseline(asked: &[&str], case: Case<'_>) -> bool {
    let extra = case.sign_in.get("extra").unwrap_or(&Value::Null);
    let scopes: Vec<&str> = list(extra, "scopes");
    let confidential = text(extra, "clientType") == Some("confidential");
    let of_directory = |scope: &&str| match scope.rsplit_once('/') {
        None => true,
        Some((resource, _)) => resource.contains("graph.microsoft.com") || resource.contains("graph.windows.net"),
    };
    let name = |scope: &&str| scope.rsplit('/').next().unwrap_or_default().to_lowercase();
    let sign_in_only = |name: &str| ["email", "offline_access", "openid", "profile"].contains(&name);
    let of_all = |name: &str| sign_in_only(name) || ["user.read", "people.read"].contains(&name);
    let of_confidential = |name: &str| {
        ["user.read.all", "user.readbasic.all", "people.read.all", "groupmember.read.all", "member.read.hidden"]
            .contains(&name)
    };
    let itself = text(extra, "clientAppId").is_some_and(|client| asked.iter().all(|app| *app == client));
    if confidential && itself && scopes.iter().map(name).all(|name| sign_in_only(&name)) {
        return false;
    }
    !scopes.is_empty()
        && scopes.iter().all(of_directory)
        && scopes.iter().map(name).all(|name| of_all(&name) || (confidential && of_confidential(&name)))
}

/// A policy on all resources reaches the registration of security information too. A policy scoped to user actions is
/// not evaluated in report-only.
fn means_action(target: &Value, action: &str, report_only: bool) -> bool {
    let urn = match action {
        "registerSecurityInformation" => "urn:user:registersecurityinfo",
        "registerOrJoinDevices" => "urn:user:registerdevice",
        other => other,
    };
    let named = list(target, "includeUserActions").contains(&urn) && !report_only;
    let everything = holds(&list(target, "includeApplications"), "All");
    named || (everything && urn == "urn:user:registersecurityinfo")
}

fn means_app(target: &Value, app: &str, case: Case<'_>) -> bool {
    let filter = target.get("applicationFilter").filter(|filter| !filter.is_null());
    let tagged = filter.is_some_and(|filter| {
        let principal = case.around.service_principals.iter().find(|row| text(row, "appId") == Some(app));
        principal.is_some_and(|row| super::device::tag_rule(text(filter, "rule").unwrap_or_default(), row))
    });
    let mode = filter.and_then(|filter| text(filter, "mode"));
    let included = named(&list(target, "includeApplications"), app, case) || (mode == Some("include") && tagged);
    let excluded = named(&list(target, "excludeApplications"), app, case) || (mode == Some("exclude") && tagged);
    included && !excluded
}

/// Whether `words` name the app: itself, a group it belongs to, or everything.
fn named(words: &[&str], app: &str, case: Case<'_>) -> bool {
    words.iter().any(|word| match *word {
        "None" => false,
        "AllAgentIdResources" => {
            let agents = case.around.service_principals.iter();
            let mut agents = agents.filter(|row| text(row, "servicePrincipalType") == Some("ServiceIdentity"));
            agents.any(|row| text(row, "appId") == Some(app))
        }
        word if word.eq_ignore_ascii_case("All") || word.eq_ignore_ascii_case(app) => true,
        word => belongs(word, app, case, 0),
    })
}

/// Whether the app belongs to a group of apps, or to a group within it.
fn belongs(group: &str, app: &str, case: Case<'_>, depth: u8) -> bool {
    let members = list(case.around.app_groups, group);
    let published = PUBLISHED.iter().find(|(name, _)| members.is_empty() && *name == group);
    let known = published.map_or(members, |(_, apps)| apps.to_vec());
    depth < 8 && known.iter().any(|member| member.eq_ignore_ascii_case(app) || belongs(member, app, case, depth + 1))
}
