//! BIDS events tables: `onset`, `duration` and the column that names conditions, tab-separated.

use super::policy::{RawEvents, RawRow};
use crate::config::{EventSettings, Located, MissingDuration};
use crate::error::{Diagnostic, Diagnostics};
use crate::inputs::table::{Cell, Header, Table, nearest, quoted};
use std::path::PathBuf;

/// Reads the table and finds its columns.
pub(super) fn read(
    path: &Located<PathBuf>,
    settings: &EventSettings,
    value_columns: &[&str],
) -> Result<(RawEvents, Diagnostics), Diagnostics> {
    let table = Table::read(path, path.place().as_ref(), Header::Required)?;
    let mut diagnostics = Diagnostics::new();
    let condition_column = settings.condition_column.value.as_str();
    let onset = find(&table, "onset", &mut diagnostics);
    // A stated duration stands for the whole column as it does for a cell.
    let optional = matches!(settings.missing_duration, MissingDuration::Seconds(_));
    let duration = if optional { table.column("duration") } else { find(&table, "duration", &mut diagnostics) };
    let condition = table.column(condition_column);
    if condition.is_none() {
        diagnostics.push(no_condition_column(&table, &settings.condition_column));
    }
    let values: Vec<Option<usize>> = value_columns.iter().map(|name| find(&table, name, &mut diagnostics)).collect();
    if table.columns.iter().any(|name| name == "modulation") && !value_columns.contains(&"modulation") {
        let warning = Diagnostic::warning(
            "events-modulation-unused",
            "the column `modulation` scales no event: every height is 1",
        )
        .at(table.header_place())
        .hint("`[[design.modulator]]` with `column = \"modulation\"` models it");
        diagnostics.push(warning);
    }
    let (Some(onset), Some(condition)) = (onset, condition) else { return Err(diagnostics) };
    let rows = table
        .rows
        .iter()
        .map(|row| RawRow {
            path: table.path.clone(),
            line: row.line,
            condition: row.text(condition).to_owned(),
            onset: row.text(onset).to_owned(),
            duration: duration.map_or("", |column| row.text(column)).to_owned(),
            amplitude: 1.0,
            values: values.iter().map(|column| Cell::parse(row.text((*column)?)).number()).collect(),
        })
        .collect();
    let columns = ["onset".to_owned(), "duration".to_owned(), condition_column.to_owned()];
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok((RawEvents { path: table.path, columns, rows }, diagnostics))
}

/// The column of this name; without it, an error, as with two of it.
fn find(table: &Table, name: &str, diagnostics: &mut Diagnostics) -> Option<usize> {
    let Some(column) = table.column(name) else {
        let problem = Diagnostic::error("events-column-missing", format!("the event table has no column `{name}`"))
            .at(table.header_place())
            .note(format!("columns there are: {}", table.describe_columns()));
        let near = nearest(name, &table.columns);
        let hint = table.separator_hint().or_else(|| match near.as_slice() {
            [] => None,
            near => Some(format!("did you mean {}?", quoted(near))),
        });
        diagnostics.push(match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
        return None;
    };
    if table.columns[column + 1..].iter().any(|other| other == name) {
        let problem = Diagnostic::error("table-duplicate-column", format!("two columns are called `{name}`"));
        diagnostics.push(problem.at(table.header_place()).hint("rename or delete one"));
        return None;
    }
    Some(column)
}

fn no_condition_column(table: &Table, stated: &Located<String>) -> Diagnostic {
    let message = format!("the event table has no column `{}` to name its conditions", stated.value);
    let mut problem = Diagnostic::error("events-condition-column-missing", message);
    problem = match stated.place() {
        Some(place) => problem.at(place).note(format!("the table is {}", table.path.display())),
        None => problem.at(table.header_place()),
    };
    let near = nearest(stated, &table.columns);
    let example = match near.as_slice() {
        [] => {
            "name the column by `[events] condition_column`; a table of one condition needs a column that says its name"
                .to_owned()
        }
        near => format!("name the column by `[events] condition_column`: did you mean {}?", quoted(near)),
    };
    problem
        .note(format!("columns there are: {}", table.describe_columns()))
        .hint(table.separator_hint().unwrap_or(example))
}
