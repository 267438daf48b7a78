//! `portcullis report`: one HTML file to open and print, and CSV lists beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use handlebars::Handlebars;
use serde_json::{Value, json};

use crate::bot::analysis::Analysis;
use crate::bot::describe;
use crate::checks::gaps::{CauseWords, Gaps};
use crate::checks::{self, Finding, Verdict, rows};
use crate::clock::Clock;
use crate::engine::{Requirement, Scope};
use crate::facts::{Style, Wording, clean};
use crate::tenant::policy::{ClientAppType, TransferMethod};
use crate::tenant::{Reading, Snapshot};

use super::{Ended, folder, output};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// A folder, or one file, of exported policies and whatever else of the tenant there is
    path: PathBuf,
    /// Folder for the report
    #[arg(long, value_name = "DIR", default_value = "portcullis-report")]
    out: PathBuf,
}

impl Report {
    /// Reads, judges, writes.
    pub(super) fn run(self) -> anyhow::Result<Ended> {
        let clock = Clock::system();
        let analysis = folder::analysis(&self.path, &clock)?;
        let wording = Wording::new(jiff::tz::TimeZone::system())?;
        std::fs::create_dir_all(&self.out).with_context(|| format!("making {}", self.out.display()))?;
        let mut files = vec![self.write("policies.csv", &policies_csv(analysis.snapshot()))?];
        for list in LISTS {
            let lines = list_csv(list, &analysis, &wording, &clock)?;
            if lines.len() > 1 {
                files.push(self.write(list.file, &lines)?);
            }
        }
        let html = html(&analysis, &wording, &files)?;
        let page = self.out.join("report.html");
        std::fs::write(&page, html).with_context(|| format!("writing {}", page.display()))?;
        output::line(&format!("{} and {} beside it", page.display(), files.join(", ")));
        Ok(Ended::Fine)
    }

    fn write(&self, file: &str, lines: &[Vec<String>]) -> anyhow::Result<String> {
        let text: String = lines.iter().map(|cells| csv_line(cells)).collect();
        write(&self.out.join(file), &text)?;
        Ok(file.to_owned())
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// A list of accounts: who isn't made to meet a requirement.
struct List {
    file: &'static str,
    requirement: Requirement,
    scope: fn() -> Scope,
}

static LISTS: &[List] = &[
    List { file: "without-mfa.csv", requirement: Requirement::Mfa, scope: Scope::default },
    List { file: "without-managed-device.csv", requirement: Requirement::ManagedDevice, scope: Scope::default },
    List { file: "legacy-authentication-open.csv", requirement: Requirement::Block, scope: legacy },
    List { file: "device-code-flow-open.csv", requirement: Requirement::Block, scope: device_code },
];

fn legacy() -> Scope {
    let client_apps = BTreeSet::from([ClientAppType::ExchangeActiveSync, ClientAppType::Other]);
    Scope { client_apps, ..Scope::default() }
}

fn device_code() -> Scope {
    Scope { flows: BTreeSet::from([TransferMethod::DeviceCodeFlow]), ..Scope::default() }
}

/// Every account of a list, with its cause; complete, however long.
fn list_csv(list: &List, analysis: &Analysis, wording: &Wording, clock: &Clock) -> anyhow::Result<Vec<Vec<String>>> {
    let snapshot = analysis.snapshot();
    let coverage = analysis.model.coverage(&list.requirement, &(list.scope)());
    let gaps = Gaps::of(&coverage, &analysis.model, clock.now());
    let words = CauseWords::new(snapshot, &analysis.hash);
    let mut lines = vec![["Name", "User principal name", "Object id", "Why"].map(str::to_owned).to_vec()];
    for group in &gaps.groups {
        let why = wording.of(&words.group(group), Style::Short)?;
        let users = group.users.iter().filter_map(|index| snapshot.directory.user_at(index));
        lines.extend(users.map(|user| {
            vec![user.display_name.clone(), user.user_principal_name.clone(), user.id.clone(), why.clone()]
        }));
    }
    Ok(lines)
}

fn policies_csv(snapshot: &Snapshot) -> Vec<Vec<String>> {
    let mut lines = vec![["Name", "State", "Object id", "Content"].map(str::to_owned).to_vec()];
    lines.extend(snapshot.policies.iter().map(|policy| {
        let content: Vec<String> =
            describe::policy(policy, snapshot).into_iter().map(|(label, words)| format!("{label}: {words}")).collect();
        vec![
            policy.display_name.clone(),
            rows::state_word(policy.state).to_owned(),
            policy.id.clone(),
            content.join(" | "),
        ]
    }));
    lines
}

/// One line of CSV. Tenant text that a spreadsheet would take for a formula is set apart by a quote.
fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        let cell = clean_cell(cell);
        format!("\"{}\"", cell.replace('"', "\"\""))
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

fn clean_cell(cell: &str) -> String {
    let text: String = cell.chars().filter(|c| !crate::facts::hidden(*c)).collect();
    if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text }
}

fn html(analysis: &Analysis, wording: &Wording, files: &[String]) -> anyhow::Result<String> {
    let snapshot = analysis.snapshot();
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    templates.register_template_string("report", include_str!("../../templates/report/report.hbs"))?;
    let checks = analysis.findings.iter().map(|finding| check(finding, wording)).collect::<anyhow::Result<Vec<_>>>()?;
    let absent: Vec<String> = snapshot
        .readings
        .values()
        .filter_map(|reading| match reading {
            Reading::Absent { reason } => Some(reason.clone()),
            Reading::Complete { .. } => None,
        })
        .collect();
    let documented: Vec<Value> = snapshot
        .policies
        .iter()
        .map(|policy| {
            let lines = describe::policy(policy, snapshot).into_iter();
            let lines: Vec<Value> = lines.map(|(label, words)| json!({"label": label, "words": words})).collect();
            json!({"name": clean(&policy.display_name), "lines": lines})
        })
        .collect();
    let data = json!({
        "tenant": clean(&snapshot.tenant_name), "policies": snapshot.policies.len(),
        "users": snapshot.directory.users.len(), "read": snapshot.read_at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        "checks": checks, "absent": absent, "documented": documented, "files": files.join(", "),
    });
    Ok(templates.render("report", &data)?)
}

fn check(finding: &Finding, wording: &Wording) -> anyhow::Result<Value> {
    let about = checks::about(finding.check).context("a finding of an unknown check")?;
    let facts = finding.facts.iter().map(|fact| wording.of(fact, Style::Full)).collect::<Result<Vec<_>, _>>()?;
    let cures: Vec<&str> = finding.cures.iter().map(|cure| cure.title.as_str()).collect();
    let (verdict, class) = match finding.verdict {
        Verdict::Pass => ("fine", "pass"),
        Verdict::Fail => ("fails", "fail"),
        Verdict::Review => ("needs a manual look", "review"),
        Verdict::NotApplicable => ("not applicable", "soft"),
    };
    Ok(json!({
        "id": about.id, "title": about.title, "severity": format!("{:?}", about.severity), "verdict": verdict,
        "class": class, "facts": facts, "cures": cures, "rationale": about.rationale,
        "references": about.references.join(" · "), "limits": finding.not_checked,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_ends_its_line() {
        let line = csv_line(&["=HYPERLINK(\"http://evil\")".into(), "a\"b\r\nc".into()]);
        assert_eq!(line, "\"'=HYPERLINK(\"\"http://evil\"\")\",\"a\"\"bc\"\r\n");
    }
}
