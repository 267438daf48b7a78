//! No location that policies trust is wider than the organisation's own network.

use crate::facts::{Fact, Term};
use crate::tenant::location::{IpRange, Place};
use crate::tenant::{Kind, NamedLocation};

use super::listing::{self, Listed};
use super::{About, Check, Context, CureKind, Finding, Severity, Threshold, hand_over, policies, rows};

/// No location that policies trust is wider than the organisation's own network.
#[derive(Debug)]
pub(super) struct WideNamedLocations;

static ABOUT: About = About {
    id: "wide-named-locations",
    title: "Trusted locations that are too wide",
    severity: Severity::High,
    rationale: "Whoever gets an address in a location that policies leave alone gets past them. A whole provider's range is not an office.",
    references: &[],
    see_also: &["CIS 5.2.2.14"],
    licence: "P1",
    thresholds: &[V4, V6],
    cure: CureKind::Edit,
};

const V4: Threshold =
    Threshold { name: "v4-prefix", default: 20.0, meaning: "shortest prefix of an IPv4 range that is not too wide" };
const V6: Threshold =
    Threshold { name: "v6-prefix", default: 40.0, meaning: "shortest prefix of an IPv6 range that is not too wide" };

impl Check for WideNamedLocations {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        if !snapshot.has(Kind::NamedLocations) {
            let what = "named locations (namedLocations.json would settle it)";
            return listing::unread(context, (ABOUT.id, "wide_named_locations"), what);
        }
        let shortest = (context.threshold(ABOUT.id, &V4), context.threshold(ABOUT.id, &V6));
        let found = snapshot.locations.values().filter_map(|location| {
            let Place::Ip { trusted, ranges } = &location.place else { return None };
            let left_alone = policies::on(snapshot).filter_map(|policy| policy.conditions.locations.as_ref());
            let left_alone = left_alone.into_iter().any(|sides| sides.exclude.contains(&location.id));
            let wide: Vec<String> = ranges.iter().filter(|range| is_wide(range, shortest)).map(written).collect();
            let (first, more) = (wide.first()?, wide.len() - 1);
            (*trusted || left_alone).then(|| listed(context, location, (first, more)))
        });
        listing::finding(context, (ABOUT.id, "wide_named_locations"), found.collect())
    }
}

fn is_wide(range: &IpRange, (v4, v6): (f64, f64)) -> bool {
    let (width, shortest) = if range.lower.is_ipv4() { (32.0, v4) } else { (128.0, v6) };
    width - f64::from(range.free_bits()) < shortest
}

fn written(range: &IpRange) -> String {
    format!("{} – {}", range.lower, range.upper)
}

fn listed(context: &Context<'_>, location: &NamedLocation, (first, more): (&String, usize)) -> Listed {
    let action = hand_over::named_location(location, ("IP ranges", first, "the organisation's own addresses"), None);
    Listed {
        fact: Fact::new("wide_named_locations.location", context.evidence([rows::location(location, first)]))
            .with("location", Term::Name(location.display_name.clone()))
            .with("range", Term::Word(first.clone()))
            .with("more", more),
        cure: listing::hand_over(
            &location.id,
            format!("Narrow {}", location.display_name),
            // Which addresses are the organisation's own only a person knows: there is no command.
            crate::checks::HandOver { powershell: String::new(), request: None, ..action },
        ),
    }
}
