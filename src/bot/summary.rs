//! The daily summary: what needs you, coverage, what changed, report-only, emergency access, blocks, what was not checked.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::chat::card::{Bar, Kind};
use crate::chat::web::PersonView;
use crate::chat::{Conversation, Person};
use crate::checks::accounts::{days_between, emergency_access};
use crate::checks::{Verdict, rows};
use crate::facts::{Evidence, Fact, Term};
use crate::jobs::{Outcome, Scheduled};
use crate::log::{Action, Actor, NewEntry};
use crate::store::conversations::{ConversationKind, NewConversation, SummaryTime};
use crate::store::jobs::Job;
use crate::store::settings::Key;
use crate::store::suggestions::Row;
use crate::tenant::policy::PolicyState;

use super::access::{Right, right_of};
use super::analysis::Analysis;
use super::answer::{Answer, Part, ask};
use super::compose::compose;
use super::post::{Post, conversation, conversation_id, post};
use super::reconcile::state;

/// Kind of the job that posts a summary.
pub const JOB: &str = "summary";
/// How many things that need somebody are named.
const NEEDS_YOU: usize = 3;
/// The checks whose coverage is drawn as a bar, with their words.
const BARS: &[(&str, &str)] = &[
    ("mfa-all-users", "MFA"),
    ("phishing-resistant-admins", "Admins phishing-resistant"),
    ("legacy-authentication", "Legacy authentication blocked"),
    ("device-code-flow", "Device code flow blocked"),
];

/// Posts the summary that is due in one conversation.
///
/// # Errors
/// When the store or the platform fails; the job tries again.
pub async fn post_due(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    let scheduled: Scheduled = serde_json::from_value(job.payload).context("a summary's schedule")?;
    let Some(to) = conversation(&app, &scheduled.scope).await? else { return Ok(Outcome::Done) };
    if app.newest_analysis().await?.is_none() {
        return Ok(Outcome::Again(app.clock.now() + SignedDuration::from_secs(1)));
    }
    post_to(&app, &to, &job.id).await?;
    Ok(Outcome::Done)
}

/// Posts a summary to a conversation; `key` makes a repeat post nothing.
///
/// # Errors
/// When the tenant wasn't read yet, or the store or the platform fails.
pub async fn post_to(app: &App, to: &Conversation, key: &str) -> anyhow::Result<()> {
    let analysis = app.newest_analysis().await?.context("the tenant wasn't read yet")?;
    let answer = build(app, &analysis).await?;
    let composed = compose(answer, None, &app.wording)?;
    let keyed = format!("summary:{key}:{}", conversation_id(to));
    post(app, Post { key: keyed, to, subject: None, version: 0 }, &composed).await?;
    remember(app, &analysis).await?;
    let head = app.store.log_head(app.tenant()).await?;
    let entry = NewEntry {
        tenant: app.tenant().to_owned(),
        at: app.clock.now(),
        actor: Actor::bot(),
        action: Action::SummaryPosted,
        subject: conversation_id(to),
        body: json!({"log": head.hash, "entries": head.seq}),
        evidence: Vec::new(),
    };
    app.store.append(entry).await?;
    Ok(())
}

/// The summary of an analysis.
///
/// # Errors
/// When the store fails.
pub async fn build(app: &App, analysis: &Analysis) -> anyhow::Result<Answer> {
    let now = app.clock.now();
    let zoned = now.to_zoned(app.config.schedule.zone.clone());
    let open: Vec<Row> =
        app.store.suggestions(app.tenant()).await?.into_iter().filter(|row| row.state == state::OPEN).collect();
    let before: Option<Remembered> = app.store.setting(app.tenant(), REMEMBERED).await?;
    let mut answer = Answer { kind: Kind::Summary, ..Answer::default() };
    answer.title = Some(format!("Conditional Access · {}", app.config.tenant.name));
    answer.subtitle = Some(zoned.strftime("%a %-d %b %H:%M").to_string());
    answer = answer.part(Part::Heading("Needs you".into())).part(needs_you(&open));
    answer = answer.part(Part::Heading("Coverage".into())).part(Part::Bars(bars(analysis, before.as_ref())));
    let rows = vec![
        ("Changed".to_owned(), vec![changed(analysis, now)]),
        ("Report-only".to_owned(), vec![report_only(analysis, now)]),
        ("Break-glass".to_owned(), vec![break_glass(analysis)]),
        ("Blocked".to_owned(), vec![blocked(analysis, now)]),
    ];
    answer = answer.part(Part::Rows(rows)).part(Part::Limits(limits(analysis)));
    Ok(answer
        .action(ask("Open suggestions", "show open suggestions"))
        .action(ask("Report-only", "which policies are in report-only?"))
        .action(ask("What changed?", "what changed since yesterday?")))
}

/// The most severe open suggestions, numbered; never more than three.
fn needs_you(open: &[Row]) -> Part {
    let mut rows: Vec<(&Row, super::reconcile::Body)> =
        open.iter().filter_map(|row| Some((row, super::reconcile::Body::of(row).ok()?))).collect();
    rows.sort_by_key(|(row, body)| (std::cmp::Reverse(body.proposal.severity), row.number));
    if rows.is_empty() {
        return Part::Sentences(vec![said("summary.nothing")]);
    }
    let item = |(row, body): &(&Row, super::reconcile::Body)| {
        let evidence = body.proposal.facts.first().map(|fact| fact.evidence.clone()).unwrap_or_default();
        let fact = Fact::new("summary.suggestion", evidence)
            .with("number", Term::Word(format!("S-{}", row.number)))
            .with("title", Term::Name(row.title.clone()));
        (fact, vec![ask("Open", format!("propose S-{}", row.number))])
    };
    Part::List { ordered: true, items: rows.iter().take(NEEDS_YOU).map(item).collect() }
}

/// Coverage of the main requirements, with yesterday's value beside today's.
fn bars(analysis: &Analysis, before: Option<&Remembered>) -> Vec<Bar> {
    BARS.iter()
        .filter_map(|(check, label)| {
            let (value, of) = covered(analysis, check)?;
            let then = before.and_then(|before| before.covered.iter().find(|(known, ..)| known == check));
            let note = match then {
                Some((_, was, _)) if *was == value => "unchanged".to_owned(),
                Some((_, was, _)) => format!("was {}", crate::facts::grouped(i64::try_from(*was).unwrap_or_default())),
                None => String::new(),
            };
            Some(Bar { label: (*label).to_owned(), value, of, note })
        })
        .collect()
}

/// How many of how many accounts a check finds covered.
fn covered(analysis: &Analysis, check: &str) -> Option<(u64, u64)> {
    let finding = analysis.findings.iter().find(|finding| finding.check == check)?;
    let headline = finding.facts.first()?;
    let count = |name: &str| match headline.terms.get(name) {
        Some(Term::Count(count)) => *count,
        _ => 0,
    };
    let of = count("of");
    let open = match finding.verdict {
        Verdict::Fail => count("people") + count("guests") + count("service"),
        _ => 0,
    };
    (of > 0).then(|| (of.saturating_sub(open), of))
}

fn changed(analysis: &Analysis, now: Timestamp) -> Fact {
    let since = now - SignedDuration::from_hours(24);
    let records: Vec<_> = analysis
        .snapshot()
        .audits
        .iter()
        .filter(|record| record.at >= since && record.activity.to_lowercase().contains("conditional access policy"))
        .collect();
    let groups = analysis
        .snapshot()
        .audits
        .iter()
        .filter(|record| record.at >= since && record.activity.to_lowercase().contains("member to group"));
    let groups: Vec<_> = groups.collect();
    let rows = records.iter().chain(&groups).map(|record| rows::audit(record));
    Fact::new("summary.changed", analysis.evidence(rows)).with("policies", records.len()).with("groups", groups.len())
}

fn report_only(analysis: &Analysis, now: Timestamp) -> Fact {
    let policies: Vec<_> =
        analysis.snapshot().policies.iter().filter(|policy| policy.state == PolicyState::ReportOnly).collect();
    let oldest = policies
        .iter()
        .filter_map(|policy| Some((days_between(policy.modified.or(policy.created)?, now), *policy)))
        .max_by_key(|(days, _)| *days);
    let fact = Fact::new("summary.report_only", analysis.evidence(policies.iter().map(|policy| rows::policy(policy))))
        .with("count", policies.len());
    match oldest {
        Some((days, policy)) => {
            fact.with("oldest", Term::Name(policy.display_name.clone())).with("days", Term::Days(days))
        }
        None => fact.with("oldest", Term::Word(String::new())).with("days", Term::Days(0)),
    }
}

fn break_glass(analysis: &Analysis) -> Fact {
    let accounts = emergency_access(analysis.snapshot());
    if accounts.is_empty() {
        return said("summary.no_break_glass");
    }
    let snapshot = analysis.snapshot();
    let signed_in = snapshot
        .sign_ins
        .iter()
        .filter(|row| snapshot.directory.user_index(&row.user_id).is_some_and(|index| accounts.contains(index)));
    let count = signed_in.clone().count();
    let rows = rows::users(&accounts, snapshot, None).chain(signed_in.map(|row| rows::sign_in(row, snapshot)));
    Fact::new("summary.break_glass", analysis.evidence(rows).within(snapshot.window))
        .with("accounts", accounts.len())
        .with("count", count)
}

fn blocked(analysis: &Analysis, now: Timestamp) -> Fact {
    let snapshot = analysis.snapshot();
    let since = now - SignedDuration::from_hours(24);
    let blocked: Vec<_> = snapshot
        .sign_ins
        .iter()
        .filter(|row| row.at >= since && row.conditional_access == "failure" && row.error_code != 0)
        .collect();
    let mut people: Vec<&str> = blocked.iter().map(|row| row.user_id.as_str()).collect();
    people.sort_unstable();
    people.dedup();
    let evidence = analysis.evidence(blocked.iter().rev().map(|row| rows::sign_in(row, snapshot)));
    Fact::new("summary.blocked", evidence.within(snapshot.window))
        .with("count", blocked.len())
        .with("people", people.len())
}

fn limits(analysis: &Analysis) -> Vec<Fact> {
    let mut limits: Vec<String> = analysis
        .snapshot()
        .readings
        .values()
        .filter_map(|reading| match reading {
            crate::tenant::Reading::Absent { reason } => Some(reason.clone()),
            crate::tenant::Reading::Complete { .. } => None,
        })
        .collect();
    limits.push("partner (GDAP) technicians; Intune grace periods".into());
    vec![
        said("common.not_checked").with("what", Term::Name(limits.join("; "))),
        said("common.read_at").with("at", analysis.snapshot().read_at),
    ]
}

fn said(key: &str) -> Fact {
    Fact::new(key, Evidence::default()).must_show()
}

/// The setting that holds the values of the last summary.
const REMEMBERED: &str = "summary-values";

/// Values of the last summary, to set beside today's.
#[derive(Serialize, Deserialize)]
struct Remembered {
    covered: Vec<(String, u64, u64)>,
}

async fn remember(app: &App, analysis: &Analysis) -> anyhow::Result<()> {
    let covered = BARS.iter().filter_map(|(check, _)| {
        let (value, of) = covered(analysis, check)?;
        Some(((*check).to_owned(), value, of))
    });
    let key = Key { tenant: app.tenant(), name: REMEMBERED, at: app.clock.now() };
    app.store.set(key, &Remembered { covered: covered.collect() }).await
}

/// Gives each of these people of the web chat who may ask a daily summary, and the first one as soon as the tenant is
/// read (demo).
///
/// # Errors
/// When the store or the tenant fails.
pub async fn subscribe_everyone(app: &App, people: &[PersonView]) -> anyhow::Result<()> {
    for person in people {
        let to = Conversation {
            platform: crate::chat::web::NAME.into(),
            id: person.id.clone(),
            tenant: app.tenant().to_owned(),
            personal: true,
            reference: serde_json::Value::Null,
        };
        let asker = Person { id: person.id.clone(), name: person.name.clone(), platform_id: person.id.clone() };
        if right_of(app, &asker).await? >= Right::Ask {
            subscribe(app, &to, &person.name).await?;
        }
    }
    Ok(())
}

async fn subscribe(app: &App, to: &Conversation, name: &str) -> anyhow::Result<()> {
    let now = app.clock.now();
    let schedule = &app.config.schedule;
    let at = schedule.summary.strftime("%H:%M").to_string();
    let zone = schedule.zone.iana_name().unwrap_or("UTC").to_owned();
    let new = NewConversation {
        platform: to.platform.clone(),
        tenant: to.tenant.clone(),
        reference: to.id.clone(),
        address: serde_json::to_value(to)?,
        kind: ConversationKind::Personal,
        name: name.to_owned(),
    };
    let first = Scheduled { scope: new.id(), due: now, payload: json!({}) };
    let mut tx = app.store.begin().await?;
    tx.meet(&new, now).await?;
    tx.set_summary(&new.id(), Some(&SummaryTime { at, zone })).await?;
    tx.enqueue(&crate::store::jobs::NewJob {
        id: format!("first-summary:{}", new.id()),
        kind: JOB.into(),
        payload: serde_json::to_value(first)?,
        priority: crate::store::jobs::Priority::Digest,
        due: now,
    })
    .await?;
    tx.commit().await
}
