//! What is said later to whoever waits for it: what a scan changed, and that nothing came of an approval.

use jiff::ToSpan;
use portcullis::checks::CureAction;
use serde_json::json;

use super::lab::{APPROVER, Lab, READER, words};

#[tokio::test]
async fn a_scan_that_somebody_asked_for_says_what_it_changed() {
    let lab = Lab::start(|_| {}).await;
    let card = lab.say(APPROVER, "run the analysis again").await;
    let on = lab.policies_named("CA200").remove(0);
    let off = json!({"by": "Piotr Nowak", "patch": {"state": "disabled"}});
    lab.colleague(reqwest::Method::POST, &format!("policies/{}", on["id"].as_str().unwrap()), off).await;
    let promise = "A scan starts now. I'll say what changed when it is done.";
    assert_eq!(lab.refused(APPROVER, &card, "Start the scan").await, promise);
    lab.settle().await;
    lab.pass(3.seconds());
    lab.settle().await;
    let said = lab.newest_of(APPROVER).await;
    assert!(words(&said).starts_with("The scan is done. Read "), "{said}");
    assert!(said.to_string().contains("1 policy (CA200"), "{said}");
    let new: Vec<&serde_json::Value> =
        said["blocks"].as_array().unwrap().iter().filter(|block| block["block"] == "items").collect();
    let runs = new.iter().flat_map(|block| block["items"].as_array().unwrap()).map(|item| &item["runs"][0]);
    for run in runs {
        assert!(!run["cites"].as_array().unwrap().is_empty(), "what is new cites what it rests on: {run}");
    }
    assert!(!new.is_empty() && new[0].to_string().contains("Piotr Nowak, "), "who made it worse: {said}");

    lab.pass(2.minutes());
    lab.faults(json!({"schedule": [{"path": "conditionalAccess/policies", "times": 1000, "kind": "forbidden"}]})).await;
    assert_eq!(lab.refused(APPROVER, &card, "Start the scan").await, promise);
    lab.settle().await;
    lab.pass(3.seconds());
    lab.settle().await;
    let said = words(&lab.newest_of(APPROVER).await);
    assert!(said.starts_with("The scan failed: ") && said.ends_with("What was read before still stands."), "{said}");
}

#[tokio::test]
async fn whoever_approved_is_told_that_nothing_came_of_it() {
    let lab = Lab::start(|_| {}).await;
    lab.say(APPROVER, "help").await;
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let card = lab.say(READER, &format!("propose S-{number}")).await;
    let on = lab.policies_named("CA200").remove(0);
    let off = json!({"by": "Piotr Nowak", "patch": {"state": "disabled"}});
    lab.colleague(reqwest::Method::POST, &format!("policies/{}", on["id"].as_str().unwrap()), off).await;
    lab.press(APPROVER, &card, "Create in report-only").await;
    lab.settle().await;
    let told = words(&lab.newest_of(APPROVER).await);
    assert!(told.starts_with(&format!("About S-{number} ")) && told.contains("Out of date: policy CA200"), "{told}");
}

#[tokio::test]
async fn a_card_names_the_sign_ins_that_its_impact_does_not_count() {
    let lab = Lab::start(|_| {}).await;
    let draft = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    let propose = format!("propose S-{}", draft.number);
    let missing = "non-interactive sign-ins: the log that was read holds none";
    assert!(!lab.say(APPROVER, &propose).await.to_string().contains(missing));
    let mut half = lab.app.analysis().unwrap().snapshot().clone();
    half.sign_ins.retain(|row| row.interactive);
    lab.read_as(half).await;
    let said = lab.say(APPROVER, &propose).await.to_string();
    assert!(said.contains("Unsure") && said.contains(missing), "{said}");
}
