//! `[preprocess]`, `[events]` and `[design]`: what holds for every model unless it says otherwise.

use crate::config::placed::{PerAxis, Placed, TextOr};
use crate::config::{AbsentCondition, DuplicatePolicy, RowPolicy, Scaling};
use schemars::JsonSchema;
use serde::Deserialize;

/// `[preprocess]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreprocessConfig {
    /// Volumes dropped at the start of each run, with their confound rows. No onset is shifted: time zero stays the
    /// start of the first acquired volume.
    #[schemars(range(max = 1_000_000))]
    pub discard_volumes: Option<usize>,
    /// Full width at half maximum of the Gaussian kernel, mm; one number or `[x, y, z]` along the image's axes; 0 is none.
    pub smooth_fwhm_mm: Option<Placed<PerAxis>>,
    /// Whether smoothing stays within the mask: the smoothed data are divided by the smoothed mask, so that nothing bleeds
    /// across its edge.
    pub smooth_within_mask: Option<Placed<bool>>,
    /// Unit of the data in the model. For `[[timeseries]]` the default is `none` in every profile.
    pub scaling: Option<Scaling>,
}

/// `[events]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsConfig {
    /// Column of the event table that names the condition.
    #[schemars(length(min = 1))]
    pub condition_column: Option<Placed<String>>,
    /// Conditions left out of the model, so that they are baseline.
    pub ignore: Option<Vec<Placed<String>>>,
    /// What becomes of a row whose condition is n/a.
    pub missing_condition_label: Option<RowPolicy>,
    /// What becomes of a row whose duration is n/a: refused, an impulse, or this many seconds.
    pub missing_duration: Option<TextOr<MissingDurationWord, DurationSeconds>>,
    /// What becomes of a row whose onset is outside the run.
    pub outside_run: Option<RowPolicy>,
    /// What becomes of rows with the same onset and condition.
    pub duplicates: Option<DuplicatePolicy>,
}

/// `events.missing_duration` as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MissingDurationWord {
    /// It is an error.
    Error,
    /// It is an impulse.
    Zero,
}

/// A duration, seconds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct DurationSeconds(#[schemars(range(min = 0.0, max = 86_400.0))] pub f64);

/// `[design]`, also `[glm.design]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DesignConfig {
    /// The haemodynamic response: `spm`, `glover` (1999, doi 10.1006/nimg.1998.0419) or `gamma` (mean 6 s, standard
    /// deviation 3 s), each also with ` + derivative` or ` + derivative + dispersion` (Friston et al. 1998,
    /// doi 10.1006/nimg.1997.0306); `fir` (a column a delay), `tent` (piecewise-linear hats), `none` (the boxcar itself), or
    /// `{ file = "hrf.tsv" }`, a table with columns `time_s` and `amplitude`.
    pub hrf: Option<Placed<TextOr<HrfText, HrfFile>>>,
    /// Delays of `fir` after the onset, seconds (scans under profile nilearn); where none are given, 0 to 20 s in steps of
    /// the repetition time.
    #[schemars(inner(range(min = -1000.0, max = 1000.0)))]
    pub fir_delays_s: Option<Placed<Vec<f64>>>,
    /// Knots of `tent`.
    pub tent: Option<Placed<TentConfig>>,
    /// Where in each repetition time a volume is taken to be measured, as a fraction of it: 0 its start, 0.5 its middle. Under
    /// profile native the sidecar's `StartTime` is used where the key is not given.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub slice_time_ref: Option<f64>,
    /// Model of slow drift.
    pub drift: Option<Placed<DriftKind>>,
    /// Highest frequency of the `cosine` drift, Hz: 0.01 leaves changes faster than 100 s.
    #[schemars(range(max = 1_000_000.0), extend("exclusiveMinimum" = 0))]
    pub high_pass_hz: Option<Placed<f64>>,
    /// Highest order of the `polynomial` drift; 1 is a straight line.
    #[schemars(range(max = 20))]
    pub polynomial_order: Option<Placed<usize>>,
    /// What becomes of a contrast that names a condition a run lacks.
    pub when_condition_absent: Option<AbsentCondition>,
    /// A parametric modulator: a column of its own, `face:rt` beside `face`, whose height follows a column of the event table.
    pub modulator: Option<Vec<Placed<ModulatorConfig>>>,
}

/// `design.hrf` as text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct HrfText(
    #[schemars(regex(
        pattern = r"^\s*(fir|tent|none|(spm|glover|gamma)(\s*\+\s*derivative(\s*\+\s*dispersion)?)?)\s*$"
    ))]
    pub String,
);

/// `design.hrf = { file = … }`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct HrfFile {
    /// A table with columns `time_s` and `amplitude`.
    #[schemars(required, length(min = 1))]
    pub file: Option<Placed<String>>,
}

/// `design.tent`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TentConfig {
    /// First knot, seconds after the onset.
    #[schemars(range(min = -1000.0, max = 1000.0))]
    pub start_s: Option<f64>,
    /// Last knot, seconds after the onset.
    #[schemars(range(min = -1000.0, max = 1000.0))]
    pub stop_s: Option<f64>,
    /// Number of knots, both ends included.
    #[schemars(range(min = 2, max = 1000))]
    pub knots: Option<usize>,
}

/// `design.drift`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// Discrete cosines up to `high_pass_hz`.
    Cosine,
    /// Polynomials up to `polynomial_order`.
    Polynomial,
    /// A constant alone.
    None,
}

/// `[[design.modulator]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModulatorConfig {
    /// The condition modulated.
    #[schemars(required, length(min = 1))]
    pub condition: Option<Placed<String>>,
    /// The column of the event table that modulates it.
    #[schemars(required, length(min = 1))]
    pub column: Option<Placed<String>>,
    /// Whether the column's mean over the condition's events is subtracted.
    pub center: Option<bool>,
}
