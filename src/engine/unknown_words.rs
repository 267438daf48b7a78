//! What a condition holds that this version doesn't know: a word of a list, such as a device platform of next year, or a
//! whole member.
//!
//! A list is a union: a known word that hits decides, and only where none does the unknown one leaves it open. An unknown
//! member may widen its condition as well as narrow it; an exclusion that hits decides beside both.

use super::judge::Dimension;
use super::truth::Truth;
use crate::tenant::Policy;

/// What an unknown part can do to its condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// It includes more.
    Include,
    /// It takes out again.
    Exclude,
    /// The one or the other.
    Either,
}

/// The conditions as policies call them, in small letters.
const CONDITIONS: &[(&str, Dimension)] = &[
    ("users", Dimension::Identity),
    ("agents", Dimension::Identity),
    ("clientapplications", Dimension::Identity),
    ("applications", Dimension::Target),
    ("clientapptypes", Dimension::ClientApp),
    ("platforms", Dimension::Platform),
    ("locations", Dimension::Location),
    ("devices", Dimension::Device),
    ("signinrisklevels", Dimension::SignInRisk),
    ("userrisklevels", Dimension::UserRisk),
    ("serviceprincipalrisklevels", Dimension::ServicePrincipalRisk),
    ("insiderrisklevels", Dimension::InsiderRisk),
    ("authenticationflows", Dimension::Flow),
    ("agentidrisklevels", Dimension::AgentRisk),
    ("agentcontext", Dimension::AgentContext),
];

/// Members that are lists of words which include.
const LISTS: [&str; 2] = ["includeplatforms", "transfermethods"];

/// Where guests are named.
const GUESTS: &str = "guestsorexternalusers";

/// The steps of a pointer below `/conditions`, in small letters, without the word that may stand behind it.
fn steps(pointer: &str) -> Option<Vec<String>> {
    let pointer = pointer.to_ascii_lowercase();
    let (place, _) = pointer.split_once(" (").unwrap_or((&pointer, ""));
    Some(place.strip_prefix("/conditions/")?.split('/').map(str::to_owned).collect())
}

/// Whether an entry of a list of ids is none, but a word, a name, an address, a placeholder or a sentence: ids have hyphens,
/// and no other signs.
pub(super) fn is_word(entry: &str) -> bool {
    !entry.contains('-') || entry.contains(|character: char| !character.is_alphanumeric() && !"-_.".contains(character))
}

/// The condition in which the unknown part at a pointer stands, and what it can do there; none where it is a condition of its
/// own, which no other decides.
pub(super) fn of(pointer: &str) -> Option<(Dimension, Side)> {
    let steps = steps(pointer)?;
    let (_, dimension) = CONDITIONS.iter().find(|(name, _)| steps.first().is_some_and(|step| step == name))?;
    let member = steps.get(1).map_or("", String::as_str);
    // The items of a list have numbers; several words in one text have none.
    let in_list = member.is_empty() || member.parse::<usize>().is_ok() || LISTS.contains(&member);
    let side = match member {
        _ if in_list => Side::Include,
        _ if member.starts_with("exclude") => Side::Exclude,
        _ => Side::Either,
    };
    Some((*dimension, side))
}

/// What isn't known on one side of a policy's users.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub(super) struct UnknownUsers {
    /// Somebody more may be named.
    pub(super) widened: bool,
    /// Not all who are named may be meant.
    pub(super) narrowed: bool,
    /// A kind of guest is named: any guest may be of it.
    pub(super) guest_kinds: bool,
    /// Which organisations' guests are meant isn't known.
    pub(super) guest_homes: bool,
}

/// What isn't known on this side of a policy's users. What stands beside the users of a policy for people may narrow whom it
/// includes.
pub(super) fn users(policy: &Policy, side: Side) -> UnknownUsers {
    let mut found = UnknownUsers::default();
    for steps in policy.undecided.iter().filter_map(|pointer| steps(pointer)) {
        let [condition, rest @ ..] = steps.as_slice() else { continue };
        let member = rest.first().map_or("", String::as_str);
        let of_side = member.starts_with("exclude") == (side == Side::Exclude);
        match (condition.as_str(), rest.get(1).map(String::as_str)) {
            ("users", _) if !of_side => {}
            ("users", Some("guestorexternalusertypes")) if member.ends_with(GUESTS) => found.guest_kinds = true,
            ("users", Some(_)) if member.ends_with(GUESTS) => found.guest_homes = true,
            ("users", _) => {
                found.widened = true;
                found.narrowed |= side == Side::Include;
            }
            ("agents" | "clientapplications", _) => found.narrowed |= side == Side::Include,
            _ => {}
        }
    }
    found
}

/// Whether a condition holds a part that isn't known.
pub(super) fn within(policy: &Policy, condition: &str) -> bool {
    policy.undecided.iter().any(|pointer| is_within(pointer, condition))
}

fn is_within(pointer: &str, condition: &str) -> bool {
    steps(pointer).is_some_and(|steps| steps.first().is_some_and(|first| first == condition))
}

/// A condition that is met, or not, by what is known of it, with the unknown counted; `reachable` says whether no known
/// exclusion takes the sign-in out. Users are weighed where they are looked up; identities that aren't people are included by
/// `clientApplications` alone.
pub(super) fn weigh(policy: &Policy, dimension: Dimension, met: Truth, reachable: impl FnOnce() -> Truth) -> Truth {
    let side_of = |pointer: &String| {
        let (_, side) = of(pointer).filter(|(of, _)| *of == dimension)?;
        let beside = dimension == Dimension::Identity && !is_within(pointer, "clientapplications");
        Some(if beside { Side::Exclude } else { side })
    };
    let sides: Vec<Side> = policy.undecided.iter().filter_map(side_of).collect();
    let widened = sides.iter().any(|side| *side != Side::Exclude);
    let narrowed = sides.iter().any(|side| *side != Side::Include);
    let more = if widened { Truth::Maybe.and(reachable()) } else { Truth::No };
    // Without any known word a list would stand for no condition at all.
    let met = if widened && lists_nothing(policy, dimension) { more } else { met.or(more) };
    if narrowed { met.and(Truth::Maybe) } else { met }
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
        Dimension::Platform => conditions.platforms.as_ref().is_none_or(|sides| sides.include.is_empty()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_part_is_of_the_condition_that_it_stands_in() {
        let side = |pointer: &str| of(pointer).map(|(_, side)| side);
        assert_eq!(
            of("/conditions/platforms/includePlatforms/1 (chromeOS)"),
            Some((Dimension::Platform, Side::Include))
        );
        assert_eq!(side("/Conditions/Platforms/ExcludePlatforms/0 (chromeOS)"), Some(Side::Exclude));
        assert_eq!(of("/conditions/insiderRiskLevels (a/b)"), Some((Dimension::InsiderRisk, Side::Include)));
        assert_eq!(of("/conditions/signInRiskLevels/0 (severe)"), Some((Dimension::SignInRisk, Side::Include)));
        assert_eq!(of("/conditions/applications/networkAccess"), Some((Dimension::Target, Side::Either)));
        assert_eq!(of("/conditions/users/excludeThings"), Some((Dimension::Identity, Side::Exclude)));
        assert_eq!(of("/conditions/devices/deviceFilter/mode"), Some((Dimension::Device, Side::Either)));
        assert_eq!((of("/conditions/times"), of("/grantControls/operator")), (None, None));
    }
}
