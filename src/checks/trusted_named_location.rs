//! The organisation's own networks are a trusted named location.

use serde_json::{Value, json};

use crate::facts::{Fact, Row};
use crate::tenant::location::Place;
use crate::tenant::{Kind, NamedLocation};

use super::{About, Check, Context, Cure, CureKind, Finding, HandOver, Severity, Verdict, listing};

/// The organisation's own networks are a trusted named location.
#[derive(Debug)]
pub(super) struct TrustedNamedLocation;

static ABOUT: About = About {
    id: "trusted-named-location",
    title: "A trusted named location",
    severity: Severity::Low,
    rationale: "Policies that tell the office from elsewhere, and Microsoft's own risk detection, need to know the organisation's addresses.",
    references: &["CIS 5.2.2.14", "prowler:entra_conditional_access_trusted_named_location_exists"],
    see_also: &[],
    licence: "P1",
    thresholds: &[],
    cure: CureKind::Edit,
};

impl Check for TrustedNamedLocation {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn run(&self, context: &Context<'_>) -> Finding {
        let snapshot = &context.model.snapshot;
        let trusted = |location: &&NamedLocation| matches!(&location.place, Place::Ip { trusted: true, ranges } if !ranges.is_empty());
        let found: Vec<&NamedLocation> = snapshot.locations.values().filter(trusted).collect();
        if found.is_empty() && !snapshot.has(Kind::NamedLocations) {
            let what = "named locations (namedLocations.json would settle it)";
            return listing::unread(context, (ABOUT.id, "trusted_named_location"), what);
        }
        let verdict = if found.is_empty() { Verdict::Fail } else { Verdict::Pass };
        let name = if found.is_empty() { "fail" } else { "pass" };
        let rows = found.iter().map(|location| Row::Object {
            what: "Named location".into(),
            id: location.id.clone(),
            name: location.display_name.clone(),
            note: "trusted".into(),
        });
        let headline = Fact::new(&format!("trusted_named_location.{name}"), context.evidence(rows))
            .with("count", found.len())
            .must_show();
        let cures = if found.is_empty() { vec![mark(context)] } else { Vec::new() };
        Finding { check: ABOUT.id, verdict, facts: vec![headline], not_checked: Vec::new(), cures }
    }
}

/// Marking a location that is there, or else making one, whose addresses only the organisation knows.
fn mark(context: &Context<'_>) -> Cure {
    let untrusted = |location: &&NamedLocation| matches!(&location.place, Place::Ip { trusted: false, .. });
    let known = context.model.snapshot.locations.values().find(untrusted);
    let body = json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": true});
    let request = |location: &NamedLocation| -> (String, String, Value) {
        ("PATCH".into(), format!("/v1.0/identity/conditionalAccess/namedLocations/{}", location.id), body.clone())
    };
    let action = HandOver {
        target_kind: "Named location".into(),
        target_id: known.map(|location| location.id.clone()).unwrap_or_default(),
        target_name: known.map_or_else(|| "Own networks".to_owned(), |location| location.display_name.clone()),
        changes: vec![(
            "Mark as trusted location".into(),
            "no named location is".into(),
            "your own networks are".into(),
        )],
        portal: "Entra admin center > Conditional Access > Named locations > IP ranges location".into(),
        powershell: String::new(),
        request: known.map(request),
        ..HandOver::default()
    };
    let title = match known {
        Some(location) => format!("Mark {} as trusted, if it is your own network", location.display_name),
        None => "Name your own networks and mark them as trusted".to_owned(),
    };
    Cure::new("", title, super::CureAction::HandOver(Box::new(action)))
}
