//! The admin lock-out check: could anybody still administer the tenant if a draft were On?
//!
//! For each Global Administrator it looks for one set of conditions under which every policy that applies can be met.
//! Conditions that no policy tells apart are tried once, so the search is exact over what policies can see.

mod candidates;

use std::collections::{BTreeMap, BTreeSet};

use self::candidates::{Candidates, candidates};
use super::Model;
use super::ability::{Abilities, device_of, is_compliant, is_hybrid, protects_apps};
use super::judge::Dimension;
use super::truth::Truth;
use super::variant::draft_id;
use super::who::role_members;
use crate::tenant::policy::{Control, GrantControls, Operator, Policy, PolicyState};
use crate::tenant::sign_in::{Identity, Known, SignIn, Target};
use crate::tenant::well_known::{APP_AZURE_MANAGEMENT, GLOBAL_ADMINISTRATOR};
use crate::tenant::{Assignment, Kind, User};

/// Whether the tenant can still be administered with a draft On.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lockout {
    /// Every Global Administrator with an enabled account, sorted by id.
    pub administrators: Vec<Access>,
    /// The role assignments weren't read, so nobody knows who the administrators are.
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
        if !snapshot.has(Kind::RoleAssignments) {
            return Lockout { unknown: true, unread: [Kind::RoleAssignments].into(), ..Lockout::default() };
        }
        let active = role_members(snapshot, GLOBAL_ADMINISTRATOR, Assignment::Active).unwrap_or_default();
        let abilities = self.abilities();
        let administrators: Vec<Access> = self
            .global_administrators()
            .map(|(at, user)| Access { eligible: !active.contains(at), ..self.access(&user.id, &abilities) })
            .collect();
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

    /// Whether at least one Global Administrator can sign in: what [`Lockout::anybody`] says, found with the first who can.
    #[must_use]
    pub fn admits_an_administrator(&self) -> Truth {
        if !self.snapshot.has(Kind::RoleAssignments) {
            return Truth::Maybe;
        }
        self.admits(|_| true)
    }

    /// The same without emergency access: it alone is no way to run a tenant.
    #[must_use]
    pub fn admits_an_everyday_administrator(&self) -> Truth {
        if !self.snapshot.has(Kind::RoleAssignments) {
            return Truth::Maybe;
        }
        self.admits(|user| !self.is_emergency(&user.id))
    }

    fn admits(&self, wanted: impl Fn(&User) -> bool) -> Truth {
        let abilities = self.abilities();
        let mut best = Truth::No;
        for (_, user) in self.global_administrators().filter(|(_, user)| wanted(user)) {
            best = best.or(self.access(&user.id, &abilities).can);
            if best == Truth::Yes {
                break;
            }
        }
        best
    }

    /// Everybody with an enabled account who is a Global Administrator, or could become one.
    fn global_administrators(&self) -> impl Iterator<Item = (u32, &User)> {
        let holders = |assignment| role_members(&self.snapshot, GLOBAL_ADMINISTRATOR, assignment).unwrap_or_default();
        let everybody = holders(Assignment::Active) | holders(Assignment::Eligible);
        let users = everybody.into_iter().filter_map(|at| Some((at, self.snapshot.directory.user_at(at)?)));
        users.filter(|(_, user)| user.enabled)
    }

    /// Whether one person can sign in to administer the tenant, under any conditions.
    fn access(&self, user_id: &str, abilities: &Abilities<'_>) -> Access {
        let start = SignIn {
            identity: Identity::User {
                id: Some(user_id.to_owned()),
                guest: None,
                tenant: Known::Unknown,
                direct_connect: false,
            },
            target: Target::Apps(vec![APP_AZURE_MANAGEMENT.to_owned()]),
            agent_risk: Known::Absent,
            agent_context: Known::Absent,
            ..SignIn::default()
        };
        let relevant = self.relevant(&start);
        let mut search = Search::new(self, &relevant, abilities, user_id);
        let own = abilities.knows_devices().then(|| abilities.devices(user_id));
        search.run(&candidates(self, &relevant, &start, own));
        let stopped_by = search.stopping();
        let (can, way_in) = search.best;
        let emergency = self.is_emergency(user_id);
        Access { user_id: user_id.to_owned(), emergency, eligible: false, can, stopped_by, way_in }
    }

    /// The policies that are On and could reach this person at this target.
    fn relevant(&self, start: &SignIn) -> Vec<(usize, &Policy)> {
        let who = self.who(&start.identity);
        let enabled =
            self.snapshot.policies.iter().enumerate().filter(|(_, policy)| policy.state == PolicyState::Enabled);
        let hit = |at, policy| {
            let meets = |dimension| self.meets(at, policy, dimension, (start, &who));
            meets(Dimension::Identity).and(meets(Dimension::Target)) != Truth::No
        };
        enabled.filter(|(at, policy)| policy.grant.is_some() && hit(*at, policy)).collect()
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

/// A walk through all conditions that matter, for one person.
struct Search<'m> {
    model: &'m Model,
    relevant: &'m [(usize, &'m Policy)],
    abilities: &'m Abilities<'m>,
    user_id: &'m str,
    best: (Truth, Option<SignIn>),
    tried: usize,
    /// How often each policy stood in the way.
    stopped: BTreeMap<String, usize>,
}

impl<'m> Search<'m> {
    fn new(
        model: &'m Model,
        relevant: &'m [(usize, &'m Policy)],
        abilities: &'m Abilities<'m>,
        user_id: &'m str,
    ) -> Self {
        Self { model, relevant, abilities, user_id, best: (Truth::No, None), tried: 0, stopped: BTreeMap::new() }
    }

    fn run(&mut self, candidates: &Candidates) {
        for sign_in in candidates.all() {
            self.tried += 1;
            let can = self.judge(&sign_in);
            if can > self.best.0 {
                self.best = (can, Some(sign_in));
            }
            if self.best.0 == Truth::Yes {
                return;
            }
        }
    }

    fn judge(&mut self, sign_in: &SignIn) -> Truth {
        let who = self.model.who(&sign_in.identity);
        let mut can = Truth::Yes;
        for (at, policy) in self.relevant {
            let applies =
                Truth::all(Dimension::ALL.map(|dimension| self.model.meets(*at, policy, dimension, (sign_in, &who))));
            let met = policy.grant.as_ref().map_or(Truth::Yes, |grant| self.meets(grant, sign_in));
            let passes = applies.negate().or(met);
            if passes != Truth::Yes {
                *self.stopped.entry(policy.id.clone()).or_default() += 1;
            }
            can = can.and(passes);
        }
        can
    }

    fn meets(&self, grant: &GrantControls, sign_in: &SignIn) -> Truth {
        let each = grant.controls.iter().map(|control| self.meets_control(control, sign_in));
        match grant.operator {
            Operator::And => Truth::all(each),
            Operator::Or => Truth::any(each),
        }
    }

    fn meets_control(&self, control: &Control, sign_in: &SignIn) -> Truth {
        let device = device_of(&sign_in.device);
        match control {
            // Who has no method yet is led to register one at sign-in.
            Control::Mfa => self.abilities.mfa(self.user_id).or(Truth::Maybe),
            Control::Strength(id) => self.abilities.strength(self.user_id, id),
            Control::CompliantDevice if device.is_some_and(is_compliant) => {
                self.abilities.device(self.user_id, is_compliant)
            }
            Control::DomainJoinedDevice if device.is_some_and(is_hybrid) => {
                self.abilities.device(self.user_id, is_hybrid)
            }
            Control::Block | Control::CompliantDevice | Control::DomainJoinedDevice => Truth::No,
            Control::ApprovedApplication | Control::CompliantApplication => protects_apps(&sign_in.platform),
            Control::PasswordChange | Control::RiskRemediation | Control::TermsOfUse(_) => Truth::Yes,
            Control::VerifiedId | Control::Custom(_) | Control::Unknown(_) => Truth::Maybe,
        }
    }

    /// The policies that stood in the way under every condition tried; where none did so alone, all that ever did.
    fn stopping(&self) -> BTreeSet<String> {
        let pick =
            |least: usize| self.stopped.iter().filter(move |(_, times)| **times >= least).map(|(id, _)| id.clone());
        match self.best.0 {
            Truth::Yes => BTreeSet::new(),
            _ if pick(self.tried).next().is_some() => pick(self.tried).collect(),
            _ => pick(1).collect(),
        }
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
    fn without_role_assignments_nobody_knows() {
        let model = Model::new(Arc::new(Snapshot::default()));
        assert_eq!(model.lockout(&policy(&json!({}))).anybody(), Truth::Maybe);
    }
}
