//! Conversations in which the bot is liked, disliked and turned down, and what it makes of that.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::*;
use crate::bot::analysis::Analysis;
use crate::bot::answers::testing::{app, nordwerk, snapshot, words};
use crate::bot::approve::{Asks, case_of, decide};
use crate::bot::post::post;
use crate::bot::{hear, reconcile, settings};
use crate::chat::card::{Card, Press};
use crate::chat::web::{Sessions, WebChat};
use crate::chat::{Conversation, Event, Person};

/// An app that speaks in the web chat and knows the suggestions of the small tenant.
async fn talking() -> App {
    let sessions = Sessions::new(&[7; 32], vec!["http://127.0.0.1:1".to_owned()]);
    let app = app().await.with_platform(Arc::new(WebChat::new(sessions, TimeZone::UTC).unwrap()));
    let snapshot = Arc::new(snapshot(&nordwerk()));
    let hash = app.store.save_snapshot(Arc::clone(&snapshot)).await.unwrap().hash;
    let analysis = Analysis::of(snapshot, hash, &app.config.thresholds, app.clock.now());
    reconcile::reconcile(&app, &analysis).await.unwrap();
    app.set_analysis(Arc::new(analysis));
    app
}

fn dana(key: &str, event: Event) -> Incoming {
    let conversation = Conversation { platform: "web".into(), id: "dana".into(), personal: true, ..Default::default() };
    let person = Person { id: "u-dana".into(), name: "Dana Admin".into(), platform_id: "u-dana".into() };
    Incoming { key: key.into(), conversation, person, event }
}

async fn last_card(app: &App) -> Card {
    let message = app.store.newest_messages("web:dana", 1).await.unwrap().pop().unwrap();
    serde_json::from_value(message.said.body).unwrap()
}

/// Dana says what she thinks of the card of a suggestion.
async fn thinks(app: &App, key: &str, number: i64, liked: bool) {
    let card = compose(Answer::sentences(Vec::new()), None, &app.wording).unwrap();
    let incoming = dana(key, Event::Feedback { liked, text: "wrong".into(), message: Some(format!("card-{key}")) });
    let subject = Some(format!("S-{number}"));
    let to = Post { key: format!("card-{key}"), to: &incoming.conversation, subject, version: 1 };
    post(app, to, &card).await.unwrap();
    hear::hear(app, &incoming).await.unwrap();
}

async fn dismisses(app: &App, number: i64, reason: &str) {
    let row = app.store.suggestion(app.tenant(), number).await.unwrap().unwrap();
    let case = case_of(app, &row, Asks::Bot).await.unwrap();
    let (subject, version) = (case.kept.id, case.kept.state.decided);
    let press = Press { verb: Verb::Dismiss, subject, version, input: Some(reason.into()), ..Press::default() };
    let pressed = dana(&format!("dismiss-{number}"), Event::Press(press.clone()));
    decide(app, (&pressed, app.clock.now()), &press).await.unwrap();
    while let Some(job) = app.store.lease(app.clock.now(), app.clock.now() + LOOK_AGAIN).await.unwrap() {
        if job.kind == JOB {
            look(app, job).await.unwrap();
        }
    }
}

/// Numbers of the suggestions under a check.
async fn numbers(app: &App, check: &str) -> Vec<i64> {
    let rows = app.store.suggestions(app.tenant()).await.unwrap();
    rows.iter().filter(|row| row.check_id == check).map(|row| row.number).collect()
}

#[tokio::test]
async fn a_disliked_kind_ranks_lower_until_somebody_likes_it() {
    let app = talking().await;
    let rank = |taste: &Taste| taste.rank("mfa-all-users", Severity::Critical);
    let number = numbers(&app, "mfa-all-users").await[0];
    thinks(&app, "one", number, false).await;
    insta::assert_snapshot!(words(&last_card(&app).await), @r#"
    You disliked S-1 (wrong): suggestions of the kind "MFA for all users" rank lower from now on. If they should stay away, I can keep a standing instruction.
    Keeping it needs an approver's role, such as Conditional Access Administrator.
    (Present ones)
    "#);
    assert_eq!(rank(&Taste::of(&app).await.unwrap()), (Reverse(Severity::High), true));
    thinks(&app, "two", number, true).await;
    assert_eq!(rank(&Taste::of(&app).await.unwrap()), (Reverse(Severity::Critical), false));
    let wanted = crate::store::entries::Wanted { limit: 50, ..Default::default() };
    let entries = app.store.entries(app.tenant(), &wanted).await.unwrap();
    let given = entries.iter().filter(|entry| entry.action == Action::FeedbackGiven).count();
    assert_eq!(given, 2);
}

#[tokio::test]
async fn the_last_word_on_a_message_counts() {
    let app = talking().await;
    thinks(&app, "same", 1, false).await;
    let liked = dana("again", Event::Feedback { liked: true, text: String::new(), message: Some("card-same".into()) });
    hear::hear(&app, &liked).await.unwrap();
    let kept = app.store.feedback(app.tenant()).await.unwrap();
    assert_eq!(kept.iter().map(|kept| kept.liked).collect::<Vec<_>>(), [true]);
}

#[tokio::test]
async fn a_second_dismissal_of_a_kind_asks_for_an_instruction() {
    let app = talking().await;
    let found = numbers(&app, "mfa-all-users").await;
    dismisses(&app, found[0], "accepted risk").await;
    assert!(app.store.newest_messages("web:dana", 5).await.unwrap().is_empty(), "one dismissal is no habit");
    dismisses(&app, found[1], "accepted risk").await;
    insta::assert_snapshot!(words(&last_card(&app).await), @r#"
    2 suggestions of the kind "MFA for all users" are dismissed by now. If they should stay away, I can keep a standing instruction.
    Keeping it needs an approver's role, such as Conditional Access Administrator.
    (Present ones)
    "#);
}

#[tokio::test]
async fn the_offered_button_keeps_an_instruction_that_is_obeyed() {
    let app = talking().await;
    let all = app.store.suggestions(app.tenant()).await.unwrap();
    let row = all.iter().find(|row| row.title.contains("CA-Excl-MFA-Rollout")).unwrap();
    let labels = |reason| {
        let buttons = offers(&app, row, reason).unwrap();
        buttons.iter().map(|button| matches!(button, Button::Press { label, .. } if label.contains("until"))).collect()
    };
    let (risk, never): (Vec<bool>, Vec<bool>) = (labels("accepted risk"), labels(NOT_APPLICABLE));
    assert_eq!((risk, never), (vec![true, true, false], vec![false, true, false]), "an accepted risk ends some day");
    for check in Body::of(row).unwrap().proposal.checks {
        let row = Row { check_id: check, ..row.clone() };
        let Some(Button::Press { press, .. }) = offers(&app, &row, NOT_APPLICABLE).unwrap().into_iter().next() else {
            panic!("a button")
        };
        settings::keep_instruction(&app, &dana("keep", Event::Press(press.clone())), &press).await.unwrap();
    }
    let analysis = app.analysis().unwrap();
    let instructions = reconcile::instructions(&app, app.clock.now()).await.unwrap();
    let silenced: Vec<String> = analysis
        .proposals()
        .into_iter()
        .filter(|proposal| crate::suggestions::silencer(&instructions, proposal, app.clock.now()).is_some())
        .map(|proposal| proposal.title)
        .collect();
    assert_eq!(silenced, std::slice::from_ref(&row.title), "nothing else is silenced");
}
