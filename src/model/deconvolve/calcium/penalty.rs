//! The penalty at which the residual is as large as the noise.
//!
//! ```text
//! |y - b - c|^2 = sigma^2 T
//! ```
//!
//! (Friedrich, Zhou and Paninski 2017, doi 10.1371/journal.pcbi.1005423.) The residual grows with the penalty. While the same
//! spikes are above 0 the fit is linear in it, so the root of a piece is that of a quadratic: Newton's steps in pieces, held to
//! the bracket of what has been seen, end exactly.

use super::fit::Fit;
use super::kernel::Coefficients;

/// How the penalty was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PenaltyFound {
    /// It was given, as a number or a threshold.
    Fixed,
    /// The residual equals the noise.
    Reached,
    /// Without any spike the residual is within the noise: there is no signal.
    NoSignal,
    /// However small the penalty, the residual exceeds the noise: what calcium cannot make, such as fast drops. The penalty is
    /// the least that is tried.
    NoiseExceeded,
    /// The search ended before the residual equalled the noise.
    NotConverged,
}

/// Of the least penalty tried, the share of the one that silences all spikes.
const LEAST_SHARE: f64 = 1e-4;
/// Penalties tried; about five are needed.
const MOST_TRIALS: usize = 60;

/// The fit at the penalty where the squared residual is `target`; `most` is the penalty that silences all spikes.
pub(super) fn find(
    y: &[f64],
    target: f64,
    most: f64,
    start: f64,
    mut fit: impl FnMut(f64) -> Fit,
) -> (f64, Fit, PenaltyFound) {
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    if y.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() <= target {
        return (most, fit(most), PenaltyFound::NoSignal);
    }
    let (mut low, mut high) = (LEAST_SHARE * most, most);
    let mut lambda = start.clamp(low, high);
    let mut best = fit(lambda);
    for _ in 0..MOST_TRIALS {
        let residual = best.residual(y);
        let square: f64 = residual.iter().map(|r| r * r).sum();
        if (square - target).abs() <= 1e-9 * target {
            return (lambda, best, PenaltyFound::Reached);
        }
        if square < target {
            low = lambda;
        } else if lambda <= LEAST_SHARE * most {
            return (lambda, best, PenaltyFound::NoiseExceeded);
        } else {
            high = lambda;
        }
        if high - low <= 1e-13 * high {
            break; // the residual is continuous in the penalty: no more than rounding is left, or the fit did not converge
        }
        let next = lambda + to_the_root(&residual, &best.by_lambda, square - target);
        lambda = if next > low && next < high {
            next
        } else if next <= low && low <= LEAST_SHARE * most {
            low
        } else {
            libm::sqrt(low * high)
        };
        best = fit(lambda);
    }
    (lambda, best, PenaltyFound::NotConverged)
}

/// The change `d` of the penalty at which `|r - d f|^2` equals what is aimed at, `f` the fit's derivative; where there is none,
/// that of the least square.
fn to_the_root(residual: &[f64], by_lambda: &[f64], surplus: f64) -> f64 {
    let curvature: f64 = by_lambda.iter().map(|f| f * f).sum();
    let slope: f64 = residual.iter().zip(by_lambda).map(|(r, f)| r * f).sum();
    let discriminant = slope * slope - curvature * surplus;
    (slope + libm::sqrt(discriminant.max(0.0))) / curvature.max(f64::MIN_POSITIVE)
}

/// The penalty that a spike must exceed by `count` standard deviations of the noise: `count sigma |h|`, where `h` is the response
/// to one spike, so that `sigma |h|` is the noise of `p_t`.
pub(super) fn threshold(kernel: &Coefficients, samples: usize, sigma: f64, count: f64) -> f64 {
    let mut impulse = vec![0.0; samples];
    if let Some(first) = impulse.first_mut() {
        *first = 1.0;
    }
    let square: f64 = kernel.calcium(&impulse).iter().map(|h| h * h).sum();
    count * sigma * libm::sqrt(square)
}
