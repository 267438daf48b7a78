//! Cross-validation over the example utterances: how well four fifths of them foretell the last fifth.
//!
//! Reads `prompts/intents` at run time, so that new examples are measured without compiling anew:
//! `cargo test --lib cross_validation -- --nocapture` prints the share and the intents that are confused most.

use std::collections::BTreeMap;

use super::model::{Model, Seen, Utterance, parse};
use super::text::Message;
use super::{Intent, Previous, Refusal, concepts, features, ranked, refusals, route, weigh};

/// So many parts, each foretold from the others.
const FOLDS: usize = 5;

/// The share that must be right. The examples are harder than questions: many stand at a border between two intents.
const FLOOR: f32 = 0.82;

fn utterances_on_disk() -> Vec<Utterance> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/intents");
    let read = |intent: Intent| std::fs::read_to_string(format!("{folder}/{intent}.txt")).unwrap().leak();
    Intent::ALL.iter().flat_map(|&intent| parse(intent, read(intent))).collect()
}

#[test]
fn cross_validation() {
    let utterances = utterances_on_disk();
    let read: Vec<_> = utterances
        .iter()
        .map(|line| {
            let message = Message::read(line.text);
            let features = features::of(&message, &concepts::of(&message), line.previous);
            (line, message, features)
        })
        .collect();
    let mut wrong: BTreeMap<(Intent, Intent), u32> = BTreeMap::new();
    let mut right = 0_u16;
    for fold in 0..FOLDS {
        let mut seen = Seen::default();
        for (line, _, features) in read.iter().enumerate().filter(|(at, _)| at % FOLDS != fold).map(|(_, seen)| seen) {
            seen.note(line.class, features);
        }
        let model = Model::new(seen);
        for (line, message, _) in read.iter().skip(fold).step_by(FOLDS) {
            let scores = weigh(&model, message, line.previous);
            let refused = refusals::find(message, line.previous).map(|_| Intent::OutOfScope);
            let found = refused.unwrap_or_else(|| ranked(&scores)[0].0.intent());
            if found == line.class.intent() {
                right += 1;
            } else {
                *wrong.entry((line.class.intent(), found)).or_default() += 1;
            }
        }
    }
    let share = f32::from(right) / f32::from(u16::try_from(read.len()).unwrap());
    println!("cross-validation: {right} of {} ({share:.3})", read.len());
    let mut worst: Vec<_> = wrong.into_iter().collect();
    worst.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for ((expected, found), count) in worst.iter().take(25) {
        println!("{count:4} {expected} read as {found}");
    }
    assert!(share >= FLOOR, "{share} of the examples are foretold by the others");
}

fn after(intent: Intent, subject: &str) -> Previous {
    Previous { intent, subject: subject.into() }
}

#[test]
fn a_question_that_stands_alone_takes_nothing_over() {
    let alice = after(Intent::ExplainSignIn, "Alice Moreau");
    assert!(!route("who was blocked yesterday", Some(&alice)).follows);
    let code = after(Intent::SignInUsage, "device code");
    assert!(!route("show me the sign-ins of Alice Moreau", Some(&code)).follows);
    for text in ["and from Android?", "why was it blocked", "Alice Moreau"] {
        assert!(route(text, Some(&alice)).follows, "{text}");
    }
}

#[test]
fn what_nobody_can_read_is_not_guessed_at() {
    let alice = after(Intent::ExplainSignIn, "Alice Moreau");
    for text in ["asdf qwer zxcv", "pourquoi Alice Moreau a été bloquée hier ?"] {
        assert_eq!(route(text, Some(&alice)).refusal, Some(Refusal::OtherTopic), "{text}");
        assert_eq!(route(text, None).refusal, Some(Refusal::OtherTopic), "{text}");
    }
    assert_eq!(route("Kofi", Some(&alice)).refusal, None);
}

/// What newcomers typed, and what each is about; none of it may hang on the turn before.
#[test]
fn newcomers_are_understood() {
    let cases = [
        ("who doesnt have mfa registered", Intent::CoverageGaps),
        ("how many guests", Intent::UserPolicies),
        ("what is a named location", Intent::Help),
        ("summary", Intent::PostureSummary),
        ("is there a policy for device code", Intent::ListPolicies),
        ("undo", Intent::Undo),
        ("what happens if alice signs in from russia on an android", Intent::WhatIf),
        ("who would S-4 block?", Intent::Impact),
        ("what would S-1 break", Intent::Impact),
    ];
    let turns = [Intent::ExplainSignIn, Intent::ListSuggestions, Intent::Exclusions].map(|intent| after(intent, ""));
    let previous = || turns.iter().map(Some).chain([None]);
    let read = |(text, intent): &(&str, Intent), turn: Option<&Previous>| {
        let routed = route(text, turn);
        (routed.intent != *intent)
            .then(|| format!("{text} after {:?}: {}", turn.map(|turn| turn.intent), routed.intent))
    };
    let missed: Vec<String> = cases.iter().flat_map(|case| previous().filter_map(|turn| read(case, turn))).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn a_name_alone_asks_about_that_person() {
    let routed = super::route_among("alice moreau", None, ["Alice Moreau"].into_iter());
    assert_eq!((routed.intent, routed.refusal), (Intent::UserPolicies, None));
    let blocked = after(Intent::ExplainSignIn, "yesterday");
    let routed = super::route_among("alice moreau", Some(&blocked), ["Alice Moreau"].into_iter());
    assert_eq!(routed.intent, Intent::ExplainSignIn);
}

#[test]
fn a_name_is_one_in_small_letters_too() {
    let people = || ["Alice Moreau", "Alice Berg"].into_iter();
    let routed = super::route_among("why was alice moreau blocked yesterday", None, people());
    assert_eq!(routed.slots.get(&super::SlotName::User), Some(&vec!["alice moreau".to_owned()]));
    let routed = super::route_among("what happens if moreau signs in from russia on an android", None, people());
    assert_eq!(routed.slots.get(&super::SlotName::User), Some(&vec!["moreau".to_owned()]));
    assert_eq!(routed.slots.get(&super::SlotName::Location), Some(&vec!["russia".to_owned()]));
}

/// A question that stands alone keeps nothing of the turn before, whatever time it names.
#[test]
fn a_whole_question_does_not_follow() {
    let previous = Previous { intent: Intent::ShowPolicy, subject: "CA206".into() };
    for (text, intent) in [
        ("who changed policies in the last month", Intent::PolicyChanges),
        ("who was blocked last Friday", Intent::ExplainSignIn),
    ] {
        let routed = route(text, Some(&previous));
        assert_eq!((routed.intent, routed.follows), (intent, false), "{text}");
    }
    for text in ["who changed it last month?", "and last month?", "who would it block?"] {
        assert!(route(text, Some(&previous)).follows, "{text}");
    }
}

/// Nothing that anybody could have meant.
#[test]
fn noise_is_not_understood() {
    let previous = Previous { intent: Intent::Exclusions, subject: "CA206".into() };
    for text in ["x".repeat(3_999).as_str(), "'; DROP TABLE messages"] {
        for before in [None, Some(&previous)] {
            assert_eq!(route(text, before).refusal, Some(Refusal::OtherTopic), "{}", &text[..12]);
        }
    }
}
