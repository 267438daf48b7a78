//! Rules about how a policy is written rather than what it says: for JSON that people paste, and for our own writer.

use serde_json::Value;

use super::{Level, Objection};

/// Members that Graph sets itself.
const READ_ONLY: &[&str] = &["id", "createdDateTime", "modifiedDateTime", "deletedDateTime", "templateId"];

/// Members that hold several words in one comma-joined string.
const FLAGS: &[&str] = &[
    "/conditions/authenticationFlows/transferMethods",
    "/conditions/insiderRiskLevels",
    "/conditions/users/includeGuestsOrExternalUsers/guestOrExternalUserTypes",
    "/conditions/users/excludeGuestsOrExternalUsers/guestOrExternalUserTypes",
];

/// Objections to the body of a request that creates a policy.
#[must_use]
pub fn lint_body(body: &Value) -> Vec<Objection> {
    let object = |rule, message: String| Objection { rule, level: Level::Error, message };
    let state = body.get("state").and_then(Value::as_str) != Some("enabledForReportingButNotEnforced");
    let grant = body.get("grantControls").filter(|grant| !grant.is_null());
    let operator =
        grant.is_some_and(|grant| !matches!(grant.get("operator").and_then(Value::as_str), Some("AND" | "OR")));
    let flags = FLAGS.iter().filter(|pointer| body.pointer(pointer).is_some_and(Value::is_array));
    let read_only = READ_ONLY.iter().filter(|name| body.get(**name).is_some_and(|value| !value.is_null()));
    let mut found = Vec::new();
    found.extend(state.then(|| object(2, "state must be enabledForReportingButNotEnforced".to_owned())));
    found.extend(operator.then(|| object(9, "grantControls needs the operator AND or OR".to_owned())));
    found.extend(flags.map(|pointer| object(34, format!("{pointer} must be one comma-joined string, not a list"))));
    found.extend(read_only.map(|name| object(45, format!("{name} is set by Microsoft Graph and can't be sent"))));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::draft::ReportOnlyPolicy;
    use super::super::testing::draft;
    use super::*;

    fn rules(body: &Value) -> Vec<u8> {
        lint_body(body).iter().map(|objection| objection.rule).collect()
    }

    #[test]
    fn how_a_body_can_be_wrong() {
        let body = json!({
            "id": "x", "state": "enabled", "grantControls": {"builtInControls": ["mfa"]},
            "conditions": {"authenticationFlows": {"transferMethods": ["deviceCodeFlow"]}}
        });
        assert_eq!(rules(&body), [2, 9, 34, 45]);
    }

    #[test]
    fn our_own_writer_makes_no_such_mistake() {
        let guests = json!({"guestOrExternalUserTypes": "internalGuest,serviceProvider"});
        let policy = draft(&[
            ("/id", json!("p")),
            ("/conditions/authenticationFlows/transferMethods", json!("deviceCodeFlow")),
            ("/conditions/insiderRiskLevels", json!("minor,elevated")),
            ("/conditions/users/excludeGuestsOrExternalUsers", guests),
        ]);
        assert_eq!(rules(&ReportOnlyPolicy::new(&policy, "name").unwrap().body()), [0_u8; 0]);
    }
}
