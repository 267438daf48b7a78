//! Reads what the offline commands work on: a tenant folder, and single JSON files beside it.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::Value;

use crate::bot::analysis::Analysis;
use crate::checks::{About, CHECKS};
use crate::clock::Clock;
use crate::facts::Evidence;
use crate::tenant::folder::{self, Report};
use crate::tenant::{Policy, Snapshot, json, read_policy};

use super::{bar, output};

/// The snapshot of a file or folder, dated now when it doesn't say when it was read.
pub(super) fn read(path: &Path, clock: &Clock) -> anyhow::Result<Arc<Snapshot>> {
    Ok(read_with_report(path, clock)?.0)
}

/// The same with the thresholds of checks that its settings set, and the file of each policy.
pub(super) fn read_with_report(path: &Path, clock: &Clock) -> anyhow::Result<(Arc<Snapshot>, Report)> {
    let waiting = bar::spinner(format!("reading {}", path.display()));
    let read = folder::read(path);
    waiting.finish_and_clear();
    let (mut snapshot, report) = read?;
    for (file, why) in report.unrecognised.iter().filter(|(file, _)| !is_paperwork(file)) {
        output::remark(&format!("left out {}: {why}", file.display()));
    }
    if snapshot.tenant_id.is_empty() {
        "folder".clone_into(&mut snapshot.tenant_id);
    }
    if snapshot.read_at == jiff::Timestamp::default() {
        snapshot.read_at = clock.now();
    }
    report.thresholds.keys().try_for_each(|name| known(name)).with_context(|| format!("reading {}", path.display()))?;
    Ok((Arc::new(snapshot), report))
}

/// A file that lies beside exports everywhere and that nobody could take for one, such as a licence.
fn is_paperwork(file: &Path) -> bool {
    const NAMES: [&str; 6] = ["license", "licence", "readme", "notice", "changelog", "contributing"];
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    let data = [".json", ".jsonl", ".ndjson"].iter().any(|ending| name.ends_with(ending));
    !data && (name.starts_with('.') || NAMES.iter().any(|known| name.starts_with(known)))
}

/// A threshold that no check has would change nothing, and nobody would see it.
fn known(name: &str) -> anyhow::Result<()> {
    let of =
        |about: &About| about.thresholds.iter().map(|one| format!("{}.{}", about.id, one.name)).collect::<Vec<_>>();
    let all: Vec<String> = CHECKS.iter().flat_map(|check| of(check.about())).collect();
    let is_known = all.iter().any(|one| one == name);
    anyhow::ensure!(
        is_known,
        "settings.json /thresholds/{name}: no check has this threshold; there are {}",
        all.join(", ")
    );
    Ok(())
}

/// A folder, read and judged by every check.
pub(super) fn analysis(path: &Path, clock: &Clock) -> anyhow::Result<Analysis> {
    Ok(analysis_with(path, clock, Evidence::SHOWN)?.0)
}

/// The same with so many rows of evidence kept with each fact, and what was read from where.
pub(super) fn analysis_with(path: &Path, clock: &Clock, rows: usize) -> anyhow::Result<(Analysis, Report)> {
    let (snapshot, report) = read_with_report(path, clock)?;
    let bar = bar::steps(CHECKS.len());
    let analysis = Analysis::watched((snapshot, String::new()), &report.thresholds, (clock.now(), rows), &|about| {
        bar.set_message(about.title);
        bar.inc(1);
    });
    bar.finish_and_clear();
    Ok((analysis, report))
}

/// One JSON value from a file, or from standard input when the path is `-`.
pub(super) fn json(path: &Path) -> anyhow::Result<Value> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).context("reading standard input")?;
    } else {
        bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    }
    let text =
        folder::decode(&bytes).with_context(|| format!("{}: expected text in UTF-8 or UTF-16", path.display()))?;
    json::parse(&text).with_context(|| format!("{}: expected JSON", path.display()))
}

/// One policy from a file, in any state or none, with or without an id: a draft. A list of one is that one.
pub(super) fn draft(path: &Path) -> anyhow::Result<Policy> {
    let mut body = json(path)?;
    for list in ["/value", ""] {
        let listed = body.pointer(list).and_then(Value::as_array);
        anyhow::ensure!(listed.is_none_or(|all| all.len() == 1), "{}: expected one policy", path.display());
        if let Some(one) = listed.and_then(|all| all.first()).cloned() {
            body = one;
        }
    }
    if let Some(members) = body.as_object_mut() {
        members.entry("state").or_insert_with(|| "disabled".into());
    }
    read_policy(&body).with_context(|| format!("{}", path.display()))
}
