//! From rows as written to events: every odd cell is an error with its place, or follows a stated policy.

use super::Event;
use crate::config::{DuplicatePolicy, EventSettings, MissingDuration, RowPolicy};
use crate::error::{Diagnostic, Diagnostics, Place, counted};
use crate::inputs::table::{Cell, CellProblems, decimal_comma_hint, is_missing, list, nearest, quoted};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// How far before the start of the run an onset may lie, seconds: rounding of times, a thousandth of what
/// any response resolves.
const ROUNDING_S: f64 = 1e-3;

/// The rows of the files of one run, cells as text.
#[derive(Debug)]
pub(super) struct RawEvents {
    /// The file; the first one where there is a file a condition.
    pub(super) path: PathBuf,
    /// What a place calls the columns of onset, duration and condition; empty where a file has none.
    pub(super) columns: [String; 3],
    /// The rows in the files' order.
    pub(super) rows: Vec<RawRow>,
}

/// One row as written.
#[derive(Debug)]
pub(super) struct RawRow {
    pub(super) path: PathBuf,
    pub(super) line: usize,
    pub(super) condition: String,
    pub(super) onset: String,
    pub(super) duration: String,
    pub(super) amplitude: f64,
    pub(super) values: Vec<Option<f64>>,
}

/// Reads the rows as events, sorted by onset; problems and warnings go to `diagnostics`.
pub(super) fn apply(
    raw: &RawEvents,
    settings: &EventSettings,
    span_s: &Range<f64>,
    diagnostics: &mut Diagnostics,
) -> Vec<Event> {
    let mut reader = RowReader {
        columns: &raw.columns,
        settings,
        span_s,
        problems: CellProblems::new(),
        outside: Vec::new(),
        unnamed: 0,
    };
    let mut read: Vec<(Event, &Path)> =
        raw.rows.iter().filter_map(|row| Some((reader.read(row)?, row.path.as_path()))).collect();
    read.sort_by(|a, b| a.0.onset_s.total_cmp(&b.0.onset_s));
    reader.report_outside(read.len());
    let summed = merge_duplicates(&mut read, settings.duplicates, &raw.columns[0], &mut reader.problems);
    let (unnamed, outside) = (reader.unnamed, reader.outside.len());
    diagnostics.extend(reader.problems.into_diagnostics());
    warn_of_dropped(raw, settings, [unnamed, outside, summed], diagnostics);
    warn_of_unused_ignore(raw, settings, diagnostics);
    if read.is_empty() && !diagnostics.has_errors() {
        diagnostics.push(no_events(raw, outside));
    }
    read.into_iter().map(|(event, _)| event).collect()
}

struct RowReader<'a> {
    columns: &'a [String; 3],
    settings: &'a EventSettings,
    span_s: &'a Range<f64>,
    problems: CellProblems,
    /// Onsets outside the run, with their rows' places.
    outside: Vec<(f64, Place)>,
    /// Rows dropped for want of a condition.
    unnamed: usize,
}

impl RowReader<'_> {
    fn read(&mut self, row: &RawRow) -> Option<Event> {
        let nameless = is_missing(&row.condition);
        if nameless && self.settings.missing_condition_label == RowPolicy::Drop {
            self.unnamed += 1;
            return None;
        }
        if self.settings.ignore.iter().any(|ignored| ignored.value == row.condition) {
            return None;
        }
        if nameless {
            let message = format!("the row has no condition: {}", shown(&row.condition));
            let problem = Diagnostic::error("events-condition-missing", message)
                .hint("`[events] missing_condition_label = \"drop\"` leaves such rows out of the model");
            self.add(problem, row, 2, &row.condition);
        }
        let onset_s = self.onset(row);
        let duration_s = self.duration(row);
        let (onset_s, duration_s) = (onset_s?, duration_s?);
        if nameless {
            return None;
        }
        if onset_s < self.span_s.start - ROUNDING_S || onset_s >= self.span_s.end {
            self.outside.push((onset_s, self.place(row, 0)));
            return None;
        }
        if duration_s - ROUNDING_S > self.span_s.end - self.span_s.start && !is_missing(&row.duration) {
            let problem = Diagnostic::error(
                "events-duration-too-long",
                format!("the duration {duration_s} s is longer than the whole run"),
            )
            .note(run_words(self.span_s))
            .hint("event files hold seconds: are these milliseconds?");
            self.add(problem, row, 1, &format!("{duration_s} s"));
            return None;
        }
        Some(Event {
            condition: row.condition.clone(),
            onset_s,
            duration_s,
            amplitude: row.amplitude,
            values: row.values.clone(),
            line: row.line,
        })
    }

    fn onset(&mut self, row: &RawRow) -> Option<f64> {
        match Cell::parse(&row.onset) {
            Cell::Number(onset_s) => return Some(onset_s),
            Cell::Missing => {
                let problem =
                    Diagnostic::error("events-onset-missing", format!("the event has no onset: {}", shown(&row.onset)))
                        .note("expected seconds from the start of the first volume")
                        .hint("give the onset, delete the row, or leave its condition out by `[events] ignore`");
                self.add(problem, row, 0, &row.onset);
            }
            Cell::Text(text) => {
                let problem = not_a_number("events-onset-not-a-number", "onset", text)
                    .note("expected seconds from the start of the first volume");
                self.add(problem, row, 0, text);
            }
        }
        None
    }

    fn duration(&mut self, row: &RawRow) -> Option<f64> {
        match (Cell::parse(&row.duration), self.settings.missing_duration) {
            (Cell::Number(duration_s), _) if duration_s < 0.0 => {
                let problem =
                    Diagnostic::error("events-duration-negative", format!("the duration is negative: {duration_s} s"))
                        .note("expected seconds, 0 for an impulse");
                self.add(problem, row, 1, &row.duration);
                None
            }
            (Cell::Number(duration_s), _) | (Cell::Missing, MissingDuration::Seconds(duration_s)) => Some(duration_s),
            (Cell::Missing, MissingDuration::Error) => {
                let problem = Diagnostic::error(
                    "events-duration-missing",
                    format!("the event has no duration: {}", shown(&row.duration)),
                )
                .hint("`[events] missing_duration = \"zero\"` makes it an impulse; a number is its seconds");
                self.add(problem, row, 1, &row.duration);
                None
            }
            (Cell::Text(text), _) => {
                let problem = not_a_number("events-duration-not-a-number", "duration", text)
                    .note("expected seconds, 0 for an impulse");
                self.add(problem, row, 1, text);
                None
            }
        }
    }

    fn report_outside(&mut self, inside: usize) {
        if self.settings.outside_run == RowPolicy::Drop {
            return;
        }
        let Range { start, end } = self.span_s;
        let (start, end) = (*start, *end);
        let run = run_words(self.span_s);
        // Most onsets far too late, all of them inside when divided by a thousand: milliseconds.
        let milliseconds = self.outside.len() > inside
            && self.outside.iter().all(|(onset, _)| onset / 1000.0 >= start && onset / 1000.0 < end);
        let hint = if milliseconds && end.is_finite() {
            "onsets look like milliseconds: BIDS tables hold seconds"
        } else {
            "`[events] outside_run = \"drop\"` leaves such rows out of the model"
        };
        for (onset, place) in &self.outside {
            let problem = Diagnostic::error("events-outside-run", format!("the onset {onset} s is outside the run"));
            self.problems.add(problem.at(place.clone()).note(run.as_str()).hint(hint), &format!("{onset} s"));
        }
    }

    fn place(&self, row: &RawRow, column: usize) -> Place {
        place(row.path.as_path(), row.line, &self.columns[column])
    }

    fn add(&mut self, problem: Diagnostic, row: &RawRow, column: usize, found: &str) {
        let problem = problem.at(self.place(row, column));
        self.problems.add(problem, found);
    }
}

/// Handles events of equal onset and condition; gives how many were summed with another.
fn merge_duplicates(
    events: &mut Vec<(Event, &Path)>,
    policy: DuplicatePolicy,
    onset_column: &str,
    problems: &mut CellProblems,
) -> usize {
    let mut summed = 0;
    let mut kept: Vec<(Event, &Path)> = Vec::with_capacity(events.len());
    for (event, path) in events.drain(..) {
        let twins = |other: &Event| other.onset_s == event.onset_s && other.condition == event.condition;
        let earlier = kept.iter().rposition(|(other, _)| other.onset_s < event.onset_s).map_or(0, |at| at + 1);
        let Some(first) = kept[earlier..].iter().position(|(other, _)| twins(other)).map(|at| at + earlier) else {
            kept.push((event, path));
            continue;
        };
        if policy == DuplicatePolicy::Error {
            let message = format!("`{}` starts twice at {} s", event.condition, event.onset_s);
            let problem = Diagnostic::error("events-duplicate", message)
                .at(place(path, event.line, onset_column))
                .note(format!("first on line {}", kept[first].0.line))
                .hint("delete one; `[events] duplicates = \"sum\"` counts both");
            problems.add(problem, &format!("`{}` at {} s", event.condition, event.onset_s));
            continue;
        }
        summed += 1;
        let same = |other: &Event| twins(other) && other.duration_s == event.duration_s && other.values == event.values;
        match kept[earlier..].iter_mut().find(|(other, _)| same(other)) {
            Some((other, _)) => other.amplitude += event.amplitude,
            None => kept.push((event, path)),
        }
    }
    *events = kept;
    summed
}

fn warn_of_dropped(
    raw: &RawEvents,
    settings: &EventSettings,
    [unnamed, outside, summed]: [usize; 3],
    diagnostics: &mut Diagnostics,
) {
    let mut warn = |code, count: usize, message: String| {
        if count > 0 {
            diagnostics.push(Diagnostic::warning(code, message).at(Place::file(&raw.path)));
        }
    };
    let are = |count: usize| if count == 1 { "is" } else { "are" };
    let (rows, verb) = (counted(unnamed, "row"), are(unnamed));
    warn("events-condition-dropped", unnamed, format!("{rows} without a condition {verb} left out of the model"));
    if settings.outside_run == RowPolicy::Drop {
        let (rows, verb) = (counted(outside, "event"), are(outside));
        warn("events-outside-dropped", outside, format!("{rows} outside the run {verb} left out of the model"));
    }
    let (rows, verb) = (counted(summed, "event"), are(summed));
    let message = format!("{rows} of the same onset and condition as another {verb} summed with it");
    warn("events-duplicates-summed", summed, message);
}

fn warn_of_unused_ignore(raw: &RawEvents, settings: &EventSettings, diagnostics: &mut Diagnostics) {
    let present: BTreeSet<&str> =
        raw.rows.iter().map(|row| row.condition.as_str()).filter(|condition| !is_missing(condition)).collect();
    let present: Vec<String> = present.into_iter().map(str::to_owned).collect();
    for ignored in &settings.ignore {
        if present.contains(&ignored.value) {
            continue;
        }
        let message = format!("`{}` is ignored but does not occur in {}", ignored.value, raw.path.display());
        let mut warning = Diagnostic::warning("events-ignore-unused", message)
            .at(ignored.place().unwrap_or_else(|| Place::file(&raw.path)))
            .note(format!("conditions there: {}", list(&present)));
        let near = nearest(&ignored.value, &present);
        if !near.is_empty() {
            warning = warning.hint(format!("did you mean {}?", quoted(&near)));
        }
        diagnostics.push(warning);
    }
}

fn no_events(raw: &RawEvents, outside: usize) -> Diagnostic {
    let problem = Diagnostic::error("events-none", "no events are left to model").at(Place::file(&raw.path));
    let rows = raw.rows.len();
    match (rows, outside) {
        (0, _) => problem.note("there are no rows of events"),
        (_, 0) => problem.note(format!("of {}, all are left out by `[events]`", counted(rows, "row"))),
        _ => problem
            .note(format!("of {}, {outside} start outside the run", counted(rows, "row")))
            .hint("onsets are seconds from the start of the first volume, not milliseconds"),
    }
}

fn run_words(Range { start, end }: &Range<f64>) -> String {
    if end.is_finite() {
        format!("the run lasts from {start} to {end} s")
    } else {
        format!("the run starts at {start} s")
    }
}

fn place(path: &Path, line: usize, column: &str) -> Place {
    Place::cell(path, line, Some(column).filter(|name| !name.is_empty()))
}

fn not_a_number(code: &'static str, what: &str, text: &str) -> Diagnostic {
    let problem = Diagnostic::error(code, format!("the {what} is not a number: `{text}`"));
    match decimal_comma_hint(text) {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

fn shown(cell: &str) -> String {
    if cell.is_empty() { "the cell is empty".to_owned() } else { format!("`{cell}`") }
}
