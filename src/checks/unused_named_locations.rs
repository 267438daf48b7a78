//! Every named location is used, and none says what another one says.

use crate::facts::{Fact, Term};
use crate::tenant::location::Place;
use crate::tenant::{Kind, NamedLocation, Snapshot};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, HandOver, Severity, hand_over, policies, rows};

/// Every named location is used, and none says what another one says.
#[derive(Debug)]
pub(super) struct UnusedNamedLocations;

static ABOUT: About = About {
    id: "unused-named-locations",
    title: "Named locations that are unused or doubled",
    severity: Severity::Low,
    rationale: "A location that no policy names is forgotten, and of two that say the same only one is kept up to date.",
    references: &[],
    see_also: &["CIS 5.2.2.14"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for UnusedNamedLocations {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::NamedLocations) {
            let what = "named locations (namedLocations.json would settle it)";
            return listing::unread(context, (ABOUT.id, "unused_named_locations"), what);
        }
        let all: Vec<&NamedLocation> = snapshot.locations.values().collect();
        let found = all.iter().enumerate().filter_map(|(at, location)| {
            let earlier = all.iter().take(at).find(|other| other.place == location.place);
            match earlier {
                Some(other) => Some(doubled(context, location, other)),
                None => (!is_used(location, snapshot)).then(|| unused(context, location)),
            }
        });
        let mut finding = listing::finding(context, (ABOUT.id, "unused_named_locations"), found.collect());
        finding.not_checked.push("uses of named locations outside Conditional Access".to_owned());
        finding
    }
}

/// Named by a policy in any state. A kind that can't be judged counts as used, and so does a trusted one: without being
/// named it lowers the risk of sign-ins there and is what "All trusted locations" means, and Graph refuses to delete it.
fn is_used(location: &NamedLocation, snapshot: &Snapshot) -> bool {
    let judged = !matches!(&location.place, Place::CompliantNetwork | Place::Unknown(_));
    let mut named = snapshot.policies.iter().flat_map(policies::places);
    !judged || is_trusted(location) || named.any(|id| *id == location.id)
}

fn is_trusted(location: &NamedLocation) -> bool {
    matches!(&location.place, Place::Ip { trusted: true, .. })
}

fn unused(context: &Context<'_>, location: &NamedLocation) -> Listed {
    let evidence = context.evidence([rows::location(location, "named by no policy")]);
    let change = ("Named location", "named by no policy", "deleted");
    Listed {
        fact: Fact::new("unused_named_locations.unused", evidence)
            .with("location", Term::Name(location.display_name.clone())),
        cure: listing::hand_over(
            &location.id,
            format!("Delete the unused location {}", location.display_name),
            hand_over::named_location(location, change, None),
        ),
    }
}

fn doubled(context: &Context<'_>, location: &NamedLocation, other: &NamedLocation) -> Listed {
    let all = context.model.snapshot.policies.iter();
    let naming: Vec<_> = all.filter(|policy| policies::places(policy).any(|id| *id == location.id)).collect();
    let head = [rows::location(location, "the same places"), rows::location(other, "the same places")];
    let evidence = context.evidence(head.into_iter().chain(naming.iter().map(|policy| rows::policy(policy))));
    let before = if naming.is_empty() {
        "named by no policy".to_owned()
    } else {
        policies::names(naming.iter().copied()).join(", ")
    };
    let after = format!("{} named instead, and this one deleted", other.display_name);
    let action = hand_over::named_location(location, ("Policies that name it", &before, &after), None);
    // The command deletes alone: what is named or trusted, Graph refuses to delete, and only a person replaces it everywhere.
    let alone = naming.is_empty() && !is_trusted(location);
    let action = if alone { action } else { HandOver { powershell: String::new(), request: None, ..action } };
    Listed {
        fact: Fact::new("unused_named_locations.doubled", evidence)
            .with("location", Term::Name(location.display_name.clone()))
            .with("other", Term::Name(other.display_name.clone())),
        cure: listing::hand_over(
            &location.id,
            format!("Keep {} and drop {}", other.display_name, location.display_name),
            action,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_location_is_used_without_being_named() {
        let location = |trusted| NamedLocation {
            id: "l".into(),
            display_name: "Office".into(),
            place: Place::Ip { trusted, ranges: Vec::new() },
        };
        let tenant = Snapshot::default();
        assert!(is_used(&location(true), &tenant) && !is_used(&location(false), &tenant));
    }
}
