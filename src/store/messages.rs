//! What was said in a conversation, in and out, in an order that a stream of events can follow.
//!
//! Each message has a place, where it stands, and a change number, which moves forward when it is updated. Both come
//! from one counter per conversation that stays locked until commit, so whoever reads "after change n" misses nothing.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::any::AnyRow;

use super::row::{Columns as _, all};
use super::{Store, Tx};

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From a person to the bot.
    In,
    /// From the bot.
    Out,
}

impl Direction {
    fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// A message to keep.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Its id: derived from the event or job behind it, so that a repeat keeps one message.
    pub id: String,
    /// In which conversation.
    pub conversation: String,
    /// In or out.
    pub direction: Direction,
    /// Entra object id of the author; the bot's own for out.
    pub author_id: String,
    /// Display name; untrusted text.
    pub author_name: String,
    /// What was said, as the chat module wrote it.
    pub body: Value,
    /// What it shows: `approval:<id>`, so that every copy of a card is found.
    pub subject: Option<String>,
    /// Which version of the subject it shows.
    pub version: i64,
    /// When it was said.
    pub at: Timestamp,
}

/// A message as kept.
#[derive(Clone, Debug)]
pub struct Message {
    /// What was said.
    pub said: NewMessage,
    /// Where it stands in the conversation.
    pub place: i64,
    /// Number of its last change: the id of its server-sent event.
    pub change: i64,
    /// The platform's own id, once sent.
    pub platform_id: Option<String>,
    /// Which version of the subject the chat shows: an older one than is kept until the chat has taken that.
    pub shown: i64,
    /// When it was last changed.
    pub changed: Timestamp,
}

/// A newer body for a message.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// Which message.
    pub id: &'a str,
    /// In which conversation.
    pub conversation: &'a str,
    /// Its new body.
    pub body: &'a Value,
    /// Which version of the subject it shows; an update to an older or equal one does nothing.
    pub version: i64,
    /// Now.
    pub at: Timestamp,
}

impl Store {
    /// Keeps one message by itself.
    pub async fn say(&self, new: &NewMessage) -> anyhow::Result<Message> {
        let mut tx = self.begin().await?;
        let message = tx.say(new).await?;
        tx.commit().await?;
        Ok(message)
    }

    /// Messages of a conversation that came or changed after change number `last`, in order of change.
    pub async fn messages_after(&self, conversation: &str, last: i64) -> anyhow::Result<Vec<Message>> {
        let rows =
            sqlx::query("SELECT * FROM messages WHERE conversation = $1 AND change > $2 ORDER BY change LIMIT 200")
                .bind(conversation)
                .bind(last)
                .fetch_all(self.reader())
                .await?;
        all(&rows, read)
    }

    /// The last `limit` messages of a conversation, oldest first.
    pub async fn newest_messages(&self, conversation: &str, limit: i64) -> anyhow::Result<Vec<Message>> {
        let rows = sqlx::query("SELECT * FROM messages WHERE conversation = $1 ORDER BY place DESC LIMIT $2")
            .bind(conversation)
            .bind(limit)
            .fetch_all(self.reader())
            .await?;
        let mut messages = all(&rows, read)?;
        messages.reverse();
        Ok(messages)
    }

    /// Every message that shows a subject: the copies of a card.
    pub async fn messages_about(&self, subject: &str) -> anyhow::Result<Vec<Message>> {
        let rows = sqlx::query("SELECT * FROM messages WHERE subject = $1 ORDER BY at, id")
            .bind(subject)
            .fetch_all(self.reader())
            .await?;
        all(&rows, read)
    }

    /// A message by its id.
    pub async fn message(&self, id: &str) -> anyhow::Result<Option<Message>> {
        let row = sqlx::query("SELECT * FROM messages WHERE id = $1").bind(id).fetch_optional(self.reader()).await?;
        row.as_ref().map(read).transpose()
    }

    /// A message of a conversation by our id or by the platform's.
    pub async fn message_in(&self, conversation: &str, id: &str) -> anyhow::Result<Option<Message>> {
        let row = sqlx::query("SELECT * FROM messages WHERE conversation = $1 AND (id = $2 OR platform_id = $2)")
            .bind(conversation)
            .bind(id)
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Notes under which id the platform knows a message, and in which version it was sent.
    pub async fn message_sent(&self, id: &str, platform_id: &str, version: i64) -> anyhow::Result<()> {
        sqlx::query("UPDATE messages SET platform_id = $1, shown = $2 WHERE id = $3")
            .bind(platform_id)
            .bind(version)
            .bind(id)
            .execute(&self.0.write)
            .await?;
        Ok(())
    }

    /// Notes that the chat took this version; false when a newer one was taken in the meantime, which this one may
    /// have replaced.
    pub async fn message_shown(&self, id: &str, version: i64) -> anyhow::Result<bool> {
        let done = sqlx::query("UPDATE messages SET shown = $1 WHERE id = $2 AND shown <= $1")
            .bind(version)
            .bind(id)
            .execute(&self.0.write)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl Tx {
    /// Keeps a message; one that is already there stays as it is and is returned.
    pub async fn say(&mut self, new: &NewMessage) -> anyhow::Result<Message> {
        self.said = true;
        let change = self.next(&new.conversation, "message").await?;
        sqlx::query(
            "INSERT INTO messages (id, conversation, place, change, direction, author_id, author_name, body, subject,
                version, at, changed)
             VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $10) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&new.id)
        .bind(&new.conversation)
        .bind(change)
        .bind(new.direction.as_str())
        .bind(&new.author_id)
        .bind(&new.author_name)
        .bind(new.body.to_string())
        .bind(new.subject.as_deref())
        .bind(new.version)
        .bind(new.at.as_millisecond())
        .execute(self.connection())
        .await?;
        let row =
            sqlx::query("SELECT * FROM messages WHERE id = $1").bind(&new.id).fetch_one(self.connection()).await?;
        read(&row)
    }

    /// Gives a message a newer body; false when it already shows this version or a later one.
    pub async fn update_message(&mut self, update: &Update<'_>) -> anyhow::Result<bool> {
        self.said = true;
        let change = self.next(update.conversation, "message").await?;
        let done = sqlx::query(
            "UPDATE messages SET body = $1, version = $2, change = $3, changed = $4 WHERE id = $5 AND version < $2",
        )
        .bind(update.body.to_string())
        .bind(update.version)
        .bind(change)
        .bind(update.at.as_millisecond())
        .bind(update.id)
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn read(row: &AnyRow) -> anyhow::Result<Message> {
    let direction = if row.text("direction")? == "in" { Direction::In } else { Direction::Out };
    let said = NewMessage {
        id: row.text("id")?,
        conversation: row.text("conversation")?,
        direction,
        author_id: row.text("author_id")?,
        author_name: row.text("author_name")?,
        body: row.value("body")?,
        subject: row.text_or_none("subject")?,
        version: row.int("version")?,
        at: row.time("at")?,
    };
    Ok(Message {
        said,
        place: row.int("place")?,
        change: row.int("change")?,
        platform_id: row.text_or_none("platform_id")?,
        shown: row.int("shown")?,
        changed: row.time("changed")?,
    })
}
