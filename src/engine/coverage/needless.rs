//! Policies that several others make needless: taken out, every sign-in still has to meet what they ask.
//!
//! What a policy asks is looked for in the box of its own conditions alone, with the policy itself left aside. A few of its
//! users settle most policies at once; where none of these is left with a gap, sets of users tell, and the broadest few
//! policies that cover all of them are what the proof goes on with.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::domain::{self, Axis, Class};
use super::people;
use super::requirement::{Contributor, contributors, person};
use super::search::{COVERED, Diagram};
use super::{Other, Requirement, Scope, sift};
use crate::engine::Model;
use crate::engine::bits::{Bits, Lane};
use crate::engine::demands::{Asked, asked, scopes};
use crate::engine::machines::reaches_agent_user;
use crate::engine::who::UserCondition;
use crate::tenant::policy::{Policy, PolicyState};
use crate::tenant::{Kind, User};

/// So many users are looked at before all are.
const FEW: u64 = 32;

/// A policy that is On and whose removal changes no outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Needless {
    /// Object id of the policy.
    pub policy_id: String,
    /// Object ids of the policies that ask for as much wherever it does; none of them can be spared for that.
    pub others: Vec<String>,
}

/// What is compiled once for all policies that ask the same of the same sign-ins.
struct Product {
    requirement: Requirement,
    scope: Scope,
    of: Vec<Contributor>,
    axes: Vec<Axis>,
    others: Vec<(Other, Lane)>,
}

impl Product {
    fn new(model: &Model, requirement: &Requirement, scope: &Scope) -> Self {
        let of = contributors(&model.snapshot, requirement, scope);
        let axes = domain::axes(model, requirement, scope, &of);
        let others = people::lanes_of_others(model, scope, &of);
        Self { requirement: requirement.clone(), scope: scope.clone(), of, axes, others }
    }
}

/// Where a policy asks something, as its other contributors stand to it: what has to be covered without the policy itself.
struct Proof {
    /// How many contributors there are.
    count: usize,
    /// The values that meet the policy's conditions, by the contributors that count.
    axes: Vec<Axis>,
    /// Those whom it reaches: for each kind the contributors that surely reach them, and ask within its conditions.
    lanes: BTreeSet<Bits>,
}

impl Model {
    /// Policies that are On and could all go, together and with those that are `gone` already, without any sign-in having
    /// to meet less.
    #[must_use]
    pub fn needless(&self, gone: &BTreeSet<String>) -> Vec<Needless> {
        let policies = &self.snapshot.policies;
        let mut out = Bits::none(policies.len());
        policies.iter().enumerate().filter(|(_, policy)| gone.contains(&policy.id)).for_each(|(at, _)| out.set(at));
        let (mut kept, mut known, mut found) = (Bits::none(policies.len()), Vec::new(), Vec::new());
        for (at, policy) in policies.iter().enumerate() {
            if policy.state != PolicyState::Enabled || out.has(at) || kept.has(at) {
                continue;
            }
            out.set(at);
            let others = self.made_up_for((at, policy), &out, &mut known);
            if let Some(others) = &others {
                others.iter().for_each(|other| kept.set(*other));
                let ids = others.iter().filter_map(|other| Some(policies.get(*other)?.id.clone()));
                found.push(Needless { policy_id: policy.id.clone(), others: ids.collect() });
            } else {
                out.put(at, false);
            }
        }
        found
    }

    /// Those of these policies for which the others that are On, without any of these, ask for as much wherever it does.
    #[must_use]
    pub fn made_up(&self, ids: &BTreeSet<String>) -> BTreeSet<String> {
        let policies = &self.snapshot.policies;
        let asked = || policies.iter().enumerate().filter(|(_, policy)| ids.contains(&policy.id));
        let mut out = Bits::none(policies.len());
        asked().for_each(|(at, _)| out.set(at));
        let mut known = Vec::new();
        let made_up = asked().filter(|one| self.made_up_for(*one, &out, &mut known).is_some());
        made_up.map(|(_, policy)| policy.id.clone()).collect()
    }

    /// Policies that ask for as much as a policy wherever it does, of which none can be spared, without those that are `out`.
    fn made_up_for(&self, (at, policy): (usize, &Policy), out: &Bits, known: &mut Vec<Product>) -> Option<Vec<usize>> {
        let (today, ever) = self.reached_ever(at, policy)?;
        let mut proofs = Vec::new();
        // Most policies fail at the first question, and the others needn't be compiled for them.
        for question in &questions(policy)? {
            let place = place(self, question, known);
            let product = known.get(place)?;
            let own = product.of.iter().enumerate().filter(|(_, one)| one.policy == Some(at)).map(|(own, _)| own);
            let own: Vec<usize> = own.collect();
            if own.is_empty() {
                return None;
            }
            for own in own {
                proofs.push((place, Proof::of(self, (product, own), (&today, &ever), &self.counted(product, out))?));
            }
        }
        let mut spared = out.clone();
        let mut needed = Vec::new();
        for other in self.helpful(&proofs, known, &mut spared) {
            spared.set(other);
            let proves = |(place, proof): &(usize, Proof)| {
                known.get(*place).is_some_and(|product| proof.holds(&self.counted(product, &spared)))
            };
            if !proofs.iter().all(proves) {
                spared.put(other, false);
                needed.push(other);
            }
        }
        // Without any other one it never applies, which is another finding.
        (!needed.is_empty()).then_some(needed)
    }

    /// The policies that ask for something in one of these proofs; all others are spared.
    fn helpful(&self, proofs: &[(usize, Proof)], known: &[Product], spared: &mut Bits) -> Vec<usize> {
        let mut helpful = BTreeSet::new();
        for (product, proof) in proofs.iter().filter_map(|(place, proof)| Some((known.get(*place)?, proof))) {
            let of = proof.lanes.iter().flat_map(Bits::iter).collect::<BTreeSet<_>>();
            helpful.extend(of.into_iter().filter_map(|at| product.of.get(at)?.policy));
        }
        let others = (0..self.snapshot.policies.len()).filter(|other| !helpful.contains(other));
        others.for_each(|other| spared.set(other));
        helpful.into_iter().collect()
    }

    /// Whom a policy possibly reaches today, and who else could be reached once they activate a role. None where that is
    /// nobody at all: whoever comes to be in its groups can't be judged.
    fn reached_ever(&self, at: usize, policy: &Policy) -> Option<(RoaringBitmap, RoaringBitmap)> {
        let (_, today) = self.positions(self.users.get(at)?);
        let eligible = self.activatable();
        let roles = policy.conditions.users.include.roles.iter().filter(|role| eligible.contains(role.as_str()));
        let once = |role: &String| UserCondition::new(&self.snapshot, policy, &|one| self.activated || one == role);
        let ever = roles.fold(RoaringBitmap::new(), |all, role| all | self.positions(&once(role)).1);
        let guests = policy.conditions.users.include.guests.is_some();
        let some = !today.is_empty() || !ever.is_empty() || guests || !self.snapshot.has(Kind::Users);
        some.then(|| (today.clone(), ever - today))
    }

    /// Contributors that surely ask, whatever roles anybody activates, and whose policies aren't out.
    fn counted(&self, product: &Product, out: &Bits) -> Bits {
        let eligible = self.activatable();
        let mut counted = Bits::none(product.of.len());
        for (at, one) in product.of.iter().enumerate() {
            let policy = one.policy.and_then(|at| self.snapshot.policies.get(at));
            let shrinks = policy.is_some_and(|policy| {
                policy.conditions.users.exclude.roles.iter().any(|role| eligible.contains(role.as_str()))
            });
            counted.put(at, one.sure && !shrinks && one.policy.is_none_or(|policy| !out.has(policy)));
        }
        counted
    }
}

/// What a policy for people asks, with the scopes in which it does; none where it can't be asked exactly.
fn questions(policy: &Policy) -> Option<Vec<(Requirement, Scope)>> {
    let asked = asked(policy);
    let exact = asked.iter().all(|one: &Asked| one.exact) && !asked.is_empty() && policy.undecided.is_empty();
    let conditions = &policy.conditions;
    let people = conditions.client_applications.is_none()
        && conditions.agents.is_none()
        && !reaches_agent_user(policy, None)
        && conditions.agent_contexts.is_none()
        && conditions.agent_risk.is_empty()
        && conditions.service_principal_risk.is_empty();
    let each =
        |one: &Asked| scopes(policy).into_iter().map(|scope| (one.requirement.clone(), scope)).collect::<Vec<_>>();
    (exact && people).then(|| asked.iter().flat_map(each).collect())
}

/// The place of what is compiled for a question.
fn place(model: &Model, (requirement, scope): &(Requirement, Scope), known: &mut Vec<Product>) -> usize {
    let same = |product: &Product| product.requirement == *requirement && product.scope == *scope;
    known.iter().position(same).unwrap_or_else(|| {
        known.push(Product::new(model, requirement, scope));
        known.len() - 1
    })
}

impl Proof {
    /// For a contributor of a product and those whom its policy possibly reaches today, and could reach besides; none where
    /// something is left open without it.
    fn of(
        model: &Model,
        (product, own): (&Product, usize),
        (today, ever): (&RoaringBitmap, &RoaringBitmap),
        counted: &Bits,
    ) -> Option<Self> {
        let mut proof = Self { count: product.of.len(), axes: within(product, own), lanes: BTreeSet::new() };
        let asking = proof.asking(counted);
        let few = few(model, product, today).filter(|lane| lane.possibly.has(own));
        let others = product.others.iter().filter(|(other, lane)| *other == Other::AnyUser || lane.possibly.has(own));
        proof.lanes = few.chain(others.map(|(_, lane)| lane.clone())).map(|lane| lane.surely.and(&asking)).collect();
        let people = sift::people(model, product.of.get(own)?.region.people) & today;
        if proof.refuted() || !proof.holds(&asking) || proof.sifted(model, product, (&people, &asking)).0 {
            return None;
        }
        let enough = proof.enough(model, product, (&people, &asking));
        // Whoever activates a role may need more than all others do.
        let more = Some(asking).filter(|asking| !ever.is_empty() && *asking != enough);
        let few = std::mem::take(&mut proof.lanes);
        for of in [Some(enough), more].into_iter().flatten() {
            proof.lanes = few.iter().map(|lane| lane.and(&of)).collect();
            for users in [&people, ever] {
                proof.lanes.extend(sift::lanes(model, (&product.of, &of), users));
            }
            if proof.holds(&of) {
                return Some(proof);
            }
        }
        None
    }

    /// Of the contributors that ask something some that cover all these users, the broadest first; all of them where sets of
    /// users don't tell, or where somebody else needs more.
    fn enough(&self, model: &Model, product: &Product, (users, asking): (&RoaringBitmap, &Bits)) -> Bits {
        let all = model.directory.bits(users);
        let reached = |at: &usize| {
            let policy = product.of.get(*at).and_then(|one| one.policy);
            policy.map_or(all.len(), |policy| model.reached(policy).surely.shared_len(&all))
        };
        let mut broadest: Vec<usize> = asking.iter().collect();
        broadest.sort_by_cached_key(|at| (Reverse(self.held(*at)), Reverse(reached(at))));
        let mut enough = Bits::none(self.count);
        for (taken, at) in (1usize..).zip(broadest) {
            enough.set(at);
            if taken.is_power_of_two()
                && self.holds(&enough)
                && self.sifted(model, product, (users, &enough)) == (false, false)
            {
                return enough;
            }
        }
        asking.clone()
    }

    /// Of how many thousandths of the box of the proof the conditions of a contributor are met, at least.
    fn held(&self, at: usize) -> usize {
        let share = |axis: &Axis| {
            let held = axis.classes.iter().filter(|class| class.lane.surely.has(at)).count();
            held * 1_000 / axis.classes.len().max(1)
        };
        self.axes.iter().map(share).min().unwrap_or_default()
    }

    /// Whether somebody is left with a gap where the fewest contributors hold, condition by condition: that refutes most.
    fn refuted(&self) -> bool {
        let fewest = |left: Bits, axis: &Axis| {
            let here = axis.classes.iter().map(|class| left.and(&class.lane.surely));
            here.min_by_key(Bits::len).unwrap_or(left)
        };
        self.lanes.iter().any(|lane| self.axes.iter().fold(lane.clone(), fewest).is_empty())
    }

    /// Whether these contributors leave one of these users with a gap, and whether they leave one undecided, as far as sets
    /// of users tell.
    fn sifted(&self, model: &Model, product: &Product, (users, of): (&RoaringBitmap, &Bits)) -> (bool, bool) {
        let axes: Vec<Axis> = self.axes.iter().map(|axis| counting(axis, of)).collect();
        let sifted = Diagram::new(&axes, self.count).sift_strictly(model, &product.of, users);
        (!sifted.gap.is_empty(), !sifted.rest.is_empty())
    }

    /// Contributors that count and ask for something at some value of every condition.
    fn asking(&self, counted: &Bits) -> Bits {
        self.axes.iter().fold(counted.clone(), |all, axis| all.and(&axis.somewhere(self.count)))
    }

    /// Whether the contributors that count cover everything.
    fn holds(&self, counted: &Bits) -> bool {
        let axes: Vec<Axis> = self.axes.iter().map(|axis| counting(axis, counted)).collect();
        let mut diagram = Diagram::new(&axes, self.count);
        self.lanes.iter().all(|lane| diagram.search(&sure(lane.and(counted))) == COVERED)
    }
}

/// What isn't sure counts for nothing.
fn sure(surely: Bits) -> Lane {
    Lane { possibly: surely.clone(), surely }
}

/// The values that meet the conditions of a contributor.
fn within(product: &Product, own: usize) -> Vec<Axis> {
    let of = |axis: &Axis| {
        let classes = axis.classes.iter().filter(|class| class.lane.possibly.has(own));
        let lanes: BTreeSet<Bits> = classes.map(|class| class.lane.surely.clone()).collect();
        told_apart(lanes)
    };
    product.axes.iter().map(of).collect()
}

/// A dimension by the contributors that count.
fn counting(axis: &Axis, counted: &Bits) -> Axis {
    told_apart(axis.classes.iter().map(|class| class.lane.surely.and(counted)).collect())
}

fn told_apart(lanes: BTreeSet<Bits>) -> Axis {
    let classes = lanes.into_iter().map(|lane| Class { lane: sure(lane), values: Vec::new() }).collect();
    Axis { values: Vec::new(), indexed: Vec::new(), classes }
}

/// A few of these users, from all over the directory, each with the contributors that reach them.
fn few<'a>(model: &'a Model, product: &'a Product, users: &'a RoaringBitmap) -> impl Iterator<Item = Lane> + 'a {
    let step = usize::try_from(users.len().div_ceil(FEW).max(1)).unwrap_or(usize::MAX);
    let chosen = (0..users.len()).step_by(step).filter_map(|place| users.select(u32::try_from(place).ok()?));
    chosen.filter(|_| model.is_origin()).map(|position| {
        let reached = model.standing().lane(position);
        let kind = person(model.snapshot.directory.user_at(position).and_then(|user: &User| user.guest));
        let mut lane = Lane::none(product.of.len());
        for (at, one) in product.of.iter().enumerate().filter(|(_, one)| one.region.people & kind != 0) {
            lane.surely.put(at, one.sure && one.policy.is_none_or(|policy| reached.surely.has(policy)));
            lane.possibly.put(at, one.policy.is_none_or(|policy| reached.possibly.has(policy)));
        }
        lane
    })
}
