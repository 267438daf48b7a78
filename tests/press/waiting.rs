//! "What waits for approval?", as the cards of a tenant go through their states.

use portcullis::checks::CureAction;
use serde_json::Value;

use super::lab::{ADMINISTRATOR, APPROVER, Lab, READER, items};

const QUESTION: &str = "what waits for approval?";

fn listed(card: &Value, number: i64) -> Option<String> {
    items(card).into_iter().find(|words| words.starts_with(&format!("S-{number} ")))
}

#[tokio::test]
async fn what_waits_is_listed_until_nobody_has_to_do_anything() {
    let lab = Lab::start(|config| config.who.approvals_needed = 2).await;
    assert!(items(&lab.say(READER, QUESTION).await).is_empty(), "nobody has opened a card yet");
    let draft = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let edit = lab.suggestion(|action| matches!(action, CureAction::HandOver(_))).await.number;
    lab.say(READER, &format!("open S-{edit}")).await;
    let card = lab.say(READER, &format!("propose S-{draft}")).await;
    lab.press(APPROVER, &card, "Create in report-only").await;
    lab.settle().await;
    let waiting = lab.say(READER, QUESTION).await;
    assert_eq!(items(&waiting).len(), 2, "{:?}", items(&waiting));
    let half = listed(&waiting, draft).expect("the draft");
    let approver = &lab.person(APPROVER).name;
    let asker = &lab.person(READER).name;
    assert!(half.contains(&format!(": 1 of 2 approved ({approver}), asked for by {asker}, until ")), "{half}");
    assert!(listed(&waiting, edit).expect("the edit").contains("not seen in the audit log yet"));
    lab.press(ADMINISTRATOR, &lab.shown(draft).await, "Create in report-only").await;
    lab.settle().await;
    let created = listed(&lab.say(READER, "pending approvals?").await, draft).expect("it waits to be turned On");
    assert!(created.contains(": in report-only since "), "{created}");
}
