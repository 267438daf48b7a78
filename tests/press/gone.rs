//! A policy that was created from a card and is gone: who removed it, and that nothing is left to take back.

use jiff::ToSpan;
use portcullis::checks::CureAction;
use portcullis::log::Action;
use portcullis::store::entries::Wanted;
use reqwest::Method;
use serde_json::{Value, json};

use super::lab::{APPROVER, Lab, READER, labels, words};

const COLLEAGUE: &str = "Piotr Nowak";

/// A card whose policy was created; its number and the policy's id.
async fn created(lab: &Lab) -> (i64, String) {
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let card = lab.say(READER, &format!("propose S-{number}")).await;
    lab.press(APPROVER, &card, "Create in report-only").await;
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "created");
    let id = lab.service.state().tenant().policies.last().unwrap()["id"].as_str().unwrap().to_owned();
    (number, id)
}

async fn deleted(lab: &Lab, id: &str) {
    lab.colleague(Method::DELETE, &format!("policies/{id}"), json!({"by": COLLEAGUE})).await;
}

/// How many requests of the bot deleted something.
fn deletions(lab: &Lab) -> usize {
    lab.service.state().requests().iter().filter(|request| request["method"] == "DELETE").count()
}

async fn logged(lab: &Lab, number: i64, action: Action) -> usize {
    let wanted = Wanted { subject: Some(format!("S-{number}")), limit: 50, ..Wanted::default() };
    let entries = lab.app.store.entries(lab.app.tenant(), &wanted).await.unwrap();
    entries.iter().filter(|entry| entry.action == action).count()
}

fn says_who(card: &Value) {
    let said = words(card);
    assert!(said.contains("isn't in the tenant any more: Piotr Nowak removed it at "), "{said}");
    assert!(said.contains("I removed nothing.") && !said.contains("Taken back"), "{said}");
    assert!(!card["citations"].as_array().unwrap().is_empty(), "the audit record");
    assert!(!labels(card).contains(&"Undo"), "{:?}", labels(card));
}

#[tokio::test]
async fn undo_of_what_somebody_else_removed_claims_no_removal() {
    let lab = Lab::start(|_| {}).await;
    let (number, id) = created(&lab).await;
    deleted(&lab, &id).await;
    lab.press(APPROVER, &lab.shown(number).await, "Undo").await;
    lab.settle().await;
    says_who(&lab.shown(number).await);
    assert_eq!((deletions(&lab), lab.row(number).await.state.as_str()), (0, "gone"));
    assert_eq!(logged(&lab, number, Action::PolicyRemoved).await, 0);
    assert_eq!(logged(&lab, number, Action::PolicyGone).await, 1);
    let told = lab.say(APPROVER, &format!("what did you do about S-{number}?")).await.to_string();
    assert!(told.contains("I created 1 report-only policy; nothing else was written"), "{told}");
    assert!(told.contains("report-only policy found removed by somebody else"), "{told}");
}

#[tokio::test]
async fn the_next_reading_says_on_the_card_that_its_policy_is_gone() {
    let lab = Lab::start(|_| {}).await;
    let (number, id) = created(&lab).await;
    lab.scan().await;
    assert!(labels(&lab.shown(number).await).contains(&"Undo"));
    deleted(&lab, &id).await;
    lab.scan().await;
    says_who(&lab.shown(number).await);
    assert_eq!(deletions(&lab), 0);
    // What it cured is found again.
    assert_eq!(lab.row(number).await.state, "open");
}

#[tokio::test]
async fn a_removal_of_its_own_whose_answer_was_lost_is_its_own() {
    let lab = Lab::start(|_| {}).await;
    let (number, _) = created(&lab).await;
    lab.faults(json!({"loseResponses": 1})).await;
    lab.press(APPROVER, &lab.shown(number).await, "Undo").await;
    for _ in 0..3 {
        lab.settle().await;
        lab.pass(1.minute());
    }
    let said = words(&lab.shown(number).await);
    assert!(said.contains("Taken back: I removed it for ") && deletions(&lab) == 1, "{said}");
    assert_eq!(
        (logged(&lab, number, Action::PolicyRemoved).await, logged(&lab, number, Action::PolicyGone).await),
        (1, 0)
    );
}
