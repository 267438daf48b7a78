<#
.SYNOPSIS
Writes your tenant's Conditional Access, and what it depends on, to a folder of JSON files. Reads only, with your own rights.
.EXAMPLE
./Export-Tenant.ps1 -Folder ./export      # then: portcullis report ./export
#>
#Requires -Version 7.0 -Modules Microsoft.Graph.Authentication
param([string] $Folder = './export', [int] $LogDays = 30, [string] $Environment = 'Global')
$ErrorActionPreference = 'Stop'

Connect-MgGraph -NoWelcome -Environment $Environment -Scopes @(
    'Policy.Read.All', 'AuthenticationContext.Read.All', 'User.Read.All', 'GroupMember.Read.All', 'Application.Read.All'
    'Device.Read.All', 'RoleManagement.Read.Directory', 'AuditLog.Read.All', 'IdentityRiskyUser.Read.All'
    'LicenseAssignment.Read.All', 'Agreement.Read.All')

# Every object of a collection, page by page to the end.
function Read-All([string] $Path) {
    while ($Path) {
        $page = Invoke-MgGraphRequest -Method GET -Uri $Path -OutputType PSObject
        $page.value
        $Path = $page.'@odata.nextLink'
    }
}

# One file; what you may not read is left out, and said.
function Save([string] $Name, [string] $Path) {
    try {
        $objects = @(Read-All $Path)
        ConvertTo-Json -InputObject $objects -Depth 20 -Compress | Set-Content -Encoding utf8 (Join-Path $Folder "$Name.json")
        Write-Host ('{0,8}  {1}' -f $objects.Count, $Name)
    } catch { Write-Warning "$Name was left out: $($_.Exception.Message)" }
}

$null = New-Item -ItemType Directory -Force $Folder
$since = (Get-Date).ToUniversalTime().AddDays(-$LogDays).ToString('yyyy-MM-ddTHH:mm:ssZ')
$user = 'id,displayName,userPrincipalName,accountEnabled,userType,creationType,externalUserState,identities,department,employeeType,createdDateTime'
Save 'policies' '/v1.0/identity/conditionalAccess/policies'
Save 'namedLocations' '/v1.0/identity/conditionalAccess/namedLocations'
Save 'authenticationContextClassReferences' '/v1.0/identity/conditionalAccess/authenticationContextClassReferences'
Save 'authenticationStrengthPolicies' '/v1.0/policies/authenticationStrengthPolicies'
Save 'users' "/v1.0/users?`$select=$user&`$top=999"
Save 'roleAssignments' '/v1.0/roleManagement/directory/roleAssignments'
Save 'roleEligibilityScheduleInstances' '/v1.0/roleManagement/directory/roleEligibilityScheduleInstances'
Save 'roleDefinitions' '/beta/roleManagement/directory/roleDefinitions'
Save 'servicePrincipals' '/v1.0/servicePrincipals?$select=id,appId,displayName,servicePrincipalType,accountEnabled&$top=999'
Save 'devices' '/v1.0/devices?$top=999'
Save 'userRegistrationDetails' '/v1.0/reports/authenticationMethods/userRegistrationDetails?$top=999'
Save 'riskyUsers' '/v1.0/identityProtection/riskyUsers?$top=500'
Save 'subscribedSkus' '/v1.0/subscribedSkus'
Save 'termsOfUse' '/v1.0/identityGovernance/termsOfUse/agreements'
Save 'signIns' "/v1.0/auditLogs/signIns?`$filter=createdDateTime ge $since&`$top=1000"
Save 'directoryAudits' "/v1.0/auditLogs/directoryAudits?`$filter=activityDateTime ge $since&`$top=999"
Save 'crossTenantAccessPolicyPartners' '/v1.0/policies/crossTenantAccessPolicy/partners'
$defaults = Invoke-MgGraphRequest -Method GET -Uri '/v1.0/policies/identitySecurityDefaultsEnforcementPolicy' -OutputType Json
Set-Content -Encoding utf8 (Join-Path $Folder 'identitySecurityDefaultsEnforcementPolicy.json') $defaults
$access = Invoke-MgGraphRequest -Method GET -Uri '/v1.0/policies/crossTenantAccessPolicy/default' -OutputType Json
Set-Content -Encoding utf8 (Join-Path $Folder 'crossTenantAccessPolicyDefault.json') $access

# Groups, with the direct members of those that policies name and of the groups in them.
$groups = @(Read-All '/v1.0/groups?$select=id,displayName,membershipRule,membershipRuleProcessingState,isAssignableToRole&$top=999')
$byId = @{}; $groups | ForEach-Object { $byId[$_.id] = $_ }
$policies = Get-Content -Raw (Join-Path $Folder 'policies.json') | ConvertFrom-Json
$open = [System.Collections.Generic.Queue[string]] @($policies.conditions.users | ForEach-Object { $_.includeGroups; $_.excludeGroups })
while ($open.Count) {
    $group = $byId[$open.Dequeue()]
    if (-not $group -or $group.PSObject.Properties['members']) { continue }
    $members = @(Read-All "/v1.0/groups/$($group.id)/members?`$select=id&`$top=999")
    $group | Add-Member members @($members | ForEach-Object { $_.id })
    $members | Where-Object { $byId.ContainsKey($_.id) } | ForEach-Object { $open.Enqueue($_.id) }
}
ConvertTo-Json -InputObject $groups -Depth 20 -Compress | Set-Content -Encoding utf8 (Join-Path $Folder 'groups.json')
