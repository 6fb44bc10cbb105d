//! The z that leaves a given probability above it.

use statrs::function::erf::erfc_inv;
use std::f64::consts::{LN_2, PI, SQRT_2};

/// Below this logarithm of p (z about 35) the inverse is taken in logarithms.
const LN_SMALLEST_DIRECT: f64 = -620.0;

/// z with `P(Z > z) = p`, from p; exact for p up to a half.
pub(super) fn upper_quantile(p: f64) -> f64 {
    SQRT_2 * erfc_inv(2.0 * p)
}

/// z with `ln P(Z > z) = ln_p`, for p up to a half; no p is too small.
///
/// In the far tail `P(Z > z) = exp(-z^2 / 2) m(z) / sqrt(2 pi)` with Mills' ratio `m`; Halley's steps on its
/// logarithm, whose slope is `-1 / m` and whose curvature is `(z - 1 / m) / m`.
pub(super) fn upper_quantile_of_log(ln_p: f64) -> f64 {
    if ln_p > LN_SMALLEST_DIRECT {
        return upper_quantile(ln_p.exp());
    }
    if ln_p == f64::NEG_INFINITY {
        return f64::INFINITY;
    }
    let twice = -2.0 * ln_p;
    let mut z = (twice - (2.0 * PI).ln() - twice.ln()).sqrt();
    for _ in 0..3 {
        // third order from a start good to 1e-3: the second step is already exact
        let mills = mills_ratio(z);
        let excess = -0.5 * z * z + mills.ln() - 0.5 * (LN_2 + PI.ln()) - ln_p;
        let newton = excess * mills;
        z += newton / (1.0 + 0.5 * newton * (z - mills.recip()));
    }
    z
}

/// `P(Z > z) / density(z)` for z above 30: the asymptotic series, exact to working precision there.
fn mills_ratio(z: f64) -> f64 {
    let square = (z * z).recip();
    let series = [1.0, 3.0, 5.0, 7.0, 9.0, 11.0].iter().rev().fold(1.0, |sum, odd| 1.0 - odd * square * sum);
    series / z
}
