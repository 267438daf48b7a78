//! The terminal as a chat: cards as plain text, for `ask`.

use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use crate::chat::card::{Action, Bar, Block, Run};
use crate::chat::{BoxFuture, Card, Conversation, Platform, Received, Rejected, Reply};

/// The platform's name.
pub(super) const NAME: &str = "terminal";

/// Collects what the bot posts.
#[derive(Debug, Default)]
pub(super) struct Terminal {
    posted: Mutex<Vec<String>>,
}

impl Terminal {
    /// What was posted, in order.
    pub(super) fn posted(&self) -> Vec<String> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Platform for Terminal {
    fn name(&self) -> &'static str {
        NAME
    }

    fn receive<'a>(&'a self, _: &'a Parts, _: Bytes) -> BoxFuture<'a, Result<Received, Rejected>> {
        Box::pin(async { Err(Rejected { status: 404, reason: "a terminal has no webhook".into() }) })
    }

    fn render(&self, card: &Card) -> anyhow::Result<Value> {
        Ok(Value::String(text(card)))
    }

    fn reply(&self, _: &Reply) -> Response {
        StatusCode::NOT_FOUND.into_response()
    }

    fn send<'a>(&'a self, _: &'a Conversation, card: &'a Card) -> BoxFuture<'a, anyhow::Result<String>> {
        Box::pin(async move {
            self.posted.lock().unwrap_or_else(PoisonError::into_inner).push(text(card));
            Ok("posted".to_owned())
        })
    }

    fn update<'a>(&'a self, _: &'a Conversation, _: &'a str, _: &'a Card) -> BoxFuture<'a, anyhow::Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// A card as lines of text; citations stand as numbers, and what they open below.
pub(super) fn text(card: &Card) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(card.title.clone());
    lines.extend(card.subtitle.clone());
    for block in &card.blocks {
        lines.push(block_text(block));
    }
    if !card.citations.is_empty() {
        let sources =
            card.citations.iter().map(|cited| format!("[{}] {} ({})", cited.number, cited.title, cited.about));
        lines.push(sources.collect::<Vec<_>>().join("\n"));
    }
    let asks: Vec<&str> = card
        .actions
        .iter()
        .filter_map(|action| match action {
            Action::Ask { text, .. } => Some(text.as_str()),
            Action::Press { .. } | Action::Open { .. } | Action::Csv { .. } => None,
        })
        .collect();
    if !asks.is_empty() {
        lines.push(format!("Ask also: {}", asks.join(" · ")));
    }
    lines.join("\n\n")
}

fn block_text(block: &Block) -> String {
    match block {
        Block::Heading { text } => text.to_uppercase(),
        Block::Text { runs, .. } => runs_text(runs),
        Block::Rows { rows } => {
            let width = rows.iter().map(|row| row.label.chars().count()).max().unwrap_or(0);
            let line = |row: &crate::chat::card::LabelledRow| format!("{:width$}  {}", row.label, runs_text(&row.runs));
            rows.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Block::Items { ordered, items } => {
            let mark = |at: usize| if *ordered { format!("{}.", at + 1) } else { "-".to_owned() };
            let line =
                |(at, item): (usize, &crate::chat::card::Item)| format!("{} {}", mark(at), runs_text(&item.runs));
            items.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
        }
        Block::Table { columns, rows, more } => {
            let head: Vec<String> = columns.iter().map(|column| column.title.clone()).collect();
            let mut text = table(&head, rows);
            if *more > 0 {
                text.push_str(&format!("\n… {more} more"));
            }
            text
        }
        Block::Bars { bars } => bars.iter().map(bar_text).collect::<Vec<_>>().join("\n"),
        Block::Change { rows } => {
            let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
            let line = |row: &crate::chat::card::ChangeRow| {
                format!("{}: {} → {}", row.label, side(&row.before), side(&row.after))
            };
            rows.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Block::Code { language, text } => format!("{language}:\n{text}"),
    }
}

fn runs_text(runs: &[Run]) -> String {
    let one = |run: &Run| {
        let cites = run.cites.iter().map(|number| format!("[{number}]"));
        std::iter::once(run.text.clone()).chain(cites).collect::<Vec<_>>().join(" ")
    };
    runs.iter().map(one).collect()
}

fn bar_text(bar: &Bar) -> String {
    let share = (bar.value * 20).checked_div(bar.of).unwrap_or(0);
    let filled: String = (0..20).map(|at| if at < share { '█' } else { '·' }).collect();
    format!("{filled}  {} of {}  {}  {}", bar.value, bar.of, bar.label, bar.note)
}

/// Columns set apart by two blanks, as wide as their widest cell.
fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).chain(head.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    std::iter::once(line(head)).chain(rows.iter().map(|row| line(row))).collect::<Vec<_>>().join("\n")
}
