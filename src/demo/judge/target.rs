//! What is signed in to, and whether a policy means it.

use serde_json::Value;

use super::Case;
use super::read::{list, text};

/// The reason why these conditions do not mean the target.
#[must_use]
pub fn unmet(conditions: &Value, case: Case<'_>, report_only: bool) -> Option<&'static str> {
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
    (!asked.iter().any(|app| means_app(target, app, case))).then_some("application")
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
    let everything = list(target, "includeApplications").contains(&"All");
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
        "All" => true,
        "None" => false,
        other => other.eq_ignore_ascii_case(app) || list(case.around.app_groups, other).contains(&app),
    })
}
