//! The rows behind a statement as tables, one a kind, for every platform alike.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::card::Column;
use crate::facts::Row;

/// Rows of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct RowTable {
    /// Its heading.
    pub title: &'static str,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Cells; untrusted text.
    pub rows: Vec<Vec<String>>,
}

/// Rows as one table a kind, in the order in which the kinds first appear.
#[must_use]
pub fn tables(rows: &[Row], zone: &TimeZone) -> Vec<RowTable> {
    let mut tables: Vec<RowTable> = Vec::new();
    for row in rows {
        let (title, columns) = layout(row);
        let cells = cells(row, zone);
        match tables.iter_mut().find(|known| known.title == title) {
            Some(known) => known.rows.push(cells),
            None => tables.push(RowTable { title, columns: columns.iter().map(column).collect(), rows: vec![cells] }),
        }
    }
    tables
}

fn column(title: &&str) -> Column {
    Column { title: (*title).to_owned(), numeric: *title == "No." }
}

fn layout(row: &Row) -> (&'static str, &'static [&'static str]) {
    match row {
        Row::Policy { .. } => ("Policies", &["Name", "Enable policy", "Version", "Id"]),
        Row::User { .. } => ("Users", &["Name", "User principal name", "Through", "Id"]),
        Row::Object { .. } => ("Objects", &["Kind", "Name", "Note", "Id"]),
        Row::SignIn { .. } => ("Sign-ins", &["When", "User", "Application", "Result", "Id"]),
        Row::Audit { .. } => ("Audit records", &["When", "Activity", "Initiated by", "Target", "Id"]),
        Row::Entry { .. } => ("Activity log", &["No.", "When", "What", "By"]),
    }
}

fn cells(row: &Row, zone: &TimeZone) -> Vec<String> {
    let exact = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    match row.clone() {
        Row::Policy { id, name, version, state } => vec![name, state, version, id],
        Row::User { id, name, principal, path } => vec![name, principal, path.join(" → "), id],
        Row::Object { what, id, name, note } => vec![what, name, note, id],
        Row::SignIn { id, at, user, app, result } => vec![exact(at), user, app, result, id],
        Row::Audit { id, at, activity, by, target } => vec![exact(at), activity, by, target, id],
        Row::Entry { seq, at, action, by } => vec![seq.to_string(), exact(at), action, by],
    }
}
