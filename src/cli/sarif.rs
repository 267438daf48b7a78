//! Findings as SARIF 2.1.0, for code scanning and dashboards that read it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::bot::analysis::Analysis;
use crate::checks::{self, About, CHECKS, Finding, Severity, Verdict};
use crate::facts::{Row, Style, Wording, WordingError};
use crate::tenant::folder::Report;

/// The log of one run: every check as a rule, every failed or undecided one as a result.
///
/// # Errors
/// When a fact has no wording, which is a fault of the program.
pub(super) fn log(
    analysis: &Analysis,
    wording: &Wording,
    (path, read): (&Path, &Report),
) -> Result<Value, WordingError> {
    let rules: Vec<Value> = CHECKS.iter().map(|check| rule(check.about())).collect();
    let results = analysis
        .findings
        .iter()
        .filter_map(|finding| result(finding, wording, &places(finding, (path, read))).transpose());
    Ok(json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "Portcullis", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "results": results.collect::<Result<Vec<_>, _>>()?,
        }],
    }))
}

/// How many files a result points to.
const PLACES: usize = 10;

/// The files of the policies that a finding rests on; where it rests on none, all that was read.
fn places(finding: &Finding, (path, read): (&Path, &Report)) -> Vec<Value> {
    let rows = finding.facts.iter().flat_map(|fact| &fact.evidence.rows);
    let ids = rows.filter_map(|row| if let Row::Policy { id, .. } = row { Some(id) } else { None });
    let files: BTreeSet<&Path> = ids.filter_map(|id| read.policies.get(id)).map(PathBuf::as_path).collect();
    let all = if files.is_empty() { vec![path] } else { files.into_iter().take(PLACES).collect() };
    all.into_iter().map(|file| json!({"physicalLocation": {"artifactLocation": {"uri": uri(file)}}})).collect()
}

/// Where a file is: relative as it was given, or absolute with its scheme.
fn uri(path: &Path) -> String {
    let text = encoded(&path.display().to_string().replace('\\', "/"));
    match path.is_absolute() {
        true if text.starts_with('/') => format!("file://{text}"),
        true => format!("file:///{text}"),
        false => text,
    }
}

/// A path as a URI has it (RFC 3986): everything but letters, digits, `-._~`, `/` and the colon of a drive percent-encoded.
fn encoded(path: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte);
    path.bytes().map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn rule(about: &About) -> Value {
    json!({
        "id": about.id,
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": about.rationale},
        "defaultConfiguration": {"level": level(about.severity)},
        "properties": {"tags": about.references, "security-severity": score(about.severity)},
    })
}

fn result(finding: &Finding, wording: &Wording, places: &[Value]) -> Result<Option<Value>, WordingError> {
    let Some(about) = checks::about(finding.check) else { return Ok(None) };
    let (kind, level) = match finding.verdict {
        Verdict::Fail => ("fail", level(about.severity)),
        // SARIF: a result that isn't a failure has no level.
        Verdict::Review => ("review", "none"),
        Verdict::Pass | Verdict::NotApplicable => return Ok(None),
    };
    let facts = finding.facts.iter().map(|fact| wording.of(fact, Style::Full)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(json!({
        "ruleId": about.id,
        "kind": kind,
        "level": level,
        "message": {"text": facts.join("\n")},
        "locations": places,
        "partialFingerprints": {"check/v1": about.id},
        "properties": {"notChecked": finding.not_checked},
    })))
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The score that code scanning sorts by.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.0",
    }
}
