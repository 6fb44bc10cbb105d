//! A single gamma density.

use super::{DoubleGamma, GammaDensity};

/// One gamma density of mean 6 s and standard deviation 3 s (shape 4, scale 1.5 s), unit area, no undershoot: the
/// parameters of FSL's "Gamma" response.
pub fn gamma() -> DoubleGamma {
    let rise = GammaDensity::new(4.0, 1.5);
    DoubleGamma::new(rise, rise, 0.0)
}

#[cfg(test)]
mod tests {
    use super::super::Kernel;
    use super::*;

    #[test]
    fn has_mean_six_and_deviation_three() {
        let step = 0.001;
        let moment = |power: i32| -> f64 {
            (1..200_000).map(|k| f64::from(k) * step).map(|t| t.powi(power) * gamma().value(t) * step).sum()
        };
        // the trapezoid sum of a smooth function that vanishes at both ends is exact to far below this
        assert!((moment(0) - 1.0).abs() < 1e-9);
        assert!((moment(1) - 6.0).abs() < 1e-9);
        assert!((moment(2) - 45.0).abs() < 1e-8);
    }
}
