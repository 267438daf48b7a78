//! The devices that policies tell apart: an unregistered one, and one for each satisfiable assignment of the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::domain::{Value, device_mask};
use super::requirement::{ANY_DEVICE, UNMANAGED};
use super::{Requirement, Scope};
use crate::engine::device_rule::DeviceFilter;
use crate::engine::rule::{Comparison, Held, Operator};
use crate::engine::truth::Truth;
use crate::tenant::sign_in::{DeviceInfo, Known};

/// More combinations than this aren't told apart one by one; the filters are then left open on registered devices.
const LIMIT: usize = 10_000;

/// More than this aren't listed to people one by one either: one device then stands for all on which the filters agree.
const MANY: usize = 32;

/// Attributes that are lists, of which a rule finds whole elements.
const LISTS: [&str; 2] = ["physicalids", "systemlabels"];

/// An attribute's value that stands for all those that the rules don't tell apart; none for null.
type Standing = Option<Vec<String>>;

/// Whether a requirement is about the state of a device.
pub(super) fn matter(requirement: &Requirement) -> bool {
    matches!(
        requirement,
        Requirement::ManagedDevice
            | Requirement::MfaOrManagedDevice
            | Requirement::CompliantDevice
            | Requirement::HybridDevice
    )
}

/// Filters, and the registered devices that they tell apart.
type Told = (Vec<DeviceFilter>, Arc<[Value]>);

/// The devices that filters told apart before: all questions and drafts of a tenant are about the same few filters, whose
/// combinations can be many.
#[derive(Debug, Default)]
pub(in crate::engine) struct ToldApart(Mutex<Vec<Told>>);

impl ToldApart {
    /// So many sets of filters are kept, the newest ones.
    const KEPT: usize = 64;

    /// Every device that matters; in what state it is only where states `matter` or filters ask for them.
    pub(super) fn values(&self, filters: &[&DeviceFilter], matter: bool, scope: &Scope) -> Vec<Value> {
        if scope.ordinary_device {
            return vec![in_state(true, "ServerAD", &BTreeMap::new())];
        }
        if filters.is_empty() && !matter && !scope.unmanaged_devices {
            return vec![Value::Device(Known::Unknown, ANY_DEVICE, String::new())];
        }
        let mut all = vec![Value::Device(Known::Absent, UNMANAGED, "unregistered".into())];
        all.extend(self.registered(filters).iter().cloned());
        all.retain(|value| {
            !scope.unmanaged_devices || matches!(value, Value::Device(_, mask, _) if *mask == UNMANAGED)
        });
        all
    }

    /// Every device that filters tell apart.
    pub(in crate::engine) fn devices(&self, filters: &[&DeviceFilter]) -> Vec<Known<DeviceInfo>> {
        let values = self.values(filters, true, &Scope::default()).into_iter();
        values.filter_map(|value| if let Value::Device(device, ..) = value { Some(device) } else { None }).collect()
    }

    fn registered(&self, filters: &[&DeviceFilter]) -> Arc<[Value]> {
        let same = |(of, _): &&Told| of.iter().eq(filters.iter().copied());
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, values)) = known().iter().find(same) {
            return Arc::clone(values);
        }
        let values: Arc<[Value]> = registered(filters).into();
        let mut known = known();
        if known.len() >= Self::KEPT {
            known.remove(0);
        }
        known.push((filters.iter().copied().cloned().collect(), Arc::clone(&values)));
        values
    }
}

fn registered(filters: &[&DeviceFilter]) -> Vec<Value> {
    let comparisons: Vec<&Comparison> =
        filters.iter().filter_map(|filter| filter.rule().ok()).flat_map(|rule| rule.comparisons()).collect();
    match assignments(&comparisons) {
        Some(assignments) if assignments.len() > MANY => one_of_each(filters, assignments.iter().flat_map(states)),
        Some(assignments) => assignments.iter().flat_map(states).collect(),
        None => vec![Value::Device(Known::Unknown, ANY_DEVICE, "registered".into())],
    }
}

/// Whether the second filter surely takes in every device that the first one possibly does; without a first one: every device.
pub(in crate::engine) fn within(one: Option<&DeviceFilter>, other: &DeviceFilter) -> bool {
    let filters: Vec<&DeviceFilter> = one.into_iter().chain([other]).collect();
    let taken = |device: &Known<DeviceInfo>| one.map_or(Truth::Yes, |one| one.met(device));
    ToldApart::default()
        .devices(&filters)
        .iter()
        .all(|device| taken(device) == Truth::No || other.met(device) == Truth::Yes)
}

/// Whether a filter surely takes in no device at all.
pub(in crate::engine) fn takes_in_none(filter: &DeviceFilter) -> bool {
    ToldApart::default().devices(&[filter]).iter().all(|device| filter.met(device) == Truth::No)
}

/// The first of all devices in one state on which every filter says the same.
fn one_of_each(filters: &[&DeviceFilter], devices: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut known = BTreeSet::new();
    devices
        .filter(|value| {
            let Value::Device(device @ Known::Is(held), ..) = value else { return true };
            let state = (held.compliant, held.trust_type.clone());
            known.insert((state, filters.iter().map(|filter| filter.met(device)).collect::<Vec<Truth>>()))
        })
        .collect()
}

/// A registered device with these attributes, in each state that grants can ask for.
fn states(attributes: &BTreeMap<String, Standing>) -> Vec<Value> {
    let trusts = || ["AzureAD", "ServerAD", "Workplace"].into_iter();
    let states = [false, true].into_iter().flat_map(|compliant| trusts().map(move |trust| (compliant, trust)));
    states.map(|(compliant, trust)| in_state(compliant, trust, attributes)).collect()
}

fn in_state(compliant: bool, trust: &str, attributes: &BTreeMap<String, Standing>) -> Value {
    let held = attributes.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect();
    let device = Known::Is(DeviceInfo {
        registered: true,
        partial: false,
        compliant: Some(compliant),
        managed: true,
        trust_type: Some(trust.into()),
        attributes: held,
    });
    let mask = device_mask(&device);
    Value::Device(device, mask, label(compliant, trust, attributes))
}

fn label(compliant: bool, trust: &str, attributes: &BTreeMap<String, Standing>) -> String {
    let compliance = if compliant { "compliant" } else { "not compliant" };
    let join = match trust {
        "ServerAD" => "hybrid joined",
        "AzureAD" => "Entra joined",
        _ => "registered",
    };
    let told = attributes
        .iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?.join(" "))))
        .filter(|text| !text.contains(OTHER_TEXT));
    [join.to_owned(), compliance.to_owned()].into_iter().chain(told).collect::<Vec<_>>().join(", ")
}

/// A text that no rule names.
const OTHER_TEXT: &str = "\u{1}";

/// Every combination of attribute values that some comparison tells apart; none when there are too many.
fn assignments(comparisons: &[&Comparison]) -> Option<Vec<BTreeMap<String, Standing>>> {
    let mut by_attribute: BTreeMap<String, Vec<&Comparison>> = BTreeMap::new();
    for comparison in comparisons {
        let name = comparison.attribute.rsplit('.').next().unwrap_or_default().to_lowercase();
        if name != "iscompliant" && name != "trusttype" {
            by_attribute.entry(name).or_default().push(comparison);
        }
    }
    let mut all = vec![BTreeMap::new()];
    for (name, comparisons) in by_attribute {
        let values = distinct(&name, &comparisons)?;
        if all.len().saturating_mul(values.len()) > LIMIT {
            return None;
        }
        all = all.iter().flat_map(|one| values.iter().map(|value| with(one, &name, value))).collect();
    }
    Some(all)
}

fn with(one: &BTreeMap<String, Standing>, name: &str, value: &Standing) -> BTreeMap<String, Standing> {
    let mut more = one.clone();
    more.insert(name.to_owned(), value.clone());
    more
}

/// Values of one attribute, one for each outcome of its comparisons that can be had.
fn distinct(name: &str, comparisons: &[&Comparison]) -> Option<Vec<Standing>> {
    let list = LISTS.contains(&name);
    let candidates = if list { subsets(&texts(comparisons, None))? } else { written(comparisons)? };
    let mut kinds: BTreeMap<Vec<Truth>, Standing> = BTreeMap::new();
    for candidate in [None].into_iter().chain(candidates.into_iter().map(Some)) {
        let held = match &candidate {
            None => Held::Null,
            Some(items) if list => Held::List(items),
            Some(items) => items.first().map_or(Held::Null, |text| Held::Text(text)),
        };
        let outcome = comparisons.iter().map(|comparison| comparison.holds(held)).collect();
        kinds.entry(outcome).or_insert(candidate);
    }
    Some(kinds.into_values().collect())
}

/// Texts that comparisons can tell apart: those that they name, another, and beginnings, parts and ends put together.
fn written(comparisons: &[&Comparison]) -> Option<Vec<Vec<String>>> {
    let mut all: BTreeSet<String> = texts(comparisons, None).into_iter().collect();
    let ends = |operator| [String::new()].into_iter().chain(texts(comparisons, Some(operator)));
    let parts = subsets(&texts(comparisons, Some(Operator::Contains)))?;
    for start in ends(Operator::StartsWith) {
        for end in ends(Operator::EndsWith) {
            all.extend(
                parts.iter().map(|parts| format!("{start}{OTHER_TEXT}{}{OTHER_TEXT}{end}", parts.join(OTHER_TEXT))),
            );
        }
    }
    Some(all.into_iter().map(|text| vec![text]).collect())
}

fn texts(comparisons: &[&Comparison], operator: Option<Operator>) -> Vec<String> {
    let of = comparisons.iter().filter(|comparison| operator.is_none_or(|wanted| comparison.operator == wanted));
    let all: BTreeSet<String> = of.flat_map(|comparison| &comparison.values).flatten().cloned().collect();
    all.into_iter().collect()
}

/// All subsets; none when there are too many.
fn subsets(of: &[String]) -> Option<Vec<Vec<String>>> {
    if of.len() > 12 {
        return None;
    }
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for one in of {
        let more: Vec<_> = all.iter().map(|set| [set.as_slice(), std::slice::from_ref(one)].concat()).collect();
        all.extend(more);
    }
    Some(all)
}

/// The devices of a gap, as people read them.
pub(super) fn describe(labels: &[&str], rest: &[&str]) -> String {
    let state = |of: &[&str], word: &str| of.iter().all(|label| label.contains(word));
    let none = |of: &[&str], word: &str| !of.iter().any(|label| label.contains(word));
    for (word, has, hasnt) in [
        ("unregistered", "unregistered", "registered"),
        (", compliant", "compliant", "not compliant"),
        ("hybrid joined", "hybrid joined", "not hybrid joined"),
    ] {
        if state(labels, word) && none(rest, word) {
            return has.into();
        }
        if none(labels, word) && state(rest, word) {
            return hasnt.into();
        }
    }
    let managed = |label: &&&str| label.contains(", compliant") || label.contains("hybrid joined");
    if !labels.iter().any(|label| managed(&label)) && rest.iter().all(|label| managed(&label)) {
        return "neither compliant nor hybrid joined".into();
    }
    labels.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::policy::{Filter, FilterMode};

    #[test]
    fn a_long_filter_tells_no_more_devices_apart_than_it_treats_differently() {
        let term = |at: usize| format!("(device.model -eq \"m{at}\" -and device.manufacturer -startsWith \"X{at}\")");
        let rule = (0..12).map(term).collect::<Vec<_>>().join(" -or ");
        let filter = DeviceFilter::new(&Filter { mode: FilterMode::Include, rule });
        let told = ToldApart::default().values(&[&filter], false, &Scope::default());
        let outcomes: BTreeSet<Truth> = told
            .iter()
            .filter_map(|value| if let Value::Device(device, ..) = value { Some(filter.met(device)) } else { None })
            .collect();
        // Unregistered, and each of six states, met and not met.
        assert_eq!((told.len(), outcomes), (13, BTreeSet::from([Truth::No, Truth::Yes])));
    }
}
