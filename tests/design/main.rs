//! Designs, responses and drifts against nilearn, SPM and AFNI.
//!
//! Reference data lie in `BOLDLY_TEST_DATA`, or in `../shared` beside the package; without them the tests that need
//! them say so and pass. Expectations in `tests/expectations/design` come from `scripts/expectations`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests stop at the first surprise")]
#![allow(clippy::print_stdout, reason = "docs/validation.md quotes what they measure")]

mod afni;
mod nilearn;
mod spm;

use boldly::config::{AbsentCondition, DesignSettings, Drift, HrfSettings, Numerics, Profile};
use boldly::design::{RunDesign, build_design};
use boldly::inputs::{ConfoundTable, Event, EventTable, Timing};
use std::path::{Path, PathBuf};

/// The folder of shared reference data, where there is one.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn shared(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("BOLDLY_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped {test}: no reference data in {}", folder.display());
    None
}

fn expectation(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expectations/design").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// A table of numbers with a header: names and columns.
struct Table {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
}

impl Table {
    fn read(path: &Path, separator: char) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&text, separator)
    }

    fn parse(text: &str, separator: char) -> Self {
        let mut lines = text.lines();
        let names: Vec<String> = lines.next().unwrap().split(separator).map(str::to_owned).collect();
        let mut columns = vec![Vec::new(); names.len()];
        for line in lines {
            for (column, cell) in columns.iter_mut().zip(line.split(separator)) {
                column.push(cell.parse().unwrap());
            }
        }
        Self { names, columns }
    }

    fn column(&self, name: &str) -> &[f64] {
        let index = self.names.iter().position(|own| own == name);
        &self.columns[index.unwrap_or_else(|| panic!("no column {name}"))]
    }
}

/// A BIDS events table of onset, duration and trial_type.
fn events_of(path: &Path) -> EventTable {
    let text = std::fs::read_to_string(path).unwrap();
    let mut rows = text.lines();
    let header: Vec<&str> = rows.next().unwrap().split('\t').collect();
    let at = |name: &str| header.iter().position(|own| *own == name).unwrap();
    let mut events: Vec<Event> = rows
        .enumerate()
        .map(|(index, row)| {
            let cells: Vec<&str> = row.split('\t').collect();
            event(
                cells[at("trial_type")],
                cells[at("onset")].parse().unwrap(),
                cells[at("duration")].parse().unwrap(),
                index,
            )
        })
        .collect();
    events.sort_by(|a, b| a.onset_s.total_cmp(&b.onset_s));
    EventTable { path: path.to_path_buf(), events, value_columns: Vec::new() }
}

fn event(condition: &str, onset_s: f64, duration_s: f64, index: usize) -> Event {
    Event { condition: condition.to_owned(), onset_s, duration_s, amplitude: 1.0, values: Vec::new(), line: index + 2 }
}

fn design(profile: Profile, timing: Timing, events: &EventTable, hrf: HrfSettings, drift: Drift) -> RunDesign {
    with_confounds(profile, timing, events, None, hrf, drift)
}

fn with_confounds(
    profile: Profile,
    timing: Timing,
    events: &EventTable,
    confounds: Option<&ConfoundTable>,
    hrf: HrfSettings,
    drift: Drift,
) -> RunDesign {
    let settings = DesignSettings {
        hrf,
        slice_time_ref: 0.0,
        slice_time_ref_stated: false,
        drift,
        when_condition_absent: AbsentCondition::Error,
        modulators: Vec::new(),
    };
    build_design("run", timing, Some(events), confounds, &settings, None, &Numerics::of(profile)).unwrap().0
}

/// Largest absolute difference of two columns.
fn difference(found: impl IntoIterator<Item = f64>, expected: &[f64]) -> f64 {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    // a NaN must not pass for a small difference
    differences.fold(0.0, |largest: f64, d| if d.is_nan() { f64::INFINITY } else { largest.max(d) })
}
