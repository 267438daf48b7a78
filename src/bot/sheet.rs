//! A whole list to take away as CSV, beside the part of it that an answer shows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::facts::{grouped, hidden};
use crate::store::evidence::Evidence;

/// A list with headings, kept when an answer is posted and opened by those who may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// File name without its ending: our own words.
    pub name: String,
    /// Its heading where its first lines are shown in a chat: our own words.
    #[serde(default)]
    pub title: Option<String>,
    /// Headings.
    pub columns: Vec<String>,
    /// At most [`Sheet::MOST`] lines; tenant text is allowed.
    pub rows: Vec<Vec<String>>,
    /// How many lines there are.
    pub total: usize,
}

impl Sheet {
    /// How many lines are kept; a report of an export (`portcullis report`) writes any number.
    pub const MOST: usize = 20_000;

    /// A sheet of these lines.
    #[must_use]
    pub fn new(name: &str, columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let mut sheet = Self {
            name: name.to_owned(),
            title: None,
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            rows: Vec::new(),
            total: 0,
        };
        for row in rows {
            sheet.total += 1;
            if sheet.rows.len() < Self::MOST {
                sheet.rows.push(row);
            }
        }
        sheet
    }

    /// Gives it a heading.
    #[must_use]
    pub fn titled(self, title: String) -> Self {
        Self { title: Some(title), ..self }
    }

    /// The id under which it is kept, which buttons carry.
    #[must_use]
    pub fn id(&self) -> String {
        Evidence { tenant: "", body: &self.body(), at: Timestamp::UNIX_EPOCH }.id()
    }

    /// As it is kept.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({ "sheet": self })
    }

    /// The sheet in a kept body; none when it is something else, such as a citation's rows.
    #[must_use]
    pub fn of(body: &Value) -> Option<Self> {
        serde_json::from_value(body.get("sheet")?.clone()).ok()
    }

    /// The words of the button that downloads it.
    #[must_use]
    pub fn label(&self) -> String {
        format!("CSV ({})", number(self.total))
    }

    /// The file's text; what is left out of it is its last line.
    #[must_use]
    pub fn csv(&self) -> String {
        let left = self.total.saturating_sub(self.rows.len());
        let note = (left > 0).then(|| {
            vec![format!("{} more lines: portcullis export, then portcullis report, writes them all", number(left))]
        });
        std::iter::once(&self.columns).chain(&self.rows).chain(note.iter()).map(|cells| csv_line(cells)).collect()
    }
}

fn number(count: usize) -> String {
    grouped(i64::try_from(count).unwrap_or(i64::MAX))
}

/// One line of CSV (RFC 4180). Tenant text that a spreadsheet would take for a formula is set apart by a quote.
#[must_use]
pub fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| format!("\"{}\"", clean_cell(cell).replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

fn clean_cell(cell: &str) -> String {
    let text: String = cell.chars().filter(|c| !hidden(*c)).collect();
    if text.starts_with(['=', '+', '-', '@', '\t']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_ends_its_line() {
        let line = csv_line(&["=HYPERLINK(\"http://evil\")".into(), "a\"b\r\nc".into()]);
        assert_eq!(line, "\"'=HYPERLINK(\"\"http://evil\"\")\",\"a\"\"bc\"\r\n");
    }

    #[test]
    fn what_is_left_out_is_said_in_the_last_line() {
        let sheet = Sheet::new("people", &["Name"], (0..20_003).map(|n| vec![n.to_string()]));
        assert_eq!(sheet.label(), "CSV (20,003)");
        let csv = sheet.csv();
        assert_eq!(csv.lines().count(), 20_002);
        assert!(csv.lines().last().unwrap().starts_with("\"3 more lines:"));
        assert_eq!(Sheet::of(&sheet.body()), Some(sheet));
    }
}
