//! Deconvolution in a basis of cosines, with the variances of noise and prior fixed or estimated: parametric empirical Bayes.
//!
//! ```text
//! data = A s + e,  s = D c,  e ~ N(0, sigma^2 I),  c ~ N(0, tau^2 I),  lambda = sigma^2 / tau^2
//! s^ = D (F' F + lambda I)^-1 F' data,  F = A D
//! ```
//!
//! `D` holds the first cosines (DCT-II, with the constant) over all activity samples, so the estimate has no frequency
//! above `n_basis / (2 samples dt)`. Drift and confounds, projected out by the operator, have a flat prior. The model is that
//! of Gitelman et al. 2003 (doi 10.1016/S1053-8119(03)00058-2), which estimates activity for psychophysiological
//! interactions. All is worked out along the singular directions of `F`, where the posterior is diagonal.

mod empirical_bayes;
mod spm;

pub use spm::{SpmActivity, SpmDeconvolution};

use super::{Deconvolver, Operator, Solution, Wanted};
use crate::model::linalg::{LinalgError, ThinSvd, product, subtract_product, thin_svd, transposed_product};
use crate::signal::drift::cosine_columns;
use empirical_bayes::{Evidence, Variances};
use ndarray::{Array1, Array2, Axis};

/// Noise variance that SPM's deconvolution assumes, in squared units of the data.
const NOISE_VARIANCE_OF_SPM: f64 = 0.25;

/// Where the variances of noise and prior come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PebHyperparameters {
    /// SPM's rule: `sigma^2 = 1/4`, `tau^2 = n_basis / trace(F' F)`. Nothing is estimated: the shrinkage is the same
    /// whatever the noise, and standard errors are in units in which the noise has a standard deviation of 1/2.
    OfSpm,
    /// Given.
    Fixed {
        /// `sigma^2`, in squared units of the data.
        noise_variance: f64,
        /// `tau^2`, in squared units of a coefficient.
        prior_variance: f64,
    },
    /// Maximum marginal likelihood, each column for itself; `lambda` is found to 1 part in 10^10.
    Evidence,
}

/// Why a deconvolution cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PebError {
    /// There is no such basis.
    #[error("{n_basis} cosines were asked for over {samples} activity samples: 1 to {samples} are possible")]
    Basis {
        /// Functions asked for.
        n_basis: usize,
        /// Samples of activity.
        samples: usize,
    },
    /// A variance that is none.
    #[error("the {name} variance is {value}: it must be positive and finite")]
    Variance {
        /// Which.
        name: &'static str,
        /// What was given.
        value: f64,
    },
    /// Vectors and matrices do not fit each other.
    #[error("{what} has {found} frames, the series {expected}")]
    Frames {
        /// What does not fit.
        what: &'static str,
        /// Its frames.
        found: usize,
        /// Those of the series.
        expected: usize,
    },
    /// The operator or an input is zero or not finite, so that there is nothing to solve.
    #[error("{0} is empty, zero or not finite")]
    Degenerate(&'static str),
    /// LAPACK gave up.
    #[error("the operator cannot be decomposed: {0}")]
    Decomposition(String),
}

impl From<LinalgError> for PebError {
    fn from(error: LinalgError) -> Self {
        Self::Decomposition(error.to_string())
    }
}

/// The method, prepared for one operator.
///
/// Of its [`Solution`]: `standard_error` is the posterior standard deviation of each activity sample given the variances
/// (their own uncertainty is not in it); `log_evidence` is the logarithm of the density of the data in the `dof`
/// dimensions in which they lie, exact, natural logarithm, constants included; with
/// [`Evidence`](PebHyperparameters::Evidence) it is the maximum over both variances. `lambda` is then sought between `1e-10`
/// and `1e8` times the largest squared singular value of `F`; it is infinite, and the activity 0, where data are likeliest
/// without activity. In a column of zeros everything is 0, but for `lambda`: infinite where it would be estimated.
#[derive(Debug)]
pub struct Peb {
    /// Kept frame x direction: left singular vectors of `F`.
    left: Array2<f64>,
    /// Singular values of `F`.
    singular: Vec<f64>,
    /// Activity sample x direction: `D` times the right singular vectors.
    directions: Array2<f64>,
    /// By activity sample: prior variance, in units of `tau^2`, of what no data tell.
    unseen: Vec<f64>,
    evidence: Evidence,
    /// The variances, where they are not estimated.
    fixed: Option<Variances>,
}

impl Peb {
    /// Prepares `n_basis` cosines over the activity samples of `operator`.
    ///
    /// # Errors
    /// No such basis, a variance that is not positive, or an operator that is zero or cannot be decomposed.
    pub fn new(operator: &Operator, n_basis: usize, hyperparameters: PebHyperparameters) -> Result<Self, PebError> {
        let samples = operator.forward.ncols();
        if n_basis == 0 || n_basis > samples {
            return Err(PebError::Basis { n_basis, samples });
        }
        let basis = cosine_basis(samples, n_basis);
        let seen = product(&operator.forward, &basis);
        if !seen.iter().all(|value| value.is_finite()) || seen.iter().all(|value| *value == 0.0) {
            return Err(PebError::Degenerate("the operator"));
        }
        let trace: f64 = seen.iter().map(|value| value * value).sum();
        let fixed = fixed_variances(hyperparameters, n_basis as f64 / trace)?;
        let svd = truncated(&thin_svd(&seen)?, operator.dof, seen.dim());
        let directions = product(&basis, &svd.vt.t());
        let unseen = unseen(&basis, &directions, svd.s.len());
        let evidence = Evidence::new(svd.s.iter().map(|value| value * value).collect(), operator.dof);
        Ok(Self { left: svd.u, singular: svd.s.to_vec(), directions, unseen, evidence, fixed })
    }

    /// Variances of a column, given its squared loadings on the directions and the squares of what is along none.
    fn variances(&self, loadings: &[f64], rest: f64, squares_on_grid: &[f64]) -> Variances {
        self.fixed.unwrap_or_else(|| self.evidence.maximise(loadings, rest, squares_on_grid))
    }

    /// Posterior standard deviation of each activity sample (rows) of each column.
    fn standard_errors(&self, variances: &[Variances]) -> Array2<f64> {
        let squared = self.directions.mapv(|value| value * value);
        let shape = (self.singular.len(), variances.len());
        let posterior = Array2::from_shape_fn(shape, |(direction, column)| {
            let Variances { noise, prior } = variances[column];
            if noise > 0.0 { prior / (1.0 + self.evidence.squares[direction] * prior / noise) } else { 0.0 }
        });
        let mut result = product(&squared, &posterior);
        for ((sample, column), value) in result.indexed_iter_mut() {
            *value = (*value + self.unseen[sample] * variances[column].prior).sqrt();
        }
        result
    }
}

impl Deconvolver for Peb {
    fn solve(&self, data: &Array2<f64>, wanted: Wanted) -> Solution {
        let columns = data.ncols();
        let mut loadings = transposed_product(&self.left, data);
        let mut residual = data.clone();
        subtract_product(&mut residual, &self.left, &loadings);
        let squared = loadings.mapv(|value| value * value);
        let on_grid = self.fixed.is_none().then(|| product(&self.evidence.shrinkage, &squared));

        let mut solution = Solution {
            activity: Array2::zeros((0, 0)),
            standard_error: None,
            lambda: Vec::with_capacity(columns),
            sigma: Vec::with_capacity(columns),
            dof: Vec::with_capacity(columns),
            log_evidence: Vec::with_capacity(columns),
        };
        let mut all = Vec::with_capacity(columns);
        for column in 0..columns {
            let own: Vec<f64> = squared.column(column).to_vec();
            let rest = self.evidence.rest(residual.column(column).iter().map(|value| value * value).sum());
            let grid = on_grid.as_ref().map_or_else(Vec::new, |grid| grid.column(column).to_vec());
            let is_zero = data.column(column).iter().all(|value| *value == 0.0);
            let variances = if is_zero { Variances::ZERO } else { self.variances(&own, rest, &grid) };
            let of_zeros = self.fixed.map_or(f64::INFINITY, Variances::lambda);
            let lambda = if is_zero { of_zeros } else { variances.lambda() };
            let fit = if is_zero { 0.0 } else { self.evidence.effective_dof(lambda) };
            let evidence = if is_zero { 0.0 } else { self.evidence.log_evidence(&own, rest, variances) };
            for (loading, singular) in loadings.column_mut(column).iter_mut().zip(&self.singular) {
                *loading *= singular / (singular * singular + lambda);
            }
            solution.lambda.push(lambda);
            solution.sigma.push(variances.noise.sqrt());
            solution.dof.push(fit);
            solution.log_evidence.push(evidence);
            all.push(variances);
        }
        solution.activity = product(&self.directions, &loadings);
        solution.standard_error = wanted.standard_errors.then(|| self.standard_errors(&all));
        solution
    }
}

/// The constant and the next cosines, each of unit length: sample x function.
fn cosine_basis(samples: usize, functions: usize) -> Array2<f64> {
    let columns = cosine_columns(samples, functions - 1);
    let constant = (samples as f64).sqrt().recip();
    Array2::from_shape_fn((samples, functions), |(sample, function)| match function {
        0 => constant,
        _ => columns[function - 1][sample],
    })
}

/// The variances that are not estimated; `prior_of_spm` is those of SPM's rule.
fn fixed_variances(hyperparameters: PebHyperparameters, prior_of_spm: f64) -> Result<Option<Variances>, PebError> {
    let (noise, prior) = match hyperparameters {
        PebHyperparameters::Evidence => return Ok(None),
        PebHyperparameters::OfSpm => (NOISE_VARIANCE_OF_SPM, prior_of_spm),
        PebHyperparameters::Fixed { noise_variance, prior_variance } => (noise_variance, prior_variance),
    };
    for (name, value) in [("noise", noise), ("prior", prior)] {
        if !(value > 0.0 && value.is_finite()) {
            return Err(PebError::Variance { name, value });
        }
    }
    Ok(Some(Variances { noise, prior }))
}

/// The directions that data can tell: singular values above rounding, at most `dof`.
fn truncated(svd: &ThinSvd, dof: usize, (rows, columns): (usize, usize)) -> ThinSvd {
    let largest = svd.s.first().copied().unwrap_or(0.0);
    let floor = largest * rows.max(columns) as f64 * f64::EPSILON;
    let kept: Vec<usize> = (0..svd.s.len().min(dof)).filter(|direction| svd.s[*direction] > floor).collect();
    ThinSvd {
        u: svd.u.select(Axis(1), &kept),
        s: Array1::from_iter(kept.iter().map(|direction| svd.s[*direction])),
        vt: svd.vt.select(Axis(0), &kept),
    }
}

/// Row by row, squares of the basis less those of the directions; 0 where the directions span the basis.
fn unseen(basis: &Array2<f64>, directions: &Array2<f64>, n_directions: usize) -> Vec<f64> {
    let squares = |matrix: &Array2<f64>, row: usize| matrix.row(row).iter().map(|value| value * value).sum::<f64>();
    (0..basis.nrows())
        .map(|row| {
            let left = squares(basis, row) - squares(directions, row);
            if n_directions == basis.ncols() { 0.0 } else { left.max(0.0) }
        })
        .collect()
}

#[cfg(test)]
mod tests;
