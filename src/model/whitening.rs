//! Whitening by an autoregression of order 1 without whitening anything: every product it is needed for is a
//! sum of a few precomputed ones.
//!
//! Samples are at true lags: two kept neighbours k repetition times apart have correlation rho^k. With
//! s_k^2 = (1 - rho^2) / (1 - rho^2k) the whitened samples are
//!
//! ```text
//! w_1 = f y_1,    w_t = s_k (y_t - rho^k y_(t-1)),    f^2 = 1 - rho^2 (or 1, where the first sample is unscaled)
//! ```
//!
//! each of the innovation variance. So the precision matrix is tridiagonal, P = W'W = (1 + rho^2) I + sum_j c_j(rho) M_j
//! with fixed sparse M_j: neighbours at lag k, their later and their earlier samples (k > 1), the first and the
//! last sample. For a basis Q (orthonormal) and residuals E (Q'E = 0)
//!
//! ```text
//! Q'PQ = (1 + rho^2) I + sum_j c_j Q'M_jQ,   Q'PE = sum_j c_j (M_jQ)'E,   e'Pe = (1 + rho^2) e'e + sum_j c_j e'M_je
//! ```
//!
//! so a p x p gram for any rho costs a few p x p additions, and no copy of the data is made for a bin or a voxel. The
//! products over all neighbours one frame apart follow from sums over time; the other pieces touch a few samples.

use super::cholesky::{pack, packed_length};
use super::linalg::transposed_product;
use super::sums::Residuals;
use crate::config::FirstSample;
use ndarray::{Array2, Axis, CowArray, Ix2, Zip};

/// What the coefficient of a piece of the precision matrix is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Coefficient {
    /// Neighbours k apart, off the diagonal: `-rho^k s_k^2`.
    Neighbours(usize),
    /// The later sample of neighbours k > 1 apart: `s_k^2 - 1`.
    Later(usize),
    /// The earlier sample of neighbours k > 1 apart: `s_k^2 rho^2k - rho^2`.
    Earlier(usize),
    /// The first sample, scaled: `-rho^2`.
    First,
    /// The last sample: `-rho^2`.
    Last,
}

impl Coefficient {
    fn at(self, rho: f64) -> f64 {
        let square = rho * rho;
        // s_k^2, by a finite sum that has no 0 / 0 at |rho| = 1
        let innovation = |lag: usize| (0..lag).rev().fold(0.0, |sum, _| sum * square + 1.0).recip();
        let power = |lag: usize| (0..lag).fold(1.0, |power, _| power * rho);
        match self {
            Self::Neighbours(lag) => -power(lag) * innovation(lag),
            Self::Later(lag) => innovation(lag) - 1.0,
            Self::Earlier(lag) => innovation(lag) * power(lag).powi(2) - square,
            Self::First | Self::Last => -square,
        }
    }
}

/// One sparse symmetric matrix `M` of the precision matrix.
#[derive(Debug, Clone)]
struct Piece {
    coefficient: Coefficient,
    /// `Q' M Q`, packed.
    gram: Vec<f64>,
    /// How products with it are had: from single samples, or (`None`) from sums over all neighbours one frame apart.
    samples: Option<Samples>,
}

/// A piece that touches few samples.
#[derive(Debug, Clone)]
struct Samples {
    /// Where the rows that it touches stand among the held ones.
    rows: Vec<usize>,
    /// Those rows of `M Q`: row x rank.
    applied: Array2<f64>,
    /// Its pairs (later, earlier) of neighbours, or (t, t) on the diagonal, as places among the held rows.
    pairs: Vec<(usize, usize)>,
}

/// The precision matrix of an AR(1) process at given lags, seen through a basis.
#[derive(Debug, Clone)]
pub(crate) struct Whitening {
    rank: usize,
    pieces: Vec<Piece>,
    held: Vec<usize>,
}

/// Products of one block of residuals with every piece.
pub(crate) struct BlockProducts<'a> {
    /// Per piece: `(M Q)' E`, rank x column.
    linear: Vec<CowArray<'a, f64, Ix2>>,
    /// Per piece: `e' M e` of each column.
    quadratic: Vec<Vec<f64>>,
    /// `e'e` of each column.
    squares: &'a [f64],
}

impl Whitening {
    /// For the basis `q` (frame x rank) whose frames are `lags[t]` repetition times after the one before.
    pub(crate) fn new(q: &Array2<f64>, lags: &[usize], first_sample: FirstSample) -> Self {
        let last = lags.len();
        let mut distinct = lags.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let mut parts: Vec<(Coefficient, Vec<(usize, usize)>)> = vec![(Coefficient::Last, vec![(last, last)])];
        if first_sample == FirstSample::Scaled {
            parts.push((Coefficient::First, vec![(0, 0)]));
        }
        for lag in distinct {
            let later: Vec<usize> = (1..=last).filter(|&later| lags[later - 1] == lag).collect();
            parts.push((Coefficient::Neighbours(lag), later.iter().map(|&t| (t, t - 1)).collect()));
            if lag > 1 {
                parts.push((Coefficient::Later(lag), later.iter().map(|&t| (t, t)).collect()));
                parts.push((Coefficient::Earlier(lag), later.iter().map(|&t| (t - 1, t - 1)).collect()));
            }
        }
        let mut held = vec![0, last];
        for (_, pairs) in parts.iter().filter(|(coefficient, _)| *coefficient != Coefficient::Neighbours(1)) {
            held.extend(pairs.iter().flat_map(|&(later, earlier)| [earlier, later]));
        }
        held.sort_unstable();
        held.dedup();
        let pieces = parts.into_iter().map(|(coefficient, pairs)| Piece::new(q, coefficient, &pairs, &held)).collect();
        Self { rank: q.ncols(), pieces, held }
    }

    /// The frames whose residuals are needed one by one, ascending: the first, the last and those beside gaps.
    pub(crate) fn held(&self) -> &[usize] {
        &self.held
    }

    /// Columns of the basis.
    pub(crate) fn rank(&self) -> usize {
        self.rank
    }

    /// `Q' P Q` at `rho`, packed into `gram`.
    pub(crate) fn gram(&self, rho: f64, gram: &mut [f64]) {
        gram.fill(0.0);
        for i in 0..self.rank {
            gram[packed_length(i) + i] = 1.0 + rho * rho;
        }
        for piece in &self.pieces {
            let coefficient = piece.coefficient.at(rho);
            for (entry, of_piece) in gram.iter_mut().zip(&piece.gram) {
                *entry += coefficient * of_piece;
            }
        }
    }

    /// Products of `residuals` with every piece.
    pub(crate) fn products<'a>(&self, residuals: &'a Residuals) -> BlockProducts<'a> {
        let (linear, quadratic) = self.pieces.iter().map(|piece| piece.products(residuals)).unzip();
        BlockProducts { linear, quadratic, squares: &residuals.squares }
    }

    /// `Q' P e` of a column at `rho` into `linear`; gives `e' P e`.
    pub(crate) fn apply(&self, rho: f64, products: &BlockProducts<'_>, column: usize, linear: &mut [f64]) -> f64 {
        linear.fill(0.0);
        let mut quadratic = (1.0 + rho * rho) * products.squares[column];
        for (piece, (of_piece, e_m_e)) in self.pieces.iter().zip(products.linear.iter().zip(&products.quadratic)) {
            let coefficient = piece.coefficient.at(rho);
            quadratic += coefficient * e_m_e[column];
            for (entry, value) in linear.iter_mut().zip(of_piece.column(column)) {
                *entry += coefficient * value;
            }
        }
        quadratic
    }
}

impl Piece {
    fn new(q: &Array2<f64>, coefficient: Coefficient, pairs: &[(usize, usize)], held: &[usize]) -> Self {
        let applied = neighbours_of(q, pairs);
        let gram = pack(&transposed_product(q, &applied));
        let samples = (coefficient != Coefficient::Neighbours(1)).then(|| {
            let place = |frame: usize| held.partition_point(|other| *other < frame);
            let mut touched: Vec<usize> = pairs.iter().flat_map(|&(later, earlier)| [earlier, later]).collect();
            touched.sort_unstable();
            touched.dedup();
            Samples {
                rows: touched.iter().map(|&frame| place(frame)).collect(),
                applied: applied.select(Axis(0), &touched),
                pairs: pairs.iter().map(|&(later, earlier)| (place(later), place(earlier))).collect(),
            }
        });
        Self { coefficient, gram, samples }
    }

    /// `(M Q)' E` and `e' M e`.
    fn products<'a>(&self, residuals: &'a Residuals) -> (CowArray<'a, f64, Ix2>, Vec<f64>) {
        let (linear, mut sums) = match &self.samples {
            None => (residuals.neighbours.view().into(), residuals.lagged.clone()),
            Some(Samples { rows, applied, pairs }) => (
                transposed_product(applied, &residuals.held.select(Axis(0), rows)).into(),
                sum_of_products(&residuals.held, pairs.iter().copied()),
            ),
        };
        if matches!(self.coefficient, Coefficient::Neighbours(_)) {
            for sum in &mut sums {
                *sum *= 2.0;
            }
        }
        (linear, sums)
    }
}

/// `M Q` for the symmetric matrix `M` that holds 1 at each of `pairs`: each row's neighbours, summed.
pub(crate) fn neighbours_of(q: &Array2<f64>, pairs: &[(usize, usize)]) -> Array2<f64> {
    let mut applied = Array2::zeros(q.dim());
    for &(later, earlier) in pairs {
        applied.row_mut(later).scaled_add(1.0, &q.row(earlier));
        if later != earlier {
            applied.row_mut(earlier).scaled_add(1.0, &q.row(later));
        }
    }
    applied
}

/// Sum over `pairs` of rows of the product of both, for each column.
fn sum_of_products(rows: &Array2<f64>, pairs: impl Iterator<Item = (usize, usize)>) -> Vec<f64> {
    let mut sums = ndarray::Array1::zeros(rows.ncols());
    for (one, other) in pairs {
        Zip::from(&mut sums).and(rows.row(one)).and(rows.row(other)).for_each(|sum, a, b| *sum += a * b);
    }
    sums.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::basis::Basis;
    use crate::model::linalg::subtract_product;

    const TIMES: [usize; 14] = [0, 1, 2, 3, 5, 6, 7, 11, 12, 13, 14, 16, 17, 20];

    /// Whitening written out as a matrix, sample by sample.
    fn dense_whitener(lags: &[usize], rho: f64, first_sample: FirstSample) -> Array2<f64> {
        let n = lags.len() + 1;
        let mut w = Array2::zeros((n, n));
        w[(0, 0)] = if first_sample == FirstSample::Scaled { (1.0 - rho * rho).sqrt() } else { 1.0 };
        for t in 1..n {
            let correlation = rho.powi(i32::try_from(lags[t - 1]).unwrap());
            let scale = ((1.0 - rho * rho) / (1.0 - correlation * correlation)).sqrt();
            w[(t, t)] = scale;
            w[(t, t - 1)] = -scale * correlation;
        }
        w
    }

    #[test]
    fn products_by_pieces_equal_those_of_whitened_data() {
        let lags: Vec<usize> = TIMES.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let n = TIMES.len();
        let design = Array2::from_shape_fn((n, 4), |(t, j)| (TIMES[t] as f64 * (0.3 + 0.4 * j as f64)).cos());
        let q = Basis::new(&design).unwrap().q;
        let mut data = Array2::from_shape_fn((n, 3), |(t, j)| ((t * t + 7 * j) as f64).sin());
        let projected = q.t().dot(&data);
        subtract_product(&mut data, &q, &projected);
        let pairs: Vec<(usize, usize)> = (1..n).filter(|&t| lags[t - 1] == 1).map(|t| (t, t - 1)).collect();
        for first_sample in [FirstSample::Scaled, FirstSample::Unscaled] {
            let whitening = Whitening::new(&q, &lags, first_sample);
            for rho in [-0.99, -0.4, 0.0, 0.37, 0.9, 0.99] {
                let w = dense_whitener(&lags, rho, first_sample);
                let (wq, we) = (w.dot(&q), w.dot(&data));
                let residuals = Residuals {
                    projections: projected.clone(),
                    squares: sum_of_products(&data, (0..n).map(|t| (t, t))),
                    total_squares: Vec::new(),
                    sum: Vec::new(),
                    neighbours: neighbours_of(&q, &pairs).t().dot(&data),
                    lagged: sum_of_products(&data, pairs.iter().copied()),
                    held: data.select(Axis(0), whitening.held()),
                };
                let products = whitening.products(&residuals);
                let mut gram = vec![0.0; packed_length(4)];
                whitening.gram(rho, &mut gram);
                // sums of at most 14 terms of order 1: some tens of ulp
                let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-13, "{value} {expected}");
                for i in 0..4 {
                    for j in 0..=i {
                        close(gram[packed_length(i) + j], wq.column(i).dot(&wq.column(j)));
                    }
                }
                let mut linear = [0.0; 4];
                for column in 0..3 {
                    let quadratic = whitening.apply(rho, &products, column, &mut linear);
                    close(quadratic, we.column(column).dot(&we.column(column)));
                    for (i, value) in linear.iter().enumerate() {
                        close(*value, wq.column(i).dot(&we.column(column)));
                    }
                }
            }
        }
    }
}
