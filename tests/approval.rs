//! The approval state machine against its own table of moves, and its promises under any sequence of events.
#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use portcullis::approval::{
    AuditRef, Click, Did, Doubt, Effect, Event, Kept, Made, Move, Person, Phase, Refused, State, Terms, Tried, Wish,
    step,
};
use proptest::prelude::*;

/// The start of the stories; cards expire ten days later, the lag bound is 15 minutes.
fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_763_900_000 + minutes * 60).unwrap()
}

const EXPIRES: i64 = 10 * 24 * 60;

fn person(name: &str) -> Person {
    Person { id: format!("id-{name}"), name: name.into() }
}

fn click(name: &str, minutes: i64) -> Click {
    Click { by: person(name), at: at(minutes) }
}

fn terms(needed: u8) -> Terms {
    Terms {
        asker: Some(person("asker")),
        needed,
        expires: at(EXPIRES),
        lag_bound: SignedDuration::from_mins(15),
        marker: "[p-7f3a]".into(),
        ticket: None,
        rests_on: Vec::new(),
    }
}

fn creating(phase: Phase) -> State {
    State::Creating { granted: vec![click("b", 1)], phase }
}

fn made() -> Made {
    Made { granted: vec![click("b", 1)], policy_id: "p-1".into(), at: at(3), record: None, kept: None }
}

fn record() -> AuditRef {
    AuditRef { id: "r".into(), at: at(5), activity: "Update".into(), by: "d".into(), target: "CA200".into() }
}

fn open(granted: Vec<Click>) -> State {
    State::Open { granted, tried: None, wishes: Vec::new() }
}

/// Every state, once.
fn states() -> Vec<State> {
    let policy_id = "p-1".to_owned();
    let granted = vec![click("b", 1)];
    let doubt = State::NeedsPerson { doubt: Doubt::NotFound, granted, policy_id: None, others: Vec::new() };
    vec![
        State::new(),
        State::Snoozed { click: click("b", 1), until: at(60) },
        State::Dismissed { click: click("b", 1), reason: "by design".into() },
        creating(Phase::Checking),
        creating(Phase::Intended),
        creating(Phase::Posting { since: at(2) }),
        creating(Phase::Looking { since: at(2) }),
        creating(Phase::ReadingBack { since: at(2), policy_id }),
        State::Created(made()),
        State::Undoing { made: made(), click: click("b", 9) },
        State::Undone { made: made(), click: click("b", 9) },
        State::Gone { made: made(), record: None },
        State::OutOfDate { why: "x".into() },
        doubt,
        State::Settled { click: click("c", 1), there: false, doubt: Doubt::NotFound, policy_id: None },
        State::Refused { why: "x".into() },
        State::Expired,
        State::Resolved { proof: "x".into(), record: None },
    ]
}

/// Every event, named as in the table; things that only time allows happen after all time has passed.
fn events() -> Vec<(&'static str, Event)> {
    let (why, proof, policy_id, late) = ("x".to_owned(), "x".to_owned(), "p-1".to_owned(), at(2 * EXPIRES));
    vec![
        ("Approve", Event::Approve(click("c", 1))),
        ("Withdraw", Event::Withdraw(click("b", 2))),
        ("AskChange", Event::AskChange(Wish { click: click("c", 1), text: "leave the rooms out".into() })),
        ("Snooze", Event::Snooze { click: click("c", 1), until: at(60) }),
        ("Dismiss", Event::Dismiss { click: click("c", 1), reason: "by design".into() }),
        ("Reopen", Event::Reopen(click("c", 1))),
        ("Undo", Event::Undo(click("c", 1))),
        ("Settle", Event::Settle { click: click("c", 1), there: true }),
        ("ChecksPassed", Event::ChecksPassed),
        ("ChecksFailed", Event::ChecksFailed { why: why.clone() }),
        ("OutOfDate", Event::OutOfDate { why: why.clone() }),
        ("IntentCommitted", Event::IntentCommitted { at: at(2) }),
        ("PostAnswered", Event::PostAnswered { policy_id: policy_id.clone() }),
        ("PostRefused", Event::PostRefused { why: why.clone() }),
        ("PostNotSent", Event::PostNotSent { why: why.clone(), at: at(3) }),
        ("PostUnknown", Event::PostUnknown),
        ("FoundByMarker", Event::FoundByMarker { policy_id }),
        ("FoundSeveral", Event::FoundSeveral { policy_ids: vec!["p-1".into(), "p-2".into()] }),
        ("LagBoundPassed", Event::LagBoundPassed { at: late }),
        ("ListUnreadable", Event::ListUnreadable { at: late }),
        ("ReadBack as drafted", Event::ReadBack { same: true, at: at(3) }),
        ("ReadBack otherwise", Event::ReadBack { same: false, at: at(3) }),
        ("Resumed", Event::Resumed { at: at(4) }),
        ("PolicyRemoved", Event::PolicyRemoved),
        ("PolicyGone", Event::PolicyGone { record: None }),
        ("PolicyLeft", Event::PolicyLeft(Kept { record: None, differs: Vec::new() })),
        ("Due", Event::Due { at: late }),
        ("Resolved", Event::Resolved { proof, record: None }),
        ("Done, an edit", Event::Done { record: record(), policy_id: None }),
        ("Done, a policy", Event::Done { record: record(), policy_id: Some("p-2".into()) }),
        ("DoneOtherwise", Event::DoneOtherwise(Tried { record: record(), object: "p".into(), differs: Vec::new() })),
    ]
}

fn effect(effect: &Effect) -> String {
    let shown = match effect {
        Effect::Record(action) => return format!("Record({})", action.as_str()),
        Effect::CommitIntent => "CommitIntent",
        Effect::CheckAgain => "CheckAgain",
        Effect::CheckLater => "CheckLater",
        Effect::Create => "Create",
        Effect::LookForMarker { .. } => "LookForMarker",
        Effect::ReadBack { .. } => "ReadBack",
        Effect::RemovePolicy { .. } => "RemovePolicy",
        Effect::UpdateCard => "UpdateCard",
        Effect::Tell(_) => "Tell",
    };
    shown.into()
}

fn row(from: &str, event: &str, next: &Move) -> String {
    let effects: Vec<String> = next.effects.iter().map(effect).collect();
    format!("//! | {from} | {event} | {} | {} |", next.state.name(), effects.join(", "))
}

#[test]
fn the_table_in_the_documentation_is_what_the_code_does() {
    let mut rows = Vec::new();
    for state in states() {
        let known = events();
        rows.extend(
            known
                .iter()
                .filter_map(|(name, event)| Some(row(state.name(), name, &step(&terms(1), &state, event).ok()?))),
        );
        if matches!(state, State::Open { .. }) {
            for (name, granted) in [("open, none of two", vec![]), ("open, one of two", vec![click("b", 1)])] {
                let state = open(granted);
                rows.extend(
                    known[..2]
                        .iter()
                        .filter_map(|(event, e)| Some(row(name, event, &step(&terms(2), &state, e).ok()?))),
                );
            }
        }
    }
    let source = include_str!("../src/approval.rs");
    let mut written: Vec<&str> =
        source.lines().filter(|line| line.starts_with("//! | ") && !line.contains("| state |")).collect();
    rows.sort();
    written.sort_unstable();
    assert_eq!(rows.join("\n"), written.join("\n"));
}

fn refusal(needed: u8, state: &State, event: &Event) -> Refused {
    step(&terms(needed), state, event).unwrap_err()
}

#[test]
fn whoever_asked_approves_only_where_one_is_enough() {
    let press = Event::Approve(click("asker", 1));
    assert_eq!(refusal(2, &State::new(), &press), Refused::Asker);
    assert_eq!(step(&terms(1), &State::new(), &press).unwrap().state.name(), "checking");
}

#[test]
fn nobody_counts_twice() {
    let state = open(vec![click("b", 1)]);
    let again = Refused::Already { what: Did::Approved, by: person("b"), at: at(1) };
    assert_eq!(refusal(2, &state, &Event::Approve(click("b", 5))), again);
    assert_eq!(refusal(2, &state, &Event::Withdraw(click("c", 5))), Refused::NotGranted);
}

#[test]
fn the_slower_of_two_learns_who_was_quicker() {
    let state = creating(Phase::Checking);
    let refused = refusal(1, &state, &Event::Approve(click("c", 2)));
    assert_eq!(refused, Refused::Already { what: Did::Approved, by: person("b"), at: at(1) });
    insta::assert_snapshot!(refused, @"already approved by b at 2025-11-23T12:14:20Z");
    let dismissed = State::Dismissed { click: click("b", 1), reason: "x".into() };
    insta::assert_snapshot!(
        refusal(1, &dismissed, &Event::Approve(click("c", 2))),
        @"already dismissed by b at 2025-11-23T12:14:20Z"
    );
}

#[test]
fn what_a_person_created_is_not_taken_back() {
    let done = Event::Done { record: record(), policy_id: Some("p-2".into()) };
    let created = step(&terms(1), &State::new(), &done).unwrap().state;
    assert_eq!(refusal(1, &created, &Event::Undo(click("c", 9))), Refused::NotOurs);
}

#[test]
fn what_was_done_otherwise_stays_on_the_card_while_it_is_decided() {
    let tried = Tried { record: record(), object: "p".into(), differs: vec![("Users".into(), "a".into(), "b".into())] };
    let state = step(&terms(2), &State::new(), &Event::DoneOtherwise(tried.clone())).unwrap().state;
    let half = step(&terms(2), &state, &Event::Approve(click("b", 1))).unwrap().state;
    assert_eq!(half, State::Open { granted: vec![click("b", 1)], tried: Some(tried), wishes: Vec::new() });
}

#[test]
fn time_is_kept() {
    let late = Event::Approve(click("b", EXPIRES));
    assert_eq!(refusal(1, &State::new(), &late), Refused::Expired { at: at(EXPIRES) });
    let due = Event::Due { at: at(EXPIRES - 1) };
    assert_eq!(refusal(1, &State::new(), &due), Refused::TooEarly { until: at(EXPIRES) });
    let past = Event::Snooze { click: click("b", 5), until: at(4) };
    assert!(step(&terms(1), &State::new(), &past).is_err());
}

#[test]
fn an_unknown_outcome_is_looked_for_until_the_lag_bound() {
    let moved = step(&terms(1), &creating(Phase::Posting { since: at(2) }), &Event::PostUnknown).unwrap();
    assert!(moved.effects.contains(&Effect::LookForMarker { until: at(17) }));
    let early = Event::LagBoundPassed { at: at(16) };
    assert_eq!(refusal(1, &moved.state, &early), Refused::TooEarly { until: at(17) });
    let passed = step(&terms(1), &moved.state, &Event::LagBoundPassed { at: at(17) }).unwrap();
    assert_eq!(passed.state.name(), "needs-person");
    assert!(passed.effects.contains(&Effect::Tell(vec![person("b")])));
}

#[test]
fn what_was_not_sent_is_tried_until_the_lag_bound_and_then_refused() {
    let posting = creating(Phase::Posting { since: at(2) });
    let not_sent = |minutes| Event::PostNotSent { why: "slow down".into(), at: at(minutes) };
    let again = step(&terms(1), &posting, &not_sent(15)).unwrap();
    assert_eq!((again.state.name(), again.effects), ("checking", vec![Effect::CheckLater]));
    let over = step(&terms(1), &posting, &not_sent(16)).unwrap();
    assert_eq!(over.state, State::Refused { why: "slow down".into() });
    assert!(over.effects.contains(&Effect::Tell(vec![person("b")])));
}

#[test]
fn a_doubt_about_the_list_ends_when_it_can_be_read_again() {
    let looking = creating(Phase::Looking { since: at(2) });
    let early = Event::ListUnreadable { at: at(16) };
    assert_eq!(refusal(1, &looking, &early), Refused::TooEarly { until: at(17) });
    let unread = step(&terms(1), &looking, &Event::ListUnreadable { at: at(17) }).unwrap().state;
    let looks = step(&terms(1), &unread, &Event::Resumed { at: at(40) }).unwrap();
    assert_eq!((looks.state.name(), looks.effects.len()), ("needs-person", 1));
    let missing = step(&terms(1), &unread, &Event::LagBoundPassed { at: at(41) }).unwrap().state;
    let State::NeedsPerson { doubt, .. } = &missing else { panic!("{missing:?}") };
    assert_eq!(*doubt, Doubt::NotFound);
    // Said once.
    assert!(step(&terms(1), &missing, &Event::LagBoundPassed { at: at(42) }).is_err());
    let found = step(&terms(1), &missing, &Event::FoundByMarker { policy_id: "p".into() }).unwrap().state;
    assert_eq!(found.name(), "reading-back");
}

#[test]
fn what_time_changes_says_when() {
    let due: Vec<(&str, Timestamp)> =
        states().iter().filter_map(|state| Some((state.name(), state.due(&terms(1))?))).collect();
    assert_eq!(due, [("open", at(EXPIRES)), ("snoozed", at(60)), ("checking", at(EXPIRES + 15))]);
    for state in states() {
        if let Some(due) = state.due(&terms(1)) {
            assert!(step(&terms(1), &state, &Event::Due { at: due }).is_ok());
        }
    }
}

/// What was seen of one approval's life.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    intent: bool,
    created: bool,
    answered: bool,
}

impl Seen {
    /// Checks one move against every promise.
    fn check(&mut self, terms: &Terms, event: &Event, next: &Move) {
        self.intent |= next.effects.contains(&Effect::CommitIntent);
        self.answered |= matches!(event, Event::PostAnswered { .. } | Event::FoundByMarker { .. });
        if matches!(event, Event::PostNotSent { .. }) {
            self.created = false; // Nothing was sent, so another request is the first one.
        }
        if next.effects.contains(&Effect::Create) {
            assert!(self.intent, "a request without an intent");
            assert!(!self.created, "a second request");
            self.created = true;
        }
        if let State::Creating { granted, .. } = &next.state {
            let mut ids: Vec<&str> = granted.iter().map(|click| click.by.id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), usize::from(terms.needed), "approved by too few");
            assert!(terms.needed == 1 || !ids.contains(&"id-asker"), "approved by whoever asked");
        }
        if let State::Created(made) = &next.state {
            let ours = self.created && self.answered;
            assert!(ours || made.record.is_some(), "created without a request that was answered or found");
        }
        let text = serde_json::to_string(&next.state).unwrap();
        assert_eq!(serde_json::from_str::<State>(&text).unwrap(), next.state);
    }
}

/// Every event as each of three people does it.
fn everyones_events() -> Vec<Event> {
    let others = ["asker", "b"].map(|name| Event::Approve(click(name, 1)));
    let taken_back = Event::Withdraw(click("c", 2));
    events().into_iter().map(|(_, event)| event).chain(others).chain([taken_back]).collect()
}

#[test]
fn no_sequence_of_events_breaks_a_promise() {
    for needed in [1, 2] {
        let terms = terms(needed);
        let mut reached = vec![(State::new(), Seen::default())];
        let mut next = 0;
        while let Some((state, seen)) = reached.get(next).cloned() {
            for event in everyones_events() {
                let Ok(moved) = step(&terms, &state, &event) else { continue };
                assert!(!state.is_final(), "{} is final but moved", state.name());
                let mut seen = seen.clone();
                seen.check(&terms, &event, &moved);
                if !reached.contains(&(moved.state.clone(), seen.clone())) {
                    reached.push((moved.state, seen));
                }
            }
            next += 1;
        }
        let known: BTreeSet<&str> = states().iter().map(State::name).collect();
        assert_eq!(reached.iter().map(|(state, _)| state.name()).collect::<BTreeSet<_>>(), known);
    }
}

/// An event at some time, by somebody.
fn vary(event: Event, who: &str, minutes: i64) -> Event {
    match event {
        Event::Approve(_) => Event::Approve(click(who, minutes)),
        Event::Withdraw(_) => Event::Withdraw(click(who, minutes)),
        Event::Snooze { .. } => Event::Snooze { click: click(who, minutes), until: at(minutes + 60) },
        Event::IntentCommitted { .. } => Event::IntentCommitted { at: at(minutes) },
        Event::LagBoundPassed { .. } => Event::LagBoundPassed { at: at(minutes) },
        Event::ListUnreadable { .. } => Event::ListUnreadable { at: at(minutes) },
        Event::PostNotSent { why, .. } => Event::PostNotSent { why, at: at(minutes) },
        Event::Due { .. } => Event::Due { at: at(minutes) },
        Event::Resumed { .. } => Event::Resumed { at: at(minutes) },
        event => event,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// As above, with times in any order and people at random: picks among the events that fit, so that lives are long.
    #[test]
    fn no_order_of_times_breaks_a_promise(
        needed in 1_u8..=2,
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0..3_usize, 0..2 * EXPIRES), 0..60),
    ) {
        let (terms, mut state, mut seen) = (terms(needed), State::new(), Seen::default());
        for (pick, who, minutes) in picks {
            let varied = events().into_iter().map(|(_, event)| vary(event, ["asker", "b", "c"][who], minutes));
            let fit: Vec<(Event, Move)> =
                varied.filter_map(|event| Some((event.clone(), step(&terms, &state, &event).ok()?))).collect();
            if fit.is_empty() {
                continue;
            }
            let (event, next) = pick.get(&fit);
            seen.check(&terms, event, next);
            state = next.state.clone();
        }
    }
}

#[test]
fn a_persons_wishes_push_out_nobody_elses() {
    let wish = |name: &str, minutes| Wish { click: click(name, minutes), text: format!("{name} at {minutes}") };
    let wished = [wish("b", 1), wish("c", 2), wish("c", 3), wish("c", 4), wish("d", 5)];
    let after = |state, wish: &Wish| step(&terms(1), &state, &Event::AskChange(wish.clone())).unwrap().state;
    let State::Open { wishes, .. } = wished.iter().fold(State::new(), after) else { panic!("it stays open") };
    assert_eq!(wishes, [wish("b", 1), wish("c", 4), wish("d", 5)]);
}

#[test]
fn of_one_persons_wishes_the_one_that_came_last_stands_once() {
    let ask = |state: &State, minutes| {
        step(&terms(1), state, &Event::AskChange(Wish { click: click("c", minutes), text: minutes.to_string() }))
    };
    let state = ask(&State::new(), 5).unwrap().state;
    for minutes in [4, 5] {
        let already = Refused::Already { what: Did::AskedChange, by: person("c"), at: at(5) };
        assert_eq!(ask(&state, minutes).unwrap_err(), already);
    }
    assert!(ask(&state, 6).is_ok());
}

#[test]
fn a_wish_changes_nothing_of_what_is_decided() {
    let half = open(vec![click("b", 1)]);
    let wish = Wish { click: click("c", 2), text: "leave the rooms out".into() };
    let wished = step(&terms(2), &half, &Event::AskChange(wish)).unwrap().state;
    assert!(wished.decides_as(&half) && !wished.decides_as(&State::new()));
    let tried = Tried { record: record(), object: "p".into(), differs: Vec::new() };
    for event in [Event::DoneOtherwise(tried), Event::Approve(click("d", 3)), Event::Withdraw(click("b", 3))] {
        let next = step(&terms(3), &wished, &event).unwrap().state;
        assert!(!next.decides_as(&wished), "{event:?}");
    }
}
