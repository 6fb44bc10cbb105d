//! Weights of covariance components by restricted maximum likelihood: Fisher scoring (Harville 1977, doi 10.2307/2286796).
//!
//! With `V = sum_i h_i Q_i`, C the pooled covariance, X the design and `P = V^-1 - V^-1 X (X'V^-1X)^-1 X'V^-1` the objective is
//! `-(ln det V + ln det X'V^-1X + tr PC) / 2 - r |h|^2 / 2`, r a weak prior precision. C counts as one sample, however many
//! columns it was pooled from.

use super::process_of;
use crate::model::cholesky::{factor_packed, packed_length, solve_lower_packed, solve_upper_packed};
use crate::model::linalg::{product, subtract_product, transposed_product};
use crate::model::process::{Layout, Process, Whitened};
use ndarray::Array2;

/// Precision of the weights before anything is known, `exp(-8)`.
const PRIOR_PRECISION: f64 = 3.354_626_279_025_118_5e-4;
/// Steps at most.
const MOST_STEPS: usize = 32;
/// The gain that a step promises, below which it is the last: nats.
const LEAST_GAIN: f64 = 0.1;
/// Halvings of a step that leads to no covariance.
const MOST_HALVINGS: usize = 40;

/// What was found.
#[derive(Debug, PartialEq)]
pub(super) struct Weights {
    /// Of each component.
    pub(super) weights: Vec<f64>,
    /// Steps that were taken.
    pub(super) n_steps: usize,
}

/// The autocovariances of a weighted sum of components.
pub(super) fn weighted(weights: &[f64], components: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; components[0].len()];
    for (weight, component) in weights.iter().zip(components) {
        sum.iter_mut().zip(component).for_each(|(sum, value)| *sum += weight * value);
    }
    sum
}

/// Weights of `components` (autocovariances by lag) in the covariance `pooled` (row x row) of residuals of a design with the
/// orthonormal basis `q` (kept frame x rank). `None` where no step leads on or the last promises too much.
pub(super) fn weights(
    pooled: &Array2<f64>,
    components: &[Vec<f64>],
    q: &Array2<f64>,
    layout: &Layout,
) -> Option<Weights> {
    let basis = layout.basis(q);
    let mut weights: Vec<f64> = components.iter().map(|of_lag| f64::from(u8::from(of_lag[0] != 0.0))).collect();
    for n_steps in 1..=MOST_STEPS {
        let Scoring { step, gain } = Scoring::new(pooled, components, &weights, &basis, layout)?;
        let ahead = |share: f64| -> Vec<f64> { weights.iter().zip(&step).map(|(w, step)| w + share * step).collect() };
        let admitted = |weights: &Vec<f64>| process_of(&weighted(weights, components)).is_some();
        // SPM goes all the way, which is the same wherever a covariance is there
        let shares = std::iter::successors(Some(1.0), |share| Some(share / 2.0)).take(MOST_HALVINGS);
        let (share, next) = shares.map(|share| (share, ahead(share))).find(|(_, next)| admitted(next))?;
        weights = next;
        if share == 1.0 && gain < LEAST_GAIN {
            return Some(Weights { weights, n_steps });
        }
    }
    None
}

/// A step of the weights, and what it promises.
struct Scoring {
    step: Vec<f64>,
    gain: f64,
}

impl Scoring {
    fn new(
        pooled: &Array2<f64>,
        components: &[Vec<f64>],
        weights: &[f64],
        basis: &Array2<f64>,
        layout: &Layout,
    ) -> Option<Self> {
        let precision = precision(&weighted(weights, components), basis, layout)?;
        let n = components.len();
        let products: Vec<Array2<f64>> =
            components.iter().map(|of_lag| product(&precision, &toeplitz(of_lag))).collect();
        let known = product(&precision, pooled);
        let slope = |(of_component, weight): (&Array2<f64>, &f64)| {
            0.5 * (trace_of_product(of_component, &known) - of_component.diag().sum()) - PRIOR_PRECISION * weight
        };
        let slope: Vec<f64> = products.iter().zip(weights).map(slope).collect();
        let mut information = vec![0.0; packed_length(n)];
        for i in 0..n {
            for j in 0..=i {
                information[packed_length(i) + j] = 0.5 * trace_of_product(&products[i], &products[j]);
            }
            information[packed_length(i) + i] += PRIOR_PRECISION;
        }
        if !factor_packed(&mut information, n) {
            return None;
        }
        let mut step = slope.clone();
        solve_lower_packed(&information, &mut step);
        solve_upper_packed(&information, &mut step);
        let gain = slope.iter().zip(&step).map(|(slope, step)| slope * step).sum();
        Some(Self { step, gain })
    }
}

/// P of these autocovariances over the rows of `layout`; 0 in rows without a frame.
fn precision(covariances: &[f64], basis: &Array2<f64>, layout: &Layout) -> Option<Array2<f64>> {
    let process = process_of(covariances)?;
    let innovation = covariances[0] * process.partial().iter().map(|partial| 1.0 - partial * partial).product::<f64>();
    let process = Process::Autoregression(process);
    let n = layout.n_rows();
    let identity = Array2::<f64>::eye(n);
    let mut root = Array2::zeros((n, n));
    process.whitener(layout).whiten(identity.as_slice()?, n, &(0..n), root.as_slice_mut()?);
    let whitened = Whitened::new(basis, &process, layout)?;
    let known = transposed_product(whitened.basis(), &root);
    subtract_product(&mut root, whitened.basis(), &known);
    Some(transposed_product(&root, &root) / innovation)
}

fn toeplitz(of_lag: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((of_lag.len(), of_lag.len()), |(s, t)| of_lag[s.abs_diff(t)])
}

/// `tr ab`, row by row.
fn trace_of_product(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    a.outer_iter().zip(b.axis_iter(ndarray::Axis(1))).map(|(row, column)| row.dot(&column)).sum()
}

#[cfg(test)]
mod tests {
    use super::super::components;
    use super::*;
    use crate::model::basis::Basis;
    use crate::model::linalg::inverse_square_root;

    const LAGS: [usize; 19] = [1, 1, 1, 2, 1, 1, 4, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1, 2, 1];

    /// The precision and a step over gaps, against the formulas at the head of the file written out over the kept frames.
    #[test]
    fn a_step_is_that_of_the_kept_frames() {
        let inverse = |a: &Array2<f64>| {
            let root = inverse_square_root(a).unwrap();
            root.dot(&root)
        };
        let times: Vec<usize> = std::iter::once(0)
            .chain(LAGS.iter().scan(0, |time, lag| {
                *time += lag;
                Some(*time)
            }))
            .collect();
        let n = times.len();
        let layout = Layout::filled(&LAGS);
        let components = components::ar1(layout.n_rows());
        let design = Array2::from_shape_fn((n, 3), |(t, j)| (times[t] as f64 * 0.3 * j as f64).cos());
        let q = Basis::new(&design).unwrap().q;
        let data = Array2::from_shape_fn((n, 30), |(t, j)| ((t * t * (j + 1) + 7 * j) as f64).sin());
        let mut residuals = data.clone();
        subtract_product(&mut residuals, &q, &transposed_product(&q, &data));
        let spread = layout.spread(residuals);
        let pooled = spread.dot(&spread.t()) / 30.0;
        let weights = [0.7, 0.4];

        let at_times = |of_lag: &[f64]| Array2::from_shape_fn((n, n), |(s, t)| of_lag[times[s].abs_diff(times[t])]);
        let of_inverse = inverse(&at_times(&weighted(&weights, &components)));
        let of_design = of_inverse.dot(&q);
        let p = &of_inverse - &of_design.dot(&inverse(&q.t().dot(&of_design))).dot(&of_design.t());
        // the data as they are: the design is projected out
        let c = data.dot(&data.t()) / 30.0;
        let products: Vec<Array2<f64>> = components.iter().map(|of_lag| p.dot(&at_times(of_lag))).collect();
        let slope = |i: usize| {
            let explained = products[i].dot(&p).dot(&c).diag().sum();
            0.5 * (explained - products[i].diag().sum()) - PRIOR_PRECISION * weights[i]
        };
        let information = |i: usize, j: usize| {
            0.5 * products[i].dot(&products[j]).diag().sum() + PRIOR_PRECISION * f64::from(u8::from(i == j))
        };
        let found = Scoring::new(&pooled, &components, &weights, &layout.basis(&q), &layout).unwrap();
        // conditions below 100, sums of 400 terms of order 1
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-11 * b.abs().max(1.0), "{a}, {b}");
        let kept: Vec<usize> = times.clone();
        let filled = precision(&weighted(&weights, &components), &layout.basis(&q), &layout).unwrap();
        for (s, &row) in kept.iter().enumerate() {
            for (t, &column) in kept.iter().enumerate() {
                close(filled[(row, column)], p[(s, t)]);
            }
        }
        for i in 0..2 {
            close((0..2).map(|j| information(i, j) * found.step[j]).sum(), slope(i));
        }
        close(found.gain, slope(0) * found.step[0] + slope(1) * found.step[1]);
    }

    #[test]
    fn a_step_to_no_covariance_is_shortened() {
        // all weight on slow noise: the whole first step gives a negative spectrum
        let layout = Layout::filled(&[1; 79]);
        let components = components::ar1(80);
        let q = Basis::new(&Array2::ones((80, 1))).unwrap().q;
        let pooled = toeplitz(&(0..80).map(|lag| 0.95_f64.powi(lag)).collect::<Vec<f64>>());
        let first = Scoring::new(&pooled, &components, &[1.0, 1.0], &layout.basis(&q), &layout).unwrap();
        let whole: Vec<f64> = first.step.iter().map(|step| 1.0 + step).collect();
        assert!(process_of(&weighted(&whole, &components)).is_none(), "{whole:?}");
        let found = weights(&pooled, &components, &q, &layout).unwrap();
        assert!(process_of(&weighted(&found.weights, &components)).is_some());
        assert!(found.n_steps < MOST_STEPS, "{}", found.n_steps);
    }
}
