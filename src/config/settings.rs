//! The pipeline resolved: every key present, profile and per-model overrides applied.
//!
//! Paths are absolute or relative to the working directory (the pipeline file's folder already joined).

use super::{Located, Numerics, Profile};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A pipeline with nothing left open but what the input files say.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    /// The pipeline's name.
    pub name: String,
    /// The profile, for display; stages read `numerics`.
    pub profile: Profile,
    /// What the profile fixes that is no key.
    pub numerics: Numerics,
    /// What is analysed.
    pub inputs: Inputs,
    /// Which voxels.
    pub mask: MaskSettings,
    /// Regions whose mean series and effects are tabulated.
    pub rois: Vec<RoiSettings>,
    /// Before the model.
    pub preprocess: PreprocessSettings,
    /// How event tables are read.
    pub events: EventSettings,
    /// The models, at least one.
    pub glms: Vec<GlmSettings>,
    /// Where the results go.
    pub output: OutputSettings,
}

/// The kind of input; they do not mix.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inputs {
    /// 4-D images.
    Runs(Vec<RunSettings>),
    /// Tables of series.
    Timeseries(Vec<TimeseriesSettings>),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// `[preprocess]`.
#[derive(Debug, Clone, Serialize)]
pub struct PreprocessSettings {
    /// Volumes dropped at the start, with their confound rows; time zero stays the first acquired volume.
    pub discard_volumes: usize,
    /// Full width at half maximum per axis, mm; all 0: none.
    pub smooth_fwhm_mm: [f64; 3],
    /// Whether the smoothed data are normalised by the smoothed mask.
    pub smooth_within_mask: bool,
    /// Scaling.
    pub scaling: Scaling,
}

/// Scaling of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Percent of the voxel's mean.
    VoxelMean,
    /// Percent of the mean over voxels and time.
    GrandMean,
    /// As they are.
    None,
}

/// `[events]`.
#[derive(Debug, Clone, Serialize)]
pub struct EventSettings {
    /// Column that names the condition.
    pub condition_column: Located<String>,
    /// Conditions left out of the model.
    pub ignore: Vec<Located<String>>,
    /// A row without a condition.
    pub missing_condition_label: RowPolicy,
    /// A row without a duration.
    pub missing_duration: MissingDuration,
    /// A row whose onset is outside the run.
    pub outside_run: RowPolicy,
    /// Rows of equal onset and condition.
    pub duplicates: DuplicatePolicy,
}

/// What becomes of an odd row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowPolicy {
    /// It is an error.
    Error,
    /// It is left out, and counted in a warning.
    Drop,
}

/// What becomes of a row without a duration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingDuration {
    /// It is an error.
    Error,
    /// This many seconds (0 for `zero`).
    Seconds(f64),
}

/// What becomes of rows of equal onset and condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicatePolicy {
    /// They are an error.
    Error,
    /// Their amplitudes are summed.
    Sum,
}

/// `[confounds]`, resolved for one model.
#[derive(Debug, Clone, Serialize)]
pub struct ConfoundSettings {
    /// Globs of the columns taken.
    pub columns: Vec<Located<String>>,
    /// n/a in the first row.
    pub first_row_nan: FirstRowNan,
    /// Censoring.
    pub scrub: Option<ScrubSettings>,
}

/// n/a in the first row of a confound column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstRowNan {
    /// It is an error.
    Error,
    /// It is 0.
    Zero,
    /// It is the second row's value.
    CopyNext,
}

/// Censoring of volumes by fMRIPrep's quality columns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScrubSettings {
    /// Volumes with `framewise_displacement` above this are censored, mm.
    pub fd_mm: Option<f64>,
    /// Volumes with `std_dvars` above this are censored.
    pub std_dvars: Option<f64>,
    /// Runs of kept volumes shorter than this are censored too.
    pub min_segment: usize,
}

/// `[design]`, resolved for one model.
#[derive(Debug, Clone, Serialize)]
pub struct DesignSettings {
    /// The response.
    pub hrf: HrfSettings,
    /// Where in each repetition time a frame is taken to be measured, as a fraction of it.
    pub slice_time_ref: f64,
    /// Whether `slice_time_ref` was stated (a sidecar's `StartTime` that differs is then an error).
    pub slice_time_ref_stated: bool,
    /// Slow drift.
    pub drift: Drift,
    /// What becomes of a contrast that names a condition this run lacks.
    pub when_condition_absent: AbsentCondition,
    /// Parametric modulators.
    pub modulators: Vec<ModulatorSettings>,
}

/// The haemodynamic response of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HrfSettings {
    /// A canonical shape with optional derivatives.
    Canonical {
        /// The shape.
        shape: HrfShape,
        /// Temporal derivative column.
        derivative: bool,
        /// Dispersion derivative column.
        dispersion: bool,
    },
    /// A column per delay; seconds, or scans where `Numerics::fir_delays_in_scans`; empty: 0 to 20 s in steps of the TR.
    Fir {
        /// The delays.
        delays: Vec<f64>,
    },
    /// Piecewise-linear hats.
    Tent {
        /// First knot, seconds after onset.
        start_s: f64,
        /// Last knot.
        stop_s: f64,
        /// Number of knots, ends included.
        knots: usize,
    },
    /// The boxcar itself.
    None,
    /// A response from a table with columns `time_s` and `amplitude`.
    File(Located<PathBuf>),
}

/// A canonical shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HrfShape {
    /// SPM's difference of gammas.
    Spm,
    /// Glover's (1999).
    Glover,
    /// One gamma of mean 6 s and standard deviation 3 s.
    Gamma,
}

/// Slow drift.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drift {
    /// Discrete cosines below a frequency.
    Cosine {
        /// The frequency, Hz.
        high_pass_hz: f64,
    },
    /// Polynomials up to an order.
    Polynomial {
        /// The order.
        order: usize,
    },
    /// A constant alone.
    None,
}

/// What becomes of a contrast that names a condition a run lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AbsentCondition {
    /// It is an error.
    Error,
    /// The run does not enter that contrast.
    SkipRun,
}

/// One `[[design.modulator]]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModulatorSettings {
    /// The condition modulated.
    pub condition: Located<String>,
    /// The column of the event table that modulates.
    pub column: Located<String>,
    /// Whether the condition's mean is subtracted.
    pub center: bool,
}

/// One `[[glm]]`.
#[derive(Debug, Clone, Serialize)]
pub struct GlmSettings {
    /// Its name, also its folder.
    pub name: Located<String>,
    /// Noise model.
    pub noise: Noise,
    /// Combination over runs.
    pub fixed_effects: FixedEffects,
    /// Whether each condition is a contrast too.
    pub condition_contrasts: bool,
    /// Maps written, in a fixed order.
    pub maps: Vec<MapKind>,
    /// Its design.
    pub design: DesignSettings,
    /// Its confounds.
    pub confounds: ConfoundSettings,
    /// Its contrasts.
    pub contrasts: Vec<ContrastSettings>,
}

/// Noise model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// White.
    Ols,
    /// Autoregressive of order 1.
    Ar1,
}

/// Combination over runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixedEffects {
    /// Weighted by inverse variance.
    Precision,
    /// Unweighted mean.
    Mean,
}

/// A map a model can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum MapKind {
    /// Contrast estimate.
    #[serde(rename = "effect")]
    Effect,
    /// Its variance.
    #[serde(rename = "variance")]
    Variance,
    /// t statistic.
    #[serde(rename = "t")]
    T,
    /// F statistic.
    #[serde(rename = "F")]
    F,
    /// z score.
    #[serde(rename = "z")]
    Z,
    /// p value.
    #[serde(rename = "p")]
    P,
    /// Every regression coefficient, 4-D.
    #[serde(rename = "beta")]
    Beta,
    /// Coefficient of determination.
    #[serde(rename = "r2")]
    R2,
    /// Residuals, 4-D.
    #[serde(rename = "residuals")]
    Residuals,
    /// Residual standard deviation.
    #[serde(rename = "sigma")]
    Sigma,
    /// Autoregressive parameter.
    #[serde(rename = "rho")]
    Rho,
}

/// One `[[glm.contrast]]`.
#[derive(Debug, Clone, Serialize)]
pub struct ContrastSettings {
    /// Its name, `[A-Za-z0-9]+`.
    pub name: Located<String>,
    /// t or F.
    pub kind: ContrastKind,
    /// The expressions: one for a t, one a row for an F.
    pub rows: Vec<Located<String>>,
}

/// Kind of a contrast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ContrastKind {
    /// One row, signed.
    #[serde(rename = "t")]
    T,
    /// One or more rows, unsigned.
    #[serde(rename = "F")]
    F,
}

/// `[output]`.
#[derive(Debug, Clone, Serialize)]
pub struct OutputSettings {
    /// The folder.
    pub dir: PathBuf,
    /// gzip level of maps.
    pub compression_level: u32,
}
