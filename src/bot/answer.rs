//! An answer before it is a card: facts in the order that explains best, with tables, pictures and buttons beside them.

use crate::chat::card::{Action, Bar, ChangeRow, Column, Kind};
use crate::facts::{Fact, Style};

use super::sheet::Sheet;

/// What an intent, a review or an approval wants to say.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What kind of card it becomes.
    pub kind: Kind,
    /// Heading; none for a plain answer.
    pub title: Option<String>,
    /// Under the heading.
    pub subtitle: Option<String>,
    /// What it says, top to bottom.
    pub parts: Vec<Part>,
    /// Buttons.
    pub actions: Vec<Action>,
    /// What the card shows and in which version (`S-34`, 2), so that every copy of it is brought up to date.
    pub subject: Option<(String, i64)>,
    /// How its paragraphs are worded.
    pub style: Style,
    /// Whole lists to download; each has its button among the actions.
    pub sheets: Vec<Sheet>,
}

/// The labelled line that explains: its statements are worded in full, those of the other lines in short.
pub const WHY: &str = "Why";

/// One part of an answer.
#[derive(Clone, Debug)]
pub enum Part {
    /// A heading inside the card.
    Heading(String),
    /// Sentences that belong together; a model may order those of the first such part.
    Sentences(Vec<Fact>),
    /// A list of facts in their short wording, each with its buttons.
    List {
        /// Numbered.
        ordered: bool,
        /// The items.
        items: Vec<(Fact, Vec<Action>)>,
    },
    /// Labelled facts in their short wording; in full beside [`WHY`].
    Rows(Vec<(String, Vec<Fact>)>),
    /// Sentences that ask for attention.
    Warning(Vec<Fact>),
    /// A table and the fact that it spells out.
    Table {
        /// Headings.
        columns: Vec<Column>,
        /// Cells: tenant text is allowed, every renderer escapes it.
        rows: Vec<Vec<String>>,
        /// Rows that exist but aren't shown.
        more: u64,
    },
    /// Shares as bars.
    Bars(Vec<Bar>),
    /// Before and after.
    Change(Vec<ChangeRow>),
    /// Text to copy: language and text.
    Code(String, String),
    /// Reading time and limits, small.
    Limits(Vec<Fact>),
}

impl Answer {
    /// An answer of sentences alone.
    #[must_use]
    pub fn sentences(facts: Vec<Fact>) -> Self {
        Self { parts: vec![Part::Sentences(facts)], ..Self::default() }
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Adds a button.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// Adds buttons.
    #[must_use]
    pub fn actions(mut self, actions: impl IntoIterator<Item = Action>) -> Self {
        self.actions.extend(actions);
        self
    }

    /// Adds a list to download, with its button; an empty list has none.
    #[must_use]
    pub fn sheet(mut self, sheet: Sheet) -> Self {
        if sheet.total > 0 {
            self.actions.push(Action::Csv { label: sheet.label(), sheet: sheet.id() });
            self.sheets.push(sheet);
        }
        self
    }

    /// A table cut to its first lines, and the whole of it to take away; nothing where there are no lines.
    #[must_use]
    pub fn table(self, name: &str, columns: Vec<Column>, mut rows: Vec<Vec<String>>, shown: usize) -> Self {
        if rows.is_empty() {
            return self;
        }
        let titles: Vec<&str> = columns.iter().map(|column| column.title.as_str()).collect();
        let sheet = Sheet::new(name, &titles, rows.iter().cloned());
        let more = u64::try_from(rows.len().saturating_sub(shown)).unwrap_or_default();
        rows.truncate(shown);
        self.part(Part::Table { columns, rows, more }).sheet(sheet)
    }

    /// Says what the card shows and in which version.
    #[must_use]
    pub fn about(mut self, subject: String, version: i64) -> Self {
        self.subject = Some((subject, version));
        self
    }

    /// Words its paragraphs for somebody new to the field: an explanation is read as prose.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.style = Style::Plain;
        self
    }

    /// Gives it a heading.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }
}

/// A button that asks a question.
#[must_use]
pub fn ask(label: &str, text: impl Into<String>) -> Action {
    Action::Ask { label: label.to_owned(), text: text.into() }
}

/// A text column.
#[must_use]
pub fn column(title: &str) -> Column {
    Column { title: title.to_owned(), numeric: false }
}

/// A column of numbers.
#[must_use]
pub fn number_column(title: &str) -> Column {
    Column { title: title.to_owned(), numeric: true }
}
