//! Made-up tenants of any size from a seed, written straight into the engine's own types: independent of the demo, whose
//! names, logs and stories cost time that says nothing about the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use portcullis::engine::Model;
use portcullis::tenant::builder::SnapshotBuilder;
use portcullis::tenant::directory::{Group, RoleAssignment, ServicePrincipal, User};
use portcullis::tenant::location::{IpRange, Place};
use portcullis::tenant::policy::{
    ClientAppType, Control, GrantControls, Operator, Platform, PolicyState, RiskLevel, Sides, TransferMethod,
};
use portcullis::tenant::shared::Shared;
use portcullis::tenant::sign_in::Known;
use portcullis::tenant::snapshot::BaselineScopes;
use portcullis::tenant::{Kind, NamedLocation, PastSignIn, Policy, Reading, Snapshot, Text};
use roaring::RoaringBitmap;

/// The built-in role Global Administrator.
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// How much of everything.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub users: u32,
    pub groups: u32,
    /// Direct members of all groups together.
    pub memberships: u32,
    pub apps: u32,
    pub policies: u32,
}

/// The largest tenant of the targets.
pub(crate) const LARGE: Size =
    Size { users: 1_000_000, groups: 5_000, memberships: 20_000_000, apps: 3_000, policies: 240 };

/// A tenant as they are: some forty policies, most of them about everybody.
pub(crate) const ORDINARY: Size = Size { users: 10_000, groups: 300, memberships: 100_000, apps: 400, policies: 40 };

/// Numbers that look random, the same ones for the same seed (`SplitMix64`).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end.max(1))).unwrap()
    }

    /// True so many times of a hundred.
    pub(crate) fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    fn some<T>(&mut self, (least, most): (u32, u32), mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = least + self.below(most - least + 1);
        (0..count).map(|_| one(self)).collect()
    }
}

pub(crate) fn user_id(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000001")
}

pub(crate) fn group_id(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000002")
}

pub(crate) fn app_id(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000003")
}

pub(crate) fn location_id(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000004")
}

pub(crate) fn policy_id(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000005")
}

/// Everything but policies: users, groups, apps, an administrator in a thousand, as many named locations as asked for.
pub(crate) fn directory(size: Size, locations: u32, random: &mut Random) -> Snapshot {
    let mut builder = SnapshotBuilder::default();
    for kind in [
        Kind::Policies,
        Kind::Users,
        Kind::Groups,
        Kind::RoleAssignments,
        Kind::RoleDefinitions,
        Kind::ServicePrincipals,
        Kind::NamedLocations,
        Kind::Devices,
    ] {
        builder.reading(kind, Reading::Complete { count: 1 });
    }
    let mut snapshot = builder.build();
    snapshot.settings.baseline_scopes = BaselineScopes::Enforced;
    snapshot.settings.emergency_access = BTreeSet::from([user_id(0), user_id(1)]);
    snapshot.directory.users = (0..size.users).map(user).collect();
    snapshot.directory.groups = (0..size.groups).map(|number| group(number, size, random)).collect();
    snapshot.directory.service_principals = (0..size.apps).map(app).collect();
    snapshot.directory.role_assignments = (0..size.users).step_by(1_000).map(administrator).collect();
    snapshot.locations = (0..locations).map(location).collect();
    snapshot
}

fn user(number: u32) -> User {
    User {
        id: user_id(number).into(),
        display_name: format!("User {number}").into(),
        user_principal_name: format!("user{number}@contoso.example").into(),
        enabled: true,
        ..User::default()
    }
}

fn group(number: u32, size: Size, random: &mut Random) -> (String, Group) {
    let apart = u64::from(size.users) * u64::from(size.groups) / u64::from(size.memberships.max(1));
    let apart = u32::try_from(apart).unwrap().max(1);
    let mut at = random.below(apart);
    let mut members = Vec::new();
    while at < size.users {
        members.push(at);
        at += 1 + random.below(2 * apart - 1);
    }
    let members = Shared::from(RoaringBitmap::from_sorted_iter(members).unwrap());
    let id = group_id(number);
    let group = Group {
        id: id.clone(),
        display_name: format!("Group {number}"),
        transitive: Some(members.clone()),
        members,
        ..Group::default()
    };
    (id, group)
}

fn app(number: u32) -> ServicePrincipal {
    ServicePrincipal {
        id: app_id(number),
        app_id: app_id(number),
        display_name: format!("App {number}"),
        kind: "Application".into(),
        single_tenant: true,
        enabled: true,
        ..ServicePrincipal::default()
    }
}

fn administrator(number: u32) -> RoleAssignment {
    RoleAssignment {
        principal_id: user_id(number),
        role_id: GLOBAL_ADMINISTRATOR.into(),
        scope: "/".into(),
        ..RoleAssignment::default()
    }
}

fn location(number: u32) -> (String, NamedLocation) {
    let id = location_id(number);
    let cidr = format!("10.{}.{}.0/24", number / 256, number % 256);
    let ranges = vec![IpRange::from_cidr(&cidr).unwrap()];
    let place = Place::Ip { trusted: number.is_multiple_of(2), ranges };
    (id.clone(), NamedLocation { id, display_name: format!("Site {number}"), place })
}

/// A policy that asks for MFA of everybody everywhere.
pub(crate) fn mfa(number: u32) -> Policy {
    let mut policy = Policy {
        id: policy_id(number),
        display_name: format!("Policy {number}"),
        state: PolicyState::Enabled,
        grant: Some(grant(&[Control::Mfa])),
        ..Policy::default()
    };
    policy.conditions.users.include.all = true;
    policy.conditions.applications.all = true;
    policy
}

pub(crate) fn grant(controls: &[Control]) -> GrantControls {
    GrantControls { operator: Operator::Or, controls: controls.iter().cloned().collect() }
}

/// A policy whose scope and controls are random: a third about all users, a third about all apps, the rest about a few.
pub(crate) fn random_policy(number: u32, size: Size, random: &mut Random) -> Policy {
    let mut policy = mfa(number);
    let groups = |random: &mut Random, count| random.some(count, |random| group_id(random.below(size.groups)));
    let apps = |random: &mut Random, count| random.some(count, |random| app_id(random.below(size.apps)));
    let users = &mut policy.conditions.users;
    users.include.all = random.percent(33);
    if !users.include.all {
        users.include.groups = groups(random, (1, 8)).into_iter().collect();
    }
    users.exclude.groups = groups(random, (0, 4)).into_iter().collect();
    users.exclude.users = random.some((0, 2), |random| user_id(random.below(size.users))).into_iter().collect();
    let targets = &mut policy.conditions.applications;
    targets.all = random.percent(33);
    if targets.all {
        targets.exclude = apps(random, (1, 20)).into_iter().collect();
    } else {
        targets.include = apps(random, (1, 40)).into_iter().collect();
    }
    policy.grant = Some(grant(match random.below(10) {
        0..5 => &[Control::Mfa],
        5 => &[Control::Block],
        6..8 => &[Control::CompliantDevice],
        8 => &[Control::Mfa, Control::CompliantDevice],
        _ => &[Control::CompliantDevice, Control::DomainJoinedDevice],
    }));
    policy.state = match random.below(10) {
        0 => PolicyState::Disabled,
        1 => PolicyState::ReportOnly,
        _ => PolicyState::Enabled,
    };
    narrow(&mut policy, random);
    policy
}

/// Half of the policies have one more condition.
fn narrow(policy: &mut Policy, random: &mut Random) {
    let conditions = &mut policy.conditions;
    match random.below(12) {
        0 | 1 => {
            let modern = [ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients];
            conditions.client_app_types = BTreeSet::from(modern);
        }
        2 | 3 => {
            let include = BTreeSet::from([Platform::Windows, Platform::MacOs, Platform::Ios, Platform::Android]);
            conditions.platforms = Some(Sides { include, exclude: BTreeSet::new() });
        }
        4 => {
            let exclude = BTreeSet::from([location_id(random.below(8))]);
            conditions.locations = Some(Sides { include: BTreeSet::from(["All".to_owned()]), exclude });
        }
        5 => conditions.sign_in_risk = BTreeSet::from([RiskLevel::Medium, RiskLevel::High]),
        _ => {}
    }
}

/// A tenant whose policies all have random scopes: nothing is about everybody without exception, little collapses.
pub(crate) fn random(size: Size, seed: u64) -> Snapshot {
    let mut random = Random::new(seed);
    let mut snapshot = directory(size, 8, &mut random);
    snapshot.policies = (0..size.policies).map(|number| random_policy(number, size, &mut random)).collect();
    snapshot
}

/// A tenant as they are: a baseline about everybody with an exclusion group each, and policies for single apps beside it.
pub(crate) fn ordinary(size: Size, seed: u64) -> Snapshot {
    let mut random = Random::new(seed);
    let mut snapshot = directory(size, 8, &mut random);
    let mut policies: Vec<Policy> = (0..8).map(mfa).collect();
    for (number, policy) in (0u32..).zip(&mut policies) {
        policy.conditions.users.exclude.groups = BTreeSet::from([group_id(number)]);
        policy.conditions.users.exclude.users = BTreeSet::from([user_id(0), user_id(1)]);
        baseline(number, policy);
    }
    policies.extend((8..size.policies).map(|number| {
        let mut policy = random_policy(number, size, &mut random);
        policy.conditions.applications.all = false;
        policy.conditions.applications.exclude.clear();
        policy.conditions.applications.include.insert(app_id(number));
        policy
    }));
    snapshot.policies = policies;
    snapshot
}

fn baseline(number: u32, policy: &mut Policy) {
    let conditions = &mut policy.conditions;
    match number {
        1 => {
            conditions.client_app_types = BTreeSet::from([ClientAppType::ExchangeActiveSync, ClientAppType::Other]);
            policy.grant = Some(grant(&[Control::Block]));
        }
        2 => {
            conditions.users.include.all = false;
            conditions.users.include.roles = BTreeSet::from([GLOBAL_ADMINISTRATOR.to_owned()]);
        }
        3 => {
            conditions.flows = BTreeSet::from([TransferMethod::DeviceCodeFlow]);
            policy.grant = Some(grant(&[Control::Block]));
        }
        4 => conditions.sign_in_risk = BTreeSet::from([RiskLevel::Medium, RiskLevel::High]),
        5 => {
            conditions.platforms =
                Some(Sides { include: BTreeSet::from([Platform::Windows]), exclude: BTreeSet::new() });
            policy.grant = Some(grant(&[Control::CompliantDevice, Control::DomainJoinedDevice]));
        }
        6 => {
            conditions.locations = Some(Sides {
                include: BTreeSet::from(["All".to_owned()]),
                exclude: BTreeSet::from(["AllTrusted".to_owned()]),
            });
        }
        7 => policy.state = PolicyState::ReportOnly,
        _ => {}
    }
}

/// Policies that each exclude a user, a group, an app and a location of their own.
pub(crate) fn exclusions(policies: u32) -> Snapshot {
    let size = Size { users: 10_000, groups: 1_000, memberships: 50_000, apps: 1_000, policies };
    let mut snapshot = directory(size, policies, &mut Random::new(7));
    snapshot.policies = (0..policies)
        .map(|number| {
            let mut policy = mfa(number);
            let conditions = &mut policy.conditions;
            conditions.users.exclude.users.insert(user_id(2 + number));
            conditions.users.exclude.groups.insert(group_id(number));
            conditions.applications.exclude.insert(app_id(number));
            conditions.locations = Some(Sides {
                include: BTreeSet::from(["All".to_owned()]),
                exclude: BTreeSet::from([location_id(number)]),
            });
            policy
        })
        .collect();
    snapshot
}

/// The log of a month: people who use a few apps from one or two places, again and again.
pub(crate) fn log(rows: u32, size: Size, random: &mut Random) -> Vec<PastSignIn> {
    let begin: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let texts: BTreeMap<u32, Text> = (0..size.apps).map(|number| (number, format!("App {number}").into())).collect();
    (0..rows)
        .map(|row| {
            let user = random.below(size.users);
            let app = (user * 7 + random.below(5) * 13) % size.apps;
            PastSignIn {
                id: format!("row {row}").into(),
                at: begin + SignedDuration::from_secs(i64::from(row)),
                user_id: user_id(user).into(),
                app_id: app_id(app).into(),
                app_name: texts.get(&app).cloned().unwrap_or_default(),
                resource_ids: [Text::from(app_id(app))].into(),
                client_app: Some(ClientAppType::Browser),
                client_app_used: "Browser".into(),
                platform: Known::Is(if user.is_multiple_of(3) { Platform::Ios } else { Platform::Windows }),
                ip: Some(std::net::Ipv4Addr::new(10, 0, u8::try_from(random.below(10)).unwrap(), 9).into()),
                risk: Some(RiskLevel::None),
                flow_known: true,
                multi_factor: random.percent(60),
                conditional_access: "success".into(),
                ..PastSignIn::default()
            }
        })
        .collect()
}

/// The snapshot, compiled.
pub(crate) fn model(snapshot: Snapshot) -> Model {
    Model::new(Arc::new(snapshot))
}
