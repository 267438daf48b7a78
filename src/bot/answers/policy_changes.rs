//! "Who changed CA200 last week?": changes of policies and named locations, with before and after.

use jiff::Timestamp;
use serde_json::Value;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::describe;
use crate::bot::intent::SlotName;
use crate::chat::card::ChangeRow;
use crate::checks::rows;
use crate::facts::{Fact, Term};
use crate::tenant::{AuditRecord, Policy, Snapshot, read_policy};

use super::meant::policies;
use super::period::span;
use super::{Answering, Asked};
use crate::bot::lookup::Found;

/// How many changes are listed.
const LISTED: usize = 12;
/// How many of them are shown with before and after.
const COMPARED: usize = 3;

/// Tells the changes of the period that the question names, or of all that the log holds.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move { Ok(told(asked)) })
}

fn told(asked: Asked<'_>) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let zone = &asked.app.config.schedule.zone;
    let span = span(asked.text, asked.now, zone);
    let about = about(asked);
    let mut found: Vec<&AuditRecord> = snapshot
        .audits
        .iter()
        .filter(|record| concerns(record, asked.text))
        .filter(|record| within(record, span))
        .collect();
    found.retain(|record| {
        about.as_ref().is_none_or(|(id, name)| record.target_id == *id || record.target_name == *name)
    });
    if let Some(who) = asked.slot(SlotName::User).filter(|who| !matches!(*who, "me" | "my")) {
        found.retain(|record| record.by.to_lowercase().contains(&who.to_lowercase()));
    }
    found.reverse();
    let limits = asked.not_checked(&unread(snapshot)).into_iter().chain([asked.read_at()]);
    let answer = Answer::sentences(vec![headline(asked, &found, span, about.as_ref())]).part(Part::List {
        ordered: false,
        items: found.iter().take(LISTED).map(|record| (change(asked, record), Vec::new())).collect(),
    });
    let compared = found.iter().filter_map(|record| compared(record, snapshot)).take(COMPARED);
    let answer =
        compared.fold(answer, |answer, (heading, rows)| answer.part(Part::Heading(heading)).part(Part::Change(rows)));
    answer.part(Part::Limits(limits.collect())).action(ask("Did you do any?", "which policies did you create?"))
}

/// The policy that the question names: id and name.
fn about(asked: Asked<'_>) -> Option<(String, String)> {
    policies(asked).into_iter().find_map(|(_, found)| match found {
        Found::One(policy) => Some((policy.id.clone(), policy.display_name.clone())),
        _ => None,
    })
}

/// Changes of policies and named locations; of groups, when the question is about groups or members.
fn concerns(record: &AuditRecord, text: &str) -> bool {
    let activity = record.activity.to_lowercase();
    let text = text.to_lowercase();
    let groups = ["group", "member", "exclusion", "everything"].iter().any(|word| text.contains(word));
    let own = ["conditional access policy", "named location"].iter().any(|words| activity.contains(words));
    own || (groups && activity.contains("group"))
}

fn within(record: &AuditRecord, span: Option<(Timestamp, Timestamp)>) -> bool {
    span.is_none_or(|(from, to)| from <= record.at && record.at < to)
}

fn headline(
    asked: Asked<'_>,
    found: &[&AuditRecord],
    span: Option<(Timestamp, Timestamp)>,
    about: Option<&(String, String)>,
) -> Fact {
    let window = span.or(asked.analysis.snapshot().window);
    let evidence = asked.analysis.evidence(found.iter().map(|record| rows::audit(record))).within(window);
    let fact = Fact::new("changes.count", evidence).with("count", found.len()).must_show();
    let name = about.map_or_else(String::new, |(_, name)| name.clone());
    let fact = fact.with("policy", Term::Name(name));
    match window {
        Some((from, to)) => fact.with("from", from).with("to", to),
        None => fact.with("from", Term::Word(String::new())).with("to", Term::Word(String::new())),
    }
}

fn change(asked: Asked<'_>, record: &AuditRecord) -> Fact {
    let target = if record.target_name.is_empty() { &record.target_id } else { &record.target_name };
    Fact::new("changes.one", asked.analysis.evidence([rows::audit(record)]))
        .with("at", record.at)
        .with("who", Term::Name(record.by.clone()))
        .with("what", Term::Name(record.activity.clone()))
        .with("target", Term::Name(target.clone()))
}

/// Before and after of a change, in the portal's words; values that aren't a policy are shown as logged.
fn compared(record: &AuditRecord, snapshot: &Snapshot) -> Option<(String, Vec<ChangeRow>)> {
    let mut rows = Vec::new();
    for (name, old, new) in &record.changes {
        let (before, after) = (policy_of(old.as_deref()), policy_of(new.as_deref()));
        if before.is_some() || after.is_some() {
            rows.extend(difference(before.as_ref(), after.as_ref(), snapshot));
        } else if old != new {
            rows.push(ChangeRow { label: name.clone(), before: old.clone(), after: new.clone() });
        }
    }
    (!rows.is_empty()).then(|| (format!("{}: {}", record.activity, record.target_name), rows))
}

/// The policy that a value of the log tells, as it was before or after.
pub(crate) fn policy_of(logged: Option<&str>) -> Option<Policy> {
    let mut value: Value = serde_json::from_str(logged?).ok()?;
    // The log wraps a value in a list now and then.
    if let Some(first) = value.as_array_mut().and_then(std::vec::Vec::pop) {
        value = first;
    }
    read_policy(&value).ok()
}

/// The lines of two versions of a policy that differ.
pub(crate) fn difference(before: Option<&Policy>, after: Option<&Policy>, snapshot: &Snapshot) -> Vec<ChangeRow> {
    let lines = |policy: Option<&Policy>| {
        let named = policy.map(|policy| ("Name", policy.display_name.clone()));
        let rest = policy.map(|policy| describe::policy(policy, snapshot)).unwrap_or_default();
        named.into_iter().chain(rest).collect::<Vec<_>>()
    };
    let (before, after) = (lines(before), lines(after));
    let value = |lines: &[(&'static str, String)], label: &str| {
        lines.iter().find(|(known, _)| *known == label).map(|(_, words)| words.clone())
    };
    let mut labels: Vec<&'static str> = after.iter().map(|(label, _)| *label).collect();
    labels.extend(before.iter().map(|(label, _)| *label).filter(|label| value(&after, label).is_none()));
    let row = |label: &'static str| ChangeRow {
        label: label.to_owned(),
        before: value(&before, label),
        after: value(&after, label),
    };
    labels.into_iter().map(row).filter(|row| row.before != row.after).collect()
}

fn unread(snapshot: &Snapshot) -> Vec<String> {
    match snapshot.readings.get(&crate::tenant::Kind::DirectoryAudits) {
        Some(crate::tenant::Reading::Complete { .. }) => Vec::new(),
        Some(crate::tenant::Reading::Absent { reason }) => vec![reason.clone()],
        None => vec!["the audit log".to_owned()],
    }
}
