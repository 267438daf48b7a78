//! Cards go out of date by themselves when the policies that they rest on change, everywhere they are shown.

use jiff::ToSpan;
use portcullis::checks::CureAction;
use reqwest::Method;
use serde_json::{Value, json};

use super::lab::{ADMINISTRATOR, APPROVER, Lab, button, labels, rows, words};
use super::teams::{execute, press_of};

const CREATE: &str = "Create in report-only";
const CHANGED: &str = "This card has changed since you saw it, so your click did nothing.";

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

/// Two must approve. Whoever saw the card before the first did is shown it as it is now, and clicks again if they want to.
#[tokio::test]
async fn a_click_on_a_card_that_has_changed_shows_it_as_it_is_and_decides_nothing() {
    let lab = Lab::start(|config| config.who.approvals_needed = 2).await;
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let seen = lab.say(ADMINISTRATOR, &format!("open S-{number}")).await;
    lab.say_in_teams(APPROVER, &format!("open S-{number}")).await;
    let (_, in_teams) = lab.sent_in_teams().await.pop().unwrap();
    let approvers: Vec<_> = lab.service.people.iter().filter(|person| person.role == APPROVER).collect();
    lab.press_as(approvers[1], &seen, CREATE).await;
    lab.settle().await;
    assert!(lab.shown(number).await.to_string().contains("1 of 2"));

    // In the web chat, on a page that was not brought up to date.
    for label in [CREATE, "Dismiss…", "Snooze…"] {
        let answer = lab.press_with(ADMINISTRATOR, &seen, (label, Some("3"))).await;
        let html = answer["html"].as_str().unwrap_or_else(|| panic!("{label}: {answer}"));
        assert!(html.contains(CHANGED) && html.contains("1 of 2"), "{label}: {html}");
    }
    // In Teams.
    let in_answer = lab.in_teams(APPROVER, &execute(&press_of(&in_teams, "create").unwrap())).await;
    assert_eq!(in_answer["type"], "application/vnd.microsoft.card.adaptive", "{in_answer}");
    let card = in_answer["value"].to_string();
    assert!(card.contains(CHANGED) && card.contains("1 of 2"), "{card}");
    // A version that is none yet doesn't help.
    let mut ahead = button(&seen, CREATE)["press"].clone();
    ahead["version"] = json!(99);
    let answer = lab.post(ADMINISTRATOR, "/web/press", &json!({"key": uuid::Uuid::new_v4(), "press": ahead})).await;
    assert!(answer["html"].as_str().unwrap().contains(CHANGED), "{answer}");
    lab.settle().await;
    assert!(lab.shown(number).await.to_string().contains("1 of 2"), "nothing was decided");
    assert_eq!((lab.row(number).await.state.as_str(), lab.policies_named("[").len()), ("open", 0));

    // The card that the answer showed decides.
    let now = press_of(&in_answer["value"], "create").expect("a button");
    lab.in_teams(APPROVER, &execute(&now)).await;
    assert_eq!(lab.row(number).await.state, "created");
}

/// A scan counts anew. Every copy of the card shows what it found, and a click beside the old numbers creates nothing.
#[tokio::test]
async fn a_click_beside_numbers_that_a_scan_has_changed_decides_nothing() {
    let lab = Lab::start(|_| {}).await;
    let number = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await.number;
    let seen = lab.say(APPROVER, &format!("open S-{number}")).await;
    lab.say_in_teams(APPROVER, &format!("open S-{number}")).await;
    let counted = |card: &Value| rows(card).into_iter().find(|(label, _)| label == "If On").unwrap().1;
    // Sign-ins fall out of the window of the log as it moves on.
    lab.pass(6.hours());
    lab.scan().await;
    let now = lab.shown(number).await;
    assert_ne!(counted(&now), counted(&seen), "the test needs other numbers");
    assert!(lab.newest_in_teams().await.len() > 1, "the card in Teams was brought up to date");

    let mut bare = seen.clone();
    for action in bare["actions"].as_array_mut().unwrap().iter_mut().filter(|action| action["press"].is_object()) {
        action["press"]["says"] = Value::Null;
    }
    for (card, label, input) in [(&seen, CREATE, None), (&bare, CREATE, None), (&seen, "Snooze…", Some("3"))] {
        let answer = lab.press_with(APPROVER, card, (label, input)).await;
        let html = answer["html"].as_str().unwrap_or_else(|| panic!("{label}: {answer}"));
        assert!(html.contains(CHANGED), "{label}: {html}");
    }
    lab.settle().await;
    assert_eq!((lab.row(number).await.state.as_str(), lab.policies_named("[").len()), ("open", 0));

    // A wish decides nothing, so it isn't lost over numbers; and the card as it is now decides.
    let wish = lab.press_with(APPROVER, &seen, ("Ask to change…", Some("leave the rooms out"))).await;
    assert!(wish["html"].as_str().unwrap().contains("leave the rooms out"), "{wish}");
    lab.press(APPROVER, &now, CREATE).await;
    lab.settle().await;
    assert_eq!(lab.row(number).await.state, "created");
}

/// What a scan finds as it was is not posted anew.
#[tokio::test]
async fn a_scan_that_finds_the_same_leaves_a_card_alone() {
    let lab = Lab::start(|_| {}).await;
    let number = lab.suggestion(|action| matches!(action, CureAction::HandOver(_))).await.number;
    lab.say_in_teams(APPROVER, &format!("open S-{number}")).await;
    lab.scan().await;
    let versions = lab.newest_in_teams().await;
    assert_eq!(versions.len(), 1, "{versions:#?}");
}

/// With each policy that is created, every card that waits would be one of so many more: nobody's click is lost over that.
#[tokio::test]
async fn a_policy_created_from_another_card_leaves_a_waiting_one_to_be_decided() {
    let lab = Lab::start(|_| {}).await;
    let rows = lab.app.store.suggestions(lab.app.tenant()).await.unwrap();
    let number_of = |check: &str| rows.iter().find(|row| row.check_id == check).expect(check).number;
    let (first, other) = (number_of("mfa-all-users"), number_of("mfa-guests"));
    let seen = lab.say(APPROVER, &format!("open S-{other}")).await;
    let created = lab.say(APPROVER, &format!("open S-{first}")).await;
    lab.press(APPROVER, &created, CREATE).await;
    lab.settle().await;
    lab.scan().await;
    let now = lab.say(APPROVER, &format!("open S-{other}")).await;
    let safety = |card: &Value| self::rows(card).into_iter().find(|(label, _)| label == "Safety").unwrap().1;
    assert_ne!(safety(&now), safety(&seen), "the test needs another count");

    lab.press_with(APPROVER, &seen, ("Snooze…", Some("3"))).await;
    lab.settle().await;
    assert_eq!(lab.row(other).await.state, "snoozed");
}
