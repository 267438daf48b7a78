//! What the bot can't tell is ended by a person who looked: the card offers it, and nothing is sent again by that.

use jiff::ToSpan;
use portcullis::checks::CureAction;
use serde_json::{Value, json};

use super::lab::{APPROVER, Lab, READER, button, labels, words};

const CREATE: &str = "Create in report-only";
const LOG: &str = "what did you do about S-";

/// A card whose policy got an id that Graph never shows, left to a person; its number and the policy's id.
async fn doubtful(lab: &Lab) -> (i64, String) {
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let card = lab.say(READER, &format!("propose S-{number}")).await;
    lab.press(APPROVER, &card, CREATE).await;
    let unreadable = json!([{"path": "conditionalAccess/policies/", "skip": 0, "times": 100_000, "kind": "forbidden"}]);
    lab.faults(json!({"schedule": unreadable})).await;
    for _ in 0..4 {
        lab.settle().await;
        lab.pass(5.minutes());
    }
    lab.poll().await;
    assert_eq!(lab.row(number).await.state, "needs a person");
    let id = lab.service.state().tenant().policies.last().unwrap()["id"].as_str().unwrap().to_owned();
    (number, id)
}

fn posts(lab: &Lab) -> usize {
    let path = "/v1.0/identity/conditionalAccess/policies";
    let is_create = |request: &&Value| request["method"] == "POST" && request["path"] == path;
    lab.service.state().requests().iter().filter(is_create).count()
}

#[tokio::test]
async fn a_doubt_says_what_to_look_for_and_who_looked_ends_it() {
    let lab = Lab::start(|_| {}).await;
    let (number, id) = doubtful(&lab).await;
    let told = words(&lab.say(APPROVER, &format!("{LOG}{number}?")).await);
    assert!(
        told.contains("I created no policy that I know of; I sent 1 request to create a policy whose outcome"),
        "{told}"
    );

    let card = lab.say(APPROVER, &format!("dismiss S-{number}")).await;
    assert!(card["title"].as_str().unwrap().starts_with("Needs a person: "), "{}", card["title"]);
    assert!(labels(&card).contains(&"It is there") && labels(&card).contains(&"It isn't there"), "{:?}", labels(&card));
    assert!(words(&card).contains("whose name ends in [") && words(&card).contains(&id), "{}", words(&card));
    let first = format!("S-{number} can't be dismissed or snoozed yet: it was approved, and whether its policy is");
    assert!(words(&card).starts_with(&first), "{}", words(&card));
    assert!(
        !words(&lab.say(APPROVER, &format!("open S-{number}")).await).contains(&first),
        "nobody wants to dismiss it"
    );
    // So is a button that was there before the doubt.
    let mut before = button(&card, "It is there")["press"].clone();
    before["verb"] = json!("dismiss");
    let answer = lab.post(APPROVER, "/web/press", &json!({"key": uuid::Uuid::new_v4(), "press": before})).await;
    assert!(answer["word"].as_str().unwrap().contains("look in Entra and click \"It is there\""), "{answer}");
    let refused = lab.refused(READER, &card, "It is there").await;
    assert!(refused.starts_with("Deciding needs an approver's role"), "{refused}");

    lab.press(APPROVER, &card, "It is there").await;
    lab.settle().await;
    let said = words(&lab.shown(number).await);
    let who = &lab.person(APPROVER).name;
    assert!(
        said.contains(&format!("{who} looked at ")) && said.contains(&format!("is there (policy id {id})")),
        "{said}"
    );
    assert!(!labels(&lab.shown(number).await).contains(&"Undo"));
    let told = words(&lab.say(APPROVER, &format!("{LOG}{number}?")).await);
    assert!(
        told.contains("a person found 1 policy in the tenant that I had sent a request for; nothing else"),
        "{told}"
    );
    let again = lab.refused(APPROVER, &card, "It isn't there").await;
    assert!(again.starts_with(&format!("Already settled by {who} at ")), "{again}");
    assert_eq!(posts(&lab), 1);
}

#[tokio::test]
async fn what_is_not_there_is_asked_for_again_only_by_a_new_card() {
    let lab = Lab::start(|_| {}).await;
    let (number, id) = doubtful(&lab).await;
    lab.faults(json!({})).await;
    lab.colleague(reqwest::Method::DELETE, &format!("policies/{id}"), json!({"by": "Piotr Nowak"})).await;
    let card = lab.say(APPROVER, &format!("open S-{number}")).await;
    lab.press(APPROVER, &card, "It isn't there").await;
    lab.settle().await;
    let shown = lab.shown(number).await;
    assert!(words(&shown).contains("the policy isn't there. A new card can ask for it again"), "{}", words(&shown));
    assert!(labels(&shown).contains(&"New card"), "{:?}", labels(&shown));
    assert_eq!((posts(&lab), lab.row(number).await.state.as_str()), (1, "open"));
    let told = words(&lab.say(APPROVER, &format!("{LOG}{number}?")).await);
    assert!(told.contains("I created no policy; nothing else was written"), "{told}");
    let anew = lab.say(READER, &format!("propose S-{number}")).await;
    lab.press(APPROVER, &anew, CREATE).await;
    lab.settle().await;
    assert_eq!((posts(&lab), lab.row(number).await.state.as_str()), (2, "created"));
}
