//! FSL's three-column files: onset, duration and weight, a file a condition, no header.

use super::policy::{RawEvents, RawRow};
use crate::config::Located;
use crate::error::{Diagnostic, Diagnostics, Place, counted};
use crate::inputs::table::{Cell, CellProblems, read_text};
use std::path::{Path, PathBuf};

/// Columns as places name them.
const COLUMNS: [&str; 3] = ["1 (onset)", "2 (duration)", "3 (weight)"];

/// Reads one file a condition.
pub(super) fn read(
    files: &[(Located<String>, Located<PathBuf>)],
    value_columns: &[&str],
) -> Result<(RawEvents, Diagnostics), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut rows = Vec::new();
    for (condition, path) in files {
        if let Some(text) = diagnostics.collect(read_text(path, path.place().as_ref())) {
            let mut problems = CellProblems::new();
            rows.extend(rows_of(condition, path, &text, &mut problems));
            diagnostics.extend(problems.into_diagnostics());
        }
        refuse_values(path, value_columns, &mut diagnostics);
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let path = files.first().map(|(_, path)| path.value.clone()).unwrap_or_default();
    let columns = [COLUMNS[0].to_owned(), COLUMNS[1].to_owned(), String::new()];
    Ok((RawEvents { path, columns, rows }, diagnostics))
}

fn rows_of(condition: &str, path: &Path, text: &str, problems: &mut CellProblems) -> Vec<RawRow> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let cells: Vec<&str> = line.split([' ', '\t', ',']).filter(|cell| !cell.is_empty()).collect();
        if cells.is_empty() || cells[0].starts_with('#') {
            continue;
        }
        let &[onset, duration, weight] = cells.as_slice() else {
            let message = format!("the row has {}, expected onset, duration and weight", counted(cells.len(), "cell"));
            let problem = Diagnostic::error("events-fsl-columns", message).at(Place::cell(path, line_number, None));
            problems.add(problem, &counted(cells.len(), "cell"));
            continue;
        };
        let Cell::Number(amplitude) = Cell::parse(weight) else {
            let problem = Diagnostic::error("events-fsl-weight", format!("the weight is not a number: `{weight}`"));
            problems.add(problem.at(Place::cell(path, line_number, Some(COLUMNS[2]))), weight);
            continue;
        };
        rows.push(RawRow {
            path: path.to_path_buf(),
            line: line_number,
            condition: condition.to_owned(),
            onset: onset.to_owned(),
            duration: duration.to_owned(),
            amplitude,
            values: Vec::new(),
        });
    }
    // FSL's way to say that the condition does not occur in this run.
    let zero = |cell: &str| Cell::parse(cell) == Cell::Number(0.0);
    if let [only] = rows.as_slice()
        && zero(&only.onset)
        && zero(&only.duration)
        && only.amplitude == 0.0
    {
        rows.clear();
    }
    rows
}

/// Refuses modulators: their values stand in columns that only a BIDS table has.
pub(super) fn refuse_values(path: &Located<PathBuf>, value_columns: &[&str], diagnostics: &mut Diagnostics) {
    if let [first, ..] = value_columns {
        let problem =
            Diagnostic::error("events-column-missing", format!("the file has no column `{first}` to modulate by"))
                .at(path.place().unwrap_or_else(|| Place::file(path)))
                .hint("give the events as a BIDS table");
        diagnostics.push(problem);
    }
}
