//! A design as noise of one process whitens it, and the restricted likelihood of that process.
//!
//! With `V = L L'` the covariance of the rows in units of the innovations' variance, `Q` an orthonormal basis of the design
//! and `e` the residuals of ordinary least squares, minus twice the restricted log-likelihood is but for a constant
//!
//! ```text
//! (n - k) ln s + ln det V + ln det Q'V^-1Q,   s = |z|^2 - |U'z|^2,  z = L^-1 e,  U an orthonormal basis of L^-1 Q
//! ```
//!
//! (Patterson and Thompson 1971, doi 10.1093/biomet/58.3.545), `s` being the whitened residual squares.

use super::{Layout, Process, Whitener};
use crate::model::cholesky::{factor_packed, pack, packed_length, solve_lower_packed, solve_upper_packed};
use crate::model::linalg::{add_transposed_product, subtract_product, transposed_product};
use crate::signal::widest::{Loop, widest};
use ndarray::{Array2, ArrayView2, s};

/// Columns whitened at once: they stay in a core's cache, row by row.
const TILE_COLUMNS: usize = 128;

/// A design under noise of one process.
#[derive(Debug, Clone)]
pub(crate) struct Whitened {
    whitener: Whitener,
    /// Rank of the design, gaps' regressors left out.
    rank: usize,
    /// Packed Cholesky factor `D` of the Schur complement of the gaps in `Q'V^-1Q`: `(D D')^-1` is the covariance of the
    /// design's projections.
    factor: Vec<f64>,
    /// `U`, row x (gap, rank).
    basis: Array2<f64>,
    /// `ln det V + ln det Q'V^-1Q`.
    log_determinants: f64,
}

/// What a column's residuals are, whitened.
pub(crate) struct WhitenedResiduals {
    /// By how much the projections on the design's basis grow from those of ordinary least squares: rank x column.
    pub(crate) steps: Array2<f64>,
    /// Whitened residual squares `s` of each column.
    pub(crate) squares: Vec<f64>,
}

impl Whitened {
    /// `q` (row x (gap, rank), orthonormal) under `process`. `None` where rounding leaves no regular `Q'V^-1Q`.
    pub(crate) fn new(q: &Array2<f64>, process: &Process, layout: &Layout) -> Option<Self> {
        let whitener = process.whitener(layout);
        let (n, all) = q.dim();
        let mut basis = Array2::zeros((n, all));
        if let (Some(q), Some(basis)) = (q.as_standard_layout().as_slice(), basis.as_slice_mut()) {
            whitener.whiten(q, all, &(0..all), basis); // both are in standard order
        }
        let gram = transposed_product(&basis, &basis);
        let mut factor = pack(&gram);
        if !factor_packed(&mut factor, all) {
            return None;
        }
        // rows of L^-1 Q D'^-1 solve D u = row
        let mut row = vec![0.0; all];
        for mut of_row in basis.outer_iter_mut() {
            row.iter_mut().zip(&of_row).for_each(|(value, of_row)| *value = *of_row);
            solve_lower_packed(&factor, &mut row);
            of_row.iter_mut().zip(&row).for_each(|(of_row, value)| *of_row = *value);
        }
        let of_gram: f64 = (0..all).map(|i| 2.0 * factor[packed_length(i) + i].ln()).sum();
        let log_determinants = whitener.log_determinant(n) + of_gram;
        // gaps come first, so what is left of the factor once they are eliminated stands last
        let gaps = layout.n_gaps();
        let factor =
            (gaps..all).flat_map(|i| factor[packed_length(i) + gaps..=packed_length(i) + i].to_vec()).collect();
        Some(Self { whitener, rank: all - gaps, factor, basis, log_determinants })
    }

    /// Rank of the design, gaps' regressors left out.
    pub(crate) fn rank(&self) -> usize {
        self.rank
    }

    /// Packed Cholesky factor of the precision of the design's projections, in units of one over the innovations' variance.
    pub(crate) fn factor(&self) -> &[f64] {
        &self.factor
    }

    /// [`Self::factor`] alone.
    pub(crate) fn into_factor(self) -> Vec<f64> {
        self.factor
    }

    /// Minus twice the restricted log-likelihood of a column of `squares` whitened residual squares, but for a constant.
    pub(crate) fn deviance(&self, squares: f64) -> f64 {
        let (n, all) = self.basis.dim();
        (n - all) as f64 * squares.ln() + self.log_determinants
    }

    /// Deviances of processes are in the order of squares times this.
    pub(crate) fn factor_of_squares(&self) -> f64 {
        let (n, all) = self.basis.dim();
        (self.log_determinants / (n - all) as f64).exp()
    }

    /// `U'z` ((gap, rank) x column) and `|z|^2` of residuals `e` (row x column).
    fn project(&self, e: &Array2<f64>, z: &mut Vec<f64>) -> (Array2<f64>, Vec<f64>) {
        let (n, n_columns) = e.dim();
        let mut projections = Array2::zeros((self.basis.ncols(), n_columns));
        let mut squares = vec![0.0; n_columns];
        let e = e.as_standard_layout();
        let Some(e) = e.as_slice() else { return (projections, squares) }; // in standard order
        for start in (0..n_columns).step_by(TILE_COLUMNS) {
            let tile = start..(start + TILE_COLUMNS).min(n_columns);
            z.resize(n * tile.len(), 0.0);
            self.whitener.whiten(e, n_columns, &tile, z);
            for row in z.chunks_exact(tile.len()) {
                widest(AddSquares { sums: &mut squares[tile.clone()], row });
            }
            if let Ok(z) = ArrayView2::from_shape((n, tile.len()), z) {
                add_transposed_product(&self.basis, &z, projections.slice_mut(s![.., tile]), true);
            }
        }
        (projections, squares)
    }

    /// The orthonormal basis of the whitened design, row x (gap, rank).
    pub(crate) fn basis(&self) -> &Array2<f64> {
        &self.basis
    }

    /// Whitened residuals (row x column) of generalised least squares, from those of ordinary; `z` is working space.
    pub(crate) fn white(&self, e: &Array2<f64>, z: &mut Vec<f64>) -> Array2<f64> {
        let (n, n_columns) = e.dim();
        z.resize(n * n_columns, 0.0);
        if let Some(e) = e.as_standard_layout().as_slice() {
            self.whitener.whiten(e, n_columns, &(0..n_columns), z); // in standard order
        }
        let mut white = Array2::from_shape_vec((n, n_columns), std::mem::take(z)).unwrap_or_default();
        let projections = transposed_product(&self.basis, &white);
        subtract_product(&mut white, &self.basis, &projections);
        white
    }

    /// Whitened residual squares of each column of residuals `e` (row x column) of ordinary least squares; `z` is working space.
    pub(crate) fn squares(&self, e: &Array2<f64>, z: &mut Vec<f64>) -> Vec<f64> {
        let (projections, squares) = self.project(e, z);
        unexplained(&projections, squares)
    }

    /// From the residuals `e` (row x column) of ordinary to those of generalised least squares; `z` is working space.
    pub(crate) fn residuals(&self, e: &Array2<f64>, z: &mut Vec<f64>) -> WhitenedResiduals {
        let (projections, squares) = self.project(e, z);
        let squares = unexplained(&projections, squares);
        let mut steps = projections.slice(s![projections.nrows() - self.rank.., ..]).to_owned();
        let mut step = vec![0.0; self.rank];
        for mut column in steps.columns_mut() {
            step.iter_mut().zip(&column).for_each(|(step, value)| *step = *value);
            solve_upper_packed(&self.factor, &mut step);
            column.iter_mut().zip(&step).for_each(|(value, step)| *value = *step);
        }
        WhitenedResiduals { steps, squares }
    }
}

/// The columns `members` of `values`, in standard order: `select` gives another.
pub(crate) fn gathered(values: &Array2<f64>, members: &[usize]) -> Array2<f64> {
    let mut out = Vec::with_capacity(values.nrows() * members.len());
    for row in values.outer_iter() {
        out.extend(members.iter().map(|&column| row[column]));
    }
    Array2::from_shape_vec((values.nrows(), members.len()), out).unwrap_or_default()
}

struct AddSquares<'a> {
    sums: &'a mut [f64],
    row: &'a [f64],
}

impl Loop for AddSquares<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.sums.iter_mut().zip(self.row).for_each(|(sum, value)| *sum += value * value);
    }
}

/// What projections on an orthonormal basis leave of sums of squares.
fn unexplained(projections: &Array2<f64>, mut squares: Vec<f64>) -> Vec<f64> {
    for row in projections.outer_iter() {
        squares.iter_mut().zip(row).for_each(|(sum, value)| *sum -= value * value);
    }
    for squares in &mut squares {
        *squares = squares.max(0.0);
    }
    squares
}

#[cfg(test)]
mod tests {
    use super::super::{Arma11, Autoregression};
    use super::*;
    use crate::model::basis::Basis;
    use crate::model::linalg::{inverse_square_root, subtract_product};

    fn inverse(a: &Array2<f64>) -> Array2<f64> {
        let root = inverse_square_root(a).unwrap();
        root.dot(&root)
    }

    const LAGS: [usize; 13] = [1, 1, 1, 2, 1, 1, 4, 1, 1, 1, 1, 3, 1];

    fn times() -> Vec<usize> {
        LAGS.iter()
            .scan(0, |time, lag| {
                *time += lag;
                Some(*time)
            })
            .fold(vec![0], |mut all, time| {
                all.push(time);
                all
            })
    }

    /// Steps, squares and deviances of AR(1) noise by its recursion over gaps, by filling them, and by dense matrices.
    #[test]
    fn gaps_filled_equal_gaps_skipped() {
        let times = times();
        let n = times.len();
        let design = Array2::from_shape_fn((n, 3), |(t, j)| (times[t] as f64 * 0.4 * (j + 1) as f64).cos());
        let q = Basis::new(&design).unwrap().q;
        let y = Array2::from_shape_fn((n, 4), |(t, j)| ((t * t + 7 * j) as f64).sin());
        let projections = q.t().dot(&y);
        let mut e = y.clone();
        subtract_product(&mut e, &q, &projections);
        let mut deviances = Vec::new();
        for rho in [-0.5, 0.0, 0.4, 0.9] {
            let kept = Layout::of_kept(&LAGS);
            let filled = Layout::filled(&LAGS);
            let by_recursion = Whitened::new(&q, &Process::Arma11(Arma11 { a: rho, b: 0.0 }), &kept).unwrap();
            let autoregression = Process::Autoregression(Autoregression::of_partial(vec![rho]));
            let by_filling = Whitened::new(&filled.basis(&q), &autoregression, &filled).unwrap();
            let v = Array2::from_shape_fn((n, n), |(s, t)| {
                rho.powf(times[s].abs_diff(times[t]) as f64) / (1.0 - rho * rho)
            });
            let precision = inverse(&v);
            let gram = q.t().dot(&precision).dot(&q);
            let linear = q.t().dot(&precision).dot(&e);
            let steps = inverse(&gram).dot(&linear);
            let quadratic =
                (&e * &precision.dot(&e)).sum_axis(ndarray::Axis(0)) - (&steps * &linear).sum_axis(ndarray::Axis(0));
            let spread = filled.spread(e.clone());
            // condition of v at .9 some 400: 1e-13 of values of order 1
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b.abs().max(1.0), "rho {rho}: {a}, {b}");
            for (whitened, e) in [(&by_recursion, &e), (&by_filling, &spread)] {
                let found = whitened.residuals(e, &mut Vec::new());
                found.steps.iter().zip(&steps).for_each(|(a, b)| close(*a, *b));
                found.squares.iter().zip(&quadratic).for_each(|(a, b)| close(*a, *b));
                whitened.squares(e, &mut Vec::new()).iter().zip(&quadratic).for_each(|(a, b)| close(*a, *b));
                for i in 0..3 {
                    for j in 0..=i {
                        let entry: f64 = (0..=j)
                            .map(|k| whitened.factor[packed_length(i) + k] * whitened.factor[packed_length(j) + k])
                            .sum();
                        close(entry, gram[(i, j)]);
                    }
                }
            }
            deviances.push([by_recursion.deviance(quadratic[0]), by_filling.deviance(quadratic[0])]);
        }
        // equal but for a constant of the layout, which is 0
        for [skipped, filled] in deviances {
            assert!((skipped - filled).abs() < 1e-11, "{skipped}, {filled}");
        }
    }
}
