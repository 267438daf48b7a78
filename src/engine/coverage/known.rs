//! Coverage that was asked for before: many checks and answers ask the same.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Coverage, Requirement, Scope};

/// The newest answers are kept, so many at most: lists of gaps in a large tenant are large themselves.
const KEPT: usize = 64;

/// A question with its answer.
pub type Entry = (Requirement, Scope, Arc<Coverage>);

/// Answers by question.
#[derive(Debug, Default)]
pub(in crate::engine) struct Known(Mutex<Vec<Entry>>);

impl Known {
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
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= KEPT {
            entries.remove(0);
        }
        entries.push((requirement.clone(), scope.clone(), Arc::clone(&found)));
        found
    }

    /// Everything that was asked, in order.
    pub(in crate::engine) fn all(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn get(&self, requirement: &Requirement, scope: &Scope) -> Option<Arc<Coverage>> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = entries.iter().find(|(asked, within, _)| asked == requirement && within == scope);
        same.map(|(.., coverage)| Arc::clone(coverage))
    }
}
