//! Recordings that are no runs of volumes: calcium traces, spike trains, a binary series, a slice, each with its truth.
//!
//! One subject, one session; files stand at the top of the folder, `truth/` beside them.

mod binary;
mod calcium;
mod check;
mod rate;
mod slice;
mod spec;
mod spike_train;

pub use spec::{
    BinarySpec, CalciumCellSpec, CalciumSpec, RecordingSpec, SliceSpec, SpikeUnitSpec, SpikesSpec, StimulusSpec,
};

use super::SimulationReport;
use super::folder::{Folder, timed_table};
use crate::error::{CancelToken, Diagnostic, Diagnostics};
use rate::Rate;
use spike_train::TIME_DECIMALS;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Writes the recording of `spec` to the folder `out`, which must not hold one.
///
/// # Errors
/// The specification cannot be simulated (all its problems), `out` holds a dataset or cannot be written, or `cancel` was
/// set (code `work-interrupted`). Nothing is left under a final name then but folders that could not be removed.
pub fn simulate_recording(
    spec: &RecordingSpec,
    out: &Path,
    cancel: &CancelToken,
) -> Result<SimulationReport, Diagnostics> {
    spec.validate()?;
    let mut folder = Folder::open(out, &["dataset_description.json", "truth", "binary.tsv", "slice.nii.gz"])?;
    let written = fill(&mut folder, spec, cancel);
    folder.finish(written)
}

/// Writes all files.
fn fill(folder: &mut Folder<'_>, spec: &RecordingSpec, cancel: &CancelToken) -> Result<(), Diagnostics> {
    let go_on = || -> Result<(), Diagnostics> {
        cancel.check().map_err(|cancelled| Diagnostic::error("work-interrupted", cancelled.to_string()).into())
    };
    folder.make_folder(Path::new("truth"))?;
    if let Some(calcium) = &spec.calcium {
        go_on()?;
        write_calcium(folder, spec, calcium)?;
    }
    if let Some(spikes) = &spec.spikes {
        go_on()?;
        write_spikes(folder, spec, spikes)?;
    }
    if let Some(binary) = &spec.binary {
        folder.write_text("binary.tsv".into(), &binary::table(binary, spec.seed))?;
    }
    if let Some(slice) = &spec.slice {
        go_on()?;
        let path = folder.place("slice.nii.gz".into());
        slice::write(slice, spec.seed, &path)?;
    }
    let truth = serde_json::json!({ "about": truths(spec), "specification": spec });
    folder.write_json(Path::new("truth").join("truth.json"), &truth)?;
    folder.write_description(&spec.name)
}

/// What the files of the truth mean.
fn truths(spec: &RecordingSpec) -> serde_json::Value {
    let mut about = serde_json::Map::new();
    if spec.calcium.is_some() {
        about.insert(
            "calcium".to_owned(),
            "desc-calcium: the trace without baseline and noise. Spikes: seconds; the first frame at or after a spike is \
             the first that shows it"
                .into(),
        );
    }
    if spec.spikes.is_some() {
        about.insert("rate".to_owned(), "expected spikes a second, the refractory period taken into account".into());
    }
    if spec.slice.is_some() {
        about.insert("slice".to_owned(), "ten ellipses (Toft's phantom), magnitude of complex noise".into());
    }
    about.into()
}

/// Name of a file of the recording.
fn file(spec: &RecordingSpec, ending: &str) -> String {
    format!("sub-01_task-{}_{ending}", spec.task)
}

fn truth_file(spec: &RecordingSpec, ending: &str) -> PathBuf {
    Path::new("truth").join(file(spec, ending))
}

fn write_calcium(folder: &mut Folder<'_>, spec: &RecordingSpec, calcium: &CalciumSpec) -> Result<(), Diagnostics> {
    let names: Vec<&str> = calcium.cells.iter().map(|cell| cell.name.as_str()).collect();
    let cells: Vec<calcium::Cell> =
        (0..calcium.cells.len()).map(|cell| calcium::cell(calcium, spec.seed, cell)).collect();
    let times_s = calcium::frame_times_s(calcium);
    let observed: Vec<Vec<f64>> = cells.iter().map(|cell| cell.observed.clone()).collect();
    let clean: Vec<Vec<f64>> = cells.iter().map(|cell| cell.calcium.clone()).collect();
    let trains: Vec<&[f64]> = cells.iter().map(|cell| cell.spikes_s.as_slice()).collect();
    folder.write_text(file(spec, "desc-dff_timeseries.tsv").into(), &timed_table(&names, &times_s, 5, &observed, 4))?;
    folder.write_text(truth_file(spec, "desc-calcium_timeseries.tsv"), &timed_table(&names, &times_s, 5, &clean, 4))?;
    folder.write_text(truth_file(spec, "spikes.tsv"), &spike_table(&names, &trains))
}

fn write_spikes(folder: &mut Folder<'_>, spec: &RecordingSpec, spikes: &SpikesSpec) -> Result<(), Diagnostics> {
    let names: Vec<&str> = spikes.units.iter().map(|unit| unit.name.as_str()).collect();
    let onsets_s = rate::onsets_s(spikes);
    let rates: Vec<Rate> = spikes.units.iter().map(|unit| Rate::new(unit, &onsets_s)).collect();
    let trains: Vec<Vec<f64>> = rates
        .iter()
        .enumerate()
        .map(|(unit, rate)| spike_train::train(rate, spikes.duration_s, spikes.refractory_s, spec.seed, unit))
        .collect();
    let trains: Vec<&[f64]> = trains.iter().map(Vec::as_slice).collect();
    folder.write_text(file(spec, "spikes.tsv").into(), &spike_table(&names, &trains))?;
    if let Some(stimulus) = &spikes.stimulus {
        let mut events = String::from("onset\tduration\ttrial_type\n");
        for onset_s in &onsets_s {
            let _ = writeln!(events, "{onset_s:.3}\t0\t{}", stimulus.name);
        }
        folder.write_text(file(spec, "events.tsv").into(), &events)?;
    }
    let count = libm::floor(spikes.duration_s / spikes.rate_step_s + 1e-9) as usize;
    let times_s: Vec<f64> = (0..=count).map(|step| step as f64 * spikes.rate_step_s).collect();
    let values: Vec<Vec<f64>> =
        rates.iter().map(|rate| times_s.iter().map(|&time_s| rate.at(time_s)).collect()).collect();
    folder.write_text(truth_file(spec, "rate.tsv"), &timed_table(&names, &times_s, 4, &values, 4))
}

/// All spikes in order of time, one a row; of equal times, in the order of the units.
fn spike_table(names: &[&str], trains: &[&[f64]]) -> String {
    let mut all: Vec<(f64, usize)> =
        trains.iter().enumerate().flat_map(|(unit, train)| train.iter().map(move |&time_s| (time_s, unit))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut text = String::from("time_s\tunit\n");
    for (time_s, unit) in all {
        let _ = writeln!(text, "{time_s:.TIME_DECIMALS$}\t{}", names[unit]);
    }
    text
}
