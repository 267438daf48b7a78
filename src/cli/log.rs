//! `portcullis log`: shows the activity log, or verifies that nothing in it was altered.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;

use crate::config::{Config, Env};
use crate::store::Store;
use crate::store::entries::Wanted;

use super::{Ended, output};

const EXAMPLE: &str = "That nothing was taken out or put in, and the newest entries:\n\n  \
    portcullis log verify --config portcullis.toml\n  \
    portcullis log show --config portcullis.toml";

/// Arguments of `log`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Log {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check the chain of hashes from the first entry to the last
    Verify(Where),
    /// Print the entries, newest first
    Show {
        #[command(flatten)]
        place: Where,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
}

#[derive(Debug, Args)]
struct Where {
    /// The configuration file that names the database
    #[arg(long, value_name = "FILE", required_unless_present = "database")]
    config: Option<PathBuf>,
    /// The database itself, such as sqlite:portcullis.db
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

impl Where {
    async fn open(&self) -> anyhow::Result<Store> {
        match (&self.database, &self.config) {
            (Some(url), _) => Store::open(url).await,
            (None, Some(file)) => {
                let config = Config::load(file, &Env::of_process())?;
                Store::open(config.store_url.expose_secret()).await
            }
            (None, None) => anyhow::bail!("name the database with --config or --database"),
        }
    }
}

impl Log {
    /// Shows or verifies; a broken chain ends with exit code 1.
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        match self.what {
            What::Verify(place) => verify(&place.open().await?).await,
            What::Show { place, limit } => show(&place.open().await?, limit).await,
        }
    }
}

async fn verify(store: &Store) -> anyhow::Result<Ended> {
    let mut ended = Ended::Fine;
    for tenant in store.logged_tenants().await? {
        let verified = store.verify_log(&tenant).await?;
        match &verified.first_break {
            None => {
                output::line(&format!("{tenant}: {} entries, unbroken; head {}", verified.entries, verified.head.hash));
            }
            Some(broken) => {
                output::line(&format!("{tenant}: BROKEN: {broken}"));
                ended = Ended::Findings;
            }
        }
    }
    Ok(ended)
}

async fn show(store: &Store, limit: i64) -> anyhow::Result<Ended> {
    for tenant in store.logged_tenants().await? {
        for entry in store.entries(&tenant, &Wanted { limit, ..Wanted::default() }).await? {
            let (at, action, by) = (entry.at, entry.action.as_str(), &entry.actor.name);
            // As many digits as a summary posts.
            let (number, hash, subject) = (entry.seq, &entry.hash, &entry.subject);
            output::line(&format!("{number:>6}  {hash:.12}  {at}  {action}  {subject}  by {by}  {}", entry.body));
        }
    }
    Ok(Ended::Fine)
}
