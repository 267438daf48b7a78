//! Sets of accounts that scopes are made of.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use roaring::RoaringBitmap;

use super::Model;
use super::who::{group_members, role_members};
use crate::tenant::directory::AccountKind;
use crate::tenant::{Assignment, Kind, Snapshot, User};

/// Enabled accounts by what they are for, found once: a question splits its answer by them.
#[derive(Debug, Default)]
pub struct AccountSets {
    /// All of them.
    pub enabled: RoaringBitmap,
    /// Guests and external users of any kind.
    pub guests: RoaringBitmap,
    /// Service accounts and those of agents.
    pub service: RoaringBitmap,
    /// Rooms and equipment.
    pub rooms: RoaringBitmap,
    /// Invitation not accepted yet.
    pub pending: RoaringBitmap,
    /// The last answer of [`Model::unseen_since`]: checks of one run ask for the same moment.
    unseen: Mutex<Option<(Timestamp, Arc<RoaringBitmap>)>>,
}

impl AccountSets {
    fn new(snapshot: &Snapshot) -> Self {
        let mut sets = Self::default();
        for (position, user) in (0u32..).zip(&snapshot.directory.users).filter(|(_, user)| user.enabled) {
            sets.enabled.insert(position);
            if user.guest.is_some() {
                sets.guests.insert(position);
            }
            match user.account {
                AccountKind::Person => {}
                AccountKind::Service | AccountKind::Agent => drop(sets.service.insert(position)),
                AccountKind::Room => drop(sets.rooms.insert(position)),
            }
            if user.pending {
                sets.pending.insert(position);
            }
        }
        sets
    }
}

impl Model {
    /// Every enabled account, guests, service accounts and rooms among them. Disabled ones can't sign in, and those of
    /// agents are a question of their own: no policy for people reaches them.
    #[must_use]
    pub fn default_users(&self) -> RoaringBitmap {
        self.directory.default_users.clone()
    }

    /// Enabled accounts by what they are for.
    #[must_use]
    pub fn account_sets(&self) -> &AccountSets {
        self.directory.accounts.get_or_init(|| AccountSets::new(&self.snapshot))
    }

    /// Enabled accounts whose last sign-in is known and lies at or before this moment, to the second.
    #[must_use]
    pub fn unseen_since(&self, moment: Timestamp) -> Arc<RoaringBitmap> {
        let mut known = self.account_sets().unseen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, unseen)) = known.as_ref().filter(|(at, _)| *at == moment) {
            return Arc::clone(unseen);
        }
        let unseen =
            Arc::new(self.users_where(|user| user.last_sign_in.is_some_and(|at| at.as_second() <= moment.as_second())));
        *known = Some((moment, Arc::clone(&unseen)));
        unseen
    }

    /// Enabled accounts of one kind.
    #[must_use]
    pub fn users_of_kind(&self, kind: AccountKind) -> RoaringBitmap {
        self.users_where(|user| user.account == kind)
    }

    /// Enabled guests and external users that have an account here.
    #[must_use]
    pub fn guests(&self) -> RoaringBitmap {
        self.account_sets().guests.clone()
    }

    /// Emergency access accounts as configured, by themselves or through groups, whatever their state.
    #[must_use]
    pub fn emergency_users(&self) -> RoaringBitmap {
        let mut all = RoaringBitmap::new();
        for id in &self.snapshot.settings.emergency_access {
            match self.snapshot.directory.user_index(id) {
                Some(position) => drop(all.insert(position)),
                None => all |= group_members(&self.snapshot, id).unwrap_or_default(),
            }
        }
        all
    }

    /// Enabled members of a group, nested ones too; none when not known. A deleted group has none.
    #[must_use]
    pub fn group_users(&self, group: &str) -> Option<RoaringBitmap> {
        Some(group_members(&self.snapshot, group)? & self.default_users())
    }

    /// Enabled accounts that registered a method for multifactor authentication; none when that wasn't read.
    #[must_use]
    pub fn registered_users(&self) -> Option<RoaringBitmap> {
        let registrations = &self.snapshot.directory.registrations;
        let registered = |user: &User| registrations.get(&user.id).is_some_and(|one| one.mfa_capable);
        self.snapshot.has(Kind::UserRegistrationDetails).then(|| self.users_where(registered))
    }

    /// Enabled holders of a built-in role for the whole tenant, directly or through a group; none when not known.
    #[must_use]
    pub fn role_holders(&self, role: &str, assignment: Assignment) -> Option<RoaringBitmap> {
        Some(role_members(&self.snapshot, role, assignment)? & self.default_users())
    }

    /// Ids of the roles that somebody could activate; none where they count as activated.
    pub(super) fn activatable(&self) -> BTreeSet<&str> {
        let held = self.snapshot.directory.role_assignments.iter();
        let eligible = held.filter(|held| held.assignment == Assignment::Eligible && !self.activated);
        eligible.map(|held| held.role_id.as_str()).collect()
    }

    /// Directory users whom a policy's user condition surely takes in, and those whom it possibly does; others never.
    #[must_use]
    pub fn users_of(&self, policy_id: &str) -> (RoaringBitmap, RoaringBitmap) {
        let at = self.snapshot.policies.iter().position(|policy| policy.id == policy_id);
        at.and_then(|at| self.users.get(at)).map(|condition| self.positions(condition)).unwrap_or_default()
    }

    fn users_where(&self, wanted: impl Fn(&User) -> bool) -> RoaringBitmap {
        let users = (0u32..).zip(&self.snapshot.directory.users);
        users.filter(|(_, user)| user.enabled && wanted(user)).map(|(position, _)| position).collect()
    }
}
