//! Words of a condition's list that this version doesn't know, such as a device platform of next year.
//!
//! A list is a union: a known word that hits decides, and only where none does the unknown one leaves it open.

use super::judge::Dimension;
use super::truth::Truth;
use crate::tenant::Policy;

/// The list that an unknown word stands in includes, or takes out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Include,
    Exclude,
}

/// Lists of words below a policy's `/conditions/`, with the condition that they belong to.
const LISTS: &[(&str, Dimension, Side)] = &[
    ("clientAppTypes/", Dimension::ClientApp, Side::Include),
    ("platforms/includePlatforms/", Dimension::Platform, Side::Include),
    ("platforms/excludePlatforms/", Dimension::Platform, Side::Exclude),
    ("signInRiskLevels/", Dimension::SignInRisk, Side::Include),
    ("userRiskLevels/", Dimension::UserRisk, Side::Include),
    ("servicePrincipalRiskLevels/", Dimension::ServicePrincipalRisk, Side::Include),
    ("insiderRiskLevels", Dimension::InsiderRisk, Side::Include),
    ("authenticationFlows/transferMethods", Dimension::Flow, Side::Include),
    ("agentIdRiskLevels", Dimension::AgentRisk, Side::Include),
    ("users/includeGuestsOrExternalUsers/guestOrExternalUserTypes", Dimension::Identity, Side::Include),
    ("users/excludeGuestsOrExternalUsers/guestOrExternalUserTypes", Dimension::Identity, Side::Exclude),
];

/// Whether an entry of a list of ids is none, but a word, a name, an address, a placeholder or a sentence: ids have hyphens,
/// and no other signs.
pub(super) fn is_word(entry: &str) -> bool {
    !entry.contains('-') || entry.contains(|character: char| !character.is_alphanumeric() && !"-_.".contains(character))
}

/// The list in which the word at a pointer stands; none where it is no word of a list.
pub(super) fn of(pointer: &str) -> Option<(Dimension, Side)> {
    let below = pointer.strip_prefix("/conditions/")?;
    LISTS.iter().find(|(list, ..)| below.starts_with(list)).map(|(_, dimension, side)| (*dimension, *side))
}

/// Whether a side of a policy's users names a kind of guest that isn't known.
pub(super) fn guests(policy: &Policy, side: Side) -> bool {
    policy.undecided.iter().any(|pointer| of(pointer) == Some((Dimension::Identity, side)))
}

/// A condition that is met, or not, by its known words, with the unknown ones counted. Kinds of guests are counted with
/// the other users.
pub(super) fn weigh(policy: &Policy, dimension: Dimension, met: Truth) -> Truth {
    if policy.undecided.is_empty() || dimension == Dimension::Identity {
        return met;
    }
    let sides = policy.undecided.iter().filter_map(|pointer| of(pointer)).filter(|(of, _)| *of == dimension);
    sides.fold(met, |met, (_, side)| match side {
        // Without any known word the list would stand for no condition at all.
        Side::Include if lists_nothing(policy, dimension) => Truth::Maybe,
        Side::Include => met.or(Truth::Maybe),
        Side::Exclude => met.and(Truth::Maybe),
    })
}

fn lists_nothing(policy: &Policy, dimension: Dimension) -> bool {
    let conditions = &policy.conditions;
    match dimension {
        Dimension::ClientApp => conditions.client_app_types.is_empty(),
        Dimension::SignInRisk => conditions.sign_in_risk.is_empty(),
        Dimension::UserRisk => conditions.user_risk.is_empty(),
        Dimension::ServicePrincipalRisk => conditions.service_principal_risk.is_empty(),
        Dimension::InsiderRisk => conditions.insider_risk.is_empty(),
        Dimension::Flow => conditions.flows.is_empty(),
        Dimension::AgentRisk => conditions.agent_risk.is_empty(),
        _ => conditions.platforms.as_ref().is_none_or(|sides| sides.include.is_empty()),
    }
}
