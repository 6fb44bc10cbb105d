//! Products of large matrices and LAPACK factorisations: the only file that calls either.
//!
//! A product's bits depend on its shape alone (BLAS is held to one thread), and shapes on the fixed grid of
//! column blocks. Factorisations take turns.

use super::blas_threads::hold_blas_to_one_thread;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayRef2, ArrayViewMut2};
pub(crate) use ndarray_linalg::error::LinalgError;
use ndarray_linalg::{Eigh, JobSvd, SVDDC, UPLO};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// `a b`.
pub(crate) fn product(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> Array2<f64> {
    hold_blas_to_one_thread();
    a.dot(b)
}

/// `a b`, in f32.
pub(crate) fn single_product(a: &ArrayRef2<f32>, b: &ArrayRef2<f32>) -> Array2<f32> {
    hold_blas_to_one_thread();
    a.dot(b)
}

/// `a' b`.
pub(crate) fn transposed_product(a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) -> Array2<f64> {
    product(&a.t(), b)
}

/// `y - a b`, in place of `y`.
pub(crate) fn subtract_product(y: &mut Array2<f64>, a: &ArrayRef2<f64>, b: &ArrayRef2<f64>) {
    hold_blas_to_one_thread();
    general_mat_mul(-1.0, a, b, 1.0, y);
}

/// `y + a' b`, in place of `y`; with `first`, `a' b`, and `y` is not read.
pub(crate) fn add_transposed_product(
    a: &ArrayRef2<f64>,
    b: &ArrayRef2<f64>,
    mut y: ArrayViewMut2<'_, f64>,
    first: bool,
) {
    hold_blas_to_one_thread();
    general_mat_mul(1.0, &a.t(), b, if first { 0.0 } else { 1.0 }, &mut y);
}

/// `a = u diag(s) v'` with `k = min(rows, columns)` singular values, largest first.
pub(crate) struct ThinSvd {
    /// Rows x k.
    pub(crate) u: Array2<f64>,
    /// k.
    pub(crate) s: Array1<f64>,
    /// k x columns.
    pub(crate) vt: Array2<f64>,
}

/// Singular value decomposition.
///
/// # Errors
/// What LAPACK reports: an entry that is not finite, or no convergence.
pub(crate) fn thin_svd(a: &Array2<f64>) -> Result<ThinSvd, LinalgError> {
    hold_blas_to_one_thread();
    let (rows, columns) = a.dim();
    if a.is_empty() {
        // LAPACK reads and writes what is not there
        return Ok(ThinSvd { u: Array2::zeros((rows, 0)), s: Array1::zeros(0), vt: Array2::zeros((0, columns)) });
    }
    let _alone = alone();
    // a single row may come with a stride of 0, which LAPACK's interface refuses
    let row = (rows == 1).then(|| Array2::from_shape_fn(a.dim(), |at| a[at]));
    let (u, s, vt) = row.as_ref().unwrap_or(a).svddc(JobSvd::Some)?;
    let missing = LinalgError::MemoryNotCont; // LAPACK gives both when asked for both
    match (u, vt) {
        (Some(u), Some(vt)) => Ok(ThinSvd { u, s, vt }),
        _ => Err(missing),
    }
}

/// Factorisations are of small matrices and take their turn: runs are worked on side by side, and not every LAPACK can be
/// called by two threads at once.
fn alone() -> MutexGuard<'static, ()> {
    static LAPACK: Mutex<()> = Mutex::new(());
    LAPACK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Eigenvalues, ascending, and eigenvectors (one a column) of a symmetric matrix, of which the lower triangle is read.
///
/// # Errors
/// What LAPACK reports.
pub(crate) fn symmetric_eigen(a: &Array2<f64>) -> Result<(Vec<f64>, Array2<f64>), LinalgError> {
    hold_blas_to_one_thread();
    let _alone = alone();
    let (values, vectors) = a.eigh(UPLO::Lower)?;
    Ok((values.to_vec(), vectors.as_standard_layout().to_owned()))
}

/// Symmetric square root of the inverse of a symmetric positive definite matrix.
///
/// # Errors
/// What LAPACK reports. An eigenvalue that is not positive gives entries that are not finite.
pub(crate) fn inverse_square_root(a: &Array2<f64>) -> Result<Array2<f64>, LinalgError> {
    let (values, vectors) = symmetric_eigen(a)?;
    let scaled = &vectors * &Array1::from(values).mapv(|value| value.sqrt().recip());
    Ok(scaled.dot(&vectors.t()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn inverse_square_root_squares_to_the_inverse() {
        let a = array![[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]];
        let root = inverse_square_root(&a).unwrap();
        let identity = root.dot(&a).dot(&root);
        let error = (&identity - &Array2::<f64>::eye(3)).mapv(f64::abs).fold(0.0, |m: f64, &v| m.max(v));
        assert!(error < 1e-14, "{error}"); // a few ulp: the condition number is below 5
        assert!((&root - &root.t()).iter().all(|difference| difference.abs() < 1e-15));
    }

    #[test]
    fn svd_restores_the_matrix_in_either_memory_order() {
        let tall = Array2::from_shape_fn((7, 3), |(row, column)| ((row * 3 + column * column) as f64).sin());
        for matrix in [tall.clone(), tall.t().as_standard_layout().to_owned()] {
            let ThinSvd { u, s, vt } = thin_svd(&matrix).unwrap();
            let restored = (&u * &s).dot(&vt);
            assert!((&restored - &matrix).iter().all(|difference| difference.abs() < 1e-14));
        }
    }

    #[test]
    fn svd_of_next_to_nothing_is_one() {
        for (rows, columns) in [(0, 0), (0, 3), (2, 0)] {
            let ThinSvd { u, s, vt } = thin_svd(&Array2::zeros((rows, columns))).unwrap();
            assert_eq!((u.dim(), s.len(), vt.dim()), ((rows, 0), 0, (0, columns)));
        }
        let one = Array2::from_elem((3, 1), -2.0).select(ndarray::Axis(0), &[1]);
        assert_eq!(thin_svd(&one).unwrap().s.to_vec(), [2.0]);
    }

    #[test]
    fn products_subtract_and_transpose() {
        let a = Array2::from_shape_fn((9, 4), |(row, column)| (row as f64) - 2.0 * column as f64);
        let b = Array2::from_shape_fn((9, 10), |(row, column)| (row * column) as f64 + 1.0);
        let p = transposed_product(&a, &b);
        assert_eq!(p[(2, 3)], (0..9).map(|row| a[(row, 2)] * b[(row, 3)]).sum::<f64>());
        let mut rest = b.clone();
        subtract_product(&mut rest, &a, &p);
        assert_eq!(rest, &b - &product(&a, &p));
    }
}
