//! A design under autoregressive noise of any process, at little cost a process.
//!
//! With `a = (1, -c_1, ..., -c_p)` and `r_l = sum_i a_i a_(i+l)`, the precision matrix of n samples of an autoregression, in units
//! of one over the innovations' variance, is (Gohberg and Semencul 1972, here for a banded inverse)
//!
//! ```text
//! x'V^-1y = sum_l r_l x'T_l y - sum_s h_s(x) h_s(y) - sum_s t_s(x) t_s(y),   s = 1..p
//! h_s(x) = sum_(i >= s) a_i x_(i-s),   t_s(x) = sum_(i >= s) a_i x_(n-1-i+s)
//! ```
//!
//! `T_l` being the sum of the shifts by l and -l. So `Q'T_l Q` once, and a few sums a process, are all that `Q'V^-1Q` takes, and
//! every column can have a process of its own: whitening the design for each would take some ten times as long.

use super::whitened::WhitenedResiduals;
use super::{Autoregression, Layout};
use crate::model::cholesky::{factor_packed, packed_length, solve_lower_packed, solve_upper_packed};
use crate::model::linalg::{add_transposed_product, transposed_product};
use crate::signal::widest::{AddProducts, Loop, widest};
use ndarray::{Array2, ArrayView2, s};

/// Columns filtered at once: they stay in a core's cache, row by row.
const TILE_COLUMNS: usize = 128;

/// A design seen by autoregressions of one order.
#[derive(Debug, Clone)]
pub(crate) struct ArPrecision {
    order: usize,
    n_gaps: usize,
    /// Regressors of gaps and columns of the basis.
    width: usize,
    /// `Q'T_l Q`, packed, lag by lag.
    sums: Vec<f64>,
    /// The first rows of Q, as many as the order, and the last from the end.
    ends: [Vec<f64>; 2],
}

/// Working space of one process.
#[derive(Debug, Clone, Default)]
pub(crate) struct ArScratch {
    /// `Q'V^-1Q`, then its Cholesky factor, packed.
    gram: Vec<f64>,
    /// `h_s(Q)`, then `t_s(Q)`: row s x width.
    ends: Vec<f64>,
    /// The factor of the Schur complement of the gaps.
    factor: Vec<f64>,
}

impl ArScratch {
    /// Packed Cholesky factor of the precision of the design's projections, gaps' regressors eliminated.
    pub(crate) fn factor(&self) -> &[f64] {
        &self.factor
    }
}

impl ArPrecision {
    /// For the orthonormal basis `q` (row x (gap, rank)) over the rows of `layout`, which are a repetition time apart and more
    /// than `order`.
    pub(crate) fn new(q: &Array2<f64>, layout: &Layout, order: usize) -> Self {
        let (n, width) = q.dim();
        let mut sums = Vec::with_capacity((order + 1) * packed_length(width));
        for lag in 0..=order.min(n - 1) {
            let (early, late) = (q.slice(s![..n - lag, ..]).to_owned(), q.slice(s![lag.., ..]).to_owned());
            let one_way = transposed_product(&early, &late);
            let both = |i: usize, j: usize| if lag == 0 { one_way[(i, j)] } else { one_way[(i, j)] + one_way[(j, i)] };
            (0..width).for_each(|i| sums.extend((0..=i).map(|j| both(i, j))));
        }
        let rows = |row: &dyn Fn(usize) -> usize| (0..order.min(n)).flat_map(|at| q.row(row(at)).to_vec()).collect();
        let ends = [rows(&|at| at), rows(&|at| n - 1 - at)];
        Self { order, n_gaps: layout.n_gaps(), width, sums, ends }
    }

    /// Makes ready the factor for a process; `false` where rounding leaves no regular `Q'V^-1Q`.
    pub(crate) fn factor(&self, process: &Autoregression, scratch: &mut ArScratch) -> bool {
        self.factor_filter(&filter(process, self.order), scratch)
    }

    fn factor_filter(&self, a: &[f64], scratch: &mut ArScratch) -> bool {
        widest(Gram { precision: self, a, scratch });
        if !factor_packed(&mut scratch.gram, self.width) {
            return false;
        }
        // gaps come first, so what is left of the factor once they are eliminated stands last
        let gaps = self.n_gaps;
        scratch.factor.clear();
        for i in gaps..self.width {
            scratch.factor.extend_from_slice(&scratch.gram[packed_length(i) + gaps..=packed_length(i) + i]);
        }
        true
    }

    /// From the residuals `e` (row x column) of ordinary to those of generalised least squares under a process a column; `q` is
    /// the basis. `None` where rounding leaves no regular `Q'V^-1Q`.
    pub(crate) fn residuals(
        &self,
        q: &Array2<f64>,
        e: &Array2<f64>,
        processes: &[Autoregression],
    ) -> Option<WhitenedResiduals> {
        let n_columns = e.ncols();
        let filters: Vec<Vec<f64>> = processes.iter().map(|process| filter(process, self.order)).collect();
        let mut products = Array2::zeros((self.width, n_columns));
        let mut squares = vec![0.0; n_columns];
        let mut steps = Array2::zeros((self.width - self.n_gaps, n_columns));
        let mut scratch = ArScratch::default();
        let mut own = vec![0.0; self.width];
        for start in (0..n_columns).step_by(TILE_COLUMNS) {
            let columns = start..(start + TILE_COLUMNS).min(n_columns);
            let tile = Tile::new(e, columns.clone(), &filters[columns.clone()], self.order);
            let filtered = ArrayView2::from_shape((e.nrows(), tile.width), &tile.filtered).ok()?;
            add_transposed_product(q, &filtered, products.slice_mut(s![.., columns.clone()]), true);
            for (at, column) in columns.enumerate() {
                if !self.factor_filter(&filters[column], &mut scratch) {
                    return None;
                }
                own.iter_mut().zip(products.column(column)).for_each(|(own, product)| *own = *product);
                let mut left = tile.squares[at];
                for (of_design, end) in scratch.ends.chunks_exact(self.width.max(1)).zip(tile.ends_of(at)) {
                    left -= end * end;
                    own.iter_mut().zip(of_design).for_each(|(own, of_design)| *own -= of_design * end);
                }
                solve_lower_packed(&scratch.gram, &mut own);
                squares[column] = unexplained_by(&own, left);
                let step = &mut own[self.n_gaps..];
                solve_upper_packed(&scratch.factor, step);
                steps.column_mut(column).iter_mut().zip(step).for_each(|(to, step)| *to = *step);
            }
        }
        Some(WhitenedResiduals { steps, squares })
    }
}

/// What projections on an orthonormal basis leave of a sum of squares.
fn unexplained_by(projections: &[f64], squares: f64) -> f64 {
    (squares - projections.iter().map(|value| value * value).sum::<f64>()).max(0.0)
}

/// `a` of a process, as long as an order asks for.
fn filter(process: &Autoregression, order: usize) -> Vec<f64> {
    let mut filter = vec![1.0];
    filter.extend(process.coefficients().into_iter().map(|coefficient| -coefficient));
    filter.resize(order + 1, 0.0);
    filter
}

/// `r_l`.
fn correlation(a: &[f64], lag: usize) -> f64 {
    a.iter().zip(&a[lag..]).map(|(a, b)| a * b).sum()
}

struct Gram<'a> {
    precision: &'a ArPrecision,
    a: &'a [f64],
    scratch: &'a mut ArScratch,
}

impl Loop for Gram<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { precision, a, scratch } = self;
        let (order, width) = (precision.order, precision.width);
        let length = packed_length(width);
        scratch.gram.clear();
        scratch.gram.resize(length, 0.0);
        for (lag, of_lag) in precision.sums.chunks_exact(length.max(1)).enumerate() {
            let weight = correlation(a, lag);
            scratch.gram.iter_mut().zip(of_lag).for_each(|(sum, of_lag)| *sum += weight * of_lag);
        }
        scratch.ends.clear();
        scratch.ends.resize(2 * order * width, 0.0);
        for (side, rows) in precision.ends.iter().enumerate() {
            for s in 1..=order {
                let out = &mut scratch.ends[(side * order + s - 1) * width..][..width];
                for (coefficient, row) in a[s..].iter().zip(rows.chunks_exact(width.max(1))) {
                    out.iter_mut().zip(row).for_each(|(out, value)| *out += coefficient * value);
                }
            }
        }
        for end in scratch.ends.chunks_exact(width.max(1)) {
            for i in 0..width {
                let weight = end[i];
                let row = &mut scratch.gram[packed_length(i)..=packed_length(i) + i];
                row.iter_mut().zip(end).for_each(|(sum, value)| *sum -= weight * value);
            }
        }
    }
}

/// Some columns of residuals under processes of their own.
struct Tile {
    width: usize,
    order: usize,
    /// `sum_l r_l T_l e`: row x column.
    filtered: Vec<f64>,
    /// `h_s(e)`, then `t_s(e)`: s x column.
    ends: Vec<f64>,
    /// `sum_l r_l e'T_l e` of each column.
    squares: Vec<f64>,
}

impl Tile {
    fn new(e: &Array2<f64>, columns: std::ops::Range<usize>, filters: &[Vec<f64>], order: usize) -> Self {
        let (n, width) = (e.nrows(), columns.len());
        let e = e.slice(s![.., columns]).as_standard_layout().to_owned();
        let rows = e.as_slice().unwrap_or_default(); // in standard order
        let row = |t: usize| &rows[t * width..][..width];
        let mut filtered = vec![0.0; n * width];
        for lag in 0..=order.min(n - 1) {
            let weights: Vec<f64> = filters.iter().map(|a| correlation(a, lag)).collect();
            for t in 0..n {
                let out = &mut filtered[t * width..][..width];
                for other in [t.checked_sub(lag), (lag > 0 && t + lag < n).then_some(t + lag)].into_iter().flatten() {
                    widest(AddProducts { sums: &mut *out, a: &weights, b: row(other) });
                }
            }
        }
        let mut squares = vec![0.0; width];
        for (t, of_row) in filtered.chunks_exact(width).enumerate() {
            widest(AddProducts { sums: &mut squares, a: of_row, b: row(t) });
        }
        let mut ends = vec![0.0; 2 * order * width];
        let by_lag: Vec<Vec<f64>> = (0..=order).map(|i| filters.iter().map(|a| a[i]).collect()).collect();
        for side in 0..2 {
            for s in 1..=order {
                let out = &mut ends[(side * order + s - 1) * width..][..width];
                for (at, weights) in by_lag[s..].iter().enumerate().take(n) {
                    let values = row(if side == 0 { at } else { n - 1 - at });
                    widest(AddProducts { sums: &mut *out, a: weights, b: values });
                }
            }
        }
        Self { width, order, filtered, ends, squares }
    }

    fn ends_of(&self, column: usize) -> impl Iterator<Item = f64> + '_ {
        (0..2 * self.order).map(move |at| self.ends[at * self.width + column])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Process, Whitened};
    use super::*;
    use crate::model::basis::Basis;

    const PROCESSES: [&[f64]; 5] =
        [&[0.0, 0.0, 0.0], &[0.6, 0.2, -0.1], &[-0.5, 0.4, 0.3], &[0.98, 0.0, 0.0], &[0.9, -0.9, 0.5]];

    fn design(n: usize) -> Array2<f64> {
        Array2::from_shape_fn((n, 4), |(t, j)| match j {
            0 => 1.0,
            1 => f64::from(u8::from(t % 10 < 5)),
            _ => ((t * j) as f64 * 0.37).sin(),
        })
    }

    /// Against a design that is whitened row by row, which is held to dense algebra where it is defined.
    #[test]
    fn own_processes_are_those_of_classes() {
        for lags in [vec![1; 39], [vec![1; 9], vec![3], vec![1; 12], vec![2], vec![1; 14]].concat()] {
            let layout = Layout::filled(&lags);
            let n = lags.len() + 1;
            let q = Basis::new(&design(n)).unwrap().q;
            let basis = layout.basis(&q);
            let y = Array2::from_shape_fn((n, PROCESSES.len()), |(t, j)| ((t * t + 7 * j) as f64 * 0.9).sin());
            let e = layout.spread(&y - &q.dot(&q.t().dot(&y)));
            let processes: Vec<_> = PROCESSES.map(|partial| Autoregression::of_partial(partial.to_vec())).to_vec();
            let precision = ArPrecision::new(&basis, &layout, 3);
            let own = precision.residuals(&basis, &e, &processes).unwrap();
            for (column, process) in processes.iter().enumerate() {
                let whitened = Whitened::new(&basis, &Process::Autoregression(process.clone()), &layout).unwrap();
                let expected = whitened.residuals(&e, &mut Vec::new());
                // the filter's gain at frequency 0 is down to 1e-4 of that at others
                let close = |a: f64, b: f64| (a - b).abs() < 1e-10 * (1.0 + b.abs());
                assert!(close(own.squares[column], expected.squares[column]), "{process:?}");
                for (a, b) in own.steps.column(column).iter().zip(expected.steps.column(column)) {
                    assert!(close(*a, *b), "{process:?}: {a}, {b}");
                }
                let mut scratch = ArScratch::default();
                assert!(precision.factor(process, &mut scratch));
                for (a, b) in scratch.factor().iter().zip(whitened.into_factor()) {
                    assert!(close(*a, b), "{process:?}: {a}, {b}");
                }
            }
        }
    }

    /// Dense generalised least squares at the parameters of an AR(3), its covariance by the Yule-Walker recursion.
    #[test]
    fn a_fit_is_that_of_dense_algebra() {
        let (n, c) = (30, [0.5, 0.2, -0.3]);
        // Yule-Walker at lags 1 to 3, solved for r_1, r_2, r_3 by fixed-point: the map is a contraction for this process
        let mut r = [1.0, 0.0, 0.0, 0.0];
        for _ in 0..400 {
            let next = |k: usize| (1..4).map(|i: usize| c[i - 1] * r[k.abs_diff(i)]).sum::<f64>();
            r = [1.0, next(1), next(2), next(3)];
        }
        let mut gamma = r.to_vec();
        while gamma.len() < n {
            let k = gamma.len();
            gamma.push((1..4).map(|i| c[i - 1] * gamma[k - i]).sum());
        }
        let process = Autoregression::of_autocovariances(&gamma[..4], 0.99).unwrap();
        for (found, expected) in process.coefficients().iter().zip(c) {
            assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
        }
        let innovation = 1.0 - (0..3).map(|i| c[i] * gamma[i + 1]).sum::<f64>();
        let v = Array2::from_shape_fn((n, n), |(s, t)| gamma[s.abs_diff(t)] / innovation);
        let inverse = crate::model::inverse_square_root(&v).unwrap();
        let inverse = inverse.dot(&inverse);
        let q = Basis::new(&design(n)).unwrap().q;
        let y = Array2::from_shape_fn((n, 1), |(t, _)| ((t * t) as f64 * 0.3).cos());
        let e = &y - &q.dot(&q.t().dot(&y));
        let layout = Layout::filled(&vec![1; n - 1]);
        let found = ArPrecision::new(&q, &layout, 3).residuals(&q, &e, &[process]).unwrap();
        let gram = q.t().dot(&inverse).dot(&q);
        let whitener = crate::model::inverse_square_root(&gram).unwrap();
        let step = whitener.dot(&whitener).dot(&q.t().dot(&inverse).dot(&e));
        let left = &e - &q.dot(&step);
        let squares = left.t().dot(&inverse).dot(&left)[(0, 0)];
        assert!((found.squares[0] - squares).abs() < 1e-11 * squares, "{} {squares}", found.squares[0]);
        assert!((&found.steps - &step).iter().all(|difference| difference.abs() < 1e-11));
    }
}
