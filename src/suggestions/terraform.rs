//! A policy as a resource of the `azuread` provider of Terraform (version 3), for organisations that keep policies as code.
//!
//! The provider knows less than Graph does. A policy with a setting that it lacks gets no resource: half a policy would
//! be another policy.

use std::fmt::Write as _;

use serde_json::Value;

use crate::tenant::Policy;
use crate::tenant::write::export_policy;

/// A setting: its name in the provider, and where it is in Graph's words.
type Setting = (&'static str, &'static str);

const CONDITIONS: &[Setting] = &[
    ("client_app_types", "clientAppTypes"),
    ("sign_in_risk_levels", "signInRiskLevels"),
    ("user_risk_levels", "userRiskLevels"),
    ("service_principal_risk_levels", "servicePrincipalRiskLevels"),
    ("insider_risk_levels", "insiderRiskLevels"),
];
const APPLICATIONS: &[Setting] = &[
    ("included_applications", "includeApplications"),
    ("excluded_applications", "excludeApplications"),
    ("included_user_actions", "includeUserActions"),
];
const USERS: &[Setting] = &[
    ("included_users", "includeUsers"),
    ("excluded_users", "excludeUsers"),
    ("included_groups", "includeGroups"),
    ("excluded_groups", "excludeGroups"),
    ("included_roles", "includeRoles"),
    ("excluded_roles", "excludeRoles"),
];
const WORKLOADS: &[Setting] = &[
    ("included_service_principals", "includeServicePrincipals"),
    ("excluded_service_principals", "excludeServicePrincipals"),
];
const PLATFORMS: &[Setting] = &[("included_platforms", "includePlatforms"), ("excluded_platforms", "excludePlatforms")];
const LOCATIONS: &[Setting] = &[("included_locations", "includeLocations"), ("excluded_locations", "excludeLocations")];
const FILTER: &[Setting] = &[("mode", "mode"), ("rule", "rule")];
const GRANT: &[Setting] = &[
    ("operator", "operator"),
    ("built_in_controls", "builtInControls"),
    ("custom_authentication_factors", "customAuthenticationFactors"),
    ("terms_of_use", "termsOfUse"),
];

/// The resource, with an import block for a policy that exists already; otherwise the settings that the provider lacks,
/// as JSON pointers of Graph's words.
///
/// # Errors
/// The settings that can't be said.
pub fn resource(policy: &Policy) -> Result<String, Vec<String>> {
    let body = export_policy(policy);
    let mut lacking = policy.undecided.clone();
    lacking.extend(unknown(&body));
    if !lacking.is_empty() {
        return Err(lacking);
    }
    let label = label(&policy.display_name);
    let mut text = String::new();
    if !policy.id.is_empty() {
        let to = format!("azuread_conditional_access_policy.{label}");
        let id = quoted(&format!("/identity/conditionalAccess/policies/{}", policy.id));
        let _ = write!(text, "import {{\n  to = {to}\n  id = {id}\n}}\n\n");
    }
    let name = quoted(&policy.display_name);
    let state = quoted(body.get("state").and_then(Value::as_str).unwrap_or_default());
    let _ = write!(
        text,
        "resource \"azuread_conditional_access_policy\" \"{label}\" {{\n  display_name = {name}\n  state        = {state}\n\n"
    );
    for block in [conditions(&body), grant(&body), session(&body)].into_iter().flatten() {
        block.write(&mut text, 1);
    }
    text.push_str("}\n");
    Ok(text)
}

/// Settings of the policy that the provider has no argument for.
fn unknown(body: &Value) -> Vec<String> {
    let lacks = [
        "/conditions/agentIdRiskLevels",
        "/conditions/agents",
        "/conditions/agentContext",
        "/conditions/applications/includeAuthenticationContextClassReferences",
        "/conditions/clientApplications/includeAgentIdServicePrincipals",
        "/conditions/clientApplications/excludeAgentIdServicePrincipals",
        "/sessionControls/secureSignInSession",
        "/sessionControls/continuousAccessEvaluation",
        "/sessionControls/globalSecureAccessFilteringProfile",
    ];
    let set = |at: &&&str| body.pointer(at).is_some_and(|value| !is_empty(value));
    let mut found: Vec<String> = lacks.iter().filter(set).map(|at| (*at).to_owned()).collect();
    let controls = body.pointer("/grantControls/builtInControls").and_then(Value::as_array).into_iter().flatten();
    let unsaid = controls.filter(|control| control.as_str() == Some("riskRemediation"));
    found.extend(unsaid.map(|_| "/grantControls/builtInControls: riskRemediation".to_owned()));
    found
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// A block: its arguments, then the blocks in it.
#[derive(Default)]
struct Block {
    name: &'static str,
    arguments: Vec<(&'static str, String)>,
    blocks: Vec<Block>,
}

impl Block {
    /// A block of these settings of an object; none when it has none of them.
    fn of(name: &'static str, settings: &[Setting], object: Option<&Value>) -> Option<Self> {
        let object = object.filter(|object| object.is_object())?;
        let block = Self { name, arguments: arguments(settings, object), blocks: Vec::new() };
        (!block.arguments.is_empty()).then_some(block)
    }

    fn with(mut self, blocks: impl IntoIterator<Item = Option<Self>>) -> Self {
        self.blocks.extend(blocks.into_iter().flatten());
        self
    }

    fn write(&self, text: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        let _ = writeln!(text, "{indent}{} {{", self.name);
        let width = self.arguments.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in &self.arguments {
            let _ = writeln!(text, "{indent}  {name:width$} = {value}");
        }
        for block in &self.blocks {
            block.write(text, depth + 1);
        }
        let _ = writeln!(text, "{indent}}}");
    }
}

fn arguments(settings: &[Setting], object: &Value) -> Vec<(&'static str, String)> {
    let set = settings.iter().filter_map(|(name, member)| Some((*name, object.get(member)?)));
    set.filter(|(_, value)| !is_empty(value)).map(|(name, value)| (name, literal(value))).collect()
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Graph's flags are one comma-joined string; the provider takes a list.
fn flags(value: Option<&Value>) -> Option<String> {
    let words = value?.as_str()?.split(',').map(|word| quoted(word.trim()));
    Some(format!("[{}]", words.collect::<Vec<_>>().join(", ")))
}

fn conditions(body: &Value) -> Option<Block> {
    let all = body.get("conditions")?;
    let part = |name: &str| all.get(name);
    let mut block = Block { name: "conditions", arguments: arguments(CONDITIONS, all), blocks: Vec::new() };
    let methods = flags(all.pointer("/authenticationFlows/transferMethods"));
    block.arguments.extend(methods.map(|methods| ("authentication_flow_transfer_methods", methods)));
    let filtered = |name, part: Option<&Value>| Block::of("filter", FILTER, part.and_then(|part| part.get(name)));
    let applications = Block::of("applications", APPLICATIONS, part("applications"))
        .unwrap_or(Block { name: "applications", ..Block::default() })
        .with([filtered("applicationFilter", part("applications"))]);
    let users = Block::of("users", USERS, part("users")).unwrap_or(Block { name: "users", ..Block::default() }).with([
        guests("included_guests_or_external_users", all.pointer("/users/includeGuestsOrExternalUsers")),
        guests("excluded_guests_or_external_users", all.pointer("/users/excludeGuestsOrExternalUsers")),
    ]);
    let workloads = Block::of("client_applications", WORKLOADS, part("clientApplications"));
    let workloads = workloads.map(|block| block.with([filtered("servicePrincipalFilter", part("clientApplications"))]));
    let devices = filtered("deviceFilter", part("devices"));
    let devices = devices.map(|filter| Block { name: "devices", ..Block::default() }.with([Some(filter)]));
    Some(block.with([
        Some(applications),
        workloads,
        devices,
        Block::of("locations", LOCATIONS, part("locations")),
        Block::of("platforms", PLATFORMS, part("platforms")),
        Some(users),
    ]))
}

fn guests(name: &'static str, guests: Option<&Value>) -> Option<Block> {
    let types = flags(guests?.get("guestOrExternalUserTypes"))?;
    let settings = &[("membership_kind", "membershipKind"), ("members", "members")];
    let tenants = Block::of("external_tenants", settings, guests?.get("externalTenants"));
    let arguments = vec![("guest_or_external_user_types", types)];
    Some(Block { name, arguments, blocks: Vec::new() }.with([tenants]))
}

fn grant(body: &Value) -> Option<Block> {
    let mut block = Block::of("grant_controls", GRANT, body.get("grantControls"))?;
    if let Some(id) = body.pointer("/grantControls/authenticationStrength/id").and_then(Value::as_str) {
        let id = quoted(&format!("/policies/authenticationStrengthPolicies/{id}"));
        block.arguments.push(("authentication_strength_policy_id", id));
    }
    Some(block)
}

fn session(body: &Value) -> Option<Block> {
    let all = body.get("sessionControls").filter(|all| all.is_object())?;
    let set = |at: &str| all.pointer(at).filter(|value| !value.is_null()).map(literal);
    let arguments = [
        ("application_enforced_restrictions_enabled", set("/applicationEnforcedRestrictions/isEnabled")),
        ("cloud_app_security_policy", set("/cloudAppSecurity/cloudAppSecurityType")),
        ("disable_resilience_defaults", set("/disableResilienceDefaults")),
        ("persistent_browser_mode", set("/persistentBrowser/mode")),
        ("sign_in_frequency", set("/signInFrequency/value")),
        ("sign_in_frequency_period", set("/signInFrequency/type")),
        ("sign_in_frequency_authentication_type", set("/signInFrequency/authenticationType")),
        ("sign_in_frequency_interval", set("/signInFrequency/frequencyInterval")),
    ];
    let arguments = arguments.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<Vec<_>>();
    (!arguments.is_empty()).then_some(Block { name: "session_controls", arguments, blocks: Vec::new() })
}

/// A name that Terraform takes: letters, digits and underscores, not a digit first.
fn label(name: &str) -> String {
    let mut label = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            label.push(c);
        } else if !label.ends_with('_') && !label.is_empty() {
            label.push('_');
        }
    }
    let label = label.trim_end_matches('_').to_owned();
    let starts_well = label.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    if starts_well { label } else { format!("policy_{label}").trim_end_matches('_').to_owned() }
}

/// A string of Terraform's language: nothing in it is a template.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted.replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tenant::read_policy;

    fn policy(extra: &Value) -> Policy {
        let mut body = json!({"displayName": "CA211 – Block \"${x}\"", "state": "enabledForReportingButNotEnforced",
            "conditions": {"users": {"includeUsers": ["All"], "excludeGroups": ["g1"]},
                "applications": {"includeApplications": ["All"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        read_policy(&body).unwrap()
    }

    #[test]
    fn a_draft_becomes_a_resource() {
        let flows = json!({"conditions": {"users": {"includeUsers": ["All"], "excludeGroups": ["g1"],
                "excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "internalGuest,serviceProvider",
                    "externalTenants": {"membershipKind": "enumerated", "members": ["t1"]}}},
            "applications": {"includeApplications": ["All"]},
            "authenticationFlows": {"transferMethods": "deviceCodeFlow"},
            "devices": {"deviceFilter": {"mode": "exclude", "rule": "device.trustType -eq \"ServerAD\""}}}});
        insta::assert_snapshot!(resource(&policy(&flows)).unwrap(), @r#"
        resource "azuread_conditional_access_policy" "ca211_block_x" {
          display_name = "CA211 – Block \"$${x}\""
          state        = "enabledForReportingButNotEnforced"

          conditions {
            client_app_types                     = ["all"]
            authentication_flow_transfer_methods = ["deviceCodeFlow"]
            applications {
              included_applications = ["All"]
            }
            devices {
              filter {
                mode = "exclude"
                rule = "device.trustType -eq \"ServerAD\""
              }
            }
            users {
              included_users  = ["All"]
              excluded_groups = ["g1"]
              excluded_guests_or_external_users {
                guest_or_external_user_types = ["internalGuest", "serviceProvider"]
                external_tenants {
                  membership_kind = "enumerated"
                  members         = ["t1"]
                }
              }
            }
          }
          grant_controls {
            operator          = "OR"
            built_in_controls = ["block"]
          }
        }
        "#);
    }

    #[test]
    fn a_policy_that_exists_is_imported_and_strengths_have_their_address() {
        let strength = json!({"id": "p-1", "displayName": "1 – MFA",
            "grantControls": {"operator": "OR", "authenticationStrength": {"id": "s-1"}},
            "sessionControls": {"signInFrequency": {"isEnabled": true, "type": "hours", "value": 4,
                "authenticationType": "primaryAndSecondaryAuthentication", "frequencyInterval": "timeBased"}}});
        let text = resource(&policy(&strength)).unwrap();
        assert!(text.starts_with("import {\n  to = azuread_conditional_access_policy.policy_1_mfa\n"), "{text}");
        assert!(text.contains("id = \"/identity/conditionalAccess/policies/p-1\""), "{text}");
        assert!(text.contains("authentication_strength_policy_id = \"/policies/authenticationStrengthPolicies/s-1\""));
        assert!(text.contains("sign_in_frequency                     = 4"), "{text}");
    }

    #[test]
    fn what_the_provider_cannot_say_is_not_said_by_half() {
        let context = json!({"conditions": {"users": {"includeUsers": ["All"]},
            "applications": {"includeAuthenticationContextClassReferences": ["c1"]}}});
        let lacking = resource(&policy(&context)).unwrap_err();
        assert_eq!(lacking, ["/conditions/applications/includeAuthenticationContextClassReferences"]);
        let token = json!({"sessionControls": {"secureSignInSession": {"isEnabled": true}}});
        assert_eq!(resource(&policy(&token)).unwrap_err(), ["/sessionControls/secureSignInSession"]);
    }
}
