//! Which kind of object a file holds: by what it says of itself, then by its name, then by its shape.

use std::path::Path;

use serde_json::Value;

use super::text::Content;
use crate::tenant::{Kind, Word};

/// The kind of a file's objects; none when nothing tells, or when they say that they are something else.
pub(super) fn kind_of(path: &Path, content: &Content) -> Option<Kind> {
    let first = content.objects.first().map(|(_, value)| value);
    if first.is_some_and(is_template) {
        return None;
    }
    let typed = first.and_then(|value| value.get("@odata.type")?.as_str());
    let said: Vec<Says> = [content.says.as_deref(), typed].into_iter().flatten().map(by_odata).collect();
    let kind = said.iter().find_map(|says| if let Says::Kind(kind) = says { Some(*kind) } else { None });
    let by_shape = || first.and_then(by_shape);
    if kind.is_none() && said.contains(&Says::Other) {
        // A policy out of a list of templates is a policy, whatever it lay among.
        return by_shape().filter(|kind| *kind == Kind::Policies);
    }
    kind.or_else(|| by_name(path)).or_else(by_shape)
}

/// What policies can be made from is no policy of the tenant, wherever it lies.
fn is_template(value: &Value) -> bool {
    value.pointer("/details/conditions").is_some()
}

/// What an OData annotation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// The objects are of this kind.
    Kind(Kind),
    /// They are of a kind that isn't read.
    Other,
    /// Nothing: any object of the directory.
    Nothing,
}

/// The resource at the end of a context, or a type. The whole name counts: Intune's `deviceConfiguration` is no `device`.
fn by_odata(text: &str) -> Says {
    let text = text.to_ascii_lowercase();
    let Some((_, resource)) = text.rsplit_once('#') else { return Says::Nothing };
    let resource = resource.trim_start_matches("collection(").trim_end_matches(')');
    let named = |part: &&str| !part.is_empty() && !part.starts_with('$');
    let parts: Vec<&str> = resource.split('/').filter(named).map(plain).collect();
    let Some(last) = parts.last() else { return Says::Nothing };
    if ["directoryobject", "directoryobjects"].contains(last) {
        return Says::Nothing;
    }
    let above = parts.len().checked_sub(2).and_then(|at| parts.get(at)).copied().unwrap_or_default();
    let one = last.strip_suffix('s').unwrap_or(last);
    RESOURCES
        .iter()
        .find(|(name, of, _)| (*name == *last || *name == one) && (of.is_empty() || *of == above))
        .map_or(Says::Other, |(.., kind)| Says::Kind(*kind))
}

/// A segment of a path without what is selected of it and without the namespace.
fn plain(segment: &str) -> &str {
    segment.split('(').next().unwrap_or_default().trim_start_matches("microsoft.graph.")
}

/// Graph's types and collections (with or without the plural's s), the segment of the path before it where the name alone
/// would mean others too, and what they hold.
const RESOURCES: &[(&str, &str, Kind)] = &[
    ("conditionalaccesspolicy", "", Kind::Policies),
    ("policies", "conditionalaccess", Kind::Policies),
    ("namedlocation", "", Kind::NamedLocations),
    ("ipnamedlocation", "", Kind::NamedLocations),
    ("countrynamedlocation", "", Kind::NamedLocations),
    ("compliantnetworknamedlocation", "", Kind::NamedLocations),
    ("privatelinknamedlocation", "", Kind::NamedLocations),
    ("servicetagnamedlocation", "", Kind::NamedLocations),
    ("authenticationstrengthpolicy", "", Kind::AuthenticationStrengthPolicies),
    ("authenticationstrengthpolicies", "", Kind::AuthenticationStrengthPolicies),
    ("policies", "authenticationstrength", Kind::AuthenticationStrengthPolicies),
    ("authenticationcontextclassreference", "", Kind::AuthenticationContextClassReferences),
    ("agreement", "", Kind::TermsOfUse),
    ("userregistrationdetails", "", Kind::UserRegistrationDetails),
    ("riskyuser", "", Kind::RiskyUsers),
    ("subscribedsku", "", Kind::SubscribedSkus),
    ("identitysecuritydefaultsenforcementpolicy", "", Kind::IdentitySecurityDefaultsEnforcementPolicy),
    ("crosstenantaccesspolicy", "", Kind::CrossTenantAccessPolicy),
    ("crosstenantaccesspolicyconfigurationdefault", "", Kind::CrossTenantAccessPolicy),
    ("crosstenantaccesspolicyconfigurationpartner", "", Kind::CrossTenantAccessPolicy),
    ("default", "crosstenantaccesspolicy", Kind::CrossTenantAccessPolicy),
    ("partner", "crosstenantaccesspolicy", Kind::CrossTenantAccessPolicy),
    ("directoryaudit", "", Kind::DirectoryAudits),
    ("signin", "", Kind::SignIns),
    ("unifiedroledefinition", "", Kind::RoleDefinitions),
    ("roledefinition", "directory", Kind::RoleDefinitions),
    ("unifiedroleassignment", "", Kind::RoleAssignments),
    ("unifiedroleassignmentschedule", "", Kind::RoleAssignments),
    ("unifiedroleassignmentscheduleinstance", "", Kind::RoleAssignments),
    ("unifiedroleeligibilityschedule", "", Kind::RoleAssignments),
    ("unifiedroleeligibilityscheduleinstance", "", Kind::RoleAssignments),
    ("roleassignment", "directory", Kind::RoleAssignments),
    ("roleassignmentschedule", "directory", Kind::RoleAssignments),
    ("roleassignmentscheduleinstance", "directory", Kind::RoleAssignments),
    ("roleeligibilityschedule", "directory", Kind::RoleAssignments),
    ("roleeligibilityscheduleinstance", "directory", Kind::RoleAssignments),
    ("serviceprincipal", "", Kind::ServicePrincipals),
    ("agentidentity", "", Kind::ServicePrincipals),
    ("agentidentityblueprintprincipal", "", Kind::ServicePrincipals),
    ("user", "", Kind::Users),
    ("agentuser", "", Kind::Users),
    ("group", "", Kind::Groups),
    ("device", "", Kind::Devices),
];

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
    fn what_says_that_it_is_something_else_is_nothing_that_is_read() {
        let of = |odata: &str| {
            kind("groups/x.json", None, json!({"@odata.type": odata, "id": "1", "userPrincipalName": ""}))
        };
        for foreign in ["deviceConfiguration", "groupSetting", "userFlow", "signInPreferences", "managedDevice"] {
            assert_eq!(of(&format!("#microsoft.graph.{foreign}")), None, "{foreign}");
        }
        assert_eq!(of("#microsoft.graph.deviceAndAppManagementRoleDefinition"), None);
        assert_eq!(of("#microsoft.graph.agentUser"), Some(Kind::Users));
        assert_eq!(of("#microsoft.graph.directoryObject"), Some(Kind::Groups), "the name decides");
        let within = |path: &str| {
            let context = format!("https://graph.microsoft.com/v1.0/$metadata#{path}");
            kind("policies/x.json", Some(&context), json!({"id": "1", "state": "enabled"}))
        };
        assert_eq!(within("policies/authenticationMethodsPolicy/$entity"), None);
        assert_eq!(within("deviceManagement/roleDefinitions"), None);
        assert_eq!(within("deviceManagement/managedDevices"), None);
        assert_eq!(within("roleManagement/directory/roleDefinitions"), Some(Kind::RoleDefinitions));
        assert_eq!(within("roleManagement/directory/roleAssignments(principal())"), Some(Kind::RoleAssignments));
        assert_eq!(within("users(id,displayName)/$delta"), Some(Kind::Users));
        assert_eq!(
            within("identity/conditionalAccess/authenticationStrength/policies"),
            Some(Kind::AuthenticationStrengthPolicies)
        );
        let ranges = "identity/conditionalAccess/namedLocations/microsoft.graph.ipNamedLocation/$entity";
        assert_eq!(within(ranges), Some(Kind::NamedLocations));
        assert_eq!(within("policies/crossTenantAccessPolicy/partners"), Some(Kind::CrossTenantAccessPolicy));
        assert_eq!(within("Collection(microsoft.graph.user)"), Some(Kind::Users));
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
