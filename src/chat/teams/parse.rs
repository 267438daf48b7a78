//! From an activity of the Bot Framework to what happened: a question, a press, an installation, feedback.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::activity::Activity;
use super::reply;
use crate::chat::card::Press;
use crate::chat::{Conversation, Event, Incoming, Person, Received};

/// What posting into a Teams conversation needs beside its id; kept as [`Conversation::reference`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reference {
    /// Where to post.
    pub(crate) service_url: String,
    /// The bot's id in the conversation, `28:…`.
    pub(crate) bot: String,
    /// The thread of a channel (`19:…@thread.tacv2;messageid=…`); the conversation's id is the channel alone.
    pub(crate) thread: Option<String>,
}

/// Turns a verified activity into what the bot acts on, or into the answer when there is nothing to do.
pub(crate) fn parse(activity: &Activity) -> Received {
    match activity.kind() {
        "message" => message(activity),
        "invoke" => invoke(activity),
        "installationUpdate" => installation(activity),
        "conversationUpdate" => update(activity),
        _ => nothing(),
    }
}

/// A typed message, or a card's `Action.Submit`, which comes as a message with a value and without words.
fn message(activity: &Activity) -> Received {
    if let Some(press) = activity.value("/value").and_then(|data| press(data, activity)) {
        return incoming(activity, Event::Press(press));
    }
    // `imBack` would show the question in the chat too, but the Playground ignores it.
    let asked = activity.at("/value/ask").trim();
    match if asked.is_empty() { words(activity) } else { asked.to_owned() } {
        words if words.is_empty() => nothing(),
        words => incoming(activity, Event::Text(words)),
    }
}

fn invoke(activity: &Activity) -> Received {
    match activity.at("/name") {
        "adaptiveCard/action" => card_action(activity),
        "message/submitAction" => feedback(activity),
        _ => Received::Answer(StatusCode::NOT_IMPLEMENTED.into_response()),
    }
}

/// A press decides something, so it needs a person whom Entra knows.
fn card_action(activity: &Activity) -> Received {
    let Some(press) = activity.value("/value/action/data").and_then(|data| press(data, activity)) else {
        return Received::Answer(reply::bad_request("this card has no such button"));
    };
    if object_id(activity).is_empty() {
        return Received::Answer(reply::word("I can't tell who you are: Teams sent no Entra account with this click."));
    }
    incoming(activity, Event::Press(press))
}

/// What our own buttons carry; see `templates/teams/execute.hbs`.
#[derive(Deserialize)]
struct Data {
    press: Press,
    /// Name of the input that belongs to the button.
    field: Option<String>,
    /// Name of the input for a day, which counts before the other one.
    day: Option<String>,
}

fn press(data: &Value, activity: &Activity) -> Option<Press> {
    let Data { press, field, day } = Data::deserialize(data).ok()?;
    let filled = |name: String| data.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let chosen = |name: String| data.get(name)?.as_str().map(str::to_owned);
    let entered = day.and_then(filled).or_else(|| field.and_then(chosen));
    let message = Some(activity.at("/replyToId")).filter(|id| !id.is_empty());
    Some(Press { input: entered.or(press.input.clone()), message: message.map(str::to_owned), ..press })
}

/// The message without the mentions of the bot; a mention of anyone else is part of the question.
fn words(activity: &Activity) -> String {
    let bot = activity.at("/recipient/id");
    let of_bot = |entity: &&Value| {
        let field = |pointer| entity.pointer(pointer).and_then(Value::as_str);
        field("/type") == Some("mention") && field("/mentioned/id") == Some(bot)
    };
    let mentions = activity.list("/entities").iter().filter(of_bot);
    let spelled = mentions.filter_map(|entity| entity.get("text")?.as_str()).filter(|spelled| !spelled.is_empty());
    let text = spelled.fold(activity.at("/text").to_owned(), |text, spelled| text.replace(spelled, ""));
    text.trim().to_owned()
}

/// Like or dislike; the words come as JSON inside a string, from the Agents Playground as they were written.
fn feedback(activity: &Activity) -> Received {
    let liked = match activity.at("/value/actionValue/reaction") {
        "like" => true,
        "dislike" => false,
        _ => return nothing(),
    };
    let written = activity.at("/value/actionValue/feedback");
    let form: Option<Value> = serde_json::from_str(written).ok();
    let plain = if written.starts_with('{') { "" } else { written };
    let text = form.as_ref().and_then(|form| form.get("feedbackText")).and_then(Value::as_str).unwrap_or(plain);
    let message = Some(activity.at("/replyToId")).filter(|id| !id.is_empty()).map(str::to_owned);
    incoming(activity, Event::Feedback { liked, text: text.to_owned(), message })
}

fn installation(activity: &Activity) -> Received {
    match activity.at("/action") {
        "add" => incoming(activity, Event::Installed),
        "remove" => incoming(activity, Event::Removed),
        _ => nothing(),
    }
}

/// Who joined or left. That the bot was added is told by `installationUpdate` too, and acted on there, once.
fn update(activity: &Activity) -> Received {
    let bot = activity.at("/recipient/id");
    let is_bot = |member: &Value| member.get("id").and_then(Value::as_str) == Some(bot);
    if activity.list("/membersRemoved").iter().any(is_bot) {
        return incoming(activity, Event::Removed);
    }
    nothing()
}

fn incoming(activity: &Activity, event: Event) -> Received {
    let (conversation, person) = (conversation(activity), person(activity));
    Received::Incoming(Box::new(Incoming { key: activity.key().to_owned(), conversation, person, event }))
}

fn conversation(activity: &Activity) -> Conversation {
    let whole = activity.at("/conversation/id");
    let (id, thread) = match whole.split_once(";messageid=") {
        Some((channel, _)) => (channel, Some(whole.to_owned())),
        None => (whole, None),
    };
    let reference = Reference {
        service_url: activity.service_url().to_owned(),
        bot: activity.at("/recipient/id").to_owned(),
        thread,
    };
    Conversation {
        platform: super::NAME.to_owned(),
        id: id.to_owned(),
        tenant: activity.tenant().to_owned(),
        personal: activity.at("/conversation/conversationType") == "personal",
        reference: json!(reference),
    }
}

fn person(activity: &Activity) -> Person {
    Person {
        id: object_id(activity),
        name: activity.at("/from/name").to_owned(),
        platform_id: activity.at("/from/id").to_owned(),
    }
}

/// The Entra object id of the sender; empty when Teams sent none, and nobody has an empty id.
fn object_id(activity: &Activity) -> String {
    Uuid::parse_str(activity.at("/from/aadObjectId")).map(|id| id.to_string()).unwrap_or_default()
}

/// Nothing to do: feedback and probes want an empty object, everything else doesn't mind one.
fn nothing() -> Received {
    Received::Answer(empty())
}

fn empty() -> Response {
    Json(json!({})).into_response()
}
