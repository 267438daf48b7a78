//! "What should we fix first?": the suggestions, most severe first, with what was silenced by standing instructions.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::app::App;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::buttons::open;
use crate::bot::intent::SlotName;
use crate::bot::learn::Taste;
use crate::bot::reconcile::{self, Body, state};
use crate::bot::sheet::Sheet;
use crate::bot::theme::{THEMES, Theme};
use crate::checks::{CureAction, Severity};
use crate::facts::{Evidence, Fact, Row as EvidenceRow, Term, any_of};
use crate::store::entries::Wanted;
use crate::store::suggestions::Row;
use crate::suggestions::silencer;

use super::bot_activity::row as entry_row;
use super::explain_suggestion::decided;
use super::meant::{check, said};
use super::named::speaks_of_self;
use super::{Answering, Asked, waiting};

/// How many suggestions stand first; the others are a theme away.
const FIRST: usize = 3;
/// How many an answer about one theme, or one that asks for all, holds.
const LISTED: usize = 40;
/// As many as this are listed without themes.
const FEW: usize = 5;

/// Lists those in the state that the question names (open otherwise), of its topic, app, group or policy.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        let states = wanted_states(asked.text);
        if states == WITHOUT_A_NAMED_STATE && waiting::is_meant(asked.text) {
            return waiting::listed(asked).await;
        }
        let all = asked.app.store.suggestions(asked.app.tenant()).await?;
        let mut rows: Vec<(Row, Body)> = Vec::new();
        for row in all.into_iter().filter(|row| states.contains(&row.state.as_str())) {
            let body = Body::of(&row)?;
            if concerns(asked, &row, &body) {
                rows.push((row, body));
            }
        }
        if speaks_of_self(asked.text) && (states == [state::DISMISSED] || states == [state::SNOOZED]) {
            return own(asked, rows).await;
        }
        let taste = Taste::of(asked.app).await?;
        rows.sort_by_key(|(row, body)| weight(&taste, row, body));
        let silenced = silenced(asked).await?;
        let lowered = rows.iter().filter(|(row, _)| taste.dislikes(&row.check_id)).count();
        let listed = listed(asked, rows, &states, silenced);
        let why = said("suggestions.lowered").with("count", lowered);
        Ok(if lowered > 0 { listed.part(Part::Limits(vec![why])) } else { listed })
    })
}

/// What the asker dismissed or snoozed, with the reason that was given.
async fn own(asked: Asked<'_>, rows: Vec<(Row, Body)>) -> anyhow::Result<Answer> {
    let all = rows.len();
    let mut items = Vec::new();
    for (row, body) in rows {
        let Some(fact) = decided(asked, &row).await? else { continue };
        let by = fact
            .evidence
            .rows
            .iter()
            .any(|row| matches!(row, EvidenceRow::Entry { by, .. } if *by == asked.person.name));
        if by {
            let number = format!("S-{}", row.number);
            items.push((line(&row, &body), vec![ask("Why?", format!("why {number}?"))]));
        }
    }
    let count = said("suggestions.own").with("count", items.len()).with("others", all - items.len());
    Ok(Answer::sentences(vec![count])
        .part(Part::List { ordered: true, items })
        .part(Part::Limits(vec![asked.read_at()]))
        .action(ask("All dismissed", "which suggestions are dismissed?"))
        .action(ask("All snoozed", "which suggestions are snoozed?")))
}

fn wanted_states(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let has = |word: &str| text.contains(word);
    if has("snooz") || has("put off") || has("deferred") || has("on hold") {
        vec![state::SNOOZED]
    } else if has("dismiss") || has("turned down") || has("rejected") || has("declined") {
        vec![state::DISMISSED]
    } else if has("created") || has("report-only") {
        vec![state::CREATING, state::CREATED]
    } else if has("resolved") || has("fixed") || has("done") {
        vec![state::RESOLVED]
    } else if has("every suggestion") || has("all suggestions ever") {
        vec![
            state::OPEN,
            state::SNOOZED,
            state::DISMISSED,
            state::CREATING,
            state::CREATED,
            state::OUT_OF_DATE,
            state::NEEDS_PERSON,
            state::RESOLVED,
            state::UNDONE,
            state::GONE,
        ]
    } else {
        WITHOUT_A_NAMED_STATE.to_vec()
    }
}

/// What is listed when a question names no state.
const WITHOUT_A_NAMED_STATE: [&str; 3] = [state::OPEN, state::OUT_OF_DATE, state::NEEDS_PERSON];

/// What comes first: the most severe, then what concerns most people, then what was known first.
pub(crate) fn weight(taste: &Taste, row: &Row, body: &Body) -> impl Ord + use<> {
    let people = body.proposal.evidence().total;
    (taste.rank(&row.check_id, body.proposal.severity), Reverse(people), row.number)
}

/// In the order in which they are listed.
pub(super) async fn as_listed(app: &App, rows: Vec<Row>) -> anyhow::Result<Vec<Row>> {
    if rows.len() < 2 {
        return Ok(rows);
    }
    let taste = Taste::of(app).await?;
    let read = |row: Row| Body::of(&row).map(|body| (row, body));
    let mut all = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|(row, body)| weight(&taste, row, body));
    let all = one_of_each(all, FIRST, |(row, _)| Some(row.check_id.clone()));
    Ok(all.into_iter().map(|(row, _)| row).collect())
}

/// The first few each of another fault, as `fault` tells it, and then all others: several repairs of one fault are one thing
/// to look at. What has none told stands where it stood.
pub(crate) fn one_of_each<T>(all: Vec<T>, few: usize, fault: impl Fn(&T) -> Option<String>) -> Vec<T> {
    let (mut known, mut left) = (BTreeSet::new(), few);
    let (mut first, others): (Vec<T>, Vec<T>) = all.into_iter().partition(|one| {
        let is_new = left > 0 && fault(one).is_none_or(|fault| known.insert(fault));
        left -= usize::from(is_new);
        is_new
    });
    first.extend(others);
    first
}

/// Whether a suggestion has to do with what the question names; a question that names nothing wants them all.
fn concerns(asked: Asked<'_>, row: &Row, body: &Body) -> bool {
    if let Some(theme) = Theme::named(asked.text) {
        return Theme::of(&row.check_id) == theme;
    }
    let names = [SlotName::App, SlotName::Group, SlotName::Policy, SlotName::ClientApp];
    let named: Vec<String> = names
        .iter()
        .filter_map(|name| asked.routed.slots.get(name))
        .flatten()
        .map(|name| name.to_lowercase())
        .collect();
    if named.is_empty() {
        return true;
    }
    let topic = check(&named.join(" ")).is_some_and(|check| body.proposal.checks.iter().any(|found| found == check));
    topic || named.iter().any(|name| mentions(body, &row.title, name))
}

fn mentions(body: &Body, title: &str, name: &str) -> bool {
    let rows = body.proposal.facts.iter().flat_map(|fact| &fact.evidence.rows);
    let mut names: Vec<&str> = rows
        .filter_map(|row| match row {
            EvidenceRow::Policy { name, .. } | EvidenceRow::Object { name, .. } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    names.push(title);
    if let CureAction::HandOver(change) = &body.proposal.action {
        names.push(&change.target_name);
    }
    names.iter().any(|known| known.to_lowercase().contains(name))
}

fn listed(asked: Asked<'_>, rows: Vec<(Row, Body)>, states: &[&str], silenced: Vec<Fact>) -> Answer {
    let named = if states.first() == Some(&state::OPEN) { "open".to_owned() } else { any_of(states) };
    let count = said("suggestions.count").with("count", rows.len()).with("states", Term::Word(named));
    let severe = rows.iter().filter(|(_, body)| body.proposal.severity >= Severity::High).count();
    let whole = rows.len() <= FEW || Theme::named(asked.text).is_some() || wants_all(asked.text);
    let shown = if whole { LISTED } else { FIRST };
    let rows = if whole { rows } else { one_of_each(rows, FIRST, |(row, _)| Some(row.check_id.clone())) };
    let count = count.with("each", u64::from(!whole));
    let items = rows.iter().take(shown).map(|(row, body)| {
        let number = format!("S-{}", row.number);
        let buttons = vec![open("Open", &number), ask("Why?", format!("why {number}?"))];
        (line(row, body), buttons)
    });
    let answer = Answer::sentences(vec![count.with("severe", severe)]);
    let answer = answer.part(Part::List { ordered: true, items: items.collect() });
    let rest = rows.get(shown..).unwrap_or_default();
    let answer = if rest.is_empty() { answer } else { by_theme(answer, rest) };
    let answer = if silenced.is_empty() {
        answer
    } else {
        answer.part(Part::Heading("Not suggested".into())).part(Part::List {
            ordered: false,
            items: silenced
                .into_iter()
                .map(|fact| (fact, vec![ask("Instructions", "show the standing instructions")]))
                .collect(),
        })
    };
    answer
        .part(Part::Limits(vec![asked.read_at()]))
        .actions((!whole).then(|| ask("All of them", "show all open suggestions")))
        .sheet(sheet(&rows))
        .action(ask("What waits?", "what waits for approval?"))
        .action(ask("Snoozed", "which suggestions are snoozed?"))
        .action(ask("Dismissed", "which suggestions are dismissed?"))
}

/// Whether the question asks for the whole list.
fn wants_all(text: &str) -> bool {
    let text = text.to_lowercase();
    ["all open", "all of them", "every", "full list", "whole list"].iter().any(|words| text.contains(words))
}

/// What isn't shown, by theme: how many, how many of them severe, and the first one's title.
fn by_theme(answer: Answer, rest: &[(Row, Body)]) -> Answer {
    let of = |theme: &'static Theme| {
        let found: Vec<&(Row, Body)> = rest.iter().filter(|(row, _)| Theme::of(&row.check_id) == theme).collect();
        let (row, _) = found.first()?;
        let fact = said("suggestions.theme")
            .with("theme", Term::Word(capital(theme.name)))
            .with("count", found.len())
            .with("severe", found.iter().filter(|(_, body)| body.proposal.severity >= Severity::High).count())
            .with("first", Term::Name(row.title.clone()));
        Some((found.len(), fact, vec![ask("Show", theme.question())]))
    };
    let mut themes: Vec<_> = THEMES.iter().filter_map(of).collect();
    themes.sort_by_key(|(count, ..)| Reverse(*count));
    let items = themes.into_iter().map(|(_, fact, buttons)| (fact, buttons)).collect();
    answer.part(Part::Heading(format!("{} more, by theme", rest.len()))).part(Part::List { ordered: false, items })
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// All of them, to take away.
fn sheet(rows: &[(Row, Body)]) -> Sheet {
    sheet_of(rows.iter().map(|(row, body)| (row, body)))
}

/// Suggestions as a list to take away.
pub(crate) fn sheet_of<'a>(rows: impl Iterator<Item = (&'a Row, &'a Body)>) -> Sheet {
    let line = |(row, body): (&'a Row, &'a Body)| {
        let (severity, theme) = (severity_word(body.proposal.severity), Theme::of(&row.check_id).name);
        let texts = [severity, theme, row.check_id.as_str(), row.state.as_str()].map(str::to_owned);
        [format!("S-{}", row.number), row.title.clone()].into_iter().chain(texts).collect()
    };
    Sheet::new("suggestions", &["Number", "Suggestion", "Severity", "Theme", "Check", "State"], rows.map(line))
}

/// Number, title, severity and state, resting on what the title speaks of.
fn line(row: &Row, body: &Body) -> Fact {
    let evidence = body.proposal.evidence();
    let until = row.until.map_or_else(|| Term::Word(String::new()), Term::Time);
    Fact::new("suggestions.one", evidence)
        .with("number", Term::Word(format!("S-{}", row.number)))
        .with("title", Term::Name(row.title.clone()))
        .with("severity", Term::Word(severity_word(body.proposal.severity).to_owned()))
        .with("checks", Some(body.proposal.settles().0.len()).filter(|settled| *settled > 1).unwrap_or_default())
        .with("state", Term::Word(if row.state == state::OPEN { String::new() } else { row.state.clone() }))
        .with("until", until)
        .with("reason", Term::Name(row.reason.clone().unwrap_or_default()))
}

/// How people say a severity.
pub(super) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// What isn't suggested because of a standing instruction, each with the entry that keeps the instruction.
async fn silenced(asked: Asked<'_>) -> anyhow::Result<Vec<Fact>> {
    let instructions = reconcile::instructions(asked.app, asked.now).await?;
    let known = asked.app.store.suggestions(asked.app.tenant()).await?;
    let mut facts = Vec::new();
    for proposal in asked.analysis.proposals() {
        let live = known
            .iter()
            .any(|row| row.fingerprint == proposal.fingerprint && !state::OVER.contains(&row.state.as_str()));
        let Some(instruction) = silencer(&instructions, &proposal, asked.now) else { continue };
        if live {
            continue;
        }
        let number = format!("I-{}", instruction.number);
        let wanted = Wanted { subject: Some(number.clone()), limit: 5, ..Wanted::default() };
        let entries = asked.app.store.entries(asked.app.tenant(), &wanted).await?;
        facts.push(
            Fact::new("suggestions.silenced", Evidence::of(entries.iter().map(entry_row)))
                .with("title", Term::Name(proposal.title))
                .with("number", Term::Word(number))
                .must_show(),
        );
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::one_of_each;

    #[test]
    fn each_fault_is_named_once_before_any_is_named_twice() {
        let order = |all: &[&str], few| {
            let all = all.iter().map(|one| (*one).to_owned()).collect();
            let fault = |one: &String| one.chars().next().filter(|fault| *fault != '-').map(String::from);
            one_of_each(all, few, fault).join(" ")
        };
        assert_eq!(order(&["a1", "a2", "b1", "a3", "c1", "b2"], 3), "a1 b1 c1 a2 a3 b2");
        assert_eq!(
            order(&["a1", "-1", "a2", "b1", "c1"], 3),
            "a1 -1 b1 a2 c1",
            "what has no fault told keeps its place"
        );
    }
}
