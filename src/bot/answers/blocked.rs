//! Who was blocked, by what; which of several is meant; what to write to the person, and who else it hit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::bot::answer::{Answer, Part, ask, column, number_column};
use crate::bot::describe;
use crate::bot::intent::SlotName;
use crate::bot::lookup::Found;
use crate::chat::card::{Action, Column, Kind};
use crate::checks::rows;
use crate::facts::{Evidence, Fact, Term};
use crate::tenant::{PastSignIn, Policy, User, how_many};

use super::explain_sign_in::{after, evidence, failing};
use super::named::Back;
use super::unread::window;
use super::{Asked, codes, named, period};

/// How a question begins that wants words for the person who was blocked.
pub(super) const TEXT_FOR: &str = "text for";
/// How many people a table names, and a question back offers.
const PEOPLE: usize = 10;

/// How many sign-ins these rows stand for.
fn many(rows: &[&PastSignIn]) -> u64 {
    how_many(rows.iter().copied())
}

/// Several people fit the name: which one is meant, with what the log holds of each in that time. Never guessed.
pub(super) fn which(asked: Asked<'_>, name: Option<&str>, span: Option<(Timestamp, Timestamp)>) -> Option<Answer> {
    let (name, snapshot) = (name?, asked.analysis.snapshot());
    let Found::Several(all) = named::people(asked, name) else { return None };
    let within = |row: &&PastSignIn| span.is_none_or(|(from, to)| (from..=to).contains(&row.at));
    let failed = |user: &User| -> Vec<&PastSignIn> {
        let rows = snapshot.sign_ins.iter().filter(|row| row.user_id == user.id && row.error_code != 0);
        rows.filter(within).collect()
    };
    let mut all: Vec<(&User, Vec<&PastSignIn>)> = all.into_iter().map(|user| (user, failed(user))).collect();
    all.sort_by_key(|(_, rows)| std::cmp::Reverse(many(rows)));
    let total = Fact::new("explain.which", Evidence::default())
        .with("count", all.len())
        .with("name", Term::Name(name.to_owned()))
        .must_show();
    let item = |(user, rows): &(&User, Vec<&PastSignIn>)| {
        let fact = Fact::new("explain.candidate", evidence(asked, rows.iter().rev().copied()))
            .with("user", Term::Name(user.display_name.to_string()))
            .with("principal", Term::Name(user.user_principal_name.to_string()))
            .with("department", Term::Name(user.department.clone().unwrap_or_default().to_string()))
            .with("count", many(rows));
        (fact, Vec::new())
    };
    let again = |user: &User| {
        let id = &user.user_principal_name;
        if asked.text.contains(name) { asked.text.replace(name, id) } else { format!("{} {id}", asked.text) }
    };
    let items = all.iter().take(PEOPLE).map(item).collect();
    let buttons = all.iter().take(PEOPLE).map(|(user, _)| ask(&user.display_name, again(user)));
    let answer = Answer { kind: Kind::Question, ..Answer::sentences(vec![total]) };
    Some(answer.part(Part::List { ordered: false, items }).part(Part::Limits(window(asked))).actions(buttons))
}

/// Buttons after a block: words for the person, and the others whom the same policy stopped in the last 7 days.
pub(super) fn others(asked: Asked<'_>, user: &User, stopped: &PastSignIn) -> Vec<Action> {
    let snapshot = asked.analysis.snapshot();
    let ours = stopped.error_code != 0 && codes::of(stopped.error_code).is_some_and(|code| code.ours);
    if !ours {
        return vec![ask("Who was blocked?", "who was blocked in the last 7 days?")];
    }
    let given = user.display_name.split(' ').next().unwrap_or_default();
    let text = ask(&format!("Text for {given}"), format!("{TEXT_FOR} {}: {}", user.user_principal_name, asked.text));
    let week = asked.now.checked_sub(jiff::Span::new().hours(7 * 24)).unwrap_or(asked.now);
    let policy = failing(stopped).into_iter().find_map(|id| snapshot.policy(id));
    let too = |policy: &Policy| {
        let hit = |row: &&PastSignIn| {
            row.at >= week
                && row.error_code != 0
                && row.user_id != user.id
                && failing(row).contains(&policy.id.as_str())
        };
        snapshot.sign_ins.iter().filter(hit).map(|row| row.user_id.as_str()).collect::<BTreeSet<_>>().len()
    };
    let same = policy.map(|policy| match too(policy) {
        0 => ask(&format!("Show {}", code(policy)), format!("show {}", policy.display_name)),
        more => {
            let words = format!("{more} {} blocked by {}", if more == 1 { "other" } else { "others" }, code(policy));
            ask(&words, format!("whose sign-ins were blocked by {} in the last 7 days?", code(policy)))
        }
    });
    [text].into_iter().chain(same).collect()
}

/// The number that a policy is known by (`CA205`), or its name.
fn code(policy: &Policy) -> &str {
    let first = policy.display_name.split([' ', '-', ':']).next().unwrap_or_default();
    if first.chars().any(|c| c.is_ascii_digit()) { first } else { &policy.display_name }
}

/// Words for the person who was blocked: when, why, what to do, and which device works.
pub(super) fn text_for(asked: Asked<'_>, user: &User, stopped: &PastSignIn) -> Answer {
    let zone = &asked.app.config.schedule.zone;
    let clock = |row: &PastSignIn, format: &str| row.at.to_zoned(zone.clone()).strftime(format).to_string();
    let known = codes::of(stopped.error_code);
    let device = stopped.device_name.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
    let platform = Some(describe::seen_platform(stopped.platform)).filter(|platform| !platform.is_empty());
    let mut text = format!(
        "Hello {},\n\nyour sign-in to {} with {}{} was stopped on {}, because {}{device}.\n",
        user.display_name.split(' ').next().unwrap_or_default(),
        stopped.resource_name,
        stopped.app_name,
        platform.map(|platform| format!(" on {platform}")).unwrap_or_default(),
        clock(stopped, "%A %-d %B at %H:%M"),
        known.map_or("a rule of ours was not met", |code| code.meaning),
    );
    if let Some(remedy) = known.map(|code| code.remedy).filter(|remedy| !remedy.is_empty()) {
        text.push_str(&format!("\nWhat to do: {remedy}.\n"));
    }
    if let Some(row) = after(asked, user, stopped) {
        let from = row.device_name.as_deref().map(|name| format!(" from {name}")).unwrap_or_default();
        text.push_str(&format!("\nYour sign-in{from} at {} worked, so you can go on there.\n", clock(row, "%H:%M")));
    }
    text.push_str(&format!("\nIf it happens again, give the service desk this number: {}\n", stopped.correlation_id));
    let fact = Fact::new("explain.text", evidence(asked, [stopped]))
        .with("user", Term::Name(user.display_name.to_string()))
        .must_show();
    Answer::sentences(vec![fact]).part(Part::Code("Text".into(), text)).part(Part::Limits(window(asked)))
}

/// A code alone: what it means, how often it came, and the question whom it concerns.
pub(super) fn bare_code(asked: Asked<'_>, code: i64) -> Answer {
    let snapshot = asked.analysis.snapshot();
    let rows: Vec<&PastSignIn> = snapshot.sign_ins.iter().filter(|row| row.error_code == code).collect();
    let people: BTreeSet<&str> = rows.iter().map(|row| row.user_id.as_str()).collect();
    let known = codes::of(code);
    let meaning = Fact::new(if known.is_some() { "explain.code" } else { "explain.code_unknown" }, Evidence::default())
        .with("code", Term::Word(code.to_string()))
        .with("meaning", Term::Word(known.map_or("", |code| code.meaning).to_owned()))
        .with("ours", Term::Word(known.filter(|code| code.ours).map_or("", |_| "yes").to_owned()))
        .must_show();
    let count = Fact::new("explain.code_count", evidence(asked, rows.iter().rev().copied()))
        .with("count", many(&rows))
        .with("people", people.len())
        .must_show();
    let who = Fact::new("explain.who", Evidence::default()).must_show();
    let mut latest: Vec<&User> = Vec::new();
    for user in rows.iter().rev().filter_map(|row| snapshot.directory.user(&row.user_id)) {
        if !latest.iter().any(|known| known.id == user.id) && latest.len() < 5 {
            latest.push(user);
        }
    }
    let answer = Answer { kind: crate::chat::card::Kind::Question, ..Answer::sentences(vec![meaning, count, who]) };
    let answer = answer.part(Part::Limits(window(asked)));
    latest.iter().fold(answer, |answer, user| {
        answer.action(ask(&user.display_name, format!("AADSTS{code} for {}, why?", user.user_principal_name)))
    })
}

/// Whether Conditional Access stopped a sign-in, and not a wrong password.
pub(super) fn is_stopped(row: &PastSignIn) -> bool {
    row.conditional_access == "failure" && !row.first_factor_failed() && row.error_code != 0
}

/// Nobody is named: who was blocked, by which policy; by one alone, if the question names it.
pub(super) fn everybody(asked: Asked<'_>, span: Option<(Timestamp, Timestamp)>) -> Result<Answer, Back> {
    let snapshot = asked.analysis.snapshot();
    let policy = asked.slot(SlotName::Policy).map(|name| named::policy(asked, name)).transpose()?;
    let by_it = |row: &PastSignIn| policy.is_none_or(|policy| failing(row).contains(&policy.id.as_str()));
    let day = asked.now.checked_sub(jiff::Span::new().hours(24)).unwrap_or(asked.now);
    let (from, to) = period::clipped(asked, span.unwrap_or((day, asked.now)));
    let blocked: Vec<&PastSignIn> =
        snapshot.sign_ins.iter().filter(|row| is_stopped(row) && (from..=to).contains(&row.at) && by_it(row)).collect();
    let people = |rows: &[&PastSignIn]| rows.iter().map(|row| row.user_id.as_str()).collect::<BTreeSet<_>>().len();
    let mut by: BTreeMap<(Vec<&str>, i64), Vec<&PastSignIn>> = BTreeMap::new();
    for row in &blocked {
        by.entry((failing(row), row.error_code)).or_default().push(row);
    }
    let mut groups: Vec<_> = by.into_iter().collect();
    groups.sort_by_key(|(_, rows)| std::cmp::Reverse(many(rows)));
    let total = Fact::new("explain.everybody", evidence(asked, blocked.iter().rev().copied()))
        .with("count", many(&blocked))
        .with("people", people(&blocked))
        .with("from", from)
        .with("to", to)
        .must_show();
    let item = |((policies, code), rows): &((Vec<&str>, i64), Vec<&PastSignIn>)| {
        let named: Vec<&Policy> = policies.iter().filter_map(|id| snapshot.policy(id)).collect();
        let log = rows.iter().rev().map(|row| rows::sign_in(row, snapshot));
        let evidence = asked.analysis.evidence(named.iter().map(|policy| rows::policy(policy)).chain(log));
        let fact = Fact::new("explain.group", evidence.within(snapshot.window))
            .with("count", many(rows))
            .with("people", people(rows))
            .with("policies", Term::Names(named.iter().map(|policy| policy.display_name.clone()).collect()))
            .with("code", Term::Word(code.to_string()))
            .with("meaning", Term::Word(codes::of(*code).map_or("", |code| code.meaning).to_owned()));
        (fact, Vec::new())
    };
    let (columns, lines) = people_of(asked, &blocked);
    Ok(Answer::sentences(vec![total])
        .part(Part::List { ordered: false, items: groups.iter().map(item).collect() })
        .table("blocked", columns, lines, PEOPLE)
        .part(Part::Limits(window(asked))))
}

/// Who was blocked, most often first.
fn people_of(asked: Asked<'_>, blocked: &[&PastSignIn]) -> (Vec<Column>, Vec<Vec<String>>) {
    let snapshot = asked.analysis.snapshot();
    let zone = &asked.app.config.schedule.zone;
    let mut by: BTreeMap<&str, Vec<&PastSignIn>> = BTreeMap::new();
    for row in blocked {
        by.entry(row.user_id.as_str()).or_default().push(row);
    }
    let mut by: Vec<_> = by.into_iter().collect();
    by.sort_by_key(|(_, rows)| std::cmp::Reverse(many(rows)));
    let line = |(id, rows): &(&str, Vec<&PastSignIn>)| {
        let user = snapshot.directory.user(id);
        let name = user.map_or_else(|| (*id).to_owned(), |user| user.display_name.to_string());
        let department = user.and_then(|user| user.department.clone()).unwrap_or_default().to_string();
        let last = rows.last().map(|row| row.at.to_zoned(zone.clone()).strftime("%-d %b %H:%M").to_string());
        let app = rows.last().map(|row| row.resource_name.to_string());
        vec![name, department, many(rows).to_string(), last.unwrap_or_default(), app.unwrap_or_default()]
    };
    let number = |title: &str| if title == "Blocks" { number_column(title) } else { column(title) };
    (["Person", "Department", "Blocks", "Last", "At"].map(number).to_vec(), by.iter().map(line).collect())
}
