//! Coverage in numbers that add up: how many accounts a requirement covers, emergency access accounts set apart.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use crate::bot::analysis::Analysis;
use crate::bot::answer::ask;
use crate::bot::buttons::press;
use crate::bot::sheet::Sheet;
use crate::chat::card::{Action, Bar, Verb};
use crate::checks::{CHECKS, Context, Finding, Verdict, rows};
use crate::facts::{Evidence, Fact, Row, Term, grouped};
use crate::tenant::{AuditRecord, Policy, User};

use super::Remembered;
use super::lost::{self, Earlier};
use super::since::Since;

/// The checks whose coverage is drawn as a bar, with their words and the question that names who is missing.
const BARS: &[(&str, &str, &str)] = &[
    ("mfa-all-users", "MFA", "who is not covered by MFA?"),
    ("phishing-resistant-admins", "Admins phishing-resistant", "which admins lack phishing-resistant MFA?"),
    ("legacy-authentication", "Legacy authentication blocked", "for whom is legacy authentication not blocked?"),
    ("device-code-flow", "Device code flow blocked", "for whom is device code flow not blocked?"),
];

/// How many changed policies are tried as they were.
const TRIED: usize = 5;

/// How many accounts a requirement covers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measure {
    /// Id of the check.
    pub(super) check: &'static str,
    label: &'static str,
    question: &'static str,
    /// Accounts covered, of how many; nobody's emergency access account is in either.
    pub(super) covered: u64,
    pub(super) of: u64,
    /// The rows behind it.
    evidence: Evidence,
    /// Ids and names of the policies and groups that the check names, in any of its statements.
    about: BTreeSet<String>,
}

/// The measures of an analysis, where their checks could count anybody.
pub(super) fn of(analysis: &Analysis) -> Vec<Measure> {
    let measure = |(check, label, question): &(&'static str, &'static str, &'static str)| {
        let finding = analysis.findings.iter().find(|finding| finding.check == *check)?;
        let headline = finding.facts.first()?;
        let of = count(headline, "of").saturating_sub(count(headline, "apart"));
        let open = open(finding);
        let evidence = headline.evidence.clone();
        let covered = of.saturating_sub(open);
        let about = finding.facts.iter().flat_map(|fact| &fact.evidence.rows).flat_map(named).collect();
        (of > 0).then_some(Measure { check, label, question, covered, of, evidence, about })
    };
    BARS.iter().filter_map(measure).collect()
}

fn count(fact: &Fact, name: &str) -> u64 {
    if let Some(Term::Count(count)) = fact.terms.get(name) { *count } else { 0 }
}

/// How many accounts a finding counts as not covered.
fn open(finding: &Finding) -> u64 {
    let headline = finding.facts.first().filter(|_| finding.verdict == Verdict::Fail);
    headline.map_or(0, |fact| ["people", "guests", "service"].iter().map(|name| count(fact, name)).sum())
}

/// The policies and groups that a row names, by whatever it names them.
fn named(row: &Row) -> Vec<String> {
    match row {
        Row::Policy { id, name, .. } | Row::Object { id, name, .. } => vec![id.clone(), name.clone()],
        Row::User { path, .. } => path.clone(),
        _ => Vec::new(),
    }
}

/// A measure that got worse.
pub(super) struct Worse {
    /// Who changed what, and how many accounts it cost.
    pub(super) fact: Fact,
    /// What is measured.
    pub(super) label: &'static str,
    /// Asks for everybody whom the measure counts as not covered.
    pub(super) question: &'static str,
    /// Ids and names of the policies whose change did it.
    pub(super) did: BTreeSet<String>,
    /// Accounts that lost cover, by their positions; empty where nobody can tell.
    pub(super) who: RoaringBitmap,
}

impl Worse {
    /// The button that names those who lost cover in the chat, and the list that it opens. Without one it asks for everybody not covered.
    pub(super) fn names(&self, analysis: &Analysis) -> (Action, Option<Sheet>) {
        if self.who.is_empty() {
            return (ask("Who", self.question), None);
        }
        let users = self.who.iter().filter_map(|at| analysis.snapshot().directory.user_at(at));
        let line = |user: &User| {
            vec![user.display_name.to_string(), user.user_principal_name.to_string(), user.id.to_string()]
        };
        let mut lines: Vec<_> = users.map(line).collect();
        lines.sort_unstable();
        let title = format!("No longer covered: {}", self.label);
        let sheet = Sheet::new("lost-cover", &["Name", "User principal name", "Object id"], lines).titled(title);
        (press("Who", Verb::Evidence, &sheet.id(), 0), Some(sheet))
    }
}

impl Measure {
    /// As it is remembered until the next summary.
    pub(super) fn remembered(&self) -> (String, u64, u64) {
        (self.check.to_owned(), self.covered, self.of)
    }

    /// Covered and of how many in the last summary.
    fn before(&self, before: Option<&Remembered>) -> Option<(u64, u64)> {
        let known = before?.covered.iter().find(|(check, ..)| check == self.check)?;
        Some((known.1, known.2))
    }

    /// Accounts that the last summary had covered and this one hasn't, net.
    fn lost(&self, before: Option<&Remembered>) -> u64 {
        let open = self.of.saturating_sub(self.covered);
        self.before(before).map_or(0, |(was, of)| open.saturating_sub(of.saturating_sub(was)))
    }

    /// Whether it is exactly as the last summary said.
    pub(super) fn is_unchanged(&self, before: &Remembered) -> bool {
        self.before(Some(before)) == Some((self.covered, self.of))
    }

    /// The bar, with the last summary's value beside today's.
    pub(super) fn bar(&self, before: Option<&Remembered>) -> Bar {
        let note = match self.before(before) {
            Some((was, of)) if (was, of) == (self.covered, self.of) => "unchanged".to_owned(),
            Some((was, of)) => format!("was {} of {}", number(was), number(of)),
            None => String::new(),
        };
        Bar { label: self.label.to_owned(), value: self.covered, of: self.of, note }
    }

    /// Whether it covers fewer than before.
    pub(super) fn is_worse(&self, before: Option<&Remembered>) -> bool {
        self.lost(before) > 0
    }

    /// Who changed what, and when, so that it covers fewer than before, as far as the audit log says: policies with whose
    /// earlier version it would cover more, then what the check names, or else whatever was changed, which is then said to
    /// be no more than that. None when it doesn't.
    pub(super) fn worse(&self, before: Option<&Remembered>, (changes, analysis): (&Since, &Analysis)) -> Option<Worse> {
        let (lost, since) = (self.lost(before), before?.at);
        if lost == 0 {
            return None;
        }
        let (did, innocent) = self.tried(changes, analysis);
        let by = |names: &BTreeSet<String>, record: &AuditRecord| {
            names.contains(&record.target_id) || names.contains(record.target())
        };
        let (mut records, rest): (Vec<_>, Vec<_>) = changes.records.iter().partition(|record| by(&did, record));
        records.extend(rest.into_iter().filter(|record| by(&self.about, record) && !by(&innocent, record)));
        let told = !records.is_empty();
        if !told {
            records = changes.records.iter().collect();
        }
        let lost_since = |before: &Earlier| {
            analysis.lost((&before.hash, self.check), || lost::accounts(before, analysis, self.check))
        };
        let who = changes.before.as_ref().map(lost_since);
        let who = who.filter(|who| !who.is_empty());
        let mut evidence = match &who {
            Some(who) => analysis.evidence(rows::users(who, analysis.snapshot(), None)),
            None => self.evidence.clone(),
        };
        // Others may have gained it: the number is what is left.
        let gross = who.as_ref().map(RoaringBitmap::len).filter(|gross| *gross > lost).unwrap_or_default();
        evidence.rows.splice(0..0, records.iter().map(|record| rows::audit(record)));
        evidence.total += records.len() as u64;
        evidence.rows.truncate(Evidence::SHOWN);
        let newest = records.first().copied();
        let others: BTreeSet<&str> = records.iter().skip(1).map(|record| record.target()).collect();
        let name = |of: fn(&AuditRecord) -> &str| Term::Name(newest.map(of).unwrap_or_default().to_owned());
        let fact = Fact::new("summary.worse", evidence)
            .with("told", u64::from(told))
            .with("by", name(|record| &record.by))
            .with("activity", name(|record| &record.activity))
            .with("target", name(AuditRecord::target))
            .with("at", newest.map_or_else(|| Term::Word(String::new()), |record| Term::Time(record.at)))
            .with("others", Term::Names(others.into_iter().map(str::to_owned).collect()))
            .with("what", Term::Word(self.label.to_owned()))
            .with("count", lost)
            .with("gross", gross)
            .with("since", since);
        Some(Worse { fact, label: self.label, question: self.question, did, who: who.unwrap_or_default() })
    }

    /// Ids and names of changed policies that made it worse, each because as it was before, with all others as they are, it
    /// would cover more; and of those that were tried and didn't.
    fn tried(&self, changes: &Since, analysis: &Analysis) -> (BTreeSet<String>, BTreeSet<String>) {
        let Some(check) = CHECKS.iter().find(|check| check.about().id == self.check) else { return Default::default() };
        let now = self.of.saturating_sub(self.covered);
        let with = |old: &Policy| {
            let others = analysis.snapshot().policies.iter().filter(|policy| policy.id != old.id);
            let model = analysis.model.with_policies(others.chain([old]).cloned().collect());
            let thresholds = &analysis.thresholds;
            let read_at = analysis.snapshot().read_at;
            let found = check.run(&Context { model: &model, hash: &analysis.hash, now: read_at, thresholds, rows: 0 });
            open(&found)
        };
        let more = |old: &&Policy| analysis.with_earlier((old, self.check), || with(old)) < now;
        let (did, innocent): (Vec<_>, Vec<_>) = changes.earlier.iter().take(TRIED).partition(more);
        let names = |of: Vec<&Policy>| of.iter().flat_map(|one| [one.id.clone(), one.display_name.clone()]).collect();
        (names(did), names(innocent))
    }

    /// Its share in percent, for one line.
    #[expect(clippy::cast_precision_loss, reason = "accounts are far below 2^52")]
    pub(super) fn percent(&self) -> f64 {
        self.covered as f64 * 100.0 / self.of.max(1) as f64
    }
}

fn number(count: u64) -> String {
    grouped(i64::try_from(count).unwrap_or_default())
}
