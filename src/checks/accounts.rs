//! Accounts are never one number: people, guests, service accounts, rooms and emergency access apart.

use jiff::{SignedDuration, Timestamp};
use roaring::RoaringBitmap;

use crate::engine::Model;
use crate::tenant::{Assignment, Snapshot};

use super::scopes::role_holders;

/// Days without a sign-in after which an account counts as unused.
const UNUSED_DAYS: i64 = 90;

/// What nobody can check as long as no emergency access account is configured.
pub(super) const UNNAMED: &str =
    "which emergency access accounts there are (settings.json or the configuration would settle it)";

/// A set of enabled accounts, split; the parts don't overlap and add up to the set, except `unused` and `pending`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accounts {
    /// Members that are people.
    pub people: RoaringBitmap,
    /// Guests and external users of any kind.
    pub guests: RoaringBitmap,
    /// Service accounts.
    pub service: RoaringBitmap,
    /// Rooms and equipment.
    pub rooms: RoaringBitmap,
    /// Emergency access (break-glass) accounts, as configured.
    pub emergency: RoaringBitmap,
    /// Of all these: no sign-in for 90 days, where the directory says so.
    pub unused: RoaringBitmap,
    /// Of the guests: invitation not accepted yet.
    pub pending: RoaringBitmap,
}

impl Accounts {
    /// Splits the enabled accounts of `set`.
    #[must_use]
    pub fn of(set: &RoaringBitmap, model: &Model, now: Timestamp) -> Self {
        let sets = model.account_sets();
        let enabled = set & &sets.enabled;
        let emergency = &enabled & emergency_access(&model.snapshot);
        let others = &enabled - &emergency;
        let guests = &others & &sets.guests;
        let members = others - &guests;
        let service = &members & &sets.service;
        let rooms = &members & &sets.rooms;
        let people = members - &service - &rooms;
        let long_ago = now.checked_sub(SignedDuration::from_hours(24 * UNUSED_DAYS)).unwrap_or(Timestamp::MIN);
        let unused = &enabled & &*model.unseen_since(long_ago);
        Self { people, guests, service, rooms, emergency, unused, pending: enabled & &sets.pending }
    }

    /// Service accounts and rooms.
    #[must_use]
    pub fn machines(&self) -> RoaringBitmap {
        &self.service | &self.rooms
    }

    /// People and guests: those whom findings are about.
    #[must_use]
    pub fn humans(&self) -> RoaringBitmap {
        &self.people | &self.guests
    }

    /// Those whose gap is a failure: people and guests, and the service accounts and rooms that hold an administrator role.
    ///
    /// That another service account or room isn't made to use MFA may be meant: it can't answer a prompt, and what takes over
    /// for it is judged by other checks. So it is no failure; nor a pass, for a person has to say whether it is one: most are
    /// told by their names. What an account is called makes no password enough for an administrator.
    #[must_use]
    pub fn judged(&self, model: &Model) -> RoaringBitmap {
        let machines = self.machines();
        if machines.is_empty() {
            return self.humans();
        }
        self.humans() | (machines & role_holders(&model.snapshot.directory, Assignment::Active))
    }
}

/// Positions of the configured emergency access accounts: users named, and members of groups named.
#[must_use]
pub fn emergency_access(snapshot: &Snapshot) -> RoaringBitmap {
    snapshot.emergency_access()
}

/// Whole days from `from` to `to`.
#[must_use]
pub fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).div_euclid(86_400)
}
