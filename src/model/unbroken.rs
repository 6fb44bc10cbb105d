//! Generalised least squares under AR(1) for frames without gaps: some ten operations a regressor, for any rho.
//!
//! Without gaps the precision matrix is `P = (1 + rho^2) I - rho M - rho^2 E`, with `M` the neighbours in time and `E`
//! one at the last sample, and at the first where that is whitened too. In the basis that diagonalises `Q'MQ` (`Q`
//! rotated; lambda its eigenvalues) and with `H` the rows of `Q` at those ends
//!
//! ```text
//! Q'PQ = D - rho^2 H'H,   d_i = 1 + rho^2 - rho lambda_i
//! (Q'PQ)^-1 = D^-1 + rho^2 D^-1 H' S^-1 H D^-1,   S = I - rho^2 H D^-1 H'
//! ```
//!
//! (Woodbury's identity), S being of order one or two. |lambda| < 2, so D is positive for any rho.

use super::sums::Residuals;
use crate::config::FirstSample;
use ndarray::Array2;

/// The precision matrix of an AR(1) process without gaps, seen through a basis that diagonalises neighbours.
#[derive(Debug, Clone)]
pub(crate) struct Unbroken {
    lambda: Vec<f64>,
    /// Rows of the basis at the last sample, and at the first: end x rank.
    ends: Array2<f64>,
    /// The first and the last frame.
    held: [usize; 2],
}

/// What `(Q'PQ)^-1` is made of at one rho.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inverse {
    /// `D^-1`.
    diagonal: Vec<f64>,
    /// `rho L^-1 H D^-1` with `S = L L'`: end x rank, row by row.
    ends: Vec<f64>,
}

impl Unbroken {
    /// For `q` (frame x rank) with `Q'MQ = diag(lambda)`.
    pub(crate) fn new(q: &Array2<f64>, lambda: Vec<f64>, first_sample: FirstSample) -> Self {
        let last = q.nrows() - 1;
        let ends: &[usize] = if first_sample == FirstSample::Scaled { &[last, 0] } else { &[last] };
        Self { lambda, ends: q.select(ndarray::Axis(0), ends), held: [0, last] }
    }

    /// The frames whose residuals are needed one by one, ascending.
    pub(crate) fn held(&self) -> &[usize] {
        &self.held
    }

    /// Turns the ordinary into the generalised fit of each column, at its `rho`: with `s` the solution of
    /// `Q'PQ s = Q'Pe`, projections grow by `s`, unwhitened squares by `s's`. Gives the whitened residual squares,
    /// `e'Pe - s'Q'Pe`.
    pub(crate) fn whiten_fit(&self, rho: &[f64], residuals: &mut Residuals) -> Vec<f64> {
        match self.ends.nrows() {
            1 => self.whiten_fit_with::<1>(rho, residuals),
            _ => self.whiten_fit_with::<2>(rho, residuals),
        }
    }

    fn whiten_fit_with<const ENDS: usize>(&self, rho: &[f64], residuals: &mut Residuals) -> Vec<f64> {
        let n_columns = rho.len();
        let at_ends: [Vec<f64>; ENDS] = std::array::from_fn(|end| residuals.held.row(ENDS_HELD[end]).to_vec());
        let mut linear = Array2::<f64>::zeros(residuals.neighbours.dim());
        let mut solved = linear.clone();
        // H D^-1 Q'Pe, and H D^-1 H' of each column
        let mut beside = vec![[0.0; ENDS]; n_columns];
        let mut inner = vec![[[0.0; ENDS]; ENDS]; n_columns];
        for (i, (mut linear, mut solved)) in linear.outer_iter_mut().zip(solved.outer_iter_mut()).enumerate() {
            let (lambda, h): (f64, [f64; ENDS]) = (self.lambda[i], std::array::from_fn(|end| self.ends[(end, i)]));
            let neighbours = residuals.neighbours.row(i);
            for (column, (linear, solved)) in linear.iter_mut().zip(&mut solved).enumerate() {
                let rho = rho[column];
                let inverse = 1.0 / (1.0 + rho * rho - rho * lambda);
                let of_ends: f64 = (0..ENDS).map(|end| h[end] * at_ends[end][column]).sum();
                *linear = -rho * (neighbours[column] + rho * of_ends);
                *solved = *linear * inverse;
                for end in 0..ENDS {
                    beside[column][end] += h[end] * *solved;
                    for other in 0..=end {
                        inner[column][end][other] += h[end] * h[other] * inverse;
                    }
                }
            }
        }
        let along: Vec<[f64; ENDS]> = (0..n_columns)
            .map(|column| solve_ends(rho[column] * rho[column], &inner[column], beside[column]))
            .collect();
        let mut whitened: Vec<f64> = (0..n_columns)
            .map(|column| {
                let square = rho[column] * rho[column];
                let of_ends: f64 = at_ends.iter().map(|values| values[column] * values[column]).sum();
                let (squares, lagged) = (residuals.squares[column], residuals.lagged[column]);
                (1.0 + square) * squares - 2.0 * rho[column] * lagged - square * of_ends
            })
            .collect();
        let rows = linear.outer_iter().zip(solved.outer_iter()).zip(residuals.projections.outer_iter_mut());
        for (i, ((linear, solved), mut projections)) in rows.enumerate() {
            let (lambda, h): (f64, [f64; ENDS]) = (self.lambda[i], std::array::from_fn(|end| self.ends[(end, i)]));
            for (column, projection) in projections.iter_mut().enumerate() {
                let rho = rho[column];
                let of_ends: f64 = (0..ENDS).map(|end| h[end] * along[column][end]).sum();
                let step = solved[column] + of_ends / (1.0 + rho * rho - rho * lambda);
                *projection += step;
                residuals.squares[column] += step * step;
                whitened[column] -= step * linear[column];
            }
        }
        whitened.into_iter().map(|squares| squares.max(0.0)).collect()
    }

    /// `(Q'PQ)^-1` at `rho` into `inverse`.
    pub(crate) fn invert(&self, rho: f64, inverse: &mut Inverse) {
        let rank = self.lambda.len();
        inverse.diagonal.clear();
        inverse.diagonal.extend(self.lambda.iter().map(|lambda| 1.0 / (1.0 + rho * rho - rho * lambda)));
        inverse.ends.clear();
        for h in self.ends.outer_iter() {
            inverse.ends.extend(h.iter().zip(&inverse.diagonal).map(|(h, inverse)| rho * h * inverse));
        }
        // rows of L^-1 (rho H D^-1), one after the other: S is 1 or 2 square
        let between = |one: usize, other: usize, ends: &[f64]| -> f64 {
            self.ends.row(one).iter().zip(&ends[other * rank..][..rank]).map(|(h, scaled)| rho * h * scaled).sum()
        };
        let s_00 = 1.0 - between(0, 0, &inverse.ends);
        let root = s_00.sqrt();
        if self.ends.nrows() == 2 {
            let (s_10, s_11) = (-between(1, 0, &inverse.ends), 1.0 - between(1, 1, &inverse.ends));
            let (first, second) = inverse.ends.split_at_mut(rank);
            let l_10 = s_10 / root;
            let l_11 = (s_11 - l_10 * l_10).sqrt();
            for (first, second) in first.iter_mut().zip(second) {
                *first /= root;
                *second = (*second - l_10 * *first) / l_11;
            }
        } else {
            inverse.ends.iter_mut().for_each(|value| *value /= root);
        }
    }

    /// Length of what [`Inverse::halve`] gives.
    pub(crate) fn half_length(&self) -> usize {
        self.lambda.len() + self.ends.nrows()
    }
}

impl Inverse {
    /// `z` such that `z_a' z_b = a' (Q'PQ)^-1 b`, into `half`.
    pub(crate) fn halve(&self, vector: &[f64], half: &mut [f64]) {
        let rank = self.diagonal.len();
        for ((half, value), inverse) in half.iter_mut().zip(vector).zip(&self.diagonal) {
            *half = value * inverse.sqrt();
        }
        for (half, ends) in half[rank..].iter_mut().zip(self.ends.chunks_exact(rank.max(1))) {
            *half = vector.iter().zip(ends).map(|(value, end)| value * end).sum();
        }
    }
}

/// Where the ends stand among the held residuals: the last, then the first.
const ENDS_HELD: [usize; 2] = [1, 0];

/// `rho^2 S^-1 w` with `S = I - rho^2 K`, `K` given by its lower triangle.
fn solve_ends<const ENDS: usize>(square: f64, inner: &[[f64; ENDS]; ENDS], beside: [f64; ENDS]) -> [f64; ENDS] {
    let s = |row: usize, column: usize| f64::from(u8::from(row == column)) - square * inner[row][column];
    let mut out = beside;
    if ENDS == 1 {
        out[0] = square * beside[0] / s(0, 0);
    } else {
        let determinant = s(0, 0) * s(1, 1) - s(1, 0) * s(1, 0);
        out[0] = square * (s(1, 1) * beside[0] - s(1, 0) * beside[1]) / determinant;
        out[1] = square * (s(0, 0) * beside[1] - s(1, 0) * beside[0]) / determinant;
    }
    out
}
