//! Plain dense algebra for closed forms: slow, short and independent of the library's.

use ndarray::Array2;

/// Inverse by Gauss-Jordan elimination with partial pivoting.
pub(crate) fn inverse(a: &Array2<f64>) -> Array2<f64> {
    let n = a.nrows();
    let mut left = a.clone();
    let mut right = Array2::eye(n);
    for step in 0..n {
        let pivot = (step..n).max_by(|&i, &j| left[(i, step)].abs().total_cmp(&left[(j, step)].abs())).unwrap();
        for column in 0..n {
            left.swap((step, column), (pivot, column));
            right.swap((step, column), (pivot, column));
        }
        let scale = left[(step, step)].recip();
        left.row_mut(step).mapv_inplace(|value| value * scale);
        right.row_mut(step).mapv_inplace(|value| value * scale);
        for row in (0..n).filter(|&row| row != step) {
            let factor = left[(row, step)];
            let (of_left, of_right) = (left.row(step).to_owned(), right.row(step).to_owned());
            left.row_mut(row).scaled_add(-factor, &of_left);
            right.row_mut(row).scaled_add(-factor, &of_right);
        }
    }
    right
}
