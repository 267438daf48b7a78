//! A line to those who decided, when what they decided can't be had: refused, out of date, or for a person to settle.
//!
//! Every copy of the card says so too; but whoever clicked went on to other things, and waits for a policy.

use std::sync::Arc;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::approval::{AuditRef, Made, Person, State};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::jobs::Outcome;
use crate::store::jobs::{Job, NewJob, Priority};

use super::answer::{Answer, Part, ask};
use super::approve::{Case, doubt_words};
use super::compose::compose;
use super::post::{Post, conversation, post};

/// Kind of the job that tells one person.
pub const JOB: &str = "tell";

/// Who is told what.
#[derive(Debug, Serialize, Deserialize)]
struct Word {
    approval: String,
    person: String,
}

/// Has these people told where an approval came to; each of them once for each of its versions.
///
/// # Errors
/// When the store fails.
pub async fn request(app: &App, case: &Case, people: &[Person]) -> anyhow::Result<()> {
    for person in people {
        let word = Word { approval: case.kept.id.clone(), person: person.id.clone() };
        let job = NewJob {
            id: format!("tell:{}:{}:{}", case.kept.id, case.kept.version, person.id),
            kind: JOB.into(),
            payload: serde_json::to_value(word)?,
            priority: Priority::Question,
            due: app.clock.now(),
        };
        app.store.enqueue(&job).await?;
    }
    Ok(())
}

/// Tells one person, in their own conversation with the bot; who has none sees it on the card.
///
/// # Errors
/// When the store or the chat fails; the job tries again, and says nothing twice.
pub async fn say(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    let Word { approval, person } = serde_json::from_value(job.payload).context("whom to tell what")?;
    let kept = app.store.approval(&approval).await?.context("the approval of a job")?;
    let case = Case::load(&app, kept).await?;
    let Some(standing) = standing(&case) else { return Ok(Outcome::Done) };
    let Some(theirs) = app.store.personal(app.tenant(), &person, None).await? else { return Ok(Outcome::Done) };
    let Some(to) = conversation(&app, &theirs.id).await? else { return Ok(Outcome::Done) };
    let number = format!("S-{}", case.kept.suggestion);
    let about = Fact::new("approval.told", Evidence::default())
        .with("number", Term::Word(number.clone()))
        .with("title", Term::Name(case.suggestion.title.clone()))
        .must_show();
    let answer = Answer::default().part(Part::Warning(vec![about, standing]));
    let composed = compose(answer.action(ask("Open", format!("propose {number}"))), None, &app.wording)?;
    post(&app, Post { key: job.id, to: &to, subject: None, version: 0 }, &composed).await?;
    Ok(Outcome::Done)
}

/// Why there is no policy, or none less; none when there is nothing to tell any more.
fn standing(case: &Case) -> Option<Fact> {
    let said = |key: &str| Fact::new(key, Evidence::default()).must_show();
    Some(match &case.state {
        State::Refused { why } => said("approval.refused").with("why", Term::Text(why.clone())),
        State::OutOfDate { why } => said("approval.out_of_date").with("why", Term::Text(why.clone())),
        State::Expired => said("approval.expired"),
        state @ State::NeedsPerson { .. } => said("approval.needs_person").with("why", Term::Word(doubt_words(state))),
        State::Created(Made { kept: Some(kept), .. }) => {
            kept.record.as_ref().map_or_else(|| said("approval.kept"), |record| by_record("approval.kept_by", record))
        }
        _ => return None,
    })
}

/// A sentence about a change in the tenant, whose record is its citation.
fn by_record(key: &str, record: &AuditRef) -> Fact {
    let AuditRef { id, at, activity, by, target, .. } = record.clone();
    let fact = Fact::new(key, Evidence::of([Row::Audit { id: id.clone(), at, activity, by: by.clone(), target }]));
    fact.must_show().with("who", Term::Name(by)).with("at", at).with("record", Term::Word(id))
}
