//! What a scan that somebody asked for has changed, said where they asked, once it is over.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::bot::analysis::Analysis;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::compose::compose;
use crate::bot::post::{Post, conversation_id, post};
use crate::chat::Conversation;
use crate::facts::{Evidence, Fact, Term};
use crate::jobs::Outcome;
use crate::store::Tx;
use crate::store::jobs::{Job, NewJob, Priority};
use crate::store::runs::{Run, RunState};

use super::Remembered;
use super::card::{self, Open};
use super::measures::{self, Worse};
use super::since::Since;

/// Kind of the job that waits for the scan.
pub const JOB: &str = "after-scan";
/// How often it looks.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// A scan that isn't over by then is said to have failed.
const PATIENCE: SignedDuration = SignedDuration::from_hours(3);
/// How many new suggestions are named.
const NAMED: usize = 5;

/// Where to say what came of which scan, and how things stood before it.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    run: String,
    to: Conversation,
    before: Option<Remembered>,
    at: jiff::Timestamp,
}

/// Promises a conversation to say what a scan changes, in the transaction that asks for the scan.
///
/// # Errors
/// When the store fails.
pub async fn promise(app: &App, tx: &mut Tx, (run, to, before): (&str, &Conversation, Before)) -> anyhow::Result<()> {
    let at = app.clock.now();
    let asked = Asked { run: run.to_owned(), to: to.clone(), before: before.0, at };
    let job = NewJob {
        id: format!("{JOB}:{run}:{}", conversation_id(to)),
        kind: JOB.into(),
        payload: serde_json::to_value(asked)?,
        priority: Priority::Question,
        due: at,
    };
    tx.enqueue(&job).await.map(drop)
}

/// How things stand before a scan.
#[derive(Debug)]
pub struct Before(Option<Remembered>);

impl Before {
    /// As they stand now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn now(app: &App) -> anyhow::Result<Self> {
        let Some(analysis) = app.newest_analysis().await? else { return Ok(Self(None)) };
        Ok(Self(Some(Remembered {
            at: app.clock.now(),
            snapshot: analysis.hash.clone(),
            covered: measures::of(&analysis).iter().map(measures::Measure::remembered).collect(),
            needs: card::open(app).await?.into_iter().map(|open| open.number).collect(),
        })))
    }
}

/// Says what the scan changed, or why it didn't end well; waits while it is under way.
///
/// # Errors
/// When the store or the chat fails; the job tries again, and says nothing twice.
pub async fn say(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    let asked: Asked = serde_json::from_value(job.payload).context("who asked for a scan")?;
    let now = app.clock.now();
    let run = app.store.run(&asked.run).await?.filter(|run| run.state != RunState::Running);
    if run.is_none() && now < asked.at.saturating_add(PATIENCE)? {
        return Ok(Outcome::Again(now.saturating_add(PAUSE)?));
    }
    let answer = match (&run, app.newest_analysis().await?) {
        (Some(Run { state: RunState::Finished, .. }), Some(analysis)) => finished(&app, &asked, &analysis).await?,
        (run, _) => Answer::default().part(Part::Warning(vec![unread(run.as_ref())])),
    };
    let composed = compose(answer, None, &app.wording)?;
    post(&app, Post { key: job.id, to: &asked.to, subject: None, version: 0 }, &composed).await?;
    Ok(Outcome::Done)
}

async fn finished(app: &App, asked: &Asked, analysis: &Analysis) -> anyhow::Result<Answer> {
    let before = asked.before.as_ref();
    let since = Since::of(app, analysis, before).await;
    let nothing = Fact::new("scan.same", Evidence::default()).with("since", asked.at).must_show();
    let changed = if since.is_nothing() { nothing } else { since.fact(analysis) };
    let done = Fact::new("scan.done", Evidence::default()).with("at", analysis.snapshot().read_at).must_show();
    let mut answer = Answer::default().part(Part::Sentences(vec![done]));
    answer = answer.part(Part::Rows(vec![("Changed".to_owned(), vec![changed])]));
    let worse = measures::of(analysis).into_iter().filter_map(|measure| measure.worse(before, (&since, analysis)));
    let mut lost = Vec::new();
    let mut item = |worse: Worse| {
        let (who, sheet) = worse.names(analysis);
        lost.extend(sheet);
        (worse.fact, vec![who])
    };
    let worse: Vec<_> = worse.map(&mut item).collect();
    answer.sheets = lost;
    let known = |open: &Open| before.is_some_and(|before| before.needs.contains(&open.number));
    let new: Vec<Open> = card::open(app).await?.into_iter().filter(|open| !known(open)).collect();
    let items: Vec<_> = worse.into_iter().chain(new.iter().take(NAMED).map(suggested)).collect();
    if !items.is_empty() {
        answer = answer.part(Part::Heading("New".into())).part(Part::List { ordered: false, items });
    }
    let more = new.len().saturating_sub(NAMED);
    if more > 0 {
        let fact = Fact::new("scan.more", Evidence::default()).with("count", more).must_show();
        answer = answer.part(Part::Sentences(vec![fact]));
    }
    Ok(answer
        .action(ask("Whole summary", "how do we look today?"))
        .action(ask("Open suggestions", "show open suggestions")))
}

/// Why there is no new reading.
fn unread(run: Option<&Run>) -> Fact {
    let said = |key: &str| Fact::new(key, Evidence::default()).must_show();
    match run {
        Some(Run { state: RunState::Cancelled, .. }) => said("scan.cancelled"),
        Some(Run { error: Some(error), .. }) => said("scan.failed").with("why", Term::Text(error.clone())),
        _ => said("scan.lost"),
    }
}

fn suggested(open: &Open) -> (Fact, Vec<crate::chat::card::Action>) {
    let number = format!("S-{}", open.number);
    let fact = Fact::new("scan.suggested", open.evidence.clone())
        .with("number", Term::Word(number.clone()))
        .with("title", Term::Name(open.title.clone()));
    (fact, vec![ask("Open", format!("propose {number}"))])
}
