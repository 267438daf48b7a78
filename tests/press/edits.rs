//! What is said before somebody makes a change by hand: that another one would undo it, that it is covered already, and why
//! it matters, in plain words.

use std::collections::{BTreeMap, BTreeSet};

use portcullis::bot::reconcile::Body;
use portcullis::checks::CureAction;
use reqwest::Method;
use serde_json::{Value, json};

use super::lab::{APPROVER, Lab, rows, words};

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
    let [one, ref others @ ..] = both[..] else { panic!("edits of CA200: {both:?}") };
    assert!(!others.is_empty());
    for (shown, rival) in others.iter().flat_map(|other| [(one, *other), (*other, one)]) {
        let said = words(&lab.say(APPROVER, &format!("open the card of S-{shown}")).await);
        assert!(said.contains(&format!("S-{rival}")), "{said}");
        let each =
            said.contains("edits CA200 – Require MFA – Internals too, and each undoes the other: make one change");
        let in_order = said.contains("after it, it would undo this one") || said.contains("this one would undo it");
        assert!(each || in_order, "{said}");
        let safety = rows(&lab.newest_of(APPROVER).await).into_iter().find(|(label, _)| label == "Safety").unwrap().1;
        let able = "✓ 4 of 4 Global Administrators can still sign in, emergency access accounts not counted.";
        assert!(safety.starts_with(able), "{safety}");
    }
    // Two edits that leave each other alone.
    let alone = edits(&lab, "Microsoft-managed").await;
    assert!(alone.len() > 1, "{alone:?}");
    for number in alone {
        let said = words(&lab.say(APPROVER, &format!("open the card of S-{number}")).await);
        assert!(!said.contains("undoes the other"), "{said}");
    }
    // All others put out of the way, the one has no rival.
    for other in others {
        let card = lab.say(APPROVER, &format!("open the card of S-{other}")).await;
        lab.press_with(APPROVER, &card, ("Dismiss…", Some("accepted risk"))).await;
        lab.settle().await;
    }
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

/// The request that a suggestion hands over.
async fn request(lab: &Lab, number: i64) -> Value {
    let CureAction::HandOver(change) = Body::of(&lab.row(number).await).unwrap().proposal.action else {
        panic!("S-{number} is handed over")
    };
    change.request.unwrap().2
}

/// Two of one policy, each with a suggestion of its own: made one after the other, both are made.
#[tokio::test]
async fn an_edit_is_right_again_once_another_of_the_same_policy_was_made() {
    let lab = Lab::start(|_| {}).await;
    let proposals = lab.app.analysis().unwrap().proposals();
    let prints: BTreeSet<&str> = proposals.iter().map(|proposal| proposal.fingerprint.as_str()).collect();
    assert_eq!(prints.len(), proposals.len(), "under one fingerprint one of them would be lost");
    let excluded = |body: &Value| body.pointer("/conditions/applications/excludeApplications").cloned();
    let policy = lab.policies_named("CA400").remove(0);
    let [one, other] = excluded(&policy).unwrap().as_array().unwrap()[..].to_owned().try_into().unwrap();
    let mut edits_of = BTreeMap::new();
    for number in edits(&lab, "CA400").await {
        edits_of.insert(excluded(&request(&lab, number).await).unwrap().to_string(), number);
    }
    let (first, second) = (edits_of[&json!([other]).to_string()], edits_of[&json!([one]).to_string()]);
    let kept = lab.app.store.suggestions(lab.app.tenant()).await.unwrap();
    assert!(kept.iter().any(|row| Body::of(row).unwrap().proposal.checks.contains(&"mfa-guests".to_owned())));
    for number in [first, second] {
        lab.say(APPROVER, &format!("open the card of S-{number}")).await;
    }

    let body = json!({"by": "Piotr Nowak", "patch": request(&lab, first).await});
    lab.colleague(Method::POST, &format!("policies/{}", policy["id"].as_str().unwrap()), body).await;
    lab.poll().await;
    assert_eq!(lab.row(first).await.state, "resolved");
    let said = words(&lab.shown(second).await);
    assert!(said.contains("Out of date: policy CA400") && said.contains("was changed by Piotr Nowak"), "{said}");
    // What it asks for keeps what was done.
    let card = lab.say(APPROVER, &format!("open the card of S-{second}")).await;
    assert_eq!(excluded(&request(&lab, second).await), Some(json!([])));
    assert!(super::lab::code(&card, "Graph request").contains("\"excludeApplications\": []"), "{card}");
}
