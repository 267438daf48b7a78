//! Where nothing holds: the product of the dimensions searched once, equal parts shared.
//!
//! The result is a decision diagram: from each class of users a path through the dimensions ends covered, in a gap, or
//! undecided. What holds everywhere in the rest of the product ends a path at once.

use std::collections::{BTreeMap, HashMap};

use super::domain::Axis;
use crate::engine::bits::{Bits, Lane};

/// A part of the product, by its place in the diagram.
pub(super) type Part = usize;

/// Every sign-in in it surely meets the requirement.
pub(super) const COVERED: Part = 0;
/// None possibly does.
pub(super) const GAP: Part = 1;
/// It hangs on something that isn't known.
pub(super) const UNDECIDED: Part = 2;

/// A choice in one dimension: classes of values, and what follows from them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Branch {
    axis: usize,
    edges: Vec<(Vec<usize>, Part)>,
}

/// The diagram, as far as it was asked for.
#[derive(Debug)]
pub(super) struct Diagram<'a> {
    axes: &'a [Axis],
    /// For each dimension: the contributors that hold everywhere from it on.
    universal: Vec<Bits>,
    branches: Vec<Branch>,
    known: HashMap<Branch, Part>,
    memo: HashMap<(usize, Lane), Part>,
}

/// A product of value sets in which the requirement isn't met.
#[derive(Clone, Debug)]
pub(super) struct Hole {
    /// Classes of each dimension; none for all of them.
    pub(super) classes: Vec<Option<Vec<usize>>>,
    pub(super) sure: bool,
}

impl<'a> Diagram<'a> {
    /// An empty diagram over these dimensions, for so many contributors.
    pub(super) fn new(axes: &'a [Axis], contributors: usize) -> Self {
        let mut universal = vec![Bits::all(contributors)];
        for axis in axes.iter().rev() {
            let rest = universal
                .last()
                .map_or_else(|| Bits::all(contributors), |rest| rest.and(&axis.universal(contributors)));
            universal.push(rest);
        }
        universal.reverse();
        Self { axes, universal, branches: Vec::new(), known: HashMap::new(), memo: HashMap::new() }
    }

    /// The part that is left for users whom these contributors reach.
    pub(super) fn search(&mut self, lane: &Lane) -> Part {
        self.from(0, lane)
    }

    fn from(&mut self, axis: usize, lane: &Lane) -> Part {
        if lane.possibly.is_empty() {
            return GAP;
        }
        if self.universal.get(axis).is_some_and(|rest| lane.surely.meets(rest)) {
            return COVERED;
        }
        let product = self.axes;
        let Some(dimension) = product.get(axis) else { return UNDECIDED };
        if let Some(part) = self.memo.get(&(axis, lane.clone())) {
            return *part;
        }
        let mut by_part: BTreeMap<Part, Vec<usize>> = BTreeMap::new();
        for (at, class) in dimension.classes.iter().enumerate() {
            let rest = self.universal.get(axis + 1);
            let part = if !lane.possibly.meets(&class.lane.possibly) {
                GAP
            } else if rest.is_some_and(|rest| lane.surely.meets_both(&class.lane.surely, rest)) {
                COVERED
            } else {
                self.from(axis + 1, &lane.and(&class.lane))
            };
            by_part.entry(part).or_default().push(at);
        }
        let part = self.branch(axis, by_part);
        self.memo.insert((axis, lane.clone()), part);
        part
    }

    fn branch(&mut self, axis: usize, by_part: BTreeMap<Part, Vec<usize>>) -> Part {
        if let (1, Some(part)) = (by_part.len(), by_part.keys().next()) {
            return *part;
        }
        let branch = Branch { axis, edges: by_part.into_iter().map(|(part, classes)| (classes, part)).collect() };
        let next = UNDECIDED + 1 + self.branches.len();
        let part = *self.known.entry(branch.clone()).or_insert(next);
        if part == next {
            self.branches.push(branch);
        }
        part
    }

    /// The holes of a part.
    pub(super) fn holes(&self, part: Part) -> Vec<Hole> {
        let mut found = Vec::new();
        self.collect(part, vec![None; self.axes.len()], &mut found);
        found
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
