//! For each kind of condition, the policies that a sign-in meets, as sets: those that apply are in all of them.
//!
//! Users are looked up in the compiled reach and apps in an index; of every other kind, policies that say the same are
//! asked once.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Model;
use super::bits::{Bits, Lane};
use super::judge::{Dimension, is_empty, undecided};
use super::target;
use super::truth::Truth;
use super::who::{Membership, Who};
use crate::tenant::Policy;
use crate::tenant::policy::PolicyState;
use crate::tenant::sign_in::{Identity, Known, SignIn, Target};

/// Policies that say the same about one kind of condition: one of them, and all of them.
type Alike = (usize, Bits);

/// What is known of all policies before any sign-in is.
#[derive(Debug)]
pub(super) struct Lanes {
    /// By kind of condition.
    alike: Vec<(Dimension, Vec<Alike>)>,
    /// Policies that are On or report-only, ask for something, and can be judged: these apply where they are met.
    decided: Bits,
}

impl Lanes {
    pub(super) fn new(model: &Model) -> Self {
        let policies = &model.snapshot.policies;
        let alike = Dimension::ALL.into_iter().map(|dimension| (dimension, alike(policies, dimension))).collect();
        let mut decided = Bits::none(policies.len());
        for (at, policy) in policies.iter().enumerate() {
            if policy.state != PolicyState::Disabled && !is_empty(policy) && undecided(policy).is_none() {
                decided.set(at);
            }
        }
        Self { alike, decided }
    }
}

/// The apps of a tenant and of its policies, by the policies whose target condition they meet.
#[derive(Debug)]
pub(super) struct Apps {
    class_of: HashMap<Arc<str>, usize>,
    classes: Vec<AppClass>,
    /// Ids of all that people can sign in to, as far as the tenant and its policies know them, sorted.
    targets: Vec<Arc<str>>,
}

/// Apps that the policies don't tell apart: those that they meet, and those that include them (and exclude them again).
type AppClass = (Lane, Bits);

impl Apps {
    pub(super) fn new(model: &Model) -> Self {
        let policies = &model.snapshot.policies;
        let mut ids: BTreeSet<&str> =
            model.snapshot.directory.service_principals.iter().map(|one| one.app_id.as_str()).collect();
        let conditions = policies.iter().map(|policy| &policy.conditions.applications);
        ids.extend(conditions.flat_map(|one| one.include.union(&one.exclude)).map(String::as_str));
        let conditions = Conditions::new(model);
        let targets = target::known(model, policies.iter()).into_iter().map(Arc::from).collect();
        let mut all = Self { class_of: HashMap::new(), classes: Vec::new(), targets };
        let mut known: HashMap<AppClass, usize> = HashMap::new();
        for id in ids {
            let next = all.classes.len();
            let class = *known.entry(conditions.class(id)).or_insert_with_key(|class| {
                all.classes.push(class.clone());
                next
            });
            all.class_of.insert(Arc::from(id), class);
        }
        all
    }

    /// Ids of all that people can sign in to, as far as the tenant and its policies know them, sorted.
    pub(super) fn targets(&self) -> &[Arc<str>] {
        &self.targets
    }

    /// The policies that include the apps of a class, whether or not they exclude them again.
    pub(super) fn included(&self, class: usize) -> Option<&Bits> {
        self.classes.get(class).map(|(_, included)| included)
    }

    /// The class of an app that the tenant or a policy knows: apps of one class meet the same policies.
    pub(super) fn class(&self, id: &str) -> Option<usize> {
        self.class_of.get(id).copied()
    }

    /// The policies whose target condition the apps of a class meet.
    pub(super) fn lane(&self, class: usize) -> Option<&Lane> {
        self.classes.get(class).map(|(lane, _)| lane)
    }

    /// The policies whose target condition an app meets, if it is one that the tenant or a policy knows.
    pub(super) fn of(&self, id: &str) -> Option<&Lane> {
        self.lane(self.class(id)?)
    }
}

/// The target conditions of a tenant's policies, of which most only tell those apps from others that they name.
struct Conditions<'a> {
    model: &'a Model,
    alike: Vec<Alike>,
    /// By app those of them, by their places, that name it.
    naming: HashMap<&'a str, Vec<usize>>,
    /// Those that may tell any app from any other one.
    open: Vec<usize>,
    /// The policies of all others whose condition an app meets that none of them names.
    unnamed: Lane,
}

impl<'a> Conditions<'a> {
    fn new(model: &'a Model) -> Self {
        let alike = alike(&model.snapshot.policies, Dimension::Target);
        let unnamed = Lane::none(model.snapshot.policies.len());
        let mut all = Self { model, alike, naming: HashMap::new(), open: Vec::new(), unnamed };
        let mut closed = Vec::new();
        for (place, (at, _)) in all.alike.iter().enumerate() {
            let Some(policy) = model.snapshot.policies.get(*at) else { continue };
            if !target::is_by_name(model, policy) {
                all.open.push(place);
                continue;
            }
            closed.push(place);
            let apps = &policy.conditions.applications;
            apps.include.union(&apps.exclude).for_each(|id| all.naming.entry(id).or_default().push(place));
        }
        all.unnamed = all.asked("", closed.into_iter(), all.unnamed.clone()).0;
        all
    }

    /// The policies whose condition a person's request for an app meets, and those that include the app.
    fn class(&self, id: &str) -> AppClass {
        if target::is_apart(id) {
            return self.asked(id, 0..self.alike.len(), Lane::none(self.model.snapshot.policies.len()));
        }
        let naming = self.naming.get(id).map_or(&[][..], Vec::as_slice);
        self.asked(id, self.open.iter().chain(naming).copied(), self.unnamed.clone())
    }

    /// The same, where only the conditions at some places say something new.
    fn asked(&self, id: &str, places: impl Iterator<Item = usize>, mut lane: Lane) -> AppClass {
        let identity = Identity::User { id: None, guest: None, tenant: Known::Unknown, direct_connect: false };
        let sign_in = SignIn { identity, target: Target::Apps(vec![id.to_owned()]), ..SignIn::default() };
        let who = self.model.who(&sign_in.identity);
        let policies = &self.model.snapshot.policies;
        let mut included = Bits::none(policies.len());
        for (at, all) in places.filter_map(|place| self.alike.get(place)) {
            let Some(policy) = policies.get(*at) else { continue };
            let met = self.model.meets(*at, policy, Dimension::Target, (&sign_in, &who));
            lane.put(all, met);
            // It only matters where the condition isn't met.
            if met == Truth::No && target::included(self.model, &policy.conditions.applications, id) {
                included.extend(all);
            }
        }
        (lane, included)
    }
}

fn alike(policies: &[Policy], dimension: Dimension) -> Vec<Alike> {
    let mut found: Vec<(usize, &Policy, Bits)> = Vec::new();
    for (at, policy) in policies.iter().enumerate() {
        if let Some((.., all)) = found.iter_mut().find(|(_, other, _)| same(dimension, policy, other)) {
            all.set(at);
        } else {
            let mut all = Bits::none(policies.len());
            all.set(at);
            found.push((at, policy, all));
        }
    }
    found.into_iter().map(|(at, _, all)| (at, all)).collect()
}

/// Whether two policies say the same about one kind of condition.
fn same(dimension: Dimension, one: &Policy, other: &Policy) -> bool {
    let (a, b) = (&one.conditions, &other.conditions);
    if one.undecided != other.undecided {
        return false;
    }
    match dimension {
        Dimension::Identity => {
            a.users == b.users && a.agents == b.agents && a.client_applications == b.client_applications
        }
        // Report-only isn't evaluated for user actions, and some requests are spared by what the policy asks.
        Dimension::Target => a.applications == b.applications && one.state == other.state && one.grant == other.grant,
        Dimension::Platform => a.platforms == b.platforms,
        Dimension::Device => a.device_filter == b.device_filter,
        Dimension::ClientApp => a.client_app_types == b.client_app_types,
        Dimension::Location => a.locations == b.locations,
        Dimension::SignInRisk => a.sign_in_risk == b.sign_in_risk,
        Dimension::UserRisk => a.user_risk == b.user_risk,
        Dimension::ServicePrincipalRisk => a.service_principal_risk == b.service_principal_risk,
        Dimension::InsiderRisk => a.insider_risk == b.insider_risk,
        Dimension::Flow => a.flows == b.flows,
        Dimension::AgentRisk => a.agent_risk == b.agent_risk,
        Dimension::AgentContext => a.agent_contexts == b.agent_contexts,
    }
}

/// Which policies, On or report-only, apply to one sign-in.
#[derive(Debug)]
pub struct Verdicts(Lane);

impl Verdicts {
    /// Positions of the policies, On or report-only, that surely apply.
    pub fn applying(&self) -> impl Iterator<Item = usize> {
        self.0.surely.iter()
    }

    /// Positions of the policies, On or report-only, that apply surely, or depending on something that isn't known.
    pub fn possibly_applying(&self) -> impl Iterator<Item = usize> {
        self.0.possibly.iter()
    }
}

/// The policies that one sign-in meets, kind of condition by kind of condition in the order of assignment.
#[derive(Debug)]
pub(super) struct Lanewise<'a>(Vec<(Dimension, Cow<'a, Lane>)>);

impl Lanewise<'_> {
    /// The first kind of condition that the sign-in doesn't meet of the policy at this position.
    pub(super) fn unmet(&self, at: usize) -> Option<Dimension> {
        self.0.iter().find(|(_, lane)| !lane.possibly.has(at)).map(|(dimension, _)| *dimension)
    }

    /// The kinds of condition on which it depends whether the policy at this position applies.
    pub(super) fn open(&self, at: usize) -> impl Iterator<Item = Dimension> {
        let open = self.0.iter().filter(move |(_, lane)| lane.possibly.has(at) && !lane.surely.has(at));
        open.map(|(dimension, _)| *dimension)
    }
}

impl Model {
    /// Which policies apply to a sign-in, without the reasons.
    #[must_use]
    pub fn verdicts(&self, sign_in: &SignIn) -> Verdicts {
        let who = self.who_in(sign_in);
        let known = self.lanes();
        let mut left = Lane { surely: known.decided.clone(), possibly: known.decided.clone() };
        for (dimension, alike) in &known.alike {
            if let Some(lane) = self.indexed(*dimension, (sign_in, &who)) {
                left.surely.retain(&lane.surely);
                left.possibly.retain(&lane.possibly);
            } else {
                self.narrow(&mut left, (*dimension, alike), (sign_in, &who));
            }
        }
        Verdicts(left)
    }

    /// Drops the policies that a sign-in doesn't meet in one kind of condition; those dropped before aren't asked.
    fn narrow(&self, left: &mut Lane, (dimension, alike): (Dimension, &[Alike]), of: (&SignIn, &Who<'_>)) {
        for (at, all) in alike {
            if !left.possibly.meets(all) {
                continue;
            }
            let Some(policy) = self.snapshot.policies.get(*at) else { continue };
            let met = self.meets(*at, policy, dimension, of);
            if met != Truth::Yes {
                left.surely.drop(all);
            }
            if met == Truth::No {
                left.possibly.drop(all);
            }
        }
    }

    /// Which policies a sign-in meets, each kind of condition apart: for the reasons.
    pub(super) fn lanewise(&self, of: (&SignIn, &Who<'_>)) -> Lanewise<'_> {
        let kinds = self.lanes().alike.iter();
        Lanewise(kinds.map(|(dimension, alike)| (*dimension, self.met(*dimension, alike, of))).collect())
    }

    fn met(&self, dimension: Dimension, alike: &[Alike], of: (&SignIn, &Who<'_>)) -> Cow<'_, Lane> {
        self.indexed(dimension, of).unwrap_or_else(|| Cow::Owned(self.asked(dimension, alike, of)))
    }

    /// The policies that a sign-in meets in a kind of condition that is indexed, if the index holds its value.
    fn indexed(&self, dimension: Dimension, (sign_in, who): (&SignIn, &Who<'_>)) -> Option<Cow<'_, Lane>> {
        match (dimension, &sign_in.identity, &sign_in.target) {
            _ if !self.is_origin() => None,
            (Dimension::Identity, Identity::User { guest: None, tenant: Known::Unknown, .. }, _)
                if who.direct_connect == Truth::No =>
            {
                let Membership::At(position) = who.membership else { return None };
                (self.is_agent_user((sign_in, who)) == Truth::No).then(|| Cow::Owned(self.lane_of(position)))
            }
            (Dimension::Target, Identity::User { .. }, Target::Apps(ids))
                if sign_in.scopes.is_none() && !sign_in.logged =>
            {
                match ids.as_slice() {
                    [id] => self.apps().of(id).map(Cow::Borrowed),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn asked(&self, dimension: Dimension, alike: &[Alike], of: (&SignIn, &Who<'_>)) -> Lane {
        let mut lane = Lane::none(self.snapshot.policies.len());
        for (at, all) in alike {
            let Some(policy) = self.snapshot.policies.get(*at) else { continue };
            let met = self.meets(*at, policy, dimension, of);
            if met == Truth::Yes {
                lane.surely.extend(all);
            }
            if met != Truth::No {
                lane.possibly.extend(all);
            }
        }
        lane
    }
}
