//! Who signs in, and whether a policy means them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Case;
use super::read::{flags, holds, list, text};

/// Who signs in, with what the directory says of them at that moment.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// Object id of the user, or of the service principal.
    pub id: String,
    /// Ids of all groups, nesting counted.
    pub groups: BTreeSet<String>,
    /// Template ids of the built-in roles held now, for the whole tenant.
    pub roles: BTreeSet<String>,
    /// Kind of external user, as policies name it.
    pub guest: Option<String>,
    /// Home tenant of an external user, where known.
    pub home: Option<String>,
    /// The service principal, when no user signs in.
    pub service_principal: Option<Value>,
    /// An agent signs in by itself.
    pub agent: bool,
    /// The user account of an agent signs in.
    pub agent_user: bool,
}

impl Subject {
    /// The subject of a case: groups and roles from its `tenant`.
    #[must_use]
    pub fn of_case(tenant: &Value, sign_in: &Value) -> Self {
        let identity = sign_in.get("signInIdentity").unwrap_or(&Value::Null);
        if let Some(id) = text(identity, "agentServicePrincipalId") {
            return Self { id: id.into(), agent: true, ..Self::default() };
        }
        if let Some(id) = text(identity, "servicePrincipalId") {
            let unknown = || serde_json::json!({ "id": id });
            let found = rows(tenant, "servicePrincipals").iter().find(|row| text(row, "id") == Some(id));
            return Self {
                id: id.into(),
                service_principal: Some(found.cloned().unwrap_or_else(unknown)),
                ..Self::default()
            };
        }
        let id = text(identity, "userId").unwrap_or_default();
        let groups = groups_of(tenant, id);
        Self {
            roles: roles_of(tenant, id, &groups),
            groups,
            guest: text(identity, "externalUserType").filter(|kind| *kind != "none").map(str::to_owned),
            home: text(identity, "externalTenantId").map(str::to_owned),
            agent_user: sign_in.pointer("/extra/agentUser").and_then(Value::as_bool).unwrap_or(false),
            id: id.into(),
            ..Self::default()
        }
    }
}

fn rows<'a>(tenant: &'a Value, key: &str) -> &'a [Value] {
    tenant.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Groups of `id`, then groups of those groups, until no more are found.
fn groups_of(tenant: &Value, id: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![id.to_owned()];
    while let Some(member) = open.pop() {
        for group in rows(tenant, "groups").iter().filter(|group| list(group, "members").contains(&member.as_str())) {
            if let Some(group) = text(group, "id").filter(|group| !found.contains(*group)) {
                found.insert(group.to_owned());
                open.push(group.to_owned());
            }
        }
    }
    found
}

/// Built-in roles held now, for the whole tenant, directly or through a group.
fn roles_of(tenant: &Value, id: &str, groups: &BTreeSet<String>) -> BTreeSet<String> {
    let custom: BTreeSet<&str> =
        rows(tenant, "customRoles").iter().filter_map(|role| role.as_str().or_else(|| text(role, "id"))).collect();
    let counts = |row: &&Value| {
        let principal = text(row, "principalId").unwrap_or_default();
        (principal == id || groups.contains(principal))
            && text(row, "directoryScopeId").is_none_or(|scope| scope == "/")
            && text(row, "appScopeId").is_none_or(|scope| scope == "/")
            && text(row, "assignment").is_none_or(|kind| kind == "active")
    };
    let held = rows(tenant, "roleAssignments").iter().filter(counts).filter_map(|row| text(row, "roleDefinitionId"));
    held.filter(|role| !custom.contains(role)).map(str::to_owned).collect()
}

/// The reason why these conditions do not mean the subject.
#[must_use]
pub fn unmet(conditions: &Value, case: Case<'_>) -> Option<&'static str> {
    match &case.subject.service_principal {
        None if case.subject.agent => (!means_agent(conditions, &case.subject.id)).then_some("agentIdentities"),
        None if case.subject.agent_user => (!means_agent_user(conditions, case)).then_some("users"),
        Some(principal) => (!means_workload(conditions, principal)).then_some("workloadIdentities"),
        None => (!means_user(conditions.get("users").unwrap_or(&Value::Null), case)).then_some("users"),
    }
}

/// An agent identity, by id or among all of them.
fn means_agent(conditions: &Value, id: &str) -> bool {
    let Some(condition) = conditions.get("clientApplications") else { return false };
    let included = list(condition, "includeAgentIdServicePrincipals");
    (included.contains(&"All") || holds(&included, id))
        && !holds(&list(condition, "excludeAgentIdServicePrincipals"), id)
}

/// The user account of an agent: a policy has to mean agents, all users are people.
fn means_agent_user(conditions: &Value, case: Case<'_>) -> bool {
    let hit = |side: &str| {
        let keyword = conditions
            .get("users")
            .is_some_and(|users| holds(&list(users, &format!("{side}Users")), "AllAgentIdUsers"));
        let agents =
            conditions.get("agents").map(|agents| list(agents, &format!("{side}AgentUsers"))).unwrap_or_default();
        keyword || agents.contains(&"All") || holds(&agents, &case.subject.id)
    };
    hit("include") && !hit("exclude")
}

fn means_user(users: &Value, case: Case<'_>) -> bool {
    side(users, case, "include") && !side(users, case, "exclude")
}

/// Whether any kind of one side (`include` or `exclude`) hits the subject.
fn side(users: &Value, case: Case<'_>, side: &str) -> bool {
    let subject = case.subject;
    let named = list(users, &format!("{side}Users"));
    let by_id = named.iter().any(|word| match word.to_lowercase().as_str() {
        "all" => true,
        "guestsorexternalusers" => subject.guest.is_some(),
        id => id == subject.id.to_lowercase(),
    });
    let by_group = list(users, &format!("{side}Groups")).iter().any(|id| subject.groups.contains(*id));
    let by_role = list(users, &format!("{side}Roles")).iter().any(|id| subject.roles.contains(*id));
    by_id || by_group || by_role || guest_side(users.get(format!("{side}GuestsOrExternalUsers")), case)
}

fn guest_side(condition: Option<&Value>, case: Case<'_>) -> bool {
    let (Some(condition), Some(kind)) = (condition, &case.subject.guest) else { return false };
    let types = flags(condition, "guestOrExternalUserTypes");
    let direct = case.sign_in.pointer("/extra/eligibleForB2bDirectConnect").and_then(Value::as_bool).unwrap_or(false);
    let collaborates = kind.starts_with("b2bCollaboration");
    let meant = holds(&types, kind) || (direct && collaborates && holds(&types, "b2bDirectConnectUser"));
    meant && (kind == "internalGuest" || tenant_meant(condition, case.subject.home.as_deref()))
}

fn tenant_meant(condition: &Value, home: Option<&str>) -> bool {
    match condition.get("externalTenants").filter(|tenants| text(tenants, "membershipKind") == Some("enumerated")) {
        None => true,
        Some(tenants) => home.is_some_and(|home| holds(&list(tenants, "members"), home)),
    }
}

fn means_workload(conditions: &Value, principal: &Value) -> bool {
    let Some(condition) = conditions.get("clientApplications").filter(|condition| !condition.is_null()) else {
        return false;
    };
    let id = text(principal, "id").unwrap_or_default();
    let included = list(condition, "includeServicePrincipals");
    let filter = condition.get("servicePrincipalFilter").filter(|filter| !filter.is_null());
    let tagged = |mode: &str| {
        let filter = filter.filter(|filter| text(filter, "mode") == Some(mode));
        filter.is_some_and(|filter| super::device::tag_rule(text(filter, "rule").unwrap_or_default(), principal))
    };
    let meant = included.contains(&"ServicePrincipalsInMyTenant") || included.contains(&id) || tagged("include");
    own_application(principal)
        && meant
        && !tagged("exclude")
        && !list(condition, "excludeServicePrincipals").contains(&id)
}

/// Only applications registered in this tenant alone are reached; managed identities and others' apps are not.
fn own_application(principal: &Value) -> bool {
    let stated = principal.get("singleTenant").and_then(Value::as_bool);
    let single = stated.unwrap_or_else(|| text(principal, "signInAudience") == Some("AzureADMyOrg"));
    single && text(principal, "servicePrincipalType").is_none_or(|kind| kind == "Application")
}
