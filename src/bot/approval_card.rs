//! The card of a suggestion: what would be created or changed, why, what it touches, and where it stands.

use jiff::Timestamp;

use crate::app::App;
use crate::approval::{Click, State};
use crate::chat::card::{Action, ChangeRow, Kind, Verb};
use crate::checks::{CureAction, HandOver};
use crate::facts::{Evidence, Fact, Term};
use crate::suggestions::draft::ReportOnlyPolicy;
use crate::tenant::{Policy, Snapshot};

use super::analysis::Analysis;
use super::answer::{Answer, Part};
use super::approve::{Case, doubt_words};
use super::buttons::press;
use super::compose::{Composed, compose};
use super::{describe, impact};

/// The card of a case, from the newest analysis.
///
/// # Errors
/// When there is no analysis yet or a wording is missing.
pub async fn compose_case(app: &App, case: &Case) -> anyhow::Result<Composed> {
    let analysis = app.newest_analysis().await?.ok_or_else(|| anyhow::anyhow!("the tenant wasn't read yet"))?;
    Ok(compose(card(app, case, &analysis), None, &app.wording)?)
}

/// The card of a case before it is worded; it says which suggestion it shows, in which version.
#[must_use]
pub fn card(app: &App, case: &Case, analysis: &Analysis) -> Answer {
    let answer = match &case.body.proposal.action {
        CureAction::Draft(draft) => draft_card(app, case, analysis, draft),
        CureAction::HandOver(change) => hand_over_card(app, case, analysis, change),
    };
    answer.about(format!("S-{}", case.kept.suggestion), case.kept.version)
}

fn draft_card(app: &App, case: &Case, analysis: &Analysis, draft: &Policy) -> Answer {
    let snapshot = analysis.snapshot();
    let name = Term::Name(draft.display_name.clone());
    let mut answer = Answer {
        kind: Kind::Approval,
        title: Some(title(case, &draft.display_name)),
        subtitle: Some(subtitle(app, case)),
        ..Answer::default()
    };
    answer = answer.part(Part::Warning(vec![state_fact(case).with("policy", name)]));
    if is_waiting(&case.state) {
        answer = answer.part(Part::Rows(rows(app, case, analysis, draft)));
        answer = answer.part(Part::Code("JSON".into(), json_of(draft)));
    } else {
        answer = answer.part(Part::Rows(vec![("Why".into(), why(case))]));
    }
    let limits = [read_fact(snapshot)];
    actions(app, case).into_iter().fold(answer.part(Part::Limits(limits.to_vec())), Answer::action)
}

fn hand_over_card(app: &App, case: &Case, analysis: &Analysis, change: &HandOver) -> Answer {
    let mut answer = Answer {
        kind: Kind::Approval,
        title: Some(case.body.proposal.title.clone()),
        subtitle: Some(subtitle(app, case)),
        ..Answer::default()
    };
    let intro = if is_waiting(&case.state) { said("approval.hand_over") } else { state_fact(case) };
    answer = answer.part(Part::Warning(vec![intro.with("policy", Term::Name(change.target_name.clone()))]));
    let mut rows = vec![("Why".to_owned(), why(case))];
    rows.extend(settles(case));
    rows.extend([
        ("Change".into(), vec![name_fact(&format!("{} {}", change.target_kind, change.target_name))]),
        ("Where".into(), vec![name_fact(&change.portal)]),
    ]);
    answer = answer.part(Part::Rows(rows));
    let compared = change.changes.iter().map(|(label, before, after)| ChangeRow {
        label: label.clone(),
        before: Some(before.clone()),
        after: Some(after.clone()),
    });
    answer = answer.part(Part::Change(compared.collect()));
    answer = answer.part(Part::Code("PowerShell".into(), change.powershell.clone()));
    if let Some((method, path, body)) = &change.request {
        let body = serde_json::to_string_pretty(body).unwrap_or_default();
        answer = answer.part(Part::Code("Graph request".into(), format!("{method} {path}\n{body}")));
    }
    answer = answer.part(Part::Code("Ticket".into(), ticket(case, change)));
    let limits = Part::Limits(vec![read_fact(analysis.snapshot())]);
    actions(app, case).into_iter().fold(answer.part(limits), Answer::action)
}

/// The lines of the card, in the order that an administrator reads them.
fn rows(app: &App, case: &Case, analysis: &Analysis, draft: &Policy) -> Vec<(String, Vec<Fact>)> {
    let snapshot = analysis.snapshot();
    let mut rows = vec![("Why".to_owned(), why(case))];
    rows.extend(settles(case));
    let lines = describe::policy(draft, snapshot).into_iter().filter(|(label, _)| *label != "Enable policy");
    rows.extend(lines.map(|(label, words)| (label.to_owned(), vec![name_fact(&words)])));
    rows.push(("Enable policy".into(), vec![name_fact("Report-only")]));
    rows.push(("If On".into(), impact::if_on(analysis, draft)));
    rows.push(("Safety".into(), impact::safety(analysis, draft)));
    rows.push(("Rollout".into(), impact::phases(analysis, draft)));
    if !case.body.proposal.not_checked.is_empty() {
        rows.push(("Unsure".into(), vec![name_fact(&case.body.proposal.not_checked.join("; "))]));
    }
    rows.push(("Approval".into(), vec![approval_fact(app, case)]));
    rows
}

fn why(case: &Case) -> Vec<Fact> {
    case.body.proposal.facts.iter().take(2).cloned().collect()
}

/// The findings that one decision settles, where there are several.
fn settles(case: &Case) -> Option<(String, Vec<Fact>)> {
    let found = case.body.proposal.checks.iter().filter_map(|check| crate::checks::about(check));
    let titles: Vec<&str> = found.map(|about| about.title).collect();
    (titles.len() > 1).then(|| ("Settles".to_owned(), vec![name_fact(&titles.join("; "))]))
}

fn approval_fact(app: &App, case: &Case) -> Fact {
    let granted = match &case.state {
        State::Open { granted } => granted.len(),
        _ => 0,
    };
    let created_as = if app.writer.is_some() { "the bot's own app" } else { "nobody: the change is handed over" };
    said("approval.terms")
        .with("granted", granted)
        .with("needed", u64::from(case.terms.needed))
        .with("expires", case.terms.expires)
        .with("as", Term::Word(created_as.to_owned()))
}

fn is_waiting(state: &State) -> bool {
    matches!(state, State::Open { .. } | State::Snoozed { .. })
}

fn title(case: &Case, name: &str) -> String {
    match &case.state {
        State::Created(_) => format!("In report-only: {name}"),
        State::Creating { .. } => format!("Creating in report-only: {name}"),
        _ => format!("Create in REPORT-ONLY: {name}"),
    }
}

fn subtitle(app: &App, case: &Case) -> String {
    format!("S-{} · {}", case.kept.suggestion, app.config.tenant.name)
}

/// Where it stands, in one sentence.
fn state_fact(case: &Case) -> Fact {
    let by = |granted: &[Click]| {
        let names = granted.iter().map(|click| click.by.name.clone()).collect::<Vec<_>>();
        (Term::Names(names), Term::Time(granted.last().map_or(Timestamp::UNIX_EPOCH, |click| click.at)))
    };
    match &case.state {
        State::Open { granted } if granted.is_empty() => said("approval.open"),
        State::Open { granted } => said("approval.half").with("who", by(granted).0).with("at", by(granted).1),
        State::Snoozed { click, until } => {
            said("approval.snoozed").with("who", Term::Name(click.by.name.clone())).with("until", *until)
        }
        State::Dismissed { click, reason } => said("approval.dismissed")
            .with("who", Term::Name(click.by.name.clone()))
            .with("at", click.at)
            .with("reason", Term::Name(reason.clone())),
        State::Creating { granted, .. } => {
            said("approval.creating").with("who", by(granted).0).with("at", by(granted).1)
        }
        State::Created(made) => said("approval.created")
            .with("who", by(&made.granted).0)
            .with("at", made.at)
            .with("id", Term::Word(made.policy_id.clone())),
        State::Undoing { click, .. } => said("approval.undoing").with("who", Term::Name(click.by.name.clone())),
        State::Undone { click, .. } => {
            said("approval.undone").with("who", Term::Name(click.by.name.clone())).with("at", click.at)
        }
        State::OutOfDate { why } => said("approval.out_of_date").with("why", Term::Name(why.clone())),
        State::NeedsPerson { doubt, .. } => {
            said("approval.needs_person").with("why", Term::Word(doubt_words(*doubt).to_owned()))
        }
        State::Refused { why } => said("approval.refused").with("why", Term::Name(why.clone())),
        State::Expired => said("approval.expired"),
        State::Resolved { proof } => said("approval.resolved").with("why", Term::Name(proof.clone())),
    }
}

fn actions(app: &App, case: &Case) -> Vec<Action> {
    let (id, version) = (case.kept.id.as_str(), case.kept.version);
    let button = |label: &str, verb| press(label, verb, id, version);
    let suggestion = format!("S-{}", case.kept.suggestion);
    let evidence = super::answer::ask("Show evidence", format!("show evidence for {suggestion}"));
    match &case.state {
        State::Open { .. } => {
            let mut actions = Vec::new();
            if case.draft().is_some() && app.writer.is_some() {
                actions.push(button("Create in report-only", Verb::Create));
            }
            actions.extend([button("Snooze…", Verb::Snooze), button("Dismiss…", Verb::Dismiss), evidence]);
            actions
        }
        State::Snoozed { .. } | State::Dismissed { .. } => vec![button("Reopen", Verb::Reopen), evidence],
        State::Created(_) => vec![button("Undo", Verb::Undo), evidence],
        State::OutOfDate { .. } | State::Expired | State::Refused { .. } | State::Undone { .. } => {
            vec![super::answer::ask("New card", format!("propose {suggestion}")), evidence]
        }
        _ => vec![evidence],
    }
}

fn json_of(draft: &Policy) -> String {
    let body = ReportOnlyPolicy::new(draft, &draft.display_name).map(|policy| policy.body());
    body.ok().and_then(|body| serde_json::to_string_pretty(&body).ok()).unwrap_or_default()
}

fn ticket(case: &Case, change: &HandOver) -> String {
    let mut text = format!("{}\n\nWhere: {}\n", case.body.proposal.title, change.portal);
    for (label, before, after) in &change.changes {
        text.push_str(&format!("{label}: {before} -> {after}\n"));
    }
    text.push_str(&format!(
        "\nReference: S-{}. Portcullis watches the audit log and closes it when the change is seen.",
        case.kept.suggestion
    ));
    text
}

/// A sentence of ours without rows.
fn said(key: &str) -> Fact {
    Fact::new(key, Evidence::default()).must_show()
}

fn name_fact(words: &str) -> Fact {
    said("approval.words").with("words", Term::Name(words.to_owned()))
}

fn read_fact(snapshot: &Snapshot) -> Fact {
    said("common.read_at").with("at", snapshot.read_at)
}
