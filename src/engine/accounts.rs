//! Sets of accounts that scopes are made of.

use roaring::RoaringBitmap;

use super::Model;
use super::who::{group_members, role_members};
use crate::tenant::directory::AccountKind;
use crate::tenant::{Assignment, Kind, User};

impl Model {
    /// Every enabled account, guests, service accounts and rooms among them. Disabled ones can't sign in, and those of
    /// agents are a question of their own: no policy for people reaches them.
    #[must_use]
    pub fn default_users(&self) -> RoaringBitmap {
        self.directory.default_users.clone()
    }

    /// Enabled accounts of one kind.
    #[must_use]
    pub fn users_of_kind(&self, kind: AccountKind) -> RoaringBitmap {
        self.users_where(|user| user.account == kind)
    }

    /// Enabled guests and external users that have an account here.
    #[must_use]
    pub fn guests(&self) -> RoaringBitmap {
        self.users_where(|user| user.guest.is_some())
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
