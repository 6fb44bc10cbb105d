//! Spike tables: one spike a row, its time and the unit it is of.

use super::table::{Cell, CellProblems, Header, Table, is_missing, nearest, quoted};
use crate::error::{Diagnostic, Diagnostics, Place};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Unit of all rows where no column names units.
const ONLY_UNIT: &str = "all";

/// The spikes of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeTrain {
    /// Its label.
    pub unit: String,
    /// Seconds from the start of the recording, not descending.
    pub times_s: Vec<f64>,
}

/// The spikes of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeTable {
    /// The file.
    pub path: PathBuf,
    /// Length of the recording, seconds: no spike is later.
    pub duration_s: f64,
    /// The units: labels that are whole numbers first, by value, then the others in code-point order. It does not depend
    /// on which of them spiked first, so that recordings of the same units have them in the same order.
    pub units: Vec<SpikeTrain>,
}

/// Reads a table of spikes (`.tsv`, `.csv`, gzipped or not): `time_column` holds seconds from the start of the recording,
/// `unit_column` labels. Without a `unit_column` all rows are one unit, called `all`. Rows of a unit are in order of
/// time; those of different units may be mixed in any way. Other columns are not looked at.
///
/// # Errors
/// All problems of the file together, one message for a mistake made in many rows: a column that is missing or stands
/// twice, no rows, a time that is no finite number, negative or later than `duration_s`, one that is earlier than the one
/// before it of the same unit, a row without a unit. Two spikes of a unit at one time are a warning; both are kept.
pub fn read_spikes(
    path: &Path,
    time_column: &str,
    unit_column: Option<&str>,
    duration_s: f64,
) -> Result<(SpikeTable, Diagnostics), Diagnostics> {
    if !(duration_s.is_finite() && duration_s > 0.0) {
        let problem = Diagnostic::error("spikes-duration", format!("the recording is {duration_s} s long"));
        return Err(problem.at(Place::file(path)).hint("expected a positive number of seconds").into());
    }
    let table = Table::read(path, None, Header::Required)?;
    let mut diagnostics = Diagnostics::new();
    let time = find(&table, time_column, &mut diagnostics);
    let unit = unit_column.map(|name| find(&table, name, &mut diagnostics));
    let (Some(time), false) = (time, unit == Some(None)) else { return Err(diagnostics) };
    if table.rows.is_empty() {
        let problem = Diagnostic::error("spikes-empty", "the table has no spikes").at(Place::file(path));
        return Err(problem.hint("expected one spike a row").into());
    }
    let mut reading = Reading::new(&table, Columns { time, unit: unit.flatten() }, duration_s);
    for row in 0..table.rows.len() {
        reading.add(row);
    }
    let (units, problems) = reading.finish();
    diagnostics.extend(problems);
    diagnostics.finish(SpikeTable { path: path.to_path_buf(), duration_s, units })
}

/// The one column of this name.
fn find(table: &Table, name: &str, diagnostics: &mut Diagnostics) -> Option<usize> {
    let Some(column) = table.column(name) else {
        let problem = Diagnostic::error("spikes-column-missing", format!("the spike table has no column `{name}`"))
            .at(table.header_place())
            .note(format!("columns there are: {}", table.describe_columns()));
        let near = nearest(name, &table.columns);
        diagnostics.push(match table.separator_hint() {
            Some(hint) => problem.hint(hint),
            None if near.is_empty() => problem,
            None => problem.hint(format!("did you mean {}?", quoted(&near))),
        });
        return None;
    };
    if table.columns.iter().filter(|other| *other == name).count() > 1 {
        let problem = Diagnostic::error("table-duplicate-column", format!("two columns are called `{name}`"));
        diagnostics.push(problem.at(table.header_place()).hint("rename one"));
        return None;
    }
    Some(column)
}

/// Which columns are read.
#[derive(Debug, Clone, Copy)]
struct Columns {
    time: usize,
    unit: Option<usize>,
}

/// A table on its way to spike trains.
struct Reading<'a> {
    table: &'a Table,
    columns: Columns,
    duration_s: f64,
    trains: BTreeMap<Label, Vec<f64>>,
    /// Latest time of the table; says whether times past the end are of another unit of time.
    latest_s: f64,
    problems: CellProblems,
}

/// A unit's label in the order of units.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Number(u64, String),
    Text(String),
}

impl Label {
    fn new(text: &str) -> Self {
        match text.parse::<u64>() {
            Ok(number) => Self::Number(number, text.to_owned()),
            Err(_) => Self::Text(text.to_owned()),
        }
    }

    fn into_text(self) -> String {
        match self {
            Self::Number(_, text) | Self::Text(text) => text,
        }
    }
}

impl<'a> Reading<'a> {
    fn new(table: &'a Table, columns: Columns, duration_s: f64) -> Self {
        let times = table.rows.iter().filter_map(|row| Cell::parse(row.text(columns.time)).number());
        let latest_s = times.fold(0.0, f64::max);
        Self { table, columns, duration_s, trains: BTreeMap::new(), latest_s, problems: CellProblems::new() }
    }

    /// Takes a row; a problem of its cells leaves it out of the order that later rows are held to.
    fn add(&mut self, index: usize) {
        let row = &self.table.rows[index];
        let label = match self.columns.unit {
            None => Some(Label::new(ONLY_UNIT)),
            Some(column) if is_missing(row.text(column)) => {
                let problem = Diagnostic::error("spikes-unit-missing", "the spike is of no unit");
                let problem = problem.at(self.table.place(row, column)).note("expected the label of a unit");
                let problem = problem.hint("fill the cell, or delete the row");
                self.problems.add(problem, row.text(column));
                None
            }
            Some(column) => Some(Label::new(row.text(column))),
        };
        let text = row.text(self.columns.time);
        let Some(time_s) = self.time(text) else { return self.refuse(index, text) };
        let Some(label) = label else { return };
        let place = self.table.place(row, self.columns.time);
        let before_s = self.trains.get(&label).and_then(|times_s| times_s.last().copied());
        let of_unit =
            if self.columns.unit.is_some() { format!(" of unit `{}`", row_unit(&label)) } else { String::new() };
        match before_s {
            Some(before_s) if time_s < before_s => {
                let message = format!("a spike{of_unit} at {time_s} s follows one at {before_s} s");
                let name = &self.table.columns[self.columns.time];
                let problem = Diagnostic::error("spikes-unsorted", message).at(place);
                let problem = problem.note("expected the spikes of a unit in order of time");
                self.problems.add(problem.hint(format!("sort the table by `{name}`")), text);
            }
            Some(before_s) if time_s == before_s => {
                let message = format!("two spikes{of_unit} at {time_s} s");
                let problem = Diagnostic::warning("spikes-duplicate-time", message).at(place);
                let problem = problem.note("both are counted");
                self.problems.add(problem.hint("delete one if a spike was written twice"), text);
            }
            _ => {}
        }
        self.trains.entry(label).or_default().push(time_s);
    }

    /// The time of a cell, if it is one of the recording.
    fn time(&self, text: &str) -> Option<f64> {
        Cell::parse(text).number().filter(|time_s| (0.0..=self.duration_s).contains(time_s))
    }

    /// Notes what is wrong with a time.
    fn refuse(&mut self, index: usize, text: &str) {
        let place = self.table.place(&self.table.rows[index], self.columns.time);
        let problem = match Cell::parse(text).number() {
            None => self.table.not_a_number("spikes-not-a-number", text),
            Some(time_s) if time_s < 0.0 => {
                Diagnostic::error("spikes-time-negative", format!("a spike at {time_s} s, before the recording"))
                    .note("expected seconds from the start of the recording")
                    .hint("shift the times so that the recording starts at 0, or drop what was before it")
            }
            Some(time_s) => {
                let message = format!("a spike at {time_s} s, after the end of the recording");
                let problem = Diagnostic::error("spikes-time-after-end", message)
                    .note(format!("the recording is {} s long", self.duration_s));
                problem.hint(self.beyond_end_hint())
            }
        };
        self.problems.add(problem.at(place), text);
    }

    /// What may be the matter with times after the end.
    fn beyond_end_hint(&self) -> String {
        let fits = |divisor: f64| self.latest_s / divisor <= self.duration_s;
        if self.latest_s < 10.0 * self.duration_s {
            "correct the length of the recording, or drop what is after it".to_owned()
        } else if fits(1e3) {
            format!("expected seconds; in milliseconds, the latest spike would be at {} s", self.latest_s / 1e3)
        } else if fits(1e6) {
            format!("expected seconds; in microseconds, the latest spike would be at {} s", self.latest_s / 1e6)
        } else {
            "expected seconds: divide numbers of samples by the sampling rate".to_owned()
        }
    }

    fn finish(self) -> (Vec<SpikeTrain>, Diagnostics) {
        let trains = self.trains.into_iter();
        let units = trains.map(|(label, times_s)| SpikeTrain { unit: label.into_text(), times_s }).collect();
        (units, self.problems.into_diagnostics())
    }
}

/// A label as it was written.
fn row_unit(label: &Label) -> &str {
    match label {
        Label::Number(_, text) | Label::Text(text) => text,
    }
}

#[cfg(test)]
#[path = "spikes/tests.rs"]
mod tests;
