//! Brings the kept suggestions in line with a new analysis: opens, refreshes, wakes and resolves them, each with its entry.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::approval::{AuditRef, Event, State};
use crate::checks::{CureAction, Verdict};
use crate::facts::Fact;
use crate::log::{Action, Actor, NewEntry};
use crate::store::settings::Key;
use crate::store::suggestions::Row;
use crate::suggestions::{self, Instruction, Move, Proposal, Standing};
use crate::tenant::{Kind, Snapshot};

use super::analysis::Analysis;
use super::approve::{self, Case};
use super::{approval_card, cite, gone, handed};

/// The setting that remembers when each kind of object was last read.
const READ: &str = "kinds-read";
/// For so long a kind that can't be read any more is waited for.
const LATELY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What a suggestion's row holds besides its columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// What is suggested, with today's numbers.
    pub proposal: Proposal,
    /// Content hash of the reading that the numbers are from.
    pub snapshot: String,
}

impl Body {
    /// The body of a row.
    ///
    /// # Errors
    /// When the row was written by another version of the program.
    pub fn of(row: &Row) -> anyhow::Result<Self> {
        serde_json::from_str(&row.body).with_context(|| format!("reading S-{}", row.number))
    }
}

/// States of a suggestion, as stored and as people filter by them.
pub mod state {
    /// Waits for a decision.
    pub const OPEN: &str = "open";
    /// Put off.
    pub const SNOOZED: &str = "snoozed";
    /// Turned down.
    pub const DISMISSED: &str = "dismissed";
    /// Approved; the policy is being created.
    pub const CREATING: &str = "creating";
    /// The policy exists in report-only and waits for a person to turn it On.
    pub const CREATED: &str = "created";
    /// What it rests on changed since it was approved.
    pub const OUT_OF_DATE: &str = "out of date";
    /// The outcome isn't known, or the bot won't touch it.
    pub const NEEDS_PERSON: &str = "needs a person";
    /// Resolved, with evidence.
    pub const RESOLVED: &str = "resolved";
    /// Taken back.
    pub const UNDONE: &str = "undone";
    /// Created, and removed by somebody else since.
    pub const GONE: &str = "gone";
    /// States of what is over: if it is found again, it is suggested again.
    pub const OVER: [&str; 3] = [RESOLVED, UNDONE, GONE];
}

/// Reconciles the kept suggestions with an analysis.
///
/// # Errors
/// When the store fails; what was done until then stays, and the next scan does the rest.
pub async fn reconcile(app: &App, analysis: &Analysis) -> anyhow::Result<()> {
    let now = app.clock.now();
    let lost = lost(app, analysis.snapshot(), now).await?;
    if !lost {
        gone::look(app, analysis.snapshot()).await?;
    }
    let rows: BTreeMap<String, Row> =
        app.store.suggestions(app.tenant()).await?.into_iter().map(|row| (row.fingerprint.clone(), row)).collect();
    let known = rows.iter().map(|(print, row)| (print.clone(), standing(row))).collect();
    let instructions = instructions(app, now).await?;
    let created = created(app).await?;
    let (early, proposals): (Vec<Proposal>, _) =
        analysis.proposals().into_iter().partition(|proposal| too_early(proposal, &created));
    // What only waits for a policy in report-only to be turned On isn't resolved by it.
    let waiting = early.into_iter().flat_map(|proposal| proposal.checks);
    let undecided = undecided(&rows, &analysis.undecided().into_iter().chain(waiting).collect());
    for step in suggestions::reconcile(proposals, &known, &instructions, &undecided, now) {
        // What wasn't read proves nothing gone.
        if lost && matches!(step, Move::Resolve(_)) {
            continue;
        }
        apply(app, analysis, &rows, step).await?;
    }
    Ok(())
}

/// Whether a kind of object could not be read this time that was read lately. One that is gone for longer isn't coming
/// back, and what is found without it holds.
async fn lost(app: &App, snapshot: &Snapshot, now: Timestamp) -> anyhow::Result<bool> {
    let known: Option<BTreeMap<Kind, Timestamp>> = app.store.setting(app.tenant(), READ).await?;
    let mut known = known.unwrap_or_default();
    let recent = |at: &Timestamp| now.duration_since(*at) < LATELY;
    let lost = known.iter().any(|(kind, at)| recent(at) && !snapshot.has(*kind));
    known.extend(snapshot.readings.keys().filter(|kind| snapshot.has(**kind)).map(|kind| (*kind, now)));
    app.store.set(Key { tenant: app.tenant(), name: READ, at: now }, &known).await?;
    Ok(lost)
}

/// Fingerprints of suggestions that a check found which couldn't be judged this time.
fn undecided(rows: &BTreeMap<String, Row>, checks: &BTreeSet<String>) -> BTreeSet<String> {
    let hangs = |row: &Row| checks.iter().any(|check| found_by(row, check));
    rows.iter().filter(|(_, row)| hangs(row)).map(|(print, _)| print.clone()).collect()
}

/// Whether a check is among those that found a suggestion.
#[must_use]
pub fn found_by(row: &Row, check: &str) -> bool {
    row.check_id == check || Body::of(row).is_ok_and(|body| body.proposal.checks.iter().any(|found| found == check))
}

/// The standing instructions that hold now.
///
/// # Errors
/// When the store fails.
pub async fn instructions(app: &App, now: Timestamp) -> anyhow::Result<Vec<Instruction>> {
    let kept = app.store.instructions(app.tenant()).await?;
    let holding = kept.into_iter().filter(|instruction| instruction.holds(now));
    Ok(holding
        .map(|kept| Instruction {
            number: kept.number,
            check: kept.said.check_id,
            object: kept.said.object,
            until: kept.said.until,
        })
        .collect())
}

fn standing(row: &Row) -> Standing {
    match row.state.as_str() {
        state::SNOOZED => Standing::Snoozed(row.until.unwrap_or(Timestamp::MAX)),
        state::DISMISSED => Standing::Dismissed,
        state::CREATING | state::NEEDS_PERSON => Standing::Busy,
        state::CREATED => Standing::Created,
        over if state::OVER.contains(&over) => Standing::Over,
        _ => Standing::Live,
    }
}

async fn apply(app: &App, analysis: &Analysis, rows: &BTreeMap<String, Row>, step: Move) -> anyhow::Result<()> {
    match step {
        Move::Open(proposal) => match rows.get(&proposal.fingerprint) {
            Some(row) => {
                let entry = (Action::SuggestionOpened, proposal.reasons().to_vec());
                change(app, refreshed(row, &proposal, analysis, state::OPEN)?, Some(entry)).await
            }
            None => open(app, analysis, *proposal).await,
        },
        Move::Refresh(print, proposal) => match rows.get(&print) {
            Some(row) => change(app, refreshed(row, &proposal, analysis, &row.state)?, None).await,
            None => Ok(()),
        },
        Move::Wake(print, proposal) => match rows.get(&print) {
            Some(row) => {
                let entry = (Action::SuggestionReopened, proposal.reasons().to_vec());
                change(app, refreshed(row, &proposal, analysis, state::OPEN)?, Some(entry)).await
            }
            None => Ok(()),
        },
        Move::Resolve(print) => match rows.get(&print) {
            Some(row) => resolve(app, analysis, row).await,
            None => Ok(()),
        },
        Move::Suppress(instruction, proposal) => {
            tracing::info!(instruction, check = proposal.check, "not suggested because of a standing instruction");
            Ok(())
        }
    }
}

/// What would cure it is no longer suggested: the finding is gone, or something else is suggested for it now. A card that
/// waits says so too, and names the change that did it, where the audit log tells.
async fn resolve(app: &App, analysis: &Analysis, row: &Row) -> anyhow::Result<()> {
    let fails = |check: &str| found_by(row, check);
    let found = analysis.findings.iter().any(|finding| finding.verdict == Verdict::Fail && fails(finding.check));
    // Its policy is in report-only, so the finding stays until a person turns it On.
    if found && row.state == state::CREATED {
        return Ok(());
    }
    let proof = if found {
        "its cause is gone; the check suggests something else now"
    } else {
        "the check that found it doesn't fail any more"
    };
    let case = approve::live_case(app, row).await?;
    let record = cause(row, case.as_ref(), analysis)?;
    if let Some(case) = case {
        // A person is at work on it, and the card says what is still different.
        if found && matches!(&case.state, State::Open { tried: Some(_), .. }) {
            return Ok(());
        }
        if approve::happen(app, &case, &Event::Resolved { proof: proof.to_owned(), record: record.clone() }).await? {
            return Ok(());
        }
    }
    let row = Row { state: state::RESOLVED.into(), reason: Some(proof.to_owned()), until: None, ..row.clone() };
    let resolved = State::Resolved { proof: proof.to_owned(), record };
    change(app, row, Some((Action::SuggestionResolved, vec![approval_card::standing(&resolved)]))).await
}

/// Object ids of policies that were created in report-only for a suggestion. To turn one On is not suggested again: its
/// own card says it, and says when there is enough data.
async fn created(app: &App) -> anyhow::Result<BTreeSet<String>> {
    let kept = app.store.approvals_in(app.tenant(), &["created"]).await?;
    let states = kept.into_iter().filter_map(|kept| serde_json::from_value(kept.state.body).ok());
    let made = states.filter_map(|state| if let State::Created(made) = state { Some(made.policy_id) } else { None });
    Ok(made.collect())
}

/// Whether a proposal turns a policy On that was created for another suggestion, before it is time for that.
fn too_early(proposal: &Proposal, created: &BTreeSet<String>) -> bool {
    let CureAction::HandOver(change) = &proposal.action else { return false };
    let turns_on = change.request.as_ref().is_some_and(|(_, _, body)| body.get("state") == Some(&json!("enabled")));
    let due = proposal.checks.iter().any(|check| check == "report-only-age");
    turns_on && !due && created.contains(&change.target_id)
}

/// The newest change of what a suggestion is about, since its card was made; without a card, since it was suggested.
fn cause(row: &Row, case: Option<&Case>, analysis: &Analysis) -> anyhow::Result<Option<AuditRef>> {
    let body = Body::of(row)?;
    let (action, since) = case.map_or((&body.proposal.action, row.created), |case| (&case.action, case.kept.created));
    let object = match (case.map(|case| &case.state), action) {
        (Some(State::Created(made)), _) => &made.policy_id,
        (_, CureAction::HandOver(change)) => &change.target_id,
        _ => return Ok(None),
    };
    let record = analysis.snapshot().audits.iter().rev().find(|record| record.is_about(object));
    Ok(record.filter(|record| record.at >= since).map(handed::audit_ref))
}

async fn open(app: &App, analysis: &Analysis, proposal: Proposal) -> anyhow::Result<()> {
    let now = app.clock.now();
    let reasons = proposal.reasons().to_vec();
    let row = Row {
        tenant: app.tenant().to_owned(),
        number: 0,
        fingerprint: proposal.fingerprint.clone(),
        check_id: proposal.check.clone(),
        state: state::OPEN.into(),
        title: proposal.title.clone(),
        body: serde_json::to_string(&Body { proposal, snapshot: analysis.hash.clone() })?,
        reason: None,
        until: None,
        version: 0,
        created: now,
        changed: now,
    };
    let mut tx = app.store.begin().await?;
    let row = tx.suggest(&row).await?;
    let evidence = cite::keep(app, &mut tx, &reasons).await?;
    tx.append(NewEntry { evidence, ..entry(app, &row, Action::SuggestionOpened) }).await?;
    tx.commit().await
}

fn refreshed(row: &Row, proposal: &Proposal, analysis: &Analysis, state: &str) -> anyhow::Result<Row> {
    let body = Body { proposal: proposal.clone(), snapshot: analysis.hash.clone() };
    Ok(Row {
        state: state.to_owned(),
        title: proposal.title.clone(),
        body: serde_json::to_string(&body)?,
        ..row.clone()
    })
}

/// Writes a changed suggestion with its entry and what that rests on; if somebody was quicker, their change stands and the
/// next scan looks again.
async fn change(app: &App, row: Row, logged: Option<(Action, Vec<Fact>)>) -> anyhow::Result<()> {
    let row = Row { changed: if logged.is_some() { app.clock.now() } else { row.changed }, ..row };
    let mut tx = app.store.begin().await?;
    if !tx.change_suggestion(&row).await? {
        return Ok(());
    }
    if let Some((action, facts)) = logged {
        let evidence = cite::keep(app, &mut tx, &facts).await?;
        tx.append(NewEntry { evidence, ..entry(app, &row, action) }).await?;
    }
    tx.commit().await
}

fn entry(app: &App, row: &Row, action: Action) -> NewEntry {
    NewEntry {
        tenant: app.tenant().to_owned(),
        at: app.clock.now(),
        actor: Actor::bot(),
        action,
        subject: format!("S-{}", row.number),
        body: json!({"check": row.check_id, "title": row.title, "reason": row.reason}),
        evidence: Vec::new(),
    }
}
