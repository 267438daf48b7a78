//! What an app may do: the permissions that its tokens carry, and those that each address needs.
//!
//! Everything is granted until `POST /demo/permissions` takes some away; tokens issued before keep what they carry, as in
//! Entra. Microsoft Graph's reference, permission tables (application column).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, Uri};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::state::{Demo, lock};

/// Beginning of the path below the version, and the permissions of which any one is enough; the first match counts.
const READS: &[(&str, &[&str])] = &[
    ("/identity/conditionalAccess/authenticationContextClassReferences", &["AuthenticationContext.Read.All"]),
    ("/identity/conditionalAccess/authenticationStrength", &["Policy.Read.All"]),
    ("/identity/conditionalAccess", &["Policy.Read.All", "Policy.Read.ConditionalAccess"]),
    ("/policies", &["Policy.Read.All"]),
    ("/groups", &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"]),
    ("/roleManagement/directory", &["RoleManagement.Read.Directory", "RoleManagement.Read.All"]),
    ("/servicePrincipals", &["Application.Read.All", "Directory.Read.All"]),
    ("/devices", &["Device.Read.All", "Directory.Read.All"]),
    ("/auditLogs", &["AuditLog.Read.All"]),
    ("/reports", &["AuditLog.Read.All"]),
    ("/identityProtection/riskyUsers", &["IdentityRiskyUser.Read.All"]),
    ("/deviceManagement", &["DeviceManagementConfiguration.Read.All"]),
    ("/subscribedSkus", &["LicenseAssignment.Read.All", "Organization.Read.All", "Directory.Read.All"]),
];
/// Members that need a permission of their own when they are selected.
const MEMBERS: &[(&str, &str)] =
    &[("signInActivity", "AuditLog.Read.All"), ("customSecurityAttributes", "CustomSecAttributeAssignment.Read.All")];
/// Members of groups whose membership is hidden; without it they are left out, not refused.
pub const HIDDEN: &str = "Member.Read.Hidden";
/// Creating, changing and deleting policies.
pub const WRITE: &str = "Policy.ReadWrite.ConditionalAccess";

/// Every permission that anything here asks for first.
#[must_use]
pub fn everything() -> BTreeSet<String> {
    let reads = READS.iter().filter_map(|(_, enough)| enough.first());
    let members = MEMBERS.iter().map(|(_, permission)| permission);
    let all = reads.chain(members).chain(&[WRITE, HIDDEN, "User.Read.All"]);
    all.map(|permission| (*permission).to_owned()).collect()
}

/// Whether these permissions suffice for this request; `uri` is below the version.
#[must_use]
pub fn suffice(granted: &BTreeSet<String>, method: &Method, uri: &Uri) -> bool {
    let has = |permission: &str| granted.contains(permission);
    let path = uri.path();
    if path.ends_with("/$batch") {
        // Each request in it is judged on its own.
        return true;
    }
    let evaluates = path.ends_with("/evaluate");
    if *method != Method::GET && !evaluates {
        return has(WRITE) && has("Policy.Read.All");
    }
    let selected = uri.query().unwrap_or_default();
    let members = MEMBERS.iter().all(|(member, permission)| !selected.contains(member) || has(permission));
    let enough: &[&str] = match path {
        // The groups of a person are memberships, not data of the person.
        _ if path.starts_with("/users/") && path.ends_with("emberOf") => &["GroupMember.Read.All"],
        _ if path.starts_with("/users") => &["User.Read.All", "Directory.Read.All"],
        _ => READS.iter().find(|(start, _)| path.starts_with(start)).map(|(_, enough)| *enough).unwrap_or_default(),
    };
    members && (enough.is_empty() || enough.iter().any(|permission| has(permission)))
}

/// What is granted, or taken away from everything.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Change {
    granted: Option<BTreeSet<String>>,
    missing: BTreeSet<String>,
}

/// Route of the setting.
pub fn routes() -> Router<Arc<Demo>> {
    Router::new().route("/demo/permissions", get(read).post(set))
}

async fn read(State(demo): State<Arc<Demo>>) -> Json<BTreeSet<String>> {
    Json(lock(&demo.tokens.granted).clone())
}

async fn set(State(demo): State<Arc<Demo>>, Json(change): Json<Change>) -> Json<BTreeSet<String>> {
    let granted = change.granted.unwrap_or_else(everything);
    let left: BTreeSet<String> = granted.difference(&change.missing).cloned().collect();
    lock(&demo.tokens.granted).clone_from(&left);
    Json(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(missing: &str, method: &Method, uri: &str) -> bool {
        let mut granted = everything();
        granted.remove(missing);
        suffice(&granted, method, &uri.parse().unwrap())
    }

    #[test]
    fn each_address_needs_its_own() {
        let policies = "/identity/conditionalAccess/policies";
        assert!(allows("", &Method::GET, policies) && !allows("Policy.Read.All", &Method::GET, policies));
        assert!(!allows(WRITE, &Method::POST, policies));
        assert!(allows(WRITE, &Method::POST, "/identity/conditionalAccess/evaluate"));
        assert!(!allows("GroupMember.Read.All", &Method::GET, "/users/x/transitiveMemberOf"));
        assert!(allows("GroupMember.Read.All", &Method::GET, "/users?$top=1"));
        let attributes = "/servicePrincipals?$select=id,customSecurityAttributes";
        assert!(!allows("CustomSecAttributeAssignment.Read.All", &Method::GET, attributes));
    }
}
