//! What is said before somebody makes a change by hand: that another one would undo it, that it is covered already, and why
//! it matters, in plain words.

use portcullis::bot::reconcile::Body;
use portcullis::checks::CureAction;
use reqwest::Method;
use serde_json::{Value, json};

use super::lab::{APPROVER, Lab, words};

/// Numbers of the suggestions that edit the policy with this name.
async fn edits(lab: &Lab, name: &str) -> Vec<i64> {
    let rows = lab.app.store.suggestions(lab.app.tenant()).await.unwrap();
    let fits = |action: CureAction| {
        matches!(action, CureAction::HandOver(change)
            if change.target_name.starts_with(name) && change.request.as_ref().is_some_and(|(method, ..)| method == "PATCH"))
    };
    rows.into_iter().filter(|row| fits(Body::of(row).unwrap().proposal.action)).map(|row| row.number).collect()
}

#[tokio::test]
async fn edits_of_one_policy_that_undo_each_other_say_so() {
    let lab = Lab::start(|_| {}).await;
    let both = edits(&lab, "CA200").await;
    let [one, other] = both[..] else { panic!("two edits of CA200: {both:?}") };
    for (shown, rival) in [(one, other), (other, one)] {
        let said = words(&lab.say(APPROVER, &format!("open the card of S-{shown}")).await);
        assert!(said.contains(&format!("S-{rival} edits CA200")) && said.contains("each undoes the other"), "{said}");
    }
    // Two edits that leave each other alone.
    let alone = edits(&lab, "Microsoft-managed").await;
    assert!(alone.len() > 1, "{alone:?}");
    for number in alone {
        let said = words(&lab.say(APPROVER, &format!("open the card of S-{number}")).await);
        assert!(!said.contains("undoes the other"), "{said}");
    }
    // One of them put out of the way, the other has no rival.
    let card = lab.say(APPROVER, &format!("open the card of S-{other}")).await;
    lab.press_with(APPROVER, &card, ("Dismiss…", Some("accepted risk"))).await;
    lab.settle().await;
    let said = words(&lab.say(APPROVER, &format!("open the card of S-{one}")).await);
    assert!(!said.contains("undoes the other"), "{said}");
}

#[tokio::test]
async fn a_policy_for_what_is_covered_already_is_not_created_and_the_one_that_does_it_is_named() {
    let lab = Lab::start(|_| {}).await;
    let blocks: Value = json!({
        "displayName": "CA499 – Block guests", "state": "enabled", "conditions": {"clientAppTypes": ["all"],
            "users": {"includeUsers": ["GuestsOrExternalUsers"]}, "applications": {"includeApplications": ["All"]}},
        "grantControls": {"operator": "OR", "builtInControls": ["block"]}});
    lab.colleague(Method::POST, "policies", json!({"by": "Piotr Nowak", "policy": blocks})).await;
    lab.scan().await;
    let before = lab.policies_named("").len();
    let card = lab.say(APPROVER, "create a policy for guests").await;
    let said = words(&card);
    assert!(said.contains("Nothing to create: \"MFA for guests\" is met already, by CA499 – Block guests."), "{said}");
    let cited = card["citations"][0]["evidence"].as_str().unwrap();
    let kept = lab.app.store.evidence(lab.app.tenant(), cited).await.unwrap().unwrap();
    assert!(kept["evidence"]["rows"].to_string().contains("CA499"), "{kept}");
    assert_eq!(lab.policies_named("").len(), before);
}

#[tokio::test]
async fn why_something_is_suggested_is_said_in_plain_words() {
    let lab = Lab::start(|_| {}).await;
    let rows = lab.app.store.suggestions(lab.app.tenant()).await.unwrap();
    let row = rows.into_iter().find(|row| row.check_id == "device-code-flow").unwrap();
    let said = words(&lab.say(APPROVER, &format!("why S-{}?", row.number)).await);
    assert!(said.contains("can be tricked into finishing a sign-in that somebody else started"), "{said}");
}
