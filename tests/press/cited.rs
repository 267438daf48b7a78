//! A citation opens on the very rows behind its sentence: changed or taken away, the sentence or its citation says so.

use portcullis::bot::reconcile::Body;
use portcullis::checks::CureAction;
use portcullis::config::WriteMode;
use portcullis::facts::{Fact, Row, Term};
use portcullis::log::{Action, Entry};
use portcullis::store::entries::Wanted;
use portcullis::tenant::Snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use super::lab::{ADMINISTRATOR, APPROVER, Lab, code, labels, rows};

/// What a card cites, by what each citation says.
async fn cited(lab: &Lab, card: &Value) -> Vec<Fact> {
    let mut facts = Vec::new();
    for citation in card["citations"].as_array().unwrap() {
        facts.push(kept(lab, citation["evidence"].as_str().unwrap()).await);
    }
    facts
}

async fn kept(lab: &Lab, id: &str) -> Fact {
    let body = lab.app.store.evidence(lab.app.tenant(), id).await.unwrap().expect("evidence of a citation");
    serde_json::from_value(body).unwrap()
}

fn count(fact: &Fact) -> u64 {
    let Some(Term::Count(count)) = fact.terms.get("count") else { panic!("no count: {fact:?}") };
    *count
}

fn sign_ins(fact: &Fact) -> Vec<&str> {
    fact.evidence.rows.iter().map(sign_in).collect()
}

fn sign_in(row: &Row) -> &str {
    let Row::SignIn { id, .. } = row else { panic!("not a sign-in: {row:?}") };
    id
}

fn snapshot(lab: &Lab) -> Snapshot {
    lab.app.analysis().unwrap().snapshot().clone()
}

/// A draft whose effect on past sign-ins is told on its card, with the sentence about it.
async fn reaches(lab: &Lab) -> (i64, Fact) {
    for row in lab.app.store.suggestions(lab.app.tenant()).await.unwrap() {
        if !matches!(Body::of(&row).unwrap().proposal.action, CureAction::Draft(_)) {
            continue;
        }
        let card = lab.say(APPROVER, &format!("propose S-{}", row.number)).await;
        let told = |fact: &Fact| matches!(fact.key.as_str(), "impact.blocked" | "impact.prompted");
        if let Some(fact) = cited(lab, &card).await.into_iter().find(told) {
            return (row.number, fact);
        }
    }
    panic!("the demo's log has sign-ins that a draft would reach")
}

#[tokio::test]
async fn an_impact_opens_on_the_sign_ins_that_it_counts_and_follows_them() {
    let lab = Lab::start(|_| {}).await;
    let (number, fact) = reaches(&lab).await;
    let before = snapshot(&lab);
    let rows = sign_ins(&fact);
    assert_eq!(fact.evidence.total, count(&fact), "as many rows as the sentence says");
    assert_eq!(rows.len() as u64, count(&fact).min(50));
    assert_eq!(fact.evidence.window, before.window);
    assert!(rows.iter().all(|id| before.sign_ins.iter().any(|row| row.id == **id)), "rows of the log: {rows:?}");
    let newest = before.sign_ins.iter().rfind(|row| rows.contains(&row.id.as_str())).unwrap();
    assert_eq!(rows[0], newest.id.as_str(), "the newest first");

    let card = lab.say(APPROVER, &format!("propose S-{number}")).await;
    let all =
        cited(&lab, &card).await.into_iter().find(|one| one.key == "impact.counted").expect("how many it looked at");
    let Some(Term::Count(looked_at)) = all.terms.get("rows") else { panic!("{all:?}") };
    assert_eq!(all.evidence.total, *looked_at);

    // Without one of them the sentence counts one less, and its citation has it no more.
    let gone = rows[0].to_owned();
    let without = before.sign_ins.iter().filter(|row| row.id != *gone).cloned().collect();
    lab.read_as(Snapshot { sign_ins: without, ..before }).await;
    let card = lab.say(APPROVER, &format!("propose S-{number}")).await;
    let again = cited(&lab, &card).await.into_iter().find(|one| one.key == fact.key).expect("still told");
    assert_eq!(count(&again), count(&fact) - 1);
    assert!(!sign_ins(&again).contains(&gone.as_str()));
}

#[tokio::test]
async fn taking_some_out_of_a_group_cites_them_and_nobody_else() {
    let lab = Lab::start(|_| {}).await;
    let leaves = |action: &CureAction| matches!(action, CureAction::HandOver(change) if change.members.len() > 1);
    let row = lab.suggestion(leaves).await;
    let CureAction::HandOver(change) = Body::of(&row).unwrap().proposal.action else { panic!("a hand-over") };
    for question in ["show all open suggestions".to_owned(), format!("why S-{}?", row.number)] {
        let card = lab.say(ADMINISTRATOR, &question).await;
        let number = Term::Word(format!("S-{}", row.number));
        let facts = cited(&lab, &card).await;
        let fact = facts.iter().find(|fact| fact.terms.get("number") == Some(&number)).expect("its title is cited");
        let ids: Vec<&str> = fact.evidence.rows.iter().filter_map(user).collect();
        assert_eq!(fact.evidence.total, change.members.len() as u64, "{question}");
        assert_eq!(ids.len(), change.members.len().min(50), "{question}");
        assert!(ids.iter().all(|id| change.members.iter().any(|member| member == id)), "{question}: {ids:?}");
        let through = |row: &Row| matches!(row, Row::User { path, .. } if path.contains(&change.target_name));
        assert!(fact.evidence.rows.iter().all(through), "each with the way into the group");
    }
}

fn user(row: &Row) -> Option<&str> {
    if let Row::User { id, .. } = row { Some(id) } else { None }
}

/// The newest entry of this kind about a suggestion.
async fn entry(lab: &Lab, number: i64, action: Action) -> Entry {
    let wanted = Wanted { subject: Some(format!("S-{number}")), limit: 100, ..Wanted::default() };
    let entries = lab.app.store.entries(lab.app.tenant(), &wanted).await.unwrap();
    entries.into_iter().find(|entry| entry.action == action).expect("an entry of it")
}

#[tokio::test]
async fn the_log_cites_why_something_is_suggested_and_who_settled_it() {
    let lab = Lab::start(|config| config.write.mode = WriteMode::HandOver).await;
    let turns_on = |action: &CureAction| {
        let body = |change: &portcullis::checks::HandOver| change.request.as_ref().map(|(_, _, body)| body.clone());
        matches!(action, CureAction::HandOver(change) if body(change) == Some(json!({"state": "enabled"})))
    };
    let row = lab.suggestion(turns_on).await;
    let suggested = entry(&lab, row.number, Action::SuggestionOpened).await;
    let reason = kept(&lab, suggested.evidence.first().expect("what it rests on")).await;
    assert!(!reason.evidence.rows.is_empty(), "{reason:?}");
    assert_eq!(Body::of(&row).unwrap().proposal.reasons()[0].key, reason.key);

    let card = lab.say(ADMINISTRATOR, &format!("propose S-{}", row.number)).await;
    let id = code(&card, "Graph request").lines().next().unwrap().rsplit('/').next().unwrap().to_owned();
    let body = json!({"by": "Piotr Nowak", "patch": {"state": "enabled"}});
    lab.colleague(Method::POST, &format!("policies/{id}"), body).await;
    lab.poll().await;
    let record = lab.service.state().tenant().audits.last().unwrap()["id"].as_str().unwrap().to_owned();
    let settled = entry(&lab, row.number, Action::SuggestionResolved).await;
    let proof = kept(&lab, settled.evidence.first().expect("its proof")).await;
    let shown = |row: &Row| matches!(row, Row::Audit { id, by, .. } if *id == record && by == "Piotr Nowak");
    assert!(proof.evidence.rows.iter().any(shown), "{proof:?}");

    // So does an answer about what the bot did, and the page of the log; the chain holds.
    let card = lab.say(ADMINISTRATOR, &format!("what did you do about S-{}?", row.number)).await;
    let entries = cited(&lab, &card).await.into_iter().filter(|fact| fact.key == "activity.entry");
    let rows: Vec<Row> = entries.flat_map(|fact| fact.evidence.rows).collect();
    assert!(rows.iter().any(shown) && rows.iter().any(|row| matches!(row, Row::Entry { .. })), "{rows:?}");
    let (status, page) = lab.page(ADMINISTRATOR, "/log").await;
    let link = format!("/evidence/{}", settled.evidence[0]);
    assert!(status == 200 && page.contains(&format!("href=\"{link}\"")), "{link}");
    let (status, page) = lab.page(ADMINISTRATOR, &link).await;
    assert!(status == 200 && page.contains(&record), "{page}");
    assert_eq!(lab.app.store.verify_log(lab.app.tenant()).await.unwrap().first_break, None);
}

#[tokio::test]
async fn what_was_created_cites_its_entry_and_says_when_it_is_looked_at_again() {
    let lab = Lab::start(|_| {}).await;
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    let card = lab.say(APPROVER, &format!("propose S-{}", row.number)).await;
    let decisions: Vec<&str> = labels(&card).into_iter().take(4).collect();
    assert_eq!(decisions, ["Create in report-only", "Ask to change…", "Dismiss…", "Snooze…"]);
    lab.press(APPROVER, &card, "Create in report-only").await;
    lab.settle().await;
    let card = lab.shown(row.number).await;
    assert!(super::lab::words(&card).contains("Next look on Tue 8 Dec 2026"), "{card}");
    let facts = cited(&lab, &card).await;
    let made = entry(&lab, row.number, Action::PolicyCreated).await;
    let ours = |row: &Row| matches!(row, Row::Entry { seq, .. } if i64::try_from(*seq) == Ok(made.seq));
    assert!(
        facts.iter().any(|fact| fact.key == "approval.created" && fact.evidence.rows.iter().any(ours)),
        "{facts:?}"
    );
}

#[tokio::test]
async fn a_card_names_whom_it_would_reach() {
    let lab = Lab::start(|_| {}).await;
    let (number, fact) = reaches(&lab).await;
    let card = lab.say(APPROVER, &format!("propose S-{number}")).await;
    let labels = labels(&card);
    assert!(labels.contains(&"Names") && labels.iter().any(|label| label.starts_with("CSV (")), "{labels:?}");
    let safety = rows(&card).into_iter().find(|(label, _)| label == "Safety").unwrap().1;
    assert!(safety.contains("✓ no duplicate ✓ your naming ✓ P1"), "{safety}");
    let rollout = rows(&card).into_iter().find(|(label, _)| label == "Rollout").unwrap().1;
    assert!(!rollout.contains(" 0 would have been blocked") && !rollout.contains(" 0 prompted"), "{rollout}");
    let asks = super::lab::button(&card, "Names")["text"].as_str().unwrap().to_owned();
    let named = lab.say(APPROVER, &asks).await;
    let table = named["blocks"].as_array().unwrap().iter().find(|block| block["block"] == "table").expect("names");
    let Some(Term::Count(people)) = fact.terms.get("people") else { panic!("{fact:?}") };
    assert!(table["rows"].as_array().unwrap().len() as u64 + table["more"].as_u64().unwrap() >= *people);
}

/// What an administrator decides by is never what a card is shortened by.
#[tokio::test]
async fn every_card_fits_into_teams_with_all_that_it_is_decided_by() {
    let lab = Lab::start(|_| {}).await;
    for row in lab.app.store.suggestions(lab.app.tenant()).await.unwrap() {
        lab.say_in_teams(APPROVER, &format!("propose S-{}", row.number)).await;
        let sent = lab.newest_in_teams().await.pop().unwrap();
        let card = &sent["attachments"][0]["content"];
        let (text, size) = (card.to_string(), card.to_string().len());
        assert!(size <= 25_000, "S-{}: {size}", row.number);
        assert!(!text.contains("more than a message can hold"), "S-{}: cut short", row.number);
        for part in ["Ask to change…", "Safety", "Show evidence"] {
            assert!(text.contains(part), "S-{}: {part}", row.number);
        }
    }
}

/// A scan is cited by whoever asked for it or by the change that did, an instruction that is taken back by its entry.
#[tokio::test]
async fn the_log_cites_what_a_scan_was_for_and_which_instruction_was_taken_back() {
    let lab = Lab::start(|_| {}).await;
    let newest = async |action: Action| {
        let wanted = Wanted { limit: 100, ..Wanted::default() };
        let entries = lab.app.store.entries(lab.app.tenant(), &wanted).await.unwrap();
        let entry = entries.into_iter().find(|entry| entry.action == action).expect("such an entry");
        let ids = entry.evidence.clone();
        let mut rows = Vec::new();
        for id in &ids {
            rows.extend(kept(&lab, id).await.evidence.rows);
        }
        (entry.seq, rows)
    };
    let entry_of = |rows: &[Row]| match rows {
        [Row::Entry { seq, .. }] => i64::try_from(*seq).unwrap(),
        other => panic!("an entry: {other:?}"),
    };
    assert_eq!(newest(Action::RunFinished).await.1, [], "the first one was due");

    lab.pass(jiff::ToSpan::minutes(2));
    let card = lab.say(ADMINISTRATOR, "scan the tenant now").await;
    lab.press(ADMINISTRATOR, &card, "Start the scan").await;
    lab.settle().await;
    let asked = newest(Action::RunAsked).await.0;
    for action in [Action::RunStarted, Action::RunFinished] {
        assert_eq!(entry_of(&newest(action).await.1), asked, "{action:?}");
    }

    let id = lab.policies_named("CA200").remove(0)["id"].as_str().unwrap().to_owned();
    let renamed = json!({"by": "Piotr Nowak", "patch": {"displayName": "CA200 renamed"}});
    lab.colleague(Method::POST, &format!("policies/{id}"), renamed).await;
    lab.poll().await;
    let rows = newest(Action::RunFinished).await.1;
    assert!(matches!(&rows[..], [Row::Audit { by, .. }] if by == "Piotr Nowak"), "{rows:?}");

    let card = lab.say(APPROVER, "never suggest device-code-flow until 2027-03-01").await;
    lab.press(APPROVER, &card, "Keep it").await;
    let card = lab.say(APPROVER, "which instructions do you have?").await;
    let items = card["blocks"].as_array().unwrap().iter().find(|block| block["block"] == "items").unwrap();
    let remove = &items["items"][0]["actions"][0]["press"];
    lab.post(APPROVER, "/web/press", &json!({"key": uuid::Uuid::new_v4(), "press": remove})).await;
    let given = newest(Action::InstructionAdded).await.0;
    assert_eq!(entry_of(&newest(Action::InstructionRemoved).await.1), given);
}
