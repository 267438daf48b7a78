//! A scan: read the tenant, judge it, reconcile what is suggested, and say so. It can be cancelled until what it found is
//! written down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::app::App;
use crate::chat::Incoming;
use crate::checks::rows;
use crate::facts::{Evidence, Fact, Term};
use crate::graph::{self, Fresh, GraphError, Marks, Previous, Progress};
use crate::jobs::Outcome;
use crate::log::{Action, Actor, Entry, NewEntry};
use crate::store::entries::Wanted;
use crate::store::jobs::{Job, NewJob, Priority};
use crate::store::runs::{RunEnd, RunState};
use crate::store::settings::Key;
use crate::store::snapshots::{Retention, Written};
use crate::tenant::{Kind, Snapshot};

use super::analysis::Analysis;
use super::answers::{bot_activity, policy_changes};
use super::progress::SoFar;
use super::summary::after::{self, Before};
use super::{alert, basis, cite, handed, reconcile, said_on};

/// Kind of the job that runs a scan.
pub const JOB: &str = "scan";

/// What stands before the id of the record in the id of a scan that a change asked for.
const CHANGE: &str = ":change:";

/// How often progress is written down and the wish to cancel is read.
const TICK: Duration = Duration::from_millis(400);

/// How long a scan waits for the one that is under way before it looks again.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// Asks for a scan now; a second wish within the same minute is the same scan.
///
/// # Errors
/// When the store fails.
pub async fn request(app: &App, by: &Actor) -> anyhow::Result<String> {
    enqueue(app, by, (this_minute(app), false)).await
}

/// Asks for a scan now because of a press, and promises its conversation to say what the scan changed. The scan of the
/// same minute does, unless it is over already.
///
/// # Errors
/// When the store fails.
pub async fn request_by(app: &App, by: &Actor, incoming: &Incoming) -> anyhow::Result<()> {
    let before = Before::now(app).await?;
    let minute = this_minute(app);
    let over = app.store.run(&minute).await?.is_some_and(|run| run.state != RunState::Running);
    let id = if over { format!("{minute}:{}", incoming.key) } else { minute };
    let mut tx = app.store.begin().await?;
    let is_new = tx.enqueue(&new(app, by, (id.clone(), false))).await?;
    after::promise(app, &mut tx, (&id, &incoming.conversation, before)).await?;
    if is_new {
        tx.append(NewEntry { actor: by.clone(), ..entry(app, Action::RunAsked, &id) }).await?;
    }
    tx.commit().await
}

fn this_minute(app: &App) -> String {
    format!("run:{}:{}", app.tenant(), app.clock.now().as_second().div_euclid(60))
}

/// Asks for a scan because of a change, by the id of its audit record; each change is scanned once, however soon it
/// follows on another scan. A scan that waits to begin will see this change too, so there is no second one.
///
/// # Errors
/// When the store fails.
pub async fn request_for_change(app: &App, record: &str) -> anyhow::Result<()> {
    let soon = app.clock.now() + PAUSE * 2;
    if app.store.scan_waits(app.tenant(), soon).await? {
        return Ok(());
    }
    enqueue(app, &Actor::bot(), (format!("run:{}{CHANGE}{record}", app.tenant()), true)).await.map(drop)
}

async fn enqueue(app: &App, by: &Actor, (id, is_change): (String, bool)) -> anyhow::Result<String> {
    app.store.enqueue(&new(app, by, (id.clone(), is_change))).await?;
    Ok(id)
}

fn new(app: &App, by: &Actor, (id, is_change): (String, bool)) -> NewJob {
    let (payload, due) = (json!({"by": by.name, "change": is_change}), app.clock.now());
    NewJob { id, kind: JOB.into(), payload, priority: Priority::Question, due }
}

/// Runs a scan. Taken up again after a crash it is the same scan, and what it did already isn't done twice.
///
/// # Errors
/// When the store fails; a tenant that can't be read ends the scan as failed, and is said.
pub async fn scan(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    let at = app.clock.now();
    if !app.store.start_run(&job.id, app.tenant(), at).await? {
        return Ok(Outcome::Again(at + PAUSE));
    }
    if app.store.run(&job.id).await?.is_some_and(|run| run.state != RunState::Running) {
        return Ok(Outcome::Done);
    }
    let asked = asked(&app, &job.id).await?;
    note(&app, (Action::RunStarted, &job.id, json!({})), &asked).await?;
    let judged = judged(&app, &job).await?;
    let cause = match &judged {
        Ok(judged) if asked.is_empty() => changed(&job.id, judged.analysis.snapshot()).into_iter().collect(),
        _ => asked,
    };
    let (state, error, snapshot) = match judged {
        Ok(judged) => (RunState::Finished, None, Some(conclude(&app, judged).await?)),
        Err(GraphError::Cancelled) => (RunState::Cancelled, None, None),
        Err(error) => (RunState::Failed, Some(error.to_string()), None),
    };
    let action = match state {
        RunState::Cancelled => Action::RunCancelled,
        RunState::Failed => Action::RunFailed,
        RunState::Finished | RunState::Running => Action::RunFinished,
    };
    // Whoever stopped it is in the log already.
    if state != RunState::Cancelled || noted(&app, &job.id, Action::RunCancelled).await?.is_empty() {
        note(&app, (action, &job.id, json!({"snapshot": snapshot, "error": error})), &cause).await?;
    }
    let end = RunEnd { state, snapshot: snapshot.as_deref(), error: error.as_deref(), at: app.clock.now() };
    app.store.end_run(&job.id, &end).await?;
    Ok(Outcome::Done)
}

/// A reading that was judged, and of which nothing is known outside yet.
struct Judged {
    analysis: Arc<Analysis>,
    written: Written,
    marks: Marks,
}

/// Keeps a new reading and reconciles what is suggested; gives the reading's hash.
async fn conclude(app: &App, Judged { analysis, written, marks }: Judged) -> anyhow::Result<String> {
    let kept = app.store.keep_snapshot(written).await?;
    let left_off = LeftOff { snapshot: kept.hash.clone(), marks };
    app.store.set(Key { tenant: app.tenant(), name: LEFT_OFF, at: app.clock.now() }, &left_off).await?;
    // What comes first has no logs, and nothing before it to be compared with.
    let before = app.newest_known(&analysis.hash).filter(|before| !before.snapshot().is_early());
    // What a person did is said as that, before the scan closes what it doesn't find any more.
    if let Err(error) = handed::look(app, analysis.snapshot(), &analysis.snapshot().audits).await {
        tracing::warn!(error = %format!("{error:#}"), "what was handed over could not be compared");
    }
    // Whoever sees the new analysis, such as a summary that waits for it, sees its suggestions too.
    reconcile::reconcile(app, &analysis).await.context("reconciling the suggestions")?;
    basis::refresh(app, analysis.snapshot()).await.context("taking cards out of date")?;
    app.set_analysis(Arc::clone(&analysis));
    said_on::refresh(app, &analysis).await.context("bringing cards up to date")?;
    if let Some(before) = before {
        alert::request(app, &before, &analysis).await.context("comparing with the last reading")?;
    }
    app.store.prune_snapshots(app.tenant(), Retention::default()).await?;
    Ok(kept.hash)
}

/// Reads the tenant and judges it. Whoever cancels until that is done cancels all of it: nothing was kept.
async fn judged(app: &Arc<App>, job: &Job) -> anyhow::Result<Result<Judged, GraphError>> {
    let pages = Pages { early_after: app.config.graph.early_after, ..Pages::default() };
    let Fresh { snapshot, marks } = match read(app, (job, &pages)).await? {
        Ok(fresh) => fresh,
        Err(error) => return Ok(Err(error)),
    };
    pages.judge();
    let snapshot = Arc::new(snapshot);
    let written = app.store.write_snapshot(Arc::clone(&snapshot)).await?;
    let hash = written.hash().to_owned();
    let judging = async {
        let _judging = app.judging().await;
        app.judge(snapshot, hash).await
    };
    let analysis = unless_cancelled(app, (job, &pages), judging).await?.transpose()?;
    match analysis {
        Some(analysis) if app.store.conclude_run(&job.id).await? => Ok(Ok(Judged { analysis, written, marks })),
        _ => {
            app.store.drop_written(written).await?;
            Ok(Err(GraphError::Cancelled))
        }
    }
}

/// Reads the tenant while how far it is is written down.
async fn read(app: &Arc<App>, (job, pages): (&Job, &Pages)) -> anyhow::Result<Result<Fresh, GraphError>> {
    let graph = app.graph.as_ref().context("no live tenant is configured")?;
    let known = app.newest_analysis().await?;
    let left_off: Option<LeftOff> = app.store.setting(app.tenant(), LEFT_OFF).await?;
    let previous = known.as_ref().map(|analysis| {
        let marks = left_off.as_ref().filter(|left_off| left_off.snapshot == analysis.hash);
        Previous { snapshot: analysis.snapshot(), marks: marks.map(|left_off| &left_off.marks) }
    });
    let is_change = job.payload.get("change").and_then(Value::as_bool).unwrap_or_default();
    let reading = async {
        if is_change {
            return graph::read_change(graph, pages, previous).await;
        }
        graph::read_tenant(graph, pages, previous).await
    };
    // A reading only reads, so it may end in the middle of a wait that Graph asked for.
    Ok(unless_cancelled(app, (job, pages), reading).await?.unwrap_or(Err(GraphError::Cancelled)))
}

/// Lets something go on, unless a person cancels the scan: none then. Meanwhile it is written down how far the scan is.
async fn unless_cancelled<T>(
    app: &Arc<App>,
    (job, pages): (&Job, &Pages),
    work: impl Future<Output = T>,
) -> anyhow::Result<Option<T>> {
    tokio::pin!(work);
    let mut tick = tokio::time::interval(TICK);
    // Ends with the reading, so that nothing early takes the place of what is whole.
    let mut answering = JoinSet::new();
    loop {
        tokio::select! {
            done = &mut work => return Ok(Some(done)),
            _ = tick.tick() => {
                if let Some(early) = pages.early.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    answering.spawn(answer_from(Arc::clone(app), early));
                }
                let so_far = serde_json::to_value(&*pages.so_far())?;
                if app.store.run_progress(&job.id, &so_far).await? {
                    return Ok(None);
                }
            }
        }
    }
}

/// Lets questions be answered from a reading without logs. Nothing is suggested from it: that waits for all there is.
async fn answer_from(app: Arc<App>, early: Snapshot) {
    let early = Arc::new(early);
    let kept = async {
        let _judging = app.judging().await;
        let kept = app.store.save_snapshot(Arc::clone(&early)).await?;
        app.set_analysis(app.judge(early, kept.hash).await?);
        anyhow::Ok(())
    };
    match kept.await {
        Ok(()) => tracing::info!("policies and people are read; questions are answered while the logs are being read"),
        Err(error) => tracing::warn!(error = %format!("{error:#}"), "questions wait for the whole scan"),
    }
}

/// The setting that remembers where the last reading left off.
const LEFT_OFF: &str = "left-off";

/// Where a reading left off; good only for going on from that very reading.
#[derive(Debug, Serialize, Deserialize)]
struct LeftOff {
    /// Content hash of the reading.
    snapshot: String,
    marks: Marks,
}

/// How far a reading is.
#[derive(Debug, Default)]
struct Pages {
    so_far: Mutex<SoFar>,
    /// A reading without the logs, until somebody takes it.
    early: Mutex<Option<Snapshot>>,
    early_after: Duration,
}

impl Pages {
    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All is read, and what is early is of no use any more.
    fn judge(&self) {
        self.so_far().judging = true;
        *self.early.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Progress for Pages {
    fn begun(&self, kind: Kind) {
        let mut so_far = self.so_far();
        so_far.objects.entry(kind).or_default();
        so_far.done.remove(&kind);
    }

    fn page(&self, kind: Kind, objects: u64) {
        let mut so_far = self.so_far();
        so_far.objects.insert(kind, objects);
        so_far.done.remove(&kind);
        so_far.pages += 1;
    }

    fn done(&self, kind: Kind) {
        self.so_far().done.insert(kind);
    }

    fn cancelled(&self) -> bool {
        // Whoever reads drops the reading instead.
        false
    }

    fn early_after(&self) -> Option<Duration> {
        Some(self.early_after)
    }

    fn early(&self, read: Snapshot) {
        *self.early.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
    }
}

/// That a person asked for a scan, by the entry of the log; nothing where it was due, or a change asked for it.
async fn asked(app: &App, run: &str) -> anyhow::Result<Vec<Fact>> {
    let asked = noted(app, run, Action::RunAsked).await?;
    let fact = |entry: &Entry| {
        Fact::new("scan.asked", Evidence::of([bot_activity::row(entry)]))
            .with("who", Term::Name(entry.actor.name.clone()))
            .with("at", entry.at)
    };
    Ok(asked.iter().map(fact).collect())
}

/// What the log says of a scan under this action.
async fn noted(app: &App, run: &str, action: Action) -> anyhow::Result<Vec<Entry>> {
    let wanted = Wanted { subject: Some(run.to_owned()), limit: 10, ..Wanted::default() };
    let entries = app.store.entries(app.tenant(), &wanted).await?;
    Ok(entries.into_iter().filter(|entry| entry.action == action).collect())
}

/// The change that asked for a scan, once its record was read.
fn changed(run: &str, read: &Snapshot) -> Option<Fact> {
    let (_, id) = run.split_once(CHANGE)?;
    let record = read.audits.iter().find(|record| record.id == id)?;
    Some(policy_changes::made(record, Evidence::of([rows::audit(record)])))
}

/// Notes what became of a scan, with what it was for.
async fn note(app: &App, (action, run, body): (Action, &str, Value), cause: &[Fact]) -> anyhow::Result<()> {
    let mut tx = app.store.begin().await?;
    let evidence = cite::keep(app, &mut tx, cause).await?;
    tx.append(NewEntry { body, evidence, ..entry(app, action, run) }).await?;
    tx.commit().await
}

fn entry(app: &App, action: Action, run: &str) -> NewEntry {
    NewEntry {
        tenant: app.tenant().to_owned(),
        at: app.clock.now(),
        actor: Actor::bot(),
        action,
        subject: run.to_owned(),
        body: json!({}),
        evidence: Vec::new(),
    }
}
