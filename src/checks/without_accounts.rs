//! Why those aren't covered who have no account here: all that there is to tell where no directory was read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use crate::engine::coverage::Other;
use crate::engine::{Condition, Coverage, Gap, Reason};
use crate::tenant::Snapshot;
use crate::tenant::policy::PolicyState;

use super::telling::{self, TELLS_NOTHING};

/// What stands in the way, and where.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Why; none where no policy is about these sign-ins at all.
    pub(super) reason: Option<Reason>,
    /// Object ids of the policies with that reason; without one, those that are On and ask for it elsewhere.
    pub(super) policies: BTreeSet<String>,
    /// Whom it concerns.
    pub(super) others: BTreeSet<Other>,
    /// App ids that are reached; empty means all.
    pub(super) apps: BTreeSet<String>,
    /// The conditions under which it holds; an empty list means under all.
    pub(super) conditions: BTreeSet<Vec<Condition>>,
    any_app: bool,
}

/// Every reason of the sure gaps, the most telling first.
pub(super) fn open(coverage: &Coverage, snapshot: &Snapshot) -> Vec<Open> {
    let mut found: BTreeMap<(Option<Reason>, BTreeSet<String>), Open> = BTreeMap::new();
    let gaps = coverage.gaps_of(&RoaringBitmap::new());
    for gap in gaps.iter().filter(|gap| gap.sure && !gap.others.is_empty()) {
        let (reason, policies) = reason(gap, snapshot);
        // That policies are Off is one reason, however many they are; which one excludes which app is not.
        let apart = !matches!(reason, None | Some(Reason::Off | Reason::ReportOnly));
        let key = (reason.clone(), if apart { policies.clone() } else { BTreeSet::new() });
        let open = found.entry(key).or_default();
        open.reason = reason;
        open.policies.extend(policies);
        open.others.extend(&gap.others);
        open.any_app |= gap.any_app || gap.apps.is_empty();
        open.apps.extend(gap.apps.iter().cloned());
        open.conditions.insert(gap.conditions.clone());
    }
    let mut all: Vec<Open> = found.into_values().collect();
    all.iter_mut().filter(|open| open.any_app).for_each(|open| open.apps.clear());
    all.sort_by_key(|open| (open.reason.is_none(), Reverse(open.any_app), Reverse(open.others.len())));
    all
}

/// The reason that says most about a gap, with all policies that have no other one.
fn reason(gap: &Gap, snapshot: &Snapshot) -> (Option<Reason>, BTreeSet<String>) {
    let alone = telling::alone(gap);
    let told = alone.iter().filter(|cause| !matches!(cause.reason, Reason::UsersNotIncluded | Reason::NoPolicy));
    let ranked = told.map(|cause| (telling::rank(cause, snapshot), *cause)).filter(|(rank, _)| *rank < TELLS_NOTHING);
    let Some((_, best)) = ranked.min_by_key(|(rank, _)| *rank) else { return (None, elsewhere(gap, snapshot)) };
    let same = alone.iter().filter(|cause| cause.reason == best.reason);
    (Some(best.reason.clone()), same.filter_map(|cause| cause.policy_id.clone()).collect())
}

/// Policies that are On and ask for it of others.
fn elsewhere(gap: &Gap, snapshot: &Snapshot) -> BTreeSet<String> {
    let is_on = |id: &&String| snapshot.policy(id).is_some_and(|policy| policy.state == PolicyState::Enabled);
    let weaker = |id: &str| {
        let of = gap.causes.iter().filter(|cause| cause.policy_id.as_deref() == Some(id));
        of.into_iter().any(|cause| matches!(cause.reason, Reason::WeakerControl(_)))
    };
    let ids = gap.causes.iter().filter_map(|cause| cause.policy_id.as_ref());
    ids.filter(is_on).filter(|id| !weaker(id)).cloned().collect()
}
