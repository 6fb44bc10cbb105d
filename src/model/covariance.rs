//! The covariance of a contrast in a run, rebuilt from the noise parameters for the columns that ask.

use super::cholesky::packed_length;
use super::fit::RunFit;
use super::linalg::product;
use super::noise::NoiseAt;
use super::precision::Inverse;
use ndarray::Array2;

/// `C (X' V^-1 X)^- C'` of a contrast `C` (q x regressor) in one run, per unit of noise variance.
///
/// Held for every noise parameter that columns share, else computed for each column: at 18 regressors the
/// covariances of 235 000 voxels would be 610 MB.
#[derive(Debug)]
pub struct UnitCovariance<'a> {
    fit: &'a RunFit,
    /// Rows of the contrast in the coordinates of the design's basis.
    projected: Vec<Vec<f64>>,
    /// Packed, of each shared parameter.
    shared: Vec<Vec<f64>>,
    /// Of each shared parameter, the relative variance that doubt about it gives the contrast's covariance at one step; none where there is no doubt.
    change: Vec<f64>,
}

/// Working space of [`UnitCovariance::at`], one a thread.
#[derive(Debug, Clone)]
pub struct CovarianceScratch {
    inverse: Inverse,
    /// Row by row of the contrast, halves of its covariance.
    halves: Vec<f64>,
    packed: Vec<f64>,
}

impl<'a> UnitCovariance<'a> {
    /// Of the contrast `weights` (q x regressor) in `fit`.
    pub fn new(fit: &'a RunFit, weights: &Array2<f64>) -> Self {
        let projected = product(weights, &fit.to_coefficients).outer_iter().map(|row| row.to_vec()).collect();
        let mut covariance = Self { fit, projected, shared: Vec::new(), change: Vec::new() };
        if fit.noise.index().is_some() {
            let mut scratch = covariance.scratch();
            for (which, at) in fit.noise.shared().into_iter().enumerate() {
                covariance.multiply_out(at, &mut scratch);
                covariance.shared.push(scratch.packed.clone());
                if let Some(doubt) = &fit.doubt {
                    let CovarianceScratch { halves, packed, .. } = &scratch;
                    covariance.change.push(doubt.mean_square_change(which, halves, packed, covariance.n_rows()));
                }
            }
        }
        covariance
    }

    /// Rows of the contrast.
    pub fn n_rows(&self) -> usize {
        self.projected.len()
    }

    /// Covariances of the parameters that columns share, packed lower triangles by rows; empty where each column has
    /// its own.
    pub fn shared(&self) -> &[Vec<f64>] {
        &self.shared
    }

    /// Which of [`Self::shared`] a column has; `None`: its own.
    pub fn shared_index(&self, column: usize) -> Option<usize> {
        self.fit.noise.index().map(|index| index.get(column).map_or(0, |&index| index as usize))
    }

    /// Relative variance that a column's covariance has from what is not known of its process; `None` where none is known of.
    pub fn doubt(&self, column: usize) -> Option<f64> {
        let steps = self.fit.doubt.as_ref()?.steps(column);
        Some(self.change[self.shared_index(column)?] * steps * steps)
    }

    /// Working space for [`Self::at`].
    pub fn scratch(&self) -> CovarianceScratch {
        let q = self.n_rows();
        CovarianceScratch {
            inverse: Inverse::default(),
            halves: vec![0.0; q * self.fit.precision.half_length(self.fit.rank)],
            packed: vec![0.0; packed_length(q)],
        }
    }

    /// Covariance of a column: packed lower triangle by rows, q (q + 1) / 2 numbers.
    pub fn at<'b>(&'b self, column: usize, scratch: &'b mut CovarianceScratch) -> &'b [f64] {
        if let Some(index) = self.shared_index(column) {
            return &self.shared[index];
        }
        self.multiply_out(self.fit.noise.at(column), scratch);
        &scratch.packed
    }

    /// For the noise `at`: entry (i, j) is `z_i' z_j` of the halves of rows i and j.
    fn multiply_out(&self, at: NoiseAt<'_>, scratch: &mut CovarianceScratch) {
        let CovarianceScratch { inverse, halves, packed } = scratch;
        let length = halves.len() / self.n_rows().max(1);
        self.fit.precision.invert(at, inverse);
        for (half, projected) in halves.chunks_exact_mut(length.max(1)).zip(&self.projected) {
            self.fit.precision.halve(at, inverse, projected, half);
        }
        for i in 0..self.n_rows() {
            for j in 0..=i {
                let (z_i, z_j) = (&halves[i * length..][..length], &halves[j * length..][..length]);
                packed[packed_length(i) + j] = z_i.iter().zip(z_j).map(|(a, b)| a * b).sum();
            }
        }
    }
}
