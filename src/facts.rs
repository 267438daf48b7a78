//! A typed statement, its wording, and the very rows it rests on.
//!
//! Answers, explanations and cards exchange [`Fact`]s. A fact's words come from `templates/text/*.toml`, filled with its
//! typed terms by our code; nothing else may state anything. Its evidence names rows that can be opened again.

mod wording;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use wording::{Style, Wording, WordingError, any_of, clean, grouped, hidden, visible};

/// A statement with its terms and its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Which wording it has: a key of `templates/text/*.toml`, such as `coverage.not_required`.
    pub key: String,
    /// The values its wording names.
    pub terms: BTreeMap<String, Term>,
    /// What it rests on.
    pub evidence: Evidence,
    /// It may not be dropped from an answer (totals, limits, counter-evidence, "report-only").
    pub must_show: bool,
}

impl Fact {
    /// A fact with these words and this evidence; terms are added with [`Fact::with`].
    #[must_use]
    pub fn new(key: &str, evidence: Evidence) -> Self {
        Self { key: key.to_owned(), terms: BTreeMap::new(), evidence, must_show: false }
    }

    /// Adds a term.
    #[must_use]
    pub fn with(mut self, name: &str, term: impl Into<Term>) -> Self {
        self.terms.insert(name.to_owned(), term.into());
        self
    }

    /// Whether it is a cause that concerns no account of the tenant: true, but nobody is there to be told of.
    #[must_use]
    pub fn concerns_nobody(&self) -> bool {
        self.key.starts_with("cause.") && self.terms.get("who") == Some(&Term::Count(0))
    }

    /// Whether the other says the same but for its numbers.
    #[must_use]
    pub fn says_as(&self, other: &Self) -> bool {
        let uncounted = |fact: &Self| -> Vec<(String, Term)> {
            let terms = fact.terms.iter().filter(|(_, term)| !matches!(term, Term::Count(_)));
            terms.map(|(name, term)| (name.clone(), term.clone())).collect()
        };
        self.key == other.key && uncounted(self) == uncounted(other)
    }

    /// Marks the fact as one that may not be dropped.
    #[must_use]
    pub fn must_show(mut self) -> Self {
        self.must_show = true;
        self
    }
}

/// A typed value in a fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Term {
    /// A count.
    Count(u64),
    /// A share in percent.
    Percent(f64),
    /// A name from the tenant: untrusted, escaped by every renderer, replaced by a handle before a model sees it.
    Name(String),
    /// Several names from the tenant; the wording shows the first few and says how many more.
    Names(Vec<String>),
    /// A longer text that holds words of the tenant or of Graph: untrusted like a name, shown up to 1,000 characters.
    Text(String),
    /// Our own words, or a value of a closed list (never tenant text).
    Word(String),
    /// A moment, worded in the reader's time zone.
    Time(Timestamp),
    /// Days.
    Days(i64),
}

impl From<u64> for Term {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Term {
    fn from(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

impl From<Timestamp> for Term {
    fn from(at: Timestamp) -> Self {
        Self::Time(at)
    }
}

impl From<Vec<String>> for Term {
    fn from(names: Vec<String>) -> Self {
        Self::Names(names)
    }
}

/// What a fact rests on: rows that can be opened again, their exact number, and the reading they are from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The first rows, in the order in which they are told: [`Evidence::SHOWN`] of them unless more were asked for.
    pub rows: Vec<Row>,
    /// How many rows there are.
    pub total: u64,
    /// Content hash of the snapshot.
    pub snapshot: String,
    /// When the snapshot was read.
    pub read_at: Timestamp,
    /// Window of the log the rows are from.
    pub window: Option<(Timestamp, Timestamp)>,
    /// What was not checked, as people read it.
    pub not_checked: Vec<String>,
}

impl Evidence {
    /// How many rows are kept with a fact unless more are asked for.
    pub const SHOWN: usize = 50;

    /// Evidence of these rows, cut to [`Evidence::SHOWN`] with the exact total kept. The rest is only counted.
    #[must_use]
    pub fn of(rows: impl IntoIterator<Item = Row>) -> Self {
        Self::first(Self::SHOWN, rows)
    }

    /// The same with at most so many rows.
    #[must_use]
    pub fn first(most: usize, rows: impl IntoIterator<Item = Row>) -> Self {
        let mut all = rows.into_iter();
        let rows: Vec<Row> = all.by_ref().take(most).collect();
        let total = u64::try_from(rows.len() + all.count()).unwrap_or(u64::MAX);
        Self { rows, total, ..Self::default() }
    }

    /// Sets which reading the rows are from.
    #[must_use]
    pub fn read(mut self, snapshot: &str, at: Timestamp) -> Self {
        snapshot.clone_into(&mut self.snapshot);
        self.read_at = at;
        self
    }

    /// When the reading was made that the rows are from; none where they are the bot's own records.
    #[must_use]
    pub fn of_a_reading(&self) -> Option<Timestamp> {
        (self.read_at != Timestamp::default()).then_some(self.read_at)
    }

    /// Sets the window of the log.
    #[must_use]
    pub fn within(mut self, window: Option<(Timestamp, Timestamp)>) -> Self {
        self.window = window;
        self
    }
}

/// A row that a citation opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Row {
    /// A policy, with the version (content hash) it had.
    Policy {
        /// Object id.
        id: String,
        /// Its name; untrusted text.
        name: String,
        /// Short hash of its content.
        version: String,
        /// On, Off or Report-only.
        state: String,
    },
    /// A user, with the way it is in or out of something: user → group → group.
    User {
        /// Object id.
        id: String,
        /// Its name; untrusted text.
        name: String,
        /// User principal name; untrusted text.
        principal: String,
        /// Names of the groups or roles on the way, outermost last.
        path: Vec<String>,
    },
    /// A group, location, app, role or device.
    Object {
        /// What it is, such as `Group` or `Named location`.
        what: String,
        /// Object id.
        id: String,
        /// Its name; untrusted text.
        name: String,
        /// What matters about it here, such as `214 members`.
        note: String,
    },
    /// A sign-in of the log.
    SignIn {
        /// Id in the log.
        id: String,
        /// When.
        at: Timestamp,
        /// Who.
        user: String,
        /// To what.
        app: String,
        /// What came of it, such as `blocked (53000)`.
        result: String,
    },
    /// An audit record.
    Audit {
        /// Id in the log.
        id: String,
        /// When.
        at: Timestamp,
        /// Activity.
        activity: String,
        /// Who did it.
        by: String,
        /// To what.
        target: String,
    },
    /// An entry of Portcullis' own activity log.
    Entry {
        /// Its number in the log.
        seq: u64,
        /// When.
        at: Timestamp,
        /// What happened.
        action: String,
        /// Who did it.
        by: String,
    },
}
