//! A policy in the portal's words and order, with names instead of ids.

use std::collections::BTreeSet;

use crate::checks::cause_words::{self, app_name};
use crate::checks::rows::state_word;
use crate::checks::scopes;
use crate::tenant::policy::{
    Agents, Applications, ClientAppType, ClientApplications, Control, Filter, FilterMode, GrantControls, GuestType,
    Guests, InsiderRisk, Operator, Platform, RiskLevel, SessionControls, Sides, SignInFrequency, TransferMethod,
    UserSide,
};
use crate::tenant::sign_in::Known;
use crate::tenant::well_known::ALL_AGENT_USERS;
use crate::tenant::{Policy, Snapshot};

/// The label of what this program can't judge.
pub const UNDECIDED: &str = "Can't be judged";

/// The policy as labelled lines, in the order of the blade in the Entra admin center. Lines that say nothing are left out.
#[must_use]
pub fn policy(policy: &Policy, snapshot: &Snapshot) -> Vec<(&'static str, String)> {
    let conditions = &policy.conditions;
    let clients = conditions.client_applications.as_ref();
    let mut lines = vec![
        ("Users", users(&conditions.users.include, &conditions.users.exclude, snapshot)),
        ("Users of agents", conditions.agents.as_ref().map(|agents| agent_users(agents, snapshot)).unwrap_or_default()),
        ("Workload identities", clients.map(|clients| workloads(clients, snapshot)).unwrap_or_default()),
        ("Agent identities", clients.map(|clients| agents(clients, snapshot)).unwrap_or_default()),
        ("Target resources", targets(&conditions.applications, snapshot)),
    ];
    let locations = conditions.locations.as_ref().map(|sides| sides_words(sides, |id| location(id, snapshot)));
    let platforms =
        conditions.platforms.as_ref().map(|sides| sides_words(sides, |platform| platform_word(*platform).into()));
    let agent_contexts = conditions
        .agent_contexts
        .as_ref()
        .map(|sides| sides_words(sides, |context| agent_context_word(context).into()));
    let filter = conditions.device_filter.as_ref().map(|filter| {
        let mode = if filter.mode == FilterMode::Include { "Include" } else { "Exclude" };
        format!("{mode} filtered devices: {}", filter.rule)
    });
    lines.extend([
        ("User risk", levels(&conditions.user_risk)),
        ("Sign-in risk", levels(&conditions.sign_in_risk)),
        ("Insider risk", insider_levels(&conditions.insider_risk)),
        ("Service principal risk", levels(&conditions.service_principal_risk)),
        ("Agent risk", levels(&conditions.agent_risk)),
        ("Device platforms", platforms.unwrap_or_default()),
        ("Network", locations.unwrap_or_default()),
        ("Client apps", client_apps(&conditions.client_app_types)),
        ("Filter for devices", filter.unwrap_or_default()),
        ("Authentication flows", flows(&conditions.flows)),
        ("Agents take part", agent_contexts.unwrap_or_default()),
        (UNDECIDED, policy.undecided.join(", ")),
        ("Grant", policy.grant.as_ref().map(|grant| grant_words(grant, snapshot)).unwrap_or_default()),
        ("Session", policy.session.as_ref().map(session).unwrap_or_default()),
        ("Enable policy", state_word(policy.state).to_owned()),
    ]);
    lines.retain(|(_, words)| !words.is_empty());
    lines
}

/// Whom the policy is for in one line: users, or else workload identities and agents.
#[must_use]
pub fn whom(policy: &Policy, snapshot: &Snapshot) -> String {
    const LABELS: [&str; 4] = ["Users", "Users of agents", "Workload identities", "Agent identities"];
    let lines = self::policy(policy, snapshot);
    let whom = lines.iter().filter(|(label, words)| LABELS.contains(label) && words != "None");
    whom.map(|(_, words)| words.as_str()).collect::<Vec<_>>().join(", ")
}

fn users(include: &UserSide, exclude: &UserSide, snapshot: &Snapshot) -> String {
    both(side(include, snapshot), &side(exclude, snapshot))
}

/// What is included, and what is excluded where something is.
fn both(included: String, excluded: &str) -> String {
    if excluded.is_empty() { included } else { format!("{included} · Exclude: {excluded}") }
}

fn agent_users(agents: &Agents, snapshot: &Snapshot) -> String {
    let name = |id: &String| match id.as_str() {
        "All" => "All users of agents".to_owned(),
        id => snapshot.directory.user(id).map_or_else(|| id.to_owned(), |user| user.display_name.to_string()),
    };
    principals((&agents.include, &agents.exclude), agents.filter.as_ref(), name)
}

fn workloads(clients: &ClientApplications, snapshot: &Snapshot) -> String {
    let name = |id: &String| match id.as_str() {
        "ServicePrincipalsInMyTenant" => "All owned service principals".to_owned(),
        id => principal(id, snapshot),
    };
    principals((&clients.include, &clients.exclude), clients.filter.as_ref(), name)
}

fn agents(clients: &ClientApplications, snapshot: &Snapshot) -> String {
    let name = |id: &String| match id.as_str() {
        "All" => "All agent identities".to_owned(),
        id => principal(id, snapshot),
    };
    principals((&clients.include_agents, &clients.exclude_agents), clients.agent_filter.as_ref(), name)
}

/// The name of a service principal or agent identity; its id where it wasn't read.
#[must_use]
pub fn principal(id: &str, snapshot: &Snapshot) -> String {
    let mut known = snapshot.directory.service_principals.iter();
    known.find(|one| one.id == id).map_or_else(|| id.to_owned(), |one| one.display_name.clone())
}

/// Those that are named on both sides, and the filter on the side that it works for.
fn principals(
    (include, exclude): (&BTreeSet<String>, &BTreeSet<String>),
    filter: Option<&Filter>,
    name: impl Fn(&String) -> String,
) -> String {
    let side = |ids: &BTreeSet<String>, mode| {
        let named = short(ids.iter().map(&name).collect(), "identities");
        named.into_iter().chain(filtered(filter, mode)).collect::<Vec<_>>().join(", ")
    };
    both(side(include, FilterMode::Include), &side(exclude, FilterMode::Exclude))
}

/// A filter of this mode in words.
fn filtered(filter: Option<&Filter>, mode: FilterMode) -> Option<String> {
    filter.filter(|filter| filter.mode == mode).map(|filter| format!("filter: {}", filter.rule))
}

fn side(side: &UserSide, snapshot: &Snapshot) -> String {
    let directory = &snapshot.directory;
    let user = |id: &String| match directory.user(id) {
        Some(user) => user.display_name.to_string(),
        None if id == ALL_AGENT_USERS => "All users of agents".to_owned(),
        None => id.clone(),
    };
    let group = |id: &String| match directory.groups.get(id) {
        Some(group) => match &group.transitive {
            Some(members) => format!("{} ({})", group.display_name, members.len()),
            None => group.display_name.clone(),
        },
        None => id.clone(),
    };
    let role = |id: &String| role_name(id, snapshot);
    let mut parts: Vec<String> = Vec::new();
    if side.all {
        parts.push("All users".into());
    }
    parts.extend(side.users.iter().map(user));
    parts.extend(side.groups.iter().map(group));
    parts.extend(short(side.roles.iter().map(role).collect(), "roles"));
    parts.extend(side.guests.as_ref().map(guests));
    parts.join(", ")
}

/// A long list as its first three and a count.
fn short(names: Vec<String>, what: &str) -> Vec<String> {
    if names.len() <= 4 {
        return names;
    }
    let rest = names.len() - 3;
    names.into_iter().take(3).chain([format!("{rest} more {what}")]).collect()
}

/// A role's name, as read or as Microsoft documents it; its id for one that nobody knows.
#[must_use]
pub fn role_name(id: &str, snapshot: &Snapshot) -> String {
    scopes::role_name(snapshot, id)
}

/// Kinds of guest, and of how many organisations.
#[must_use]
pub fn guests(guests: &Guests) -> String {
    if guests.types.len() >= 6 && guests.tenants.is_none() {
        return "Guest or external users (all types)".into();
    }
    let types: Vec<&str> = guests.types.iter().map(|kind| guest_word(*kind)).collect();
    match &guests.tenants {
        Some(tenants) => {
            let organisations = if tenants.len() == 1 { "organisation" } else { "organisations" };
            format!("{} of {} named {organisations}", types.join(", "), tenants.len())
        }
        None => types.join(", "),
    }
}

/// The portal's word for a guest type.
#[must_use]
pub fn guest_word(kind: GuestType) -> &'static str {
    cause_words::other_word(crate::engine::coverage::Other::Guest(kind))
}

fn targets(applications: &Applications, snapshot: &Snapshot) -> String {
    let name = |id: &String| match id.as_str() {
        "Office365" => "Office 365".to_owned(),
        "MicrosoftAdminPortals" => "Microsoft Admin Portals".to_owned(),
        "AllAgentIdResources" => "All agent resources".to_owned(),
        id => app_name(snapshot, id),
    };
    let mut parts: Vec<String> = Vec::new();
    if applications.all {
        parts.push("All resources".into());
    }
    parts.extend(short(applications.include.iter().map(name).collect(), "resources"));
    parts.extend(filtered(applications.filter.as_ref(), FilterMode::Include));
    parts.extend(applications.user_actions.iter().map(|urn| action(urn)));
    parts.extend(applications.contexts.iter().map(|id| {
        let name = snapshot.contexts.get(id).map_or("", String::as_str);
        format!("Authentication context {id} {name}").trim().to_owned()
    }));
    let mut excluded = short(applications.exclude.iter().map(name).collect(), "resources");
    excluded.extend(filtered(applications.filter.as_ref(), FilterMode::Exclude));
    let included = if parts.is_empty() { "None".to_owned() } else { parts.join(", ") };
    both(included, &excluded.join(", "))
}

fn action(urn: &str) -> String {
    match urn {
        crate::tenant::well_known::REGISTER_SECURITY_INFO => "Register security information".into(),
        crate::tenant::well_known::REGISTER_DEVICE => "Register or join devices".into(),
        "urn:user:accountrecovery" => "Recover the account".into(),
        other => other.to_owned(),
    }
}

fn sides_words<T: Ord>(sides: &Sides<T>, word: impl Fn(&T) -> String) -> String {
    let join = |set: &BTreeSet<T>| set.iter().map(&word).collect::<Vec<_>>().join(", ");
    both(join(&sides.include), &join(&sides.exclude))
}

fn location(id: &str, snapshot: &Snapshot) -> String {
    match id {
        "All" => "Any network or location".into(),
        "AllTrusted" => "All trusted networks and locations".into(),
        "00000000-0000-0000-0000-000000000000" => "MFA trusted IPs".into(),
        id => snapshot
            .locations
            .get(id)
            .map_or_else(|| format!("a named location that was not read ({id})"), |place| place.display_name.clone()),
    }
}

/// The portal's word for a platform.
#[must_use]
pub fn platform_word(platform: Platform) -> &'static str {
    if platform == Platform::All { "Any device" } else { cause_words::platform_word(&platform) }
}

/// The platform of a past sign-in; nothing where the log doesn't tell.
#[must_use]
pub fn seen_platform(platform: Known<Platform>) -> &'static str {
    match platform {
        Known::Is(platform) => platform_word(platform),
        Known::Absent => "an unknown platform",
        Known::Unknown => "",
    }
}

/// The portal's word for a client app.
#[must_use]
pub fn client_app_word(app: ClientAppType) -> &'static str {
    match app {
        ClientAppType::All => "All client apps",
        ClientAppType::EasSupported => "Exchange ActiveSync on supported platforms",
        other => cause_words::client_word(&other),
    }
}

fn client_apps(types: &BTreeSet<ClientAppType>) -> String {
    if types.contains(&ClientAppType::All) {
        return String::new();
    }
    types.iter().map(|app| client_app_word(*app)).collect::<Vec<_>>().join(", ")
}

fn levels(levels: &BTreeSet<RiskLevel>) -> String {
    let word = |level: &RiskLevel| match level {
        RiskLevel::None => "No risk",
        RiskLevel::Low => "Low",
        RiskLevel::Medium => "Medium",
        RiskLevel::High => "High",
    };
    levels.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn insider_levels(levels: &BTreeSet<InsiderRisk>) -> String {
    let word = |level: &InsiderRisk| match level {
        InsiderRisk::Minor => "Minor",
        InsiderRisk::Moderate => "Moderate",
        InsiderRisk::Elevated => "Elevated",
    };
    levels.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn agent_context_word(context: &str) -> &str {
    match context {
        "allAgentAssistedFlows" => "All agent-assisted flows",
        "allHostingApplicationFlows" => "All flows of hosting applications",
        "agentUserSessionsInitiatedFromEndpoints" => "Sessions of agents' users that began on a device",
        other => other,
    }
}

fn flows(flows: &BTreeSet<TransferMethod>) -> String {
    let word = |flow: &TransferMethod| match flow {
        TransferMethod::DeviceCodeFlow => "Device code flow",
        TransferMethod::AuthenticationTransfer => "Authentication transfer",
    };
    flows.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// What a policy grants access for, in the portal's words.
#[must_use]
pub fn grant_words(grant: &GrantControls, snapshot: &Snapshot) -> String {
    let controls: Vec<String> = grant.controls.iter().map(|control| control_word(control, snapshot)).collect();
    match (controls.as_slice(), grant.operator) {
        ([], _) => "Grant access".into(),
        ([one], _) => one.clone(),
        (_, Operator::And) => format!("Require all the selected controls: {}", controls.join(", ")),
        (_, Operator::Or) => format!("Require one of the selected controls: {}", controls.join(", ")),
    }
}

/// The portal's word for a control.
#[must_use]
pub fn control_word(control: &Control, snapshot: &Snapshot) -> String {
    match control {
        Control::Block => "Block access".into(),
        Control::Mfa => "Require multifactor authentication".into(),
        Control::CompliantDevice => "Require device to be marked as compliant".into(),
        Control::DomainJoinedDevice => "Require Microsoft Entra hybrid joined device".into(),
        Control::ApprovedApplication => "Require approved client app".into(),
        Control::CompliantApplication => "Require app protection policy".into(),
        Control::PasswordChange => "Require password change".into(),
        Control::RiskRemediation => "Require risk remediation".into(),
        Control::VerifiedId => "Require verified ID".into(),
        Control::TermsOfUse(id) => match snapshot.terms_of_use.get(id) {
            Some(name) => format!("Terms of use: {name}"),
            None => format!("Terms of use that were not read ({id})"),
        },
        Control::Custom(id) => format!("Custom control {id}"),
        Control::Strength(id) => {
            let name = snapshot.strengths.get(id).map_or(id, |strength| &strength.display_name);
            format!("Require authentication strength: {name}")
        }
        Control::Unknown(name) => format!("{name} (can't be judged)"),
    }
}

fn session(session: &SessionControls) -> String {
    session_words(session, session.sign_in_frequency.as_slice()).join(" · ")
}

/// Session controls in the portal's words, with these sign-in frequencies.
#[must_use]
pub fn session_words(session: &SessionControls, frequencies: &[SignInFrequency]) -> Vec<String> {
    let frequency = |one: &SignInFrequency| {
        let of_what = if one.secondary_only { " (secondary authentication methods only)" } else { "" };
        format!("Sign-in frequency: {}{of_what}", one.often())
    };
    let often: Vec<String> = frequencies.iter().map(frequency).collect();
    let flag = |set: bool, words: &str| set.then(|| words.to_owned());
    let before = [
        flag(session.application_enforced_restrictions, "App enforced restrictions"),
        session.cloud_app_security.as_ref().map(|kind| format!("Conditional Access App Control: {kind}")),
    ];
    let after = [
        session.persistent_browser.as_ref().map(|mode| format!("Persistent browser session: {mode}")),
        session.continuous_access_evaluation.as_ref().map(|mode| format!("Continuous access evaluation: {mode}")),
        flag(session.disable_resilience_defaults, "Disable resilience defaults"),
        flag(session.secure_sign_in_session, "Require token protection for sign-in sessions"),
        session.filtering_profile.as_ref().map(|id| format!("Global Secure Access profile {id}")),
    ];
    before.into_iter().flatten().chain(often).chain(after.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tenant::read_policy;

    fn told(body: &serde_json::Value) -> String {
        let lines = policy(&read_policy(body).unwrap(), &Snapshot::default());
        lines.into_iter().map(|(label, words)| format!("{label}: {words}\n")).collect()
    }

    #[test]
    fn whom_a_policy_for_workloads_and_agents_reaches_is_told() {
        let body = json!({"id": "p", "displayName": "P", "state": "enabled", "conditions": {
            "users": {"includeUsers": ["None"]}, "applications": {"includeApplications": ["All"],
                "applicationFilter": {"mode": "exclude", "rule": "CustomSecurityAttribute.CA_tier -eq \"0\""}},
            "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"],
                "excludeServicePrincipals": ["sp-1"], "includeAgentIdServicePrincipals": ["All"]},
            "servicePrincipalRiskLevels": ["high"], "agentIdRiskLevels": "medium,high",
            "agents": {"includeAgentUsers": ["All"]}, "agentContext": {"includeAgentContexts": ["allAgentAssistedFlows"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}});
        insta::assert_snapshot!(told(&body), @r#"
        Users: None
        Users of agents: All users of agents
        Workload identities: All owned service principals · Exclude: sp-1
        Agent identities: All agent identities
        Target resources: All resources · Exclude: filter: CustomSecurityAttribute.CA_tier -eq "0"
        Service principal risk: High
        Agent risk: Medium, High
        Agents take part: All agent-assisted flows
        Grant: Block access
        Enable policy: On
        "#);
    }

    #[test]
    fn whom_a_policy_is_for_is_said_in_one_line() {
        let said = |users: serde_json::Value, clients: serde_json::Value| {
            let body = json!({"id": "p", "displayName": "P", "state": "enabled", "conditions": {"users": users,
                "applications": {"includeApplications": ["All"]}, "clientApplications": clients}});
            whom(&read_policy(&body).unwrap(), &Snapshot::default())
        };
        let all = json!({"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]});
        assert_eq!(said(json!({"includeUsers": ["None"]}), all), "All owned service principals");
        let partner = json!({"guestOrExternalUserTypes": "serviceProvider",
            "externalTenants": {"membershipKind": "enumerated", "members": ["t"]}});
        let said = said(json!({"includeGuestsOrExternalUsers": partner}), json!(null));
        assert_eq!(said, "service provider users of 1 named organisation");
    }

    #[test]
    fn what_can_not_be_judged_is_told_too() {
        let body = json!({"id": "p", "displayName": "P", "state": "enabled", "conditions": {
            "users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]},
            "insiderRiskLevels": "moderate,elevated", "times": {"includeAllTimes": true}},
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}});
        insta::assert_snapshot!(told(&body), @r"
        Users: All users
        Target resources: All resources
        Insider risk: Moderate, Elevated
        Can't be judged: /conditions/times
        Grant: Block access
        Enable policy: On
        ");
    }
}
