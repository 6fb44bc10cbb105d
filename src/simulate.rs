//! Made data with known truth: a seeded BIDS-like dataset from a small file.
//!
//! An ellipsoidal head, smooth noise with a declared autocorrelation, drift, motion with its confound columns, and
//! conditions whose effect maps are written beside the data. Every random number has a seed of its own (dataset,
//! purpose, subject, run, frame), and transcendental functions come from `libm`: a specification gives the same bytes
//! on every machine and with any number of threads.
//!
//! Beside runs of volumes: neural activity that no events tell of, and recordings of other kinds (calcium traces, spike
//! trains, small series and slices).
//!
//! The room stands beside the line. Its responses are integrated here, numerically, and share nothing with the
//! design room: the truth checks the analysis, not itself.

mod check;
mod dataset;
mod fault;
mod field;
mod folder;
mod head;
mod image;
mod load;
mod motion;
mod neural;
mod noise;
mod random;
mod recording;
mod response;
mod run;
mod schedule;
mod spec;

pub use load::{load_simulation, load_spec};
pub use recording::{
    BinarySpec, CalciumCellSpec, CalciumSpec, RecordingSpec, SliceSpec, SpikeUnitSpec, SpikesSpec, StimulusSpec,
    simulate_recording,
};
pub use spec::{
    BlobShape, BlobSpec, ConditionSpec, DriftSpec, GridSpec, HeadSpec, ImageSpec, MotionSpec, NeuralKind, NeuralSpec,
    NoiseSpec, RoiSpec, ScheduleSpec, SimulationSpec,
};

use crate::error::{CancelToken, Diagnostic, Diagnostics};
use dataset::Dataset;
use noise::RunItem;
use run::{RunTruth, World};
use std::path::{Path, PathBuf};

/// What has been made of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// 0-based subject and run.
    pub item: (usize, usize),
    /// Volumes of it that are written.
    pub volumes_done: usize,
}

/// What a simulation has written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimulationReport {
    /// Every file, relative to the output folder, in the order written.
    pub files: Vec<PathBuf>,
    /// Voxels in the brain; 0 where there are no volumes.
    pub brain_voxels: usize,
}

/// What a simulation file declares.
#[derive(Debug, Clone, PartialEq)]
pub enum Simulation {
    /// Runs of volumes.
    Images(Box<SimulationSpec>),
    /// A recording of another kind.
    Recording(Box<RecordingSpec>),
}

impl Simulation {
    /// Writes it to the folder `out`, as [`simulate`] and [`simulate_recording`] do.
    ///
    /// # Errors
    /// Theirs.
    pub fn write(
        &self,
        out: &Path,
        progress: &mut dyn FnMut(Progress),
        cancel: &CancelToken,
    ) -> Result<SimulationReport, Diagnostics> {
        match self {
            Self::Images(spec) => simulate(spec, out, progress, cancel),
            Self::Recording(spec) => simulate_recording(spec, out, cancel),
        }
    }
}

/// Writes the dataset of `spec` to the folder `out`, which must not hold one. Uses the current rayon pool; `progress`
/// is called after each volume.
///
/// # Errors
/// The specification cannot be simulated (all its problems), `out` holds a dataset or cannot be written, a value does
/// not fit in 16 bits, or `cancel` was set (code `interrupted`). Nothing is left under a final name then but folders
/// that could not be removed.
pub fn simulate(
    spec: &SimulationSpec,
    out: &Path,
    progress: &mut dyn FnMut(Progress),
    cancel: &CancelToken,
) -> Result<SimulationReport, Diagnostics> {
    spec.validate()?;
    let world = World::new(spec);
    for (roi, places) in spec.rois.iter().zip(&world.regions) {
        if places.is_empty() {
            let message = format!("region `{}` holds no voxel of the brain", roi.name);
            return Err(Diagnostic::error("simulation-region-empty", message)
                .hint("move it into the brain, or make it larger")
                .into());
        }
    }
    let mut dataset = Dataset::create(spec, out)?;
    let written = fill(&mut dataset, &world, progress, cancel);
    dataset.folder.report.brain_voxels = world.head.brain.iter().filter(|brain| **brain).count();
    dataset.folder.finish(written)
}

/// Writes all files of a dataset.
fn fill(
    dataset: &mut Dataset<'_>,
    world: &World<'_>,
    progress: &mut dyn FnMut(Progress),
    cancel: &CancelToken,
) -> Result<(), Diagnostics> {
    dataset.write_truth(world)?;
    for subject in 0..world.spec.subjects {
        dataset.write_subject_mask(subject, &world.head)?;
        for run in 0..world.spec.runs {
            let truth = RunTruth::new(world, RunItem { subject, run })?;
            let path = dataset.folder.place(dataset.run_file(truth.item, "bold.nii.gz"));
            let measures = run::write_bold(world, &truth, &path, progress, cancel)?;
            dataset.write_run_tables(world, &truth, &measures)?;
        }
    }
    dataset.write_description()
}

#[cfg(test)]
mod fixture;
