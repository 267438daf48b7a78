//! The only thing that can be created in the tenant: a policy whose state is report-only and cannot be anything else.

use serde_json::Value;

use crate::tenant::policy::PolicyState;
use crate::tenant::{Policy, write_policy};

/// A policy to be created in report-only mode. Whatever state a draft says, this one never says another.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportOnlyPolicy {
    policy: Policy,
}

impl ReportOnlyPolicy {
    /// From a draft, under the name that it gets; what Graph sets itself is left out.
    #[must_use]
    pub fn new(draft: &Policy, display_name: &str) -> Self {
        let policy = Policy {
            id: String::new(),
            display_name: display_name.to_owned(),
            state: PolicyState::ReportOnly,
            created: None,
            modified: None,
            ..draft.clone()
        };
        Self { policy }
    }

    /// The policy as it is meant.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The body of the request that creates it.
    #[must_use]
    pub fn body(&self) -> Value {
        write_policy(&self.policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_draft_can_ask_for_another_state() {
        for state in [PolicyState::Enabled, PolicyState::Disabled, PolicyState::ReportOnly] {
            let draft = Policy { id: "p".into(), state, ..Policy::default() };
            let body = ReportOnlyPolicy::new(&draft, "name").body();
            assert_eq!(body["state"], "enabledForReportingButNotEnforced");
            assert_eq!(body["displayName"], "name");
            assert!(body.get("id").is_none());
        }
    }
}
