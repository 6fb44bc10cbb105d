//! ARMA(1,1) noise: `x_t = a x_(t-1) + e_t + b e_(t-1)`.
//!
//! Its correlation at a lag of k frames is `lambda a^(k - 1)`, `lambda = (a + b)(1 + a b) / (1 + 2 a b + b^2)`: an AR(1)
//! process seen through white noise has it too. Lags are those of true time, so that censored frames are gaps.

use super::whitener::Step;
use serde::Serialize;

/// The parameters of an ARMA(1,1) process, both within (-1, 1); `a = b = 0` is white.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Arma11 {
    /// Of the autoregression.
    pub a: f64,
    /// Of the moving average.
    pub b: f64,
}

impl Arma11 {
    /// Correlation of neighbouring frames.
    pub fn lambda(self) -> f64 {
        let Self { a, b } = self;
        (a + b) * (1.0 + a * b) / (1.0 + 2.0 * a * b + b * b)
    }

    /// Variance in units of that of the innovations.
    pub fn variance(self) -> f64 {
        let Self { a, b } = self;
        (1.0 + 2.0 * a * b + b * b) / (1.0 - a * a)
    }

    /// Correlation of frames `lag` repetition times apart.
    pub fn correlation(self, lag: usize) -> f64 {
        if lag == 0 { 1.0 } else { self.lambda() * power(self.a, lag - 1) }
    }

    /// The whitening of frames `lags` repetition times after one another, exactly and in a few operations a frame.
    ///
    /// `u_t = y_t - a^k y_(t-1)`, k the lag, is correlated with its neighbours in time alone, whatever the gaps; for noise of
    /// variance 1, `var u_t = 1 - 2 a^k r_k + a^2k` and `cov(u_t, u_(t+1)) = a^(k' - 1) (lambda - a)`, k' the lag after t. So
    /// the Cholesky factor of their covariance has one diagonal below the main one.
    pub(crate) fn recursion(self, lags: &[usize]) -> Vec<Step> {
        let innovations = self.variance();
        let mut scale = innovations.sqrt();
        let mut steps = Vec::with_capacity(lags.len() + 1);
        steps.push(Step { decay: 0.0, carry: 0.0, gain: scale.recip() });
        for &lag in lags {
            let decay = power(self.a, lag);
            let variance = innovations * (1.0 - 2.0 * decay * self.correlation(lag) + decay * decay);
            let carry = innovations * power(self.a, lag - 1) * (self.lambda() - self.a) / scale;
            scale = (variance - carry * carry).sqrt();
            steps.push(Step { decay, carry, gain: scale.recip() });
        }
        steps
    }
}

/// `base^exponent`; 1 for an exponent of 0, whatever the base.
fn power(base: f64, exponent: usize) -> f64 {
    base.powi(i32::try_from(exponent).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::Whitener;
    use super::*;
    use ndarray::Array2;

    const PROCESSES: [Arma11; 6] = [
        Arma11 { a: 0.0, b: 0.0 },
        Arma11 { a: 0.8, b: -0.5 },
        Arma11 { a: 0.3, b: 0.6 },
        Arma11 { a: 0.0, b: 0.4 },
        Arma11 { a: -0.4, b: 0.8 },
        Arma11 { a: 0.9, b: 0.0 },
    ];

    #[test]
    fn variance_and_correlations_are_those_of_its_spectrum() {
        // the spectrum |1 + b e^-iw|^2 / |1 - a e^-iw|^2, averaged over so many frequencies that a^n is below rounding
        let n = 4096;
        for process in PROCESSES {
            let power = |w: f64| {
                let along = |c: f64| 1.0 + 2.0 * c * w.cos() + c * c;
                along(process.b) / along(-process.a)
            };
            let at = |lag: usize| {
                let terms = (0..n).map(|k| std::f64::consts::TAU * f64::from(k) / f64::from(n));
                terms.map(|w| power(w) * (w * lag as f64).cos()).sum::<f64>() / f64::from(n)
            };
            assert!((at(0) - process.variance()).abs() < 1e-12 * process.variance(), "{process:?}");
            for lag in 0..6 {
                let expected = at(lag) / at(0);
                let found = process.correlation(lag);
                assert!((found - expected).abs() < 1e-12, "{process:?} lag {lag}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn whitening_inverts_the_covariance_matrix_over_any_gaps() {
        let times: [usize; 12] = [0, 1, 2, 3, 5, 6, 9, 10, 11, 17, 18, 19];
        let lags: Vec<usize> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let n = times.len();
        for process in PROCESSES {
            let v = Array2::from_shape_fn((n, n), |(s, t)| {
                process.variance() * process.correlation(times[s].abs_diff(times[t]))
            });
            let whitener = Whitener::Recursion(process.recursion(&lags));
            let mut w = Array2::zeros((n, n));
            let identity: Array2<f64> = Array2::eye(n);
            whitener.whiten(identity.as_slice().unwrap(), n, &(0..n), w.as_slice_mut().unwrap());
            let white = w.dot(&v).dot(&w.t());
            for ((s, t), value) in white.indexed_iter() {
                let expected = f64::from(u8::from(s == t));
                // some tens of roundings of numbers below 10
                assert!((value - expected).abs() < 1e-13, "{process:?} at {s}, {t}: {value}");
            }
            // det w = 1 / sqrt(det v), w being lower triangular
            let diagonal: f64 = w.diag().iter().map(|entry| entry.ln()).sum();
            assert!((whitener.log_determinant(n) + 2.0 * diagonal).abs() < 1e-13);
        }
    }
}
