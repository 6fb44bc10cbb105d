//! `[[rate]]` and `[[convolve]]`, resolved.

use crate::config::Located;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One `[[rate]]`.
#[derive(Debug, Clone, Serialize)]
pub struct RateSettings {
    /// Its name, also its folder.
    pub name: Located<String>,
    /// Width of a bin, seconds.
    pub bin_s: Located<f64>,
    /// What spikes are convolved with.
    pub kernel: RateKernel,
    /// Its width, seconds.
    pub sigma_s: Located<f64>,
}

/// What spikes are convolved with to give a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RateKernel {
    /// Equal weights over a width.
    Box,
    /// A Gaussian to both sides.
    Gaussian,
    /// The later half of a Gaussian: a rate does not rise before its spikes.
    HalfGaussian,
    /// An exponential decay after each spike.
    Exponential,
}

/// One `[[convolve]]`.
#[derive(Debug, Clone, Serialize)]
pub struct ConvolveSettings {
    /// Its name, also its folder.
    pub name: Located<String>,
    /// The kernel.
    pub kernel: ConvolveKernel,
    /// The weight at no delay, counted from 0; `None`: the middle one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub centre: Option<Located<usize>>,
    /// Which part is kept.
    pub mode: ConvolveMode,
    /// What lies beyond the ends.
    pub edge: ConvolveEdge,
    /// Columns that are drawn.
    pub figures: Vec<Located<String>>,
}

/// A kernel of `[[convolve]]`, in samples or voxels.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConvolveKernel {
    /// Equal weights of sum 1.
    Box(usize),
    /// A Gaussian of this standard deviation, sum 1.
    Gaussian(f64),
    /// These weights.
    Weights(Vec<f64>),
    /// The column `weight` of a table.
    File(Located<PathBuf>),
}

/// Which part of a convolution of n samples with m is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConvolveMode {
    /// Where kernel and signal overlap at all: n + m - 1 samples.
    Full,
    /// Where the kernel lies within the signal: n - m + 1 samples.
    Valid,
    /// The middle n samples.
    Same,
}

/// What is taken to lie beyond the ends of a signal `a b c d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConvolveEdge {
    /// Zeros.
    Zero,
    /// The signal mirrored: `b a | a b c d | d c`.
    Reflect,
    /// The last sample: `a a | a b c d | d d`.
    Nearest,
    /// The signal again: `c d | a b c d | a b`.
    Wrap,
}
