//! The fit of one run: every column of the data against one design.

use super::gls::Gls;
use super::moments::Moments;
use super::noise::NoiseField;
use super::problem::ModelError;
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
    /// Variance of the noise of each column: of white noise, or of the innovations of AR(1).
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
    pub(super) gls: Option<Gls>,
}

impl RunFit {
    /// Number of columns of the data.
    pub fn n_columns(&self) -> usize {
        self.sigma2.len()
    }

    /// AR(1) coefficient of each column; `None` for white noise.
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

/// Fits `design` to every column of `series`, scaled by `scaler`: [`Moments`] fed from memory.
///
/// Ordinary least squares, or generalised least squares under AR(1) with the coefficient estimated from the
/// residuals of the former. A design without full rank is fitted by its column space; of its coefficients those
/// of least norm are given.
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
    Moments::of_series(series, scaler, design, noise, numerics, cancel)?.fit(&series.support, scaler, cancel)
}
