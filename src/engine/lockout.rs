//! The admin lock-out check: could anybody still administer the tenant if a draft were On?
//!
//! For each Global Administrator it looks for one set of conditions under which every policy that applies can be met.
//! Conditions that no policy tells apart are tried once, so the search is exact over what policies can see.

mod candidates;
mod search;

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use self::candidates::Administration;
use self::search::Person;
use super::Model;
use super::truth::Truth;
use super::variant::draft_id;
use super::who::role_members;
use crate::tenant::policy::{Control, Policy};
use crate::tenant::sign_in::SignIn;
use crate::tenant::well_known::GLOBAL_ADMINISTRATOR;
use crate::tenant::{Assignment, Kind, User};

/// The position of an administrator in the directory, and conditions under which they may get in.
pub(super) type WayIn = (u32, SignIn);

/// Whether the tenant can still be administered with a draft On.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lockout {
    /// Every Global Administrator with an enabled account, sorted by id.
    pub administrators: Vec<Access>,
    /// The role assignments, or a group that holds the role, weren't read: nobody knows who the administrators are.
    pub unknown: bool,
    /// What wasn't read and would say more of those who can perhaps.
    pub unread: BTreeSet<Kind>,
}

/// Whether one person can still sign in.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// Object id of the user.
    pub user_id: String,
    /// Configured as an emergency access account.
    pub emergency: bool,
    /// Holds the role only once activated.
    pub eligible: bool,
    /// Surely, perhaps, or under no conditions at all.
    pub can: Truth,
    /// The policies that stand in the way where the person can't get in, or may not; a draft without an id is
    /// [`super::variant::DRAFT`].
    pub stopped_by: BTreeSet<String>,
    /// Conditions under which they can, or might.
    pub way_in: Option<SignIn>,
}

impl Lockout {
    /// Whether at least one administrator can still sign in: surely, perhaps, or none at all.
    #[must_use]
    pub fn anybody(&self) -> Truth {
        if self.unknown {
            return Truth::Maybe;
        }
        Truth::any(self.administrators.iter().map(|access| access.can))
    }

    /// Administrators who could not sign in any more.
    pub fn locked_out(&self) -> impl Iterator<Item = &Access> {
        self.administrators.iter().filter(|access| access.can == Truth::No)
    }
}

impl Model {
    /// Looks whether administrators could still sign in if `draft` were On beside the policies that are.
    #[must_use]
    pub fn lockout(&self, draft: &Policy) -> Lockout {
        self.with_draft_on(draft).lockout_now()
    }

    /// Looks whether administrators can sign in under the policies that are On.
    #[must_use]
    pub fn lockout_now(&self) -> Lockout {
        let snapshot = &self.snapshot;
        let Some([active, _]) = self.holders() else {
            let needed = [Kind::RoleAssignments, Kind::Groups].into_iter().filter(|kind| !snapshot.has(*kind));
            return Lockout { unknown: true, unread: needed.collect(), ..Lockout::default() };
        };
        let (all, abilities) = (Administration::new(self), self.abilities());
        let access = |(at, user): (u32, &User)| {
            let found = all.best(&Person::new(user, &abilities));
            let stopping = found.stopping().into_iter().filter_map(|at| snapshot.policies.get(at));
            Access {
                user_id: user.id.to_string(),
                emergency: self.is_emergency(&user.id),
                eligible: !active.contains(at),
                can: found.can,
                stopped_by: stopping.map(|policy| policy.id.clone()).collect(),
                way_in: found.way_in,
            }
        };
        let administrators: Vec<Access> = self.global_administrators().map(access).collect();
        Lockout { unread: self.unread(&administrators), administrators, unknown: false }
    }

    /// The kinds that weren't read and that the policies ask about which may stand in somebody's way.
    fn unread(&self, administrators: &[Access]) -> BTreeSet<Kind> {
        let perhaps = administrators.iter().filter(|access| access.can == Truth::Maybe);
        let stopping: BTreeSet<&str> = perhaps.flat_map(|access| &access.stopped_by).map(String::as_str).collect();
        let policies = self.snapshot.policies.iter().filter(|policy| stopping.contains(draft_id(policy)));
        let filtered =
            policies.clone().filter(|policy| policy.conditions.device_filter.is_some()).map(|_| Kind::Devices);
        let asked = policies.flat_map(|policy| &policy.grant).flat_map(|grant| &grant.controls);
        let told_by = filtered.chain(asked.filter_map(|control| match control {
            Control::Mfa | Control::Strength(_) => Some(Kind::UserRegistrationDetails),
            Control::CompliantDevice | Control::DomainJoinedDevice => Some(Kind::Devices),
            _ => None,
        }));
        told_by.filter(|kind| !self.snapshot.has(*kind)).collect()
    }

    /// Whether surely no Global Administrator can sign in: what [`Lockout::anybody`] says, as far as the first who may.
    #[must_use]
    pub fn locks_out_administrators(&self) -> bool {
        self.locks_out(|_| true)
    }

    /// Whether a policy, On, would keep everybody out but emergency access, which alone is no way to run a tenant, where others
    /// may get in as it is.
    #[must_use]
    pub fn would_lock_out_everyday_administrators(&self, policy: &Policy) -> bool {
        self.everyday_way_in().is_some() && self.with_draft_on(policy).locks_out(|user| !self.is_emergency(&user.id))
    }

    fn locks_out(&self, wanted: impl Fn(&User) -> bool) -> bool {
        self.holders().is_some() && !self.keeps_the_way_in() && self.first_way_in(wanted).is_none()
    }

    /// Whether the tenant's own way in is one under these policies too: for most drafts and edits one sign-in settles it.
    fn keeps_the_way_in(&self) -> bool {
        let Some((at, sign_in)) = self.origin().everyday_way_in() else { return false };
        let Some(user) = self.snapshot.directory.user_at(*at) else { return false };
        let abilities = self.abilities();
        Administration::only(self, sign_in).way_in(&Person::new(user, &abilities)).is_some()
    }

    /// How the first administrator beside emergency access gets in.
    pub(super) fn first_everyday_way_in(&self) -> Option<WayIn> {
        self.first_way_in(|user| !self.is_emergency(&user.id))
    }

    fn first_way_in(&self, wanted: impl Fn(&User) -> bool) -> Option<WayIn> {
        let (all, abilities) = (Administration::new(self), self.abilities());
        let open = self.global_administrators().filter(|(at, user)| !all.shuts_out(*at, user));
        let mut administrators = open.filter(|(_, user)| wanted(user));
        // Who may get in is no proof that they do, and what would settle it isn't asked here.
        administrators.find_map(|(at, user)| Some((at, all.way_in(&Person::new(user, &abilities))?)))
    }

    /// Everybody with an enabled account who is a Global Administrator, or could become one.
    fn global_administrators(&self) -> impl Iterator<Item = (u32, &User)> {
        let everybody = self.holders().map(|[active, eligible]| active | eligible).unwrap_or_default();
        let users = everybody.into_iter().filter_map(|at| Some((at, self.snapshot.directory.user_at(at)?)));
        users.filter(|(_, user)| user.enabled)
    }

    /// Who is a Global Administrator, and who could become one; none when not known.
    fn holders(&self) -> Option<&[RoaringBitmap; 2]> {
        let holders = |assignment| role_members(&self.snapshot, GLOBAL_ADMINISTRATOR, assignment);
        let find = || Some([holders(Assignment::Active)?, holders(Assignment::Eligible)?]);
        self.directory.administrators.get_or_init(find).as_ref()
    }

    /// Whether somebody is configured as an emergency access account, by id or through a group.
    #[must_use]
    pub fn is_emergency(&self, user_id: &str) -> bool {
        let configured = &self.snapshot.settings.emergency_access;
        let directory = &self.snapshot.directory;
        let within = |position: u32| {
            let members = configured.iter().filter_map(|id| directory.groups.get(id)?.transitive.as_ref());
            members.into_iter().any(|members| members.contains(position))
        };
        configured.contains(user_id) || directory.user_index(user_id).is_some_and(within)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::tenant::read::{
        read_device, read_group, read_named_location, read_registration, read_role_assignment, read_user,
    };
    use crate::tenant::{Reading, Snapshot, SnapshotBuilder, read_policy};

    fn tenant(policies: &[Value]) -> Model {
        let mut builder = SnapshotBuilder::default();
        let read =
            [Kind::Users, Kind::Groups, Kind::RoleAssignments, Kind::NamedLocations, Kind::UserRegistrationDetails];
        for kind in read {
            builder.reading(kind, Reading::Complete { count: 1 });
        }
        for id in ["ga1", "ga2", "alice"] {
            builder.user(read_user(&json!({"id": id})).unwrap());
        }
        builder.group(read_group(&json!({"id": "bg", "members": ["ga2"]})).unwrap());
        for id in ["ga1", "ga2"] {
            let role = json!({"principalId": id, "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"});
            builder.role_assignment(read_role_assignment(&role).unwrap());
        }
        builder.registration(read_registration(&json!({"id": "ga1", "isMfaCapable": true})).unwrap());
        let hq = json!({"id": "hq", "isTrusted": true, "ipRanges": [{"cidrAddress": "203.0.113.0/24"}]});
        builder.location(read_named_location(&hq).unwrap());
        for body in policies {
            builder.policy(policy(body));
        }
        Model::new(Arc::new(builder.build()))
    }

    fn policy(changes: &Value) -> Policy {
        let mut body = json!({"id": "p", "state": "enabled", "conditions": {"users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]}}, "grantControls": {"operator": "OR", "builtInControls": ["block"]}});
        for (name, value) in changes.as_object().unwrap() {
            match name.as_str() {
                "grant" => body["grantControls"] = value.clone(),
                "id" => body["id"] = value.clone(),
                _ => body["conditions"][name] = value.clone(),
            }
        }
        read_policy(&body).unwrap()
    }

    fn verdicts(model: &Model, draft: &Value) -> Vec<(String, Truth)> {
        model.lockout(&policy(draft)).administrators.into_iter().map(|access| (access.user_id, access.can)).collect()
    }

    #[test]
    fn what_would_say_more_of_administrators_is_named() {
        let unread = |control: &str, read: bool| {
            let mut snapshot = tenant(&[]).snapshot.as_ref().clone();
            if !read {
                snapshot.readings.remove(&Kind::UserRegistrationDetails);
                snapshot.directory.registrations.clear();
            }
            let draft = policy(&json!({"grant": {"operator": "OR", "builtInControls": [control]}}));
            Model::new(Arc::new(snapshot)).lockout(&draft).unread
        };
        assert_eq!(unread("compliantDevice", true), [Kind::Devices].into());
        assert_eq!(unread("mfa", false), [Kind::UserRegistrationDetails].into());
        assert_eq!(unread("mfa", true), [].into());
    }

    #[test]
    fn blocking_everybody_locks_everybody_out() {
        let lockout = tenant(&[]).lockout(&policy(&json!({"id": "draft"})));
        assert_eq!(lockout.anybody(), Truth::No);
        assert_eq!(lockout.locked_out().count(), 2);
        assert_eq!(lockout.administrators[0].stopped_by, BTreeSet::from(["draft".to_owned()]));
    }

    #[test]
    fn an_exclusion_leaves_a_way_in() {
        let draft = json!({"users": {"includeUsers": ["All"], "excludeGroups": ["bg"]}});
        assert_eq!(verdicts(&tenant(&[]), &draft), [("ga1".into(), Truth::No), ("ga2".into(), Truth::Yes)]);
    }

    #[test]
    fn a_block_everywhere_but_at_the_office_leaves_the_office() {
        let model = tenant(&[]);
        let draft = json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["hq"]}});
        let lockout = model.lockout(&policy(&draft));
        assert_eq!(lockout.anybody(), Truth::Yes);
        let way_in = lockout.administrators[0].way_in.as_ref().unwrap();
        assert_eq!(super::super::location::within(&model.snapshot, "hq", way_in), Truth::Yes);
    }

    #[test]
    fn two_halves_make_a_whole_block() {
        let outside = json!({"id": "outside", "locations": {"includeLocations": ["All"], "excludeLocations": ["hq"]}});
        let inside = json!({"id": "inside", "locations": {"includeLocations": ["hq"]}});
        let lockout = tenant(&[outside]).lockout(&policy(&inside));
        assert_eq!(lockout.anybody(), Truth::No);
        assert_eq!(lockout.administrators[0].stopped_by.len(), 2);
    }

    #[test]
    fn who_has_no_mfa_method_may_still_register_one() {
        let mfa = json!({"grant": {"operator": "OR", "builtInControls": ["mfa"]}});
        assert_eq!(verdicts(&tenant(&[]), &mfa), [("ga1".into(), Truth::Yes), ("ga2".into(), Truth::Maybe)]);
    }

    #[test]
    fn a_device_filter_that_nobody_can_avoid() {
        let rule =
            |mode: &str| json!({"deviceFilter": {"mode": mode, "rule": "device.extensionAttribute1 -eq \"SAW\""}});
        assert_eq!(tenant(&[]).lockout(&policy(&json!({"devices": rule("exclude")}))).anybody(), Truth::Yes);
        let both = [json!({"id": "a", "devices": rule("exclude")})];
        assert_eq!(tenant(&both).lockout(&policy(&json!({"devices": rule("include")}))).anybody(), Truth::No);
    }

    #[test]
    fn two_device_filters_are_passed_with_a_device_that_carries_both_marks() {
        let but = |id: &str, mark: &str| {
            let rule = format!("device.{mark} -eq \"SAW\"");
            json!({"id": id, "devices": {"deviceFilter": {"mode": "exclude", "rule": rule}}})
        };
        let lockout = tenant(&[but("a", "extensionAttribute1")]).lockout(&policy(&but("b", "extensionAttribute2")));
        assert_eq!(lockout.anybody(), Truth::Yes);
    }

    #[test]
    fn the_last_way_in_of_everyday_administrators_is_kept_and_theirs_alone() {
        let model = tenant(&[]);
        let shut = |draft: &Value| model.would_lock_out_everyday_administrators(&policy(draft));
        let but = |id: &str| json!({"users": {"includeUsers": ["All"], "excludeUsers": [id]}});
        assert!(shut(&json!({})));
        assert!(!shut(&but("ga1")) && !shut(&but("ga2")));
        let blocked = tenant(&[json!({"id": "blocked"})]);
        assert!(!blocked.would_lock_out_everyday_administrators(&policy(&json!({}))), "nobody gets in as it is");
    }

    #[test]
    fn a_device_filter_is_passed_with_a_device_that_somebody_has() {
        let with = |owner: &str, mark: &str| {
            let mut snapshot = (*tenant(&[]).snapshot).clone();
            let device = json!({"deviceId": "d", "trustType": "ServerAD", "registeredOwners": [owner],
                "extensionAttributes": {"extensionAttribute1": mark}});
            snapshot.directory.devices = vec![read_device(&device).unwrap()];
            snapshot.readings.insert(Kind::Devices, Reading::Complete { count: 1 });
            Model::new(Arc::new(snapshot))
        };
        let rule = json!({"deviceFilter": {"mode": "exclude", "rule": "device.extensionAttribute1 -eq \"SAW\""}});
        let draft = policy(&json!({"devices": rule}));
        assert_eq!(with("ga1", "SAW").lockout(&draft).anybody(), Truth::Yes);
        assert_eq!(with("ga1", "other").lockout(&draft).anybody(), Truth::No);
        assert_eq!(with("alice", "SAW").lockout(&draft).anybody(), Truth::No, "a device of somebody else");
    }

    #[test]
    fn a_compliant_network_is_a_way_in_too() {
        let mut builder = SnapshotBuilder::default();
        let kinds = [Kind::Users, Kind::RoleAssignments, Kind::NamedLocations];
        kinds.into_iter().for_each(|kind| builder.reading(kind, Reading::Complete { count: 1 }));
        builder.user(read_user(&json!({"id": "ga1"})).unwrap());
        let role = json!({"principalId": "ga1", "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"});
        builder.role_assignment(read_role_assignment(&role).unwrap());
        let network = json!({"id": "net", "@odata.type": "#microsoft.graph.compliantNetworkNamedLocation"});
        builder.location(read_named_location(&network).unwrap());
        let draft = json!({"locations": {"includeLocations": ["All"], "excludeLocations": ["net"]}});
        let lockout = Model::new(Arc::new(builder.build())).lockout(&policy(&draft));
        assert_eq!(lockout.anybody(), Truth::Yes);
        assert_eq!(lockout.administrators[0].way_in.as_ref().unwrap().compliant_network, Some(true));
    }

    #[test]
    fn policies_for_agents_lock_no_person_out() {
        let agents = json!({"users": {"includeUsers": ["AllAgentIdUsers"]}});
        assert_eq!(tenant(&[]).lockout(&policy(&agents)).anybody(), Truth::Yes);
        let assisted = json!({"agentContext": {"includeAgentContexts": ["allAgentAssistedFlows"]}});
        assert_eq!(tenant(&[]).lockout(&policy(&assisted)).anybody(), Truth::Yes);
    }

    #[test]
    fn nobody_knows_without_role_assignments_or_the_group_that_holds_the_role() {
        let model = Model::new(Arc::new(Snapshot::default()));
        assert_eq!(model.lockout(&policy(&json!({}))).anybody(), Truth::Maybe);
        let mut builder = SnapshotBuilder::default();
        let read = [Kind::Users, Kind::RoleAssignments];
        read.into_iter().for_each(|kind| builder.reading(kind, Reading::Complete { count: 1 }));
        let role = json!({"principalId": "g", "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"});
        builder.role_assignment(read_role_assignment(&role).unwrap());
        let lockout = Model::new(Arc::new(builder.build())).lockout(&policy(&json!({})));
        assert_eq!((lockout.anybody(), lockout.unread), (Truth::Maybe, [Kind::Groups].into()));
    }
}
