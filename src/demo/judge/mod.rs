//! A naive evaluator of sign-ins against policies, straight from Microsoft's documentation of Conditional Access.
//!
//! It shares nothing with the engine: it reads Graph's JSON as it is and tries one policy after the other, so that
//! agreement between the two means something. A condition it does not know keeps a policy from applying, with the
//! reason `notEnoughInformation`.

pub mod conditions;
pub mod device;
pub mod identity;
pub mod place;
pub mod read;
pub mod target;

use serde_json::{Value, json};

pub use identity::Subject;
use read::{list, text};

/// What stands around a sign-in; the fields of a case's `tenant`, see [`applied`].
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Named locations.
    pub named_locations: &'a [Value],
    /// The old per-user MFA trusted addresses, as CIDR strings.
    pub mfa_trusted_ips: &'a [Value],
    /// Ids of apps by the name or id of the group they belong to.
    pub app_groups: &'a Value,
    /// Service principals.
    pub service_principals: &'a [Value],
    /// The setting for baseline scopes: `legacy`, `enforced`, or an object with `customTarget`.
    pub baseline_scopes: &'a Value,
}

/// One sign-in: a What If request with its `extra`, who signs in, and what stands around.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Who.
    pub subject: &'a Subject,
    /// Around.
    pub around: Surroundings<'a>,
    /// `signInIdentity`, `signInContext`, `signInConditions`, `extra`.
    pub sign_in: &'a Value,
}

/// Ids of the enabled policies that apply to a sign-in.
///
/// `policies` is a list as Graph returns it; `tenant` has `groups` (`id`, `members`), `roleAssignments`, `customRoles`,
/// `namedLocations`, `mfaTrustedIps`, `appGroups`, `servicePrincipals`, all optional; `signin` has the What If shapes
/// `signInIdentity`, `signInContext`, `signInConditions`, and `extra`.
#[must_use]
pub fn applied(policies: &Value, tenant: &Value, signin: &Value) -> Vec<String> {
    in_state(policies, tenant, signin, "enabled")
}

/// The same of the report-only policies.
#[must_use]
pub fn report_only_applied(policies: &Value, tenant: &Value, signin: &Value) -> Vec<String> {
    in_state(policies, tenant, signin, "enabledForReportingButNotEnforced")
}

/// The decision over the enabled policies: `"allow"`, `"block"`, or `{"require": [{policy, operator, controls}]}`.
#[must_use]
pub fn decision(policies: &Value, tenant: &Value, signin: &Value) -> Value {
    let ids = applied(policies, tenant, signin);
    let all = policies.as_array().map(Vec::as_slice).unwrap_or_default();
    demand(all.iter().filter(|policy| text(policy, "id").is_some_and(|id| ids.iter().any(|known| known == id))))
}

/// Why the policy with this id does not apply, in What If's words; `notSet` where it does.
#[must_use]
pub fn reason_of(policy: &Value, tenant: &Value, signin: &Value) -> &'static str {
    with_case(tenant, signin, |case| reason(policy, case))
}

fn in_state(policies: &Value, tenant: &Value, signin: &Value, state: &str) -> Vec<String> {
    let all = policies.as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted = all.iter().filter(|policy| text(policy, "state") == Some(state));
    with_case(tenant, signin, |case| {
        wanted
            .filter(|policy| applies(policy, case) && !empty(policy))
            .filter_map(|policy| text(policy, "id"))
            .map(str::to_owned)
            .collect()
    })
}

fn with_case<T>(tenant: &Value, sign_in: &Value, then: impl FnOnce(Case<'_>) -> T) -> T {
    let rows = |key: &str| tenant.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let subject = Subject::of_case(tenant, sign_in);
    let around = Surroundings {
        named_locations: rows("namedLocations"),
        mfa_trusted_ips: rows("mfaTrustedIps"),
        app_groups: tenant.get("appGroups").unwrap_or(&Value::Null),
        service_principals: rows("servicePrincipals"),
        baseline_scopes: tenant.get("baselineScopes").unwrap_or(&Value::Null),
    };
    then(Case { subject: &subject, around, sign_in })
}

/// The answer to a What If request, in the shape of Graph's `evaluate`: each policy with `policyApplies` and
/// `analysisReasons`; disabled policies are not looked at.
#[must_use]
pub fn judge(policies: &[Value], case: Case<'_>) -> Value {
    let only = case.sign_in.get("appliedPoliciesOnly").and_then(Value::as_bool).unwrap_or(false);
    let looked_at = policies.iter().filter(|policy| text(policy, "state") != Some("disabled"));
    let rows = looked_at.filter_map(|policy| {
        let reason = reason(policy, case);
        let mut row = policy.clone();
        row.as_object_mut()?.extend([
            ("policyApplies".to_owned(), json!(reason == "notSet")),
            ("analysisReasons".to_owned(), json!(reason)),
        ]);
        (!only || reason == "notSet").then_some(row)
    });
    json!({ "value": rows.collect::<Vec<_>>() })
}

/// Whether a policy's identity, target and every condition are met; its state is not looked at.
#[must_use]
pub fn applies(policy: &Value, case: Case<'_>) -> bool {
    unmet(policy, case).is_none()
}

/// The first thing that keeps a policy from applying, in What If's words; `notSet` where it applies.
#[must_use]
pub fn reason(policy: &Value, case: Case<'_>) -> &'static str {
    if text(policy, "state") == Some("disabled") {
        return "policyNotEnabled";
    }
    unmet(policy, case).unwrap_or(if empty(policy) { "emptyPolicy" } else { "notSet" })
}

fn unmet(policy: &Value, case: Case<'_>) -> Option<&'static str> {
    let conditions = policy.get("conditions").unwrap_or(&Value::Null);
    let report_only = text(policy, "state") == Some("enabledForReportingButNotEnforced");
    identity::unmet(conditions, case)
        .or_else(|| target::unmet(policy, conditions, case, report_only))
        .or_else(|| conditions::unmet(conditions, case))
}

fn empty(policy: &Value) -> bool {
    let session = policy.get("sessionControls").unwrap_or(&Value::Null);
    let asks = |control: &Value| control.get("isEnabled").map_or(!control.is_null(), |on| *on == json!(true));
    let limits = session.as_object().is_some_and(|session| session.values().any(asks));
    controls(policy).is_empty() && !limits
}

/// What a set of applied, enforced policies demands together.
pub fn demand<'a>(applied: impl Iterator<Item = &'a Value>) -> Value {
    let asks: Vec<(&Value, Vec<String>)> =
        applied.map(|policy| (policy, controls(policy))).filter(|(_, controls)| !controls.is_empty()).collect();
    if asks.iter().any(|(_, controls)| controls.iter().any(|control| control == "block")) {
        return json!("block");
    }
    if asks.is_empty() {
        return json!("allow");
    }
    let rows: Vec<Value> = asks
        .into_iter()
        .map(|(policy, controls)| {
            json!({ "policy": policy.get("id"), "operator": policy.pointer("/grantControls/operator"), "controls": controls })
        })
        .collect();
    json!({ "require": rows })
}

/// The controls a policy asks for: built-in ones by name, others as `kind:id`.
#[must_use]
pub fn controls(policy: &Value) -> Vec<String> {
    let grant = policy.get("grantControls").unwrap_or(&Value::Null);
    let built_in = list(grant, "builtInControls").into_iter().map(str::to_owned);
    let strength = grant.pointer("/authenticationStrength/id").and_then(Value::as_str);
    let terms = list(grant, "termsOfUse").into_iter().map(|id| format!("termsOfUse:{id}"));
    let custom = list(grant, "customAuthenticationFactors").into_iter().map(|id| format!("custom:{id}"));
    built_in.chain(strength.map(|id| format!("authenticationStrength:{id}"))).chain(terms).chain(custom).collect()
}

#[cfg(test)]
mod tests;
