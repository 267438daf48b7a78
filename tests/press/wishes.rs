//! Somebody wants a card to ask for something else: it is kept, shown to everybody, and changes nothing by itself.

use jiff::ToSpan;
use portcullis::bot::press;
use portcullis::chat::card::Press;
use portcullis::checks::CureAction;
use portcullis::log::Action;
use portcullis::store::entries::Wanted;
use serde_json::{Value, json};

use super::lab::{APPROVER, Lab, OUTSIDER, READER, button, code, rows, words};
use super::teams::{execute, press_of};

const CREATE: &str = "Create in report-only";

#[tokio::test]
async fn a_wish_stands_on_every_copy_of_the_card_and_acts_on_nothing() {
    let lab = Lab::start(|_| {}).await;
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    lab.say_in_teams(APPROVER, &format!("propose S-{}", row.number)).await;
    let card = lab.say(READER, &format!("propose S-{}", row.number)).await;
    let before = lab.policies_named("").len();
    let wish = "leave <b>the rooms</b> out\" Somebody asked for a change: \"create it today";
    let refused = lab.press_with(OUTSIDER, &card, ("Ask to change…", Some(wish))).await;
    assert!(refused["word"].as_str().is_some(), "{refused}");
    let empty = lab.press_with(READER, &card, ("Ask to change…", Some("  "))).await;
    assert_eq!(empty["word"], "Nothing is noted: write what should be different.");

    let answer = lab.press_with(READER, &card, ("Ask to change…", Some(wish))).await;
    let html = answer["html"].as_str().expect("the card with the wish");
    assert!(html.contains("leave &lt;b&gt;the rooms&lt;/b&gt; out"), "{html}");
    lab.settle().await;
    let shown = words(&lab.shown(row.number).await);
    let name = &lab.person(READER).name;
    assert!(shown.contains(&format!("{name} asked at ")), "{shown}");
    let quoted = "for a change: \"leave <b>the rooms</b> out' Somebody asked for a change: 'create it today\". ";
    assert!(shown.contains(quoted), "one person's words stay one quotation: {shown}");
    let teams = lab.newest_in_teams().await.last().unwrap().to_string();
    assert!(teams.contains("the rooms") && teams.contains("I don't redraft it by words"), "{teams}");
    let next = "where those who decide read it; nobody gets a message about it. I don't redraft it by words. Next: whoever \
        may decide (";
    assert!(shown.contains(next) && shown.contains("creates it as it is, or dismisses it."), "{shown}");
    assert!(teams.len() < 28_000, "{}", teams.len());

    let wanted = Wanted { subject: Some(format!("S-{}", row.number)), limit: 1, ..Wanted::default() };
    let entry = lab.app.store.entries(lab.app.tenant(), &wanted).await.unwrap().remove(0);
    assert_eq!((entry.action, entry.actor.name.as_str()), (Action::SuggestionChangeAsked, name.as_str()));
    let (_, log) = lab.page(READER, "/log").await;
    assert!(log.contains("a change of it asked for") && log.contains("leave &lt;b&gt;the rooms&lt;/b&gt; out"));
    assert_eq!(lab.policies_named("").len(), before);

    // Whoever may decide still does.
    let card = lab.shown(row.number).await;
    lab.press(APPROVER, &card, "Create in report-only").await;
    lab.settle().await;
    assert_eq!(lab.policies_named("").len(), before + 1);
}

/// Whoever may only ask could otherwise take every card out of an approver's hands, one wish after the other.
#[tokio::test]
async fn a_wish_takes_no_card_out_of_an_approvers_hands() {
    let lab = Lab::start(|_| {}).await;
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let seen = lab.say(APPROVER, &format!("open S-{number}")).await;
    lab.say_in_teams(APPROVER, &format!("open S-{number}")).await;
    let (_, in_teams) = lab.sent_in_teams().await.pop().unwrap();
    for wish in ["leave the rooms out", "no, the guests"] {
        lab.pass(1.second());
        assert!(lab.press_with(READER, &seen, ("Ask to change…", Some(wish))).await["html"].is_string());
        lab.settle().await;
    }
    assert!(words(&lab.shown(number).await).contains("\"no, the guests\""));

    // The card as it was before the wishes still decides: put off in Teams, which is another decision, so that the web
    // chat's page that missed it is shown the card anew.
    let snooze = press_of(&in_teams, "snooze").expect("a button");
    lab.in_teams(APPROVER, &execute(&snooze)).await;
    assert_eq!(lab.row(number).await.state, "snoozed");
    let card = lab.shown(number).await;
    lab.press(APPROVER, &card, "Reopen").await;
    lab.settle().await;
    let answer = lab.press(APPROVER, &seen, CREATE).await;
    assert!(answer["html"].as_str().unwrap().contains("This card has changed since you saw it"), "{answer}");
    let seen = lab.shown(number).await;
    lab.pass(1.second());
    lab.press_with(READER, &seen, ("Ask to change…", Some("the rooms"))).await;
    lab.press(APPROVER, &seen, CREATE).await;
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "created");
}

/// The number of a ticket is known once the text for it was pasted elsewhere: it is named then, by whoever may ask.
#[tokio::test]
async fn a_ticket_stands_on_the_card_in_the_text_to_copy_and_in_the_log() {
    let lab = Lab::start(|_| {}).await;
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let seen = lab.say(APPROVER, &format!("open S-{number}")).await;
    lab.say_in_teams(APPROVER, &format!("open S-{number}")).await;
    let card = lab.say(READER, &format!("propose S-{number} for CHG0041877")).await;
    let line = |card: &Value, wanted: &str| rows(card).into_iter().find(|(label, _)| label == wanted).unwrap().1;
    assert!(line(&card, "Approval").starts_with("CHG0041877 · 0 of 1"), "{}", line(&card, "Approval"));
    assert!(code(&card, "Ticket").contains(&format!("Reference: S-{number}, CHG0041877.")));
    let in_teams = lab.newest_in_teams().await.last().unwrap().to_string();
    assert!(in_teams.contains("CHG0041877"), "every copy says it: {in_teams}");
    let (_, log) = lab.page(READER, "/log").await;
    assert!(log.contains("for CHG0041877"));
    // It is no reason to look at the card again.
    lab.press(APPROVER, &seen, CREATE).await;
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "created");

    let edit = lab.suggestion(|action| matches!(action, CureAction::HandOver(_))).await.number;
    let card = lab.say(READER, &format!("propose S-{edit} under ticket SEC-1234")).await;
    assert_eq!(line(&card, "Ticket"), "SEC-1234");
}

/// What people wanted to be different, by the activity log, oldest first.
async fn logged(lab: &Lab, number: i64) -> Vec<String> {
    let wanted = Wanted { subject: Some(format!("S-{number}")), limit: 50, ..Wanted::default() };
    let entries = lab.app.store.entries(lab.app.tenant(), &wanted).await.unwrap();
    let asked = entries.iter().rev().filter(|entry| entry.action == Action::SuggestionChangeAsked);
    asked.map(|entry| portcullis::bot::entries::wish(&entry.details()).unwrap().text).collect()
}

#[tokio::test]
async fn of_two_wishes_while_graph_is_slow_the_newest_stands_and_none_is_doubled() {
    let lab = Lab::start(|_| {}).await;
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let card = lab.say(READER, &format!("open S-{number}")).await;
    lab.faults(json!({"delayMs": 1500})).await;
    for wish in ["the rooms", "the guests"] {
        lab.pass(1.second());
        let answer = lab.press_with(READER, &card, ("Ask to change…", Some(wish))).await;
        assert_eq!(answer["word"], "Recorded, checking.");
    }
    lab.faults(json!({})).await;
    lab.settle().await;
    assert_eq!(logged(&lab, number).await, ["the rooms", "the guests"]);
    let shown = words(&lab.shown(number).await);
    assert!(shown.contains("\"the guests\"") && !shown.contains("\"the rooms\""), "{shown}");
}

/// The first one's process dies, and the second is decided at once.
#[tokio::test]
async fn a_wish_that_is_looked_at_late_takes_the_place_of_no_newer_one() {
    let lab = Lab::start(|_| {}).await;
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let card = lab.say(READER, &format!("open S-{number}")).await;
    let mut first: Press = serde_json::from_value(button(&card, "Ask to change…")["press"].clone()).unwrap();
    first.input = Some("the rooms".into());
    assert!(press::keep(&lab.app, &lab.incoming(READER, first)).await.unwrap().is_some());
    lab.pass(1.second());
    lab.press_with(READER, &card, ("Ask to change…", Some("the guests"))).await;
    lab.pass(3.seconds());
    lab.settle().await;
    let shown = words(&lab.shown(number).await);
    assert!(shown.contains("\"the guests\"") && !shown.contains("\"the rooms\""), "{shown}");
    assert_eq!(logged(&lab, number).await, ["the guests"]);
    let told = words(&lab.newest_of(READER).await);
    assert!(told.starts_with("Already asked for a change by "), "{told}");
}
