//! Sign-ins from countries where nobody works are blocked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::engine::{Requirement, Scope};
use crate::tenant::location::Place;
use crate::tenant::policy::{Control, Sides};
use crate::tenant::{NamedLocation, Policy, Snapshot};

use super::requirement::{Asked, judge};
use super::{About, Check, Context, Cure, CureAction, CureKind, Finding, HandOver, Severity, Verdict, drafts};

/// Sign-ins from countries where nobody works are blocked.
#[derive(Debug)]
pub(super) struct UntrustedCountries;

static ABOUT: About = About {
    id: "untrusted-countries",
    title: "Sign-ins from elsewhere in the world blocked",
    severity: Severity::Low,
    rationale: "A block of countries where nobody works keeps much noise out; attackers who mean it come from inside. It is enough that some part of the world is blocked for everybody.",
    references: &["CIS 5.2.2.15", "prowler:entra_conditional_access_policy_untrusted_locations_blocked"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::PolicyOrEdit,
};

/// A code that ISO 3166-1 keeps free: a country that no list names.
const UNNAMED: &str = "ZZ";

impl Check for UntrustedCountries {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let unnamed = judge(context, asked(BTreeSet::from([UNNAMED.to_owned()]), draft(snapshot)));
        if unnamed.verdict == Verdict::Pass {
            return unnamed;
        }
        let named = blocked(snapshot).into_iter().map(|country| judge(context, asked([country].into(), None)));
        let mut finding = named.into_iter().find(|one| one.verdict == Verdict::Pass).unwrap_or(unnamed);
        if finding.verdict == Verdict::Fail && finding.cures.is_empty() {
            finding.cures.push(list_countries(snapshot));
        }
        finding
    }
}

fn asked(countries: BTreeSet<String>, draft: Option<Policy>) -> Asked<'static> {
    Asked {
        check: ABOUT.id,
        area: "untrusted_countries",
        requirement: Requirement::Block,
        scope: Scope { countries, untrusted_locations: true, ..Scope::default() },
        missing: None,
        draft: draft.map(|draft| ("Block sign-ins from other countries", draft)),
    }
}

/// Countries that policies which block name.
fn blocked(snapshot: &Snapshot) -> BTreeSet<String> {
    let blocks = super::policies::on(snapshot)
        .filter(|policy| policy.grant.as_ref().is_some_and(|grant| grant.controls.contains(&Control::Block)));
    let named = blocks.filter_map(|policy| policy.conditions.locations.as_ref()).flat_map(|sides| &sides.include);
    named.filter_map(|id| countries(snapshot.locations.get(id)?)).flatten().cloned().collect()
}

fn countries(location: &NamedLocation) -> Option<&BTreeSet<String>> {
    match &location.place {
        Place::Country { countries, by_gps: false, .. } => Some(countries),
        _ => None,
    }
}

/// Everywhere but in the countries of a location that holds all countries that people sign in from.
fn draft(snapshot: &Snapshot) -> Option<Policy> {
    let seen: BTreeSet<String> = seen(snapshot).into_keys().collect();
    let holds = |location: &&NamedLocation| countries(location).is_some_and(|countries| seen.is_subset(countries));
    let home = snapshot.locations.values().filter(|_| !seen.is_empty()).find(holds)?;
    let mut draft = drafts::for_everyone(snapshot, "Block other countries", &[Control::Block]);
    let exclude = [home.id.clone(), "AllTrusted".to_owned()].into();
    draft.conditions.locations = Some(Sides { include: ["All".to_owned()].into(), exclude });
    Some(draft)
}

/// Countries of the sign-ins of the log that succeeded, with their number.
fn seen(snapshot: &Snapshot) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for row in snapshot.sign_ins.iter().filter(|row| row.error_code == 0) {
        if let Some(country) = &row.country {
            *seen.entry(country.to_string()).or_default() += 1;
        }
    }
    seen
}

/// A named location of the countries that people sign in from, as the first step.
fn list_countries(snapshot: &Snapshot) -> Cure {
    let seen: Vec<(String, usize)> = seen(snapshot).into_iter().collect();
    let listed: Vec<String> = seen.iter().map(|(country, count)| format!("{country} ({count})")).collect();
    let codes: Vec<&String> = seen.iter().map(|(country, _)| country).collect();
    let body = json!({
        "@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "Countries we work in",
        "countriesAndRegions": codes, "includeUnknownCountriesAndRegions": false,
    });
    let request = ("POST".to_owned(), "/v1.0/identity/conditionalAccess/namedLocations".to_owned(), body);
    let after = if listed.is_empty() { "the countries that you work in".to_owned() } else { listed.join(", ") };
    let action = HandOver {
        target_kind: "Named location".into(),
        target_name: "Countries we work in".into(),
        changes: vec![("Countries (sign-ins of the log)".into(), "no such location".into(), after)],
        portal: "Entra admin center > Conditional Access > Named locations > Countries location".into(),
        request: (!seen.is_empty()).then_some(request),
        ..HandOver::default()
    };
    let title = "Name the countries that you work in, to block the others".to_owned();
    Cure::new("", title, CureAction::HandOver(Box::new(action)))
}
