//! What is read from Graph, under which limit, and the least permission for each.
//!
//! Permissions from Microsoft Graph's reference, application column. Several addresses for one thing are ways to read
//! it, best first; the next is taken when Graph refuses one.

use super::client::Ask;
use super::pacing::Limit;

const fn conditional_access(path: &'static str, permission: &'static str) -> Ask<'static> {
    Ask { path, limit: Limit::ConditionalAccess, units: 1, permission }
}

/// A collection of the directory: two resource units, one of which `$select` saves (Microsoft Learn, "Microsoft Graph
/// service-specific throttling limits"); two are booked, because not every collection is in that table.
const fn directory(path: &'static str, permission: &'static str) -> Ask<'static> {
    Ask { path, limit: Limit::Directory, units: 2, permission }
}

/// Members of a group: three units, one less with `$select`.
pub const MEMBERS_UNITS: u32 = 2;
/// The address of who owns a group, ids only; asked with [`MEMBERS_UNITS`] and [`MEMBERS_PERMISSION`].
#[must_use]
pub fn owners_path(group: &str) -> String {
    format!("v1.0/groups/{group}/owners?$select=id&$top=999")
}

/// The address of who is directly in a group, ids only; asked in the same way.
#[must_use]
pub fn members_path(group: &str) -> String {
    format!("v1.0/groups/{group}/members?$select=id&$top=999")
}

/// The address of everything in a group, through others too, ids only.
#[must_use]
pub fn members_below_path(group: &str) -> String {
    format!("v1.0/groups/{group}/transitiveMembers?$select=id&$top=999")
}

/// The address of everything that a person is in.
#[must_use]
pub fn memberships_path(user: &str) -> String {
    format!("v1.0/users/{user}/transitiveMemberOf?$top=999")
}

/// One object: one unit.
pub const OBJECT_UNITS: u32 = 1;

/// Policies; also where they are created.
pub const POLICIES: Ask<'static> = conditional_access("v1.0/identity/conditionalAccess/policies", "Policy.Read.All");

/// Named locations.
pub const NAMED_LOCATIONS: &[Ask<'static>] =
    &[conditional_access("v1.0/identity/conditionalAccess/namedLocations", "Policy.Read.All")];

/// Authentication contexts; this resource rejects `$select`.
pub const CONTEXTS: &[Ask<'static>] = &[conditional_access(
    "v1.0/identity/conditionalAccess/authenticationContextClassReferences",
    "AuthenticationContext.Read.All",
)];

/// Authentication strengths.
pub const STRENGTHS: &[Ask<'static>] = &[directory("v1.0/policies/authenticationStrengthPolicies", "Policy.Read.All")];

/// Security defaults, one object.
pub const SECURITY_DEFAULTS: Ask<'static> =
    directory("v1.0/policies/identitySecurityDefaultsEnforcementPolicy", "Policy.Read.All");

/// What is trusted of organisations that have no settings of their own, one object.
pub const CROSS_TENANT_DEFAULT: Ask<'static> =
    directory("v1.0/policies/crossTenantAccessPolicy/default", "Policy.Read.All");

/// Settings for single organisations.
pub const PARTNERS: Ask<'static> = directory("v1.0/policies/crossTenantAccessPolicy/partners", "Policy.Read.All");

/// Terms of use; Graph gives them to signed-in people only, so an app's own sign-in is refused.
pub const TERMS_OF_USE: &[Ask<'static>] =
    &[directory("v1.0/identityGovernance/termsOfUse/agreements?$select=id,displayName", "Agreement.Read.All")];

/// Intune's settings for the whole tenant, one object.
pub const DEVICE_MANAGEMENT: Ask<'static> =
    directory("v1.0/deviceManagement?$select=settings", "DeviceManagementConfiguration.Read.All");

/// Users at risk.
pub const RISKY_USERS: &[Ask<'static>] = &[conditional_access(
    "v1.0/identityProtection/riskyUsers?$select=id,riskLevel,riskState&$top=500",
    "IdentityRiskyUser.Read.All",
)];

/// Users; `signInActivity` needs a licence and one more permission, and allows pages of 500 only.
pub const USERS: &[Ask<'static>] = &[
    directory(
        "v1.0/users?$select=id,displayName,userPrincipalName,accountEnabled,userType,creationType,externalUserState,identities,department,employeeType,createdDateTime,onPremisesSyncEnabled,signInActivity&$top=500",
        "User.Read.All",
    ),
    directory(
        "v1.0/users?$select=id,displayName,userPrincipalName,accountEnabled,userType,creationType,externalUserState,identities,department,employeeType,createdDateTime,onPremisesSyncEnabled&$top=999",
        "User.Read.All",
    ),
];

/// The first mark for changes of users: nothing but a link.
pub const LATEST_USERS: Ask<'static> = directory(
    "v1.0/users/delta?$select=displayName,userPrincipalName,accountEnabled,userType,creationType,externalUserState,identities,department,employeeType,createdDateTime,onPremisesSyncEnabled&$deltatoken=latest",
    "User.Read.All",
);

/// The first mark for changes of groups and their members.
pub const LATEST_GROUPS: Ask<'static> = directory(
    "v1.0/groups/delta?$select=displayName,membershipRule,membershipRuleProcessingState,isAssignableToRole,visibility,members&$deltatoken=latest",
    "GroupMember.Read.All",
);

/// The first mark for changes of service principals.
pub const LATEST_SERVICE_PRINCIPALS: Ask<'static> = directory(
    "v1.0/servicePrincipals/delta?$select=appId,displayName,servicePrincipalType,signInAudience,accountEnabled,createdDateTime,tags&$deltatoken=latest",
    "Application.Read.All",
);

/// All groups, without members; whether their management is restricted isn't told everywhere.
pub const GROUPS: &[Ask<'static>] = &[
    directory(
        "v1.0/groups?$select=id,displayName,membershipRule,membershipRuleProcessingState,isAssignableToRole,visibility,isManagementRestricted&$top=999",
        "GroupMember.Read.All",
    ),
    directory(
        "v1.0/groups?$select=id,displayName,membershipRule,membershipRuleProcessingState,isAssignableToRole,visibility&$top=999",
        "GroupMember.Read.All",
    ),
];

/// Active role assignments: with Privileged Identity Management those in force now, otherwise all.
pub const ACTIVE_ROLES: &[Ask<'static>] = &[
    directory("v1.0/roleManagement/directory/roleAssignmentScheduleInstances", "RoleManagement.Read.Directory"),
    directory("v1.0/roleManagement/directory/roleAssignments", "RoleManagement.Read.Directory"),
];

/// Eligible role assignments; a tenant without the licence for them has none.
pub const ELIGIBLE_ROLES: &[Ask<'static>] =
    &[directory("v1.0/roleManagement/directory/roleEligibilityScheduleInstances", "RoleManagement.Read.Directory")];

/// Role definitions; only the beta tells which are privileged.
pub const ROLES: &[Ask<'static>] = &[
    directory(
        "beta/roleManagement/directory/roleDefinitions?$select=id,templateId,displayName,isBuiltIn,isPrivileged",
        "RoleManagement.Read.Directory",
    ),
    directory(
        "v1.0/roleManagement/directory/roleDefinitions?$select=id,templateId,displayName,isBuiltIn",
        "RoleManagement.Read.Directory",
    ),
];

/// Service principals; custom security attributes need a permission of their own.
pub const SERVICE_PRINCIPALS: &[Ask<'static>] = &[
    directory(
        "v1.0/servicePrincipals?$select=id,appId,displayName,servicePrincipalType,signInAudience,accountEnabled,createdDateTime,tags,customSecurityAttributes&$top=999",
        "Application.Read.All",
    ),
    directory(
        "v1.0/servicePrincipals?$select=id,appId,displayName,servicePrincipalType,signInAudience,accountEnabled,createdDateTime,tags&$top=999",
        "Application.Read.All",
    ),
];

/// Devices, with what filters may name and, where Graph gives them along, their owners.
pub const DEVICES: &[Ask<'static>] = &[
    directory(
        "v1.0/devices?$select=id,deviceId,displayName,isCompliant,isManaged,trustType,operatingSystem,operatingSystemVersion,deviceOwnership,enrollmentProfileName,manufacturer,mdmAppId,model,physicalIds,profileType,systemLabels,extensionAttributes&$expand=registeredOwners($select=id)&$top=999",
        "Device.Read.All",
    ),
    directory(
        "v1.0/devices?$select=id,deviceId,displayName,isCompliant,isManaged,trustType,operatingSystem,operatingSystemVersion,deviceOwnership,enrollmentProfileName,manufacturer,mdmAppId,model,physicalIds,profileType,systemLabels,extensionAttributes&$top=999",
        "Device.Read.All",
    ),
];

/// Licences.
pub const LICENCES: &[Ask<'static>] = &[directory("v1.0/subscribedSkus", "LicenseAssignment.Read.All")];

/// Registered authentication methods.
pub const REGISTRATIONS: &[Ask<'static>] = &[Ask {
    path: "v1.0/reports/authenticationMethods/userRegistrationDetails?$top=999",
    limit: Limit::Reports,
    units: 1,
    permission: "AuditLog.Read.All",
}];

/// Permission for both logs.
pub const LOGS_PERMISSION: &str = "AuditLog.Read.All";
/// Permission for members of groups and for the groups of a person.
pub const MEMBERS_PERMISSION: &str = "GroupMember.Read.All";
/// Permission for members of groups whose membership is hidden. Without it Graph gives an empty list and says nothing.
pub const HIDDEN_PERMISSION: &str = "Member.Read.Hidden";
/// Permission for creating and deleting policies; Graph wants that for reading them along.
pub const WRITE_PERMISSION: &str = "Policy.ReadWrite.ConditionalAccess";
/// Both of them, as an administrator grants them.
pub const WRITE_PERMISSIONS: &str = "Policy.ReadWrite.ConditionalAccess and Policy.Read.All";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::read::{audits_since, sign_ins_since};
    use super::*;

    const TABLE: &str = include_str!("../../docs/operations.md");

    /// Method and address without version and query, and permission, as the table has them.
    fn row(method: &str, path: &str, permission: &str) -> String {
        let path = path.split('?').next().unwrap().split_once('/').unwrap().1;
        format!("`{method} /{path}` | {permission}")
    }

    fn asked() -> BTreeSet<String> {
        let lists = [
            NAMED_LOCATIONS,
            CONTEXTS,
            STRENGTHS,
            TERMS_OF_USE,
            RISKY_USERS,
            USERS,
            GROUPS,
            ACTIVE_ROLES,
            ELIGIBLE_ROLES,
            ROLES,
            SERVICE_PRINCIPALS,
            DEVICES,
            LICENCES,
            REGISTRATIONS,
            &[POLICIES, SECURITY_DEFAULTS, CROSS_TENANT_DEFAULT, PARTNERS, DEVICE_MANAGEMENT],
            &[LATEST_USERS, LATEST_GROUPS, LATEST_SERVICE_PRINCIPALS],
        ];
        let fixed = lists.into_iter().flatten().map(|ask| row("GET", ask.path, ask.permission));
        let of_groups = [members_path, owners_path, members_below_path, memberships_path];
        let members = of_groups.map(|path| path("{id}"));
        let logs =
            sign_ins_since(jiff::Timestamp::UNIX_EPOCH).into_iter().chain([audits_since(jiff::Timestamp::UNIX_EPOCH)]);
        let policy = format!("{}/{{id}}", POLICIES.path);
        fixed
            .chain(members.iter().map(|path| row("GET", path, MEMBERS_PERMISSION)))
            .chain(logs.map(|path| row("GET", &path, LOGS_PERMISSION)))
            .chain([row("POST", POLICIES.path, WRITE_PERMISSIONS), row("DELETE", &policy, WRITE_PERMISSIONS)])
            .collect()
    }

    #[test]
    fn the_manual_lists_every_address_with_its_permission_and_no_other() {
        let (_, table) = TABLE.split_once("| address | permission |").unwrap();
        let told: BTreeSet<String> = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.trim_start_matches("| ").rsplit_once(" | ").unwrap().0.to_owned())
            .collect();
        assert_eq!(told, asked());
    }
}
