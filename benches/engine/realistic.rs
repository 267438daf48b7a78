//! A tenant of 10,000 users as they are: a baseline for everybody, policies for each kind of people, a group of a few
//! exclusions for each policy, and people who differ only in the kinds they belong to.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use portcullis::tenant::directory::{AccountKind, Group, Registration, RoleAssignment, User};
use portcullis::tenant::location::Place;
use portcullis::tenant::policy::{
    ClientAppType, Control, Filter, FilterMode, GuestType, Platform, PolicyState, RiskLevel, SessionControls, Sides,
    SignInFrequency, TransferMethod,
};
use portcullis::tenant::shared::Shared;
use portcullis::tenant::well_known::{
    ADMIN_ROLES, APP_AZURE_MANAGEMENT, APP_EXCHANGE_ONLINE, APP_SHAREPOINT_ONLINE, REGISTER_SECURITY_INFO,
};
use portcullis::tenant::{Assignment, Kind, NamedLocation, Policy, Reading, Snapshot, Text};
use roaring::RoaringBitmap;

use crate::tenant::{Random, Size, app_id, directory, grant, group_id, location_id, log, mfa, user_id};

/// Users, groups, apps and policies, in round numbers.
const SIZE: Size = Size { users: 10_000, groups: 300, memberships: 100_000, apps: 400, policies: 40 };
/// Rows of the sign-in log.
const ROWS: u32 = 20_000;
/// Kinds of people, each a group: internals, front line, developers, contractors, finance, service accounts.
const KINDS: [(u32, u32); 6] =
    [(0, 7_000), (7_000, 8_500), (6_000, 6_600), (8_500, 9_000), (5_000, 5_400), (9_800, 9_900)];

/// What a policy is about: change it as the line says.
type Line = fn(&mut Policy);

/// The tenant.
pub(crate) fn realistic() -> Snapshot {
    let mut random = Random::new(11);
    let mut snapshot = directory(SIZE, 6, &mut random);
    for kind in [Kind::UserRegistrationDetails, Kind::SubscribedSkus, Kind::SignIns, Kind::TermsOfUse] {
        snapshot.readings.insert(kind, Reading::Complete { count: 1 });
    }
    snapshot.licences = [("41781fb2-bc02-4b7c-bd55-b576c07bb09d".to_owned(), 10_000)].into();
    people(&mut snapshot, &mut random);
    groups(&mut snapshot, &mut random);
    roles(&mut snapshot);
    let countries = BTreeSet::from(["SE", "NO", "FI", "DK"].map(str::to_owned));
    let place = Place::Country { countries, by_gps: false, include_unknown: true };
    let country = NamedLocation { id: location_id(9), display_name: "Nordics".to_owned(), place };
    snapshot.locations.insert(country.id.clone(), country);
    snapshot.policies = policies();
    snapshot.sign_ins = log(ROWS, SIZE, &mut Random::new(4));
    snapshot.window = Some(("2026-11-01T00:00:00Z".parse().unwrap(), "2026-11-24T00:00:00Z".parse().unwrap()));
    snapshot
}

/// Guests, service accounts, rooms, and when everybody was last seen.
fn people(snapshot: &mut Snapshot, random: &mut Random) {
    let begin: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    let dress = |(number, user): (u32, &mut User)| {
        user.last_sign_in = Some(begin + SignedDuration::from_hours(i64::from(random.below(170 * 24))));
        user.enabled = !random.percent(3);
        match number {
            9_000..9_800 => user.guest = Some(GuestType::B2bCollaborationGuest),
            9_800..9_900 => user.account = AccountKind::Service,
            9_900.. => user.account = AccountKind::Room,
            _ => {}
        }
        let methods = [Text::from("microsoftAuthenticatorPush")].into_iter().collect();
        let able = !random.percent(8);
        (
            user.id.clone(),
            Registration { user_id: user.id.clone(), mfa_capable: able, methods, ..Registration::default() },
        )
    };
    let registrations: Vec<_> = (0u32..).zip(&mut snapshot.directory.users).map(dress).collect();
    snapshot.directory.registrations = registrations.into_iter().collect();
}

/// The first groups are the kinds of people, then comes one of a few exclusions for each policy.
fn groups(snapshot: &mut Snapshot, random: &mut Random) {
    for (number, (from, to)) in (0u32..).zip(KINDS) {
        fill(snapshot, number, (from..to).collect());
    }
    for number in 10..10 + SIZE.policies {
        let members = (0..random.below(20)).map(|_| random.below(9_000)).collect();
        fill(snapshot, number, members);
    }
}

fn fill(snapshot: &mut Snapshot, number: u32, members: RoaringBitmap) {
    let members = Shared::from(members);
    let id = group_id(number);
    let group = Group { transitive: Some(members.clone()), members, ..Group::default() };
    let name = format!("Group {number}");
    snapshot.directory.groups.insert(id.clone(), Group { id, display_name: name, ..group });
}

/// Forty administrators with one role or another, half of them only once activated.
fn roles(snapshot: &mut Snapshot) {
    let held = |number: u32| {
        let (role, _) = ADMIN_ROLES[number as usize % ADMIN_ROLES.len()];
        let assignment = if number.is_multiple_of(2) { Assignment::Active } else { Assignment::Eligible };
        let principal_id = user_id(if number < 2 { number } else { 5_000 + number });
        RoleAssignment { principal_id, role_id: role.to_owned(), scope: "/".to_owned(), assignment }
    };
    snapshot.directory.role_assignments = (0..40).map(held).collect();
    let global = ADMIN_ROLES[0].0.to_owned();
    let standing = |number| RoleAssignment {
        principal_id: user_id(number),
        role_id: global.clone(),
        scope: "/".to_owned(),
        assignment: Assignment::Active,
    };
    snapshot.directory.role_assignments.extend([0, 1].map(standing));
}

fn policies() -> Vec<Policy> {
    let mut lines: Vec<Policy> = Vec::new();
    for line in BASELINE {
        lines.push(policy(&lines, *line));
    }
    for kind in 0..u32::try_from(KINDS.len()).unwrap() {
        for line in FOR_A_KIND {
            let mut one = policy(&lines, *line);
            one.conditions.users.include.all = false;
            one.conditions.users.include.groups.insert(group_id(kind));
            lines.push(one);
        }
    }
    lines
}

/// A policy about everybody but the emergency access accounts and a group of its own.
fn policy(before: &[Policy], line: Line) -> Policy {
    let number = u32::try_from(before.len()).unwrap();
    let mut policy = mfa(number);
    let exclude = &mut policy.conditions.users.exclude;
    exclude.users = BTreeSet::from([user_id(0), user_id(1)]);
    exclude.groups.insert(group_id(10 + number));
    line(&mut policy);
    policy
}

fn asks(policy: &mut Policy, controls: &[Control]) {
    policy.grant = Some(grant(controls));
}

fn frequency(policy: &mut Policy, hours: u32) {
    let sign_in_frequency = Some(SignInFrequency { hours: Some(hours), secondary_only: false });
    policy.session = Some(SessionControls { sign_in_frequency, ..SessionControls::default() });
    policy.grant = None;
}

fn only_at(policy: &mut Policy, apps: &[&str]) {
    policy.conditions.applications.all = false;
    policy.conditions.applications.include = apps.iter().map(ToString::to_string).collect();
}

const BASELINE: &[Line] = &[
    |policy| policy.conditions.applications.exclude = [app_id(7), app_id(8)].into(),
    |policy| {
        policy.conditions.client_app_types = [ClientAppType::ExchangeActiveSync, ClientAppType::Other].into();
        asks(policy, &[Control::Block]);
    },
    |policy| {
        policy.conditions.flows = [TransferMethod::DeviceCodeFlow].into();
        asks(policy, &[Control::Block]);
    },
    |policy| {
        policy.conditions.users.include.all = false;
        policy.conditions.users.include.roles = ADMIN_ROLES.iter().map(|(id, _)| (*id).to_owned()).collect();
    },
    |policy| policy.conditions.sign_in_risk = [RiskLevel::Medium, RiskLevel::High].into(),
    |policy| {
        policy.conditions.user_risk = [RiskLevel::High].into();
        asks(policy, &[Control::Block]);
    },
    |policy| {
        let include = [Platform::Windows, Platform::MacOs].into();
        policy.conditions.platforms = Some(Sides { include, exclude: BTreeSet::new() });
        asks(policy, &[Control::CompliantDevice, Control::DomainJoinedDevice]);
    },
    |policy| {
        let include = [Platform::Ios, Platform::Android].into();
        policy.conditions.platforms = Some(Sides { include, exclude: BTreeSet::new() });
        only_at(policy, &[APP_EXCHANGE_ONLINE, APP_SHAREPOINT_ONLINE]);
        asks(policy, &[Control::CompliantApplication]);
    },
    |policy| {
        let exclude = [Platform::Windows, Platform::MacOs, Platform::Ios, Platform::Android, Platform::Linux].into();
        policy.conditions.platforms = Some(Sides { include: [Platform::All].into(), exclude });
        asks(policy, &[Control::Block]);
        policy.state = PolicyState::ReportOnly;
    },
    |policy| {
        let exclude = [location_id(9)].into();
        policy.conditions.locations = Some(Sides { include: ["All".to_owned()].into(), exclude });
        asks(policy, &[Control::Block]);
        policy.state = PolicyState::ReportOnly;
    },
    |policy| only_at(policy, &[APP_AZURE_MANAGEMENT]),
    |policy| {
        policy.conditions.applications.all = false;
        policy.conditions.applications.user_actions = [REGISTER_SECURITY_INFO.to_owned()].into();
    },
    |policy| frequency(policy, 24),
    |policy| policy.state = PolicyState::Disabled,
    |policy| {
        policy.conditions.device_filter =
            Some(Filter { mode: FilterMode::Exclude, rule: "device.trustType -eq \"ServerAD\"".to_owned() });
        only_at(policy, &["Office365"]);
        asks(policy, &[Control::Mfa]);
    },
    |policy| policy.conditions.users.include.all = true,
];

const FOR_A_KIND: &[Line] = &[
    |policy| {
        let exclude = ["AllTrusted".to_owned()].into();
        policy.conditions.locations = Some(Sides { include: ["All".to_owned()].into(), exclude });
    },
    |policy| {
        only_at(policy, &["Office365"]);
        asks(policy, &[Control::Mfa, Control::CompliantDevice]);
    },
    |policy| frequency(policy, 12),
    |policy| {
        let apps = [app_id(20), app_id(21), app_id(22)];
        only_at(policy, &apps.each_ref().map(String::as_str));
        policy.conditions.client_app_types =
            [ClientAppType::Browser, ClientAppType::MobileAppsAndDesktopClients].into();
    },
];
