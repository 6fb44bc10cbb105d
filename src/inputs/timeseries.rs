//! Tables of series: regions or sensors, one column each, one row a frame.

use super::FrameSource;
use super::table::{Cell, CellProblems, Header, Table, select_columns};
use crate::config::TimeseriesSettings;
use crate::error::{Diagnostic, Diagnostics, Place, counted};
use std::path::PathBuf;
use std::sync::Arc;

/// Column that holds the time of each row, seconds.
const TIME_COLUMN: &str = "time_s";

/// Most by which an interval of `time_s` may differ from the median one, as a fraction of it: above what
/// rounding of printed times leaves, far below a missing row.
const IRREGULAR: f64 = 0.05;

/// A table of series, all values finite.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesTable {
    /// The file.
    pub path: PathBuf,
    /// Names of the columns, in the file's order.
    pub names: Vec<String>,
    /// Sampling interval, seconds.
    pub tr_s: f64,
    /// Number of rows.
    pub n_frames: usize,
    /// The values, time-major: `rows[frame * names.len() + column]`.
    pub rows: Vec<f64>,
}

/// Reads a table of series (`.tsv`, `.csv`, gzipped or not). The sampling interval is the stated one, else that
/// of the column `time_s`, which is never analysed itself; the first row is time 0.
///
/// # Errors
/// All problems of the file together: no interval or two that differ, times that are not regular (with the
/// line), globs that match no column, cells that are no finite number.
pub fn read_timeseries(settings: &TimeseriesSettings) -> Result<(SeriesTable, Diagnostics), Diagnostics> {
    let path = &settings.table;
    let table = Table::read(path, path.place().as_ref(), Header::Detected)?;
    table.refuse_blank_line()?;
    let mut diagnostics = Diagnostics::new();
    let n_frames = table.rows.len();
    if n_frames < 2 {
        let message = format!("the table has {}, expected at least two", counted(n_frames, "row"));
        return Err(Diagnostic::error("timeseries-too-short", message).at(Place::file(path)).into());
    }
    let tr_s = interval(&table, settings, &mut diagnostics);
    let chosen = select_columns(&table, &settings.columns, Some(TIME_COLUMN), &mut diagnostics);
    let mut problems = CellProblems::new();
    let mut rows = vec![0.0; n_frames * chosen.len()];
    for (position, &column) in chosen.iter().enumerate() {
        for (frame, row) in table.rows.iter().enumerate() {
            match Cell::parse(row.text(column)) {
                // Frames are handed on in single precision.
                Cell::Number(value) if value.abs() <= f64::from(f32::MAX) => {
                    rows[frame * chosen.len() + position] = value;
                }
                _ => {
                    let found = row.text(column);
                    let problem = table.not_a_number("timeseries-not-a-number", found).at(table.place(row, column));
                    problems.add(problem.hint("fill the gap, or choose other `columns`"), found);
                }
            }
        }
    }
    diagnostics.extend(problems.into_diagnostics());
    let names = chosen.iter().map(|&column| table.columns[column].clone()).collect();
    let tr_s = tr_s.unwrap_or(f64::NAN);
    diagnostics.finish(SeriesTable { path: path.value.clone(), names, tr_s, n_frames, rows })
}

/// The sampling interval; `None` after a problem.
fn interval(table: &Table, settings: &TimeseriesSettings, diagnostics: &mut Diagnostics) -> Option<f64> {
    let stated = settings.tr_s.as_ref();
    if let Some(stated) = stated.filter(|tr_s| !(tr_s.is_finite() && tr_s.value > 0.0)) {
        let problem = Diagnostic::error("timeseries-interval", format!("the sampling interval is {} s", stated.value));
        diagnostics.push(
            problem
                .at(stated.place().unwrap_or_else(|| Place::file(&table.path)))
                .hint("expected a positive number of seconds"),
        );
        return None;
    }
    let Some(column) = table.column(TIME_COLUMN) else {
        if stated.is_none() {
            let message =
                format!("no sampling interval: no `tr_s` is stated and the table has no column `{TIME_COLUMN}`");
            diagnostics.push(
                Diagnostic::error("timeseries-interval", message)
                    .at(settings.table.place().unwrap_or_else(|| Place::file(&table.path)))
                    .hint("state `tr_s` or `sampling_hz`"),
            );
        }
        return stated.map(|tr_s| tr_s.value);
    };
    let mut problems = CellProblems::new();
    let times = table.numbers(column, 0, "timeseries-not-a-number", &mut problems);
    let problems = problems.into_diagnostics();
    if problems.has_errors() {
        diagnostics.extend(problems);
        return None;
    }
    let found = regular_interval(table, &times, diagnostics)?;
    if times[0].abs() > IRREGULAR * found {
        let message = format!(
            "`{TIME_COLUMN}` starts at {} s; its first row counts as time 0, from which onsets are measured",
            times[0]
        );
        let place = Place::cell(&table.path, table.rows[0].line, Some(TIME_COLUMN));
        diagnostics.push(Diagnostic::warning("timeseries-start", message).at(place));
    }
    let Some(stated) = stated else { return Some(found) };
    if (stated.value - found).abs() > (1e-3_f64).min(1e-2 * stated.value) {
        let message = format!("the stated interval is {} s, that of `{TIME_COLUMN}` {found} s", stated.value);
        diagnostics.push(
            Diagnostic::error("timeseries-interval", message)
                .at(stated.place().unwrap_or_else(|| table.header_place()))
                .note(format!("the table is {}", table.path.display()))
                .hint("correct one of them"),
        );
        return None;
    }
    Some(stated.value)
}

/// The mean interval of ascending, evenly spaced times (at least two).
fn regular_interval(table: &Table, times: &[f64], diagnostics: &mut Diagnostics) -> Option<f64> {
    let steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut sorted = steps.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    let at = steps.iter().position(|step| !(*step > 0.0 && (step - median).abs() <= IRREGULAR * median));
    let Some(at) = at else { return Some((times[times.len() - 1] - times[0]) / steps.len() as f64) };
    let message = format!("`{TIME_COLUMN}` is not regular: {} s follows {} s", times[at + 1], times[at]);
    diagnostics.push(
        Diagnostic::error("timeseries-irregular", message)
            .at(Place::cell(&table.path, table.rows[at + 1].line, Some(TIME_COLUMN)))
            .note(format!("the median interval is {median} s"))
            .hint("resample the table to even intervals, or fill in the missing rows"),
    );
    None
}

/// The rows of a [`SeriesTable`] as frames.
#[derive(Debug)]
pub struct TableRows {
    table: Arc<SeriesTable>,
    next: usize,
}

impl TableRows {
    /// Starts at the first row.
    pub fn new(table: Arc<SeriesTable>) -> Self {
        Self { table, next: 0 }
    }

    fn advance(&mut self) -> Result<usize, Diagnostics> {
        let frame = self.next;
        if frame >= self.table.n_frames {
            let message = format!("frame {} was asked for, the table has {}", frame + 1, self.table.n_frames);
            return Err(Diagnostic::error("timeseries-ended", message).at(Place::file(&self.table.path)).into());
        }
        self.next += 1;
        Ok(frame)
    }
}

impl FrameSource for TableRows {
    fn n_values(&self) -> usize {
        self.table.names.len()
    }

    fn n_frames(&self) -> usize {
        self.table.n_frames
    }

    fn next_frame(&mut self, frame: &mut [f32]) -> Result<(), Diagnostics> {
        let start = self.advance()? * self.n_values();
        for (out, value) in frame.iter_mut().zip(&self.table.rows[start..]) {
            *out = *value as f32;
        }
        Ok(())
    }

    fn skip_frame(&mut self) -> Result<(), Diagnostics> {
        self.advance().map(|_| ())
    }
}

#[cfg(test)]
#[path = "timeseries/tests.rs"]
mod tests;
