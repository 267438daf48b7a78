//! What Graph refuses about a policy because of the tenant it is for: what it names must be there, and be licensed.

use serde_json::{Value, json};

use super::demands::levels;
use super::templates;
use crate::demo::groups::group_id;
use crate::demo::judge::read::{list, text};
use crate::demo::places;
use crate::demo::roles;
use crate::demo::tenant::Tenant;

/// Members that Graph alone writes.
const READ_ONLY: &[&str] = &["id", "createdDateTime", "modifiedDateTime", "deletedDateTime"];
/// Service plans of Microsoft Entra Workload ID Premium.
const WORKLOAD_PLANS: &[&str] = &["84c289f0-efcb-486f-8581-07f44fc9efad", "7dc0e92d-bf15-401d-907e-0884efe7c760"];
/// The service plan of Microsoft Entra ID P2.
const RISK_PLANS: &[&str] = &["eec0eb4f-6444-4f95-aba0-50c24d67f998"];

/// A policy that somebody wants the tenant to have, and how it was before if it is not new. What was named before may
/// be gone by now: Graph keeps it.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The tenant.
    pub tenant: &'a Tenant,
    /// As it is to be.
    pub policy: &'a Value,
    /// As it was.
    pub before: Option<&'a Value>,
}

/// The first rule that it breaks, in Graph's manner.
#[must_use]
pub fn broken(wanted: Wanted<'_>) -> Option<&'static str> {
    let rules = [
        (own_words(wanted), "A read-only property was sent, or a template that does not exist."),
        (places_exist(wanted), "NamedLocation does not exist in the directory."),
        (known_roles(wanted), "Invalid roles."),
        (strength_exists(wanted), "AuthenticationStrength does not exist."),
        (groups_exist(wanted), "Group does not exist in the directory."),
        (users_exist(wanted), "User does not exist in the directory."),
        (principals_exist(wanted), "ServicePrincipal does not exist in the directory."),
        (agreements_exist(wanted), "Agreement does not exist."),
        (risk_is_licensed(wanted), "Risk conditions need Microsoft Entra ID P2."),
        (workloads_are_licensed(wanted), "Workload identities need Microsoft Entra Workload ID Premium."),
        (no_defaults_beside(wanted), "Security defaults must be disabled to enable a policy."),
    ];
    rules.into_iter().find(|(fine, _)| !fine).map(|(_, what)| what)
}

impl<'a> Wanted<'a> {
    /// The ids that a list names now and did not name before.
    fn added(self, at: &str, key: &str) -> Vec<&'a str> {
        let named = |policy: &'a Value| policy.pointer(at).map(|part| list(part, key)).unwrap_or_default();
        let known = self.before.map(named).unwrap_or_default();
        named(self.policy).into_iter().filter(|id| !known.contains(id)).collect()
    }

    /// The same for the including and the excluding list of a kind.
    fn both(self, part: &str, kind: &str) -> Vec<&'a str> {
        let at = format!("/conditions/{part}");
        [self.added(&at, &format!("include{kind}")), self.added(&at, &format!("exclude{kind}"))].concat()
    }
}

/// Rule 45.
fn own_words(Wanted { policy, before, .. }: Wanted<'_>) -> bool {
    let sent = |name: &&str| policy.get(*name).is_some_and(|value| !value.is_null());
    let template = text(policy, "templateId").is_none_or(templates::exists);
    before.is_some() || (!READ_ONLY.iter().any(sent) && template)
}

/// Rule 31; of the including list, something must be there (rule 30).
fn places_exist(wanted: Wanted<'_>) -> bool {
    let exists = |id: &str| {
        matches!(id, "All" | "AllTrusted" | "00000000-0000-0000-0000-000000000000")
            || wanted.tenant.named_locations.iter().any(|location| location.get("id") == Some(&json!(id)))
    };
    let locations = wanted.policy.pointer("/conditions/locations").filter(|locations| locations.is_object());
    let included = locations.is_none_or(|locations| !list(locations, "includeLocations").is_empty());
    included && wanted.both("locations", "Locations").into_iter().all(exists)
}

/// Rule 32: only template ids of built-in roles.
fn known_roles(wanted: Wanted<'_>) -> bool {
    wanted.both("users", "Roles").iter().all(|id| roles::ROLES.iter().any(|(known, _)| known == id))
}

fn strength_exists(Wanted { tenant, policy, .. }: Wanted<'_>) -> bool {
    let id = policy.pointer("/grantControls/authenticationStrength/id");
    id.is_none_or(|id| tenant.strengths.iter().any(|strength| strength.get("id") == Some(id)))
}

/// Rule 43, for each kind that Graph looks up; ids of applications pass, whatever they are.
fn groups_exist(wanted: Wanted<'_>) -> bool {
    let tenant = wanted.tenant;
    let exists = |id: &&str| tenant.groups.iter().any(|(at, _)| group_id(&tenant.people, at) == **id);
    wanted.both("users", "Groups").iter().all(exists)
}

fn users_exist(wanted: Wanted<'_>) -> bool {
    let people = &wanted.tenant.people;
    let exists = |id: &str| people.index(id).is_some_and(|user| people.get(user).is_some());
    let words = ["All", "None", "GuestsOrExternalUsers"];
    wanted.both("users", "Users").into_iter().all(|id| words.contains(&id) || exists(id))
}

fn principals_exist(wanted: Wanted<'_>) -> bool {
    let exists = |id: &&str| {
        *id == "ServicePrincipalsInMyTenant"
            || wanted.tenant.service_principals.iter().any(|row| row.get("id") == Some(&json!(id)))
    };
    wanted.both("clientApplications", "ServicePrincipals").iter().all(exists)
}

fn agreements_exist(wanted: Wanted<'_>) -> bool {
    let there = places::agreement(wanted.tenant.people.ids);
    wanted.added("/grantControls", "termsOfUse").into_iter().all(|id| id == there)
}

/// Rule 20.
fn risk_is_licensed(Wanted { tenant, policy, .. }: Wanted<'_>) -> bool {
    let risky = ["userRiskLevels", "signInRiskLevels"].iter().any(|kind| !levels(policy, kind).is_empty());
    !risky || owns(tenant, RISK_PLANS)
}

/// Rule 19: without the licence policies go on working, but none is made. Agents need another one.
fn workloads_are_licensed(Wanted { tenant, policy, before }: Wanted<'_>) -> bool {
    let about = policy.pointer("/conditions/clientApplications").is_some_and(|workloads| {
        let filter = workloads.get("servicePrincipalFilter").is_some_and(Value::is_object);
        filter || !list(workloads, "includeServicePrincipals").is_empty()
    });
    before.is_some() || !about || owns(tenant, WORKLOAD_PLANS)
}

fn owns(tenant: &Tenant, plans: &[&str]) -> bool {
    let owned = tenant.licences.iter().filter_map(|sku| sku.get("servicePlans")?.as_array()).flatten();
    owned.into_iter().any(|plan| text(plan, "servicePlanId").is_some_and(|id| plans.contains(&id)))
}

/// Rule 40.
fn no_defaults_beside(Wanted { tenant, policy, .. }: Wanted<'_>) -> bool {
    !tenant.security_defaults || text(policy, "state") != Some("enabled")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::tenant::Seed;

    fn tenant() -> Tenant {
        Tenant::generate(&Seed { users: 60, seed: 1, today: "2026-11-24T08:30:00Z".parse().unwrap() })
    }

    fn said(tenant: &Tenant, policy: &Value) -> Option<&'static str> {
        broken(Wanted { tenant, policy, before: None })
    }

    #[test]
    fn what_is_named_is_there() {
        let tenant = tenant();
        let gone = "00000000-0000-0000-0000-00000000dead";
        let refused = [
            json!({ "id": gone }),
            json!({ "createdDateTime": "2026-11-24T08:30:00Z" }),
            json!({ "templateId": gone }),
            json!({ "conditions": { "locations": { "includeLocations": [gone] } } }),
            json!({ "conditions": { "locations": { "includeLocations": [], "excludeLocations": ["AllTrusted"] } } }),
            json!({ "conditions": { "users": { "includeRoles": [gone] } } }),
            json!({ "conditions": { "users": { "excludeGroups": [gone] } } }),
            json!({ "conditions": { "users": { "includeUsers": [gone] } } }),
            json!({ "conditions": { "clientApplications": { "excludeServicePrincipals": [gone] } } }),
            json!({ "grantControls": { "termsOfUse": [gone] } }),
            json!({ "grantControls": { "authenticationStrength": { "id": gone } } }),
        ];
        let said: std::collections::BTreeSet<_> =
            refused.iter().map(|policy| said(&tenant, policy).unwrap_or_else(|| panic!("{policy}"))).collect();
        assert_eq!(said.len(), 8, "{said:?}");
    }

    #[test]
    fn what_was_named_before_may_be_gone() {
        let tenant = tenant();
        for policy in &tenant.policies {
            assert_eq!(broken(Wanted { tenant: &tenant, policy, before: Some(policy) }), None, "{policy}");
        }
        assert!(tenant.policies.iter().any(|policy| said(&tenant, policy).is_some()));
    }

    #[test]
    fn what_needs_a_licence_is_refused_without() {
        let mut tenant = tenant();
        let risk = json!({ "conditions": { "userRiskLevels": ["high"] } });
        let workloads = json!({ "conditions": { "clientApplications": {
            "includeServicePrincipals": ["ServicePrincipalsInMyTenant"] } } });
        let agents = json!({ "conditions": { "clientApplications": { "includeAgentIdServicePrincipals": ["All"] } } });
        assert_eq!(said(&tenant, &agents), None);
        assert_eq!(said(&tenant, &risk), None);
        assert!(said(&tenant, &workloads).is_some());
        let plans = json!({ "servicePlans": [{ "servicePlanId": WORKLOAD_PLANS[0] }] });
        tenant.licences = vec![plans];
        assert!(said(&tenant, &risk).is_some());
        assert_eq!(said(&tenant, &workloads), None);
    }

    #[test]
    fn beside_security_defaults_nothing_is_enforced() {
        let mut tenant = tenant();
        let (on, report) = (json!({ "state": "enabled" }), json!({ "state": "enabledForReportingButNotEnforced" }));
        assert_eq!(said(&tenant, &on), None);
        tenant.security_defaults = true;
        assert!(said(&tenant, &on).is_some());
        assert_eq!(said(&tenant, &report), None);
    }
}
