//! Events of a run: what happened when, for how long, how strongly.
//!
//! Read from a BIDS events table, or from a file a condition in the forms of FSL (three columns) and AFNI
//! (stimulus times). Whatever a peer would drop, clip or rename in silence is here an error with its line, or
//! follows a policy that `[events]` states.

mod bids;
mod policy;
mod stimulus_times;
mod three_column;

use crate::config::{EventFiles, EventSettings};
use crate::error::Diagnostics;
use std::ops::Range;
use std::path::PathBuf;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its condition.
    pub condition: String,
    /// Seconds from the start of the first acquired volume.
    pub onset_s: f64,
    /// Seconds; 0 for an impulse.
    pub duration_s: f64,
    /// Height of the boxcar, or area of the impulse; 1 unless the file says otherwise.
    pub amplitude: f64,
    /// Value of each column in [`EventTable::value_columns`]; `None` where the cell holds no number.
    pub values: Vec<Option<f64>>,
    /// 1-based line in the file it came from.
    pub line: usize,
}

/// The events of one run, sorted by onset (stable), policies applied.
#[derive(Debug, Clone, PartialEq)]
pub struct EventTable {
    /// The file; the first one where there is a file a condition.
    pub path: PathBuf,
    /// The events.
    pub events: Vec<Event>,
    /// Other columns of the table, which modulators may name.
    pub value_columns: Vec<String>,
}

impl EventTable {
    /// The conditions, unique, in code-point order.
    pub fn conditions(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|event| event.condition.clone())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
    }
}

/// Reads the events of one run and applies the policies of `[events]`.
///
/// - **BIDS**: columns `onset`, `duration` (seconds) and the condition column; unsorted rows and other columns are
///   accepted; every amplitude is 1. `value_columns` (those that modulators name) are read beside.
/// - **FSL**: onset, duration, weight; the weight is the amplitude; a file that is empty or holds one row of
///   zeros says that the condition does not occur.
/// - **AFNI**: a row a run of times `onset`, `onset:duration` or `onset*amplitude:duration`; `*` alone for none.
///   Without a duration, `missing_duration` applies.
///
/// `span_s` is the run: an onset outside it (by more than 1 ms before its start, which is what rounding of
/// times leaves) follows `outside_run`. Onsets are kept as they are written. A written duration longer than the run is
/// an error: it is in milliseconds, or of another run.
///
/// A row without a condition that `missing_condition_label` drops, and a row of a condition that `ignore` names,
/// is not looked at further. Rows of equal onset and condition under `duplicates = "sum"` become one event of
/// summed amplitude where durations and values are equal too; else each stays, and their responses add in the design.
///
/// # Errors
/// All problems of the files together, one message for a mistake made in many rows.
pub fn read_events(
    files: &EventFiles,
    settings: &EventSettings,
    value_columns: &[&str],
    span_s: Range<f64>,
) -> Result<(EventTable, Diagnostics), Diagnostics> {
    let (raw, mut diagnostics) = match files {
        EventFiles::Bids(path) => bids::read(path, settings, value_columns)?,
        EventFiles::Fsl(files) => three_column::read(files, value_columns)?,
        EventFiles::Afni { files, row } => stimulus_times::read(files, *row, value_columns)?,
    };
    let events = policy::apply(&raw, settings, &span_s, &mut diagnostics);
    let value_columns = value_columns.iter().map(|name| (*name).to_owned()).collect();
    diagnostics.finish(EventTable { path: raw.path, events, value_columns })
}

#[cfg(test)]
#[path = "events/tests.rs"]
mod tests;
