//! `[[deconvolve]]`, resolved.

use super::{ConfoundSettings, DesignSettings};
use crate::config::Located;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One `[[deconvolve]]`.
#[derive(Debug, Clone, Serialize)]
pub struct DeconvolutionSettings {
    /// Its name, also its folder.
    pub name: Located<String>,
    /// What is assumed of the activity.
    pub method: Method,
    /// What activity is convolved with.
    pub kernel: KernelSettings,
    /// How the weight of the penalty is chosen.
    pub lambda: LambdaChoice,
    /// What `ridge` penalises.
    pub penalty: Penalty,
    /// Whether activity is at least 0.
    pub nonnegative: bool,
    /// What sparse methods report.
    pub estimate: SparseEstimate,
    /// Weight of half the squares beside lambda times the absolute values.
    pub elastic_net: f64,
    /// Window of the running baseline of fluorescence, seconds; `None`: a constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_window_s: Option<f64>,
    /// Activity samples in each repetition time.
    pub upsample: usize,
    /// The noise.
    pub noise: ActivityNoise,
    /// Whether the data are smoothed as `[preprocess]` says.
    pub smooth: bool,
    /// What is written, in a fixed order.
    pub maps: Vec<DeconvolutionMap>,
    /// What is drawn.
    pub figures: Vec<FigureOf>,
    /// Response and drift.
    pub design: DesignSettings,
    /// Confounds.
    pub confounds: ConfoundSettings,
    /// Interactions of activity and conditions.
    pub ppis: Vec<PpiSettings>,
}

/// A method of deconvolution: what it assumes of the activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Gaussian activity of one variance, or with small differences: least squares with a penalty on squares.
    Ridge,
    /// The Wiener filter: white activity in white noise, the ratio of their variances by moments.
    Wiener,
    /// Few events: least squares with a penalty on absolute values (LASSO), refitted without it.
    Spike,
    /// Few changes of a sustained level: the same on the differences of neighbours.
    Block,
    /// The deconvolution behind psychophysiological interactions: a Gaussian prior on a cosine basis (Gitelman et al. 2003,
    /// doi 10.1016/S1053-8119(03)00058-2).
    Peb,
    /// Whichever of `ridge`, `ridge` with a smooth penalty, `spike` and `block` makes the data likeliest, around a voxel or of a
    /// column.
    Auto,
}

/// What `ridge` penalises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Penalty {
    /// Activity itself.
    Identity,
    /// What an autoregression with a correlation of .8 over 2 s would have to be driven by: between the other two.
    Smooth,
    /// Differences of neighbours: a level costs nothing.
    FirstDifference,
    /// Differences of those: a slope costs nothing.
    SecondDifference,
}

/// What `spike` and `block` report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SparseEstimate {
    /// Least squares on the events or changes chosen, without the penalty.
    Refitted,
    /// The mean over sets of events or changes, each weighed by how likely the data make it.
    Averaged,
    /// The penalised estimate: sizes are drawn towards 0.
    Shrunken,
}

/// What activity is convolved with.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KernelSettings {
    /// The canonical part of the design's response, peak 1.
    Hrf,
    /// A table with columns `time_s` and `amplitude`, as it stands.
    File(Located<PathBuf>),
    /// Calcium dynamics of this order, estimated from each column.
    Calcium {
        /// 1: decay; 2: rise and decay.
        order: usize,
    },
    /// Calcium dynamics with these time constants.
    TimeConstants {
        /// Of the rise, seconds; `None`: at once.
        tau_rise_s: Option<f64>,
        /// Of the decay, seconds.
        tau_decay_s: f64,
    },
}

impl KernelSettings {
    /// Whether it is the dynamics of a calcium indicator.
    pub fn is_calcium(&self) -> bool {
        matches!(self, Self::Calcium { .. } | Self::TimeConstants { .. })
    }
}

/// How the weight of the penalty is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LambdaChoice {
    /// Generalised cross-validation.
    Gcv,
    /// The marginal likelihood of the data.
    Evidence,
    /// SPM's fixed variances (`peb`).
    Spm,
    /// The Bayesian information criterion.
    Bic,
    /// The noise of the data's finest scale.
    Mad,
    /// One standard deviation of the noise, as the response to one spike sees it (calcium).
    Threshold,
    /// A residual as large as the noise (calcium).
    NoiseLevel,
    /// Variances of signal and noise by moments (`wiener`).
    Moments,
    /// As each candidate does by default (`auto`).
    Each,
    /// This weight.
    Fixed(f64),
}

/// The noise of the data that are deconvolved.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivityNoise {
    /// White.
    White,
    /// AR(1) with the coefficient a GLM found in each column.
    FromGlm(Located<String>),
    /// AR(1) with this coefficient.
    Rho(f64),
    /// AR(1) with the coefficient under which the data are likeliest.
    Evidence,
}

/// What a deconvolution can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeconvolutionMap {
    /// The estimated activity, a series.
    Activity,
    /// Activity convolved with the kernel, plus drift and confounds: what the data should have been, a series.
    Fitted,
    /// Standard error of each activity sample, a series.
    StandardError,
    /// Weight of the penalty.
    Lambda,
    /// Standard deviation of the noise; of the innovations where it is autocorrelated.
    Sigma,
    /// Autocorrelation of the noise.
    Rho,
    /// Effective degrees of freedom of the activity.
    Dof,
    /// Share of the variance of frames left out of the fit that it predicts, over five folds.
    HeldOutR2,
    /// The method `auto` chose: 1 ridge, 2 smooth ridge, 3 spike, 4 block.
    Method,
}

/// What a picture is of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FigureOf {
    /// A column of a table, or a region.
    Named(Located<String>),
    /// A voxel, by its indices.
    Voxel(Located<[usize; 3]>),
}

/// One `[[deconvolve.ppi]]`.
#[derive(Debug, Clone, Serialize)]
pub struct PpiSettings {
    /// Its name.
    pub name: Located<String>,
    /// Conditions of weight 1.
    pub plus: Vec<Located<String>>,
    /// Conditions of weight -1.
    pub minus: Vec<Located<String>>,
}
