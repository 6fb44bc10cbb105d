//! Autoregressive coefficients from the autocovariance of fluorescence.
//!
//! ```text
//! gamma(k) = g_1 gamma(k - 1) + g_2 gamma(k - 2),  k = 1 .. order + LAGS,    gamma(0) less sigma^2
//! ```
//!
//! in least squares (Pnevmatikakis et al. 2016, doi 10.1016/j.neuron.2015.11.037): spikes are white, so calcium obeys its own
//! recursion, and white noise enters at lag 0 only.

use super::CalciumError;
use super::kernel::Coefficients;

/// Equations beyond the order.
const LAGS: usize = 10;

/// Autocovariance at lags `0..=most`, normalised by the number of samples.
pub(super) fn autocovariance(y: &[f64], most: usize) -> Vec<f64> {
    let samples = y.len() as f64;
    let mean = y.iter().sum::<f64>() / samples;
    let y: Vec<f64> = y.iter().map(|y| y - mean).collect();
    (0..=most).map(|lag| y.iter().zip(y.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>() / samples).collect()
}

/// Coefficients `(g_1, g_2)`, `g_2` 0 for order 1, as least squares gives them.
pub(super) fn autocovariance_fit(y: &[f64], order: usize, sigma: f64) -> (f64, f64) {
    let mut gamma = autocovariance(y, LAGS + order);
    gamma[0] -= sigma * sigma;
    let at = |k: usize, back: usize| gamma[k.abs_diff(back)];
    let sum = |f: &dyn Fn(usize) -> f64| (1..gamma.len()).map(f).sum::<f64>();
    let (a_11, b_1) = (sum(&|k| at(k, 1) * at(k, 1)), sum(&|k| gamma[k] * at(k, 1)));
    if order == 1 {
        return (b_1 / a_11, 0.0);
    }
    let (a_12, a_22) = (sum(&|k| at(k, 1) * at(k, 2)), sum(&|k| at(k, 2) * at(k, 2)));
    let b_2 = sum(&|k| gamma[k] * at(k, 2));
    let determinant = a_11 * a_22 - a_12 * a_12;
    ((b_1 * a_22 - b_2 * a_12) / determinant, (b_2 * a_11 - b_1 * a_12) / determinant)
}

/// Coefficients of this order that describe calcium.
pub(super) fn estimate(y: &[f64], order: usize, sigma: f64) -> Result<Coefficients, CalciumError> {
    let (g_1, g_2) = autocovariance_fit(y, order, sigma);
    if order == 1 { Coefficients::of_order_one(g_1) } else { Coefficients::of_order_two(g_1, g_2) }
}
