//! Rules about session controls, most of which work for a few apps and clients only.

use super::Case;
use crate::tenant::policy::{ClientAppType, Control, Platform, SessionControls, SignInFrequency};
use crate::tenant::well_known::{APP_EXCHANGE_ONLINE, APP_SHAREPOINT_ONLINE};

const APP_TEAMS: &str = "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe";
const APP_VIRTUAL_DESKTOP: &str = "9cdead84-a844-4324-93f2-b2e6bb768d07";
const APP_WINDOWS_365: &str = "0af06dc6-e4b5-4f28-818e-e78e62d137a5";
const APP_WINDOWS_CLOUD_LOGIN: &str = "270efc09-cd0d-444b-a71f-39af4910ec45";

pub(super) fn check(case: &mut Case<'_>) {
    let unreadable = case.policy.undecided.iter().any(|pointer| pointer.ends_with("/signInFrequency"));
    case.error(21, unreadable, "sign-in frequency needs a number of hours or days, or \"Every time\"");
    let Some(session) = &case.policy.session else { return };
    if let Some(frequency) = session.sign_in_frequency {
        sign_in_frequency(case, frequency);
    }
    let all = case.conditions().applications.all;
    case.error(
        23,
        session.persistent_browser.is_some() && !all,
        "persistent browser session needs all resources as its target",
    );
    let able = ["Office365", APP_EXCHANGE_ONLINE, APP_SHAREPOINT_ONLINE];
    let wrong = session.application_enforced_restrictions && !case.only_apps(|app| able.contains(&app));
    case.error(24, wrong, "app enforced restrictions work for Office 365, Exchange Online and SharePoint Online only");
    let kinds = ["mcasConfigured", "monitorOnly", "blockDownloads"];
    let wrong = session.cloud_app_security.as_ref().is_some_and(|kind| !kinds.contains(&kind.as_str()));
    case.error(
        25,
        wrong,
        "Conditional Access App Control needs one of its types: monitor only, block downloads, or custom",
    );
    continuous_access(case, session);
    token_protection(case, session);
}

fn sign_in_frequency(case: &mut Case<'_>, frequency: SignInFrequency) {
    if let Some(hours) = frequency.hours {
        let whole = hours < 24 || hours % 24 == 0;
        let possible = (1..=365 * 24).contains(&hours) && whole;
        case.error(21, !possible, "sign-in frequency is 1 to 23 hours, or 1 to 365 days");
        return;
    }
    let risky = !case.conditions().sign_in_risk.is_empty() || !case.conditions().user_risk.is_empty();
    let everywhere = case.conditions().applications.all && !risky;
    case.warn(22, everywhere, "\"Every time\" for all resources without a risk condition asks people again and again");
    let mfa = case.has(&Control::Mfa) || case.has_strength();
    let conditions = case.conditions();
    case.warn(
        22,
        !conditions.sign_in_risk.is_empty() && !mfa,
        "\"Every time\" with sign-in risk needs multifactor authentication, which is what a risky sign-in can be met with",
    );
    let changed = case.has(&Control::PasswordChange) || case.has(&Control::RiskRemediation);
    case.warn(
        22,
        !conditions.user_risk.is_empty() && !changed,
        "\"Every time\" with user risk needs a password change, which is what ends the risk",
    );
    case.warn(
        22,
        frequency.secondary_only && !mfa,
        "asking the second factor every time needs multifactor authentication",
    );
}

fn continuous_access(case: &mut Case<'_>, session: &SessionControls) {
    let mode = session.continuous_access_evaluation.as_deref().unwrap_or_default();
    let whole = case.users().include.all && case.conditions().applications.all && case.is_unconditional();
    let off = mode.eq_ignore_ascii_case("disabled");
    case.error(
        26,
        off && !whole,
        "continuous access evaluation can be turned off for all users and all resources only, without conditions",
    );
}

fn token_protection(case: &mut Case<'_>, session: &SessionControls) {
    if !session.secure_sign_in_session {
        return;
    }
    let able = [
        "Office365",
        APP_EXCHANGE_ONLINE,
        APP_SHAREPOINT_ONLINE,
        APP_TEAMS,
        APP_VIRTUAL_DESKTOP,
        APP_WINDOWS_365,
        APP_WINDOWS_CLOUD_LOGIN,
    ];
    let elsewhere = !case.only_apps(|app| able.contains(&app));
    case.error(27, elsewhere, "token protection works for Exchange Online, SharePoint Online, Teams, Azure Virtual Desktop and Windows 365 only");
    let types = &case.conditions().client_app_types;
    let native = types.iter().all(|kind| *kind == ClientAppType::MobileAppsAndDesktopClients) && !types.is_empty();
    case.warn(27, !native, "token protection works for mobile apps and desktop clients only: browsers can't meet it");
    let able = [Platform::Windows, Platform::Ios, Platform::MacOs];
    let platforms = case.conditions().platforms.as_ref();
    let known = platforms.is_some_and(|sides| sides.include.iter().all(|platform| able.contains(platform)));
    case.warn(
        27,
        !known,
        "token protection works on Windows (in preview on iOS and macOS): other platforms can't meet it",
    );
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{accepts, draft, objects, rules, tenant};

    fn frequency(value: &Value) -> (&'static str, Value) {
        ("/sessionControls/signInFrequency", value.clone())
    }

    fn office() -> (&'static str, Value) {
        ("/conditions/applications/includeApplications", json!(["Office365"]))
    }

    #[test]
    fn sign_in_frequency_has_its_bounds() {
        accepts(&[frequency(&json!({"isEnabled": true, "type": "days", "value": 90}))]);
        objects(21, &[frequency(&json!({"isEnabled": true, "type": "days", "value": 366}))]);
        objects(21, &[frequency(&json!({"isEnabled": true, "type": "hours", "value": 30}))]);
        objects(21, &[frequency(&json!({"isEnabled": true, "type": null, "value": 3}))]);
        objects(22, &[frequency(&json!({"isEnabled": true, "frequencyInterval": "everyTime"}))]);
        let secondary = json!({"isEnabled": true, "frequencyInterval": "everyTime", "authenticationType": "secondaryAuthentication"});
        objects(22, &[office(), ("/grantControls", json!(null)), frequency(&secondary)]);
    }

    #[test]
    fn controls_that_work_for_some_apps() {
        objects(23, &[office(), ("/sessionControls/persistentBrowser", json!({"isEnabled": true, "mode": "never"}))]);
        objects(24, &[("/sessionControls/applicationEnforcedRestrictions/isEnabled", json!(true))]);
        accepts(&[office(), ("/sessionControls/applicationEnforcedRestrictions/isEnabled", json!(true))]);
        let rule = json!({"mode": "include", "rule": "CustomSecurityAttribute.Apps_Tier -eq \"high\""});
        let filter = || ("/conditions/applications", json!({"applicationFilter": rule}));
        objects(24, &[filter(), ("/sessionControls/applicationEnforcedRestrictions/isEnabled", json!(true))]);
        objects(27, &[filter(), ("/sessionControls/secureSignInSession/isEnabled", json!(true))]);
        objects(25, &[("/sessionControls/cloudAppSecurity/isEnabled", json!(true))]);
    }

    #[test]
    fn continuous_access_evaluation_is_off_for_all_or_on() {
        let off = ("/sessionControls/continuousAccessEvaluation/mode", json!("disabled"));
        accepts(std::slice::from_ref(&off));
        objects(26, &[off, ("/conditions/locations/includeLocations", json!(["All"]))]);
    }

    #[test]
    fn token_protection_works_in_few_places() {
        let on = ("/sessionControls/secureSignInSession/isEnabled", json!(true));
        objects(27, std::slice::from_ref(&on));
        let good = [
            on,
            office(),
            ("/conditions/clientAppTypes", json!(["mobileAppsAndDesktopClients"])),
            ("/conditions/platforms/includePlatforms", json!(["windows"])),
        ];
        assert_eq!(rules(&draft(&good), &tenant()), [0_u8; 0]);
    }
}
