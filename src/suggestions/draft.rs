//! A policy that can only be created in report-only.
//!
//! This is the one type that the Graph writer takes, and no value of it can say anything but report-only.

use serde_json::{Value, json};

use crate::tenant::policy::{Policy, PolicyState};
use crate::tenant::write_policy;

/// The longest name that Graph and the portal take, in characters.
pub const MAX_NAME: usize = 256;

/// A draft in report-only, whatever state it was drawn up in.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportOnlyPolicy {
    policy: Policy,
}

/// Why a policy can't be drafted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// It has members that this program can't write back, so the draft would differ from what was shown.
    #[error("the policy has settings that can't be written faithfully: {}", .0.join(", "))]
    Undecided(Vec<String>),
}

impl ReportOnlyPolicy {
    /// From a draft, under the name that it gets; its id, times and template are left out, since it will be a new policy.
    ///
    /// # Errors
    /// When the draft has settings that can't be written faithfully.
    pub fn new(draft: &Policy, display_name: &str) -> Result<Self, DraftError> {
        if !draft.undecided.is_empty() {
            return Err(DraftError::Undecided(draft.undecided.clone()));
        }
        let policy = Policy {
            id: String::new(),
            display_name: display_name.to_owned(),
            state: PolicyState::ReportOnly,
            created: None,
            modified: None,
            template_id: None,
            ..draft.clone()
        };
        Ok(Self { policy })
    }

    /// The policy, in report-only.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The body of the one request that creates it.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = write_policy(&self.policy);
        if let Some(members) = body.as_object_mut() {
            members.insert("state".to_owned(), json!("enabledForReportingButNotEnforced"));
        }
        body
    }
}

/// Whether a policy has conditions or controls that only the beta of Graph knows: v1.0, which is written and read here,
/// would refuse them, or not show them again.
#[must_use]
pub fn needs_beta(policy: &Policy) -> bool {
    let conditions = &policy.conditions;
    let agents = conditions.client_applications.as_ref();
    let session = policy.session.as_ref();
    conditions.agents.is_some()
        || conditions.agent_contexts.is_some()
        || !conditions.agent_risk.is_empty()
        || agents.is_some_and(|apps| !apps.include_agents.is_empty() || !apps.exclude_agents.is_empty())
        || session.is_some_and(|all| all.continuous_access_evaluation.is_some() || all.filtering_profile.is_some())
}

/// A name with `marker` at its end, by which the policy is found again; a long name is cut before the marker.
#[must_use]
pub fn marked_name(name: &str, marker: &str) -> String {
    let room = MAX_NAME.saturating_sub(marker.chars().count() + 1);
    let kept = name.chars().take(room).collect::<String>();
    format!("{} {marker}", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(policy: &Policy) -> ReportOnlyPolicy {
        ReportOnlyPolicy::new(policy, "name").unwrap()
    }

    #[test]
    fn whatever_goes_in_report_only_comes_out() {
        for state in [PolicyState::Enabled, PolicyState::Disabled, PolicyState::ReportOnly] {
            let draft = draft(&Policy { id: "p".into(), template_id: Some("t".into()), state, ..Policy::default() });
            assert_eq!(draft.body()["state"], "enabledForReportingButNotEnforced");
            assert_eq!(draft.policy().state, PolicyState::ReportOnly);
            assert_eq!(draft.body()["displayName"], "name");
            assert_eq!((draft.body().get("id"), draft.body().get("templateId")), (None, None));
        }
    }

    #[test]
    fn the_marker_ends_the_name_and_the_name_stays_short_enough() {
        let marked = marked_name(&"ü".repeat(300), "[S-34·k3]");
        assert!(marked.ends_with("ü [S-34·k3]"));
        assert_eq!(marked.chars().count(), MAX_NAME);
        assert_eq!(marked_name("CA211 ", "[k]"), "CA211 [k]");
    }

    #[test]
    fn what_cannot_be_written_faithfully_is_refused() {
        let policy = Policy { undecided: vec!["/conditions/times".into()], ..Policy::default() };
        let error = ReportOnlyPolicy::new(&policy, "name");
        assert_eq!(
            error.unwrap_err().to_string(),
            "the policy has settings that can't be written faithfully: /conditions/times"
        );
    }
}
