//! Cholesky factors of small symmetric matrices, in place and without allocation: one per column of the data,
//! inside the parallel loop, where LAPACK's overhead and its locks would cost more than the arithmetic.
//!
//! A symmetric or lower triangular matrix of order n is held packed by rows: entry (i, j), j <= i, at
//! `i (i + 1) / 2 + j`.

use ndarray::{Array2, s};

/// Length of a packed matrix of order `n`.
pub(crate) const fn packed_length(n: usize) -> usize {
    n * (n + 1) / 2
}

/// Replaces the packed symmetric `a` by its lower factor `L`, `a = L L'`; `false` where `a` is not positive
/// definite to working precision: a pivot below n eps of its diagonal entry, or not finite.
pub(crate) fn factor_packed(a: &mut [f64], n: usize) -> bool {
    let smallest_pivot = n as f64 * f64::EPSILON;
    for i in 0..n {
        let (done, rest) = a.split_at_mut(packed_length(i));
        let row_i = &mut rest[..=i];
        for j in 0..i {
            let row_j = &done[packed_length(j)..=packed_length(j) + j];
            let known = dot(&row_i[..j], &row_j[..j]);
            row_i[j] = (row_i[j] - known) / row_j[j];
        }
        let diagonal = row_i[i];
        let pivot = diagonal - dot(&row_i[..i], &row_i[..i]);
        if !(pivot > smallest_pivot * diagonal && pivot.is_finite()) {
            return false;
        }
        row_i[i] = pivot.sqrt();
    }
    true
}

/// Solves `L x = b` in place of `b`.
pub(crate) fn solve_lower_packed(l: &[f64], b: &mut [f64]) {
    for i in 0..b.len() {
        let row = &l[packed_length(i)..=packed_length(i) + i];
        b[i] = (b[i] - dot(&row[..i], &b[..i])) / row[i];
    }
}

/// Solves `L' x = b` in place of `b`.
pub(crate) fn solve_upper_packed(l: &[f64], b: &mut [f64]) {
    for i in (0..b.len()).rev() {
        let row = &l[packed_length(i)..=packed_length(i) + i];
        b[i] /= row[i];
        let solved = b[i];
        for (b, entry) in b[..i].iter_mut().zip(row) {
            *b -= solved * entry;
        }
    }
}

/// Replaces the packed symmetric `a` by its inverse; `false` (and `a` spoilt) where [`factor_packed`] fails.
/// `scratch` holds `packed_length(n) + n` numbers.
pub(crate) fn invert_packed(a: &mut [f64], n: usize, scratch: &mut [f64]) -> bool {
    let (factor, column) = scratch.split_at_mut(packed_length(n));
    factor.copy_from_slice(&a[..packed_length(n)]);
    if !factor_packed(factor, n) {
        return false;
    }
    for j in 0..n {
        column[..n].fill(0.0);
        column[j] = 1.0;
        solve_lower_packed(factor, &mut column[..n]);
        solve_upper_packed(factor, &mut column[..n]);
        for i in j..n {
            a[packed_length(i) + j] = column[i];
        }
    }
    true
}

/// The packed symmetric matrix of order `n`, whole.
pub(crate) fn unpack(packed: &[f64], n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, n), |(i, j)| packed[packed_length(i.max(j)) + i.min(j)])
}

/// The lower triangle of a square matrix, packed.
pub(crate) fn pack(a: &Array2<f64>) -> Vec<f64> {
    (0..a.nrows()).flat_map(|i| a.slice(s![i, ..=i]).to_vec()).collect()
}

/// Solves `L X = B` in place of the columns of `b`.
pub(crate) fn solve_columns_packed(l: &[f64], b: &mut Array2<f64>) {
    for mut column in b.columns_mut() {
        let mut solved = column.to_vec();
        solve_lower_packed(l, &mut solved);
        column.iter_mut().zip(solved).for_each(|(value, solved)| *value = solved);
    }
}

/// `L^-1 S L'^-1` of a symmetric `S`, by its columns and then by its rows.
pub(crate) fn solve_both_sides_packed(l: &[f64], mut s: Array2<f64>) -> Array2<f64> {
    for _ in 0..2 {
        solve_columns_packed(l, &mut s);
        s = s.reversed_axes().as_standard_layout().to_owned();
    }
    s
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entry (i, j) of 3 I + a smooth positive part: condition number below 3.
    fn entry(i: usize, j: usize) -> f64 {
        f64::from(u8::from(i == j)) * 3.0 + (-((i as f64) - (j as f64)).powi(2)).exp()
    }

    #[test]
    fn inverse_times_matrix_is_identity() {
        let n = 6;
        let mut packed: Vec<f64> = (0..n).flat_map(|i| (0..=i).map(move |j| entry(i, j))).collect();
        let mut scratch = vec![0.0; packed_length(n) + n];
        assert!(invert_packed(&mut packed, n, &mut scratch));
        let inverse = |i: usize, j: usize| packed[packed_length(i.max(j)) + i.min(j)];
        for i in 0..n {
            for j in 0..n {
                let value: f64 = (0..n).map(|k| inverse(i, k) * entry(k, j)).sum();
                assert!((value - f64::from(u8::from(i == j))).abs() < 1e-15 * n as f64);
            }
        }
    }

    #[test]
    fn a_matrix_between_its_own_factors_is_the_identity() {
        let n = 6;
        let packed: Vec<f64> = (0..n).flat_map(|i| (0..=i).map(move |j| entry(i, j))).collect();
        let whole = unpack(&packed, n);
        assert!(whole.indexed_iter().all(|((i, j), value)| *value == entry(i, j)));
        let mut factor = packed;
        assert!(factor_packed(&mut factor, n));
        for ((i, j), value) in solve_both_sides_packed(&factor, whole).indexed_iter() {
            assert!((value - f64::from(u8::from(i == j))).abs() < 1e-15 * n as f64, "{i} {j} {value}");
        }
    }

    #[test]
    fn a_singular_matrix_is_refused() {
        assert!(!factor_packed(&mut [1.0, 2.0, 4.0], 2));
        assert!(!factor_packed(&mut [0.0], 1));
        assert!(!factor_packed(&mut [f64::NAN], 1));
        let mut nearly = [1.0, 1.0, 1.0 + 1e-10];
        assert!(factor_packed(&mut nearly, 2));
    }
}
