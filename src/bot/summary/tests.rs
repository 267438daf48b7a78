//! Summaries as people read them, one after the other, about a small tenant that changes between them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::bot::answer::Part;
use crate::bot::answers::list_suggestions::weight;
use crate::bot::answers::testing::{self, Question, answered, app, snapshot, words};
use crate::bot::approve::{Asks, case_of};
use crate::bot::intent::route;
use crate::bot::learn::Taste;
use crate::bot::reconcile::{Body, reconcile};
use crate::bot::{evidence, post};
use crate::checks::Severity;
use crate::facts::{Evidence, Fact};
use crate::log::Head;
use crate::store::suggestions::Row;
use crate::suggestions::Proposal;

/// The small tenant without the app that its MFA policy leaves out.
fn nordwerk() -> Value {
    let mut tenant = testing::nordwerk();
    tenant["policies"][0]["conditions"]["applications"]["excludeApplications"] = json!([]);
    tenant["policies"][1]["modifiedDateTime"] = json!("2026-11-01T08:00:00Z");
    tenant["policies"][3]["modifiedDateTime"] = json!("2026-10-14T08:00:00Z");
    tenant["policies"][3]["conditions"]["users"]["excludeGroups"] = json!(["g-breakglass"]);
    tenant["policies"][1]["conditions"]["users"]["excludeGroups"] = json!(["g-breakglass"]);
    tenant
}

/// The tenant as it is now, kept and judged, with the suggestions that follow.
async fn read(app: &App, tenant: &Value) -> Analysis {
    let snapshot = Arc::new(snapshot(tenant));
    let kept = app.store.save_snapshot(Arc::clone(&snapshot)).await.unwrap();
    let analysis = Analysis::of(snapshot, kept.hash, &app.config.thresholds, app.clock.now());
    reconcile(app, &analysis).await.unwrap();
    analysis
}

async fn posted(app: &App, tenant: &Value, before: Option<Remembered>) -> (String, Remembered) {
    let analysis = read(app, tenant).await;
    let head = Head { seq: 412, hash: "3f9a1c0de2b7".repeat(5) };
    let said = card::due(app, (&analysis, &head), before).await.unwrap();
    let words = words(&compose(said.answer, None, &app.wording).unwrap().card);
    // Which suggestions there are is the checks' business.
    let own: Vec<&str> = words.lines().filter(|line| !line.contains("S-") && !line.starts_with('[')).collect();
    let count = regex::Regex::new(r"3 of \d+|\(\d+\)\) \(|\d+ suggestions? still").unwrap();
    (count.replace_all(&own.join("\n"), "…").into_owned(), said.remember)
}

#[tokio::test]
async fn the_first_one_counts_who_joined_an_exclusion_group_by_the_audit_log() {
    let app = app().await;
    let mut tenant = nordwerk();
    tenant["directoryAudits"].as_array_mut().unwrap().push(json!({
        "id": "joined", "activityDateTime": "2026-11-24T06:42:00Z", "activityDisplayName": "Add member to group", "result": "success",
        "initiatedBy": {"user": {"id": "u-9", "displayName": "Piotr Nowak"}},
        "targetResources": [{"id": "u-ben", "displayName": "Ben", "type": "User", "modifiedProperties": [
            {"displayName": "Group.ObjectID", "oldValue": null, "newValue": "\"g-breakglass\""}]}]}));
    let (first, _) = posted(&app, &tenant, None).await;
    let changed = first.lines().find(|line| line.starts_with("Changed in 24 hours")).unwrap();
    assert_eq!(
        changed,
        "Changed in 24 hours: 1 policy (CA200 – Require MFA), 1 group used for exclusion (CA-BreakGlass +1) [5]"
    );
}

#[tokio::test]
async fn the_first_one_says_everything_and_the_next_one_line() {
    let app = app().await;
    let (first, before) = posted(&app, &nordwerk(), None).await;
    insta::assert_snapshot!(first, @r"
    # Conditional Access · 11111111-1111-4111-8111-111111111111
    ## Needs you · …
    ## Coverage (7 enabled accounts)
    MFA: 6 of 7 
    Admins phishing-resistant: 0 of 1 
    Legacy authentication blocked: 7 of 7 
    Device code flow blocked: 0 of 7 
    Set apart, in no bar: 1 emergency access account. [4]
    Changed in 24 hours: 1 policy (CA200 – Require MFA) [5]
    ## Report-only (1)
    - CA211 – Block device code flow, 41 days: enough data since day 14, would block 1 person. [6]
    Break-glass: 1 of 1 fine. No sign-in in the window. [7]
    Blocked yesterday: 3 sign-ins of 1 person, most by CA205 – Require compliant device (1 person) [8]
    Not checked: partner (GDAP) technicians and Intune grace periods. Sign-ins up to Tue 24 Nov 07:30. Read Tue 24 Nov 08:00. Activity log: entry 412, hash 3f9a1c0de2b7.
    (Open suggestions …Report-only) (CSV …What changed?) (Change this post)
    ");
    let (second, _) = posted(&app, &nordwerk(), Some(before)).await;
    insta::assert_snapshot!(second, @r"
    11111111-1111-4111-8111-111111111111: no changes, MFA 85.7 %, 1 in report-only, … open. Read Tue 24 Nov 08:00. Log entry 412, 3f9a1c0de2b7.
    (Whole summary) (Open suggestions)
    ");
}

#[tokio::test]
async fn what_changed_is_counted_and_what_got_worse_comes_first() {
    let app = app().await;
    let (_, before) = posted(&app, &nordwerk(), None).await;
    let mut tenant = nordwerk();
    tenant["groups"][2]["members"] = json!(["u-bob", "u-alice", "u-berg"]);
    tenant["policies"][2]["state"] = json!("disabled");
    for (id, at, what, target) in [
        ("a-2", "2026-11-24T07:50:00Z", "Update conditional access policy", "CA203 – Block legacy authentication"),
        ("a-3", "2026-11-24T07:58:00Z", "Add member to group", "CA-Excl-MFA-Rollout"),
    ] {
        tenant["directoryAudits"].as_array_mut().unwrap().push(json!({
            "id": id, "activityDateTime": at, "activityDisplayName": what,
            "initiatedBy": {"user": {"id": "u-dana", "displayName": "Dana Admin"}},
            "targetResources": [{"id": id, "displayName": target, "type": "Policy", "modifiedProperties": []}]}));
    }
    let (said, _) = posted(&app, &tenant, Some(before.clone())).await;
    let lines: Vec<&str> = said.lines().take_while(|line| !line.starts_with("Report-only")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    # Conditional Access · 11111111-1111-4111-8111-111111111111
    ## Needs you · …
    - Dana Admin, Tue 24 Nov 07:58: CA-Excl-MFA-Rollout (Add member to group). MFA: 2 accounts fewer than Tue 24 Nov 08:00 [1]
    - Dana Admin, Tue 24 Nov 07:50: CA203 – Block legacy authentication (Update conditional access policy). Legacy authentication blocked: 3 accounts fewer than Tue 24 Nov 08:00 [2]
    ## Coverage (7 enabled accounts)
    MFA: 4 of 7 was 6 of 7
    Admins phishing-resistant: 0 of 1 unchanged
    Legacy authentication blocked: 4 of 7 was 7 of 7
    Device code flow blocked: 0 of 7 unchanged
    Set apart, in no bar: 1 emergency access account. [4]
    Changed since Tue 08:00: 1 policy (CA203 – Block legacy authentication), 1 group used for exclusion (CA-Excl-MFA-Rollout +2) [5]
    ## Report-only (1)
    - CA211 – Block device code flow, 41 days: enough data since day 14, would block 1 person. [6]
    Break-glass: 1 of 1 fine. No sign-in in the window. [7]
    Blocked yesterday: 3 sign-ins of 1 person, most by CA205 – Require compliant device (1 person) [8]
    Not checked: partner (GDAP) technicians and Intune grace periods. Sign-ins up to Tue 24 Nov 07:30. Read Tue 24 Nov 08:00. Activity log: entry 412, hash 3f9a1c0de2b7.
    (Open suggestions …Report-only) (CSV …What changed?) (Change this post)
    ");
}

#[tokio::test]
async fn what_got_worse_leads_to_before_and_after_to_whom_and_to_a_cure() {
    let app = app().await;
    let (_, before) = posted(&app, &nordwerk(), None).await;
    let mut tenant = nordwerk();
    tenant["policies"][2]["state"] = json!("disabled");
    let analysis = read(&app, &tenant).await;
    let (check, was) = ("legacy-authentication", before.snapshot.clone());
    let then = before.covered.iter().find(|(known, ..)| known == check).map(|(_, covered, of)| of - covered);
    let said = card::due(&app, (&analysis, &Head::default()), Some(before)).await.unwrap();
    // The next conversation is told the same, and nothing is compiled or checked for it.
    let lost = analysis.lost((&was, check), || panic!("it is known who lost cover"));
    assert_eq!(lost.len(), 1);
    let old = nordwerk()["policies"][2].clone();
    let old = crate::tenant::read_policy(&old).unwrap();
    assert_eq!(Some(analysis.with_earlier((&old, check), || panic!("it is known what did it"))), then);
    let sheets = said.answer.sheets.clone();
    let composed = compose(said.answer, None, &app.wording).unwrap();
    let card = serde_json::to_value(&composed.card).unwrap();
    let items = card["blocks"].as_array().unwrap().iter().find(|block| block["block"] == "items").unwrap();
    let actions = items["items"][0]["actions"].as_array().unwrap();
    let labels: Vec<&str> = actions.iter().map(|action| action["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["Before/after", "Who", "Suggest fix"]);
    let lost = sheets.iter().find(|sheet| sheet.name == "lost-cover").expect("the list of those who lost cover");
    let ids = lost.rows.iter().map(|row| row[2].as_str());
    assert_eq!(ids.collect::<Vec<_>>(), ["u-bob"], "whoever lacked it before is not among them");
    assert_eq!(lost.total, 1);
    // They are named in the chat, and the whole list is there to take away.
    let press = &actions[1]["press"];
    assert_eq!((&press["verb"], &press["subject"]), (&json!("evidence"), &json!(lost.id())), "{actions:?}");
    post::keep_evidence(&app, &composed).await.unwrap();
    let opened = compose(evidence::answer(&app, &lost.id()).await.unwrap(), None, &app.wording).unwrap().card;
    let opened = words(&opened);
    insta::assert_snapshot!(opened, @r"
    # No longer covered: Legacy authentication blocked
    | Name | User principal name | Object id
    | Bob Keller | bob.keller@nordwerk.example | u-bob
    (CSV (1))
    ");
    // An exclusion of a policy that is Off wouldn't bring anybody's cover back: what was done is undone.
    let question = actions[2]["text"].as_str().unwrap();
    assert_eq!(question, "how do I turn \"CA203 – Block legacy authentication\" on again?");
    let turn = Question { text: question, intent: route(question, None).intent, previous: None };
    let handed = words(&answered(&app, &tenant, turn).await.1.card);
    assert!(
        handed.contains("I don't turn policies On; a person does. CA203 – Block legacy authentication is Off"),
        "{handed}"
    );
    assert!(handed.contains("Graph request: PATCH ") && handed.contains("\"state\": \"enabled\""), "{handed}");
}

/// Who was without MFA before isn't what got worse.
#[tokio::test]
async fn what_got_worse_cites_who_changed_it_and_those_it_concerns() {
    let app = app().await;
    let (_, before) = posted(&app, &nordwerk(), None).await;
    let mut tenant = nordwerk();
    tenant["groups"][2]["members"] = json!(["u-bob", "u-alice", "u-berg"]);
    let analysis = read(&app, &tenant).await;
    let said = card::due(&app, (&analysis, &Head::default()), Some(before)).await.unwrap();
    let list = said.answer.parts.iter().find_map(|part| match part {
        crate::bot::answer::Part::List { items, .. } => items.first(),
        _ => None,
    });
    let (fact, _) = list.unwrap();
    assert_eq!(fact.key, "summary.worse");
    let users = fact.evidence.rows.iter().filter_map(|row| match row {
        crate::facts::Row::User { id, .. } => Some(id.as_str()),
        _ => None,
    });
    assert_eq!(users.collect::<Vec<_>>(), ["u-alice", "u-berg"], "{fact:?}");
}

#[tokio::test]
async fn the_parts_come_in_the_order_in_which_they_matter() {
    let app = app().await;
    let (said, _) = posted(&app, &nordwerk(), None).await;
    let parts =
        ["## Needs you", "## Coverage", "Changed in", "## Report-only", "Break-glass", "Blocked", "Not checked"];
    let at: Vec<usize> = parts.iter().map(|part| said.find(part).unwrap()).collect();
    assert!(at.is_sorted(), "{said}");
    let last = said.lines().rfind(|line| !line.starts_with('(')).unwrap();
    assert!(last.ends_with("Activity log: entry 412, hash 3f9a1c0de2b7."), "{last}");
}

/// Numbers of the suggestions that a summary names, and the heading above them.
async fn named(app: &App, analysis: &Analysis) -> (Vec<i64>, String) {
    let answer = card::whole(app, (analysis, &Head::default()), None).await.unwrap().answer;
    let heading = answer.parts.iter().find_map(|part| match part {
        Part::Heading(words) => Some(words.clone()),
        _ => None,
    });
    let items = answer.parts.into_iter().find_map(|part| match part {
        Part::List { items, .. } => Some(items),
        _ => None,
    });
    let number = |fact: &Fact| match fact.terms.get("number") {
        Some(crate::facts::Term::Word(number)) => number.trim_start_matches("S-").parse().ok(),
        _ => None,
    };
    (items.unwrap_or_default().iter().filter_map(|(fact, _)| number(fact)).collect(), heading.unwrap())
}

#[tokio::test]
async fn what_is_severe_or_asked_for_needs_somebody_and_each_fault_is_named_once() {
    let app = app().await;
    let analysis = read(&app, &nordwerk()).await;
    let rows = app.store.suggestions(app.tenant()).await.unwrap();
    let severity = |row: &Row| Body::of(row).unwrap().proposal.severity;
    let (severe, mild): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| severity(row) >= Severity::High);
    let (numbers, heading) = named(&app, &analysis).await;
    assert_eq!(heading, format!("Needs you · 3 of {}", severe.len()));
    let checks = |numbers: &[i64]| -> std::collections::BTreeSet<&str> {
        rows.iter().filter(|row| numbers.contains(&row.number)).map(|row| row.check_id.as_str()).collect()
    };
    assert_eq!((numbers.len(), checks(&numbers).len()), (3, 3), "three repairs of one fault are one thing to look at");
    assert!(
        severe.iter().any(|one| severe.iter().any(|other| one.number < other.number && one.check_id == other.check_id))
    );

    // What a person asked for waits for somebody, however mild it is, and comes first.
    let asked = mild.last().unwrap();
    let person = crate::approval::Person { id: "u-dana".into(), name: "Dana Admin".into() };
    case_of(&app, asked, Asks::Person(person)).await.unwrap();
    let (numbers, heading) = named(&app, &analysis).await;
    assert_eq!((numbers[0], heading), (asked.number, format!("Needs you · 3 of {}", severe.len() + 1)));
}

/// The fault as a whole may concern more people than one of its repairs does.
#[tokio::test]
async fn of_equal_severity_the_repair_that_concerns_most_comes_first() {
    let app = app().await;
    read(&app, &nordwerk()).await;
    let row = app.store.suggestions(app.tenant()).await.unwrap().remove(0);
    let body = Body::of(&row).unwrap();
    let taste = Taste::of(&app).await.unwrap();
    let weight = |number: i64, own: u64| {
        let of = |total| Fact::new("common.read_at", Evidence { total, ..Evidence::default() });
        let proposal = Proposal { facts: vec![of(100)], why: vec![of(own)], leaving: None, ..body.proposal.clone() };
        weight(&taste, &Row { number, ..row.clone() }, &Body { proposal, ..body.clone() })
    };
    assert!(weight(2, 9) < weight(1, 1) && weight(1, 9) < weight(2, 9));
}

#[tokio::test]
async fn emergency_access_accounts_are_in_no_bar() {
    let app = app().await;
    let mut tenant = nordwerk();
    let (with, _) = posted(&app, &tenant, None).await;
    assert!(with.contains("MFA: 6 of 7 "), "{with}");
    tenant["settings"]["emergencyAccess"] = json!([]);
    let (without, _) = posted(&app, &tenant, None).await;
    assert!(without.contains("MFA: 6 of 8 "), "{without}");
}

/// A demo that starts at 08:20 posts its first summary at once; the one of 08:00 would repeat it.
#[tokio::test]
async fn a_conversation_that_begins_after_the_daily_time_gets_one_summary() {
    let app = app().await;
    let to = Conversation { platform: "web".into(), id: "dana".into(), personal: true, ..Conversation::default() };
    let planned = async || {
        let now = app.clock.now();
        let due = now - SignedDuration::from_hours(2);
        let schedules: Vec<_> =
            crate::bot::work::schedules(&app).await.unwrap().into_iter().filter(|one| one.kind == JOB).collect();
        assert_eq!(schedules.len(), 1);
        crate::jobs::plan(&app.store, &schedules, due, now).await.unwrap()
    };
    app.clock.set("2026-11-24T08:20:00Z".parse().unwrap());
    subscribe(&app, &to, "Dana").await.unwrap();
    assert_eq!(planned().await, 0);
    assert_eq!(app.store.job_counts().await.unwrap().ready, 1);
    subscribe(&app, &to, "Dana").await.unwrap();
    assert_eq!(app.store.job_counts().await.unwrap().ready, 1);
}
