//! The places that policies tell apart: one for each combination of named locations that a sign-in can be in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::Scope;
use crate::engine::location::{MFA_TRUSTED_IPS, trusted, within};
use crate::engine::truth::Truth;
use crate::tenant::location::{IpRange, Place};
use crate::tenant::sign_in::{Known, SignIn};
use crate::tenant::{Kind, NamedLocation, Snapshot};

/// A place that stands for all those in the same named locations.
#[derive(Clone, Debug)]
pub(super) struct Location {
    ip: IpAddr,
    country: Known<String>,
    gps: Known<String>,
    compliant_network: bool,
    /// What is taken for granted of locations that nobody read.
    unread: BTreeMap<String, bool>,
    /// Ids of the named locations that it is in; empty anywhere else.
    inside: BTreeSet<String>,
}

impl Location {
    /// There may be no such place at all: the trusted addresses of per-user MFA weren't stated, and perhaps there are none.
    pub(super) fn is_supposed(&self) -> bool {
        self.unread.get(MFA_TRUSTED_IPS) == Some(&true)
    }

    pub(super) fn set(&self, sign_in: &mut SignIn) {
        sign_in.ip = Known::Is(self.ip);
        sign_in.country = self.country.clone();
        sign_in.gps_country = self.gps.clone();
        sign_in.compliant_network = Some(self.compliant_network);
        sign_in.unread_places.clone_from(&self.unread);
    }
}

/// Places of one kind (by address, country or GPS) that policies tell apart, with the ids of the locations they are in.
type Kinds<T> = Vec<(T, BTreeSet<String>)>;

/// What these policies and a scope name: ids of named locations, `All`, `AllTrusted`.
pub(super) fn named<'a>(snapshot: &'a Snapshot, scope: &'a Scope, policies: &BTreeSet<usize>) -> BTreeSet<&'a str> {
    let conditions = policies.iter().filter_map(|at| snapshot.policies.get(*at)?.conditions.locations.as_ref());
    let mut named: BTreeSet<&str> =
        conditions.flat_map(|sides| sides.include.union(&sides.exclude)).map(String::as_str).collect();
    named.extend(scope.within.union(&scope.outside).map(String::as_str));
    if scope.untrusted_locations {
        named.insert("AllTrusted");
    }
    named
}

/// Every combination of the locations that are named.
pub(super) fn values(snapshot: &Snapshot, scope: &Scope, named: &BTreeSet<&str>) -> Vec<Location> {
    let addresses = addresses(snapshot, named);
    let by_address = countries(snapshot, named, Lookup::Address(&scope.countries));
    let by_gps = countries(snapshot, named, Lookup::Gps);
    let unread = unread(snapshot, scope, named);
    let mut all = Vec::new();
    for (ip, networks, supposed) in &supposing(snapshot, named, addresses) {
        for (country, countries) in &by_address {
            for (gps, shared) in &by_gps {
                for (compliant_network, through) in &compliant_networks(snapshot, named) {
                    let inside = networks.iter().chain(countries).chain(shared).chain(through).cloned();
                    for unread in &unread {
                        let unread: BTreeMap<_, _> = unread.clone().into_iter().chain(supposed.clone()).collect();
                        let within = unread.iter().filter(|(_, inside)| **inside).map(|(id, _)| id.clone());
                        all.push(Location {
                            ip: *ip,
                            country: country.clone(),
                            gps: gps.clone(),
                            compliant_network: *compliant_network,
                            inside: inside.clone().chain(within).collect(),
                            unread,
                        });
                    }
                }
            }
        }
    }
    all.retain(|location| is_wanted(snapshot, scope, location));
    all
}

/// An address with the ids of the named locations it is in, and what is supposed of it.
type Supposed = (IpAddr, BTreeSet<String>, Option<(String, bool)>);

/// Where nobody stated the trusted addresses of per-user MFA, each other address is supposed to be one, too. A trusted location
/// that nothing names itself stands for them.
fn supposing(snapshot: &Snapshot, named: &BTreeSet<&str>, addresses: Kinds<IpAddr>) -> Vec<Supposed> {
    let stands = |location: &NamedLocation| {
        let trusted = matches!(&location.place, Place::Ip { trusted: true, ranges } if !ranges.is_empty());
        trusted && !named.contains(location.id.as_str())
    };
    let asked = match snapshot.settings.mfa_trusted_ips {
        Some(_) => false,
        None if named.contains(MFA_TRUSTED_IPS) => true,
        None => named.contains("AllTrusted") && !snapshot.locations.values().any(stands),
    };
    let can_be = |ip: IpAddr| asked && ip.is_ipv4() && trusted(snapshot, &Known::Is(ip)) != Truth::Yes;
    let both = addresses.into_iter().flat_map(|(ip, inside)| {
        let one = can_be(ip).then(|| (ip, inside.clone(), Some((MFA_TRUSTED_IPS.to_owned(), true))));
        one.into_iter().chain([(ip, inside, None)])
    });
    both.collect()
}

/// Whether a scope takes in a place, as far as is known.
fn is_wanted(snapshot: &Snapshot, scope: &Scope, location: &Location) -> bool {
    let mut sign_in = SignIn::default();
    location.set(&mut sign_in);
    let inside = |id: &String| within(snapshot, id, &sign_in);
    let untrusted = !scope.untrusted_locations || inside(&"AllTrusted".to_owned()) != Truth::Yes;
    untrusted
        && (scope.within.is_empty() || scope.within.iter().any(|id| inside(id) != Truth::No))
        && scope.outside.iter().all(|id| inside(id) != Truth::Yes)
}

/// Of locations that nobody read, how they overlap isn't known: a sign-in is in one, or outside of one, and whether it is in
/// another one is open. A location is some places, and never all of them.
fn unread(snapshot: &Snapshot, scope: &Scope, named: &BTreeSet<&str>) -> Vec<BTreeMap<String, bool>> {
    let known = |id: &str| id == "All" || id == MFA_TRUSTED_IPS || snapshot.locations.contains_key(id);
    let ids: Vec<&str> = named.iter().copied().filter(|id| !known(id)).collect();
    if ids.is_empty() || snapshot.has(Kind::NamedLocations) {
        return vec![BTreeMap::new()];
    }
    let mut stated: BTreeMap<String, bool> = scope.outside.iter().map(|id| (id.clone(), false)).collect();
    stated.extend(scope.untrusted_locations.then(|| ("AllTrusted".to_owned(), false)));
    stated.extend(scope.within.first().filter(|_| scope.within.len() == 1).map(|id| (id.clone(), true)));
    if !stated.is_empty() {
        return vec![stated];
    }
    ids.into_iter().flat_map(|id| [false, true].map(|inside| BTreeMap::from([(id.to_owned(), inside)]))).collect()
}

/// One address for each combination of address ranges that overlap, and one that is in none.
fn addresses(snapshot: &Snapshot, named: &BTreeSet<&str>) -> Kinds<IpAddr> {
    let all_trusted = named.contains("AllTrusted");
    let mut ranges: Vec<(IpRange, String)> = Vec::new();
    for location in snapshot.locations.values() {
        if let Place::Ip { trusted, ranges: of } = &location.place
            && (named.contains(location.id.as_str()) || (all_trusted && *trusted))
        {
            ranges.extend(of.iter().map(|range| (*range, location.id.clone())));
        }
    }
    if all_trusted || named.contains(MFA_TRUSTED_IPS) {
        let of = snapshot.settings.mfa_trusted().filter_map(IpRange::from_cidr);
        ranges.extend(of.map(|range| (range, MFA_TRUSTED_IPS.to_owned())));
    }
    let mut kinds: BTreeMap<BTreeSet<String>, IpAddr> = BTreeMap::new();
    for (v4, lowest) in [(true, IpAddr::from([0, 0, 0, 0])), (false, IpAddr::from([0u16; 8]))] {
        let family = ranges.iter().filter(|(range, _)| range.lower.is_ipv4() == v4);
        sweep(family.collect(), lowest, &mut kinds);
    }
    kinds.into_iter().map(|(inside, ip)| (ip, inside)).collect()
}

/// Goes through the addresses of one family in order and keeps the first of each combination of ranges.
fn sweep(ranges: Vec<&(IpRange, String)>, lowest: IpAddr, kinds: &mut BTreeMap<BTreeSet<String>, IpAddr>) {
    let mut events: BTreeMap<IpAddr, Vec<(&str, bool)>> = BTreeMap::from([(lowest, Vec::new())]);
    for (range, name) in ranges {
        events.entry(range.lower).or_default().push((name, true));
        if let Some(after) = next(range.upper) {
            events.entry(after).or_default().push((name, false));
        }
    }
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for (address, changes) in events {
        for (name, begins) in changes {
            let count = open.entry(name).or_default();
            *count = if begins { *count + 1 } else { count.saturating_sub(1) };
        }
        open.retain(|_, count| *count > 0);
        kinds.entry(open.keys().map(ToString::to_string).collect()).or_insert(address);
    }
}

fn next(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => u32::from(v4).checked_add(1).map(|bits| IpAddr::V4(bits.into())),
        IpAddr::V6(v6) => u128::from(v6).checked_add(1).map(|bits| IpAddr::V6(bits.into())),
    }
}

/// Outside the compliant network; and through it, where a policy asks.
fn compliant_networks(snapshot: &Snapshot, named: &BTreeSet<&str>) -> Kinds<bool> {
    let through = |id: &&str| snapshot.locations.get(*id).is_some_and(|one| one.place == Place::CompliantNetwork);
    let ids: BTreeSet<String> = named.iter().filter(|id| through(id)).map(ToString::to_string).collect();
    if ids.is_empty() { vec![(false, ids)] } else { vec![(false, BTreeSet::new()), (true, ids)] }
}

/// How a country is found.
#[derive(Clone, Copy)]
enum Lookup<'a> {
    /// By address; only these countries, or all where none is named.
    Address(&'a BTreeSet<String>),
    Gps,
}

/// One country for each combination of country locations, another country, and none.
fn countries(snapshot: &Snapshot, named: &BTreeSet<&str>, lookup: Lookup<'_>) -> Kinds<Known<String>> {
    let gps = matches!(lookup, Lookup::Gps);
    let mut relevant = Vec::new();
    for location in snapshot.locations.values().filter(|location| named.contains(location.id.as_str())) {
        if let Place::Country { countries, by_gps, include_unknown } = &location.place
            && *by_gps == gps
        {
            relevant.push((&location.id, countries, *include_unknown));
        }
    }
    let codes: BTreeSet<&String> = relevant.iter().flat_map(|(_, countries, _)| *countries).collect();
    let mut kinds: BTreeMap<BTreeSet<String>, Known<String>> = BTreeMap::new();
    let inside = |hit: &dyn Fn(&BTreeSet<String>, bool) -> bool| -> BTreeSet<String> {
        relevant
            .iter()
            .filter(|(_, countries, unknown)| hit(countries, *unknown))
            .map(|(id, ..)| (*id).clone())
            .collect()
    };
    let only = if let Lookup::Address(only) = lookup { only } else { &BTreeSet::new() };
    if only.is_empty() {
        kinds.entry(BTreeSet::new()).or_insert(Known::Is("ZZ".into()));
        kinds.entry(inside(&|_, unknown| unknown)).or_insert(Known::Absent);
    }
    for code in if only.is_empty() { codes } else { only.iter().collect() } {
        kinds.entry(inside(&|countries, _| countries.contains(code))).or_insert_with(|| Known::Is(code.clone()));
    }
    kinds.into_iter().map(|(inside, country)| (country, inside)).collect()
}

/// The places of a gap among those looked at, as people read them.
pub(super) fn describe(snapshot: &Snapshot, gap: &[&Location], rest: &[&Location]) -> String {
    let name = |id: &'_ String| match snapshot.locations.get(id) {
        Some(location) => location.display_name.clone(),
        None if id == MFA_TRUSTED_IPS => "MFA trusted IPs".to_owned(),
        None if id == "AllTrusted" => "all trusted locations".to_owned(),
        None => format!("named location {id}"),
    };
    let names = |of: &[&Location]| -> String {
        let all: BTreeSet<String> = of.iter().flat_map(|location| &location.inside).map(name).collect();
        all.into_iter().collect::<Vec<_>>().join(", ")
    };
    if gap.iter().any(|location| location.inside.is_empty()) {
        return format!("outside {}", names(rest));
    }
    let only: Vec<&Location> = rest.iter().copied().filter(|location| !location.inside.is_empty()).collect();
    let within = names(gap);
    let beyond = names(&only);
    if beyond.is_empty() || within == beyond { within } else { format!("{within} (but not {beyond})") }
}
