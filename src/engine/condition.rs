//! The conditions beside identity and target: client apps, platforms, risk, flows. Absent or empty is met by everything.
//!
//! Source: Microsoft Learn, Conditional Access: Conditions; Authentication flows.

use std::collections::BTreeSet;

use super::truth::Truth;
use crate::tenant::policy::{ClientAppType, Platform, RiskLevel, Sides};
use crate::tenant::sign_in::{Known, SignIn};

/// What the client can be.
pub(super) const EVERY_CLIENT: [ClientAppType; 4] = [
    ClientAppType::Browser,
    ClientAppType::MobileAppsAndDesktopClients,
    ClientAppType::ExchangeActiveSync,
    ClientAppType::Other,
];

/// Client apps. `easSupported` is Exchange `ActiveSync` on a known platform.
pub(super) fn client_app(
    types: &BTreeSet<ClientAppType>,
    app: &Known<ClientAppType>,
    platform: &Known<Platform>,
) -> Truth {
    if types.is_empty() || types.contains(&ClientAppType::All) {
        return Truth::Yes;
    }
    let app = match app {
        // Whichever of the four it is.
        Known::Unknown if EVERY_CLIENT.iter().all(|one| types.contains(one)) => return Truth::Yes,
        Known::Unknown => return Truth::Maybe,
        Known::Absent => return Truth::No,
        Known::Is(app) => *app,
    };
    let active_sync = matches!(app, ClientAppType::ExchangeActiveSync | ClientAppType::EasSupported);
    if types.contains(&app) || (active_sync && types.contains(&ClientAppType::ExchangeActiveSync)) {
        return Truth::Yes;
    }
    if !active_sync || !types.contains(&ClientAppType::EasSupported) {
        return Truth::No;
    }
    match platform {
        Known::Unknown => Truth::Maybe,
        Known::Absent => Truth::No,
        Known::Is(_) => Truth::Yes,
    }
}

/// Device platforms, as claimed. An unknown one is reached only through `all`.
pub(super) fn platform(condition: Option<&Sides<Platform>>, platform: &Known<Platform>) -> Truth {
    let Some(sides) = condition.filter(|sides| !sides.include.is_empty() || !sides.exclude.is_empty()) else {
        return Truth::Yes;
    };
    let hit = |side: &BTreeSet<Platform>| match platform {
        _ if side.contains(&Platform::All) => Truth::Yes,
        Known::Is(platform) => side.contains(platform).into(),
        Known::Unknown if !side.is_empty() => Truth::Maybe,
        Known::Unknown | Known::Absent => Truth::No,
    };
    hit(&sides.include).and(hit(&sides.exclude).negate())
}

/// Risk levels are discrete; no risk is the level `none`.
pub(super) fn risk(levels: &BTreeSet<RiskLevel>, level: &Known<RiskLevel>) -> Truth {
    let every = [RiskLevel::None, RiskLevel::Low, RiskLevel::Medium, RiskLevel::High];
    match level {
        _ if levels.is_empty() => Truth::Yes,
        Known::Unknown if every.iter().all(|level| levels.contains(level)) => Truth::Yes,
        Known::Unknown => Truth::Maybe,
        Known::Absent => levels.contains(&RiskLevel::None).into(),
        Known::Is(level) => levels.contains(level).into(),
    }
}

/// Insider risk and authentication flows: a sign-in without one is never hit.
pub(super) fn listed<T: Ord>(values: &BTreeSet<T>, value: &Known<T>) -> Truth {
    match value {
        _ if values.is_empty() => Truth::Yes,
        Known::Unknown => Truth::Maybe,
        Known::Absent => Truth::No,
        Known::Is(value) => values.contains(value).into(),
    }
}

/// How an agent takes part: a person's own sign-in is in none of the contexts.
pub(super) fn agent_context(condition: Option<&Sides<String>>, sign_in: &SignIn) -> Truth {
    let (Some(sides), Known::Is(context)) = (condition, &sign_in.agent_context) else {
        let open = condition.is_some() && sign_in.agent_context == Known::Unknown;
        return if open { Truth::Maybe } else { condition.is_none().into() };
    };
    (sides.include.contains(context) && !sides.exclude.contains(context)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_platform_is_what_remains_of_all() {
        let named = [Platform::Android, Platform::Ios, Platform::Windows];
        let rest = Sides { include: BTreeSet::from([Platform::All]), exclude: BTreeSet::from(named) };
        assert_eq!(platform(Some(&rest), &Known::Absent), Truth::Yes);
        assert_eq!(platform(Some(&rest), &Known::Is(Platform::Windows)), Truth::No);
        assert_eq!(platform(Some(&rest), &Known::Unknown), Truth::Maybe);
        let some = Sides { include: BTreeSet::from(named), exclude: BTreeSet::new() };
        assert_eq!(platform(Some(&some), &Known::Absent), Truth::No);
    }

    #[test]
    fn levels_are_discrete_and_hidden_risk_is_not_guessed() {
        let medium = BTreeSet::from([RiskLevel::Medium]);
        assert_eq!(risk(&medium, &Known::Is(RiskLevel::High)), Truth::No);
        assert_eq!(risk(&medium, &Known::Unknown), Truth::Maybe);
        assert_eq!(risk(&BTreeSet::from([RiskLevel::None]), &Known::Absent), Truth::Yes);
    }

    #[test]
    fn what_takes_in_every_value_asks_for_none() {
        let every = BTreeSet::from([RiskLevel::None, RiskLevel::Low, RiskLevel::Medium, RiskLevel::High]);
        assert_eq!(risk(&every, &Known::Unknown), Truth::Yes);
        assert_eq!(client_app(&EVERY_CLIENT.into(), &Known::Unknown, &Known::Unknown), Truth::Yes);
        let modern = BTreeSet::from([ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients]);
        assert_eq!(client_app(&modern, &Known::Unknown, &Known::Unknown), Truth::Maybe);
    }

    #[test]
    fn exchange_active_sync_on_supported_platforms_needs_a_platform() {
        let supported = BTreeSet::from([ClientAppType::EasSupported]);
        let eas = Known::Is(ClientAppType::ExchangeActiveSync);
        assert_eq!(client_app(&supported, &eas, &Known::Absent), Truth::No);
        assert_eq!(client_app(&supported, &eas, &Known::Is(Platform::Ios)), Truth::Yes);
    }
}
