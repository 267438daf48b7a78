//! The card of a suggestion: what would be created or changed, why, what it touches, and where it stands.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::app::App;
use crate::approval::{AuditRef, Click, Made, State, Wish};
use crate::chat::card::{Action, ChangeRow, Column, Kind, Verb};
use crate::checks::{CureAction, HandOver};
use crate::facts::{Evidence, Fact, Row, Term};
use crate::log::Action as LogAction;
use crate::store::entries::Wanted;
use crate::suggestions::draft::{marked_name, needs_beta};
use crate::tenant::{Policy, Snapshot};

use super::analysis::Analysis;
use super::answer::{Answer, Part, WHY, ask};
use super::answers::bot_activity::row as entry_row;
use super::approve::{Case, doubt_words};
use super::buttons::press;
use super::compose::{Composed, compose};
use super::sheet::Sheet;
use super::{describe, edited, hand_over, impact, rivals, said_on};

/// For so long a policy is watched in report-only before somebody looks at it again.
const WATCH: SignedDuration = SignedDuration::from_hours(24 * impact::WATCHED);

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
        CureAction::Draft(draft) => {
            let mut standing = standing(&case.state);
            if standing.evidence.rows.is_empty() {
                standing.evidence = in_our_log(app, case).await;
            }
            draft_card((app, case), analysis, (draft, standing))
        }
        CureAction::HandOver(change) => {
            let waits = is_waiting(&case.state);
            let owner = if waits { hand_over::owner(app, &case.action, analysis.snapshot()).await } else { None };
            let rivals = if waits { rivals::of(app, case, analysis).await } else { None };
            hand_over_card((app, case), analysis, (change, owner, rivals))
        }
    };
    let answer = if is_waiting(&case.state) { said_on::carried(answer, case) } else { answer };
    answer.about(format!("S-{}", case.kept.suggestion), case.kept.version)
}

/// What the card of a case says by this reading to be decided on, as its buttons carry it; none where nothing waits for a
/// decision.
#[must_use]
pub fn says(app: &App, case: &Case, analysis: &Analysis) -> Option<String> {
    let answer = match &case.action {
        CureAction::Draft(draft) => draft_card((app, case), analysis, (draft, standing(&case.state))),
        CureAction::HandOver(change) => hand_over_card((app, case), analysis, (change, None, None)),
    };
    is_waiting(&case.state).then(|| said_on::of(&answer, case))
}

/// The entry of the activity log that says the bot created it, which its card cites.
async fn in_our_log(app: &App, case: &Case) -> Evidence {
    if !matches!(case.state, State::Created(_)) {
        return Evidence::default();
    }
    let (subject, action) = (Some(format!("S-{}", case.kept.suggestion)), Some(LogAction::PolicyCreated));
    let wanted = Wanted { subject, action, limit: 1, ..Wanted::default() };
    // Newest first; without the log the card still says what it says.
    let entries = app.store.entries(app.tenant(), &wanted).await.unwrap_or_default();
    Evidence::of(entries.iter().map(entry_row))
}

fn draft_card((app, case): (&App, &Case), analysis: &Analysis, (draft, standing): (&Policy, Fact)) -> Answer {
    let snapshot = analysis.snapshot();
    let name = Term::Name(draft.display_name.clone());
    let mut answer = Answer {
        kind: if creates(app, case) { Kind::Approval } else { Kind::HandOver },
        title: Some(title(case, &draft.display_name)),
        subtitle: Some(subtitle(app, case)),
        ..Answer::default()
    };
    let handed_over = !creates(app, case) && is_waiting(&case.state);
    let words = match needs_beta(draft) {
        _ if app.config.offline => "approval.offline_policy",
        true => "approval.hand_over_beta",
        false => "approval.hand_over_policy",
    };
    let watching = handed_over.then(|| said(words));
    let standing = standing.with("policy", name);
    let rule = two_people(case).filter(|_| creates(app, case));
    let look = matches!(case.state, State::NeedsPerson { .. });
    let look = look.then(|| said("approval.look").with("marker", Term::Word(case.terms.marker.clone())));
    let watching = watching.into_iter().chain(look);
    answer = answer.part(Part::Warning([standing].into_iter().chain(rule).chain(watching).collect()));
    answer = wishes((app, case), snapshot).into_iter().chain(tried(case)).chain(kept(case)).fold(answer, Answer::part);
    if is_waiting(&case.state) {
        answer = answer.part(Part::Rows(rows(app, case, analysis, draft)));
        let mark = creates(app, case).then_some(case.terms.marker.as_str());
        answer = hand_over::blocks((app, case), snapshot, mark).into_iter().fold(answer, Answer::part);
    } else {
        let made = matches!(case.state, State::Created(_));
        let policy = made.then(|| policy_rows(draft, snapshot)).into_iter().flatten();
        answer = answer
            .part(Part::Rows([(WHY.into(), case.body.proposal.told_reasons())].into_iter().chain(policy).collect()));
    }
    let answer = answer.part(Part::Limits(vec![based_on(case, analysis)])).actions(decisions(app, case));
    let answer = if is_waiting(&case.state) {
        names(answer, case, impact::people(analysis, &analysis.impact(draft).users))
    } else {
        answer
    };
    answer.actions(looks(app, case))
}

/// Who would be blocked or prompted: by name, and as a list to take away.
fn names(answer: Answer, case: &Case, (columns, rows): (Vec<Column>, Vec<Vec<String>>)) -> Answer {
    if rows.is_empty() {
        return answer;
    }
    let titles: Vec<&str> = columns.iter().map(|column| column.title.as_str()).collect();
    let names = ask("Names", format!("who would S-{} block?", case.kept.suggestion));
    answer.action(names).sheet(Sheet::new("affected", &titles, rows))
}

fn hand_over_card(
    (app, case): (&App, &Case),
    analysis: &Analysis,
    (change, owner, rivals): (&HandOver, Option<String>, Option<Fact>),
) -> Answer {
    let mut answer = Answer {
        kind: Kind::HandOver,
        title: Some(case.body.proposal.title.clone()),
        subtitle: Some(subtitle(app, case)),
        ..Answer::default()
    };
    let (waits, undecided) = (matches!(case.state, State::Open { .. }), is_waiting(&case.state));
    let intro = match waits {
        true if app.config.offline => said("approval.offline"),
        true => said("approval.hand_over"),
        false => standing(&case.state),
    };
    answer = answer.part(Part::Warning(vec![intro.with("policy", Term::Name(change.target_name.clone()))]));
    answer = rivals.map(|fact| Part::Warning(vec![fact])).into_iter().fold(answer, Answer::part);
    answer = wishes((app, case), analysis.snapshot()).into_iter().chain(tried(case)).fold(answer, Answer::part);
    let mut rows = vec![(WHY.to_owned(), case.body.proposal.told_reasons())];
    rows.extend(settles(case));
    rows.extend(case.terms.ticket.iter().map(|ticket| ("Ticket".to_owned(), vec![name_fact(ticket)])));
    rows.extend([
        ("Change".into(), vec![name_fact(&format!("{} {}", change.target_kind, change.target_name))]),
        ("Where".into(), vec![text_fact(&change.portal)]),
    ]);
    rows.extend(owner.map(|owner| ("Owner".to_owned(), vec![name_fact(&owner)])));
    rows.extend(edited::leaving(analysis, change).map(|fact| ("Leaving".to_owned(), vec![fact])));
    rows.extend(undecided.then(|| ("If made".to_owned(), edited::if_made(analysis, change))));
    rows.extend(undecided.then(|| ("Safety".to_owned(), edited::safety(analysis, change))));
    rows.extend(unsure(case, analysis.snapshot()).filter(|_| undecided));
    answer = answer.part(Part::Rows(rows));
    answer = answer.part(Part::Change(change.changes.iter().map(change_row).collect()));
    if undecided {
        answer = hand_over::blocks((app, case), analysis.snapshot(), None).into_iter().fold(answer, Answer::part);
    }
    let answer = answer.part(Part::Limits(vec![based_on(case, analysis)])).actions(decisions(app, case));
    let hit = if undecided { edited::users(analysis, change) } else { BTreeMap::new() };
    names(answer, case, impact::people(analysis, &hit)).actions(looks(app, case))
}

fn change_row((label, before, after): &(String, String, String)) -> ChangeRow {
    ChangeRow { label: label.clone(), before: Some(before.clone()), after: Some(after.clone()) }
}

/// What people want to be different, each with who and when, and what becomes of it.
fn wishes((app, case): (&App, &Case), snapshot: &Snapshot) -> Option<Part> {
    let State::Open { wishes, .. } = &case.state else { return None };
    let wish = |wish: &Wish| {
        said("approval.wish")
            .with("who", Term::Name(wish.click.by.name.clone()))
            .with("at", wish.click.at)
            // With quotation marks of its own it could pass for more than one person's words.
            .with("text", Term::Text(wish.text.replace(['"', '“', '”', '„', '«', '»'], "'")))
    };
    let kept = said("approval.wish_kept")
        .with("approvers", approvers(app, snapshot))
        .with("edit", u64::from(case.draft().is_none()));
    (!wishes.is_empty()).then(|| Part::Warning(wishes.iter().map(wish).chain([kept]).collect()))
}

/// What a person did about it that isn't what the card says, field by field: as described, as done.
fn tried(case: &Case) -> Vec<Part> {
    let State::Open { tried: Some(tried), .. } = &case.state else { return Vec::new() };
    let fact = otherwise(&case.state).into_iter();
    let heading = Part::Heading("As described, and as done".into());
    vec![Part::Warning(fact.collect()), heading, Part::Change(tried.differs.iter().map(change_row).collect())]
}

/// Why the policy was not taken back when somebody asked, field by field: as the bot made it, as it is.
fn kept(case: &Case) -> Vec<Part> {
    let State::Created(Made { kept: Some(kept), .. }) = &case.state else { return Vec::new() };
    let fact = left(&case.state).into_iter();
    let heading = Part::Heading("As created, and as it is".into());
    vec![Part::Warning(fact.collect()), heading, Part::Change(kept.differs.iter().map(change_row).collect())]
}

/// Who did something about it that isn't what the card says.
fn otherwise(state: &State) -> Option<Fact> {
    let State::Open { tried: Some(tried), .. } = state else { return None };
    Some(by_record("approval.differs", &tried.record).with("count", tried.differs.len()))
}

/// Who changed a policy, so that it was not taken back.
fn left(state: &State) -> Option<Fact> {
    let State::Created(Made { kept: Some(kept), .. }) = state else { return None };
    let by = |record: &AuditRef| by_record("approval.kept_by", record);
    Some(kept.record.as_ref().map_or_else(|| said("approval.kept"), by))
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
    let mut rows = vec![(WHY.to_owned(), case.body.proposal.told_reasons())];
    rows.extend(settles(case));
    rows.extend(creates(app, case).then(|| ("Name".to_owned(), vec![marked(case, draft)])));
    rows.extend(policy_rows(draft, snapshot));
    rows.push(("If On".into(), impact::if_on(analysis, draft)));
    let formal = impact::formal(analysis, draft, &case.body.proposal.check);
    rows.push(("Safety".into(), impact::safety(analysis, draft).into_iter().chain(formal).collect()));
    rows.push(("Rollout".into(), impact::phases(analysis, draft)));
    rows.extend(unsure(case, snapshot));
    rows.push(("Approval".into(), vec![approval_fact(app, case, snapshot)]));
    rows
}

/// The name that the bot would give it: the draft's, with the mark by which it finds the policy again.
fn marked(case: &Case, draft: &Policy) -> Fact {
    let mark = case.terms.marker.as_str();
    let name = marked_name(&draft.display_name, mark);
    let name = name.strip_suffix(mark).unwrap_or(&name).trim_end();
    said("approval.name").with("name", Term::Name(name.to_owned())).with("mark", Term::Word(mark.to_owned()))
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
fn unsure(case: &Case, snapshot: &Snapshot) -> Option<(String, Vec<Fact>)> {
    let known = case.body.proposal.not_checked.iter().map(String::as_str);
    let limits: Vec<&str> = known.chain(snapshot.missing_sign_ins()).collect();
    (!limits.is_empty()).then(|| ("Unsure".to_owned(), lines(&limits)))
}

/// Several statements, none of them cut: two side by side, more one below the other.
fn lines(words: &[impl Borrow<str>]) -> Vec<Fact> {
    if words.len() < 3 {
        vec![text_fact(&words.join("; "))]
    } else {
        words.iter().map(|one| text_fact(one.borrow())).collect()
    }
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
        .with("ticket", Term::Word(case.terms.ticket.clone().unwrap_or_default()))
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
        State::NeedsPerson { .. } => format!("Needs a person: {name}"),
        State::Settled { .. } => format!("Looked up by a person: {name}"),
        State::Undone { .. } => format!("Taken back: {name}"),
        State::Gone { .. } => format!("Removed by somebody else: {name}"),
        _ => format!("Create in REPORT-ONLY: {name}"),
    }
}

fn subtitle(app: &App, case: &Case) -> String {
    format!("S-{} · {}", case.kept.suggestion, app.config.tenant.name)
}

/// What a state says of changes in the tenant, with their records: as described, or otherwise.
#[must_use]
pub fn shown_by(state: &State) -> Vec<Fact> {
    [standing(state)].into_iter().chain(otherwise(state)).chain(left(state)).collect()
}

/// Where it stands, in one sentence.
#[must_use]
pub fn standing(state: &State) -> Fact {
    let by = |granted: &[Click]| {
        let names = granted.iter().map(|click| click.by.name.clone()).collect::<Vec<_>>();
        (Term::Names(names), Term::Time(granted.last().map_or(Timestamp::UNIX_EPOCH, |click| click.at)))
    };
    match state {
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
        State::Created(Made { record: Some(record), policy_id, at, .. }) => {
            by_record("approval.created_by_person", record)
                .with("next", at.saturating_add(WATCH).unwrap_or(*at))
                .with("id", Term::Word(policy_id.clone()))
        }
        State::Created(made) => said("approval.created")
            .with("who", by(&made.granted).0)
            .with("at", made.at)
            .with("next", made.at.saturating_add(WATCH).unwrap_or(made.at))
            .with("id", Term::Word(made.policy_id.clone())),
        State::Undoing { click, .. } => said("approval.undoing").with("who", Term::Name(click.by.name.clone())),
        State::Undone { click, .. } => {
            said("approval.undone").with("who", Term::Name(click.by.name.clone())).with("at", click.at)
        }
        State::Gone { record: Some(record), .. } => by_record("approval.gone_by", record),
        State::Gone { record: None, .. } => said("approval.gone"),
        State::OutOfDate { why } => said("approval.out_of_date").with("why", Term::Text(why.clone())),
        state @ State::NeedsPerson { .. } => said("approval.needs_person").with("why", Term::Word(doubt_words(state))),
        State::Settled { click, there, policy_id, .. } => {
            let key = if *there { "approval.settled_there" } else { "approval.settled_missing" };
            said(key)
                .with("who", Term::Name(click.by.name.clone()))
                .with("at", click.at)
                .with("id", Term::Word(policy_id.clone().unwrap_or_default()))
        }
        State::Refused { why } => said("approval.refused").with("why", Term::Text(why.clone())),
        State::Expired => said("approval.expired"),
        State::Resolved { proof, record: Some(record) } => {
            by_record("approval.resolved_by", record).with("why", Term::Name(proof.clone()))
        }
        State::Resolved { proof, record: None } => said("approval.resolved").with("why", Term::Text(proof.clone())),
    }
}

/// The buttons that decide, in the order in which people look for them.
fn decisions(app: &App, case: &Case) -> Vec<Action> {
    let (id, version) = (case.kept.id.as_str(), case.kept.state.decided);
    let button = |label: &str, verb| press(label, verb, id, version);
    match &case.state {
        State::Open { .. } => {
            let create = creates(app, case).then(|| button("Create in report-only", Verb::Create));
            let others = [
                button("Ask to change…", Verb::AskChange),
                button("Dismiss…", Verb::Dismiss),
                button("Snooze…", Verb::Snooze),
            ];
            create.into_iter().chain(others).collect()
        }
        State::Snoozed { .. } | State::Dismissed { .. } => vec![button("Reopen", Verb::Reopen)],
        State::Created(made) => made.record.is_none().then(|| button("Undo", Verb::Undo)).into_iter().collect(),
        State::NeedsPerson { .. } => {
            vec![button("It is there", Verb::IsThere), button("It isn't there", Verb::NotThere)]
        }
        State::OutOfDate { .. }
        | State::Expired
        | State::Settled { there: false, .. }
        | State::Refused { .. }
        | State::Undone { .. }
        | State::Gone { .. } => {
            vec![ask("New card", format!("propose S-{}", case.kept.suggestion))]
        }
        _ => Vec::new(),
    }
}

/// The buttons that only show something.
fn looks(app: &App, case: &Case) -> Vec<Action> {
    let evidence = ask("Show evidence", format!("show evidence for S-{}", case.kept.suggestion));
    let page = match &case.state {
        State::Open { .. } | State::NeedsPerson { policy_id: None, .. } => hand_over::link(app, &case.action),
        State::Created(made) => hand_over::policy_page(app.config.graph.cloud, &made.policy_id)
            .map(|url| Action::Open { label: "Open in Entra".into(), url }),
        State::NeedsPerson { policy_id: Some(id), .. } => hand_over::policy_page(app.config.graph.cloud, id)
            .map(|url| Action::Open { label: "Open in Entra".into(), url }),
        _ => None,
    };
    [evidence].into_iter().chain(page).collect()
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

/// From which reading its numbers are, and the checks that found it.
fn based_on(case: &Case, analysis: &Analysis) -> Fact {
    let hash = analysis.hash.chars().take(12).collect();
    let fact = said("approval.based_on").with("at", analysis.snapshot().read_at).with("hash", Term::Word(hash));
    fact.with("checks", case.body.proposal.checks.clone())
}
