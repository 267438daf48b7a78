//! Coverage of identities that aren't people, judged and in facts: which of them may sign in to what, from where.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::coverage::{Workload, WorkloadGap};
use crate::engine::{Model, Scope};
use crate::facts::{Fact, Row, Term, any_of};
use crate::tenant::directory::AccountKind;
use crate::tenant::policy::{RiskLevel, UserSide};
use crate::tenant::{Kind, Policy, Reading, ServicePrincipal, Snapshot, SnapshotBuilder, User, Word as _};

use super::cause_words::app_name;
use super::{Context, Verdict, policies, rows};

/// What Graph calls an agent identity among service principals.
pub(super) const AGENT: &str = "ServiceIdentity";

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

/// Whether policies block everybody there may be, whoever that is: somebody whom no policy names is blocked by policies that
/// leave nobody out.
#[must_use]
pub fn blocks_whoever(context: &Context<'_>, which: Workload, scope: &Scope) -> bool {
    let known = &context.model.snapshot;
    let mut builder = SnapshotBuilder::default();
    policies::on(known).filter(|policy| leaves_nobody_out(policy)).for_each(|policy| builder.policy(policy.clone()));
    let kind = if which == Workload::Agents { AGENT } else { "Application" };
    let (id, app_id, kind) = (SOMEBODY.to_owned(), SOMEBODY.to_owned(), kind.to_owned());
    builder.service_principal(ServicePrincipal {
        id,
        app_id,
        kind,
        single_tenant: true,
        enabled: true,
        ..ServicePrincipal::default()
    });
    builder.user(User { id: SOMEBODY.into(), enabled: true, account: AccountKind::Agent, ..User::default() });
    let mut snapshot = builder.build();
    snapshot.locations.clone_from(&known.locations);
    snapshot.settings.clone_from(&known.settings);
    snapshot.readings.clone_from(&known.readings);
    for kind in [Kind::ServicePrincipals, Kind::Users] {
        snapshot.readings.insert(kind, Reading::Complete { count: 1 });
    }
    let coverage = Model::new(Arc::new(snapshot)).workload_coverage(which, scope);
    !coverage.looked_at.is_empty() && coverage.gaps.is_empty()
}

/// The id of somebody whom no policy names.
const SOMEBODY: &str = "somebody";

fn leaves_nobody_out(policy: &Policy) -> bool {
    let conditions = &policy.conditions;
    let identities = conditions.client_applications.as_ref().is_none_or(|of| {
        of.exclude.is_empty() && of.exclude_agents.is_empty() && of.filter.is_none() && of.agent_filter.is_none()
    });
    let accounts = conditions.agents.as_ref().is_none_or(|of| of.exclude.is_empty() && of.filter.is_none());
    identities && accounts && conditions.users.exclude == UserSide::default()
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
            Some(one) if one.kind.eq_ignore_ascii_case(AGENT) => "Agent identity",
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
