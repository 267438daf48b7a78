//! Rules that look at the tenant: what is named must exist, be licensed, and fit within the limits.

use super::Case;
use crate::engine::location::MFA_TRUSTED_IPS;
use crate::tenant::Kind;
use crate::tenant::location::{IpRange, NamedLocation, Place};
use crate::tenant::policy::{Control, UserSide};
use crate::tenant::well_known::{self, ALL_AGENT_USERS, PLAN_P2, PLAN_WORKLOAD_P1, PLAN_WORKLOAD_P2};

/// Policies in a tenant, of any state.
const MAX_POLICIES: usize = 240;
/// Named locations in a tenant.
const MAX_LOCATIONS: usize = 195;
/// Ranges in a named location.
const MAX_RANGES: usize = 2_000;

pub(super) fn check(case: &mut Case<'_>) {
    licences(case);
    limits(case);
    locations(case);
    roles(case);
    users(case);
    apps(case);
    workloads(case);
    controls(case);
    let defaults = case.snapshot.security_defaults == Some(true);
    case.warn(40, defaults, "security defaults are on: this policy can be turned On only after they are turned off");
}

fn licences(case: &mut Case<'_>) {
    let conditions = case.conditions();
    let risk = !conditions.sign_in_risk.is_empty() || !conditions.user_risk.is_empty();
    let lacks = case.snapshot.knows_licences() && !case.snapshot.licences.contains_key(PLAN_P2);
    case.error(20, risk && lacks, "risk conditions need Microsoft Entra ID P2, which this tenant doesn't own");
    let workloads = case.conditions().client_applications.as_ref().is_some_and(|apps| !apps.include.is_empty());
    let premium = [PLAN_WORKLOAD_P1, PLAN_WORKLOAD_P2].iter().any(|plan| case.snapshot.licences.contains_key(*plan));
    let lacks = case.snapshot.knows_licences() && !premium;
    case.error(
        19,
        workloads && lacks,
        "policies for workload identities need Microsoft Entra Workload ID Premium, which this tenant doesn't own",
    );
    let insider = !conditions.insider_risk.is_empty();
    case.warn(
        20,
        insider,
        "insider risk needs adaptive protection in Microsoft Purview; without it the policy never applies",
    );
}

fn limits(case: &mut Case<'_>) {
    let full = case.snapshot.policies.len() >= MAX_POLICIES;
    case.error(39, full, format!("the tenant already has {MAX_POLICIES} policies, the most it can have"));
    let full = case.snapshot.locations.len() >= MAX_LOCATIONS;
    let used = case.conditions().locations.is_some();
    case.warn(
        39,
        full && used,
        format!("the tenant already has {MAX_LOCATIONS} named locations, the most it can have"),
    );
}

fn locations(case: &mut Case<'_>) {
    let sides = case.conditions().locations.iter().flat_map(|sides| sides.include.iter().chain(&sides.exclude));
    for id in sides.filter(|id| !["All", "AllTrusted", MFA_TRUSTED_IPS].contains(&id.as_str())) {
        let location = case.snapshot.locations.get(id);
        let missing = location.is_none() && (case.was_read(Kind::NamedLocations) || !is_guid(id));
        case.error(31, missing, format!("there is no named location {id}"));
        let Some(NamedLocation { display_name: name, place: Place::Ip { ranges, .. }, .. }) = location else {
            continue;
        };
        case.warn(39, ranges.len() > MAX_RANGES, format!("named location {name} has more than {MAX_RANGES} ranges"));
        case.warn(39, ranges.iter().any(is_wide), format!("named location {name} has a range as wide as /8 or wider"));
        let private = ranges.iter().any(IpRange::is_private);
        case.warn(39, private, format!("named location {name} has a private range, which no sign-in comes from"));
    }
}

/// As wide as a /8, which is more than Graph takes.
fn is_wide(range: &IpRange) -> bool {
    range.free_bits() >= if range.lower.is_ipv4() { 24 } else { 120 }
}

fn roles(case: &mut Case<'_>) {
    for id in sides(case).into_iter().flat_map(|side| &side.roles) {
        let role = case.snapshot.directory.roles.get(id);
        let custom = role.is_some_and(|role| !role.built_in);
        case.error(
            32,
            custom,
            format!(
                "{} is a custom role; only built-in roles can be chosen",
                role.map_or(id, |role| &role.display_name)
            ),
        );
        // An export may hold the definitions of some roles only; these are in every tenant.
        let everywhere = well_known::role_name(id).is_some();
        let missing = role.is_none() && !everywhere && (case.was_read(Kind::RoleDefinitions) || !is_guid(id));
        case.error(32, missing, format!("there is no built-in role {id}"));
    }
}

fn sides<'a>(case: &Case<'a>) -> [&'a UserSide; 2] {
    let users = case.users();
    [&users.include, &users.exclude]
}

fn users(case: &mut Case<'_>) {
    let directory = &case.snapshot.directory;
    for side in sides(case) {
        for id in side.users.iter().filter(|id| !["None", ALL_AGENT_USERS].contains(&id.as_str())) {
            let keyword = !is_guid(id) && directory.user(id).is_none();
            case.error(43, keyword && id.contains(' '), format!("\"{id}\" stands for a person who must be named"));
            let missing = case.was_read(Kind::Users) && directory.user(id).is_none();
            case.error(43, missing && !id.contains(' '), format!("there is no user {id}"));
        }
        for id in &side.groups {
            let missing = case.was_read(Kind::Groups) && !directory.groups.contains_key(id);
            case.error(43, missing, format!("there is no group {id}"));
        }
    }
}

fn apps(case: &mut Case<'_>) {
    let apps = &case.conditions().applications;
    for id in apps.include.iter().chain(&apps.exclude) {
        case.error(43, id.starts_with('%'), format!("{id} stands for an app that must be chosen"));
        // One of Microsoft's works without a service principal here.
        let known = well_known::app_name(id).is_some() || case.snapshot.directory.app(id).is_some();
        let missing = is_guid(id) && case.was_read(Kind::ServicePrincipals) && !known;
        case.warn(43, missing, format!("the app {id} is not in this tenant"));
    }
}

fn workloads(case: &mut Case<'_>) {
    let Some(apps) = &case.conditions().client_applications else { return };
    let known = &case.snapshot.directory.service_principals;
    for id in apps.include.iter().chain(&apps.exclude).filter(|id| *id != "ServicePrincipalsInMyTenant") {
        let missing = case.was_read(Kind::ServicePrincipals) && !known.iter().any(|principal| principal.id == *id);
        case.error(43, missing || !is_guid(id), format!("there is no service principal {id}"));
    }
}

fn controls(case: &mut Case<'_>) {
    for control in case.controls() {
        match control {
            Control::Strength(id) => {
                let read = case.was_read(Kind::AuthenticationStrengthPolicies);
                let missing = read && !case.snapshot.strengths.contains_key(id);
                case.error(43, missing, format!("there is no authentication strength {id}"));
            }
            Control::TermsOfUse(id) => {
                let missing = case.was_read(Kind::TermsOfUse) && !case.snapshot.terms_of_use.contains_key(id);
                case.error(43, missing, format!("there are no terms of use {id}"));
            }
            _ => {}
        }
    }
}

fn is_guid(id: &str) -> bool {
    uuid::Uuid::try_parse(id).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{draft, objects, rules, tenant};
    use super::*;
    use crate::tenant::read::{read_named_location, read_role};
    use crate::tenant::{Reading, Snapshot};

    fn read(kinds: &[Kind]) -> Snapshot {
        let mut snapshot = tenant();
        snapshot.readings.extend(kinds.iter().map(|kind| (*kind, Reading::Complete { count: 0 })));
        snapshot
    }

    #[test]
    fn risk_needs_a_licence() {
        let policy = draft(&[("/conditions/signInRiskLevels", json!(["high"]))]);
        assert_eq!(rules(&policy, &tenant()), [0_u8; 0]);
        let mut poor = tenant();
        poor.licences.insert("p1".into(), 100);
        assert_eq!(rules(&policy, &poor), [20]);
        objects(20, &[("/conditions/insiderRiskLevels", json!("elevated"))]);
    }

    #[test]
    fn there_is_room_and_security_defaults_are_off() {
        let mut full = tenant();
        full.policies = vec![crate::tenant::Policy::default(); MAX_POLICIES];
        full.security_defaults = Some(true);
        assert_eq!(rules(&draft(&[]), &full), [39, 40]);
    }

    #[test]
    fn locations_exist_and_make_sense() {
        objects(31, &[("/conditions/locations/includeLocations", json!(["Head office"]))]);
        let policy =
            draft(&[("/conditions/locations/includeLocations", json!(["00000000-0000-0000-0000-00000000000a"]))]);
        assert_eq!(rules(&policy, &tenant()), [0_u8; 0]);
        assert_eq!(rules(&policy, &read(&[Kind::NamedLocations])), [31]);
        let mut wide = tenant();
        let location =
            json!({"id": "00000000-0000-0000-0000-00000000000a", "ipRanges": [{"cidrAddress": "10.0.0.0/8"}]});
        wide.locations.insert("00000000-0000-0000-0000-00000000000a".into(), read_named_location(&location).unwrap());
        assert_eq!(rules(&policy, &wide), [39]);
    }

    #[test]
    fn roles_are_built_in() {
        objects(
            32,
            &[(
                "/conditions/users",
                json!({"includeRoles": ["Global Administrator"], "excludeGroups": ["break-glass"]}),
            )],
        );
        let id = "00000000-0000-0000-0000-00000000000b";
        let policy = draft(&[("/conditions/users", json!({"includeRoles": [id], "excludeGroups": ["break-glass"]}))]);
        let mut custom = tenant();
        custom.directory.roles.insert(id.into(), read_role(&json!({"id": id, "isBuiltIn": false})).unwrap());
        assert_eq!(rules(&policy, &custom), [32]);
    }

    #[test]
    fn an_app_of_microsofts_need_not_be_in_the_tenant() {
        for (app, found) in [(well_known::APP_AZURE_MANAGEMENT, false), ("e0000000-0000-4000-8000-000000000001", true)]
        {
            let policy = draft(&[("/conditions/applications", json!({"includeApplications": [app]}))]);
            assert_eq!(rules(&policy, &read(&[Kind::ServicePrincipals])).contains(&43), found, "{app}");
        }
    }

    #[test]
    fn what_is_named_exists() {
        let everything = [Kind::Users, Kind::Groups, Kind::TermsOfUse, Kind::AuthenticationStrengthPolicies];
        for (pointer, value) in [
            ("/conditions/users/excludeUsers", json!(["00000000-0000-0000-0000-00000000000c"])),
            ("/conditions/users/excludeGroups", json!(["gone", "break-glass"])),
            ("/grantControls", json!({"operator": "OR", "termsOfUse": ["gone"]})),
            ("/grantControls", json!({"operator": "OR", "authenticationStrength": {"id": "gone"}})),
        ] {
            assert!(rules(&draft(&[(pointer, value)]), &read(&everything)).contains(&43), "{pointer}");
        }
        objects(43, &[("/conditions/users/excludeUsers", json!(["Current administrator will be excluded"]))]);
        objects(43, &[("/conditions/applications", json!({"includeApplications": ["%app%"]}))]);
    }
}
