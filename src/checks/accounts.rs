//! Accounts are never one number: people, guests, service accounts, rooms and emergency access apart.

use jiff::Timestamp;
use roaring::RoaringBitmap;

use crate::tenant::Snapshot;
use crate::tenant::directory::AccountKind;

/// Days without a sign-in after which an account counts as unused.
const UNUSED_DAYS: i64 = 90;

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
    pub fn of(set: &RoaringBitmap, snapshot: &Snapshot, now: Timestamp) -> Self {
        let emergency = emergency_access(snapshot);
        let mut accounts = Self::default();
        for index in set {
            let Some(user) = snapshot.directory.user_at(index).filter(|user| user.enabled) else { continue };
            let part = if emergency.contains(index) {
                &mut accounts.emergency
            } else if user.guest.is_some() {
                &mut accounts.guests
            } else {
                match user.account {
                    AccountKind::Person => &mut accounts.people,
                    AccountKind::Service | AccountKind::Agent => &mut accounts.service,
                    AccountKind::Room => &mut accounts.rooms,
                }
            };
            part.insert(index);
            if user.last_sign_in.is_some_and(|at| days_between(at, now) >= UNUSED_DAYS) {
                accounts.unused.insert(index);
            }
            if user.pending {
                accounts.pending.insert(index);
            }
        }
        accounts
    }

    /// People and guests: those whom findings are about.
    #[must_use]
    pub fn humans(&self) -> RoaringBitmap {
        &self.people | &self.guests
    }
}

/// Positions of the configured emergency access accounts: users named, and members of groups named.
#[must_use]
pub fn emergency_access(snapshot: &Snapshot) -> RoaringBitmap {
    let mut set = RoaringBitmap::new();
    for id in &snapshot.settings.emergency_access {
        set.extend(snapshot.directory.user_index(id));
        if let Some(members) = snapshot.directory.groups.get(id).and_then(|group| group.transitive.as_deref()) {
            set |= members;
        }
    }
    set
}

/// Whole days from `from` to `to`.
#[must_use]
pub fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).div_euclid(86_400)
}
