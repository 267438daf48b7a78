//! Activities as the service and the Agents Playground send them, and what they mean to us.

use std::net::SocketAddr;

use axum::body::{Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use portcullis::chat::card::Verb;
use portcullis::chat::teams::Teams;
use portcullis::chat::{Event, Incoming, Platform as _, Received, Reply};
use serde_json::{Value, json};

use super::lab::{ALICE, Draft, SERVICE, Service, TENANT, clock, message};

async fn teams() -> Teams {
    Service::start().await.teams(&clock())
}

async fn incoming(activity: Value) -> Incoming {
    match Draft::of(activity).sent_to(&teams().await).await.unwrap() {
        Received::Incoming(incoming) => *incoming,
        Received::Answer(answer) => panic!("answered {answer:?}"),
    }
}

async fn answered(activity: Value) -> (StatusCode, Value) {
    match Draft::of(activity).sent_to(&teams().await).await.unwrap() {
        Received::Answer(answer) => body(answer).await,
        Received::Incoming(incoming) => panic!("acted on {incoming:?}"),
    }
}

async fn body(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 100_000).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn press(data: &Value) -> Value {
    let mut activity = message("");
    activity["type"] = json!("invoke");
    activity["name"] = json!("adaptiveCard/action");
    activity["replyToId"] = json!("m-1");
    activity["value"] =
        json!({"action": {"type": "Action.Execute", "verb": "create", "data": data}, "trigger": "manual"});
    activity
}

#[tokio::test]
async fn a_question() {
    insta::assert_json_snapshot!(incoming(message("who is not covered by MFA?")).await, @r#"
    {
      "key": "teams:msteams:a:personal-alice:1763999990000",
      "conversation": {
        "platform": "teams",
        "id": "a:personal-alice",
        "tenant": "22222222-2222-2222-2222-222222222222",
        "personal": true,
        "reference": {
          "bot": "28:bot",
          "serviceUrl": "https://smba.trafficmanager.net/emea/",
          "thread": null
        }
      },
      "person": {
        "id": "aaaaaaaa-0000-0000-0000-000000000001",
        "name": "Alice Admin",
        "platform_id": "29:alice"
      },
      "event": {
        "text": "who is not covered by MFA?"
      }
    }
    "#);
}

#[tokio::test]
async fn in_a_thread_the_bots_mention_goes_and_others_stay() {
    let mut activity = message("<at>Portcullis</at> why was <at>Bob</at> blocked?\n");
    activity["conversation"] = json!({
        "conversationType": "channel", "isGroup": true, "id": "19:ops@thread.tacv2;messageid=1763999980000",
    });
    activity["entities"] = json!([
        {"type": "mention", "text": "<at>Portcullis</at>", "mentioned": {"id": "28:bot", "name": "Portcullis"}},
        {"type": "mention", "text": "<at>Bob</at>", "mentioned": {"id": "29:bob", "name": "Bob"}},
        {"type": "mention", "mentioned": {"id": "28:bot"}},
        {"type": "clientInfo", "locale": "en-GB"},
    ]);
    let incoming = incoming(activity).await;
    assert_eq!(incoming.event, Event::Text("why was <at>Bob</at> blocked?".to_owned()));
    assert_eq!(incoming.conversation.id, "19:ops@thread.tacv2");
    assert!(!incoming.conversation.personal);
    assert_eq!(incoming.conversation.reference["thread"], "19:ops@thread.tacv2;messageid=1763999980000");
}

#[tokio::test]
async fn a_press_with_its_input() {
    let data = json!({
        "press": {"verb": "dismiss", "subject": "S-34", "version": 3},
        "field": "input-dismiss-S-34", "input-dismiss-S-34": "we have <b>reasons</b>",
    });
    let Event::Press(press) = incoming(press(&data)).await.event else { panic!() };
    assert_eq!((press.verb, press.subject.as_str(), press.version), (Verb::Dismiss, "S-34", 3));
    assert_eq!(press.input.as_deref(), Some("we have <b>reasons</b>"));
    assert_eq!(press.message.as_deref(), Some("m-1"));
}

#[tokio::test]
async fn a_day_of_the_calendar_counts_before_the_choice_beside_it() {
    let data = |day: &str| {
        json!({
            "press": {"verb": "snooze", "subject": "A-1", "version": 1},
            "field": "length", "length": "7", "day": "until", "until": day,
        })
    };
    for (day, expected) in [("2026-12-01", "2026-12-01"), ("", "7")] {
        let Event::Press(press) = incoming(press(&data(day))).await.event else { panic!() };
        assert_eq!(press.input.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn a_submit_comes_as_a_message_with_a_value() {
    let mut activity = message("");
    activity["value"] = json!({"press": {"verb": "propose", "subject": "S-1", "version": 0}});
    let Event::Press(press) = incoming(activity).await.event else { panic!() };
    assert_eq!((press.verb, press.subject.as_str()), (Verb::Propose, "S-1"));

    let mut activity = message("");
    activity["value"] = json!({"ask": "show suggestions"});
    assert_eq!(incoming(activity).await.event, Event::Text("show suggestions".to_owned()));
}

#[tokio::test]
async fn buttons_that_are_not_ours_do_nothing() {
    for data in
        [json!(null), json!({}), json!({"press": {"verb": "enable", "subject": "S-1", "version": 1}}), json!("x")]
    {
        let (status, body) = answered(press(&data)).await;
        assert_eq!((status, &body["statusCode"]), (StatusCode::OK, &json!(400)));
        assert_eq!(body["type"], "application/vnd.microsoft.error");
    }
}

#[tokio::test]
async fn nobody_presses_without_an_entra_account() {
    for id in [json!(null), json!(""), json!("29:alice"), json!(7)] {
        let mut activity = press(&json!({"press": {"verb": "create", "subject": "A-1", "version": 1}}));
        activity["from"]["aadObjectId"] = id.clone();
        let (_, body) = answered(activity).await;
        assert_eq!(body["type"], "application/vnd.microsoft.activity.message");

        let mut question = message("hello");
        question["from"]["aadObjectId"] = id;
        assert_eq!(incoming(question).await.person.id, "", "known to nobody");
    }
}

#[tokio::test]
async fn ids_of_people_read_the_same_however_spelled() {
    let mut activity = message("hello");
    activity["from"]["aadObjectId"] = json!(ALICE.to_uppercase());
    assert_eq!(incoming(activity).await.person.id, ALICE);
}

#[tokio::test]
async fn feedback_with_and_without_words() {
    let mut activity = message("");
    activity["type"] = json!("invoke");
    activity["name"] = json!("message/submitAction");
    for (reaction, feedback, expected) in [
        ("like", json!(""), (true, "")),
        ("dislike", json!("{\"feedbackText\":\"too long\"}"), (false, "too long")),
        ("dislike", json!("not our tenant's rule"), (false, "not our tenant's rule")),
        ("dislike", json!("{broken"), (false, "")),
    ] {
        activity["value"] =
            json!({"actionName": "feedback", "actionValue": {"reaction": reaction, "feedback": feedback}});
        let event = incoming(activity.clone()).await.event;
        assert_eq!(event, Event::Feedback { liked: expected.0, text: expected.1.to_owned(), message: None });
    }
    activity["value"] = json!({"actionName": "feedback"});
    assert_eq!(answered(activity).await, (StatusCode::OK, json!({})));
}

/// The Agents Playground sends its feedback form without the channel's data; nothing else may come so.
#[tokio::test]
async fn feedback_alone_may_name_its_tenant_with_the_conversation() {
    let mut activity = message("");
    activity["type"] = json!("invoke");
    activity["name"] = json!("message/submitAction");
    activity["channelData"] = json!({"source": {"name": "message"}});
    activity["value"] = json!({"actionName": "feedback", "actionValue": {"reaction": "like", "feedback": ""}});
    assert_eq!(incoming(activity.clone()).await.conversation.tenant, TENANT);
    let refused = |activity: Value| async move { Draft::of(activity).sent_to(&teams().await).await.is_err() };
    let bent: [fn(&mut Value); 3] = [
        |activity| activity["conversation"]["tenantId"] = json!("somebody-elses"),
        |activity| activity["type"] = json!("message"),
        |activity| activity["name"] = json!("adaptiveCard/action"),
    ];
    for bend in bent {
        let mut other = activity.clone();
        bend(&mut other);
        assert!(refused(other.clone()).await, "{other}");
    }
}

#[tokio::test]
async fn installed_and_removed() {
    let mut activity = message("");
    activity["type"] = json!("installationUpdate");
    for (action, event) in [("add", Event::Installed), ("remove", Event::Removed)] {
        activity["action"] = json!(action);
        assert_eq!(incoming(activity.clone()).await.event, event);
    }
    activity["action"] = json!("add-upgrade");
    assert_eq!(answered(activity).await.0, StatusCode::OK);

    let mut update = message("");
    update["type"] = json!("conversationUpdate");
    update["membersAdded"] = json!([{"id": "28:bot"}, {"id": "29:alice"}]);
    assert_eq!(answered(update.clone()).await.0, StatusCode::OK, "installationUpdate says it too");
    update["membersRemoved"] = json!([{"id": "28:bot"}]);
    assert_eq!(incoming(update).await.event, Event::Removed);
}

#[tokio::test]
async fn what_we_do_not_know() {
    for kind in
        ["typing", "messageReaction", "messageUpdate", "messageDelete", "event", "endOfConversation", "trace", "x"]
    {
        let mut activity = message("");
        activity["type"] = json!(kind);
        assert_eq!(answered(activity).await.0, StatusCode::OK, "{kind}");
    }
    for name in ["task/fetch", "composeExtension/query", "signin/tokenExchange", ""] {
        let mut activity = message("");
        activity["type"] = json!("invoke");
        activity["name"] = json!(name);
        assert_eq!(answered(activity).await.0, StatusCode::NOT_IMPLEMENTED, "{name}");
    }
}

#[tokio::test]
async fn a_probe_is_answered() {
    let (parts, ()) = Request::head("/api/messages").body(()).unwrap().into_parts();
    let received = teams().await.receive(&parts, Bytes::new()).await.unwrap();
    assert!(matches!(received, Received::Answer(answer) if answer.status() == StatusCode::OK));
}

#[tokio::test]
async fn the_answers_to_a_press() {
    let teams = teams().await;
    insta::assert_json_snapshot!(body(teams.reply(&Reply::Word("Only approvers may create.".to_owned()))).await.1, @r#"
    {
      "statusCode": 200,
      "type": "application/vnd.microsoft.activity.message",
      "value": "Only approvers may create."
    }
    "#);
    let (_, card) = body(teams.reply(&Reply::Card(Box::default()))).await;
    assert_eq!(card["type"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(card["value"]["type"], "AdaptiveCard");
}

/// A request without a token, as the Agents Playground sends it.
async fn anonymous(teams: &Teams, peer: Option<&str>, kind: &str, service: &str) -> bool {
    let (mut parts, ()) = Request::post("/").header(header::CONTENT_TYPE, kind).body(()).unwrap().into_parts();
    if let Some(peer) = peer {
        parts.extensions.insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    }
    let mut activity = message("hello");
    activity["serviceUrl"] = json!(service);
    teams.receive(&parts, Bytes::from(activity.to_string())).await.is_ok()
}

#[tokio::test]
async fn without_a_token_only_from_this_machine_and_only_when_allowed() {
    let service = Service::start().await;
    let mut options = service.options(&clock());
    options.allow_anonymous_loopback = true;
    let open = Teams::new(options).unwrap();
    let (here, json) = (Some("127.0.0.1:40000"), "application/json");
    let playground = "http://localhost:56150/_connector";

    assert!(anonymous(&open, here, json, playground).await);
    assert!(!anonymous(&open, Some("192.0.2.7:40000"), json, playground).await, "from another machine");
    assert!(!anonymous(&open, None, json, playground).await, "from nobody knows where");
    assert!(!anonymous(&open, here, "text/plain", playground).await, "what a web page may send unasked");
    assert!(!anonymous(&open, here, json, SERVICE).await, "answers would leave the machine");
    assert!(!anonymous(&service.teams(&clock()), here, json, playground).await, "not allowed");

    let mut forged = Draft::new();
    forged.claims["aud"] = json!("someone else");
    assert!(forged.sent_to(&open).await.is_err(), "a token that is there must hold");
    let mut foreign = Draft::new();
    foreign.activity["channelData"]["tenant"]["id"] = json!("not-".to_owned() + TENANT);
    assert!(foreign.sent_to(&open).await.is_err());
}
