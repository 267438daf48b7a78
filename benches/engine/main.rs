//! How fast the engine is, family by family, with what the memory allows beside it: `cargo bench --bench engine`.
//!
//! Figures, targets and what bounds them: `docs/performance.md`. Nothing here is a test: no figure fails a build.

mod coverage;
mod exclusions;
mod overlap;
mod realistic;
mod replay;
mod tenant;
mod what_if;

use std::time::Duration;

use criterion::Criterion;

/// As the program's own (src/main.rs).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    // The large tenant first: the peak of memory that it prints is then its own.
    coverage::large(&mut criterion);
    coverage::as_they_are(&mut criterion);
    coverage::scattered(&mut criterion);
    what_if::bench(&mut criterion);
    replay::bench(&mut criterion);
    overlap::bench(&mut criterion);
    exclusions::bench(&mut criterion);
    criterion.final_summary();
}
