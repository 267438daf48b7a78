//! A policy by countries also decides on addresses that belong to none.

use serde_json::json;

use crate::facts::{Fact, Term};
use crate::tenant::location::Place;
use crate::tenant::{Kind, NamedLocation, Policy, Snapshot};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Verdict, hand_over, policies, rows};

/// A policy by countries also decides on addresses that belong to none.
#[derive(Debug)]
pub(super) struct AddressesWithoutCountry;

static ABOUT: About = About {
    id: "addresses-without-country",
    title: "Addresses that belong to no country",
    severity: Severity::Medium,
    rationale: "Some addresses can't be mapped to a country. They must fall on the safe side: inside a location that a policy is for, outside one that it leaves alone.",
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
        let found = placed.into_iter().filter_map(|policy| {
            let (location, included) = open_end(policy, snapshot)?;
            Some(listed(context, policy, (location, included)))
        });
        listing::finding(context, (ABOUT.id, "addresses_without_country"), found.collect())
    }
}

/// The location through which addresses without a country escape a policy, and whether it includes or excludes it.
fn open_end<'a>(policy: &Policy, snapshot: &'a Snapshot) -> Option<(&'a NamedLocation, bool)> {
    let sides = policy.conditions.locations.as_ref()?;
    let by_address = |id: &&String| {
        let location = snapshot.locations.get(*id)?;
        match &location.place {
            Place::Country { by_gps: false, include_unknown, .. } => Some((location, *include_unknown)),
            _ => None,
        }
    };
    if let Some((location, _)) = sides.exclude.iter().filter_map(|id| by_address(&id)).find(|(_, unknown)| *unknown) {
        return Some((location, false));
    }
    let included: Vec<(&NamedLocation, bool)> = sides.include.iter().filter_map(|id| by_address(&id)).collect();
    let whole = included.len() == sides.include.len() && included.iter().all(|(_, unknown)| !unknown);
    included.first().filter(|_| whole).map(|(location, _)| (*location, true))
}

fn listed(context: &Context<'_>, policy: &Policy, (location, included): (&NamedLocation, bool)) -> Listed {
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
