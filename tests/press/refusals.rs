//! Every way in which a press is refused, through the endpoint, in the words that people read.

use jiff::ToSpan;
use portcullis::checks::CureAction;
use portcullis::config::WriteMode;
use portcullis::tenant::read_policy;
use portcullis::tenant::well_known::PLAN_P2;
use reqwest::Method;
use serde_json::{Value, json};

use super::lab::{ADMINISTRATOR, APPROVER, Lab, OUTSIDER, READER, words};

const CREATE: &str = "Create in report-only";

/// The card of a suggestion that a new policy settles, asked for by a reader.
async fn card(lab: &Lab) -> (i64, Value) {
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    (row.number, lab.say(READER, &format!("propose S-{}", row.number)).await)
}

/// Policies that the bot sent a request for.
fn posts(lab: &Lab) -> usize {
    let is_create = |request: &&Value| {
        request["method"] == "POST" && request["path"] == "/v1.0/identity/conditionalAccess/policies"
    };
    lab.service.state().requests().iter().filter(is_create).count()
}

#[tokio::test]
async fn who_may_not_decide_is_told_what_it_takes() {
    let lab = Lab::start(|_| {}).await;
    let (_, card) = card(&lab).await;
    for role in [READER, OUTSIDER] {
        assert_eq!(
            lab.refused(role, &card, CREATE).await,
            "Deciding needs an approver's role, such as Conditional Access Administrator, active at this moment. You can \
             read and ask."
        );
    }
    lab.settle().await;
    assert_eq!(posts(&lab), 0);
}

#[tokio::test]
async fn two_presses_in_a_row_are_one_approval_and_one_policy() {
    let lab = Lab::start(|_| {}).await;
    let (number, card) = card(&lab).await;
    let (first, second) = tokio::join!(lab.press(APPROVER, &card, CREATE), lab.press(APPROVER, &card, CREATE));
    let word = [&first, &second].into_iter().find_map(|answer| answer["word"].as_str()).expect("one of them is late");
    let approver = &lab.person(APPROVER).name;
    assert!(word.starts_with(&format!("Already approved by {approver} at ")), "{word}");
    lab.settle().await;
    assert_eq!(posts(&lab), 1);
    assert_eq!(lab.row(number).await.state, "created");
    // Long decided, it is still said who did it.
    assert!(lab.refused(ADMINISTRATOR, &card, CREATE).await.starts_with(&format!("Already approved by {approver}")));
}

#[tokio::test]
async fn two_approvers_are_two_people_and_neither_is_whoever_asked() {
    let lab = Lab::start(|config| config.who.approvals_needed = 2).await;
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    let card = lab.say(ADMINISTRATOR, &format!("propose S-{}", row.number)).await;
    assert_eq!(
        lab.refused(ADMINISTRATOR, &card, CREATE).await,
        "That isn't possible now: whoever asked for it can't approve it when two people are needed."
    );
    lab.press(APPROVER, &card, CREATE).await;
    lab.settle().await;
    let half = words(&lab.shown(row.number).await);
    assert!(half.contains("a second person has to approve. Nothing is created until then."), "{half}");
    let again = lab.refused(APPROVER, &card, CREATE).await;
    assert!(again.starts_with(&format!("Already approved by {}", lab.person(APPROVER).name)), "{again}");
    assert_eq!(posts(&lab), 0);
}

#[tokio::test]
async fn two_approvers_create_what_a_reader_asked_for_and_one_takes_it_back() {
    let lab = Lab::start(|config| config.who.approvals_needed = 2).await;
    let (number, card) = card(&lab).await;
    lab.press(APPROVER, &card, CREATE).await;
    lab.settle().await;
    lab.press(ADMINISTRATOR, &lab.shown(number).await, CREATE).await;
    lab.settle().await;
    assert_eq!((posts(&lab), lab.row(number).await.state.as_str()), (1, "created"));
    let created = lab.shown(number).await;
    lab.press(APPROVER, &created, "Undo").await;
    lab.settle().await;
    assert!(words(&lab.shown(number).await).contains("Nobody had touched it"), "{}", words(&lab.shown(number).await));
    assert_eq!(lab.row(number).await.state, "undone");
}

#[tokio::test]
async fn an_expired_card_is_not_approved() {
    let lab = Lab::start(|_| {}).await;
    let (number, card) = card(&lab).await;
    lab.pass(241.hours());
    let word = lab.refused(APPROVER, &card, CREATE).await;
    assert_eq!(word, "This card expired at Fri 4 Dec 08:31, so nothing is decided. Ask for a new card.");
    lab.poll().await;
    assert!(words(&lab.shown(number).await).contains("Expired: nobody decided in time. Nothing was created."));
}

#[tokio::test]
async fn what_comes_too_late_is_said_in_words() {
    let lab = Lab::start(|_| {}).await;
    let (number, card) = card(&lab).await;
    lab.press_with(APPROVER, &card, ("Dismiss…", Some("accepted risk"))).await;
    lab.settle().await;
    let dismissed = lab.shown(number).await;
    lab.press(APPROVER, &dismissed, "Reopen").await;
    lab.settle().await;
    let word = lab.refused(APPROVER, &dismissed, "Reopen").await;
    assert_eq!(word, "That isn't possible now: the card waits for a decision.");
}

#[tokio::test]
async fn a_dismissed_one_says_by_whom() {
    let lab = Lab::start(|_| {}).await;
    let (_, card) = card(&lab).await;
    lab.press_with(ADMINISTRATOR, &card, ("Dismiss…", Some("accepted risk"))).await;
    let word = lab.refused(APPROVER, &card, CREATE).await;
    assert!(word.starts_with(&format!("Already dismissed by {} at ", lab.person(ADMINISTRATOR).name)), "{word}");
}

#[tokio::test]
async fn a_policy_that_changed_since_stops_the_creation() {
    let lab = Lab::start(|_| {}).await;
    let (number, card) = card(&lab).await;
    let on = lab.policies_named("CA200").remove(0);
    let path = format!("policies/{}", on["id"].as_str().unwrap());
    let off = json!({"by": "Piotr Nowak", "patch": {"state": "disabled"}});
    lab.colleague(Method::POST, &path, off).await;
    lab.press(APPROVER, &card, CREATE).await;
    lab.settle().await;
    let said = words(&lab.shown(number).await);
    assert!(said.contains("Out of date: policy CA200") && said.contains("is no longer On"), "{said}");
    assert!(said.contains("Nothing was created."), "{said}");
    assert_eq!(posts(&lab), 0);
}

#[tokio::test]
async fn the_same_policy_under_another_name_stops_the_creation() {
    let lab = Lab::start(|_| {}).await;
    let (number, card) = card(&lab).await;
    let mut twin: Value = serde_json::from_str(super::lab::code(&card, "JSON")).unwrap();
    twin["displayName"] = json!("Somebody else's");
    twin["state"] = json!("disabled");
    lab.colleague(Method::POST, "policies", json!({"by": "Piotr Nowak", "policy": twin})).await;
    lab.press(APPROVER, &card, CREATE).await;
    lab.settle().await;
    let said = words(&lab.shown(number).await);
    assert!(said.contains("Not created: the policy Somebody else's says the same already; it is Off"), "{said}");
    assert_eq!(posts(&lab), 0);
}

#[tokio::test]
async fn in_hand_over_mode_a_press_creates_nothing() {
    let lab = Lab::start(|_| {}).await;
    let (_, card) = card(&lab).await;
    // The same card, in a tenant that is only read: a client may keep an old button.
    let reading = Lab::start(|config| config.write.mode = WriteMode::HandOver).await;
    let (_, own) = self::card(&reading).await;
    let mut stale = own.clone();
    stale["actions"] = card["actions"].clone();
    let subject = super::lab::button(&own, "Snooze…")["press"]["subject"].clone();
    for action in stale["actions"].as_array_mut().unwrap() {
        action["press"]["subject"] = subject.clone();
    }
    let word = reading.refused(APPROVER, &stale, CREATE).await;
    assert!(word.starts_with("A person creates this policy from the card, in report-only; I don't."), "{word}");
    assert_eq!(posts(&reading), 0);
}

#[tokio::test]
async fn what_somebody_edited_is_not_taken_back_and_the_card_says_what_and_by_whom() {
    let lab = Lab::start(|_| {}).await;
    let (number, card) = card(&lab).await;
    lab.press(APPROVER, &card, CREATE).await;
    lab.settle().await;
    let created = lab.shown(number).await;
    let policy = {
        let tenant = lab.service.state().tenant();
        tenant.policies.last().unwrap().clone()
    };
    let path = format!("policies/{}", policy["id"].as_str().unwrap());
    let patch = json!({"state": "enabled"});
    lab.colleague(Method::POST, &path, json!({"by": "Piotr Nowak", "patch": patch})).await;
    lab.press(APPROVER, &created, "Undo").await;
    lab.settle().await;
    let card = lab.shown(number).await;
    let said = words(&card);
    assert!(said.contains("Not taken back: Piotr Nowak changed it at "), "{said}");
    assert_eq!(super::lab::changes(&card), [("Enable policy".into(), "Report-only".into(), "On".into())]);
    assert!(!card["citations"].as_array().unwrap().is_empty(), "the audit record");
    assert_eq!(lab.policies_named(policy["displayName"].as_str().unwrap()).len(), 1);
}

/// A card for any policy, as it would lie there if a check had drafted it, and the press of its button.
async fn pressed(lab: &Lab, policy: Value) -> String {
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    let action = CureAction::Draft(Box::new(read_policy(&policy).unwrap()));
    let card = lab.ask(row.number, &action).await;
    lab.press(APPROVER, &card, CREATE).await;
    lab.settle().await;
    words(&lab.shown(row.number).await)
}

fn blocking(conditions: Value) -> Value {
    let mut policy = json!({"displayName": "CA900", "state": "enabled", "conditions": {
        "users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
        "grantControls": {"operator": "OR", "builtInControls": ["block"]}});
    policy["conditions"].as_object_mut().unwrap().extend(conditions.as_object().unwrap().clone());
    policy
}

#[tokio::test]
async fn what_would_lock_the_administrators_out_is_not_created() {
    let lab = Lab::start(|_| {}).await;
    let said = pressed(&lab, blocking(json!({}))).await;
    assert!(said.contains("Not created: this would block everybody from everything"), "{said}");
    assert!(said.contains("if this policy were On, no administrator could sign in any more"), "{said}");
    assert_eq!(posts(&lab), 0);
}

#[tokio::test]
async fn what_the_licence_does_not_cover_is_not_created() {
    let lab = Lab::start(|_| {}).await;
    let mut poor = lab.app.analysis().unwrap().snapshot().clone();
    poor.licences.remove(PLAN_P2);
    lab.read_as(poor).await;
    let risky = json!({"users": {"includeUsers": ["All"], "excludeGroups": [lab.service.emergency_group]},
        "signInRiskLevels": ["high"]});
    let said = pressed(&lab, blocking(risky)).await;
    let why = "Not created: risk conditions need Microsoft Entra ID P2, which this tenant doesn't own";
    assert!(said.contains(why), "{said}");
    assert_eq!(posts(&lab), 0);
}

#[tokio::test]
async fn an_outsider_is_told_who_may_read_and_sees_nothing_of_it() {
    let lab = Lab::start(|_| {}).await;
    lab.say(READER, "who is not covered by MFA?").await;
    for path in ["/log", "/evidence/unknown", "/csv/unknown"] {
        let (status, html) = lab.page(OUTSIDER, path).await;
        assert_eq!(status, 403, "{path}");
        for needed in ["<h1>You have no access here</h1>", "<li>Security Reader</li>", "Privileged Role Administrator"]
        {
            assert!(html.contains(needed), "{path}: {needed}: {html}");
        }
        assert!(!html.contains("question answered") && !html.contains("last read"), "{html}");
    }
    let (status, html) = lab.page(READER, "/log").await;
    assert_eq!(status, 200);
    let (words, kept) = html.split_once("<details>").unwrap();
    assert!(words.contains("question answered") && words.contains("who or what no policy protects"), "{words}");
    assert!(words.contains("in the web chat") && !words.contains("platform") && kept.contains("platform"), "{words}");
}

#[tokio::test]
async fn an_instruction_that_was_removed_is_not_kept_again_by_its_old_card() {
    let lab = Lab::start(|_| {}).await;
    let card = lab.say(APPROVER, "never suggest device code flow").await;
    let kept = lab.refused(APPROVER, &card, "Keep it").await;
    assert!(kept.starts_with("Kept as I-1."), "{kept}");
    // A repeat while it holds says the same.
    assert!(lab.refused(APPROVER, &card, "Keep it").await.starts_with("Kept as I-1."));
    let list = lab.say(APPROVER, "show the standing instructions").await;
    let remove =
        list["blocks"].as_array().unwrap().iter().flat_map(|block| block["items"].as_array().into_iter().flatten());
    let remove = remove
        .flat_map(|item| item["actions"].as_array().unwrap())
        .find(|action| action["press"]["verb"] == "removeInstruction");
    let press =
        serde_json::json!({"key": uuid::Uuid::new_v4(), "press": remove.expect("a button that removes it")["press"]});
    lab.pass(jiff::ToSpan::minute(1));
    let gone = lab.post(APPROVER, "/web/press", &press).await;
    assert_eq!(gone["word"], "I-1 is removed. It no longer holds.");

    let again = lab.refused(APPROVER, &card, "Keep it").await;
    assert!(
        again.starts_with("I-1 said this, and was removed at ") && again.contains("Nothing is kept again"),
        "{again}"
    );
    assert_eq!(lab.app.store.instructions(lab.app.tenant()).await.unwrap().len(), 1);
    // Asked anew it is kept.
    lab.pass(jiff::ToSpan::minute(1));
    let card = lab.say(APPROVER, "never suggest device code flow").await;
    assert!(lab.refused(APPROVER, &card, "Keep it").await.starts_with("Kept as I-2."));
}
