//! `portcullis ask`: one question about a folder, answered by the same bot as in chat.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::app::App;
use crate::bot::hear;
use crate::chat::{Conversation, Event, Incoming, Person};
use crate::clock::Clock;
use crate::config::{Config, Loopback};
use crate::store::Store;

use super::terminal::{NAME, Terminal};
use super::{Ended, folder, output};

const EXAMPLE: &str = "The same answers as in chat, with their sources:\n\n  \
    portcullis ask export \"who is not covered by MFA?\"\n  \
    portcullis ask export \"why was alice.moreau@nordwerk.example blocked yesterday?\"";

/// Arguments of `ask`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Ask {
    /// A folder, or one file, of exported policies and whatever else of the tenant there is
    path: PathBuf,
    /// The question, such as "who is not covered by MFA?"
    question: String,
}

impl Ask {
    /// Loads the folder into a database in memory and asks the bot.
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let clock = Clock::system();
        let (snapshot, report) = folder::read_with_report(&self.path, &clock)?;
        let store = Store::in_memory().await?;
        store.migrate().await?;
        let mut config = offline(&snapshot.tenant_id)?;
        config.tenant.settings = snapshot.settings.clone();
        config.thresholds = report.thresholds;
        store.save_snapshot(Arc::clone(&snapshot)).await?;
        let terminal = Arc::new(Terminal::default());
        let app = App::new(config, clock, store)?.with_platform(Arc::clone(&terminal) as _);
        if let Some(analysis) = app.newest_analysis().await? {
            crate::bot::reconcile::reconcile(&app, &analysis).await?;
        }
        hear::hear(&app, &asked(&snapshot.tenant_id, self.question)).await?;
        for answer in terminal.posted() {
            output::line(&answer);
        }
        Ok(Ended::Fine)
    }
}

/// A configuration for answers from a folder: there is no tenant to connect to, and nothing is written.
pub(super) fn offline(tenant_id: &str) -> anyhow::Result<Config> {
    let nowhere = "http://127.0.0.1:9";
    let mut config = Config::loopback(Loopback {
        graph: nowhere,
        login: nowhere,
        tenant_id: "00000000-0000-0000-0000-000000000000",
        client_id: "00000000-0000-0000-0000-000000000000",
        client_secret: "none",
        store: "sqlite::memory:",
    })?;
    tenant_id.clone_into(&mut config.tenant.id);
    config.offline = true;
    Ok(config)
}

fn asked(tenant: &str, question: String) -> Incoming {
    Incoming {
        key: "question".into(),
        conversation: Conversation {
            platform: NAME.into(),
            id: "terminal".into(),
            tenant: tenant.to_owned(),
            personal: true,
            reference: serde_json::Value::Null,
        },
        person: Person { id: "you".into(), name: "You".into(), platform_id: "you".into() },
        event: Event::Text(question),
    }
}
