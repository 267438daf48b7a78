//! The card of a suggestion: what would be created or changed, why, what it touches, and where it stands.

use std::borrow::Borrow;

use jiff::Timestamp;

use crate::app::App;
use crate::approval::{AuditRef, Click, Made, State};
use crate::chat::card::{Action, ChangeRow, Kind, Verb};
use crate::checks::{CureAction, HandOver};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::suggestions::draft::needs_beta;
use crate::tenant::{Policy, Snapshot};

use super::analysis::Analysis;
use super::answer::{Answer, Part};
use super::approve::{Case, doubt_words};
use super::buttons::press;
use super::compose::{Composed, compose};
use super::{describe, edited, hand_over, impact};

/// The card of a case, from the newest analysis.
///
/// # Errors
/// When there is no analysis yet or a wording is missing.
pub async fn compose_case(app: &App, case: &Case) -> anyhow::Result<Composed> {
    let analysis = app.newest_analysis().await?.ok_or_else(|| anyhow::anyhow!("the tenant wasn't read yet"))?;
    Ok(compose(card(app, case, &analysis).await, None, &app.wording)?)
}

/// The card of a case before it is worded; it says which suggestion it shows, in which version.
pub async fn card(app: &App, case: &Case, analysis: &Analysis) -> Answer {
    let answer = match &case.action {
        CureAction::Draft(draft) => draft_card(app, case, analysis, draft),
        CureAction::HandOver(change) => {
            let waits = is_waiting(&case.state);
            let owner = if waits { hand_over::owner(app, &case.action, analysis.snapshot()).await } else { None };
            hand_over_card((app, case), analysis, (change, owner))
        }
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
    let handed_over = !creates(app, case) && is_waiting(&case.state);
    let words = if needs_beta(draft) { "approval.hand_over_beta" } else { "approval.hand_over_policy" };
    let watching = handed_over.then(|| said(words));
    let standing = state_fact(case).with("policy", name);
    let rule = two_people(case).filter(|_| creates(app, case));
    answer = answer.part(Part::Warning([standing].into_iter().chain(rule).chain(watching).collect()));
    answer = tried(case).into_iter().chain(kept(case)).fold(answer, Answer::part);
    if is_waiting(&case.state) {
        answer = answer.part(Part::Rows(rows(app, case, analysis, draft)));
        answer = hand_over::blocks(case, snapshot).into_iter().fold(answer, Answer::part);
    } else {
        let made = matches!(case.state, State::Created(_));
        let policy = made.then(|| policy_rows(draft, snapshot)).into_iter().flatten();
        answer = answer.part(Part::Rows([("Why".into(), why(case))].into_iter().chain(policy).collect()));
    }
    let limits = [read_fact(snapshot)];
    actions(app, case).into_iter().fold(answer.part(Part::Limits(limits.to_vec())), Answer::action)
}

fn hand_over_card(
    (app, case): (&App, &Case),
    analysis: &Analysis,
    (change, owner): (&HandOver, Option<String>),
) -> Answer {
    let mut answer = Answer {
        kind: Kind::Approval,
        title: Some(case.body.proposal.title.clone()),
        subtitle: Some(subtitle(app, case)),
        ..Answer::default()
    };
    let (waits, undecided) = (matches!(case.state, State::Open { .. }), is_waiting(&case.state));
    let intro = if waits { said("approval.hand_over") } else { state_fact(case) };
    answer = answer.part(Part::Warning(vec![intro.with("policy", Term::Name(change.target_name.clone()))]));
    answer = tried(case).into_iter().fold(answer, Answer::part);
    let mut rows = vec![("Why".to_owned(), why(case))];
    rows.extend(settles(case));
    rows.extend([
        ("Change".into(), vec![name_fact(&format!("{} {}", change.target_kind, change.target_name))]),
        ("Where".into(), vec![text_fact(&change.portal)]),
    ]);
    rows.extend(owner.map(|owner| ("Owner".to_owned(), vec![name_fact(&owner)])));
    rows.extend(edited::leaving(analysis, change).map(|fact| ("Leaving".to_owned(), vec![fact])));
    rows.extend(undecided.then(|| ("If made".to_owned(), edited::if_made(analysis, change))));
    rows.extend(undecided.then(|| ("Safety".to_owned(), edited::safety(analysis, change))));
    rows.extend(unsure(case).filter(|_| undecided));
    answer = answer.part(Part::Rows(rows));
    answer = answer.part(Part::Change(change.changes.iter().map(change_row).collect()));
    if undecided {
        answer = hand_over::blocks(case, analysis.snapshot()).into_iter().fold(answer, Answer::part);
    }
    let limits = Part::Limits(vec![read_fact(analysis.snapshot())]);
    actions(app, case).into_iter().fold(answer.part(limits), Answer::action)
}

fn change_row((label, before, after): &(String, String, String)) -> ChangeRow {
    ChangeRow { label: label.clone(), before: Some(before.clone()), after: Some(after.clone()) }
}

/// What a person did about it that isn't what the card says, field by field: as described, as done.
fn tried(case: &Case) -> Vec<Part> {
    let State::Open { tried: Some(tried), .. } = &case.state else { return Vec::new() };
    let fact = by_record("approval.differs", &tried.record).with("count", tried.differs.len());
    let heading = Part::Heading("As described, and as done".into());
    vec![Part::Warning(vec![fact]), heading, Part::Change(tried.differs.iter().map(change_row).collect())]
}

/// Why the policy was not taken back when somebody asked, field by field: as the bot made it, as it is.
fn kept(case: &Case) -> Vec<Part> {
    let State::Created(Made { kept: Some(kept), .. }) = &case.state else { return Vec::new() };
    let fact =
        kept.record.as_ref().map_or_else(|| said("approval.kept"), |record| by_record("approval.kept_by", record));
    let heading = Part::Heading("As created, and as it is".into());
    vec![Part::Warning(vec![fact]), heading, Part::Change(kept.differs.iter().map(change_row).collect())]
}

/// A sentence about a change in the tenant, whose record is its citation.
fn by_record(key: &str, record: &AuditRef) -> Fact {
    let row = Row::Audit {
        id: record.id.clone(),
        at: record.at,
        activity: record.activity.clone(),
        by: record.by.clone(),
        target: record.target.clone(),
    };
    Fact::new(key, Evidence::of([row]))
        .must_show()
        .with("who", Term::Name(record.by.clone()))
        .with("at", record.at)
        .with("record", Term::Word(record.id.clone()))
}

/// The lines of the card, in the order that an administrator reads them.
fn rows(app: &App, case: &Case, analysis: &Analysis, draft: &Policy) -> Vec<(String, Vec<Fact>)> {
    let snapshot = analysis.snapshot();
    let mut rows = vec![("Why".to_owned(), why(case))];
    rows.extend(settles(case));
    rows.extend(policy_rows(draft, snapshot));
    rows.push(("If On".into(), impact::if_on(analysis, draft)));
    rows.push(("Safety".into(), impact::safety(analysis, draft)));
    rows.push(("Rollout".into(), impact::phases(analysis, draft)));
    rows.extend(unsure(case));
    rows.push(("Approval".into(), vec![approval_fact(app, case, snapshot)]));
    rows
}

/// The policy as the portal shows it, in its order. That it asks nothing of the session is said too.
fn policy_rows(draft: &Policy, snapshot: &Snapshot) -> Vec<(String, Vec<Fact>)> {
    let lines = describe::policy(draft, snapshot).into_iter().filter(|(label, _)| *label != "Enable policy");
    let mut rows: Vec<(String, Vec<Fact>)> =
        lines.map(|(label, words)| (label.to_owned(), vec![text_fact(&words)])).collect();
    if draft.session.is_none() {
        rows.push(("Session".into(), vec![name_fact("none")]));
    }
    rows.push(("Enable policy".into(), vec![name_fact("Report-only")]));
    rows
}

/// What was not checked, each by itself and whole.
fn unsure(case: &Case) -> Option<(String, Vec<Fact>)> {
    let limits = &case.body.proposal.not_checked;
    (!limits.is_empty()).then(|| ("Unsure".to_owned(), lines(limits)))
}

/// Several statements, none of them cut: two side by side, more one below the other.
fn lines(words: &[impl Borrow<str>]) -> Vec<Fact> {
    if words.len() < 3 {
        vec![text_fact(&words.join("; "))]
    } else {
        words.iter().map(|one| text_fact(one.borrow())).collect()
    }
}

fn why(case: &Case) -> Vec<Fact> {
    case.body.proposal.reasons().iter().take(2).cloned().collect()
}

/// The findings that one decision settles, where there are several, and those that need other repairs beside it.
fn settles(case: &Case) -> Vec<(String, Vec<Fact>)> {
    let (whole, part) = case.body.proposal.settles();
    let several = case.body.proposal.checks.len() > 1;
    let titles = |checks: Vec<&str>| -> Vec<Fact> {
        let found = checks.into_iter().filter_map(crate::checks::about);
        lines(&found.map(|about| about.title).collect::<Vec<_>>())
    };
    let rows = [("Settles", if several { whole } else { Vec::new() }), ("Part of", part)];
    let rows = rows.into_iter().filter(|(_, checks)| !checks.is_empty());
    rows.map(|(label, checks)| (label.to_owned(), titles(checks))).collect()
}

/// Who can't approve where two have to, so that nobody learns it from a press that is refused.
fn two_people(case: &Case) -> Option<Fact> {
    let State::Open { granted, .. } = &case.state else { return None };
    let key = if granted.is_empty() { "approval.two" } else { "approval.second" };
    let names = granted.iter().map(|click| click.by.name.clone()).collect::<Vec<_>>();
    (case.terms.needed > 1).then(|| said(key).with("who", names).with("asker", asker(case)))
}

/// Who asked for it; empty where the bot itself suggested it.
fn asker(case: &Case) -> Term {
    case.terms.asker.as_ref().map_or_else(|| Term::Word(String::new()), |asker| Term::Name(asker.name.clone()))
}

fn approval_fact(app: &App, case: &Case, snapshot: &Snapshot) -> Fact {
    let granted = match &case.state {
        State::Open { granted, .. } => granted.len(),
        _ => 0,
    };
    let created_as = if creates(app, case) { "the bot's own app" } else { "nobody: the change is handed over" };
    said("approval.terms")
        .with("granted", granted)
        .with("needed", u64::from(case.terms.needed))
        .with("asker", asker(case))
        .with("approvers", approvers(app, snapshot))
        .with("apart", u64::from(case.terms.needed > 1 && case.terms.asker.is_some()))
        .with("expires", case.terms.expires)
        .with("as", Term::Word(created_as.to_owned()))
}

/// The roles and groups whose members may approve.
fn approvers(app: &App, snapshot: &Snapshot) -> Vec<String> {
    let who = &app.config.who.approvers;
    let roles = who.roles.iter().map(|id| describe::role_name(id, snapshot));
    let groups = who.groups.iter();
    let name =
        |id: &String| snapshot.directory.groups.get(id).map_or_else(|| id.clone(), |group| group.display_name.clone());
    roles.chain(groups.map(name)).collect()
}

/// Whether a press of the card creates a policy; otherwise a person makes the change.
#[must_use]
pub fn creates(app: &App, case: &Case) -> bool {
    app.writer.is_some() && case.draft().is_some_and(|draft| !needs_beta(draft))
}

fn is_waiting(state: &State) -> bool {
    matches!(state, State::Open { .. } | State::Snoozed { .. })
}

fn title(case: &Case, name: &str) -> String {
    match &case.state {
        State::Created(_) => format!("In report-only: {name}"),
        State::Creating { .. } => format!("Creating in report-only: {name}"),
        State::Undone { .. } => format!("Taken back: {name}"),
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
        State::Open { granted, .. } if granted.is_empty() => said("approval.open"),
        State::Open { granted, .. } => said("approval.half").with("who", by(granted).0).with("at", by(granted).1),
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
        State::Created(Made { record: Some(record), policy_id, .. }) => {
            by_record("approval.created_by_person", record).with("id", Term::Word(policy_id.clone()))
        }
        State::Created(made) => said("approval.created")
            .with("who", by(&made.granted).0)
            .with("at", made.at)
            .with("id", Term::Word(made.policy_id.clone())),
        State::Undoing { click, .. } => said("approval.undoing").with("who", Term::Name(click.by.name.clone())),
        State::Undone { click, .. } => {
            said("approval.undone").with("who", Term::Name(click.by.name.clone())).with("at", click.at)
        }
        State::OutOfDate { why } => said("approval.out_of_date").with("why", Term::Text(why.clone())),
        state @ State::NeedsPerson { .. } => said("approval.needs_person").with("why", Term::Word(doubt_words(state))),
        State::Refused { why } => said("approval.refused").with("why", Term::Text(why.clone())),
        State::Expired => said("approval.expired"),
        State::Resolved { proof, record: Some(record) } => {
            by_record("approval.resolved_by", record).with("why", Term::Name(proof.clone()))
        }
        State::Resolved { proof, record: None } => said("approval.resolved").with("why", Term::Text(proof.clone())),
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
            if creates(app, case) {
                actions.push(button("Create in report-only", Verb::Create));
            }
            actions.extend([button("Snooze…", Verb::Snooze), button("Dismiss…", Verb::Dismiss), evidence]);
            actions.extend(hand_over::link(app, &case.action));
            actions
        }
        State::Snoozed { .. } | State::Dismissed { .. } => vec![button("Reopen", Verb::Reopen), evidence],
        State::Created(made) => {
            let undo = made.record.is_none().then(|| button("Undo", Verb::Undo));
            let page = hand_over::policy_page(app.config.graph.cloud, &made.policy_id);
            let open = page.map(|url| Action::Open { label: "Open in Entra".into(), url });
            undo.into_iter().chain([evidence]).chain(open).collect()
        }
        State::OutOfDate { .. } | State::Expired | State::Refused { .. } | State::Undone { .. } => {
            vec![super::answer::ask("New card", format!("propose {suggestion}")), evidence]
        }
        _ => vec![evidence],
    }
}

/// A sentence of ours without rows.
fn said(key: &str) -> Fact {
    Fact::new(key, Evidence::default()).must_show()
}

fn name_fact(words: &str) -> Fact {
    said("approval.words").with("words", Term::Name(words.to_owned()))
}

/// A longer line with words of the tenant in it.
fn text_fact(words: &str) -> Fact {
    said("approval.words").with("words", Term::Text(words.to_owned()))
}

fn read_fact(snapshot: &Snapshot) -> Fact {
    said("common.read_at").with("at", snapshot.read_at)
}
