//! What a profile fixes that is no key of the pipeline file: one table per profile.
//!
//! A stage never asks which profile is active; it is handed the choice it needs from here.

use serde::{Deserialize, Serialize};

/// A named set of defaults and numerics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// boldly's own numerics: exact convolution, unbinned noise parameters, exact statistics.
    Native,
    /// The numbers of nilearn 0.14, digit for digit where its arithmetic allows.
    Nilearn,
}

/// How events are convolved with the haemodynamic response.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convolution {
    /// In continuous time, at the exact onsets and durations, by the response's own integral; the response has unit
    /// area, a boxcar height 1, an event of no duration area 1 s.
    Exact,
    /// On a grid of `per_tr` samples a repetition time that starts `min_onset_s` before the first frame;
    /// linear interpolation at the frame times. The response's samples sum to 1, a boxcar has height 1, an event of
    /// no duration is one sample of height 1.
    Oversampled {
        /// Samples a repetition time.
        per_tr: usize,
        /// First grid time relative to the first frame, seconds (negative).
        min_onset_s: f64,
    },
}

/// How a noise parameter is shared between voxels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RhoRule {
    /// Each voxel keeps its own.
    PerVoxel,
    /// Truncated toward zero to a multiple of `1 / bins`.
    Truncated {
        /// Bins a unit of rho.
        bins: u32,
    },
}

/// What whitening does with the first sample of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstSample {
    /// Scaled by sqrt(1 - rho^2): exact whitening.
    Scaled,
    /// Kept as it is.
    Unscaled,
}

/// What whitening does across censored volumes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapRule {
    /// The true lag counts: correlation rho^k over k repetition times.
    TrueLag,
    /// The frames beside a gap are treated as neighbours.
    Bridged,
}

/// Divisor of the residual sum of squares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VarianceDivisor {
    /// Samples minus rank of the design.
    ResidualDof,
    /// Samples minus number of columns, whatever the rank.
    SamplesMinusColumns,
}

/// F over several runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FOverRuns {
    /// Wald statistic of the combined effects with their combined covariance.
    PooledWald,
    /// Sum of each run's whitened effects and variances.
    SummedWhitened,
}

/// Which p a t map holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PValueSides {
    /// P(|T| > |t|).
    TwoSided,
    /// P(T > t).
    UpperTail,
}

/// Variance of a fixed effect over runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixedEffectsVariance {
    /// Corrected for the uncertainty of the weights (Meier 1953, doi 10.2307/3001633); dof by Satterthwaite for `mean`.
    Corrected,
    /// The plain formula; dof summed.
    Plain,
}

/// The parameters among which the likeliest ARMA(1,1) process of a voxel is looked for: a from 0, b from minus `largest`, in
/// steps of .1, where neighbours in time do not correlate negatively; then between those points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Arma11Grid {
    /// Largest parameter, in steps of .1.
    pub largest_steps: u32,
    /// Parts of a step that what is found is rounded to; 1: the points of the grid alone, searched as AFNI searches them.
    pub parts: u32,
}

impl Arma11Grid {
    /// That of AFNI's 3dREMLfit as it is by default.
    pub const AFNI: Self = Self { largest_steps: 8, parts: 1 };
}

/// Arithmetic of the voxel-mean scaling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScalingArithmetic {
    /// 100 y / mean - 100, exact in f64 until the division is applied to the statistics.
    Double,
    /// 100 (y / max(mean, 1) - 1) rounded to f32, as nilearn computes on integer images.
    SingleWithFloor,
}

/// Everything a profile fixes that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Numerics {
    /// Convolution of events with the response.
    pub convolution: Convolution,
    /// Sharing of rho between voxels.
    pub rho: RhoRule,
    /// ARMA(1,1) parameters that are tried.
    pub arma11_grid: Arma11Grid,
    /// First sample under whitening.
    pub first_sample: FirstSample,
    /// Whitening across censored volumes.
    pub gaps: GapRule,
    /// Divisor of the residual sum of squares.
    pub variance_divisor: VarianceDivisor,
    /// Smallest variance a statistic divides by.
    pub variance_floor: f64,
    /// F over runs.
    pub f_over_runs: FOverRuns,
    /// Which p a t map holds.
    pub p_sides: PValueSides,
    /// Bounds `(smallest, largest)` that p and 1 - p are clipped to before z is taken; `None`: no clipping, the tail is exact.
    pub p_clip: Option<(f64, f64)>,
    /// Variance of fixed effects.
    pub fixed_effects_variance: FixedEffectsVariance,
    /// Arithmetic of voxel-mean scaling.
    pub scaling_arithmetic: ScalingArithmetic,
    /// Whether FIR delays are counted, and their columns numbered, in scans rather than seconds.
    pub fir_delays_in_scans: bool,
    /// Whether derivative columns are orthogonalised to those before them within a condition.
    pub orthogonalise_within_condition: bool,
    /// Whether a sidecar's `StartTime` sets the frame times.
    pub start_time_from_sidecar: bool,
}

impl Numerics {
    /// The numerics of a profile.
    pub const fn of(profile: Profile) -> Self {
        match profile {
            Profile::Native => Self {
                convolution: Convolution::Exact,
                rho: RhoRule::PerVoxel,
                arma11_grid: Arma11Grid { largest_steps: 9, parts: 5 },
                first_sample: FirstSample::Scaled,
                gaps: GapRule::TrueLag,
                variance_divisor: VarianceDivisor::ResidualDof,
                variance_floor: 0.0,
                f_over_runs: FOverRuns::PooledWald,
                p_sides: PValueSides::TwoSided,
                p_clip: None,
                fixed_effects_variance: FixedEffectsVariance::Corrected,
                scaling_arithmetic: ScalingArithmetic::Double,
                fir_delays_in_scans: false,
                orthogonalise_within_condition: false,
                start_time_from_sidecar: true,
            },
            Profile::Nilearn => Self {
                convolution: Convolution::Oversampled { per_tr: 50, min_onset_s: -24.0 },
                rho: RhoRule::Truncated { bins: 100 },
                arma11_grid: Arma11Grid { largest_steps: 9, parts: 5 },
                first_sample: FirstSample::Unscaled,
                gaps: GapRule::Bridged,
                variance_divisor: VarianceDivisor::SamplesMinusColumns,
                variance_floor: 1e-50,
                f_over_runs: FOverRuns::SummedWhitened,
                p_sides: PValueSides::UpperTail,
                p_clip: Some((1e-300, 1.0 - 1e-16)),
                fixed_effects_variance: FixedEffectsVariance::Plain,
                scaling_arithmetic: ScalingArithmetic::SingleWithFloor,
                fir_delays_in_scans: true,
                orthogonalise_within_condition: true,
                start_time_from_sidecar: false,
            },
        }
    }
}
