//! `portcullis doctor`: tries everything that the configuration names, and says what to do about what fails.
//!
//! Nothing is written anywhere: readings are thrown away, and the permission to write is read from the token's claims.

mod outside;
mod tenant;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use crate::clock::Clock;
use crate::config::{Config, Env};
use crate::facts::{Style, Term, Wording};
use crate::graph;

use super::{Ended, output, runtime};

const EXAMPLE: &str = "What is missing, with the name of each permission and the link that consents to it:\n\n  \
    portcullis doctor --config portcullis.toml\n  \
    portcullis doctor --config portcullis.toml --format json";

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Doctor {
    /// The configuration file; without it everything comes from the environment
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For machines
    Json,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// As it should be.
    Fine,
    /// Works, and there is something to know.
    Noted,
    /// Somebody has to do something.
    Failed,
    /// Something before it failed.
    NotTried,
}

/// One thing that was tried.
#[derive(Clone, Debug, Serialize)]
struct Step {
    name: String,
    outcome: Outcome,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    todo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<&'static str>,
}

/// What the steps share.
struct Patient<'a> {
    config: &'a Config,
    wording: &'a Wording,
    clock: &'a Clock,
    format: Format,
    steps: Vec<Step>,
}

impl Doctor {
    /// Tries everything; fine only when nothing failed.
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let env = Env::of_process();
        runtime::log_to_stderr(&env)?;
        let config = match &self.config {
            Some(file) => Config::load(file, &env)?,
            None => Config::parse("", "environment", &env)?,
        };
        let (wording, clock) = (Wording::new(config.schedule.zone.clone())?, Clock::system());
        let mut patient =
            Patient { config: &config, wording: &wording, clock: &clock, format: self.format, steps: Vec::new() };
        outside::database(&mut patient).await?;
        let client = graph::Client::new(&config, clock.clone())?;
        tenant::examine(&mut patient, &client).await?;
        outside::chat(&mut patient).await?;
        outside::model(&mut patient).await?;
        patient.conclude()
    }
}

impl Patient<'_> {
    /// Words of `templates/text/doctor.toml`.
    fn words(&self, key: &str, terms: &[(&str, &str)]) -> anyhow::Result<String> {
        let terms = terms.iter().map(|(name, value)| ((*name).to_owned(), Term::Word((*value).to_owned()))).collect();
        Ok(self.wording.say(&format!("doctor.{key}"), &terms, Style::Full)?)
    }

    /// Notes how a step went, and shows it at once to people who wait.
    fn note(&mut self, step: Step) {
        if self.format == Format::Text {
            output::line(&step.line());
        }
        self.steps.push(step);
    }

    fn conclude(self) -> anyhow::Result<Ended> {
        let failures = self.steps.iter().filter(|step| step.needs_somebody()).count();
        let (failed, all) = (failures.to_string(), self.steps.len().to_string());
        let said = match failures {
            0 => self.words("all_well", &[])?,
            _ => self.words("failures", &[("failures", &failed), ("steps", &all)])?,
        };
        match self.format {
            Format::Text => output::line(&format!("\n{said}")),
            Format::Json => {
                let report = json!({"ok": failures == 0, "says": said, "steps": self.steps});
                output::line(&serde_json::to_string_pretty(&report)?);
            }
        }
        Ok(if failures == 0 { Ended::Fine } else { Ended::Findings })
    }
}

impl Step {
    fn new(name: &str, outcome: Outcome, says: String) -> Self {
        Self { name: name.to_owned(), outcome, says, todo: None, permission: None }
    }

    fn todo(mut self, todo: String) -> Self {
        self.todo = Some(todo);
        self
    }

    fn permission(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self
    }

    fn needs_somebody(&self) -> bool {
        matches!(self.outcome, Outcome::Failed | Outcome::NotTried)
    }

    fn line(&self) -> String {
        let mark = match self.outcome {
            Outcome::Fine => "✓",
            Outcome::Noted => "!",
            Outcome::Failed => "✗",
            Outcome::NotTried => "-",
        };
        let todo = self.todo.as_ref().map(|todo| format!("\n    → {todo}")).unwrap_or_default();
        format!("{mark} {}: {}{todo}", self.name, self.says)
    }
}
