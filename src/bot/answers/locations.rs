//! "Which named locations do we have?": each with what it covers, whether it is trusted, and the policies that name it.

use crate::bot::answer::{Answer, Part, ask, column};
use crate::checks::rows;
use crate::facts::Fact;
use crate::tenant::location::{IpRange, Place};
use crate::tenant::{Kind, NamedLocation, Policy};

use super::{Asked, places, unread};

/// How many locations a table shows, and how many ranges or countries of one.
const SHOWN: usize = 20;
const COVERED: usize = 4;

/// Whether a question is about the locations themselves, and not about policies or changes of them.
pub(super) fn is_meant(text: &str) -> bool {
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    has(&["named location", "trusted location", "trusted network", "trusted ip"]) && !has(&["polic", "rule", "chang"])
}

/// All named locations.
pub(super) fn told(asked: Asked<'_>) -> Answer {
    if let Some(back) = unread::back(asked, &[Kind::NamedLocations]) {
        return *back;
    }
    let snapshot = asked.analysis.snapshot();
    let mut all: Vec<&NamedLocation> = snapshot.locations.values().collect();
    all.sort_by(|one, other| one.display_name.cmp(&other.display_name));
    let count = Fact::new("locations.count", asked.analysis.evidence(all.iter().map(|one| rows::location(one, ""))))
        .with("count", all.len())
        .with("trusted", all.iter().filter(|one| is_trusted(one)).count())
        .must_show();
    let line = |one: &&NamedLocation| {
        let trusted = match &one.place {
            Place::Ip { .. } if is_trusted(one) => "yes",
            Place::Ip { .. } => "no",
            _ => "can't be",
        };
        vec![one.display_name.clone(), covers(&one.place), trusted.to_owned(), used_by(asked, &one.id)]
    };
    let columns = ["Name", "Covers", "Trusted", "Policies that name it"].map(column).to_vec();
    Answer::sentences(vec![count])
        .table("named-locations", columns, all.iter().map(line).collect(), SHOWN)
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("Policies that use them", "which policies use named locations?"))
}

fn is_trusted(location: &NamedLocation) -> bool {
    matches!(location.place, Place::Ip { trusted: true, .. })
}

/// What a location covers, in words.
pub(super) fn covers(place: &Place) -> String {
    let few = |mut names: Vec<String>| {
        let rest = names.len().saturating_sub(COVERED);
        names.truncate(COVERED);
        names.extend((rest > 0).then(|| format!("{rest} more")));
        names.join(", ")
    };
    match place {
        Place::Ip { ranges, .. } => few(ranges.iter().map(range).collect()),
        Place::Country { countries, by_gps, include_unknown } => {
            let names = few(countries.iter().map(|code| places::name(code)).collect());
            let unknown = if *include_unknown { " and addresses without a country" } else { "" };
            let how = if *by_gps { ", by GPS" } else { "" };
            format!("{names}{unknown}{how}")
        }
        Place::CompliantNetwork => "the compliant network (Global Secure Access)".to_owned(),
        Place::Unknown(_) => "a kind that can't be judged".to_owned(),
    }
}

fn range(range: &IpRange) -> String {
    if range.lower == range.upper { range.lower.to_string() } else { format!("{} to {}", range.lower, range.upper) }
}

/// The policies that name a location, or all trusted ones, with those that are not On marked.
fn used_by(asked: Asked<'_>, id: &str) -> String {
    let snapshot = asked.analysis.snapshot();
    let all_trusted = snapshot.locations.get(id).is_some_and(is_trusted);
    let names = |policy: &&Policy| {
        let sides = policy.conditions.locations.as_ref();
        let mut named = sides.into_iter().flat_map(|sides| sides.include.iter().chain(&sides.exclude));
        named.any(|one| one == id || (all_trusted && one == "AllTrusted"))
    };
    let word = |policy: &Policy| match rows::state_word(policy.state) {
        "On" => policy.display_name.clone(),
        state => format!("{} ({state})", policy.display_name),
    };
    let found: Vec<String> = snapshot.policies.iter().filter(names).map(word).collect();
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}

/// A value of the audit log that is a named location, in words.
pub(super) fn logged(value: &serde_json::Value) -> Option<String> {
    let location = crate::tenant::read::read_named_location(value).ok()?;
    let trusted = if is_trusted(&location) { ", trusted" } else { "" };
    Some(format!("{}: {}{trusted}", location.display_name, covers(&location.place)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn each_with_its_trust_and_its_policies() {
        let mut tenant = nordwerk();
        tenant["policies"][2]["conditions"]["locations"] =
            json!({"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]});
        let words = said(&tenant, Intent::ListPolicies, "which named locations do we have and are they trusted?").await;
        assert!(words.starts_with("1 named location, 1 of them trusted."), "{words}");
        let line = "| Head office | 203.0.113.0 to 203.0.113.255 | yes | CA203 – Block legacy authentication";
        assert!(words.contains(line), "{words}");
    }
}
