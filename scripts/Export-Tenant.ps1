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

# Without this header Graph hides newer values, such as the control riskRemediation, behind unknownFutureValue.
$headers = @{ Prefer = 'include-unknown-enum-members' }
function Read-One([string] $Path) { Invoke-MgGraphRequest -Method GET -Uri $Path -Headers $headers -OutputType PSObject }
# Every object of a collection, page by page to the end.
function Read-All([string] $Path) { while ($Path) { $page = Read-One $Path; $page.value; $Path = $page.'@odata.nextLink' } }
# The first way to read a collection that you are allowed.
function Read-First([string[]] $Paths) {
    foreach ($path in $Paths) { try { return @(Read-All $path) } catch { $refusal = $_ } }
    throw $refusal
}
# One file, filled by a block or by the path of a collection; what you may not read is left out, and said.
function Save([string] $Name, $From) {
    $file = Join-Path $Folder "$Name.json"
    try {
        Remove-Item -ErrorAction Ignore $file
        $objects = @(if ($From -is [scriptblock]) { & $From } else { Read-All $From })
        ConvertTo-Json -InputObject $objects -Depth 20 -Compress | Set-Content -Encoding utf8 $file
        Write-Host ('{0,8}  {1}' -f $objects.Count, $Name)
    } catch { Write-Warning "$Name was left out: $($_.Exception.Message)" }
}

$null = New-Item -ItemType Directory -Force $Folder
$since = (Get-Date).ToUniversalTime().AddDays(-$LogDays).ToString('yyyy-MM-ddTHH:mm:ssZ')
$user = 'id,displayName,userPrincipalName,accountEnabled,userType,creationType,externalUserState,identities'
$user += ',department,employeeType,createdDateTime,onPremisesSyncEnabled'
$group = 'id,displayName,membershipRule,membershipRuleProcessingState,isAssignableToRole,visibility'
$read = @{}
Save 'policies' { ($read.policies = @(Read-All '/v1.0/identity/conditionalAccess/policies')) }
Save 'namedLocations' '/v1.0/identity/conditionalAccess/namedLocations'
Save 'authenticationContextClassReferences' '/v1.0/identity/conditionalAccess/authenticationContextClassReferences'
Save 'authenticationStrengthPolicies' '/v1.0/policies/authenticationStrengthPolicies'
Save 'users' { Read-First "/v1.0/users?`$select=$user,signInActivity&`$top=500", "/v1.0/users?`$select=$user&`$top=999" }
# Role assignments are kept whole or not at all. A tenant without the licence for eligible ones has none of them.
Save 'roleAssignments' {
    $read.eligible = @(
        try { Read-All '/v1.0/roleManagement/directory/roleEligibilityScheduleInstances' }
        catch { if ("$_" -notmatch 'PremiumLicense') { throw } })
    ($read.roles = @(Read-All '/v1.0/roleManagement/directory/roleAssignments'))
}
Save 'roleEligibilityScheduleInstances' { if ($null -eq $read.roles) { throw 'the other role assignments were left out' }; $read.eligible }
Save 'roleDefinitions' { Read-First '/beta/roleManagement/directory/roleDefinitions', '/v1.0/roleManagement/directory/roleDefinitions' }
Save 'servicePrincipals' '/v1.0/servicePrincipals?$select=id,appId,displayName,servicePrincipalType,signInAudience,accountEnabled,createdDateTime,tags&$top=999'
Save 'devices' { Read-First '/v1.0/devices?$expand=registeredOwners($select=id)&$top=999', '/v1.0/devices?$top=999' }
Save 'userRegistrationDetails' '/v1.0/reports/authenticationMethods/userRegistrationDetails?$top=999'
Save 'riskyUsers' '/v1.0/identityProtection/riskyUsers?$top=500'
Save 'subscribedSkus' '/v1.0/subscribedSkus'
Save 'termsOfUse' '/v1.0/identityGovernance/termsOfUse/agreements'
Save 'signIns' "/v1.0/auditLogs/signIns?`$filter=createdDateTime ge $since&`$top=1000"
Save 'directoryAudits' "/v1.0/auditLogs/directoryAudits?`$filter=activityDateTime ge $since&`$top=999"
Save 'crossTenantAccessPolicyPartners' '/v1.0/policies/crossTenantAccessPolicy/partners'
Save 'crossTenantAccessPolicyDefault' { Read-One '/v1.0/policies/crossTenantAccessPolicy/default' }
Save 'identitySecurityDefaultsEnforcementPolicy' { Read-One '/v1.0/policies/identitySecurityDefaultsEnforcementPolicy' }
# Groups, with the direct members of those that policies name or that hold roles, and of the groups in them.
Save 'groups' {
    $groups = @(Read-First "/v1.0/groups?`$select=$group,isManagementRestricted&`$top=999", "/v1.0/groups?`$select=$group&`$top=999")
    $byId = @{}; $groups | ForEach-Object { $byId[$_.id] = $_ }
    $named = @($read.policies.conditions.users | ForEach-Object { $_.includeGroups; $_.excludeGroups }; @($read.roles; $read.eligible).principalId)
    $open = [System.Collections.Generic.Queue[string]] @($named | Where-Object { $_ })
    while ($open.Count) {
        $one = $byId[$open.Dequeue()]
        if (-not $one -or $one.PSObject.Properties['members'] -or $one.visibility -eq 'HiddenMembership') { continue }
        $one | Add-Member members @(Read-All "/v1.0/groups/$($one.id)/members?`$select=id&`$top=999" | ForEach-Object { $_.id })
        $one.members | Where-Object { $byId.ContainsKey($_) } | ForEach-Object { $open.Enqueue($_) }
    }
    $groups
}
