//! Entries of the activity log in words: what was done, on what, and what came of it. The entry itself stays as it was kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::approval::{State, Wish};
use crate::checks;
use crate::log::{Action, Entry};
use crate::suggestions::draft::marked_name;

use super::approve::doubt_words;
use super::intent::Intent;
use super::recurrence::Recurrence;
use super::settings::Understood;

/// What the words of an entry take from elsewhere.
#[derive(Debug)]
pub struct Known {
    /// Titles of suggestions by `S-n`.
    pub titles: BTreeMap<String, String>,
    /// The reader's time zone.
    pub zone: TimeZone,
}

/// On what it was done; empty where that goes without saying. May hold names from the tenant.
#[must_use]
pub fn on_what(entry: &Entry, known: &Known) -> String {
    let subject = entry.subject.as_str();
    if let Some(title) = known.titles.get(subject) {
        return format!("{subject}: {title}");
    }
    match entry.action {
        Action::QuestionAnswered => match subject.parse() {
            Ok(Intent::OutOfScope) => "something I don't do or don't know".to_owned(),
            Ok(intent) => intent.about().to_owned(),
            Err(_) => subject.to_owned(),
        },
        Action::RunAsked | Action::RunStarted | Action::RunFinished | Action::RunCancelled | Action::RunFailed => {
            if subject.contains(":change:") { "the tenant, because of a change" } else { "the tenant" }.to_owned()
        }
        Action::SummaryPosted | Action::ConversationEnabled => place(subject.split(':').next().unwrap_or_default()),
        Action::SettingChanged => format!("when the {subject} comes"),
        Action::FeedbackGiven => "an answer".to_owned(),
        Action::ApprovalRefused if !subject.starts_with("S-") => "a card".to_owned(),
        _ => subject.to_owned(),
    }
}

/// What came of it; empty where the action says it all. May hold names from the tenant and what people wrote.
#[must_use]
pub fn outcome(entry: &Entry, known: &Known) -> String {
    let details = entry.details();
    let text = |name: &str| details.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match entry.action {
        Action::QuestionAnswered => format!("in {}", place(&text("platform"))),
        Action::QuestionRefused => format!("refused in {}", place(&text("platform"))),
        Action::SuggestionChangeAsked => wish(&details).map(|wish| wish.text).unwrap_or_default(),
        Action::RunFinished => "a new reading".to_owned(),
        Action::RunFailed => text("error"),
        Action::ApprovalRequested if details.get("ticket").is_some() => format!("for {}", text("ticket")),
        Action::SummaryPosted => {
            let entries = details.get("entries").and_then(Value::as_i64).unwrap_or_default();
            format!("with the seal of this log up to entry {entries}")
        }
        Action::SettingChanged => text("at").parse::<Recurrence>().map_or_else(|_| text("at"), |when| when.words()),
        Action::InstructionAdded => instruction(&details, known),
        Action::FeedbackGiven => match (details.get("liked").and_then(Value::as_bool), text("reason")) {
            (Some(true), _) => "useful".to_owned(),
            (_, reason) if reason.is_empty() => "not useful".to_owned(),
            (_, reason) => format!("not useful: {reason}"),
        },
        _ if details.get("why").is_some() => text("why"),
        _ => match details.get("details").cloned().map(serde_json::from_value::<State>) {
            Some(Ok(state)) => standing(&state, (&text("policy"), &text("marker")), known),
            _ => text("reason"),
        },
    }
}

/// What a person wanted to be different, by what an entry says of it.
#[must_use]
pub fn wish(details: &Value) -> Option<Wish> {
    let newest = details.pointer("/details/wishes")?.as_array()?.last()?;
    serde_json::from_value(newest.clone()).ok()
}

/// Where an approval stood after it.
fn standing(state: &State, (policy, marker): (&str, &str), known: &Known) -> String {
    match state {
        State::Snoozed { until, .. } => format!("until {}", day(*until, known)),
        State::Open { granted, .. } if !granted.is_empty() => "a second person has to approve".to_owned(),
        State::Created(made) if made.record.is_some() => policy.to_owned(),
        // The bot's own policy has the card's mark behind its name in the tenant.
        State::Gone { made, record } => {
            let name = if made.record.is_some() { policy.to_owned() } else { marked_name(policy, marker) };
            record.as_ref().map_or_else(|| name.clone(), |record| format!("{name}, by {}", record.by))
        }
        State::Created(_) | State::Creating { .. } | State::Undone { .. } | State::Undoing { .. } => {
            marked_name(policy, marker)
        }
        State::Dismissed { reason: why, .. }
        | State::OutOfDate { why }
        | State::Refused { why }
        | State::Resolved { proof: why, .. } => why.clone(),
        State::Settled { there: true, .. } => "the policy is there".to_owned(),
        State::Settled { .. } => "the policy isn't there".to_owned(),
        state @ State::NeedsPerson { .. } => doubt_words(state),
        State::Open { .. } | State::Expired => String::new(),
    }
}

fn instruction(details: &Value, known: &Known) -> String {
    let Ok(kept) = serde_json::from_value::<Understood>(details.clone()) else { return String::new() };
    let check = kept.check.as_deref().and_then(checks::about).map_or("anything", |about| about.title);
    let limited = if kept.object.is_some() { " for one object" } else { "" };
    let until = kept.until.and_then(|until| Timestamp::from_second(until).ok());
    let until = until.map(|until| format!(" until {}", day(until, known))).unwrap_or_default();
    format!("never suggest \"{check}\"{limited}{until}")
}

fn day(at: Timestamp, known: &Known) -> String {
    at.to_zoned(known.zone.clone()).strftime("%a %-d %b %Y").to_string()
}

/// The chat product by its stored name.
fn place(platform: &str) -> String {
    match platform {
        "web" => "the web chat".to_owned(),
        "teams" => "Microsoft Teams".to_owned(),
        "terminal" => "the terminal".to_owned(),
        other => other.to_owned(),
    }
}

/// What was done, in a few words.
#[must_use]
pub fn what(action: Action) -> &'static str {
    match action {
        Action::RunAsked => "scan asked for",
        Action::RunStarted => "scan started",
        Action::RunFinished => "scan finished",
        Action::RunCancelled => "scan cancelled",
        Action::RunFailed => "scan failed",
        Action::SuggestionOpened => "suggested",
        Action::SuggestionSnoozed => "snoozed",
        Action::SuggestionDismissed => "dismissed",
        Action::SuggestionReopened => "reopened",
        Action::SuggestionOutOfDate => "out of date",
        Action::SuggestionResolved => "resolved",
        Action::SuggestionDone => "done by a person as described",
        Action::SuggestionDoneOtherwise => "done by a person, but not as described",
        Action::SuggestionChangeAsked => "a change of it asked for",
        Action::SuggestionHandedOver => "handed over",
        Action::ApprovalRequested => "approval asked for",
        Action::ApprovalGranted => "approved",
        Action::ApprovalWithdrawn => "approval taken back",
        Action::ApprovalRefused => "click refused",
        Action::ApprovalExpired => "approval expired",
        Action::PolicyCreateIntended => "report-only policy about to be asked for, outcome follows",
        Action::PolicyCreated => "report-only policy created",
        Action::PolicyCreateUnknown => "outcome of a creation not known",
        Action::PolicyNeedsPerson => "left to a person",
        Action::PolicySettled => "looked up in the tenant by a person",
        Action::PolicyRemoveIntended => "about to remove a report-only policy of my own",
        Action::PolicyRemoved => "report-only policy of my own removed",
        Action::PolicyGone => "report-only policy found removed by somebody else",
        Action::PolicyRemoveRefused => "policy left alone, somebody had edited it",
        Action::InstructionAdded => "standing instruction kept",
        Action::InstructionRemoved => "standing instruction removed",
        Action::SettingChanged => "setting changed",
        Action::ConversationEnabled => "channel enabled",
        Action::SummaryPosted => "summary posted",
        Action::FeedbackGiven => "feedback given",
        Action::QuestionAnswered => "question answered",
        Action::QuestionRefused => "question refused",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::log::{Actor, GENESIS, NewEntry};

    fn told(action: Action, subject: &str, body: Value) -> String {
        let new = NewEntry {
            tenant: "t".into(),
            at: Timestamp::UNIX_EPOCH,
            actor: Actor::bot(),
            action,
            subject: subject.into(),
            body,
            evidence: Vec::new(),
        };
        let titles = [("S-3".to_owned(), "Block device code flow".to_owned())].into();
        let known = Known { titles, zone: TimeZone::UTC };
        let entry = Entry::seal(new, 1, GENESIS);
        format!("{} | {} | {}", what(action), on_what(&entry, &known), outcome(&entry, &known))
    }

    #[test]
    fn ids_and_json_become_words() {
        let click = json!({"by": {"id": "u", "name": "Dana"}, "at": "2026-11-24T08:00:00Z"});
        let snoozed = json!({"state": "snoozed", "click": click, "until": "2026-12-01T00:00:00Z"});
        let created = json!({"state": "created", "granted": [], "policy_id": "p-9", "at": "2026-11-24T08:00:00Z"});
        let created = json!({"policy": "CA211 – Block", "marker": "[ab12cd34]", "details": created});
        insta::assert_snapshot!([
            told(Action::QuestionAnswered, "coverage_gaps", json!({"platform": "web"})),
            told(Action::SuggestionSnoozed, "S-3", json!({"approval": 4, "policy": null, "details": snoozed})),
            told(Action::PolicyCreated, "S-3", created),
            told(Action::RunFinished, "run:11111111:change:a-1", json!({"snapshot": "9c2e", "error": null})),
            told(Action::SummaryPosted, "web:u-dana", json!({"log": "9c2e41", "entries": 12})),
            told(Action::SettingChanged, "summary", json!({"at": "mon 08:00"})),
            told(Action::ApprovalRefused, "0f3a", json!({"verb": "create", "why": "no right"})),
            told(Action::InstructionAdded, "I-1", json!({"check": "device-code-flow", "object": null, "until": 1_803_859_200})),
        ].join("\n"), @r#"
        question answered | who or what no policy protects | in the web chat
        snoozed | S-3: Block device code flow | until Tue 1 Dec 2026
        report-only policy created | S-3: Block device code flow | CA211 – Block [ab12cd34]
        scan finished | the tenant, because of a change | a new reading
        summary posted | the web chat | with the seal of this log up to entry 12
        setting changed | when the summary comes | on Mondays at 08:00
        click refused | a card | no right
        standing instruction kept | I-1 | never suggest "Device code flow blocked" until Mon 1 Mar 2027
        "#);
    }
}
