//! What differs between `/v1.0` and `/beta`, and between clients that know new words of an enum and those that don't.

use serde_json::{Value, json};

use super::properties::Type;
use super::schema;

/// Members of a sign-in that beta adds.
const SIGN_IN: &[&str] = &[
    "signInEventTypes",
    "authenticationProtocol",
    "originalTransferMethod",
    "conditionalAccessAudiences",
    "networkLocationDetails",
    "crossTenantAccessType",
    "authenticationContextClassReferences",
    "authenticationRequirement",
    "authenticationRequirementPolicies",
    "authenticationDetails",
    "userType",
    "ipAddressFromResourceProvider",
    "isThroughGlobalSecureAccess",
    "sessionLifetimePolicies",
    "tokenProtectionStatusDetails",
    "incomingTokenType",
    "clientCredentialType",
    "agent",
    "resourceServicePrincipalId",
];
/// Members of a policy's result in a sign-in that beta adds.
const RESULT: &[&str] = &[
    "conditionsSatisfied",
    "conditionsNotSatisfied",
    "includeRulesSatisfied",
    "excludeRulesSatisfied",
    "sessionControlsNotSatisfied",
    "authenticationStrength",
];
/// Words that came after their enum was made.
const LATE: &[&str] =
    &["riskRemediation", "reportOnlySuccess", "reportOnlyFailure", "reportOnlyNotApplied", "reportOnlyInterrupted"];
/// What stands for them.
const UNKNOWN: &str = "unknownFutureValue";

/// A row without what v1.0 does not know; `path` is below the version.
pub fn without_beta(path: &str, row: &mut Value) {
    if path.starts_with("/auditLogs/signIns") {
        drop_members(row, SIGN_IN);
        let results = row.get_mut("appliedConditionalAccessPolicies").and_then(Value::as_array_mut);
        results.into_iter().flatten().for_each(|result| drop_members(result, RESULT));
    } else if path.starts_with("/identity/conditionalAccess/policies") {
        schema::drop_beta(row);
    } else if let Some(of) = Type::at(path) {
        of.prune(row);
    }
}

fn drop_members(row: &mut Value, names: &[&str]) {
    if let Some(row) = row.as_object_mut() {
        row.retain(|name, _| !names.contains(&name.as_str()));
    }
}

/// A row in the words that every client knows.
pub fn without_late_words(row: &mut Value) {
    let controls = row.pointer_mut("/grantControls/builtInControls").and_then(Value::as_array_mut);
    controls.into_iter().flatten().for_each(told_late);
    let results = row.get_mut("appliedConditionalAccessPolicies").and_then(Value::as_array_mut);
    results.into_iter().flatten().filter_map(|result| result.get_mut("result")).for_each(told_late);
}

fn told_late(word: &mut Value) {
    if word.as_str().is_some_and(|word| LATE.contains(&word)) {
        *word = json!(UNKNOWN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v1_knows_less_of_a_sign_in_and_of_a_policy() {
        let result = json!({ "id": "p", "result": "reportOnlyFailure", "conditionsSatisfied": "users" });
        let mut row = json!({ "id": "s", "userType": "guest", "appliedConditionalAccessPolicies": [result] });
        without_beta("/auditLogs/signIns", &mut row);
        without_late_words(&mut row);
        assert_eq!(
            row,
            json!({ "id": "s", "appliedConditionalAccessPolicies": [{ "id": "p", "result": "unknownFutureValue" }] })
        );
        let off = json!({ "continuousAccessEvaluation": { "mode": "disabled" }, "signInFrequency": null });
        let mut policy = json!({ "sessionControls": off, "conditions": { "agents": {}, "users": {} },
            "grantControls": { "builtInControls": ["mfa", "riskRemediation"] } });
        without_beta("/identity/conditionalAccess/policies/p", &mut policy);
        without_late_words(&mut policy);
        let controls = json!({ "builtInControls": ["mfa", "unknownFutureValue"] });
        assert_eq!(
            policy,
            json!({ "sessionControls": { "signInFrequency": null }, "conditions": { "users": {} }, "grantControls": controls })
        );
    }
}
