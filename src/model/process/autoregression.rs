//! Autoregressive noise of any order: `x_t = c_1 x_(t-1) + ... + c_p x_(t-p) + e_t`.
//!
//! Everything follows from its partial autocorrelations, each within (-1, 1), by the recursion of Levinson (1946,
//! doi 10.1002/sapm1946251261) and Durbin (1960, doi 10.2307/1401322).

use super::whitener::Prediction;

/// A stationary autoregressive process; no partial autocorrelations: white.
#[derive(Debug, Clone, PartialEq)]
pub struct Autoregression {
    partial: Vec<f64>,
}

impl Autoregression {
    /// Of partial autocorrelations within (-1, 1).
    pub fn of_partial(partial: Vec<f64>) -> Self {
        Self { partial }
    }

    /// That of order `autocovariances.len() - 1` which has these autocovariances (lag 0 first), or `None` where no stationary
    /// process has: a partial autocorrelation would not be below `largest` in size.
    pub fn of_autocovariances(autocovariances: &[f64], largest: f64) -> Option<Self> {
        let (&variance, later) = autocovariances.split_first()?;
        let mut innovation = variance;
        let mut coefficients: Vec<f64> = Vec::with_capacity(later.len());
        let mut partial = Vec::with_capacity(later.len());
        for (order, &covariance) in later.iter().enumerate() {
            let predicted: f64 =
                coefficients.iter().zip(autocovariances[1..=order].iter().rev()).map(|(c, g)| c * g).sum();
            let new = (covariance - predicted) / innovation;
            // also where it is not a number
            if !(innovation > 0.0 && new.abs() < largest) {
                return None;
            }
            add_order(&mut coefficients, new);
            innovation *= 1.0 - new * new;
            partial.push(new);
        }
        (variance > 0.0).then_some(Self { partial })
    }

    /// Its partial autocorrelations, lag 1 first.
    pub fn partial(&self) -> &[f64] {
        &self.partial
    }

    /// Its coefficients, lag 1 first.
    pub fn coefficients(&self) -> Vec<f64> {
        let mut coefficients = Vec::with_capacity(self.partial.len());
        self.partial.iter().for_each(|&partial| add_order(&mut coefficients, partial));
        coefficients
    }

    /// Whitened sum of squares of a series of these lag products (lag 0 first, at least as many as the order and one more), but
    /// for what its ends differ by.
    pub(crate) fn whitened_squares(&self, products: &[f32]) -> f64 {
        let mut filter = vec![1.0];
        filter.extend(self.coefficients().into_iter().map(|coefficient| -coefficient));
        let of_lag = |lag: usize| filter.iter().zip(&filter[lag..]).map(|(a, b)| a * b).sum::<f64>();
        let terms =
            (0..filter.len()).map(|lag| of_lag(lag) * f64::from(products[lag]) * if lag == 0 { 1.0 } else { 2.0 });
        terms.sum()
    }

    /// Correlation of neighbouring frames.
    pub fn lag1(&self) -> f64 {
        self.partial.first().copied().unwrap_or(0.0)
    }

    /// Predictions of a row from 0, 1, ... and from all p rows before it; the last holds for all further rows.
    pub(crate) fn predictions(&self) -> Vec<Prediction> {
        let mut coefficients = Vec::with_capacity(self.partial.len());
        let mut predictions = Vec::with_capacity(self.partial.len() + 1);
        // the part of the variance that later orders explain
        let explained =
            |from: usize| self.partial[from..].iter().map(|partial| 1.0 - partial * partial).product::<f64>();
        for (order, &partial) in self.partial.iter().enumerate() {
            predictions.push(Prediction { coefficients: coefficients.clone(), gain: explained(order).sqrt() });
            add_order(&mut coefficients, partial);
        }
        predictions.push(Prediction { coefficients, gain: 1.0 });
        predictions
    }
}

/// Coefficients of the next order from those of the last and the partial autocorrelation.
fn add_order(coefficients: &mut Vec<f64>, partial: f64) {
    let reversed: Vec<f64> = coefficients.iter().rev().copied().collect();
    coefficients.iter_mut().zip(reversed).for_each(|(coefficient, mirrored)| *coefficient -= partial * mirrored);
    coefficients.push(partial);
}

#[cfg(test)]
mod tests {
    use super::super::{Arma11, Whitener};
    use super::*;
    use ndarray::Array2;

    /// Autocovariances of an AR(2) process of innovation variance 1, in closed form for the first three lags.
    fn ar2(c: [f64; 2], n: usize) -> Vec<f64> {
        let lag1 = c[0] / (1.0 - c[1]);
        let variance = 1.0 / (1.0 - c[0] * lag1 - c[1] * (c[0] * lag1 + c[1]));
        let mut gamma = vec![variance, variance * lag1];
        while gamma.len() < n {
            gamma.push(c[0] * gamma[gamma.len() - 1] + c[1] * gamma[gamma.len() - 2]);
        }
        gamma
    }

    #[test]
    fn coefficients_follow_from_autocovariances() {
        let gamma = ar2([0.5, 0.3], 6);
        let process = Autoregression::of_autocovariances(&gamma[..5], 0.99).unwrap();
        for (found, expected) in process.coefficients().iter().zip([0.5, 0.3, 0.0, 0.0]) {
            assert!((found - expected).abs() < 1e-14, "{found}, {expected}");
        }
        assert!((process.lag1() - gamma[1] / gamma[0]).abs() < 1e-15);
        // an oscillation without noise is not below any bound
        let wave: Vec<f64> = (0..4).map(|lag| f64::from(lag).cos()).collect();
        assert_eq!(Autoregression::of_autocovariances(&wave, 0.99), None);
        assert_eq!(Autoregression::of_autocovariances(&[0.0, 0.0], 0.99), None);
        assert_eq!(Autoregression::of_autocovariances(&[f64::NAN, 0.0], 0.99), None);
    }

    #[test]
    fn whitening_inverts_the_covariance_matrix() {
        let n = 9;
        let gamma = ar2([0.5, 0.3], n);
        let v = Array2::from_shape_fn((n, n), |(s, t)| gamma[s.abs_diff(t)]);
        let process = Autoregression::of_autocovariances(&gamma[..3], 0.99).unwrap();
        let whitener = Whitener::Prediction(process.predictions());
        let mut w = Array2::zeros((n, n));
        let identity: Array2<f64> = Array2::eye(n);
        whitener.whiten(identity.as_slice().unwrap(), n, &(0..n), w.as_slice_mut().unwrap());
        for ((s, t), value) in w.dot(&v).dot(&w.t()).indexed_iter() {
            assert!((value - f64::from(u8::from(s == t))).abs() < 1e-13, "{s}, {t}: {value}");
        }
        let diagonal: f64 = w.diag().iter().map(|entry| entry.ln()).sum();
        assert!((whitener.log_determinant(n) + 2.0 * diagonal).abs() < 1e-13);
    }

    #[test]
    fn order_one_is_arma_without_a_moving_average() {
        let y = Array2::from_shape_fn((12, 3), |(t, j)| ((t * t + 3 * j) as f64).sin());
        let whiten = |whitener: Whitener| {
            let mut z = Array2::zeros(y.dim());
            whitener.whiten(y.as_slice().unwrap(), 3, &(0..3), z.as_slice_mut().unwrap());
            z
        };
        let arma = whiten(Whitener::Recursion(Arma11 { a: 0.7, b: 0.0 }.recursion(&[1; 11])));
        let ar = whiten(Whitener::Prediction(Autoregression::of_partial(vec![0.7]).predictions()));
        assert!((&arma - &ar).iter().all(|difference| difference.abs() < 1e-15));
    }
}
