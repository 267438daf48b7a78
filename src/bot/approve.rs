//! Runs the approval: a decision is committed by compare-and-set, then its effects run in a leased job.
//!
//! The state machine is `approval.rs`; here its effects meet the store, the tenant and the chats. Every state is
//! committed before its effects run, so a process that dies at any point leaves something that can be taken up again.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::app::App;
use crate::approval::{AuditRef, Click, Doubt, Effect, Event, Move, Person, Refused, State, Terms, Wish, step};
use crate::chat::card::{Block, Press, Run, Tone, Verb};
use crate::chat::{Incoming, Reply};
use crate::checks::CureAction;
use crate::facts::{Style, Term};
use crate::jobs::Outcome;
use crate::log::{Action, Actor, NewEntry};
use crate::store::approvals::{Approval, NewApproval, Stored};
use crate::store::jobs::{Job, NewJob, Priority};
use crate::store::suggestions::Row;
use crate::tenant::Policy;

use super::effects::{self, Done};
use super::learn;
use super::post::{conversation_id, update_all};
use super::press::{actor, in_days, word};
use super::reconcile::{Body, state};
use super::{approval_card, basis, cite, said_on};

/// Kind of the job that carries an approval out.
pub const JOB: &str = "approval";
/// How long a card may be decided.
const OPEN_DAYS: i64 = 10;
/// States in which a change is under way: they must come to rest.
const UNDER_WAY: &[&str] = &["checking", "intended", "posting", "looking", "reading-back", "undoing"];
/// The shortest and the longest wait before something under way is taken up again.
const SOON: SignedDuration = SignedDuration::from_secs(2);
const SELDOM: SignedDuration = SignedDuration::from_mins(5);
/// What was left for so long isn't looked for any more.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(24 * 30);
/// What is said of a card that isn't any more what somebody saw.
pub(super) const CHANGED: &str = "said.card_changed";
/// A press that lost a race looks again this often.
const ATTEMPTS: usize = 4;

/// An approval with its state machine's own types.
pub struct Case {
    /// As kept.
    pub kept: Approval,
    /// What was fixed when the card was made.
    pub terms: Terms,
    /// Where it is.
    pub state: State,
    /// The suggestion that it decides.
    pub suggestion: Row,
    /// What is suggested now.
    pub body: Body,
    /// What the card asks for, as it was when the card was made.
    pub action: CureAction,
}

impl Case {
    /// The case of an approval.
    ///
    /// # Errors
    /// When the store fails or holds something that isn't one.
    pub async fn load(app: &App, kept: Approval) -> anyhow::Result<Self> {
        let suggestion =
            app.store.suggestion(app.tenant(), kept.suggestion).await?.context("the suggestion of an approval")?;
        let body = Body::of(&suggestion)?;
        Ok(Self {
            terms: serde_json::from_value(kept.terms.clone()).context("the terms of an approval")?,
            state: serde_json::from_value(kept.state.body.clone()).context("the state of an approval")?,
            action: serde_json::from_value(kept.draft.clone()).context("what an approval asks for")?,
            body,
            suggestion,
            kept,
        })
    }

    /// The policy that would be created; none for an edit that a person makes.
    #[must_use]
    pub fn draft(&self) -> Option<&Policy> {
        match &self.action {
            CureAction::Draft(policy) => Some(policy),
            CureAction::HandOver(_) => None,
        }
    }
}

/// The case that decides a suggestion, if one is under way.
///
/// # Errors
/// When the store fails.
pub async fn live_case(app: &App, suggestion: &Row) -> anyhow::Result<Option<Case>> {
    let Some(kept) = app.store.approvals_of(app.tenant(), suggestion.number).await?.pop() else { return Ok(None) };
    let case = Case::load(app, kept).await?;
    Ok(Some(case).filter(|case| !case.state.is_final()))
}

/// Who asks for a card.
#[derive(Debug)]
pub enum Asks {
    /// Nobody: somebody wants to put the suggestion off or turn it down.
    Nobody,
    /// The bot: it is its own suggestion that somebody opened.
    Bot,
    /// A person.
    Person(Person),
}

/// The case that decides a suggestion: the one under way, or a new one.
///
/// # Errors
/// When the store fails.
pub async fn case_of(app: &App, suggestion: &Row, asks: Asks) -> anyhow::Result<Case> {
    if let Some(case) = live_case(app, suggestion).await? {
        return Ok(case);
    }
    let now = app.clock.now();
    let id = uuid::Uuid::new_v4().simple().to_string();
    let (by, asker) = match asks {
        Asks::Nobody => (None, None),
        Asks::Bot => (Some(Actor::bot()), None),
        Asks::Person(person) => (Some(Actor::person(&person.id, &person.name)), Some(person)),
    };
    let terms = terms(app, &id, asker).await?;
    let new = NewApproval {
        id,
        tenant: app.tenant().to_owned(),
        suggestion: suggestion.number,
        conversation: String::new(),
        terms: serde_json::to_value(&terms)?,
        draft: serde_json::to_value(&Body::of(suggestion)?.proposal.action)?,
        state: stored((&State::new(), 1), &terms)?,
        at: now,
    };
    let mut tx = app.store.begin().await?;
    let kept = tx.ask_approval(new).await?;
    // A new card is about what is found now, so the suggestion isn't out of date any more.
    if suggestion.state == state::OUT_OF_DATE {
        tx.change_suggestion(&Row { state: state::OPEN.into(), reason: None, ..suggestion.clone() }).await?;
    }
    if let Some(by) = by {
        let asked = json!({"approval": kept.number});
        tx.append(entry(app, by, Action::ApprovalRequested, suggestion.number, asked)).await?;
    }
    tx.commit().await?;
    Case::load(app, kept).await
}

/// What is fixed when a card is made.
async fn terms(app: &App, id: &str, asker: Option<Person>) -> anyhow::Result<Terms> {
    let analysis = app.newest_analysis().await?;
    Ok(Terms {
        asker,
        needed: app.config.who.approvals_needed,
        expires: app.clock.now() + SignedDuration::from_hours(24 * OPEN_DAYS),
        lag_bound: SignedDuration::try_from(app.config.graph.lag_bound)?,
        marker: format!("[{}]", id.get(..8).unwrap_or_default()),
        ticket: None,
        rests_on: analysis.map(|analysis| basis::of(&analysis.snapshot().policies)).unwrap_or_default(),
    })
}

/// Takes to a case what happened in the tenant or came out of a scan; false when it changes nothing, or somebody was
/// quicker and the next look sees it again.
///
/// # Errors
/// When the store fails.
pub async fn happen(app: &App, case: &Case, event: &Event) -> anyhow::Result<bool> {
    let Ok(moved) = step(&case.terms, &case.state, event) else { return Ok(false) };
    commit(app, case, &moved, (&Actor::bot(), Some(app.clock.now()))).await
}

/// A person's decision, whose right was checked just before; the click came a while ago where Graph was slow.
///
/// # Errors
/// When the store fails: then nothing was decided.
pub async fn decide(app: &App, (incoming, came): (&Incoming, Timestamp), press: &Press) -> anyhow::Result<Reply> {
    for _ in 0..ATTEMPTS {
        let Some(kept) = app.store.approval(&press.subject).await? else {
            return word(app, "refused.no_such_suggestion", &[("number", Term::Word("of this card".into()))]);
        };
        let case = Case::load(app, kept).await?;
        if !is_shown(app, incoming, &case).await? {
            let number = Term::Word(format!("S-{}", case.kept.suggestion));
            return word(app, "refused.not_here", &[("number", number)]);
        }
        if press.verb == Verb::Create && !approval_card::creates(app, &case) {
            let key = if case.draft().is_none() { "refused.hand_over" } else { "refused.hand_over_policy" };
            return word(app, key, &[]);
        }
        let event = event(app, (incoming, came), press);
        let moved = match step(&case.terms, &case.state, &event) {
            Ok(moved) => moved,
            Err(refused) => return said(app, &refused),
        };
        // Somebody saw less than there is to decide now, such as that another did otherwise, or approved meanwhile.
        if press.version != case.kept.state.decided {
            return changed(app, &case).await;
        }
        if !said_on::is_seen(app, &case, press).await? {
            said_on::show_anew(app, &case).await?;
            return changed(app, &case).await;
        }
        if commit(app, &case, &moved, (&actor(incoming), Some(app.clock.now()))).await? {
            if let State::Dismissed { reason, .. } = &moved.state {
                learn::after_dismissal(app, incoming, case.kept.suggestion, reason).await?;
            }
            return shown(app, &press.subject).await;
        }
    }
    word(app, "said.not_now", &[("why", Term::Word("others are deciding at the same moment".into()))])
}

/// Whether a card about this was posted where somebody pressed: a card that was copied or forwarded decides nothing. In the
/// web chat everybody has a conversation of their own, and nobody else writes there.
async fn is_shown(app: &App, incoming: &Incoming, case: &Case) -> anyhow::Result<bool> {
    let here = &incoming.conversation;
    if here.platform == "web" {
        return Ok(true);
    }
    let id = conversation_id(here);
    let copies = app.store.messages_about(&format!("S-{}", case.kept.suggestion)).await?;
    Ok(copies.iter().any(|copy| copy.said.conversation == id))
}

fn event(app: &App, (incoming, came): (&Incoming, Timestamp), press: &Press) -> Event {
    let at = app.clock.now();
    let by = Person { id: incoming.person.id.clone(), name: incoming.person.name.clone() };
    let click = Click { by, at };
    match press.verb {
        Verb::Snooze => Event::Snooze { click, until: in_days(at, press.input.as_deref()) },
        Verb::AskChange => {
            let text = press.input.clone().unwrap_or_default();
            Event::AskChange(Wish { click: Click { at: came, ..click }, text })
        }
        Verb::Dismiss => Event::Dismiss { click, reason: press.input.clone().unwrap_or_default() },
        Verb::Reopen => Event::Reopen(click),
        Verb::Undo => Event::Undo(click),
        Verb::IsThere | Verb::NotThere => Event::Settle { click, there: press.verb == Verb::IsThere },
        _ => Event::Approve(click),
    }
}

/// An approval as it is by now.
///
/// # Errors
/// When the store fails.
pub async fn reloaded(app: &App, approval: &str) -> anyhow::Result<Case> {
    Case::load(app, app.store.approval(approval).await?.context("an approval that was kept")?).await
}

/// The card in its new state, for the person who pressed.
async fn shown(app: &App, approval: &str) -> anyhow::Result<Reply> {
    let case = reloaded(app, approval).await?;
    let card = approval_card::compose_case(app, &case).await?.card;
    Ok(Reply::Card(Box::new(card)))
}

/// The card as it is now, for a person who saw another: nothing is decided.
async fn changed(app: &App, case: &Case) -> anyhow::Result<Reply> {
    let mut card = approval_card::compose_case(app, case).await?.card;
    let words = app.wording.say(CHANGED, &BTreeMap::new(), Style::Full)?;
    card.blocks.insert(0, Block::Text { runs: vec![Run::plain(words)], tone: Tone::Attention });
    Ok(Reply::Card(Box::new(card)))
}

fn said(app: &App, refused: &Refused) -> anyhow::Result<Reply> {
    match refused {
        Refused::Already { what, by, at } => word(
            app,
            "said.already",
            &[("what", Term::Word(what.to_string())), ("who", Term::Name(by.name.clone())), ("at", Term::Time(*at))],
        ),
        Refused::Expired { at } => word(app, "said.expired", &[("at", Term::Time(*at))]),
        other => word(app, "said.not_now", &[("why", Term::Word(other.to_string()))]),
    }
}

/// Commits a move: the new state, its entries, the suggestion's state and the job that carries it on when that is `due`,
/// all or nothing. False when somebody was quicker.
async fn commit(app: &App, case: &Case, moved: &Move, (by, due): (&Actor, Option<Timestamp>)) -> anyhow::Result<bool> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let next = stored((&moved.state, decided(case, &moved.state)), &case.terms)?;
    if !tx.move_approval(&case.kept, &next, now).await? {
        return Ok(false);
    }
    let row = mirrored(&case.suggestion, &moved.state, now);
    if row.state != case.suggestion.state && !tx.change_suggestion(&row).await? {
        return Ok(false);
    }
    if let Some(due) = due {
        tx.enqueue(&showing(case, due)).await?;
    }
    // What a record of the tenant's own log shows is cited by it.
    let evidence = cite::keep(app, &mut tx, &approval_card::shown_by(&moved.state)).await?;
    // The log's row comes last: it stays locked until commit.
    for effect in &moved.effects {
        let action = match effect {
            Effect::Record(action) => *action,
            Effect::CommitIntent => Action::PolicyCreateIntended,
            _ => continue,
        };
        let entry = entry(app, by.clone(), action, case.kept.suggestion, particulars(case, &moved.state));
        tx.append(NewEntry { evidence: evidence.clone(), ..entry }).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// The job that shows the next version of an approval, and carries it on.
pub(super) fn showing(case: &Case, due: Timestamp) -> NewJob {
    let id = format!("approval:{}:{}", case.kept.id, case.kept.version + 1);
    let payload = json!({"approval": case.kept.id});
    NewJob { id, kind: JOB.into(), payload, priority: Priority::Approval, due }
}

/// Carries an approval on from wherever it is: shows its state, then resumes its effects until there are none left.
///
/// # Errors
/// When the store, the tenant or a chat fails; the job tries again, and as long as a change is under way it isn't given up.
pub async fn carry_out(app: Arc<App>, job: Job) -> anyhow::Result<Outcome> {
    let id = job.payload.get("approval").and_then(|id| id.as_str()).context("a job without its approval")?;
    let at = app.clock.now();
    let event = if job.payload.get("due").is_some() { Event::Due { at } } else { Event::Resumed { at } };
    match carry_on(&app, id, event).await {
        Err(error) => match again(&app, id).await? {
            Some(at) => {
                tracing::warn!(approval = id, error = %format!("{error:#}"), "an approval has to wait");
                Ok(Outcome::Again(at))
            }
            None => Err(error),
        },
        carried => carried,
    }
}

/// When to take up again an approval that is under way; none when it is at rest.
async fn again(app: &App, id: &str) -> anyhow::Result<Option<Timestamp>> {
    let Some(kept) = app.store.approval(id).await? else { return Ok(None) };
    if !UNDER_WAY.contains(&kept.state.name.as_str()) {
        return Ok(None);
    }
    let now = app.clock.now();
    let wait = (now.duration_since(kept.changed) / 2).clamp(SOON, SELDOM);
    Ok(Some(now.saturating_add(wait)?))
}

/// Takes up what is under way and was left for longer than Graph may lag, whatever became of its job, and looks again for
/// what a person was asked about.
///
/// # Errors
/// When the store fails.
pub async fn take_up(app: &App) -> anyhow::Result<()> {
    let now = app.clock.now();
    let bound = SignedDuration::try_from(app.config.graph.lag_bound)?.max(SOON);
    let turn = now.as_second().div_euclid(bound.as_secs());
    let states: Vec<&str> = UNDER_WAY.iter().copied().chain(["needs-person"]).collect();
    for kept in app.store.approvals_in(app.tenant(), &states).await? {
        let left = now.duration_since(kept.changed);
        if left < bound + SOON || left > LONG_AGO {
            continue;
        }
        let id = format!("approval-left:{}:{}:{turn}", kept.id, kept.version);
        let payload = json!({"approval": kept.id});
        app.store.enqueue(&NewJob { id, kind: JOB.into(), payload, priority: Priority::Approval, due: now }).await?;
    }
    Ok(())
}

async fn carry_on(app: &App, id: &str, first: Event) -> anyhow::Result<Outcome> {
    let mut event = first;
    loop {
        let case = reloaded(app, id).await?;
        show(app, &case).await?;
        let Ok(moved) = step(&case.terms, &case.state, &event) else { return Ok(Outcome::Done) };
        if !advance(app, &case, &moved).await? {
            return Ok(Outcome::Again(app.clock.now()));
        }
        let case = reloaded(app, id).await?;
        show(app, &case).await?;
        event = match effects::run(app, &case, &moved.effects).await? {
            Done::Next(event) => event,
            // A person was asked already; whoever looks for what is left looks for it again.
            Done::Later(_) if matches!(case.state, State::NeedsPerson { .. }) => return Ok(Outcome::Done),
            Done::Later(at) => return Ok(Outcome::Again(at)),
            Done::Nothing => return Ok(Outcome::Done),
        };
    }
}

/// Commits a move of the worker; a move that changes nothing (`looking`, resumed) needs no commit.
async fn advance(app: &App, case: &Case, moved: &Move) -> anyhow::Result<bool> {
    let recorded = moved.effects.iter().any(|effect| matches!(effect, Effect::Record(_) | Effect::CommitIntent));
    if moved.state == case.state && !recorded {
        return Ok(true);
    }
    commit(app, case, moved, (&Actor::bot(), look_again(app, case, moved))).await
}

/// When another job takes up what this one is at. It goes on itself, and after a crash as soon as its lease is over; a
/// second one beside it would find a request under way and take its outcome for unknown. Should it be given up, the
/// other one looks when the tenant must show what was created.
fn look_again(app: &App, case: &Case, moved: &Move) -> Option<Timestamp> {
    let under_way = matches!(moved.state, State::Creating { .. } | State::Undoing { .. });
    under_way.then(|| app.clock.now().saturating_add(case.terms.lag_bound).unwrap_or(Timestamp::MAX))
}

/// Shows the present state on every copy of the card.
async fn show(app: &App, case: &Case) -> anyhow::Result<()> {
    let composed = approval_card::compose_case(app, case).await?;
    update_all(app, &format!("S-{}", case.kept.suggestion), case.kept.version, &composed).await
}

/// The version that the buttons carry after a move to this state: the same where nothing changes of what is decided.
fn decided(case: &Case, next: &State) -> i64 {
    if next.decides_as(&case.state) { case.kept.state.decided } else { case.kept.version + 1 }
}

/// A state as the store keeps it.
fn stored((state, decided): (&State, i64), terms: &Terms) -> anyhow::Result<Stored> {
    Ok(Stored { name: state.name().to_owned(), body: serde_json::to_value(state)?, due: state.due(terms), decided })
}

/// The suggestion's own state follows its approval.
fn mirrored(row: &Row, state: &State, now: Timestamp) -> Row {
    let (name, reason, until) = match state {
        State::Open { .. } | State::Expired | State::Refused { .. } | State::Settled { there: false, .. } => {
            (state::OPEN, None, None)
        }
        State::Settled { click, .. } => {
            let reason = format!("{} looked: the policy is in the tenant", click.by.name);
            (state::RESOLVED, Some(reason), None)
        }
        State::Snoozed { until, .. } => (state::SNOOZED, None, Some(*until)),
        State::Dismissed { reason, .. } => (state::DISMISSED, Some(reason.clone()), None),
        State::Creating { .. } | State::Undoing { .. } => (state::CREATING, None, None),
        State::Created(_) => (state::CREATED, None, None),
        State::Undone { .. } => (state::UNDONE, None, None),
        State::Gone { .. } => (state::GONE, None, None),
        State::OutOfDate { why } => (state::OUT_OF_DATE, Some(why.clone()), None),
        State::NeedsPerson { .. } => (state::NEEDS_PERSON, Some(doubt_words(state)), None),
        State::Resolved { proof, record } => (state::RESOLVED, Some(proved(proof, record.as_ref())), None),
    };
    Row { state: name.to_owned(), reason, until, changed: now, ..row.clone() }
}

/// The evidence in one line, for lists.
fn proved(proof: &str, record: Option<&AuditRef>) -> String {
    record.map_or_else(|| proof.to_owned(), |record| format!("{proof} by {} (audit record {})", record.by, record.id))
}

/// What a person has to settle, and of which policy; nothing in any other state.
#[must_use]
pub fn doubt_words(state: &State) -> String {
    let State::NeedsPerson { doubt, policy_id, others, .. } = state else { return String::new() };
    let words = match doubt {
        Doubt::NotFound => "no policy with the marker appeared; look in the tenant before anything else is created",
        Doubt::NotReadable => "Graph gave the policy an id but doesn't show it",
        Doubt::Differs => "the policy in the tenant isn't as it was drafted",
        Doubt::NotListed => {
            "the policies can't be listed, so nobody knows whether it was created; I keep looking. Look in the tenant \
             before anything else is created"
        }
        Doubt::Several => "several policies in the tenant carry the marker; at most one of them was approved",
        Doubt::NotRemoved => "it could not be taken back; look in the tenant whether it is still there",
    };
    let ids: Vec<&str> = policy_id.iter().chain(others).map(String::as_str).collect();
    let named = if ids.len() > 1 { "policy ids" } else { "policy id" };
    if ids.is_empty() { words.to_owned() } else { format!("{words} ({named} {})", ids.join(", ")) }
}

fn particulars(case: &Case, state: &State) -> serde_json::Value {
    json!({
        "approval": case.kept.number,
        "state": state.name(),
        "marker": case.terms.marker,
        "policy": case.draft().map(|policy| &policy.display_name),
        "snapshot": case.body.snapshot,
        "details": state,
    })
}

fn entry(app: &App, by: Actor, action: Action, suggestion: i64, body: serde_json::Value) -> NewEntry {
    NewEntry {
        tenant: app.tenant().to_owned(),
        at: app.clock.now(),
        actor: by,
        action,
        subject: format!("S-{suggestion}"),
        body,
        evidence: Vec::new(),
    }
}
