//! Most users by sets, before anybody is looked at alone: whom some policy covers everywhere, and who has a gap in a place
//! that is soon found. Those who are left are searched class by class.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::domain::Axis;
use super::requirement::{ANY, Contributor, Mask, person};
use crate::engine::Model;
use crate::engine::bits::Bits;

/// Differences of user sets that are spent on finding gaps; each reads 128 KB for a million users.
const STEPS: u32 = 2_000;

/// Users by what was found for them.
#[derive(Debug, Default)]
pub(super) struct Sifted {
    /// Surely not covered somewhere.
    pub(super) gap: RoaringBitmap,
    /// Not decided yet.
    pub(super) rest: RoaringBitmap,
}

/// The users whom each contributor reaches, and the product of the other dimensions.
#[derive(Debug)]
pub(super) struct Sift<'a> {
    axes: &'a [Axis],
    /// For each dimension: the contributors that hold everywhere from it on.
    universal: &'a [Bits],
    surely: Vec<Arc<Bits>>,
    /// Nothing about users or the other dimensions is open.
    decided: bool,
    steps: u32,
    gap: Bits,
    rest: Bits,
}

impl<'a> Sift<'a> {
    /// For the contributors of one requirement; `decided` says that nothing about the dimensions is open.
    pub(super) fn new(model: &Model, of: &[Contributor], product: (&'a [Axis], &'a [Bits], bool)) -> Self {
        let (axes, universal, decided) = product;
        let none = model.directory.bits(&RoaringBitmap::new());
        let mut all =
            Self { axes, universal, surely: Vec::new(), decided, steps: STEPS, gap: none.clone(), rest: none.clone() };
        for one in of {
            let (surely, decided) = reached(model, one);
            all.decided &= decided && one.sure;
            all.surely.push(if one.sure { surely } else { Arc::new(none.clone()) });
        }
        all
    }

    /// Sifts these users.
    pub(super) fn sift(mut self, model: &Model, users: &RoaringBitmap) -> Sifted {
        let all = Bits::all(self.surely.len());
        let mut left = model.directory.bits(users);
        self.cover(&mut left, &all, 0);
        if self.decided {
            self.walk(0, &all, left);
            self.rest.drop(&self.gap);
        } else {
            self.rest = left;
        }
        Sifted { gap: self.gap.compressed(), rest: self.rest.compressed() }
    }

    /// Drops the users whom one of these contributors covers in everything from a dimension on.
    fn cover(&mut self, left: &mut Bits, alive: &Bits, axis: usize) {
        let Some(rest) = self.universal.get(axis) else { return };
        self.without(left, alive.shared(rest));
    }

    /// Drops the users whom these contributors reach.
    fn without(&mut self, left: &mut Bits, of: impl Iterator<Item = usize>) {
        for reached in of.filter_map(|at| self.surely.get(at)) {
            if left.is_empty() {
                return;
            }
            left.drop(reached);
            self.steps = self.steps.saturating_sub(1);
        }
    }

    /// Looks for gaps of these users where only these contributors hold; few contributors first.
    fn walk(&mut self, axis: usize, alive: &Bits, mut left: Bits) {
        let mut unreached = left.clone();
        self.without(&mut unreached, alive.iter());
        left.drop(&unreached);
        self.gap.extend(&unreached);
        self.cover(&mut left, alive, axis);
        let Some(dimension) = self.axes.get(axis) else { return };
        if self.steps == 0 {
            self.rest.extend(&left);
            return;
        }
        let mut classes: Vec<Bits> = dimension.classes.iter().map(|class| alive.and(&class.lane.surely)).collect();
        classes.sort_by_cached_key(|alive| (alive.len(), alive.clone()));
        classes.dedup();
        for alive in classes {
            left.drop(&self.gap);
            if left.is_empty() {
                return;
            }
            self.walk(axis + 1, &alive, left.clone());
        }
    }
}

/// The users whom a contributor surely reaches, and whether those are all whom it possibly does.
fn reached(model: &Model, one: &Contributor) -> (Arc<Bits>, bool) {
    let people = || model.directory.bits(&people(model, one.region.people));
    match one.policy.map(|policy| model.reached(policy)) {
        None => (Arc::new(people()), true),
        Some(reached) if one.region.people == ANY => (Arc::clone(&reached.surely), reached.decided),
        Some(reached) => {
            let mut surely = people();
            surely.retain(&reached.surely);
            (Arc::new(surely), reached.decided)
        }
    }
}

/// Whether a contributor possibly reaches one of these users.
pub(super) fn reaches_any(model: &Model, one: &Contributor, users: &RoaringBitmap) -> bool {
    let people = people(model, one.region.people) & users;
    let condition = one.policy.map(|policy| model.users.get(policy));
    condition.map_or(!people.is_empty(), |condition| {
        condition.is_some_and(|condition| !model.positions(condition).1.is_disjoint(&people))
    })
}

/// The users who are people of these kinds.
fn people(model: &Model, kinds: Mask) -> RoaringBitmap {
    let everyone = model.directory.everyone.clone();
    if kinds == ANY {
        return everyone;
    }
    let mut members = everyone;
    let mut all = RoaringBitmap::new();
    for ((kind, _), guests) in &model.directory.guests {
        members -= guests;
        if kinds & person(Some(*kind)) != 0 {
            all |= guests;
        }
    }
    if kinds & person(None) != 0 { all | members } else { all }
}
