//! The covariance of a contrast in a run, rebuilt from the noise parameters for the columns that ask.

use super::cholesky::{factor_packed, packed_length, solve_both_sides_packed, unpack};
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
    /// Of each shared parameter: mean square over the contrast's principal directions of the relative change of their variance a step
    /// along the line of doubt; none where there is no doubt.
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
            for at in fit.noise.shared() {
                covariance.multiply_out(at, &mut scratch);
                covariance.shared.push(scratch.packed.clone());
            }
            if fit.doubt.is_some() {
                let of_class = |(class, own): (usize, &Vec<f64>)| {
                    let sides = [0, 1].map(|side| {
                        covariance.multiply_out(NoiseAt::Aside(side, class), &mut scratch);
                        scratch.packed.clone()
                    });
                    mean_square_change(own, &sides, covariance.n_rows())
                };
                covariance.change = covariance.shared.iter().enumerate().map(of_class).collect();
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
        let steps = f64::from(self.fit.doubt.as_ref()?[column]);
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

/// `|M|^2 / q` with `M = L^-1 (B_1 - B_2) L'^-1 / 2`, `A = L L'`, for packed A and B of q rows: of the relative changes along
/// principal directions the mean square. 0 of rows without variance: there is nothing to be sure of.
fn mean_square_change(a: &[f64], [b_1, b_2]: &[Vec<f64>; 2], q: usize) -> f64 {
    let mut factor = a.to_vec();
    if !factor_packed(&mut factor, q) {
        return 0.0;
    }
    let change = 0.5 * (unpack(b_1, q) - unpack(b_2, q));
    let m = solve_both_sides_packed(&factor, change);
    m.iter().map(|entry| entry * entry).sum::<f64>() / q as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_is_the_mean_square_over_principal_directions() {
        // variances 4 and 9 that grow by a tenth and shrink by a fifth to one side, and the other way round to the other
        let [a, b, c] = [[4.0, 0.0, 9.0], [4.4, 0.0, 7.2], [3.6, 0.0, 10.8]];
        let change = |of: fn([f64; 3]) -> [f64; 3]| mean_square_change(&of(a), &[of(b).to_vec(), of(c).to_vec()], 2);
        assert!((change(|same| same) - 0.025).abs() < 1e-12);
        // the same two effects, added and subtracted
        assert!((change(|[x, _, y]| [x + y, x - y, x + y]) - 0.025).abs() < 1e-12);
        let of_one = |b: [f64; 2]| mean_square_change(&[4.0], &b.map(|b| vec![b]), 1);
        assert!((of_one([4.4, 3.6]) - 0.01).abs() < 1e-12);
        // whichever side is called the first
        assert_eq!(of_one([4.9, 3.6]), of_one([3.6, 4.9]));
        assert_eq!(mean_square_change(&[0.0], &[vec![0.0], vec![0.0]], 1), 0.0);
    }
}
