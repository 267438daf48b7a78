//! Replaces every name of the tenant by a handle before anything leaves for a model: the single choke point.

use std::collections::BTreeMap;

use crate::facts::{Fact, Style, Term, Wording, WordingError};

use super::verify::Offered;

/// Handles given out for one request; they never leave memory.
#[derive(Debug, Default)]
pub(super) struct Mask {
    handles: BTreeMap<String, String>,
}

impl Mask {
    /// The facts as a model may see them.
    pub(super) fn offer(mut self, facts: &[Fact], wording: &Wording) -> Result<Vec<Offered>, WordingError> {
        facts
            .iter()
            .enumerate()
            .map(|(position, fact)| {
                let clause = wording.of(&self.hide(fact), Style::Full)?;
                Ok(Offered { id: format!("F{}", position + 1), clause, must_show: fact.must_show })
            })
            .collect()
    }

    fn hide(&mut self, fact: &Fact) -> Fact {
        let mut hidden = fact.clone();
        for term in hidden.terms.values_mut() {
            match term {
                Term::Name(name) | Term::Text(name) => *name = self.handle(name),
                Term::Names(names) => names.iter_mut().for_each(|name| *name = self.handle(name)),
                Term::Count(_) | Term::Percent(_) | Term::Word(_) | Term::Time(_) | Term::Days(_) => {}
            }
        }
        hidden
    }

    fn handle(&mut self, name: &str) -> String {
        let next = format!("N{}", self.handles.len() + 1);
        self.handles.entry(name.to_owned()).or_insert(next).clone()
    }
}
