//! What is analysed, resolved: runs, tables, masks and regions.

use crate::config::Located;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The kind of input; they do not mix.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inputs {
    /// 4-D images.
    Runs(Vec<RunSettings>),
    /// Tables of series.
    Timeseries(Vec<TimeseriesSettings>),
    /// Tables of spike times.
    Spikes(Vec<SpikesSettings>),
}

/// BIDS labels of one input, each without its key and `[A-Za-z0-9]+`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Labels {
    /// `sub-`; never empty after resolution.
    pub subject: String,
    /// `ses-`.
    pub session: Option<String>,
    /// `task-`.
    pub task: Option<String>,
    /// `run-`.
    pub run: Option<String>,
    /// `space-`.
    pub space: Option<String>,
    /// `res-`.
    pub res: Option<String>,
}

/// One `[[run]]`.
#[derive(Debug, Clone, Serialize)]
pub struct RunSettings {
    /// Its labels: keys win over the entities of the file's name.
    pub labels: Labels,
    /// The image.
    pub bold: Located<PathBuf>,
    /// Its events; `None`: no model needs them.
    pub events: Option<EventFiles>,
    /// Its confound table.
    pub confounds: Option<Located<PathBuf>>,
    /// Its own mask.
    pub mask: Option<Located<PathBuf>>,
    /// Repetition time as the pipeline states it, seconds.
    pub tr_s: Option<Located<f64>>,
}

/// One `[[timeseries]]`.
#[derive(Debug, Clone, Serialize)]
pub struct TimeseriesSettings {
    /// Its labels.
    pub labels: Labels,
    /// The table.
    pub table: Located<PathBuf>,
    /// Globs of the columns analysed.
    pub columns: Vec<Located<String>>,
    /// Sampling interval, seconds; `None`: from the column `time_s`.
    pub tr_s: Option<Located<f64>>,
    /// Its events.
    pub events: Option<EventFiles>,
    /// Its confound table.
    pub confounds: Option<Located<PathBuf>>,
}

/// One `[[spikes]]`.
#[derive(Debug, Clone, Serialize)]
pub struct SpikesSettings {
    /// Its labels.
    pub labels: Labels,
    /// The table.
    pub table: Located<PathBuf>,
    /// Column of the times, seconds.
    pub time_column: Located<String>,
    /// Column of the unit; `None`: all spikes are of one.
    pub unit_column: Option<Located<String>>,
    /// Length of the recording, seconds.
    pub duration_s: Located<f64>,
}

/// Where events are read from.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventFiles {
    /// A BIDS events table.
    Bids(Located<PathBuf>),
    /// FSL three-column files, one a condition (name, file).
    Fsl(Vec<(Located<String>, Located<PathBuf>)>),
    /// AFNI stimulus-time files, one a condition (name, file); this run's row is `row` (0-based).
    Afni {
        /// Condition and file.
        files: Vec<(Located<String>, Located<PathBuf>)>,
        /// 0-based row of this run in each file.
        row: usize,
    },
}

/// Which voxels are analysed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskSettings {
    /// By the histogram of the mean image, over all runs of the subject.
    Auto,
    /// One image for all runs.
    File(Located<PathBuf>),
    /// Each run names its own; combined.
    PerRun(MaskCombination),
    /// Every voxel.
    All,
}

/// How the runs' own masks are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MaskCombination {
    /// In every run's mask.
    Intersection,
    /// In more than half of the runs' masks.
    Majority,
}

/// One `[[roi]]`.
#[derive(Debug, Clone, Serialize)]
pub struct RoiSettings {
    /// Its name.
    pub name: Located<String>,
    /// Its voxels.
    pub source: RoiSource,
}

/// What defines a region.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoiSource {
    /// One mask image.
    Mask(Located<PathBuf>),
    /// A label image; names from a table with columns `index` and `name`.
    Atlas {
        /// The label image.
        atlas: Located<PathBuf>,
        /// Names of the labels.
        labels: Option<Located<PathBuf>>,
    },
}
