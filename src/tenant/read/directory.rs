//! Reads the directory: users, groups, roles, service principals, devices, registrations, licences.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ReadError;
use super::node::{Node, id};
use crate::tenant::directory::{
    AccountKind, Assignment, Device, Group, PrivateAccess, Registration, Role, RoleAssignment, ServicePrincipal, Tag,
    User,
};
use crate::tenant::policy::GuestType;
use crate::tenant::text::{Compact, Text};
use crate::tenant::well_known::{TAG_PRIVATE_ACCESS, TAG_QUICK_ACCESS};

/// Reads a `user`. What is not shown counts as the usual case: enabled, a member, a person.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_user(value: &Value) -> Result<User, ReadError> {
    let node = Node::root(value);
    let name = node.member("userPrincipalName").string()?;
    let activity = node.member("signInActivity").object()?;
    let seen = ["lastSignInDateTime", "lastNonInteractiveSignInDateTime", "lastSuccessfulSignInDateTime"]
        .into_iter()
        .map(|field| activity.member(field).time())
        .collect::<Result<Vec<_>, _>>()?;
    Ok(User {
        id: node.member("id").required_id()?.into(),
        display_name: node.member("displayName").string()?.into(),
        enabled: node.member("accountEnabled").flag()?.unwrap_or(true),
        guest: guest_type(&node, &name)?,
        pending: node.member("externalUserState").string()?.eq_ignore_ascii_case("PendingAcceptance"),
        department: node.member("department").filled()?.map(Text::from),
        created: node.member("createdDateTime").time()?,
        last_sign_in: seen.into_iter().flatten().max(),
        account: account_kind(&node, &name)?,
        synced: node.member("onPremisesSyncEnabled").flag()?.unwrap_or_default(),
        per_user_mfa: node.member("perUserMfaState").filled()?.map(|state| !state.eq_ignore_ascii_case("disabled")),
        user_principal_name: name.into(),
    })
}

/// Guest or member, and signing in here or elsewhere (Microsoft Learn, External ID: properties of a B2B user).
fn guest_type(node: &Node<'_>, name: &str) -> Result<Option<GuestType>, ReadError> {
    let identities = node.member("identities");
    let issued_elsewhere = identities.items()?.iter().try_fold(false, |found, identity| {
        Ok(found || identity.member("issuer").string()?.eq_ignore_ascii_case("ExternalAzureAD"))
    })?;
    let external = name.to_ascii_uppercase().contains("#EXT#")
        || node.member("creationType").string()?.eq_ignore_ascii_case("Invitation")
        || node.member("externalUserState").filled()?.is_some()
        || issued_elsewhere;
    let guest = node.member("userType").string()?.eq_ignore_ascii_case("Guest");
    Ok(match (guest, external) {
        (true, true) => Some(GuestType::B2bCollaborationGuest),
        (true, false) => Some(GuestType::InternalGuest),
        (false, true) => Some(GuestType::B2bCollaborationMember),
        (false, false) => None,
    })
}

/// `employeeType` decides where it is filled in; otherwise the usual prefixes of the name.
///
/// The directory has no property for it, so this is a convention, and answers list such accounts apart by name.
fn account_kind(node: &Node<'_>, name: &str) -> Result<AccountKind, ReadError> {
    let kind = node.member("employeeType").string()?.to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let odata = node.member("@odata.type").string()?;
    let is_agent = odata.ends_with("agentUser") || node.member("identityParentId").filled()?.is_some();
    Ok(if is_agent {
        AccountKind::Agent
    } else if kind.starts_with("service") || kind.starts_with("non-human") {
        AccountKind::Service
    } else if kind.starts_with("room") || kind.starts_with("equipment") || kind.starts_with("resource") {
        AccountKind::Room
    } else if !kind.is_empty() {
        AccountKind::Person
    } else if starts(&["svc-", "svc_", "svc.", "sa-", "sa_", "service-", "sync_"]) {
        AccountKind::Service
    } else if starts(&["room-", "room_", "room.", "mtr-", "mtr_"]) {
        AccountKind::Room
    } else {
        AccountKind::Person
    })
}

/// A group as read, with its direct members still by object id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupRead {
    /// The group, without members.
    pub group: Group,
    /// Object ids of direct members of any kind; none when they could not be read.
    pub members: Option<Vec<String>>,
}

impl Compact for GroupRead {}

/// Reads a `group`; `members` are ids, or objects with an id.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_group(value: &Value) -> Result<GroupRead, ReadError> {
    let node = Node::root(value);
    let members = node.member("members");
    let rule_state = node.member("membershipRuleProcessingState").string()?;
    let group = Group {
        id: node.member("id").required_id()?,
        display_name: node.member("displayName").string()?,
        membership_rule: node.member("membershipRule").filled()?,
        rule_paused: rule_state.eq_ignore_ascii_case("Paused"),
        role_assignable: node.member("isAssignableToRole").flag()?.unwrap_or_default(),
        management_restricted: node.member("isManagementRestricted").flag()?,
        owners: references(&node.member("owners"))?,
        hidden: node.member("visibility").string()?.eq_ignore_ascii_case("HiddenMembership"),
        ..Group::default()
    };
    // The first page of them is not all of them.
    let cut_off = node.member("members@odata.nextLink").filled()?.is_some();
    let members = if members.is_null() || cut_off { None } else { Some(references(&members)?) };
    Ok(GroupRead { group, members })
}

/// Ids that stand as text or inside objects.
fn references(node: &Node<'_>) -> Result<Vec<String>, ReadError> {
    let read =
        |item: &Node<'_>| if item.value().is_object() { item.member("id").required_id() } else { item.required_id() };
    node.items()?.iter().map(read).collect()
}

/// Reads an active or eligible role assignment of any of Graph's three resources.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_role_assignment(value: &Value) -> Result<RoleAssignment, ReadError> {
    let node = Node::root(value);
    let odata = node.member("@odata.type").string()?.to_ascii_lowercase();
    let eligible = node.member("assignment").string()?.eq_ignore_ascii_case("eligible") || odata.contains("eligib");
    let app_scope = node.member("appScopeId").filled()?;
    Ok(RoleAssignment {
        principal_id: node.member("principalId").required_id()?,
        role_id: node.member("roleDefinitionId").required_id()?,
        scope: node.member("directoryScopeId").filled()?.or(app_scope).unwrap_or_else(|| "/".to_owned()),
        assignment: if eligible { Assignment::Eligible } else { Assignment::Active },
    })
}

/// Reads a `unifiedRoleDefinition`; a built-in role is known by its template id, which policies name.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_role(value: &Value) -> Result<Role, ReadError> {
    let node = Node::root(value);
    let built_in = node.member("isBuiltIn").flag()?.unwrap_or(true);
    let template = node.member("templateId").id()?;
    let id = if built_in && !template.is_empty() { template } else { node.member("id").required_id()? };
    let privileged = node.member("isPrivileged").flag()?.unwrap_or_default();
    Ok(Role { id, display_name: node.member("displayName").string()?, built_in, privileged })
}

/// Reads a `servicePrincipal`.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_service_principal(value: &Value) -> Result<ServicePrincipal, ReadError> {
    let node = Node::root(value);
    let audience = node.member("signInAudience").string()?;
    let stated = node.member("singleTenant").flag()?;
    Ok(ServicePrincipal {
        id: node.member("id").required_id()?,
        app_id: node.member("appId").required_id()?,
        display_name: node.member("displayName").string()?,
        kind: principal_kind(node.member("servicePrincipalType").filled()?),
        single_tenant: stated.unwrap_or_else(|| audience.eq_ignore_ascii_case("AzureADMyOrg")),
        enabled: node.member("accountEnabled").flag()?.unwrap_or(true),
        created: node.member("createdDateTime").time()?,
        attributes: read_attributes(&node.member("customSecurityAttributes"))?,
        private_access: private_access(&node.member("tags"))?,
    })
}

/// In Graph's spelling, whatever the export's.
fn principal_kind(word: Option<String>) -> String {
    let known = ["Application", "ManagedIdentity", "ServiceIdentity"];
    let word = word.unwrap_or_else(|| "Application".to_owned());
    known.into_iter().find(|known| known.eq_ignore_ascii_case(&word)).map_or(word, str::to_owned)
}

/// Source: Microsoft Learn, Global Secure Access: Manage Private Access apps with PowerShell (`tags`).
fn private_access(tags: &Node<'_>) -> Result<Option<PrivateAccess>, ReadError> {
    if tags.is_null() {
        return Ok(None);
    }
    let tags = tags.strings()?;
    let kind = if tags.contains(&TAG_QUICK_ACCESS) {
        PrivateAccess::QuickAccess
    } else if tags.contains(&TAG_PRIVATE_ACCESS) {
        PrivateAccess::App
    } else {
        PrivateAccess::Nothing
    };
    Ok(Some(kind))
}

/// `{Set: {Attribute: text or texts}}` as `Set_Attribute`; filters see string attributes only.
fn read_attributes(node: &Node<'_>) -> Result<Option<BTreeMap<String, Tag>>, ReadError> {
    if node.is_null() {
        return Ok(None);
    }
    let mut attributes = BTreeMap::new();
    for (set, members) in node.object()?.value().as_object().into_iter().flatten() {
        for (name, value) in members.as_object().into_iter().flatten().filter(|(name, _)| !name.contains('@')) {
            let tag = match value {
                Value::String(text) => Tag::Text(text.clone()),
                Value::Array(items) => Tag::List(items.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
                _ => continue,
            };
            attributes.insert(format!("{set}_{name}"), tag);
        }
    }
    Ok(Some(attributes))
}

/// Reads a `device`.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_device(value: &Value) -> Result<Device, ReadError> {
    let node = Node::root(value);
    let owners = node.member("registeredOwners");
    Ok(Device {
        id: node.member("deviceId").required_id()?,
        display_name: node.member("displayName").string()?,
        compliant: node.member("isCompliant").flag()?,
        managed: node.member("isManaged").flag()?,
        trust_type: node.member("trustType").filled()?.map(|text| trust_type(&text)),
        operating_system: node.member("operatingSystem").filled()?,
        attributes: device_attributes(&node)?,
        owners: references(&owners)?,
    })
}

const DEVICE_ATTRIBUTES: &[&str] = &[
    "deviceOwnership",
    "enrollmentProfileName",
    "manufacturer",
    "mdmAppId",
    "model",
    "operatingSystemVersion",
    "physicalIds",
    "profileType",
    "systemLabels",
];

fn device_attributes(node: &Node<'_>) -> Result<BTreeMap<String, Vec<String>>, ReadError> {
    let extensions = node.member("extensionAttributes").object()?;
    let names = (1..=15).map(|number| format!("extensionAttribute{number}")).collect::<Vec<_>>();
    let extended = names.iter().map(|name| (name.as_str(), extensions.member(name)));
    let plain = DEVICE_ATTRIBUTES.iter().map(|name| (*name, node.member(name)));
    let mut attributes = BTreeMap::new();
    for (name, member) in plain.chain(extended) {
        let values: Vec<String> = match member.value() {
            Value::Array(_) => references(&member)?,
            _ => member.filled()?.into_iter().collect(),
        };
        if !values.is_empty() {
            attributes.insert(name.to_ascii_lowercase(), values);
        }
    }
    Ok(attributes)
}

/// A trust type in the filter language's words, from the directory's (`AzureAd`) or the log's ("Azure AD joined").
pub(super) fn trust_type(text: &str) -> String {
    let squeezed = text.to_ascii_lowercase().replace(' ', "");
    if squeezed.contains("hybrid") || squeezed == "serverad" {
        "ServerAD".to_owned()
    } else if squeezed.contains("registered") || squeezed == "workplace" {
        "Workplace".to_owned()
    } else if squeezed.contains("joined") || squeezed == "azuread" {
        "AzureAD".to_owned()
    } else {
        text.to_owned()
    }
}

/// Reads a `userRegistrationDetails`.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_registration(value: &Value) -> Result<Registration, ReadError> {
    let node = Node::root(value);
    Ok(Registration {
        user_id: node.member("id").required_id()?.into(),
        mfa_capable: node.member("isMfaCapable").flag()?.unwrap_or_default(),
        passwordless_capable: node.member("isPasswordlessCapable").flag()?.unwrap_or_default(),
        methods: node.member("methodsRegistered").strings()?.into_iter().map(Text::from).collect(),
    })
}

/// Reads a `riskyUser`: object id and level, if the user is at risk now.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_risky_user(value: &Value) -> Result<Option<(String, String)>, ReadError> {
    let node = Node::root(value);
    let state = node.member("riskState").string()?;
    let entry = (node.member("id").required_id()?, node.member("riskLevel").string()?.to_ascii_lowercase());
    let at_risk = ["", "atRisk", "confirmedCompromised"].iter().any(|known| known.eq_ignore_ascii_case(&state));
    Ok(at_risk.then_some(entry))
}

/// Reads a `subscribedSku`: units owned by service plan id.
///
/// # Errors
/// Names the place that isn't what the resource has there.
pub fn read_licences(value: &Value) -> Result<BTreeMap<String, u64>, ReadError> {
    let node = Node::root(value);
    let prepaid = node.member("prepaidUnits").object()?;
    let units = prepaid.member("enabled").number()?.and_then(|units| u64::try_from(units).ok()).unwrap_or_default();
    let plans = node.member("servicePlans");
    plans.items()?.iter().map(|plan| Ok((id(&plan.member("servicePlanId").required_id()?), units))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn guests_are_told_apart_by_where_they_sign_in() {
        let kind = |value| read_user(&value).unwrap().guest;
        let invited = json!({"id": "1", "userType": "Guest", "userPrincipalName": "a_b.com#EXT#@c.onmicrosoft.com"});
        assert_eq!(kind(invited), Some(GuestType::B2bCollaborationGuest));
        assert_eq!(kind(json!({"id": "1", "userType": "Guest"})), Some(GuestType::InternalGuest));
        let synced = json!({"id": "1", "userType": "Member", "identities": [{"issuer": "ExternalAzureAD"}]});
        assert_eq!(kind(synced), Some(GuestType::B2bCollaborationMember));
        assert_eq!(kind(json!({"id": "1", "userType": "Member"})), None);
    }

    #[test]
    fn a_group_of_which_a_page_of_members_was_kept_is_not_read_as_a_whole_one() {
        let page = json!({"id": "g", "members": [], "members@odata.nextLink": "https://graph.microsoft.com/next"});
        assert_eq!(read_group(&page).unwrap().members, None);
        assert_eq!(read_group(&json!({"id": "g", "members": []})).unwrap().members, Some(Vec::new()));
    }

    #[test]
    fn a_user_in_pascal_case_and_with_a_windows_powershell_date() {
        let user = read_user(&json!({
            "Id": "AAAAAAAA-0000-0000-0000-000000000001", "AccountEnabled": false, "UserPrincipalName": "svc-backup@x",
            "CreatedDateTime": "/Date(1700000000000)/", "ExternalUserState": null,
            "OnPremisesSyncEnabled": true, "PerUserMfaState": "Enforced",
            "SignInActivity": {"LastSignInDateTime": "2026-11-01T00:00:00Z",
                               "LastNonInteractiveSignInDateTime": "2026-11-02T00:00:00Z"}
        }))
        .unwrap();
        assert_eq!(user.id, "aaaaaaaa-0000-0000-0000-000000000001");
        assert!(!user.enabled && !user.pending && user.synced);
        assert_eq!(user.per_user_mfa, Some(true));
        assert_eq!(user.account, AccountKind::Service);
        assert_eq!(user.created.unwrap().to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(user.last_sign_in.unwrap().to_string(), "2026-11-02T00:00:00Z");
    }

    #[test]
    fn members_are_ids_or_objects() {
        let read =
            read_group(&json!({"id": "g", "members": ["u1", {"id": "u2"}], "membershipRuleProcessingState": "Paused"}));
        let read = read.unwrap();
        assert_eq!(read.members.unwrap(), ["u1", "u2"]);
        assert!(read.group.rule_paused);
        assert_eq!(read_group(&json!({"id": "g"})).unwrap().members, None);
    }

    #[test]
    fn an_eligible_assignment_is_known_by_its_word_or_its_resource() {
        let base = json!({"principalId": "p", "roleDefinitionId": "r", "directoryScopeId": "/administrativeUnits/x"});
        assert_eq!(read_role_assignment(&base).unwrap().assignment, Assignment::Active);
        assert_eq!(read_role_assignment(&base).unwrap().scope, "/administrativeUnits/x");
        let instance = json!({"@odata.type": "#microsoft.graph.unifiedRoleEligibilityScheduleInstance",
            "principalId": "p", "roleDefinitionId": "r"});
        assert_eq!(read_role_assignment(&instance).unwrap().assignment, Assignment::Eligible);
    }

    #[test]
    fn attributes_that_could_not_be_read_are_not_the_same_as_none_assigned() {
        let base = |attributes| json!({"id": "s", "appId": "a", "customSecurityAttributes": attributes});
        assert_eq!(read_service_principal(&base(json!(null))).unwrap().attributes, None);
        let read = read_service_principal(&base(json!({"CA": {"@odata.type": "x", "tier": ["low", "old"], "n": 3}})));
        assert_eq!(
            read.unwrap().attributes.unwrap(),
            BTreeMap::from([("CA_tier".into(), Tag::List(vec!["low".into(), "old".into()]))])
        );
    }

    #[test]
    fn a_device_keeps_what_filters_name() {
        let device = read_device(&json!({
            "deviceId": "d", "trustType": "ServerAd", "deviceOwnership": "Company", "physicalIds": ["[ZTDID]:1"],
            "extensionAttributes": {"extensionAttribute3": "kiosk", "extensionAttribute4": null}
        }))
        .unwrap();
        assert_eq!(device.trust_type.as_deref(), Some("ServerAD"));
        let names = device.attributes.keys().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(names, ["deviceownership", "extensionattribute3", "physicalids"]);
    }
}
