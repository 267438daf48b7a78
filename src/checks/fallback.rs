//! Whether other policies take over for accounts that a policy excludes: at what it is about, everyday sign-ins take MFA or
//! a managed device outside trusted places, or are blocked outside the organisation's own addresses.

use std::collections::BTreeSet;
use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::engine::location::MFA_TRUSTED_IPS;
use crate::engine::{Coverage, Model, Requirement, Scope};
use crate::tenant::location::{NamedLocation, Place};
use crate::tenant::policy::{ClientAppType, Platform, Sides};
use crate::tenant::{Kind, Policy, Reading, Snapshot};

use super::{drafts, policies};

const MODERN: [ClientAppType; 2] = [ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients];

/// For whom nothing takes over.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Surely.
    pub(super) sure: RoaringBitmap,
    /// Where that hangs on something unknown.
    pub(super) maybe: RoaringBitmap,
    /// What would settle it.
    pub(super) unresolved: BTreeSet<String>,
}

impl Left {
    /// Both together.
    pub(super) fn add(&mut self, other: &Self) {
        self.sure |= &other.sure;
        self.maybe |= &other.maybe;
        self.unresolved.extend(other.unresolved.iter().cloned());
    }
}

/// Where the named locations weren't read: the same tenant as if it trusted none, so that everywhere is outside the trusted
/// places. What lies within a location that a policy names stays unknown.
pub(super) fn without_trusted(snapshot: &Snapshot) -> Option<Model> {
    if snapshot.has(Kind::NamedLocations) {
        return None;
    }
    let unknown = |id: &String| {
        let place = Place::Unknown("not read".to_owned());
        (id.clone(), NamedLocation { id: id.clone(), display_name: id.clone(), place })
    };
    let named = snapshot.policies.iter().flat_map(policies::places);
    let named = named.filter(|id| !["All", "AllTrusted", MFA_TRUSTED_IPS].contains(&id.as_str()));
    let mut assumed = Snapshot {
        policies: snapshot.policies.clone(),
        locations: named.map(unknown).collect(),
        strengths: snapshot.strengths.clone(),
        directory: snapshot.directory.clone(),
        homes: snapshot.homes.clone(),
        settings: snapshot.settings.clone(),
        readings: snapshot.readings.clone(),
        ..Snapshot::default()
    };
    assumed.readings.insert(Kind::NamedLocations, Reading::Complete { count: 0 });
    Some(Model::new(Arc::new(assumed)))
}

/// The policy as if it left out the emergency access accounts, which no other one has to take in for it.
pub(super) fn sparing(policy: &Policy, snapshot: &Snapshot) -> Policy {
    let (mut spared, emergency) = (policy.clone(), drafts::exclusions(snapshot));
    let exclude = &mut spared.conditions.users.exclude;
    exclude.users.extend(emergency.users);
    exclude.groups.extend(emergency.groups);
    spared
}

/// Who of these nothing makes up for at the sign-ins that an exclusion takes away.
pub(super) fn left(model: &Model, taken_away: Scope, users: &RoaringBitmap) -> Left {
    let scope = Scope { users: Some(users.clone()), ..taken_away };
    let untrusted = Scope { untrusted_locations: true, ..scope.clone() };
    let elsewhere = Scope { outside: &scope.outside | &addresses(&model.snapshot), ..scope };
    let asked = model.coverage(&Requirement::MfaOrManagedDevice, &untrusted);
    if asked.uncovered.is_empty() && asked.undecided.is_empty() {
        return Left::default();
    }
    let held = model.coverage(&Requirement::Block, &elsewhere);
    let open = |of: &Coverage| &of.uncovered | &of.undecided;
    let sure = &asked.uncovered & &held.uncovered;
    let maybe = &(open(&asked) & open(&held)) - &sure;
    let unresolved = if maybe.is_empty() { BTreeSet::new() } else { &asked.unresolved | &held.unresolved };
    Left { sure, maybe, unresolved }
}

/// The everyday sign-ins that a policy is about, and that an exclusion takes from it.
pub(super) fn taken_away(model: &Model, policy: &Policy) -> Scope {
    let conditions = &policy.conditions;
    let types = &conditions.client_app_types;
    let any = types.is_empty() || types.contains(&ClientAppType::All);
    let apps = &conditions.applications;
    let every_app = apps.exclude.is_empty() && apps.filter.is_none();
    let (within, outside) = places(conditions.locations.as_ref());
    Scope {
        apps: (!every_app).then(|| model.apps_of(policy)),
        client_apps: MODERN.into_iter().filter(|one| any || types.contains(one)).collect(),
        platforms: conditions.platforms.as_ref().map(platforms).unwrap_or_default(),
        within,
        outside,
        ..Scope::default()
    }
}

fn places(sides: Option<&Sides<String>>) -> (BTreeSet<String>, BTreeSet<String>) {
    let Some(sides) = sides else { return (BTreeSet::new(), BTreeSet::new()) };
    let anywhere = sides.include.contains("All");
    (if anywhere { BTreeSet::new() } else { sides.include.clone() }, sides.exclude.clone())
}

fn platforms(sides: &Sides<Platform>) -> BTreeSet<Platform> {
    let listed = |set: &BTreeSet<Platform>, one: &Platform| set.contains(one) || set.contains(&Platform::All);
    let wanted = |one: &Platform| listed(&sides.include, one) && !listed(&sides.exclude, one);
    // Coverage calls the unknown platform All.
    Platform::NAMED.into_iter().chain([Platform::All]).filter(wanted).collect()
}

/// The organisation's own addresses: what it trusts, and what it named by address. A country is none.
fn addresses(snapshot: &Snapshot) -> BTreeSet<String> {
    let by_address = |place: &Place| matches!(place, Place::Ip { .. } | Place::CompliantNetwork);
    let named = snapshot.locations.values().filter(|location| by_address(&location.place));
    named.map(|location| location.id.clone()).chain(["AllTrusted".to_owned()]).collect()
}
