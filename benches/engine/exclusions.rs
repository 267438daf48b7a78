//! Policies that each exclude one user, group, app and location of their own: the shape that grows as a product where
//! combinations are listed one by one.

use std::cell::LazyCell;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion};
use portcullis::engine::{Model, Requirement, Scope};

use crate::tenant::exclusions;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exclusions");
    for policies in [15, 30, 60, 120, 240, 480] {
        let snapshot = LazyCell::new(|| Arc::new(exclusions(policies)));
        group.bench_function(BenchmarkId::from_parameter(policies), |run| {
            run.iter_with_setup(
                || Model::new(Arc::clone(&snapshot)),
                |model| {
                    let found = model.coverage(&Requirement::Mfa, &Scope::default());
                    (model, found)
                },
            );
        });
    }
    group.finish();
}
