//! What a simulation file says.

use serde::{Deserialize, Serialize};

/// A simulated dataset: who, how long, on which grid, with which signals. Effects, drift, motion and noise are in
/// percent of each voxel's mean over the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulationSpec {
    /// Name of the dataset.
    pub name: String,
    /// BIDS label of the task, `[A-Za-z0-9]+`.
    pub task: String,
    /// Every random number follows from it.
    pub seed: u64,
    /// Number of subjects.
    pub subjects: usize,
    /// Runs a subject.
    pub runs: usize,
    /// Volumes a run.
    pub volumes: usize,
    /// Repetition time, seconds; volume k is measured at once, at k repetition times.
    pub tr_s: f64,
    /// The voxels.
    pub grid: GridSpec,
    /// The head in them.
    pub head: HeadSpec,
    /// Noise of the brain.
    pub noise: NoiseSpec,
    /// Slow drift.
    #[serde(default)]
    pub drift: DriftSpec,
    /// Head motion, its confound columns and what it leaves in the data.
    #[serde(default)]
    pub motion: MotionSpec,
    /// When events happen.
    #[serde(default)]
    pub schedule: ScheduleSpec,
    /// The conditions; none: data at rest.
    #[serde(default, rename = "condition")]
    pub conditions: Vec<ConditionSpec>,
    /// Neural activity that no events table tells of; none: there is none.
    #[serde(default, rename = "neural", skip_serializing_if = "Vec::is_empty")]
    pub neural: Vec<NeuralSpec>,
    /// Neural activity is constant over steps of this length, seconds; default: the repetition time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neural_step_s: Option<f64>,
    /// Spheres whose mean series are also written as a table.
    #[serde(default, rename = "roi")]
    pub rois: Vec<RoiSpec>,
    /// How images are stored.
    #[serde(default)]
    pub image: ImageSpec,
}

/// The voxel grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridSpec {
    /// Voxels along each axis.
    pub shape: [usize; 3],
    /// Voxel edges, mm.
    pub voxel_mm: [f64; 3],
    /// Centre of the first voxel, mm; default: the centre of the grid is (0, 0, 0).
    pub origin_mm: Option<[f64; 3]>,
}

/// The head: an ellipsoid of brain inside a thin, dim scalp; around it a dark background.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadSpec {
    /// Half axes of the brain, mm.
    pub radii_mm: [f64; 3],
    /// Its centre, mm.
    #[serde(default)]
    pub centre_mm: [f64; 3],
    /// Brightness of white matter, in stored units times slope.
    #[serde(default = "HeadSpec::default_baseline")]
    pub baseline: f64,
    /// How much brighter grey matter is, as a fraction.
    #[serde(default = "HeadSpec::default_tissue_contrast")]
    pub tissue_contrast: f64,
    /// Amplitude of a smooth brightness field over the head, as a fraction.
    #[serde(default = "HeadSpec::default_shading")]
    pub shading: f64,
    /// Standard deviation of each channel of the background's noise, whose magnitude is stored.
    #[serde(default = "HeadSpec::default_background_sd")]
    pub background_sd: f64,
}

impl HeadSpec {
    fn default_baseline() -> f64 {
        1000.0
    }
    fn default_tissue_contrast() -> f64 {
        0.15
    }
    fn default_shading() -> f64 {
        0.1
    }
    fn default_background_sd() -> f64 {
        5.0
    }
}

/// Noise n of a voxel: `n[t] = rho n[t-1] + w[t] + theta w[t-1]`, stationary from the first volume; the innovations w
/// are normal, independent in time and smooth in space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseSpec {
    /// Full width at half maximum, mm, of the Gaussian that smooths white innovations; 0: independent voxels.
    #[serde(default)]
    pub fwhm_mm: f64,
    /// Standard deviation of the noise, percent of the voxel's mean.
    pub sigma_percent: f64,
    /// How far sigma varies smoothly over the head, as a fraction of it.
    #[serde(default)]
    pub sigma_variation: f64,
    /// Autoregressive coefficient.
    #[serde(default)]
    pub rho: f64,
    /// How far rho varies smoothly over the head, absolute.
    #[serde(default)]
    pub rho_variation: f64,
    /// Moving-average coefficient; negative: white measurement noise on top of an autoregressive process.
    #[serde(default)]
    pub theta: f64,
}

/// Slow drift: cosines of half periods over the run, each with a smooth random loading over the head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftSpec {
    /// Largest amplitude of the slowest cosine, percent; the k-th has 1/k of it.
    pub percent: f64,
    /// Cosines of shorter periods are left out, seconds.
    #[serde(default = "DriftSpec::default_shortest_period_s")]
    pub shortest_period_s: f64,
}

impl DriftSpec {
    fn default_shortest_period_s() -> f64 {
        128.0
    }
}

impl Default for DriftSpec {
    fn default() -> Self {
        Self { percent: 0.0, shortest_period_s: Self::default_shortest_period_s() }
    }
}

/// Head motion: six columns that wander, and signal that follows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MotionSpec {
    /// Standard deviation of each translation over the run, mm.
    pub translation_mm: f64,
    /// Standard deviation of each rotation over the run, radians.
    pub rotation_rad: f64,
    /// Largest standard deviation of the signal that follows all six columns, percent.
    pub percent: f64,
    /// Volumes with a sudden displacement.
    pub spikes: usize,
    /// Size of those displacements along each axis, mm.
    pub spike_mm: f64,
}

impl Default for MotionSpec {
    fn default() -> Self {
        Self { translation_mm: 0.05, rotation_rad: 0.0005, percent: 0.0, spikes: 0, spike_mm: 0.0 }
    }
}

/// When events happen: all events of all conditions in random order, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleSpec {
    /// Earliest onset, seconds.
    pub start_s: f64,
    /// Shortest time from the end of an event to the next onset, seconds.
    pub gap_s: f64,
    /// Longest random time added to each gap (uniform), seconds.
    pub jitter_s: f64,
}

impl Default for ScheduleSpec {
    fn default() -> Self {
        Self { start_s: 6.0, gap_s: 2.0, jitter_s: 2.0 }
    }
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionSpec {
    /// Its name, `[A-Za-z][A-Za-z0-9]*`.
    pub name: String,
    /// Events a run.
    pub events: usize,
    /// Their duration, seconds; 0: impulses of area 1 s.
    pub duration_s: f64,
    /// Where the brain responds; none: nowhere.
    #[serde(default, rename = "blob")]
    pub blobs: Vec<BlobSpec>,
}

/// A source of neural activity, drawn anew in every run and written to its truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuralSpec {
    /// Its name, `[A-Za-z][A-Za-z0-9]*`.
    pub name: String,
    /// What its activity looks like.
    pub kind: NeuralKind,
    /// Spikes or blocks a run.
    #[serde(default)]
    pub count: usize,
    /// Shortest and longest block, seconds, rounded to whole steps.
    #[serde(default)]
    pub duration_s: [f64; 2],
    /// Shortest time from the end of a spike or block to the next, seconds, rounded up to whole steps.
    #[serde(default)]
    pub gap_s: f64,
    /// Autoregressive coefficient from step to step.
    #[serde(default)]
    pub rho: f64,
    /// Where the brain follows it: `percent` is the response to sustained activity of height 1; none: nowhere.
    #[serde(default, rename = "blob")]
    pub blobs: Vec<BlobSpec>,
}

/// What neural activity looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeuralKind {
    /// Steps of height 1 at random times, 0 between them.
    Spikes,
    /// Blocks of height 1 at random times, 0 between them.
    Blocks,
    /// A normal first-order autoregressive process of mean 0 and variance 1, stationary from the first step.
    Autoregressive,
}

/// A region that responds to a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobSpec {
    /// Its shape.
    pub shape: BlobShape,
    /// Its centre, mm.
    pub centre_mm: [f64; 3],
    /// Radius of a sphere, or full width at half maximum of a Gaussian, mm.
    pub size_mm: f64,
    /// Response in its centre to sustained stimulation, percent.
    pub percent: f64,
}

/// The shape of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlobShape {
    /// The same everywhere inside.
    Sphere,
    /// Falling off from the centre.
    Gaussian,
}

/// A sphere whose mean series is written as a column of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoiSpec {
    /// Name of the column, `[A-Za-z][A-Za-z0-9]*`.
    pub name: String,
    /// Centre, mm.
    pub centre_mm: [f64; 3],
    /// Radius, mm.
    pub radius_mm: f64,
}

/// How images are stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageSpec {
    /// Value of one step of the stored 16-bit integers.
    pub scl_slope: f64,
    /// Value of a stored zero.
    pub scl_inter: f64,
    /// gzip's level, 0 to 9.
    pub compression_level: u32,
}

impl Default for ImageSpec {
    fn default() -> Self {
        Self { scl_slope: 1.0, scl_inter: 0.0, compression_level: 1 }
    }
}
