//! What a covariance may be made of: autocovariances by lag.

/// Where the autoregression is expanded.
const COEFFICIENT: f64 = 0.2;
/// Step of the difference that stands for the derivative, `exp(-8)`.
const STEP: f64 = 3.354_626_279_025_118_5e-4;
/// Correlations that are smaller are 0.
const LEAST_CORRELATION: f64 = 1e-4;

/// Components of [`ar1`].
pub(super) const N_AR1: usize = 2;

/// Autocovariances at `n_lags` lags from 0 of AR(1) noise about a coefficient of .2: `q - .2 q'` and `q + .2 q'`, q being the
/// correlations of AR(1) and q' their derivative by the coefficient.
pub(super) fn ar1(n_lags: usize) -> Vec<Vec<f64>> {
    let correlations = |coefficient: f64| {
        let power = |lag: usize| (0..lag).fold(1.0, |power, _| power * coefficient);
        let cut = |value: f64| if value < LEAST_CORRELATION { 0.0 } else { value };
        (0..n_lags).map(|lag| cut(power(lag))).collect::<Vec<f64>>()
    };
    let (at, beside) = (correlations(COEFFICIENT), correlations(COEFFICIENT + STEP));
    let component = |sign: f64| {
        let pairs = at.iter().zip(&beside);
        pairs.map(|(at, beside)| at + sign * COEFFICIENT * (beside - at) / STEP).collect()
    };
    vec![component(-1.0), component(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `d a^k / da = k a^(k - 1)`: .2 of it is k .2^k, so that the components are (1 - k) .2^k and (1 + k) .2^k.
    #[test]
    fn components_are_the_expansion() {
        let [less, more] = <[Vec<f64>; 2]>::try_from(ar1(20)).unwrap();
        for lag in 0..20 {
            let k = lag as f64;
            let power = if lag <= 5 { 0.2_f64.powf(k) } else { 0.0 };
            // the difference is off by half the second derivative times the step: k (k - 1) .2^k (step / .4)
            let allowed = 1e-12 + 1.01 * k * (k - 1.0).max(0.0) * power * STEP / 0.4;
            assert!((less[lag] - (1.0 - k) * power).abs() <= allowed, "lag {lag}: {}", less[lag]);
            assert!((more[lag] - (1.0 + k) * power).abs() <= allowed, "lag {lag}: {}", more[lag]);
        }
        assert!(STEP - (-8.0_f64).exp() < 1e-18);
    }
}
