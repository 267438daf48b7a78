//! The one place that writes to the terminal.

use std::io::{Error, ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::OnceLock;

use crate::bot::answer::Answer;
use crate::bot::compose::compose;
use crate::facts::Wording;

use super::terminal;

/// The first line that couldn't be written, if any.
static LOST: OnceLock<Error> = OnceLock::new();

/// Writes a line to standard output; a closed pipe is not an error, and what else goes wrong is told by [`lost`].
pub(super) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        // A reader that has gone away (`| head`) is no fault of ours.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => drop(LOST.set(error)),
        _ => {}
    }
}

/// Why not everything that was to be said could be written, such as a disk that is full.
pub(super) fn lost() -> Option<&'static Error> {
    LOST.get()
}

/// Says on standard error what went wrong; exit code 2.
pub(super) fn failed(error: &anyhow::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {}", told(error));
    ExitCode::from(2)
}

/// An error with its causes; a cause that the line before it tells already is not said twice.
fn told(error: &anyhow::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !said.last().is_some_and(|last| last.contains(&cause)) {
            said.push(cause);
        }
    }
    said.join(": ")
}

/// A remark on standard error.
pub(super) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes an answer as the terminal shows cards.
pub(super) fn answer(answer: Answer, wording: &Wording) -> anyhow::Result<()> {
    line(&terminal::text(&compose(answer, None, wording)?.card));
    Ok(())
}
