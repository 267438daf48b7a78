//! Teams end to end: refusals that one person reads, channels that are enabled from there, citations that open.

use portcullis::checks::CureAction;
use serde_json::{Value, json};

use super::lab::{APPROVER, Lab, OUTSIDER, READER};

const CHANNEL: &str = "19:ops@thread.tacv2";

async fn ask_in_channel(lab: &Lab, role: &str) -> Vec<(String, Value)> {
    let before = lab.sent_in_teams().await.len();
    let conversation = json!({"conversationType": "channel", "tenantId": lab.service.tenant_id, "id": CHANNEL});
    let said = json!({"type": "message", "text": "who is not covered by MFA?", "conversation": conversation});
    lab.in_teams(role, &said).await;
    lab.sent_in_teams().await.split_off(before)
}

/// The first object in a card that carries a press of this verb: its press.
pub(super) fn press_of(value: &Value, verb: &str) -> Option<Value> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("press").filter(|press| press["verb"] == verb).cloned();
            own.or_else(|| fields.values().find_map(|inner| press_of(inner, verb)))
        }
        Value::Array(items) => items.iter().find_map(|inner| press_of(inner, verb)),
        _ => None,
    }
}

pub(super) fn execute(press: &Value) -> Value {
    let action = json!({"type": "Action.Execute", "verb": press["verb"], "data": {"press": press}});
    json!({"type": "invoke", "name": "adaptiveCard/action", "replyToId": "m-1",
        "value": {"action": action, "trigger": "manual"}})
}

#[tokio::test]
async fn who_may_not_ask_or_not_there_reads_so_alone() {
    let lab = Lab::start(|_| {}).await;
    for (role, refusal) in
        [(OUTSIDER, "I answer people who hold a reader's"), (READER, "I'm not enabled in that channel")]
    {
        let sent = ask_in_channel(&lab, role).await;
        let [(conversation, activity)] = sent.as_slice() else { panic!("{sent:?}") };
        assert!(conversation.starts_with("a:demo-"), "said in {conversation}");
        assert!(activity.to_string().contains(refusal), "{activity}");
    }
    // The second time nothing new is opened.
    let opened = ask_in_channel(&lab, READER).await;
    assert_eq!(opened.first().map(|(conversation, _)| conversation.as_str()), Some("a:demo-2"));
}

#[tokio::test]
async fn a_channel_is_enabled_from_the_personal_chat_where_its_refusal_stands() {
    let lab = Lab::start(|_| {}).await;
    let (conversation, refusal) = ask_in_channel(&lab, APPROVER).await.pop().unwrap();
    assert_ne!(conversation, CHANNEL);
    let press = press_of(&refusal, "enableChannel").expect("a button for whoever may");
    let mut elsewhere = press.clone();
    elsewhere["subject"] = json!("teams:19:unheard-of@thread.tacv2");
    let answer = lab.in_teams(APPROVER, &execute(&elsewhere)).await;
    assert!(answer["value"].as_str().unwrap().starts_with("I don't know that channel"), "{answer}");
    let answer = lab.in_teams(APPROVER, &execute(&press)).await;
    assert_eq!(answer["value"], "People may ask me in this channel now.");
    let answered = ask_in_channel(&lab, READER).await;
    assert_eq!(answered.last().map(|(conversation, _)| conversation.as_str()), Some(CHANNEL));
}

/// A card that was forwarded or copied into another conversation.
#[tokio::test]
async fn a_card_decides_only_where_it_was_posted() {
    let lab = Lab::start(|_| {}).await;
    let row = lab.suggestion(|action| matches!(action, CureAction::Draft(_))).await;
    lab.say_in_teams(APPROVER, &format!("propose S-{}", row.number)).await;
    let (_, card) = lab.sent_in_teams().await.pop().unwrap();
    let press = press_of(&card, "create").expect("a button");
    let mut elsewhere = execute(&press);
    elsewhere["conversation"] =
        json!({"conversationType": "personal", "tenantId": lab.service.tenant_id, "id": "a:elsewhere"});
    let answer = lab.in_teams(APPROVER, &elsewhere).await;
    let word = format!("That card wasn't posted here, so nothing is decided. Ask me here to \"open S-{}\"", row.number);
    assert!(answer["value"].as_str().unwrap().starts_with(&word), "{answer}");
    assert_eq!(lab.row(row.number).await.state, "open");
    lab.in_teams(APPROVER, &execute(&press)).await;
    assert_eq!(lab.row(row.number).await.state, "created");
}

#[tokio::test]
async fn a_citation_opens_on_its_rows() {
    let lab = Lab::start(|_| {}).await;
    lab.say_in_teams(READER, "who is not covered by MFA?").await;
    let (_, answer) = lab.sent_in_teams().await.pop().unwrap();
    let press = press_of(&answer, "evidence").expect("a citation");
    let kept = lab.app.store.evidence(lab.app.tenant(), press["subject"].as_str().unwrap()).await.unwrap().unwrap();
    let rows = kept["evidence"]["rows"].as_array().unwrap();
    assert_eq!(lab.in_teams(READER, &execute(&press)).await["value"], "Coming up below.");
    let (conversation, opened) = lab.sent_in_teams().await.pop().unwrap();
    assert_eq!(conversation, "a:reader");
    let text = opened.to_string();
    assert!(text.contains("\"Table\""), "{text}");
    let first =
        rows[0].as_object().unwrap().values().find_map(Value::as_object).unwrap_or(rows[0].as_object().unwrap());
    assert!(text.contains(first["id"].as_str().unwrap()), "{first:?} in {text}");

    let before = lab.sent_in_teams().await.len();
    let refused = lab.in_teams(OUTSIDER, &execute(&press)).await;
    assert!(refused["value"].as_str().unwrap().starts_with("I answer people who hold"), "{refused}");
    assert_eq!(lab.sent_in_teams().await.len(), before);
    let gone = json!({"verb": "evidence", "subject": "0".repeat(32), "version": 0});
    lab.in_teams(READER, &execute(&gone)).await;
    assert!(
        lab.sent_in_teams().await.pop().unwrap().1.to_string().contains("I don't have the rows behind that number")
    );
}
