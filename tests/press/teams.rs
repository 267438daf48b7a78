//! Teams end to end: refusals that one person reads, channels that are enabled from there, citations that open.

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
fn press_of(value: &Value, verb: &str) -> Option<Value> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("press").filter(|press| press["verb"] == verb).cloned();
            own.or_else(|| fields.values().find_map(|inner| press_of(inner, verb)))
        }
        Value::Array(items) => items.iter().find_map(|inner| press_of(inner, verb)),
        _ => None,
    }
}

fn execute(press: &Value) -> Value {
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
