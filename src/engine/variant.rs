//! The same tenant under other policies: what a draft would do if it were On.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Model;
use crate::tenant::policy::PolicyState;
use crate::tenant::{NamedLocation, Policy, Snapshot};

impl Model {
    /// The same tenant with these policies instead of its own; the logs, which no policy is judged by, are left out.
    #[must_use]
    pub fn with_policies(&self, policies: Vec<Policy>) -> Self {
        self.with_places(policies, self.snapshot.locations.clone())
    }

    /// The same with these named locations as well.
    #[must_use]
    pub fn with_places(&self, policies: Vec<Policy>, locations: BTreeMap<String, NamedLocation>) -> Self {
        let tenant = &self.snapshot;
        self.variant(Arc::new(Snapshot {
            tenant_id: tenant.tenant_id.clone(),
            tenant_name: tenant.tenant_name.clone(),
            read_at: tenant.read_at,
            policies,
            locations,
            strengths: tenant.strengths.clone(),
            contexts: tenant.contexts.clone(),
            terms_of_use: tenant.terms_of_use.clone(),
            cross_tenant: tenant.cross_tenant.clone(),
            directory: tenant.directory.clone(),
            homes: tenant.homes.clone(),
            eligible_unread: tenant.eligible_unread,
            licences: tenant.licences.clone(),
            security_defaults: tenant.security_defaults,
            settings: tenant.settings.clone(),
            readings: tenant.readings.clone(),
            ..Snapshot::default()
        }))
    }

    /// The same tenant as if `draft` were On: in place of the policy with its id, or beside all others.
    #[must_use]
    pub fn with_draft_on(&self, draft: &Policy) -> Self {
        let others = self.snapshot.policies.iter().filter(|policy| draft.id.is_empty() || policy.id != draft.id);
        let on = Policy { id: draft_id(draft).to_owned(), state: PolicyState::Enabled, ..draft.clone() };
        self.with_policies(others.cloned().chain([on]).collect())
    }

    /// The same tenant with `draft`, On, as its only policy.
    #[must_use]
    pub fn with_draft_alone(&self, draft: &Policy) -> Self {
        self.with_policies(vec![Policy { state: PolicyState::Enabled, ..draft.clone() }])
    }
}

/// The id by which a draft that has none yet is named in results.
pub const DRAFT: &str = "draft";

/// The id of a policy, or [`DRAFT`].
#[must_use]
pub fn draft_id(draft: &Policy) -> &str {
    if draft.id.is_empty() { DRAFT } else { &draft.id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_takes_the_place_of_the_policy_that_it_changes() {
        let policy = |id: &str| Policy { id: id.into(), ..Policy::default() };
        let snapshot = Snapshot { policies: vec![policy("a"), policy("b")], ..Snapshot::default() };
        let model = Model::new(Arc::new(snapshot));
        let ids = |draft: &str| {
            let model = model.with_draft_on(&policy(draft));
            let ids = model.snapshot.policies.iter().map(|policy| (policy.id.clone(), policy.state));
            ids.filter(|(_, state)| *state == PolicyState::Enabled).map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(ids("b"), ["b"]);
        assert_eq!(ids(""), [DRAFT]);
        assert_eq!(model.with_draft_on(&policy("b")).snapshot.policies.len(), 2);
        assert_eq!(model.with_draft_on(&policy("")).snapshot.policies.len(), 3);
    }
}
