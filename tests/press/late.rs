//! Presses that are not decided while their request lasts, come twice, or whose process dies: kept first, done once, told.

use jiff::ToSpan;
use portcullis::bot::press;
use portcullis::chat::Incoming;
use portcullis::checks::CureAction;
use portcullis::log::{Action, Actor, NewEntry};
use serde_json::{Value, json};

use super::lab::{ADMINISTRATOR, APPROVER, Lab, READER, button, words};

const CREATE: &str = "Create in report-only";

async fn card(lab: &Lab) -> (i64, Value) {
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    (row.number, lab.say(READER, &format!("propose S-{}", row.number)).await)
}

/// The press of a button that creates, as the web chat brings it.
fn creating(lab: &Lab, card: &Value) -> Incoming {
    lab.incoming(APPROVER, serde_json::from_value(button(card, CREATE)["press"].clone()).unwrap())
}

#[tokio::test]
async fn what_graph_is_slow_about_is_decided_later_and_said_to_whoever_pressed() {
    let lab = Lab::start(|_| {}).await;
    let (number, card) = card(&lab).await;
    lab.faults(json!({"delayMs": 1500})).await;
    for role in [READER, APPROVER] {
        assert_eq!(lab.refused(role, &card, CREATE).await, "Recorded, checking.");
    }
    lab.faults(json!({})).await;
    lab.settle().await;
    let told = words(&lab.newest_of(READER).await);
    assert!(told.starts_with("Deciding needs an approver's role"), "{told}");
    assert_eq!(lab.row(number).await.state, "created");
    // The card says it to whoever may decide.
    assert!(lab.app.store.newest_messages(&format!("web:{}", lab.person(APPROVER).id), 1).await.unwrap().is_empty());
}

/// Both were promised an answer: whose click is looked at second saw a card without the first one.
#[tokio::test]
async fn whose_card_changed_while_the_click_was_looked_at_is_told_so() {
    let lab = Lab::start(|config| config.who.approvals_needed = 2).await;
    let (number, card) = card(&lab).await;
    lab.faults(json!({"delayMs": 1500})).await;
    for role in [APPROVER, ADMINISTRATOR] {
        assert_eq!(lab.refused(role, &card, CREATE).await, "Recorded, checking.");
    }
    lab.faults(json!({})).await;
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "open", "one of two");
    assert!(lab.shown(number).await.to_string().contains("1 of 2"));
    let mut told = Vec::new();
    for role in [APPROVER, ADMINISTRATOR] {
        let conversation = format!("web:{}", lab.person(role).id);
        let said = lab.app.store.newest_messages(&conversation, 1).await.unwrap();
        told.extend(said.into_iter().map(|message| words(&message.said.body)));
    }
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("This card has changed since you saw it"), "{told:?}");
}

#[tokio::test]
async fn what_graph_never_answers_is_given_up_and_said() {
    let lab = Lab::start(|_| {}).await;
    let (number, card) = card(&lab).await;
    lab.faults(json!({"schedule": [{"path": "", "times": 1000, "kind": "forbidden"}]})).await;
    assert_eq!(lab.refused(APPROVER, &card, CREATE).await, "Recorded, checking.");
    for _ in 0..5 {
        lab.settle().await;
        lab.pass(1.minute());
    }
    let told = words(&lab.newest_of(APPROVER).await);
    assert!(told.starts_with("I could not finish what you clicked"), "{told}");
    assert_eq!(lab.row(number).await.state, "open");
}

#[tokio::test]
async fn a_press_whose_process_dies_is_taken_up() {
    let lab = Lab::start(|_| {}).await;
    let (number, card) = card(&lab).await;
    let incoming = creating(&lab, &card);
    // Kept, and the process dies before anything is asked.
    assert!(press::keep(&lab.app, &incoming).await.unwrap().is_some());
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "open", "its request may be at it");
    lab.pass(3.seconds());
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "created");
}

#[tokio::test]
async fn a_press_whose_process_dies_after_the_decision_is_not_decided_again() {
    let lab = Lab::start(|_| {}).await;
    let (number, card) = card(&lab).await;
    let incoming = creating(&lab, &card);
    let kept = press::keep(&lab.app, &incoming).await.unwrap().unwrap();
    press::press(&lab.app, &kept).await.unwrap();
    lab.pass(3.seconds());
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "created");
    let said = lab.app.store.newest_messages(&format!("web:{}", lab.person(APPROVER).id), 1).await.unwrap();
    assert!(said.is_empty(), "no \"already approved\" for one's own click: {said:?}");
}

/// Whatever else was logged about it meanwhile.
#[tokio::test]
async fn a_decision_is_known_behind_any_number_of_entries() {
    let lab = Lab::start(|_| {}).await;
    let (number, card) = card(&lab).await;
    let kept = press::keep(&lab.app, &creating(&lab, &card)).await.unwrap().unwrap();
    press::press(&lab.app, &kept).await.unwrap();
    for _ in 0..60 {
        let entry = NewEntry {
            tenant: lab.app.tenant().to_owned(),
            at: lab.app.clock.now(),
            actor: Actor::bot(),
            action: Action::ApprovalRefused,
            subject: format!("S-{number}"),
            body: json!({}),
            evidence: Vec::new(),
        };
        lab.app.store.append(entry).await.unwrap();
    }
    lab.pass(3.seconds());
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "created");
    let said = lab.app.store.newest_messages(&format!("web:{}", lab.person(APPROVER).id), 1).await.unwrap();
    assert!(said.is_empty(), "no \"already approved\" for one's own click: {said:?}");
}

#[tokio::test]
async fn a_press_that_comes_twice_is_one_press() {
    let lab = Lab::start(|_| {}).await;
    let (_, card) = card(&lab).await;
    let body = json!({"key": uuid::Uuid::new_v4(), "press": button(&card, CREATE)["press"]});
    assert!(lab.post(APPROVER, "/web/press", &body).await["html"].is_string());
    let again = lab.post(APPROVER, "/web/press", &body).await;
    assert_eq!(again["word"], "That click is recorded already. Nothing is done twice.");
}

#[tokio::test]
async fn an_instruction_is_kept_once_however_often_it_is_confirmed() {
    let lab = Lab::start(|_| {}).await;
    let card = lab.say(APPROVER, "never suggest device-code-flow until 2027-03-01").await;
    for _ in 0..2 {
        let word = lab.refused(APPROVER, &card, "Keep it").await;
        assert!(word.starts_with("Kept as I-1."), "{word}");
    }
    assert_eq!(lab.app.store.instructions(lab.app.tenant()).await.unwrap().len(), 1);
    // Taken back, it can be given again.
    let mut tx = lab.app.store.begin().await.unwrap();
    tx.remove_instruction(lab.app.tenant(), 1, lab.app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(lab.refused(APPROVER, &card, "Keep it").await.starts_with("Kept as I-2."));
}
