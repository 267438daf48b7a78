//! Which policies' conditions lie within which others', for all pairs at once.
//!
//! Each kind of condition is tried with one value of everything that policies tell apart; for each value the policies
//! that possibly meet it may only lie within those that surely do.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use crate::engine::bits::{Bits, Lane};
use crate::engine::coverage::devices;
use crate::engine::judge::Dimension;
use crate::engine::machines::reaches_agent_user;
use crate::engine::rule::parse;
use crate::engine::samples::{clients, places, risks};
use crate::engine::truth::Truth;
use crate::engine::who::{UserCondition, guest_of};
use crate::engine::{Model, target};
use crate::tenant::Kind;
use crate::tenant::policy::{
    ClientAppType, ClientApplications, Filter, GuestType, Guests, InsiderRisk, Policy, PolicyState, TransferMethod,
    UserSide,
};
use crate::tenant::sign_in::{Identity, Known, SignIn, Target};
use crate::tenant::well_known::APP_WINDOWS_AZURE_AD;
use crate::tenant::words::Word;

/// Who lies within whom.
#[derive(Debug)]
pub(in crate::engine) struct Inclusion {
    /// For each policy, those that it lies within.
    within: Vec<Bits>,
    /// For each kind of condition tried by values, the policies that some value possibly meets.
    met: Vec<(&'static str, Bits)>,
    /// The policies whose user condition nobody meets.
    nobody: Bits,
}

impl Inclusion {
    pub(in crate::engine) fn new(model: &Model) -> Self {
        let policies = as_if_on(model);
        let groups = groups(model, &policies);
        let mut within = vec![Bits::all(policies.len()); policies.len()];
        let mut met = Vec::new();
        for group in &groups {
            let (included, possibly) = by_values(model, &policies, group);
            within = within.iter().zip(&included).map(|(all, here)| all.and(here)).collect();
            met.push((group.label, possibly));
        }
        let people = People::new(model);
        for ((a, one), all) in policies.iter().enumerate().zip(&mut within) {
            let mut here = Bits::none(policies.len());
            // Who reaches whom is the dearest question: it is asked only of pairs that everything else leaves.
            for b in all.iter() {
                let Some(other) = policies.get(b) else { continue };
                let rest = rest_within(one, other) && devices_within(model, a, b);
                if rest && people.within((a, one), (b, other)) {
                    here.set(b);
                }
            }
            *all = here;
        }
        let mut nobody = Bits::none(policies.len());
        policies.iter().enumerate().filter(|(at, one)| people.nobody(*at, one)).for_each(|(at, _)| nobody.set(at));
        Self { within, met, nobody }
    }

    /// Whether everything that possibly meets policy `a` surely meets policy `b`.
    pub(super) fn proves(&self, a: usize, b: usize) -> bool {
        self.within.get(a).is_some_and(|within| within.has(b))
    }

    /// The kind of condition of policy `at` that nothing meets, if there is one; and whether that is so for now only, since
    /// a group, a role or a tag of an app may come to be held by somebody.
    pub(super) fn unmet(&self, model: &Model, at: usize) -> Option<(&'static str, bool)> {
        let policy = model.snapshot.policies.get(at)?;
        if self.nobody.has(at) {
            return Some(("users", may_reach_somebody(model, policy)));
        }
        if model.device_filter(at).is_some_and(devices::takes_in_none) {
            return Some(("filter for devices", false));
        }
        let label = self.met.iter().find(|(_, met)| !met.has(at)).map(|(label, _)| *label)?;
        Some((label, label == TARGETS && policy.conditions.applications.filter.is_some()))
    }
}

/// Policies on user actions aren't evaluated in report-only; what they would do is what counts here.
fn as_if_on(model: &Model) -> Vec<Policy> {
    let on = |policy: &Policy| Policy { state: PolicyState::Enabled, ..policy.clone() };
    model.snapshot.policies.iter().map(on).collect()
}

/// How the condition about apps, user actions and contexts is called.
const TARGETS: &str = "target resources";

/// Kinds of condition that depend on each other, with their values.
struct Group {
    label: &'static str,
    dimensions: &'static [Dimension],
    values: Vec<SignIn>,
}

fn groups(model: &Model, policies: &[Policy]) -> Vec<Group> {
    const CLIENTS: [ClientAppType; 4] = [
        ClientAppType::Browser,
        ClientAppType::MobileAppsAndDesktopClients,
        ClientAppType::ExchangeActiveSync,
        ClientAppType::Other,
    ];
    let optional =
        |value: SignIn| [value, SignIn { flow: Known::Absent, insider_risk: Known::Absent, ..SignIn::default() }];
    let flows = TransferMethod::WORDS
        .iter()
        .flat_map(|(_, flow)| optional(SignIn { flow: Known::Is(*flow), ..SignIn::default() }));
    let insiders = InsiderRisk::WORDS
        .iter()
        .flat_map(|(_, risk)| optional(SignIn { insider_risk: Known::Is(*risk), ..SignIn::default() }));
    vec![
        Group { label: TARGETS, dimensions: &[Dimension::Target], values: targets(model, policies) },
        // Platforms by themselves, so that a fault of theirs isn't told of client apps too.
        Group {
            label: "device platforms",
            dimensions: &[Dimension::Platform],
            values: clients(&[ClientAppType::Browser]),
        },
        Group {
            label: "client apps and device platforms",
            dimensions: &[Dimension::ClientApp, Dimension::Platform],
            values: clients(&CLIENTS),
        },
        Group { label: "locations", dimensions: &[Dimension::Location], values: places(model, policies.iter()) },
        Group { label: "risk", dimensions: &[Dimension::SignInRisk, Dimension::UserRisk], values: risks() },
        Group { label: "insider risk", dimensions: &[Dimension::InsiderRisk], values: insiders.collect() },
        Group { label: "authentication flows", dimensions: &[Dimension::Flow], values: flows.collect() },
    ]
}

/// Every app of the tenant and of its policies, any other app, requests for baseline scopes, user actions and contexts.
fn targets(model: &Model, policies: &[Policy]) -> Vec<SignIn> {
    let mut apps =
        model.snapshot.directory.service_principals.iter().map(|app| app.app_id.as_str()).collect::<BTreeSet<_>>();
    let (mut actions, mut contexts) = (BTreeSet::new(), BTreeSet::new());
    for policy in policies {
        let condition = &policy.conditions.applications;
        apps.extend(condition.include.union(&condition.exclude).flat_map(|name| target::members(model, name)));
        actions.extend(condition.user_actions.iter().cloned());
        contexts.extend(condition.contexts.iter().cloned());
    }
    let apps = apps.into_iter().chain([""]).map(|id| Target::Apps(vec![id.to_owned()]));
    let others = actions.into_iter().map(Target::UserAction).chain(contexts.into_iter().map(Target::Context));
    let baseline = SignIn {
        target: Target::Apps(vec![APP_WINDOWS_AZURE_AD.to_owned()]),
        scopes: Some(vec!["openid".to_owned()]),
        confidential_client: Some(false),
        ..SignIn::default()
    };
    apps.chain(others).map(|target| SignIn { target, ..SignIn::default() }).chain([baseline]).collect()
}

/// For each policy those that it lies within as far as these conditions go; and the policies that some value meets.
fn by_values(model: &Model, policies: &[Policy], group: &Group) -> (Vec<Bits>, Bits) {
    let count = policies.len();
    let mut within = vec![Bits::all(count); count];
    let mut possibly = Bits::none(count);
    let mut seen = BTreeSet::new();
    for value in &group.values {
        let lane = lane(model, policies, group, value);
        if !seen.insert(lane.clone()) {
            continue;
        }
        for (at, within) in within.iter_mut().enumerate().filter(|(at, _)| lane.possibly.has(*at)) {
            // A policy lies within itself even where nobody knows what it is met by.
            let mut surely = lane.surely.clone();
            surely.set(at);
            *within = within.and(&surely);
            possibly.set(at);
        }
    }
    add_written_alike(policies, group, &mut within);
    (within, possibly)
}

/// Conditions that read the same are the same, even where nobody knows what meets them.
fn add_written_alike(policies: &[Policy], group: &Group, within: &mut [Bits]) {
    let written = |policy: &Policy| match group.dimensions {
        [Dimension::Target] => Some(format!("{:?}", policy.conditions.applications)),
        [Dimension::Location] => Some(format!("{:?}", policy.conditions.locations)),
        _ => None,
    };
    let texts = policies.iter().map(written).collect::<Vec<_>>();
    for (within, one) in within.iter_mut().zip(&texts).filter(|(_, one)| one.is_some()) {
        for at in texts.iter().enumerate().filter(|(_, other)| one == *other).map(|(at, _)| at) {
            within.set(at);
        }
    }
}

fn lane(model: &Model, policies: &[Policy], group: &Group, value: &SignIn) -> Lane {
    if let (Target::Apps(ids), None) = (&value.target, &value.scopes)
        && let [id] = ids.as_slice()
        && model.is_origin()
        && let Some(known) = model.apps().of(id)
    {
        return known.clone();
    }
    let person = Identity::User { id: None, guest: None, tenant: Known::Unknown, direct_connect: false };
    let value = SignIn { identity: person, ..value.clone() };
    let who = model.who(&value.identity);
    let mut lane = Lane::none(policies.len());
    for (at, policy) in policies.iter().enumerate() {
        let met = group.dimensions.iter().map(|dimension| model.meets(at, policy, *dimension, (&value, &who)));
        lane.note(at, Truth::all(met));
    }
    lane
}

/// Whom each policy reaches.
struct People<'a> {
    model: &'a Model,
    /// Surely and possibly, of those that were asked for: of a million users each takes a quarter of a megabyte.
    reached: Vec<OnceCell<(RoaringBitmap, RoaringBitmap)>>,
    /// Roles that somebody could activate.
    eligible: BTreeSet<&'a str>,
}

impl<'a> People<'a> {
    fn new(model: &'a Model) -> Self {
        let reached = model.users.iter().map(|_| OnceCell::new()).collect();
        Self { model, reached, eligible: model.activatable() }
    }

    /// Whom the policy at this position surely and possibly reaches.
    fn reached(&self, at: usize) -> Option<&(RoaringBitmap, RoaringBitmap)> {
        let users = self.model.users.get(at)?;
        Some(self.reached.get(at)?.get_or_init(|| self.model.positions(users)))
    }

    /// Whether policy `a` reaches only people that policy `b` surely reaches, today and whatever roles anybody activates.
    fn within(&self, (a, one): (usize, &Policy), (b, other): (usize, &Policy)) -> bool {
        if !agent_users_within(one, other) {
            return false;
        }
        let (mine, theirs) = (&one.conditions.users, &other.conditions.users);
        let written = side_within(&mine.include, &theirs.include) && side_within(&theirs.exclude, &mine.exclude);
        if mine == theirs || written {
            return true;
        }
        let (Some((_, possibly)), Some((surely, _))) = (self.reached(a), self.reached(b)) else { return false };
        // Without a list of users there are others, whom only what is written could tell apart. Whoever comes to be in an
        // empty group need not be in the other one.
        self.model.snapshot.has(Kind::Users)
            && !possibly.is_empty()
            && possibly.is_subset(surely)
            && guests_within(self.model, a, b)
            && self.within_once_activated(one, other)
    }

    /// The same for those who activate a role. It takes one role at most to be included, and one to be excluded.
    fn within_once_activated(&self, one: &Policy, other: &Policy) -> bool {
        let (included, excluded) = (&one.conditions.users.include, &other.conditions.users.exclude);
        self.activated(included).all(|role| {
            self.activated(excluded).all(|another| {
                let active = [role, another];
                let none = active == [None, None];
                none || self.reached_with(one, active).1.is_subset(&self.reached_with(other, active).0)
            })
        })
    }

    /// No role, and each role of a side that somebody could activate.
    fn activated<'b>(&'b self, side: &'b UserSide) -> impl Iterator<Item = Option<&'b str>> {
        let roles = side.roles.iter().map(String::as_str).filter(|role| self.eligible.contains(role));
        std::iter::once(None).chain(roles.map(Some))
    }

    /// Whom a policy surely and possibly reaches once everybody who could has activated these roles.
    fn reached_with(&self, policy: &Policy, active: [Option<&str>; 2]) -> (RoaringBitmap, RoaringBitmap) {
        let activated = |role: &str| self.model.activated || active.contains(&Some(role));
        self.model.positions(&UserCondition::new(&self.model.snapshot, policy, &activated))
    }

    /// Whether the user condition reaches nobody: no user of the directory, whatever roles they activate, no agent's user
    /// account, no kind of guest, no workload identity.
    fn nobody(&self, at: usize, policy: &Policy) -> bool {
        let Some(users) = self.model.users.get(at) else { return false };
        // Mostly that tells, and is kept anyway.
        if !self.model.reached(at).surely.is_empty() {
            return false;
        }
        let conditions = &policy.conditions;
        let others = conditions.client_applications.is_some() || conditions.agents.is_some();
        let guest = |(kind, tenant): &(GuestType, String)| users.met(&guest_of(*kind, Some(tenant))) != Truth::No;
        self.model.snapshot.has(Kind::Users)
            && !others
            && self.reached(at).is_some_and(|(_, possibly)| possibly.is_empty())
            && !reaches_agent_user(policy, None)
            && self
                .activated(&conditions.users.include)
                .all(|role| self.reached_with(policy, [role, None]).1.is_empty())
            && !every_guest(self.model).iter().any(guest)
    }
}

/// Whether a policy that reaches nobody may yet, without an edit: it includes a group or a role that is there, everybody, or
/// somebody who is kept out by a group or a role alone.
fn may_reach_somebody(model: &Model, policy: &Policy) -> bool {
    let directory = &model.snapshot.directory;
    let (include, exclude) = (&policy.conditions.users.include, &policy.conditions.users.exclude);
    let there = |id: &String| directory.user_index(id).is_some() && !exclude.users.contains(id);
    let may = include.all
        || include.groups.iter().any(|id| directory.groups.contains_key(id) && !exclude.groups.contains(id))
        || include.roles.iter().any(|role| directory.is_built_in(role) && !exclude.roles.contains(role))
        || include.users.iter().any(there);
    may && !exclude.all
}

/// Whether the scopes of one policy for agents' user accounts reach only accounts that those of the other reach. "All users"
/// doesn't reach any.
fn agent_users_within(one: &Policy, other: &Policy) -> bool {
    let (mine, theirs) = (&one.conditions, &other.conditions);
    if mine.agents.is_none() && !reaches_agent_user(one, None) {
        return true;
    }
    // Nobody knows which accounts a filter takes in.
    if [&mine.agents, &theirs.agents].into_iter().flatten().any(|agents| agents.filter.is_some()) {
        return mine.agents == theirs.agents;
    }
    let sides =
        [&mine.agents, &theirs.agents].into_iter().flatten().flat_map(|agents| [&agents.include, &agents.exclude]);
    let named = sides.chain([&mine.users.exclude.users, &theirs.users.exclude.users]).flatten();
    let ids = named.map(|id| Some(id.as_str())).chain([None]);
    ids.into_iter().all(|id| !reaches_agent_user(one, id) || reaches_agent_user(other, id))
}

/// What is written on one side lies within what is written on the other.
fn side_within(one: &UserSide, other: &UserSide) -> bool {
    let guests = |one: &Option<Guests>, other: &Option<Guests>| match (one, other) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(one), Some(other)) => {
            let tenants = match (&one.tenants, &other.tenants) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(one), Some(other)) => one.is_subset(other),
            };
            tenants && one.types.is_subset(&other.types)
        }
    };
    other.all
        || (!one.all
            && one.users.is_subset(&other.users)
            && one.groups.is_subset(&other.groups)
            && one.roles.is_subset(&other.roles)
            && guests(&one.guests, &other.guests))
}

/// Guests without an object here, of every kind and from every tenant that a policy names.
fn guests_within(model: &Model, a: usize, b: usize) -> bool {
    let (Some(first), Some(second)) = (model.users.get(a), model.users.get(b)) else { return false };
    every_guest(model).iter().all(|(kind, tenant)| {
        let who = guest_of(*kind, Some(tenant));
        first.met(&who) == Truth::No || second.met(&who) == Truth::Yes
    })
}

fn every_guest(model: &Model) -> Vec<(GuestType, String)> {
    let sides = model
        .snapshot
        .policies
        .iter()
        .flat_map(|policy| [&policy.conditions.users.include, &policy.conditions.users.exclude]);
    let named = sides.filter_map(|side| side.guests.as_ref()?.tenants.as_ref()).flatten().cloned();
    let tenants = named.chain([String::new()]).collect::<BTreeSet<_>>();
    let kinds = GuestType::WORDS.iter().map(|(_, kind)| *kind);
    kinds.flat_map(|kind| tenants.iter().map(move |tenant| (kind, tenant.clone()))).collect()
}

/// Whether the devices that one policy is for are among the other's.
fn devices_within(model: &Model, a: usize, b: usize) -> bool {
    let policy =
        |at: usize| model.snapshot.policies.get(at).and_then(|policy| policy.conditions.device_filter.as_ref());
    let Some(theirs) = model.device_filter(b) else { return true };
    // Rules that read the same are the same, even where nobody can judge them.
    same_filter(policy(a), policy(b)) || devices::within(model.device_filter(a), theirs)
}

/// Workload identities and agents as far as they are named: those who are named are among all.
fn workloads_within(mine: Option<&ClientApplications>, theirs: Option<&ClientApplications>) -> bool {
    let (Some(mine), Some(theirs)) = (mine, theirs) else { return mine.is_none() };
    let among =
        |mine: &BTreeSet<String>, theirs: &BTreeSet<String>, all| theirs.contains(all) || mine.is_subset(theirs);
    among(&mine.include, &theirs.include, "ServicePrincipalsInMyTenant")
        && among(&mine.include_agents, &theirs.include_agents, "All")
        && theirs.exclude.is_subset(&mine.exclude)
        && theirs.exclude_agents.is_subset(&mine.exclude_agents)
        && (&mine.filter, &mine.agent_filter) == (&theirs.filter, &theirs.agent_filter)
}

/// Conditions that are compared as written: workload identities, agents.
fn rest_within(one: &Policy, other: &Policy) -> bool {
    let (mine, theirs) = (&one.conditions, &other.conditions);
    let workloads = workloads_within(mine.client_applications.as_ref(), theirs.client_applications.as_ref());
    let agents = theirs.agent_contexts.is_none() || mine.agent_contexts == theirs.agent_contexts;
    let subset =
        |mine: &BTreeSet<_>, theirs: &BTreeSet<_>| theirs.is_empty() || (!mine.is_empty() && mine.is_subset(theirs));
    workloads
        && agents
        && subset(&mine.agent_risk, &theirs.agent_risk)
        && subset(&mine.service_principal_risk, &theirs.service_principal_risk)
}

/// The same mode, and rules that read the same once spaces and hyphens are left aside.
fn same_filter(one: Option<&Filter>, other: Option<&Filter>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    let rules = || Some((bare(&one.rule)?, bare(&other.rule)?));
    one.mode == other.mode && (one.rule == other.rule || rules().is_some_and(|(one, other)| one == other))
}

/// A rule as its tree, without the places where its parts stood.
fn bare(rule: &str) -> Option<String> {
    let mut tree = parse(rule).ok()?;
    tree.forget_positions();
    Some(format!("{tree:?}").to_lowercase())
}
