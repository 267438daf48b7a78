//! A tenant compiled for judging: each policy's users as sets of positions, its filters parsed.
//!
//! What costs most hangs on the directory alone or on one policy's users, so variants of a tenant under other policies
//! take it over instead of compiling it again.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use roaring::RoaringBitmap;

use super::coverage::Known;
use super::device_rule::DeviceFilter;
use super::lanes::Lanes;
use super::overlap::Inclusion;
use super::reach::Reach;
use super::replay::Log;
use super::who::{GuestIndex, UserCondition, guest_index};
use crate::tenant::directory::AccountKind;
use crate::tenant::{Policy, ServicePrincipal, Snapshot, User};

/// A tenant compiled for judging; cheap to share, holds its snapshot.
#[derive(Debug)]
pub struct Model {
    /// What was compiled.
    pub snapshot: Arc<Snapshot>,
    /// The user condition of each policy, in the snapshot's order.
    pub(super) users: Vec<Arc<UserCondition>>,
    pub(super) directory: Arc<Tables>,
    /// The device filter of each policy, parsed.
    filters: Vec<Option<DeviceFilter>>,
    /// Whom the policies reach; for a variant, whom those of the tenant do that it is a variant of.
    reach: Arc<OnceLock<Reach>>,
    /// The policies are those whose reach was compiled, in that order.
    base: bool,
    /// Which policies each value meets.
    lanes: OnceLock<Lanes>,
    /// Which policies lie within which others.
    inclusion: OnceLock<Inclusion>,
    /// The sign-in log as drafts are replayed over it.
    log: OnceLock<Log>,
    /// Coverage that was asked for before.
    pub(super) known: Known,
}

/// What hangs on the directory alone.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) guests: GuestIndex,
    pub(super) everyone: RoaringBitmap,
    /// Enabled accounts that aren't an agent's.
    pub(super) default_users: RoaringBitmap,
    /// Position of the service principal of each app id.
    apps: BTreeMap<String, usize>,
}

impl Tables {
    fn new(snapshot: &Snapshot) -> Self {
        let users = &snapshot.directory.users;
        let count = u32::try_from(users.len()).unwrap_or(u32::MAX);
        let mut everyone = RoaringBitmap::new();
        everyone.insert_range(0..count);
        let looked_at = |user: &User| user.enabled && user.account != AccountKind::Agent;
        let default_users = (0u32..).zip(users).filter(|(_, user)| looked_at(user)).map(|(position, _)| position);
        let default_users = RoaringBitmap::from_sorted_iter(default_users).unwrap_or_default();
        let principals = snapshot.directory.service_principals.iter().enumerate();
        let apps = principals.map(|(at, principal)| (principal.app_id.clone(), at)).collect();
        Self { guests: guest_index(snapshot), everyone, default_users, apps }
    }
}

impl Model {
    /// Compiles a snapshot.
    #[must_use]
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        let tables = Arc::new(Tables::new(&snapshot));
        Self { base: true, ..Self::with_tables(snapshot, (tables, Arc::default()), |_| None) }
    }

    /// Compiles the same tenant under other policies; those that name the same users take over who they are.
    pub(super) fn variant(&self, snapshot: Arc<Snapshot>) -> Self {
        let compiled: BTreeMap<&str, (&Policy, &Arc<UserCondition>)> = self
            .snapshot
            .policies
            .iter()
            .zip(&self.users)
            .map(|(one, users)| (one.id.as_str(), (one, users)))
            .collect();
        self.reach();
        let tables = (Arc::clone(&self.directory), Arc::clone(&self.reach));
        Self::with_tables(snapshot, tables, |policy| {
            let (before, users) = compiled.get(policy.id.as_str())?;
            (before.conditions.users == policy.conditions.users).then(|| Arc::clone(users))
        })
    }

    fn with_tables(
        snapshot: Arc<Snapshot>,
        (directory, reach): (Arc<Tables>, Arc<OnceLock<Reach>>),
        compiled: impl Fn(&Policy) -> Option<Arc<UserCondition>>,
    ) -> Self {
        let users = |policy| compiled(policy).unwrap_or_else(|| Arc::new(UserCondition::new(&snapshot, policy)));
        let users = snapshot.policies.iter().map(users).collect();
        let filters =
            snapshot.policies.iter().map(|policy| policy.conditions.device_filter.as_ref().map(DeviceFilter::new));
        let filters = filters.collect();
        Self {
            users,
            directory,
            filters,
            reach,
            base: false,
            lanes: OnceLock::new(),
            inclusion: OnceLock::new(),
            log: OnceLock::new(),
            known: Known::default(),
            snapshot,
        }
    }

    /// The device filter of the policy at this position.
    pub(super) fn device_filter(&self, at: usize) -> Option<&DeviceFilter> {
        self.filters.get(at)?.as_ref()
    }

    /// The service principal of an app.
    pub(super) fn app(&self, app_id: &str) -> Option<&ServicePrincipal> {
        self.snapshot.directory.service_principals.get(*self.directory.apps.get(app_id)?)
    }

    /// Whom the policies reach, compiled when it is first asked for.
    pub(super) fn reach(&self) -> &Reach {
        self.reach.get_or_init(|| Reach::new(self.users.clone(), &self.directory.everyone, &self.directory.guests))
    }

    /// Whether each column of the reach is the policy at the same position.
    pub(super) fn is_base(&self) -> bool {
        self.base
    }

    /// Which policies each value meets, compiled when it is first asked for.
    pub(super) fn lanes(&self) -> &Lanes {
        self.lanes.get_or_init(|| Lanes::new(self))
    }

    /// Which policies lie within which others, found when it is first asked for.
    pub(super) fn inclusion(&self) -> &Inclusion {
        self.inclusion.get_or_init(|| Inclusion::new(self))
    }

    /// The sign-in log compiled for replays, when one is first asked for.
    pub(super) fn log(&self) -> &Log {
        self.log.get_or_init(|| Log::new(&self.snapshot.sign_ins))
    }

    /// Directory users who surely meet a policy's user condition, and those who possibly do.
    pub(super) fn positions(&self, users: &UserCondition) -> (RoaringBitmap, RoaringBitmap) {
        users.positions(&self.directory.everyone, &self.directory.guests)
    }
}
