//! Lines of the summary: report-only with age, the watch over emergency access, blocks against a normal such weekday.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use roaring::RoaringBitmap;

use crate::bot::analysis::Analysis;
use crate::bot::impact::{WATCHED, sign_ins};
use crate::checks::accounts::{Accounts, days_between, emergency_access};
use crate::checks::{Verdict, rows};
use crate::engine::replay::{Impact, Tally, Would};
use crate::facts::{Evidence, Fact, Term};
use crate::tenant::policy::PolicyState;
use crate::tenant::{PastSignIn, Policy, Snapshot, how_many};

/// How many policies in report-only are named.
const WAITING: usize = 3;
/// Days after which Microsoft turns a policy of its own On, at the earliest. Source: Microsoft Learn,
/// Microsoft-managed policies.
const MANAGED: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Policies in report-only, the oldest first: whether the log says enough by now, and what they would do.
pub(super) fn report_only(analysis: &Analysis, now: Timestamp) -> Vec<Fact> {
    let snapshot = analysis.snapshot();
    let mut waiting: Vec<&Policy> =
        snapshot.policies.iter().filter(|policy| policy.state == PolicyState::ReportOnly).collect();
    waiting.sort_by_key(|policy| (since(policy), policy.display_name.clone()));
    let mut facts: Vec<Fact> = waiting.iter().take(WAITING).map(|policy| one_waiting(analysis, policy, now)).collect();
    if let Some(more @ 1..) = waiting.len().checked_sub(WAITING) {
        facts.push(Fact::new("summary.more_waiting", Evidence::default()).with("count", more));
    }
    facts
}

/// Since when it is in report-only, as far as is known: its last change.
fn since(policy: &Policy) -> Option<Timestamp> {
    policy.modified.or(policy.created)
}

fn one_waiting(analysis: &Analysis, policy: &Policy, now: Timestamp) -> Fact {
    let days = since(policy).map(|at| days_between(at, now));
    let key = match days {
        _ if is_managed(policy) => "summary.managed",
        None => "summary.waiting_undated",
        Some(days) if days < WATCHED => "summary.wait",
        Some(_) => "summary.enough",
    };
    let from = policy.created.map_or_else(|| Term::Word(String::new()), |at| Term::Time(at + MANAGED));
    let impact = analysis.impact(policy);
    let mut evidence = analysis.evidence([rows::policy(policy)]);
    if matches!(key, "summary.managed" | "summary.enough") {
        evidence = sign_ins(analysis, &impact, Would::Failure);
        evidence.rows.insert(0, rows::policy(policy));
        evidence.rows.truncate(Evidence::SHOWN);
        evidence.total += 1;
    }
    let fact = Fact::new(key, evidence)
        .with("policy", Term::Name(policy.display_name.clone()))
        .with("days", Term::Days(days.unwrap_or_default()))
        .with("enough", Term::Days(WATCHED))
        .with("from", from);
    would_block(analysis, &impact, fact)
}

/// Whom it would have blocked in the window of the log.
fn would_block(analysis: &Analysis, impact: &Impact, fact: Fact) -> Fact {
    let snapshot = analysis.snapshot();
    let hit = impact.users.iter().filter(|(_, tally): &(&String, &Tally)| tally.failure > 0);
    let set: RoaringBitmap = hit.filter_map(|(id, _)| snapshot.directory.user_index(id)).collect();
    let accounts = Accounts::of(&set, &analysis.model, snapshot.read_at);
    fact.with("affected", set.len())
        .with("people", accounts.humans().len())
        .with("service", (&accounts.service | &accounts.rooms).len())
        .with("emergency", accounts.emergency.len())
}

/// Microsoft's own policies carry its prefix; nothing else in Graph tells them from one made from a template.
fn is_managed(policy: &Policy) -> bool {
    policy.template_id.is_some() && policy.display_name.starts_with("Microsoft-managed")
}

/// How many emergency access accounts are fine, whether one signed in, and when the last test was.
pub(super) fn break_glass(analysis: &Analysis, now: Timestamp) -> Fact {
    let snapshot = analysis.snapshot();
    let accounts = emergency_access(snapshot);
    if accounts.is_empty() {
        return Fact::new("summary.no_break_glass", Evidence::default());
    }
    let users: Vec<_> = accounts.iter().filter_map(|at| snapshot.directory.user_at(at)).collect();
    let fine = users.iter().filter(|user| user.enabled).count();
    let reached = reaching(analysis);
    let signed_in: Vec<&PastSignIn> = emergency_sign_ins(analysis).collect();
    let last = users.iter().filter_map(|user| user.last_sign_in).chain(signed_in.iter().map(|row| row.at)).max();
    let shown = rows::users(&accounts, snapshot, None).chain(signed_in.iter().map(|row| rows::sign_in(row, snapshot)));
    Fact::new("summary.break_glass", analysis.evidence(shown).within(snapshot.window))
        .with("fine", if reached.is_empty() { fine } else { 0 })
        .with("accounts", accounts.len())
        .with("one", u64::from(accounts.len() == 1))
        .with("reached", reached.len())
        .with("policies", reached)
        .with("count", how_many(signed_in.iter().copied()))
        .with("tested", last.map_or_else(|| Term::Word(String::new()), |at| Term::Days(days_between(at, now))))
}

/// Names of the policies that reach emergency access accounts, by the check of that name.
fn reaching(analysis: &Analysis) -> Vec<String> {
    let finding = analysis.findings.iter().find(|found| found.check == "emergency-access");
    let failed = finding.filter(|found| found.verdict == Verdict::Fail);
    let named = |fact: &Fact| match fact.terms.get("policy") {
        Some(Term::Name(name)) => Some(name.clone()),
        _ => None,
    };
    failed.map(|found| found.facts.iter().filter_map(named).collect()).unwrap_or_default()
}

/// Sign-ins of emergency access accounts in the window.
pub(super) fn emergency_sign_ins(analysis: &Analysis) -> impl Iterator<Item = &PastSignIn> {
    let snapshot = analysis.snapshot();
    let accounts = emergency_access(snapshot);
    let of_one =
        move |row: &&PastSignIn| snapshot.directory.user_index(&row.user_id).is_some_and(|at| accounts.contains(at));
    snapshot.sign_ins.iter().filter(of_one)
}

/// Blocks of yesterday, set against other such weekdays of the log.
#[derive(Debug)]
pub(super) struct Blocked {
    /// What it says.
    pub(super) fact: Fact,
    /// More than on any such weekday before.
    pub(super) unusual: bool,
}

/// What Conditional Access blocked yesterday, by local days.
pub(super) fn blocked(analysis: &Analysis, now: Timestamp, zone: &TimeZone) -> Blocked {
    let snapshot = analysis.snapshot();
    let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
    let yesterday = day(now).saturating_sub(1.day());
    let is_block = |row: &&PastSignIn| row.conditional_access == "failure" && row.error_code != 0;
    let mut by_day: BTreeMap<Date, Vec<&PastSignIn>> = BTreeMap::new();
    for row in snapshot.sign_ins.iter().filter(is_block) {
        by_day.entry(day(row.at)).or_default().push(row);
    }
    let found = by_day.get(&yesterday).map(Vec::as_slice).unwrap_or_default();
    let days = whole_days(kept(snapshot), &day);
    let many = |rows: &[&PastSignIn]| how_many(rows.iter().copied());
    let normal: Vec<u64> = days
        .into_iter()
        .filter(|date| *date < yesterday && date.weekday() == yesterday.weekday())
        .map(|date| by_day.get(&date).map_or(0, |rows| many(rows)))
        .collect();
    let (low, high) = (normal.iter().min().copied(), normal.iter().max().copied());
    let (policy, policy_people) = most_by(analysis, found);
    let evidence = analysis.evidence(found.iter().rev().map(|row| rows::sign_in(row, snapshot)));
    let fact = Fact::new("summary.blocked", evidence.within(snapshot.window))
        .with("count", many(found))
        .with("people", people(found))
        .with("day", Term::Word(weekday_word(yesterday.weekday()).to_owned()))
        .with("known", u64::from(normal.len() > 1))
        .with("low", low.unwrap_or_default())
        .with("high", high.unwrap_or_default())
        .with("policy", Term::Name(policy))
        .with("policy_people", policy_people);
    Blocked { fact, unusual: normal.len() > 1 && high.is_some_and(|high| many(found) > high) }
}

/// From the first row that the log still holds to the end of what was read: a log may be kept for fewer days than were
/// asked for, and of the days before nobody knows what they held.
fn kept(snapshot: &Snapshot) -> Option<(Timestamp, Timestamp)> {
    let (from, to) = snapshot.window?;
    Some((snapshot.sign_ins.first().map_or(from, |row| row.at.max(from)), to))
}

/// Days that lie wholly within a window of the log.
fn whole_days(window: Option<(Timestamp, Timestamp)>, day: &impl Fn(Timestamp) -> Date) -> Vec<Date> {
    let Some((from, to)) = window else { return Vec::new() };
    let (first, last) = (day(from).saturating_add(1.day()), day(to));
    first.series(1.day()).take_while(|date| *date < last).collect()
}

fn people(found: &[&PastSignIn]) -> usize {
    found.iter().map(|row| row.user_id.as_str()).collect::<BTreeSet<_>>().len()
}

/// The policy that blocked most of these sign-ins, and how many people it blocked.
fn most_by(analysis: &Analysis, found: &[&PastSignIn]) -> (String, usize) {
    let mut by_policy: BTreeMap<&str, Vec<&PastSignIn>> = BTreeMap::new();
    for row in found {
        for applied in row.applied.iter().filter(|applied| applied.result == "failure") {
            by_policy.entry(applied.id.as_str()).or_default().push(row);
        }
    }
    let most = by_policy.into_iter().min_by_key(|(id, rows)| (Reverse(how_many(rows.iter().copied())), *id));
    let named = most.and_then(|(id, rows)| Some((analysis.snapshot().policy(id)?.display_name.clone(), people(&rows))));
    named.unwrap_or_default()
}

fn weekday_word(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}
