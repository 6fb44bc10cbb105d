//! The fit of one run: every column of the data against one design.

use super::basis::Basis;
use super::cholesky::{factor_packed, packed_length, solve_lower_packed, solve_upper_packed};
use super::linalg::{product, subtract_product, transposed_product};
use super::noise::{NoiseField, NoiseModel, model_lags, model_of};
use super::problem::ModelError;
use super::whitening::{BlockProducts, Whitening, sum_of_products};
use crate::config::{Noise, Numerics, VarianceDivisor};
use crate::design::RunDesign;
use crate::error::CancelToken;
use crate::preprocess::{BLOCK_COLUMNS, Scaler, Series};
use ndarray::{Array2, ArrayViewMut2, Axis};
use rayon::prelude::*;
use std::ops::Range;

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
    pub(super) whitening: Option<Whitening>,
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

/// Fits `design` to every column of `series`, scaled by `scaler`, in parallel over blocks of columns.
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
    let basis = basis_of(series, scaler, design)?;
    let n_frames = scaler.kept().len();
    let rank = basis.rank();
    let divisor = n_frames.saturating_sub(match numerics.variance_divisor {
        VarianceDivisor::ResidualDof => rank,
        VarianceDivisor::SamplesMinusColumns => design.n_columns(),
    });
    if divisor == 0 || n_frames <= rank {
        return Err(ModelError::TooFewFrames {
            run: design.run.clone(),
            n_frames,
            n_columns: design.n_columns(),
            rank,
        });
    }
    let job = Job { series, scaler, basis: &basis, cancel };
    let lags = model_lags(&design.timing, numerics.gaps);
    let field = job.settle_noise(model_of(noise, &lags, numerics).as_ref())?;
    let whitening = (field != NoiseField::White).then(|| Whitening::new(&basis.q, &lags, numerics.first_sample));
    let factors = whitening.as_ref().map(|whitening| Factors::new(whitening, &field, rank));
    let mut fit = RunFit {
        run: design.run.clone(),
        beta: Array2::zeros((design.n_columns(), series.n_columns())),
        sigma2: vec![0.0; series.n_columns()],
        r2: vec![0.0; series.n_columns()],
        dof: (n_frames - rank) as f64,
        rank,
        noise: NoiseField::White,
        to_coefficients: basis.to_coefficients.clone(),
        whitening: None,
    };
    let maps = fit.sigma2.chunks_mut(BLOCK_COLUMNS).zip(fit.r2.chunks_mut(BLOCK_COLUMNS));
    let outputs = fit.beta.axis_chunks_iter_mut(Axis(1), BLOCK_COLUMNS).zip(maps);
    let blocks: Vec<_> = series.blocks().zip(outputs).collect();
    blocks.into_par_iter().try_for_each(|(columns, (mut beta, (sigma2, r2)))| {
        let mut block = job.least_squares(columns.clone())?;
        let residual_squares = match &factors {
            None => block.residual_squares.clone(),
            Some(factors) => factors.whiten_fit(&mut block, columns),
        };
        beta.assign(&product(&basis.to_coefficients, &block.projections));
        for (column, out) in sigma2.iter_mut().enumerate() {
            *out = residual_squares[column] / divisor as f64;
        }
        for (column, out) in r2.iter_mut().enumerate() {
            let total = block.total_squares[column];
            *out = if total > 0.0 { 1.0 - block.residual_squares[column] / total } else { 0.0 };
        }
        Ok::<(), ModelError>(())
    })?;
    fit.noise = field;
    fit.whitening = whitening;
    Ok(fit)
}

fn basis_of(series: &Series, scaler: &Scaler, design: &RunDesign) -> Result<Basis, ModelError> {
    let run = || design.run.clone();
    let kept = design.timing.kept_frames();
    if kept != scaler.kept() || design.matrix.nrows() != series.n_frames {
        return Err(ModelError::FramesDiffer { run: run(), design: kept.len(), data: scaler.kept().len() });
    }
    let matrix = design.kept_matrix();
    if let Some(((row, column), _)) = matrix.indexed_iter().find(|(_, value)| !value.is_finite()) {
        let column = design.names[column].clone();
        return Err(ModelError::DesignNotFinite { run: run(), column, frame: kept[row] });
    }
    Basis::new(&matrix).map_err(|cause| ModelError::Decomposition { run: run(), cause: cause.to_string() })
}

/// What every block of a fit reads.
struct Job<'a> {
    series: &'a Series,
    scaler: &'a Scaler,
    basis: &'a Basis,
    cancel: &'a CancelToken,
}

/// Ordinary least squares of one block of columns.
struct LeastSquares {
    /// Rank x column: `Q'Y`.
    projections: Array2<f64>,
    /// Frame x column: `Y - QQ'Y`.
    residuals: Array2<f64>,
    /// Of the residuals of the fit, unwhitened, of each column.
    residual_squares: Vec<f64>,
    /// About the mean, of each column.
    total_squares: Vec<f64>,
}

impl Job<'_> {
    fn least_squares(&self, columns: Range<usize>) -> Result<LeastSquares, ModelError> {
        self.cancel.check()?;
        let mut residuals = self.scaler.block(self.series, columns);
        let total_squares = squares_about_mean(&residuals);
        let projections = transposed_product(&self.basis.q, &residuals);
        subtract_product(&mut residuals, &self.basis.q, &projections);
        let residual_squares = sum_of_products(&residuals, (0..residuals.nrows()).map(|frame| (frame, frame)));
        Ok(LeastSquares { projections, residuals, residual_squares, total_squares })
    }

    /// Measures all blocks, pools, settles.
    fn settle_noise(&self, model: &dyn NoiseModel) -> Result<NoiseField, ModelError> {
        let mut measures = Array2::zeros((model.n_measures(), self.series.n_columns()));
        if model.n_measures() > 0 {
            let outputs = measures.axis_chunks_iter_mut(Axis(1), BLOCK_COLUMNS);
            let blocks: Vec<(Range<usize>, ArrayViewMut2<'_, f64>)> = self.series.blocks().zip(outputs).collect();
            blocks.into_par_iter().try_for_each(|(columns, measures)| {
                model.measure(&self.least_squares(columns)?.residuals, measures);
                Ok::<(), ModelError>(())
            })?;
            model.pool(&mut measures, &self.series.support);
        }
        Ok(model.settle(&measures))
    }
}

fn squares_about_mean(block: &Array2<f64>) -> Vec<f64> {
    let mean = block.sum_axis(Axis(0)) / block.nrows() as f64;
    let mut squares = vec![0.0; block.ncols()];
    for row in block.outer_iter() {
        for (square, (value, mean)) in squares.iter_mut().zip(row.iter().zip(&mean)) {
            *square += (value - mean).powi(2);
        }
    }
    squares
}

/// Cholesky factors of `Q'PQ`: of every shared coefficient, or made for each column.
struct Factors<'a> {
    whitening: &'a Whitening,
    field: &'a NoiseField,
    rank: usize,
    shared: Vec<Vec<f64>>,
}

impl<'a> Factors<'a> {
    fn new(whitening: &'a Whitening, field: &'a NoiseField, rank: usize) -> Self {
        let values = field.shared().map_or(&[][..], |(values, _)| values);
        let shared = values.iter().map(|&rho| gram_factor(whitening, rho, rank)).collect();
        Self { whitening, field, rank, shared }
    }

    /// Turns the ordinary into the generalised fit of each column: with `d` the solution of `Q'PQ d = Q'Pe`, the
    /// projections grow by `d`, the unwhitened squares by `d'd`. Gives the whitened residual squares,
    /// `e'Pe - d'Q'Pe`.
    fn whiten_fit(&self, block: &mut LeastSquares, columns: Range<usize>) -> Vec<f64> {
        let products: BlockProducts = self.whitening.products(&block.residuals);
        let mut own = vec![0.0; packed_length(self.rank)];
        let mut linear = vec![0.0; self.rank];
        let mut step = vec![0.0; self.rank];
        let whitened_squares = columns.enumerate().map(|(at, column)| {
            let rho = self.field.rho(column);
            let quadratic = self.whitening.apply(rho, &products, at, &mut linear);
            let factor = if let Some((_, index)) = self.field.shared() {
                &self.shared[index[column] as usize]
            } else {
                self.whitening.gram(rho, &mut own);
                factor_packed(&mut own, self.rank);
                &own
            };
            step.copy_from_slice(&linear);
            solve_lower_packed(factor, &mut step);
            solve_upper_packed(factor, &mut step);
            let mut explained = 0.0;
            for ((step, linear), projection) in step.iter().zip(&linear).zip(block.projections.column_mut(at)) {
                explained += step * linear;
                block.residual_squares[at] += step * step;
                *projection += step;
            }
            (quadratic - explained).max(0.0)
        });
        whitened_squares.collect()
    }
}

/// Cholesky factor of `Q'PQ` at `rho`, packed. It always exists: `P` is positive definite for every admitted rho.
pub(super) fn gram_factor(whitening: &Whitening, rho: f64, rank: usize) -> Vec<f64> {
    let mut gram = vec![0.0; packed_length(rank)];
    whitening.gram(rho, &mut gram);
    factor_packed(&mut gram, rank);
    gram
}
