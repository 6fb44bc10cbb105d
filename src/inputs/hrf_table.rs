//! A haemodynamic response from a table with columns `time_s` and `amplitude`.

use super::table::{CellProblems, Header, Table, nearest, quoted};
use crate::error::{Diagnostic, Diagnostics, Place};
use std::path::Path;

/// Reads a response: times in seconds after the event, ascending, evenly spaced or not, and amplitudes.
///
/// # Errors
/// A column is missing, a cell is no finite number, times do not ascend from 0 or later, there are fewer
/// than two rows, or every amplitude is 0.
pub fn read_hrf_table(path: &Path) -> Result<(Vec<f64>, Vec<f64>), Diagnostics> {
    let table = Table::read(path, None, Header::Required)?;
    let mut diagnostics = Diagnostics::new();
    let mut problems = CellProblems::new();
    let mut read = |name: &str| {
        let Some(column) = table.column(name) else {
            diagnostics.push(missing(&table, name));
            return Vec::new();
        };
        table.numbers(column, 0, "hrf-table-not-a-number", &mut problems)
    };
    let (time_s, amplitude) = (read("time_s"), read("amplitude"));
    diagnostics.extend(problems.into_diagnostics());
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    if time_s.len() < 2 {
        diagnostics
            .push(Diagnostic::error("hrf-table-too-short", "a response needs at least two rows").at(Place::file(path)));
    }
    let descends = time_s.windows(2).position(|pair| pair[1] <= pair[0]).map(|at| at + 1);
    if let Some(at) = descends {
        let message = format!("`time_s` does not ascend: {} after {}", time_s[at], time_s[at - 1]);
        let place = Place::cell(path, table.rows[at].line, Some("time_s"));
        diagnostics.push(Diagnostic::error("hrf-table-time", message).at(place));
    }
    if time_s.first().is_some_and(|first| *first < 0.0) {
        let place = Place::cell(path, table.rows[0].line, Some("time_s"));
        let message = format!("the response starts {} s before the event", -time_s[0]);
        diagnostics.push(Diagnostic::error("hrf-table-time", message).at(place));
    }
    if !amplitude.is_empty() && amplitude.iter().all(|value| *value == 0.0) {
        diagnostics.push(Diagnostic::error("hrf-table-zero", "every amplitude is 0").at(Place::file(path)));
    }
    if diagnostics.has_errors() { Err(diagnostics) } else { Ok((time_s, amplitude)) }
}

fn missing(table: &Table, name: &str) -> Diagnostic {
    let problem = Diagnostic::error("hrf-table-column-missing", format!("the response table has no column `{name}`"))
        .at(table.header_place())
        .note(format!("columns there are: {}; expected `time_s` and `amplitude`", table.describe_columns()));
    let near = nearest(name, &table.columns);
    match table.separator_hint() {
        Some(hint) => problem.hint(hint),
        None if near.is_empty() => problem,
        None => problem.hint(format!("did you mean {}?", quoted(&near))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<f64>, Vec<f64>), Diagnostics> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hrf.tsv");
        std::fs::write(&path, text).unwrap();
        read_hrf_table(&path)
    }

    #[test]
    fn reads_uneven_times_in_any_column_order() {
        let (time_s, amplitude) = read("amplitude\tnote\ttime_s\n0\ta\t0\n1.5\tb\t2\n-0.5\tc\t7.25\n").unwrap();
        assert_eq!((time_s, amplitude), (vec![0.0, 2.0, 7.25], vec![0.0, 1.5, -0.5]));
    }

    #[test]
    fn every_mistake_has_its_code() {
        for (text, expected) in [
            ("time\tamplitude\n0\t1\n1\t2\n", "hrf-table-column-missing"),
            ("time_s\tamplitude\n0\t1\nn/a\t2\n", "hrf-table-not-a-number"),
            ("time_s\tamplitude\n0\t1\n", "hrf-table-too-short"),
            ("time_s\tamplitude\n0\t1\n2\t1\n2\t1\n", "hrf-table-time"),
            ("time_s\tamplitude\n-1\t1\n2\t1\n", "hrf-table-time"),
            ("time_s\tamplitude\n0\t0\n2\t0\n", "hrf-table-zero"),
        ] {
            let codes: Vec<_> = read(text).unwrap_err().iter().map(|problem| problem.code).collect();
            assert_eq!(codes, [expected], "{text}");
        }
    }
}
