//! Policies that several others make needless: taken out, every sign-in still has to meet what they ask.
//!
//! What a policy asks is looked for in the box of its own conditions alone, with the policy itself left aside. A few of its
//! users settle most policies at once; everybody is looked at only where none of these few is left with a gap.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use super::domain::{self, Axis, Class};
use super::people::{self, People};
use super::requirement::{Contributor, contributors, person};
use super::search::{COVERED, Diagram};
use super::{Other, Requirement, Scope};
use crate::engine::Model;
use crate::engine::bits::{Bits, Lane};
use crate::engine::demands::{Asked, asked, scopes};
use crate::engine::judge::reaches_agent_user;
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
        let of = contributors(&model.snapshot, requirement);
        let axes = domain::axes(model, requirement, scope, &of);
        let others = people::lanes_of_others(model, scope, &of);
        Self { requirement: requirement.clone(), scope: scope.clone(), of, axes, others }
    }
}

/// What a policy asks of which users, without the policy itself.
struct Proof<'a> {
    model: &'a Model,
    product: &'a Product,
    /// The contributor that the policy is.
    own: usize,
    /// Whom it possibly reaches today, and who else could come to be reached by activating a role.
    users: (&'a RoaringBitmap, &'a RoaringBitmap),
    /// Contributors that count.
    counted: Bits,
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

    /// The fewest policies that ask for as much as a policy wherever it does, without those that are `out`.
    fn made_up_for(&self, (at, policy): (usize, &Policy), out: &Bits, known: &mut Vec<Product>) -> Option<Vec<usize>> {
        let questions = questions(policy)?;
        let users = self.reached_ever(at, policy)?;
        let proves_one = |product: &Product, out: &Bits| self.proves(product, at, (&users.0, &users.1), out);
        let mut products = Vec::new();
        // Most policies fail at the first question, and the others needn't be compiled for them.
        for question in &questions {
            let product = place(self, question, known);
            if !known.get(product).is_some_and(|product| proves_one(product, out)) {
                return None;
            }
            products.push(product);
        }
        let products: Vec<&Product> = products.into_iter().filter_map(|at| known.get(at)).collect();
        let proves = |out: &Bits| products.iter().all(|product| proves_one(product, out));
        let mut spared = out.clone();
        let (mut needed, count) = (Vec::new(), self.snapshot.policies.len());
        for other in (0..count).filter(|other| !out.has(*other)) {
            spared.set(other);
            if !proves(&spared) {
                spared.put(other, false);
                needed.push(other);
            }
        }
        // Without any other one it never applies, which is another finding.
        (!needed.is_empty()).then_some(needed)
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

    fn proves(&self, product: &Product, at: usize, users: (&RoaringBitmap, &RoaringBitmap), out: &Bits) -> bool {
        let counted = self.counted(product, out);
        let own = product.of.iter().enumerate().filter(|(_, one)| one.policy == Some(at)).map(|(at, _)| at);
        let mut any = false;
        let each = own.inspect(|_| any = true).collect::<Vec<_>>();
        any && each.into_iter().all(|own| Proof { model: self, product, own, users, counted: counted.clone() }.holds())
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

impl Proof<'_> {
    fn holds(&self) -> bool {
        let axes = self.axes();
        let mut diagram = Diagram::new(&axes, self.product.of.len());
        let mut covered = |lane: &Lane| diagram.search(&self.without_itself(lane)) == COVERED;
        if !self.few().all(|lane| covered(&lane)) {
            return false;
        }
        let others = self.product.others.iter();
        let mut others = others
            .filter(|(other, lane)| *other == Other::AnyUser || lane.possibly.has(self.own))
            .map(|(_, lane)| lane);
        let (today, ever) = self.users;
        others.all(&mut covered)
            && !self.any(today, |lane| lane.possibly.has(self.own) && !covered(lane))
            && !self.any(ever, |lane| !covered(lane))
    }

    /// Whether anything holds for the lane of one of these users.
    fn any(&self, users: &RoaringBitmap, open: impl FnMut(&Lane) -> bool) -> bool {
        !users.is_empty() && People::new(self.model, users.clone(), &self.product.of).each(open).contains(&true)
    }

    /// The values that meet the policy's conditions, by the contributors that count.
    fn axes(&self) -> Vec<Axis> {
        let of = |axis: &Axis| {
            let within = axis.classes.iter().filter(|class| class.lane.possibly.has(self.own));
            let lanes: BTreeSet<Lane> = within.map(|class| self.without_itself(&class.lane)).collect();
            let classes = lanes.into_iter().map(|lane| Class { lane, values: Vec::new() }).collect();
            Axis { values: Vec::new(), indexed: Vec::new(), classes }
        };
        self.product.axes.iter().map(of).collect()
    }

    /// What isn't sure counts for nothing.
    fn without_itself(&self, lane: &Lane) -> Lane {
        let surely = lane.surely.and(&self.counted);
        Lane { possibly: surely.clone(), surely }
    }

    /// A few of those whom the policy reaches today, from all over the directory, each with the contributors that reach them.
    fn few(&self) -> impl Iterator<Item = Lane> {
        let users = self.users.0;
        let step = users.len().div_ceil(FEW).max(1);
        let places = (0..users.len()).step_by(usize::try_from(step).unwrap_or(usize::MAX));
        let chosen = places.filter_map(|place| users.select(u32::try_from(place).ok()?));
        let lanes = chosen.filter(|_| self.model.is_origin()).map(|position| self.lane_of(position));
        lanes.filter(|lane| lane.possibly.has(self.own))
    }

    fn lane_of(&self, position: u32) -> Lane {
        let reached = self.model.standing().lane(position);
        let kind = person(self.model.snapshot.directory.user_at(position).and_then(|user: &User| user.guest));
        let mut lane = Lane::none(self.product.of.len());
        for (at, one) in self.product.of.iter().enumerate().filter(|(_, one)| one.region.people & kind != 0) {
            lane.surely.put(at, one.sure && one.policy.is_none_or(|policy| reached.surely.has(policy)));
            lane.possibly.put(at, one.policy.is_none_or(|policy| reached.possibly.has(policy)));
        }
        lane
    }
}
