//! What checks ask of policies one by one: which are On, whom they are about, what they name.

use crate::tenant::policy::{ClientAppType, Control, GuestType, Guests, PolicyState};
use crate::tenant::{Policy, Snapshot};

/// Policies that are On.
pub fn on(snapshot: &Snapshot) -> impl Iterator<Item = &Policy> {
    snapshot.policies.iter().filter(|policy| policy.state == PolicyState::Enabled)
}

/// Policies that are On or report-only.
pub fn live(snapshot: &Snapshot) -> impl Iterator<Item = &Policy> {
    snapshot.policies.iter().filter(|policy| policy.state != PolicyState::Disabled)
}

/// Whether a policy blocks.
#[must_use]
pub fn blocks(policy: &Policy) -> bool {
    policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::Block))
}

/// Whether a policy bears on everyday sign-ins: all resources, modern clients, no flow and no risk needed, and a grant.
#[must_use]
pub fn is_everyday(policy: &Policy) -> bool {
    let conditions = &policy.conditions;
    let modern = [ClientAppType::All, ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients];
    let types = &conditions.client_app_types;
    conditions.applications.all
        && (types.is_empty() || modern.iter().any(|modern| types.contains(modern)))
        && conditions.flows.is_empty()
        && conditions.sign_in_risk.is_empty()
        && conditions.user_risk.is_empty()
        && conditions.insider_risk.is_empty()
        && conditions.client_applications.is_none()
        && conditions.agents.is_none()
        && policy.grant.as_ref().is_some_and(|grant| !grant.controls.is_empty())
}

/// Whether a policy takes in guests of other organisations (B2B collaboration), at least those of one.
#[must_use]
pub fn takes_in_guests(policy: &Policy) -> bool {
    let (guest, users) = (GuestType::B2bCollaborationGuest, &policy.conditions.users);
    let included = users.include.guests.as_ref().is_some_and(|guests| guests.types.contains(&guest));
    let excluded = |guests: &Guests| guests.types.contains(&guest) && guests.tenants.is_none();
    (users.include.all || included) && !users.exclude.guests.as_ref().is_some_and(excluded)
}

/// Ids of the named locations that a policy includes or excludes, keywords among them.
pub fn places(policy: &Policy) -> impl Iterator<Item = &String> {
    policy.conditions.locations.iter().flat_map(|sides| sides.include.iter().chain(&sides.exclude))
}

/// Names of policies, for a list.
pub fn names<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Vec<String> {
    policies.into_iter().map(|policy| policy.display_name.clone()).collect()
}
