//! No policy names a location that holds nothing.

use crate::facts::{Fact, Term};
use crate::tenant::location::Place;
use crate::tenant::{Kind, NamedLocation};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, hand_over, policies, rows};

/// No policy names a location that holds nothing.
#[derive(Debug)]
pub(super) struct EmptyNamedLocations;

static ABOUT: About = About {
    id: "empty-named-locations",
    title: "Named locations that hold nothing",
    severity: Severity::Medium,
    rationale: "No sign-in comes from an empty location: a policy that includes it applies to nobody, and one that excludes it lets nobody out.",
    references: &[],
    see_also: &["CIS 5.2.2.14"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for EmptyNamedLocations {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::NamedLocations) {
            let what = "named locations (namedLocations.json would settle it)";
            return listing::unread(context, (ABOUT.id, "empty_named_locations"), what);
        }
        let empty = snapshot.locations.values().filter(|location| is_empty(&location.place));
        let listed = empty.map(|location| listed(location, context)).collect();
        listing::finding(context, (ABOUT.id, "empty_named_locations"), listed)
    }
}

/// Without addresses that a sign-in can come from, or without countries.
fn is_empty(place: &Place) -> bool {
    match place {
        Place::Ip { ranges, .. } => ranges.iter().all(crate::tenant::location::IpRange::is_private),
        Place::Country { countries, include_unknown, .. } => countries.is_empty() && !include_unknown,
        Place::CompliantNetwork | Place::Unknown(_) => false,
    }
}

fn listed(location: &NamedLocation, context: &Context<'_>) -> Listed {
    let naming: Vec<_> = policies::live(&context.model.snapshot)
        .filter(|policy| policies::places(policy).any(|id| *id == location.id))
        .collect();
    let head = rows::location(location, "no public address and no country");
    let evidence = context.evidence(std::iter::once(head).chain(naming.iter().map(|policy| rows::policy(policy))));
    let key = if naming.is_empty() { "empty_named_locations.unused" } else { "empty_named_locations.used" };
    let change = ("Contents", "nothing that a sign-in comes from", "the addresses or countries that are meant");
    let mut action = hand_over::named_location(location, change, None);
    // What is meant to be in it only a person knows, so there is no command; an unused one can go.
    if !naming.is_empty() {
        (action.powershell, action.request) = (String::new(), None);
    }
    let title = if naming.is_empty() { "Delete the empty location" } else { "Fill the empty location" };
    Listed {
        fact: Fact::new(key, evidence)
            .with("location", Term::Name(location.display_name.clone()))
            .with("policies", policies::names(naming)),
        cure: listing::hand_over(&location.id, format!("{title} {}", location.display_name), action),
    }
}
