//! "Who changed CA200 last week?": changes of policies and named locations, with before and after.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::SlotName;
use crate::bot::intent::text::{folded, regex};
use crate::bot::{describe, lookup, watch};
use crate::chat::card::ChangeRow;
use crate::checks::rows;
use crate::facts::{Evidence, Fact, Term};
use crate::tenant::{AuditRecord, Group, Kind, Policy, Snapshot, read_policy};

use super::meant::maybe_policy;
use super::period::clipped;
use super::{Answering, Asked, explain_sign_in, locations, show_policy, unread};
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
    if let Some(back) = unread::back(asked, &[Kind::DirectoryAudits]) {
        return *back;
    }
    let span = explain_sign_in::span(asked);
    let (about, group) = match about(asked) {
        Ok(about) => (about, group(asked)),
        Err(question) => return question,
    };
    let of_it = |record: &&AuditRecord| match (&group, &about) {
        (Some(group), _) => is_of_group(record, group),
        (None, Some((id, name))) => record.is_about(id) || record.target_name == *name,
        (None, None) => concerns(record, asked) || (SOMEBODY_MOVED.is_match(asked.text) && names_group(record)),
    };
    let mut found: Vec<&AuditRecord> =
        snapshot.audits.iter().filter(of_it).filter(|record| within(record, span)).collect();
    if let Some(who) = asked.slot(SlotName::User).filter(|who| !matches!(*who, "me" | "my")) {
        let (who, added) = (folded(who), SOMEBODY_MOVED.is_match(asked.text));
        // "Who added Bob" is about Bob, "what did Dana add" about her.
        let moved = |record: &AuditRecord| added && folded(&record.target_name).contains(&who);
        found.retain(|record| folded(&record.by).contains(&who) || moved(record));
    }
    found.reverse();
    let unchanged = about.as_ref().filter(|_| found.is_empty()).and_then(|(id, _)| snapshot.policy(id));
    let unchanged = unchanged.map(|policy| show_policy::state(asked, policy));
    let name = group.map(|group| group.display_name.clone()).or(about.map(|(_, name)| name));
    let opening = [headline(asked, &found, span, name)].into_iter().chain(unchanged);
    let answer = Answer::sentences(opening.collect()).part(Part::List {
        ordered: false,
        items: found.iter().take(LISTED).map(|record| (change(asked, record), Vec::new())).collect(),
    });
    let compared = found.iter().filter_map(|record| compared(record, snapshot)).take(COMPARED);
    let answer =
        compared.fold(answer, |answer, (heading, rows)| answer.part(Part::Heading(heading)).part(Part::Change(rows)));
    answer.part(Part::Limits(vec![asked.read_at()])).action(ask("Did you do any?", "which policies did you create?"))
}

/// The policy that the question names, id and name; of one that is gone what the log calls it. A question back where it names
/// none that anybody knows.
fn about(asked: Asked<'_>) -> Result<Option<(String, String)>, Answer> {
    let gone = || {
        let name = asked.slot(SlotName::Policy)?.to_lowercase();
        let audits = asked.analysis.snapshot().audits.iter();
        let mut of_policies =
            audits.filter(|record| record.activity.to_lowercase().contains("conditional access policy"));
        of_policies.find(|record| lookup::stands_in(&record.target_name.to_lowercase(), &name))
    };
    match maybe_policy(asked, |name| format!("who changed {name}?")) {
        Ok(policy) => Ok(policy.map(|policy| (policy.id.clone(), policy.display_name.clone()))),
        Err(question) => match gone() {
            Some(record) => Ok(Some((record.target_id.clone(), record.target_name.clone()))),
            None => Err(question),
        },
    }
}

/// The group that the question names, unless it names a policy too; or the one that the turn before was about.
fn group(asked: Asked<'_>) -> Option<&Group> {
    let snapshot = asked.analysis.snapshot();
    if asked.slot(SlotName::Policy).is_some() {
        return None;
    }
    let Some(name) = asked.slot(SlotName::Group) else {
        let groups = || snapshot.directory.groups.values();
        let named = |name: &str| groups().find(|group| group.display_name.eq_ignore_ascii_case(name));
        return asked.subject()?.split(", ").find_map(named);
    };
    match lookup::group(snapshot, name) {
        Found::One(group) => Some(group),
        _ => None,
    }
}

/// Whether a record is about a group: the group itself, or a member that came or went.
pub(super) fn is_of_group(record: &AuditRecord, group: &Group) -> bool {
    record.is_about(&group.id) || member_of(record, "Group.ObjectID").is_some_and(|id| id == group.id)
}

/// A question about who came into a group or left it: "who added Bob", "when was Bob removed".
static SOMEBODY_MOVED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\bwho (?:added|removed|put|took|moved|excluded)\b|\bwhen (?:was|were|did) .*\b(?:added|removed|put|excluded)\b",
    )
});

/// Whether a record is about a membership of a group.
fn names_group(record: &AuditRecord) -> bool {
    member_of(record, "Group.ObjectID").is_some()
}

/// What a membership record says of the group: before a removal that stands on the side of what was.
fn member_of<'a>(record: &'a AuditRecord, property: &str) -> Option<&'a str> {
    let mut named = record.changes.iter().filter(|(name, ..)| name == property);
    named.find_map(|(_, old, new)| new.as_ref().or(old.as_ref())).map(|value| value.trim_matches('"'))
}

/// Changes of policies and named locations; of groups too, where the question is about groups or members, and where it
/// isn't about policies alone and a policy goes by the group.
fn concerns(record: &AuditRecord, asked: Asked<'_>) -> bool {
    let activity = record.activity.to_lowercase();
    let text = asked.text.to_lowercase();
    let speaks_of = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let own = ["conditional access policy", "named location"].iter().any(|words| activity.contains(words));
    if own || speaks_of(&["group", "member", "exclusion", "everything"]) {
        return own || activity.contains("group");
    }
    !speaks_of(&["polic", "rule", "location"]) && watch::matters(record, &[asked.analysis.snapshot()])
}

fn within(record: &AuditRecord, span: Option<(Timestamp, Timestamp)>) -> bool {
    span.is_none_or(|(from, to)| from <= record.at && record.at < to)
}

fn headline(
    asked: Asked<'_>,
    found: &[&AuditRecord],
    span: Option<(Timestamp, Timestamp)>,
    name: Option<String>,
) -> Fact {
    let window = span.map(|span| clipped(asked, span)).or(asked.analysis.snapshot().window);
    let evidence = asked.analysis.evidence(found.iter().map(|record| rows::audit(record))).within(window);
    let fact = Fact::new("changes.count", evidence).with("count", found.len()).must_show();
    let fact = fact.with("policy", Term::Name(name.unwrap_or_default()));
    match window {
        Some((from, to)) => fact.with("from", from).with("to", to),
        None => fact.with("from", Term::Word(String::new())).with("to", Term::Word(String::new())),
    }
}

fn change(asked: Asked<'_>, record: &AuditRecord) -> Fact {
    made(record, asked.analysis.evidence([rows::audit(record)]))
}

/// Who changed what; of a membership in which group, of a role which one.
pub(crate) fn made(record: &AuditRecord, evidence: Evidence) -> Fact {
    let role = member_of(record, "Role.DisplayName").unwrap_or_default();
    let group = member_of(record, "Group.DisplayName").filter(|group| *group != record.target()).unwrap_or_default();
    let key = match (role, group) {
        ("", "") => "changes.one",
        ("", _) => "changes.member",
        _ => "changes.role",
    };
    Fact::new(key, evidence)
        .with("at", record.at)
        .with("who", Term::Name(record.by.clone()))
        .with("what", Term::Name(record.activity.clone()))
        .with("target", Term::Name(record.target().to_owned()))
        .with("group", Term::Name(group.to_owned()))
        .with("role", Term::Name(role.to_owned()))
}

/// Before and after of a change, in the portal's words. Which group a member joined, or which role somebody got, stands in
/// the line itself.
fn compared(record: &AuditRecord, snapshot: &Snapshot) -> Option<(String, Vec<ChangeRow>)> {
    let mut rows = Vec::new();
    let in_line = |name: &str| ["Group.", "Role."].iter().any(|start| name.starts_with(start));
    for (name, old, new) in record.changes.iter().filter(|(name, ..)| !in_line(name)) {
        let (before, after) = (policy_of(old.as_deref()), policy_of(new.as_deref()));
        if before.is_some() || after.is_some() {
            rows.extend(difference(before.as_ref(), after.as_ref(), snapshot));
        } else if old != new {
            let (before, after) = (plain(old.as_deref()), plain(new.as_deref()));
            rows.extend((before != after).then(|| ChangeRow { label: name.clone(), before, after }));
        }
    }
    (!rows.is_empty()).then(|| (format!("{}: {}", record.activity, record.target_name), rows))
}

/// A value of the log in words: never as JSON, which nobody reads; none where it has no words.
fn plain(logged: Option<&str>) -> Option<String> {
    let logged = logged?;
    let words = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        value => locations::logged(value),
    };
    match serde_json::from_str::<Value>(logged) {
        Ok(Value::Array(values)) => values.iter().map(words).collect::<Option<Vec<_>>>().map(|all| all.join(", ")),
        Ok(value) => words(&value),
        Err(_) => (!logged.trim_start().starts_with(['{', '['])).then(|| logged.to_owned()),
    }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::bot::answers::testing::{nordwerk, said, said_after};
    use crate::bot::intent::Intent;

    /// The tenant after Bob was added to a group that a policy excludes, and a location was changed.
    fn changed() -> Value {
        let mut tenant = nordwerk();
        let location = tenant["namedLocations"][0].to_string();
        let by = json!({"user": {"id": "u-dana", "displayName": "Dana Admin"}});
        let property = |name: &str, value: &str| json!({"displayName": name, "oldValue": null, "newValue": format!("\"{value}\"")});
        tenant["directoryAudits"].as_array_mut().unwrap().extend([
            json!({"id": "a-2", "activityDateTime": "2026-11-23T17:00:00Z", "activityDisplayName": "Add member to group", "initiatedBy": by,
                "targetResources": [{"id": "u-bob", "displayName": "Bob Keller", "type": "User", "modifiedProperties": [
                    property("Group.ObjectID", "g-rollout"), property("Group.DisplayName", "CA-Excl-MFA-Rollout")]}]}),
            json!({"id": "a-3", "activityDateTime": "2026-11-23T18:00:00Z", "activityDisplayName": "Update named location", "initiatedBy": by,
                "targetResources": [{"id": "loc-hq", "displayName": "Head office", "type": "Policy", "modifiedProperties": [
                    {"displayName": "NamedLocation", "oldValue": null, "newValue": location}]}]}),
        ]);
        tenant
    }

    #[tokio::test]
    async fn a_membership_is_a_change_of_the_group() {
        let line = "Bob Keller (group CA-Excl-MFA-Rollout)";
        for text in ["what changed since yesterday?", "who was added to CA-Excl-MFA-Rollout since yesterday?"] {
            let words = said(&changed(), Intent::PolicyChanges, text).await;
            assert!(words.contains(line), "{text}: {words}");
        }
        let words = said(&changed(), Intent::PolicyChanges, "who changed policies since yesterday?").await;
        assert!(words.contains("CA200") && !words.contains(line), "{words}");
        let words = said_after(&changed(), Intent::PolicyChanges, "CA-Excl-MFA-Rollout", "since when?").await;
        assert!(words.starts_with("1 change of CA-Excl-MFA-Rollout") && words.contains(line), "{words}");
        let words = said(&changed(), Intent::PolicyChanges, "who was added to CA-BreakGlass?").await;
        assert!(words.starts_with("No change of CA-BreakGlass"), "{words}");
    }

    #[tokio::test]
    async fn who_was_added_is_no_administrator() {
        let line = "Dana Admin: Add member to group, Bob Keller";
        for text in ["who added bob keller?", "what did Dana Admin change in the groups?"] {
            let words = said(&changed(), Intent::PolicyChanges, text).await;
            assert!(words.contains(line), "{text}: {words}");
        }
        let words = said(&changed(), Intent::PolicyChanges, "what did Bob Keller change in the groups?").await;
        assert!(words.starts_with("No change"), "{words}");
    }

    #[tokio::test]
    async fn a_policy_that_the_log_has_nothing_of_has_a_day_of_its_own() {
        let mut tenant = changed();
        tenant["policies"][1]["modifiedDateTime"] = json!("2026-09-13T08:00:00Z");
        let words = said(&tenant, Intent::PolicyChanges, "when was CA205 last changed?").await;
        assert!(words.starts_with("No change of CA205") && words.contains("last changed Sun 13 Sep 2026"), "{words}");
    }

    #[tokio::test]
    async fn a_location_is_told_in_words() {
        let words = said(&changed(), Intent::PolicyChanges, "what changed since yesterday?").await;
        assert!(words.contains("203.0.113.0 to 203.0.113.255") && !words.contains('{'), "{words}");
    }

    #[tokio::test]
    async fn no_further_back_than_the_log() {
        let words = said(&nordwerk(), Intent::PolicyChanges, "who changed policies since 1 October?").await;
        assert!(words.starts_with("1 change from Sun 25 Oct 08:00"), "{words}");
        assert!(words.contains("The log that was read begins Sun 25 Oct 08:00"), "{words}");
        let words = said(&nordwerk(), Intent::PolicyChanges, "who changed policies in September?").await;
        assert!(words.starts_with("Not known for that time"), "{words}");
    }
}
