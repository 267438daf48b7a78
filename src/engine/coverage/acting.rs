//! Policies that act as a block: what they ask can't be done by the client, the person or the device.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use super::domain::Axis;
use super::gaps::Search;
use super::people::{self, People};
use super::requirement::Contributor;
use super::search::{COVERED, Diagram};
use super::{Coverage, Other, sift};
use crate::engine::Model;
use crate::engine::bits::Lane;

impl Coverage {
    /// Whether something of what is surely covered is so only because policies act as a block there
    /// ([`Coverage::acts_as_block`]).
    #[must_use]
    pub fn rests_on_acting(&self) -> bool {
        !self.acts_as_block.is_empty() && !self.search.holds_without_acting(&self.looked_at)
    }
}

impl Search {
    fn holds_without_acting(&self, users: &RoaringBitmap) -> bool {
        let mut of = self.of.clone();
        of.iter_mut().filter(|one| one.acts_as_block).for_each(|one| one.region.people = 0);
        let mut diagram = Diagram::new(&self.axes, of.len());
        let others = people::lanes_of_others(&self.model, &self.scope, &of);
        if others.iter().any(|(_, lane)| diagram.search(lane) != COVERED) {
            return false;
        }
        let sifted = diagram.sift_strictly(&self.model, &of, users);
        let covered = |lane: &Lane| Some(diagram.search(lane) == COVERED);
        sifted.gap.is_empty() && !People::new(&self.model, sifted.rest, &of).each(covered).contains(&Some(false))
    }
}

/// Policies that reach somebody, where they cover only because what they ask can't be done.
pub(super) fn acting_as_block(
    model: &Model,
    axes: &[Axis],
    (users, others): (&RoaringBitmap, &[(Other, Lane)]),
    of: &[Contributor],
) -> BTreeSet<String> {
    let reaches = |at: usize, one: &Contributor| {
        axes.iter().all(|axis| axis.classes.iter().any(|class| class.lane.possibly.has(at)))
            && (others.iter().any(|(_, lane)| lane.possibly.has(at)) || sift::reaches_any(model, one, users))
    };
    let acting = of.iter().enumerate().filter(|(at, one)| one.acts_as_block && reaches(*at, one));
    acting.filter_map(|(_, one)| Some(model.snapshot.policies.get(one.policy?)?.id.clone())).collect()
}
