//! Approvals whose way into the tenant is barred: none sticks, none is made twice, and a person learns what is left to do.

use jiff::{SignedDuration, ToSpan};
use portcullis::checks::CureAction;
use reqwest::Method;
use serde_json::{Value, json};

use super::lab::{APPROVER, Lab, READER, words};

const CREATE: &str = "Create in report-only";
const LIST: &str = "/identity/conditionalAccess/policies";

/// The bot with the lag bound of production.
async fn lab() -> Lab {
    Lab::start(|config| config.graph.lag_bound = std::time::Duration::from_mins(15)).await
}

/// A card whose button was pressed, before the job carries it on.
async fn pressed(lab: &Lab) -> i64 {
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    let card = lab.say(READER, &format!("propose S-{}", row.number)).await;
    assert!(lab.press(APPROVER, &card, CREATE).await["html"].is_string());
    row.number
}

fn refused(path: &str, skip: u32, kind: &str) -> Value {
    json!([{"path": path, "skip": skip, "times": 100_000, "kind": kind}])
}

/// Lets minutes go by as a bot lives through them: it works, and looks at what it left.
async fn wait(lab: &Lab, minutes: i64) {
    for _ in 0..minutes {
        lab.settle().await;
        lab.poll().await;
    }
}

async fn state(lab: &Lab) -> String {
    lab.app.store.approvals(lab.app.tenant()).await.unwrap().pop().unwrap().state.name
}

async fn marker(lab: &Lab) -> String {
    let kept = lab.app.store.approvals(lab.app.tenant()).await.unwrap().pop().unwrap();
    kept.terms["marker"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_back_is_left_to_a_person_by_its_id() {
    let lab = lab().await;
    let number = pressed(&lab).await;
    lab.faults(json!({"schedule": refused("conditionalAccess/policies/", 0, "forbidden")})).await;
    lab.settle().await;
    assert_eq!(state(&lab).await, "reading-back");
    wait(&lab, 20).await;
    assert_eq!(state(&lab).await, "needs-person");
    let made = lab.policies_named(&marker(&lab).await).remove(0);
    let said = words(&lab.shown(number).await);
    assert!(said.contains(&format!("doesn't show it (policy id {})", made["id"].as_str().unwrap())), "{said}");
}

#[tokio::test]
async fn an_approval_whose_job_is_gone_is_taken_up_again() {
    let lab = lab().await;
    let number = pressed(&lab).await;
    lab.faults(json!({"schedule": refused("conditionalAccess/policies/", 0, "forbidden")})).await;
    lab.settle().await;
    // Its jobs vanish, as after a restore from a backup.
    let far = lab.app.clock.now() + SignedDuration::from_hours(1);
    while let Some(job) = lab.app.store.lease(far, far).await.unwrap() {
        lab.app.store.end(&job, &portcullis::store::jobs::End::Done, far).await.unwrap();
    }
    lab.faults(json!({})).await;
    wait(&lab, 20).await;
    assert_eq!(lab.row(number).await.state, "created");
}

#[tokio::test]
async fn a_list_that_is_refused_is_said_and_looked_at_again() {
    let lab = lab().await;
    let number = pressed(&lab).await;
    lab.faults(json!({"loseResponses": 1, "schedule": refused(LIST, 2, "forbidden")})).await;
    lab.settle().await;
    assert_eq!(state(&lab).await, "looking");
    wait(&lab, 20).await;
    let said = words(&lab.shown(number).await);
    assert!(said.contains("the policies can't be listed") && said.contains("I keep looking"), "{said}");
    lab.faults(json!({})).await;
    wait(&lab, 20).await;
    assert_eq!(lab.row(number).await.state, "created");
    assert_eq!(lab.policies_named(&marker(&lab).await).len(), 1);
}

#[tokio::test]
async fn two_policies_with_one_marker_are_both_named() {
    let lab = lab().await;
    let number = pressed(&lab).await;
    lab.faults(json!({"loseResponses": 1, "readLagMs": 60_000})).await;
    lab.settle().await;
    assert_eq!(state(&lab).await, "looking");
    let mut twin = lab.policies_named(&marker(&lab).await).remove(0);
    let first = twin["id"].as_str().unwrap().to_owned();
    for key in ["id", "createdDateTime", "modifiedDateTime"] {
        twin.as_object_mut().unwrap().remove(key);
    }
    let twin = lab.colleague(Method::POST, "policies", json!({"by": "Piotr Nowak", "policy": twin})).await;
    lab.pass(2.minutes());
    lab.settle().await;
    let said = words(&lab.shown(number).await);
    let second = twin["id"].as_str().unwrap();
    assert!(said.contains("several policies") && said.contains(&first) && said.contains(second), "{said}");
}

#[tokio::test]
async fn who_may_not_decide_any_more_has_not_approved() {
    let lab = lab().await;
    let number = pressed(&lab).await;
    let approver = lab.person(APPROVER);
    lab.colleague(Method::DELETE, &format!("users/{}", approver.id), json!({"by": "Piotr Nowak"})).await;
    lab.settle().await;
    let said = words(&lab.shown(number).await);
    let why = format!("Not created: {}, who approved it, may not decide any more", approver.name);
    assert!(said.contains(&why), "{said}");
    assert!(lab.policies_named(&marker(&lab).await).is_empty());
}

#[tokio::test]
async fn a_creation_that_is_asked_to_wait_comes_later() {
    let lab = lab().await;
    let number = pressed(&lab).await;
    lab.faults(json!({"schedule": [{"path": LIST, "skip": 1, "times": 8, "kind": "throttled"}]})).await;
    lab.settle().await;
    assert_eq!(state(&lab).await, "checking");
    lab.faults(json!({})).await;
    wait(&lab, 3).await;
    assert_eq!(lab.row(number).await.state, "created");
    assert_eq!(lab.policies_named(&marker(&lab).await).len(), 1);
}

#[tokio::test]
async fn a_creation_that_never_may_be_sent_is_refused_in_the_end() {
    let lab = lab().await;
    let number = pressed(&lab).await;
    lab.faults(json!({"schedule": refused(LIST, 1, "throttled")})).await;
    lab.settle().await;
    assert_eq!(state(&lab).await, "checking");
    for _ in 0..20 {
        // Each time the check passes and the request doesn't.
        lab.faults(json!({"schedule": refused(LIST, 1, "throttled")})).await;
        lab.pass(1.minute());
        lab.settle().await;
    }
    let said = words(&lab.shown(number).await);
    assert!(said.contains("Not created: Microsoft Graph asks to slow down"), "{said}");
    assert!(lab.policies_named(&marker(&lab).await).is_empty());
}

async fn created(lab: &Lab) -> (i64, Value) {
    let number = pressed(lab).await;
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "created");
    (number, lab.policies_named(&marker(lab).await).remove(0))
}

/// Graph goes on showing the policy as it was before the edit.
#[tokio::test]
async fn an_edit_that_graph_does_not_show_yet_keeps_the_policy() {
    let lab = lab().await;
    let (number, made) = created(&lab).await;
    lab.faults(json!({"editLagMs": 600_000})).await;
    let edit =
        json!({"by": "Piotr Nowak", "patch": {"conditions": {"users": {"excludeUsers": []}}, "state": "enabled"}});
    lab.colleague(Method::POST, &format!("policies/{}", made["id"].as_str().unwrap()), edit).await;
    lab.press(APPROVER, &lab.shown(number).await, "Undo").await;
    lab.settle().await;
    let said = words(&lab.shown(number).await);
    assert!(said.contains("Not taken back: Piotr Nowak changed it at "), "{said}");
    assert_eq!(lab.policies_named(&marker(&lab).await).len(), 1);
}

#[tokio::test]
async fn a_removal_that_is_refused_is_left_to_a_person() {
    let lab = lab().await;
    let (number, made) = created(&lab).await;
    lab.faults(json!({"schedule": refused("conditionalAccess/policies/", 5, "forbidden")})).await;
    lab.press(APPROVER, &lab.shown(number).await, "Undo").await;
    lab.settle().await;
    assert_eq!(state(&lab).await, "undoing");
    wait(&lab, 20).await;
    let said = words(&lab.shown(number).await);
    let id = made["id"].as_str().unwrap();
    assert!(said.contains("could not be taken back") && said.contains(id), "{said}");
}
