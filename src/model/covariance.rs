//! The covariance of a contrast in a run, rebuilt from the noise parameters for the columns that ask.

use super::cholesky::{factor_packed, packed_length, solve_lower_packed};
use super::fit::{RunFit, gram_factor};
use super::linalg::product;
use ndarray::Array2;

/// `C (X' V^-1 X)^- C'` of a contrast `C` (q x regressor) in one run, per unit of noise variance.
///
/// Held for every noise parameter that columns share, else computed for each column: at 18 regressors the
/// covariances of 235 000 voxels would be 610 MB.
#[derive(Debug)]
pub struct UnitCovariance<'a> {
    fit: &'a RunFit,
    /// q x rank: the contrast in the coordinates of the design's basis.
    projected: Array2<f64>,
    /// Packed, of each shared parameter.
    shared: Vec<Vec<f64>>,
}

/// Working space of [`UnitCovariance::at`], one a thread.
#[derive(Debug, Clone)]
pub struct CovarianceScratch {
    gram: Vec<f64>,
    rows: Vec<f64>,
    packed: Vec<f64>,
}

impl<'a> UnitCovariance<'a> {
    /// Of the contrast `weights` (q x regressor) in `fit`.
    pub fn new(fit: &'a RunFit, weights: &Array2<f64>) -> Self {
        let projected = product(weights, &fit.to_coefficients);
        let mut covariance = Self { fit, projected, shared: Vec::new() };
        if let Some((values, _)) = fit.noise.shared() {
            let mut scratch = covariance.scratch();
            for &rho in values {
                if let Some(whitening) = &fit.whitening {
                    scratch.gram.copy_from_slice(&gram_factor(whitening, rho, fit.rank));
                }
                covariance.multiply_out(&mut scratch);
                covariance.shared.push(scratch.packed.clone());
            }
        }
        covariance
    }

    /// Rows of the contrast.
    pub fn n_rows(&self) -> usize {
        self.projected.nrows()
    }

    /// Covariances of the parameters that columns share, packed lower triangles by rows; empty where each column has
    /// its own.
    pub fn shared(&self) -> &[Vec<f64>] {
        &self.shared
    }

    /// Which of [`Self::shared`] a column has; `None`: its own.
    pub fn shared_index(&self, column: usize) -> Option<usize> {
        self.fit.noise.shared().map(|(_, index)| index.get(column).map_or(0, |&index| index as usize))
    }

    /// Working space for [`Self::at`].
    pub fn scratch(&self) -> CovarianceScratch {
        let (q, rank) = self.projected.dim();
        CovarianceScratch {
            gram: vec![0.0; packed_length(rank)],
            rows: vec![0.0; q * rank],
            packed: vec![0.0; packed_length(q)],
        }
    }

    /// Covariance of a column: packed lower triangle by rows, q (q + 1) / 2 numbers.
    pub fn at<'b>(&'b self, column: usize, scratch: &'b mut CovarianceScratch) -> &'b [f64] {
        if let Some(index) = self.shared_index(column) {
            return &self.shared[index];
        }
        if let Some(whitening) = &self.fit.whitening {
            whitening.gram(self.fit.noise.rho(column), &mut scratch.gram);
            factor_packed(&mut scratch.gram, self.fit.rank);
        }
        self.multiply_out(scratch);
        &scratch.packed
    }

    /// From the Cholesky factor `L` of the gram (the identity where there is no whitening): with `z_i = L^-1 a_i` of
    /// each projected row, entry (i, j) is `z_i' z_j`.
    fn multiply_out(&self, scratch: &mut CovarianceScratch) {
        let rank = self.projected.ncols();
        for (row, projected) in self.projected.outer_iter().enumerate() {
            let solved = &mut scratch.rows[row * rank..(row + 1) * rank];
            solved.iter_mut().zip(projected).for_each(|(solved, value)| *solved = *value);
            if self.fit.whitening.is_some() {
                solve_lower_packed(&scratch.gram, solved);
            }
        }
        for i in 0..self.n_rows() {
            for j in 0..=i {
                let (z_i, z_j) = (&scratch.rows[i * rank..(i + 1) * rank], &scratch.rows[j * rank..(j + 1) * rank]);
                scratch.packed[packed_length(i) + j] = z_i.iter().zip(z_j).map(|(a, b)| a * b).sum();
            }
        }
    }
}
