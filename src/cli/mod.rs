//! The command line: one file a subcommand.

mod analyze;
mod ask;
mod bar;
mod demo;
mod diff;
mod doctor;
mod export;
mod folder;
mod log;
mod migrate;
mod output;
mod replay;
mod report;
mod runtime;
mod sarif;
mod serve;
mod terminal;
mod uncovered;
mod what_if;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Answers from an exact analysis of a tenant's Conditional Access, in team chat or on the command line.
///
/// Start with `portcullis demo`: a made-up tenant, nothing leaves this machine. For your own tenant without installing
/// anything resident, export it to a folder and run `portcullis report FOLDER`.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything on a made-up tenant: the bot, its web chat, and Microsoft Graph as a service on this machine
    Demo(Box<demo::Demo>),
    /// Serve a real tenant in Microsoft Teams
    Serve(serve::Serve),
    /// Try every permission, credential and address that the configuration names, and say what to do
    Doctor(doctor::Doctor),
    /// Write a live tenant to a folder that every offline command reads
    Export(export::Export),
    /// Run every check on a folder of exported policies
    Analyze(analyze::Analyze),
    /// Ask one question about a folder of exported policies
    Ask(ask::Ask),
    /// Write a report of a folder of exported policies: one HTML file, and CSV lists beside it
    Report(report::Report),
    /// Test one sign-in against a folder of exported policies: which apply, and what they ask for
    WhatIf(what_if::WhatIf),
    /// Compare two folders: which policies changed, and who is affected by the change
    Diff(diff::Diff),
    /// Run a draft over the past sign-ins of a folder: whom it would have blocked or prompted
    Replay(replay::Replay),
    /// Show or verify the activity log
    Log(log::Log),
    /// Bring the database to the present version
    Migrate(migrate::Migrate),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Fine.
    Fine,
    /// Findings at or above the limit.
    Findings,
}

/// Parses the command line, runs it, and says how it ended: 0 fine, 1 findings, 2 bad input or configuration.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::failed(&error.into()),
    };
    let ended = runtime.block_on(dispatch(arguments.command));
    let lost = |error| anyhow::Error::new(error).context("not everything could be written");
    match ended.and_then(|ended| output::lost().map_or(Ok(ended), |error| Err(lost(error)))) {
        Ok(Ended::Fine) => ExitCode::SUCCESS,
        Ok(Ended::Findings) => ExitCode::from(1),
        Err(error) => output::failed(&error),
    }
}

async fn dispatch(command: Command) -> anyhow::Result<Ended> {
    match command {
        Command::Demo(demo) => demo.run().await,
        Command::Serve(serve) => serve.run().await,
        Command::Doctor(doctor) => doctor.run().await,
        Command::Export(export) => export.run().await,
        Command::Analyze(analyze) => analyze.run(),
        Command::Ask(ask) => ask.run().await,
        Command::Report(report) => report.run(),
        Command::WhatIf(what_if) => what_if.run(),
        Command::Diff(diff) => diff.run(),
        Command::Replay(replay) => replay.run(),
        Command::Log(log) => log.run().await,
        Command::Migrate(migrate) => migrate.run().await,
    }
}
