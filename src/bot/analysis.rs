//! A reading of the tenant with everything that follows from it: the compiled model and the findings of all checks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use roaring::RoaringBitmap;

use crate::checks::{self, About, Context, CureAction, Finding, HandOver, naming, rows};
use crate::engine::Model;
use crate::engine::replay::Impact;
use crate::facts::{Evidence, Row};
use crate::suggestions::{Proposal, merged};
use crate::tenant::{Policy, Snapshot, version_of};

use super::edited::Edited;

/// A snapshot, compiled and checked. Shared by everything that answers from the same reading.
#[derive(Debug)]
pub struct Analysis {
    /// The compiled tenant.
    pub model: Model,
    /// Content hash of the snapshot, which citations name.
    pub hash: String,
    /// One finding per check, in the registry's order.
    pub findings: Vec<Finding>,
    /// Thresholds by `check-id.name` that they were judged by, where they differ from the checks' own.
    pub thresholds: BTreeMap<String, f64>,
    /// Impacts that were asked for, by version of the policy.
    impacts: Mutex<BTreeMap<String, Arc<Impact>>>,
    /// What changes would do that were asked for, by their words.
    edits: Mutex<BTreeMap<String, Option<Arc<Edited>>>>,
    /// Whom a check counts as not covered and didn't in an earlier reading, by that reading's hash and the check.
    lost: Mutex<BTreeMap<(String, &'static str), RoaringBitmap>>,
    /// How many a check would count as not covered with a policy as it was, by the policy's version then and the check.
    with_earlier: Mutex<BTreeMap<(String, &'static str), u64>>,
}

impl Analysis {
    /// Compiles a snapshot and runs every check on it.
    #[must_use]
    pub fn of(snapshot: Arc<Snapshot>, hash: String, thresholds: &BTreeMap<String, f64>, now: Timestamp) -> Self {
        Self::watched((snapshot, hash), thresholds, (now, Evidence::SHOWN), &|_| {})
    }

    /// A snapshot, compiled: for what rests on no check. The checks look at everything that could ever sign in, devices that
    /// differ in one attribute too: with eight filters for devices that takes seconds, and a single sign-in none.
    #[must_use]
    pub fn unchecked(snapshot: Arc<Snapshot>) -> Self {
        Self::with((Model::new(snapshot), String::new()), Vec::new(), &BTreeMap::new())
    }

    /// The same as [`Analysis::of`], with so many rows of evidence kept with each fact; `begins` hears of each check before it runs.
    #[must_use]
    pub fn watched(
        (snapshot, hash): (Arc<Snapshot>, String),
        thresholds: &BTreeMap<String, f64>,
        (now, rows): (Timestamp, usize),
        begins: &(dyn Fn(&'static About) + Sync),
    ) -> Self {
        let model = Model::new(snapshot);
        let findings = checks::run_each(&Context { model: &model, hash: &hash, now, thresholds, rows }, begins);
        Self::with((model, hash), findings, thresholds)
    }

    fn with((model, hash): (Model, String), findings: Vec<Finding>, thresholds: &BTreeMap<String, f64>) -> Self {
        Self {
            model,
            hash,
            findings,
            thresholds: thresholds.clone(),
            impacts: Mutex::default(),
            edits: Mutex::default(),
            lost: Mutex::default(),
            with_earlier: Mutex::default(),
        }
    }

    /// The tenant as it was read.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.model.snapshot
    }

    /// What the findings suggest, each cure once.
    #[must_use]
    pub fn proposals(&self) -> Vec<Proposal> {
        let of =
            |finding: &Finding| checks::about(finding.check).map(|about| Proposal::of(finding, about, self.snapshot()));
        let mut proposals = merged(self.findings.iter().filter_map(of).flatten().collect(), self.snapshot());
        for proposal in &mut proposals {
            proposal.leaving = self.leaving(&proposal.action);
        }
        let names = proposals.iter_mut().filter_map(|proposal| match &mut proposal.action {
            CureAction::Draft(draft) => Some(&mut draft.display_name),
            CureAction::HandOver(_) => None,
        });
        naming::distinct(names, self.snapshot());
        proposals
    }

    /// The accounts that a change takes out of a group, each with its way into it.
    fn leaving(&self, action: &CureAction) -> Option<Evidence> {
        let CureAction::HandOver(change) = action else { return None };
        let directory = &self.snapshot().directory;
        let set: RoaringBitmap = change.members.iter().filter_map(|id| directory.user_index(id)).collect();
        let rows = rows::users(&set, self.snapshot(), directory.groups.get(&change.target_id));
        (!set.is_empty()).then(|| self.evidence(rows))
    }

    /// Checks that couldn't be judged, so that nothing is concluded from their silence.
    #[must_use]
    pub fn undecided(&self) -> BTreeSet<String> {
        let undecided = self.findings.iter().filter(|finding| finding.is_undecided());
        undecided.map(|finding| finding.check.to_owned()).collect()
    }

    /// What a policy, if On, would have done to the sign-ins of the log; judged once per version of the policy.
    #[must_use]
    pub fn impact(&self, draft: &Policy) -> Arc<Impact> {
        once(&self.impacts, version_of(draft), || Arc::new(self.model.impact(draft)))
    }

    /// What a change that is handed over would do, judged once; none where that can't be told.
    #[must_use]
    pub fn edited(&self, change: &HandOver) -> Option<Arc<Edited>> {
        let key = serde_json::to_string(change).unwrap_or_default();
        once(&self.edits, key, || Edited::of(change, self).map(Arc::new))
    }

    /// Who lost the cover of a check since an earlier reading: found once, however many conversations are told.
    pub fn lost(&self, (before, check): (&str, &'static str), find: impl FnOnce() -> RoaringBitmap) -> RoaringBitmap {
        once(&self.lost, (before.to_owned(), check), find)
    }

    /// How many a check would count as not covered with a policy as it was, counted once like the above.
    pub fn with_earlier(&self, (policy, check): (&Policy, &'static str), count: impl FnOnce() -> u64) -> u64 {
        once(&self.with_earlier, (format!("{}:{}", policy.id, version_of(policy)), check), count)
    }

    /// Evidence of these rows, from this reading.
    #[must_use]
    pub fn evidence(&self, rows: impl IntoIterator<Item = Row>) -> Evidence {
        Evidence::of(rows).read(&self.hash, self.snapshot().read_at)
    }
}

/// What is known for a key, or what is found for it now; whoever asks for another waits for neither.
fn once<K: Ord, V: Clone>(known: &Mutex<BTreeMap<K, V>>, key: K, find: impl FnOnce() -> V) -> V {
    let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = lock().get(&key) {
        return found.clone();
    }
    let found = find();
    lock().insert(key, found.clone());
    found
}
