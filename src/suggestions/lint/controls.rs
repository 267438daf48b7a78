//! Rules about grant controls: what stands alone, what goes together, and where it can be met.

use super::Case;
use crate::tenant::policy::{Control, Operator, Platform};
use crate::tenant::well_known::APP_EXCHANGE_ONLINE;

pub(super) fn check(case: &mut Case<'_>) {
    let empty = case.policy.grant.as_ref().is_none_or(|grant| grant.controls.is_empty());
    case.error(
        7,
        empty && case.policy.session.is_none(),
        "the policy asks for nothing: choose a grant or session control",
    );
    let blocks = case.has(&Control::Block);
    let more = case.controls().count() > 1 || case.policy.session.is_some();
    case.error(8, blocks && more, "\"Block access\" stands alone; take the other controls out");
    let both = case.has(&Control::Mfa) && case.has_strength();
    case.error(10, both, "choose either multifactor authentication or an authentication strength, not both");
    password_change(case);
    risk_remediation(case);
    apps(case);
    workload(case);
    lock_out(case);
    let custom = case.controls().any(|control| matches!(control, Control::Custom(_)));
    case.warn(42, custom, "custom controls are a retired preview; use an external authentication method");
}

fn password_change(case: &mut Case<'_>) {
    if !case.has(&Control::PasswordChange) {
        return;
    }
    let with_mfa = case.has(&Control::Mfa) || case.has_strength();
    let alone = case.controls().count() == 2 && with_mfa;
    let all = case.policy.grant.as_ref().is_some_and(|grant| grant.operator == Operator::And);
    let conditions = case.conditions();
    case.error(
        11,
        !alone || !all,
        "\"Require password change\" needs multifactor authentication beside it, both required",
    );
    case.error(11, conditions.user_risk.is_empty(), "\"Require password change\" needs user risk levels");
    case.error(11, !conditions.applications.all, "\"Require password change\" needs all resources as its target");
    case.error(
        12,
        !conditions.sign_in_risk.is_empty(),
        "\"Require password change\" can't be combined with sign-in risk",
    );
    let narrowed = !case.any_client()
        || conditions.platforms.is_some()
        || conditions.locations.is_some()
        || conditions.device_filter.is_some()
        || !conditions.flows.is_empty();
    case.warn(12, narrowed, "the portal offers no further conditions beside \"Require password change\"");
}

fn risk_remediation(case: &mut Case<'_>) {
    if !case.has(&Control::RiskRemediation) {
        return;
    }
    let conditions = case.conditions();
    case.error(13, conditions.user_risk.is_empty(), "\"Require risk remediation\" needs user risk levels");
    case.error(13, !conditions.applications.all, "\"Require risk remediation\" needs all resources as its target");
    case.error(
        13,
        case.has(&Control::PasswordChange),
        "\"Require risk remediation\" takes the place of a password change",
    );
    case.error(13, case.users().include.guests.is_some(), "\"Require risk remediation\" doesn't work for guests");
}

/// Approved apps and app protection exist on a few platforms; elsewhere nobody can meet them.
fn apps(case: &mut Case<'_>) {
    let retired = case.has(&Control::ApprovedApplication);
    case.error(
        14,
        retired,
        "\"Require approved client app\" can't be chosen any more since 30 June 2026; require an app protection policy",
    );
    let controls = [Control::ApprovedApplication, Control::CompliantApplication];
    if case.demands_one_of(&controls) {
        let able = |platform: &Platform| match platform {
            Platform::Android | Platform::Ios => true,
            Platform::Windows => !retired,
            _ => false,
        };
        let named = case.conditions().platforms.as_ref().map(|sides| &sides.include);
        let nowhere = named.is_some_and(|named| !named.contains(&Platform::All) && !named.iter().any(able));
        case.error(15, nowhere, "nobody can meet app protection on these platforms; choose iOS and Android");
        let elsewhere = named.is_none_or(|named| named.is_empty() || !named.iter().all(able));
        case.warn(
            15,
            elsewhere && !nowhere,
            "app protection works on iOS and Android only: everyone is blocked on other platforms",
        );
    }
    let any = controls.iter().any(|control| case.has(control));
    let wrong = case.takes_active_sync() && any && !only_exchange(case);
    case.error(16, wrong, "with Exchange ActiveSync, app protection works for Exchange Online alone");
}

pub(super) fn only_exchange(case: &Case<'_>) -> bool {
    case.only_apps(|app| app == APP_EXCHANGE_ONLINE)
}

fn workload(case: &mut Case<'_>) {
    if !case.is_workload() {
        return;
    }
    let only_block = case.has(&Control::Block) && case.controls().count() == 1 && case.policy.session.is_none();
    case.error(19, !only_block, "a policy for workload identities can only block access");
    let conditions = case.conditions();
    let other = !case.any_client()
        || conditions.platforms.is_some()
        || conditions.device_filter.is_some()
        || !conditions.sign_in_risk.is_empty()
        || !conditions.user_risk.is_empty()
        || !conditions.insider_risk.is_empty()
        || !conditions.flows.is_empty();
    case.error(
        19,
        other,
        "a policy for workload identities takes no conditions but locations and service principal risk",
    );
}

/// What would keep everybody out.
fn lock_out(case: &mut Case<'_>) {
    let everybody = case.users().include.all && case.conditions().applications.all && case.excludes_nobody();
    let blocks = everybody && case.has(&Control::Block) && case.is_always_met();
    case.error(
        36,
        blocks,
        "this would block everybody from everything; exclude the emergency access accounts at least",
    );
    let devices = [Control::CompliantDevice, Control::DomainJoinedDevice];
    let locked = everybody && case.demands_one_of(&devices);
    case.warn(37, locked, "without an exclusion nobody without a managed device can sign in, administrators included");
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{accepts, objects};

    const BUILT_IN: &str = "/grantControls/builtInControls";
    const OPERATOR: &str = "/grantControls/operator";
    const RISK: (&str, fn() -> Value) = ("/conditions/userRiskLevels", || json!(["high"]));

    fn built_in(controls: &[&str]) -> (&'static str, Value) {
        (BUILT_IN, json!(controls))
    }

    #[test]
    fn something_is_asked_for_and_block_stands_alone() {
        objects(7, &[("/grantControls", json!(null))]);
        objects(8, &[built_in(&["block", "mfa"])]);
        objects(8, &[built_in(&["block"]), ("/sessionControls/secureSignInSession/isEnabled", json!(true))]);
        objects(10, &[("/grantControls/authenticationStrength/id", json!("s"))]);
    }

    #[test]
    fn password_change_has_its_company() {
        let and = || (OPERATOR, json!("AND"));
        accepts(&[built_in(&["mfa", "passwordChange"]), and(), (RISK.0, RISK.1())]);
        objects(11, &[built_in(&["passwordChange"]), (RISK.0, RISK.1())]);
        objects(11, &[built_in(&["mfa", "passwordChange"]), (RISK.0, RISK.1())]);
        objects(11, &[built_in(&["mfa", "passwordChange"]), and()]);
        objects(
            12,
            &[
                built_in(&["mfa", "passwordChange"]),
                and(),
                (RISK.0, RISK.1()),
                ("/conditions/signInRiskLevels", json!(["high"])),
            ],
        );
        objects(
            12,
            &[
                built_in(&["mfa", "passwordChange"]),
                and(),
                (RISK.0, RISK.1()),
                ("/conditions/platforms/includePlatforms", json!(["iOS"])),
            ],
        );
    }

    #[test]
    fn risk_remediation_has_its_place() {
        accepts(&[built_in(&["riskRemediation"]), (RISK.0, RISK.1())]);
        objects(13, &[built_in(&["riskRemediation"])]);
        objects(
            13,
            &[
                built_in(&["riskRemediation"]),
                (RISK.0, RISK.1()),
                ("/conditions/applications", json!({"includeApplications": ["Office365"]})),
            ],
        );
        objects(13, &[built_in(&["riskRemediation", "passwordChange"]), (RISK.0, RISK.1())]);
        objects(
            13,
            &[
                built_in(&["riskRemediation"]),
                (RISK.0, RISK.1()),
                ("/conditions/users", json!({"includeUsers": ["GuestsOrExternalUsers"]})),
            ],
        );
    }

    #[test]
    fn app_protection_where_there_is_any() {
        objects(14, &[built_in(&["approvedApplication"])]);
        objects(15, &[built_in(&["compliantApplication"])]);
        objects(
            15,
            &[built_in(&["compliantApplication"]), ("/conditions/platforms/includePlatforms", json!(["macOS"]))],
        );
        accepts(&[
            built_in(&["compliantApplication"]),
            ("/conditions/platforms/includePlatforms", json!(["iOS", "android"])),
        ]);
        objects(
            16,
            &[built_in(&["compliantApplication"]), ("/conditions/clientAppTypes", json!(["exchangeActiveSync"]))],
        );
        objects(42, &[("/grantControls/customAuthenticationFactors", json!(["x"]))]);
    }

    #[test]
    fn workload_identities_are_blocked_or_left_alone() {
        let workload = || {
            [
                ("/conditions/users", json!({"includeUsers": ["None"]})),
                (
                    "/conditions/clientApplications",
                    json!({"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}),
                ),
            ]
        };
        objects(19, &workload());
        let [users, apps] = workload();
        objects(19, &[users, apps, built_in(&["block"]), ("/conditions/platforms/includePlatforms", json!(["linux"]))]);
        let [users, apps] = workload();
        accepts(&[users, apps, built_in(&["block"]), ("/conditions/servicePrincipalRiskLevels", json!(["high"]))]);
    }

    #[test]
    fn nobody_is_locked_out() {
        let all = ("/conditions/users", json!({"includeUsers": ["All"]}));
        objects(36, &[all.clone(), built_in(&["block"])]);
        objects(37, &[all, built_in(&["compliantDevice"])]);
    }
}
