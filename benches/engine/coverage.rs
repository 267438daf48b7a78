//! Coverage of one requirement and all checks: on the largest tenant of the targets, on a tenant as they are, and on one
//! whose policies have random scopes.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkGroup, Criterion, measurement::WallTime};
use jiff::Timestamp;
use portcullis::checks::{self, Context};
use portcullis::engine::{Model, Requirement, Scope};
use portcullis::tenant::Snapshot;

use crate::realistic::realistic;
use crate::tenant::{LARGE, ORDINARY, ordinary as ordinary_tenant, random};

fn all_checks(snapshot: &Arc<Snapshot>) -> usize {
    let model = Model::new(Arc::clone(snapshot));
    let now: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
    checks::run_all(&Context { model: &model, hash: "", now, thresholds: &BTreeMap::new(), rows: 50 }).len()
}

/// What the memory allows: every membership that a policy could ask for, read once and noted once.
fn one_pass(snapshot: &Snapshot) -> u64 {
    let mut noted = vec![0u32; snapshot.directory.users.len()];
    for members in snapshot.directory.groups.values().filter_map(|group| group.transitive.as_ref()) {
        for position in members.iter() {
            if let Some(seen) = noted.get_mut(position as usize) {
                *seen ^= position;
            }
        }
    }
    noted.iter().map(|seen| u64::from(*seen)).sum()
}

const ALL_CHECKS: &str = "coverage/1,000,000 users/all checks";

/// All checks once, by the clock, compilation counted: too slow for ten samples. Then one after another on one thread, and
/// the slowest by name.
fn all_checks_once(snapshot: &Arc<Snapshot>) {
    let begun = Instant::now();
    black_box(all_checks(snapshot));
    println!("{ALL_CHECKS}, once: {:.2} s", begun.elapsed().as_secs_f64());
    report_memory(ALL_CHECKS);
    let model = Model::new(Arc::clone(snapshot));
    let now: Timestamp = "2026-11-24T08:30:00Z".parse().unwrap();
    let context = Context { model: &model, hash: "", now, thresholds: &BTreeMap::new(), rows: 50 };
    let mut times: Vec<(Duration, &str)> = Vec::new();
    for check in checks::CHECKS {
        let begun = Instant::now();
        black_box(check.run(&context));
        times.push((begun.elapsed(), check.about().id));
    }
    times.sort();
    println!(
        "one after another: {:.2} s; the slowest:",
        times.iter().map(|(time, _)| *time).sum::<Duration>().as_secs_f64()
    );
    for (time, id) in times.iter().rev().take(12) {
        println!("{:>12.2} s  {id}", time.as_secs_f64());
    }
}

/// 1,000,000 users, 5,000 groups, 20 million memberships, 3,000 apps, 240 policies with random scopes: whom MFA is not
/// required of, and all checks.
pub(crate) fn large(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("coverage/1,000,000 users");
    let snapshot = LazyCell::new(|| Arc::new(random(LARGE, 1)));
    group.bench_function("bound: one pass over the memberships", |run| run.iter(|| black_box(one_pass(&snapshot))));
    group.bench_function("compilation", |run| run.iter(|| Model::new(Arc::clone(&snapshot))));
    one_requirement(&mut group, &snapshot);
    report_memory("coverage/1,000,000 users/one requirement");
    group.finish();
    // Criterion doesn't know once: a name after -- picks this one too.
    if std::env::args().skip(1).filter(|word| !word.starts_with('-')).all(|word| ALL_CHECKS.contains(&word)) {
        all_checks_once(&snapshot);
    }
}

/// 10,000 users, 300 groups, 400 apps, 40 policies, a log of 20,000 sign-ins.
pub(crate) fn as_they_are(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("coverage/10,000 users");
    let snapshot = LazyCell::new(|| Arc::new(realistic()));
    one_requirement(&mut group, &snapshot);
    with_reasons(&mut group, &snapshot);
    group.bench_function("all checks", |run| run.iter(|| all_checks(&snapshot)));
    group.finish();
}

/// 10,000 users of whom hardly two are in the same groups, 40 policies of which 32 have random scopes.
pub(crate) fn scattered(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("coverage/10,000 users, random scopes");
    let snapshot = LazyCell::new(|| Arc::new(ordinary_tenant(ORDINARY, 2)));
    one_requirement(&mut group, &snapshot);
    with_reasons(&mut group, &snapshot);
    group.finish();
}

/// Whom MFA isn't required of somewhere, compilation of all that this needs counted.
fn one_requirement(group: &mut BenchmarkGroup<'_, WallTime>, snapshot: &Arc<Snapshot>) {
    group.bench_function("one requirement", |run| {
        run.iter_with_setup(
            || Model::new(Arc::clone(snapshot)),
            |model| {
                let found = model.coverage(&Requirement::Mfa, &Scope::default());
                (model, found)
            },
        );
    });
}

/// The same, with every gap: where, under which conditions, and why.
fn with_reasons(group: &mut BenchmarkGroup<'_, WallTime>, snapshot: &Arc<Snapshot>) {
    group.bench_function("one requirement, with all gaps", |run| {
        run.iter_with_setup(
            || Model::new(Arc::clone(snapshot)),
            |model| {
                let found = model.coverage(&Requirement::Mfa, &Scope::default());
                let gaps = found.gaps().len();
                (model, found, gaps)
            },
        );
    });
}

/// The most memory that this process ever held, where the system tells (Linux).
fn report_memory(when: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("not known").trim().to_owned();
    println!("peak memory so far, after {when}: {peak}\n");
}
