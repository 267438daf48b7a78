//! Parses the command line, runs it, and maps an error to an exit code.

/// The system's allocator keeps what a peak took, once for each thread; this one gives it back.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    portcullis::cli::run()
}
