//! A message made comparable: mentions and quoted lines dropped, names and ids replaced, lower case, no accents.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder, bytes};

use super::spans::{self, Kind, Span};
use super::spelling;

/// A message and what was recognised in it.
#[derive(Debug, Clone)]
pub(crate) struct Message<'a> {
    raw: &'a str,
    spans: Vec<Span>,
    plain: String,
}

impl<'a> Message<'a> {
    /// Recognises names and ids and normalises the rest.
    pub(crate) fn read(raw: &'a str) -> Self {
        Self::among(raw, &[])
    }

    /// The same, where it is known which parts name one of the tenant's people.
    pub(crate) fn among(raw: &'a str, people: &[Range<usize>]) -> Self {
        let spans = spans::find(raw, people);
        let plain = plain(raw, &spans, false);
        Self { raw, spans, plain }
    }

    /// The text as it came.
    pub(crate) fn raw(&self) -> &'a str {
        self.raw
    }

    /// Recognised parts, in the order of the text, not overlapping.
    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The normalised text.
    pub(crate) fn plain(&self) -> &str {
        &self.plain
    }

    /// The normalised text with the quoted lines: what is refused is refused in a quotation too.
    pub(crate) fn whole(&self) -> String {
        plain(self.raw, &self.spans, true)
    }

    /// The words of the normalised text; `?` and `!` count as words.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        words(&self.plain)
    }

    /// Whether it begins like the next part of a talk: "and ...", "what about ...".
    pub(crate) fn opens_as_follow_up(&self) -> bool {
        static OPENING: LazyLock<bytes::Regex> = LazyLock::new(|| {
            plain_regex(
                r"^(?:and|then|so|or|but|also|same|ok|okay|yes|no|now|what about|how about|only|just|which of (?:them|those|these))\b",
            )
        });
        OPENING.is_match(self.plain.as_bytes())
    }

    /// Whether it speaks of something named before: "it", "the second one". A time ("last month", "this week") is named now,
    /// and so is what there is ("are there any").
    pub(crate) fn refers_back(&self) -> bool {
        static TIME: LazyLock<bytes::Regex> = LazyLock::new(|| {
            plain_regex(
                r"\b(?:last|next|past|this|these|first|other) (?:_num )?(?:days?|hours?|minutes?|weeks?|months?|quarters?|years?|night|morning|evening|afternoon|weekend|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b|\b(?:is|are|was|were) there\b|\bthere (?:is|are|was|were)\b",
            )
        });
        static REFERENCE: LazyLock<bytes::Regex> = LazyLock::new(|| {
            plain_regex(
                r"\b(?:it|its|that|those|these|them|they|he|she|him|her|his|this|(?:first|second|third|last|other|next|both|all)(?: (?:one|ones|two|three))?|one|ones|there)\b",
            )
        });
        REFERENCE.is_match(&TIME.replace_all(self.plain.as_bytes(), b" ".as_slice()))
    }

    /// Whether it asks a question of its own, with a subject: "who was blocked last Friday".
    pub(crate) fn is_whole_question(&self) -> bool {
        static OPENING: LazyLock<bytes::Regex> = LazyLock::new(|| {
            plain_regex(
                r"^(?:who|how many|list|which (?:polic\w+|people|users?|apps?|admins?|guests?|accounts?|groups?|suggestions?))\b",
            )
        });
        self.words().count() > 4 && OPENING.is_match(self.plain.as_bytes())
    }

    /// Whether it is a piece of a program and no sentence.
    pub(crate) fn is_code(&self) -> bool {
        static CODE: LazyLock<bytes::Regex> = LazyLock::new(|| {
            plain_regex(
                r"\b(?:drop|alter|truncate) table\b|\bunion select\b|\binsert into \w+ values\b|<script\b|\bselect \* from\b",
            )
        });
        CODE.is_match(self.plain.as_bytes())
    }
}

/// Words, question and exclamation marks of normalised text.
pub(crate) fn words(plain: &str) -> impl Iterator<Item = &str> {
    static WORD: LazyLock<Regex> = LazyLock::new(|| regex(r"[\w']+|[?!]"));
    WORD.find_iter(plain).map(|word| word.as_str())
}

/// What a pattern may keep of the texts that it has read, in bytes. There are some hundred patterns, and without a bound
/// each grows with every message.
pub(crate) const KEPT: usize = 16 << 10;

/// A letter, a digit or `_`: of other scripts than ours whole ranges, since an automaton that knows each letter of them is
/// twenty times as large.
const WORD: &str = r"[0-9A-Za-z_\x{C0}-\x{1FFF}\x{2C00}-\x{2DFF}\x{3005}-\x{D7FF}\x{F900}-\x{FDFF}]";

/// Compiles a constant pattern for text as it was written.
#[expect(clippy::expect_used, reason = "the patterns are constants, and each is compiled by a unit test")]
pub(crate) fn regex(pattern: &str) -> Regex {
    let pattern = pattern.replace(r"\w", WORD).replace(r"\d", "[0-9]");
    RegexBuilder::new(&pattern).dfa_size_limit(KEPT).build().expect("a constant pattern compiles")
}

/// Compiles a constant pattern for normalised text. It looks at bytes: such text is nearly all ASCII, and an automaton that
/// knows the letters of all scripts is twenty times as large.
#[expect(clippy::expect_used, reason = "the patterns are constants, and each is compiled by a unit test")]
pub(crate) fn plain_regex(pattern: &str) -> bytes::Regex {
    bytes::RegexBuilder::new(pattern).unicode(false).dfa_size_limit(KEPT).build().expect("a constant pattern compiles")
}

/// Whether a line is a quotation from an earlier message.
fn is_quote(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn plain(raw: &str, spans: &[Span], quotes_too: bool) -> String {
    let quotes_too = quotes_too || raw.lines().all(|line| is_quote(line) || line.trim().is_empty());
    let mut out = String::with_capacity(raw.len());
    let mut at = 0;
    for line in raw.split_inclusive('\n') {
        let end = at + line.len();
        if quotes_too || !is_quote(line) {
            push_line(&mut out, raw, spans, (at, end));
        }
        at = end;
    }
    spelling::mend(&squeeze(&out))
}

/// Copies one line with each recognised part replaced by the word for its kind.
fn push_line(out: &mut String, raw: &str, spans: &[Span], (start, end): (usize, usize)) {
    let mut at = start;
    for span in spans.iter().filter(|span| span.start >= start && span.end <= end) {
        fold_into(out, raw.get(at..span.start).unwrap_or_default());
        match span.kind.placeholder() {
            Some(word) => out.push_str(word),
            None => fold_into(out, span.text(raw)),
        }
        at = span.end;
    }
    fold_into(out, raw.get(at..end).unwrap_or_default());
}

/// A text in lower case, without accents.
pub(crate) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(&mut out, text);
    out
}

/// Lower case without accents or typographic marks; emoji that answer become words.
fn fold_into(out: &mut String, text: &str) {
    for character in text.chars().flat_map(char::to_lowercase) {
        match character {
            '\u{2018}' | '\u{2019}' | '`' | '\u{b4}' => out.push('\''),
            '\u{2013}' | '\u{2014}' => out.push_str(" - "),
            '\u{1f44d}' | '\u{2705}' | '\u{2714}' | '\u{1f197}' | '\u{1f44c}' => out.push_str(" _yes "),
            '\u{1f44e}' | '\u{274c}' | '\u{1f6ab}' => out.push_str(" _no "),
            '\u{1f64f}' | '\u{1f44f}' | '\u{2764}' | '\u{1f389}' | '\u{1f64c}' => out.push_str(" _thanks "),
            '\u{e0}'..='\u{e5}' => out.push('a'),
            '\u{e7}' => out.push('c'),
            '\u{e8}'..='\u{eb}' => out.push('e'),
            '\u{ec}'..='\u{ef}' => out.push('i'),
            '\u{f1}' => out.push('n'),
            '\u{f2}'..='\u{f6}' | '\u{f8}' => out.push('o'),
            '\u{f9}'..='\u{fc}' => out.push('u'),
            '\u{df}' => out.push_str("ss"),
            other => out.push(other),
        }
    }
}

/// Single spaces, digits as `_num`.
fn squeeze(text: &str) -> String {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| regex(r"\b\d+(?:[.,]\d+)*\b"));
    let text = NUMBER.replace_all(text, "_num");
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace(" 's", "'s")
        .replace("report-only", "report_only")
        .replace("report only", "report_only")
}

impl Kind {
    /// The word that stands for this kind in normalised text; `None` keeps the words themselves.
    fn placeholder(self) -> Option<&'static str> {
        match self {
            Self::Suggestion => Some(" _sugg "),
            Self::Policy => Some(" _policy "),
            Self::Quoted => Some(" _quoted "),
            Self::Upn | Self::Account => Some(" _upn "),
            Self::Person => Some(" _person "),
            Self::Guid => Some(" _guid "),
            Self::Code => Some(" _code "),
            Self::Ip => Some(" _ip "),
            Self::Run => Some(" _run "),
            Self::Clock => Some(" _time "),
            Self::Place => Some(" _place "),
            Self::App => Some(" _app "),
            Self::Mention => Some(" "),
            Self::ExclusionGroup => Some(" _exgroup "),
            Self::Group | Self::Platform | Self::ClientApp => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        Message::read(text).plain().to_owned()
    }

    #[test]
    fn mentions_and_quoted_lines_say_nothing() {
        assert_eq!(plain("<at>CA Bot</at> <@U04K2QX> @anna show rules"), "show rules");
        assert_eq!(plain("> S-12: block device code flow\nwhy?"), "why?");
        assert_eq!(plain("> why?"), "> why?");
    }

    #[test]
    fn ids_become_words_and_accents_go() {
        assert_eq!(plain("S-12 vs CA019 in Malm\u{f6}"), "_sugg vs _policy in _place");
        assert_eq!(plain("\u{1f44d} don\u{2019}t"), "_yes don't");
    }
}
