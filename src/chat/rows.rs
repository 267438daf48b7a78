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

/// Rows as one table a kind, in the order in which the kinds first appear. A column in which no row has a word is left out.
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
    tables.into_iter().map(without_empty_columns).collect()
}

fn without_empty_columns(table: RowTable) -> RowTable {
    let is_told = |at: usize| table.rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty()));
    let told: Vec<bool> = (0..table.columns.len()).map(is_told).collect();
    RowTable {
        title: table.title,
        columns: kept(table.columns, &told),
        rows: table.rows.into_iter().map(|row| kept(row, &told)).collect(),
    }
}

/// The cells of a row, or the columns, of which rows tell something.
fn kept<T>(cells: Vec<T>, told: &[bool]) -> Vec<T> {
    cells.into_iter().zip(told).filter(|(_, told)| **told).map(|(cell, _)| cell).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_without_a_word_is_left_out() {
        let user = |path: &[&str]| Row::User {
            id: "u-1".to_owned(),
            name: "Alice".to_owned(),
            principal: "alice@nordwerk.example".to_owned(),
            path: path.iter().map(|&name| name.to_owned()).collect(),
        };
        let titles = |rows: &[Row]| -> Vec<String> {
            tables(rows, &TimeZone::UTC)[0].columns.iter().map(|column| column.title.clone()).collect()
        };
        assert_eq!(titles(&[user(&[]), user(&[])]), ["Name", "User principal name", "Id"]);
        assert_eq!(titles(&[user(&[]), user(&["CA-Guests"])]), ["Name", "User principal name", "Through", "Id"]);
        assert_eq!(tables(&[user(&[])], &TimeZone::UTC)[0].rows, [["Alice", "alice@nordwerk.example", "u-1"]]);
    }
}
