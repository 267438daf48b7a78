//! Two people: who asked, who may approve, and what the card says of it before anybody presses.

use portcullis::checks::CureAction;
use portcullis::log::Action;
use portcullis::store::entries::Wanted;
use serde_json::Value;

use super::lab::{ADMINISTRATOR, APPROVER, Lab, READER, rows, words};

const CREATE: &str = "Create in report-only";

async fn lab() -> (Lab, i64) {
    let lab = Lab::start(|config| config.who.approvals_needed = 2).await;
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    (lab, row.number)
}

/// Who the activity log says asked for the newest card of a suggestion.
async fn asker(lab: &Lab, number: i64) -> String {
    let wanted = Wanted { subject: Some(format!("S-{number}")), limit: 50, ..Wanted::default() };
    let entries = lab.app.store.entries(lab.app.tenant(), &wanted).await.unwrap();
    let asked = entries.into_iter().find(|entry| entry.action == Action::ApprovalRequested);
    asked.expect("a card was asked for").actor.name
}

fn approval(card: &Value) -> String {
    rows(card).into_iter().find(|(label, _)| label == "Approval").expect("a row about the approval").1
}

#[tokio::test]
async fn who_only_opens_a_card_has_not_asked_for_it_and_may_approve() {
    let (lab, number) = lab().await;
    let card = lab.say(ADMINISTRATOR, &format!("open S-{number}")).await;
    assert!(words(&card).contains("Two people have to approve it."), "{}", words(&card));
    assert!(approval(&card).starts_with("0 of 2 · suggested by the bot · approvers: "), "{}", approval(&card));
    assert_eq!(asker(&lab, number).await, "the bot");
    lab.press(ADMINISTRATOR, &card, CREATE).await;
    lab.settle().await;
    lab.press(APPROVER, &lab.shown(number).await, CREATE).await;
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "created");
}

#[tokio::test]
async fn who_asked_reads_on_the_card_that_two_others_must_approve() {
    let (lab, number) = lab().await;
    let name = lab.person(ADMINISTRATOR).name.clone();
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{number}")).await;
    let rule = format!("Two people have to approve it; {name}, who asked for it, can't be one of them.");
    assert!(words(&card).contains(&rule), "{}", words(&card));
    let row = approval(&card);
    assert!(row.starts_with(&format!("0 of 2 · asked for by {name} · approvers: ")), "{row}");
    assert!(row.contains("Global Administrator") && row.contains(&format!(", but not {name} · until ")), "{row}");
    assert_eq!(asker(&lab, number).await, name);
    let refused = lab.refused(ADMINISTRATOR, &card, CREATE).await;
    assert!(refused.contains("whoever asked for it can't approve it when two people are needed"), "{refused}");
    let help = words(&lab.say(READER, "how does the four eyes principle work with you").await);
    assert!(help.contains("Whoever asked for the change is neither of them."), "{help}");
}

#[tokio::test]
async fn where_one_is_enough_it_may_be_whoever_asked() {
    let lab = Lab::start(|_| {}).await;
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{number}")).await;
    let row = approval(&card);
    assert!(row.contains("0 of 1 · asked for by ") && !row.contains("but not"), "{row}");
    let help = words(&lab.say(READER, "how does the four eyes principle work with you").await);
    assert!(help.contains("Whoever asked for the change may be that person."), "{help}");
    lab.press(ADMINISTRATOR, &card, CREATE).await;
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "created");
}

#[tokio::test]
async fn the_demo_has_two_others_for_whatever_one_approver_asked_for() {
    let (lab, number) = lab().await;
    let asker = &lab.person(ADMINISTRATOR).name;
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{number}")).await;
    let approvers = lab.service.people.iter().filter(|person| person.role == APPROVER).collect::<Vec<_>>();
    let [first, second] = &approvers[..] else { panic!("two approvers besides: {approvers:?}") };
    lab.press_as(first, &card, CREATE).await;
    lab.settle().await;
    let half = words(&lab.shown(number).await);
    let rule = format!("That can't be {} again, nor {asker}, who asked for it.", first.name);
    assert!(half.contains(&rule), "{half}");
    lab.press_as(second, &lab.shown(number).await, CREATE).await;
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "created");
}

#[tokio::test]
async fn a_creation_that_goes_well_leaves_no_doubt_in_the_log() {
    let lab = Lab::start(|_| {}).await;
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    let card = lab.say(READER, &format!("open S-{}", row.number)).await;
    lab.press(APPROVER, &card, CREATE).await;
    // Two workers, as there are in production: neither takes up what the other is at.
    tokio::join!(lab.settle(), lab.settle());
    let wanted = Wanted { subject: Some(format!("S-{}", row.number)), limit: 50, ..Wanted::default() };
    let entries = lab.app.store.entries(lab.app.tenant(), &wanted).await.unwrap();
    let actions: Vec<Action> = entries.iter().rev().map(|entry| entry.action).collect();
    let expected = [
        Action::SuggestionOpened,
        Action::ApprovalRequested,
        Action::ApprovalGranted,
        Action::PolicyCreateIntended,
        Action::PolicyCreated,
    ];
    assert_eq!(actions, expected);
}
