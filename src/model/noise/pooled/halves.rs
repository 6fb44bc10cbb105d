//! The two halves of a run, each with noise of its own.
//!
//! What the halves of residuals have in common is not the noise's memory alone: the design was fitted to both, so that `Q_1' e_1 =
//! -Q_2' e_2`, and what slow noise left in one half is left in the other. Projecting each half off its own rows of the design takes that
//! away. Only directions in which a half holds part of the design's square, not all or none, are left to project off.

use crate::model::linalg::{product, symmetric_eigen, transposed_product};
use ndarray::{Array2, ArrayView2, Axis, s};

/// Shares of a direction's square in one half that count as none and all.
const PART: std::ops::Range<f64> = 1e-6..1.0 - 1e-6;

/// The first and the second half of a run's rows.
#[derive(Debug, Clone)]
pub(super) struct Halves {
    middle: usize,
    /// Orthonormal bases of what is projected off each: row of the half x direction.
    bases: [Array2<f64>; 2],
}

impl Halves {
    /// Of a design with the orthonormal basis `q` (row x rank).
    pub(super) fn new(q: &Array2<f64>) -> Self {
        let middle = q.nrows() / 2;
        Self { middle, bases: [basis(&q.slice(s![..middle, ..])), basis(&q.slice(s![middle.., ..]))] }
    }

    /// Residuals (row x column) of each half, off its own rows of the design.
    pub(super) fn of(&self, residuals: &Array2<f64>) -> [Array2<f64>; 2] {
        let (first, second) = residuals.view().split_at(Axis(0), self.middle);
        let off =
            |half: ArrayView2<'_, f64>, basis: &Array2<f64>| &half - &product(basis, &transposed_product(basis, &half));
        [off(first, &self.bases[0]), off(second, &self.bases[1])]
    }
}

/// An orthonormal basis of the directions that rows of an orthonormal basis hold in part.
fn basis(rows: &ArrayView2<'_, f64>) -> Array2<f64> {
    let gram = transposed_product(rows, rows);
    // of finite numbers there always are eigenvalues
    let Ok((shares, vectors)) = symmetric_eigen(&gram) else { return Array2::zeros((rows.nrows(), 0)) };
    let partly: Vec<usize> = (0..shares.len()).filter(|&at| PART.contains(&shares[at])).collect();
    let mut basis = product(rows, &vectors.select(Axis(1), &partly));
    for (mut column, &at) in basis.columns_mut().into_iter().zip(&partly) {
        column /= shares[at].sqrt();
    }
    basis
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::basis::Basis;

    #[test]
    fn halves_are_off_their_own_rows_of_the_design() {
        // a constant, a slope over both halves, an event in the first alone
        let design = Array2::from_shape_fn((21, 3), |(t, j)| match j {
            0 => 1.0,
            1 => t as f64,
            _ => f64::from(u8::from(t == 4)),
        });
        let q = Basis::new(&design).unwrap().q;
        let data = Array2::from_shape_fn((21, 2), |(t, j)| ((t * t + 5 * j) as f64 * 0.9).sin());
        let residuals = &data - &q.dot(&q.t().dot(&data));
        let halves = Halves::new(&q);
        assert_eq!(halves.bases.each_ref().map(Array2::dim), [(10, 2), (11, 2)]);
        for (half, rows) in halves.of(&residuals).iter().zip([0..10, 10..21]) {
            // what is left of the data themselves
            let own = Basis::new(&design.slice(s![rows.clone(), ..]).select(Axis(1), &[0, 1]).to_owned()).unwrap().q;
            let event = design.slice(s![rows.clone(), 2..]).to_owned();
            for off in [&own, &event] {
                assert!(off.t().dot(half).iter().all(|along| along.abs() < 1e-12), "{rows:?}");
            }
        }
    }
}
