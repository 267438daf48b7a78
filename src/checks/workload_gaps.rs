//! Coverage of identities that aren't people, judged and in facts: which of them may sign in to what, from where.

use std::collections::BTreeSet;

use crate::engine::Scope;
use crate::engine::coverage::{Workload, WorkloadGap};
use crate::facts::{Fact, Row, Term, any_of};
use crate::tenant::policy::RiskLevel;
use crate::tenant::{ServicePrincipal, Snapshot, Word as _};

use super::cause_words::app_name;
use super::{Context, Verdict, rows};

/// Which identities no policy blocks, and where.
#[derive(Debug, Default)]
pub struct Judged {
    /// Object ids of those that surely aren't blocked somewhere.
    pub open: BTreeSet<String>,
    /// Object ids of those for which that hangs on something unknown.
    pub unsure: BTreeSet<String>,
    /// How many were looked at.
    pub of: usize,
    /// A fact for each gap, sure ones first.
    pub facts: Vec<Fact>,
    /// What would settle the others.
    pub unresolved: BTreeSet<String>,
}

impl Judged {
    /// What they come to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.open.is_empty(), self.unsure.is_empty()) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Review,
            (true, true) => Verdict::Pass,
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.open.extend(other.open);
        self.unsure.extend(other.unsure);
        self.of += other.of;
        self.facts.extend(other.facts);
        self.unresolved.extend(other.unresolved);
        self
    }
}

/// Judges whether policies block identities in a scope.
#[must_use]
pub fn judge(context: &Context<'_>, which: Workload, scope: &Scope) -> Judged {
    let coverage = context.model.workload_coverage(which, scope);
    let mut gaps = coverage.gaps;
    gaps.sort_by_key(|gap| (!gap.sure, std::cmp::Reverse(gap.principals.len())));
    let of = |sure: bool| -> BTreeSet<String> {
        gaps.iter().filter(|gap| gap.sure == sure).flat_map(|gap| gap.principals.iter().cloned()).collect()
    };
    let open = of(true);
    Judged {
        unsure: of(false).difference(&open).cloned().collect(),
        open,
        of: coverage.looked_at.len(),
        facts: gaps.iter().map(|gap| fact(context, gap)).collect(),
        unresolved: coverage.unresolved,
    }
}

fn fact(context: &Context<'_>, gap: &WorkloadGap) -> Fact {
    let snapshot = &context.model.snapshot;
    let planned = gap.planned.iter().filter_map(|id| snapshot.policy(id)).map(rows::policy);
    let evidence = context.evidence(identities(&gap.principals, snapshot).chain(planned));
    let key = if gap.sure { "workload_gaps.open" } else { "workload_gaps.unsure" };
    let planned = gap.planned.iter().filter_map(|id| snapshot.policy(id)).map(|policy| policy.display_name.clone());
    let planned: Vec<String> = planned.collect();
    Fact::new(key, evidence)
        .with("names", Term::Names(names(&gap.principals, snapshot)))
        .with("apps", apps(gap, snapshot))
        .with("places", Term::Name(gap.locations.clone().unwrap_or_default()))
        .with("risk", Term::Word(levels_word(&gap.risk)))
        .with("waiting", planned.len())
        .with("planned", planned)
}

/// Levels after "at risk level"; nothing where it is every one.
fn levels_word(levels: &BTreeSet<RiskLevel>) -> String {
    let words: Vec<&str> = levels.iter().map(|level| level.word()).collect();
    if words.len() == RiskLevel::WORDS.len() { String::new() } else { any_of(&words) }
}

fn apps(gap: &WorkloadGap, snapshot: &Snapshot) -> Term {
    let first = gap.apps.first().filter(|_| !gap.any_app).map(|id| app_name(snapshot, id));
    match (first, gap.apps.len()) {
        (None, _) => Term::Word("all resources".to_owned()),
        (Some(one), 1) => Term::Name(one),
        (Some(one), count) => Term::Name(format!("{one} and {} more", count - 1)),
    }
}

/// The identities as rows of evidence.
pub fn identities<'a>(ids: &'a BTreeSet<String>, snapshot: &'a Snapshot) -> impl Iterator<Item = Row> + 'a {
    ids.iter().map(|id| {
        let what = match principal(id, snapshot) {
            Some(one) if one.kind.eq_ignore_ascii_case("ServiceIdentity") => "Agent identity",
            Some(_) => "Enterprise application",
            None => "User account of an agent",
        };
        Row::Object { what: what.into(), id: id.clone(), name: name(id, snapshot), note: "not blocked".into() }
    })
}

/// Their names.
#[must_use]
pub fn names(ids: &BTreeSet<String>, snapshot: &Snapshot) -> Vec<String> {
    ids.iter().map(|id| name(id, snapshot)).collect()
}

fn name(id: &str, snapshot: &Snapshot) -> String {
    let user = || snapshot.directory.user(id).map(|user| user.display_name.to_string());
    principal(id, snapshot).map(|one| one.display_name.clone()).or_else(user).unwrap_or_else(|| id.to_owned())
}

fn principal<'a>(id: &str, snapshot: &'a Snapshot) -> Option<&'a ServicePrincipal> {
    let principals = &snapshot.directory.service_principals;
    principals.binary_search_by(|one| one.id.as_str().cmp(id)).ok().and_then(|at| principals.get(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_levels_read_as_people_say_them() {
        let said = |levels: &[RiskLevel]| levels_word(&levels.iter().copied().collect());
        assert_eq!(said(&[RiskLevel::Medium, RiskLevel::None, RiskLevel::Low]), "none, low or medium");
        assert_eq!(said(&[RiskLevel::High]), "high");
        assert_eq!(said(&[RiskLevel::None, RiskLevel::Low, RiskLevel::Medium, RiskLevel::High]), "");
    }
}
