//! An activity of the Bot Framework, read leniently: what is missing or null reads as empty.

use axum::body::Bytes;
use serde_json::Value;
use uuid::Uuid;

use crate::chat::Rejected;

/// Names the keys of activities that came without an id.
const NAMELESS: Uuid = Uuid::from_u128(0x6f0e_6a7e_58a9_4c2b_9f50_1d0c_9a3e_7b11);

/// One activity, as it came.
#[derive(Debug)]
pub(crate) struct Activity {
    json: Value,
    key: String,
}

impl Activity {
    /// Parses a body.
    pub(crate) fn parse(body: &Bytes) -> Result<Self, Rejected> {
        let malformed = || Rejected { status: 400, reason: "the body is not an activity".to_owned() };
        let json: Value = serde_json::from_slice(body).map_err(|_| malformed())?;
        let mut activity = Self { json, key: String::new() };
        if activity.kind().is_empty() {
            return Err(malformed());
        }
        let id = match activity.at("/id") {
            "" => Uuid::new_v5(&NAMELESS, body).to_string(),
            id => id.to_owned(),
        };
        activity.key = format!("teams:{}:{}:{id}", activity.channel(), activity.at("/conversation/id"));
        Ok(activity)
    }

    /// The text at a JSON pointer; empty when there is none.
    pub(crate) fn at(&self, pointer: &str) -> &str {
        self.value(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The value at a JSON pointer.
    pub(crate) fn value(&self, pointer: &str) -> Option<&Value> {
        self.json.pointer(pointer).filter(|value| !value.is_null())
    }

    /// The values of an array; none when there is no array.
    pub(crate) fn list(&self, pointer: &str) -> &[Value] {
        self.value(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// What happened: `message`, `invoke`, `conversationUpdate` …
    pub(crate) fn kind(&self) -> &str {
        self.at("/type")
    }

    /// Unique among all activities; a repeated delivery has the same.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The channel, `msteams` for Microsoft Teams.
    pub(crate) fn channel(&self) -> &str {
        self.at("/channelId")
    }

    /// Where answers are posted.
    pub(crate) fn service_url(&self) -> &str {
        self.at("/serviceUrl")
    }

    /// The Entra tenant that Teams names. Feedback alone, which decides nothing, may name it with the conversation: the
    /// Agents Playground sends its form so.
    pub(crate) fn tenant(&self) -> &str {
        let feedback = self.kind() == "invoke" && self.at("/name") == "message/submitAction";
        match self.at("/channelData/tenant/id") {
            "" if feedback => self.at("/conversation/tenantId"),
            tenant => tenant,
        }
    }
}
