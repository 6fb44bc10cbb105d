//! The solution of a block of columns, each at its own lambda.
//!
//! With `q = lambda / (g^2 + lambda)`, `f` the dimension of data less the unpenalised directions, `rest` the squares outside
//! all directions:
//!
//! ```text
//! tr H         = unpenalised directions + sum (1 - q)
//! RSS          = sum q^2 b^2 + rest              residual squares
//! W            = sum q b^2 + rest                the least of |y - A s|^2 + lambda |D s|^2
//! log evidence = -1/2 [ f log(2 pi W / f) + f - sum log q + log |N'A'A N| ]
//! var s        = sigma^2 [ sum E^2 / (g^2 + lambda) + unseen / lambda + squares of N R^-1 ]
//! ```
//!
//! The variance is that of the posterior under the prior `s ~ N(0, sigma^2 / lambda (D'D)^+)`, flat where nothing is penalised.

use super::diagonal::{Coordinates, Diagonal};
use crate::model::deconvolve::{Solution, Wanted};
use crate::model::linalg::product;
use ndarray::{Array2, ArrayView1, Axis, s};
use std::f64::consts::TAU;

/// Where the standard deviation of noise comes from.
pub(crate) enum Noise {
    /// `RSS / (dof - tr H)`.
    Residual,
    /// `W / f`, the maximiser of the evidence.
    Evidence,
    /// Known already: a standard deviation a column.
    Given(Vec<f64>),
}

/// Solves a block of columns at these lambdas (positive, or infinite for no penalised activity).
pub(crate) fn fit(
    diagonal: &Diagonal,
    coordinates: Coordinates,
    lambda: Vec<f64>,
    noise: &Noise,
    wanted: Wanted,
) -> Solution {
    let Coordinates { mut values, squares, rest } = coordinates;
    let mut left_over = vec![0.0; diagonal.gains.len()];
    let mut spread = wanted.standard_errors.then(|| Array2::zeros(squares.dim()));
    let (mut sigma, mut dof, mut log_evidence) = (Vec::new(), Vec::new(), Vec::new());
    for (column, lambda) in lambda.iter().enumerate() {
        let inverse = lambda.recip();
        for (q, squared) in left_over.iter_mut().zip(&diagonal.squared) {
            *q = 1.0 / (1.0 + squared * inverse);
        }
        let sums = Sums::new(&left_over, &squares.row(column), rest[column]);
        let variance = match noise {
            Noise::Residual => ratio(sums.residual, sums.left_over + diagonal.dimensions_of_rest() as f64),
            Noise::Evidence => ratio(sums.penalised, diagonal.freedom() as f64),
            Noise::Given(sigma) => sigma[column] * sigma[column],
        };
        sigma.push(variance.sqrt());
        dof.push(sums.fitted + diagonal.free as f64);
        log_evidence.push(log_density(diagonal, sums.penalised, &left_over));
        for ((value, gain), q) in values.row_mut(column).iter_mut().zip(&diagonal.gains).zip(&left_over) {
            *value *= gain * q * inverse;
        }
        if let Some(spread) = &mut spread {
            spread.row_mut(column).iter_mut().zip(&left_over).for_each(|(spread, q)| *spread = variance * q * inverse);
        }
    }
    let activity = product(&diagonal.right, &values.t());
    let standard_error = spread.map(|spread| standard_errors(diagonal, &spread, &lambda, &sigma));
    Solution { activity, standard_error, lambda, sigma, dof, log_evidence }
}

/// `a / b`, 0 where nothing is left of both.
fn ratio(a: f64, b: f64) -> f64 {
    if a > 0.0 { a / b } else { 0.0 }
}

/// Sums over the penalised directions of a column.
struct Sums {
    /// Squares of the residuals.
    residual: f64,
    /// The least of the penalised squares.
    penalised: f64,
    /// `sum q`.
    left_over: f64,
    /// `sum (1 - q)`.
    fitted: f64,
}

impl Sums {
    fn new(left_over: &[f64], squares: &ArrayView1<'_, f64>, rest: f64) -> Self {
        let mut sums = Self { residual: 0.0, penalised: 0.0, left_over: 0.0, fitted: 0.0 };
        for (q, square) in left_over.iter().zip(squares) {
            let part = q * square;
            sums.residual += q * part;
            sums.penalised += part;
            sums.left_over += q;
            sums.fitted += 1.0 - q;
        }
        sums.residual += rest;
        sums.penalised += rest;
        sums
    }
}

/// Logarithm of the marginal likelihood at the variance that maximises it; 0 for a column of zeros, which has none.
fn log_density(diagonal: &Diagonal, penalised: f64, left_over: &[f64]) -> f64 {
    let freedom = diagonal.freedom() as f64;
    if penalised <= 0.0 {
        return 0.0;
    }
    let of_noise = freedom * ((TAU * penalised / freedom).ln() + 1.0);
    -0.5 * (of_noise - sum_of_logs(left_over) + diagonal.log_det_free)
}

/// `sum log q`, with one logarithm for eight factors, unless their product underflows.
fn sum_of_logs(factors: &[f64]) -> f64 {
    let one = |some: &[f64]| {
        let product: f64 = some.iter().product();
        if product.is_normal() { product.ln() } else { some.iter().map(|factor| factor.ln()).sum() }
    };
    factors.chunks(8).map(one).sum()
}

/// Posterior standard deviations; `spread` is `sigma^2 / (g^2 + lambda)`, column x penalised direction.
fn standard_errors(diagonal: &Diagonal, spread: &Array2<f64>, lambda: &[f64], sigma: &[f64]) -> Array2<f64> {
    let penalised = diagonal.gains.len();
    let shares = diagonal.right.slice(s![.., ..penalised]).mapv(|value| value * value);
    let free = diagonal.right.slice(s![.., penalised..]).map_axis(Axis(1), |row| row.dot(&row));
    let mut variance = product(&shares, &spread.t());
    for ((mut row, unseen), free) in variance.outer_iter_mut().zip(&diagonal.unseen).zip(&free) {
        for ((value, lambda), sigma) in row.iter_mut().zip(lambda).zip(sigma) {
            *value = (*value + sigma * sigma * (unseen / lambda + free)).sqrt();
        }
    }
    variance
}
