//! Fills the words of a fact: templates from `templates/text/*.toml`, typed terms from the fact.

use std::collections::BTreeMap;

use handlebars::{Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason};
use include_dir::{Dir, File, include_dir};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fact, Term};

static TEXT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/text");

/// How a fact is worded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// A few words, for a line of a list or a card.
    Short,
    /// A sentence.
    #[default]
    Full,
    /// A sentence for someone new to the field.
    Plain,
}

/// All wordings, compiled.
#[derive(Debug)]
pub struct Wording {
    templates: Handlebars<'static>,
    zone: TimeZone,
}

/// A wording that is missing or malformed; a fault of the program, found by its tests.
#[derive(Debug, thiserror::Error)]
pub enum WordingError {
    /// A file of `templates/text` can't be read.
    #[error("templates/text/{file}: {cause}")]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        cause: String,
    },
    /// A fact can't be worded.
    #[error("no words for `{key}`: {cause}")]
    Words {
        /// The fact's key.
        key: String,
        /// What is wrong.
        cause: String,
    },
}

/// One entry of a file: `full` is needed, the others fall back to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    full: String,
    short: Option<String>,
    plain: Option<String>,
}

impl Wording {
    /// Compiles the embedded wordings for readers in `zone`.
    ///
    /// # Errors
    /// When a file isn't TOML of the form `[key] full = "…" short = "…" plain = "…"`, or a template doesn't compile.
    pub fn new(zone: TimeZone) -> Result<Self, WordingError> {
        let mut templates = Handlebars::new();
        templates.set_strict_mode(true);
        templates.register_escape_fn(handlebars::no_escape);
        templates.register_helper("n", Box::new(count));
        templates.register_helper("list", Box::new(list));
        templates.register_helper("counts", Box::new(counts));
        let mut wording = Self { templates, zone };
        for file in files(&TEXT) {
            let name = file.path().display().to_string();
            wording
                .add(file.contents_utf8().unwrap_or_default())
                .map_err(|cause| WordingError::File { file: name, cause })?;
        }
        Ok(wording)
    }

    fn add(&mut self, file: &str) -> Result<(), String> {
        let areas: BTreeMap<String, BTreeMap<String, Entry>> =
            toml::from_str(file).map_err(|error| error.to_string())?;
        for (area, entries) in areas {
            for (name, entry) in entries {
                let key = format!("{area}.{name}");
                let texts = [
                    ("short", entry.short.as_ref().unwrap_or(&entry.full)),
                    ("full", &entry.full),
                    ("plain", entry.plain.as_ref().unwrap_or(&entry.full)),
                ];
                for (style, text) in texts {
                    self.templates
                        .register_template_string(&format!("{key}#{style}"), text.trim())
                        .map_err(|error| error.to_string())?;
                }
            }
        }
        Ok(())
    }

    /// The words of a fact, as plain text: every renderer must still escape them.
    ///
    /// # Errors
    /// When the key has no wording or the wording names a term that the fact lacks.
    pub fn of(&self, fact: &Fact, style: Style) -> Result<String, WordingError> {
        self.say(&fact.key, &fact.terms, style)
    }

    /// The words of a key with these terms; for the fixed sentences of cards and refusals.
    ///
    /// # Errors
    /// As [`Wording::of`].
    pub fn say(&self, key: &str, terms: &BTreeMap<String, Term>, style: Style) -> Result<String, WordingError> {
        let style = match style {
            Style::Short => "short",
            Style::Full => "full",
            Style::Plain => "plain",
        };
        let mut data: BTreeMap<String, Value> =
            terms.iter().map(|(name, term)| (name.clone(), self.value(term))).collect();
        data.extend(terms.iter().filter_map(|(name, term)| Some((format!("{name}_day"), json!(self.day(term)?)))));
        self.templates
            .render(&format!("{key}#{style}"), &data)
            .map_err(|error| WordingError::Words { key: key.to_owned(), cause: error.to_string() })
    }

    /// A moment as a day with its year, where that isn't obvious: `{{until_day}}` for the term `until`.
    fn day(&self, term: &Term) -> Option<String> {
        let Term::Time(at) = term else { return None };
        Some(at.to_zoned(self.zone.clone()).strftime("%a %-d %b %Y").to_string())
    }

    fn value(&self, term: &Term) -> Value {
        match term {
            Term::Count(count) => json!(count),
            Term::Percent(share) => json!(format!("{share:.1} %")),
            Term::Name(name) => json!(clean(name)),
            Term::Names(names) => json!(names.iter().map(|name| clean(name)).collect::<Vec<_>>()),
            Term::Text(text) => json!(clipped(text, 1_000)),
            Term::Word(word) => json!(word),
            Term::Time(at) => json!(at.to_zoned(self.zone.clone()).strftime("%a %-d %b %H:%M").to_string()),
            Term::Days(days) => json!(days),
        }
    }
}

/// All files below a folder.
fn files<'a>(folder: &'a Dir<'a>) -> Vec<&'a File<'a>> {
    folder.files().chain(folder.dirs().flat_map(files)).collect()
}

/// Tenant text for display: without control, bidirectional and zero-width characters, at most 120 characters.
#[must_use]
pub fn clean(text: &str) -> String {
    clipped(text, 120)
}

/// The same, however long: what breaks a line is a space.
#[must_use]
pub fn visible(text: &str) -> String {
    text.lines()
        .flat_map(|line| [line, " "])
        .flat_map(str::chars)
        .filter(|c| !hidden(*c))
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// The same, at most `most` characters.
fn clipped(text: &str, most: usize) -> String {
    let mut kept: String = visible(text).chars().take(most + 1).collect();
    if kept.chars().count() > most {
        kept = kept.chars().take(most - 1).chain(['…']).collect();
    }
    kept
}

/// A character that nobody sees or that reorders what others see: control, bidirectional, zero-width, tag.
#[must_use]
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
        || matches!(c, '\u{E0000}'..='\u{E007F}')
}

/// `{{n count "person" "people"}}` → `1 person`, `21,180 people`; without nouns the number alone.
fn count(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let number = helper
        .param(0)
        .and_then(|param| param.value().as_i64())
        .ok_or(RenderErrorReason::ParamNotFoundForIndex("n", 0))?;
    out.write(&grouped(number))?;
    let noun = helper.param(if number == 1 { 1 } else { 2 }).or_else(|| helper.param(1));
    if let Some(noun) = noun.and_then(|param| param.value().as_str()) {
        out.write(" ")?;
        out.write(noun)?;
    }
    Ok(())
}

/// `{{counts people "person" "people" guests "guest" "guests"}}` → `3 people and 1 guest`: what there is none of isn't
/// named; where there is nothing at all, the first is, with its zero.
fn counts(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let params: Vec<&Value> = helper.params().iter().map(handlebars::PathAndJson::value).collect();
    let mut said = Vec::new();
    for (place, count) in params.chunks(3).enumerate() {
        let [number, one, many] = count else {
            return Err(RenderErrorReason::ParamNotFoundForIndex("counts", 2).into());
        };
        let number = number.as_i64().ok_or(RenderErrorReason::ParamNotFoundForIndex("counts", 0))?;
        let noun = if number == 1 { one } else { many };
        said.push((number > 0, place, format!("{} {}", grouped(number), noun.as_str().unwrap_or_default())));
    }
    let any = said.iter().any(|(some, ..)| *some);
    let said: Vec<String> =
        said.into_iter().filter(|(some, place, _)| *some || !any && *place == 0).map(|(.., words)| words).collect();
    out.write(&joined(&said))?;
    Ok(())
}

/// `A`, `A and B`, `A, B and C`.
fn joined(words: &[String]) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// `A`, `A or B`, `A, B or C`.
#[must_use]
pub fn any_of<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// `{{list names 3}}` → `A, B, C and 4 more`.
fn list(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let names = helper
        .param(0)
        .and_then(|param| param.value().as_array())
        .ok_or(RenderErrorReason::ParamNotFoundForIndex("list", 0))?;
    let most = helper.param(1).and_then(|param| param.value().as_u64()).and_then(|n| usize::try_from(n).ok());
    let shown: Vec<&str> = names.iter().filter_map(Value::as_str).take(most.unwrap_or(3)).collect();
    let rest = names.len() - shown.len();
    match (shown.split_last(), rest) {
        (None, _) => out.write("none")?,
        (Some((last, [])), 0) => out.write(last)?,
        (Some((last, others)), 0) => out.write(&format!("{} and {last}", others.join(", ")))?,
        (Some(_), more) => out.write(&format!("{} and {} more", shown.join(", "), grouped_usize(more)))?,
    }
    Ok(())
}

fn grouped_usize(number: usize) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A number with its thousands set apart: `21,180`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_wording_compiles() {
        Wording::new(TimeZone::UTC).unwrap();
    }

    /// Words of the house that an administrator reads as something else, or not at all, each with what is said instead.
    const OURS: [(&str, &str); 16] = [
        ("press", "click"),
        ("presses", "clicks"),
        ("pressed", "clicked"),
        ("cure", "repair"),
        ("cured", "resolved"),
        ("stale", "out of date"),
        ("shadowed", "redundant"),
        ("contradictory", "block wins"),
        ("twin", "report-only copy"),
        ("requirement", "control"),
        ("region", "gap"),
        ("snapshot", "last read"),
        ("replay", "past sign-ins"),
        ("drift", "changed since"),
        ("lockout", "admin lock-out check"),
        ("promote", "turn On"),
    ];

    #[test]
    fn what_people_read_is_said_in_their_words() {
        let terms = regex::Regex::new(r"\{\{.*?\}\}").unwrap();
        let mut found = Vec::new();
        for file in files(&TEXT) {
            let areas: toml::Table = toml::from_str(file.contents_utf8().unwrap()).unwrap();
            for (area, entries) in areas {
                for (name, entry) in entries.as_table().unwrap() {
                    let text = entry.as_table().unwrap().values().filter_map(|text| text.as_str());
                    let text = terms.replace_all(&text.collect::<Vec<_>>().join(" "), " ").to_lowercase();
                    let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic() && c != '-').collect();
                    let ours = OURS.iter().filter(|(ours, _)| words.contains(ours));
                    found.extend(ours.map(|(ours, theirs)| format!("{area}.{name}: {ours:?}, say {theirs:?}")));
                }
            }
        }
        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn numbers_and_lists_read_as_people_write_them() {
        let mut wording = Wording::new(TimeZone::UTC).unwrap();
        wording.add("[test]\nx = { full = '{{n people \"person\" \"people\"}}: {{list names 2}}' }").unwrap();
        let terms = BTreeMap::from([
            ("people".to_owned(), Term::Count(21_180)),
            ("names".to_owned(), Term::from(vec!["Ann".to_owned(), "Bo\u{202E}b".to_owned(), "Cy".to_owned()])),
        ]);
        insta::assert_snapshot!(wording.say("test.x", &terms, Style::Full).unwrap(), @"21,180 people: Ann, Bob and 1 more");
    }

    #[test]
    fn what_there_is_none_of_is_not_counted() {
        let mut wording = Wording::new(TimeZone::UTC).unwrap();
        wording
            .add("[test]\nx = { full = '{{counts a \"apple\" \"apples\" b \"pear\" \"pears\" c \"fig\" \"figs\"}}' }")
            .unwrap();
        let say = |counts: [u64; 3]| {
            let terms =
                ["a", "b", "c"].into_iter().zip(counts).map(|(name, count)| (name.to_owned(), Term::Count(count)));
            wording.say("test.x", &terms.collect(), Style::Full).unwrap()
        };
        assert_eq!(say([2, 0, 1]), "2 apples and 1 fig");
        assert_eq!(say([1, 1_000, 3]), "1 apple, 1,000 pears and 3 figs");
        assert_eq!(say([0, 1, 0]), "1 pear");
        assert_eq!(say([0, 0, 0]), "0 apples");
    }

    #[test]
    fn a_moment_has_its_year_where_that_is_asked_for() {
        let mut wording = Wording::new(TimeZone::UTC).unwrap();
        wording.add("[test]\nx = { full = '{{at}} / {{at_day}}' }").unwrap();
        let terms = BTreeMap::from([("at".to_owned(), Term::Time("2027-03-01T08:30:00Z".parse().unwrap()))]);
        insta::assert_snapshot!(wording.say("test.x", &terms, Style::Full).unwrap(), @"Mon 1 Mar 08:30 / Mon 1 Mar 2027");
    }

    #[test]
    fn a_term_that_the_fact_lacks_is_an_error() {
        let mut wording = Wording::new(TimeZone::UTC).unwrap();
        wording.add("[test]\nx = { full = '{{missing}}' }").unwrap();
        assert!(wording.say("test.x", &BTreeMap::new(), Style::Full).is_err());
    }
}
