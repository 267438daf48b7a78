//! What a policy means, apart from how it is written: for drift, for citations, for comparing what came back with what was sent.
//!
//! Graph rewrites what it is sent (a lone `AND` becomes `OR`, empty client apps become `all`), so bytes are never compared.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;

use super::policy::{ClientAppType, Conditions, GrantControls, Operator, Platform, Policy, SessionControls};

/// A short fingerprint of what a policy means: state, conditions and controls; not its name or times.
#[must_use]
pub fn version_of(policy: &Policy) -> String {
    let meaning = json!([
        policy.state,
        canonical_conditions(&policy.conditions),
        canonical_grant(policy),
        policy.session,
        policy.undecided
    ]);
    short_hash(&meaning.to_string())
}

/// A short hash of a text: enough to tell those of one tenant apart.
#[must_use]
pub fn short_hash(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let short = hash.as_ref().iter().take(6).fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
    format!("{short:012x}")
}

impl Policy {
    /// Whether both mean the same in state, conditions and controls, however they are written.
    #[must_use]
    pub fn same_meaning(&self, other: &Self) -> bool {
        self.state == other.state && self.same_rules(other)
    }

    /// Whether both mean the same, leaving their state aside.
    #[must_use]
    pub fn same_rules(&self, other: &Self) -> bool {
        self.rules() == other.rules()
    }

    /// What the policy says, its state aside, to be compared with others.
    #[must_use]
    pub fn rules(&self) -> Rules<'_> {
        let conditions = canonical_conditions(&self.conditions);
        Rules { conditions, grant: canonical_grant(self), session: &self.session, undecided: &self.undecided }
    }
}

/// What a policy says, written in one way.
#[derive(Debug, PartialEq)]
pub struct Rules<'a> {
    conditions: Conditions,
    grant: Option<GrantControls>,
    session: &'a Option<SessionControls>,
    undecided: &'a [String],
}

/// The same conditions, written in one way: a condition that everything meets is left out.
#[must_use]
pub fn canonical_conditions(conditions: &Conditions) -> Conditions {
    let mut canonical = conditions.clone();
    if canonical.client_app_types.is_empty() {
        canonical.client_app_types.insert(ClientAppType::All);
    }
    canonical.platforms =
        canonical.platforms.filter(|sides| !sides.exclude.is_empty() || !sides.include.contains(&Platform::All));
    canonical.locations =
        canonical.locations.filter(|sides| !sides.exclude.is_empty() || !sides.include.contains("All"));
    // `None` and an empty list of users both include nobody.
    canonical.users.include.users.remove("None");
    canonical
}

fn canonical_grant(policy: &Policy) -> Option<GrantControls> {
    let mut grant = policy.grant.clone()?;
    if grant.controls.len() < 2 {
        grant.operator = Operator::Or;
    }
    (!grant.controls.is_empty()).then_some(grant)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tenant::read_policy;

    fn policy(types: &serde_json::Value, operator: &str) -> Policy {
        read_policy(
            &json!({"state": "enabled", "conditions": {"clientAppTypes": types, "users": {"includeUsers": ["All"]}},
            "grantControls": {"operator": operator, "builtInControls": ["mfa"]}}),
        )
        .unwrap()
    }

    #[test]
    fn what_the_service_rewrites_changes_nothing() {
        let sent = policy(&json!([]), "AND");
        let returned = Policy { id: "p".into(), display_name: "other".into(), ..policy(&json!(["all"]), "OR") };
        assert!(sent.same_meaning(&returned));
        assert_eq!(version_of(&sent), version_of(&returned));
    }

    #[test]
    fn a_change_of_state_or_condition_is_a_new_version() {
        let before = policy(&json!(["all"]), "OR");
        let off = Policy { state: crate::tenant::policy::PolicyState::Disabled, ..before.clone() };
        assert_ne!(version_of(&before), version_of(&off));
        assert!(before.same_rules(&off) && !before.same_meaning(&off));
        assert_ne!(version_of(&before), version_of(&policy(&json!(["other"]), "OR")));
        assert_eq!(version_of(&before).len(), 12);
    }
}
