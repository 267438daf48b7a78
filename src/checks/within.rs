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
        && (outer.device_filter.is_none() || inner.device_filter.is_some())
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
    let named = !inner.all
        && inner.include.is_subset(&outer.include)
        && inner.user_actions.is_subset(&outer.user_actions)
        && inner.contexts.is_subset(&outer.contexts);
    named || (outer.all && (!inner.all || outer.exclude.is_subset(&inner.exclude)))
}
