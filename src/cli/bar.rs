//! How far long work is, on a terminal; nothing where nobody looks.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::facts::grouped;
use crate::graph::Progress;
use crate::tenant::{Kind, Word as _};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(200);

/// A line that says what is under way, with the time it has taken.
pub(super) fn spinner(words: String) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(words);
    bar.set_style(style("{spinner} {msg} ({elapsed})"));
    bar.enable_steady_tick(TICK);
    bar
}

/// A bar over so many steps, with an estimate of the rest.
pub(super) fn steps(of: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(of).unwrap_or(u64::MAX));
    bar.set_style(style("{bar:30} {pos} of {len}, {eta} left: {msg}"));
    bar
}

/// A template of ours; a malformed one shows the library's own.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// How far a reading of a live tenant is: pages, objects, and what was read last.
pub(super) struct Reading {
    bar: ProgressBar,
    far: Mutex<(u64, BTreeMap<Kind, u64>)>,
}

impl Reading {
    /// Begins.
    pub(super) fn new() -> Self {
        Self { bar: spinner("reading the tenant".to_owned()), far: Mutex::default() }
    }

    /// The line goes away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Reading {
    fn page(&self, kind: Kind, objects: u64) {
        let mut far = self.far.lock().unwrap_or_else(PoisonError::into_inner);
        far.0 += 1;
        far.1.insert(kind, objects);
        let number = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
        let all = number(far.1.values().sum());
        self.bar.set_message(format!("{} {} · {all} objects, {} pages", kind.word(), number(objects), number(far.0)));
    }

    fn cancelled(&self) -> bool {
        false
    }
}
