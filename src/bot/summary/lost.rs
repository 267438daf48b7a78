//! Who lost the cover of a check between two readings: that it got worse rests on them, and on nobody else.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use roaring::RoaringBitmap;

use crate::bot::analysis::Analysis;
use crate::checks::gaps::Gaps;
use crate::checks::{CHECKS, Context};
use crate::engine::Model;
use crate::tenant::Snapshot;

/// An earlier reading, compiled when the first check asks for it and then for all of them.
#[derive(Debug)]
pub(super) struct Earlier {
    /// Content hash of the reading.
    pub(super) hash: String,
    snapshot: Arc<Snapshot>,
    model: OnceLock<Model>,
}

impl Earlier {
    pub(super) fn new(hash: &str, snapshot: Snapshot) -> Self {
        Self { hash: hash.to_owned(), snapshot: Arc::new(snapshot), model: OnceLock::new() }
    }
}

/// Accounts that a check counts as not covered now and didn't before, by their positions now; empty where it can't say whom
/// it counts.
pub(super) fn accounts(before: &Earlier, analysis: &Analysis, check: &str) -> RoaringBitmap {
    let now = uncovered(&analysis.model, analysis, check);
    let earlier = before.model.get_or_init(|| Model::new(Arc::clone(&before.snapshot)));
    let then = uncovered(earlier, analysis, check);
    let ids = then.iter().filter_map(|at| before.snapshot.directory.user_at(at));
    let ids: BTreeSet<&str> = ids.map(|user| user.id.as_str()).collect();
    let directory = &analysis.snapshot().directory;
    let is_new = |at: &u32| directory.user_at(*at).is_some_and(|user| !ids.contains(user.id.as_str()));
    now.iter().filter(is_new).collect()
}

/// Whom a check counts as not covered in a tenant: it is run once more and listened to.
fn uncovered(model: &Model, analysis: &Analysis, check: &str) -> RoaringBitmap {
    let Some(check) = CHECKS.iter().find(|one| one.about().id == check) else { return RoaringBitmap::new() };
    let (model, now) = (model.unasked(), analysis.snapshot().read_at);
    let _ = check.run(&Context { model: &model, hash: &analysis.hash, now, thresholds: &analysis.thresholds, rows: 0 });
    let asked = model.questions_asked();
    let Some((_, scope, coverage)) = asked.first() else { return RoaringBitmap::new() };
    let accounts = Gaps::of((coverage.as_ref(), scope), &model, now).accounts;
    accounts.humans() | accounts.machines()
}
