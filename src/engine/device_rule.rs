//! The filter for devices: which devices a policy reaches.
//!
//! Source: Microsoft Learn, Conditional Access: Filter for devices. An unregistered device has null for everything;
//! extension attributes have a value only on devices that are managed, compliant or hybrid joined.

use super::rule::{Comparison, Held, Operator, Rule, RuleError, parse};
use super::truth::Truth;
use crate::tenant::policy::{Filter, FilterMode};
use crate::tenant::sign_in::{DeviceInfo, Known};

/// A device filter, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceFilter {
    mode: FilterMode,
    rule: Result<Rule, RuleError>,
}

impl DeviceFilter {
    /// Reads the filter of a policy. One that can't be read never decides anything.
    #[must_use]
    pub fn new(filter: &Filter) -> Self {
        Self { mode: filter.mode, rule: parse(&filter.rule) }
    }

    /// Whether a device meets the condition: it matches in include mode, or doesn't in exclude mode.
    #[must_use]
    pub fn met(&self, device: &Known<DeviceInfo>) -> Truth {
        let Ok(rule) = &self.rule else { return Truth::Maybe };
        let matches = rule.holds(&|comparison| held(comparison, device));
        if self.mode == FilterMode::Exclude { matches.negate() } else { matches }
    }

    /// Whether the service would take the rule: what else it says can't be judged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.rule.as_ref().is_ok_and(|rule| rule.comparisons().into_iter().all(|one| objection(one).is_none()))
    }

    /// The rule, or why it can't be read.
    ///
    /// # Errors
    /// Where the rule is wrong and what would be right.
    pub fn rule(&self) -> Result<&Rule, &RuleError> {
        self.rule.as_ref()
    }
}

/// Whether a device meets a filter that is read for this one answer.
#[must_use]
pub fn met(filter: &Filter, device: &Known<DeviceInfo>) -> Truth {
    DeviceFilter::new(filter).met(device)
}

/// The names that a filter may use, with the kind of value each has.
pub const ATTRIBUTES: &[(&str, Attribute)] = &[
    ("deviceId", Attribute::Id),
    ("displayName", Attribute::Text),
    ("deviceOwnership", Attribute::Word),
    ("enrollmentProfileName", Attribute::Text),
    ("isCompliant", Attribute::Word),
    ("manufacturer", Attribute::Text),
    ("mdmAppId", Attribute::Id),
    ("model", Attribute::Text),
    ("operatingSystem", Attribute::Text),
    ("operatingSystemVersion", Attribute::Text),
    ("physicalIds", Attribute::List),
    ("profileType", Attribute::Word),
    ("systemLabels", Attribute::List),
    ("trustType", Attribute::Word),
];

/// The kind of an attribute, which says which operators it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// One of a few words: equal or not.
    Word,
    /// An id: equal or not, in a list or not.
    Id,
    /// Any text: every operator.
    Text,
    /// A list: contains or not.
    List,
}

impl Attribute {
    fn takes(self, operator: Operator) -> bool {
        match self {
            Self::Word => operator == Operator::Equals,
            Self::Id => matches!(operator, Operator::Equals | Operator::In),
            Self::Text => true,
            Self::List => operator == Operator::Contains,
        }
    }
}

/// What the service would refuse in a rule: unknown attributes, and operators that an attribute doesn't take.
#[must_use]
pub fn objections(rule: &str) -> Vec<RuleError> {
    match parse(rule) {
        Err(error) => vec![error],
        Ok(rule) => rule.comparisons().into_iter().filter_map(objection).collect(),
    }
}

fn objection(comparison: &Comparison) -> Option<RuleError> {
    let name = &comparison.attribute;
    let message = match kind(&attribute(comparison)) {
        None => format!("`{name}` is no attribute of the filter for devices"),
        Some(kind) if !kind.takes(comparison.operator) => format!("`{name}` doesn't take this operator"),
        Some(_) => return None,
    };
    Some(RuleError { position: comparison.position, message })
}

/// The attribute in lower case, without `device.`; empty when it has another prefix.
fn attribute(comparison: &Comparison) -> String {
    comparison.attribute.to_ascii_lowercase().strip_prefix("device.").unwrap_or_default().to_owned()
}

fn kind(name: &str) -> Option<Attribute> {
    if is_extension(name) {
        return Some(Attribute::Text);
    }
    ATTRIBUTES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, kind)| *kind)
}

fn is_extension(name: &str) -> bool {
    let number = name.strip_prefix("extensionattribute").and_then(|number| number.parse().ok());
    number.is_some_and(|number: u8| (1..=15).contains(&number))
}

fn held<'d>(comparison: &Comparison, device: &'d Known<DeviceInfo>) -> Held<'d> {
    let name = attribute(comparison);
    // What the service would refuse says nothing that can be judged.
    let Some(kind) = kind(&name).filter(|kind| kind.takes(comparison.operator)) else { return Held::Unknown };
    let device = match device {
        Known::Unknown => return Held::Unknown,
        Known::Absent => return Held::Null,
        Known::Is(device) if !device.registered => return Held::Null,
        Known::Is(device) => device,
    };
    match name.as_str() {
        "iscompliant" => device.compliant.map_or(missing(device), |yes| Held::Text(if yes { "True" } else { "False" })),
        "trusttype" => device.trust_type.as_deref().map_or(missing(device), Held::Text),
        _ if is_extension(&name) => extension(device, &name),
        _ => listed(device, &name, kind),
    }
}

fn listed<'d>(device: &'d DeviceInfo, name: &str, kind: Attribute) -> Held<'d> {
    match device.attributes.get(name) {
        Some(values) if kind == Attribute::List => Held::List(values),
        Some(values) => values.first().map_or(Held::Null, |text| Held::Text(text)),
        None => missing(device),
    }
}

/// An attribute that isn't listed is null, unless only part of the device was read.
fn missing(device: &DeviceInfo) -> Held<'static> {
    if device.partial { Held::Unknown } else { Held::Null }
}

fn extension<'d>(device: &'d DeviceInfo, name: &str) -> Held<'d> {
    let hybrid = device.trust_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("ServerAD"));
    let value = listed(device, name, Attribute::Text);
    match device.compliant {
        _ if device.managed || hybrid => value,
        Some(true) => value,
        _ if !device.partial || value == Held::Null => Held::Null,
        _ => Held::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(compliant: bool, trust: &str, attributes: &[(&str, &str)]) -> DeviceInfo {
        DeviceInfo {
            registered: true,
            compliant: Some(compliant),
            trust_type: Some(trust.to_owned()),
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
                .collect(),
            ..DeviceInfo::default()
        }
    }

    fn judge(mode: FilterMode, rule: &str, device: &Known<DeviceInfo>) -> Truth {
        met(&Filter { mode, rule: rule.to_owned() }, device)
    }

    #[test]
    fn an_unregistered_device_by_mode_and_operator() {
        let table = [
            (FilterMode::Include, "-eq", Truth::No),
            (FilterMode::Exclude, "-eq", Truth::Yes),
            (FilterMode::Include, "-ne", Truth::Yes),
            (FilterMode::Exclude, "-ne", Truth::No),
        ];
        for (mode, operator, expected) in table {
            let rule = format!("device.extensionAttribute1 {operator} \"SAW\"");
            assert_eq!(judge(mode, &rule, &Known::Absent), expected, "{mode:?} {operator}");
        }
        assert_eq!(judge(FilterMode::Include, "device.model -eq \"x\"", &Known::Unknown), Truth::Maybe);
    }

    #[test]
    fn extension_attributes_count_on_governed_devices_only() {
        let rule = "device.extensionAttribute1 -eq \"SAW\"";
        let attributes = [("extensionattribute1", "SAW")];
        let judge = |device: DeviceInfo| judge(FilterMode::Include, rule, &Known::Is(device));
        assert_eq!(judge(device(false, "Workplace", &attributes)), Truth::No);
        assert_eq!(judge(device(true, "Workplace", &attributes)), Truth::Yes);
        assert_eq!(judge(device(false, "ServerAD", &attributes)), Truth::Yes);
        assert_eq!(judge(DeviceInfo { managed: true, ..device(false, "AzureAD", &attributes) }), Truth::Yes);
        let unsaid = DeviceInfo { compliant: None, ..device(false, "AzureAD", &attributes) };
        assert_eq!(judge(unsaid.clone()), Truth::No);
        assert_eq!(judge(DeviceInfo { partial: true, ..unsaid }), Truth::Maybe);
    }

    #[test]
    fn the_rule_of_microsofts_own_template() {
        let rule = "device.trustType -ne \"ServerAD\" -or device.isCompliant -ne True";
        let judge = |device: &Known<DeviceInfo>| judge(FilterMode::Include, rule, device);
        assert_eq!(judge(&Known::Is(device(true, "ServerAD", &[]))), Truth::No);
        assert_eq!(judge(&Known::Is(device(false, "ServerAD", &[]))), Truth::Yes);
        assert_eq!(judge(&Known::Absent), Truth::Yes);
    }

    #[test]
    fn of_a_device_read_in_part_the_rest_is_unknown() {
        let known = Known::Is(DeviceInfo { partial: true, ..device(true, "AzureAD", &[]) });
        assert_eq!(judge(FilterMode::Include, "device.model -eq \"x\"", &known), Truth::Maybe);
        assert_eq!(judge(FilterMode::Include, "device.isCompliant -eq True", &known), Truth::Yes);
    }

    #[test]
    fn a_rule_that_cannot_be_read_decides_nothing() {
        assert_eq!(judge(FilterMode::Exclude, "device.model -like \"x\"", &Known::Absent), Truth::Maybe);
        assert_eq!(judge(FilterMode::Exclude, "device.colour -eq \"x\"", &Known::Absent), Truth::Maybe);
        let compliant = Known::Is(device(true, "AzureAD", &[]));
        assert_eq!(judge(FilterMode::Include, "device.isCompliant -contains \"T\"", &compliant), Truth::Maybe);
        assert_eq!(judge(FilterMode::Include, "device.trustType -startsWith \"Az\"", &compliant), Truth::Maybe);
    }

    #[test]
    fn what_the_service_would_refuse() {
        let objections = |rule: &str| objections(rule).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(objections("device.model -startsWith \"x\" -and device.EXTENSIONATTRIBUTE15 -ne null"), [""; 0]);
        assert_eq!(
            objections("device.colour -eq \"x\" -or device.isCompliant -contains \"x\""),
            [
                "at character 1: `device.colour` is no attribute of the filter for devices",
                "at character 27: `device.isCompliant` doesn't take this operator"
            ]
        );
    }
}
