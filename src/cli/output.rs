//! The one place that writes to the terminal.

use std::io::Write as _;
use std::process::ExitCode;

/// Writes a line to standard output; a closed pipe is not an error.
pub(super) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that has gone away (`| head`) is no fault of ours.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says on standard error what went wrong; exit code 2.
pub(super) fn failed(error: &anyhow::Error) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    ExitCode::from(2)
}

/// A remark on standard error.
pub(super) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
