//! The conditions worth trying: of all that policies can tell apart, one of each.

use std::collections::BTreeSet;

use crate::engine::Model;
use crate::engine::judge::Dimension;
use crate::engine::rule::parse;
use crate::engine::samples::{clients, places, risks};
use crate::engine::truth::Truth;
use crate::tenant::Policy;
use crate::tenant::policy::ClientAppType;
use crate::tenant::sign_in::{DeviceInfo, Known, SignIn};

/// Partial sign-ins, one list for each group of conditions that is independent of the others.
#[derive(Debug)]
pub(super) struct Candidates {
    start: SignIn,
    clients: Vec<SignIn>,
    places: Vec<SignIn>,
    devices: Vec<SignIn>,
    risks: Vec<SignIn>,
}

impl Candidates {
    /// Every combination of them.
    pub(super) fn all(&self) -> impl Iterator<Item = SignIn> + '_ {
        self.clients.iter().flat_map(move |client| {
            self.places.iter().flat_map(move |place| {
                self.devices.iter().flat_map(move |device| {
                    self.risks.iter().map(move |risk| SignIn {
                        client_app: client.client_app,
                        platform: client.platform,
                        ip: place.ip,
                        country: place.country.clone(),
                        gps_country: place.gps_country.clone(),
                        compliant_network: place.compliant_network,
                        device: device.device.clone(),
                        sign_in_risk: risk.sign_in_risk,
                        user_risk: risk.user_risk,
                        insider_risk: Known::Absent,
                        flow: Known::Absent,
                        service_principal_risk: Known::Absent,
                        ..self.start.clone()
                    })
                })
            })
        })
    }
}

/// Clients that can do what policies ask for.
const MODERN: [ClientAppType; 2] = [ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients];

/// What to try for one person, given the policies that could reach them and the devices they have, or those that they could
/// have where nobody knows.
pub(super) fn candidates(
    model: &Model,
    relevant: &[(usize, &Policy)],
    start: &SignIn,
    own: Option<Vec<DeviceInfo>>,
) -> Candidates {
    let distinct = |all: Vec<SignIn>, dimensions: &[Dimension], also: fn(&SignIn) -> String| {
        let who = model.who(&start.identity);
        let mut seen = BTreeSet::new();
        let pattern = |sign_in: &SignIn| {
            let meets = |(at, policy): &(usize, &Policy)| {
                Truth::all(dimensions.iter().map(|dimension| model.meets(*at, policy, *dimension, (sign_in, &who))))
            };
            (relevant.iter().map(meets).collect::<Vec<_>>(), also(sign_in))
        };
        all.into_iter().filter(|sign_in| seen.insert(pattern(sign_in))).collect::<Vec<_>>()
    };
    let nothing = |_: &SignIn| String::new();
    Candidates {
        start: start.clone(),
        // App protection tells platforms apart even where no condition does.
        clients: distinct(clients(&MODERN), &[Dimension::ClientApp, Dimension::Platform], |sign_in| {
            format!("{:?}", sign_in.platform)
        }),
        places: distinct(places(model, relevant.iter().map(|(_, policy)| *policy)), &[Dimension::Location], nothing),
        devices: distinct(on_each(own.unwrap_or_else(|| device_kinds(relevant))), &[Dimension::Device], controls_of),
        risks: distinct(risks(), &[Dimension::SignInRisk, Dimension::UserRisk], nothing),
    }
}

/// A sign-in on each of these devices, and one on an unregistered device.
fn on_each(devices: Vec<DeviceInfo>) -> Vec<SignIn> {
    let all = devices.into_iter().map(Known::Is).chain([Known::Absent]);
    all.map(|device| SignIn { device, ..SignIn::default() }).collect()
}

/// Devices of each kind that controls tell apart, and each of those with what filters name.
fn device_kinds(relevant: &[(usize, &Policy)]) -> Vec<DeviceInfo> {
    let kind = |compliant, trust: &str| DeviceInfo {
        registered: true,
        compliant: Some(compliant),
        managed: true,
        trust_type: Some(trust.to_owned()),
        ..DeviceInfo::default()
    };
    let kinds = [
        kind(true, "ServerAD"),
        kind(true, "AzureAD"),
        kind(false, "ServerAD"),
        kind(false, "AzureAD"),
        kind(false, "Workplace"),
    ];
    let filters = relevant.iter().filter_map(|(_, policy)| policy.conditions.device_filter.as_ref());
    let rules = filters.filter_map(|filter| parse(&filter.rule).ok()).collect::<Vec<_>>();
    let named = rules.iter().flat_map(|rule| rule.comparisons()).flat_map(|comparison| {
        let name = comparison.attribute.to_ascii_lowercase().trim_start_matches("device.").to_owned();
        comparison.values.iter().flatten().map(|value| (name.clone(), value.clone())).collect::<Vec<_>>()
    });
    let named = named.collect::<BTreeSet<_>>();
    let dressed = kinds.iter().flat_map(|kind| named.iter().map(|(name, value)| dress(kind, name, value)));
    kinds.iter().cloned().chain(dressed).collect()
}

fn dress(kind: &DeviceInfo, name: &str, value: &str) -> DeviceInfo {
    let mut device = kind.clone();
    device.attributes.insert(name.to_owned(), vec![value.to_owned()]);
    device
}

/// What grant controls see of a device.
fn controls_of(sign_in: &SignIn) -> String {
    match &sign_in.device {
        Known::Is(device) => format!("{:?} {:?}", device.compliant, device.trust_type),
        other => format!("{other:?}"),
    }
}
