//! Events of a run: what happened when, for how long, how strongly.

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
