//! Named locations and authentication strengths that aren't what they were.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::tenant::location::{IpRange, Place};
use crate::tenant::{NamedLocation, Snapshot, Strength};

/// A named location or an authentication strength that isn't what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectChange {
    /// Object id.
    pub id: String,
    /// Its name, the new one if there is one; untrusted text.
    pub name: String,
    /// What it held, as people read it; none where it is new. Untrusted text.
    pub before: Option<String>,
    /// What it holds; none where it is gone. Untrusted text.
    pub after: Option<String>,
}

/// Locations by what they cover, and the trusted addresses of per-user MFA.
pub(super) fn locations(before: &Snapshot, after: &Snapshot) -> Vec<ObjectChange> {
    let told = |location: &NamedLocation| (location.display_name.clone(), place(&location.place));
    let mut all = changes(&before.locations, &after.locations, told);
    let trusted = |snapshot: &Snapshot| snapshot.settings.mfa_trusted().map(str::to_owned).collect::<BTreeSet<_>>();
    let (was, is) = (trusted(before), trusted(after));
    if was != is {
        let text = |ips: BTreeSet<String>| Some(ips.into_iter().collect::<Vec<_>>().join(", "));
        let name = "MFA trusted IPs".to_owned();
        let id = crate::engine::location::MFA_TRUSTED_IPS.to_owned();
        all.push(ObjectChange { id, name, before: text(was), after: text(is) });
    }
    all
}

/// Strengths by what they allow.
pub(super) fn strengths(before: &Snapshot, after: &Snapshot) -> Vec<ObjectChange> {
    let allowed = |strength: &Strength| {
        strength.allowed_combinations.iter().map(|one| one.replace(',', " + ")).collect::<Vec<_>>().join(", ")
    };
    changes(&before.strengths, &after.strengths, |strength| (strength.display_name.clone(), allowed(strength)))
}

/// Objects whose words differ.
fn changes<T>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    told: impl Fn(&T) -> (String, String),
) -> Vec<ObjectChange> {
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |id: &String| {
        let (was, is) = (before.get(id).map(&told), after.get(id).map(&told));
        let name = is.as_ref().or(was.as_ref()).map(|(name, _)| name.clone()).unwrap_or_default();
        let (before, after) = (was.map(|(_, text)| text), is.map(|(_, text)| text));
        (before != after).then(|| ObjectChange { id: id.clone(), name, before, after })
    };
    ids.into_iter().filter_map(change).collect()
}

/// What a location covers, as people read it.
fn place(place: &Place) -> String {
    match place {
        Place::Ip { trusted, ranges } => {
            let texts: BTreeSet<String> = ranges.iter().map(range).collect();
            let ranges = texts.into_iter().collect::<Vec<_>>().join(", ");
            if *trusted { format!("{ranges} (trusted)") } else { ranges }
        }
        Place::Country { countries, by_gps, include_unknown } => {
            let mut text = countries.iter().cloned().collect::<Vec<_>>().join(", ");
            if *include_unknown {
                text.push_str(" and addresses without a country");
            }
            if *by_gps { format!("{text} (by GPS)") } else { text }
        }
        Place::CompliantNetwork => "the compliant network".to_owned(),
        Place::Unknown(kind) => kind.clone(),
    }
}

/// A range in CIDR form, or its ends.
fn range(range: &IpRange) -> String {
    let width: u32 = if range.lower.is_ipv4() { 32 } else { 128 };
    let block = format!("{}/{}", range.lower, width.saturating_sub(range.free_bits()));
    if IpRange::from_cidr(&block) == Some(*range) { block } else { format!("{}-{}", range.lower, range.upper) }
}
