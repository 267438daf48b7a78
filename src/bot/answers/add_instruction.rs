//! "Never suggest CHECK for OBJECT until DATE": echoes what was understood; a button keeps it.
//!
//! What can't be kept exactly isn't kept at all: the answer then says which form can be.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::bot::access::Right;
use crate::bot::answer::{Answer, Part, ask};
use crate::bot::buttons::press;
use crate::bot::lookup::{self, Found};
use crate::bot::settings::Understood;
use crate::bot::sheet::Sheet;
use crate::chat::card::{Kind, Verb};
use crate::checks;
use crate::facts::{Fact, Row, Term};
use crate::tenant::Snapshot;

use super::list_suggestions::severity_word;
use super::meant::{check, said};
use super::period::end;
use super::{Answering, Asked};

/// Words that forbid, and words for what is forbidden; both are needed.
const NEVER: &[&str] = &["never", "don't", "dont", "don’t", "do not", "stop", "no more", "not ever"];
const SUGGEST: &[&str] = &["suggest", "propos", "recommend", "mention", "nag", "report on", "raise"];
/// What ends the name of an object.
const ENDS: &[&str] =
    &[" until ", " till ", " before ", " again", " any more", " anymore", " ever", " please", " in future"];
/// Words around a name that aren't part of it.
const AROUND: &[&str] = &["the ", "our ", "group ", "app ", "policy "];
const BEHIND: &[&str] = &[" group", " app", " policy", " accounts", " account"];

/// What is wrong with a wish to be kept.
enum Unclear {
    /// It isn't of the form that can be kept.
    Form,
    /// Its end isn't a date.
    Until(String),
    /// Nothing is called this.
    Unknown(String),
    /// Several things are.
    Several(String, Vec<String>),
}

/// Echoes the instruction as it would be kept, or says why it can't be.
pub(super) fn answer(asked: Asked<'_>) -> Answering<'_> {
    Box::pin(async move {
        Ok(match understood(asked) {
            Ok((understood, object)) => echo(asked, &understood, object),
            Err(unclear) => cannot(asked, &unclear),
        })
    })
}

/// The instruction, and the object that it names as a row.
fn understood(asked: Asked<'_>) -> Result<(Understood, Option<Row>), Unclear> {
    let text = format!(" {} ", asked.text.to_lowercase().trim_end_matches(['.', '!']).trim_end());
    let forbidden = NEVER.iter().any(|word| text.contains(word)) && SUGGEST.iter().any(|word| text.contains(word));
    if !forbidden {
        return Err(Unclear::Form);
    }
    let until = until(&text, asked)?;
    let object = object(&text, asked.analysis.snapshot())?;
    // The name of an object may sound like a check: only what stands before it counts.
    let before =
        if object.is_some() { text.rsplit_once(" for ").map_or(text.as_str(), |(before, _)| before) } else { &text };
    let check = check(before).map(str::to_owned);
    if check.is_none() && object.is_none() {
        return Err(Unclear::Form);
    }
    let id = object.as_ref().map(|row| match row {
        Row::Policy { id, .. } | Row::Object { id, .. } | Row::User { id, .. } => id.clone(),
        _ => String::new(),
    });
    Ok((Understood { check, object: id, until: until.map(Timestamp::as_second) }, object))
}

fn until(text: &str, asked: Asked<'_>) -> Result<Option<Timestamp>, Unclear> {
    let after = [" until ", " till ", " before "].iter().find_map(|word| text.split_once(word)).map(|(_, after)| after);
    let Some(after) = after else { return Ok(None) };
    let end = end(after, asked.now, &asked.app.config.schedule.zone);
    end.map(Some).ok_or_else(|| Unclear::Until(after.trim().to_owned()))
}

/// What stands after "for" or "about": a group, an app, a policy or a person, by name or id.
fn object(text: &str, snapshot: &Snapshot) -> Result<Option<Row>, Unclear> {
    let Some((_, after)) = text.rsplit_once(" for ").or_else(|| text.rsplit_once(" about ")) else { return Ok(None) };
    let end = ENDS.iter().filter_map(|word| after.find(word)).min().unwrap_or(after.len());
    let name = after.get(..end).unwrap_or(after).trim().trim_matches(['"', '\'', '“', '”']);
    let bare = AROUND.iter().fold(name, |name, word| name.strip_prefix(word).unwrap_or(name));
    let bare = BEHIND.iter().fold(bare, |name, word| name.strip_suffix(word).unwrap_or(name));
    // "for now", "for good", and checks themselves ("for device code flow") are no objects.
    if bare.is_empty() || matches!(bare, "now" | "good" | "me" | "us") {
        return Ok(None);
    }
    match named(snapshot, name).or_else(|| named(snapshot, bare)) {
        Some(Found::One(row)) => Ok(Some(row)),
        Some(Found::Several(rows)) => Err(Unclear::Several(bare.to_owned(), rows.iter().map(row_name).collect())),
        _ if check(bare).is_some() => Ok(None),
        _ => Err(Unclear::Unknown(bare.to_owned())),
    }
}

/// The first kind of object that has the name.
fn named(snapshot: &Snapshot, name: &str) -> Option<Found<Row>> {
    let groups = found(lookup::group(snapshot, name), checks::rows::group);
    let policies = || found(lookup::policy(snapshot, name), checks::rows::policy);
    let apps = || {
        found(lookup::app(snapshot, name), |app| Row::Object {
            what: "App".into(),
            id: app.app_id.clone(),
            name: app.display_name.clone(),
            note: String::new(),
        })
    };
    let people = || {
        found(lookup::user(snapshot, name), |user| Row::User {
            id: user.id.to_string(),
            name: user.display_name.to_string(),
            principal: user.user_principal_name.to_string(),
            path: Vec::new(),
        })
    };
    groups.or_else(policies).or_else(apps).or_else(people)
}

fn found<'a, T>(found: Found<&'a T>, row: impl Fn(&'a T) -> Row) -> Option<Found<Row>> {
    match found {
        Found::None => None,
        Found::One(one) => Some(Found::One(row(one))),
        Found::Several(several) => Some(Found::Several(several.into_iter().map(row).collect())),
    }
}

fn row_name(row: &Row) -> String {
    match row {
        Row::Policy { name, .. } | Row::Object { name, .. } | Row::User { name, .. } => name.clone(),
        _ => String::new(),
    }
}

/// The instruction in words, with the button that keeps it.
fn echo(asked: Asked<'_>, understood: &Understood, object: Option<Row>) -> Answer {
    let name = object.as_ref().map(row_name).unwrap_or_default();
    let until = understood.until.and_then(|until| Timestamp::from_second(until).ok());
    let fact = Fact::new("instruct.echo", asked.analysis.evidence(object.clone()))
        .with("check", Term::Word(check_words(understood.check.as_deref())))
        .with("object", Term::Name(name))
        .with("until", day(asked, until))
        .must_show();
    let answer = Answer { kind: Kind::Question, ..Answer::default() };
    let mut sentences = vec![fact, said("instruct.effect")];
    sentences.extend(matches!(object, Some(Row::User { .. })).then(|| said("instruct.person")));
    let answer = answer.part(Part::Sentences(sentences));
    if asked.right != Right::Decide {
        return answer.part(Part::Warning(vec![said("instruct.no_right")]));
    }
    let subject = serde_json::to_string(understood).unwrap_or_default();
    // Which version it is, is when it was offered: what was removed since isn't kept again by it.
    answer.action(press("Keep it", Verb::KeepInstruction, &subject, asked.now.as_millisecond()))
}

/// A day with its year, since instructions run long; empty for none.
pub(super) fn day(asked: Asked<'_>, at: Option<Timestamp>) -> Term {
    let zone = &asked.app.config.schedule.zone;
    Term::Word(at.map_or_else(String::new, |at| at.to_zoned(zone.clone()).strftime("%-d %b %Y").to_string()))
}

fn cannot(asked: Asked<'_>, unclear: &Unclear) -> Answer {
    let fact = match unclear {
        Unclear::Form => said("instruct.form"),
        Unclear::Until(words) => said("instruct.until").with("words", Term::Name(words.clone())),
        Unclear::Unknown(name) => said("instruct.unknown").with("name", Term::Name(name.clone())),
        Unclear::Several(name, names) => {
            said("instruct.several").with("name", Term::Name(name.clone())).with("names", names.clone())
        }
    };
    let about = || checks::CHECKS.iter().map(|check| check.about());
    let whole = about().map(|about| Row::Object {
        what: "Check".into(),
        id: about.id.to_owned(),
        name: about.title.to_owned(),
        note: format!("{} severity", severity_word(about.severity)),
    });
    let list = Fact::new("instruct.checks", asked.analysis.evidence(whole)).with("count", about().count()).must_show();
    let lines = about().map(|about| [about.title, severity_word(about.severity), about.id].map(str::to_owned).to_vec());
    let offers = nearest(asked.text).into_iter().map(|title| ask(title, format!("never suggest {title}")));
    Answer::sentences(vec![fact, list])
        .actions(offers)
        .sheet(Sheet::new("checks", &["Check", "Severity", "Id"], lines))
        .action(ask("Present ones", "show the standing instructions"))
}

/// Titles of the checks whose words come nearest to those of a wish, the nearest first; none where no word is alike.
fn nearest(text: &str) -> Vec<&'static str> {
    let stems = |text: &str| -> BTreeSet<String> {
        let words = text.to_lowercase();
        let words = words.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 2);
        words.filter(|word| !COMMON.contains(word)).map(|word| word.chars().take(STEM).collect()).collect()
    };
    let wanted = stems(text);
    let alike = |about: &checks::About| stems(&format!("{} {}", about.title, about.id)).intersection(&wanted).count();
    let mut ranked: Vec<(usize, &'static str)> =
        checks::CHECKS.iter().map(|check| (alike(check.about()), check.about().title)).collect();
    ranked.sort_by_key(|(alike, _)| Reverse(*alike));
    ranked.into_iter().filter(|(alike, _)| *alike > 0).map(|(_, title)| title).take(OFFERED).collect()
}

/// How many checks are offered.
const OFFERED: usize = 3;
/// Letters by which two words count as alike: "registering", "registration".
const STEM: usize = 5;
/// Words of wishes and of titles that tell nothing apart.
const COMMON: &[&str] = &[
    "never",
    "suggest",
    "propose",
    "recommend",
    "mention",
    "stop",
    "please",
    "the",
    "for",
    "all",
    "and",
    "again",
    "users",
    "policy",
    "policies",
    "until",
    "any",
    "more",
    "about",
    "are",
    "with",
];

/// A check by its title, as it reads after "never suggest".
pub(super) fn check_words(check: Option<&str>) -> String {
    match check {
        None => "anything".to_owned(),
        Some(id) => checks::about(id).map_or_else(|| id.to_owned(), |about| format!("\"{}\"", about.title)),
    }
}

/// The name of what an instruction is limited to.
pub(super) fn object_name(snapshot: &Snapshot, id: &str) -> String {
    match named(snapshot, id) {
        Some(Found::One(row)) => row_name(&row),
        _ => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;
    use crate::bot::answers::testing::{nordwerk, said};
    use crate::bot::intent::Intent;

    #[tokio::test]
    async fn an_unknown_check_leads_to_the_nearest_three() {
        let words = said(&nordwerk(), Intent::AddInstruction, "never suggest frequency things").await;
        let count = crate::checks::CHECKS.len().to_string();
        insta::assert_snapshot!(words.replace(&count, "…"), @r#"
        I can't keep that yet. I can keep "never suggest CHECK [for OBJECT] [until DATE]", where OBJECT is a group, an app, a policy or a person. CHECK is one of …; the list is behind this number. [1]
        (Sign-in frequency on unmanaged devices) (Sign-in frequency for administrators) (Sign-in frequency for all users) (CSV (…)) (Present ones)
        [1] … checks · … rows
        "#);
    }

    #[test]
    fn words_that_tell_nothing_apart_are_near_to_nothing() {
        assert!(nearest("never suggest the policy for all users").is_empty());
        assert!(nearest("stop suggesting location things").iter().all(|title| title.to_lowercase().contains("locat")));
    }
}
