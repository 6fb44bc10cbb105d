//! The pipeline resolved: every key present, profile and per-model overrides applied.
//!
//! Paths are absolute or relative to the working directory (the pipeline file's folder already joined).

mod ar_order;
mod bids;
mod calibrate;
mod confounds;
mod deconvolve;
mod filters;
mod inputs;
mod threshold;

pub use ar_order::*;
pub use bids::*;
pub use calibrate::*;
pub use confounds::*;
pub use deconvolve::*;
pub use filters::*;
pub use inputs::*;
pub use threshold::*;

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
    /// The dataset whose runs the plan puts into `inputs`, from where on they are as if each had been written.
    #[serde(skip)]
    pub bids: Option<BidsSettings>,
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
    /// The general linear models.
    pub glms: Vec<GlmSettings>,
    /// The deconvolutions. What there is none of leaves no trace in digests, so that older results stand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deconvolutions: Vec<DeconvolutionSettings>,
    /// The plain convolutions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub convolutions: Vec<ConvolveSettings>,
    /// The firing rates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<RateSettings>,
    /// Checks of the inference; no result depends on them.
    #[serde(skip)]
    pub calibrate: CalibrateSettings,
    /// Where the results go.
    pub output: OutputSettings,
}

/// What a model of series says of design and confounds, be it a GLM or a deconvolution.
#[derive(Debug, Clone, Copy)]
pub struct SeriesModel<'a> {
    /// Its name.
    pub name: &'a Located<String>,
    /// Its design.
    pub design: &'a DesignSettings,
    /// Its confounds.
    pub confounds: &'a ConfoundSettings,
}

impl Settings {
    /// Every model of series: the GLMs, then the deconvolutions.
    pub fn series_models(&self) -> impl Iterator<Item = SeriesModel<'_>> {
        let glms = self.glms.iter();
        let glms = glms.map(|glm| SeriesModel { name: &glm.name, design: &glm.design, confounds: &glm.confounds });
        let deconvolutions = self.deconvolutions.iter().map(|model| SeriesModel {
            name: &model.name,
            design: &model.design,
            confounds: &model.confounds,
        });
        glms.chain(deconvolutions)
    }

    /// Names of everything that has a folder of results.
    pub fn model_names(&self) -> impl Iterator<Item = &Located<String>> {
        let others = self.convolutions.iter().map(|model| &model.name);
        let rates = self.rates.iter().map(|model| &model.name);
        self.series_models().map(|model| model.name).chain(others).chain(rates)
    }
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DuplicatePolicy {
    /// They are an error.
    Error,
    /// Their amplitudes are summed.
    Sum,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// Thresholds of their maps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<ThresholdSettings>,
}

impl GlmSettings {
    /// Whether a threshold depends on its residuals.
    pub fn needs_residuals(&self) -> bool {
        self.thresholds.iter().any(|threshold| threshold.height.needs_residuals())
    }
}

/// Noise model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// White.
    Ols,
    /// Autoregressive of order 1.
    Ar1,
    /// Autoregressive and moving average, both of order 1, by restricted maximum likelihood in each voxel.
    Arma11,
    /// Autoregressive, as long as 16 s, autocovariances pooled between neighbouring voxels of like spectra.
    PooledAr,
    /// One covariance for all voxels of a run, as SPM's AR(1): two components about a coefficient of .2, by restricted maximum
    /// likelihood from the pooled residuals of the voxels that respond (F of the effects of interest, p < .001; it is an error
    /// where none does). Take it to set results beside SPM's. Where the noise differs between voxels, or is no AR(1) of little
    /// memory, its p values are not calibrated. Columns of tables and means of regions are pooled likewise.
    GlobalAr1,
    /// Autoregressive, of order the root of the number of frames, from autocorrelations under a Tukey window, uncorrected and
    /// each voxel's own: FSL FILM's estimate without its smoothing in space.
    TukeyAr,
    /// Autoregressive of this order, each voxel's own.
    #[serde(untagged)]
    Ar(ArOrder),
}

impl Noise {
    /// Whether its estimate needs the samples of a run, not only sums over time.
    pub const fn needs_samples(self) -> bool {
        match self {
            Self::Ols | Self::Ar1 => false,
            Self::Arma11 | Self::PooledAr | Self::GlobalAr1 | Self::TukeyAr | Self::Ar(_) => true,
        }
    }

    /// The model for columns with neighbours, or for those that have none, such as columns of tables and means of regions.
    #[must_use]
    pub const fn of_support(self, has_neighbours: bool) -> Self {
        match self {
            Self::PooledAr if !has_neighbours => Self::Arma11,
            other => other,
        }
    }
}

/// Combination over runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FixedEffects {
    /// Weighted by inverse variance.
    Precision,
    /// Unweighted mean.
    Mean,
}

/// A map a model can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// Degrees of freedom of the statistic, of an F those of its denominator.
    #[serde(rename = "dof")]
    Dof,
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
    /// Autocorrelation of the noise, a repetition time apart.
    #[serde(rename = "rho")]
    Rho,
    /// Autoregressive coefficient of `arma11`.
    #[serde(rename = "a")]
    ArmaA,
    /// Moving average coefficient of `arma11`.
    #[serde(rename = "b")]
    ArmaB,
    /// Ljung-Box statistic of the whitened residuals.
    #[serde(rename = "whiteness")]
    Whiteness,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether reports are made. No result follows from it, so it is not said where results are.
    #[serde(skip)]
    pub report: bool,
}
