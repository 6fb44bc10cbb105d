//! From lag products of residuals to the process they come from.
//!
//! Residuals are `R y`, `R` the projection off the design, so lag products `a_j = sum_t e_t e_(t+j)` are expected to be
//! `sum_l M_jl g_l` for autocovariances `g` of the noise, `M_jl = tr(R D_j R T_l)` with `D_j` the mean of the shifts by j and -j
//! and `T_l` their sum (`T_0 = I`). M follows from the design alone. Solving for as many lags as the order has takes what lies
//! beyond for 0, which leaves slow noise too fast; so the lags beyond are those that the process itself implies, found again
//! after each solution.

use crate::model::cholesky::{factor_packed, solve_lower_packed, solve_upper_packed};
use crate::model::linalg::{product, transposed_product};
use crate::model::process::Autoregression;
use ndarray::{Array2, s};

/// Largest lag that the design's bias is followed to.
const LARGEST_LAG: usize = 100;
/// Largest partial autocorrelation.
const LARGEST_PARTIAL: f64 = 0.99;
/// What lag j is multiplied with, to the power of j, until a process has these autocovariances; and how often at most.
const SHRINKAGE: f64 = 0.9;
const LARGEST_SHRINKAGES: usize = 60;

/// The bias of lag products under one design, ready to be removed.
#[derive(Debug, Clone)]
pub(super) struct Correction {
    order: usize,
    /// `tr(R T_j R T_l)` for lags up to the order: packed Cholesky factor; none where the design leaves too little.
    factor: Option<Vec<f64>>,
    /// The same for l beyond the order: lag within x lag beyond.
    tail: Array2<f64>,
}

impl Correction {
    /// For a design with the orthonormal basis `q` (row x rank), up to lag `order`.
    pub(super) fn new(q: &Array2<f64>, order: usize) -> Self {
        let largest = (q.nrows() - 1).min(LARGEST_LAG).max(order);
        let bias = bias(q, order, largest);
        let mut factor: Vec<f64> = (0..=order).flat_map(|j| bias.slice(s![j, ..=j]).to_vec()).collect();
        let regular = factor_packed(&mut factor, order + 1);
        Self { order, factor: regular.then_some(factor), tail: bias.slice(s![.., order + 1..]).to_owned() }
    }

    /// The process of lag products `products` (lags 0 to the order), the lags beyond found `iterations` times. White where no
    /// process comes near.
    pub(super) fn process(&self, products: &[f64], iterations: usize) -> Autoregression {
        let white = || Autoregression::of_partial(vec![0.0; self.order]);
        let Some(factor) = &self.factor else { return white() };
        // of T_j, which is twice D_j but for j = 0
        let products: Vec<f64> =
            products.iter().enumerate().map(|(lag, product)| if lag == 0 { *product } else { 2.0 * product }).collect();
        let solve = |mut right: Vec<f64>| {
            solve_lower_packed(factor, &mut right);
            solve_upper_packed(factor, &mut right);
            admitted(right)
        };
        let Some((mut autocovariances, mut process)) = solve(products.clone()) else { return white() };
        for _ in 0..iterations {
            self.continue_by(&process, &mut autocovariances);
            let mut right = products.clone();
            for (right, of_lag) in right.iter_mut().zip(self.tail.outer_iter()) {
                *right -= of_lag.iter().zip(&autocovariances[self.order + 1..]).map(|(bias, g)| bias * g).sum::<f64>();
            }
            let Some(next) = solve(right) else { return white() };
            (autocovariances, process) = next;
        }
        process
    }

    /// Autocovariances beyond the order, as the process has them.
    fn continue_by(&self, process: &Autoregression, autocovariances: &mut Vec<f64>) {
        let coefficients = process.coefficients();
        for _ in 0..self.tail.ncols() {
            let before = autocovariances.iter().rev();
            let next = coefficients.iter().zip(before).map(|(coefficient, g)| coefficient * g).sum();
            autocovariances.push(next);
        }
    }
}

/// Autocovariances and the process that has them, later lags made less until there is one.
fn admitted(mut autocovariances: Vec<f64>) -> Option<(Vec<f64>, Autoregression)> {
    for _ in 0..LARGEST_SHRINKAGES {
        if let Some(process) = Autoregression::of_autocovariances(&autocovariances, LARGEST_PARTIAL) {
            return Some((autocovariances, process));
        }
        let mut factor = 1.0;
        for autocovariance in &mut autocovariances {
            *autocovariance *= factor;
            factor *= SHRINKAGE;
        }
        autocovariances[0] = autocovariances[0].abs();
    }
    None
}

/// `tr(R T_j R T_l)` for lags j up to `order` and l up to `largest`.
///
/// With `R = I - Q Q'`, `R T_j R = T_j - Q W' - W Q' + Q (Q'W) Q'`, `W = T_j Q`, so only sums along diagonals of products of thin
/// matrices are needed, not the products.
fn bias(q: &Array2<f64>, order: usize, largest: usize) -> Array2<f64> {
    let n = q.nrows();
    let mut bias = Array2::zeros((order + 1, largest + 1));
    for j in 0..=order {
        let w = shifted_sum(q, j);
        let inner = product(q, &transposed_product(q, &w));
        for l in 0..=largest {
            let mut along = match (j == l, j) {
                (true, 0) => n as f64,
                (true, _) => (n - j) as f64,
                _ => 0.0,
            };
            // sums of a_t b_(t+l) over rows and columns: the l-th diagonal of a b'
            along -= diagonal(q, &w, l) + diagonal(&w, q, l) - diagonal(&inner, q, l);
            bias[(j, l)] = if l == 0 { along } else { 2.0 * along };
        }
    }
    bias
}

/// `T_j q`: each row the sum of those j before and j after; `q` itself for j = 0.
fn shifted_sum(q: &Array2<f64>, j: usize) -> Array2<f64> {
    if j == 0 {
        return q.clone();
    }
    let n = q.nrows();
    let mut sum = Array2::zeros(q.dim());
    let mut early = sum.slice_mut(s![..n - j, ..]);
    early += &q.slice(s![j.., ..]);
    let mut late = sum.slice_mut(s![j.., ..]);
    late += &q.slice(s![..n - j, ..]);
    sum
}

/// Sum of the entries of `a b'` that are `l` right of its diagonal.
fn diagonal(a: &Array2<f64>, b: &Array2<f64>, l: usize) -> f64 {
    let n = a.nrows();
    let (a, b) = (a.slice(s![..n - l, ..]), b.slice(s![l.., ..]));
    a.iter().zip(&b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::basis::Basis;

    fn basis(n: usize) -> Array2<f64> {
        let design = Array2::from_shape_fn((n, 4), |(t, j)| match j {
            0 => 1.0,
            1 => f64::from(u8::from(t % 20 < 10)),
            _ => (t as f64 * std::f64::consts::PI / n as f64 * (j - 1) as f64).cos(),
        });
        Basis::new(&design).unwrap().q
    }

    fn shift_sum_matrix(n: usize, l: usize) -> Array2<f64> {
        Array2::from_shape_fn((n, n), |(s, t)| f64::from(u8::from(s.abs_diff(t) == l)))
    }

    #[test]
    fn bias_is_the_trace_it_is_said_to_be() {
        let n = 40;
        let q = basis(n);
        let r = Array2::<f64>::eye(n) - q.dot(&q.t());
        let found = bias(&q, 3, 12);
        for j in 0..=3 {
            let rtr = r.dot(&shift_sum_matrix(n, j)).dot(&r);
            for l in 0..=12 {
                let expected: f64 = rtr.dot(&shift_sum_matrix(n, l)).diag().sum();
                assert!((found[(j, l)] - expected).abs() < 1e-12 * n as f64, "{j}, {l}: {}, {expected}", found[(j, l)]);
            }
        }
    }

    /// The lag products that an AR(2) process leaves on average give that process back.
    #[test]
    fn expected_lag_products_give_their_process() {
        let n = 120;
        let q = basis(n);
        let truth = Autoregression::of_partial(vec![0.7, 0.2, 0.0, 0.0, 0.0, 0.0]);
        let mut gamma = vec![1.0, 0.7];
        let coefficients = truth.coefficients();
        while gamma.len() < n {
            gamma.push(coefficients[0] * gamma[gamma.len() - 1] + coefficients[1] * gamma[gamma.len() - 2]);
        }
        let bias = bias(&q, 6, n - 1);
        let products: Vec<f64> = (0..=6)
            .map(|j| bias.row(j).iter().zip(&gamma).map(|(m, g)| m * g).sum::<f64>() * if j == 0 { 1.0 } else { 0.5 })
            .collect();
        let correction = Correction::new(&q, 6);
        let error = |iterations: usize| {
            let found = correction.process(&products, iterations);
            found.partial().iter().zip(truth.partial()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        // each solution takes what is left to a fraction; lags beyond 100 are 1e-5 of the first
        assert!(error(30) < 1e-6, "{}", error(30));
        assert!(error(2) < error(0) / 4.0, "{} {}", error(2), error(0));
    }

    #[test]
    fn what_no_process_has_is_made_less() {
        let correction = Correction::new(&basis(60), 3);
        let wave: Vec<f64> = (0..4).map(|lag| 60.0 * f64::from(lag).cos()).collect();
        assert!(correction.process(&wave, 2).partial().iter().all(|partial| partial.abs() < LARGEST_PARTIAL));
        assert_eq!(correction.process(&[0.0; 4], 2).partial(), [0.0; 3]);
    }
}
