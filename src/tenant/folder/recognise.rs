//! Which kind of object a file holds: by what it says of itself, then by its name, then by its shape.

use std::path::Path;

use serde_json::Value;

use super::text::Content;
use crate::tenant::{Kind, Word};

/// The kind of a file's objects; none when nothing tells.
pub(super) fn kind_of(path: &Path, content: &Content) -> Option<Kind> {
    let says = content.says.as_deref().and_then(by_odata);
    let first = content.objects.first().map(|(_, value)| value);
    if first.is_some_and(is_template) {
        return None;
    }
    let typed = || first?.get("@odata.type")?.as_str().and_then(by_odata);
    says.or_else(typed).or_else(|| by_name(path)).or_else(|| first.and_then(by_shape))
}

/// What policies can be made from is no policy of the tenant, wherever it lies.
fn is_template(value: &Value) -> bool {
    value.pointer("/details/conditions").is_some()
}

/// The resource at the end of a context or in a type name; more telling names come first.
fn by_odata(text: &str) -> Option<Kind> {
    let known = [
        ("conditionalaccesspolicy", Kind::Policies),
        ("conditionalaccess/policies", Kind::Policies),
        ("namedlocation", Kind::NamedLocations),
        ("authenticationstrengthpolic", Kind::AuthenticationStrengthPolicies),
        ("authenticationcontextclassreference", Kind::AuthenticationContextClassReferences),
        ("agreement", Kind::TermsOfUse),
        ("userregistrationdetails", Kind::UserRegistrationDetails),
        ("riskyuser", Kind::RiskyUsers),
        ("subscribedsku", Kind::SubscribedSkus),
        ("identitysecuritydefaultsenforcementpolicy", Kind::IdentitySecurityDefaultsEnforcementPolicy),
        ("crosstenantaccesspolicy", Kind::CrossTenantAccessPolicy),
        ("directoryaudit", Kind::DirectoryAudits),
        ("signin", Kind::SignIns),
        ("roledefinition", Kind::RoleDefinitions),
        ("roleassignment", Kind::RoleAssignments),
        ("roleeligibility", Kind::RoleAssignments),
        ("serviceprincipal", Kind::ServicePrincipals),
        ("#users", Kind::Users),
        ("graph.user", Kind::Users),
        ("#groups", Kind::Groups),
        ("graph.group", Kind::Groups),
        ("#devices", Kind::Devices),
        ("graph.device", Kind::Devices),
    ];
    let text = text.to_ascii_lowercase();
    known.into_iter().find(|(part, _)| text.contains(part)).map(|(_, kind)| kind)
}

/// By the file's name, or else by the folder's that it lies in (`policies/CA001.json`).
fn by_name(path: &Path) -> Option<Kind> {
    let stem = path.file_stem()?.to_str()?;
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    named(stem).or_else(|| folder.and_then(named))
}

fn named(name: &str) -> Option<Kind> {
    let letters = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphabetic).collect::<String>();
    match letters.as_str() {
        "conditionalaccesspolicies" => Some(Kind::Policies),
        "roleassignmentscheduleinstances" | "roleeligibilityscheduleinstances" | "eligibleroleassignments" => {
            Some(Kind::RoleAssignments)
        }
        "crosstenantaccesspolicydefault" | "crosstenantaccesspolicypartners" => Some(Kind::CrossTenantAccessPolicy),
        _ => Kind::parse(&letters),
    }
}

fn by_shape(value: &Value) -> Option<Kind> {
    let members = value.as_object()?;
    let has = |name: &str| members.keys().any(|key| key.eq_ignore_ascii_case(name));
    let known: [(&[&str], Kind); 15] = [
        (&["conditions", "state"], Kind::Policies),
        (&["appliedConditionalAccessPolicies"], Kind::SignIns),
        (&["clientAppUsed", "userId"], Kind::SignIns),
        (&["ipRanges"], Kind::NamedLocations),
        (&["countriesAndRegions"], Kind::NamedLocations),
        (&["allowedCombinations"], Kind::AuthenticationStrengthPolicies),
        (&["methodsRegistered"], Kind::UserRegistrationDetails),
        (&["riskState", "userPrincipalName"], Kind::RiskyUsers),
        (&["activityDisplayName"], Kind::DirectoryAudits),
        (&["servicePlans"], Kind::SubscribedSkus),
        (&["principalId", "roleDefinitionId"], Kind::RoleAssignments),
        (&["appId", "servicePrincipalType"], Kind::ServicePrincipals),
        (&["deviceId", "operatingSystem"], Kind::Devices),
        (&["groupTypes"], Kind::Groups),
        (&["userPrincipalName", "id"], Kind::Users),
    ];
    known.into_iter().find(|(names, _)| names.iter().all(|name| has(name))).map(|(_, kind)| kind)
}

/// Whether what the file says of itself, or its name, makes its role assignments eligible ones.
pub(super) fn is_eligible(path: &Path, content: &Content) -> bool {
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let says = content.says.as_deref().unwrap_or_default();
    [name, says].iter().any(|text| text.to_ascii_lowercase().contains("eligib"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(path: &str, says: Option<&str>, value: Value) -> Option<Kind> {
        kind_of(
            Path::new(path),
            &Content { says: says.map(str::to_owned), objects: vec![(String::new(), value)], ..Content::default() },
        )
    }

    #[test]
    fn what_a_file_says_of_itself_goes_before_its_name_and_that_before_its_shape() {
        let context = "https://graph.microsoft.com/v1.0/$metadata#groups";
        assert_eq!(kind("users.json", Some(context), json!({"ipRanges": []})), Some(Kind::Groups));
        assert_eq!(kind("Users.json", None, json!({"ipRanges": []})), Some(Kind::Users));
        assert_eq!(kind("export.json", None, json!({"IpRanges": []})), Some(Kind::NamedLocations));
        assert_eq!(kind("package.json", None, json!({"name": "x"})), None);
    }

    #[test]
    fn a_folder_names_what_lies_in_it_and_numbers_do_not_matter() {
        assert_eq!(kind("export/signIns/2026-11-01.jsonl", None, json!({})), Some(Kind::SignIns));
        assert_eq!(kind("export/users-2.json", None, json!({})), Some(Kind::Users));
    }

    #[test]
    fn templates_are_not_the_tenants_policies() {
        let context = "https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/templates";
        let template =
            json!({"id": "t", "name": "Block legacy clients", "details": {"conditions": {}, "grantControls": {}}});
        assert_eq!(kind("templates.json", Some(context), template.clone()), None);
        assert_eq!(kind("policies/templates.json", None, template), None);
        let taken_out = json!({"displayName": "x", "state": "disabled", "conditions": {}});
        assert_eq!(
            kind("downloaded.json", Some(context), taken_out),
            Some(Kind::Policies),
            "made to be uploaded as one"
        );
    }

    #[test]
    fn the_context_of_one_policy() {
        let context = "https://graph.microsoft.com/beta/$metadata#identity/conditionalAccess/policies/$entity";
        assert_eq!(kind("CA000.json", Some(context), json!({})), Some(Kind::Policies));
    }
}
