//! `[[spikes]]`, `[[rate]]` and `[[convolve]]`: spike trains, and plain convolutions.

use crate::config::placed::Placed;
use crate::config::{ConvolveEdge, ConvolveMode, RateKernel};
use schemars::JsonSchema;
use serde::Deserialize;

/// `[[spikes]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpikesConfig {
    /// Label of the subject, without `sub-`; from the file's name where it has `sub-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub subject: Option<Placed<String>>,
    /// Label of the session, without `ses-`; from the file's name where it has `ses-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub session: Option<Placed<String>>,
    /// Label of the task, without `task-`; from the file's name where it has `task-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub task: Option<Placed<String>>,
    /// Label of the run, without `run-`; from the file's name where it has `run-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9]+$"))]
    pub run: Option<Placed<String>>,
    /// The table of spike times: `.tsv` or `.csv`, also with `.gz`, one row a spike.
    #[schemars(required, length(min = 1))]
    pub table: Option<Placed<String>>,
    /// Column of the times, seconds from the start of the recording.
    #[schemars(length(min = 1))]
    pub time_column: Option<Placed<String>>,
    /// Column that names the unit (cell) of each spike; without it all spikes are of one unit, `all`.
    #[schemars(length(min = 1))]
    pub unit_column: Option<Placed<String>>,
    /// Length of the recording, seconds.
    #[schemars(required, range(max = 1_000_000.0), extend("exclusiveMinimum" = 0))]
    pub duration_s: Option<Placed<f64>>,
}

/// `[[rate]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateConfig {
    /// Name of the estimate and of its folder, letters and digits, unique ignoring case among all models.
    #[schemars(required, regex(pattern = "^[A-Za-z0-9]+$"))]
    pub name: Option<Placed<String>>,
    /// Width of a bin, seconds.
    #[schemars(required, range(max = 10_000.0), extend("exclusiveMinimum" = 0))]
    pub bin_s: Option<Placed<f64>>,
    /// What spikes are convolved with. Its mass beyond the ends of the recording is given back to what lies within, so that
    /// a constant rate stays constant.
    pub kernel: Option<Placed<RateKernel>>,
    /// Standard deviation of `gaussian` and `half-gaussian`, width of `box`, time constant of `exponential`, seconds.
    #[schemars(required, range(max = 10_000.0), extend("exclusiveMinimum" = 0))]
    pub sigma_s: Option<Placed<f64>>,
}

/// `[[convolve]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvolveConfig {
    /// Name of the convolution and of its folder, letters and digits, unique ignoring case among all models.
    #[schemars(required, regex(pattern = "^[A-Za-z0-9]+$"))]
    pub name: Option<Placed<String>>,
    /// The kernel, in samples (tables) or voxels (images): `{ box = 5 }` of sum 1, `{ gaussian = 2.5 }` by its standard
    /// deviation, or, for tables, `{ weights = [0.25, 0.5, 0.25] }`, or the column `weight` of `{ file = "kernel.tsv" }`. Weights and
    /// files may say which of them is at no delay: `centre = 0` for a response, which follows what it responds to; without it
    /// that is the middle one.
    #[schemars(required)]
    pub kernel: Option<Placed<ConvolveKernelTable>>,
    /// Which part of the convolution is kept. Images have `same` alone.
    pub mode: Option<Placed<ConvolveMode>>,
    /// What lies beyond the ends, for `same`.
    pub edge: Option<Placed<ConvolveEdge>>,
    /// Pictures of the input and of what comes of it: names of table columns; of an image its middle slice is drawn always.
    pub figures: Option<Vec<Placed<String>>>,
}

/// `convolve.kernel`: one form of it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct ConvolveKernelTable {
    /// Samples of a box of equal weights.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub r#box: Option<usize>,
    /// Standard deviation of a Gaussian, cut at four of them; 0 changes nothing.
    #[schemars(range(min = 0.0, max = 100_000.0))]
    pub gaussian: Option<f64>,
    /// The weights themselves.
    #[schemars(length(min = 1))]
    pub weights: Option<Placed<Vec<f64>>>,
    /// A table with a column `weight`.
    #[schemars(length(min = 1))]
    pub file: Option<Placed<String>>,
    /// The weight at no delay, counted from 0.
    #[schemars(range(max = 1_000_000))]
    pub centre: Option<Placed<usize>>,
}
