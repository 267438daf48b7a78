//! `portcullis analyze`: every check on a folder, for people or for machines.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::bot::analysis::Analysis;
use crate::checks::{self, CureAction, Finding, Severity, Verdict};
use crate::clock::Clock;
use crate::facts::{Evidence, Fact, Style, Term, Wording, clean};
use crate::tenant::{Reading, write_policy};

use super::{Ended, folder, output, sarif, uncovered};

/// What more checks than this didn't check is said once, at the end.
const SEVERAL: usize = 3;

const EXAMPLE: &str = "Policies alone are enough, such as saved from Graph Explorer; users and groups make it exact:\n\n  \
    portcullis analyze policies.json\n  portcullis analyze export --fail-on critical\n  \
    portcullis analyze export --format sarif > findings.sarif";

/// Arguments of `analyze`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Analyze {
    /// A folder, or one file, of exported policies and whatever else of the tenant there is
    path: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit with 1 when a check of this severity or worse fails
    #[arg(long, value_enum, default_value_t = FailOn::High)]
    fail_on: FailOn,
    /// With --format json: every account, gap and row of evidence, instead of the first 50
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For machines
    Json,
    /// For a page or a ticket
    Markdown,
    /// For code scanning: SARIF 2.1.0
    Sarif,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    Critical,
    High,
    Medium,
    Low,
    Info,
    Never,
}

impl FailOn {
    fn limit(self) -> Option<Severity> {
        match self {
            Self::Critical => Some(Severity::Critical),
            Self::High => Some(Severity::High),
            Self::Medium => Some(Severity::Medium),
            Self::Low => Some(Severity::Low),
            Self::Info => Some(Severity::Info),
            Self::Never => None,
        }
    }
}

impl Analyze {
    /// Reads, judges, prints.
    pub(super) fn run(self) -> anyhow::Result<Ended> {
        let clock = Clock::system();
        let rows = if self.all { usize::MAX } else { Evidence::SHOWN };
        let (analysis, report) = folder::analysis_with(&self.path, &clock, rows)?;
        let wording = Wording::new(jiff::tz::TimeZone::system())?;
        match self.format {
            Format::Text => output::line(&listed(&analysis, &wording, (&plain, &str::to_owned))?),
            Format::Markdown => output::line(&listed(&analysis, &wording, (&markdown, &escape))?),
            Format::Sarif => {
                output::line(&serde_json::to_string_pretty(&sarif::log(&analysis, &wording, (&self.path, &report))?)?);
            }
            Format::Json => {
                let found = machine(&analysis, &wording, (clock.now(), self.all))?;
                output::line(&serde_json::to_string_pretty(&found)?);
            }
        }
        let bad = |finding: &&Finding| {
            let severity = checks::about(finding.check).map(|about| about.severity);
            finding.verdict == Verdict::Fail && self.fail_on.limit().is_some_and(|limit| severity >= Some(limit))
        };
        Ok(if analysis.findings.iter().any(|finding| bad(&finding)) { Ended::Findings } else { Ended::Fine })
    }
}

/// People read "needs a manual look" for `review`.
fn verdict_words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "fine",
        Verdict::Fail => "FAILS",
        Verdict::Review => "needs a manual look",
        Verdict::NotApplicable => "not applicable",
    }
}

/// One finding in words: title, verdict, sentences.
struct Told<'a> {
    title: &'a str,
    severity: Severity,
    verdict: Verdict,
    facts: Vec<String>,
    cures: Vec<&'a str>,
    /// What was not checked, where it isn't the same for most of the checks.
    open: Vec<&'a str>,
}

fn plain(told: &Told<'_>) -> String {
    let mut text = format!("{} · {} ({:?})", verdict_words(told.verdict), told.title, told.severity);
    for fact in &told.facts {
        text.push_str(&format!("\n    {fact}"));
    }
    for cure in &told.cures {
        text.push_str(&format!("\n    → {cure}"));
    }
    if !told.open.is_empty() {
        text.push_str(&format!("\n    not checked: {}", told.open.join("; ")));
    }
    text
}

fn markdown(told: &Told<'_>) -> String {
    let mut text = format!("## {}\n\n**{}** · {:?}\n", escape(told.title), verdict_words(told.verdict), told.severity);
    for fact in &told.facts {
        text.push_str(&format!("\n- {}", escape(fact)));
    }
    for cure in &told.cures {
        text.push_str(&format!("\n- Suggested: {}", escape(cure)));
    }
    if !told.open.is_empty() {
        text.push_str(&format!("\n- Not checked: {}", escape(&told.open.join("; "))));
    }
    text
}

/// Tenant text in Markdown: nothing in it is markup.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '(' | ')' | '-' | ':' | ';' | '\'' | '"' | '/' | '%') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

/// How a finding, and a line that stands for itself, are written.
type Show<'a> = (&'a dyn Fn(&Told<'_>) -> String, &'a dyn Fn(&str) -> String);

fn listed(analysis: &Analysis, wording: &Wording, (show, line): Show<'_>) -> anyhow::Result<String> {
    let mut parts = vec![line(&counted(analysis))];
    let common = common_limits(analysis);
    for finding in worst_first(analysis) {
        let Some(about) = checks::about(finding.check) else { continue };
        let idle = idle(finding);
        let facts =
            finding.facts.iter().chain(&idle).map(|fact| wording.of(fact, Style::Full)).collect::<Result<_, _>>()?;
        let open = finding.not_checked.iter().map(String::as_str).filter(|limit| !common.contains_key(limit));
        let cures = finding.cures.iter().map(|cure| cure.title.as_str()).collect();
        parts.push(show(&Told {
            title: about.title,
            severity: about.severity,
            verdict: finding.verdict,
            facts,
            cures,
            open: open.collect(),
        }));
    }
    let told = |(limit, count): (&&str, &usize)| format!("{limit} ({count} checks)");
    if !common.is_empty() {
        parts.push(line(&format!("Not checked: {}.", common.iter().map(told).collect::<Vec<_>>().join("; "))));
    }
    parts.push(line(&unread(analysis)));
    Ok(parts.join("\n\n"))
}

/// How many checks there are of each verdict.
fn counted(analysis: &Analysis) -> String {
    let of = |verdict: Verdict, words: &str| {
        let count = analysis.findings.iter().filter(|finding| finding.verdict == verdict).count();
        format!("{count} {words}")
    };
    let said = [
        of(Verdict::Fail, "fail"),
        of(Verdict::Review, "need a manual look"),
        of(Verdict::Pass, "are fine"),
        of(Verdict::NotApplicable, "don't apply"),
    ];
    format!("Of {} checks {}.", analysis.findings.len(), said.join(", "))
}

/// What fails before what needs a look, and that before the rest; of each, the most severe first.
fn worst_first(analysis: &Analysis) -> Vec<&Finding> {
    let rank = |finding: &&Finding| {
        let verdict = match finding.verdict {
            Verdict::Fail => 0,
            Verdict::Review => 1,
            Verdict::Pass => 2,
            Verdict::NotApplicable => 3,
        };
        (verdict, Reverse(checks::about(finding.check).map(|about| about.severity)))
    };
    let mut all: Vec<&Finding> = analysis.findings.iter().collect();
    all.sort_by_key(rank);
    all
}

/// How many of those whom a finding is about hardly count: guests who never came, accounts that nobody uses.
fn idle(finding: &Finding) -> Option<Fact> {
    let terms = &finding.facts.first()?.terms;
    let count = |name: &str| terms.get(name).cloned().unwrap_or(Term::Count(0));
    let (pending, unused) = (count("pending"), count("unused"));
    let any = finding.verdict != Verdict::Pass && [&pending, &unused].iter().any(|count| **count != Term::Count(0));
    any.then(|| Fact::new("cause.idle", Evidence::default()).with("pending", pending).with("unused", unused))
}

/// What several checks didn't check, with how many; said once at the end instead of under each.
fn common_limits(analysis: &Analysis) -> BTreeMap<&str, usize> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for limit in analysis.findings.iter().flat_map(|finding| &finding.not_checked) {
        *counts.entry(limit).or_default() += 1;
    }
    counts.retain(|_, count| *count > SEVERAL);
    counts
}

/// What the folder lacks, and so what the verdicts don't rest on.
fn unread(analysis: &Analysis) -> String {
    let absent = analysis.snapshot().readings.values().filter_map(|reading| match reading {
        Reading::Absent { reason } => Some(reason.clone()),
        Reading::Complete { .. } => None,
    });
    let absent: Vec<String> = absent.chain(analysis.snapshot().missing_sign_ins().map(str::to_owned)).collect();
    let policies = &analysis.snapshot().policies;
    let unjudged = policies.iter().filter(|policy| !policy.undecided.is_empty());
    let unjudged = unjudged.map(|policy| format!("{} of {}", policy.undecided.join(", "), clean(&policy.display_name)));
    let unjudged: Vec<String> = unjudged.collect();
    let unjudged = if unjudged.is_empty() { String::new() } else { format!(" Not judged: {}.", unjudged.join("; ")) };
    let policies = policies.len();
    if absent.is_empty() {
        format!("{policies} policies read.{unjudged}")
    } else {
        format!("{policies} policies read. Not read: {}.{unjudged}", absent.join("; "))
    }
}

fn machine(analysis: &Analysis, wording: &Wording, asked: (Timestamp, bool)) -> anyhow::Result<Value> {
    let snapshot = analysis.snapshot();
    let unjudged = snapshot.policies.iter().filter(|policy| !policy.undecided.is_empty());
    let unjudged: BTreeMap<&str, &[String]> =
        unjudged.map(|policy| (policy.id.as_str(), policy.undecided.as_slice())).collect();
    let facts = |facts: &[Fact]| -> anyhow::Result<Vec<Value>> {
        facts
            .iter()
            .map(|fact| {
                let (text, evidence) = (wording.of(fact, Style::Full)?, &fact.evidence);
                Ok(json!({"text": text, "total": evidence.total, "rows": evidence.rows, "window": evidence.window}))
            })
            .collect()
    };
    let mut all = Vec::new();
    let mut coverage = Vec::new();
    let mut suggestions = Vec::new();
    for finding in &analysis.findings {
        let Some(about) = checks::about(finding.check) else { continue };
        all.push(json!({
            "id": about.id, "title": about.title, "severity": about.severity, "references": about.references,
            "seeAlso": about.see_also, "verdict": finding.verdict, "evidence": facts(&finding.facts)?,
            "notChecked": finding.not_checked,
        }));
        if let Some(headline) = finding.facts.first() {
            coverage.push(json!({
                "check": about.id, "verdict": finding.verdict, "terms": headline.terms,
                "window": finding.facts.iter().find_map(|fact| fact.evidence.window),
                "questions": uncovered::machine(analysis, about.id, asked),
            }));
        }
        for cure in &finding.cures {
            let action = match &cure.action {
                CureAction::Draft(policy) => json!({"kind": "draft", "policy": write_policy(policy)}),
                CureAction::HandOver(change) => json!({"kind": "handOver", "change": change}),
            };
            suggestions
                .push(json!({"check": about.id, "subject": cure.subject, "title": cure.title, "action": action}));
        }
    }
    Ok(json!({
        "checks": all, "coverage": coverage, "suggestions": suggestions,
        "tenant": {
            "id": snapshot.tenant_id, "name": snapshot.tenant_name, "readAt": snapshot.read_at,
            "policies": snapshot.policies.len(), "users": snapshot.directory.users.len(),
            "readings": snapshot.readings, "notJudged": unjudged,
        },
    }))
}
