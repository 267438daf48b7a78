//! "What did you do last night?": the bot's own doings from its activity log, its scans, and when the next one is.

use crate::bot::answer::{Answer, Part, ask};
use crate::bot::intent::SlotName;
use crate::bot::{entries, work};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::log::{Action, Entry};
use crate::store::entries::Wanted;
use crate::store::runs::RunState;

use super::meant::{numbers, said};
use super::period::span;
use super::{Answering, Asked};

/// How many entries are looked at, and how many of them are listed.
const READ: i64 = 500;
const LISTED: usize = 12;

/// Tells what the log holds of the period, person or suggestion that the question names.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let entries = found(asked).await?;
        let mut facts = vec![headline(asked, &entries), writes(&entries)];
        facts.extend(last_run(asked).await?);
        facts.extend(next_run(asked).await?);
        let mut items = Vec::new();
        for entry in entries.iter().take(LISTED) {
            items.push((one(asked, entry).await?, Vec::new()));
        }
        Ok(Answer::sentences(facts)
            .part(Part::List { ordered: false, items })
            .action(ask("Is the log intact?", "verify the log"))
            .action(ask("Scan now", "scan now")))
    })
}

/// Newest first; questions and their answers are left out, they would drown the rest.
async fn found(asked: Asked<'_>) -> anyhow::Result<Vec<Entry>> {
    let subject = numbers(asked.text).first().map(|number| format!("S-{number}"));
    let wanted = Wanted { subject, limit: READ, ..Wanted::default() };
    let mut entries = asked.app.store.entries(asked.app.tenant(), &wanted).await?;
    entries.retain(|entry| !matches!(entry.action, Action::QuestionAnswered | Action::QuestionRefused));
    if let Some((from, to)) = span(asked.text, asked.now, &asked.app.config.schedule.zone) {
        entries.retain(|entry| from <= entry.at && entry.at <= to);
    }
    if let Some(who) = asked.slot(SlotName::User).filter(|who| !matches!(*who, "me" | "my")) {
        entries.retain(|entry| entry.actor.name.to_lowercase().contains(&who.to_lowercase()));
    }
    let text = asked.text.to_lowercase();
    if text.contains("approv") {
        entries.retain(|entry| {
            entry.action.as_str().starts_with("approval.") || entry.action.as_str().starts_with("policy.")
        });
    }
    Ok(entries)
}

/// A row of the activity log as evidence.
pub(crate) fn row(entry: &Entry) -> Row {
    Row::Entry {
        seq: u64::try_from(entry.seq).unwrap_or_default(),
        at: entry.at,
        action: entries::what(entry.action).to_owned(),
        by: entry.actor.name.clone(),
    }
}

fn headline(asked: Asked<'_>, entries: &[Entry]) -> Fact {
    let fact = Fact::new("activity.count", Evidence::of(entries.iter().map(row))).with("count", entries.len());
    let since = span(asked.text, asked.now, &asked.app.config.schedule.zone).map(|(from, _)| from);
    let since = since.or_else(|| entries.last().map(|entry| entry.at));
    fact.with("since", since.map_or_else(|| Term::Word(String::new()), Term::Time)).must_show()
}

/// What of it was written to the tenant; nothing else was.
fn writes(entries: &[Entry]) -> Fact {
    let of = |action: Action| entries.iter().filter(move |entry| entry.action == action);
    let (made, removed) = (of(Action::PolicyCreated), of(Action::PolicyRemoved));
    let (found, unknown): (Vec<&Entry>, Vec<&Entry>) =
        unfollowed(entries).into_iter().partition(|entry| is_found(entry));
    let counts = (made.clone().count(), removed.clone().count());
    let shown = made.chain(removed).chain(found.iter().copied()).chain(unknown.iter().copied());
    Fact::new("activity.writes", Evidence::of(shown.map(row)))
        .with("made", counts.0)
        .with("removed", counts.1)
        .with("found", found.len())
        .with("unknown", unknown.len())
        .with("sent", found.len() + unknown.len())
        .must_show()
}

/// The newest entry of each approval whose request to create a policy may have been sent, and of which the bot doesn't
/// know that it was refused, or carried out as drafted.
fn unfollowed(entries: &[Entry]) -> Vec<&Entry> {
    let known = |entry: &Entry| {
        use Action::{ApprovalExpired, ApprovalRefused, PolicyCreated, SuggestionOutOfDate};
        matches!(entry.action, PolicyCreated | ApprovalRefused | ApprovalExpired | SuggestionOutOfDate)
            || (entry.action == Action::PolicySettled && !is_found(entry))
    };
    let intents = entries.iter().filter(|entry| entry.action == Action::PolicyCreateIntended);
    let newest = intents.filter_map(|intent| {
        let of = approval(intent)?;
        let mut same = entries.iter().filter(|entry| approval(entry) == Some(of));
        let newest = same.next()?;
        (!known(newest) && same.all(|entry| !known(entry) || entry.seq < intent.seq)).then_some(newest)
    });
    let mut newest: Vec<&Entry> = newest.collect();
    newest.sort_by_key(|entry| entry.seq);
    newest.dedup_by_key(|entry| entry.seq);
    newest
}

/// The number of the approval that an entry is about.
fn approval(entry: &Entry) -> Option<i64> {
    entry.details().get("approval")?.as_i64()
}

/// Whether a person looked and found the policy.
fn is_found(entry: &Entry) -> bool {
    let there = || entry.details().pointer("/details/there").and_then(serde_json::Value::as_bool);
    entry.action == Action::PolicySettled && there() == Some(true)
}

/// An entry, with the rows that it rests on itself behind it.
async fn one(asked: Asked<'_>, entry: &Entry) -> anyhow::Result<Fact> {
    let mut evidence = Evidence::of([row(entry)]);
    for id in &entry.evidence {
        let Some(body) = asked.app.store.evidence(asked.app.tenant(), id).await? else { continue };
        let cited = serde_json::from_value::<Fact>(body)?.evidence;
        evidence.total += cited.total;
        if let Some(at) = cited.of_a_reading() {
            evidence = evidence.read(&cited.snapshot, at);
        }
        evidence.rows.extend(cited.rows);
        evidence.rows.truncate(Evidence::SHOWN);
    }
    Ok(entry_fact(entry, evidence))
}

fn entry_fact(entry: &Entry, evidence: Evidence) -> Fact {
    Fact::new("activity.entry", evidence)
        .with("at", entry.at)
        .with("who", Term::Name(entry.actor.name.clone()))
        .with("what", Term::Word(entries::what(entry.action).to_owned()))
        .with("subject", Term::Name(subject(entry)))
        .with("number", u64::try_from(entry.seq).unwrap_or_default())
}

/// Ids of scans and conversations say nothing to people; numbers of suggestions and instructions do.
fn subject(entry: &Entry) -> String {
    let told = entry.subject.starts_with("S-") || entry.subject.starts_with("I-");
    if told { entry.subject.clone() } else { String::new() }
}

/// How the newest scan went, or how it is going.
async fn last_run(asked: Asked<'_>) -> anyhow::Result<Option<Fact>> {
    let Some(run) = asked.app.store.newest_run(asked.app.tenant()).await? else { return Ok(None) };
    let wanted = Wanted { subject: Some(run.id.clone()), limit: 10, ..Wanted::default() };
    let entries = asked.app.store.entries(asked.app.tenant(), &wanted).await?;
    let key = match run.state {
        RunState::Running => "activity.running",
        RunState::Finished => "activity.finished",
        RunState::Cancelled => "activity.cancelled",
        RunState::Failed => "activity.failed",
    };
    let fact = Fact::new(key, Evidence::of(entries.iter().map(row))).with("started", run.started);
    let fact = fact.with("ended", run.finished.unwrap_or(run.started));
    Ok(Some(fact.with("why", Term::Name(run.error.unwrap_or_default()))))
}

/// When the next scan is due; none when nothing is scheduled.
pub(super) async fn next_run(asked: Asked<'_>) -> anyhow::Result<Option<Fact>> {
    let schedules = work::schedules(asked.app).await?;
    let run = schedules.iter().find(|schedule| schedule.name == "run");
    let due = run.and_then(|schedule| schedule.timing.next_due(asked.now));
    Ok(due.map(|at| said("activity.next_run").with("at", at)))
}
