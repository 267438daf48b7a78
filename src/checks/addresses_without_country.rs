//! A policy by countries also decides on addresses that belong to none.

use std::collections::BTreeSet;

use serde_json::json;

use crate::facts::{Fact, Term};
use crate::tenant::location::Place;
use crate::tenant::{Kind, NamedLocation, Policy, Snapshot};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, fallback, hand_over, policies, rows};

/// A policy by countries also decides on addresses that belong to none.
#[derive(Debug)]
pub(super) struct AddressesWithoutCountry;

static ABOUT: About = About {
    id: "addresses-without-country",
    title: "Addresses that belong to no country",
    severity: Severity::Medium,
    rationale: "Some addresses can't be mapped to a country. They must fall on the safe side: inside a location that a policy is for, outside one that it leaves alone, or under another policy that asks for as much.",
    references: &[],
    see_also: &["CIS 5.2.2.15"],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for AddressesWithoutCountry {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let placed: Vec<&Policy> =
            policies::on(snapshot).filter(|policy| policies::places(policy).count() > 0).collect();
        if placed.is_empty() {
            return listing::open(context, ABOUT.id, "addresses_without_country.nobody", Verdict::NotApplicable);
        }
        if !snapshot.has(Kind::NamedLocations) {
            let what = "named locations (namedLocations.json would settle it)";
            return listing::unread(context, (ABOUT.id, "addresses_without_country"), what);
        }
        let open = placed.into_iter().filter_map(|policy| Some((policy, open_end(policy, snapshot)?)));
        let mut open: Vec<(&Policy, OpenEnd<'_>)> = open.collect();
        let made_up = made_up(context, &open);
        open.retain(|(policy, _)| !made_up.contains(&of_none(&policy.id)));
        let found = open.into_iter().map(|(policy, end)| listed(context, policy, end));
        listing::finding(context, (ABOUT.id, "addresses_without_country"), found.collect())
    }
}

/// A location through which addresses without a country escape a policy, and whether the policy includes or excludes it.
type OpenEnd<'a> = (&'a NamedLocation, bool);

/// Ids by [`of_none`] of the policies for which others ask for as much from addresses without a country: each is asked for
/// as if it held there and nowhere else.
fn made_up(context: &Context<'_>, open: &[(&Policy, OpenEnd<'_>)]) -> BTreeSet<String> {
    let snapshot = &context.model.snapshot;
    if open.is_empty() {
        return BTreeSet::new();
    }
    let place = Place::Country { countries: BTreeSet::new(), by_gps: false, include_unknown: true };
    let nowhere = NamedLocation { id: NOWHERE.to_owned(), display_name: NOWHERE.to_owned(), place };
    let there = open.iter().map(|(policy, (_, included))| from_nowhere(policy, *included, snapshot));
    let there: Vec<Policy> = there.collect();
    let ids = there.iter().map(|policy| policy.id.clone()).collect();
    let mut places = snapshot.locations.clone();
    places.insert(nowhere.id.clone(), nowhere);
    context.model.with_places(snapshot.policies.iter().cloned().chain(there).collect(), places).made_up(&ids)
}

/// The id of the location of all addresses that belong to no country.
const NOWHERE: &str = "no country";

/// The id of a policy as if it held from there alone.
fn of_none(id: &str) -> String {
    format!("{id} from {NOWHERE}")
}

/// The policy as it would be for addresses without a country; those that it names by address stay out of it. Where it
/// isn't for all places but for some, it is left for all of those, which asks for more than is needed.
fn from_nowhere(policy: &Policy, included: bool, snapshot: &Snapshot) -> Policy {
    let mut there = fallback::sparing(policy, snapshot);
    there.id = of_none(&policy.id);
    let by_address = |id: &String| snapshot.locations.get(id).is_none_or(|one| by_country(one).is_none());
    if let Some(sides) = &mut there.conditions.locations {
        sides.exclude.retain(by_address);
        if included || sides.include.contains("All") {
            sides.include = BTreeSet::from([NOWHERE.to_owned()]);
        }
    }
    there
}

/// Whether a location of countries, which go by the address, takes in those that belong to none.
fn by_country(location: &NamedLocation) -> Option<bool> {
    match &location.place {
        Place::Country { by_gps: false, include_unknown, .. } => Some(*include_unknown),
        _ => None,
    }
}

fn open_end<'a>(policy: &Policy, snapshot: &'a Snapshot) -> Option<OpenEnd<'a>> {
    let sides = policy.conditions.locations.as_ref()?;
    let of_countries = |id: &String| {
        let location = snapshot.locations.get(id)?;
        Some((location, by_country(location)?))
    };
    if let Some((location, _)) = sides.exclude.iter().filter_map(of_countries).find(|(_, unknown)| *unknown) {
        return Some((location, false));
    }
    let included: Vec<(&NamedLocation, bool)> = sides.include.iter().filter_map(of_countries).collect();
    let whole = included.len() == sides.include.len() && included.iter().all(|(_, unknown)| !unknown);
    included.first().filter(|_| whole).map(|(location, _)| (*location, true))
}

fn listed(context: &Context<'_>, policy: &Policy, (location, included): OpenEnd<'_>) -> Listed {
    let note = if included { "without unknown countries" } else { "with unknown countries" };
    let evidence = context.evidence([rows::policy(policy), rows::location(location, note)]);
    let key = if included { "addresses_without_country.included" } else { "addresses_without_country.excluded" };
    let (before, after) = if included { ("not selected", "selected") } else { ("selected", "not selected") };
    let body = json!({
        "@odata.type": "#microsoft.graph.countryNamedLocation", "includeUnknownCountriesAndRegions": included,
    });
    let change = ("Include unknown countries/regions", before, after);
    Listed {
        fact: Fact::new(key, evidence)
            .with("policy", Term::Name(policy.display_name.clone()))
            .with("location", Term::Name(location.display_name.clone()))
            .with("blocks", Term::Word(if policies::blocks(policy) { "blocks" } else { "asks for more" }.to_owned())),
        cure: listing::hand_over(
            &location.id,
            format!(
                "{} unknown countries in {}",
                if included { "Include" } else { "Leave out" },
                location.display_name
            ),
            hand_over::named_location(location, change, Some(&body)),
        ),
    }
}
