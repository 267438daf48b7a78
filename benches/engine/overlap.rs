//! Every pair of 240 policies.

use std::cell::LazyCell;
use std::sync::Arc;

use criterion::Criterion;
use portcullis::engine::Model;

use crate::tenant::{ORDINARY, Size, random};

pub(crate) fn bench(criterion: &mut Criterion) {
    let snapshot = LazyCell::new(|| Arc::new(random(Size { policies: 240, ..ORDINARY }, 6)));
    criterion.bench_function("overlap/240 policies, all pairs", |run| {
        run.iter_with_setup(
            || Model::new(Arc::clone(&snapshot)),
            |model| {
                let found = model.overlaps();
                (model, found)
            },
        );
    });
}
