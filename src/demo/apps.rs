//! Service principals: Microsoft's own apps with their published ids, and Nordwerk's line-of-business apps.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::random::{Ids, Object, days_before, written};

/// Exchange Online.
pub const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
/// SharePoint Online.
pub const SHAREPOINT: &str = "00000003-0000-0ff1-ce00-000000000000";
/// Microsoft Teams Services.
pub const TEAMS: &str = "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe";
/// Microsoft Graph.
pub const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// Windows Azure Active Directory.
pub const AZURE_AD: &str = "00000002-0000-0000-c000-000000000000";
/// Office 365 portal.
pub const OFFICE_PORTAL: &str = "00000006-0000-0ff1-ce00-000000000000";
/// Windows Azure Service Management API.
pub const AZURE_MANAGEMENT: &str = "797f4846-ba00-4fd7-ba43-dac1f8f63013";
/// Azure portal.
pub const AZURE_PORTAL: &str = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";
/// Azure CLI (a client).
pub const AZURE_CLI: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
/// Microsoft Graph Command Line Tools (a client).
pub const GRAPH_POWERSHELL: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";
/// My Sign-ins.
pub const MY_SIGNINS: &str = "19db86c3-b2b9-44cc-b339-36da233a3be2";
/// Security & Compliance Center.
pub const COMPLIANCE_CENTER: &str = "80ccca67-54bd-44ab-8625-4b79c4dc7775";

/// Microsoft's apps that have a service principal here.
pub const MICROSOFT_APPS: &[(&str, &str)] = &[
    (EXCHANGE, "Office 365 Exchange Online"),
    (SHAREPOINT, "Office 365 SharePoint Online"),
    (TEAMS, "Microsoft Teams Services"),
    (GRAPH, "Microsoft Graph"),
    (AZURE_AD, "Windows Azure Active Directory"),
    (OFFICE_PORTAL, "Office 365 Portal"),
    (AZURE_MANAGEMENT, "Windows Azure Service Management API"),
    (AZURE_PORTAL, "Azure Portal"),
    ("0000000a-0000-0000-c000-000000000000", "Microsoft Intune"),
    ("d4ebce55-015a-49b5-a083-c84d1797ae8c", "Microsoft Intune Enrollment"),
    ("01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9", "Device Registration Service"),
    ("01fc33a7-78ba-4d2f-a4b7-768e336e890e", "MS-PIM"),
    ("499b84ac-1321-427f-aa17-267ca6975798", "Azure DevOps"),
    (MY_SIGNINS, "My Signins"),
    (COMPLIANCE_CENTER, "Office 365 Security & Compliance Center"),
    (AZURE_CLI, "Microsoft Azure CLI"),
    ("1950a258-227b-4e31-a9cf-717495945fc2", "Microsoft Azure PowerShell"),
    (GRAPH_POWERSHELL, "Microsoft Graph Command Line Tools"),
    ("29d9ed98-a469-4536-ade2-f981bc1d605e", "Microsoft Authentication Broker"),
];

/// Line-of-business apps; positions are their indices.
pub const LINE_OF_BUSINESS: &[&str] = &[
    "Nordwerk Timeclock",
    "Nordwerk ERP",
    "Nordwerk CRM",
    "Travel and Expenses",
    "Payroll",
    "Learning Portal",
    "Warehouse Scanner Hub",
    "Service Desk",
    "Document Signing",
    "Harbour Planning",
    "Supplier Portal",
    "Wiki",
    "Source Control",
    "ERP Connector",
    "Backup Agent",
];
/// The app that every policy leaves out.
pub const TIMECLOCK: u32 = 0;
/// The app that was registered yesterday.
pub const NEWEST: u32 = 9;
/// A daemon with a service principal of this tenant.
pub const ERP_CONNECTOR: u32 = 13;
/// Another one.
pub const BACKUP_AGENT: u32 = 14;

/// App id of a line-of-business app.
#[must_use]
pub fn app_id(ids: Ids, index: u32) -> String {
    ids.id(Object::App, index).to_string()
}

/// Object id of the service principal of a line-of-business app.
#[must_use]
pub fn principal_id(ids: Ids, index: u32) -> String {
    ids.id(Object::ServicePrincipal, index).to_string()
}

/// Name of the app with this app id; empty for an unknown one.
#[must_use]
pub fn app_name(ids: Ids, id: &str) -> &'static str {
    let microsoft = MICROSOFT_APPS.iter().find(|(known, _)| *known == id).map(|(_, name)| *name);
    let own = || {
        let index = usize::try_from(ids.index(Object::App, id)?).ok()?;
        LINE_OF_BUSINESS.get(index).copied()
    };
    microsoft.or_else(own).unwrap_or("")
}

/// All service principals as Graph writes them.
#[must_use]
pub fn service_principals(ids: Ids, tenant: &str, today: Timestamp) -> Vec<Value> {
    let long_ago = written(days_before(today, 1_200));
    let microsoft = (100..).zip(MICROSOFT_APPS).map(|(index, (app, name))| {
        let id = principal_id(ids, index);
        principal((&id, app, name), ("f8cdef31-a31e-4b4a-93e4-5f571e91255a", &long_ago))
    });
    let own = (0..).zip(LINE_OF_BUSINESS).map(|(index, name)| {
        let made = if index == NEWEST { written(days_before(today, 1)) } else { long_ago.clone() };
        principal((&principal_id(ids, index), &app_id(ids, index), name), (tenant, &made))
    });
    microsoft.chain(own).collect()
}

/// Groups of apps that policies name, as far as their members are published and used here.
#[must_use]
pub fn groups() -> Value {
    json!({ "Office365": [EXCHANGE, SHAREPOINT, TEAMS], "MicrosoftAdminPortals": [AZURE_PORTAL],
        AZURE_MANAGEMENT: [AZURE_MANAGEMENT, AZURE_PORTAL] })
}

fn principal((id, app, name): (&str, &str, &str), (owner, made): (&str, &str)) -> Value {
    json!({
        "id": id,
        "appId": app,
        "createdDateTime": made,
        "displayName": name,
        "appDisplayName": name,
        "accountEnabled": true,
        "appOwnerOrganizationId": owner,
        "servicePrincipalType": "Application",
        "signInAudience": if owner.starts_with("f8cdef31") { "AzureADMultipleOrgs" } else { "AzureADMyOrg" },
        "servicePrincipalNames": [app],
        "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
        "customSecurityAttributes": null,
    })
}
