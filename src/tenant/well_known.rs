//! Ids that Microsoft publishes and that policies name.

/// Role template ids and names of the 14 administrator roles of Microsoft's templates.
pub const ADMIN_ROLES: &[(&str, &str)] = &[
    (GLOBAL_ADMINISTRATOR, "Global Administrator"),
    (SECURITY_ADMINISTRATOR, "Security Administrator"),
    ("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator"),
    ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
    (CONDITIONAL_ACCESS_ADMINISTRATOR, "Conditional Access Administrator"),
    ("729827e3-9c14-49f7-bb1b-9608f156bbb8", "Helpdesk Administrator"),
    ("b0f54661-2d74-4c50-afa3-1ec803f12efe", "Billing Administrator"),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    ("c4e39bd9-1100-46d3-8c65-fb160da0071f", "Authentication Administrator"),
    ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator"),
    ("158c047a-c907-4556-b7ef-446551a6b5f7", "Cloud Application Administrator"),
    ("966707d0-3269-4727-9be2-8c3a10f19b9d", "Password Administrator"),
    ("7be44c8a-adaf-4e2a-84d6-ab2649e08a13", "Privileged Authentication Administrator"),
    ("e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator"),
];

/// The name of a role by its template id, for those that this program speaks of.
#[must_use]
pub fn role_name(id: &str) -> Option<&'static str> {
    let readers = [(SECURITY_READER, "Security Reader"), (GLOBAL_READER, "Global Reader")];
    ADMIN_ROLES.iter().copied().chain(readers).find(|(known, _)| *known == id).map(|(_, name)| name)
}

/// Global Administrator.
pub const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
/// Security Administrator.
pub const SECURITY_ADMINISTRATOR: &str = "194ae4cb-b126-40b2-bd5b-6091b380977d";
/// Conditional Access Administrator.
pub const CONDITIONAL_ACCESS_ADMINISTRATOR: &str = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9";
/// Security Reader.
pub const SECURITY_READER: &str = "5d6b6bb7-de71-4623-b4af-96380a352509";
/// Global Reader.
pub const GLOBAL_READER: &str = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";
/// Directory Synchronization Accounts.
pub const DIRECTORY_SYNCHRONIZATION_ACCOUNTS: &str = "d29b2b05-8046-44ba-8758-1e26182fcf32";
/// The roles of accounts that synchronise the directory; newer versions of Microsoft Entra Connect use the second one.
pub const SYNCHRONISING: [&str; 2] = [DIRECTORY_SYNCHRONIZATION_ACCOUNTS, "a92aed5d-d78a-4d16-b381-09adb37eb3b0"];

/// Authentication strength "Multifactor authentication".
pub const STRENGTH_MFA: &str = "00000000-0000-0000-0000-000000000002";
/// Authentication strength "Passwordless MFA".
pub const STRENGTH_PASSWORDLESS: &str = "00000000-0000-0000-0000-000000000003";
/// Authentication strength "Phishing-resistant MFA".
pub const STRENGTH_PHISHING_RESISTANT: &str = "00000000-0000-0000-0000-000000000004";

/// The keyword for the user accounts of all agents, among included and excluded users.
pub const ALL_AGENT_USERS: &str = "AllAgentIdUsers";

/// User action "Register security information".
pub const REGISTER_SECURITY_INFO: &str = "urn:user:registersecurityinfo";
/// User action "Register or join devices".
pub const REGISTER_DEVICE: &str = "urn:user:registerdevice";

/// Windows Azure Service Management API (Azure portal, CLI, PowerShell, Resource Manager).
pub const APP_AZURE_MANAGEMENT: &str = "797f4846-ba00-4fd7-ba43-dac1f8f63013";
/// Exchange Online.
pub const APP_EXCHANGE_ONLINE: &str = "00000002-0000-0ff1-ce00-000000000000";
/// SharePoint Online.
pub const APP_SHAREPOINT_ONLINE: &str = "00000003-0000-0ff1-ce00-000000000000";
/// Windows Azure Active Directory.
pub const APP_WINDOWS_AZURE_AD: &str = "00000002-0000-0000-c000-000000000000";
/// Microsoft Intune.
pub const APP_INTUNE: &str = "0000000a-0000-0000-c000-000000000000";
/// Microsoft Intune Enrollment.
pub const APP_INTUNE_ENROLLMENT: &str = "d4ebce55-015a-49b5-a083-c84d1797ae8c";
/// Where agents exchange tokens (`api://AzureADTokenExchange`).
pub const APP_TOKEN_EXCHANGE: &str = "fb60f99c-7a34-4190-8149-302f77469936";
/// Device Registration Service.
pub const APP_DEVICE_REGISTRATION: &str = "01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9";
/// Azure portal, one of the administration portals.
pub const APP_AZURE_PORTAL: &str = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";
/// Azure DevOps.
pub const APP_AZURE_DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798";
/// Microsoft Teams Services.
pub const APP_TEAMS: &str = "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe";
/// Global Secure Access: Private traffic profile.
pub const APP_PRIVATE_ACCESS: &str = "e92b9b37-1b47-4c01-9fbc-91d84450870e";
/// The tag of an app that opens a part of the inner network through Private Access.
pub const TAG_PRIVATE_ACCESS: &str = "PrivateAccessNonWebApplication";
/// The tag of Quick Access, which opens what no such app does.
pub const TAG_QUICK_ACCESS: &str = "NetworkAccessQuickAccessApplication";
/// Global Secure Access: Internet traffic profile.
pub const APP_INTERNET_ACCESS: &str = "5dc48733-b5df-475c-a49b-fa307ef00853";
/// Microsoft Rights Management Services, which opens protected mail and files.
pub const APP_RIGHTS_MANAGEMENT: &str = "00000012-0000-0000-c000-000000000000";

/// The name of an app of Microsoft's that policies often name and exports of a tenant often lack.
#[must_use]
pub fn app_name(id: &str) -> Option<&'static str> {
    let apps = [
        (APP_AZURE_MANAGEMENT, "Windows Azure Service Management API"),
        (APP_AZURE_PORTAL, "Azure Portal"),
        (APP_EXCHANGE_ONLINE, "Exchange Online"),
        (APP_SHAREPOINT_ONLINE, "SharePoint Online"),
        (APP_TEAMS, "Microsoft Teams Services"),
        (APP_WINDOWS_AZURE_AD, "Windows Azure Active Directory"),
        (APP_INTUNE, "Microsoft Intune"),
        (APP_INTUNE_ENROLLMENT, "Microsoft Intune Enrollment"),
        (APP_DEVICE_REGISTRATION, "Device Registration Service"),
        (APP_AZURE_DEVOPS, "Azure DevOps"),
        (APP_RIGHTS_MANAGEMENT, "Microsoft Rights Management Services"),
        ("00000003-0000-0000-c000-000000000000", "Microsoft Graph"),
        ("00000006-0000-0ff1-ce00-000000000000", "Office 365 Portal"),
        ("01fc33a7-78ba-4d2f-a4b7-768e336e890e", "MS-PIM"),
        ("0af06dc6-e4b5-4f28-818e-e78e62d137a5", "Windows 365"),
        ("19db86c3-b2b9-44cc-b339-36da233a3be2", "My Signins"),
        ("270efc09-cd0d-444b-a71f-39af4910ec45", "Windows Cloud Login"),
        ("80ccca67-54bd-44ab-8625-4b79c4dc7775", "Security & Compliance Center"),
        ("9cdead84-a844-4324-93f2-b2e6bb768d07", "Azure Virtual Desktop"),
    ];
    apps.into_iter().find(|(known, _)| *known == id).map(|(_, name)| name)
}

/// Service plan of Microsoft Entra ID P1.
pub const PLAN_P1: &str = "41781fb2-bc02-4b7c-bd55-b576c07bb09d";
/// Service plan of Microsoft Entra ID P2.
pub const PLAN_P2: &str = "eec0eb4f-6444-4f95-aba0-50c24d67f998";
/// Service plan of Microsoft Entra Workload ID P1.
pub const PLAN_WORKLOAD_P1: &str = "84c289f0-efcb-486f-8581-07f44fc9efad";
/// Service plan of Microsoft Entra Workload ID P2.
pub const PLAN_WORKLOAD_P2: &str = "7dc0e92d-bf15-401d-907e-0884efe7c760";
