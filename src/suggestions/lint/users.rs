//! Rules about the name, the state, and whom a draft is about.

use super::super::draft::MAX_NAME;
use super::Case;
use crate::tenant::policy::{Control, PolicyState, UserSide};

pub(super) fn check(case: &mut Case<'_>) {
    let name = &case.policy.display_name;
    let long = name.chars().count() > MAX_NAME;
    case.error(1, name.trim().is_empty(), "the policy has no name");
    case.error(1, long, format!("the name is longer than {MAX_NAME} characters"));
    case.error(
        2,
        case.policy.state != PolicyState::ReportOnly,
        "a new policy is created in report-only and in no other state",
    );
    identity(case);
    keywords(case);
    for (side, users) in [("included", &case.users().include), ("excluded", &case.users().exclude)] {
        guests(case, side, users);
    }
    externals(case);
}

fn identity(case: &mut Case<'_>) {
    let others = case.is_workload() || case.conditions().agents.is_some();
    let people = case.is_about_people();
    case.error(
        3,
        people && case.is_workload(),
        "the policy names people and workload identities; make it two policies",
    );
    let nobody = !people && !others;
    let none = case.users().include.users.contains("None");
    case.error(3, nobody && none, "the policy includes no users and no workload identities, so it never applies");
    case.error(4, nobody && !none, "choose at least one user, group, role or kind of guest to include");
}

fn keywords(case: &mut Case<'_>) {
    let include = &case.users().include;
    let named = !include.users.is_empty();
    case.error(4, include.all && named, "\"All users\" stands alone; take the other included users out");
    let none_and_more = include.users.contains("None") && case.is_about_people();
    case.error(4, none_and_more, "\"None\" stands alone; take it or the other included users out");
    case.error(4, case.users().exclude.all, "excluding all users leaves nobody; exclude the people meant by name");
}

fn guests(case: &mut Case<'_>, side: &str, users: &UserSide) {
    let Some(guests) = &users.guests else { return };
    case.error(33, guests.types.is_empty(), format!("no kind of guest is chosen among the {side} guests"));
    let no_tenants = guests.tenants.as_ref().is_some_and(std::collections::BTreeSet::is_empty);
    case.error(33, no_tenants, format!("the {side} guests are limited to named organisations, but none is named"));
}

fn externals(case: &mut Case<'_>) {
    let include = &case.users().include;
    let exclude_all =
        case.users().exclude.guests.as_ref().is_some_and(|guests| guests.tenants.is_none() && guests.types.len() > 4);
    let reaches_guests = include.guests.is_some() || (include.all && !exclude_all);
    let cannot = [Control::ApprovedApplication, Control::CompliantApplication, Control::PasswordChange];
    let wrong = reaches_guests && case.demands_one_of(&cannot);
    case.warn(
        44,
        wrong,
        "guests can't use an approved or protected app or change their password here, so they will be blocked",
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{accepts, draft, objects, rules, tenant};

    #[test]
    fn name_and_state() {
        objects(1, &[("/displayName", json!(" "))]);
        objects(1, &[("/displayName", json!("x".repeat(257)))]);
        objects(2, &[("/state", json!("enabled"))]);
        objects(2, &[("/state", json!("disabled"))]);
    }

    #[test]
    fn people_or_workload_identities() {
        objects(
            3,
            &[("/conditions/clientApplications", json!({"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}))],
        );
        objects(3, &[("/conditions/users", json!({"includeUsers": ["None"]}))]);
        objects(4, &[("/conditions/users", json!({}))]);
        objects(4, &[("/conditions/users/includeUsers", json!(["All", "u1"]))]);
        objects(4, &[("/conditions/users", json!({"includeUsers": ["None"], "includeGroups": ["g"]}))]);
        objects(4, &[("/conditions/users/excludeUsers", json!(["All"]))]);
    }

    #[test]
    fn guests_need_kinds_and_named_organisations() {
        let tenants = json!({"membershipKind": "enumerated", "members": []});
        let guests = json!({"guestOrExternalUserTypes": "serviceProvider", "externalTenants": tenants});
        objects(33, &[("/conditions/users/excludeGuestsOrExternalUsers", guests)]);
        let mut policy = draft(&[]);
        policy.conditions.users.include.guests = Some(crate::tenant::policy::Guests::default());
        assert!(rules(&policy, &tenant()).contains(&33));
    }

    #[test]
    fn what_guests_cannot_do() {
        objects(44, &[("/grantControls/builtInControls", json!(["compliantApplication"]))]);
        accepts(&[("/grantControls/builtInControls", json!(["compliantApplication", "mfa"]))]);
    }
}
