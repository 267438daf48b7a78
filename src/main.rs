//! Parses the command line, runs it, and maps an error to an exit code.

fn main() -> std::process::ExitCode {
    portcullis::cli::run()
}
