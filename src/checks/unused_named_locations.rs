//! Every named location is used, and none says what another one says.

use crate::facts::{Evidence, Fact, Term};
use crate::tenant::location::Place;
use crate::tenant::{Kind, NamedLocation, Snapshot};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, hand_over, policies, rows};

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
            return listing::open(context, ABOUT.id, "unused_named_locations.review", Verdict::Review);
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

/// Named by a policy in any state, or by "All trusted locations"; a kind that can't be judged counts as used.
fn is_used(location: &NamedLocation, snapshot: &Snapshot) -> bool {
    let trusted = matches!(&location.place, Place::Ip { trusted: true, .. });
    if matches!(&location.place, Place::CompliantNetwork | Place::Unknown(_)) {
        return true;
    }
    let mut named = snapshot.policies.iter().flat_map(policies::places);
    named.any(|id| *id == location.id || (trusted && id == "AllTrusted"))
}

fn unused(context: &Context<'_>, location: &NamedLocation) -> Listed {
    let evidence = Evidence::of([rows::location(location, "named by no policy")]);
    let change = ("Named location", "named by no policy", "deleted");
    Listed {
        fact: Fact::new("unused_named_locations.unused", context.stamp(evidence))
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
    let evidence = Evidence::of(head.into_iter().chain(naming.iter().map(|policy| rows::policy(policy))));
    let before = if naming.is_empty() { "named by no policy".to_owned() } else { policies::names(naming).join(", ") };
    let after = format!("{} named instead, and this one deleted", other.display_name);
    Listed {
        fact: Fact::new("unused_named_locations.doubled", context.stamp(evidence))
            .with("location", Term::Name(location.display_name.clone()))
            .with("other", Term::Name(other.display_name.clone())),
        cure: listing::hand_over(
            &location.id,
            format!("Keep {} and drop {}", other.display_name, location.display_name),
            hand_over::named_location(location, ("Policies that name it", &before, &after), None),
        ),
    }
}
