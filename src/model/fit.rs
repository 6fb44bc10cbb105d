//! The fit of one run: every column of the data against one design.

use super::basis::Basis;
use super::doubt::CovarianceDoubt;
use super::global_covariance;
use super::linalg::product;
use super::moments::Moments;
use super::noise::{Estimator, NoiseField, PooledBy};
use super::precision::Precision;
use super::problem::ModelError;
use super::process::{Arma11, Process};
use super::run_basis::RunBasis;
use super::sampled_fit;
use crate::config::{Noise, Numerics};
use crate::design::RunDesign;
use crate::error::CancelToken;
use crate::preprocess::{BLOCK_COLUMNS, Scaler, Series};
use ndarray::{Array2, ArrayViewMut2, Axis};

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
    /// By what the noise of voxels was pooled, where it was.
    pub pooled_by: Option<PooledBy>,
    pub(super) to_coefficients: Array2<f64>,
    pub(super) precision: Precision,
    /// What is not known of the processes of classes, where the model can tell.
    pub(super) doubt: Option<CovarianceDoubt>,
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

    /// Autoregressive and moving average coefficient of each column's ARMA(1,1) noise; `None` where the noise is another.
    pub fn arma11(&self) -> Option<[Vec<f64>; 2]> {
        let NoiseField::Classes { processes, index } = &self.noise else { return None };
        let of_class = |process: &Process| match process {
            Process::Arma11(Arma11 { a, b }) => Some([*a, *b]),
            Process::Autoregression(_) => None,
        };
        let classes: Vec<[f64; 2]> = processes.iter().map(of_class).collect::<Option<_>>()?;
        Some([0, 1].map(|which| index.iter().map(|&class| classes[class as usize][which]).collect()))
    }

    /// Nothing found yet for a design with this basis.
    pub(super) fn unfitted(run: &str, basis: &Basis, dof: f64, n_columns: usize) -> Self {
        Self {
            run: run.to_owned(),
            beta: Array2::zeros((basis.to_coefficients.nrows(), n_columns)),
            sigma2: vec![0.0; n_columns],
            r2: vec![0.0; n_columns],
            dof,
            rank: basis.rank(),
            noise: NoiseField::White,
            to_coefficients: basis.to_coefficients.clone(),
            precision: Precision::White,
            doubt: None,
            pooled_by: None,
        }
    }

    /// Its blocks of columns, in order, to be filled.
    pub(super) fn blocks(&mut self) -> Vec<FitBlock<'_>> {
        let maps = self.sigma2.chunks_mut(BLOCK_COLUMNS).zip(self.r2.chunks_mut(BLOCK_COLUMNS));
        let outputs = self.beta.axis_chunks_iter_mut(Axis(1), BLOCK_COLUMNS).zip(maps);
        outputs.map(|(beta, (sigma2, r2))| FitBlock { beta, sigma2, r2 }).collect()
    }

    /// Standard deviation of the noise of each column: the root of `sigma2`.
    pub fn sigma(&self) -> Vec<f64> {
        self.sigma2.iter().map(|variance| variance.sqrt()).collect()
    }
}

/// One block of columns of a fit.
pub(super) struct FitBlock<'a> {
    beta: ArrayViewMut2<'a, f64>,
    sigma2: &'a mut [f64],
    r2: &'a mut [f64],
}

impl FitBlock<'_> {
    /// From projections on `basis` (rank x column), whitened residual squares to be divided by `divisor`, and of the data as they
    /// are the residual squares and those about the mean.
    pub(super) fn fill(
        mut self,
        (basis, projections): (&Basis, &Array2<f64>),
        (whitened_squares, divisor): (&[f64], usize),
        (squares, total_squares): (&[f64], &[f64]),
    ) {
        self.beta.assign(&product(&basis.to_coefficients, projections));
        for (out, squares) in self.sigma2.iter_mut().zip(whitened_squares) {
            *out = squares / divisor as f64;
        }
        for (out, (squares, total)) in self.r2.iter_mut().zip(squares.iter().zip(total_squares)) {
            *out = if *total > 0.0 { 1.0 - squares / total } else { 0.0 };
        }
    }
}

/// Fits `design` to every column of `series`, scaled by `scaler`.
///
/// Ordinary least squares, or generalised least squares under the noise model's process, estimated from the residuals of the
/// former. A design without full rank is fitted by its column space; of its coefficients those of least norm are given.
///
/// # Errors
/// [`ModelError`]: no residual degrees of freedom, or too few for the noise's order, a design that is not finite or of other frames, interruption.
pub fn fit_run(
    series: &Series,
    scaler: &Scaler,
    design: &RunDesign,
    noise: Noise,
    numerics: &Numerics,
    cancel: &CancelToken,
) -> Result<RunFit, ModelError> {
    let run = RunBasis::new(design, numerics)?;
    if let Some(problem) = ModelError::of_order(noise, &design.run, run.kept.len() - run.basis.rank()) {
        return Err(problem);
    }
    match Estimator::new(noise, &run.basis.q, &run.lags, design.timing.tr_s, numerics) {
        Estimator::Sampled(noise) => sampled_fit::fit(series, scaler, design, &run, noise.as_ref(), cancel),
        Estimator::Global => global_covariance::fit(series, scaler, design, &run, cancel),
        Estimator::Summed(noise) => Moments::of_basis(run, noise, design, numerics, series.n_columns())?
            .fed_by(series, scaler, cancel)?
            .fit(scaler, cancel),
    }
}
