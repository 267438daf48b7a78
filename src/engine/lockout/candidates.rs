//! The conditions worth trying: of all that policies can tell apart, one of each.

use std::collections::BTreeSet;

use crate::engine::Model;
use crate::engine::judge::Dimension;
use crate::engine::location::stretches;
use crate::engine::rule::parse;
use crate::engine::truth::Truth;
use crate::tenant::Policy;
use crate::tenant::location::{IpRange, Place};
use crate::tenant::policy::{ClientAppType, Platform, RiskLevel};
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
                        client_app: client.client_app.clone(),
                        platform: client.platform.clone(),
                        ip: place.ip.clone(),
                        country: place.country.clone(),
                        gps_country: place.gps_country.clone(),
                        device: device.device.clone(),
                        sign_in_risk: risk.sign_in_risk.clone(),
                        user_risk: risk.user_risk.clone(),
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

/// What to try for one person, given the policies that could reach them and the devices they have.
pub(super) fn candidates(
    model: &Model,
    relevant: &[(usize, &Policy)],
    start: &SignIn,
    devices: &[DeviceInfo],
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
        clients: distinct(clients(), &[Dimension::ClientApp, Dimension::Platform], |sign_in| {
            format!("{:?}", sign_in.platform)
        }),
        places: distinct(places(model, relevant), &[Dimension::Location], nothing),
        devices: distinct(device_kinds(relevant, devices), &[Dimension::Device], controls_of),
        risks: distinct(risks(), &[Dimension::SignInRisk, Dimension::UserRisk], nothing),
    }
}

fn clients() -> Vec<SignIn> {
    let platforms = [Platform::Windows, Platform::MacOs, Platform::Ios, Platform::Android, Platform::Linux];
    let platforms = platforms.into_iter().map(Known::Is).chain([Known::Absent]).collect::<Vec<_>>();
    [ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients]
        .into_iter()
        .flat_map(|client| platforms.iter().map(move |platform| (client, platform.clone())))
        .map(|(client, platform)| SignIn { client_app: Known::Is(client), platform, ..SignIn::default() })
        .collect()
}

/// One address of each stretch that the locations that matter tell apart, each with every country that matters.
fn places(model: &Model, relevant: &[(usize, &Policy)]) -> Vec<SignIn> {
    let named = relevant.iter().filter_map(|(_, policy)| policy.conditions.locations.as_ref());
    let ids = named.flat_map(|sides| sides.include.iter().chain(&sides.exclude)).collect::<BTreeSet<_>>();
    let (mut ranges, mut countries) = (trusted_by_setting(model), BTreeSet::new());
    for location in model.snapshot.locations.values() {
        match &location.place {
            Place::Ip { trusted, ranges: own } if *trusted || ids.contains(&location.id) => ranges.extend(own),
            Place::Country { countries: own, .. } if ids.contains(&location.id) => {
                countries.extend(own.iter().cloned());
            }
            _ => {}
        }
    }
    // "ZZ" is assigned to no country, so it stands for every country that no policy names.
    let countries = countries.into_iter().chain(["ZZ".to_owned()]).map(Known::Is).chain([Known::Absent]);
    let countries = countries.collect::<Vec<_>>();
    let addresses = stretches(&ranges).into_iter();
    addresses
        .flat_map(|ip| countries.iter().map(move |country| (ip, country.clone())))
        .map(|(ip, country)| SignIn {
            ip: Known::Is(ip),
            country: country.clone(),
            gps_country: country,
            ..SignIn::default()
        })
        .collect()
}

fn trusted_by_setting(model: &Model) -> Vec<IpRange> {
    model.snapshot.settings.mfa_trusted_ips.iter().filter_map(|text| IpRange::from_cidr(text)).collect()
}

/// The person's own devices; those of each kind that controls tell apart; and each of those with what filters name.
fn device_kinds(relevant: &[(usize, &Policy)], own: &[DeviceInfo]) -> Vec<SignIn> {
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
    let all = own.iter().cloned().chain(kinds.clone()).chain(dressed).map(Known::Is).chain([Known::Absent]);
    all.map(|device| SignIn { device, ..SignIn::default() }).collect()
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

fn risks() -> Vec<SignIn> {
    let levels = [RiskLevel::None, RiskLevel::Low, RiskLevel::Medium, RiskLevel::High];
    let pairs = levels.into_iter().flat_map(|sign_in| levels.into_iter().map(move |user| (sign_in, user)));
    pairs
        .map(|(sign_in, user)| SignIn {
            sign_in_risk: Known::Is(sign_in),
            user_risk: Known::Is(user),
            ..SignIn::default()
        })
        .collect()
}
