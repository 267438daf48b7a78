//! "What waits for approval?", as the cards of a tenant go through their states.

use portcullis::checks::CureAction;
use serde_json::Value;

use super::lab::{ADMINISTRATOR, APPROVER, Lab, READER, items, labels, words};

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

/// Suggestions that the summary lists, by their numbers, and what it says of them.
async fn summarised(lab: &Lab) -> Vec<(i64, String)> {
    let said = items(&lab.say(READER, "how do we look today?").await);
    let number = |words: &str| words.strip_prefix("S-")?.split(' ').next()?.parse().ok();
    said.into_iter().filter_map(|words| Some((number(&words)?, words))).collect()
}

#[tokio::test]
async fn the_summary_says_of_an_edit_that_a_person_makes_it_and_of_a_draft_how_far_its_approval_is() {
    let lab = Lab::start(|_| {}).await;
    for (number, _) in summarised(&lab).await {
        lab.say(READER, &format!("open S-{number}")).await;
    }
    let (mut edits, mut drafts) = (0, 0);
    for (number, words) in summarised(&lab).await {
        let row = lab.row(number).await;
        match portcullis::bot::reconcile::Body::of(&row).unwrap().proposal.action {
            CureAction::HandOver(_) => {
                edits += 1;
                assert!(words.contains(": handed over, waits for a person to make the change in Entra"), "{words}");
                assert!(!words.contains("approval"), "{words}");
            }
            CureAction::Draft(_) => {
                drafts += 1;
                assert!(words.contains(": approval 0 of 1, expires "), "{words}");
            }
        }
    }
    assert!(edits > 0 && drafts > 0, "{edits} edits, {drafts} drafts");
}

/// How many of several ways to speak of a suggestion are answered with the offer to decide about it.
async fn offers(lab: &Lab, number: i64) -> usize {
    let mut offers = 0;
    for text in ["when S-N", "S-N created?", "status of S-N"] {
        let card = lab.say(READER, &text.replace('N', &number.to_string())).await;
        offers += labels(&card)
            .iter()
            .filter(|label| label.starts_with("Create S-") || label.starts_with("Snooze S-"))
            .count();
    }
    offers
}

#[tokio::test]
async fn what_was_created_is_known_by_its_suggestion_s_number() {
    let lab = Lab::start(|_| {}).await;
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    assert!(offers(&lab, number).await > 0, "before it is created that is offered");
    let card = lab.say(READER, &format!("propose S-{number}")).await;
    lab.press(APPROVER, &card, "Create in report-only").await;
    lab.settle().await;
    assert_eq!(offers(&lab, number).await, 0);
    for read in [false, true] {
        if read {
            lab.scan().await;
        }
        for text in ["rollout of S-N", "when can S-N leave report-only?"] {
            let said = words(&lab.say(READER, &text.replace('N', &number.to_string())).await);
            assert!(!said.contains("isn't in the tenant yet"), "{said}");
            assert!(said.contains(" is in its first phase, report-only. A person ends it by turning it On."), "{said}");
        }
    }
}
