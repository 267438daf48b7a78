//! Puts a [`Snapshot`] together from objects that arrive in any order, and resolves who is in which group.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use super::directory::{Device, Group, Registration, User};
use super::policy::GuestType;
use super::read::GroupRead;
use super::shared::Shared;
use super::snapshot::{Kind, Reading, Snapshot};
use super::strength::built_in;
use super::{AuditRecord, NamedLocation, PastSignIn, Policy, Role, RoleAssignment, ServicePrincipal, Strength, Text};

/// A snapshot in the making. What has no order of its own may be set on [`SnapshotBuilder::snapshot`] directly.
#[derive(Debug, Default)]
pub struct SnapshotBuilder {
    /// What was gathered so far; users, members, devices and sorted lists are filled in by [`SnapshotBuilder::build`].
    pub snapshot: Snapshot,
    users: BTreeMap<Text, User>,
    groups: BTreeMap<String, GroupRead>,
    devices: BTreeMap<String, Device>,
    /// The snapshot has its users, groups, members and devices already.
    resolved: bool,
}

impl SnapshotBuilder {
    /// Goes on from a snapshot that was built, with whatever is no user, group, member or device.
    #[must_use]
    pub fn going_on(snapshot: Snapshot) -> Self {
        Self { snapshot, resolved: true, ..Self::default() }
    }

    /// Adds a policy.
    pub fn policy(&mut self, policy: Policy) {
        self.snapshot.policies.push(policy);
    }

    /// Adds a user; of two with the same id the later one holds.
    pub fn user(&mut self, user: User) {
        self.users.insert(user.id.clone(), user);
    }

    /// Adds a group.
    pub fn group(&mut self, read: GroupRead) {
        self.groups.insert(read.group.id.clone(), read);
    }

    /// Adds direct members of a group that was added before or will be; what is known is added to.
    pub fn members(&mut self, group_id: &str, ids: impl IntoIterator<Item = String>) {
        let read = self.groups.entry(group_id.to_owned()).or_default();
        group_id.clone_into(&mut read.group.id);
        read.members.get_or_insert_default().extend(ids);
    }

    /// Adds a role assignment.
    pub fn role_assignment(&mut self, assignment: RoleAssignment) {
        self.snapshot.directory.role_assignments.push(assignment);
    }

    /// Adds a role definition.
    pub fn role(&mut self, role: Role) {
        self.snapshot.directory.roles.insert(role.id.clone(), role);
    }

    /// Adds a service principal.
    pub fn service_principal(&mut self, principal: ServicePrincipal) {
        self.snapshot.directory.service_principals.push(principal);
    }

    /// Adds a device.
    pub fn device(&mut self, device: Device) {
        self.devices.insert(device.id.clone(), device);
    }

    /// Adds somebody's registered methods.
    pub fn registration(&mut self, registration: Registration) {
        self.snapshot.directory.registrations.insert(registration.user_id.clone(), registration);
    }

    /// Adds a named location.
    pub fn location(&mut self, location: NamedLocation) {
        self.snapshot.locations.insert(location.id.clone(), location);
    }

    /// Adds an authentication strength.
    pub fn strength(&mut self, strength: Strength) {
        self.snapshot.strengths.insert(strength.id.clone(), strength);
    }

    /// Adds the units of a licence to those of its plans.
    pub fn licences(&mut self, plans: BTreeMap<String, u64>) {
        for (plan, units) in plans {
            let owned = self.snapshot.licences.entry(plan).or_default();
            *owned = owned.saturating_add(units);
        }
    }

    /// Adds a row of the sign-in log.
    pub fn sign_in(&mut self, row: PastSignIn) {
        self.snapshot.sign_ins.push(row);
    }

    /// Adds a row of the audit log.
    pub fn audit(&mut self, row: AuditRecord) {
        self.snapshot.audits.push(row);
    }

    /// Notes how the reading of a kind went.
    pub fn reading(&mut self, kind: Kind, reading: Reading) {
        self.snapshot.readings.insert(kind, reading);
    }

    /// The snapshot, with everything sorted, members resolved, and the built-in strengths in it. What came twice, as on two
    /// pages of a collection that grew meanwhile, is there once.
    #[must_use]
    pub fn build(self) -> Snapshot {
        let mut snapshot = if self.resolved { self.snapshot } else { self.resolved() };
        snapshot.sign_ins.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        snapshot.sign_ins.dedup_by(|a, b| !a.id.is_empty() && a.id == b.id);
        snapshot.audits.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        snapshot.audits.dedup_by(|a, b| !a.id.is_empty() && a.id == b.id);
        recount(&mut snapshot);
        fill_in_homes(&mut snapshot);
        snapshot
    }

    fn resolved(self) -> Snapshot {
        let mut snapshot = self.snapshot;
        let mut known = BTreeSet::new();
        snapshot.policies.retain(|policy| policy.id.is_empty() || known.insert(policy.id.clone()));
        for strength in built_in() {
            let known = snapshot.strengths.entry(strength.id.clone()).or_default();
            if known.allowed_combinations.is_empty() {
                *known = strength;
            }
        }
        let mut users = self.users;
        if !snapshot.has(Kind::Users) {
            add_named_users(&mut users, &self.groups, &snapshot);
        }
        snapshot.directory.users = users.into_values().collect();
        snapshot.directory.devices = self.devices.into_values().collect();
        snapshot.directory.service_principals.sort_by(|a, b| a.id.cmp(&b.id));
        snapshot.directory.service_principals.dedup_by(|a, b| !a.id.is_empty() && a.id == b.id);
        snapshot.directory.role_assignments.sort_by(|a, b| a.principal_id.cmp(&b.principal_id));
        let groups = self.groups.into_values().map(|read| resolve(read, &snapshot)).collect::<BTreeMap<_, _>>();
        snapshot.directory.groups = closed(groups);
        snapshot
    }
}

/// Graph doesn't say with guests which organisation they come from, but the log does with their sign-ins: it is known of
/// those whose sign-ins all say the same.
fn fill_in_homes(snapshot: &mut Snapshot) {
    let directory = &snapshot.directory;
    let external = |user: &User| user.guest.is_some_and(|kind| kind != GuestType::InternalGuest);
    let guest = |id: &str| directory.user_index(id).filter(|at| directory.user_at(*at).is_some_and(external));
    let mut homes: BTreeMap<u32, Option<Text>> = BTreeMap::new();
    let elsewhere = |home: &Text| *home != snapshot.tenant_id;
    for row in snapshot.sign_ins.iter().filter(|row| row.home_tenant.as_ref().is_some_and(elsewhere)) {
        let Some(guest) = guest(&row.user_id) else { continue };
        let home = homes.entry(guest).or_insert_with(|| row.home_tenant.clone());
        if *home != row.home_tenant {
            *home = None;
        }
    }
    let told = homes.into_iter().filter_map(|(guest, home)| Some((directory.user_at(guest)?.id.clone(), home?)));
    let told: Vec<_> = told.collect();
    snapshot.homes.extend(told);
}

/// No more objects than there are: the pages' rows were counted.
fn recount(snapshot: &mut Snapshot) {
    let there = [
        (Kind::Policies, snapshot.policies.len()),
        (Kind::Users, snapshot.directory.users.len()),
        (Kind::ServicePrincipals, snapshot.directory.service_principals.len()),
        (Kind::Devices, snapshot.directory.devices.len()),
        (Kind::SignIns, snapshot.sign_ins.len()),
    ];
    for (kind, there) in there {
        if let Some(Reading::Complete { count }) = snapshot.readings.get_mut(&kind) {
            *count = (*count).min(u64::try_from(there).unwrap_or(u64::MAX));
        }
    }
}

/// Without a list of users, those that groups and role assignments name are all that is known of them: an id each.
fn add_named_users(users: &mut BTreeMap<Text, User>, groups: &BTreeMap<String, GroupRead>, snapshot: &Snapshot) {
    let members = groups.values().flat_map(|read| read.members.iter().flatten());
    let holders = snapshot.directory.role_assignments.iter().map(|assignment| &assignment.principal_id);
    let workloads =
        snapshot.directory.service_principals.iter().map(|principal| &principal.id).collect::<BTreeSet<_>>();
    for id in members.chain(holders).filter(|id| !groups.contains_key(*id) && !workloads.contains(id)) {
        let id = Text::from(id);
        users.entry(id.clone()).or_insert_with(|| User { id, enabled: true, ..User::default() });
    }
}

/// Direct members by position; ids that are no user are taken for groups if a group has them.
fn resolve(read: GroupRead, snapshot: &Snapshot) -> (String, Group) {
    let mut group = read.group;
    group.transitive = read.members.is_some().then(Shared::default);
    let mut positions = Vec::new();
    for member in read.members.unwrap_or_default() {
        match snapshot.directory.user_index(&member) {
            Some(position) => positions.push(position),
            None => group.member_groups.push(member),
        }
    }
    positions.sort_unstable();
    positions.dedup();
    group.members = RoaringBitmap::from_sorted_iter(positions).unwrap_or_default().into();
    group.member_groups.sort_unstable();
    group.member_groups.dedup();
    (group.id.clone(), group)
}

/// Fills in who is in each group through others. A group above one whose members are unknown is unknown itself.
fn closed(mut groups: BTreeMap<String, Group>) -> BTreeMap<String, Group> {
    let ids = groups.keys().cloned().collect::<BTreeSet<_>>();
    for group in groups.values_mut() {
        group.member_groups.retain(|member| ids.contains(member));
    }
    let nested = groups.values().filter(|group| !group.member_groups.is_empty()).map(|group| group.id.clone());
    let below = nested.map(|id| (members_below(&groups, &id), id)).collect::<Vec<_>>();
    for group in groups.values_mut().filter(|group| group.transitive.is_some()) {
        group.transitive = Some(group.members.clone());
    }
    for (members, id) in below {
        if let Some(group) = groups.get_mut(&id) {
            group.transitive = members.map(Shared::from);
        }
    }
    groups
}

/// Everybody in a group and those nested in it; each is looked at once, so cycles end.
fn members_below(groups: &BTreeMap<String, Group>, id: &str) -> Option<RoaringBitmap> {
    let mut members = RoaringBitmap::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        let Some(group) = groups.get(id).filter(|_| seen.insert(id)) else { continue };
        group.transitive.as_ref()?;
        members |= &*group.members;
        open.extend(group.member_groups.iter().map(String::as_str));
    }
    Some(members)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::read::{read_group, read_policy, read_service_principal, read_sign_in, read_user};
    use super::super::well_known::STRENGTH_PHISHING_RESISTANT;
    use super::*;

    fn tenant(groups: &[serde_json::Value]) -> Snapshot {
        let mut builder = SnapshotBuilder::default();
        builder.reading(Kind::Users, Reading::Complete { count: 3 });
        for group in groups {
            builder.group(read_group(group).unwrap());
        }
        for id in ["u3", "u1", "u2"] {
            builder.user(read_user(&json!({"id": id})).unwrap());
        }
        builder.build()
    }

    fn everybody(snapshot: &Snapshot, group: &str) -> Option<Vec<u32>> {
        snapshot.directory.groups[group].transitive.as_ref().map(|members| members.iter().collect())
    }

    #[test]
    fn nested_groups_count_and_cycles_end() {
        let snapshot = tenant(&[
            json!({"id": "a", "members": ["u1", "b"]}),
            json!({"id": "b", "members": ["u2", "c"]}),
            json!({"id": "c", "members": ["u3", "a", "deleted"]}),
        ]);
        for group in ["a", "b", "c"] {
            assert_eq!(everybody(&snapshot, group), Some(vec![0, 1, 2]), "{group}");
        }
        assert_eq!(snapshot.directory.groups["c"].member_groups, ["a"]);
    }

    #[test]
    fn unknown_members_below_make_the_group_above_unknown() {
        let snapshot = tenant(&[json!({"id": "a", "members": ["u1", "b"]}), json!({"id": "b"})]);
        assert_eq!(everybody(&snapshot, "a"), None);
        assert_eq!(everybody(&snapshot, "b"), None);
    }

    #[test]
    fn without_a_list_of_users_members_are_known_by_id() {
        let mut builder = SnapshotBuilder::default();
        builder.group(read_group(&json!({"id": "a", "members": ["u1", "b"]})).unwrap());
        builder.group(read_group(&json!({"id": "b", "members": ["u2"]})).unwrap());
        let snapshot = builder.build();
        assert_eq!(everybody(&snapshot, "a"), Some(vec![0, 1]));
        assert!(!snapshot.has(Kind::Users));
    }

    #[test]
    fn what_comes_twice_is_there_once_and_counted_once() {
        let mut builder = SnapshotBuilder::default();
        let twice = Reading::Complete { count: 2 };
        let kinds = [Kind::Policies, Kind::Users, Kind::ServicePrincipals, Kind::SignIns, Kind::DirectoryAudits];
        kinds.into_iter().for_each(|kind| builder.reading(kind, twice.clone()));
        let at = "2026-11-23T09:00:00Z";
        for _ in 0..2 {
            builder.policy(
                read_policy(&json!({"id": "p", "displayName": "P", "state": "enabled", "conditions": {}})).unwrap(),
            );
            builder.user(read_user(&json!({"id": "u"})).unwrap());
            builder.service_principal(read_service_principal(&json!({"id": "s", "appId": "a"})).unwrap());
            builder.sign_in(read_sign_in(&json!({"id": "r", "createdDateTime": at, "userId": "u"})).unwrap());
            builder.audit(AuditRecord { id: "a".into(), ..AuditRecord::default() });
        }
        let snapshot = builder.build();
        assert_eq!((snapshot.policies.len(), snapshot.directory.service_principals.len()), (1, 1));
        assert_eq!((snapshot.sign_ins.len(), snapshot.audits.len()), (1, 1));
        for kind in &kinds[..4] {
            assert_eq!(snapshot.readings[kind], Reading::Complete { count: 1 }, "{kind:?}");
        }
    }

    #[test]
    fn a_guest_comes_from_where_all_sign_ins_of_the_log_say() {
        let mut builder = SnapshotBuilder::default();
        builder.snapshot.tenant_id = "t-own".into();
        for id in ["moved", "partner", "silent", "here"] {
            builder.user(read_user(&json!({"id": id, "userType": "Guest", "userPrincipalName": "a#EXT#@x"})).unwrap());
        }
        builder.user(read_user(&json!({"id": "member"})).unwrap());
        let rows = [
            ("partner", "t-1"),
            ("partner", "t-1"),
            ("moved", "t-1"),
            ("moved", "t-2"),
            ("moved", "t-1"),
            ("here", "t-own"),
            ("member", "t-3"),
        ];
        for (at, (user, home)) in rows.iter().enumerate() {
            let at = format!("2026-11-23T09:00:0{at}Z");
            let row = json!({"id": at, "createdDateTime": at, "userId": user, "homeTenantId": home});
            builder.sign_in(read_sign_in(&row).unwrap());
        }
        let snapshot = builder.build();
        assert_eq!(*snapshot.homes, BTreeMap::from([("partner".into(), "t-1".into())]));
    }

    #[test]
    fn a_snapshot_goes_on_from_one_that_was_built() {
        let built = tenant(&[json!({"id": "a", "members": ["u1"]})]);
        let mut builder = SnapshotBuilder::going_on(built.clone());
        builder.audit(AuditRecord { id: "late".into(), ..AuditRecord::default() });
        let whole = builder.build();
        assert!(whole.directory == built.directory && whole.strengths == built.strengths);
        assert_eq!((whole.audits.len(), built.audits.len()), (1, 0));
    }

    #[test]
    fn the_built_in_strengths_are_always_there() {
        assert_eq!(tenant(&[]).strengths.len(), 3);
        let mut builder = SnapshotBuilder::default();
        let id = STRENGTH_PHISHING_RESISTANT.to_owned();
        builder.strength(Strength { id: id.clone(), display_name: "As embedded".into(), ..Strength::default() });
        assert_eq!(builder.build().strengths[&id].allowed_combinations.len(), 3);
    }
}
