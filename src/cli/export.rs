//! `portcullis export`: a live tenant as a folder of Graph's own JSON, which every offline command reads.

mod folder;
mod pseudonyms;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::clock::Clock;
use crate::config::{Config, Env};
use crate::graph::Client;
use crate::graph::export::{Exported, export};
use crate::store::private;
use crate::tenant::Settings;

use self::folder::Folder;
use self::pseudonyms::Pseudonyms;
use super::{Ended, bar, output, runtime};

const EXAMPLE: &str = "A folder that every offline command reads, and one without anybody's name to pass on:\n\n  \
    portcullis export --config portcullis.toml export\n  \
    portcullis export --config portcullis.toml --pseudonyms to-share";

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Export {
    /// The configuration file; without it everything comes from the environment
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the folder is made; files of an earlier export in it are replaced
    dir: PathBuf,
    /// Replace the names of people, groups, apps, devices, places and policies by pseudonyms
    #[arg(long)]
    pseudonyms: bool,
    /// A file with a key of at least 16 bytes: exports made with it use the same pseudonyms; without it the key is
    /// random and thrown away
    #[arg(long, value_name = "FILE", requires = "pseudonyms")]
    pseudonym_key: Option<PathBuf>,
}

impl Export {
    /// Reads the tenant and writes the folder.
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let env = Env::of_process();
        runtime::log_to_stderr(&env)?;
        let config = match &self.config {
            Some(file) => Config::load(file, &env)?,
            None => Config::parse("", "environment", &env)?,
        };
        let pseudonyms = if self.pseudonyms { Some(Pseudonyms::new(&self.key()?)) } else { None };
        let folder = Folder::new(&self.dir, pseudonyms).with_context(|| self.dir.display().to_string())?;
        let client = Client::new(&config, Clock::system())?;
        let bar = bar::Reading::new();
        let exported = export(&client, &folder, &bar).await;
        bar.end();
        let exported = exported?;
        let mut settings = config.tenant.settings.clone();
        settings.intune_secure_by_default = client.secure_by_default().await.or(settings.intune_secure_by_default);
        write_settings(&self.dir, &settings)?;
        self.summary(&exported);
        Ok(Ended::Fine)
    }

    fn key(&self) -> anyhow::Result<Vec<u8>> {
        let Some(file) = &self.pseudonym_key else { return Ok(runtime::random_key()?.to_vec()) };
        let key = std::fs::read(file).with_context(|| format!("reading the key {}", file.display()))?;
        anyhow::ensure!(key.len() >= 16, "the key {} is shorter than 16 bytes", file.display());
        Ok(key)
    }

    /// What was written, and what was not and why.
    fn summary(&self, exported: &[Exported]) {
        for Exported { file, outcome } in exported {
            match outcome {
                Ok(count) => output::line(&format!("{count:>9}  {file}")),
                Err(error) => output::line(&format!("        -  {file}: {error}")),
            }
        }
        if self.pseudonyms {
            output::line(
                "\nNames are pseudonyms. Kept as they are: object and app ids, IP addresses, countries and cities, \
                 departments, device properties, rules of groups and filters.",
            );
        }
        output::line(&format!("\nNow: portcullis report {}", self.dir.display()));
    }
}

/// The facts that Graph doesn't give as a list of objects stand in a file of their own.
fn write_settings(dir: &Path, settings: &Settings) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(settings)?;
    let mut file = private::created(&dir.join("settings.json")).context("making settings.json")?;
    file.write_all(text.as_bytes()).context("writing settings.json")
}
