//! The moves: one function a state; what isn't written here is refused.

use jiff::Timestamp;

use super::{
    AuditRef, Click, Did, Doubt, Effect, Event, Made, Move, Person, Phase, Refused, State, Terms, Tried, Wish,
};
use crate::log::Action;

/// Takes an approval from one state to the next; the table of moves is in the module's documentation.
pub fn step(terms: &Terms, state: &State, event: &Event) -> Result<Move, Refused> {
    let next = match state {
        State::Open { granted, tried, wishes } => {
            open(terms, Waiting { granted, tried: tried.as_ref(), wishes }, event)
        }
        State::Snoozed { until, .. } => snoozed(*until, event),
        State::Dismissed { .. } => dismissed(event),
        State::Creating { granted, phase } => Creating { terms, granted }.step(phase, event),
        State::Created(made) => created(made, event),
        State::Undoing { made, click } => undoing(terms, (made, click), event),
        State::NeedsPerson { doubt, policy_id, .. } if matches!(event, Event::Settle { .. }) => {
            settled((*doubt, policy_id.as_deref()), event)
        }
        State::NeedsPerson { granted, doubt, policy_id, .. } => {
            let looks = policy_id.is_none() && matches!(doubt, Doubt::NotFound | Doubt::NotListed);
            needs_person(Creating { terms, granted }, (*doubt, looks), event)
        }
        _ => Err(Not::Here),
    };
    next.map_err(|not| match not {
        Not::Here => Refused::of(state, event),
        Not::Because(refused) => refused,
    })
}

type Next = Result<Move, Not>;

/// Why there is no move: the event has no place in this state, or its particulars are wrong.
enum Not {
    Here,
    Because(Refused),
}

impl From<Refused> for Not {
    fn from(refused: Refused) -> Self {
        Self::Because(refused)
    }
}

/// A move that is recorded and shown.
fn seen(state: State, action: Action) -> Move {
    Move { state, effects: vec![Effect::Record(action), Effect::UpdateCard] }
}

/// A move that besides must reach those who approved.
fn told(state: State, action: Action, granted: &[Click]) -> Move {
    let people: Vec<Person> = granted.iter().map(|click| click.by.clone()).collect();
    Move { state, effects: vec![Effect::Record(action), Effect::UpdateCard, Effect::Tell(people)] }
}

fn not_before(until: Timestamp, at: Timestamp) -> Result<(), Refused> {
    if at < until { Err(Refused::TooEarly { until }) } else { Ok(()) }
}

/// How many wishes a card shows.
const WISHES: usize = 3;

/// Who approved so far, what somebody did about it otherwise, and what people want to be different.
#[derive(Clone, Copy)]
struct Waiting<'a> {
    granted: &'a [Click],
    tried: Option<&'a Tried>,
    wishes: &'a [Wish],
}

impl Waiting<'_> {
    /// Goes on waiting, with these approvals.
    fn with(self, granted: Vec<Click>) -> State {
        State::Open { granted, tried: self.tried.cloned(), wishes: self.wishes.to_vec() }
    }

    /// Goes on waiting, with one more wish; approvals stand, since nothing that was approved has changed.
    fn wished(self, wish: &Wish) -> Result<State, Refused> {
        // A person's newest stands for all theirs, so that nobody pushes out what others asked.
        let (own, others): (Vec<&Wish>, Vec<&Wish>) =
            self.wishes.iter().partition(|known| known.click.by.id == wish.click.by.id);
        // While Graph is slow they may be looked at in another order than they came, or twice.
        if let Some(newer) = own.iter().find(|known| known.click.at > wish.click.at || *known == &wish) {
            return Err(Refused::already(Did::AskedChange, &newer.click));
        }
        let old = others.len().saturating_sub(WISHES - 1);
        let wishes = others.into_iter().skip(old).chain([wish]).cloned().collect();
        Ok(State::Open { granted: self.granted.to_vec(), tried: self.tried.cloned(), wishes })
    }
}

fn open(terms: &Terms, waiting: Waiting<'_>, event: &Event) -> Next {
    Ok(match event {
        Event::Approve(click) => approve(terms, waiting, click)?,
        Event::Withdraw(click) => withdraw(waiting, click)?,
        Event::AskChange(wish) => seen(waiting.wished(wish)?, Action::SuggestionChangeAsked),
        Event::Snooze { click, until } => {
            not_before(click.at, *until)?;
            seen(State::Snoozed { click: click.clone(), until: *until }, Action::SuggestionSnoozed)
        }
        Event::Dismiss { click, reason } => dismiss(click, reason),
        Event::OutOfDate { why } => seen(State::OutOfDate { why: why.clone() }, Action::SuggestionOutOfDate),
        Event::Due { at } => {
            not_before(terms.expires, *at)?;
            seen(State::Expired, Action::ApprovalExpired)
        }
        Event::Resolved { proof, record } => resolved(proof, record.as_ref()),
        Event::Done { record, policy_id } => done(record, policy_id.as_deref()),
        Event::DoneOtherwise(tried) => {
            let state = Waiting { tried: Some(tried), ..waiting }.with(waiting.granted.to_vec());
            seen(state, Action::SuggestionDoneOtherwise)
        }
        _ => return Err(Not::Here),
    })
}

fn approve(terms: &Terms, waiting: Waiting<'_>, click: &Click) -> Result<Move, Refused> {
    let granted = waiting.granted;
    if click.at >= terms.expires {
        return Err(Refused::Expired { at: terms.expires });
    }
    if terms.needed > 1 && terms.asker.as_ref().is_some_and(|asker| asker.id == click.by.id) {
        return Err(Refused::Asker);
    }
    if let Some(earlier) = granted.iter().find(|earlier| earlier.by.id == click.by.id) {
        return Err(Refused::already(Did::Approved, earlier));
    }
    let granted: Vec<Click> = granted.iter().chain([click]).cloned().collect();
    let record = Effect::Record(Action::ApprovalGranted);
    if granted.len() < usize::from(terms.needed) {
        let state = waiting.with(granted);
        return Ok(Move { state, effects: vec![record, Effect::UpdateCard] });
    }
    let state = State::Creating { granted, phase: Phase::Checking };
    Ok(Move { state, effects: vec![record, Effect::CheckAgain, Effect::UpdateCard] })
}

fn withdraw(waiting: Waiting<'_>, click: &Click) -> Result<Move, Refused> {
    let granted = waiting.granted;
    let left: Vec<Click> = granted.iter().filter(|earlier| earlier.by.id != click.by.id).cloned().collect();
    if left.len() == granted.len() {
        return Err(Refused::NotGranted);
    }
    let effects = vec![Effect::Record(Action::ApprovalWithdrawn), Effect::UpdateCard];
    Ok(Move { state: waiting.with(left), effects })
}

fn dismiss(click: &Click, reason: &str) -> Move {
    seen(State::Dismissed { click: click.clone(), reason: reason.to_owned() }, Action::SuggestionDismissed)
}

fn resolved(proof: &str, record: Option<&AuditRef>) -> Move {
    let state = State::Resolved { proof: proof.to_owned(), record: record.cloned() };
    seen(state, Action::SuggestionResolved)
}

/// A person did what the card says. A new policy waits in report-only as one of the bot's would; an edit settles it.
fn done(record: &AuditRef, policy_id: Option<&str>) -> Move {
    let Some(policy_id) = policy_id else { return resolved("done as described", Some(record)) };
    let made = Made {
        granted: Vec::new(),
        policy_id: policy_id.to_owned(),
        at: record.at,
        record: Some(record.clone()),
        kept: None,
    };
    seen(State::Created(made), Action::SuggestionDone)
}

/// Whoever approved before must look again.
fn reopened() -> Move {
    seen(State::new(), Action::SuggestionReopened)
}

fn dismissed(event: &Event) -> Next {
    if matches!(event, Event::Reopen(_)) { Ok(reopened()) } else { Err(Not::Here) }
}

fn snoozed(until: Timestamp, event: &Event) -> Next {
    Ok(match event {
        Event::Dismiss { click, reason } => dismiss(click, reason),
        Event::Reopen(_) => reopened(),
        Event::Due { at } => {
            not_before(until, *at)?;
            reopened()
        }
        Event::Resolved { proof, record } => resolved(proof, record.as_ref()),
        Event::Done { record, policy_id } => done(record, policy_id.as_deref()),
        _ => return Err(Not::Here),
    })
}

impl State {
    /// Until when Graph may go on not showing what was asked of it; none where nothing was asked.
    #[must_use]
    pub fn bound(&self, terms: &Terms) -> Option<Timestamp> {
        let since = match self {
            Self::Creating { phase, .. } => match phase {
                Phase::Checking | Phase::Intended => return None,
                Phase::Posting { since } | Phase::Looking { since } | Phase::ReadingBack { since, .. } => *since,
            },
            Self::Undoing { click, .. } => click.at,
            _ => return None,
        };
        Some(since.saturating_add(terms.lag_bound).unwrap_or(Timestamp::MAX))
    }
}

/// An approved change on its way into the tenant.
#[derive(Clone, Copy)]
struct Creating<'a> {
    terms: &'a Terms,
    granted: &'a [Click],
}

impl Creating<'_> {
    fn step(self, phase: &Phase, event: &Event) -> Next {
        match phase {
            Phase::Checking => self.checking(event),
            Phase::Intended => self.intended(event),
            Phase::Posting { since } => self.posting(*since, event),
            Phase::Looking { since } => self.looking(*since, event),
            Phase::ReadingBack { since, policy_id } => self.reading_back((*since, policy_id), event),
        }
    }

    /// Goes on to another phase.
    fn to(self, phase: Phase, effects: Vec<Effect>) -> Move {
        Move { state: State::Creating { granted: self.granted.to_vec(), phase }, effects }
    }

    fn checking(self, event: &Event) -> Next {
        Ok(match event {
            Event::ChecksPassed => self.to(Phase::Intended, vec![Effect::CommitIntent]),
            Event::ChecksFailed { why } => {
                told(State::Refused { why: why.clone() }, Action::ApprovalRefused, self.granted)
            }
            Event::OutOfDate { why } => {
                told(State::OutOfDate { why: why.clone() }, Action::SuggestionOutOfDate, self.granted)
            }
            Event::Due { at } => {
                not_before(self.bound(self.terms.expires), *at)?;
                told(State::Expired, Action::ApprovalExpired, self.granted)
            }
            Event::Resumed { .. } => self.to(Phase::Checking, vec![Effect::CheckAgain]),
            _ => return Err(Not::Here),
        })
    }

    /// In this state no request was sent, so a resumed worker may go on as if nothing had happened.
    fn intended(self, event: &Event) -> Next {
        Ok(match event {
            Event::IntentCommitted { at } | Event::Resumed { at } => {
                self.to(Phase::Posting { since: *at }, vec![Effect::Create])
            }
            _ => return Err(Not::Here),
        })
    }

    fn posting(self, since: Timestamp, event: &Event) -> Next {
        Ok(match event {
            Event::PostAnswered { policy_id } => self.read_back(since, policy_id),
            Event::PostRefused { why } => {
                told(State::Refused { why: why.clone() }, Action::ApprovalRefused, self.granted)
            }
            Event::PostNotSent { why, at } => self.not_sent(why, *at),
            Event::PostUnknown | Event::Resumed { .. } => {
                let record = Effect::Record(Action::PolicyCreateUnknown);
                self.to(Phase::Looking { since }, vec![record, self.look(since), Effect::UpdateCard])
            }
            _ => return Err(Not::Here),
        })
    }

    fn looking(self, since: Timestamp, event: &Event) -> Next {
        Ok(match event {
            Event::PostAnswered { policy_id } | Event::FoundByMarker { policy_id } => self.read_back(since, policy_id),
            Event::LagBoundPassed { at } => {
                not_before(self.bound(since), *at)?;
                self.give_up(Doubt::NotFound, None)
            }
            Event::ListUnreadable { at } => {
                not_before(self.bound(since), *at)?;
                self.give_up(Doubt::NotListed, None)
            }
            Event::FoundSeveral { policy_ids } => self.several(policy_ids),
            Event::Resumed { .. } => self.to(Phase::Looking { since }, vec![self.look(since)]),
            _ => return Err(Not::Here),
        })
    }

    fn reading_back(self, (since, policy_id): (Timestamp, &str), event: &Event) -> Next {
        Ok(match event {
            Event::ReadBack { same: true, at } => {
                let (granted, policy_id) = (self.granted.to_vec(), policy_id.to_owned());
                let made = Made { granted, policy_id, at: *at, record: None, kept: None };
                seen(State::Created(made), Action::PolicyCreated)
            }
            Event::ReadBack { same: false, .. } => self.give_up(Doubt::Differs, Some(policy_id)),
            Event::LagBoundPassed { at } => {
                not_before(self.bound(since), *at)?;
                self.give_up(Doubt::NotReadable, Some(policy_id))
            }
            Event::Resumed { .. } => self.read_back(since, policy_id),
            _ => return Err(Not::Here),
        })
    }

    fn read_back(self, since: Timestamp, policy_id: &str) -> Move {
        let policy_id = policy_id.to_owned();
        self.to(Phase::ReadingBack { since, policy_id: policy_id.clone() }, vec![Effect::ReadBack { policy_id }])
    }

    /// Nothing has happened, so everything is checked again before the next try; for as long as whoever approved may
    /// still wait for it.
    fn not_sent(self, why: &str, at: Timestamp) -> Move {
        let approved = self.granted.last().map_or(self.terms.expires, |click| click.at);
        if at < self.bound(approved) {
            return self.to(Phase::Checking, vec![Effect::CheckLater]);
        }
        told(State::Refused { why: why.to_owned() }, Action::ApprovalRefused, self.granted)
    }

    fn give_up(self, doubt: Doubt, policy_id: Option<&str>) -> Move {
        let (granted, policy_id) = (self.granted.to_vec(), policy_id.map(str::to_owned));
        let state = State::NeedsPerson { doubt, granted, policy_id, others: Vec::new() };
        told(state, Action::PolicyNeedsPerson, self.granted)
    }

    fn several(self, ids: &[String]) -> Move {
        let (granted, others) = (self.granted.to_vec(), ids.iter().skip(1).cloned().collect());
        let state = State::NeedsPerson { doubt: Doubt::Several, granted, policy_id: ids.first().cloned(), others };
        told(state, Action::PolicyNeedsPerson, self.granted)
    }

    fn look(self, since: Timestamp) -> Effect {
        Effect::LookForMarker { until: self.bound(since) }
    }

    fn bound(self, since: Timestamp) -> Timestamp {
        since.saturating_add(self.terms.lag_bound).unwrap_or(Timestamp::MAX)
    }
}

fn created(made: &Made, event: &Event) -> Next {
    Ok(match event {
        Event::Undo(_) if made.record.is_some() => return Err(Refused::NotOurs.into()),
        Event::Undo(click) => {
            let remove = Effect::RemovePolicy { policy_id: made.policy_id.clone() };
            let effects = vec![Effect::Record(Action::PolicyRemoveIntended), remove, Effect::UpdateCard];
            Move { state: State::Undoing { made: made.clone(), click: click.clone() }, effects }
        }
        Event::PolicyGone { record } => gone(made, record.as_ref()),
        Event::Resolved { proof, record } => resolved(proof, record.as_ref()),
        _ => return Err(Not::Here),
    })
}

fn gone(made: &Made, record: Option<&AuditRef>) -> Move {
    seen(State::Gone { made: made.clone(), record: record.cloned() }, Action::PolicyGone)
}

fn undoing(terms: &Terms, (made, click): (&Made, &Click), event: &Event) -> Next {
    let (made, click) = (made.clone(), click.clone());
    Ok(match event {
        Event::LagBoundPassed { at } => {
            not_before(Creating { terms, granted: &[] }.bound(click.at), *at)?;
            let (granted, policy_id) = (made.granted, Some(made.policy_id));
            let state = State::NeedsPerson { doubt: Doubt::NotRemoved, granted, policy_id, others: Vec::new() };
            told(state, Action::PolicyNeedsPerson, &[click])
        }
        Event::PolicyRemoved => seen(State::Undone { made, click }, Action::PolicyRemoved),
        Event::PolicyGone { record } => gone(&made, record.as_ref()),
        Event::PolicyLeft(kept) => {
            let made = Made { kept: Some(kept.clone()), ..made };
            told(State::Created(made), Action::PolicyRemoveRefused, &[click])
        }
        Event::Resumed { .. } => {
            let effects = vec![Effect::RemovePolicy { policy_id: made.policy_id.clone() }];
            Move { state: State::Undoing { made, click }, effects }
        }
        _ => return Err(Not::Here),
    })
}

/// A person looked. What isn't there needs a new card with approvals of its own before anything is asked for again.
fn settled((doubt, policy_id): (Doubt, Option<&str>), event: &Event) -> Next {
    let Event::Settle { click, there } = event else { return Err(Not::Here) };
    let (click, policy_id) = (click.clone(), policy_id.map(str::to_owned));
    Ok(seen(State::Settled { click, there: *there, doubt, policy_id }, Action::PolicySettled))
}

/// A late answer still settles it, or a person who looked. Never a dismissal: what is dismissed can be reopened and
/// approved, and that would be a second request.
fn needs_person(case: Creating<'_>, (doubt, looks): (Doubt, bool), event: &Event) -> Next {
    let since = case.granted.last().map_or(case.terms.expires, |click| click.at);
    Ok(match event {
        Event::PostAnswered { policy_id } | Event::FoundByMarker { policy_id } => case.read_back(since, policy_id),
        Event::FoundSeveral { policy_ids } if doubt != Doubt::Several => case.several(policy_ids),
        // It may still appear, and then nobody has to look for it.
        Event::Resumed { .. } if looks => {
            let granted = case.granted.to_vec();
            let state = State::NeedsPerson { doubt, granted, policy_id: None, others: Vec::new() };
            Move { state, effects: vec![case.look(since)] }
        }
        // The policies can be listed again, and it isn't among them.
        Event::LagBoundPassed { .. } if doubt == Doubt::NotListed => case.give_up(Doubt::NotFound, None),
        Event::Resolved { proof, record } => resolved(proof, record.as_ref()),
        _ => return Err(Not::Here),
    })
}
