//! Cards go out of date by themselves when the policies that they rest on change, everywhere they are shown.

use portcullis::checks::CureAction;
use reqwest::Method;
use serde_json::json;

use super::lab::{ADMINISTRATOR, APPROVER, Lab, labels, words};

#[tokio::test]
async fn an_old_card_says_by_itself_that_a_policy_changed_and_by_whom() {
    let lab = Lab::start(|_| {}).await;
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    lab.say(ADMINISTRATOR, &format!("propose S-{}", row.number)).await;
    lab.say_in_teams(APPROVER, &format!("propose S-{}", row.number)).await;
    assert_eq!(lab.newest_in_teams().await.len(), 1);

    // What enforces nothing takes nothing out of date.
    let report_only = lab.policies_named("CA512").remove(0);
    let path = format!("policies/{}", report_only["id"].as_str().unwrap());
    lab.colleague(Method::POST, &path, json!({"by": "Piotr Nowak", "patch": {"displayName": "CA512 again"}})).await;
    lab.scan().await;
    assert!(labels(&lab.shown(row.number).await).contains(&"Create in report-only"));

    let on = lab.policies_named("CA200").remove(0);
    let excluded = on["conditions"]["users"]["excludeGroups"].as_array().unwrap()[0].clone();
    let patch = json!({"conditions": {"users": {"excludeGroups": [excluded]}}});
    let path = format!("policies/{}", on["id"].as_str().unwrap());
    lab.colleague(Method::POST, &path, json!({"by": "Piotr Nowak", "patch": patch})).await;
    // The look at the audit log asks for a scan, and the scan finds what changed.
    lab.poll().await;
    let card = lab.shown(row.number).await;
    let said = words(&card);
    assert!(said.contains("Out of date: policy CA200") && said.contains("was changed by Piotr Nowak on "), "{said}");
    assert_eq!(labels(&card)[0], "New card");
    let teams = lab.newest_in_teams().await;
    assert!(teams.len() > 1, "the card in Teams was brought up to date");
    assert!(teams.last().unwrap().to_string().contains("Out of date: policy CA200"), "{teams:?}");
    assert_eq!(lab.row(row.number).await.state, "out of date");

    // A new card is about what is found now.
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{}", row.number)).await;
    assert!(labels(&card).contains(&"Create in report-only"), "{:?}", labels(&card));
    assert_eq!(lab.row(row.number).await.state, "open");
}
