//! The permissions that the program uses, each with a harmless request that shows whether it is there.
//!
//! Permissions of the reference that nothing here reads with (risk detections, Intune's devices, names by id) are left
//! out on purpose: what isn't used must not be granted.

use std::collections::BTreeMap;

use super::client::{Ask, Client};
use super::endpoints::LICENCES;
use super::error::GraphError;
pub use super::log_analytics::{LogTable, TABLES, WORKSPACE_ROLE};
use super::pacing::Limit;
use super::pages::Watch;
use super::read::Quiet;
use crate::tenant::Kind;
use crate::tenant::read::read_licences;

/// Something that is read, and what it takes.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// What is read, as people call it.
    pub what: &'static str,
    /// Without it: what can't be said.
    pub without: &'static str,
    /// The request, and its permission.
    pub ask: Ask<'static>,
    /// Whether answers are merely less sharp without it.
    pub is_optional: bool,
}

const fn need(what: &'static str, without: &'static str, ask: Ask<'static>) -> Need {
    Need { what, without, ask, is_optional: false }
}

const fn useful(what: &'static str, without: &'static str, ask: Ask<'static>) -> Need {
    Need { what, without, ask, is_optional: true }
}

const fn ask(path: &'static str, limit: Limit, permission: &'static str) -> Ask<'static> {
    Ask { path, limit, units: 1, permission }
}

const CONDITIONAL_ACCESS: Limit = Limit::ConditionalAccess;
const DIRECTORY: Limit = Limit::Directory;
const REPORTS: Limit = Limit::Reports;

/// Everything that is read, one line a permission and kind.
pub static NEEDS: &[Need] = &[
    need(
        "Policies",
        "anything at all",
        ask("v1.0/identity/conditionalAccess/policies?$top=1", CONDITIONAL_ACCESS, "Policy.Read.All"),
    ),
    need(
        "Named locations",
        "which places policies mean",
        ask("v1.0/identity/conditionalAccess/namedLocations?$top=1", CONDITIONAL_ACCESS, "Policy.Read.All"),
    ),
    need(
        "Authentication strengths",
        "whether a strength is phishing-resistant",
        ask("v1.0/policies/authenticationStrengthPolicies", DIRECTORY, "Policy.Read.All"),
    ),
    need(
        "Security defaults",
        "whether security defaults stand in for policies",
        ask("v1.0/policies/identitySecurityDefaultsEnforcementPolicy", DIRECTORY, "Policy.Read.All"),
    ),
    useful(
        "Cross-tenant access settings",
        "whether MFA and devices of partners count here",
        ask("v1.0/policies/crossTenantAccessPolicy/default", DIRECTORY, "Policy.Read.All"),
    ),
    useful(
        "Intune's compliance settings",
        "whether a device without a compliance policy counts as compliant",
        ask("v1.0/deviceManagement?$select=settings", DIRECTORY, "DeviceManagementConfiguration.Read.All"),
    ),
    useful(
        "Authentication contexts",
        "whether a policy's authentication context is published",
        ask(
            "v1.0/identity/conditionalAccess/authenticationContextClassReferences",
            CONDITIONAL_ACCESS,
            "AuthenticationContext.Read.All",
        ),
    ),
    need(
        "Users",
        "who is not covered, and how many",
        ask("v1.0/users?$select=id,userType,accountEnabled&$top=1", DIRECTORY, "User.Read.All"),
    ),
    need(
        "Groups and their members",
        "who is excluded through a group",
        ask("v1.0/groups?$select=id&$top=1", DIRECTORY, "GroupMember.Read.All"),
    ),
    need(
        "Role definitions",
        "what roles are called",
        ask("v1.0/roleManagement/directory/roleDefinitions?$select=id", DIRECTORY, "RoleManagement.Read.Directory"),
    ),
    need(
        "Role assignments",
        "who is an administrator",
        ask("v1.0/roleManagement/directory/roleAssignments", DIRECTORY, "RoleManagement.Read.Directory"),
    ),
    need(
        "Applications",
        "which apps there are and what they are called",
        ask("v1.0/servicePrincipals?$select=id&$top=1", DIRECTORY, "Application.Read.All"),
    ),
    useful(
        "Security attributes of applications",
        "which apps a policy's filter for apps means",
        ask(
            "v1.0/servicePrincipals?$select=id,customSecurityAttributes&$top=1",
            DIRECTORY,
            "CustomSecAttributeAssignment.Read.All",
        ),
    ),
    need(
        "Devices",
        "who would pass a device requirement",
        ask("v1.0/devices?$select=id&$top=1", DIRECTORY, "Device.Read.All"),
    ),
    need(
        "Sign-in log",
        "what happened, and the impact of a change",
        ask("v1.0/auditLogs/signIns?$top=1", REPORTS, "AuditLog.Read.All"),
    ),
    useful(
        "Non-interactive sign-ins",
        "what apps did in people's names, which is most of what is signed in",
        ask(
            "beta/auditLogs/signIns?$filter=signInEventTypes/any(t: t eq 'nonInteractiveUser')&$top=1",
            REPORTS,
            "AuditLog.Read.All",
        ),
    ),
    need("Audit log", "who changed what", ask("v1.0/auditLogs/directoryAudits?$top=1", REPORTS, "AuditLog.Read.All")),
    need(
        "Registered methods",
        "who can do MFA already",
        ask("v1.0/reports/authenticationMethods/userRegistrationDetails?$top=1", REPORTS, "AuditLog.Read.All"),
    ),
    useful(
        "Users at risk",
        "whom a risk policy would meet now",
        ask("v1.0/identityProtection/riskyUsers?$top=1", CONDITIONAL_ACCESS, "IdentityRiskyUser.Read.All"),
    ),
    need("Licences", "what the tenant may use", ask("v1.0/subscribedSkus", DIRECTORY, "LicenseAssignment.Read.All")),
];

impl Client {
    /// Whether something can be read: the answer is thrown away.
    ///
    /// # Errors
    /// What kept it from being read.
    pub async fn try_need(&self, need: &Need) -> Result<(), GraphError> {
        self.get(need.ask).await.map(|_| ())
    }

    /// The tables of the workspace that hold no sign-in of the days that are read; none where no workspace is configured.
    pub async fn try_workspace(&self) -> Option<Result<Vec<LogTable>, GraphError>> {
        Some(self.workspace()?.empty_tables(self.log_window()).await)
    }

    /// The service plans that the tenant owns, and how many units of each.
    ///
    /// # Errors
    /// What kept them from being read.
    pub async fn service_plans(&self) -> Result<BTreeMap<String, u64>, GraphError> {
        let watch = Watch { kind: Kind::SubscribedSkus, progress: &Quiet };
        let mut plans = BTreeMap::new();
        for ask in LICENCES {
            plans.extend(self.collect(*ask, watch, read_licences).await?.into_iter().flatten());
        }
        Ok(plans)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::endpoints::{
        ACTIVE_ROLES, CONTEXTS, CROSS_TENANT_DEFAULT, DEVICE_MANAGEMENT, DEVICES, ELIGIBLE_ROLES, GROUPS, LICENCES,
        LOGS_PERMISSION, MEMBERS_PERMISSION, NAMED_LOCATIONS, POLICIES, REGISTRATIONS, RISKY_USERS, ROLES,
        SECURITY_DEFAULTS, SERVICE_PRINCIPALS, STRENGTHS, USERS,
    };
    use super::*;

    #[test]
    fn every_permission_that_a_reading_uses_is_tried_and_no_other() {
        let lists = [
            NAMED_LOCATIONS,
            CONTEXTS,
            STRENGTHS,
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
            &[POLICIES, SECURITY_DEFAULTS, CROSS_TENANT_DEFAULT, DEVICE_MANAGEMENT],
        ];
        let read = lists.into_iter().flatten().map(|ask| ask.permission).chain([LOGS_PERMISSION, MEMBERS_PERMISSION]);
        let read: BTreeSet<&str> = read.chain(["CustomSecAttributeAssignment.Read.All"]).collect();
        let tried: BTreeSet<&str> = NEEDS.iter().map(|need| need.ask.permission).collect();
        assert_eq!(read, tried);
    }
}
