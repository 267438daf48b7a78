//! Sign-ins that state one group of conditions and leave the rest open: one for each value that policies can tell apart.

use std::collections::BTreeSet;

use super::Model;
use super::location::stretches;
use crate::tenant::location::{IpRange, Place};
use crate::tenant::policy::{ClientAppType, Platform, RiskLevel};
use crate::tenant::sign_in::{Known, SignIn};
use crate::tenant::{NamedLocation, Policy};

/// Each of these clients on each platform, the unknown one too.
pub(super) fn clients(types: &[ClientAppType]) -> Vec<SignIn> {
    let platforms =
        [Platform::Windows, Platform::MacOs, Platform::Ios, Platform::Android, Platform::Linux, Platform::WindowsPhone];
    let platforms = platforms.into_iter().map(Known::Is).chain([Known::Absent]).collect::<Vec<_>>();
    let pairs = types.iter().flat_map(|client| platforms.iter().map(move |platform| (*client, *platform)));
    pairs.map(|(client, platform)| SignIn { client_app: Known::Is(client), platform, ..SignIn::default() }).collect()
}

/// One address of each stretch that the policies' locations tell apart, with every country by address and by GPS, and through
/// the compliant network and not, where they name it.
pub(super) fn places<'a>(model: &Model, policies: impl Iterator<Item = &'a Policy>) -> Vec<SignIn> {
    let named = policies.filter_map(|policy| policy.conditions.locations.as_ref());
    let ids = named.flat_map(|sides| sides.include.iter().chain(&sides.exclude)).collect::<BTreeSet<_>>();
    let settings = &model.snapshot.settings;
    let mut ranges: Vec<IpRange> = settings.mfa_trusted().filter_map(IpRange::from_cidr).collect();
    let (mut by_address, mut by_gps) = (BTreeSet::new(), BTreeSet::new());
    for location in model.snapshot.locations.values() {
        match &location.place {
            Place::Ip { trusted, ranges: own } if *trusted || ids.contains(&location.id) => ranges.extend(own),
            Place::Country { countries, by_gps: gps, .. } if ids.contains(&location.id) => {
                let found = if *gps { &mut by_gps } else { &mut by_address };
                found.extend(countries.iter().cloned());
            }
            _ => {}
        }
    }
    let (by_address, by_gps) = (with_others(by_address), with_others(by_gps));
    let named = |location: &NamedLocation| ids.contains(&location.id) && location.place == Place::CompliantNetwork;
    let networks: &[bool] = if model.snapshot.locations.values().any(named) { &[false, true] } else { &[false] };
    let everywhere = stretches(&ranges).into_iter().flat_map(|ip| by_address.iter().map(move |country| (ip, country)));
    everywhere
        .flat_map(|(ip, country)| by_gps.iter().map(move |gps| (ip, country, gps)))
        .flat_map(|place| networks.iter().map(move |network| (place, *network)))
        .map(|((ip, country, gps), compliant_network)| SignIn {
            ip: Known::Is(ip),
            country: country.clone(),
            gps_country: gps.clone(),
            compliant_network: Some(compliant_network),
            ..SignIn::default()
        })
        .collect()
}

/// The countries, one that nobody names ("ZZ" is assigned to none), and no country at all.
fn with_others(countries: BTreeSet<String>) -> Vec<Known<String>> {
    countries.into_iter().chain(["ZZ".to_owned()]).map(Known::Is).chain([Known::Absent]).collect()
}

/// Every sign-in risk with every user risk.
pub(super) fn risks() -> Vec<SignIn> {
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
