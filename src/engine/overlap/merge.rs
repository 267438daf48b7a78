//! Two policies that differ in little, as one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::tenant::Policy;
use crate::tenant::policy::{
    Applications, ClientAppType, Conditions, Control, GrantControls, Guests, Operator, Platform, SessionControls,
    Sides, UserSide, Users,
};
use crate::tenant::well_known::ALL_AGENT_USERS;

/// One policy in place of two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Merge {
    /// The conditions and controls in which the two differ, as the portal names them; one or two.
    pub differing: Vec<String>,
    /// The merged policy, with the name and state of the first.
    pub policy: Policy,
    /// No sign-in gains or loses a requirement. Otherwise those gain it that meet the one condition of the first policy
    /// and the other condition of the second, or the other way round; none loses one.
    pub exact: bool,
}

/// The two as one, if they have the same state and differ in at most two conditions, or in their controls alone.
pub(super) fn merge(one: &Policy, other: &Policy) -> Option<Merge> {
    if one.state != other.state || !one.undecided.is_empty() || !other.undecided.is_empty() {
        return None;
    }
    let differing = differing(one, other);
    let controls = differing.iter().any(|part| matches!(*part, "Grant" | "Session"));
    let conditions = differing.iter().any(|part| !matches!(*part, "Grant" | "Session"));
    if differing.is_empty() || differing.len() > 2 || (controls && conditions) {
        return None;
    }
    let policy = Policy {
        conditions: join(&one.conditions, &other.conditions)?,
        grant: join_grants(one, other)?,
        session: join_sessions(one.session.as_ref(), other.session.as_ref())?,
        ..one.clone()
    };
    let exact = controls || differing.len() == 1;
    // Where one policy's condition swallows the other's, the merged policy is a much wider one, not the two as one.
    let swallows = |part: &Policy| self::differing(&policy, part).len() < differing.len();
    if !exact && (swallows(one) || swallows(other)) {
        return None;
    }
    Some(Merge { differing: differing.into_iter().map(str::to_owned).collect(), policy, exact })
}

fn differing(one: &Policy, other: &Policy) -> Vec<&'static str> {
    let (mine, theirs) = (&one.conditions, &other.conditions);
    let parts = [
        ("Users", mine.users != theirs.users),
        ("Target resources", mine.applications != theirs.applications),
        (
            "Client apps",
            any_client(mine) != any_client(theirs)
                || (!any_client(mine) && mine.client_app_types != theirs.client_app_types),
        ),
        ("Device platforms", mine.platforms != theirs.platforms),
        ("Locations", mine.locations != theirs.locations),
        ("Sign-in risk", mine.sign_in_risk != theirs.sign_in_risk),
        ("User risk", mine.user_risk != theirs.user_risk),
        ("Insider risk", mine.insider_risk != theirs.insider_risk),
        ("Authentication flows", mine.flows != theirs.flows),
        ("Filter for devices", mine.device_filter != theirs.device_filter),
        ("Workload identities", mine.client_applications != theirs.client_applications || mine.agents != theirs.agents),
        ("Agents", mine.agent_contexts != theirs.agent_contexts || mine.agent_risk != theirs.agent_risk),
        ("Grant", one.grant != other.grant),
        ("Session", one.session != other.session),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(part, _)| part).collect()
}

fn any_client(conditions: &Conditions) -> bool {
    conditions.client_app_types.is_empty() || conditions.client_app_types.contains(&ClientAppType::All)
}

/// Conditions that everything meets which meets either; none where no condition says that.
fn join(one: &Conditions, other: &Conditions) -> Option<Conditions> {
    let alike = one.device_filter == other.device_filter
        && one.client_applications == other.client_applications
        && one.agents == other.agents
        && one.agent_contexts == other.agent_contexts
        && one.agent_risk == other.agent_risk
        && one.service_principal_risk == other.service_principal_risk;
    if !alike {
        return None;
    }
    Some(Conditions {
        users: join_users(&one.users, &other.users)?,
        applications: join_applications(&one.applications, &other.applications)?,
        client_app_types: if any_client(one) || any_client(other) {
            BTreeSet::from([ClientAppType::All])
        } else {
            &one.client_app_types | &other.client_app_types
        },
        platforms: join_sides(one.platforms.as_ref(), other.platforms.as_ref(), &Platform::All)?,
        locations: join_sides(one.locations.as_ref(), other.locations.as_ref(), &"All".to_owned())?,
        sign_in_risk: join_levels(&one.sign_in_risk, &other.sign_in_risk),
        user_risk: join_levels(&one.user_risk, &other.user_risk),
        insider_risk: join_levels(&one.insider_risk, &other.insider_risk),
        flows: join_levels(&one.flows, &other.flows),
        ..one.clone()
    })
}

/// Exclusion wins over all inclusion, so what differs there can't be joined.
fn join_users(one: &Users, other: &Users) -> Option<Users> {
    if one.exclude != other.exclude {
        return None;
    }
    let (mine, theirs) = (&one.include, &other.include);
    let include = UserSide {
        users: &mine.users | &theirs.users,
        all: mine.all || theirs.all,
        groups: &mine.groups | &theirs.groups,
        roles: &mine.roles | &theirs.roles,
        guests: join_guests(mine.guests.as_ref(), theirs.guests.as_ref())?,
    };
    // "All users" stands alone and takes everybody in but the user accounts of agents.
    let agents = include.users.iter().filter(|word| *word == ALL_AGENT_USERS).cloned().collect();
    let include = if include.all { UserSide { all: true, users: agents, ..UserSide::default() } } else { include };
    Some(Users { include, exclude: one.exclude.clone() })
}

#[expect(clippy::option_option, reason = "joined to nothing is not the same as not to be joined")]
fn join_guests(one: Option<&Guests>, other: Option<&Guests>) -> Option<Option<Guests>> {
    match (one, other) {
        (None, only) | (only, None) => Some(only.cloned()),
        (Some(one), Some(other)) if one.tenants == other.tenants || one.types == other.types => Some(Some(Guests {
            types: &one.types | &other.types,
            tenants: one.tenants.as_ref().zip(other.tenants.as_ref()).map(|(one, other)| one | other),
        })),
        _ => None,
    }
}

fn join_applications(one: &Applications, other: &Applications) -> Option<Applications> {
    if one == other {
        return Some(one.clone());
    }
    let apps_only =
        |apps: &Applications| apps.user_actions.is_empty() && apps.contexts.is_empty() && apps.filter.is_none();
    if one.exclude != other.exclude || !apps_only(one) || !apps_only(other) {
        return None;
    }
    let all = one.all || other.all;
    let include = if all { BTreeSet::new() } else { &one.include | &other.include };
    Some(Applications { all, include, ..one.clone() })
}

#[expect(clippy::option_option, reason = "no condition is not the same as not to be joined")]
fn join_sides<T: Ord + Clone>(
    one: Option<&Sides<T>>,
    other: Option<&Sides<T>>,
    everything: &T,
) -> Option<Option<Sides<T>>> {
    let completes = |rest: &Sides<T>, part: &Sides<T>| {
        rest.include.contains(everything) && part.exclude.is_empty() && rest.exclude.is_subset(&part.include)
    };
    match (one, other) {
        (None, _) | (_, None) => Some(None),
        (Some(one), Some(other)) if completes(one, other) || completes(other, one) => Some(None),
        (Some(one), Some(other)) if one.exclude == other.exclude => {
            Some(Some(Sides { include: &one.include | &other.include, exclude: one.exclude.clone() }))
        }
        _ => None,
    }
}

/// An empty list is met by everything.
fn join_levels<T: Ord + Clone>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> BTreeSet<T> {
    if one.is_empty() || other.is_empty() { BTreeSet::new() } else { one | other }
}

/// Both policies' controls required at once; only conjunctions can be joined.
#[expect(clippy::option_option, reason = "no controls are not the same as not to be joined")]
fn join_grants(one: &Policy, other: &Policy) -> Option<Option<GrantControls>> {
    let (mine, theirs) = match (&one.grant, &other.grant) {
        (mine, theirs) if mine == theirs => return Some(mine.clone()),
        (None, only) | (only, None) => return Some(only.clone()),
        (Some(mine), Some(theirs)) => (mine, theirs),
    };
    let all = |grant: &GrantControls| grant.operator == Operator::And || grant.controls.len() == 1;
    let controls = &mine.controls | &theirs.controls;
    let strengths = controls.iter().filter(|control| matches!(control, Control::Strength(_) | Control::Mfa)).count();
    let possible = all(mine) && all(theirs) && !controls.contains(&Control::Block) && strengths < 2;
    possible.then_some(Some(GrantControls { operator: Operator::And, controls }))
}

/// Session controls of both, where only one of them has any.
#[expect(clippy::option_option, reason = "no session controls are not the same as not to be joined")]
fn join_sessions(one: Option<&SessionControls>, other: Option<&SessionControls>) -> Option<Option<SessionControls>> {
    match (one, other) {
        (one, other) if one == other => Some(one.cloned()),
        (None, only) | (only, None) => Some(only.cloned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::policy;
    use super::*;

    fn merged(one: &[(&str, Value)], other: &[(&str, Value)]) -> Option<Merge> {
        merge(&policy("a", one), &policy("b", other))
    }

    fn apps(id: &str) -> (&'static str, Value) {
        ("applications", json!({"includeApplications": [id]}))
    }

    fn users(id: &str) -> (&'static str, Value) {
        ("users", json!({"includeGroups": [id], "excludeGroups": ["bg"]}))
    }

    #[test]
    fn one_difference_is_joined_exactly_and_two_are_not() {
        let exact = merged(&[users("g"), apps("x")], &[users("g"), apps("y")]).unwrap();
        assert!(exact.exact);
        assert_eq!(exact.differing, ["Target resources"]);
        assert_eq!(exact.policy.conditions.applications.include, BTreeSet::from(["x".into(), "y".into()]));
        let wider = merged(&[users("g"), apps("x")], &[users("h"), apps("y")]).unwrap();
        assert!(!wider.exact);
        assert_eq!(wider.differing, ["Users", "Target resources"]);
        assert_eq!(merged(&[users("g"), apps("All")], &[users("h"), apps("y")]), None);
    }

    #[test]
    fn what_completes_each_other_is_no_condition_any_more() {
        let places = |include: &[&str], exclude: &[&str]| {
            ("locations", json!({"includeLocations": include, "excludeLocations": exclude}))
        };
        let whole = merged(&[places(&["All"], &["hq"])], &[places(&["hq"], &[])]).unwrap();
        assert_eq!((whole.exact, whole.policy.conditions.locations), (true, None));
        assert_eq!(merged(&[places(&["All"], &["hq"])], &[places(&["branch"], &[])]), None);
        assert_eq!(merged(&[places(&["All"], &["hq"])], &[places(&["hq"], &["floor"])]), None);
    }

    #[test]
    fn controls_are_joined_when_the_conditions_are_the_same() {
        let ask = |control: &str| ("grantControls", json!({"operator": "OR", "builtInControls": [control]}));
        let joined = merged(&[ask("mfa")], &[ask("compliantDevice")]).unwrap();
        let grant = joined.policy.grant.unwrap();
        assert_eq!((grant.operator, grant.controls.len(), joined.exact), (Operator::And, 2, true));
        assert_eq!(merged(&[ask("mfa")], &[ask("block")]), None);
        assert_eq!(merged(&[ask("mfa"), apps("x")], &[ask("compliantDevice"), apps("y")]), None);
    }

    #[test]
    fn what_no_single_policy_can_say_is_not_merged() {
        let without = |id: &str| ("users", json!({"includeUsers": ["All"], "excludeGroups": [id]}));
        assert_eq!(merged(&[without("g")], &[without("h")]), None);
        let filter = |rule: &str| ("devices", json!({"deviceFilter": {"mode": "include", "rule": rule}}));
        assert_eq!(merged(&[filter("device.model -eq \"x\"")], &[filter("device.model -eq \"y\"")]), None);
    }
}
