//! Whether a policy is about no more sign-ins than another one, as far as their conditions say so side by side.

use std::collections::BTreeSet;

use crate::tenant::policy::{ClientAppType, Conditions, Sides};
use crate::tenant::{Policy, version::canonical_conditions};

/// Whether a policy is about no more people and sign-ins than another; exclusions of people aside.
pub(super) fn policy(inner: &Policy, outer: &Policy) -> bool {
    let (of, among) = (&inner.conditions.users.include, &outer.conditions.users.include);
    let named = !of.all
        && of.users.is_subset(&among.users)
        && of.groups.is_subset(&among.groups)
        && of.roles.is_subset(&among.roles)
        && (of.guests.is_none() || of.guests == among.guests);
    (among.all || named) && sign_ins(inner, outer)
}

/// The same of sign-ins alone, whoever makes them.
pub(super) fn sign_ins(inner: &Policy, outer: &Policy) -> bool {
    let inner = &canonical_conditions(&inner.conditions);
    let outer = &canonical_conditions(&outer.conditions);
    resources(inner, outer)
        && clients(inner, outer)
        && listed(&inner.sign_in_risk, &outer.sign_in_risk)
        && listed(&inner.user_risk, &outer.user_risk)
        && listed(&inner.insider_risk, &outer.insider_risk)
        && listed(&inner.flows, &outer.flows)
        && sides(inner.platforms.as_ref(), outer.platforms.as_ref())
        && sides(inner.locations.as_ref(), outer.locations.as_ref())
        // What one filter takes in is no part of what another one does.
        && (outer.device_filter.is_none() || inner.device_filter == outer.device_filter)
        && subjects(inner, outer)
}

/// Whether both are about the same workload identities and agents, or about none.
fn subjects(inner: &Conditions, outer: &Conditions) -> bool {
    inner.client_applications == outer.client_applications
        && inner.agents == outer.agents
        && inner.agent_contexts == outer.agent_contexts
        && listed(&inner.service_principal_risk, &outer.service_principal_risk)
        && listed(&inner.agent_risk, &outer.agent_risk)
}

/// Whether one list of a condition is no longer than another, of which an empty one means no condition.
fn listed<T: Ord>(inner: &BTreeSet<T>, outer: &BTreeSet<T>) -> bool {
    outer.is_empty() || (!inner.is_empty() && inner.is_subset(outer))
}

fn sides<T: Ord>(inner: Option<&Sides<T>>, outer: Option<&Sides<T>>) -> bool {
    match (inner, outer) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(inner), Some(outer)) => {
            inner.include.is_subset(&outer.include) && outer.exclude.is_subset(&inner.exclude)
        }
    }
}

fn clients(inner: &Conditions, outer: &Conditions) -> bool {
    let any = |of: &Conditions| of.client_app_types.is_empty() || of.client_app_types.contains(&ClientAppType::All);
    any(outer) || (!any(inner) && inner.client_app_types.is_subset(&outer.client_app_types))
}

fn resources(inner: &Conditions, outer: &Conditions) -> bool {
    let (inner, outer) = (&inner.applications, &outer.applications);
    let apps = outer.all || (!inner.all && inner.include.is_subset(&outer.include));
    let filters = inner.filter == outer.filter || (outer.all && outer.filter.is_none());
    apps && filters
        && outer.exclude.is_subset(&inner.exclude)
        && inner.user_actions.is_subset(&outer.user_actions)
        && inner.contexts.is_subset(&outer.contexts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::policy::{Filter, FilterMode};

    fn block() -> Policy {
        let mut policy = Policy::default();
        policy.conditions.users.include.all = true;
        policy.conditions.applications.all = true;
        policy.conditions.device_filter = Some(filter("device.model -eq \"old\""));
        policy.conditions.applications.exclude.insert("mail".into());
        policy
    }

    fn filter(rule: &str) -> Filter {
        Filter { mode: FilterMode::Include, rule: rule.into() }
    }

    #[test]
    fn what_a_policy_is_about_beside_is_no_part_of_another() {
        let wanted = block();
        assert!(policy(&wanted, &wanted));
        let beside = |change: fn(&mut Conditions)| {
            let mut other = block();
            change(&mut other.conditions);
            policy(&other, &wanted)
        };
        assert!(!beside(|other| other.device_filter = Some(filter("device.model -ne \"old\""))), "another filter");
        assert!(!beside(|other| other.device_filter = None), "any device");
        assert!(!beside(|other| _ = other.applications.user_actions.insert("urn".into())), "a user action");
        assert!(!beside(|other| other.applications.exclude.clear()), "an app that is left out");
        assert!(
            !beside(|other| other.client_applications = Some(crate::tenant::policy::ClientApplications::default()))
        );
        let only = |other: &mut Conditions, app: &str| {
            other.applications.all = false;
            other.applications.include.insert(app.into());
        };
        let mut mail = block();
        only(&mut mail.conditions, "mail");
        mail.conditions.applications.exclude.clear();
        assert!(!policy(&mail, &wanted), "the app that is left out alone");
        let mut chat = block();
        only(&mut chat.conditions, "chat");
        assert!(policy(&chat, &wanted));
    }
}
