//! Coordinates in which operator and penalty are both diagonal, found once an operator.
//!
//! The problem of a column is `min |y - A s|^2 + lambda |D s|^2`. With the penalty's coordinates `s = S z + N c`
//! (`|D s| = |z|`, `D N = 0`) it takes Eldén's standard form (1982, BIT 22, 487-502):
//!
//! ```text
//! A N = Q R                              what data say of unpenalised activity
//! (I - QQ') A S = U G V'                 thin singular value decomposition: gains g, the diagonal of G
//! z = V g/(g^2 + lambda) U'y             the penalised activity, direction by direction
//! c = R^-1 Q'(y - A S z)
//! s = E g/(g^2 + lambda) U'y + N R^-1 Q'y,   E = (S - N R^-1 Q'A S) V
//! ```
//!
//! so that all of lambda's doing is a factor a direction. Singular values, not the eigenvalues of `A'A`: convolution with
//! a haemodynamic response has gains whose squares differ by more than 1e16. Directions of `N` that `A` does not show
//! (a constant, where data have none) get nothing: of all solutions the one with the least norm.

use super::{Penalty, RidgeError, penalty::Split};
use crate::model::deconvolve::Operator;
use crate::model::linalg::{LinalgError, ThinSvd, product, subtract_product, thin_svd, transposed_product};
use ndarray::{Array1, Array2, Axis, s};

/// Unpenalised activity whose image is less than this times the norm of the operator is not seen: rounding of whitening
/// and projection is some 1e-15 of it, and what has been projected out is nothing else.
const SEEN: f64 = 1e-10;

/// An operator and a penalty in their common coordinates.
#[derive(Debug, Clone)]
pub(crate) struct Diagonal {
    /// `[U Q]`: kept frame x direction, penalised directions first.
    left: Array2<f64>,
    /// `[E N R^-1]`: activity sample x direction.
    pub(super) right: Array2<f64>,
    /// Gains of the penalised directions, largest first, all above rounding.
    pub(crate) gains: Vec<f64>,
    /// Their squares.
    pub(crate) squared: Vec<f64>,
    /// Number of unpenalised directions, `c`.
    pub(super) free: usize,
    /// Dimension of the data space.
    pub(crate) dof: usize,
    /// Squares of the part of each activity sample that is penalised and not seen by `A`; its variance is `sigma^2 / lambda`
    /// times this.
    pub(super) unseen: Vec<f64>,
    /// `log |N'A'A N|`, over the seen directions of `N`.
    pub(super) log_det_free: f64,
}

/// A block of columns in these coordinates.
pub(crate) struct Coordinates {
    /// `y'[U Q]`: column x direction.
    pub(super) values: Array2<f64>,
    /// Squares of the penalised ones: column x penalised direction.
    pub(crate) squares: Array2<f64>,
    /// Squares of each column that no direction holds: what is noise at any lambda.
    pub(crate) rest: Vec<f64>,
}

impl Diagonal {
    /// Factorises an operator under a penalty: one or two singular value decompositions.
    ///
    /// # Errors
    /// An operator that is not finite, no dimension left for the penalised activity and the noise, or what LAPACK reports.
    pub(crate) fn new(operator: &Operator, penalty: Penalty) -> Result<Self, RidgeError> {
        let forward = &operator.forward;
        if !forward.iter().all(|value| value.is_finite()) {
            return Err(RidgeError::NotFinite);
        }
        let Split { mut shape, null } = penalty.split(forward.ncols())?;
        let unpenalised = Unpenalised::new(forward, &null)?;
        let free = unpenalised.images.ncols();
        if operator.dof <= free {
            return Err(RidgeError::NoFreedom { dof: operator.dof, free });
        }
        let mut images = product(forward, &shape);
        if free > 0 {
            let along = transposed_product(&unpenalised.images, &images);
            subtract_product(&mut images, &unpenalised.images, &along);
            subtract_product(&mut shape, &unpenalised.activity, &along);
        }
        let ThinSvd { u, s: gains, vt } = seen_directions(&images, operator.dof - free)?;
        let mut right = product(&shape, &vt.t());
        let unseen = squares_beyond(shape, &right, &vt);
        let left = joined(&u, &unpenalised.images);
        right = joined(&right, &unpenalised.activity);
        let squared = gains.iter().map(|gain| gain * gain).collect();
        let log_det_free = unpenalised.log_det;
        Ok(Self { left, right, gains: gains.to_vec(), squared, free, dof: operator.dof, unseen, log_det_free })
    }

    /// Dimension of the data space less the unpenalised directions: what noise and penalised activity share.
    pub(crate) fn freedom(&self) -> usize {
        self.dof - self.free
    }

    /// Dimensions in which data hold noise alone.
    pub(crate) fn dimensions_of_rest(&self) -> usize {
        self.freedom() - self.gains.len()
    }

    /// Data in these coordinates (kept frame x column).
    pub(crate) fn coordinates(&self, data: &Array2<f64>) -> Coordinates {
        let values = transposed_product(data, &self.left);
        let squares = values.slice(s![.., ..self.gains.len()]).mapv(|value| value * value);
        let rest = if self.dimensions_of_rest() == 0 { vec![0.0; data.ncols()] } else { squares_left(data, &values) };
        Coordinates { values, squares, rest }
    }
}

/// Squares of each column of data less those of its coordinates.
fn squares_left(data: &Array2<f64>, values: &Array2<f64>) -> Vec<f64> {
    let mut rest = vec![0.0; data.ncols()];
    for row in data.outer_iter() {
        rest.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value);
    }
    for (rest, row) in rest.iter_mut().zip(values.outer_iter()) {
        *rest = (*rest - row.iter().map(|value| value * value).sum::<f64>()).max(0.0);
    }
    rest
}

/// Unpenalised activity that data show.
struct Unpenalised {
    /// `Q`, orthonormal: kept frame x direction.
    images: Array2<f64>,
    /// `N R^-1`, the activity with these images: activity sample x direction.
    activity: Array2<f64>,
    /// `log |N'A'A N|`.
    log_det: f64,
}

impl Unpenalised {
    fn new(forward: &Array2<f64>, null: &Array2<f64>) -> Result<Self, RidgeError> {
        if null.ncols() == 0 {
            let (frames, samples) = forward.dim();
            return Ok(Self {
                images: Array2::zeros((frames, 0)),
                activity: Array2::zeros((samples, 0)),
                log_det: 0.0,
            });
        }
        let norm = forward.iter().map(|value| value * value).sum::<f64>().sqrt();
        let ThinSvd { u, s: sizes, vt } = thin_svd(&product(forward, null))?;
        let seen = sizes.iter().take_while(|size| **size > SEEN * norm).count();
        let activity = product(null, &vt.slice(s![..seen, ..]).t()) / sizes.slice(s![..seen]);
        let log_det = sizes.iter().take(seen).map(|size| 2.0 * size.ln()).sum();
        Ok(Self { images: u.slice(s![.., ..seen]).to_owned(), activity, log_det })
    }
}

/// Singular vectors and values above rounding, `most` at most.
fn seen_directions(images: &Array2<f64>, most: usize) -> Result<ThinSvd, LinalgError> {
    let (frames, columns) = images.dim();
    if frames == 0 || columns == 0 {
        let (u, vt) = (Array2::zeros((frames, 0)), Array2::zeros((0, columns)));
        return Ok(ThinSvd { u, s: Array1::zeros(0), vt });
    }
    let ThinSvd { u, s: sizes, vt } = thin_svd(images)?;
    let rounding = f64::EPSILON * frames.max(columns) as f64 * sizes[0];
    let rank = sizes.iter().take(most).take_while(|size| **size > rounding).count();
    let (u, vt) = (u.slice(s![.., ..rank]).to_owned(), vt.slice(s![..rank, ..]).to_owned());
    Ok(ThinSvd { u, s: sizes.slice(s![..rank]).to_owned(), vt })
}

/// Squares of each row of `shape` beyond its part along `vt`, `seen = shape vt'` being that part.
fn squares_beyond(mut shape: Array2<f64>, seen: &Array2<f64>, vt: &Array2<f64>) -> Vec<f64> {
    if seen.ncols() == shape.ncols() {
        return vec![0.0; shape.nrows()];
    }
    subtract_product(&mut shape, seen, vt);
    shape.map_axis(Axis(1), |row: ndarray::ArrayView1<'_, f64>| row.dot(&row)).to_vec()
}

/// Columns of `a`, then of `b`, row by row in memory: products with it then are too.
fn joined(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    let mut both = Array2::zeros((a.nrows(), a.ncols() + b.ncols()));
    both.slice_mut(s![.., ..a.ncols()]).assign(a);
    both.slice_mut(s![.., a.ncols()..]).assign(b);
    both
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Problem, operator};
    use super::*;

    #[test]
    fn a_projected_constant_is_neither_seen_nor_free() {
        let (shown, hidden) = (operator(Problem::Plain), operator(Problem::NoConstant));
        for (penalty, free) in [(Penalty::FIRST_DIFFERENCE, 1), (Penalty::SECOND_DIFFERENCE, 2)] {
            assert_eq!(Diagonal::new(&shown, penalty).unwrap().free, free);
            assert_eq!(Diagonal::new(&hidden, penalty).unwrap().free, free - 1);
        }
    }

    #[test]
    fn directions_are_orthonormal_and_restore_the_operator() {
        for problem in [Problem::Plain, Problem::NoConstant, Problem::Tall] {
            let operator = operator(problem);
            for penalty in [Penalty::VALUE, Penalty::FIRST_DIFFERENCE, Penalty::SECOND_DIFFERENCE] {
                let diagonal = Diagonal::new(&operator, penalty).unwrap();
                let gram = diagonal.left.t().dot(&diagonal.left);
                let rounding = 1e-12; // some n eps of LAPACK's orthogonality
                assert!((&gram - &Array2::<f64>::eye(gram.nrows())).iter().all(|error| error.abs() < rounding));
                let images = operator.forward.dot(&diagonal.right);
                let mut expected = diagonal.left.clone();
                let factors: Array1<f64> =
                    diagonal.gains.iter().copied().chain(std::iter::repeat_n(1.0, diagonal.free)).collect();
                expected *= &factors;
                let error = (&images - &expected).mapv(f64::abs).fold(0.0, |a: f64, b| a.max(*b));
                assert!(error < 1e-10 * diagonal.gains[0].max(1.0), "{penalty:?}: {error}");
            }
        }
    }

    #[test]
    fn what_cannot_be_factorised_is_said() {
        let mut bad = operator(Problem::Plain);
        bad.dof = 1;
        let refused = Diagonal::new(&bad, Penalty::FIRST_DIFFERENCE);
        assert!(matches!(refused, Err(RidgeError::NoFreedom { dof: 1, free: 1 })));
        bad.forward[(3, 4)] = f64::NAN;
        assert!(matches!(Diagonal::new(&bad, Penalty::VALUE), Err(RidgeError::NotFinite)));
    }
}
