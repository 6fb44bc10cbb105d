//! From lag products of residuals to the process they come from.
//!
//! Residuals are `R y`, `R` the projection off the design, so lag products `a_j = sum_t e_t e_(t+j)` are expected to be
//! `sum_l M_jl g_l` for autocovariances `g` of the noise, `M_jl = tr(R D_j R T_l)` with `D_j` the mean of the shifts by j and -j
//! and `T_l` their sum (`T_0 = I`). M follows from the design alone. Solving for as many lags as the order has takes what lies
//! beyond for 0, which leaves slow noise too fast; so the lags beyond are those that the process itself implies, found again
//! after each solution.

use crate::model::cholesky::{factor_packed, packed_length};
use crate::model::linalg::{product, transposed_product};
use crate::model::process::Autoregression;
use crate::signal::widest::{Loop, widest};
use ndarray::{Array2, s};
use rayon::prelude::*;

/// Largest lag that the design's bias is followed to.
const LARGEST_LAG: usize = 100;
/// Largest partial autocorrelation.
pub(super) const LARGEST_PARTIAL: f64 = 0.99;
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

    /// The process of each column from its lag products (column x lag 0 to the order), the lags beyond found `iterations`
    /// times. White where no process comes near.
    pub(super) fn processes(&self, products: &[f32], iterations: usize) -> Vec<Autoregression> {
        let lags = self.order + 1;
        let batches = products.par_chunks(lags * LANES).with_min_len(32);
        let of_batch = |products: &[f32]| {
            let n_columns = products.len() / lags;
            // where there are fewer columns than lanes the last one fills them
            let lane = |lag: usize, lane: usize| f64::from(products[lane.min(n_columns - 1) * lags + lag]);
            let products = (0..lags).map(|lag| std::array::from_fn(|at| lane(lag, at))).collect();
            let partial = self.partial(products, iterations);
            let of_column = move |column: usize| partial.iter().map(|partial| partial[column]).collect();
            (0..n_columns).map(move |column| Autoregression::of_partial(of_column(column))).collect::<Vec<_>>()
        };
        batches.flat_map_iter(of_batch).collect()
    }

    /// The process of one series of lag products.
    pub(super) fn process(&self, products: &[f64], iterations: usize) -> Autoregression {
        let lanes = products.iter().map(|&product| [product; LANES]).collect();
        Autoregression::of_partial(self.partial(lanes, iterations).into_iter().map(|partial| partial[0]).collect())
    }

    /// Partial autocorrelations of the processes of as many columns as there are lanes.
    fn partial(&self, products: Vec<Lanes>, iterations: usize) -> Vec<Lanes> {
        match &self.factor {
            Some(factor) => widest(Batch { correction: self, factor, products, iterations }),
            None => vec![[0.0; LANES]; self.order],
        }
    }
}

/// Columns solved side by side: sums along a column are chains of additions, sums beside one another are not.
const LANES: usize = 8;
type Lanes = [f64; LANES];

/// `to += factor * from` in every lane.
#[inline(always)]
fn add_scaled(to: &mut Lanes, factor: f64, from: &Lanes) {
    for lane in 0..LANES {
        to[lane] += factor * from[lane];
    }
}

/// `to += sign * a * b` in every lane.
#[inline(always)]
fn add_product(to: &mut Lanes, sign: f64, a: &Lanes, b: &Lanes) {
    for lane in 0..LANES {
        to[lane] += sign * a[lane] * b[lane];
    }
}

struct Batch<'a> {
    correction: &'a Correction,
    factor: &'a [f64],
    products: Vec<Lanes>,
    iterations: usize,
}

impl Loop for Batch<'_> {
    type Output = Vec<Lanes>;

    #[inline(always)]
    fn run(mut self) -> Vec<Lanes> {
        let order = self.correction.order;
        // of T_j, which is twice D_j but for j = 0
        self.products[1..].iter_mut().flatten().for_each(|product| *product *= 2.0);
        let mut autocovariances = self.products.clone();
        let mut process = self.solve(&mut autocovariances);
        for _ in 0..self.iterations {
            for _ in 0..self.correction.tail.ncols() {
                let mut next = [0.0; LANES];
                for (coefficient, before) in process.coefficients.iter().zip(autocovariances.iter().rev()) {
                    add_product(&mut next, 1.0, coefficient, before);
                }
                autocovariances.push(next);
            }
            let mut right = self.products.clone();
            for (right, of_lag) in right.iter_mut().zip(self.correction.tail.outer_iter()) {
                for (bias, beyond) in of_lag.iter().zip(&autocovariances[order + 1..]) {
                    add_scaled(right, -bias, beyond);
                }
            }
            autocovariances = right;
            process = self.solve(&mut autocovariances);
        }
        process.partial
    }
}

impl Batch<'_> {
    /// Replaces the right side by autocovariances that a process has, and gives the process.
    #[inline(always)]
    fn solve(&self, right: &mut [Lanes]) -> Levinson {
        for i in 0..right.len() {
            let row = &self.factor[packed_length(i)..=packed_length(i) + i];
            let (solved, rest) = right.split_at_mut(i);
            row.iter().zip(solved.iter()).for_each(|(entry, solved)| add_scaled(&mut rest[0], -entry, solved));
            rest[0].iter_mut().for_each(|value| *value /= row[i]);
        }
        for i in (0..right.len()).rev() {
            let row = &self.factor[packed_length(i)..=packed_length(i) + i];
            let (before, rest) = right.split_at_mut(i);
            rest[0].iter_mut().for_each(|value| *value /= row[i]);
            row.iter().zip(before.iter_mut()).for_each(|(entry, before)| add_scaled(before, -entry, &rest[0]));
        }
        let mut process = Levinson::new(right);
        for lane in 0..LANES {
            if !process.admitted[lane] {
                let mut own: Vec<f64> = right.iter().map(|right| right[lane]).collect();
                let found = admitted(&mut own);
                right.iter_mut().zip(own).for_each(|(right, own)| right[lane] = own);
                process.replace(lane, &found);
            }
        }
        process
    }
}

/// The processes of autocovariances, by the recursion of [`Autoregression::of_autocovariances`] in every lane.
struct Levinson {
    partial: Vec<Lanes>,
    coefficients: Vec<Lanes>,
    admitted: [bool; LANES],
}

impl Levinson {
    #[inline(always)]
    fn new(autocovariances: &[Lanes]) -> Self {
        let order = autocovariances.len() - 1;
        let mut innovation = autocovariances[0];
        let mut partial = Vec::with_capacity(order);
        let mut coefficients: Vec<Lanes> = Vec::with_capacity(order);
        let mut admitted = innovation.map(|variance| variance > 0.0);
        for lag in 1..=order {
            let mut new = autocovariances[lag];
            for (coefficient, before) in coefficients.iter().zip(autocovariances[1..lag].iter().rev()) {
                add_product(&mut new, -1.0, coefficient, before);
            }
            for lane in 0..LANES {
                new[lane] /= innovation[lane];
                innovation[lane] *= 1.0 - new[lane] * new[lane];
                admitted[lane] &= new[lane].abs() < LARGEST_PARTIAL; // also where it is not a number
            }
            let known = coefficients.len();
            for first in 0..known.div_ceil(2) {
                let last = known - 1 - first;
                let [a, b] = [coefficients[first], coefficients[last]];
                add_product(&mut coefficients[first], -1.0, &new, &b);
                if first != last {
                    add_product(&mut coefficients[last], -1.0, &new, &a);
                }
            }
            coefficients.push(new);
            partial.push(new);
        }
        Self { partial, coefficients, admitted }
    }

    fn replace(&mut self, lane: usize, process: &Autoregression) {
        self.partial.iter_mut().zip(process.partial()).for_each(|(to, from)| to[lane] = *from);
        self.coefficients.iter_mut().zip(process.coefficients()).for_each(|(to, from)| to[lane] = from);
    }
}

/// The process of autocovariances, later lags made less until there is one; white where there is none.
pub(super) fn admitted(autocovariances: &mut [f64]) -> Autoregression {
    for _ in 0..LARGEST_SHRINKAGES {
        if let Some(process) = Autoregression::of_autocovariances(autocovariances, LARGEST_PARTIAL) {
            return process;
        }
        let mut factor = 1.0;
        for autocovariance in autocovariances.iter_mut() {
            *autocovariance *= factor;
            factor *= SHRINKAGE;
        }
        autocovariances[0] = autocovariances[0].abs();
    }
    autocovariances.fill(0.0);
    Autoregression::of_partial(vec![0.0; autocovariances.len() - 1])
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
    fn columns_side_by_side_are_those_alone() {
        let correction = Correction::new(&basis(60), 5);
        let of_column = |column: usize| (0..=5).map(move |lag| (60.0 * (0.1 * column as f64).powi(lag)) as f32);
        let products: Vec<f32> = (0..11).flat_map(of_column).collect();
        let together = correction.processes(&products, 2);
        assert_eq!(together.len(), 11);
        for (column, process) in together.iter().enumerate() {
            let alone: Vec<f64> = of_column(column).map(f64::from).collect();
            assert_eq!(process, &correction.process(&alone, 2));
        }
    }

    #[test]
    fn what_no_process_has_is_made_less() {
        let correction = Correction::new(&basis(60), 3);
        let wave: Vec<f64> = (0..4).map(|lag| 60.0 * f64::from(lag).cos()).collect();
        assert!(correction.process(&wave, 2).partial().iter().all(|partial| partial.abs() < LARGEST_PARTIAL));
        assert_eq!(correction.process(&[0.0; 4], 2).partial(), [0.0; 3]);
    }
}
