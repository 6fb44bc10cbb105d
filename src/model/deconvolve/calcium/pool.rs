//! Order 1 at a fixed penalty and baseline: pool adjacent violators, exact in one pass.
//!
//! ```text
//! min over c of 1/2 |z - c|^2   with   c_1 >= 0,  c_t >= g c_(t-1)        z_t = y_t - b - lambda (1 - g),  z_T = y_T - b - lambda
//! ```
//!
//! Between spikes calcium decays, so a pool of samples has one unknown, its first value; neighbours whose values break the
//! constraint are one pool (Friedrich, Zhou and Paninski 2017, doi 10.1371/journal.pcbi.1005423). After division by `g^t` it is
//! isotonic regression with a bound at 0, whose solution is the unbounded one clipped.

use super::fit::{Fit, Step};
use super::kernel::Coefficients;

/// Samples between two spikes.
#[derive(Debug, Clone, Copy)]
struct Pool {
    /// Least-squares value of the first sample.
    value: f64,
    /// `sum g^2k` over its samples.
    weight: f64,
    /// `g^samples`.
    fading: f64,
    samples: usize,
}

/// The pools of a series, in order.
fn pools(g: f64, y: &[f64], baseline: f64, lambda: f64) -> Vec<Pool> {
    let mut pools: Vec<Pool> = Vec::with_capacity(y.len());
    let last = y.len().saturating_sub(1);
    for (t, y) in y.iter().enumerate() {
        let price = if t == last { lambda } else { lambda * (1.0 - g) };
        let mut pool = Pool { value: y - baseline - price, weight: 1.0, fading: g, samples: 1 };
        while let Some(before) = pools.pop_if(|before| pool.value < before.fading * before.value) {
            let weight = before.weight + before.fading * before.fading * pool.weight;
            pool = Pool {
                value: (before.weight * before.value + before.fading * pool.weight * pool.value) / weight,
                weight,
                fading: before.fading * pool.fading,
                samples: before.samples + pool.samples,
            };
        }
        pools.push(pool);
    }
    for pool in &mut pools {
        pool.value = pool.value.max(0.0);
    }
    pools
}

/// Writes a decay from each pool's first value, `first(pool, is_last)`.
fn spread(pools: &[Pool], g: f64, samples: usize, first: impl Fn(&Pool, bool) -> f64) -> Vec<f64> {
    let mut series = Vec::with_capacity(samples);
    for (k, pool) in pools.iter().enumerate() {
        let start = first(pool, k + 1 == pools.len());
        series.extend(std::iter::successors(Some(start), |value| Some(g * value)).take(pool.samples));
    }
    series
}

/// Calcium of order 1 at a baseline, and how the fit moves with baseline and penalty while the pools stay.
pub(super) fn step(kernel: &Coefficients, y: &[f64], baseline: f64, lambda: f64) -> Step {
    let g = kernel.decay();
    let pools = pools(g, y, baseline, lambda);
    let sum_of_powers = |pool: &Pool| (1.0 - pool.fading) / (1.0 - g);
    let free = |pool: &Pool| pool.value > 0.0;
    let calcium = spread(&pools, g, y.len(), |pool, _| pool.value);
    let by_baseline =
        spread(&pools, g, y.len(), |pool, _| if free(pool) { -sum_of_powers(pool) / pool.weight } else { 0.0 });
    // The prices of a pool sum to sum g^k (1 - g) = 1 - g^samples; with the last sample's price to 1.
    let by_lambda = spread(&pools, g, y.len(), |pool, is_last| {
        let price = if is_last { 1.0 } else { 1.0 - pool.fading };
        if free(pool) { -price / pool.weight } else { 0.0 }
    });
    let mut starts = vec![false; y.len()];
    let mut start = 0;
    for pool in &pools {
        if let Some(starts) = starts.get_mut(start) {
            *starts = free(pool);
        }
        start += pool.samples;
    }
    Step { free: starts, calcium, by_baseline, by_lambda }
}

/// Most changes of the baseline; the pools settle in about ten.
const MOST_STEPS: usize = 200;

/// The minimum over calcium and baseline at this penalty.
///
/// The minimum over calcium is convex in the baseline with slope `-sum r`, linear while the pools stay: Newton's steps, held to
/// the bracket of slopes already seen, end at the root of a piece.
pub(super) fn fit(kernel: &Coefficients, y: &[f64], lambda: f64, start: f64) -> Fit {
    let samples = y.len() as f64;
    let size = y.iter().fold(0.0_f64, |size, y| size.max(y.abs()));
    let (mut low, mut high) = (f64::NEG_INFINITY, y.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let mut baseline = start.min(high);
    for _ in 0..MOST_STEPS {
        let step = step(kernel, y, baseline, lambda);
        let total = step.residual_sum(y, baseline);
        // Rounding of a sum of T terms.
        if total.abs() <= 1e-14 * samples * size || high - low <= 1e-15 * size {
            return step.into_fit(kernel, y, baseline, true);
        }
        if total > 0.0 {
            low = baseline;
        } else {
            high = baseline;
        }
        let slope = samples + step.by_baseline.iter().sum::<f64>();
        let newton = baseline + total / slope.max(1e-12 * samples);
        baseline = if newton > low && newton < high {
            newton
        } else if low.is_finite() {
            0.5 * (low + high)
        } else {
            high - 2.0 * (size + lambda)
        };
    }
    let step = step(kernel, y, baseline, lambda);
    step.into_fit(kernel, y, baseline, false)
}
