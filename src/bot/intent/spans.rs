//! Recognises names, ids and values in a message.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::gazetteer;
use super::spelling::vocabulary;
use super::text::regex;

/// What a recognised part of the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Suggestion,
    Policy,
    Quoted,
    Upn,
    Account,
    Person,
    Guid,
    Code,
    Ip,
    Run,
    Clock,
    Place,
    App,
    Platform,
    ClientApp,
    Group,
    ExclusionGroup,
    Mention,
}

/// A recognised part of the text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) kind: Kind,
}

impl Span {
    /// The words themselves.
    pub(crate) fn text<'a>(&self, raw: &'a str) -> &'a str {
        raw.get(self.start..self.end).unwrap_or_default()
    }
}

/// Patterns in the order of precedence; a group named `v` marks the value, else the whole match is it.
static PATTERNS: LazyLock<Vec<(Kind, Regex)>> = LazyLock::new(|| {
    let words = |list: &str| format!(r"(?i)\b(?:{list})\b");
    vec![
        (Kind::Mention, regex(r"<at>[^<]*</at>|<@\w+>")),
        (Kind::Upn, regex(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
        (Kind::Mention, regex(r"\B@[\w.-]+\w")),
        (
            Kind::Quoted,
            regex(
                r#"(?:^|[\s(:=,])(?P<v>'[^'\n]{2,60}'|"[^"\n]{2,60}"|\x{2018}[^\x{2019}\n]{2,60}\x{2019}|\x{201c}[^\x{201d}\n]{2,60}\x{201d})(?:$|[\s).,;:?!])"#,
            ),
        ),
        (Kind::Guid, regex(r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")),
        (Kind::Run, regex(r"\b20\d\d-\d\d-\d\d-\d\d?\b")),
        (Kind::Suggestion, regex(r"\b[Ss]-?\d{1,4}\b")),
        (Kind::Code, regex(r"(?i)\baadsts ?\d{4,7}\b|\b(?:5[0-3]\d{3}|530\d{3}|7000\d{2,3}|900\d{2,3})\b")),
        (
            Kind::Ip,
            regex(r"(?i)\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?|\b(?:[0-9a-f]{1,4}:){2,7}[0-9a-f]{0,4}(?:/\d{1,3})?"),
        ),
        (Kind::ExclusionGroup, regex(r"\b[A-Za-z]{2,5}-(?:CA-)?(?i:excl|exclude|exempt|except|bypass)\w*(?:-[\w-]+)?")),
        (Kind::Policy, regex(r"\b(?:CA|ca|Ca)-?\d{2,4}\b")),
        (Kind::Group, regex(r"\b\w+[-_.]\*(?: accounts?| users?)?|\b(?:GRP|grp|SG|sg)[-_][\w-]+\w")),
        (
            Kind::Account,
            regex(
                r"\b(?:svc|SVC|srv|ext|adm|ADM|rpa|bot|sp|app|sa|bg|usr|robot|(?i:break-?glass))[-_][a-z0-9][\w.-]*\w|(?i)\b[a-z]{2,}\.[a-z]{3,}\b|\b[a-z]\.[a-z]{3,}\b|\b[a-z]{3,}\.[a-z]\b|\b[\w]+-adm\b",
            ),
        ),
        (
            Kind::Clock,
            regex(r"(?i)\b(?:[01]?\d|2[0-3])[:.h][0-5]\d(?: ?[ap]m)?\b|\b\d{1,2} ?[ap]m\b|\b\d{1,2} o'?clock\b"),
        ),
        (Kind::ClientApp, regex(r"(?i)\b(?:Exchange ActiveSync|SMTP basic auth)\b")),
        (Kind::App, regex(&words(gazetteer::APPS))),
        (
            Kind::Place,
            regex(&format!(
                r"(?i)(?:^|[^\w-])(?P<v>(?:{})\b(?: (?:office|site|branch|plant|subsidiary)\b)?)",
                gazetteer::PLACES
            )),
        ),
        (Kind::Group, regex(&words(gazetteer::GROUPS))),
        (Kind::Platform, regex(&words(gazetteer::PLATFORMS))),
        (Kind::ClientApp, regex(&words(gazetteer::CLIENTS))),
    ]
});

/// All recognised parts, in the order of the text; where two overlap, the earlier pattern wins. `people` are the parts
/// that are known to name one of the tenant's people.
pub(crate) fn find(raw: &str, people: &[Range<usize>]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (kind, pattern) in PATTERNS.iter() {
        for found in pattern.captures_iter(raw) {
            let Some(value) = found.name("v").or_else(|| found.get(0)) else { continue };
            let span = Span { start: value.start(), end: value.end(), kind: *kind };
            if spans.iter().all(|other| span.end <= other.start || other.end <= span.start) {
                spans.push(span);
            }
        }
    }
    known(raw, people, &mut spans);
    persons(raw, &mut spans);
    spans.sort_by_key(|span| span.start);
    spans
}

/// Adds the people whom the tenant knows; a town or a device within a name is part of it.
fn known(raw: &str, people: &[Range<usize>], spans: &mut Vec<Span>) {
    for name in people.iter().filter(|name| raw.get((*name).clone()).is_some()) {
        let within = |span: &Span| {
            let word = matches!(span.kind, Kind::Place | Kind::App | Kind::Group | Kind::Platform | Kind::ClientApp);
            word && name.start <= span.start && span.end <= name.end && span.end - span.start < name.len()
        };
        if spans.iter().all(|span| within(span) || span.end <= name.start || name.end <= span.start) {
            spans.retain(|span| !within(span));
            spans.push(Span { start: name.start, end: name.end, kind: Kind::Person });
        }
    }
}

/// Adds the names of persons in what is left: given names, titles, and capitalised words that are not common words.
fn persons(raw: &str, spans: &mut Vec<Span>) {
    static WORD: LazyLock<Regex> = LazyLock::new(|| {
        let (given, titles) = (gazetteer::GIVEN_NAMES, gazetteer::TITLES);
        regex(&format!(
            r"\b(?:(?i:{given}|{titles})\b|[A-Z\x{{c0}}-\x{{de}}][a-z\x{{df}}-\x{{ff}}]+(?:[-'\x{{2019}}][A-Z][a-z]+)*\b)"
        ))
    });
    let free =
        |start: usize, end: usize, spans: &[Span]| spans.iter().all(|span| end <= span.start || span.end <= start);
    let certain = spans.len();
    let mut last: Option<Span> = None;
    for word in WORD.find_iter(raw) {
        if !free(word.start(), word.end(), spans) || is_common(word.as_str()) {
            continue;
        }
        let joined = last.filter(|last| {
            raw.get(last.end..word.start()) == Some(" ") && word.as_str().starts_with(char::is_uppercase)
        });
        let span = Span { start: joined.map_or(word.start(), |last| last.start), end: word.end(), kind: Kind::Person };
        if let Some(last) = last.replace(span).filter(|_| joined.is_none()) {
            spans.push(last);
        }
    }
    spans.extend(last);
    for span in spans.iter_mut().skip(certain).filter(|span| !is_given(span.text(raw))) {
        let before = raw.get(..span.start).unwrap_or_default();
        if IN.iter().any(|lead| before.ends_with(lead)) {
            span.kind = Kind::Place;
        } else if OPENS.is_match(before) {
            span.kind = Kind::App;
        }
    }
}

/// Before a capitalised word that is no given name, these make it a town: "in Minsk".
const IN: [&str; 2] = [" in ", " near "];

/// And these an app: "opens Timeclock".
static OPENS: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)\b(?:open(?:s|ing)?|us(?:e|es|ing)|(?:sign|log)(?:s|g?ing)? ?in ?to) $"));

fn is_given(word: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> =
        LazyLock::new(|| gazetteer::GIVEN_NAMES.split('|').chain(gazetteer::TITLES.split('|')).collect());
    let small = word.split(['-', ' ']).next().unwrap_or(word).to_lowercase();
    NAMES.contains(small.as_str()) || NAMES.contains(small.to_uppercase().as_str())
}

/// Whether a word is written small somewhere in the examples and is no given name, so that a capital means nothing.
fn is_common(word: &str) -> bool {
    static NOT_NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| gazetteer::NOT_NAMES.split('|').collect());
    let small = word.split('-').next().unwrap_or(word).to_lowercase();
    !is_given(&small) && (NOT_NAMES.contains(small.as_str()) || vocabulary().contains_key(&small))
}
