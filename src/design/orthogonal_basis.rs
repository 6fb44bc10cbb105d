//! Pivoted Householder QR of a small matrix: its rank, its null space, and what it leaves of a column.
//!
//! `X D^-1 P = Q R` with D the lengths of the columns and P a permutation that takes the longest remaining column
//! first (Businger and Golub 1965, doi 10.1007/BF01436084). Dividing by D first makes every answer independent of the
//! units of the columns.

use ndarray::Array2;

/// A column is taken to be a combination of the others where less than this share of its length is left after they
/// are projected out. Far above rounding (1e-16 times the number of columns), and low enough that what is called
/// dependent could not be estimated in f64 anyway: its variance is inflated by more than 1e20.
pub const DEPENDENCE_TOLERANCE: f64 = 1e-10;

/// The factorisation of a matrix (row x column).
#[derive(Debug, Clone)]
pub(super) struct OrthogonalBasis {
    /// R on and above the diagonal (columns in pivot order); Householder vectors below, their first entry apart.
    packed: Array2<f64>,
    /// First entry of each Householder vector, and 2 over the vector's squared length (0: no reflection).
    heads: Vec<(f64, f64)>,
    /// `order[k]`: which column of the matrix is the k-th.
    order: Vec<usize>,
    /// Length of each column of the matrix, in its own order.
    lengths: Vec<f64>,
    rank: usize,
}

impl OrthogonalBasis {
    /// Factorises a matrix.
    pub(super) fn of(matrix: &Array2<f64>) -> Self {
        let (rows, columns) = matrix.dim();
        let lengths: Vec<f64> = matrix.columns().into_iter().map(|column| length(column.iter())).collect();
        let mut packed = matrix.to_owned();
        for (mut column, length) in packed.columns_mut().into_iter().zip(&lengths) {
            if *length > 0.0 {
                column.mapv_inplace(|value| value / length);
            }
        }
        let mut order: Vec<usize> = (0..columns).collect();
        let mut heads = Vec::new();
        let mut rank = 0;
        while rank < rows.min(columns) {
            let k = rank;
            let left: Vec<f64> = (k..columns).map(|j| length((k..rows).map(|i| &packed[[i, j]]))).collect();
            let longest = (0..left.len()).fold(0, |best, j| if left[j] > left[best] { j } else { best });
            if left[longest] <= DEPENDENCE_TOLERANCE {
                break;
            }
            if longest > 0 {
                order.swap(k, k + longest);
                for i in 0..rows {
                    packed.swap([i, k], [i, k + longest]);
                }
            }
            heads.push(reflect_below(&mut packed, k, left[longest]));
            rank += 1;
        }
        Self { packed, heads, order, lengths, rank }
    }

    /// Number of independent columns.
    pub(super) fn rank(&self) -> usize {
        self.rank
    }

    /// A basis of the combinations of unit-length columns that are zero: a vector (entry a column) for each column
    /// that depends on the pivots, 1 at that column.
    pub(super) fn null_vectors(&self) -> Vec<Vec<f64>> {
        let columns = self.order.len();
        (self.rank..columns)
            .map(|dependent| {
                let right: Vec<f64> = (0..self.rank).map(|i| self.packed[[i, dependent]]).collect();
                let solution = self.solve_upper(right);
                let mut vector = vec![0.0; columns];
                vector[self.order[dependent]] = 1.0;
                for (k, value) in solution.into_iter().enumerate() {
                    vector[self.order[k]] = -value;
                }
                vector
            })
            .collect()
    }

    /// Diagonal of `(X'X)^-1` at a column among the pivots, times the column's squared length: at least 1. `None` for
    /// a column that is zero or was found dependent.
    pub(super) fn inflation(&self, column: usize) -> Option<f64> {
        let position = self.order[..self.rank].iter().position(|&own| own == column)?;
        // Row `position` of R^-1: solve R' u = e.
        let mut row = vec![0.0; self.rank];
        for j in position..self.rank {
            let known: f64 = (position..j).map(|i| row[i] * self.packed[[i, j]]).sum();
            let unit = f64::from(u8::from(j == position));
            row[j] = (unit - known) / self.packed[[j, j]];
        }
        Some(row.iter().map(|value| value * value).sum())
    }

    /// `w (X'X)^- w'` for weights w of the matrix's columns: the variance of their estimable combination, in units of the noise's.
    pub(super) fn variance(&self, weights: &[f64]) -> f64 {
        // R' u = the weights of unit-length columns, pivots alone: others are combinations of these
        let mut u: Vec<f64> = Vec::with_capacity(self.rank);
        for (j, &column) in self.order[..self.rank].iter().enumerate() {
            let known: f64 = u.iter().enumerate().map(|(i, value)| value * self.packed[[i, j]]).sum();
            u.push((weights[column] / self.lengths[column] - known) / self.packed[[j, j]]);
        }
        u.iter().map(|value| value * value).sum()
    }

    /// Squared length of what is left of `column` once all columns of the matrix are projected out.
    pub(super) fn residual_squares(&self, column: &[f64]) -> f64 {
        let mut left = column.to_vec();
        for (k, (head, factor)) in self.heads.iter().enumerate() {
            let product = head * left[k] + (k + 1..left.len()).map(|i| self.packed[[i, k]] * left[i]).sum::<f64>();
            left[k] -= factor * product * head;
            for (i, value) in left.iter_mut().enumerate().skip(k + 1) {
                *value -= factor * product * self.packed[[i, k]];
            }
        }
        left[self.rank.min(left.len())..].iter().map(|value| value * value).sum()
    }

    /// Length of a column of the matrix.
    pub(super) fn length(&self, column: usize) -> f64 {
        self.lengths[column]
    }

    fn solve_upper(&self, mut right: Vec<f64>) -> Vec<f64> {
        for i in (0..self.rank).rev() {
            let known: f64 = (i + 1..self.rank).map(|j| self.packed[[i, j]] * right[j]).sum();
            right[i] = (right[i] - known) / self.packed[[i, i]];
        }
        right
    }
}

/// Reflects column `k` (rows from `k` on, of length `below`) onto its first entry, and the columns after it along.
fn reflect_below(packed: &mut Array2<f64>, k: usize, below: f64) -> (f64, f64) {
    let (rows, columns) = packed.dim();
    let first = packed[[k, k]];
    // away from zero, so that nothing cancels
    let target = if first > 0.0 { -below } else { below };
    let head = first - target;
    let squared = head * head + (k + 1..rows).map(|i| packed[[i, k]] * packed[[i, k]]).sum::<f64>();
    let factor = if squared > 0.0 { 2.0 / squared } else { 0.0 };
    for j in k + 1..columns {
        let product = head * packed[[k, j]] + (k + 1..rows).map(|i| packed[[i, k]] * packed[[i, j]]).sum::<f64>();
        packed[[k, j]] -= factor * product * head;
        for i in k + 1..rows {
            packed[[i, j]] -= factor * product * packed[[i, k]];
        }
    }
    packed[[k, k]] = target;
    (head, factor)
}

/// Euclidean length, scaled so that no square over- or underflows.
fn length<'a>(values: impl Iterator<Item = &'a f64> + Clone) -> f64 {
    let largest = values.clone().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    largest * values.map(|value| (value / largest) * (value / largest)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn rank_does_not_depend_on_units() {
        let matrix = array![[1.0, 0.0, 1.0], [1.0, 1.0, 2.0], [1.0, 2.0, 3.0], [1.0, 4.0, 5.0]];
        assert_eq!(OrthogonalBasis::of(&matrix).rank(), 2);
        for scale in [1e-200, 1e-9, 1e9, 1e200] {
            let mut scaled = matrix.clone();
            scaled.column_mut(1).mapv_inplace(|value| value * scale);
            assert_eq!(OrthogonalBasis::of(&scaled).rank(), 2, "scale {scale:e}");
            scaled[[3, 2]] += 0.1;
            assert_eq!(OrthogonalBasis::of(&scaled).rank(), 3, "scale {scale:e}");
        }
        assert_eq!(OrthogonalBasis::of(&Array2::zeros((4, 2))).rank(), 0);
    }

    #[test]
    fn null_vectors_combine_unit_columns_to_zero() {
        let matrix = array![[1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 2.0, 0.0], [1.0, 2.0, 3.0, 0.0], [1.0, 4.0, 5.0, 0.0]];
        let basis = OrthogonalBasis::of(&matrix);
        let vectors = basis.null_vectors();
        assert_eq!(vectors.len(), 2);
        for vector in vectors {
            for row in matrix.rows() {
                let combined: f64 = (0..4)
                    .map(|j| if basis.length(j) > 0.0 { row[j] / basis.length(j) * vector[j] } else { 0.0 })
                    .sum();
                assert!(combined.abs() < 1e-14);
            }
        }
    }

    #[test]
    fn what_is_left_of_a_column_is_the_residual_of_its_regression() {
        // regression of (1, 2, 4, 8) on a constant and (0, 1, 2, 3): slope 2.3, intercept 0.3
        let matrix = array![[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0]];
        let basis = OrthogonalBasis::of(&matrix);
        let expected: f64 = [0.7, -0.6, -0.9, 0.8].iter().map(|value: &f64| value * value).sum();
        assert!((basis.residual_squares(&[1.0, 2.0, 4.0, 8.0]) - expected).abs() < 1e-14);
        assert!(basis.residual_squares(&[5.0, 7.0, 9.0, 11.0]) < 1e-28);
    }

    #[test]
    fn inflation_is_the_diagonal_of_the_inverse() {
        // columns of unit length with correlation c: (X'X)^-1 has 1/(1 - c^2) on its diagonal
        let c: f64 = 0.8;
        let matrix = array![[1.0, c], [0.0, (1.0 - c * c).sqrt()], [0.0, 0.0]];
        let basis = OrthogonalBasis::of(&matrix);
        for column in 0..2 {
            assert!((basis.inflation(column).unwrap() - 1.0 / (1.0 - c * c)).abs() < 1e-14);
        }
    }
}
