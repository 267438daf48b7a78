//! The page of a report: what matters first, every check with its evidence, and a documentation of all policies.

use anyhow::Context as _;
use handlebars::Handlebars;
use serde_json::{Value, json};

use crate::bot::analysis::Analysis;
use crate::bot::describe;
use crate::checks::cause_words::CauseWords;
use crate::checks::{self, CureAction, Finding, Severity, Verdict, rows};
use crate::engine::Model;
use crate::facts::{Fact, Row, Style, Wording, clean, grouped};
use crate::tenant::policy::PolicyState;
use crate::tenant::{Kind, Reading, Snapshot, Word};

use super::lists::{self, Open};

/// Accounts of a list that the page names; the CSV beside it has all of them.
const NAMED: usize = 50;
/// Failed checks that the first section names.
const FIRST: usize = 7;

/// The page.
///
/// # Errors
/// When a fact has no wording or the template is broken, which are faults of the program.
pub(super) fn html(
    analysis: &Analysis,
    wording: &Wording,
    (open, files): (&[Open], &[&str]),
) -> anyhow::Result<String> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    templates.register_template_string("report", include_str!("../../../templates/report/report.hbs"))?;
    let snapshot = analysis.snapshot();
    let findings = || analysis.findings.iter();
    let checks = findings().map(|finding| check(finding, wording)).collect::<anyhow::Result<Vec<_>>>()?;
    let count = |verdict: Verdict| findings().filter(|finding| finding.verdict == verdict).count();
    let opens = open.iter().map(|one| coverage(one, analysis, wording)).collect::<anyhow::Result<Vec<_>>>()?;
    let on = snapshot.policies.iter().filter(|policy| policy.state == PolicyState::Enabled).count();
    let report_only = snapshot.policies.iter().filter(|policy| policy.state == PolicyState::ReportOnly).count();
    let data = json!({
        "tenant": clean(&snapshot.tenant_name), "policies": snapshot.policies.len(), "on": on,
        "reportOnly": report_only, "users": number(snapshot.directory.users.len()),
        "read": snapshot.read_at.strftime("%a %-d %b %Y %H:%M UTC").to_string(),
        "fails": count(Verdict::Fail), "reviews": count(Verdict::Review), "passes": count(Verdict::Pass),
        "others": count(Verdict::NotApplicable),
        "first": first(analysis, wording)?, "coverage": opens, "checks": checks, "absent": absent(analysis),
        "exclusions": exclusions(&analysis.model), "documented": documented(snapshot), "files": files,
    });
    Ok(templates.render("report", &data)?)
}

/// The worst failures, each with its headline and its first cure.
fn first(analysis: &Analysis, wording: &Wording) -> anyhow::Result<Vec<Value>> {
    let severity = |finding: &Finding| checks::about(finding.check).map_or(Severity::Info, |about| about.severity);
    let mut failed: Vec<&Finding> =
        analysis.findings.iter().filter(|finding| finding.verdict == Verdict::Fail).collect();
    failed.sort_by_key(|finding| std::cmp::Reverse(severity(finding)));
    let told = |finding: &&Finding| -> anyhow::Result<Value> {
        let headline = finding.facts.first().map(|fact| wording.of(fact, Style::Full)).transpose()?;
        let cure = finding.cures.first().map(|cure| clean(&cure.title));
        Ok(json!({"id": finding.check, "headline": headline.unwrap_or_default(), "cure": cure}))
    };
    failed.iter().take(FIRST).map(told).collect()
}

/// One bar, and below it who is left out and why.
fn coverage(open: &Open, analysis: &Analysis, wording: &Wording) -> anyhow::Result<Value> {
    let snapshot = analysis.snapshot();
    let of = open.gaps.looked_at.humans().len();
    let out = open.uncovered.humans().len();
    let covered = of.saturating_sub(out);
    let words = CauseWords::new(snapshot, &analysis.hash);
    let mut groups = Vec::new();
    for group in &open.gaps.groups {
        let users = group.users.iter().filter_map(|at| snapshot.directory.user_at(at));
        let names: Vec<String> = users.take(NAMED).map(|user| clean(&user.display_name)).collect();
        let more = usize::try_from(group.users.len())?.saturating_sub(names.len());
        let why = wording.of(&words.group(group), Style::Full)?;
        groups.push(json!({"why": why, "names": names.join(", "), "more": (more > 0).then(|| number(more))}));
    }
    let everyone = open.gaps.everyone.iter().map(|gap| wording.of(&words.everyone(gap), Style::Full));
    Ok(json!({
        "title": open.list.title, "covered": grouped(i64::try_from(covered)?), "of": grouped(i64::try_from(of)?),
        // Tenths of a per cent, rounded down, so that a full bar means everybody.
        "width": (covered * 1000).checked_div(of).map(|tenths| format!("{}.{}", tenths / 10, tenths % 10)),
        "known": of > 0, "full": out == 0, "groups": groups, "everyone": everyone.collect::<Result<Vec<_>, _>>()?,
        "apart": apart(open),
    }))
}

/// Accounts that a bar doesn't count, as people read them; none when there are none.
fn apart(open: &Open) -> Option<String> {
    let looked = &open.gaps.looked_at;
    let parts = [
        (looked.service.len() + looked.rooms.len(), "service or room"),
        (looked.emergency.len(), "emergency access (break-glass)"),
    ];
    let told = |(count, what): &(u64, &str)| format!("{count} {what} account{}", if *count == 1 { "" } else { "s" });
    let parts: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(told).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn check(finding: &Finding, wording: &Wording) -> anyhow::Result<Value> {
    let about = checks::about(finding.check).context("a finding of an unknown check")?;
    let facts = finding.facts.iter().map(|fact| evidence(fact, wording)).collect::<anyhow::Result<Vec<_>>>()?;
    let cures: Vec<Value> = finding
        .cures
        .iter()
        .map(|cure| {
            let how = match &cure.action {
                CureAction::Draft(_) => "a new policy, in report-only first".to_owned(),
                CureAction::HandOver(change) => change.portal.clone(),
            };
            json!({"title": clean(&cure.title), "how": how})
        })
        .collect();
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

/// A sentence and the rows that it rests on.
fn evidence(fact: &Fact, wording: &Wording) -> anyhow::Result<Value> {
    let rows: Vec<String> = fact.evidence.rows.iter().map(row).collect();
    let more = usize::try_from(fact.evidence.total)?.saturating_sub(rows.len());
    let total = grouped(i64::try_from(fact.evidence.total)?);
    Ok(json!({
        "text": wording.of(fact, Style::Full)?, "rows": rows, "total": total, "more": (more > 0).then(|| number(more)),
    }))
}

fn row(row: &Row) -> String {
    match row {
        Row::Policy { name, state, .. } => format!("{} ({state})", clean(name)),
        Row::User { name, principal, path, .. } => {
            let start = format!("{} ({})", clean(name), clean(principal));
            std::iter::once(start).chain(path.iter().map(|step| clean(step))).collect::<Vec<_>>().join(" → ")
        }
        Row::Object { what, name, note, .. } if note.is_empty() => format!("{what} {}", clean(name)),
        Row::Object { what, name, note, .. } => format!("{what} {}: {note}", clean(name)),
        Row::SignIn { at, user, app, result, .. } => {
            format!("{} {} → {}: {result}", at.strftime("%-d %b %H:%M"), clean(user), clean(app))
        }
        Row::Audit { at, activity, by, target, .. } => {
            format!("{} {}: {}, {}", at.strftime("%-d %b %H:%M"), clean(by), clean(activity), clean(target))
        }
        Row::Entry { .. } => String::new(),
    }
}

/// Each kind that wasn't read, and the checks that it would settle.
fn absent(analysis: &Analysis) -> Vec<Value> {
    let snapshot = analysis.snapshot();
    let missing = snapshot.readings.iter().filter_map(|(kind, reading)| match reading {
        Reading::Absent { reason } => Some((*kind, reason)),
        Reading::Complete { .. } => None,
    });
    let mut boxes: Vec<Value> = missing
        .map(|(kind, reason)| json!({"file": format!("{}.json", kind.word()), "reason": reason, "settles": settles(analysis, kind)}))
        .collect();
    boxes.extend(snapshot.missing_sign_ins().map(|what| {
        let kind = Kind::SignIns;
        json!({"file": format!("{}.json", kind.word()), "reason": what, "settles": settles(analysis, kind)})
    }));
    boxes.sort_by_key(|one| std::cmp::Reverse(one["settles"].as_array().map_or(0, Vec::len)));
    boxes
}

/// Titles of the checks that name this file among what they didn't check.
fn settles(analysis: &Analysis, kind: Kind) -> Vec<&'static str> {
    let file = kind.word();
    let needs = |finding: &&Finding| finding.not_checked.iter().any(|limit| limit.contains(file));
    let wanting = analysis.findings.iter().filter(needs);
    wanting.filter_map(|finding| Some(checks::about(finding.check)?.title)).collect()
}

fn exclusions(model: &Model) -> Vec<Vec<String>> {
    let lines = lists::exclusions(model).lines.into_iter().skip(1);
    lines.map(|line| line.iter().map(|cell| clean(cell)).collect()).collect()
}

/// Every policy in the portal's words, with names instead of ids.
fn documented(snapshot: &Snapshot) -> Vec<Value> {
    let one = |policy: &crate::tenant::Policy| {
        let lines = describe::policy(policy, snapshot).into_iter();
        let lines: Vec<Value> = lines.map(|(label, words)| json!({"label": label, "words": long(&words)})).collect();
        let class = match policy.state {
            PolicyState::Enabled => "pass",
            PolicyState::ReportOnly => "review",
            PolicyState::Disabled => "soft",
        };
        json!({"name": clean(&policy.display_name), "lines": lines, "state": rows::state_word(policy.state),
            "class": class, "id": policy.id})
    };
    snapshot.policies.iter().map(one).collect()
}

/// Tenant text of any length without characters that nobody sees.
fn long(text: &str) -> String {
    text.chars().filter(|c| !crate::facts::hidden(*c)).collect()
}

fn number(count: usize) -> String {
    grouped(i64::try_from(count).unwrap_or(i64::MAX))
}
