//! Reads a `conditionalAccessPolicy` in every shape that real exports have.
//!
//! What can't be judged is never dropped: its pointer goes to [`Policy::undecided`], and verdicts that rest on it say so.

use std::collections::BTreeSet;

use serde_json::Value;

use super::controls::{read_grant, read_session};
use super::machines::{read_agent_contexts, read_agents, read_client_applications};
use super::node::{Node, is_empty};
use super::{ReadError, read_strength};
use crate::tenant::Strength;
use crate::tenant::policy::{
    Applications, Conditions, Filter, FilterMode, GuestType, Guests, Platform, Policy, PolicyState, Sides,
    TransferMethod, UserSide, Users,
};
use crate::tenant::well_known::ALL_AGENT_USERS;
use crate::tenant::words::Word;

/// Reads one policy.
///
/// # Errors
/// Names the place that isn't what the resource has there; nothing of a policy with an error is used.
pub fn read_policy(value: &Value) -> Result<Policy, ReadError> {
    let node = Node::root(value);
    if !value.is_object() {
        return Err(node.wrong("a policy object"));
    }
    let state = node.member("state");
    let known = state.text()?.and_then(PolicyState::parse);
    let mut undecided = Vec::new();
    let strategy = node.member("partialEnablementStrategy");
    if !is_empty(strategy.value()) {
        undecided.push(strategy.pointer());
    }
    Ok(Policy {
        id: node.member("id").id()?,
        display_name: node.member("displayName").string()?,
        state: known.ok_or_else(|| state.wrong("enabled, disabled or enabledForReportingButNotEnforced"))?,
        created: node.member("createdDateTime").time()?,
        modified: node.member("modifiedDateTime").time()?,
        template_id: node.member("templateId").filled()?,
        conditions: read_conditions(&node.member("conditions"), &mut undecided)?,
        grant: read_grant(node.member("grantControls"), &mut undecided)?,
        session: read_session(node.member("sessionControls"), &mut undecided)?,
        undecided,
    })
}

/// The whole authentication strength that Graph puts inside a policy, where it does.
///
/// # Errors
/// As [`read_policy`].
pub fn embedded_strength(policy: &Value) -> Result<Option<Strength>, ReadError> {
    let root = Node::root(policy);
    let grant = root.member("grantControls");
    let strength = grant.member("authenticationStrength");
    if strength.member("allowedCombinations").is_null() {
        return Ok(None);
    }
    read_strength(strength.value()).map(Some).map_err(|error| error.under(&strength.pointer()))
}

const CONDITION_MEMBERS: &[&str] = &[
    "users",
    "applications",
    "clientApplications",
    "clientAppTypes",
    "platforms",
    "locations",
    "devices",
    "signInRiskLevels",
    "userRiskLevels",
    "servicePrincipalRiskLevels",
    "agentIdRiskLevels",
    "insiderRiskLevels",
    "authenticationFlows",
    "agents",
    "agentContext",
];

fn read_conditions(node: &Node<'_>, undecided: &mut Vec<String>) -> Result<Conditions, ReadError> {
    if !node.value().is_object() {
        return Err(node.wrong("the policy's conditions"));
    }
    undecided.extend(node.others(CONDITION_MEMBERS).iter().map(Node::pointer));
    Ok(Conditions {
        users: read_users(node.member("users"), undecided)?,
        applications: read_applications(node.member("applications"), undecided)?,
        client_applications: read_client_applications(node.member("clientApplications"), undecided)?,
        client_app_types: words(&node.member("clientAppTypes"), undecided)?,
        platforms: read_platforms(node.member("platforms"), undecided)?,
        locations: read_locations(node.member("locations"), undecided)?,
        device_filter: read_devices(node.member("devices"), undecided)?,
        sign_in_risk: words(&node.member("signInRiskLevels"), undecided)?,
        user_risk: words(&node.member("userRiskLevels"), undecided)?,
        service_principal_risk: words(&node.member("servicePrincipalRiskLevels"), undecided)?,
        agent_risk: words(&node.member("agentIdRiskLevels"), undecided)?,
        insider_risk: words(&node.member("insiderRiskLevels"), undecided)?,
        flows: read_flows(node.member("authenticationFlows"), undecided)?,
        agents: read_agents(node.member("agents"), undecided)?,
        agent_contexts: read_agent_contexts(node.member("agentContext"), undecided)?,
    })
}

fn words<W: Word + Ord>(node: &Node<'_>, undecided: &mut Vec<String>) -> Result<BTreeSet<W>, ReadError> {
    let (known, unknown) = node.words(&["none"])?;
    undecided.extend(unknown);
    Ok(known)
}

fn read_users(node: Node<'_>, undecided: &mut Vec<String>) -> Result<Users, ReadError> {
    let node = node.object()?;
    undecided.extend(
        node.others(&[
            "includeUsers",
            "excludeUsers",
            "includeGroups",
            "excludeGroups",
            "includeRoles",
            "excludeRoles",
            "includeGuestsOrExternalUsers",
            "excludeGuestsOrExternalUsers",
        ])
        .iter()
        .map(Node::pointer),
    );
    Ok(Users {
        include: read_user_side(&node, "include", undecided)?,
        exclude: read_user_side(&node, "exclude", undecided)?,
    })
}

fn read_user_side(node: &Node<'_>, side: &str, undecided: &mut Vec<String>) -> Result<UserSide, ReadError> {
    let mut read = UserSide {
        groups: node.member(&format!("{side}Groups")).ids()?,
        roles: node.member(&format!("{side}Roles")).ids()?,
        guests: read_guests(node.member(&format!("{side}GuestsOrExternalUsers")), undecided)?,
        ..UserSide::default()
    };
    for word in node.member(&format!("{side}Users")).ids()? {
        match word.to_ascii_lowercase().as_str() {
            "all" => read.all = true,
            "none" => drop(read.users.insert("None".to_owned())),
            "allagentidusers" => drop(read.users.insert(ALL_AGENT_USERS.to_owned())),
            // The old keyword means every kind from everywhere, so it takes in whatever stands beside it.
            "guestsorexternalusers" => read.guests = Some(every_guest()),
            _ => drop(read.users.insert(word)),
        }
    }
    Ok(read)
}

fn every_guest() -> Guests {
    Guests { types: GuestType::WORDS.iter().map(|(_, kind)| *kind).collect(), tenants: None }
}

fn read_guests(node: Node<'_>, undecided: &mut Vec<String>) -> Result<Option<Guests>, ReadError> {
    let node = node.object()?;
    undecided.extend(node.others(&["guestOrExternalUserTypes", "externalTenants"]).iter().map(Node::pointer));
    let types: BTreeSet<GuestType> = words(&node.member("guestOrExternalUserTypes"), undecided)?;
    let tenants = node.member("externalTenants").object()?;
    undecided.extend(tenants.others(&["membershipKind", "members"]).iter().map(Node::pointer));
    let (kind, odata) = (tenants.member("membershipKind"), tenants.member("@odata.type").string()?);
    let (word, members) = (kind.string()?, tenants.member("members").ids()?);
    let enumerated = word.eq_ignore_ascii_case("enumerated") || odata.ends_with("EnumeratedExternalTenants");
    if !enumerated && !is_empty(kind.value()) && !word.eq_ignore_ascii_case("all") {
        undecided.push(format!("{} ({word})", kind.pointer()));
    }
    let tenants = (enumerated || !members.is_empty()).then_some(members);
    Ok((!types.is_empty()).then_some(Guests { types, tenants }))
}

fn read_applications(node: Node<'_>, undecided: &mut Vec<String>) -> Result<Applications, ReadError> {
    let node = node.object()?;
    let known = &[
        "includeApplications",
        "excludeApplications",
        "includeUserActions",
        "includeAuthenticationContextClassReferences",
        "applicationFilter",
    ];
    undecided.extend(node.others(known).iter().map(Node::pointer));
    let mut include = node.member("includeApplications").ids()?.into_iter().map(app_word).collect::<BTreeSet<_>>();
    let all = include.remove("All");
    Ok(Applications {
        all,
        include,
        exclude: node.member("excludeApplications").ids()?.into_iter().map(app_word).collect(),
        filter: read_filter(node.member("applicationFilter"), undecided)?,
        user_actions: lower(node.member("includeUserActions").strings()?),
        contexts: lower(node.member("includeAuthenticationContextClassReferences").strings()?),
    })
}

fn lower(words: Vec<&str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_ascii_lowercase).collect()
}

/// Keywords in Graph's spelling, whatever the export's (`all`, `Office 365`).
fn app_word(word: String) -> String {
    let squeezed = word.replace(' ', "");
    let known = ["All", "None", "Office365", "MicrosoftAdminPortals", "AllAgentIdResources"];
    known.into_iter().find(|known| known.eq_ignore_ascii_case(&squeezed)).map_or(word, str::to_owned)
}

fn read_platforms(node: Node<'_>, undecided: &mut Vec<String>) -> Result<Option<Sides<Platform>>, ReadError> {
    let node = node.object()?;
    undecided.extend(node.others(&["includePlatforms", "excludePlatforms"]).iter().map(Node::pointer));
    let include = words(&node.member("includePlatforms"), undecided)?;
    let exclude = words(&node.member("excludePlatforms"), undecided)?;
    Ok(sides(include, exclude))
}

fn read_locations(node: Node<'_>, undecided: &mut Vec<String>) -> Result<Option<Sides<String>>, ReadError> {
    let node = node.object()?;
    undecided.extend(node.others(&["includeLocations", "excludeLocations"]).iter().map(Node::pointer));
    let read = |name: &str| -> Result<BTreeSet<String>, ReadError> {
        Ok(node.member(name).ids()?.into_iter().map(location_word).collect())
    };
    Ok(sides(read("includeLocations")?, read("excludeLocations")?))
}

fn location_word(word: String) -> String {
    ["All", "AllTrusted"].into_iter().find(|known| known.eq_ignore_ascii_case(&word)).map_or(word, str::to_owned)
}

pub(super) fn sides<T: Ord>(include: BTreeSet<T>, exclude: BTreeSet<T>) -> Option<Sides<T>> {
    (!include.is_empty() || !exclude.is_empty()).then_some(Sides { include, exclude })
}

fn read_devices(node: Node<'_>, undecided: &mut Vec<String>) -> Result<Option<Filter>, ReadError> {
    let node = node.object()?;
    undecided.extend(node.others(&["deviceFilter"]).iter().map(Node::pointer));
    read_filter(node.member("deviceFilter"), undecided)
}

/// A filter; one without a rule is none, one with a rule and no mode can't be judged.
pub(super) fn read_filter(node: Node<'_>, undecided: &mut Vec<String>) -> Result<Option<Filter>, ReadError> {
    let node = node.object()?;
    undecided.extend(node.others(&["mode", "rule"]).iter().map(Node::pointer));
    let Some(rule) = node.member("rule").filled()? else { return Ok(None) };
    let mode = node.member("mode");
    let Some(mode) = mode.text()?.and_then(FilterMode::parse) else {
        undecided.push(mode.pointer());
        return Ok(None);
    };
    Ok(Some(Filter { mode, rule }))
}

fn read_flows(node: Node<'_>, undecided: &mut Vec<String>) -> Result<BTreeSet<TransferMethod>, ReadError> {
    let node = node.object()?;
    undecided.extend(node.others(&["transferMethods"]).iter().map(Node::pointer));
    words(&node.member("transferMethods"), undecided)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tenant::policy::{Control, InsiderRisk, Operator};
    use crate::tenant::write_policy;

    fn policy(conditions: &Value, grant: &Value) -> Policy {
        read_policy(&json!({"state": "enabled", "conditions": conditions, "grantControls": grant})).unwrap()
    }

    fn controls(grant: &Value) -> (Option<Operator>, Vec<Control>, Vec<String>) {
        let read = policy(&json!({}), grant);
        let operator = read.grant.as_ref().map(|grant| grant.operator);
        (operator, read.grant.into_iter().flat_map(|grant| grant.controls).collect(), read.undecided)
    }

    #[test]
    fn flags_come_as_text_or_array_and_null_or_none_is_nothing() {
        let flows = |methods: Value| {
            policy(&json!({"authenticationFlows": {"transferMethods": methods}}), &json!(null)).conditions.flows
        };
        let both = BTreeSet::from([TransferMethod::DeviceCodeFlow, TransferMethod::AuthenticationTransfer]);
        assert_eq!(flows(json!("deviceCodeFlow, authenticationTransfer")), both);
        assert_eq!(flows(json!(["deviceCodeFlow", "authenticationTransfer"])), both);
        assert_eq!(flows(json!("none")), BTreeSet::new());
        let read = policy(&json!({"insiderRiskLevels": "minor,elevated", "userRiskLevels": null}), &json!(null));
        assert_eq!(read.conditions.insider_risk, BTreeSet::from([InsiderRisk::Minor, InsiderRisk::Elevated]));
    }

    #[test]
    fn pascal_case_and_capital_words() {
        let read = read_policy(&json!({
            "Id": "P", "DisplayName": "Block", "State": "EnabledForReportingButNotEnforced",
            "Conditions": {"ClientAppTypes": ["Other"], "Users": {"IncludeUsers": ["all"]},
                "Applications": {"IncludeApplications": ["all", "Office 365"]}, "Devices": {"DeviceFilter": {"Mode": null, "Rule": null}}},
            "GrantControls": {"Operator": "or", "BuiltInControls": ["Block"]}
        }))
        .unwrap();
        assert_eq!((read.state, read.conditions.users.include.all), (PolicyState::ReportOnly, true));
        assert!(read.conditions.applications.all && read.conditions.applications.include.contains("Office365"));
        assert_eq!(read.conditions.device_filter, None);
        assert_eq!(read.undecided, Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be_judged_is_named_and_what_is_empty_is_not() {
        let read = policy(
            &json!({"times": {"includeAllTimes": true}, "clients": null, "deviceStates": {"includeStates": []},
                "agentSessionRiskLevels": "high", "platforms": {"includePlatforms": ["windows", "chromeOS"]},
                "clientAppTypes@odata.type": "#Collection(String)"}),
            &json!({"operator": "OR", "builtInControls": ["mfa", "compliantNetwork"]}),
        );
        assert_eq!(
            read.undecided,
            [
                "/conditions/agentSessionRiskLevels",
                "/conditions/times",
                "/conditions/platforms/includePlatforms/1 (chromeOS)",
                "/grantControls/builtInControls/1 (compliantNetwork)"
            ]
        );
    }

    #[test]
    fn members_that_may_narrow_a_filter_or_the_guests_meant_are_named() {
        let filter = json!({"mode": "include", "rule": "device.model -eq \"x\"", "within": "30 days"});
        let guests = json!({"guestOrExternalUserTypes": "internalGuest", "since": 2026,
            "externalTenants": {"membershipKind": "unknownFutureValue", "regions": ["EU"]}});
        let read = policy(
            &json!({"devices": {"deviceFilter": filter}, "users": {"includeGuestsOrExternalUsers": guests}}),
            &json!(null),
        );
        assert_eq!(
            read.undecided,
            [
                "/conditions/users/includeGuestsOrExternalUsers/since",
                "/conditions/users/includeGuestsOrExternalUsers/externalTenants/regions",
                "/conditions/users/includeGuestsOrExternalUsers/externalTenants/membershipKind (unknownFutureValue)",
                "/conditions/devices/deviceFilter/within"
            ]
        );
    }

    #[test]
    fn filters_for_agents_are_read() {
        let filter = json!({"mode": "include", "rule": "CustomSecurityAttribute.A_B -eq \"x\""});
        let read = policy(
            &json!({"clientApplications": {"agentIdServicePrincipalFilter": filter}, "agents": {"agentFilter": filter}}),
            &json!(null),
        );
        assert_eq!(read.undecided, Vec::<String>::new());
        let again = read_policy(&write_policy(&read)).unwrap();
        for conditions in [&read.conditions, &again.conditions] {
            assert!(conditions.client_applications.as_ref().unwrap().agent_filter.is_some());
            assert!(conditions.agents.as_ref().unwrap().filter.is_some());
        }
    }

    #[test]
    fn strengths_as_object_null_and_reference() {
        let strength = |id: &str| vec![Control::Strength(id.to_owned())];
        assert_eq!(controls(&json!({"authenticationStrength": {"id": "s"}})).1, strength("s"));
        for bind in [
            "https://graph.microsoft.com/v1.0/policies/authenticationStrengthPolicies/s",
            "policies/authenticationStrengthPolicies('s')",
        ] {
            let grant =
                json!({"operator": "OR", "authenticationStrength@odata.bind": bind, "authenticationStrength": null});
            assert_eq!(controls(&grant).1, strength("s"), "{bind}");
        }
        let of_nulls =
            json!({"BuiltInControls": ["mfa"], "AuthenticationStrength": {"Id": null, "AllowedCombinations": null}});
        assert_eq!(controls(&of_nulls).1, [Control::Mfa]);
    }

    #[test]
    fn operators_and_the_word_for_two_controls() {
        let two = [Control::Mfa, Control::PasswordChange];
        let read = controls(&json!({"operator": "OR", "builtInControls": ["MfaAndChangePassword"]}));
        assert_eq!((read.0, read.1.as_slice()), (Some(Operator::And), &two[..]));
        assert_eq!(controls(&json!({"operator": "AND", "builtInControls": ["mfa"]})).0, Some(Operator::Or));
        assert_eq!(controls(&json!({"builtInControls": ["mfa", "passwordChange"]})).2, ["/grantControls/operator"]);
        assert_eq!(controls(&json!({"operator": null, "builtInControls": []})).0, None);
    }

    #[test]
    fn keywords_for_users() {
        let users = policy(
            &json!({"users": {"includeUsers": ["All"], "excludeUsers": ["GuestsOrExternalUsers", "Current administrator will be excluded"],
                "includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": null, "externalTenants": null},
                "excludeGuestsOrExternalUsers": null}}),
            &json!(null),
        )
        .conditions
        .users;
        assert_eq!(users.include.guests, None);
        assert_eq!(users.exclude.guests.unwrap().types.len(), 6);
        assert!(users.exclude.users.contains("Current administrator will be excluded"));
    }

    #[test]
    fn a_wrong_place_is_named() {
        let error = |value: Value| read_policy(&value).unwrap_err().to_string();
        assert_eq!(error(json!([])), "the document: expected a policy object, found an array");
        assert_eq!(
            error(json!({"state": "on", "conditions": {}})),
            "/state: expected enabled, disabled or enabledForReportingButNotEnforced, found the text \"on\""
        );
        let users = json!({"state": "enabled", "conditions": {"users": {"includeUsers": [1]}}});
        assert_eq!(error(users), "/conditions/users/includeUsers/0: expected a string, found a number");
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let policy = policy(
            &json!({"clientAppTypes": ["browser"], "users": {"includeUsers": ["None"], "includeGroups": ["g"],
                    "excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "internalGuest,serviceProvider",
                        "externalTenants": {"membershipKind": "enumerated", "members": ["t"]}}},
                "applications": {"includeApplications": ["a"], "applicationFilter": {"mode": "exclude", "rule": "CustomSecurityAttribute.A_B -eq \"x\""}},
                "platforms": {"includePlatforms": ["all"], "excludePlatforms": ["iOS"]}, "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]},
                "devices": {"deviceFilter": {"mode": "include", "rule": "device.model -eq \"x\""}}, "agentIdRiskLevels": "high",
                "agentContext": {"includeAgentContexts": ["allAgentAssistedFlows"]},
                "authenticationFlows": {"transferMethods": "deviceCodeFlow"}, "signInRiskLevels": ["none", "low"]}),
            &json!({"operator": "AND", "builtInControls": ["compliantDevice"], "termsOfUse": ["tou"], "authenticationStrength": {"id": "s"}}),
        );
        let read = read_policy(&write_policy(&policy)).unwrap();
        assert_eq!(read, policy);
    }

    #[test]
    fn session_controls_read_back_the_same() {
        let session = json!({
            "applicationEnforcedRestrictions": {"isEnabled": true}, "cloudAppSecurity": {"isEnabled": false, "cloudAppSecurityType": "monitorOnly"},
            "persistentBrowser": {"isEnabled": true, "mode": "never"}, "secureSignInSession": null,
            "signInFrequency": {"isEnabled": true, "type": "days", "value": 7, "authenticationType": null, "frequencyInterval": null}
        });
        let policy = read_policy(
            &json!({"state": "enabled", "conditions": {"clientAppTypes": ["all"]}, "sessionControls": session}),
        )
        .unwrap();
        let read = policy.session.clone().unwrap();
        assert_eq!(read.sign_in_frequency.unwrap().hours, Some(168));
        assert_eq!((read.cloud_app_security, read.persistent_browser.as_deref()), (None, Some("never")));
        assert_eq!(read_policy(&write_policy(&policy)).unwrap(), policy);
    }
}
