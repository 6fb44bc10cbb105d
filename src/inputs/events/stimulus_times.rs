//! AFNI's stimulus-time files: a row of times for each run, a file a condition.
//!
//! A time is `onset`, and may be married to a duration (`onset:duration`) and to one amplitude
//! (`onset*amplitude`, as `-stim_times_AM1` scales), in either order. `*` alone holds the place of no event.
//! Lines that are empty or begin with `#` are no rows.

use super::policy::{RawEvents, RawRow};
use super::three_column::refuse_values;
use crate::config::Located;
use crate::error::{Diagnostic, Diagnostics, Place, counted};
use crate::inputs::table::{Cell, CellProblems, read_text};
use std::path::{Path, PathBuf};

/// Reads the row of this run (0-based) from one file a condition.
pub(super) fn read(
    files: &[(Located<String>, Located<PathBuf>)],
    row: usize,
    value_columns: &[&str],
) -> Result<(RawEvents, Diagnostics), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut rows = Vec::new();
    for (condition, path) in files {
        if let Some(text) = diagnostics.collect(read_text(path, path.place().as_ref()))
            && let Some(events) = diagnostics.collect(row_of(condition, path, &text, row))
        {
            rows.extend(events);
        }
        refuse_values(path, value_columns, &mut diagnostics);
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let path = files.first().map(|(_, path)| path.value.clone()).unwrap_or_default();
    Ok((RawEvents { path, columns: Default::default(), rows }, diagnostics))
}

fn row_of(condition: &str, path: &Path, text: &str, row: usize) -> Result<Vec<RawRow>, Diagnostics> {
    let lines: Vec<(usize, Vec<&str>)> = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.split_whitespace().collect()))
        .filter(|(_, tokens): &(usize, Vec<&str>)| tokens.first().is_some_and(|token| !token.starts_with('#')))
        .collect();
    let Some((line, tokens)) = lines.get(row) else {
        let message = format!("the file has {}, expected row {} for this run", counted(lines.len(), "row"), row + 1);
        return Err(Diagnostic::error("events-afni-row-missing", message)
            .at(Place::file(path))
            .hint("give each run a row, `*` where the condition does not occur; times over all runs (global) are not read")
            .into());
    };
    // AFNI itself takes one column of times for global times unless the number of rows is that of the runs.
    if lines.len() > 1 && lines.iter().all(|(_, tokens)| tokens.len() == 1 && tokens[0] != "*") {
        return Err(Diagnostic::error(
            "events-afni-ambiguous",
            "every row holds one time: one a run, or one column of a single run",
        )
        .at(Place::cell(path, *line, None))
        .hint("end the first row with ` *` if each row is a run, or put all times on one row")
        .into());
    }
    let mut problems = CellProblems::new();
    let mut events = Vec::new();
    let mut with_amplitude = 0;
    for token in tokens.iter().filter(|token| **token != "*") {
        match MarriedTime::parse(token) {
            Ok(time) => {
                with_amplitude += usize::from(time.amplitude.is_some());
                events.push(RawRow {
                    path: path.to_path_buf(),
                    line: *line,
                    condition: condition.to_owned(),
                    onset: time.onset.to_owned(),
                    duration: time.duration.unwrap_or_default().to_owned(),
                    amplitude: time.amplitude.unwrap_or(1.0),
                    values: Vec::new(),
                });
            }
            Err((code, expected)) => {
                let problem = Diagnostic::error(code, format!("cannot read the time `{token}`: {expected}"));
                problems.add(problem.at(Place::cell(path, *line, None)), token);
            }
        }
    }
    let mut diagnostics = problems.into_diagnostics();
    if with_amplitude > 0 && with_amplitude < events.len() {
        let message = format!("{with_amplitude} of {} times have an amplitude", events.len());
        let problem = Diagnostic::error("events-afni-amplitudes", message).at(Place::cell(path, *line, None));
        diagnostics.push(problem.hint("give all of them one (`*1` for none), or none"));
    }
    if diagnostics.is_empty() { Ok(events) } else { Err(diagnostics) }
}

/// A time with what it is married to.
struct MarriedTime<'a> {
    onset: &'a str,
    duration: Option<&'a str>,
    amplitude: Option<f64>,
}

impl<'a> MarriedTime<'a> {
    fn parse(token: &'a str) -> Result<Self, (&'static str, &'static str)> {
        const MALFORMED: &str = "events-afni-time";
        const SEVERAL: (&str, &str) =
            ("events-afni-amplitudes", "it has several amplitudes, and nothing says which one scales it");
        let at = token.find([':', '*']).unwrap_or(token.len());
        let (onset, mut rest) = token.split_at(at);
        if Cell::parse(onset).number().is_none() {
            return Err((MALFORMED, "expected seconds"));
        }
        let mut time = Self { onset, duration: None, amplitude: None };
        while let Some(kind) = rest.chars().next() {
            let end = rest[1..].find([':', '*']).map_or(rest.len(), |at| at + 1);
            let value = &rest[1..end];
            match kind {
                ':' if time.duration.is_none() && Cell::parse(value).number().is_some() => time.duration = Some(value),
                '*' if time.amplitude.is_none() && value.contains(',') => {
                    return Err(SEVERAL);
                }
                '*' if time.amplitude.is_none() => {
                    time.amplitude =
                        Some(Cell::parse(value).number().ok_or((MALFORMED, "expected a number after `*`"))?);
                }
                ':' => return Err((MALFORMED, "expected one duration in seconds after `:`")),
                _ => return Err(SEVERAL),
            }
            rest = &rest[end..];
        }
        Ok(time)
    }
}
