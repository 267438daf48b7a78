//! Where nothing holds: the product of the dimensions searched once, equal parts shared.
//!
//! The result is a decision diagram: from each class of users a path through the dimensions ends covered, in a gap, or
//! undecided. What holds everywhere in the rest of the product ends a path at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;

use super::domain::{self, Axis};
use super::requirement::Contributor;
use super::sift::{self, Dimensions, Sifted};
use crate::engine::Model;
use crate::engine::bits::{Bits, Lane};

/// A part of the product, by its place in the diagram.
pub(super) type Part = usize;

/// Every sign-in in it surely meets the requirement.
pub(super) const COVERED: Part = 0;
/// None possibly does.
pub(super) const GAP: Part = 1;
/// It hangs on something that isn't known.
pub(super) const UNDECIDED: Part = 2;

/// What is left uncovered somewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// Sign-ins that surely aren't covered.
    pub(super) gap: bool,
    /// Sign-ins of which that hangs on something that isn't known.
    pub(super) undecided: bool,
}

impl Left {
    /// Both together.
    pub(super) fn or(self, other: Self) -> Self {
        Self { gap: self.gap || other.gap, undecided: self.undecided || other.undecided }
    }
}

/// A choice in one dimension: classes of values, and what follows from them. Classes in none of the edges are covered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Branch {
    axis: usize,
    edges: Vec<(Vec<usize>, Part)>,
}

/// The classes of a dimension where a contributor doesn't surely hold; none if it doesn't hold everywhere after it.
pub(super) type Exceptions = Option<Arc<[usize]>>;

/// The classes of a dimension that are looked at, in order.
struct Exceptional {
    only: Exceptions,
    next: usize,
    all: usize,
}

impl Iterator for Exceptional {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let at = self.next;
        self.next += 1;
        match &self.only {
            Some(only) => only.get(at).copied(),
            None => (at < self.all).then_some(at),
        }
    }
}

/// The diagram, as far as it was asked for.
#[derive(Debug)]
pub(super) struct Diagram<'a> {
    axes: &'a [Axis],
    /// For each dimension: the contributors that hold everywhere from it on.
    universal: Vec<Bits>,
    /// For each dimension and contributor that holds everywhere after it: the classes where it doesn't surely hold.
    beyond: Vec<Vec<Exceptions>>,
    broad: Broad,
    branches: Vec<Branch>,
    /// What each branch leaves.
    left: Vec<Left>,
    /// Nothing about the dimensions is open.
    decided: bool,
    /// Some dimension has no class at all: there are no such sign-ins, and nothing to cover.
    empty: bool,
    known: FxHashMap<Branch, Part>,
    memo: FxHashMap<(usize, Lane), Part>,
}

/// Contributors that hold for most values of each dimension, like policies about everything but a few exceptions. One
/// value rules out few of them: whoever has more of them than all values together can rule out is covered.
#[derive(Debug)]
pub(super) struct Broad {
    contributors: Bits,
    /// For each dimension: how many of them the rest of a path can rule out at most.
    slack: Vec<usize>,
}

impl Broad {
    pub(super) fn new(axes: &[Axis], contributors: usize) -> Self {
        let holds = |axis: &Axis, at| axis.classes.iter().filter(|class| class.lane.surely.has(at)).count();
        let mut broad = Bits::none(contributors);
        (0..contributors)
            .filter(|at| axes.iter().rev().all(|axis| holds(axis, *at) * 2 > axis.classes.len()))
            .for_each(|at| broad.set(at));
        let all = broad.len();
        let most = |axis: &Axis| axis.classes.iter().map(|class| all - class.lane.surely.and(&broad).len()).max();
        let mut slack = vec![0];
        for axis in axes.iter().rev() {
            slack.push(slack.last().copied().unwrap_or_default() + most(axis).unwrap_or_default());
        }
        slack.reverse();
        Self { contributors: broad, slack }
    }

    /// All of them, and how many a path can rule out at most.
    pub(super) fn count(&self) -> (&Bits, usize) {
        (&self.contributors, self.slack.first().copied().unwrap_or_default())
    }

    /// Whether no rest of a path from this dimension on can rule out all that are left.
    fn cover(&self, axis: usize, lane: &Lane) -> bool {
        self.slack.get(axis).is_some_and(|slack| lane.surely.and(&self.contributors).len() > *slack)
    }
}

/// A product of value sets in which the requirement isn't met.
#[derive(Clone, Debug)]
pub(super) struct Hole {
    /// Classes of each dimension; none for all of them.
    pub(super) classes: Vec<Option<Vec<usize>>>,
    pub(super) sure: bool,
}

/// For each of these dimensions, and after the last: the contributors that hold everywhere from it on.
pub(super) fn universal(axes: &[&Axis], contributors: usize) -> Vec<Bits> {
    let mut universal = vec![Bits::all(contributors)];
    for axis in axes.iter().rev() {
        let rest = universal.last().map(|rest| rest.and(&axis.universal(contributors)));
        universal.extend(rest);
    }
    universal.reverse();
    universal
}

/// For each of these dimensions and contributor that holds everywhere after it: the classes where it doesn't surely hold.
pub(super) fn exceptions_of(axes: &[&Axis], universal: &[Bits], contributors: usize) -> Vec<Vec<Exceptions>> {
    let without = |axis: &Axis, at: usize| {
        let classes = axis.classes.iter().enumerate().filter(|(_, class)| !class.lane.surely.has(at));
        classes.map(|(class, _)| class).collect()
    };
    let of =
        |(axis, rest): (&&Axis, &Bits)| (0..contributors).map(|at| rest.has(at).then(|| without(axis, at))).collect();
    axes.iter().zip(universal.iter().skip(1)).map(of).collect()
}

impl<'a> Diagram<'a> {
    /// An empty diagram over these dimensions, for so many contributors.
    pub(super) fn new(axes: &'a [Axis], contributors: usize) -> Self {
        let each: Vec<&Axis> = axes.iter().collect();
        let universal = universal(&each, contributors);
        let beyond = exceptions_of(&each, &universal, contributors);
        let broad = Broad::new(axes, contributors);
        let decided = axes.iter().flat_map(|axis| &axis.classes).all(|class| class.lane.surely == class.lane.possibly);
        Self {
            axes,
            universal,
            beyond,
            broad,
            branches: Vec::new(),
            left: Vec::new(),
            decided,
            empty: axes.iter().any(|axis| axis.classes.is_empty()),
            known: FxHashMap::default(),
            memo: FxHashMap::default(),
        }
    }

    /// Users who need not be looked at one by one: by far most.
    pub(super) fn sift(&self, model: &Model, of: &[Contributor], users: &RoaringBitmap) -> Sifted {
        self.sift_by(model, of, users, false)
    }

    /// The same where what isn't sure counts for nothing.
    pub(super) fn sift_strictly(&self, model: &Model, of: &[Contributor], users: &RoaringBitmap) -> Sifted {
        self.sift_by(model, of, users, true)
    }

    fn sift_by(&self, model: &Model, of: &[Contributor], users: &RoaringBitmap, strictly: bool) -> Sifted {
        if self.empty {
            return Sifted::default();
        }
        let decided = self.decided || strictly;
        sift::sift(model, of, Dimensions { axes: self.axes, broad: &self.broad, decided, strictly }, users)
    }

    /// The part that is left for users whom these contributors reach.
    pub(super) fn search(&mut self, lane: &Lane) -> Part {
        self.from(0, lane)
    }

    /// What is left for them, without keeping where. Once there is a gap, it isn't looked whether something else hangs on
    /// what isn't known, unless `all` of it is asked for.
    pub(super) fn left(&mut self, lane: &Lane, all: bool) -> Left {
        if let Some(part) = self.at_once(0, lane) {
            return self.left_of(part);
        }
        let enough = !all || (self.decided && lane.surely == lane.possibly);
        let mut left = Left::default();
        for at in self.classes(0, lane) {
            let part = self.beneath(0, at, lane);
            left = left.or(self.left_of(part));
            if left.gap && (enough || left.undecided) {
                break;
            }
        }
        left
    }

    pub(super) fn left_of(&self, part: Part) -> Left {
        match part {
            COVERED => Left::default(),
            GAP => Left { gap: true, undecided: false },
            UNDECIDED => Left { gap: false, undecided: true },
            _ => self.left.get(part - UNDECIDED - 1).copied().unwrap_or_default(),
        }
    }

    fn from(&mut self, axis: usize, lane: &Lane) -> Part {
        if let Some(part) = self.at_once(axis, lane) {
            return part;
        }
        // Whoever is asked about first is asked about once: lanes of users differ.
        let known = (axis > 0).then(|| self.memo.get(&(axis, lane.clone()))).flatten();
        if let Some(part) = known {
            return *part;
        }
        let mut by_part: BTreeMap<Part, Vec<usize>> = BTreeMap::new();
        for at in self.classes(axis, lane) {
            let part = self.beneath(axis, at, lane);
            if part != COVERED {
                by_part.entry(part).or_default().push(at);
            }
        }
        let part = self.branch(axis, by_part);
        if axis > 0 {
            self.memo.insert((axis, lane.clone()), part);
        }
        part
    }

    /// The part where it is one and the same for all values of the dimensions that are left.
    fn at_once(&self, axis: usize, lane: &Lane) -> Option<Part> {
        if self.empty {
            return Some(COVERED);
        }
        if lane.possibly.is_empty() {
            return Some(GAP);
        }
        if self.universal.get(axis).is_some_and(|rest| lane.surely.meets(rest)) || self.broad.cover(axis, lane) {
            return Some(COVERED);
        }
        (axis >= self.axes.len()).then_some(UNDECIDED)
    }

    /// The classes of a dimension that have to be looked at; all others are covered.
    fn classes(&self, axis: usize, lane: &Lane) -> Exceptional {
        let all = self.axes.get(axis).map_or(0, |axis| axis.classes.len());
        Exceptional { only: self.exceptions(axis, lane), next: 0, all }
    }

    /// What is left in one class of a dimension.
    fn beneath(&mut self, axis: usize, at: usize, lane: &Lane) -> Part {
        let product = self.axes;
        let Some(class) = product.get(axis).and_then(|axis| axis.classes.get(at)) else { return COVERED };
        let rest = self.universal.get(axis + 1);
        if !lane.possibly.meets(&class.lane.possibly) {
            GAP
        } else if rest.is_some_and(|rest| lane.surely.meets_both(&class.lane.surely, rest)) {
            COVERED
        } else {
            self.from(axis + 1, &lane.and(&class.lane))
        }
    }

    /// The fewest classes beyond which some contributor covers everything; none where all have to be looked at.
    fn exceptions(&self, axis: usize, lane: &Lane) -> Exceptions {
        let (rest, beyond) = (self.universal.get(axis + 1)?, self.beyond.get(axis)?);
        let lists = lane.surely.shared(rest).filter_map(|at| beyond.get(at)?.as_ref());
        lists.min_by_key(|classes| classes.len()).map(Arc::clone)
    }

    /// The part that is made of these; classes in none of them are covered.
    fn branch(&mut self, axis: usize, by_part: BTreeMap<Part, Vec<usize>>) -> Part {
        let whole = self.axes.get(axis).map_or(0, |axis| axis.classes.len());
        match by_part.first_key_value() {
            None => return COVERED,
            Some((part, classes)) if classes.len() == whole => return *part,
            Some(_) => {}
        }
        let branch = Branch { axis, edges: by_part.into_iter().map(|(part, classes)| (classes, part)).collect() };
        let next = UNDECIDED + 1 + self.branches.len();
        let part = *self.known.entry(branch.clone()).or_insert(next);
        if part == next {
            let left = branch.edges.iter().map(|(_, part)| self.left_of(*part)).fold(Left::default(), Left::or);
            self.left.push(left);
            self.branches.push(branch);
        }
        part
    }

    /// Of two parts the sign-ins that the first leaves and the second doesn't, or leaves open only.
    pub(super) fn beyond(&mut self, one: Part, other: Part) -> Part {
        self.without(one, other, &mut FxHashMap::default())
    }

    fn without(&mut self, one: Part, other: Part, known: &mut FxHashMap<(Part, Part), Part>) -> Part {
        match (one, other) {
            (COVERED, _) | (_, GAP) => return COVERED,
            (_, COVERED) => return one,
            _ if one == other => return COVERED,
            _ => {}
        }
        let Some(axis) = [one, other].into_iter().filter_map(|part| self.axis_of(part)).min() else { return one };
        if let Some(part) = known.get(&(one, other)) {
            return *part;
        }
        let mut by_part: BTreeMap<Part, Vec<usize>> = BTreeMap::new();
        for at in 0..self.axes.get(axis).map_or(0, |axis| axis.classes.len()) {
            let part = self.without(self.under(one, axis, at), self.under(other, axis, at), known);
            if part != COVERED {
                by_part.entry(part).or_default().push(at);
            }
        }
        let part = self.branch(axis, by_part);
        known.insert((one, other), part);
        part
    }

    /// The dimension in which a part chooses; none for one that is the same everywhere.
    fn axis_of(&self, part: Part) -> Option<usize> {
        self.branches.get(part.checked_sub(UNDECIDED + 1)?).map(|branch| branch.axis)
    }

    /// What is left of a part in one class of a dimension.
    fn under(&self, part: Part, axis: usize, class: usize) -> Part {
        let branch = part.checked_sub(UNDECIDED + 1).and_then(|at| self.branches.get(at));
        let Some(branch) = branch.filter(|branch| branch.axis == axis) else { return part };
        branch.edges.iter().find(|(classes, _)| classes.contains(&class)).map_or(COVERED, |(_, next)| *next)
    }

    /// The holes of a part.
    pub(super) fn holes(&self, part: Part) -> Vec<Hole> {
        let mut found = Vec::new();
        self.collect(part, vec![None; self.axes.len()], &mut found);
        domain::legacy_with_others(self.axes, found)
    }

    fn collect(&self, part: Part, classes: Vec<Option<Vec<usize>>>, found: &mut Vec<Hole>) {
        match part {
            COVERED => {}
            GAP | UNDECIDED => found.push(Hole { classes, sure: part == GAP }),
            _ => {
                let Some(branch) = self.branches.get(part - UNDECIDED - 1) else { return };
                for (chosen, next) in &branch.edges {
                    let mut deeper = classes.clone();
                    if let Some(slot) = deeper.get_mut(branch.axis) {
                        *slot = Some(chosen.clone());
                    }
                    self.collect(*next, deeper, found);
                }
            }
        }
    }
}
