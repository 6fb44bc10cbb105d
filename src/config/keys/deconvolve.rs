//! `[[deconvolve]]`: from measured signals back to the activity behind them.

use super::{ConfoundsConfig, DesignConfig};
use crate::config::placed::{Placed, TextOr};
use crate::config::{DeconvolutionMap, Method, Penalty, SparseEstimate};
use schemars::JsonSchema;
use serde::Deserialize;

/// `[[deconvolve]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeconvolveConfig {
    /// Name of the deconvolution and of its folder, letters and digits, unique ignoring case among all models.
    #[schemars(required, regex(pattern = "^[A-Za-z0-9]+$"))]
    pub name: Option<Placed<String>>,
    /// What is assumed of the activity.
    pub method: Option<Placed<Method>>,
    /// What activity is convolved with: `hrf`, the response of `[design]` (its canonical part, scaled to a peak of 1);
    /// `{ file = "kernel.tsv" }`, a table with columns `time_s` and `amplitude`, used as it stands; or the decay of a calcium
    /// indicator, `{ ar = 1 }` or `{ ar = 2 }` estimated from each column, or `{ tau_decay_s = 0.7, tau_rise_s = 0.05 }`.
    pub kernel: Option<Placed<TextOr<KernelWord, KernelTable>>>,
    /// Weight of the penalty: chosen for each column, or `{ fixed = 0.3 }`. `auto` is `gcv` for `ridge`, `bic` for `spike` and
    /// `block`, `evidence` for `peb`; for a calcium kernel, one standard deviation of the noise as the response to one spike
    /// sees it.
    pub lambda: Option<Placed<TextOr<LambdaWord, LambdaFixed>>>,
    /// What `ridge` penalises.
    pub penalty: Option<Placed<Penalty>>,
    /// Whether activity is at least 0, for `spike`. Calcium kernels always have it so.
    pub nonnegative: Option<Placed<bool>>,
    /// What `spike` and `block` report; for `auto` it is `averaged` where the key is not given. `averaged` is nearer to the truth
    /// and takes some ten times as long.
    pub estimate: Option<Placed<SparseEstimate>>,
    /// Weight of half the squared coefficients beside `lambda` times their absolute values, for `spike` and `block` (elastic
    /// net, Zou and Hastie 2005, doi 10.1111/j.1467-9868.2005.00503.x).
    #[schemars(range(min = 0.0, max = 1_000.0))]
    pub elastic_net: Option<Placed<f64>>,
    /// For a calcium kernel: window of a running percentile that is taken off first, seconds, where the baseline drifts.
    /// Without it the baseline is a constant.
    #[schemars(range(max = 1_000_000.0), extend("exclusiveMinimum" = 0))]
    pub baseline_window_s: Option<Placed<f64>>,
    /// Activity samples in each repetition time.
    #[schemars(range(min = 1, max = 32))]
    pub upsample: Option<Placed<usize>>,
    /// The noise: `white`; `from-glm:NAME`, the autocorrelation that a GLM of this pipeline found on its residuals;
    /// `{ rho = 0.3 }`; or `evidence`, which chooses it together with `lambda` by the likelihood of the data. It is never
    /// estimated from data that still hold the signal: `from-glm` is for runs whose events explain the activity.
    pub noise: Option<Placed<TextOr<NoiseText, NoiseRho>>>,
    /// `false`: the data of this model are not smoothed, whatever `[preprocess] smooth_fwhm_mm` says.
    pub smooth: Option<Placed<bool>>,
    /// What is written: 4-D images and maps of voxels, tables of columns and regions.
    #[schemars(length(min = 1))]
    pub maps: Option<Vec<Placed<DeconvolutionMap>>>,
    /// Pictures of data, fit and activity: names of table columns or regions, or voxels as `[i, j, k]` from 0.
    pub figures: Option<Vec<Placed<TextOr<String, VoxelIndex>>>>,
    /// Overrides `[design]` for this model, key by key: the response and the drift.
    #[serde(default)]
    pub design: DesignConfig,
    /// Overrides `[confounds]` for this model, key by key.
    #[serde(default)]
    pub confounds: ConfoundsConfig,
    /// A psychophysiological interaction: regressors made from the activity of a table's columns or of regions.
    #[serde(default)]
    pub ppi: Vec<Placed<PpiConfig>>,
}

/// `deconvolve.kernel` as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KernelWord {
    /// The response of the design.
    Hrf,
}

/// `deconvolve.kernel` as a table: one form of it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct KernelTable {
    /// A table with columns `time_s` and `amplitude`.
    #[schemars(length(min = 1))]
    pub file: Option<Placed<String>>,
    /// Order of the calcium dynamics, whose coefficients are estimated.
    #[schemars(range(min = 1, max = 2))]
    pub ar: Option<usize>,
    /// Time constant of the rise of calcium, seconds.
    #[schemars(range(max = 1000.0), extend("exclusiveMinimum" = 0))]
    pub tau_rise_s: Option<f64>,
    /// Time constant of the decay of calcium, seconds.
    #[schemars(range(max = 1000.0), extend("exclusiveMinimum" = 0))]
    pub tau_decay_s: Option<f64>,
}

/// `deconvolve.lambda` as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LambdaWord {
    /// What suits the method.
    Auto,
    /// Generalised cross-validation (Golub, Heath and Wahba 1979, doi 10.1080/00401706.1979.10489751).
    Gcv,
    /// The marginal likelihood of the data (empirical Bayes).
    Evidence,
    /// The Bayesian information criterion along the path of solutions.
    Bic,
    /// SPM's rule for `peb`: a noise variance of 1/4, whatever the data.
    Spm,
    /// From the noise of the data's finest scale, by its median absolute deviation.
    Mad,
    /// For a calcium kernel: the residual is as large as the noise (Friedrich, Zhou and Paninski 2017, doi
    /// 10.1371/journal.pcbi.1005423).
    NoiseLevel,
}

/// `deconvolve.lambda = { fixed = … }`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct LambdaFixed {
    /// The weight.
    #[schemars(required, range(max = 1e12), extend("exclusiveMinimum" = 0))]
    pub fixed: Option<f64>,
}

/// `deconvolve.noise` as text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct NoiseText(#[schemars(regex(pattern = r"^(white|evidence|from-glm:[A-Za-z0-9]+)$"))] pub String);

/// `deconvolve.noise = { rho = … }`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct NoiseRho {
    /// Autocorrelation of neighbouring samples.
    #[schemars(required, extend("exclusiveMinimum" = -1, "exclusiveMaximum" = 1))]
    pub rho: Option<f64>,
}

/// Indices of a voxel along the image's axes, from 0.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct VoxelIndex(#[schemars(length(min = 3, max = 3), inner(range(max = 100_000)))] pub Vec<usize>);

/// `[[deconvolve.ppi]]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PpiConfig {
    /// Name of the interaction in file names, letters and digits, unique ignoring case within its model.
    #[schemars(required, regex(pattern = "^[A-Za-z0-9]+$"))]
    pub name: Option<Placed<String>>,
    /// Conditions that count for the interaction.
    #[schemars(required, length(min = 1))]
    pub plus: Option<Vec<Placed<String>>>,
    /// Conditions that count against it.
    pub minus: Option<Vec<Placed<String>>>,
}
