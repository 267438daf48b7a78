//! Rules about what a draft protects: apps, user actions, authentication contexts.

use super::Case;
use crate::tenant::Kind;
use crate::tenant::policy::{Control, FilterMode};
use crate::tenant::well_known::REGISTER_DEVICE;

pub(super) fn check(case: &mut Case<'_>) {
    let apps = &case.conditions().applications;
    let filter = apps.filter.as_ref();
    let includes_apps = apps.all || !apps.include.is_empty() || filter.is_some();
    let kinds = [includes_apps, !apps.user_actions.is_empty(), !apps.contexts.is_empty()];
    let chosen = kinds.into_iter().filter(|chosen| *chosen).count();
    case.error(5, chosen == 0, "choose target resources, a user action or an authentication context");
    case.error(5, chosen > 1, "target resources, user actions and authentication contexts can't be in one policy");
    case.error(
        6,
        apps.all && !apps.include.is_empty(),
        "\"All resources\" stands alone; take the other target resources out",
    );
    let none = apps.include.contains("None");
    case.error(6, none && apps.include.len() > 1, "\"None\" stands alone; take the other target resources out");
    let including = filter.is_some_and(|filter| filter.mode == FilterMode::Include);
    case.error(
        6,
        (including && apps.all) || (filter.is_some() && none),
        "a filter for apps adds nothing that it includes to \"All resources\", and has nothing to filter beside \"None\"",
    );
    let odd = !includes_apps && !apps.exclude.is_empty();
    case.warn(41, odd, "excluded target resources have no meaning beside user actions or authentication contexts");
    user_actions(case);
    contexts(case);
}

fn user_actions(case: &mut Case<'_>) {
    let actions = &case.conditions().applications.user_actions;
    case.warn(
        18,
        !actions.is_empty(),
        "policies on user actions are not evaluated in report-only, so no impact will show",
    );
    if !actions.contains(REGISTER_DEVICE) {
        return;
    }
    let only_mfa = case.controls().all(|control| matches!(control, Control::Mfa | Control::Strength(_)));
    case.error(17, !only_mfa, "\"Register or join devices\" takes only multifactor authentication or a strength");
    let narrowed = !case.any_client() || case.conditions().device_filter.is_some();
    case.error(17, narrowed, "\"Register or join devices\" takes no client apps and no filter for devices");
}

fn contexts(case: &mut Case<'_>) {
    for id in &case.conditions().applications.contexts {
        let number = id.strip_prefix('c').and_then(|number| number.parse::<u8>().ok());
        let known = number.is_some_and(|number| (1..=99).contains(&number));
        case.error(35, !known, format!("{id} is no authentication context; they are c1 to c99"));
        let missing =
            case.was_read(Kind::AuthenticationContextClassReferences) && !case.snapshot.contexts.contains_key(id);
        case.error(35, known && missing, format!("authentication context {id} is not published in this tenant"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{draft, objects, rules, tenant};
    use super::*;
    use crate::tenant::Reading;

    const APPS: &str = "/conditions/applications";

    #[test]
    fn exactly_one_kind_of_target() {
        objects(5, &[(APPS, json!({}))]);
        objects(5, &[(APPS, json!({"includeApplications": ["All"], "includeUserActions": [REGISTER_DEVICE]}))]);
        objects(6, &[(APPS, json!({"includeApplications": ["All", "Office365"]}))]);
        objects(6, &[(APPS, json!({"includeApplications": ["None", "Office365"]}))]);
        let filter = json!({"mode": "include", "rule": "CustomSecurityAttribute.A_B -eq \"x\""});
        objects(6, &[(APPS, json!({"includeApplications": ["All"], "applicationFilter": filter}))]);
        let filter = json!({"mode": "exclude", "rule": "CustomSecurityAttribute.A_B -eq \"x\""});
        objects(6, &[(APPS, json!({"includeApplications": ["None"], "applicationFilter": filter}))]);
        objects(41, &[(APPS, json!({"includeUserActions": [REGISTER_DEVICE], "excludeApplications": ["Office365"]}))]);
    }

    #[test]
    fn registering_a_device_takes_mfa_alone_and_shows_nothing_in_report_only() {
        let action = (APPS, json!({"includeUserActions": [REGISTER_DEVICE]}));
        objects(18, std::slice::from_ref(&action));
        objects(17, &[action.clone(), ("/grantControls/builtInControls", json!(["compliantDevice"]))]);
        objects(17, &[action, ("/conditions/clientAppTypes", json!(["browser"]))]);
    }

    #[test]
    fn contexts_are_numbered_and_published() {
        objects(35, &[(APPS, json!({"includeAuthenticationContextClassReferences": ["c100"]}))]);
        let policy = draft(&[(APPS, json!({"includeAuthenticationContextClassReferences": ["c7"]}))]);
        assert!(!rules(&policy, &tenant()).contains(&35));
        let mut read = tenant();
        read.readings.insert(Kind::AuthenticationContextClassReferences, Reading::Complete { count: 0 });
        assert!(rules(&policy, &read).contains(&35));
    }
}
