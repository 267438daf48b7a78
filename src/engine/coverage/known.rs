//! Coverage that was asked for before: many checks and answers ask the same.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Coverage, Requirement, Scope};

/// The newest answers are kept, so many at most: lists of gaps in a large tenant are large themselves.
const KEPT: usize = 32;

/// A question with its answer.
pub type Entry = (Requirement, Scope, Arc<Coverage>);

/// Answers by question.
#[derive(Debug, Default)]
pub(in crate::engine) struct Known {
    entries: Mutex<Vec<Entry>>,
    /// All are kept, for somebody who wants to see everything that was asked.
    all: bool,
}

impl Known {
    /// Nothing yet, and everything from now on.
    pub(in crate::engine) fn everything() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// The answer to a question, found now if it wasn't before.
    pub(super) fn coverage(
        &self,
        (requirement, scope): (&Requirement, &Scope),
        find: impl FnOnce() -> Coverage,
    ) -> Arc<Coverage> {
        if let Some(known) = self.get(requirement, scope) {
            return known;
        }
        let found = Arc::new(find());
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= KEPT && !self.all {
            entries.remove(0);
        }
        entries.push((requirement.clone(), scope.clone(), Arc::clone(&found)));
        found
    }

    /// What was asked and is kept, in order.
    pub(in crate::engine) fn all(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn get(&self, requirement: &Requirement, scope: &Scope) -> Option<Arc<Coverage>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let same = entries.iter().find(|(asked, within, _)| asked == requirement && within == scope);
        same.map(|(.., coverage)| Arc::clone(coverage))
    }
}
