//! A policy as Graph takes it (v1.0; beta members only where the policy has them), without what Graph sets itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::policy::{
    Agents, ClientApplications, Conditions, Control, Filter, GrantControls, Guests, Operator, Policy, SessionControls,
    Sides, SignInFrequency, UserSide, Users,
};
use super::words::Word;

/// The body of a policy: name, state, conditions and controls; no id, no times.
#[must_use]
pub fn write_policy(policy: &Policy) -> Value {
    json!({
        "displayName": policy.display_name,
        "state": policy.state.word(),
        "conditions": write_conditions(&policy.conditions),
        "grantControls": policy.grant.as_ref().map(write_grant),
        "sessionControls": policy.session.as_ref().map(write_session),
    })
}

/// The policy with what Graph sets itself, as a reading returns it; for exports and comparisons, never to be sent.
#[must_use]
pub fn export_policy(policy: &Policy) -> Value {
    let mut body = write_policy(policy);
    if let Some(members) = body.as_object_mut() {
        members.insert("id".to_owned(), json!(policy.id));
        members.insert("createdDateTime".to_owned(), json!(policy.created));
        members.insert("modifiedDateTime".to_owned(), json!(policy.modified));
        members.insert("templateId".to_owned(), json!(policy.template_id));
    }
    body
}

fn write_conditions(conditions: &Conditions) -> Value {
    let mut body = Map::new();
    body.insert("users".to_owned(), write_users(&conditions.users, conditions));
    body.insert("applications".to_owned(), write_applications(conditions));
    let types = list(&conditions.client_app_types);
    body.insert("clientAppTypes".to_owned(), if types.is_empty() { json!(["all"]) } else { json!(types) });
    let optional = [
        ("clientApplications", conditions.client_applications.as_ref().map(write_client_applications)),
        (
            "platforms",
            conditions.platforms.as_ref().map(
                |sides| json!({"includePlatforms": list(&sides.include), "excludePlatforms": list(&sides.exclude)}),
            ),
        ),
        ("locations", conditions.locations.as_ref().map(write_locations)),
        ("devices", conditions.device_filter.as_ref().map(|filter| json!({"deviceFilter": write_filter(filter)}))),
        ("signInRiskLevels", some_list(&conditions.sign_in_risk)),
        ("userRiskLevels", some_list(&conditions.user_risk)),
        ("servicePrincipalRiskLevels", some_list(&conditions.service_principal_risk)),
        ("agentIdRiskLevels", flags(&conditions.agent_risk)),
        ("insiderRiskLevels", flags(&conditions.insider_risk)),
        ("authenticationFlows", flags(&conditions.flows).map(|methods| json!({"transferMethods": methods}))),
        ("agents", conditions.agents.as_ref().map(write_agents)),
        (
            "agentContext",
            conditions
                .agent_contexts
                .as_ref()
                .map(|sides| json!({"includeAgentContexts": sides.include, "excludeAgentContexts": sides.exclude})),
        ),
    ];
    body.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Value::Object(body)
}

fn list<W: Word + Ord>(words: &BTreeSet<W>) -> Vec<&'static str> {
    words.iter().map(|word| word.word()).collect()
}

fn some_list<W: Word + Ord>(words: &BTreeSet<W>) -> Option<Value> {
    (!words.is_empty()).then(|| json!(list(words)))
}

/// Graph's flags: one comma-joined string.
fn flags<W: Word + Ord>(words: &BTreeSet<W>) -> Option<Value> {
    (!words.is_empty()).then(|| json!(list(words).join(",")))
}

fn write_users(users: &Users, conditions: &Conditions) -> Value {
    let mut body = Map::new();
    write_user_side(&mut body, "include", &users.include);
    write_user_side(&mut body, "exclude", &users.exclude);
    // A policy about workload identities or agents includes nobody, and Graph wants that said.
    let about_others = conditions.client_applications.is_some() || conditions.agents.is_some();
    if about_others && users.include == UserSide::default() {
        body.insert("includeUsers".to_owned(), json!(["None"]));
    }
    Value::Object(body)
}

fn write_user_side(body: &mut Map<String, Value>, side: &str, users: &UserSide) {
    let all = users.all.then_some("All");
    let listed = all.into_iter().chain(users.users.iter().map(String::as_str)).collect::<Vec<_>>();
    body.insert(format!("{side}Users"), json!(listed));
    body.insert(format!("{side}Groups"), json!(users.groups));
    body.insert(format!("{side}Roles"), json!(users.roles));
    if let Some(guests) = &users.guests {
        body.insert(format!("{side}GuestsOrExternalUsers"), write_guests(guests));
    }
}

fn write_guests(guests: &Guests) -> Value {
    let tenants = match &guests.tenants {
        None => json!({"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all"}),
        Some(members) => json!({
            "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
            "membershipKind": "enumerated", "members": members,
        }),
    };
    json!({"guestOrExternalUserTypes": list(&guests.types).join(","), "externalTenants": tenants})
}

fn write_applications(conditions: &Conditions) -> Value {
    let apps = &conditions.applications;
    let all = apps.all.then_some("All");
    let mut body = json!({
        "includeApplications": all.into_iter().chain(apps.include.iter().map(String::as_str)).collect::<Vec<_>>(),
        "excludeApplications": apps.exclude,
        "includeUserActions": apps.user_actions,
        "includeAuthenticationContextClassReferences": apps.contexts,
    });
    if let (Some(filter), Some(members)) = (&apps.filter, body.as_object_mut()) {
        members.insert("applicationFilter".to_owned(), write_filter(filter));
    }
    body
}

fn write_filter(filter: &Filter) -> Value {
    json!({"mode": filter.mode.word(), "rule": filter.rule})
}

fn write_locations(sides: &Sides<String>) -> Value {
    json!({"includeLocations": sides.include, "excludeLocations": sides.exclude})
}

fn write_client_applications(apps: &ClientApplications) -> Value {
    let mut body = Map::new();
    body.insert("includeServicePrincipals".to_owned(), json!(apps.include));
    body.insert("excludeServicePrincipals".to_owned(), json!(apps.exclude));
    let agents = [
        ("includeAgentIdServicePrincipals", &apps.include_agents),
        ("excludeAgentIdServicePrincipals", &apps.exclude_agents),
    ];
    for (name, ids) in agents.into_iter().filter(|(_, ids)| !ids.is_empty()) {
        body.insert(name.to_owned(), json!(ids));
    }
    if let Some(filter) = &apps.filter {
        body.insert("servicePrincipalFilter".to_owned(), write_filter(filter));
    }
    if let Some(filter) = &apps.agent_filter {
        body.insert("agentIdServicePrincipalFilter".to_owned(), write_filter(filter));
    }
    Value::Object(body)
}

fn write_agents(agents: &Agents) -> Value {
    let mut body = json!({"includeAgentUsers": agents.include, "excludeAgentUsers": agents.exclude});
    if let (Some(filter), Some(members)) = (&agents.filter, body.as_object_mut()) {
        members.insert("agentFilter".to_owned(), write_filter(filter));
    }
    body
}

/// The word of a control in `builtInControls`; none for controls that stand elsewhere.
#[must_use]
pub fn built_in_word(control: &Control) -> Option<&str> {
    Some(match control {
        Control::Block => "block",
        Control::Mfa => "mfa",
        Control::CompliantDevice => "compliantDevice",
        Control::DomainJoinedDevice => "domainJoinedDevice",
        Control::ApprovedApplication => "approvedApplication",
        Control::CompliantApplication => "compliantApplication",
        Control::PasswordChange => "passwordChange",
        Control::RiskRemediation => "riskRemediation",
        Control::VerifiedId => "verifiedID",
        Control::Unknown(word) => word,
        Control::TermsOfUse(_) | Control::Custom(_) | Control::Strength(_) => return None,
    })
}

fn write_grant(grant: &GrantControls) -> Value {
    let pick = |select: fn(&Control) -> Option<&str>| grant.controls.iter().filter_map(select).collect::<Vec<_>>();
    let strength = pick(|control| if let Control::Strength(id) = control { Some(id) } else { None });
    let mut body = json!({
        "operator": match grant.operator { Operator::And => "AND", Operator::Or => "OR" },
        "builtInControls": pick(built_in_word),
        "customAuthenticationFactors": pick(|control| if let Control::Custom(id) = control { Some(id) } else { None }),
        "termsOfUse": pick(|control| if let Control::TermsOfUse(id) = control { Some(id) } else { None }),
    });
    if let (Some(id), Some(members)) = (strength.first(), body.as_object_mut()) {
        members.insert("authenticationStrength".to_owned(), json!({"id": id}));
    }
    body
}

/// Session controls in Graph's words.
#[must_use]
pub fn write_session(session: &SessionControls) -> Value {
    let on = |set: bool| set.then(|| json!({"isEnabled": true}));
    let members = [
        ("applicationEnforcedRestrictions", on(session.application_enforced_restrictions)),
        (
            "cloudAppSecurity",
            session.cloud_app_security.as_ref().map(|kind| json!({"isEnabled": true, "cloudAppSecurityType": kind})),
        ),
        ("persistentBrowser", session.persistent_browser.as_ref().map(|mode| json!({"isEnabled": true, "mode": mode}))),
        ("signInFrequency", session.sign_in_frequency.map(write_frequency)),
        ("secureSignInSession", on(session.secure_sign_in_session)),
        ("disableResilienceDefaults", session.disable_resilience_defaults.then_some(json!(true))),
        ("continuousAccessEvaluation", session.continuous_access_evaluation.as_ref().map(|mode| json!({"mode": mode}))),
        (
            "globalSecureAccessFilteringProfile",
            session.filtering_profile.as_ref().map(|profile| json!({"isEnabled": true, "profileId": profile})),
        ),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

/// A sign-in frequency in Graph's words.
#[must_use]
pub fn write_frequency(frequency: SignInFrequency) -> Value {
    let who = if frequency.secondary_only { "secondaryAuthentication" } else { "primaryAndSecondaryAuthentication" };
    let (kind, value, interval) = match frequency.hours {
        None => (None, None, "everyTime"),
        // Graph takes hours up to 23, whole days above.
        Some(hours) if hours >= 24 && hours % 24 == 0 => (Some("days"), Some(hours / 24), "timeBased"),
        Some(hours) => (Some("hours"), Some(hours), "timeBased"),
    };
    json!({"isEnabled": true, "type": kind, "value": value, "authenticationType": who, "frequencyInterval": interval})
}
