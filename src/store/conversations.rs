//! Where the bot can speak: references to the conversations of chat platforms, and what was set for each.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::any::AnyRow;

use super::row::{Columns as _, all};
use super::{Store, Tx};

/// Between two, or among many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationKind {
    /// One person and the bot.
    Personal,
    /// A channel or group; speaks only once an administrator enabled it.
    Channel,
}

impl ConversationKind {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Channel => "channel",
        }
    }
}

/// When a conversation gets its summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryTime {
    /// Days and local times as `bot` writes them, `08:30` or `mon,thu 08:00,16:00`.
    pub at: String,
    /// IANA time zone, `Europe/Berlin`.
    pub zone: String,
}

/// A conversation as a platform describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConversation {
    /// `teams`, `slack` or `web`.
    pub platform: String,
    /// Entra tenant id.
    pub tenant: String,
    /// The platform's own id of it.
    pub reference: String,
    /// What is needed to post there again, as the chat module wrote it; no secrets.
    pub address: Value,
    /// Between two or among many.
    pub kind: ConversationKind,
    /// Its title, or the person's name; untrusted text.
    pub name: String,
    /// Entra object id of the one person in it, where it is personal.
    pub person: Option<String>,
}

impl NewConversation {
    /// The id under which the store keeps it.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}:{}", self.platform, self.reference)
    }
}

/// A conversation as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Platform and reference, `web:main`.
    pub id: String,
    /// As the platform last described it.
    pub about: NewConversation,
    /// Whether an administrator let the bot answer here.
    pub enabled: bool,
    /// Entra object id of that administrator.
    pub enabled_by: Option<String>,
    /// When it gets its summary; none: never.
    pub summary: Option<SummaryTime>,
    /// Since when it gets it at that time; none where nobody noted it.
    pub summary_since: Option<Timestamp>,
}

impl Store {
    /// A conversation by its id.
    pub async fn conversation(&self, id: &str) -> anyhow::Result<Option<Conversation>> {
        let row =
            sqlx::query("SELECT * FROM conversations WHERE id = $1").bind(id).fetch_optional(self.reader()).await?;
        row.as_ref().map(read).transpose()
    }

    /// The conversation of one person with the bot, on one platform or any; the newest where there are several.
    pub async fn personal(
        &self,
        tenant: &str,
        person: &str,
        platform: Option<&str>,
    ) -> anyhow::Result<Option<Conversation>> {
        let row = sqlx::query(
            "SELECT * FROM conversations WHERE LOWER(tenant) = LOWER($1) AND person = $2 AND kind = 'personal'
                AND ($3 = '' OR platform = $3) ORDER BY changed DESC, id LIMIT 1",
        )
        .bind(tenant)
        .bind(person)
        .bind(platform.unwrap_or_default())
        .fetch_optional(self.reader())
        .await?;
        row.as_ref().map(read).transpose()
    }

    /// Every conversation.
    pub async fn conversations(&self) -> anyhow::Result<Vec<Conversation>> {
        let rows = sqlx::query("SELECT * FROM conversations ORDER BY id").fetch_all(self.reader()).await?;
        all(&rows, read)
    }
}

impl Tx {
    /// Keeps a conversation, or refreshes how to reach it; what was set for it stays.
    pub async fn meet(&mut self, new: &NewConversation, at: Timestamp) -> anyhow::Result<()> {
        sqlx::query(
            "INSERT INTO conversations
                (id, platform, tenant, reference, address, kind, name, enabled, changed, person)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)
             ON CONFLICT (id) DO UPDATE SET address = excluded.address, name = excluded.name,
                changed = excluded.changed, person = excluded.person",
        )
        .bind(new.id())
        .bind(&new.platform)
        .bind(&new.tenant)
        .bind(&new.reference)
        .bind(new.address.to_string())
        .bind(new.kind.as_str())
        .bind(&new.name)
        .bind(at.as_millisecond())
        .bind(new.person.as_deref())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Lets the bot answer in a conversation (`by`: Entra object id of the administrator), or stops it (none).
    pub async fn enable(&mut self, id: &str, by: Option<&str>) -> anyhow::Result<bool> {
        let done = sqlx::query("UPDATE conversations SET enabled = $1, enabled_by = $2 WHERE id = $3")
            .bind(i64::from(by.is_some()))
            .bind(by)
            .bind(id)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Sets when a conversation gets its summary; none: never.
    pub async fn set_summary(&mut self, id: &str, summary: Option<&SummaryTime>) -> anyhow::Result<bool> {
        let done = sqlx::query("UPDATE conversations SET summary_at = $1, summary_zone = $2 WHERE id = $3")
            .bind(summary.map(|time| time.at.as_str()))
            .bind(summary.map(|time| time.zone.as_str()))
            .bind(id)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes since when a conversation gets its summary at the time that is set.
    pub async fn summary_from(&mut self, id: &str, since: Timestamp) -> anyhow::Result<()> {
        sqlx::query("UPDATE conversations SET summary_since = $1 WHERE id = $2")
            .bind(since.as_millisecond())
            .bind(id)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Forgets a conversation that the bot was removed from.
    pub async fn part(&mut self, id: &str) -> anyhow::Result<bool> {
        let done = sqlx::query("DELETE FROM conversations WHERE id = $1").bind(id).execute(self.connection()).await?;
        Ok(done.rows_affected() == 1)
    }
}

fn read(row: &AnyRow) -> anyhow::Result<Conversation> {
    let kind = match row.text("kind")?.as_str() {
        "personal" => ConversationKind::Personal,
        _ => ConversationKind::Channel,
    };
    let about = NewConversation {
        platform: row.text("platform")?,
        tenant: row.text("tenant")?,
        reference: row.text("reference")?,
        address: row.value("address")?,
        kind,
        name: row.text("name")?,
        person: row.text_or_none("person")?,
    };
    let summary = row.text_or_none("summary_at")?.zip(row.text_or_none("summary_zone")?);
    Ok(Conversation {
        id: row.text("id")?,
        about,
        enabled: row.flag("enabled")?,
        enabled_by: row.text_or_none("enabled_by")?,
        summary: summary.map(|(at, zone)| SummaryTime { at, zone }),
        summary_since: row.time_or_none("summary_since")?,
    })
}
