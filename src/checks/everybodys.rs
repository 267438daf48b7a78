//! What an app or a condition is to blame for, not a person.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::engine::coverage::Place;
use crate::engine::{Condition, Gap, Scope};
use crate::tenant::policy::{ClientAppType, Platform};

use super::gaps::Apps;

/// The apps and conditions that most of those who are covered elsewhere have a gap at.
///
/// Measured among those who are covered elsewhere, and at one half: what a general policy leaves out concerns nearly all
/// of them, what a policy for a part of the accounts leaves out concerns few. So a joiner more or less, or a group more in
/// an exclusion, doesn't turn a number over; only another policy does.
#[derive(Debug, Default)]
pub(super) struct Everybodys {
    apps: BTreeSet<String>,
    conditions: BTreeSet<Vec<Condition>>,
}

impl Everybodys {
    /// Of these places in a scope, for these people and guests.
    pub(super) fn of(places: &[Place], scope: &Scope, humans: &RoaringBitmap) -> Self {
        let always = || places.iter().filter(|place| place.conditions.is_empty());
        let elsewhere = humans - together(always().filter(|place| is_elsewhere(place)));
        let most =
            |users: &RoaringBitmap| elsewhere.len() > 1 && users.intersection_len(&elsewhere) * 2 > elsewhere.len();
        // Where the question is about these very apps, they can't be what is beside it.
        let named = scope.apps.is_some();
        let apps = if named || !most(&together(always())) {
            BTreeSet::new()
        } else {
            by_app(always()).into_iter().filter(|(_, users)| most(users)).map(|(id, _)| id.clone()).collect()
        };
        let beside = |place: &Place| is_elsewhere(place) || !place.apps.is_subset(&apps);
        let kinds: BTreeSet<_> = places.iter().map(|place| &place.conditions).filter(|kind| is_unusual(kind)).collect();
        let under =
            |kind: &Vec<Condition>| together(places.iter().filter(|place| place.conditions == *kind && beside(place)));
        let conditions = kinds.into_iter().filter(|kind| most(&under(kind))).cloned().collect();
        Self { apps, conditions }
    }

    /// Whether there is any.
    pub(super) fn any(&self) -> bool {
        !self.apps.is_empty() || !self.conditions.is_empty()
    }

    /// Each app, and each condition.
    pub(super) fn each(&self) -> impl Iterator<Item = (Option<&String>, &[Condition])> {
        let apps = self.apps.iter().map(|id| (Some(id), &[][..]));
        apps.chain(self.conditions.iter().map(|conditions| (None, conditions.as_slice())))
    }

    /// What is left of a place for the people it is about: the apps, none for all.
    pub(super) fn take_from(&self, place: &Place) -> Option<Apps> {
        self.left(&place.apps, is_elsewhere(place), &place.conditions)
    }

    /// The same of a gap.
    pub(super) fn take_from_gap(&self, gap: &Gap) -> Option<Apps> {
        let elsewhere = gap.any_app || gap.apps.is_empty();
        let apps = self.left(&gap.apps, elsewhere, &gap.conditions)?;
        Some(if gap.any_app { Apps::default() } else { apps })
    }

    fn left(&self, apps: &Apps, elsewhere: bool, conditions: &Vec<Condition>) -> Option<Apps> {
        let apps = if apps.is_disjoint(&self.apps) {
            Arc::clone(apps)
        } else {
            Arc::new(apps.difference(&self.apps).cloned().collect())
        };
        ((elsewhere || !apps.is_empty()) && !self.conditions.contains(conditions)).then_some(apps)
    }
}

/// Everybody who has a gap at one of these.
pub(super) fn together<'a>(places: impl Iterator<Item = &'a Place>) -> RoaringBitmap {
    places.fold(RoaringBitmap::new(), |all, place| all | &place.users)
}

/// Whether a place is at more than the apps it names: any other app, or a user action, or baseline scopes, which have none.
pub(super) fn is_elsewhere(place: &Place) -> bool {
    place.apps.is_empty()
}

/// Who has a gap at each app.
fn by_app<'a>(places: impl Iterator<Item = &'a Place>) -> BTreeMap<&'a String, RoaringBitmap> {
    let mut of_app: BTreeMap<&String, RoaringBitmap> = BTreeMap::new();
    for place in places {
        place.apps.iter().for_each(|id| *of_app.entry(id).or_default() |= &place.users);
    }
    of_app
}

/// Whether the conditions lie outside ordinary use: old protocols, baseline scopes, platforms that nobody has.
fn is_unusual(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| match condition {
        Condition::BaselineScopes => true,
        Condition::ClientApps(clients) => {
            let modern = [ClientAppType::All, ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients];
            modern.iter().all(|client| !clients.contains(client))
        }
        Condition::Platforms(platforms) => {
            platforms.iter().all(|platform| matches!(platform, Platform::All | Platform::WindowsPhone))
        }
        _ => false,
    })
}
