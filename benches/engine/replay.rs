//! A draft over a month of past sign-ins.

use std::cell::LazyCell;

use criterion::{Criterion, Throughput};

use crate::tenant::{ORDINARY, Random, Size, log, mfa, model, ordinary, random_policy};

const ROWS: u32 = 1_000_000;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("replay/1,000,000 past sign-ins");
    group.throughput(Throughput::Elements(u64::from(ROWS)));
    let size = Size { users: 10_000, ..ORDINARY };
    let model = LazyCell::new(|| {
        let mut snapshot = ordinary(size, 2);
        snapshot.sign_ins = log(ROWS, size, &mut Random::new(4));
        model(snapshot)
    });
    let drafts = [("MFA for everybody", mfa(0)), ("a narrower draft", random_policy(9, size, &mut Random::new(8)))];
    for (name, draft) in drafts {
        group.bench_function(name, |run| run.iter(|| model.impact(&draft)));
    }
    group.finish();
}
