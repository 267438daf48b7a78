//! The pages, and the data that each is made from.

use anyhow::Context as _;
use handlebars::Handlebars;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

use super::templates;
use crate::chat::Card;
use crate::chat::card::{Kind, rating};
use crate::chat::rows::{RowTable, tables};
use crate::facts::{Evidence, Row};

/// What stands above every page.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Frame {
    /// The tenant's name; untrusted text.
    pub tenant: String,
    /// A word about the data, such as `last read 07:58`.
    pub status: Option<String>,
    /// What everyone must know, such as that the tenant is made up.
    pub banner: Option<String>,
    /// People to speak as, where a picker is offered; else empty.
    pub people: Vec<PersonView>,
    /// Id of the person who speaks.
    pub me: String,
    /// The page of requests sent to Graph exists.
    pub demo: bool,
}

/// A person of the picker.
#[derive(Clone, Debug, Serialize)]
pub struct PersonView {
    /// Entra object id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What they may do: `administrator`, `approver`, `reader`, `outsider`.
    pub role: String,
}

/// The chat.
#[derive(Clone, Debug, Default)]
pub struct PageView {
    /// What stands above.
    pub frame: Frame,
    /// The conversation, oldest first.
    pub messages: Vec<MessageView>,
    /// Number of the last event that the messages include; the stream starts after it (`/web/stream?after=`).
    pub after: i64,
    /// Questions offered above the line to write in.
    pub starters: Vec<String>,
}

/// A message of the conversation.
#[derive(Clone, Debug)]
pub struct MessageView {
    /// Id of the message; its element is `m-{id}`.
    pub id: String,
    /// Who wrote it; untrusted text.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub content: Content,
}

/// What a message holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Text of a person; untrusted.
    Said(String),
    /// A card of the bot, as rendered by [`Pages::card`].
    Card(String),
}

/// A citation opened.
#[derive(Clone, Debug, Default)]
pub struct EvidenceView {
    /// What stands above.
    pub frame: Frame,
    /// The statement that the rows carry.
    pub statement: String,
    /// What the rows are, such as `14 sign-ins, 24 Oct – 23 Nov`.
    pub title: String,
    /// A line about them.
    pub about: String,
    /// The rows and where they are from.
    pub evidence: Evidence,
}

/// An entry of the activity log in words, with what was kept.
#[derive(Clone, Debug, Default)]
pub struct EntryView {
    /// Its number.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub what: String,
    /// Who did it; untrusted text, as are the two that follow.
    pub by: String,
    /// On what.
    pub on: String,
    /// What came of it.
    pub outcome: String,
    /// Ids of the evidence that it cites.
    pub evidence: Vec<String>,
    /// The entry as it was kept, with its hash, as JSON.
    pub raw: String,
}

/// Who may ask here, for somebody who may not.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AccessView {
    /// Who is refused; empty for a visitor without a session.
    pub person: String,
    /// Names of the directory roles whose holders may ask.
    pub roles: Vec<String>,
    /// How many groups may ask besides.
    pub groups: usize,
}

/// A request that the demo's Graph service received.
#[derive(Clone, Debug, Default)]
pub struct RequestView {
    /// When.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub address: String,
    /// HTTP status of the answer.
    pub status: u16,
    /// Body of the request, where it had one.
    pub body: Option<String>,
}

/// Renders pages and cards.
#[derive(Debug)]
pub struct Pages {
    templates: Handlebars<'static>,
    zone: TimeZone,
}

impl Pages {
    /// Compiles the embedded templates for readers in `zone`.
    ///
    /// # Errors
    /// When a template is at fault.
    pub fn new(zone: TimeZone) -> anyhow::Result<Self> {
        Ok(Self { templates: templates::compile()?, zone })
    }

    /// A card as HTML.
    ///
    /// # Errors
    /// When a template is at fault; this holds for every page.
    pub fn card(&self, card: &Card) -> anyhow::Result<String> {
        let mut value = serde_json::to_value(card)?;
        resolve(&mut value, card);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("word".to_owned(), json!(word(card.kind)));
        }
        self.render("card", &value)
    }

    /// A message as HTML, for the page and for the stream's event `message`.
    ///
    /// # Errors
    /// As [`Pages::card`].
    pub fn message(&self, message: &MessageView) -> anyhow::Result<String> {
        self.render("message", &self.message_value(message))
    }

    /// The chat.
    ///
    /// # Errors
    /// As [`Pages::card`].
    pub fn chat(&self, page: &PageView) -> anyhow::Result<String> {
        let messages: Vec<Value> = page.messages.iter().map(|message| self.message_value(message)).collect();
        let data = json!({ "messages": messages, "after": page.after, "starters": page.starters });
        self.page(&page.frame, "chat", ("Chat", &data))
    }

    /// A citation opened: the statement and the very rows it rests on.
    ///
    /// # Errors
    /// As [`Pages::card`].
    pub fn evidence(&self, view: &EvidenceView) -> anyhow::Result<String> {
        let evidence = &view.evidence;
        let shown = evidence.rows.len() as u64;
        let window = evidence.window.map(|(from, to)| format!("{} – {}", self.long(from), self.long(to)));
        let data = json!({
            "statement": view.statement, "title": view.title, "about": view.about,
            "total": evidence.total, "shown": shown, "more": evidence.total > shown,
            "window": window, "read": evidence.of_a_reading().map(|at| self.long(at)), "snapshot": evidence.snapshot,
            "not_checked": evidence.not_checked, "tables": self.tables(&evidence.rows),
        });
        self.page(&view.frame, "evidence", ("Evidence", &data))
    }

    /// The activity log, in the order given.
    ///
    /// # Errors
    /// As [`Pages::card`].
    pub fn log(&self, frame: &Frame, entries: &[EntryView]) -> anyhow::Result<String> {
        let entry = |entry: &EntryView| {
            json!({ "seq": entry.seq, "time": self.strftime(entry.at, "%a %-d %b %Y %H:%M:%S"), "what": entry.what,
                    "by": entry.by, "on": entry.on, "outcome": entry.outcome, "evidence": numbered(&entry.evidence), "raw": entry.raw })
        };
        let entries: Vec<Value> = entries.iter().map(entry).collect();
        self.page(frame, "log", ("Activity log", &json!({ "entries": entries })))
    }

    /// Every request sent to Graph (demo), given in their order and shown the newest first, counted by method.
    ///
    /// # Errors
    /// As [`Pages::card`].
    pub fn requests(&self, frame: &Frame, requests: &[RequestView]) -> anyhow::Result<String> {
        let request_counts = counts(requests);
        let request = |request: &RequestView| {
            json!({ "time": self.exact(request.at), "method": request.method, "address": request.address,
                    "status": request.status, "body": request.body })
        };
        let requests: Vec<Value> = requests.iter().rev().map(request).collect();
        self.page(frame, "requests", ("Requests", &json!({ "counts": request_counts, "requests": requests })))
    }

    /// That a page isn't for this person: who may see it, and whom to ask.
    ///
    /// # Errors
    /// As [`Pages::card`].
    pub fn no_access(&self, frame: &Frame, who: &AccessView) -> anyhow::Result<String> {
        self.page(frame, "no_access", ("No access", &serde_json::to_value(who)?))
    }

    fn page(&self, frame: &Frame, name: &str, (title, data): (&str, &Value)) -> anyhow::Result<String> {
        let body = self.render(name, data)?;
        self.render("layout", &json!({ "frame": frame, "title": title, "current": name, "body": body }))
    }

    fn render(&self, name: &str, data: &Value) -> anyhow::Result<String> {
        self.templates.render(name, data).with_context(|| format!("templates/web/{name}.hbs"))
    }

    fn message_value(&self, message: &MessageView) -> Value {
        let (side, said, card) = match &message.content {
            Content::Said(text) => ("person", Some(text), None),
            Content::Card(html) => ("bot", None, Some(html)),
        };
        json!({
            "id": message.id, "author": message.author, "at": message.at.to_string(),
            "time": self.strftime(message.at, "%a %-d %b %H:%M"), "side": side, "said": said, "card": card,
            "rating": rating(&message.id),
        })
    }

    fn tables(&self, rows: &[Row]) -> Vec<Value> {
        let table =
            |RowTable { title, columns, rows }| json!({ "title": title, "columns": columns, "rows": rows, "more": 0 });
        tables(rows, &self.zone).into_iter().map(table).collect()
    }

    fn long(&self, at: Timestamp) -> String {
        self.strftime(at, "%a %-d %b %Y %H:%M %Z")
    }

    fn exact(&self, at: Timestamp) -> String {
        self.strftime(at, "%Y-%m-%d %H:%M:%S")
    }

    fn strftime(&self, at: Timestamp, format: &str) -> String {
        at.to_zoned(self.zone.clone()).strftime(format).to_string()
    }
}

/// How many requests had each method. Those that could change something are counted even when none was sent: that is
/// the promise to check.
fn counts(requests: &[RequestView]) -> Vec<Value> {
    let mut counts = ["GET", "POST", "PATCH", "PUT", "DELETE"].map(|method| (method, 0_u64)).to_vec();
    for request in requests {
        match counts.iter_mut().find(|(method, _)| *method == request.method) {
            Some((_, count)) => *count += 1,
            None => counts.push((&request.method, 1)),
        }
    }
    counts.into_iter().map(|(method, count)| json!({ "method": method, "count": count })).collect()
}

/// What an entry cites, numbered from 1.
fn numbered(evidence: &[String]) -> Vec<Value> {
    (1..).zip(evidence).map(|(number, id): (u32, _)| json!({ "number": number, "id": id })).collect()
}

/// The word above a card; a plain answer has none.
fn word(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Answer => None,
        Kind::Approval => Some("Approval"),
        Kind::HandOver => Some("Hand-over"),
        Kind::Summary => Some("Daily summary"),
        Kind::Progress => Some("Working"),
        Kind::Refusal => Some("Refused"),
        Kind::Question => Some("Question"),
    }
}

/// Puts citations in the place of their numbers, so that a run can link to what it rests on.
fn resolve(value: &mut Value, card: &Card) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(item, card)),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if let ("cites", Value::Array(numbers)) = (name.as_str(), &mut *field) {
                    for number in numbers {
                        *number = cited(number, card);
                    }
                } else {
                    resolve(field, card);
                }
            }
        }
        _ => {}
    }
}

fn cited(number: &Value, card: &Card) -> Value {
    let citation = card.citations.iter().find(|citation| Some(u64::from(citation.number)) == number.as_u64());
    let (evidence, title) = citation.map(|citation| (&citation.evidence, &citation.title)).unzip();
    json!({ "number": number, "evidence": evidence, "title": title })
}
