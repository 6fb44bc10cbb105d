//! The regularised incomplete beta function in logarithms, so that no tail underflows.
//!
//! With `x = 1 / (1 + w)`: `I_x(a, b) = x^a (1 - x)^b / (a B(a, b)) K(a, b, x)`, `K` the continued fraction of
//! Didonato and Morris (1992), doi 10.1145/131766.131776, in Lentz's evaluation. Taking `w` instead of `x` keeps
//! both `x` and `1 - x` exact: for t it is `t^2 / dof`, for F `d1 F / d2`.

use statrs::function::gamma::ln_gamma;

/// Above this argument `ln_gamma` differences come from Stirling's series: the difference of two large logarithms
/// would lose what the tail needs.
const STIRLING_FROM: f64 = 20.0;

/// Terms after which the continued fraction is cut: reached only beyond 10^8 degrees of freedom.
const MOST_TERMS: u32 = 100_000;

/// `I_x(a, b)` for fixed `a` and `b`.
#[derive(Debug, Clone, Copy)]
pub(super) struct IncompleteBeta {
    a: f64,
    b: f64,
    ln_beta: f64,
}

/// A probability and its complement, the smaller one exact to working precision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    /// `I_x(a, b)`: the tail beyond `w`.
    pub(super) upper: f64,
    /// Its logarithm.
    pub(super) ln_upper: f64,
    /// `1 - I_x(a, b)`.
    pub(super) lower: f64,
}

impl IncompleteBeta {
    pub(super) fn new(a: f64, b: f64) -> Self {
        Self { a, b, ln_beta: ln_beta(a, b) }
    }

    /// At `x = 1 / (1 + w)`, `w >= 0`.
    pub(super) fn split(&self, w: f64) -> Split {
        if w == 0.0 {
            return Split { upper: 1.0, ln_upper: 0.0, lower: 0.0 };
        }
        if w == f64::INFINITY {
            return Split { upper: 0.0, ln_upper: f64::NEG_INFINITY, lower: 1.0 };
        }
        let (a, b) = (self.a, self.b);
        let x = (1.0 + w).recip();
        let ln_x = -w.ln_1p();
        let ln_rest = -w.recip().ln_1p(); // of 1 - x = w / (1 + w)
        let ln_front = a * ln_x + b * ln_rest - self.ln_beta;
        if x < (a + 1.0) / (a + b + 2.0) {
            let ln_upper = ln_front + (continued_fraction(a, b, x) / a).ln();
            let upper = ln_upper.exp();
            Split { upper, ln_upper, lower: 1.0 - upper }
        } else {
            let lower = (ln_front + (continued_fraction(b, a, w * x) / b).ln()).exp();
            Split { upper: 1.0 - lower, ln_upper: (-lower).ln_1p(), lower }
        }
    }
}

/// `ln B(a, b)`.
fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if large < STIRLING_FROM {
        return ln_gamma(small) + ln_gamma(large) - ln_gamma(small + large);
    }
    // ln G(large) - ln G(large + small) term by term
    let sum = large + small;
    let difference =
        -(large - 0.5) * (small / large).ln_1p() - small * sum.ln() + small + stirling_rest(large) - stirling_rest(sum);
    ln_gamma(small) + difference
}

/// `ln G(x) - ((x - 1/2) ln x - x + ln(2 pi) / 2)` for `x >= STIRLING_FROM`, to 1e-17.
fn stirling_rest(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 6] =
        [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0];
    let inverse_square = (x * x).recip();
    COEFFICIENTS.iter().rev().fold(0.0, |sum, coefficient| sum * inverse_square + coefficient) / x
}

/// `K(a, b, x)`, quick where `x < (a + 1) / (a + b + 2)`.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { value };
    let mut c = 1.0;
    let mut d = away_from_zero(1.0 - (a + b) * x / (a + 1.0)).recip();
    let mut fraction = d;
    for term in 1..=MOST_TERMS {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = away_from_zero(1.0 + even * d).recip();
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = away_from_zero(1.0 + odd * d).recip();
        c = away_from_zero(1.0 + odd / c);
        let change = d * c;
        fraction *= change;
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}
