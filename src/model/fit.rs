//! The fit of one run: every column of the data against one design.

use super::moments::Moments;
use super::noise::{NoiseField, sampled};
use super::precision::Precision;
use super::problem::ModelError;
use super::run_basis::RunBasis;
use super::sampled_fit;
use crate::config::{Noise, Numerics};
use crate::design::RunDesign;
use crate::error::CancelToken;
use crate::preprocess::{Scaler, Series};
use ndarray::Array2;

/// Coefficients, variance and noise parameters of every column of a run.
///
/// No covariance is held: [`super::UnitCovariance`] rebuilds that of a contrast from the noise parameters.
#[derive(Debug, Clone)]
pub struct RunFit {
    /// How messages call the run.
    pub run: String,
    /// Regressor x column, in units of the scaled data per unit of the regressor.
    pub beta: Array2<f64>,
    /// Variance of the noise of each column: of white noise, or of the innovations of a process.
    pub sigma2: Vec<f64>,
    /// Noise parameters of each column.
    pub noise: NoiseField,
    /// Share of the variance about the mean that the fitted values explain: `1 - RSS / TSS`, both unwhitened;
    /// 0 where the data do not vary.
    pub r2: Vec<f64>,
    /// Residual degrees of freedom: frames minus rank.
    pub dof: f64,
    /// Rank of the design.
    pub rank: usize,
    pub(super) to_coefficients: Array2<f64>,
    pub(super) precision: Precision,
}

impl RunFit {
    /// Number of columns of the data.
    pub fn n_columns(&self) -> usize {
        self.sigma2.len()
    }

    /// Correlation of each column's noise between neighbouring frames (of AR(1) its coefficient); `None` for white noise.
    pub fn rho(&self) -> Option<Vec<f64>> {
        match &self.noise {
            NoiseField::White => None,
            field => Some((0..self.n_columns()).map(|column| field.rho(column)).collect()),
        }
    }

    /// Standard deviation of the noise of each column: the root of `sigma2`.
    pub fn sigma(&self) -> Vec<f64> {
        self.sigma2.iter().map(|variance| variance.sqrt()).collect()
    }
}

/// Fits `design` to every column of `series`, scaled by `scaler`.
///
/// Ordinary least squares, or generalised least squares under the noise model's process, estimated from the residuals of the
/// former. A design without full rank is fitted by its column space; of its coefficients those of least norm are given.
///
/// # Errors
/// [`ModelError`]: no residual degrees of freedom, a design that is not finite or of other frames, interruption.
pub fn fit_run(
    series: &Series,
    scaler: &Scaler,
    design: &RunDesign,
    noise: Noise,
    numerics: &Numerics,
    cancel: &CancelToken,
) -> Result<RunFit, ModelError> {
    let run = RunBasis::new(design, numerics)?;
    if let Some(noise) = sampled(noise, &run.basis.q, &run.lags, design.timing.tr_s, numerics) {
        return sampled_fit::fit(series, scaler, design, &run, noise.as_ref(), cancel);
    }
    Moments::of_series(series, scaler, design, noise, numerics, cancel)?.fit(scaler, cancel)
}
