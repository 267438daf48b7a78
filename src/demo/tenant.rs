//! The made-up tenant: everything Graph can be asked about it, from a seed.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::audits::{Actor, Change};
use super::changes::Changes;
use super::groups::Groups;
use super::logs::SignInLog;
use super::people::People;
use super::random::{Ids, Object};
use super::roles::Roles;
use super::{apps, audits, places, policies};

/// What a tenant is made from; the same seed gives the same tenant.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    /// User objects, 50 to 1,000,000; other numbers are moved to the nearer end.
    pub users: u32,
    /// Any number.
    pub seed: u64,
    /// The moment it is made for; logs end there.
    pub today: Timestamp,
}

/// The tenant.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Tenant id.
    pub id: String,
    /// Its people.
    pub people: People,
    /// Its groups.
    pub groups: Groups,
    /// Who holds which role.
    pub roles: Roles,
    /// Its policies, as Graph writes them.
    pub policies: Vec<Value>,
    /// Its named locations.
    pub named_locations: Vec<Value>,
    /// Its authentication strengths.
    pub strengths: Vec<Value>,
    /// What it pays for.
    pub licences: Vec<Value>,
    /// Whether security defaults are on.
    pub security_defaults: bool,
    /// Its service principals.
    pub service_principals: Vec<Value>,
    /// Ids of apps by the group they belong to.
    pub app_groups: Value,
    /// Past sign-ins.
    pub sign_ins: SignInLog,
    /// Audit records, oldest first.
    pub audits: Vec<Value>,
    /// What changed in the directory since the start.
    pub changes: Changes,
}

impl Tenant {
    /// Makes the tenant.
    #[must_use]
    pub fn generate(seed: &Seed) -> Self {
        let ids = Ids::new(seed.seed);
        let people = People::generate(ids, seed.today, seed.users.clamp(50, 1_000_000));
        let groups = Groups::generate(&people);
        let policies = policies::policies(&people, &groups);
        let id = ids.id(Object::Tenant, 0).to_string();
        let strengths = places::strengths(ids);
        let mut tenant = Self {
            roles: Roles::default(),
            policies: Vec::new(),
            named_locations: places::named_locations(ids, seed.today),
            licences: places::subscribed_skus(ids, people.count()),
            security_defaults: false,
            service_principals: apps::service_principals(ids, &id, seed.today),
            app_groups: apps::groups(),
            sign_ins: SignInLog::default(),
            audits: Vec::new(),
            changes: Changes::default(),
            strengths,
            id,
            people,
            groups,
        };
        tenant.policies = policies.into_iter().map(|policy| tenant.with_strength(policy)).collect();
        tenant.sign_ins = SignInLog::generate(&tenant.people, tenant.policies.clone());
        tenant.audits = audits::history(&tenant);
        tenant
    }

    /// `policy` with the whole strength in place of its id, as Graph returns it.
    #[must_use]
    pub fn with_strength(&self, mut policy: Value) -> Value {
        let wanted = policy.pointer("/grantControls/authenticationStrength/id").cloned();
        let found = self.strengths.iter().find(|strength| wanted.is_some() && strength.get("id") == wanted.as_ref());
        if let (Some(found), Some(slot)) = (found, policy.pointer_mut("/grantControls/authenticationStrength")) {
            *slot = found.clone();
        }
        policy
    }

    /// Writes a change into the audit log.
    pub fn audit(&mut self, when: Timestamp, by: &Actor, change: &Change) {
        let number = u32::try_from(self.audits.len()).unwrap_or(u32::MAX);
        let record = change.record(&self.people, (number, when), by);
        self.audits.push(record);
    }

    /// One of the lists of who holds which role.
    #[must_use]
    pub fn role_rows(&self, list: fn(&Roles, &People) -> Vec<Value>) -> Vec<Value> {
        list(&self.roles, &self.people)
    }

    /// The policy with this id.
    #[must_use]
    pub fn policy(&self, id: &str) -> Option<&Value> {
        self.policies.iter().find(|policy| policy.get("id").and_then(Value::as_str) == Some(id))
    }

    /// A user at risk, as Identity Protection lists them: two, whatever the size.
    #[must_use]
    pub fn risky_users(&self) -> Vec<Value> {
        let row = |family: &str, level: &str| {
            let user = People::cast_index(family);
            json!({ "id": self.people.id(user), "isDeleted": self.people.get(user).is_none(), "isProcessing": false, "riskLevel": level,
                "riskState": "atRisk", "riskDetail": "none",
                "riskLastUpdatedDateTime": super::random::written(super::random::days_before(self.people.today, 3)),
                "userDisplayName": super::user_json::display_name(&self.people, user),
                "userPrincipalName": super::user_json::principal_name(&self.people, user) })
        };
        vec![row("Marchetti", "high"), row("Tessier", "medium")]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn tenant(users: u32) -> Tenant {
        Tenant::generate(&Seed { users, seed: 1, today: "2026-11-24T08:30:00Z".parse().unwrap() })
    }

    #[test]
    fn there_are_25_policies_and_exactly_as_many_users_as_asked_for() {
        for users in [50, 500] {
            let tenant = tenant(users);
            assert_eq!(tenant.people.count(), users);
            assert_eq!(tenant.policies.len(), 25);
        }
        let names: BTreeSet<_> = tenant(50).policies.iter().map(|policy| policy["displayName"].to_string()).collect();
        assert_eq!(names.len(), 25);
    }

    #[test]
    fn every_policy_leaves_the_timeclock_alone() {
        let tenant = tenant(50);
        let timeclock = apps::app_id(tenant.people.ids, apps::TIMECLOCK);
        for policy in &tenant.policies {
            let apps = &policy["conditions"]["applications"];
            let all = apps["includeApplications"].as_array().unwrap().contains(&json!("All"));
            let left_out = apps["excludeApplications"].as_array().unwrap().contains(&json!(timeclock));
            let enforced = policy["state"] == "enabled" && policy["conditions"]["clientApplications"].is_null();
            let for_everybody = !policy["grantControls"].is_null();
            assert!(!(all && enforced && for_everybody) || left_out, "{}", policy["displayName"]);
        }
    }

    #[test]
    fn a_strength_comes_back_whole() {
        let tenant = tenant(50);
        let policy =
            tenant.policies.iter().find(|policy| policy["displayName"].as_str().unwrap().starts_with("CA100")).unwrap();
        assert_eq!(policy["grantControls"]["authenticationStrength"]["displayName"], "Phishing-resistant MFA");
    }

    #[test]
    fn a_million_users_are_made_in_little_space() {
        let tenant = tenant(1_000_000);
        assert_eq!(tenant.people.count(), 1_000_000);
    }
}
