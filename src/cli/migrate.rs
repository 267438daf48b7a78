//! `portcullis migrate`: brings a database to the present version.

use std::path::PathBuf;

use clap::Args;
use secrecy::ExposeSecret as _;

use crate::config::{Config, Env};
use crate::store::Store;

use super::{Ended, output};

const EXAMPLE: &str = "Before the first start, and after an update:\n\n  \
    portcullis migrate --config portcullis.toml";

/// Arguments of `migrate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Migrate {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Migrate {
    /// Opens the configured database and applies what is missing.
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let config = Config::load(&self.config, &Env::of_process())?;
        Store::open(config.store_url.expose_secret()).await?.migrate().await?;
        output::line("The database is at the present version.");
        Ok(Ended::Fine)
    }
}
