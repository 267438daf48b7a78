//! The properties that v1.0 knows of each type, and what Graph says of a name that is none of them.
//!
//! From Graph's own metadata, by way of its official client library; `createdDateTime` of a service principal and
//! `extensionAttributes` of a device are not in it and are told all the same.

use serde_json::{Value, json};

use super::error::GraphError;
use super::filter::Filter;

/// A type of objects.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// Its name, without the namespace.
    name: &'static str,
    /// It may have properties that somebody added (extensions of directory objects).
    open: bool,
    properties: &'static str,
}

/// Where a name was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Select,
    Filter,
}

impl Type {
    /// The type of what an address answers with; none where that isn't known. `path` is below the version.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        let path = path.trim_end_matches("()").trim_end_matches("/delta").trim_end_matches("/$count");
        let cast = path.ends_with("/microsoft.graph.user");
        let mut below = path.rsplitn(2, '/');
        let object = below.next().zip(below.next()).map(|(_, collection)| collection);
        let of = |path: &str| TYPES.iter().find(|(known, _)| *known == path).map(|(_, found)| *found);
        if cast { Some(USER) } else { of(path).or_else(|| object.and_then(of)) }
    }

    /// Refuses properties that are none of this type's.
    pub fn check(self, selected: &str, filter: &Filter) -> Result<(), GraphError> {
        let selected = selected.split(',').map(|name| (Place::Select, name.trim()));
        let filtered = filter.properties().into_iter().map(|name| (Place::Filter, name));
        match selected.chain(filtered).find(|(_, name)| !self.knows(name)) {
            Some((place, name)) => Err(self.unknown(name, place)),
            None => Ok(()),
        }
    }

    /// Without members that are none of this type's; where somebody may have added some, all stay.
    pub fn prune(self, row: &mut Value) {
        if let Some(row) = row.as_object_mut().filter(|_| !self.open) {
            row.retain(|name, _| name.contains('@') || self.knows(name));
        }
    }

    /// What Graph tells of a property of this type that has no value: null, or an empty list. None where it tells nothing.
    #[must_use]
    pub fn empty(self, name: &str) -> Option<Value> {
        let (_, values, lists) = EMPTY.iter().find(|(of, ..)| *of == self.name)?;
        let holds = |names: &str| names.split(' ').any(|known| known == name);
        if holds(lists) { Some(json!([])) } else { holds(values).then_some(Value::Null) }
    }

    /// What v1.0 tells where nothing is selected; none where that is everything. Source: Microsoft Graph's reference, "List
    /// users".
    #[must_use]
    pub fn by_default(self) -> Option<&'static str> {
        (self.name == USER.name).then_some(
            "businessPhones displayName givenName id jobTitle mail mobilePhone officeLocation preferredLanguage surname \
            userPrincipalName",
        )
    }

    /// Its name as the directory calls it in errors, such as `ServicePrincipal`.
    #[must_use]
    pub fn class(self) -> String {
        let mut letters = self.name.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
    }

    fn knows(self, name: &str) -> bool {
        // Extensions have names like `extension_{app}_{name}` and `{schema}_{name}`.
        let extension = self.open && name.contains('_');
        name.is_empty() || name == "*" || extension || self.properties.split(' ').any(|known| known == name)
    }

    fn unknown(self, name: &str, place: Place) -> GraphError {
        if self.open {
            let message = format!("Property '{name}' does not exist as a declared property or extension property.");
            return GraphError::unsupported_query(message);
        }
        let failed = match place {
            Place::Select => "Parsing OData Select and Expand failed",
            Place::Filter => "Invalid filter clause",
        };
        let of = self.name;
        GraphError::bad_request(format!(
            "{failed}: Could not find a property named '{name}' on type 'microsoft.graph.{of}'."
        ))
    }
}

/// Properties that nobody has filled in this tenant: of each type the values, then the lists.
const EMPTY: &[(&str, &str, &str)] = &[
    (
        "user",
        "ageGroup city companyName consentProvidedForMinor country deletedDateTime employeeHireDate employeeId \
        employeeLeaveDateTime employeeOrgData employeeType faxNumber legalAgeGroupClassification mobilePhone \
        onPremisesDistinguishedName onPremisesDomainName onPremisesImmutableId onPremisesLastSyncDateTime \
        onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesUserPrincipalName passwordPolicies postalCode \
        preferredDataLocation preferredLanguage showInAddressList state streetAddress",
        "assignedLicenses assignedPlans businessPhones imAddresses onPremisesProvisioningErrors otherMails \
        provisionedPlans proxyAddresses serviceProvisioningErrors",
    ),
    (
        "group",
        "classification deletedDateTime expirationDateTime mail onPremisesDomainName onPremisesLastSyncDateTime \
        onPremisesNetBiosName onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled \
        preferredDataLocation preferredLanguage theme uniqueName",
        "assignedLabels onPremisesProvisioningErrors proxyAddresses resourceBehaviorOptions \
        resourceProvisioningOptions serviceProvisioningErrors",
    ),
    (
        "servicePrincipal",
        "appDescription applicationTemplateId deletedDateTime description disabledByMicrosoftStatus homepage loginUrl \
        logoutUrl notes preferredSingleSignOnMode preferredTokenSigningKeyThumbprint samlSingleSignOnSettings \
        tokenEncryptionKeyId",
        "addIns alternativeNames appRoles keyCredentials notificationEmailAddresses oauth2PermissionScopes \
        passwordCredentials replyUrls",
    ),
    (
        "device",
        "deletedDateTime deviceCategory deviceMetadata deviceVersion isRooted managementType onPremisesLastSyncDateTime \
        onPremisesSecurityIdentifier onPremisesSyncEnabled registrationDateTime",
        "alternativeSecurityIds",
    ),
    (
        "conditionalAccessPolicy",
        "createdDateTime deletedDateTime description grantControls modifiedDateTime sessionControls templateId",
        "",
    ),
];

const TYPES: &[(&str, Type)] = &[
    ("/users", USER),
    ("/groups", GROUP),
    ("/servicePrincipals", SERVICE_PRINCIPAL),
    ("/devices", DEVICE),
    ("/identity/conditionalAccess/policies", POLICY),
    ("/auditLogs/signIns", SIGN_IN),
    ("/auditLogs/directoryAudits", AUDIT),
    ("/roleManagement/directory/roleDefinitions", ROLE_DEFINITION),
    ("/roleManagement/directory/roleAssignments", ROLE_ASSIGNMENT),
    ("/roleManagement/directory/roleAssignmentScheduleInstances", ROLE_INSTANCE),
    ("/roleManagement/directory/roleEligibilityScheduleInstances", ROLE_ELIGIBILITY),
    ("/reports/authenticationMethods/userRegistrationDetails", REGISTRATION),
    ("/identityProtection/riskyUsers", RISKY_USER),
    ("/subscribedSkus", SKU),
    ("/policies/authenticationStrengthPolicies", STRENGTH),
    ("/identity/conditionalAccess/authenticationStrength/policies", STRENGTH),
];

const USER: Type = Type {
    name: "user",
    open: true,
    properties: "id deletedDateTime aboutMe accountEnabled activities adhocCalls ageGroup agreementAcceptances appRoleAssignments \
    assignedLicenses assignedPlans authentication authorizationInfo birthday businessPhones calendar calendarGroups \
    calendarView calendars chats city cloudClipboard cloudPCs companyName consentProvidedForMinor contactFolders \
    contacts country createdDateTime createdObjects creationType customSecurityAttributes dataSecurityAndGovernance \
    department deviceEnrollmentLimit deviceManagementTroubleshootingEvents directReports displayName drive drives \
    employeeExperience employeeHireDate employeeId employeeLeaveDateTime employeeOrgData employeeType events \
    extensions externalUserState externalUserStateChangeDateTime faxNumber followedSites givenName hireDate \
    identities identityParentId imAddresses inferenceClassification insights interests isManagementRestricted \
    isResourceAccount jobTitle joinedTeams lastPasswordChangeDateTime legalAgeGroupClassification \
    licenseAssignmentStates licenseDetails mail mailFolders mailNickname mailboxSettings managedAppRegistrations \
    managedDevices manager memberOf messages mobilePhone mySite notes oauth2PermissionGrants officeLocation \
    onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId \
    onPremisesLastSyncDateTime onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier \
    onPremisesSyncBehavior onPremisesSyncEnabled onPremisesUserPrincipalName onenote onlineMeetings otherMails \
    outlook ownedDevices ownedObjects passwordPolicies passwordProfile pastProjects people permissionGrants photo \
    photos planner postalCode preferredDataLocation preferredLanguage preferredName presence print provisionedPlans \
    proxyAddresses registeredDevices responsibilities schools scopedRoleMemberOf securityIdentifier \
    serviceProvisioningErrors settings showInAddressList signInActivity signInSessionsValidFromDateTime skills \
    solutions sponsorOf sponsors state streetAddress surname teamwork todo transitiveMemberOf usageLocation \
    userPrincipalName userType",
};
const GROUP: Type = Type {
    name: "group",
    open: true,
    properties: "id deletedDateTime acceptedSenders accessType allowExternalSenders appRoleAssignments assignedLabels \
    assignedLicenses autoSubscribeNewMembers calendar calendarView classification conversations createdDateTime \
    createdOnBehalfOf description displayName drive drives events expirationDateTime extensions \
    groupLifecyclePolicies groupTypes hasMembersWithLicenseErrors hideFromAddressLists hideFromOutlookClients \
    infoCatalogs isArchived isAssignableToRole isFavorite isManagementRestricted isSubscribedByMail \
    licenseProcessingState mail mailEnabled mailNickname memberOf members membersWithLicenseErrors membershipRule \
    membershipRuleProcessingState onPremisesDomainName onPremisesExtensionAttributes onPremisesLastSyncDateTime \
    onPremisesNetBiosName onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier \
    onPremisesSyncBehavior onPremisesSyncEnabled onenote organizationId owners permissionGrants photo photos planner \
    preferredDataLocation preferredLanguage proxyAddresses rejectedSenders renewedDateTime resourceBehaviorOptions \
    resourceProvisioningOptions securityEnabled securityIdentifier serviceProvisioningErrors settings sites team \
    theme threads transitiveMemberOf transitiveMembers uniqueName unseenConversationsCount unseenCount \
    unseenMessagesCount visibility welcomeMessageEnabled",
};
const SERVICE_PRINCIPAL: Type = Type {
    name: "servicePrincipal",
    open: true,
    properties: "id deletedDateTime accountEnabled addIns alternativeNames appDescription appDisplayName appId \
    appManagementPolicies appOwnerOrganizationId appRoleAssignedTo appRoleAssignmentRequired appRoleAssignments \
    appRoles applicationTemplateId claimsMappingPolicies createdByAppId createdObjects customSecurityAttributes \
    delegatedPermissionClassifications description disabledByMicrosoftStatus displayName endpoints \
    federatedIdentityCredentials homeRealmDiscoveryPolicies homepage info isDisabled keyCredentials loginUrl \
    logoutUrl memberOf notes notificationEmailAddresses oauth2PermissionGrants oauth2PermissionScopes ownedObjects \
    owners passwordCredentials preferredSingleSignOnMode preferredTokenSigningKeyThumbprint \
    remoteDesktopSecurityConfiguration replyUrls resourceSpecificApplicationPermissions samlSingleSignOnSettings \
    servicePrincipalNames servicePrincipalType signInAudience synchronization tags tokenEncryptionKeyId \
    tokenIssuancePolicies tokenLifetimePolicies transitiveMemberOf verifiedPublisher \
    createdDateTime",
};
const DEVICE: Type = Type {
    name: "device",
    open: true,
    properties: "id deletedDateTime accountEnabled alternativeSecurityIds approximateLastSignInDateTime \
    complianceExpirationDateTime deviceCategory deviceId deviceMetadata deviceOwnership deviceVersion displayName \
    enrollmentProfileName enrollmentType extensions isCompliant isManaged isManagementRestricted isRooted \
    managementType manufacturer mdmAppId memberOf model onPremisesLastSyncDateTime onPremisesSecurityIdentifier \
    onPremisesSyncEnabled operatingSystem operatingSystemVersion physicalIds profileType registeredOwners \
    registeredUsers registrationDateTime systemLabels transitiveMemberOf trustType extensionAttributes",
};
const POLICY: Type = Type {
    name: "conditionalAccessPolicy",
    open: false,
    properties: "id deletedDateTime conditions createdDateTime description displayName grantControls modifiedDateTime \
    sessionControls state templateId",
};
const SIGN_IN: Type = Type {
    name: "signIn",
    open: false,
    properties: "id appDisplayName appId appliedConditionalAccessPolicies authenticationAppDeviceDetails clientAppUsed \
    conditionalAccessStatus correlationId createdDateTime deviceDetail homeTenantId ipAddress isInteractive location \
    resourceDisplayName resourceId resourceTenantId riskDetail riskEventTypes riskEventTypes_v2 riskLevelAggregated \
    riskLevelDuringSignIn riskState servicePrincipalId servicePrincipalName status userAgent userDisplayName userId \
    userPrincipalName",
};
const AUDIT: Type = Type {
    name: "directoryAudit",
    open: false,
    properties: "id activityDateTime activityDisplayName additionalDetails category correlationId initiatedBy loggedByService \
    operationType result resultReason targetResources",
};
const ROLE_DEFINITION: Type = Type {
    name: "unifiedRoleDefinition",
    open: false,
    properties: "id description displayName inheritsPermissionsFrom isBuiltIn isEnabled resourceScopes rolePermissions templateId \
    version",
};
const ROLE_ASSIGNMENT: Type = Type {
    name: "unifiedRoleAssignment",
    open: false,
    properties: "id appScope appScopeId condition directoryScope directoryScopeId principal principalId principalOrganizationId \
    roleDefinition roleDefinitionId",
};
const ROLE_INSTANCE: Type = Type {
    name: "unifiedRoleAssignmentScheduleInstance",
    open: false,
    properties: "id appScope appScopeId directoryScope directoryScopeId principal principalId roleDefinition roleDefinitionId \
    activatedUsing assignmentType endDateTime memberType roleAssignmentOriginId roleAssignmentScheduleId \
    startDateTime",
};
const ROLE_ELIGIBILITY: Type = Type {
    name: "unifiedRoleEligibilityScheduleInstance",
    open: false,
    properties: "id appScope appScopeId directoryScope directoryScopeId principal principalId roleDefinition roleDefinitionId \
    endDateTime memberType roleEligibilityScheduleId startDateTime",
};
const REGISTRATION: Type = Type {
    name: "userRegistrationDetails",
    open: false,
    properties: "id isAdmin isMfaCapable isMfaRegistered isPasswordlessCapable isSsprCapable isSsprEnabled isSsprRegistered \
    isSystemPreferredAuthenticationMethodEnabled lastUpdatedDateTime methodsRegistered \
    systemPreferredAuthenticationMethods userDisplayName userPreferredMethodForSecondaryAuthentication \
    userPrincipalName userType",
};
const RISKY_USER: Type = Type {
    name: "riskyUser",
    open: false,
    properties: "id history isDeleted isProcessing riskDetail riskLastUpdatedDateTime riskLevel riskState userDisplayName \
    userPrincipalName",
};
const SKU: Type = Type {
    name: "subscribedSku",
    open: false,
    properties: "id accountId accountName appliesTo capabilityStatus consumedUnits prepaidUnits servicePlans skuId skuPartNumber \
    subscriptionIds",
};
const STRENGTH: Type = Type {
    name: "authenticationStrengthPolicy",
    open: false,
    properties: "id allowedCombinations combinationConfigurations createdDateTime description displayName modifiedDateTime \
    policyType requirementsSatisfied",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_the_type() {
        let name = |path: &str| Type::at(path).map(|found| found.name);
        assert_eq!(name("/users"), Some("user"));
        assert_eq!(name("/users/delta()"), Some("user"));
        assert_eq!(name("/users/$count"), Some("user"));
        assert_eq!(name("/groups/g/members/microsoft.graph.user"), Some("user"));
        assert_eq!(name("/groups/g/members"), None);
        assert_eq!(name("/identity/conditionalAccess/policies/p"), Some("conditionalAccessPolicy"));
    }
}
