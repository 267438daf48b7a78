//! How far long work is, on a terminal; nothing where nobody looks.

use std::collections::{BTreeMap, BTreeSet};
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

/// Kinds of object that come page by page; security defaults are a single object.
const PAGED: u64 = 17;

/// How far a reading of a live tenant is: kinds read to their end with an estimate of the rest, objects, pages, and what was
/// read last.
pub(super) struct Reading {
    bar: ProgressBar,
    far: Mutex<Far>,
}

#[derive(Default)]
struct Far {
    pages: u64,
    objects: BTreeMap<Kind, u64>,
    done: BTreeSet<Kind>,
}

impl Reading {
    /// Begins.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(PAGED).with_message("reading the tenant");
        bar.set_style(style("{spinner} {bar:17} {pos} of {len} kinds, about {eta} left: {msg} ({elapsed})"));
        bar.enable_steady_tick(TICK);
        Self { bar, far: Mutex::default() }
    }

    /// The line goes away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Reading {
    fn page(&self, kind: Kind, objects: u64) {
        let mut far = self.far.lock().unwrap_or_else(PoisonError::into_inner);
        far.pages += 1;
        far.objects.insert(kind, objects);
        let number = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
        let (all, pages) = (number(far.objects.values().sum()), number(far.pages));
        self.bar.set_message(format!("{} {} · {all} objects, {pages} pages", kind.word(), number(objects)));
    }

    fn done(&self, kind: Kind) {
        let mut far = self.far.lock().unwrap_or_else(PoisonError::into_inner);
        // Members are read group by group, so a kind may end several times.
        far.done.insert(kind);
        self.bar.set_position(u64::try_from(far.done.len()).unwrap_or(PAGED));
    }

    fn cancelled(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_tells_kinds_objects_and_pages() {
        let reading = Reading::new();
        for (kind, objects) in [(Kind::Users, 999), (Kind::Users, 1_200), (Kind::Groups, 5), (Kind::Groups, 7)] {
            reading.page(kind, objects);
            reading.done(kind);
        }
        assert_eq!((reading.bar.position(), reading.bar.length()), (2, Some(PAGED)), "each kind once");
        assert_eq!(reading.bar.message(), "groups 7 · 1,207 objects, 4 pages");
        reading.end();
    }
}
