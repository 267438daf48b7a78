//! A message on its way from a chat to an answer: may this person ask here, what is meant, which facts, in which order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::chat::card::{Press, Verb};
use crate::chat::{Event, Incoming};
use crate::facts::{Evidence, Fact, Term};
use crate::log::{Action, Actor, NewEntry};
use crate::store::jobs::{NewJob, Priority};
use crate::store::settings::Key;
use crate::tenant::Snapshot;

use super::access::{Right, right_of};
use super::answer::{Answer, Part, ask};
use super::answers::{self, Asked};
use super::combined;
use super::compose::{Composed, compose, orderable};
use super::evidence;
use super::intent::{self, Intent, Previous, Routed, SlotName};
use super::post::{Post, alone_with, conversation_id, described, post};
use super::reconcile::state;
use super::{first_scan, learn, lookup, progress};

/// Kind of the job that answers a message.
pub const JOB: &str = "message";

/// The job that answers a message. Its key begins with who sent it, so that what one person has waiting can be counted.
///
/// # Errors
/// When the message can't be written as JSON.
pub fn job(incoming: &Incoming, due: Timestamp) -> anyhow::Result<NewJob> {
    Ok(NewJob {
        id: format!("{}{}", of_person(incoming), incoming.key),
        kind: JOB.into(),
        payload: serde_json::to_value(incoming)?,
        priority: Priority::Question,
        due,
    })
}

/// How the keys of all jobs begin that answer this person.
#[must_use]
pub fn of_person(incoming: &Incoming) -> String {
    format!("{}:{}:", incoming.conversation.platform, incoming.person.id)
}

/// Answers a message that was stored before; a repeat answers nothing twice.
///
/// # Errors
/// When the store, the tenant or the platform fails; the job tries again.
pub async fn hear(app: &App, incoming: &Incoming) -> anyhow::Result<()> {
    if incoming.event == Event::Removed {
        return part(app, incoming).await;
    }
    meet(app, incoming).await?;
    if let Event::Feedback { liked, text, message: Some(message) } = &incoming.event {
        return learn::feedback(app, incoming, (*liked, text), message).await;
    }
    if !is_question(&incoming.event) {
        return Ok(());
    }
    if let Some(refused) = refusal(app, incoming).await? {
        return refuse(app, incoming, refused).await;
    }
    let (answer, about) = match &incoming.event {
        Event::Text(text) => reply(app, incoming, text).await?,
        Event::Press(press) => (compose(evidence::answer(app, &press.subject).await?, None, &app.wording)?, None),
        _ => return Ok(()),
    };
    let (subject, version) = about.map_or((None, 0), |(subject, version)| (Some(subject), version));
    let to = Post { key: format!("answer:{}", incoming.key), to: &incoming.conversation, subject, version };
    post(app, to, &answer).await
}

/// Whether somebody waits for an answer: words, or a citation that is opened.
fn is_question(event: &Event) -> bool {
    matches!(event, Event::Text(_) | Event::Press(Press { verb: Verb::Evidence, .. }))
}

/// Keeps where the message came from, so that the bot can speak there again.
async fn meet(app: &App, incoming: &Incoming) -> anyhow::Result<()> {
    let mut tx = app.store.begin().await?;
    tx.meet(&described(&incoming.conversation, &incoming.person)?, app.clock.now()).await?;
    tx.commit().await
}

/// Forgets a conversation that the bot was removed from: nothing can be said there any more.
async fn part(app: &App, incoming: &Incoming) -> anyhow::Result<()> {
    let mut tx = app.store.begin().await?;
    tx.part(&conversation_id(&incoming.conversation)).await?;
    tx.commit().await
}

/// Says a refusal where only this person reads it; where there is no such place, the activity log alone has it.
async fn refuse(app: &App, incoming: &Incoming, refused: Answer) -> anyhow::Result<()> {
    let Some(to) = alone_with(app, incoming).await? else { return Ok(()) };
    let post_to = Post { key: format!("answer:{}", incoming.key), to: &to, subject: None, version: 0 };
    post(app, post_to, &compose(refused, None, &app.wording)?).await
}

/// Why this person gets no answer here, if so.
async fn refusal(app: &App, incoming: &Incoming) -> anyhow::Result<Option<Answer>> {
    let right = right_of(app, &incoming.person).await?;
    if right == Right::None {
        log(app, incoming, Action::QuestionRefused, "no right to ask").await?;
        return Ok(Some(refused("refused.no_right")));
    }
    let known = app.store.conversation(&conversation_id(&incoming.conversation)).await?;
    let enabled = incoming.conversation.personal || known.is_some_and(|kept| kept.enabled);
    if enabled {
        return Ok(None);
    }
    log(app, incoming, Action::QuestionRefused, "channel not enabled").await?;
    let mut answer = refused("refused.channel");
    if right == Right::Decide {
        answer = answer.action(super::buttons::enable_channel(&conversation_id(&incoming.conversation)));
    }
    Ok(Some(answer))
}

/// An answer in words, and what its card shows in which version.
type Worded = (Composed, Option<(String, i64)>);

async fn reply(app: &App, incoming: &Incoming, text: &str) -> anyhow::Result<Worded> {
    let turn_key = format!("turn:{}:{}", conversation_id(&incoming.conversation), incoming.person.id);
    let turn: Option<Turn> = app.store.setting(app.tenant(), &turn_key).await?;
    let previous = turn.and_then(Turn::read);
    let Some(analysis) = app.newest_analysis().await? else {
        let answer = first_scan::answer(app, right_of(app, &incoming.person).await?).await?;
        return Ok((compose(answer, None, &app.wording)?, None));
    };
    let routed = lookup::route(analysis.snapshot(), text, previous.as_ref());
    let asked = Asked {
        app,
        analysis: &analysis,
        text,
        routed: &routed,
        previous: previous.as_ref(),
        person: &incoming.person,
        right: right_of(app, &incoming.person).await?,
        conversation: &incoming.conversation,
        now: app.clock.now(),
    };
    let two = combined::of(asked).await?;
    let asked = two.as_ref().map_or(asked, |two| Asked { text: &two.first, routed: &two.routed, ..asked });
    let routed = asked.routed;
    let answer = if routed.sure {
        answers::answer(asked).await?
    } else {
        unsure(app, routed, answers::answer(asked).await?).await?
    };
    let answer = two.iter().fold(answer, |answer, two| two.noted(answer));
    let subject = answers::subject_of(asked);
    let next = Turn { intent: routed.intent.as_str().to_owned(), subject };
    app.store.set(Key { tenant: app.tenant(), name: &turn_key, at: app.clock.now() }, &next).await?;
    log(app, incoming, Action::QuestionAnswered, routed.intent.as_str()).await?;
    let answer = staged(app, analysis.snapshot(), answer).await?;
    let about = answer.subject.clone();
    Ok((in_order(app, routed, answer).await?, about))
}

/// Says under an answer from a reading without logs how far the scan is that reads them.
async fn staged(app: &App, read: &Snapshot, answer: Answer) -> anyhow::Result<Answer> {
    let far = if read.is_early() { progress::under_way(app).await? } else { None };
    let Some(far) = far.map(|under_way| under_way.fact) else { return Ok(answer) };
    // An answer about the scan has said it.
    let is_said = answer
        .parts
        .iter()
        .any(|part| matches!(part, Part::Sentences(facts) if facts.iter().any(|fact| fact.key == far.key)));
    Ok(if is_said { answer } else { answer.part(Part::Limits(vec![far])) })
}

/// What is remembered of a turn, so that "and from Android?" is understood.
#[derive(Serialize, Deserialize)]
struct Turn {
    intent: String,
    subject: String,
}

impl Turn {
    fn read(self) -> Option<Previous> {
        Some(Previous { intent: self.intent.parse().ok()?, subject: self.subject })
    }
}

/// Offers the next best readings as buttons under the answer to the best one, each a question that a person would ask.
async fn unsure(app: &App, routed: &Routed, answer: Answer) -> anyhow::Result<Answer> {
    let decided = is_decided(app, routed).await?;
    let fits = |intent: &&Intent| !decided || !DECIDING.contains(intent);
    let alternatives = routed.alternatives.iter().filter(fits);
    let questions = alternatives.filter_map(|intent| intent::question(*intent, &routed.slots));
    Ok(questions.fold(answer, |answer, question| answer.action(ask(&question, question.as_str()))))
}

/// What can't be asked for any more once a suggestion is carried out.
const DECIDING: [Intent; 3] = [Intent::ProposeChange, Intent::SnoozeSuggestion, Intent::DismissSuggestion];

/// Whether the suggestion that a message names is carried out, or being carried out.
async fn is_decided(app: &App, routed: &Routed) -> anyhow::Result<bool> {
    let named = routed.slots.get(&SlotName::Suggestion).and_then(|named| named.first());
    let number = named.and_then(|named| named.trim_start_matches(['S', 's', '-']).parse().ok());
    let Some(number) = number else { return Ok(false) };
    let row = app.store.suggestion(app.tenant(), number).await?;
    Ok(row.is_some_and(|row| [state::CREATING, state::CREATED].contains(&row.state.as_str())))
}

/// Lets a model order the first paragraph, if there is one and it keeps to the rules; otherwise the order stands.
async fn in_order(app: &App, routed: &Routed, answer: Answer) -> anyhow::Result<Composed> {
    let mut plan = None;
    if let Some(explainer) = &app.explainer {
        match explainer.plan(routed.intent.about(), orderable(&answer), &app.wording).await {
            Ok(held) => plan = Some(held),
            Err(reason) => tracing::info!(reason = %reason, "the answer stands as the template has it"),
        }
    }
    Ok(compose(answer, plan.as_ref(), &app.wording)?)
}

/// A refusal in the words of this key.
#[must_use]
pub fn refused(key: &str) -> Answer {
    let fact = Fact::new(key, Evidence::default()).must_show();
    Answer { kind: crate::chat::card::Kind::Refusal, ..Answer::default() }.part(Part::Sentences(vec![fact]))
}

/// A refusal with terms.
#[must_use]
pub fn refused_with(key: &str, name: &str, term: impl Into<Term>) -> Answer {
    let fact = Fact::new(key, Evidence::default()).with(name, term).must_show();
    Answer { kind: crate::chat::card::Kind::Refusal, ..Answer::default() }.part(Part::Sentences(vec![fact]))
}

async fn log(app: &App, incoming: &Incoming, action: Action, what: &str) -> anyhow::Result<()> {
    let entry = NewEntry {
        tenant: app.tenant().to_owned(),
        at: app.clock.now(),
        actor: Actor::person(&incoming.person.id, &incoming.person.name),
        action,
        subject: what.to_owned(),
        body: json!({"platform": incoming.conversation.platform}),
        evidence: Vec::new(),
    };
    app.store.append(entry).await?;
    Ok(())
}
