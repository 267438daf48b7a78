//! Most users by sets, before anybody is looked at alone: whom some policy covers everywhere, whom several do that leave
//! little out, and who has a gap in a place that is soon found. Those who are left are searched class by class.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::sync::Arc;

use roaring::RoaringBitmap;
use rustc_hash::FxHashSet;

use super::domain::{Axis, Class};
use super::requirement::{ANY, Contributor, Mask, person};
use super::search::{Broad, Exceptions, exceptions_of, universal};
use crate::engine::Model;
use crate::engine::bits::Bits;

/// Words of user sets that may be read for each user who is left, walk by walk: each walk tries longer than the one before,
/// with those whom it left open. A word takes a thousandth of the time of a look at one user alone.
const EFFORTS: [usize; 3] = [8, 64, 256];

/// With so many contributors at most it is soon seen whom none of them reaches; of more it is seen at the end.
const SOON: usize = 16;

/// The part of the users, as its divisor, from which on a contributor is worth a look in every dimension.
const GOOD_PART: usize = 16;

/// Users of whom there are so many times more are numbered anew.
const FEWER: u64 = 8;

/// Users by what was found for them.
#[derive(Debug, Default)]
pub(super) struct Sifted {
    /// Surely not covered somewhere.
    pub(super) gap: RoaringBitmap,
    /// Not decided yet.
    pub(super) rest: RoaringBitmap,
}

/// The product of the dimensions beside the user, none of which is empty. Those with few classes come first: once client,
/// place and platform are chosen, a policy with exceptions among them and among the apps either holds or doesn't, and where it
/// holds only the few apps that it leaves out are looked at. With the apps first each of them would be.
#[derive(Debug)]
struct Product<'a> {
    /// The dimensions of more than one class.
    axes: Vec<&'a Axis>,
    /// The contributors that hold in all other dimensions.
    alive: Bits,
    /// Those of them that hold somewhere in each of these.
    somewhere: Bits,
    /// For each dimension: the contributors that hold everywhere from it on.
    universal: Vec<Bits>,
    /// For each dimension and contributor that holds everywhere after it: the classes where it doesn't.
    beyond: Vec<Vec<Exceptions>>,
}

impl<'a> Product<'a> {
    fn new(axes: &'a [Axis], contributors: usize) -> Self {
        let (single, mut axes): (Vec<&Axis>, Vec<&Axis>) = axes.iter().partition(|axis| axis.classes.len() == 1);
        axes.sort_by_key(|axis| axis.classes.len());
        let classes = single.iter().flat_map(|axis| &axis.classes);
        let alive = classes.fold(Bits::all(contributors), |alive, class| alive.and(&class.lane.surely));
        let somewhere = axes.iter().fold(alive.clone(), |alive, axis| alive.and(&axis.somewhere(contributors)));
        let universal = universal(&axes, contributors);
        let beyond = exceptions_of(&axes, &universal, contributors);
        Self { axes, alive, somewhere, universal, beyond }
    }
}

/// Some users, numbered anew, and whom of them each contributor reaches.
#[derive(Debug)]
struct Crowd {
    /// Their positions; none where these are the numbers.
    positions: Option<Vec<u32>>,
    /// By contributor, those whom it surely reaches.
    surely: Vec<Arc<Bits>>,
    users: Bits,
    /// No contributor reaches anybody else possibly.
    decided: bool,
}

impl Crowd {
    /// These users and the contributors of a requirement; those that aren't asked about reach nobody.
    fn new(model: &Model, (of, asked): (&[Contributor], &Bits), users: &RoaringBitmap) -> Self {
        let few = users.len() * FEWER < model.directory.everyone.len();
        let positions: Option<Vec<u32>> = few.then(|| users.iter().collect());
        let numbers: Option<Vec<usize>> =
            positions.as_ref().map(|all| all.iter().filter_map(|at| usize::try_from(*at).ok()).collect());
        let packed = |set: &Arc<Bits>| match &numbers {
            Some(numbers) => Arc::new(set.packed(numbers)),
            None => Arc::clone(set),
        };
        let people = |kinds| packed(&Arc::new(model.directory.bits(&people(model, kinds))));
        let mut known: Vec<(Mask, Arc<Bits>)> = Vec::new();
        let (mut decided, mut surely) = (true, Vec::new());
        for (number, one) in of.iter().enumerate() {
            let counts = asked.has(number);
            // What isn't sure reaches nobody surely.
            let kinds = if one.sure && counts { one.region.people } else { 0 };
            let at = known.iter().position(|(mask, _)| *mask == kinds).unwrap_or(known.len());
            if at == known.len() {
                known.push((kinds, people(kinds)));
            }
            let Some((_, people)) = known.get(at) else { continue };
            decided &= one.sure || !counts;
            let reached = one.policy.filter(|_| kinds != 0).map(|policy| model.reached(policy));
            decided &= reached.as_ref().is_none_or(|reached| reached.decided);
            surely.push(match reached {
                None => Arc::clone(people),
                Some(reached) if kinds == ANY => packed(&reached.surely),
                Some(reached) => Arc::new(people.and(&packed(&reached.surely))),
            });
        }
        let users = match &numbers {
            Some(numbers) => Bits::all(numbers.len()),
            None => model.directory.bits(users),
        };
        Self { positions, surely, users, decided }
    }

    /// Drops those whom a contributor covers everywhere, and those who have more of the broad ones than can be ruled out.
    fn cover(&mut self, product: &Product<'_>, broad: &Broad) {
        let Some(universal) = product.universal.first() else { return };
        let reached = |at: usize| self.surely.get(at);
        universal.shared(&product.alive).filter_map(reached).for_each(|reached| self.users.drop(reached));
        let (broad, slack) = broad.count();
        let broad: Vec<&Bits> = broad.iter().filter_map(reached).map(|reached| &**reached).collect();
        if broad.len() > slack && !self.users.is_empty() {
            self.users.drop(&Bits::in_more_than(slack, &broad));
        }
    }

    /// Numbers those who are left anew, where they are few.
    fn narrow(&mut self) {
        if self.users.len() * 4 >= self.users.capacity() {
            return;
        }
        let numbers: Vec<usize> = self.users.iter().collect();
        let position = |number: &usize| match &self.positions {
            Some(positions) => positions.get(*number).copied(),
            None => u32::try_from(*number).ok(),
        };
        self.positions = Some(numbers.iter().filter_map(position).collect());
        self.surely.iter_mut().for_each(|set| *set = Arc::new(set.packed(&numbers)));
        self.users = Bits::all(numbers.len());
    }

    /// The positions of some of these.
    fn positions(&self, users: &Bits) -> RoaringBitmap {
        match &self.positions {
            Some(positions) => {
                let at = users.iter().filter_map(|number| positions.get(number).copied());
                RoaringBitmap::from_sorted_iter(at).unwrap_or_default()
            }
            None => users.compressed(),
        }
    }
}

/// The dimensions by which users are sifted, none of them empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dimensions<'a> {
    pub(super) axes: &'a [Axis],
    pub(super) broad: &'a Broad,
    /// Nothing about the dimensions is open, or what is open counts for nothing.
    pub(super) decided: bool,
    /// What is open about users counts for nothing either.
    pub(super) strictly: bool,
}

/// Sifts users by the contributors of one requirement. Gaps are looked for where nothing is open.
pub(super) fn sift(model: &Model, of: &[Contributor], known: Dimensions<'_>, users: &RoaringBitmap) -> Sifted {
    let product = &Product::new(known.axes, of.len());
    let mut crowd = Crowd::new(model, (of, &product.somewhere), users);
    let mut sifted = Sifted::default();
    crowd.cover(product, known.broad);
    if known.decided && (known.strictly || crowd.decided) {
        for effort in EFFORTS {
            let left = crowd.users.len();
            if left == 0 {
                break;
            }
            crowd.narrow();
            let found = Walk::of(&crowd, product, effort * left);
            sifted.gap |= crowd.positions(&found.gap);
            crowd.users = found.rest;
        }
    }
    sifted.rest = crowd.positions(&crowd.users);
    sifted
}

/// How users stand to some contributors: each way in which some of these users are surely reached.
pub(super) fn lanes(model: &Model, (of, asked): (&[Contributor], &Bits), users: &RoaringBitmap) -> FxHashSet<Bits> {
    let crowd = Crowd::new(model, (of, asked), users);
    let sets: Vec<(usize, &Bits)> = asked.iter().filter_map(|at| Some((at, &**crowd.surely.get(at)?))).collect();
    crowd.users.told_apart(&sets, of.len())
}

/// One way through the product, as far as the effort allows.
#[derive(Debug)]
struct Walk<'a> {
    product: &'a Product<'a>,
    surely: &'a [Arc<Bits>],
    /// The contributors, those that reach most first.
    order: Vec<usize>,
    /// Those that reach a good part of the users: what the others cover is seen after the last dimension.
    far_reaching: Bits,
    /// Words that may still be read.
    effort: usize,
    gap: Bits,
    rest: Bits,
}

/// A point on the way.
#[derive(Debug)]
struct Point {
    /// The next dimension.
    axis: usize,
    /// The contributors that hold so far.
    alive: Bits,
    /// Those of them that reach nobody who is left.
    done: Bits,
}

impl<'a> Walk<'a> {
    fn of(crowd: &'a Crowd, product: &'a Product<'a>, effort: usize) -> Self {
        let mut order: Vec<(usize, usize)> = crowd.surely.iter().map(|reached| reached.len()).enumerate().collect();
        order.sort_by_key(|(_, reached)| Reverse(*reached));
        let part = crowd.users.len() / GOOD_PART;
        let mut far_reaching = Bits::none(order.len());
        order.iter().filter(|(_, reached)| *reached >= part).for_each(|(at, _)| far_reaching.set(*at));
        let order = order.into_iter().map(|(at, _)| at).collect();
        let none = Bits::none(crowd.users.capacity());
        let mut walk =
            Self { product, surely: &crowd.surely, order, far_reaching, effort, gap: none.clone(), rest: none };
        let start = Point { axis: 0, alive: product.alive.clone(), done: Bits::none(crowd.surely.len()) };
        walk.walk(start, crowd.users.clone());
        walk.rest.drop(&walk.gap);
        walk
    }

    /// Drops the users whom these contributors reach.
    fn without(&mut self, left: &mut Bits, of: &Bits) {
        let reaching = self.order.iter().filter(|at| of.has(**at)).filter_map(|at| self.surely.get(*at));
        let reaching: Vec<&Bits> = reaching.map(|reached| &**reached).collect();
        self.effort = self.effort.saturating_sub(left.drop_each(&reaching));
    }

    /// Looks for gaps of these users from a point on.
    fn walk(&mut self, mut at: Point, mut left: Bits) {
        let product = self.product;
        let Some(rest) = product.universal.get(at.axis) else { return };
        let mut everywhere = at.alive.and(rest);
        if at.axis < product.axes.len() {
            everywhere.retain(&self.far_reaching);
        }
        everywhere.drop(&at.done);
        self.without(&mut left, &everywhere);
        at.done.extend(&everywhere);
        if left.is_empty() {
            return;
        }
        let mut others = at.alive.clone();
        others.drop(&at.done);
        if others.len() <= SOON {
            let mut unreached = left.clone();
            self.without(&mut unreached, &others);
            left.drop(&unreached);
            self.gap.extend(&unreached);
        }
        // After the last dimension whoever is left is reached by none.
        let Some(dimension) = product.axes.get(at.axis) else {
            self.gap.extend(&left);
            return;
        };
        self.beside(&at, &mut left);
        self.each(&at, left, &dimension.classes);
    }

    /// Looks for gaps of those whom one contributor covers in all but a few classes of a dimension, and drops them.
    fn beside(&mut self, at: &Point, left: &mut Bits) {
        let product = self.product;
        let (Some(rest), Some(beyond)) = (product.universal.get(at.axis + 1), product.beyond.get(at.axis)) else {
            return;
        };
        let Some(classes) = product.axes.get(at.axis).map(|axis| &axis.classes) else { return };
        let mut lasting = at.alive.and(rest);
        lasting.drop(&at.done);
        for place in 0..self.order.len() {
            let one = self.order.get(place).filter(|one| lasting.has(**one));
            let known = one.and_then(|one| Some((self.surely.get(*one)?, beyond.get(*one)?.as_ref()?)));
            let Some((reached, exceptions)) = known.filter(|(_, exceptions)| exceptions.len() * 2 < classes.len())
            else {
                continue;
            };
            let mut group = left.clone();
            group.retain(reached);
            // Each group costs a look at the exceptions: small ones are looked at together.
            if group.is_empty() || group.len() * 4 < left.len() {
                return;
            }
            left.drop(&group);
            self.each(at, group, exceptions.iter().filter_map(|class| classes.get(*class)));
        }
    }

    /// Looks for gaps of these users in some classes of a dimension, in those with few contributors first.
    fn each<'c>(&mut self, at: &Point, mut left: Bits, classes: impl IntoIterator<Item = &'c Class>) {
        if left.is_empty() {
            return;
        }
        let mut each: Vec<Bits> = classes.into_iter().map(|class| at.alive.and(&class.lane.surely)).collect();
        each.sort_by_cached_key(|alive| (alive.len(), alive.clone()));
        each.dedup();
        for alive in each {
            left.drop(&self.gap);
            if left.is_empty() {
                return;
            }
            if self.effort == 0 {
                self.rest.extend(&left);
                return;
            }
            self.walk(Point { axis: at.axis + 1, alive, done: at.done.clone() }, left.clone());
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
pub(super) fn people(model: &Model, kinds: Mask) -> RoaringBitmap {
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
