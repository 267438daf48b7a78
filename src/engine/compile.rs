//! A tenant compiled for judging: each policy's users as sets of positions, its filters parsed.

use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::device_rule::DeviceFilter;
use super::who::{GuestIndex, UserCondition, guest_index};
use crate::tenant::{ServicePrincipal, Snapshot};

/// A tenant compiled for judging; cheap to share, holds its snapshot.
#[derive(Debug)]
pub struct Model {
    /// What was compiled.
    pub snapshot: Arc<Snapshot>,
    /// The user condition of each policy, in the snapshot's order.
    pub(super) users: Vec<UserCondition>,
    pub(super) guests: GuestIndex,
    pub(super) everyone: RoaringBitmap,
    /// The device filter of each policy, parsed.
    filters: Vec<Option<DeviceFilter>>,
    /// Position of the service principal of each app id.
    apps: BTreeMap<String, usize>,
}

impl Model {
    /// Compiles a snapshot.
    #[must_use]
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        let users = snapshot.policies.iter().map(|policy| UserCondition::new(&snapshot, policy)).collect();
        let count = u32::try_from(snapshot.directory.users.len()).unwrap_or(u32::MAX);
        let (guests, everyone) = (guest_index(&snapshot), (0..count).collect());
        let principals = snapshot.directory.service_principals.iter().enumerate();
        let apps = principals.map(|(at, principal)| (principal.app_id.clone(), at)).collect();
        let filters =
            snapshot.policies.iter().map(|policy| policy.conditions.device_filter.as_ref().map(DeviceFilter::new));
        let filters = filters.collect();
        Self { snapshot, users, guests, everyone, filters, apps }
    }

    /// The device filter of the policy at this position.
    pub(super) fn device_filter(&self, at: usize) -> Option<&DeviceFilter> {
        self.filters.get(at)?.as_ref()
    }

    /// The service principal of an app.
    pub(super) fn app(&self, app_id: &str) -> Option<&ServicePrincipal> {
        self.snapshot.directory.service_principals.get(*self.apps.get(app_id)?)
    }
}
