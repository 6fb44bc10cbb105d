//! Noise models: what they measure on the residuals, and the parameters that follow.

mod ar1;
mod ols;

use super::sums::Residuals;
use crate::config::{GapRule, Noise, Numerics};
use crate::inputs::{Support, Timing};
use ndarray::{Array2, ArrayViewMut2};

/// A model of the noise of one run.
///
/// Blocks of columns are measured in parallel, then the whole field of measures is seen once, so that voxels
/// may share what they know, then it is turned into parameters. CONTRIBUTING.md
/// says what a new model takes.
pub(crate) trait NoiseModel: Send + Sync {
    /// Numbers measured on each column; 0: the model needs no look at the residuals.
    fn n_measures(&self) -> usize;

    /// Measures the residuals of ordinary least squares into `measures` (measure x column).
    fn measure(&self, residuals: &Residuals, measures: ArrayViewMut2<'_, f64>);

    /// Shares the measures (measure x column of the whole run) between neighbours; by default they are left alone.
    fn pool(&self, _measures: &mut Array2<f64>, _support: &Support) {}

    /// Turns the measures of the whole run into parameters.
    fn settle(&self, measures: &Array2<f64>) -> NoiseField;
}

/// Noise parameters of every column of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum NoiseField {
    /// White noise.
    White,
    /// AR(1), the coefficient one of a few.
    Binned {
        /// Distinct coefficients, ascending.
        values: Vec<f64>,
        /// Index into `values` of each column.
        index: Vec<u32>,
    },
    /// AR(1), each column its own coefficient.
    PerColumn(Vec<f64>),
}

impl NoiseField {
    /// The AR(1) coefficient of a column; 0 for white noise.
    pub fn rho(&self, column: usize) -> f64 {
        match self {
            Self::White => 0.0,
            Self::Binned { values, index } => values[index[column] as usize],
            Self::PerColumn(rho) => rho[column],
        }
    }

    /// The coefficients that columns share, and which of them a column has; `None`: each its own.
    pub(crate) fn shared(&self) -> Option<(&[f64], &[u32])> {
        match self {
            Self::White => Some((&[0.0], &[])),
            Self::Binned { values, index } => Some((values, index)),
            Self::PerColumn(_) => None,
        }
    }
}

/// Lags between the kept frames as the profile counts them.
pub(crate) fn model_lags(timing: &Timing, gaps: GapRule) -> Vec<usize> {
    match gaps {
        GapRule::TrueLag => timing.lags(),
        GapRule::Bridged => vec![1; timing.n_kept().saturating_sub(1)],
    }
}

/// The model a pipeline names, for frames `lags` apart.
pub(crate) fn model_of(noise: Noise, lags: &[usize], numerics: &Numerics) -> Box<dyn NoiseModel> {
    match noise {
        Noise::Ols => Box::new(ols::Ols),
        Noise::Ar1 => Box::new(ar1::Ar1::new(lags, numerics)),
    }
}
